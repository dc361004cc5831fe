/* How much an off-policy estimator shrinks its weights, chosen from the log alone by one of the
 * rules of off_policy.h. What shrinking leaves out estimates the bias that it brings. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "evaluate/off_policy_rows.h"
#include "measure/statistics.h"

/* Standard errors of a difference that make it one. */
#define DIFFER_BY 2.5

typedef struct choice {
    double parameter, variance, left_out, left_out_variance;
} choice;

/* The variance of the mean of weight times rest. Where rewards are rare the sample may hold no
 * reward in the few rows whose weights decide the spread; so it is not below what it would be if
 * rest did not depend on the weight: mean square times mean square. */
static double careful_variance(double sum, double square, double weights, double rests, double n)
{
    const double mean = sum / n;
    return fmax(square / n, weights / n * rests / n) / n - mean * mean / n;
}

static double sum_square_rest(const off_policy_rows *r)
{
    double square = 0;
    for (size_t i = 0; i < r->log->n; i++)
        square += r->rest[i] * r->rest[i];
    return square;
}

static choice try_parameter(const off_policy_rows *r, double parameter)
{
    const double n = (double)r->log->n, rests = sum_square_rest(r);
    double base = 0, base_square = 0, kept = 0, kept_square = 0, kept_weights = 0;
    double out = 0, out_square = 0, out_weights = 0;
    for (size_t i = 0; i < r->log->n; i++) {
        const double w = r->weight[i], s = off_policy_shrink(r->kind, w, parameter);
        const double one = s * r->rest[i], left = (w - s) * r->rest[i];
        base += r->base[i];
        base_square += r->base[i] * r->base[i];
        kept += one;
        kept_square += one * one;
        kept_weights += s * s;
        out += left;
        out_square += left * left;
        out_weights += (w - s) * (w - s);
    }
    return (choice){.parameter = parameter,
                    .variance = (base_square / n - base / n * base / n) / n +
                                careful_variance(kept, kept_square, kept_weights, rests, n),
                    .left_out = out / n,
                    .left_out_variance =
                        careful_variance(out, out_square, out_weights, rests, n)};
}

static double error_of(const choice *c, off_policy_rule rule)
{
    double bias = fabs(c->left_out);
    if (rule == OFF_POLICY_BY_BOUND)
        bias += 1.96 * sqrt(c->left_out_variance > 0 ? c->left_out_variance : 0);
    return bias * bias + c->variance;
}

/* Whether two estimates differ by more than their difference varies. */
static bool differ(const off_policy_rows *r, double less, double more, double rests)
{
    const double n = (double)r->log->n;
    double sum = 0, square = 0, weights = 0;
    for (size_t i = 0; i < r->log->n; i++) {
        const double w = r->weight[i];
        const double off =
            off_policy_shrink(r->kind, w, less) - off_policy_shrink(r->kind, w, more);
        sum += off * r->rest[i];
        square += off * off * r->rest[i] * r->rest[i];
        weights += off * off;
    }
    const double variance = fmax(careful_variance(sum, square, weights, rests, n), 0);
    return sum / n * (sum / n) > DIFFER_BY * DIFFER_BY * variance;
}

/* choices [n] from the least shrunk to the most: the last that differs from none before it. */
static double by_intervals(const off_policy_rows *r, const choice *choices, size_t n)
{
    const double rests = sum_square_rest(r);
    size_t last = 0;
    for (size_t k = 1; k < n; k++) {
        for (size_t j = 0; j < k; j++)
            if (differ(r, choices[j].parameter, choices[k].parameter, rests))
                return choices[last].parameter;
        last = k;
    }
    return choices[last].parameter;
}

/* From the largest weight (nothing is shrunk by clipping) down to the median, in equal ratios;
 * λ by the square of those, and infinity first. */
static size_t list_choices(const off_policy_rows *r, const double *sorted, choice *out)
{
    const double most = sorted[r->log->n - 1];
    double least = quantile_of_sorted(sorted, r->log->n, .5);
    if (!(least > most * 1e-6)) least = most * 1e-6;
    for (size_t k = 0; k < OFF_POLICY_CHOICES; k++) {
        const double at = most * pow(least / most, (double)k / (OFF_POLICY_CHOICES - 1));
        double parameter = r->kind == OFF_POLICY_DROS ? 4 * at * at : at;
        if (k == 0) parameter = INFINITY;
        out[k] = try_parameter(r, parameter);
    }
    return OFF_POLICY_CHOICES;
}

pf_status off_policy_choose(const off_policy_rows *r, off_policy_rule rule, double *out,
                            pf_error *err)
{
    choice choices[OFF_POLICY_CHOICES];
    double *sorted = mem_alloc(r->log->n, sizeof *sorted);
    if (sorted == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", r->log->n);
    memcpy(sorted, r->weight, r->log->n * sizeof *sorted);
    sort_values(sorted, r->log->n);
    const size_t n = list_choices(r, sorted, choices);
    mem_free(sorted);
    if (rule == OFF_POLICY_BY_INTERVALS) {
        *out = by_intervals(r, choices, n);
        return PF_OK;
    }
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (error_of(&choices[k], rule) < error_of(&choices[best], rule)) best = k;
    *out = choices[best].parameter;
    return PF_OK;
}
