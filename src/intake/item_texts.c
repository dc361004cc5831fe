/* Texts of a benchmark's items; see sequence_file.h. */
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "intake/reader.h"
#include "intake/sequence_file.h"

enum { TEXTS_BYTES = 1 << 30 };

/* A file of texts being read. */
typedef struct texts_reader {
    item_texts *into;
    const intern *items;
    text *cells;
    bool *seen; /* [I + 1] */
    const char *name;
    pf_error *err;
} texts_reader;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory while reading texts of items");
}

static bool copy(item_texts *t, text from, text *to)
{
    const char *words = arena_copy_text(&t->memory, from.data, from.n);
    *to = (text){words, from.n};
    return words != NULL;
}

static pf_status take_header(texts_reader *x, const table_reader *r)
{
    item_texts *t = x->into;
    const size_t n = table_reader_columns(r);
    if (n < 2)
        return error_set_at(x->err, PF_DATA, x->name, 1, 0,
                            "a column with the item's id and at least one of text are "
                            "needed, the header has %zu",
                            n);
    t->path = arena_copy_text(&t->memory, x->name, strlen(x->name));
    if (t->path == NULL) return no_memory(x->err);
    t->n_columns = (uint32_t)n - 1;
    t->n_items = intern_count(x->items);
    text *names = arena_alloc(&t->memory, n, sizeof *names);
    x->cells = arena_alloc_zero(&t->memory, ((size_t)t->n_items + 1) * t->n_columns,
                                sizeof *x->cells);
    x->seen = mem_alloc_zero((size_t)t->n_items + 1, sizeof *x->seen);
    if (names == NULL || x->cells == NULL || x->seen == NULL) return no_memory(x->err);
    for (size_t i = 1; i < n; i++)
        if (!copy(t, table_reader_column(r, i), &names[i - 1])) return no_memory(x->err);
    for (size_t i = 0; i < ((size_t)t->n_items + 1) * t->n_columns; i++)
        x->cells[i].data = "";
    t->names = names;
    t->cells = x->cells;
    return PF_OK;
}

static pf_status take_row(texts_reader *x, const row *r)
{
    item_texts *t = x->into;
    if (r->reason != REASON_NONE)
        return error_set_at(x->err, PF_DATA, x->name, r->line, r->column, "%s",
                            r->message);
    if (!utf8_check(r->raw.data, r->raw.n, NULL))
        return error_set_at(x->err, PF_DATA, x->name, r->line, 0, "the row is no UTF-8");
    const text id = text_trim(r->cells[0]);
    const uint32_t item = intern_find(x->items, id.data, id.n);
    if (item == 0) {
        t->n_other_rows++;
        return PF_OK;
    }
    if (x->seen[item])
        return error_set_at(x->err, PF_DATA, x->name, r->line, 1,
                            "the item '%.60s' stands here a second time",
                            intern_text(x->items, item));
    x->seen[item] = true;
    t->n_rows++;
    for (uint32_t i = 0; i < t->n_columns; i++)
        if (!copy(t, text_trim(r->cells[i + 1]),
                  &x->cells[(size_t)item * t->n_columns + i]))
            return no_memory(x->err);
    return PF_OK;
}

static pf_status take_file(texts_reader *x)
{
    const reader_options options = {.table = TABLE_PRODUCTS};
    byte_source *source = NULL;
    table_reader *r = NULL;
    row at;
    bool more = true;
    pf_status s = byte_source_open(&source, x->name, NULL, x->err);
    if (s == PF_OK) s = table_reader_open(&r, source, &options, x->err);
    if (s == PF_OK && table_reader_is_open_ended(r))
        s = error_set_at(x->err, PF_DATA, x->name, 1, 0,
                         "texts of items are read from CSV, this is JSON lines");
    if (s == PF_OK) s = take_header(x, r);
    while (s == PF_OK) {
        s = table_reader_next(r, &at, &more, x->err);
        if (s != PF_OK || !more) break;
        s = take_row(x, &at);
    }
    table_reader_close(r);
    return s;
}

pf_status item_texts_read(item_texts **out, const char *path, const intern *items,
                          pf_error *err)
{
    item_texts *t = mem_alloc_zero(1, sizeof *t);
    if (t == NULL) return no_memory(err);
    arena_init(&t->memory, TEXTS_BYTES);
    texts_reader x = {.into = t, .items = items, .name = path, .err = err};
    const pf_status s = take_file(&x);
    mem_free(x.seen);
    if (s != PF_OK) {
        item_texts_free(t);
        return s;
    }
    *out = t;
    return PF_OK;
}

void item_texts_free(item_texts *t)
{
    if (t == NULL) return;
    arena_free(&t->memory);
    mem_free(t);
}

text item_texts_cell(const item_texts *t, uint32_t item, uint32_t column)
{
    return t->cells[(size_t)item * t->n_columns + column];
}
