/*
 * Rows of past campaigns: who was sent one beside who was not, as of its start. Whoever is
 * compared was awake then. Where every exposure of a campaign carries one and the same
 * propensity, and as many were exposed as it says, the others were left out by lot; otherwise
 * somebody chose, and chances must be estimated.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "response/effect_rows.h"

enum { MOST_LOOKED_AT = 100000, SENT = 1, LATE = 2 };

static const double same_propensity = 1e-3, uneven_deviations = 4;
/* Lots drawn anew make the count of what a shopper is sent vary as a binomial does. */
static const double sticky_ratio = 1.25, sticky_deviations = 4;

typedef struct looking {
    effect_making *k;
    const offer_groups *groups;
    uint32_t *usable; /* groups, the newest last */
    size_t n_usable;
    uint8_t *state; /* [shoppers + 1] */
    uint32_t *list; /* [shoppers + 1] who was sent it from the left, who was not from the right */
    size_t n_sent, n_others, n_late;
    double lowest, highest; /* propensities */
    size_t unknown;         /* exposures that have none */
    size_t by_channel[CHANNEL_COUNT];
    int64_t sticky_us; /* features are as of then at the latest */
} looking;

static void looking_free(looking *l)
{
    mem_free(l->usable);
    mem_free(l->state);
    mem_free(l->list);
}

/* --- which campaigns --------------------------------------------------------------- */

static bool is_usable(const looking *l, const offer_group *g)
{
    const response_data *d = l->k->d;
    const int64_t first = response_rows_first_us(d->maker);
    if (g->n_shoppers == 0 || g->n_promotions == 0 || g->starts_us == INT64_MAX ||
        first == INT64_MAX)
        return false;
    const int64_t end = effect_window_end(d, g->promotion, g->n_promotions, g->starts_us);
    return g->starts_us - first >= DATA_HISTORY_DAYS * US_PER_DAY && end > g->starts_us &&
           end <= l->k->until_us;
}

static void list_usable(looking *l)
{
    for (uint32_t i = 0; i < l->groups->n; i++)
        if (is_usable(l, &l->groups->group[i])) l->usable[l->n_usable++] = i;
    if (l->n_usable > EFFECT_MOST_MOMENTS) {
        const size_t skip = l->n_usable - EFFECT_MOST_MOMENTS;
        for (size_t i = 0; i < EFFECT_MOST_MOMENTS; i++)
            l->usable[i] = l->usable[i + skip];
        l->n_usable = EFFECT_MOST_MOMENTS;
    }
}

/* --- who was sent it --------------------------------------------------------------- */

static uint32_t group_of(const offer_groups *g, const shop_history *h, uint64_t row)
{
    const uint32_t offer = h->promotion[row];
    return offer ? g->of_promotion[offer] : g->of_campaign[h->campaign[row]];
}

/* The row of an exposure that the groups know. */
static void look_at_exposure(looking *l, uint32_t group, uint32_t who, int64_t time_us)
{
    const shop_history *h = l->k->d->world.history;
    uint64_t i = history_before(h, who, time_us);
    while (i < h->first[who + 1] && h->time_us[i] == time_us &&
           !(h->type[i] == EVENT_EXPOSURE && group_of(l->groups, h, i) == group))
        i++;
    if (i == h->first[who + 1] || h->time_us[i] != time_us) return;
    const double p = (double)h->propensity[i];
    if (!isfinite(p)) l->unknown++;
    l->lowest = fmin(l->lowest, p);
    l->highest = fmax(l->highest, p);
    if (h->channel[i] < CHANNEL_COUNT) l->by_channel[h->channel[i]]++;
}

static void look_at_shown(looking *l, uint32_t number)
{
    const offer_groups *g = l->groups;
    const offer_group *own = &g->group[number];
    const int64_t end_us = effect_window_end(l->k->d, own->promotion, own->n_promotions,
                                             own->starts_us);
    for (uint32_t i = 0; i < own->n_shoppers; i++) {
        const uint32_t who = own->shopper[i];
        uint64_t e = g->first_exposure[who];
        while (g->exposure[e].group != number)
            e++;
        const int64_t at_us = g->exposure[e].time_us;
        if (at_us >= end_us) continue; /* within the window nothing came */
        const bool late = at_us >= own->starts_us + EFFECT_LATE_DAYS * US_PER_DAY;
        l->state[who] = late ? LATE : SENT;
        if (!late) look_at_exposure(l, number, who, at_us);
    }
}

