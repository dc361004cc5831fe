/* Envelopes in general; see envelope.h. Each kind has its own file. */
#include "intake/envelope.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "intake/json_cell.h"
#include "intake/json_lines.h"

struct envelope_reader {
    json_lines lines;
    map_envelope kind;
    envelope_rows rows;
    size_t next; /* of the rows */
    row line;    /* where they come from */
};

map_envelope envelope_of(const json_value *v)
{
    if (json_member(v, "specversion") != NULL) return ENVELOPE_CLOUDEVENTS;
    if (json_member(v, "event_name") != NULL &&
        (json_member(v, "event_timestamp") != NULL ||
         json_member(v, "event_params") != NULL))
        return ENVELOPE_GA4;
    static const char *const calls[] = {"track", "page",  "screen",
                                        "group", "alias", "identify"};
    const text type = json_word(json_member(v, "type"));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (text_is(type, calls[i]) &&
            (json_member(v, "userId") != NULL || json_member(v, "anonymousId") != NULL))
            return ENVELOPE_SEGMENT;
    return ENVELOPE_NONE;
}

pf_status envelope_open(envelope_reader **out, byte_source *source, map_envelope kind,
                        pf_error *err)
{
    envelope_reader *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                         byte_source_name(source));
    r->kind = kind;
    const pf_status s = json_lines_open(&r->lines, source, WINDOW_BYTES, err);
    if (s != PF_OK) {
        mem_free(r);
        return s;
    }
    *out = r;
    return PF_OK;
}

void envelope_close(envelope_reader *r)
{
    if (r == NULL) return;
    json_lines_close(&r->lines);
    mem_free(r);
}

static bool translate(envelope_reader *r, const json_value *v)
{
    switch (r->kind) {
    case ENVELOPE_SEGMENT: return envelope_segment(v, &r->rows);
    case ENVELOPE_GA4: return envelope_ga4(v, &r->rows);
    default: return envelope_cloudevents(v, &r->rows);
    }
}

static void note_wrong(row *out, const char *why)
{
    out->reason = REASON_BAD_JSON;
    out->column = 0;
    (void)snprintf(out->message, sizeof out->message, "%s", why);
}

pf_status envelope_next(envelope_reader *r, row *out, bool *more, uint64_t *passed,
                        pf_error *err)
{
    while (r->next == r->rows.n) {
        const json_value *value = NULL;
        const pf_status s = json_lines_next(&r->lines, &value, &r->line, more, err);
        if (s != PF_OK || !*more) return s;
        r->rows = (envelope_rows){.memory = &r->lines.memory};
        r->next = 0;
        if (value != NULL && (!translate(r, value) || r->rows.no_memory))
            return error_set_at(err, PF_NO_MEMORY,
                                byte_source_name(r->lines.lines.w.source), r->line.line,
                                0, "out of memory for this line");
        if (r->rows.wrong != NULL) note_wrong(&r->line, r->rows.wrong);
        *out = r->line;
        out->n_cells = 0;
        if (out->reason != REASON_NONE) {
            r->next = r->rows.n;
            return PF_OK;
        }
        *passed += r->rows.n == 0;
    }
    *out = r->line;
    out->cells = r->rows.cells[r->next++];
    out->kinds = NULL;
    out->n_cells = EVENTS_FIELD_COUNT;
    *more = true;
    return PF_OK;
}

/* --- for the translators ---------------------------------------------------------- */

text *envelope_add(envelope_rows *rows)
{
    if (rows->n == rows->capacity) {
        const size_t capacity = rows->capacity == 0 ? 4 : 2 * rows->capacity;
        void *grown = arena_alloc(rows->memory, capacity, sizeof *rows->cells);
        if (grown == NULL) return NULL;
        if (rows->n > 0) memcpy(grown, rows->cells, rows->n * sizeof *rows->cells);
        rows->cells = grown;
        rows->capacity = capacity;
    }
    text *cells = rows->cells[rows->n++];
    for (size_t i = 0; i < EVENTS_FIELD_COUNT; i++)
        cells[i] = (text){"", 0};
    return cells;
}

text envelope_pair(envelope_rows *rows, text a, text b)
{
    if (a.n + b.n == 0) return (text){"", 0};
    char *joined = arena_alloc(rows->memory, a.n + b.n + 2, 1);
    if (joined == NULL) {
        rows->no_memory = true;
        return (text){"", 0};
    }
    const int n =
        snprintf(joined, a.n + b.n + 2, "%.*s:%.*s", (int)a.n, a.data, (int)b.n, b.data);
    return (text){joined, n > 0 ? (size_t)n : 0};
}

text envelope_part_id(envelope_rows *rows, text id, size_t i)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%zu", i);
    return id.n == 0 ? id : envelope_pair(rows, id, text_of(number));
}

text envelope_amount(text number)
{
    const char *point = number.n > 0 ? memchr(number.data, '.', number.n) : NULL;
    if (point == NULL) return number;
    const size_t whole = (size_t)(point - number.data);
    for (size_t i = whole + 1; i < number.n; i++)
        if (number.data[i] < '0' || number.data[i] > '9')
            return number; /* an exponent: the check that follows refuses it */
    if (number.n - whole > 5) number.n = whole + 5;
    return number;
}
