/*
 * CSV after RFC 4180, as tolerant as it can be without guessing at data: quoted fields
 * with doubled quotes and line ends inside; LF, CRLF and lone CR ends of rows, also mixed;
 * a UTF-8 byte order mark; any one-byte delimiter, found from the header when not told.
 * Blank lines are passed over; a quote inside an unquoted field is an ordinary character.
 *
 *     csv_options o = csv_options_default();
 *     if (csv_open(&r, source, &o, err) != PF_OK) ...
 *     while ((s = csv_next(r, &row, &more, err)) == PF_OK && more) ...
 *     csv_close(r);
 *
 * A row with another number of fields than the header, or with text behind a closing
 * quote, comes out with a reason and reading goes on. A quote never closed, or a row longer
 * than LIMIT_LINE_BYTES, ends the reading with an error that names the line.
 */
#ifndef PROFFER_INTAKE_CSV_H
#define PROFFER_INTAKE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "intake/row.h"
#include "intake/source.h"

typedef struct csv_options {
    char delimiter;      /* 0: found from the first line among , ; tab | */
    const text *columns; /* names for a file without a header line; NULL: it has one */
    size_t n_columns;
    bool typed_names;    /* header of "name:type" (RecBole): the type is cut off */
    size_t window_bytes; /* for tests; WINDOW_BYTES otherwise */
} csv_options;

csv_options csv_options_default(void);

typedef struct csv_reader csv_reader;

/* Reads the header. source is borrowed until csv_close. PF_DATA for an empty file, a
 * header with a name twice, UTF-16 ...; PF_LIMIT above LIMIT_FIELDS columns. */
pf_status csv_open(csv_reader **out, byte_source *source, const csv_options *options,
                   pf_error *err);
/* NULL is fine. */
void csv_close(csv_reader *r);

/* Names, trimmed, live as long as the reader; "" for an unnamed column. */
size_t csv_columns(const csv_reader *r);
text csv_column(const csv_reader *r, size_t i);
char csv_delimiter(const csv_reader *r);

/* The next row, or *more = false at the end. row->n_cells equals the number of columns
 * when row->reason is REASON_NONE. */
pf_status csv_next(csv_reader *r, row *out, bool *more, pf_error *err);

#endif
