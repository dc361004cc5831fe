/* Reading a pattern; see pattern.h for the notation. */
#include "message/pattern.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "message/claim.h"

static const char *const names[SLOT_COUNT] = {"products", "scope",   "category",
                                              "discount", "minimum", "ends",
                                              "last_day", "title",   "shop"};

const char *slot_name(message_slot slot)
{
    return slot < SLOT_COUNT ? names[slot] : "";
}

enum { PIECES_MAX = 64 };

/* One reading. */
typedef struct reader {
    const char *text;
    size_t n, at;
    arena *memory;
    pf_error *err;
    pf_status status;
} reader;

static bool fail(reader *r, size_t at, const char *what)
{
    r->status =
        error_set_at(r->err, PF_USAGE, NULL, 0, utf8_count(r->text, at) + 1, "%s", what);
    return false;
}

static bool no_memory(reader *r)
{
    r->status = error_set(r->err, PF_NO_MEMORY, "out of memory while reading a frame");
    return false;
}

/* A copy in the arena of what was collected. */
static void *keep(reader *r, const void *items, size_t count, size_t size)
{
    void *block = arena_alloc(r->memory, count, size);
    if (block == NULL)
        (void)no_memory(r);
    else if (count > 0)
        memcpy(block, items, count * size);
    return block;
}

static bool too_many(reader *r, const char *what, unsigned limit)
{
    r->status = error_set(r->err, PF_LIMIT, "more than %u %s", limit, what);
    return false;
}

/* --- pieces ----------------------------------------------------------------------- */

static bool read_slot(reader *r, pattern_piece *out)
{
    size_t start = r->at + 1;
    const char *end = memchr(r->text + start, '}', r->n - start);
    if (end == NULL) return fail(r, r->at, "'{' without '}'");
    text word = {r->text + start, (size_t)(end - r->text) - start};
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (!text_is(word, names[i])) continue;
        out->slot = (message_slot)i;
        r->at = start + word.n + 1;
        return true;
    }
    char copy[64] = "", advice[160];
    memcpy(copy, word.data, word.n < sizeof copy ? word.n : 0);
    const char *near = text_closest(copy, names, SLOT_COUNT);
    (void)snprintf(advice, sizeof advice, "there is no slot {%.*s}; %s%s%s",
                   (int)utf8_prefix(word.data, word.n, 30), word.data,
                   near != NULL ? "did you mean {"
                                : "the slots are products, scope, category, ",
                   near != NULL ? near : "discount, minimum, ends, last_day, title, shop",
                   near != NULL ? "}?" : "");
    return fail(r, r->at, advice);
}

/* One byte of words, unescaped; false at a mark or a mistake (status tells). */
static bool read_byte(reader *r, bool inside, char *out)
{
    char c = r->text[r->at];
    if (c == '{' || c == '[' || (inside && (c == '|' || c == ']'))) return false;
    if (c == '}' || c == ']' || c == '|')
        return fail(r, r->at,
                    "a mark without its opening one; write '\\' before it to show it");
    if (c == '\\') {
        if (r->at + 1 == r->n || strchr("{}[]|\\", r->text[r->at + 1]) == NULL)
            return fail(r, r->at, "'\\' stands before one of { } [ ] | \\ only");
        c = r->text[++r->at];
    }
    r->at++;
    *out = c;
    return true;
}

/* Words up to the next mark. */
static bool read_words(reader *r, bool inside, pattern_piece *out)
{
    char words[LIMIT_FRAME_BYTES];
    size_t start = r->at, n = 0;
    while (r->at < r->n && read_byte(r, inside, &words[n]))
        n++;
    if (r->status != PF_OK) return false;
    const char *wrong = claim_find(words, n);
    if (wrong != NULL) return fail(r, start, wrong);
    char *copy = arena_copy_text(r->memory, words, n);
    *out = (pattern_piece){.slot = SLOT_NONE, .words = {copy, n}};
    return copy != NULL || no_memory(r);
}

/* Pieces up to the end of the choice: '|' or ']' inside a part, '[' or the end
 * outside. */
static bool read_choice(reader *r, bool inside, pattern_choice *out)
{
    pattern_piece pieces[PIECES_MAX];
    *out = (pattern_choice){.pieces = NULL};
    while (r->at < r->n) {
        char c = r->text[r->at];
        if (inside ? c == '|' || c == ']' : c == '[') break;
        if (c == '[') return fail(r, r->at, "a part inside a part");
        if (out->n_pieces == PIECES_MAX)
            return too_many(r, "pieces in a choice", PIECES_MAX);
        pattern_piece *piece = &pieces[out->n_pieces++];
        *piece = (pattern_piece){.slot = SLOT_NONE};
        if (c == '{' ? !read_slot(r, piece) : !read_words(r, inside, piece)) return false;
        if (piece->slot != SLOT_NONE) out->slots |= 1u << piece->slot;
    }
    out->pieces = keep(r, pieces, out->n_pieces, sizeof *pieces);
    return out->pieces != NULL;
}

/* --- parts ------------------------------------------------------------------------ */

static bool read_bracket(reader *r, pattern_part *out)
{
    pattern_choice choices[LIMIT_FRAME_CHOICES];
    size_t start = r->at;
    *out = (pattern_part){.choices = NULL};
    do {
        if (out->n_choices == LIMIT_FRAME_CHOICES)
            return too_many(r, "choices in a part", LIMIT_FRAME_CHOICES);
        r->at++; /* the '[' or '|' */
        if (!read_choice(r, true, &choices[out->n_choices++])) return false;
        if (r->at == r->n) return fail(r, start, "'[' without ']'");
    } while (r->text[r->at] == '|');
    r->at++;
    out->optional = (choices[out->n_choices - 1].slots & ~(1u << SLOT_SCOPE)) != 0;
    out->choices = keep(r, choices, out->n_choices, sizeof *choices);
    return out->choices != NULL;
}

static bool read_plain(reader *r, pattern_part *out)
{
    pattern_choice choice;
    if (!read_choice(r, false, &choice)) return false;
    *out = (pattern_part){.n_choices = 1, .choices = keep(r, &choice, 1, sizeof choice)};
    return out->choices != NULL;
}

static bool read_parts(reader *r, pattern *out)
{
    pattern_part parts[LIMIT_FRAME_PARTS];
    *out = (pattern){.parts = NULL};
    while (r->at < r->n) {
        if (out->n_parts == LIMIT_FRAME_PARTS)
            return too_many(r, "parts", LIMIT_FRAME_PARTS);
        pattern_part *part = &parts[out->n_parts++];
        if (r->text[r->at] == '[' ? !read_bracket(r, part) : !read_plain(r, part))
            return false;
    }
    if (out->n_parts == 0) return fail(r, 0, "there are no words");
    out->parts = keep(r, parts, out->n_parts, sizeof *parts);
    return out->parts != NULL;
}

pf_status pattern_parse(pattern *out, arena *memory, const char *words, size_t n,
                        pf_error *err)
{
    size_t at = 0;
    if (n > LIMIT_FRAME_BYTES)
        return error_set(err, PF_LIMIT, "%zu bytes, at most %u are read", n,
                         LIMIT_FRAME_BYTES);
    if (!utf8_check(words, n, &at))
        return error_set_at(err, PF_USAGE, NULL, 0, utf8_count(words, at) + 1,
                            "the bytes here are not UTF-8");
    reader r = {.text = words, .n = n, .memory = memory, .err = err};
    return read_parts(&r, out) ? PF_OK : r.status;
}
