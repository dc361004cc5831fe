/* Rows of the past (response/effect_rows.h): features before, spend and uses after. */
#include "response/effect_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "measure/statistics.h"

enum { BLOCK_PAIRS = 400000, LEAST_PAST_DAYS = 7 };

/* One household's largest purchase says little of a promotion and much of the mean. */
static const double cut_quantile = 0.995;

/* --- room -------------------------------------------------------------------------- */

pf_status effect_rows_new(effect_rows *r, const effect_making *k, size_t room, pf_error *err)
{
    const size_t n = room ? room : 1;
    *r = (effect_rows){.room = room, .wide = k->d->width.any - AGGREGATE_FEATURES};
    r->narrow = mem_alloc(n, EFFECT_FEATURES * sizeof *r->narrow);
    r->any = mem_alloc(n, r->wide * sizeof *r->any);
    r->sent = mem_alloc(n, 1);
    r->spend = mem_alloc(n, 5 * sizeof *r->spend);
    r->shopper = mem_alloc(n, 3 * sizeof *r->shopper);
    r->kind = mem_alloc(n, 1);
    if (!r->narrow || !r->any || !r->sent || !r->spend || !r->shopper || !r->kind) {
        effect_rows_free(r);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", room);
    }
    r->redeemed = r->spend + n;
    r->given = r->redeemed + n;
    r->before = r->given + n;
    r->chance = r->before + n;
    r->cluster = r->shopper + n;
    r->unit = r->cluster + n;
    return PF_OK;
}

void effect_rows_free(effect_rows *r)
{
    mem_free(r->narrow);
    mem_free(r->any);
    mem_free(r->sent);
    mem_free(r->spend);
    mem_free(r->shopper);
    mem_free(r->kind);
    *r = (effect_rows){.n = 0};
}

size_t effect_rows_sent(const effect_rows *r)
{
    size_t sent = 0;
    for (size_t i = 0; i < r->n; i++)
        sent += r->sent[i];
    return sent;
}

static void move_row(effect_rows *r, size_t to, size_t i)
{
    memmove(r->narrow + to * EFFECT_FEATURES, r->narrow + i * EFFECT_FEATURES,
            EFFECT_FEATURES * sizeof *r->narrow);
    memmove(r->any + to * r->wide, r->any + i * r->wide, r->wide * sizeof *r->any);
    r->sent[to] = r->sent[i];
    r->spend[to] = r->spend[i];
    r->redeemed[to] = r->redeemed[i];
    r->given[to] = r->given[i];
    r->before[to] = r->before[i];
    r->chance[to] = r->chance[i];
    r->shopper[to] = r->shopper[i];
    r->cluster[to] = r->cluster[i];
    r->unit[to] = r->unit[i];
    r->kind[to] = r->kind[i];
}

void effect_rows_keep(effect_rows *r, const uint8_t *keep)
{
    size_t to = 0;
    for (size_t i = 0; i < r->n; i++)
        if (keep[i]) move_row(r, to++, i);
    r->n = to;
}

/* --- what came of it --------------------------------------------------------------- */

/* What one redemption gives away, by what the promotion says of itself. */
static double discount_of(const promotion *p, double spend_minor, const effect_options *o)
{
    switch (p->kind) {
    case PROMOTION_INFORMATIONAL: return 0;
    case PROMOTION_PERCENT_OFF:
        if (p->percent_hundredths > 0) return spend_minor * p->percent_hundredths / 10000.0;
        break;
    case PROMOTION_BOGO: return spend_minor / 2;
    default: break;
    }
    return p->value_minor != MONEY_ABSENT && p->value_minor >= 0 ? (double)p->value_minor
                                                                 : o->unknown_discount_minor;
}

static size_t place_in(const effect_batch *b, uint32_t number)
{
    size_t low = 0, high = b->n_promotions;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (b->promotion[middle] < number) low = middle + 1;
        else high = middle;
    }
    return low < b->n_promotions && b->promotion[low] == number ? low : b->n_promotions;
}

/* Whether an earlier row of the window used the same promotion: each counts once. */
static bool was_used(const shop_history *h, uint64_t first, uint64_t row)
{
    for (uint64_t i = first; i < row; i++)
        if (h->type[i] == EVENT_REDEMPTION && h->promotion[i] == h->promotion[row]) return true;
    return false;
}

