/*
 * Rows of a log of decisions: for each promotion that could have been sent and each decision that
 * sent it or sent nothing. A decision that sent another says nothing of it. Given that it was
 * one or the other, the chance of having been sent it is e / (e + e0), e its propensity and e0
 * that of nothing. Features are as of the midnight before, so that the decisions of a day are
 * asked about together; where there is a holdout, which is for good, as of the log's first day.
 */
#include <math.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"
#include "response/effect_rows.h"

enum { SAMPLE_STREAM = 21 };

static const double sum_slack = 1e-6;

/* --- what a log may say ------------------------------------------------------------ */

static bool is_share(double x)
{
    return x >= 0 && x <= 1;
}

static pf_status check_candidates(const response_data *d, const effect_logged *e, size_t at,
                                  pf_error *err)
{
    double most = e->propensity_none;
    if (e->n_candidates > LIMIT_EFFECT_CANDIDATES)
        return error_set(err, PF_LIMIT, "decision %zu of the log has %zu candidates; %u are the "
                         "most", at, e->n_candidates, LIMIT_EFFECT_CANDIDATES);
    for (size_t i = 0; i < e->n_candidates; i++) {
        const effect_option *c = &e->candidate[i];
        if (c->promotion == 0 || c->promotion > d->world.catalogue->n_promotions)
            return error_set(err, PF_DATA, "decision %zu of the log has candidate %u, which is no "
                             "promotion", at, c->promotion);
        if (!is_share(c->propensity))
            return error_set(err, PF_DATA, "decision %zu of the log gives promotion %u the "
                             "propensity %g: it must be between 0 and 1", at, c->promotion,
                             c->propensity);
        if ((unsigned)c->channel >= CHANNEL_COUNT)
            return error_set(err, PF_DATA, "decision %zu of the log has an unknown channel", at);
        most = fmax(most, c->propensity);
    }
    if (!(most > 0))
        return error_set(err, PF_DATA, "decision %zu of the log gives nothing any chance: were "
                         "propensities written?", at);
    return PF_OK;
}

/* What was sent, among the candidates; NULL when it is not there. */
static const effect_option *what_was_sent(const effect_logged *e)
{
    for (size_t i = 0; i < e->n_candidates; i++)
        if (e->candidate[i].promotion == e->promotion && e->candidate[i].channel == e->channel)
            return &e->candidate[i];
    return NULL;
}

static pf_status check_entry(const response_data *d, const effect_logged *e, size_t at,
                             pf_error *err)
{
    if (e->shopper == 0 || e->shopper > d->world.history->n_shoppers)
        return error_set(err, PF_DATA, "decision %zu of the log is about shopper %u, whom nobody "
                         "knows", at, e->shopper);
    if (!is_share(e->propensity_none))
        return error_set(err, PF_DATA, "decision %zu of the log gives nothing the propensity %g: "
                         "it must be between 0 and 1", at, e->propensity_none);
    pf_status s = check_candidates(d, e, at, err);
    if (s != PF_OK) return s;
    if (e->holdout && e->promotion != 0)
        return error_set(err, PF_DATA, "decision %zu of the log sent promotion %u to a shopper of "
                         "the holdout", at, e->promotion);
    if (e->promotion == 0 && !(e->propensity_none > 0))
        return error_set(err, PF_DATA, "decision %zu of the log sent nothing, which had no chance",
                         at);
    if (e->promotion == 0) return PF_OK;
    const effect_option *sent = what_was_sent(e);
    if (sent == NULL || !(sent->propensity > 0))
        return error_set(err, PF_DATA, "decision %zu of the log sent promotion %u, which was no "
                         "candidate by that channel, or had no chance", at, e->promotion);
    if (sent->propensity + e->propensity_none > 1 + sum_slack)
        return error_set(err, PF_DATA, "decision %zu of the log: the chances of what was sent and "
                         "of nothing are %g and %g, more than 1 together", at, sent->propensity,
                         e->propensity_none);
    return PF_OK;
}

/* --- pairs ------------------------------------------------------------------------- */

typedef struct reading {
    effect_making *k;
    const offer_groups *groups;
    effect_pair *pair;
    size_t n;
    int64_t sticky_us; /* the first decision of a log with a holdout; else INT64_MAX */
    effect_left_out left;
} reading;

/* Counts where there is no room yet. */
static void take(reading *l, const effect_logged *e, const effect_option *c)
{
    const response_data *d = l->k->d;
    const promotion *p = &d->world.catalogue->promotions[c->promotion];
    if (p->starts_us != TIME_ABSENT && e->time_us < p->starts_us) return;
    if (l->pair == NULL) {
        l->n++;
        return;
    }
    l->pair[l->n++] = (effect_pair){
        .time_us = e->time_us,
        .day_us = calendar_midnight_us(e->time_us < l->sticky_us ? e->time_us : l->sticky_us,
                                       d->world.zone),
        .chance = c->propensity / (c->propensity + e->propensity_none),
        .shopper = e->shopper,
        .promotion = c->promotion,
        .group = l->groups->of_promotion[c->promotion],
        .channel = (uint8_t)c->channel,
        .sent = e->promotion != 0};
}

