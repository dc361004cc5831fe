/*
 * Rows of all replayed campaigns are gathered into flat columns once; every figure is then
 * a statistic of columns, so the bootstrap can weigh rows by how often their shopper was
 * drawn.
 */
#include "evaluate/response_protocol.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "evaluate/response_columns.h"
#include "measure/bootstrap.h"
#include "measure/classification.h"

/* Probabilities are clipped here before logarithms, as the reference figures were. */
static const double clip = 1e-6;

response_protocol_options response_protocol_options_default(void)
{
    return (response_protocol_options){
        .from_us = INT64_MIN, .last_us = INT64_MAX, .seed = 1, .replicates = 500};
}

void response_protocol_free(response_protocol *p)
{
    mem_free(p);
}

/* --- any -------------------------------------------------------------------------- */

static double weighted_auc(const void *context, const double *w)
{
    return ranked_roc_auc(context, w);
}

/* p against y of one model: what the bootstrap of the log-loss reads. */
typedef struct loss_rows {
    const double *p;
    const uint8_t *y;
    size_t n;
} loss_rows;

static double weighted_log_loss(const void *context, const double *w)
{
    const loss_rows *r = context;
    return measure_log_loss(r->p, r->y, w, r->n, clip);
}

/* A statistic that has no value on these rows is NaN and no failure. */
static pf_status forgive(pf_status s, bootstrap_result *r)
{
    if (s != PF_DATA)
        return s;
    *r = (bootstrap_result){.value = (double)NAN, .standard_error = (double)NAN};
    return PF_OK;
}

static pf_status plain_figures(any_figures *f, const double *p, const any_columns *c,
                               reliability_bin bins[PROTOCOL_BINS], pf_error *err)
{
    pf_status s = reliability_of(p, c->y, c->n, PROTOCOL_BINS, bins, err);
    f->log_loss = measure_log_loss(p, c->y, NULL, c->n, clip);
    f->brier = measure_brier(p, c->y, NULL, c->n);
    f->sum_ratio = calibration_sum_ratio(p, c->y, c->n);
    if (s == PF_OK)
        f->ece = reliability_ece(bins, PROTOCOL_BINS);
    return s;
}

static pf_status own_figures(any_result *out, const any_columns *c, const ranked *own,
                             const bootstrap_plan *plan, pf_error *err)
{
    bootstrap_result r;
    out->own.model = "proffer";
    pf_status s = plain_figures(&out->own, c->p, c, out->reliability, err);
    if (s == PF_OK)
        s = forgive(bootstrap_interval(plan, weighted_auc, own, &r, err), &r);
    if (s != PF_OK)
        return s;
    out->own.auc = r.value;
    out->own.auc_se = r.standard_error;
    return lift_of(c->p, c->y, c->n, PROTOCOL_BINS, out->lift, err);
}

static pf_status against_baseline(any_figures *f, const double *p, const any_columns *c,
                                  const ranked *own, const bootstrap_plan *plan,
                                  pf_error *err)
{
    reliability_bin bins[PROTOCOL_BINS];
    bootstrap_result auc, loss;
    ranked *other = NULL;
    loss_rows mine = {c->p, c->y, c->n}, its = {p, c->y, c->n};
    pf_status s = plain_figures(f, p, c, bins, err);
    if (s == PF_OK)
        s = ranked_new(&other, p, c->y, c->n, err);
    if (s == PF_OK)
        s = forgive(bootstrap_difference(plan, weighted_auc, own, other, &auc, err), &auc);
    if (s == PF_OK)
        s = forgive(bootstrap_difference(plan, weighted_log_loss, &its, &mine, &loss, err),
                    &loss);
    if (s == PF_OK) {
        f->auc = ranked_roc_auc(other, NULL);
        f->auc_gain = auc.value;
        f->auc_gain_se = auc.standard_error;
        f->log_loss_gain = loss.value;
        f->log_loss_gain_se = loss.standard_error;
    }
    ranked_free(other);
    return s;
}

static pf_status whole_figures(any_figures *f, const any_columns *c, pf_error *err)
{
    reliability_bin bins[PROTOCOL_BINS];
    *f = (any_figures){.model = "proffer, by the campaign's end",
                       .auc_se = (double)NAN, .auc_gain = (double)NAN,
                       .auc_gain_se = (double)NAN, .log_loss_gain = (double)NAN,
                       .log_loss_gain_se = (double)NAN};
    pf_status s = plain_figures(f, c->whole, c, bins, err);
    return s == PF_OK ? measure_roc_auc(c->whole, c->y, NULL, c->n, &f->auc, err) : s;
}

