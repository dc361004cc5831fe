/* Differences of groups (difference.h). */
#include "measure/difference.h"

#include <math.h>
#include <stdbool.h>

#include "measure/distribution.h"
#include "measure/statistics.h"

static pf_status check_level(double level, pf_error *err)
{
    if (level > 0 && level < 1) return PF_OK;
    return error_set(err, PF_DATA, "the level of an interval is %g but must be within 0 and 1",
                     level);
}

static pf_status check_share(uint64_t x, uint64_t n, const char *group, pf_error *err)
{
    if (n == 0) return error_set(err, PF_DATA, "%s is empty: nobody is in it", group);
    if (x <= n) return PF_OK;
    return error_set(err, PF_DATA, "%s has %llu outcomes of %llu", group, (unsigned long long)x,
                     (unsigned long long)n);
}

static double two_sided(double z)
{
    return fmin(1.0, 2.0 * normal_above(fabs(z)));
}

pf_status difference_of_proportions(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2,
                                    double level, difference *out, pf_error *err)
{
    pf_status s = check_level(level, err);
    if (s == PF_OK) s = check_share(x1, n1, "the first group", err);
    if (s == PF_OK) s = check_share(x2, n2, "the second group", err);
    if (s != PF_OK) return s;
    const double a = (double)n1, b = (double)n2;
    const double p1 = (double)x1 / a, p2 = (double)x2 / b;
    const double pooled = ((double)x1 + (double)x2) / (a + b);
    const double error = sqrt(p1 * (1 - p1) / a + p2 * (1 - p2) / b);
    const double pooled_error = sqrt(pooled * (1 - pooled) * (1 / a + 1 / b));
    const double reach = normal_quantile(0.5 + 0.5 * level) * error;
    const double z = pooled_error > 0 ? (p1 - p2) / pooled_error : 0;
    *out = (difference){.first = p1,
                        .second = p2,
                        .value = p1 - p2,
                        .standard_error = error,
                        .low = p1 - p2 - reach,
                        .high = p1 - p2 + reach,
                        .statistic = z,
                        .df = INFINITY,
                        .p = two_sided(z)};
    return PF_OK;
}

static pf_status check_moments(group_moments g, const char *group, pf_error *err)
{
    if (g.n >= 2 && isfinite(g.mean) && g.variance >= 0 && isfinite(g.variance)) return PF_OK;
    if (!(g.n >= 2))
        return error_set(err, PF_DATA, "%s has %g values; 2 are needed at least", group, g.n);
    return error_set(err, PF_DATA, "%s holds a value that is not a finite number", group);
}

pf_status difference_of_moments(group_moments first, group_moments second, double level,
                                difference *out, pf_error *err)
{
    pf_status s = check_level(level, err);
    if (s == PF_OK) s = check_moments(first, "the first group", err);
    if (s == PF_OK) s = check_moments(second, "the second group", err);
    if (s != PF_OK) return s;
    const double a = first.variance / first.n, b = second.variance / second.n;
    const double error = sqrt(a + b), value = first.mean - second.mean;
    const double df =
        error > 0 ? (a + b) * (a + b) / (a * a / (first.n - 1) + b * b / (second.n - 1))
                  : first.n + second.n - 2;
    const double reach = error > 0 ? student_quantile(0.5 + 0.5 * level, df) * error : 0;
    const double t = error > 0 ? value / error : 0;
    *out = (difference){.first = first.mean,
                        .second = second.mean,
                        .value = value,
                        .standard_error = error,
                        .low = value - reach,
                        .high = value + reach,
                        .statistic = t,
                        .df = df,
                        .p = error > 0 ? fmin(1.0, 2.0 * student_above(fabs(t), df)) : 1.0};
    return PF_OK;
}

static group_moments moments_of(const double *x, size_t n)
{
    const summary s = summary_of(x, n);
    return (group_moments){.n = (double)n,
                           .mean = s.mean,
                           .variance = s.standard_deviation * s.standard_deviation};
}

