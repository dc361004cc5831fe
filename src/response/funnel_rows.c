/*
 * One pass over each shopper's rows finds the messages, and what followed those that are kept;
 * features are then made for all messages of a day and campaign together.
 */
#include "response/funnel_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/memory.h"
#include "response/contacts.h"

enum { BLOCK_PAIRS = 200000 };

void funnel_rows_free(funnel_rows *r)
{
    mem_free(r->pair);
    mem_free(r->x);
    *r = (funnel_rows){.n = 0};
}

/* --- which message an event follows ------------------------------------------------- */

static uint32_t campaign_of(const shop_catalogue *c, const shop_history *h, uint64_t i)
{
    const uint32_t number = h->promotion[i];
    return h->campaign[i] != 0 || number == 0 ? h->campaign[i] : c->promotions[number].campaign;
}

static bool is_step(const shop_history *h, uint64_t i)
{
    if (h->type[i] == EVENT_CLICK) return true;
    return h->type[i] == EVENT_VIEW && (h->promotion[i] != 0 || h->campaign[i] != 0);
}

/* Whether the event may follow the exposure, but for time. */
static bool fits(const shop_catalogue *c, const shop_history *h, uint64_t event,
                 uint64_t exposure)
{
    const uint8_t said = h->channel[event], by = contact_channel(c, h, exposure);
    if (said > CHANNEL_NONE && said < CHANNEL_COUNT && by != CHANNEL_NONE && by != said)
        return false;
    if (h->promotion[event] != 0 && h->promotion[exposure] != 0)
        return h->promotion[event] == h->promotion[exposure];
    const uint32_t named = campaign_of(c, h, event);
    return named != 0 ? named == campaign_of(c, h, exposure) : h->promotion[event] == 0;
}

/* The row of the latest exposure that the event follows, or UINT64_MAX. */
static uint64_t exposure_of(const shop_catalogue *c, const shop_history *h, uint32_t who,
                            uint64_t event)
{
    const bool named = h->promotion[event] != 0 || h->campaign[event] != 0;
    const int64_t days = named ? FUNNEL_WINDOW_DAYS : CONTACT_DAYS;
    const int64_t from_us = h->time_us[event] - days * US_PER_DAY;
    for (uint64_t i = event; i-- > h->first[who] && h->time_us[i] > from_us;)
        if (h->type[i] == EVENT_EXPOSURE && fits(c, h, event, i)) return i;
    return UINT64_MAX;
}

/* --- what came of a message --------------------------------------------------------- */

static bool follows(const shop_catalogue *c, const shop_history *h, const funnel_pair *p,
                    uint64_t event)
{
    if (h->promotion[event] != 0 && h->promotion[event] != p->promotion) return false;
    const uint64_t i = exposure_of(c, h, p->shopper, event);
    return i != UINT64_MAX && h->time_us[i] == p->time_us &&
           contact_channel(c, h, i) == p->channel &&
           campaign_of(c, h, i) == c->promotions[p->promotion].campaign;
}

static void find_steps(const response_data *d, funnel_pair *p)
{
    const shop_catalogue *c = d->world.catalogue;
    const shop_history *h = d->world.history;
    const int64_t end_us = p->time_us + FUNNEL_WINDOW_DAYS * US_PER_DAY;
    for (uint64_t i = history_before(h, p->shopper, p->time_us);
         i < h->first[p->shopper + 1] && h->time_us[i] < end_us; i++) {
        if (!is_step(h, i) || !follows(c, h, p, i)) continue;
        p->took[FUNNEL_VIEW] = 1;
        if (h->type[i] == EVENT_CLICK) p->took[FUNNEL_CLICK] = 1;
    }
}

