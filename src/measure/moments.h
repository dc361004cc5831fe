/*
 * Two numbers a row, summed up: all that the comparisons of arms need of a million shoppers,
 * in a few doubles. y is the outcome; x what stands beside it: what the shopper did before the
 * start (CUPED), or the denominator of a ratio; 0 where there is none.
 *
 *     moments m = {0};
 *     moments_add(&m, spent, spent_before);        // a row a shopper
 *     double s2 = moments_variance_y(&m);
 *
 * By Welford's recurrence (Technometrics 4, 1962) and, for two sums that meet, Chan, Golub and
 * LeVeque (The American Statistician 37, 1983): a large mean drowns nothing.
 */
#ifndef PROFFER_MEASURE_MOMENTS_H
#define PROFFER_MEASURE_MOMENTS_H

#include <stdint.h>

typedef struct moments {
    uint64_t n;
    double mean_y, mean_x;
    double yy, xx, xy; /* sums of products of deviations from the means */
} moments;

void moments_add(moments *m, double y, double x);
/* As if the rows of `other` had been added. */
void moments_merge(moments *m, const moments *other);
/* Of `count` rows with y = 1 among n rows, the others 0; x 0. count <= n. */
moments moments_of_count(uint64_t count, uint64_t n);

/* Divisor n - 1; NaN below two rows. */
double moments_variance_y(const moments *m);
double moments_variance_x(const moments *m);
double moments_covariance(const moments *m);

#endif
