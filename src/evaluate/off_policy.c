/* Off-policy estimates (off_policy.h). Every one of them is the mean of a base plus a weighted
 * sum over its own sum of weights; what differs is the weight. */
#include "evaluate/off_policy.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/bootstrap.h"
#include "measure/statistics.h"

/* How far a row of probabilities may be from one. */
#define SUM_TOLERANCE 1e-6
/* Standard errors of a difference that make it one. */
#define DIFFER_BY 2.5

static const struct {
    const char *name;
    bool model, own_sum, chosen; /* needs expectations; is over its weights; has a parameter */
} kinds[OFF_POLICY_ESTIMATORS] = {
    [OFF_POLICY_DM] = {"dm", true, false, false},
    [OFF_POLICY_IPS] = {"ips", false, false, false},
    [OFF_POLICY_SNIPS] = {"snips", false, true, false},
    [OFF_POLICY_DR] = {"dr", true, false, false},
    [OFF_POLICY_SNDR] = {"sndr", true, true, false},
    [OFF_POLICY_SWITCH] = {"switch-dr", true, false, true},
    [OFF_POLICY_DROS] = {"dros", true, false, true},
    [OFF_POLICY_CLIPPED] = {"clipped-ips", false, false, true},
};

const char *off_policy_name(off_policy_estimator e)
{
    return kinds[e].name;
}

off_policy_plan off_policy_plan_default(void)
{
    return (off_policy_plan){.estimator = OFF_POLICY_DROS,
                             .parameter = NAN,
                             .rule = OFF_POLICY_BY_ERROR,
                             .level = .95,
                             .replicates = BOOTSTRAP_REPLICATES_DEFAULT,
                             .seed = 1};
}

/* ---- the log ---- */

static pf_status check_target(const off_policy_log *log, const double *target, size_t i,
                              pf_error *err)
{
    double sum = 0;
    for (uint32_t a = 0; a < log->n_actions; a++) {
        const double p = target[i * log->n_actions + a];
        if (!(p >= 0))
            return error_set(err, PF_DATA,
                             "decision %zu: the policy gives action %u the probability %g; it "
                             "must be 0 or more",
                             i + 1, a, p);
        sum += p;
    }
    if (fabs(sum - 1) <= SUM_TOLERANCE) return PF_OK;
    return error_set(err, PF_DATA,
                     "decision %zu: the policy's probabilities sum to %.6g, not to 1: name all "
                     "actions, doing nothing among them",
                     i + 1, sum);
}

static pf_status check_row(const off_policy_log *log, size_t i, pf_error *err)
{
    const double p = log->propensity[i];
    if (log->action[i] >= log->n_actions)
        return error_set(err, PF_DATA, "decision %zu took action %u of %u", i + 1,
                         log->action[i], log->n_actions);
    if (!(p > 0 && p <= 1))
        return error_set(err, PF_DATA,
                         "decision %zu has the propensity %g; the log must hold the probability, "
                         "above 0 and at most 1, with which its action was taken, or it cannot "
                         "speak of another policy",
                         i + 1, p);
    if (!isfinite(log->reward[i]))
        return error_set(err, PF_DATA, "decision %zu has no finite reward", i + 1);
    for (uint32_t a = 0; log->expected != NULL && a < log->n_actions; a++)
        if (!isfinite(log->expected[i * log->n_actions + a]))
            return error_set(err, PF_DATA, "decision %zu: nothing finite is expected of action %u",
                             i + 1, a);
    return check_target(log, log->target, i, err);
}

static double weight_of(const off_policy_log *log, const double *target, size_t i)
{
    return target[i * log->n_actions + log->action[i]] / log->propensity[i];
}