/* Whether something of the scope that is marked was bought: scopes are long, and asked of once. */
static uint8_t bought(const shop_history *h, const effect_scope *k, const funnel_pair *p)
{
    const int64_t end_us = p->time_us + FUNNEL_WINDOW_DAYS * US_PER_DAY;
    for (uint64_t i = history_before(h, p->shopper, p->time_us);
         i < h->first[p->shopper + 1] && h->time_us[i] < end_us; i++)
        if (h->type[i] == EVENT_PURCHASE && h->product[i] != 0 &&
            (k->everything || k->covered[h->product[i]]))
            return 1;
    return 0;
}

/* --- messages ----------------------------------------------------------------------- */

typedef struct gathering {
    const response_data *d;
    const offer_groups *groups;
    int64_t until_us;
    uint64_t seen, all, most; /* messages x promotions: so far, in all, wanted */
    funnel_rows *into;        /* NULL: counted alone */
} gathering;

/* Of `all`, every so many-th, evenly. */
static bool is_taken(const gathering *g, uint64_t at)
{
    if (g->all <= g->most) return true;
    const double step = (double)g->most / (double)g->all;
    return floor((double)(at + 1) * step) > floor((double)at * step);
}

static void take_pair(gathering *g, uint32_t who, uint64_t row, uint32_t number)
{
    const response_world *w = &g->d->world;
    const uint64_t at = g->seen++;
    if (g->into == NULL || !is_taken(g, at) || g->into->n >= g->most) return;
    funnel_pair *p = &g->into->pair[g->into->n++];
    *p = (funnel_pair){.time_us = w->history->time_us[row],
                       .day_us = calendar_midnight_us(w->history->time_us[row], w->zone),
                       .shopper = who,
                       .promotion = number,
                       .group = g->groups->of_promotion[number],
                       .channel = contact_channel(w->catalogue, w->history, row)};
    find_steps(g->d, p);
}

/* Whether an earlier row of the same instant says the same. */
static bool is_repeated(const shop_history *h, uint64_t first, uint64_t row)
{
    for (uint64_t i = row; i-- > first && h->time_us[i] == h->time_us[row];)
        if (h->type[i] == EVENT_EXPOSURE && h->promotion[i] == h->promotion[row] &&
            h->campaign[i] == h->campaign[row] && h->channel[i] == h->channel[row])
            return true;
    return false;
}

/* An exposure to a campaign shows all its promotions. */
static void take_exposure(gathering *g, uint32_t who, uint64_t row)
{
    const shop_history *h = g->d->world.history;
    const uint32_t number = h->promotion[row];
    const uint32_t group = number ? g->groups->of_promotion[number]
                                  : g->groups->of_campaign[h->campaign[row]];
    if (group == OFFER_NO_GROUP || is_repeated(h, h->first[who], row)) return;
    const offer_group *own = &g->groups->group[group];
    if (number != 0) {
        take_pair(g, who, row, number);
        return;
    }
    for (uint32_t k = 0; k < own->n_promotions; k++)
        take_pair(g, who, row, own->promotion[k]);
}

static void gather(gathering *g)
{
    const shop_history *h = g->d->world.history;
    const int64_t window_us = FUNNEL_WINDOW_DAYS * US_PER_DAY;
    g->seen = 0;
    for (uint32_t who = 1; who <= h->n_shoppers; who++)
        for (uint64_t i = h->first[who];
             i < h->first[who + 1] && h->time_us[i] <= g->until_us - window_us; i++)
            if (h->type[i] == EVENT_EXPOSURE) take_exposure(g, who, i);
}

/* --- features ----------------------------------------------------------------------- */

typedef struct taken {
    double sent, views, clicks;
} taken;

static float share_of(double took, double sent)
{
    return (float)log((took + 0.3) / (sent + 3));
}