/* spend [P] expected of a redemption of each. */
static void add_uses(effect_rows *r, const effect_making *k, const effect_batch *b,
                     const effect_pair *p, int64_t end_us, const float *spend)
{
    const shop_history *h = k->d->world.history;
    const uint64_t first = history_before(h, p->shopper, p->time_us);
    for (uint64_t i = first; i < h->first[p->shopper + 1] && h->time_us[i] < end_us; i++) {
        if (h->type[i] != EVENT_REDEMPTION || h->promotion[i] == 0) continue;
        if (p->promotion != 0 && h->promotion[i] != p->promotion) continue;
        const size_t at = place_in(b, h->promotion[i]);
        if (at == b->n_promotions || was_used(h, first, i)) continue;
        r->redeemed[r->n] += (double)spend[at];
        r->given[r->n] += discount_of(&k->d->world.catalogue->promotions[h->promotion[i]],
                                      (double)spend[at], k->o);
    }
}

/* --- one row ----------------------------------------------------------------------- */

bool effect_is_awake(const shop_history *h, uint32_t who, int64_t at_us)
{
    const uint64_t i = history_before(h, who, at_us);
    return i > h->first[who] && h->time_us[i - 1] >= at_us - EFFECT_ACTIVE_DAYS * US_PER_DAY;
}

effect_spend effect_past_day(const response_data *d, const effect_scope *scope, uint32_t who,
                             int64_t at_us)
{
    const double known = (double)(at_us - response_rows_first_us(d->maker)) / (double)US_PER_DAY;
    const double days = fmin(EFFECT_PAST_DAYS, fmax(LEAST_PAST_DAYS, known));
    const effect_spend s = effect_spend_of(d->world.history, scope, who,
                                           at_us - EFFECT_PAST_DAYS * US_PER_DAY, at_us);
    return (effect_spend){s.scope_minor / days, s.all_minor / days};
}

effect_own effect_own_of(const response_rows *rows, size_t row, size_t from, size_t to,
                         effect_spend past_day)
{
    effect_own own = {.past_day = past_day};
    for (size_t k = from; k < to; k++) {
        own.lines += (double)rows->lines[row * rows->n_promotions + k];
        own.affinity += (double)rows->affinity[row * rows->n_promotions + k];
    }
    return own;
}

/* `any` but what it sums up over promotions (own spend in the scope stands for that), and what an
 * outlook adds behind. */
static void copy_wide(const effect_rows *r, const float *any, float *out)
{
    const size_t first = RESPONSE_ANY_FEATURES - AGGREGATE_FEATURES;
    memcpy(out, any, first * sizeof *out);
    if (r->wide > first)
        memcpy(out + first, any + RESPONSE_ANY_FEATURES, (r->wide - first) * sizeof *out);
}

/* The promotions from..to of the batch are the pair's, and are marked. */
static void add_row(effect_rows *r, effect_making *k, const effect_batch *b, const effect_pair *p,
                    const data_rows *rows, size_t at, size_t from, size_t to)
{
    const response_world *world = &k->d->world;
    const uint32_t *offers = b->promotion + from;
    const int64_t end_us = effect_window_end(k->d, offers, to - from, p->time_us);
    const double days = (double)(end_us - p->time_us) / (double)US_PER_DAY;
    const float *any = rows->any + at * k->d->width.any;
    float offer[EFFECT_OFFER_FEATURES];
    if (end_us > k->until_us || end_us <= p->time_us) {
        r->left.open++;
        return;
    }
    if (r->n == r->room) {
        r->left.sampled++;
        return;
    }
    if (!effect_is_awake(world->history, p->shopper, p->time_us)) {
        r->left.asleep++;
        return;
    }
    const effect_spend day = effect_past_day(k->d, &k->scope, p->shopper, b->at_us);
    const effect_own own = effect_own_of(&rows->plain, at, from, to, day);
    effect_offer_features(world->catalogue, &k->view, offers, to - from, days, offer);
    effect_features(&k->view, any, &own, offer, (channel)p->channel,
                    r->narrow + r->n * EFFECT_FEATURES);
    copy_wide(r, any, r->any + r->n * r->wide);
    r->spend[r->n] =
        effect_spend_of(world->history, &k->scope, p->shopper, p->time_us, end_us).scope_minor;
    r->redeemed[r->n] = r->given[r->n] = 0;
    add_uses(r, k, b, p, end_us, rows->plain.spend + at * b->n_promotions);
    r->before[r->n] = day.scope_minor * days;
    r->sent[r->n] = p->sent;
    r->chance[r->n] = p->chance;
    r->shopper[r->n] = p->shopper;
    r->unit[r->n] = p->unit;
    r->kind[r->n] = (uint8_t)effect_kind_add(&r->kinds,
                                             effect_kind_name(world->catalogue, offers[0]));
    r->n++;
}

/* --- batches ----------------------------------------------------------------------- */

