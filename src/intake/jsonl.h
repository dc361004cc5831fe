/*
 * JSON lines as rows: the members of nested objects become columns named by their path
 * ("customer.id"), lists of words become one cell joined by '|', lists of anything else one
 * cell of JSON. Columns are found on the way, so their number may grow with any row; a
 * row has a cell (perhaps empty) for every column known so far.
 */
#ifndef PROFFER_INTAKE_JSONL_H
#define PROFFER_INTAKE_JSONL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "intake/row.h"
#include "intake/source.h"

typedef struct jsonl_reader jsonl_reader;

/* source is borrowed until jsonl_close. */
pf_status jsonl_open(jsonl_reader **out, byte_source *source, size_t window_bytes,
                     pf_error *err);
/* NULL is fine. */
void jsonl_close(jsonl_reader *r);
size_t jsonl_columns(const jsonl_reader *r);
text jsonl_column(const jsonl_reader *r, size_t i);
/* PF_LIMIT when there are more than LIMIT_FIELDS different columns. */
pf_status jsonl_next(jsonl_reader *r, row *out, bool *more, pf_error *err);

#endif