pf_status difference_of_means(const double *first, size_t n1, const double *second, size_t n2,
                              double level, difference *out, pf_error *err)
{
    return difference_of_moments(moments_of(first, n1), moments_of(second, n2), level, out, err);
}

/* Sums of squares about the means of one group. */
typedef struct scatter {
    double x, y, xx, yy, xy;
} scatter;

static scatter scatter_of(covariate_group g)
{
    scatter s = {0};
    for (size_t i = 0; i < g.n; i++) {
        s.x += g.x[i] / (double)g.n;
        s.y += g.y[i] / (double)g.n;
    }
    for (size_t i = 0; i < g.n; i++) {
        const double dx = g.x[i] - s.x, dy = g.y[i] - s.y;
        s.xx += dx * dx;
        s.yy += dy * dy;
        s.xy += dx * dy;
    }
    return s;
}

static group_moments adjusted(covariate_group g, const scatter *s, double theta, double mean_x)
{
    const double left = s->yy - 2 * theta * s->xy + theta * theta * s->xx;
    return (group_moments){.n = (double)g.n,
                           .mean = s->y - theta * (s->x - mean_x),
                           .variance = g.n > 1 ? fmax(left, 0) / ((double)g.n - 1) : NAN};
}

pf_status difference_with_covariate(covariate_group first, covariate_group second, double level,
                                    difference *out, double *explained, pf_error *err)
{
    const scatter a = scatter_of(first), b = scatter_of(second);
    const double xx = a.xx + b.xx, yy = a.yy + b.yy, xy = a.xy + b.xy;
    const double theta = xx > 0 ? xy / xx : 0, n = (double)(first.n + second.n);
    const double mean_x = ((double)first.n * a.x + (double)second.n * b.x) / n;
    if (first.n > 0 && second.n > 0 && !(isfinite(xx) && isfinite(xy)))
        return error_set(err, PF_DATA,
                         "what is known from before the test holds a value that is not a finite "
                         "number");
    *explained = xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 0;
    return difference_of_moments(adjusted(first, &a, theta, mean_x),
                                 adjusted(second, &b, theta, mean_x), level, out, err);
}

pf_status wilson_interval(uint64_t x, uint64_t n, double level, interval *out, pf_error *err)
{
    pf_status s = check_level(level, err);
    if (s == PF_OK) s = check_share(x, n, "the group", err);
    if (s != PF_OK) return s;
    const double z = normal_quantile(0.5 + 0.5 * level), m = (double)n, p = (double)x / m;
    const double middle = (p + z * z / (2 * m)) / (1 + z * z / m);
    const double reach =
        z / (1 + z * z / m) * sqrt(p * (1 - p) / m + z * z / (4 * m * m));
    *out = (interval){x == 0 ? 0 : middle - reach, x == n ? 1 : middle + reach};
    return PF_OK;
}

pf_status sample_ratio_test(const uint64_t *count, const double *share, size_t k,
                            sample_ratio *out, pf_error *err)
{
    double all = 0, shares = 0, sum = 0;
    if (k < 2) return error_set(err, PF_DATA, "%zu groups; 2 are needed at least", k);
    for (size_t i = 0; i < k; i++) {
        if (!(share[i] > 0))
            return error_set(err, PF_DATA, "group %zu was to have the share %g of all", i + 1,
                             share[i]);
        all += (double)count[i];
        shares += share[i];
    }
    if (fabs(shares - 1) > 1e-9)
        return error_set(err, PF_DATA, "the groups' shares sum to %.6g and not to 1", shares);
    if (all == 0) return error_set(err, PF_DATA, "nobody is in any group");
    for (size_t i = 0; i < k; i++) {
        const double expected = all * share[i], off = (double)count[i] - expected;
        sum += off * off / expected;
    }
    *out = (sample_ratio){sum, chi_square_above(sum, (double)k - 1)};
    return PF_OK;
}
