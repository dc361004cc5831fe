/*
 * One file of a table as rows, whatever its format: CSV, RecBole's atomic files, JSON
 * lines, or events in an envelope. Finds the format where it was not told.
 *
 *     table_reader *r;
 *     table_reader_open(&r, source, &options, err);     // takes the source
 *     while ((s = table_reader_next(r, &row, &more, err)) == PF_OK && more) ...
 *     table_reader_close(r);
 *
 * Columns of JSON lines are found on the way: their number may grow with each row.
 */
#ifndef PROFFER_INTAKE_READER_H
#define PROFFER_INTAKE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "intake/mapping.h"
#include "intake/row.h"
#include "intake/source.h"

typedef struct reader_options {
    intake_table table;
    map_format format;
    map_envelope envelope;
    char delimiter;       /* 0: found */
    char *const *columns; /* names for a file without a header, or NULL */
    size_t n_columns;
} reader_options;

typedef struct table_reader table_reader;

/* Takes the source over, also when it fails. What the readers below answer; PF_DATA for a
 * file of sequences, which has no times and cannot be loaded. */
pf_status table_reader_open(table_reader **out, byte_source *source,
                            const reader_options *options, pf_error *err);
/* NULL is fine. */
void table_reader_close(table_reader *r);

size_t table_reader_columns(const table_reader *r);
text table_reader_column(const table_reader *r, size_t i);
/* true when the columns are exactly our own fields, by an envelope. */
bool table_reader_is_envelope(const table_reader *r);
/* true when the columns may still grow. */
bool table_reader_is_open_ended(const table_reader *r);
const byte_source *table_reader_source(const table_reader *r);
pf_status table_reader_next(table_reader *r, row *out, bool *more, pf_error *err);
/* Lines passed over so far because they are no event of ours. */
uint64_t table_reader_passed(const table_reader *r);

/* The format a name says: "x.jsonl.gz" -> FORMAT_JSONL; FORMAT_AUTO if it says none. */
map_format format_of_name(const char *path);

#endif