/* Pairs from..to of the batch, whose shoppers are `who`, each once. */
static pf_status add_block(effect_rows *r, effect_making *k, const effect_batch *b, size_t from,
                           size_t to, const uint32_t *who, size_t n, pf_error *err)
{
    const size_t P = b->n_promotions;
    data_rows rows;
    const response_question q = {b->promotion, (uint32_t)P, who, n, b->at_us};
    pf_status s = data_rows_make(k->d, &q, &rows, err);
    if (s != PF_OK) return s;
    /* whole: all promotions once; else each with its own pairs, so that a scope is marked once */
    const bool whole = b->pair[from].promotion == 0;
    for (size_t first = 0; first < P; first = whole ? P : first + 1) {
        const size_t end = whole ? P : first + 1;
        size_t at = 0;
        effect_scope_mark(&k->scope, b->promotion + first, end - first);
        for (size_t i = from; i < to; i++) {
            while (who[at] != b->pair[i].shopper)
                at++;
            if (whole || b->pair[i].promotion == b->promotion[first])
                add_row(r, k, b, &b->pair[i], &rows, at, first, end);
        }
        effect_scope_clear(&k->scope, b->promotion + first, end - first);
    }
    data_rows_free(&rows);
    return PF_OK;
}

pf_status effect_rows_add(effect_rows *r, effect_making *k, const effect_batch *b, pf_error *err)
{
    const size_t most = BLOCK_PAIRS / b->n_promotions + 1;
    pf_status s = PF_OK;
    uint32_t *who = mem_alloc(b->n ? b->n : 1, sizeof *who);
    if (who == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu shoppers", b->n);
    for (size_t from = 0, to; s == PF_OK && from < b->n; from = to) {
        size_t n = 0;
        for (to = from; to < b->n; to++) {
            const bool same = n > 0 && who[n - 1] == b->pair[to].shopper;
            if (!same && n == most) break;
            if (!same) who[n++] = b->pair[to].shopper;
        }
        s = add_block(r, k, b, from, to, who, n, err);
    }
    mem_free(who);
    return s;
}

/* --- closing ----------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static pf_status number_clusters(effect_rows *r, pf_error *err)
{
    size_t n = 0;
    uint32_t *who = mem_alloc(r->n, sizeof *who);
    if (who == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    memcpy(who, r->shopper, r->n * sizeof *who);
    qsort(who, r->n, sizeof *who, by_number);
    for (size_t i = 0; i < r->n; i++)
        if (n == 0 || who[n - 1] != who[i]) who[n++] = who[i];
    for (size_t i = 0; i < r->n; i++) {
        const uint32_t *at = bsearch(&r->shopper[i], who, n, sizeof *who, by_number);
        r->cluster[i] = (uint32_t)(at - who);
    }
    r->clusters = n;
    mem_free(who);
    return PF_OK;
}

static pf_status cut_amounts(effect_rows *r, pf_error *err)
{
    size_t n = 0;
    double *spent = mem_alloc(r->n, sizeof *spent);
    if (spent == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    for (size_t i = 0; i < r->n; i++)
        if (r->spend[i] > 0) spent[n++] = r->spend[i];
    if (n > 0) {
        sort_values(spent, n);
        r->most_spend = quantile_of_sorted(spent, n, cut_quantile);
    }
    for (size_t i = 0; i < r->n; i++) {
        r->spend[i] = fmin(r->spend[i], r->most_spend);
        r->redeemed[i] = fmin(r->redeemed[i], r->most_spend);
    }
    mem_free(spent);
    return PF_OK;
}

static pf_status check(const effect_rows *r, pf_error *err)
{
    const size_t sent = effect_rows_sent(r), others = r->n - sent;
    bool varied = false, redeemed = false;
    if (sent < EFFECT_LEAST_ROWS)
        return error_set(err, PF_DATA, "%zu messages can be compared with shoppers who got none, "
                         "at least %d are needed: send promotions, and let their windows end",
                         sent, EFFECT_LEAST_ROWS);
    if (others < EFFECT_LEAST_ROWS)
        return error_set(err, PF_DATA, "%zu shoppers were not sent what others were, at least %d "
                         "are needed: keep a holdout (decide.holdout), or mail fewer",
                         others, EFFECT_LEAST_ROWS);
    for (size_t i = 0; i < r->n; i++) {
        varied |= r->spend[i] != r->spend[0];
        redeemed |= r->sent[i] && r->redeemed[i] > 0;
    }
    if (!varied)
        return error_set(err, PF_DATA, "all %zu shoppers spent the same in what was promoted "
                         "(%.0f): there is no effect to learn; are amounts paid imported?",
                         r->n, r->spend[0]);
    if (!redeemed)
        return error_set(err, PF_DATA, "none of %zu messages was redeemed, so what a redemption "
                         "adds cannot be measured; are redemptions imported?", sent);
    return PF_OK;
}

pf_status effect_rows_close(effect_rows *r, pf_error *err)
{
    pf_status s = check(r, err);
    if (s == PF_OK) s = cut_amounts(r, err);
    if (s == PF_OK) s = number_clusters(r, err);
    return s;
}
