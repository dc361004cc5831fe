/* The scores of models that knew nothing of the test period, as targets of the comparison. */
#include "engine/past_policies.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/test_period.h"

enum { NOBODY, EVERYBODY, BY_CHANCE, BY_RESPONSE, BY_UPLIFT, POLICIES };
enum { MOST_SCORES = 4000000 };

typedef struct past_run {
    proffer *p;
    const policy *how;
    learned learned;
    effect_model *effect; /* NULL where nothing can be said */
    int64_t from_us;
    policies_past_options options;
    response_rows_maker *maker;
    policies_past_rows rows;
    double *score[2]; /* [n] by response, by uplift */
    double *send[POLICIES];
} past_run;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for past campaigns");
}

/* --- models as of the test's start --------------------------------------------------- */

static pf_status fit_models(past_run *r, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    const effect_options o = foreseen_effect_options(r->how);
    pf_status s = learned_open(&r->learned, r->p, err);
    if (s == PF_OK) s = learned_fit(&r->learned, r->from_us, 1, err);
    if (s != PF_OK) return s;
    s = effect_fit(&r->effect, r->learned.data, r->from_us, &o, &why);
    if (s == PF_DATA) {
        log_line(LOG_INFO, "no policy by uplift: %s", why.message);
        return PF_OK;
    }
    return s == PF_OK ? s : error_pass(err, &why);
}

/* --- scores --------------------------------------------------------------------------- */

/* The rows of one campaign, and the question about its shoppers. */
typedef struct past_campaign {
    size_t *row;
    uint32_t *shopper, *promotion;
    size_t n, n_promotions;
} past_campaign;

static void list_campaign(const past_run *r, uint32_t number, past_campaign *k)
{
    const shop_catalogue *c = r->p->catalogue;
    k->n = k->n_promotions = 0;
    for (size_t i = 0; i < r->rows.n; i++) {
        if (r->rows.campaign[i] != number) continue;
        k->row[k->n] = i;
        k->shopper[k->n++] = r->rows.shopper[i];
    }
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        if (c->promotions[i].campaign == number) k->promotion[k->n_promotions++] = i;
}

static pf_status score_lift(past_run *r, const past_campaign *k, const response_ask *ask,
                            const response_scores *scores, pf_error *err)
{
    size_t n = k->n * k->n_promotions;
    float *lift = mem_alloc(n + 1, sizeof *lift);
    if (lift == NULL) return no_memory(err);
    effect_ask question = {
        .response = *ask, .p_redeem = scores->p, .spend_minor = scores->spend};
    pf_status s = effect_score(r->effect, r->learned.data, &question, lift, err);
    for (size_t i = 0; s == PF_OK && i < k->n; i++) {
        double sum = 0;
        for (size_t j = 0; j < k->n_promotions; j++)
            sum += (double)lift[i * k->n_promotions + j];
        r->score[1][k->row[i]] = sum;
    }
    mem_free(lift);
    return s;
}

static pf_status score_slice(past_run *r, uint32_t number, const past_campaign *k, pf_error *err)
{
    response_scores scores = {0};
    response_ask ask = {.campaign = number,
                        .promotion = k->promotion,
                        .n_promotions = k->n_promotions,
                        .shopper = k->shopper,
                        .n_shoppers = k->n,
                        .at_us = r->p->catalogue->campaigns[number].starts_us};
    pf_status s = response_score(r->learned.model, r->learned.data, &ask, &scores, err);
    for (size_t i = 0; s == PF_OK && i < k->n; i++)
        r->score[0][k->row[i]] = (double)scores.any[i];
    if (s == PF_OK && r->effect != NULL) s = score_lift(r, k, &ask, &scores, err);
    response_scores_free(&scores);
    return s;
}

/* So many shoppers at a time that their scores fit. */
static pf_status score_campaign(past_run *r, uint32_t number, past_campaign *k, pf_error *err)
{
    pf_status s = PF_OK;
    list_campaign(r, number, k);
    if (k->n == 0 || k->n_promotions == 0) return PF_OK;
    const size_t most = MOST_SCORES / k->n_promotions + 1;
    for (size_t at = 0; s == PF_OK && at < k->n; at += most) {
        const past_campaign slice = {.row = k->row + at,
                                     .shopper = k->shopper + at,
                                     .promotion = k->promotion,
                                     .n = k->n - at < most ? k->n - at : most,
                                     .n_promotions = k->n_promotions};
        s = score_slice(r, number, &slice, err);
    }
    return s;
}