static off_policy_support support_of(const off_policy_log *log, const double *target)
{
    off_policy_support s = {0};
    double sum = 0, square = 0;
    for (size_t i = 0; i < log->n; i++) {
        const double w = weight_of(log, target, i);
        sum += w;
        square += w * w;
        if (w > s.largest_weight) s.largest_weight = w;
    }
    s.effective = square > 0 ? sum * sum / square : 0;
    s.mean_weight = sum / (double)log->n;
    s.few = s.effective < OFF_POLICY_FEW;
    return s;
}

pf_status off_policy_check(const off_policy_log *log, off_policy_support *out, pf_error *err)
{
    if (log->n == 0 || log->n_actions == 0)
        return error_set(err, PF_DATA, "the log holds no decisions");
    if (log->propensity == NULL)
        return error_set(err, PF_DATA,
                         "the log has no propensities: it cannot speak of another policy; decide "
                         "with exploration and keep the probability of every choice");
    for (size_t i = 0; i < log->n; i++) {
        pf_status s = check_row(log, i, err);
        if (s != PF_OK) return s;
    }
    *out = support_of(log, log->target);
    if (out->largest_weight > 0) return PF_OK;
    return error_set(err, PF_DATA,
                     "the log never took what the policy takes: there is no support for it");
}

/* ---- one estimate ---- */

/* A policy on a log, row by row. */
typedef struct rows {
    size_t n;
    off_policy_estimator kind;
    double *base;   /* what the model alone says */
    double *weight; /* w */
    double *rest;   /* r - q, or r without a model */
    double *shrunk; /* the estimator's weight */
} rows;

static void rows_free(rows *r)
{
    mem_free(r->base);
    mem_free(r->weight);
    mem_free(r->rest);
    mem_free(r->shrunk);
}

static pf_status rows_new(rows *r, const off_policy_log *log, const double *target,
                          off_policy_estimator kind, pf_error *err)
{
    const uint32_t K = log->n_actions;
    *r = (rows){.n = log->n,
                .kind = kind,
                .base = mem_alloc_zero(log->n, sizeof *r->base),
                .weight = mem_alloc(log->n, sizeof *r->weight),
                .rest = mem_alloc(log->n, sizeof *r->rest),
                .shrunk = mem_alloc(log->n, sizeof *r->shrunk)};
    if (!r->base || !r->weight || !r->rest || !r->shrunk) {
        rows_free(r);
        *r = (rows){0};
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", log->n);
    }
    for (size_t i = 0; i < log->n; i++) {
        const double *q = kinds[kind].model ? log->expected + i * K : NULL;
        for (uint32_t a = 0; q != NULL && a < K; a++)
            r->base[i] += target[i * K + a] * q[a];
        r->weight[i] = weight_of(log, target, i);
        r->rest[i] = log->reward[i] - (q != NULL ? q[log->action[i]] : 0);
    }
    return PF_OK;
}

static double shrink(off_policy_estimator kind, double w, double parameter)
{
    switch (kind) {
    case OFF_POLICY_DM: return 0;
    case OFF_POLICY_SWITCH: return w <= parameter ? w : 0;
    case OFF_POLICY_DROS: return isinf(parameter) ? w : parameter * w / (w * w + parameter);
    case OFF_POLICY_CLIPPED: return w < parameter ? w : parameter;
    default: return w;
    }
}

static void shrink_all(rows *r, double parameter)
{
    for (size_t i = 0; i < r->n; i++)
        r->shrunk[i] = shrink(r->kind, r->weight[i], parameter);
}

/* c [n] counts the rows; NULL: once each. */
static double value_of_rows(const void *context, const double *c)
{
    const rows *r = context;
    double count = 0, base = 0, sum = 0, weights = 0;
    for (size_t i = 0; i < r->n; i++) {
        const double times = c != NULL ? c[i] : 1;
        count += times;
        base += times * r->base[i];
        sum += times * r->shrunk[i] * r->rest[i];
        weights += times * r->shrunk[i];
    }
    if (!(count > 0)) return NAN;
    const double over = kinds[r->kind].own_sum ? weights : count;
    if (!(over > 0)) return NAN;
    return base / count + sum / over;
}

