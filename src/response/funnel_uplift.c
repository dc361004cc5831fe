/*
 * The share of purchases that messages add. The rows and the measure are those of effects on
 * spend (response/effect_rows.h, effect_measure.h), with bought-or-not in the place of amounts:
 * what was gained over what those who were sent it bought at all.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "response/effect_measure.h"
#include "response/funnel_inner.h"

/* Bought or not; of a message also as what it brought, which is what a share is taken of. */
static void count_purchases(effect_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->redeemed[i] = r->spend[i] = r->spend[i] > 0;
}

static void believe(funnel_uplift *u, const effect_rows *r, const effect_ratio *found)
{
    const double prior = FUNNEL_SHARE_PRIOR * FUNNEL_SHARE_PRIOR;
    u->known = isfinite(found->value) && isfinite(found->error);
    if (!u->known) {
        (void)snprintf(u->why, sizeof u->why, "of %zu rows too few can be compared: keep a holdout",
                       r->n);
        return;
    }
    u->basis = r->by_lot ? EFFECT_BY_LOT : EFFECT_BY_OBSERVATION;
    u->raw = found->value;
    u->error = found->error;
    u->share = fmin(1, fmax(0, u->raw * prior / (prior + u->error * u->error)));
    u->rows = found->rows;
    u->sent = found->sent;
    u->shoppers = found->shoppers;
}

static pf_status compare(funnel_uplift *u, effect_rows *r, const response_data *d, uint64_t seed,
                         pf_error *err)
{
    effect_measure m = {.weight = NULL};
    effect_ratio found;
    count_purchases(r);
    pf_status s = effect_rows_close(r, err);
    if (s == PF_OK) s = effect_measure_make(&m, r, d->world.pool, seed, err);
    if (s == PF_OK) s = effect_ratio_of(&found, r, m.gain, m.use, EFFECT_ALL_KINDS, NULL, err);
    if (s == PF_OK) believe(u, r, &found);
    effect_measure_free(&m);
    return s;
}

pf_status funnel_uplift_learn(funnel_uplift *u, const response_data *d, int64_t until_us,
                              const funnel_options *o, pf_error *err)
{
    effect_options how = effect_options_default();
    effect_making k = {.d = d, .o = &how, .until_us = until_us};
    effect_rows r = {.n = 0};
    pf_error why = {.code = PF_OK};
    *u = (funnel_uplift){.basis = EFFECT_EITHER, .share = 1};
    how.log = o->log;
    how.n_log = o->n_log;
    how.seed = o->seed;
    pf_status s = effect_scope_new(&k.scope, d->world.catalogue, &why);
    k.view = effect_view_of(&d->world, until_us);
    if (s == PF_OK) s = effect_rows_find(&r, &k, &why);
    if (s == PF_OK) s = compare(u, &r, d, o->seed, &why);
    effect_rows_free(&r);
    effect_scope_free(&k.scope);
    if (s != PF_DATA) return s == PF_OK ? PF_OK : error_pass(err, &why);
    (void)snprintf(u->why, sizeof u->why, "%s", why.message);
    return PF_OK;
}
