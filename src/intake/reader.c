/* Rows of one file; see reader.h. */
#include "intake/reader.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/memory.h"
#include "intake/csv.h"
#include "intake/envelope.h"
#include "intake/json_lines.h"
#include "intake/jsonl.h"
#include "intake/window.h"

struct table_reader {
    byte_source *source;
    csv_reader *csv; /* exactly one of the three is not NULL */
    jsonl_reader *jsonl;
    envelope_reader *events;
    map_envelope envelope;
    uint64_t passed;
};

/* --- which format ----------------------------------------------------------------- */

static bool ends_with(const char *name, size_t n, const char *end)
{
    const size_t k = strlen(end);
    return n >= k && strncasecmp(name + n - k, end, k) == 0;
}

map_format format_of_name(const char *path)
{
    static const char *const packers[] = {".gz", ".zst", ".zstd"};
    static const struct {
        const char *end;
        map_format format;
    } ends[] = {{".csv", FORMAT_CSV},      {".tsv", FORMAT_CSV},
                {".jsonl", FORMAT_JSONL},  {".ndjson", FORMAT_JSONL},
                {".json", FORMAT_JSONL},   {".inter", FORMAT_RECBOLE},
                {".item", FORMAT_RECBOLE}, {".user", FORMAT_RECBOLE}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
        if (ends_with(path, n, packers[i])) {
            n -= strlen(packers[i]);
            break;
        }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(path, n, ends[i].end)) return ends[i].format;
    return FORMAT_AUTO;
}

static text first_line(text head)
{
    const char *lf = head.n > 0 ? memchr(head.data, '\n', head.n) : NULL;
    return text_trim((text){head.data, lf != NULL ? (size_t)(lf - head.data) : head.n});
}

static text without_mark(text head)
{
    if (head.n >= 3 && memcmp(head.data, "\xef\xbb\xbf", 3) == 0)
        return (text){head.data + 3, head.n - 3};
    return head;
}

/* "1 17 4 9 12": numbers in a line and no word among them. */
static bool is_sequence_line(text line)
{
    size_t spaces = 0;
    for (size_t i = 0; i < line.n; i++) {
        if (line.data[i] == ' ')
            spaces++;
        else if (line.data[i] < '0' || line.data[i] > '9')
            return false;
    }
    return spaces > 0;
}

static map_format format_of_content(text head)
{
    const text line = first_line(without_mark(head));
    if (line.n > 0 && (line.data[0] == '{' || line.data[0] == '[')) return FORMAT_JSONL;
    return FORMAT_CSV;
}

/* The envelope of the first line; a line that cannot be parsed is in none. */
static pf_status find_envelope(text head, map_envelope *out, pf_error *err)
{
    arena memory;
    arena_init(&memory, 16 * (size_t)LIMIT_LINE_BYTES);
    const json_value *v = NULL;
    pf_error why = {0};
    const text line = first_line(without_mark(head));
    const pf_status s =
        line.n > 0 ? json_parse(&memory, line.data, line.n, &v, &why) : PF_DATA;
    *out = s == PF_OK ? envelope_of(v) : ENVELOPE_NONE;
    arena_free(&memory);
    return s == PF_NO_MEMORY ? error_set(err, s, "%s", why.message) : PF_OK;
}

/* --- opening ---------------------------------------------------------------------- */

static pf_status open_csv(table_reader *r, const reader_options *o, map_format format,
                          pf_error *err)
{
    csv_options c = csv_options_default();
    text *names = NULL;
    c.delimiter = o->delimiter;
    if (format == FORMAT_RECBOLE) {
        c.typed_names = true;
        c.delimiter = o->delimiter != 0 ? o->delimiter : '\t';
    }
    if (o->n_columns > 0) {
        names = mem_alloc(o->n_columns, sizeof *names);
        if (names == NULL)
            return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                             byte_source_name(r->source));
        for (size_t i = 0; i < o->n_columns; i++)
            names[i] = text_of(o->columns[i]);
        c.columns = names;
        c.n_columns = o->n_columns;
    }
    const pf_status s = csv_open(&r->csv, r->source, &c, err);
    mem_free(names);
    return s;
}

static pf_status open_json(table_reader *r, const reader_options *o, text head,
                           pf_error *err)
{
    r->envelope = o->envelope;
    if (r->envelope == ENVELOPE_AUTO) {
        r->envelope = ENVELOPE_NONE;
        const pf_status s =
            o->table == TABLE_EVENTS ? find_envelope(head, &r->envelope, err) : PF_OK;
        if (s != PF_OK) return s;
    }
    if (r->envelope != ENVELOPE_NONE)
        return envelope_open(&r->events, r->source, r->envelope, err);
    return jsonl_open(&r->jsonl, r->source, WINDOW_BYTES, err);
}

static pf_status open_format(table_reader *r, const reader_options *o, pf_error *err)
{
    text head;
    const pf_status s = byte_source_peek(r->source, &head, err);
    if (s != PF_OK) return s;
    map_format format = o->format;
    if (format == FORMAT_AUTO) format = format_of_name(byte_source_name(r->source));
    if (format == FORMAT_AUTO) {
        format = format_of_content(head);
        if (format == FORMAT_CSV && o->n_columns == 0 &&
            is_sequence_line(first_line(head)))
            return error_set_at(
                err, PF_DATA, byte_source_name(r->source), 1, 0,
                "this looks like a file of sequences (user item item ...), "
                "which has no times and cannot be loaded; compare models "
                "on it by `proffer evaluate --sequences`");
    }
    if (format == FORMAT_JSONL) return open_json(r, o, head, err);
    return open_csv(r, o, format, err);
}

pf_status table_reader_open(table_reader **out, byte_source *source,
                            const reader_options *options, pf_error *err)
{
    table_reader *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL) {
        const pf_status s = error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                                      byte_source_name(source));
        byte_source_close(source);
        return s;
    }
    r->source = source;
    r->envelope = ENVELOPE_NONE;
    const pf_status s = open_format(r, options, err);
    if (s != PF_OK) {
        table_reader_close(r);
        return s;
    }
    *out = r;
    return PF_OK;
}

void table_reader_close(table_reader *r)
{
    if (r == NULL) return;
    csv_close(r->csv);
    jsonl_close(r->jsonl);
    envelope_close(r->events);
    byte_source_close(r->source);
    mem_free(r);
}

/* --- asking ----------------------------------------------------------------------- */

size_t table_reader_columns(const table_reader *r)
{
    if (r->csv != NULL) return csv_columns(r->csv);
    return r->jsonl != NULL ? jsonl_columns(r->jsonl) : EVENTS_FIELD_COUNT;
}

text table_reader_column(const table_reader *r, size_t i)
{
    if (r->csv != NULL) return csv_column(r->csv, i);
    return r->jsonl != NULL ? jsonl_column(r->jsonl, i)
                            : text_of(table_field(TABLE_EVENTS, i)->name);
}

bool table_reader_is_envelope(const table_reader *r)
{
    return r->events != NULL;
}

bool table_reader_is_open_ended(const table_reader *r)
{
    return r->jsonl != NULL;
}

const byte_source *table_reader_source(const table_reader *r)
{
    return r->source;
}

uint64_t table_reader_passed(const table_reader *r)
{
    return r->passed;
}

pf_status table_reader_next(table_reader *r, row *out, bool *more, pf_error *err)
{
    if (r->csv != NULL) return csv_next(r->csv, out, more, err);
    if (r->jsonl != NULL) return jsonl_next(r->jsonl, out, more, err);
    return envelope_next(r->events, out, more, &r->passed, err);
}