/* ---- choosing the parameter ---- */

typedef struct choice {
    double parameter, value, variance, left_out, left_out_variance;
} choice;

static choice try_parameter(const rows *r, double parameter)
{
    const double n = (double)r->n;
    double sum = 0, square = 0, out = 0, out_square = 0;
    for (size_t i = 0; i < r->n; i++) {
        const double s = shrink(r->kind, r->weight[i], parameter);
        const double one = r->base[i] + s * r->rest[i];
        const double left = (r->weight[i] - s) * r->rest[i];
        sum += one;
        square += one * one;
        out += left;
        out_square += left * left;
    }
    const double mean = sum / n, left = out / n;
    return (choice){.parameter = parameter,
                    .value = mean,
                    .variance = (square / n - mean * mean) / n,
                    .left_out = left,
                    .left_out_variance = (out_square / n - left * left) / n};
}

static double error_of(const choice *c, off_policy_rule rule)
{
    double bias = fabs(c->left_out);
    if (rule == OFF_POLICY_BY_BOUND)
        bias += 1.96 * sqrt(c->left_out_variance > 0 ? c->left_out_variance : 0);
    return bias * bias + c->variance;
}

/* Whether two estimates differ by more than their difference varies. */
static bool differ(const rows *r, double less, double more)
{
    const double n = (double)r->n;
    double sum = 0, square = 0;
    for (size_t i = 0; i < r->n; i++) {
        const double w = r->weight[i];
        const double d =
            (shrink(r->kind, w, less) - shrink(r->kind, w, more)) * r->rest[i];
        sum += d;
        square += d * d;
    }
    const double mean = sum / n, variance = (square / n - mean * mean) / n;
    return mean * mean > DIFFER_BY * DIFFER_BY * fmax(variance, 0);
}

/* choices [n] from the least shrunk to the most: the last that differs from none before it. */
static double by_intervals(const rows *r, const choice *choices, size_t n)
{
    size_t last = 0;
    for (size_t k = 1; k < n; k++) {
        for (size_t j = 0; j < k; j++)
            if (differ(r, choices[j].parameter, choices[k].parameter))
                return choices[last].parameter;
        last = k;
    }
    return choices[last].parameter;
}

/* From the largest weight (nothing is shrunk by clipping) down to the median, in equal ratios;
 * λ by the square of those, and infinity first. */
static size_t list_choices(const rows *r, const double *sorted, choice *out)
{
    const double most = sorted[r->n - 1];
    double least = quantile_of_sorted(sorted, r->n, .5);
    if (!(least > most * 1e-6)) least = most * 1e-6;
    for (size_t k = 0; k < OFF_POLICY_CHOICES; k++) {
        const double at = most * pow(least / most, (double)k / (OFF_POLICY_CHOICES - 1));
        double parameter = r->kind == OFF_POLICY_DROS ? 4 * at * at : at;
        if (k == 0) parameter = INFINITY;
        out[k] = try_parameter(r, parameter);
    }
    return OFF_POLICY_CHOICES;
}

