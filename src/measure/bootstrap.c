/*
 * The clustered bootstrap (measure/bootstrap.h). Group numbers, which may be anything,
 * are first made dense; then every replicate is a task of its own: count the draws of
 * each group, turn them into row weights, ask the statistic.
 */
#include "measure/bootstrap.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "measure/order.h"
#include "measure/statistics.h"

typedef struct resampling {
    const bootstrap_plan *plan;
    bootstrap_statistic *statistic;
    bootstrap_statistics *many; /* instead of the one above, or NULL */
    size_t k;                   /* values of a replicate: 1 but for `many` */
    const void *a, *b;          /* b NULL: no difference */
    uint32_t *dense;   /* [n]: the row's group, 0..groups-1 */
    uint32_t groups;
    double *weights;    /* [threads][n] */
    uint32_t *drawn;    /* [threads][groups] */
    double *replicates; /* [replicates][k] */
    double *column;     /* [replicates] of one value */
    double *own;        /* [k] of the rows themselves */
} resampling;

bootstrap_plan bootstrap_plan_default(const uint32_t *group, size_t n)
{
    return (bootstrap_plan){.group = group,
                            .n = n,
                            .replicates = BOOTSTRAP_REPLICATES_DEFAULT,
                            .level = 0.95,
                            .seed = 1};
}

static void values_under(const resampling *s, const double *w, double *values)
{
    if (s->many) {
        s->many(s->a, w, values);
        return;
    }
    values[0] = s->statistic(s->a, w);
    if (s->b) values[0] -= s->statistic(s->b, w);
}

static void run_replicate(void *context, size_t task, unsigned worker)
{
    const resampling *s = context;
    size_t n = s->plan->n;
    double *w = s->weights + worker * n;
    uint32_t *drawn = s->drawn + (size_t)worker * s->groups;
    random_stream random = random_begin(s->plan->seed, task);
    for (uint32_t g = 0; g < s->groups; g++)
        drawn[g] = 0;
    for (uint32_t g = 0; g < s->groups; g++)
        drawn[random_below(&random, s->groups)]++;
    for (size_t i = 0; i < n; i++)
        w[i] = (double)drawn[s->dense[i]];
    values_under(s, w, s->replicates + task * s->k);
}

/* Numbers the groups in the order of their ids. */
static pf_status make_dense(resampling *s, pf_error *err)
{
    size_t n = s->plan->n;
    double *ids = mem_alloc(n, sizeof *ids);
    uint32_t *rows = mem_alloc(n, sizeof *rows);
    pf_status status = PF_OK;
    if (!ids || !rows) {
        status = error_set(err, PF_NO_MEMORY, "no memory to group %zu rows", n);
    } else {
        for (size_t i = 0; i < n; i++)
            ids[i] = (double)s->plan->group[i];
        status = order_rows(ids, n, ORDER_ASCENDING, rows, err);
    }
    for (size_t i = 0; status == PF_OK && i < n; i++) {
        if (i > 0 && s->plan->group[rows[i]] != s->plan->group[rows[i - 1]]) s->groups++;
        s->dense[rows[i]] = s->groups;
    }
    s->groups++;
    mem_free(rows);
    mem_free(ids);
    return status;
}

static pf_status check_plan(const bootstrap_plan *plan, pf_error *err)
{
    if (plan->n == 0) return error_set(err, PF_DATA, "there are no rows to resample");
    if (plan->replicates < 2 || plan->replicates > BOOTSTRAP_REPLICATES_MAX)
        return error_set(err, PF_USAGE, "%u replicates are not between 2 and %d",
                         plan->replicates, BOOTSTRAP_REPLICATES_MAX);
    if (!(plan->level > 0.0 && plan->level < 1.0))
        return error_set(err, PF_USAGE, "the level %g is not between 0 and 1",
                         plan->level);
    return PF_OK;
}