static void own_features(const response_data *d, uint32_t who, channel by, int64_t at_us,
                         float *out)
{
    const shop_catalogue *c = d->world.catalogue;
    const shop_history *h = d->world.history;
    taken all = {0, 0, 0}, own = {0, 0, 0};
    for (uint64_t i = h->first[who], end = history_before(h, who, at_us); i < end; i++) {
        const bool shown = h->type[i] == EVENT_EXPOSURE && !is_repeated(h, h->first[who], i);
        const uint64_t of = is_step(h, i) ? exposure_of(c, h, who, i) : i;
        if (of == UINT64_MAX || !(shown || is_step(h, i))) continue;
        const bool here = contact_channel(c, h, of) == (uint8_t)by;
        const taken one = {shown, !shown, h->type[i] == EVENT_CLICK};
        all = (taken){all.sent + one.sent, all.views + one.views, all.clicks + one.clicks};
        if (here)
            own = (taken){own.sent + one.sent, own.views + one.views, own.clicks + one.clicks};
    }
    *out++ = (float)log1p(all.sent);
    *out++ = share_of(all.views, all.sent);
    *out++ = share_of(all.clicks, all.sent);
    *out++ = (float)log1p(own.sent);
    *out++ = share_of(own.views, own.sent);
    *out = share_of(own.clicks, own.sent);
}

/* Pair (row, place) of rows that were made; the promotion's scope is marked. */
static void features_of(funnel_making *k, const response_rows *rows, const response_question *q,
                        size_t row, size_t place, channel by, float *x)
{
    const response_data *d = k->d;
    const uint32_t who = q->shopper[row], *offer = q->promotion + place;
    const int64_t end_us = effect_window_end(d, offer, 1, q->at_us);
    const double days = (double)(end_us - q->at_us) / (double)US_PER_DAY;
    float of_offer[EFFECT_OFFER_FEATURES];
    const effect_own own = effect_own_of(rows, row, place, place + 1,
                                         effect_past_day(d, &k->scope, who, q->at_us));
    effect_offer_features(d->world.catalogue, &k->view, offer, 1, days, of_offer);
    effect_features(&k->view, rows->any + row * RESPONSE_ANY_FEATURES, &own, of_offer, by, x);
    memcpy(x + EFFECT_FEATURES,
           rows->which + (row * q->n_promotions + place) * RESPONSE_WHICH_FEATURES,
           RESPONSE_WHICH_FEATURES * sizeof *x);
    own_features(d, who, by, q->at_us, x + EFFECT_FEATURES + RESPONSE_WHICH_FEATURES);
}

pf_status funnel_features(funnel_making *k, const response_question *q, channel by, float *x,
                          pf_error *err)
{
    response_rows rows;
    pf_status s = response_rows_make(k->d->maker, q, k->d->world.pool, &rows, err);
    if (s != PF_OK) return s;
    for (size_t place = 0; place < q->n_promotions; place++) {
        effect_scope_mark(&k->scope, q->promotion + place, 1);
        for (size_t row = 0; row < q->n_shoppers; row++)
            features_of(k, &rows, q, row, place, by,
                        x + (row * q->n_promotions + place) * FUNNEL_FEATURES);
        effect_scope_clear(&k->scope, q->promotion + place, 1);
    }
    response_rows_free(&rows);
    return PF_OK;
}

/* --- batches ------------------------------------------------------------------------ */

#define ORDER(a, b) if ((a) != (b)) return (a) < (b) ? -1 : 1

static int by_batch(const void *a, const void *b)
{
    const funnel_pair *x = a, *y = b;
    ORDER(x->day_us, y->day_us);
    ORDER(x->group, y->group);
    ORDER(x->shopper, y->shopper);
    ORDER(x->promotion, y->promotion);
    ORDER(x->time_us, y->time_us);
    ORDER(x->channel, y->channel);
    return 0;
}

static size_t end_of_batch(const funnel_rows *r, size_t from)
{
    size_t to = from;
    while (to < r->n && r->pair[to].day_us == r->pair[from].day_us &&
           r->pair[to].group == r->pair[from].group)
        to++;
    return to;
}