static pf_status measure_any(any_result *out, const any_columns *c,
                             const response_protocol_options *o, pf_error *err)
{
    ranked *own = NULL;
    bootstrap_plan plan = bootstrap_plan_default(c->shopper, c->n);
    *out = (any_result){.rows = c->n, .campaigns = c->campaigns};
    if (c->n == 0)
        return PF_OK;
    plan.replicates = o->replicates;
    plan.seed = o->seed;
    plan.threads = o->threads;
    for (size_t i = 0; i < c->n; i++)
        out->positives += c->y[i];
    pf_status s = ranked_new(&own, c->p, c->y, c->n, err);
    if (s == PF_OK)
        s = own_figures(out, c, own, &plan, err);
    if (s == PF_OK)
        s = whole_figures(&out->whole, c, err);
    out->baseline[0].model = "constant: the last known rate";
    out->baseline[1].model = "the shopper's own redemption rate";
    if (s == PF_OK)
        s = against_baseline(&out->baseline[0], c->known_rate, c, own, &plan, err);
    if (s == PF_OK)
        s = against_baseline(&out->baseline[1], c->own_rate, c, own, &plan, err);
    ranked_free(own);
    return s;
}

/* --- which ------------------------------------------------------------------------ */

static double mean_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : (double)NAN;
}

static pf_status which_own(which_figures *f, const which_columns *c,
                           const bootstrap_plan *plan, pf_error *err)
{
    bootstrap_mean_rows rows = {c->ndcg[0], c->n};
    bootstrap_result r;
    pf_status s = forgive(bootstrap_interval(plan, bootstrap_mean, &rows, &r, err), &r);
    *f = (which_figures){.model = "proffer",
                         .ndcg = r.value,
                         .ndcg_se = r.standard_error,
                         .recall = mean_of(c->recall[0], c->n),
                         .gain = (double)NAN,
                         .gain_se = (double)NAN};
    return s;
}

static pf_status which_baseline(which_figures *f, const which_columns *c, size_t model,
                                const bootstrap_plan *plan, pf_error *err)
{
    static const char *const names[] = {"proffer", "own earlier lines in the scope",
                                        "spending in the scope's categories",
                                        "popularity of the scope"};
    bootstrap_mean_rows mine = {c->ndcg[0], c->n}, its = {c->ndcg[model], c->n};
    bootstrap_result r, alone;
    pf_status s =
        forgive(bootstrap_difference(plan, bootstrap_mean, &mine, &its, &r, err), &r);
    if (s == PF_OK)
        s = forgive(bootstrap_interval(plan, bootstrap_mean, &its, &alone, err), &alone);
    *f = (which_figures){.model = names[model],
                         .ndcg = alone.value,
                         .ndcg_se = alone.standard_error,
                         .recall = mean_of(c->recall[model], c->n),
                         .gain = r.value,
                         .gain_se = r.standard_error};
    return s;
}

static pf_status measure_which(which_result *out, const which_columns *c,
                               const response_protocol_options *o, pf_error *err)
{
    bootstrap_plan plan = bootstrap_plan_default(c->shopper, c->n);
    *out = (which_result){.pairs = c->n, .campaigns = c->campaigns};
    if (c->n == 0)
        return PF_OK;
    plan.replicates = o->replicates;
    plan.seed = o->seed;
    plan.threads = o->threads;
    pf_status s = which_own(&out->own, c, &plan, err);
    for (size_t m = 1; s == PF_OK && m < COLUMNS_WHICH_MODELS; m++)
        s = which_baseline(&out->baseline[m - 1], c, m, &plan, err);
    return s;
}

/* --- the run ---------------------------------------------------------------------- */

/* Once over all campaigns, or over the fully observed ones. */
static pf_status measure_part(const response_replay *r, bool observed_only,
                              const response_protocol_options *o, any_result *any,
                              which_result *which, pf_error *err)
{
    any_columns rows = {.n = 0};
    which_columns pairs = {.n = 0};
    int64_t latest_us = observed_only ? o->last_us : INT64_MAX;
    pf_status s = any_columns_new(&rows, r, latest_us, err);
    if (s == PF_OK)
        s = which_columns_new(&pairs, r, latest_us, err);
    if (s == PF_OK)
        s = measure_any(any, &rows, o, err);
    if (s == PF_OK)
        s = measure_which(which, &pairs, o, err);
    any_columns_free(&rows);
    which_columns_free(&pairs);
    return s;
}

pf_status response_protocol_run(response_protocol **out, const response_data *d,
                                const response_protocol_options *o, pf_error *err)
{
    response_replay *r = NULL;
    double start_s = clock_wall_s();
    response_options how = response_options_default();
    how.learner = o->learner;
    how.seed = o->seed;
    response_protocol *p = mem_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory");
    pf_status s = response_replay_new(&r, d, o->from_us, &how, err);
    if (s == PF_OK)
        s = measure_part(r, false, o, &p->any_all, &p->which_all, err);
    if (s == PF_OK)
        s = measure_part(r, true, o, &p->any_observed, &p->which_observed, err);
    if (s == PF_OK)
        s = response_pairs_measure(&p->pairs, r, o->replicates, o->seed, o->threads, err);
    response_replay_free(r);
    p->seconds = clock_wall_s() - start_s;
    if (s == PF_OK)
        *out = p;
    else
        response_protocol_free(p);
    return s;
}
