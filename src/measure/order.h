/*
 * Row numbers sorted by a score: what every metric of ranking or calibration starts from.
 * Stable, so rows of equal score keep their order whatever the machine; 0 and -0 are
 * equal.
 *
 *     order_rows(score, n, ORDER_DESCENDING, rows, err);   // rows[0] has the best score
 */
#ifndef PROFFER_MEASURE_ORDER_H
#define PROFFER_MEASURE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum order_direction { ORDER_ASCENDING, ORDER_DESCENDING } order_direction;

/* score [n] -> rows [n]. PF_DATA when a score is not a number, PF_LIMIT from 2^32 rows
 * on, PF_NO_MEMORY (scratch of 24 bytes a row). Infinities are fine. */
pf_status order_rows(const double *score, size_t n, order_direction direction,
                     uint32_t *rows, pf_error *err);

#endif