/* Keeps evenly some of the batches where there are too many moments. */
static void thin(funnel_rows *r)
{
    size_t batches = 0, kept = 0, at = 0;
    for (size_t from = 0; from < r->n; from = end_of_batch(r, from))
        batches++;
    if (batches <= FUNNEL_MOST_MOMENTS) return;
    for (size_t from = 0, to; from < r->n; from = to, at++) {
        to = end_of_batch(r, from);
        if ((at + 1) * FUNNEL_MOST_MOMENTS / batches == at * FUNNEL_MOST_MOMENTS / batches)
            continue;
        memmove(r->pair + kept, r->pair + from, (to - from) * sizeof *r->pair);
        kept += to - from;
    }
    r->n = kept;
}

/* Pairs from..to of one group and day, whose shoppers are those asked about. */
static pf_status add_block(funnel_rows *r, funnel_making *k, const response_question *q,
                           size_t from, size_t to, pf_error *err)
{
    response_rows rows;
    pf_status s = response_rows_make(k->d->maker, q, k->d->world.pool, &rows, err);
    if (s != PF_OK) return s;
    for (size_t place = 0; place < q->n_promotions; place++) {
        size_t row = 0;
        effect_scope_mark(&k->scope, q->promotion + place, 1);
        for (size_t i = from; i < to; i++) {
            funnel_pair *p = &r->pair[i];
            while (q->shopper[row] != p->shopper)
                row++;
            if (p->promotion != q->promotion[place]) continue;
            features_of(k, &rows, q, row, place, (channel)p->channel, r->x + i * FUNNEL_FEATURES);
            p->took[FUNNEL_CONVERT] = bought(k->d->world.history, &k->scope, p);
        }
        effect_scope_clear(&k->scope, q->promotion + place, 1);
    }
    response_rows_free(&rows);
    return PF_OK;
}

static pf_status fill(funnel_rows *r, funnel_making *k, uint32_t *who, pf_error *err)
{
    const offer_groups *groups = response_rows_groups(k->d->maker);
    pf_status s = PF_OK;
    for (size_t from = 0, to; s == PF_OK && from < r->n; from = to) {
        const offer_group *g = &groups->group[r->pair[from].group];
        const size_t end = end_of_batch(r, from), most = BLOCK_PAIRS / g->n_promotions + 1;
        size_t n = 0;
        for (to = from; to < end; to++) {
            const bool same = n > 0 && who[n - 1] == r->pair[to].shopper;
            if (!same && n == most) break;
            if (!same) who[n++] = r->pair[to].shopper;
        }
        const response_question q = {g->promotion, g->n_promotions, who, n, r->pair[from].day_us};
        s = add_block(r, k, &q, from, to, err);
    }
    return s;
}

/* --- all ---------------------------------------------------------------------------- */

pf_status funnel_rows_make(funnel_rows *r, funnel_making *k, int64_t until_us, size_t most,
                           pf_error *err)
{
    gathering g = {.d = k->d, .groups = response_rows_groups(k->d->maker), .until_us = until_us,
                   .most = most};
    uint32_t *who = NULL;
    pf_status s = PF_OK;
    gather(&g);
    g.all = g.seen;
    g.into = r;
    const size_t room = g.all < most ? (size_t)g.all : most;
    *r = (funnel_rows){.messages = (size_t)g.all};
    r->pair = mem_alloc(room + 1, sizeof *r->pair);
    r->x = mem_alloc(room + 1, FUNNEL_FEATURES * sizeof *r->x);
    who = mem_alloc(room + 1, sizeof *who);
    if (r->pair == NULL || r->x == NULL || who == NULL) {
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu messages", room);
        goto done;
    }
    gather(&g);
    qsort(r->pair, r->n, sizeof *r->pair, by_batch);
    thin(r);
    s = fill(r, k, who, err);
done:
    mem_free(who);
    if (s != PF_OK) funnel_rows_free(r);
    return s;
}
