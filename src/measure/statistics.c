/* Means, errors and quantiles (measure/statistics.h says from where). */
#include "measure/statistics.h"

#include <math.h>
#include <stdlib.h>

/* Welford's running mean and sum of squared deviations. */
typedef struct running {
    size_t n;
    double mean, squares;
} running;

static void add(running *r, double value)
{
    r->n++;
    double before = value - r->mean;
    r->mean += before / (double)r->n;
    r->squares += before * (value - r->mean);
}

static summary finish(const running *r)
{
    summary s = {
        .n = r->n, .mean = NAN, .standard_deviation = NAN, .standard_error = NAN};
    if (r->n > 0) s.mean = r->mean;
    if (r->n > 1) {
        s.standard_deviation = sqrt(r->squares / (double)(r->n - 1));
        s.standard_error = s.standard_deviation / sqrt((double)r->n);
    }
    return s;
}

summary summary_of(const double *values, size_t n)
{
    running r = {0};
    for (size_t i = 0; i < n; i++)
        add(&r, values[i]);
    return finish(&r);
}

summary summary_of_difference(const double *a, const double *b, size_t n)
{
    running r = {0};
    for (size_t i = 0; i < n; i++)
        add(&r, a[i] - b[i]);
    return finish(&r);
}

double quantile_of_sorted(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void sort_values(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
}
