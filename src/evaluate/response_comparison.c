/* Columns of both replays stand side by side; every figure is a paired bootstrap over them. */
#include "evaluate/response_comparison.h"

#include <math.h>
#include <string.h>

#include "evaluate/response_columns.h"
#include "measure/bootstrap.h"
#include "measure/classification.h"

static const double clip = 1e-6;

typedef struct side {
    any_columns any;
    which_columns which;
} side;

static void free_side(side *s)
{
    any_columns_free(&s->any);
    which_columns_free(&s->which);
}

static pf_status replay_side(side *out, const response_data *d,
                             const response_protocol_options *o, int64_t ended_us,
                             pf_error *err)
{
    response_replay *r = NULL;
    const response_options how = {.learner = o->learner, .seed = o->seed};
    pf_status s = response_replay_new(&r, d, o->from_us, &how, err);
    if (s == PF_OK)
        s = any_columns_new(&out->any, r, ended_us, err);
    if (s == PF_OK)
        s = which_columns_new(&out->which, r, ended_us, err);
    response_replay_free(r);
    return s;
}

static pf_status check_sides(const side *a, const side *b, pf_error *err)
{
    size_t rows = a->any.n, pairs = a->which.n;
    bool same = rows == b->any.n && pairs == b->which.n;
    same = same && (rows == 0 || (!memcmp(a->any.shopper, b->any.shopper,
                                          rows * sizeof *a->any.shopper) &&
                                  !memcmp(a->any.y, b->any.y, rows)));
    same = same && (pairs == 0 || !memcmp(a->which.shopper, b->which.shopper,
                                          pairs * sizeof *a->which.shopper));
    if (!same)
        return error_set(err, PF_USAGE, "the two are not of the same mailings, so they cannot "
                         "be compared");
    if (rows == 0)
        return error_set(err, PF_DATA, "no campaign to compare on had ended by then");
    return PF_OK;
}

/* --- figures ---------------------------------------------------------------------- */

static double auc_of(const void *context, const double *w)
{
    return ranked_roc_auc(context, w);
}

/* The negative of the log-loss, so that more is better. */
static double gain_of(const void *context, const double *w)
{
    const any_columns *c = context;
    return -measure_log_loss(c->p, c->y, w, c->n, clip);
}

static pf_status compare(response_gain *out, const bootstrap_plan *plan,
                         bootstrap_statistic *statistic, const void *first,
                         const void *second, pf_error *err)
{
    bootstrap_result r;
    pf_status s = bootstrap_difference(plan, statistic, first, second, &r, err);
    const double none = (double)NAN;
    *out = (response_gain){statistic(first, NULL), statistic(second, NULL), none, none, none,
                           none};
    if (s == PF_OK) {
        out->gain = r.value;
        out->gain_se = r.standard_error;
        out->low = r.low;
        out->high = r.high;
    }
    return s == PF_DATA ? PF_OK : s; /* a figure that does not exist is no failure */
}

static bootstrap_plan plan_of(const response_protocol_options *o, const uint32_t *group,
                              size_t n)
{
    bootstrap_plan plan = bootstrap_plan_default(group, n);
    plan.replicates = o->replicates;
    plan.seed = o->seed;
    plan.threads = o->threads;
    return plan;
}

static pf_status find_ece(double *ece, const any_columns *c, pf_error *err)
{
    reliability_bin bins[PROTOCOL_BINS];
    pf_status s = reliability_of(c->p, c->y, c->n, PROTOCOL_BINS, bins, err);
    if (s == PF_OK)
        *ece = reliability_ece(bins, PROTOCOL_BINS);
    return s;
}

static pf_status compare_any(response_comparison *out, const side *a, const side *b,
                             const response_protocol_options *o, pf_error *err)
{
    ranked *first = NULL, *second = NULL;
    const bootstrap_plan plan = plan_of(o, a->any.shopper, a->any.n);
    pf_status s = find_ece(&out->ece[0], &a->any, err);
    if (s == PF_OK)
        s = find_ece(&out->ece[1], &b->any, err);
    if (s == PF_OK)
        s = ranked_new(&first, a->any.p, a->any.y, a->any.n, err);
    if (s == PF_OK)
        s = ranked_new(&second, b->any.p, b->any.y, b->any.n, err);
    if (s == PF_OK)
        s = compare(&out->auc, &plan, auc_of, first, second, err);
    if (s == PF_OK)
        s = compare(&out->log_loss, &plan, gain_of, &a->any, &b->any, err);
    out->log_loss.first = -out->log_loss.first;
    out->log_loss.second = -out->log_loss.second;
    ranked_free(first);
    ranked_free(second);
    return s;
}

static pf_status compare_which(response_comparison *out, const side *a, const side *b,
                               const response_protocol_options *o, pf_error *err)
{
    const bootstrap_mean_rows first = {a->which.ndcg[0], a->which.n};
    const bootstrap_mean_rows second = {b->which.ndcg[0], b->which.n};
    const bootstrap_plan plan = plan_of(o, a->which.shopper, a->which.n);
    return compare(&out->ndcg, &plan, bootstrap_mean, &first, &second, err);
}

pf_status response_compare(response_comparison *out, const response_data *first,
                           const response_data *second, const response_protocol_options *o,
                           int64_t ended_us, pf_error *err)
{
    side a = {.any = {.n = 0}}, b = {.any = {.n = 0}};
    *out = (response_comparison){.rows = 0};
    pf_status s = replay_side(&a, first, o, ended_us, err);
    if (s == PF_OK)
        s = replay_side(&b, second, o, ended_us, err);
    if (s == PF_OK)
        s = check_sides(&a, &b, err);
    if (s == PF_OK)
        s = compare_any(out, &a, &b, o, err);
    if (s == PF_OK)
        s = compare_which(out, &a, &b, o, err);
    out->rows = a.any.n;
    out->pairs = a.which.n;
    out->campaigns = a.any.campaigns;
    free_side(&a);
    free_side(&b);
    return s;
}