static pf_status choose_parameter(const rows *r, off_policy_rule rule, double *out,
                                  pf_error *err)
{
    choice choices[OFF_POLICY_CHOICES];
    double *sorted = mem_alloc(r->n, sizeof *sorted);
    if (sorted == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", r->n);
    memcpy(sorted, r->weight, r->n * sizeof *sorted);
    sort_values(sorted, r->n);
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

/* ---- the estimate and its interval ---- */

static pf_status prepare(const off_policy_log *log, const double *target,
                         const off_policy_plan *plan, rows *r, double *parameter,
                         pf_error *err)
{
    *parameter = NAN;
    pf_status s = rows_new(r, log, target, plan->estimator, err);
    if (s != PF_OK) return s;
    if (kinds[plan->estimator].chosen) {
        *parameter = plan->parameter;
        if (isnan(*parameter)) s = choose_parameter(r, plan->rule, parameter, err);
    }
    if (s == PF_OK) shrink_all(r, *parameter);
    return s;
}

static bool all_equal(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

static bootstrap_plan bootstrap_of(const off_policy_log *log, const off_policy_plan *plan,
                                   const uint32_t *group)
{
    bootstrap_plan b = bootstrap_plan_default(group, log->n);
    b.replicates = plan->replicates;
    b.level = plan->level;
    b.seed = plan->seed;
    b.threads = plan->threads;
    return b;
}

/* Without shoppers every decision is a group of its own. */
static pf_status groups_of(const off_policy_log *log, uint32_t **own, const uint32_t **group,
                           pf_error *err)
{
    *group = log->shopper;
    if (log->shopper != NULL) return PF_OK;
    *own = mem_alloc(log->n, sizeof **own);
    if (*own == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", log->n);
    for (size_t i = 0; i < log->n; i++)
        (*own)[i] = (uint32_t)i;
    *group = *own;
    return PF_OK;
}

static pf_status check_plan(const off_policy_log *log, const off_policy_plan *plan,
                            pf_error *err)
{
    if (kinds[plan->estimator].model && log->expected == NULL)
        return error_set(err, PF_USAGE,
                         "%s needs what a model expects of every action; ips and snips need none",
                         kinds[plan->estimator].name);
    if (kinds[plan->estimator].chosen && !isnan(plan->parameter) && !(plan->parameter > 0))
        return error_set(err, PF_USAGE, "the parameter of %s is %g but must be above 0",
                         kinds[plan->estimator].name, plan->parameter);
    return PF_OK;
}

/* other NULL: the value itself, else the difference to another policy's. */
static pf_status estimate(const off_policy_log *log, const double *other,
                          const off_policy_plan *plan, off_policy_value *out, pf_error *err)
{
    rows mine = {0}, others = {0};
    uint32_t *own = NULL;
    const uint32_t *group = NULL;
    bootstrap_result found = {0};
    double parameter = NAN, other_parameter = NAN;
    pf_status s = prepare(log, log->target, plan, &mine, &parameter, err);
    if (s == PF_OK && other != NULL)
        s = prepare(log, other, plan, &others, &other_parameter, err);
    if (s == PF_OK) s = groups_of(log, &own, &group, err);
    if (s == PF_OK) {
        const bootstrap_plan b = bootstrap_of(log, plan, group);
        s = other == NULL ? bootstrap_interval(&b, value_of_rows, &mine, &found, err)
                          : bootstrap_difference(&b, value_of_rows, &mine, &others, &found, err);
    }
    rows_free(&mine);
    rows_free(&others);
    mem_free(own);
    if (s != PF_OK) return s;
    out->value = found.value;
    out->standard_error = found.standard_error;
    out->low = found.low;
    out->high = found.high;
    out->parameter = parameter;
    out->without_spread = all_equal(log->reward, log->n);
    return PF_OK;
}

pf_status off_policy_estimate(const off_policy_log *log, const off_policy_plan *plan,
                              off_policy_value *out, pf_error *err)
{
    *out = (off_policy_value){0};
    pf_status s = check_plan(log, plan, err);
    if (s == PF_OK) s = off_policy_check(log, &out->support, err);
    return s == PF_OK ? estimate(log, NULL, plan, out, err) : s;
}

pf_status off_policy_difference(const off_policy_log *log, const double *other,
                                const off_policy_plan *plan, off_policy_value *out,
                                pf_error *err)
{
    *out = (off_policy_value){0};
    pf_status s = check_plan(log, plan, err);
    if (s == PF_OK) s = off_policy_check(log, &out->support, err);
    for (size_t i = 0; s == PF_OK && i < log->n; i++)
        s = check_target(log, other, i, err);
    if (s != PF_OK) return s;
    const off_policy_support second = support_of(log, other);
    if (second.effective < out->support.effective) out->support = second;
    return estimate(log, other, plan, out, err);
}
