/* Columns are looked at once to see what they are; documents are views of their cells. */
#include "evaluate/item_side.h"

#include <string.h>

#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"

enum { SIDE_BYTES_MAX = 1 << 30 };

typedef struct column {
    uint32_t number;
    char separator;
} column;

typedef struct columns {
    column column[LIMIT_FIELDS];
    size_t n;
} columns;

void item_side_free(item_side *s)
{
    if (s == NULL) return;
    lexical_free(s->words);
    vectors_free(&s->vectors);
    arena_free(&s->memory);
    mem_free(s);
}

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for the texts of items");
}

/* ---- columns ---- */

typedef struct facts {
    bool list;       /* some cell has a '|' */
    bool spaced;     /* some cell has a space */
    bool numbers;    /* every cell is a number */
    uint32_t filled; /* cells that are not empty */
    uint32_t different;
} facts;

static bool look_at(const item_texts *t, uint32_t c, facts *f)
{
    intern *seen = intern_new(t->n_items + 1);
    *f = (facts){.numbers = true};
    if (seen == NULL) return false;
    for (uint32_t i = 1; i <= t->n_items; i++) {
        text cell = text_trim(item_texts_cell(t, i, c));
        double number;
        if (cell.n == 0) continue;
        f->filled++;
        f->list |= memchr(cell.data, '|', cell.n) != NULL;
        f->spaced |= memchr(cell.data, ' ', cell.n) != NULL;
        f->numbers &= text_to_double(cell, &number);
        if (intern_add(seen, cell.data, cell.n) == 0) {
            intern_free(seen);
            return false;
        }
    }
    f->different = (uint32_t)intern_count(seen);
    intern_free(seen);
    return true;
}

/* A column that says so is text, also where every title is one word of its own. */
static bool is_named_as_text(text name)
{
    static const char *const names[] = {"title", "name", "description", "text"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_is(name, names[i])) return true;
    return false;
}

static bool holds_text(const facts *f, text name)
{
    if (f->filled == 0 || f->numbers) return false;
    return f->list || f->spaced || f->different < f->filled || is_named_as_text(name);
}

static pf_status choose_columns(const item_texts *t, columns *out, pf_error *err)
{
    out->n = 0;
    for (uint32_t c = 0; c < t->n_columns && out->n < LIMIT_FIELDS; c++) {
        facts f;
        if (!look_at(t, c, &f)) return no_memory(err);
        if (holds_text(&f, t->names[c])) out->column[out->n++] = (column){c, f.list ? '|' : '\0'};
    }
    if (out->n > 0) return PF_OK;
    if (t->n_rows == 0)
        return error_set_at(err, PF_DATA, t->path, 0, 0,
                            "none of its %u rows is of an item of the sequences: the first "
                            "column must hold the ids that stand there",
                            t->n_other_rows);
    return error_set_at(err, PF_DATA, t->path, 0, 0,
                        "no column holds texts: only identifiers and numbers");
}

/* ---- words ---- */

static pf_status make_words(item_side *s, const item_texts *t, const columns *use,
                            pf_error *err)
{
    size_t n = t->n_items;
    lexical_field *fields = mem_alloc(n * use->n, sizeof *fields);
    lexical_document *documents = mem_alloc(n, sizeof *documents);
    pf_status status = PF_OK;
    if (fields == NULL || documents == NULL) {
        status = no_memory(err);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        documents[i] = (lexical_document){fields + i * use->n, use->n};
        for (size_t c = 0; c < use->n; c++)
            fields[i * use->n + c] = (lexical_field){
                .text = item_texts_cell(t, (uint32_t)i + 1, use->column[c].number),
                .weight = 1,
                .separator = use->column[c].separator};
    }
    status = lexical_fit(&s->words, n, documents, NULL, err);
    s->side.words = s->words;
done:
    mem_free(fields);
    mem_free(documents);
    return status;
}

/* ---- vectors ---- */

/* All cells of an item in one line, parts of lists as words. The last column comes first:
 * tables list classes before names, and a sentence encoder is best fed the name first. */
static bool join_cells(item_side *s, const item_texts *t, const columns *use,
                       uint32_t item, text *out)
{
    size_t n = 0, at = 0;
    for (size_t c = 0; c < use->n; c++)
        n += item_texts_cell(t, item, use->column[c].number).n + 1;
    char *joined = arena_alloc(&s->memory, n, 1);
    if (joined == NULL) return false;
    for (size_t c = use->n; c-- > 0;) {
        text cell = item_texts_cell(t, item, use->column[c].number);
        for (size_t i = 0; i < cell.n; i++)
            joined[at++] = cell.data[i] == '|' ? ' ' : cell.data[i];
        joined[at++] = ' ';
    }
    *out = text_trim((text){joined, at < LIMIT_TEXT_BYTES ? at : LIMIT_TEXT_BYTES});
    return true;
}

static pf_status make_vectors(item_side *s, const item_texts *t, const columns *use,
                              encoder *e, const vector_cache *cache, pool *threads,
                              progress *shown, pf_error *err)
{
    text *lines = arena_alloc(&s->memory, t->n_items, sizeof *lines);
    if (lines == NULL) return no_memory(err);
    for (uint32_t i = 0; i < t->n_items; i++)
        if (!join_cells(s, t, use, i + 1, &lines[i])) return no_memory(err);
    pf_status status =
        vectors_encode(&s->vectors, e, cache, t->n_items, lines, threads, shown, err);
    if (status == PF_OK) status = vectors_centre(&s->vectors, NULL, err);
    s->side.vectors = s->vectors.rows;
    s->side.dimension = s->vectors.dimension;
    return status;
}

/* ---- categories ---- */

static text last_part(text cell)
{
    size_t from = cell.n;
    while (from > 0 && cell.data[from - 1] != '|')
        from--;
    return text_trim((text){cell.data + from, cell.n - from});
}

static pf_status make_categories(item_side *s, const item_texts *t, const columns *use,
                                 pf_error *err)
{
    size_t c = 0;
    while (c < use->n && use->column[c].separator == '\0')
        c++;
    if (c == use->n) return PF_OK;
    intern *names = intern_new(t->n_items + 1);
    uint32_t *category = arena_alloc_zero(&s->memory, t->n_items, sizeof *category);
    bool ok = names != NULL && category != NULL;
    for (uint32_t i = 0; i < t->n_items && ok; i++) {
        text part = last_part(item_texts_cell(t, i + 1, use->column[c].number));
        if (part.n > 0) ok = (category[i] = intern_add(names, part.data, part.n)) != 0;
    }
    s->side.category = category;
    s->side.n_categories = ok ? (uint32_t)intern_count(names) + 1 : 1;
    intern_free(names);
    return ok ? PF_OK : no_memory(err);
}

pf_status item_side_new(item_side **out, const item_texts *texts, encoder *e,
                        const vector_cache *cache, pool *threads, progress *shown,
                        pf_error *err)
{
    item_side *s = mem_alloc_zero(1, sizeof *s);
    columns *use = mem_alloc(1, sizeof *use);
    pf_status status = s && use ? PF_OK : no_memory(err);
    if (s != NULL) arena_init(&s->memory, SIDE_BYTES_MAX);
    if (status == PF_OK) status = choose_columns(texts, use, err);
    if (status == PF_OK) status = make_words(s, texts, use, err);
    if (status == PF_OK) status = make_categories(s, texts, use, err);
    if (status == PF_OK && e != NULL)
        status = make_vectors(s, texts, use, e, cache, threads, shown, err);
    mem_free(use);
    if (status != PF_OK)
        item_side_free(s);
    else
        *out = s;
    return status;
}
