/*
 * Means and their errors. For rows that belong together (many decisions of one shopper)
 * the errors here are too small: use measure/bootstrap.h.
 *
 *     summary s = summary_of(ndcg, n_shoppers);
 *     printf("%.4f ± %.4f", s.mean, s.standard_error);
 */
#ifndef PROFFER_MEASURE_STATISTICS_H
#define PROFFER_MEASURE_STATISTICS_H

#include <stddef.h>

typedef struct summary {
    size_t n;
    double mean;               /* NaN when n is 0 */
    double standard_deviation; /* of the values, divisor n - 1; NaN when n < 2 */
    double standard_error;     /* of the mean; NaN when n < 2 */
} summary;

/* values [n]; by Welford's recurrence (Technometrics 4, 1962), which loses nothing when
 * the mean is large against the spread. */
summary summary_of(const double *values, size_t n);

/* Of the differences a[i] - b[i]: the paired comparison of two methods on the same
 * rows. */
summary summary_of_difference(const double *a, const double *b, size_t n);

/* The q-quantile (0 <= q <= 1) of sorted values, n >= 1, linear between neighbours: type
 * 7 of Hyndman and Fan, The American Statistician 50 (1996). */
double quantile_of_sorted(const double *sorted, size_t n, double q);

/* Sorts values in place, smallest first. They must not hold NaN. */
void sort_values(double *values, size_t n);

#endif
