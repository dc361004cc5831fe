/* The CSV reader; see csv.h. Rows are parsed in place in a window of the source; when one
 * does not end inside it the window is filled and the row parsed anew, which costs at
 * most twice the work since the window doubles. */
#include "intake/csv.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/memory.h"
#include "intake/csv_scan.h"
#include "intake/text_start.h"
#include "intake/window.h"

enum { NAMES_BYTES = 1 << 20, CELLS = LIMIT_FIELDS + 1 };

struct csv_reader {
    window w;
    csv_scan scan;
    char delimiter;
    arena names_memory;
    text *names;
    size_t n_names;
    uint64_t line; /* of the next row */
    char *scratch; /* fields whose doubled quotes were made single */
    size_t scratch_bytes;
    /* The row being parsed. */
    size_t n_cells; /* also those beyond CELLS, which are counted and not kept */
    size_t n_doubled;
    bool quotes;   /* some field was quoted */
    size_t faulty; /* 1-based field with text behind its quote; 0 = none */
    const char *open_quote;
    text cells[CELLS];
    uint32_t doubled[CELLS]; /* which cells hold doubled quotes */
};

csv_options csv_options_default(void)
{
    return (csv_options){.window_bytes = WINDOW_BYTES};
}

/* --- one row ---------------------------------------------------------------------- */

static void keep_cell(csv_reader *r, const char *from, const char *to)
{
    if (r->n_cells < CELLS) r->cells[r->n_cells] = (text){from, (size_t)(to - from)};
    r->n_cells++;
}

/* A field that begins with the quote at p. Gives the byte behind it, NULL when the bytes
 * at hand do not hold all of it. */
static const char *parse_quoted(csv_reader *r, const char *p, const char *end)
{
    bool doubled = false;
    const char *from = p + 1, *q = from;
    r->quotes = true;
    r->open_quote = p;
    for (;; q += 2) {
        q = memchr(q, '"', (size_t)(end - q));
        if (q == NULL || (q + 1 == end && !r->w.ended)) return NULL;
        if (q + 1 == end || q[1] != '"') break;
        doubled = true;
    }
    if (doubled && r->n_cells < CELLS) r->doubled[r->n_doubled++] = (uint32_t)r->n_cells;
    r->open_quote = NULL;
    keep_cell(r, from, q);
    const char *stop = csv_scan_next(&r->scan, q + 1, end, r->delimiter);
    if (stop != q + 1 && r->faulty == 0) r->faulty = r->n_cells;
    return stop == end && !r->w.ended ? NULL : stop;
}

static const char *parse_plain(csv_reader *r, const char *p, const char *end)
{
    const char *stop = csv_scan_next(&r->scan, p, end, r->delimiter);
    if (stop == end && !r->w.ended) return NULL;
    keep_cell(r, p, stop);
    return stop;
}

/* Parses the row at the window's front. Gives where it ends (its line end not included) and
 * in *next where the next one begins; NULL when more bytes are needed, or, once the source
 * has ended, when a quote was never closed. */
static const char *parse_row(csv_reader *r, const char **next)
{
    const char *p = r->w.bytes + r->w.at, *end = r->w.bytes + r->w.end;
    r->n_cells = r->n_doubled = r->faulty = 0;
    r->quotes = false;
    r->open_quote = NULL;
    for (;;) {
        p = p < end && *p == '"' ? parse_quoted(r, p, end) : parse_plain(r, p, end);
        if (p == NULL) return NULL;
        if (p == end || *p != r->delimiter) break;
        p++;
    }
    *next = p;
    if (p < end && *p == '\r') {
        if (p + 1 == end && !r->w.ended)
            return NULL; /* CR or CRLF: the next byte tells */
        *next = p + 1;
        if (p + 1 < end && p[1] == '\n') *next = p + 2;
    } else if (p < end) {
        *next = p + 1;
    }
    return p;
}

/* Line ends inside a piece: LF, CRLF or CR, each one. */
static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n' || (p[i] == '\r' && !(i + 1 < n && p[i + 1] == '\n'));
    return lines;
}

