/*
 * Lifts of shoppers and promotions (response/effect.h): of `share` by the response model's
 * numbers; of the others by features as of the moment, in blocks of shoppers.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "response/effect_inner.h"

enum { BLOCK_PAIRS = 400000 };

/* --- what may be asked -------------------------------------------------------------- */

static pf_status check_numbers(const effect_ask *ask, pf_error *err)
{
    const size_t pairs = ask->response.n_shoppers * ask->response.n_promotions;
    for (size_t i = 0; i < pairs; i++) {
        const double p = (double)ask->p_redeem[i], spend = (double)ask->spend_minor[i];
        if (!(p >= 0 && p <= 1))
            return error_set(err, PF_DATA, "the chance of redemption of pair %zu is %g", i, p);
        if (!(spend >= 0 && isfinite(spend)))
            return error_set(err, PF_DATA, "the spend of pair %zu is %g", i, spend);
    }
    return PF_OK;
}

static pf_status check_ask(const response_data *d, const effect_ask *ask, pf_error *err)
{
    const response_ask *a = &ask->response;
    const offer_groups *g = response_rows_groups(d->maker);
    const uint32_t promotions = d->world.catalogue->n_promotions;
    size_t pairs;
    if (a->n_promotions == 0 || a->n_promotions > promotions ||
        (unsigned)ask->channel >= CHANNEL_COUNT || ask->p_redeem == NULL ||
        ask->spend_minor == NULL)
        return error_set(err, PF_USAGE, "%zu promotions are asked about, there are %u; a channel, "
                         "chances and spend are needed", a->n_promotions, promotions);
    if (!size_multiply(a->n_shoppers, a->n_promotions, &pairs))
        return error_set(err, PF_LIMIT, "too many shoppers and promotions at once");
    for (size_t k = 0; k < a->n_promotions; k++) {
        const uint32_t number = a->promotion[k];
        if (number == 0 || number > promotions)
            return error_set(err, PF_NOT_FOUND, "there is no promotion number %u", number);
        if (g->of_promotion[number] != g->of_promotion[a->promotion[0]])
            return error_set(err, PF_USAGE, "promotions of different campaigns are asked about at "
                             "once");
    }
    for (size_t i = 0; i < a->n_shoppers; i++)
        if (a->shopper[i] == 0 || a->shopper[i] > d->world.history->n_shoppers)
            return error_set(err, PF_NOT_FOUND, "there is no shopper number %u", a->shopper[i]);
    return check_numbers(ask, err);
}

/* --- share -------------------------------------------------------------------------- */

static void score_share(const effect_model *m, const response_data *d, const effect_ask *ask,
                        float *lift)
{
    const response_ask *a = &ask->response;
    for (size_t k = 0; k < a->n_promotions; k++) {
        const size_t scale = effect_scale_of(m, d, a->promotion[k]);
        const double share = effect_belief_mean(&m->belief, scale);
        for (size_t i = 0; i < a->n_shoppers; i++) {
            const size_t at = i * a->n_promotions + k;
            lift[at] = (float)(share * (double)ask->p_redeem[at] * (double)ask->spend_minor[at]);
        }
    }
}

/* --- the others --------------------------------------------------------------------- */

typedef struct asking {
    const effect_model *m;
    const response_data *d;
    const effect_ask *ask;
    effect_scope scope;
    float *x;       /* [most x EFFECT_FEATURES] */
    double *effect; /* [most] */
} asking;

