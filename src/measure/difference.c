/* Differences of groups (difference.h). */
#include "measure/difference.h"

#include <math.h>

#include "measure/distribution.h"

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
    if (!(pooled_error > 0))
        return error_set(err, PF_DATA,
                         "%s of either group had the outcome: outcomes that are all equal tell "
                         "nothing apart; wait, or measure something more frequent",
                         pooled > 0 ? "all" : "none");
    const double reach = normal_quantile(0.5 + 0.5 * level) * error;
    const double z = (p1 - p2) / pooled_error;
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

/* A group's figure and how sure it is. */
typedef struct figure {
    double n, value, variance; /* variance of the value: s² / n */
} figure;

static pf_status check_group(const moments *m, const char *group, pf_error *err)
{
    if (m->n < 2)
        return error_set(err, PF_DATA, "%s has %llu values; 2 are needed at least", group,
                         (unsigned long long)m->n);
    if (isfinite(m->yy) && isfinite(m->xx) && isfinite(m->xy)) return PF_OK;
    return error_set(err, PF_DATA, "%s holds a value that is not a finite number", group);
}

static pf_status check_groups(const moments *first, const moments *second, double level,
                              pf_error *err)
{
    pf_status s = check_level(level, err);
    if (s == PF_OK) s = check_group(first, "the first group", err);
    if (s == PF_OK) s = check_group(second, "the second group", err);
    return s;
}

/* Welch's t. */
static pf_status compare(figure first, figure second, double level, difference *out,
                         pf_error *err)
{
    const double a = first.variance, b = second.variance;
    const double error = sqrt(a + b), value = first.value - second.value;
    if (!(error > 0))
        return error_set(err, PF_DATA,
                         "the outcomes of each group are all equal and tell nothing apart; wait, "
                         "or measure something that varies");
    const double df = (a + b) * (a + b) / (a * a / (first.n - 1) + b * b / (second.n - 1));
    const double reach = student_quantile(0.5 + 0.5 * level, df) * error, t = value / error;
    *out = (difference){.first = first.value,
                        .second = second.value,
                        .value = value,
                        .standard_error = error,
                        .low = value - reach,
                        .high = value + reach,
                        .statistic = t,
                        .df = df,
                        .p = fmin(1.0, 2.0 * student_above(fabs(t), df))};
    return PF_OK;
}

static figure mean_of(const moments *m)
{
    const double n = (double)m->n;
    return (figure){n, m->mean_y, moments_variance_y(m) / n};
}

pf_status difference_of_moments(const moments *first, const moments *second, double level,
                                difference *out, pf_error *err)
{
    pf_status s = check_groups(first, second, level, err);
    return s == PF_OK ? compare(mean_of(first), mean_of(second), level, out, err) : s;
}

static moments moments_of(const double *y, const double *x, size_t n)
{
    moments m = {0};
    for (size_t i = 0; i < n; i++)
        moments_add(&m, y[i], x != NULL ? x[i] : 0);
    return m;
}

pf_status difference_of_means(const double *first, size_t n1, const double *second, size_t n2,
                              double level, difference *out, pf_error *err)
{
    const moments a = moments_of(first, NULL, n1), b = moments_of(second, NULL, n2);
    return difference_of_moments(&a, &b, level, out, err);
}

/* Below this share of y's own squares what is left by a covariate is rounding. */
#define ROUNDING 1e-13

/* The mean and its variance of y - theta (x - mean_x). */
static figure adjusted(const moments *m, double theta, double mean_x)
{
    const double n = (double)m->n;
    const double left = m->yy - 2 * theta * m->xy + theta * theta * m->xx;
    return (figure){n, m->mean_y - theta * (m->mean_x - mean_x),
                    left > ROUNDING * m->yy ? left / (n - 1) / n : 0};
}