static void take_entry(reading *l, const effect_logged *e)
{
    if (e->promotion != 0) {
        if (e->propensity_none > 0) take(l, e, what_was_sent(e));
        else l->left.alone++;
        return;
    }
    for (size_t i = 0; i < e->n_candidates; i++)
        if (e->candidate[i].propensity > 0) take(l, e, &e->candidate[i]);
}

/* Where there are too many pairs, decisions are kept by lot: all of a decision, or none. */
static void take_all(reading *l, double share)
{
    const effect_options *o = l->k->o;
    for (size_t i = 0; i < o->n_log; i++) {
        uint32_t words[4];
        random_block(o->seed, SAMPLE_STREAM, i, words);
        if (o->log[i].time_us < l->k->until_us && words[0] <= share * UINT32_MAX)
            take_entry(l, &o->log[i]);
    }
}

#define ORDER(a, b) if ((a) != (b)) return (a) < (b) ? -1 : 1

static int by_batch(const void *a, const void *b)
{
    const effect_pair *x = a, *y = b;
    ORDER(x->day_us, y->day_us);
    ORDER(x->group, y->group);
    ORDER(x->shopper, y->shopper);
    ORDER(x->promotion, y->promotion);
    ORDER(x->time_us, y->time_us);
    ORDER(x->channel, y->channel);
    ORDER(x->sent, y->sent);
    ORDER(x->chance, y->chance);
    return 0;
}

/* The first decision, if any that counts was held out. */
static int64_t find_sticky(const effect_options *o, int64_t until_us)
{
    bool sticky = false;
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < o->n_log; i++) {
        if (o->log[i].time_us >= until_us) continue;
        sticky |= o->log[i].holdout;
        if (o->log[i].time_us < first) first = o->log[i].time_us;
    }
    return sticky ? first : INT64_MAX;
}

static pf_status read_log(reading *l, size_t most, pf_error *err)
{
    take_all(l, 1);
    const size_t n = l->n;
    const double share = n > most ? 0.95 * (double)most / (double)n : 1;
    l->n = 0;
    l->left = (effect_left_out){0};
    if (n == 0) return PF_OK;
    l->pair = mem_alloc(n, sizeof *l->pair);
    if (l->pair == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu decisions", n);
    take_all(l, share);
    l->left.sampled = n - l->n;
    qsort(l->pair, l->n, sizeof *l->pair, by_batch);
    return PF_OK;
}

/* --- batches ----------------------------------------------------------------------- */

static size_t end_of_batch(const reading *l, size_t from)
{
    size_t to = from;
    while (to < l->n && l->pair[to].day_us == l->pair[from].day_us &&
           l->pair[to].group == l->pair[from].group)
        to++;
    return to;
}

/* The first pair of the newest batches that are not too many. */
static size_t skip_old(const reading *l)
{
    size_t batches = 0, at = 0;
    for (size_t from = 0; from < l->n; from = end_of_batch(l, from))
        batches++;
    for (; batches > EFFECT_MOST_MOMENTS; batches--)
        at = end_of_batch(l, at);
    return at;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* unit [promotions + 1]: 0 where it has none yet, else the unit and one. */
static pf_status add_batch(effect_rows *r, reading *l, size_t from, size_t to, uint32_t *unit,
                           pf_error *err)
{
    size_t n = 0, different = 0;
    uint32_t *offers = mem_alloc(to - from, sizeof *offers);
    if (offers == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory for %zu decisions", to - from);
    for (size_t i = from; i < to; i++) {
        effect_pair *p = &l->pair[i];
        offers[n++] = p->promotion;
        if (unit[p->promotion] == 0) unit[p->promotion] = (uint32_t)++r->units;
        p->unit = unit[p->promotion] - 1;
    }
    qsort(offers, n, sizeof *offers, by_number);
    for (size_t i = 0; i < n; i++)
        if (different == 0 || offers[different - 1] != offers[i])
            offers[different++] = offers[i];
    const effect_batch b = {offers, different, l->pair[from].day_us, l->pair + from, to - from};
    pf_status s = effect_rows_add(r, l->k, &b, err);
    mem_free(offers);
    return s;
}

pf_status effect_rows_of_log(effect_rows *r, effect_making *k, pf_error *err)
{
    const effect_options *o = k->o;
    reading l = {.k = k, .groups = response_rows_groups(k->d->maker),
                 .sticky_us = find_sticky(o, k->until_us)};
    pf_status s = PF_OK;
    uint32_t *unit = mem_alloc_zero((size_t)k->d->world.catalogue->n_promotions + 1, sizeof *unit);
    if (unit == NULL) return error_set(err, PF_NO_MEMORY, "no memory for promotions");
    r->by_lot = true;
    r->sticky = l.sticky_us != INT64_MAX;
    for (size_t i = 0; s == PF_OK && i < o->n_log; i++)
        s = check_entry(k->d, &o->log[i], i, err);
    if (s == PF_OK) s = read_log(&l, r->room, err);
    r->left.alone += l.left.alone;
    r->left.sampled += l.left.sampled;
    size_t to, first = s == PF_OK ? skip_old(&l) : 0;
    r->left.sampled += first;
    for (size_t from = first; s == PF_OK && from < l.n; from = to) {
        to = end_of_batch(&l, from);
        s = add_batch(r, &l, from, to, unit, err);
    }
    mem_free(l.pair);
    mem_free(unit);
    return s;
}
