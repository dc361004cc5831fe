/*
 * Fitting: learners on everything that had ended, and the verdict from the last campaigns
 * of the chain. Scoring: rows as of the moment, in blocks of shoppers so that a large
 * audience does not need all its rows at once.
 */
#include "response/response.h"

#include <string.h>

#include "base/memory.h"
#include "response/model.h"
#include "response/running.h"
#include "response/split.h"

/* Rows of pairs made at once. */
enum { SCORE_PAIRS = 2000000 };

response_options response_options_default(void)
{
    return (response_options){.learner = RESPONSE_AUTO, .seed = 1};
}

void response_free(response_model *m)
{
    if (m == NULL)
        return;
    learners_free(&m->l);
    correction_free(&m->c);
    mem_free(m);
}

/* --- fitting ---------------------------------------------------------------------- */

pf_status response_fit(const response_data *d, int64_t until_us, const response_options *o,
                       response_model **out, pf_error *err)
{
    learners_want want = judge_wants(o->learner, o->seed);
    chain c = {.n = 0};
    size_t from, to;
    response_model *m = mem_alloc_zero(1, sizeof *m);
    *out = NULL;
    if (m == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for a response model");
    m->until_us = until_us;
    want.threads = d->world.pool ? (int)pool_threads(d->world.pool) : 1;
    judge_range(d, until_us, &from, &to);
    pf_status s = learners_fit(&m->l, d, until_us, &want, err);
    if (s == PF_OK)
        s = chain_make(&c, d, from, to, &want, d->world.pool, err);
    if (s == PF_OK)
        s = judge(&m->v, &c, d, until_us, o->learner, err);
    if (s == PF_OK)
        s = correction_fit(&m->c, &m->v, &c, d, until_us, err);
    if (s == PF_OK)
        s = running_add(m, d, until_us, err);
    chain_free(&c);
    if (s != PF_OK) {
        response_free(m);
        return s;
    }
    *out = m;
    return PF_OK;
}

/* --- scoring ---------------------------------------------------------------------- */

void response_scores_free(response_scores *s)
{
    mem_free(s->any);
    *s = (response_scores){.any = NULL};
}

pf_status model_fits(const response_model *m, const response_data *d, pf_error *err)
{
    if (m->l.width.any == d->width.any)
        return PF_OK;
    return error_set(err, PF_USAGE, "the response model was fitted %s an outlook on shoppers, "
                     "the data have %s; fit it on data like these",
                     m->l.width.any == DATA_MOST_ANY ? "with" : "without",
                     d->world.outlook ? "one" : "none");
}

pf_status model_check_ask(const response_data *d, const response_ask *ask,
                          pf_error *err)
{
    const offer_groups *g = response_rows_groups(d->maker);
    uint32_t promotions = d->world.catalogue->n_promotions;
    if (ask->n_promotions == 0 || ask->n_promotions > promotions)
        return error_set(err, PF_USAGE, "%zu promotions are asked about, there are %u",
                         ask->n_promotions, promotions);
    for (size_t k = 0; k < ask->n_promotions; k++) {
        uint32_t number = ask->promotion[k];
        if (number == 0 || number > promotions)
            return error_set(err, PF_NOT_FOUND, "there is no promotion number %u", number);
        if (g->of_promotion[number] != g->of_promotion[ask->promotion[0]])
            return error_set(err, PF_USAGE, "promotions of different campaigns are asked "
                             "about at once; they do not compete");
    }
    for (size_t i = 0; i < ask->n_shoppers; i++)
        if (ask->shopper[i] == 0 || ask->shopper[i] > d->world.history->n_shoppers)
            return error_set(err, PF_NOT_FOUND, "there is no shopper number %u",
                             ask->shopper[i]);
    return PF_OK;
}

static pf_status scores_new(const response_ask *ask, response_scores *out, pf_error *err)
{
    size_t pairs = 0, floats = 0;
    *out = (response_scores){.n_shoppers = ask->n_shoppers,
                             .n_promotions = ask->n_promotions};
    if (!size_multiply(ask->n_shoppers, ask->n_promotions, &pairs) ||
        !size_multiply(pairs, 3, &floats) || !size_add(floats, ask->n_shoppers + 1, &floats))
        return error_set(err, PF_LIMIT, "too many shoppers and promotions at once");
    out->any = mem_alloc(floats, sizeof *out->any);
    if (out->any == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu pairs", pairs);
    out->order = out->any + ask->n_shoppers;
    out->p = out->order + pairs;
    out->spend = out->p + pairs;
    return PF_OK;
}

pf_status model_any(const response_model *m, const data_rows *rows, float *any, pf_error *err)
{
    size_t S = rows->plain.n_shoppers;
    bool linear = m->v.chosen != RESPONSE_XGBOOST, trees = m->v.chosen != RESPONSE_LOGISTIC;
    float *said = mem_alloc_zero(2 * S + 1, sizeof *said);
    pf_status s = PF_OK;
    if (said == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu shoppers", S);
    if (linear)
        learners_logistic(&m->l, rows->any, S, said);
    if (trees)
        s = learners_trees(&m->l, rows->any, S, said + S, err);
    for (size_t i = 0; s == PF_OK && i < S; i++)
        any[i] = (float)verdict_any(&m->v, (double)said[i], (double)said[S + i]);
    mem_free(said);
    return s;
}

/* Shoppers from..: their places in the answer. */
static pf_status score_rows(const response_model *m, const data_rows *rows, size_t from,
                            const float *factor, response_scores *out, pf_error *err)
{
    size_t P = rows->plain.n_promotions;
    float *scratch = mem_alloc(P, (m->l.width.which + 1) * sizeof *scratch);
    if (scratch == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", P);
    pf_status s = model_any(m, rows, out->any + from, err);
    float *share = scratch + P * m->l.width.which;
    double uses = learners_uses(&m->l, P);
    for (size_t i = 0; s == PF_OK && i < rows->plain.n_shoppers; i++) {
        size_t at = (from + i) * P;
        learners_which(&m->l, rows->which + i * P * m->l.width.which, P, scratch,
                       out->order + at, share);
        split_uses((double)out->any[from + i], share, P, uses, out->p + at);
        correction_apply(&m->c, factor, P, &out->any[from + i], out->p + at);
        memcpy(out->spend + at, rows->plain.spend + i * P, P * sizeof *out->spend);
    }
    mem_free(scratch);
    return s;
}

static response_question question_of(const response_ask *ask, size_t from, size_t n)
{
    return (response_question){.promotion = ask->promotion,
                               .n_promotions = (uint32_t)ask->n_promotions,
                               .shopper = ask->shopper + from,
                               .n_shoppers = n,
                               .at_us = ask->at_us};
}

pf_status response_score(const response_model *m, const response_data *d,
                         const response_ask *ask, response_scores *out, pf_error *err)
{
    *out = (response_scores){.any = NULL};
    pf_status s = model_fits(m, d, err);
    if (s == PF_OK)
        s = model_check_ask(d, ask, err);
    if (s == PF_OK)
        s = scores_new(ask, out, err);
    float *factor = s == PF_OK ? mem_alloc(ask->n_promotions, sizeof *factor) : NULL;
    if (s == PF_OK && factor == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions",
                      ask->n_promotions);
    if (s == PF_OK)
        correction_factors(&m->c, d, ask->promotion, ask->n_promotions, factor);
    size_t most = s == PF_OK ? SCORE_PAIRS / ask->n_promotions + 1 : 1;
    for (size_t from = 0; s == PF_OK && from < ask->n_shoppers; from += most) {
        size_t left = ask->n_shoppers - from;
        response_question q = question_of(ask, from, left < most ? left : most);
        data_rows rows;
        s = data_rows_make(d, &q, &rows, err);
        if (s != PF_OK)
            break;
        s = score_rows(m, &rows, from, factor, out, err);
        data_rows_free(&rows);
    }
    mem_free(factor);
    if (s != PF_OK)
        response_scores_free(out);
    return s;
}

pf_status response_draws(const response_model *m, const response_data *d,
                         const response_ask *ask, size_t D, uint64_t seed,
                         uint64_t publication, draws *out, pf_error *err)
{
    *out = (draws){.draws = 0};
    pf_status s = model_check_ask(d, ask, err);
    if (s == PF_OK)
        s = draws_new(out, D, ask->n_promotions, seed, publication, err);
    for (size_t k = 0; s == PF_OK && k < ask->n_promotions; k++) {
        gamma_belief own = factors_own(&m->c.f, d->kinds.key[ask->promotion[k]]);
        for (size_t i = 0; i < D; i++) {
            random_stream r = draws_stream(out, i, ask->promotion[k]);
            out->value[i * out->width + k] = factors_draw(own, &r) / gamma_belief_mean(own);
        }
    }
    return s;
}
