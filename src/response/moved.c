/*
 * Trips are read from the shopper's rows, newest first; row 0 of the question is the whole past,
 * row i + 1 the past without trip i.
 */
#include "response/moved.h"

#include <math.h>

#include "base/memory.h"
#include "response/model.h"

/* Chances are told from 0 and 1 by this much before they become log-odds. */
static const double least_chance = 1e-9;

typedef struct moving {
    const response_model *m;
    const response_data *d;
    response_trip trip[RESPONSE_MOST_TRIPS];
    size_t n;
    uint32_t shopper[RESPONSE_MOST_TRIPS + 1]; /* the same one, for each row */
    response_gap gap[RESPONSE_MOST_TRIPS + 1];
    float logistic[RESPONSE_MOST_TRIPS + 1], trees[RESPONSE_MOST_TRIPS + 1];
} moving;

/* --- trips ------------------------------------------------------------------------ */

/* Lines of one order, and of all orders of one moment. */
static void find_trips(moving *g, uint32_t who, int64_t at_us)
{
    const shop_history *h = g->d->world.history;
    uint64_t newer = 0;
    for (uint64_t i = history_before(h, who, at_us); i-- > h->first[who];) {
        if (h->type[i] != EVENT_PURCHASE) continue;
        response_trip *last = g->n > 0 ? &g->trip[g->n - 1] : NULL;
        const bool same = last != NULL && (past_same_trip(h, i, newer) ||
                                           h->time_us[i] >= last->from_us);
        newer = i;
        if (same) {
            last->from_us = h->time_us[i];
            last->lines++;
            continue;
        }
        if (g->n == RESPONSE_MOST_TRIPS) return;
        g->trip[g->n++] = (response_trip){
            .from_us = h->time_us[i], .last_us = h->time_us[i], .lines = 1, .row = i};
    }
}

/* --- asking ----------------------------------------------------------------------- */

static double log_odds_of(const moving *g, size_t row)
{
    const double p = verdict_any(&g->m->v, (double)g->logistic[row], (double)g->trees[row]);
    const double cut = fmin(fmax(p, least_chance), 1 - least_chance);
    return log(cut / (1 - cut));
}

/* Whom the learners are asked about: the shopper as he is, and without each trip. */
static response_question question_of(moving *g, const response_ask *ask, uint32_t who)
{
    g->gap[0] = (response_gap){0, 0};
    g->shopper[0] = who;
    for (size_t i = 0; i < g->n; i++) {
        g->shopper[i + 1] = who;
        g->gap[i + 1] = (response_gap){g->trip[i].from_us, g->trip[i].last_us + 1};
    }
    return (response_question){.promotion = ask->promotion,
                               .n_promotions = (uint32_t)ask->n_promotions,
                               .shopper = g->shopper,
                               .n_shoppers = g->n + 1,
                               .at_us = ask->at_us};
}

static pf_status ask_learners(moving *g, const response_ask *ask, uint32_t who, pf_error *err)
{
    const response_learner chosen = g->m->v.chosen;
    const response_question q = question_of(g, ask, who);
    response_rows rows;
    pf_status s =
        response_rows_without(g->d->maker, &q, g->gap, g->d->world.pool, &rows, err);
    if (s != PF_OK) return s;
    if (chosen != RESPONSE_XGBOOST)
        learners_logistic(&g->m->l, rows.any, q.n_shoppers, g->logistic);
    if (chosen != RESPONSE_LOGISTIC)
        s = learners_trees(&g->m->l, rows.any, q.n_shoppers, g->trees, err);
    response_rows_free(&rows);
    for (size_t i = 0; s == PF_OK && i < g->n; i++)
        g->trip[i].change = log_odds_of(g, 0) - log_odds_of(g, i + 1);
    return s;
}

/* --- the answer ------------------------------------------------------------------- */

/* Trips come newest first; one moves in front of another only if it changes more. */
static size_t take_largest(const moving *g, response_trip *trips, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < g->n; i++) {
        const double size = fabs(g->trip[i].change);
        size_t at = found;
        for (; at > 0 && size > fabs(trips[at - 1].change); at--)
            if (at < n) trips[at] = trips[at - 1];
        if (at == n || !(size > 0)) continue;
        trips[at] = g->trip[i];
        found += found < n;
    }
    return found;
}

static pf_status check(const response_model *m, const response_data *d, const response_ask *ask,
                       size_t who, pf_error *err)
{
    if (who >= ask->n_shoppers || ask->n_promotions == 0 ||
        ask->shopper[who] == 0 || ask->shopper[who] > d->world.history->n_shoppers)
        return error_set(err, PF_USAGE, "there is no shopper %zu in the question", who);
    for (size_t k = 0; k < ask->n_promotions; k++)
        if (ask->promotion[k] == 0 || ask->promotion[k] > d->world.catalogue->n_promotions)
            return error_set(err, PF_USAGE, "there is no promotion number %u",
                             ask->promotion[k]);
    if (m->l.width.any == data_width_of(false).any && d->world.outlook == NULL) return PF_OK;
    return error_set(err, PF_UNAVAILABLE,
                     "what a trip moved is not told by a model with an outlook on shoppers");
}

pf_status response_moved(const response_model *m, const response_data *d, const response_ask *ask,
                         size_t who, response_trip *trips, size_t n, size_t *found,
                         pf_error *err)
{
    *found = 0;
    pf_status s = check(m, d, ask, who, err);
    if (s != PF_OK) return s;
    moving *g = mem_alloc_zero(1, sizeof *g);
    if (g == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a question");
    g->m = m;
    g->d = d;
    find_trips(g, ask->shopper[who], ask->at_us);
    if (g->n > 0) s = ask_learners(g, ask, ask->shopper[who], err);
    if (s == PF_OK) *found = take_largest(g, trips, n);
    mem_free(g);
    return s;
}