pf_status difference_adjusted(const moments *first, const moments *second, double level,
                              difference *out, double *explained, pf_error *err)
{
    pf_status s = check_groups(first, second, level, err);
    if (s != PF_OK) return s;
    const double xx = first->xx + second->xx, yy = first->yy + second->yy;
    const double xy = first->xy + second->xy, theta = xx > 0 ? xy / xx : 0;
    moments both = *first;
    moments_merge(&both, second);
    s = compare(adjusted(first, theta, both.mean_x), adjusted(second, theta, both.mean_x), level,
                out, err);
    if (s == PF_OK) *explained = xx > 0 && yy > 0 ? fmin(1, xy * xy / (xx * yy)) : 0;
    return s;
}

pf_status difference_with_covariate(covariate_group first, covariate_group second, double level,
                                    difference *out, double *explained, pf_error *err)
{
    const moments a = moments_of(first.y, first.x, first.n);
    const moments b = moments_of(second.y, second.x, second.n);
    return difference_adjusted(&a, &b, level, out, explained, err);
}

/* Var(ȳ / x̄) = (s_y² - 2 R s_xy + R² s_x²) / (n x̄²) to first order. */
static figure ratio_of(const moments *m)
{
    const double n = (double)m->n, r = m->mean_y / m->mean_x;
    const double left = m->yy - 2 * r * m->xy + r * r * m->xx;
    return (figure){n, r, fmax(0, left) / (n - 1) / n / (m->mean_x * m->mean_x)};
}

pf_status difference_of_ratios(const moments *first, const moments *second, double level,
                               difference *out, pf_error *err)
{
    pf_status s = check_groups(first, second, level, err);
    if (s != PF_OK) return s;
    if (!(first->mean_x > 0 && second->mean_x > 0))
        return error_set(err, PF_DATA, "%s has nothing to divide by; wait until there is something",
                         first->mean_x > 0 ? "the second group" : "the first group");
    return compare(ratio_of(first), ratio_of(second), level, out, err);
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

pf_status sample_ratio_check(const double *share, size_t k, pf_error *err)
{
    double shares = 0;
    if (k < 2) return error_set(err, PF_DATA, "%zu groups; 2 are needed at least", k);
    for (size_t i = 0; i < k; i++) {
        if (!(share[i] > 0))
            return error_set(err, PF_DATA, "group %zu was to have the share %g of all", i + 1,
                             share[i]);
        shares += share[i];
    }
    if (fabs(shares - 1) <= 1e-9) return PF_OK;
    return error_set(err, PF_DATA,
                     "the groups' shares sum to %.6g and not to 1: every group needs its share",
                     shares);
}

pf_status sample_ratio_test(const uint64_t *count, const double *share, size_t k,
                            sample_ratio *out, pf_error *err)
{
    double all = 0, sum = 0;
    pf_status s = sample_ratio_check(share, k, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < k; i++)
        all += (double)count[i];
    if (all == 0) return error_set(err, PF_DATA, "nobody is in any group");
    for (size_t i = 0; i < k; i++) {
        const double expected = all * share[i], off = (double)count[i] - expected;
        sum += off * off / expected;
    }
    *out = (sample_ratio){sum, chi_square_above(sum, (double)k - 1)};
    return PF_OK;
}

pf_status difference_adjust_holm(const double *p, size_t n, double *adjusted_p, pf_error *err)
{
    size_t order[DIFFERENCE_QUESTIONS_MAX];
    if (n > DIFFERENCE_QUESTIONS_MAX)
        return error_set(err, PF_LIMIT, "%zu questions at once are more than %d", n,
                         DIFFERENCE_QUESTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1))
            return error_set(err, PF_DATA, "question %zu has the p-value %g", i + 1, p[i]);
        size_t at = i;
        for (; at > 0 && p[order[at - 1]] > p[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    double least = 0;
    for (size_t k = 0; k < n; k++) {
        least = fmax(least, fmin(1, p[order[k]] * (double)(n - k)));
        adjusted_p[order[k]] = least;
    }
    return PF_OK;
}