/* Awake at the start, and neither late nor forgotten; of very many, evenly some. */
static void look_at_all(looking *l, const offer_group *g)
{
    const response_data *d = l->k->d;
    const uint32_t n = d->world.history->n_shoppers;
    const uint32_t step = n / MOST_LOOKED_AT + 1;
    for (uint32_t who = 1; who <= n; who += step) {
        const uint8_t state = l->state[who];
        if (who <= d->world.catalogue->n_shoppers && !d->world.catalogue->shoppers[who].exists)
            continue;
        l->n_late += state == LATE;
        if (state == LATE || !effect_is_awake(d->world.history, who, g->starts_us)) continue;
        if (state == SENT) l->list[l->n_sent++] = who;
        else l->list[n - l->n_others++] = who;
    }
}

static void look(looking *l, uint32_t number)
{
    const offer_group *g = &l->groups->group[number];
    l->n_sent = l->n_others = l->n_late = l->unknown = 0;
    l->lowest = INFINITY;
    l->highest = -INFINITY;
    for (int b = 0; b < CHANNEL_COUNT; b++)
        l->by_channel[b] = 0;
    look_at_shown(l, number);
    look_at_all(l, g);
    for (uint32_t i = 0; i < g->n_shoppers; i++)
        l->state[g->shopper[i]] = 0;
}

/* --- lots -------------------------------------------------------------------------- */

typedef enum lot { LOT_NONE, LOT_UNEVEN, LOT_KNOWN } lot;

static lot lot_of(const looking *l)
{
    const double p = (l->lowest + l->highest) / 2, n = (double)(l->n_sent + l->n_others);
    const bool one = l->unknown == 0 && l->highest - l->lowest <= same_propensity;
    if (!(one && p > 0 && p < 1)) return LOT_NONE;
    const double off = fabs((double)l->n_sent - n * p);
    return off <= uneven_deviations * sqrt(n * p * (1 - p)) ? LOT_KNOWN : LOT_UNEVEN;
}

/* off [shoppers + 1] comes zeroed: by how much a shopper was sent more campaigns than by lot. */
static void find_sticky(looking *l, double *off)
{
    const size_t total = l->k->d->world.history->n_shoppers;
    int64_t first_us = INT64_MAX;
    double variance = 0, square = 0, shoppers = 0;
    for (size_t i = 0; i < l->n_usable; i++) {
        look(l, l->usable[i]);
        if (lot_of(l) != LOT_KNOWN) continue;
        const double p = (l->lowest + l->highest) / 2;
        if (first_us == INT64_MAX) first_us = l->groups->group[l->usable[i]].starts_us;
        for (size_t k = 0; k < l->n_sent; k++)
            off[l->list[k]] += 1 - p;
        for (size_t k = 0; k < l->n_others; k++)
            off[l->list[total - k]] -= p;
        variance += p * (1 - p) * (double)(l->n_sent + l->n_others);
    }
    for (size_t who = 1; who <= total; who++) {
        square += off[who] * off[who];
        if (off[who] != 0) shoppers++;
    }
    const double most = sticky_ratio + sticky_deviations * sqrt(2 / fmax(shoppers, 1));
    l->sticky_us = variance > 0 && square > most * variance ? first_us : INT64_MAX;
}

/* --- rows -------------------------------------------------------------------------- */

static int by_shopper(const void *a, const void *b)
{
    const effect_pair *x = a, *y = b;
    return (x->shopper > y->shopper) - (x->shopper < y->shopper);
}