/* "a""b" -> a"b for the cells that need it; their views move to the scratch. */
static pf_status undouble(csv_reader *r, size_t row_bytes, pf_error *err)
{
    if (r->n_doubled == 0) return PF_OK;
    void *block = r->scratch;
    if (!mem_reserve(&block, &r->scratch_bytes, row_bytes, 1))
        return error_set_at(err, PF_NO_MEMORY, byte_source_name(r->w.source), r->line, 0,
                            "out of memory for a row of %zu bytes", row_bytes);
    r->scratch = block;
    char *to = r->scratch;
    for (size_t i = 0; i < r->n_doubled; i++) {
        text *cell = &r->cells[r->doubled[i]];
        char *from = to;
        for (size_t k = 0; k < cell->n; k++) {
            *to++ = cell->data[k];
            if (cell->data[k] == '"') k++;
        }
        *cell = (text){from, (size_t)(to - from)};
    }
    return PF_OK;
}

/* --- errors ----------------------------------------------------------------------- */

static pf_status too_long(const csv_reader *r, pf_error *err)
{
    const char *front = r->w.bytes + r->w.at;
    const uint64_t line =
        r->open_quote == NULL
            ? r->line
            : r->line + count_lines(front, (size_t)(r->open_quote - front));
    return error_set_at(err, PF_LIMIT, byte_source_name(r->w.source), line, 0,
                        "a row has more than %u bytes%s", LIMIT_LINE_BYTES,
                        r->open_quote != NULL
                            ? "; is the quote opened in this line ever closed?"
                            : "; is this file CSV?");
}

static pf_status never_closed(const csv_reader *r, pf_error *err)
{
    const char *front = r->w.bytes + r->w.at;
    return error_set_at(
        err, PF_DATA, byte_source_name(r->w.source),
        r->line + count_lines(front, (size_t)(r->open_quote - front)), r->n_cells + 1,
        "the quote that opens this field is never closed; the rest of the "
        "file was taken as its text");
}

static void note_faults(const csv_reader *r, row *out)
{
    out->reason = REASON_NONE;
    out->column = 0;
    if (r->faulty != 0) {
        out->reason = REASON_BAD_QUOTE;
        out->column = (uint32_t)r->faulty;
        (void)snprintf(out->message, sizeof out->message,
                       "text stands behind the closing quote; a quote inside a quoted "
                       "field is written twice");
    } else if (r->n_cells != r->n_names) {
        out->reason = REASON_WRONG_COLUMNS;
        (void)snprintf(out->message, sizeof out->message,
                       "the row has %zu fields, the header %zu", r->n_cells, r->n_names);
    }
}

/* --- rows ------------------------------------------------------------------------- */

/* Parses the next row that is not blank into the reader's cells; raw and line in *out. */
static pf_status read_row(csv_reader *r, row *out, bool *more, pf_error *err)
{
    for (;;) {
        *more = false;
        r->scan = (csv_scan){NULL, 0};
        while (r->w.at < r->w.end) {
            const char *front = r->w.bytes + r->w.at, *next = front;
            const char *stop = parse_row(r, &next);
            if (stop == NULL) break;
            out->raw = (text){front, (size_t)(stop - front)};
            if (out->raw.n > LIMIT_LINE_BYTES) return too_long(r, err);
            out->line = r->line;
            r->w.at += (size_t)(next - front);
            r->line += 1 + (r->quotes ? count_lines(front, out->raw.n) : 0);
            *more = r->n_cells > 1 || r->quotes || out->raw.n > 0;
            if (*more) return undouble(r, out->raw.n, err);
        }
        if (r->w.ended) return r->w.at == r->w.end ? PF_OK : never_closed(r, err);
        const pf_status s = window_fill(&r->w, err);
        if (s != PF_OK) return s == PF_LIMIT ? too_long(r, err) : s;
    }
}

pf_status csv_next(csv_reader *r, row *out, bool *more, pf_error *err)
{
    const pf_status s = read_row(r, out, more, err);
    if (s != PF_OK || !*more) return s;
    out->cells = r->cells;
    out->kinds = NULL;
    out->n_cells = r->n_cells < CELLS ? r->n_cells : CELLS;
    note_faults(r, out);
    return PF_OK;
}

/* --- the header ------------------------------------------------------------------- */

/* The candidate that occurs most often outside quotes in the first line, of which at most
 * SOURCE_PEEK_BYTES are looked at. false when the line does not end in the window. */
static bool guess_delimiter(const window *w, char *out)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[sizeof candidates] = {0}, best = 0, n = w->end - w->at;
    bool quoted = false, ended = w->ended || n >= SOURCE_PEEK_BYTES;
    if (n > SOURCE_PEEK_BYTES) n = SOURCE_PEEK_BYTES;
    for (size_t i = 0; i < n; i++) {
        const char c = w->bytes[w->at + i];
        if (c == '"') quoted = !quoted;
        if (!quoted && (c == '\n' || c == '\r')) {
            ended = true;
            break;
        }
        for (size_t k = 0; !quoted && k < sizeof candidates; k++)
            counts[k] += c == candidates[k];
    }
    for (size_t k = 1; k < sizeof candidates; k++)
        if (counts[k] > counts[best]) best = k;
    *out = candidates[best];
    return ended;
}

