/*
 * Lift and cumulative gains: how many of those who respond are found among the best
 * scored. Rows of equal score share their responders evenly, so the order of rows in the
 * input decides nothing.
 *
 *     lift_bin deciles[10];
 *     status = lift_of(p, y, n, 10, deciles, err);
 *     // deciles[0].lift == 3.1: the best tenth responds 3.1 times as often as all
 */
#ifndef PROFFER_MEASURE_LIFT_H
#define PROFFER_MEASURE_LIFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct lift_bin {
    size_t n;
    double responders;       /* expected number under ties */
    double rate;             /* responders / n; 0 in an empty bin */
    double lift;             /* rate / rate of all; NaN when nobody responds */
    double rows_share;       /* of all rows, this bin and the better ones */
    double responders_share; /* of all responders, the same; NaN when nobody responds */
} lift_bin;

/* score, y [n] -> out [bins], best first; bins >= 1, of equal count, the first n % bins
 * have one row more. PF_DATA when a score is not a number, PF_NO_MEMORY. */
pf_status lift_of(const double *score, const uint8_t *y, size_t n, size_t bins,
                  lift_bin *out, pf_error *err);

#endif