static pf_status allocate(resampling *s, pf_error *err)
{
    size_t n = s->plan->n, threads = pool_threads(s->plan->threads), cells;
    const size_t replicates = s->plan->replicates;
    s->dense = mem_alloc(n, sizeof *s->dense);
    s->column = mem_alloc(replicates, sizeof *s->column);
    s->own = mem_alloc(s->k, sizeof *s->own);
    if (size_multiply(replicates, s->k, &cells))
        s->replicates = mem_alloc(cells, sizeof *s->replicates);
    if (size_multiply(n, threads, &cells)) {
        s->weights = mem_alloc(cells, sizeof *s->weights);
        /* There are at most as many groups as rows. */
        s->drawn = mem_alloc(cells, sizeof *s->drawn);
    }
    if (!s->dense || !s->replicates || !s->column || !s->own || !s->weights || !s->drawn)
        return error_set(err, PF_NO_MEMORY, "no memory to resample %zu rows", n);
    return PF_OK;
}

/* Drops the replicates without value j, then reads error and interval off the rest. */
static pf_status summarise(const resampling *s, size_t j, bootstrap_result *out, pf_error *err)
{
    unsigned kept = 0;
    for (unsigned r = 0; r < s->plan->replicates; r++) {
        const double value = s->replicates[r * s->k + j];
        if (!isnan(value)) s->column[kept++] = value;
    }
    if (kept < 2)
        return error_set(err, PF_DATA, "of %u replicates %u have a value; two are needed",
                         s->plan->replicates, kept);
    double tail = (1.0 - s->plan->level) / 2.0;
    sort_values(s->column, kept);
    *out = (bootstrap_result){
        .value = s->own[j],
        .standard_error = summary_of(s->column, kept).standard_deviation,
        .low = quantile_of_sorted(s->column, kept, tail),
        .high = quantile_of_sorted(s->column, kept, 1.0 - tail),
        .groups = s->groups,
        .replicates = kept,
    };
    return PF_OK;
}

static pf_status resample(resampling *s, bootstrap_result *out, pf_error *err)
{
    pf_status status = check_plan(s->plan, err);
    if (status != PF_OK) return status;
    status = allocate(s, err);
    if (status == PF_OK) status = make_dense(s, err);
    if (status == PF_OK) {
        pool_run(s->plan->threads, s->plan->replicates, run_replicate, s);
        values_under(s, NULL, s->own);
        for (size_t j = 0; status == PF_OK && j < s->k; j++)
            status = summarise(s, j, &out[j], err);
    }
    mem_free(s->column);
    mem_free(s->own);
    mem_free(s->drawn);
    mem_free(s->weights);
    mem_free(s->replicates);
    mem_free(s->dense);
    return status;
}

pf_status bootstrap_interval(const bootstrap_plan *plan, bootstrap_statistic *statistic,
                             const void *context, bootstrap_result *out, pf_error *err)
{
    resampling s = {.plan = plan, .statistic = statistic, .k = 1, .a = context};
    return resample(&s, out, err);
}

pf_status bootstrap_difference(const bootstrap_plan *plan, bootstrap_statistic *statistic,
                               const void *a, const void *b, bootstrap_result *out,
                               pf_error *err)
{
    resampling s = {.plan = plan, .statistic = statistic, .k = 1, .a = a, .b = b};
    return resample(&s, out, err);
}

pf_status bootstrap_intervals(const bootstrap_plan *plan, bootstrap_statistics *statistics,
                              const void *context, size_t k, bootstrap_result *out,
                              pf_error *err)
{
    resampling s = {.plan = plan, .many = statistics, .k = k, .a = context};
    if (k == 0) return error_set(err, PF_USAGE, "no statistic is asked for");
    return resample(&s, out, err);
}

double bootstrap_mean(const void *context, const double *w)
{
    const bootstrap_mean_rows *rows = context;
    double sum = 0.0, total = 0.0;
    for (size_t i = 0; i < rows->n; i++) {
        double weight = w ? w[i] : 1.0;
        sum += weight * rows->values[i];
        total += weight;
    }
    return total > 0.0 ? sum / total : NAN;
}
