/*
 * The rows of the golden values: n = 300 with p = round(u(300, 1), 2), y = [u(300, 2) <
 * 0.15 + 0.6 p], w = 0.5 + u(300, 3), where u is golden_unit of check.h. Ties are many:
 * p has two digits. The values in the tests are scikit-learn 1.9.1's and numpy's.
 */
#ifndef PROFFER_TESTS_MEASURE_GOLDEN_ROWS_H
#define PROFFER_TESTS_MEASURE_GOLDEN_ROWS_H

#include <math.h>

#include "check.h"

enum { GOLDEN_N = 300 };

typedef struct golden_rows {
    double p[GOLDEN_N], w[GOLDEN_N];
    uint8_t y[GOLDEN_N];
} golden_rows;

static inline golden_rows golden_make(void)
{
    golden_rows g;
    for (uint64_t i = 0; i < GOLDEN_N; i++) {
        g.p[i] = nearbyint(golden_unit(i, 1) * 100.0) / 100.0;
        g.y[i] = golden_unit(i, 2) < 0.15 + 0.6 * g.p[i];
        g.w[i] = 0.5 + golden_unit(i, 3);
    }
    return g;
}

static inline void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

#endif
