/*
 * Events in the envelopes of other systems, as rows whose columns are the fields of our
 * events table: Segment track calls, GA4 export events (BigQuery's JSON lines), and
 * CloudEvents 1.0. One line may give several rows: a completed order is one purchase a
 * product. Lines that are none of our events (page views, sessions ...) are passed over
 * and counted. The mapping is printed in docs/data-formats.md.
 *
 * A row's texts live until the next line is read.
 */
#ifndef PROFFER_INTAKE_ENVELOPE_H
#define PROFFER_INTAKE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "intake/fields.h"
#include "intake/mapping.h"
#include "intake/row.h"
#include "intake/source.h"

/* Which envelope a value is in, ENVELOPE_NONE if none that is known. */
map_envelope envelope_of(const json_value *v);

typedef struct envelope_reader envelope_reader;

/* kind: not AUTO, not NONE. source is borrowed until envelope_close. */
pf_status envelope_open(envelope_reader **out, byte_source *source, map_envelope kind,
                        pf_error *err);
/* NULL is fine. */
void envelope_close(envelope_reader *r);
/* Cells in the order of enum event_field. *passed counts the lines passed over. */
pf_status envelope_next(envelope_reader *r, row *out, bool *more, uint64_t *passed,
                        pf_error *err);

/* --- inside: one translator an envelope ------------------------------------------- */

enum { ENVELOPE_ROWS_MAX = 10000 };

/* The rows one line gives; texts point into the line's tree or arena. */
typedef struct envelope_rows {
    arena *memory;
    text (*cells)[EVENTS_FIELD_COUNT]; /* [n] */
    size_t n, capacity;
    const char *wrong; /* NULL, or why the line gives none (a reject) */
    bool no_memory;    /* a composed text could not be made: the line fails */
} envelope_rows;

/* A new row of empty cells, or NULL when memory is short. */
text *envelope_add(envelope_rows *rows);
/* Copies "a:b"; an empty text when both are empty, or with no_memory set. */
text envelope_pair(envelope_rows *rows, text a, text b);
/* "id:3" for the i-th product of one line (1-based); id itself when it is empty. */
text envelope_part_id(envelope_rows *rows, text id, size_t i);
/* At most four digits behind the point: floats of other systems carry noise there. */
text envelope_amount(text number);

/* Each fills rows, or leaves them empty when the line is no event of ours; false when
 * memory is short. */
bool envelope_segment(const json_value *v, envelope_rows *rows);
bool envelope_ga4(const json_value *v, envelope_rows *rows);
bool envelope_cloudevents(const json_value *v, envelope_rows *rows);

#endif