static pf_status find_delimiter(csv_reader *r, char given, pf_error *err)
{
    r->delimiter = given;
    while (given == 0 && !guess_delimiter(&r->w, &r->delimiter)) {
        const pf_status s = window_fill(&r->w, err);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

/* "user_id:token" -> "user_id". */
static text without_type(text name)
{
    const char *colon = name.n > 0 ? memchr(name.data, ':', name.n) : NULL;
    return colon == NULL ? name : (text){name.data, (size_t)(colon - name.data)};
}

static pf_status keep_name(csv_reader *r, text name, pf_error *err)
{
    const char *file = byte_source_name(r->w.source);
    for (size_t i = 0; name.n > 0 && i < r->n_names; i++)
        if (text_equal(r->names[i], name))
            return error_set_at(err, PF_DATA, file, 1, r->n_names + 1,
                                "the column '%.*s' stands twice in the header, in fields "
                                "%zu and %zu",
                                (int)(name.n < 100 ? name.n : 100), name.data, i + 1,
                                r->n_names + 1);
    char *copy = arena_copy_text(&r->names_memory, name.data, name.n);
    if (copy == NULL)
        return error_set_at(err, PF_LIMIT, file, 1, 0, "the header is too long");
    r->names[r->n_names++] = (text){copy, name.n};
    return PF_OK;
}

static pf_status keep_names(csv_reader *r, const text *names, size_t n, bool typed,
                            pf_error *err)
{
    const char *file = byte_source_name(r->w.source);
    if (n > LIMIT_FIELDS)
        return error_set_at(err, PF_LIMIT, file, 1, 0,
                            "the header has %zu columns, at most %u are read", n,
                            LIMIT_FIELDS);
    r->names = arena_alloc(&r->names_memory, n, sizeof *r->names);
    if (r->names == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s", file);
    for (size_t i = 0; i < n; i++) {
        const text name = text_trim(typed ? without_type(names[i]) : names[i]);
        if (!utf8_check(name.data, name.n, NULL))
            return error_set_at(err, PF_DATA, file, 1, i + 1,
                                "the name of this column is no UTF-8; save the file as "
                                "UTF-8");
        const pf_status s = keep_name(r, name, err);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

static pf_status read_header(csv_reader *r, const csv_options *options, pf_error *err)
{
    if (options->columns != NULL)
        return keep_names(r, options->columns, options->n_columns, false, err);
    row header;
    bool more = false;
    const pf_status s = read_row(r, &header, &more, err);
    if (s != PF_OK) return s;
    if (!more)
        return error_set_at(err, PF_DATA, byte_source_name(r->w.source), 0, 0,
                            "the file is empty; a line with the names of the columns is "
                            "expected first");
    if (r->faulty != 0)
        return error_set_at(err, PF_DATA, byte_source_name(r->w.source), header.line,
                            r->faulty,
                            "text stands behind a closing quote in the header");
    return keep_names(r, r->cells, r->n_cells, options->typed_names, err);
}

pf_status csv_open(csv_reader **out, byte_source *source, const csv_options *options,
                   pf_error *err)
{
    csv_reader *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                         byte_source_name(source));
    arena_init(&r->names_memory, NAMES_BYTES);
    r->line = 1;
    pf_status s = window_open(&r->w, source, options->window_bytes,
                              (size_t)LIMIT_LINE_BYTES + 1, err);
    if (s == PF_OK) s = text_start_check(&r->w, err);
    if (s == PF_OK) s = find_delimiter(r, options->delimiter, err);
    if (s == PF_OK) s = read_header(r, options, err);
    if (s != PF_OK) {
        csv_close(r);
        return s;
    }
    *out = r;
    return PF_OK;
}

void csv_close(csv_reader *r)
{
    if (r == NULL) return;
    window_close(&r->w);
    arena_free(&r->names_memory);
    mem_free(r->scratch);
    mem_free(r);
}

size_t csv_columns(const csv_reader *r)
{
    return r->n_names;
}

text csv_column(const csv_reader *r, size_t i)
{
    return r->names[i];
}

char csv_delimiter(const csv_reader *r)
{
    return r->delimiter;
}