static pf_status score_all(past_run *r, pf_error *err)
{
    const shop_catalogue *c = r->p->catalogue;
    past_campaign k = {
        .row = mem_alloc(r->rows.n + 1, sizeof *k.row),
        .shopper = mem_alloc(r->rows.n + 1, sizeof *k.shopper),
        .promotion = mem_alloc((size_t)c->n_promotions + 1, sizeof *k.promotion)};
    for (int i = 0; i < 2; i++)
        r->score[i] = mem_alloc_zero(r->rows.n + 1, sizeof *r->score[i]);
    bool all = k.row && k.shopper && k.promotion && r->score[0] && r->score[1];
    pf_status s = all ? PF_OK : no_memory(err);
    for (uint32_t i = 1; s == PF_OK && i <= c->n_campaigns; i++)
        s = score_campaign(r, i, &k, err);
    mem_free(k.row);
    mem_free(k.shopper);
    mem_free(k.promotion);
    return s;
}

/* --- targets -------------------------------------------------------------------------- */

static pf_status make_targets(past_run *r, pf_error *err)
{
    const double shares[POLICIES] = {0, 1, NAN, NAN, NAN};
    pf_status s = PF_OK;
    for (int i = 0; s == PF_OK && i < POLICIES; i++) {
        const double *score = i == BY_RESPONSE ? r->score[0] : i == BY_UPLIFT ? r->score[1] : NULL;
        r->send[i] = mem_alloc(r->rows.n + 1, sizeof *r->send[i]);
        if (r->send[i] == NULL) return no_memory(err);
        s = policies_past_top(&r->rows, score, shares[i], r->send[i], err);
    }
    return s;
}

static pf_status compare(past_run *r, policies_result *out, pf_error *err)
{
    static const char *const names[POLICIES] = {"nobody", "everybody", "as many, by chance",
                                                "as many, by response", "as many, by uplift"};
    policies_past_target who[POLICIES];
    size_t n = 0;
    for (int i = 0; i < POLICIES; i++)
        if (i != BY_UPLIFT || r->effect != NULL)
            who[n++] = (policies_past_target){names[i], r->send[i]};
    return policies_past_compare(r->p->catalogue, r->p->history, &r->rows, who, n, &r->options,
                                 out, err);
}

static pf_status collect(past_run *r, const policies_options *o, pf_error *err)
{
    r->options = policies_past_options_default();
    r->options.reward = o->reward;
    r->options.margin_rate = o->margin_rate;
    r->options.from_us = r->from_us;
    r->options.until_us = o->until_us;
    r->options.plan = o->plan;
    r->options.plan.estimator = policies_past_options_default().plan.estimator;
    r->options.seed = o->plan.seed;
    for (int by = 1; by < CHANNEL_COUNT; by++)
        if (r->how->channels & 1u << by)
            r->options.contact_minor =
                fmax(r->options.contact_minor, r->how->channel[by].contact_cost_minor);
    pf_status s = response_rows_maker_new(r->p->catalogue, r->p->history, r->p->zone, &r->maker,
                                          err);
    return s == PF_OK
               ? policies_past_collect(r->maker, r->p->history, &r->options, &r->rows, err)
               : s;
}

pf_status past_policies_compare(proffer *p, const policy *how, const policies_options *o,
                                const char *since, policies_result *out, pf_error *err)
{
    past_run r = {.p = p, .how = how, .learned = {.p = p}};
    pf_status s = test_period_start(p, since, &r.from_us, err);
    if (s == PF_OK) s = collect(&r, o, err);
    if (s == PF_OK) s = fit_models(&r, err);
    if (s == PF_OK) s = score_all(&r, err);
    if (s == PF_OK) s = make_targets(&r, err);
    if (s == PF_OK) s = compare(&r, out, err);
    for (int i = 0; i < POLICIES; i++)
        mem_free(r.send[i]);
    mem_free(r.score[0]);
    mem_free(r.score[1]);
    effect_free(r.effect);
    policies_past_rows_free(&r.rows);
    response_rows_maker_free(r.maker);
    learned_close(&r.learned);
    return s;
}