/* Each side gets half of the room, and what the other leaves. */
static void part(size_t room, size_t sent, size_t others, size_t *of_sent, size_t *of_others)
{
    *of_sent = sent < room / 2 ? sent : room / 2;
    *of_others = others < room - *of_sent ? others : room - *of_sent;
    if (*of_sent + *of_others < room && sent > *of_sent)
        *of_sent = sent < room - *of_others ? sent : room - *of_others;
}

static channel usual_channel(const looking *l)
{
    int best = CHANNEL_NONE;
    for (int b = 0; b < CHANNEL_COUNT; b++)
        if (l->by_channel[b] > l->by_channel[best]) best = b;
    return (channel)best;
}

static size_t fill(const looking *l, const offer_group *g, double chance, size_t of_sent,
                   size_t of_others, effect_pair *pair)
{
    const size_t total = l->k->d->world.history->n_shoppers;
    effect_pair p = {.time_us = g->starts_us, .chance = chance,
                     .channel = (uint8_t)usual_channel(l)};
    size_t n = 0;
    p.sent = true;
    for (size_t i = 0; i < of_sent; i++) {
        p.shopper = l->list[i * l->n_sent / of_sent];
        pair[n++] = p;
    }
    p.sent = false;
    for (size_t i = 0; i < of_others; i++) {
        p.shopper = l->list[total - i * l->n_others / of_others];
        pair[n++] = p;
    }
    qsort(pair, n, sizeof *pair, by_shopper);
    return n;
}

static pf_status add(effect_rows *r, looking *l, const offer_group *g, bool known, size_t room,
                     pf_error *err)
{
    size_t of_sent, of_others;
    double chance = NAN;
    part(room, l->n_sent, l->n_others, &of_sent, &of_others);
    if (known) { /* sampling more of one side than of the other moves the odds */
        const double p = (l->lowest + l->highest) / 2;
        const double odds = p / (1 - p) * ((double)of_sent / (double)l->n_sent) /
                            ((double)of_others / (double)l->n_others);
        chance = odds / (1 + odds);
    }
    effect_pair *pair = mem_alloc(of_sent + of_others, sizeof *pair);
    if (pair == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", room);
    const size_t n = fill(l, g, chance, of_sent, of_others, pair);
    for (size_t i = 0; i < n; i++)
        pair[i].unit = (uint32_t)r->units;
    const int64_t at_us = g->starts_us < l->sticky_us ? g->starts_us : l->sticky_us;
    const effect_batch b = {g->promotion, g->n_promotions, at_us, pair, n};
    const size_t before = r->n;
    pf_status s = effect_rows_add(r, l->k, &b, err);
    if (r->n > before) r->units++;
    r->left.sampled += l->n_sent + l->n_others - n;
    r->left.late += l->n_late;
    mem_free(pair);
    return s;
}

pf_status effect_rows_of_campaigns(effect_rows *r, effect_making *k, bool lots, pf_error *err)
{
    const size_t shoppers = k->d->world.history->n_shoppers;
    looking l = {.k = k, .groups = response_rows_groups(k->d->maker), .sticky_us = INT64_MAX};
    pf_status s = PF_OK;
    double *off = mem_alloc_zero(shoppers + 1, sizeof *off);
    l.usable = mem_alloc((size_t)l.groups->n + 1, sizeof *l.usable);
    l.state = mem_alloc_zero(shoppers + 1, 1);
    l.list = mem_alloc(shoppers + 1, sizeof *l.list);
    if (!l.usable || !l.state || !l.list || !off)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu shoppers", shoppers);
    if (s == PF_OK) list_usable(&l);
    if (s == PF_OK && lots) find_sticky(&l, off);
    r->by_lot = lots;
    r->whole = true;
    r->sticky = l.sticky_us != INT64_MAX;
    for (size_t i = 0; s == PF_OK && i < l.n_usable; i++) {
        look(&l, l.usable[i]);
        const lot is = lot_of(&l);
        r->left.uneven += is == LOT_UNEVEN;
        if (l.n_sent == 0 || l.n_others == 0 || (lots && is != LOT_KNOWN)) continue;
        s = add(r, &l, &l.groups->group[l.usable[i]], lots, r->room / l.n_usable, err);
    }
    mem_free(off);
    looking_free(&l);
    return s;
}