/* effect [n] of promotions first..end together, for shoppers from..: their rows are made. */
static pf_status foretell(asking *k, const data_rows *rows, size_t from, size_t first, size_t end,
                          pf_error *err)
{
    const response_ask *a = &k->ask->response;
    const size_t n = rows->plain.n_shoppers, wide = k->d->width.any;
    const int64_t end_us =
        effect_window_end(k->d, a->promotion + first, end - first, a->at_us);
    const double days = (double)(end_us - a->at_us) / (double)US_PER_DAY;
    float offer[EFFECT_OFFER_FEATURES];
    effect_offer_features(k->d->world.catalogue, &k->m->view, a->promotion + first, end - first,
                          days, offer);
    effect_scope_mark(&k->scope, a->promotion + first, end - first);
    for (size_t i = 0; i < n; i++) {
        const effect_spend day =
            effect_past_day(k->d, &k->scope, a->shopper[from + i], a->at_us);
        const effect_own own = effect_own_of(&rows->plain, i, first, end, day);
        effect_features(&k->m->view, rows->any + i * wide, &own, offer, k->ask->channel,
                        k->x + i * EFFECT_FEATURES);
    }
    effect_scope_clear(&k->scope, a->promotion + first, end - first);
    const feature_rows asked = {n, EFFECT_FEATURES, k->x};
    return uplift_learner_effect(&k->m->learner, &asked, NULL, 1, k->effect, err);
}

/* Parts what is of all promotions together as p x spend is; evenly where that is nothing. */
static void part(const effect_ask *ask, size_t row, double lift, float *out)
{
    const size_t P = ask->response.n_promotions;
    double sum = 0;
    for (size_t k = 0; k < P; k++)
        sum += (double)ask->p_redeem[row * P + k] * (double)ask->spend_minor[row * P + k];
    for (size_t k = 0; k < P; k++) {
        const size_t at = row * P + k;
        const double own = (double)ask->p_redeem[at] * (double)ask->spend_minor[at];
        out[at] = (float)(lift * (sum > 0 ? own / sum : 1 / (double)P));
    }
}

static pf_status score_block(asking *k, size_t from, size_t n, float *lift, pf_error *err)
{
    const response_ask *a = &k->ask->response;
    const size_t P = a->n_promotions;
    const response_question q = {a->promotion, (uint32_t)P, a->shopper + from, n, a->at_us};
    data_rows rows;
    pf_status s = data_rows_make(k->d, &q, &rows, err);
    if (s != PF_OK) return s;
    for (size_t first = 0; s == PF_OK && first < P; first = k->m->whole ? P : first + 1) {
        s = foretell(k, &rows, from, first, k->m->whole ? P : first + 1, err);
        const size_t scale = effect_scale_of(k->m, k->d, a->promotion[first]);
        const double factor = effect_belief_mean(&k->m->belief, scale);
        for (size_t i = 0; s == PF_OK && i < n; i++) {
            if (k->m->whole) part(k->ask, from + i, factor * k->effect[i], lift);
            else lift[(from + i) * P + first] = (float)(factor * k->effect[i]);
        }
    }
    data_rows_free(&rows);
    return s;
}

pf_status effect_score(const effect_model *m, const response_data *d, const effect_ask *ask,
                       float *lift, pf_error *err)
{
    asking k = {.m = m, .d = d, .ask = ask};
    const size_t S = ask->response.n_shoppers;
    pf_status s = check_ask(d, ask, err);
    if (s != PF_OK || S == 0) return s;
    if (m->choice.chosen == EFFECT_SHARE) {
        score_share(m, d, ask, lift);
        return PF_OK;
    }
    const size_t block = BLOCK_PAIRS / ask->response.n_promotions + 1;
    const size_t most = block < S ? block : S;
    s = effect_scope_new(&k.scope, d->world.catalogue, err);
    if (s == PF_OK) {
        k.x = mem_alloc(most, EFFECT_FEATURES * sizeof *k.x);
        k.effect = mem_alloc(most, sizeof *k.effect);
        if (!k.x || !k.effect) s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", most);
    }
    for (size_t from = 0; s == PF_OK && from < S; from += most)
        s = score_block(&k, from, S - from < most ? S - from : most, lift, err);
    mem_free(k.x);
    mem_free(k.effect);
    effect_scope_free(&k.scope);
    return s;
}
