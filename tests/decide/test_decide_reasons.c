/*
 * Reasons are true. Over random shops every reason is worked out a second time, from the
 * inputs alone and in the documented order, and must be the same; reasons of the allocation
 * must name a rival that was chosen or a cap that is full or has a price.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decide/decide.h"
#include "decide/holdout.h"
#include "decide/random_world.h"

enum { WORLDS = 4000 };

static uint32_t past(const random_world *w, uint32_t s, uint8_t type, uint32_t offer, int by)
{
    past_query q = {s, type, offer, by, -1, INT64_MIN};
    return random_world_past(w, &q);
}

/* Counted in the days that end with that of the run: none sent later has more room. */
static bool window_is_full(const random_world *w, const policy_window *caps, uint32_t s,
                           int by, int tag)
{
    static const int days[] = {0, 6, 29};
    const uint32_t most[] = {caps->per_day, caps->per_week, caps->per_month};
    for (int i = 0; i < 3; i++) {
        past_query q = {
            s, EVENT_EXPOSURE, 0, by, tag,
            random_world_midnight(random_world_zone(w, s), w->in.at_us, days[i])};
        if (most[i] > 0 && random_world_past(w, &q) >= most[i]) return true;
    }
    return false;
}

static bool tag_is_full(const random_world *w, uint32_t s, uint32_t offer)
{
    for (uint32_t t = 0; t < w->policy.n_tags; t++)
        if (random_world_has_tag(w, offer, w->policy.tag[t].name) &&
            window_is_full(w, &w->policy.tag[t].window, s, -1, (int)t))
            return true;
    return false;
}

static bool is_stocked(const random_world *w, const promotion *p)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < p->n_scope; i++)
        left += p->scope[i] != 0 && (!w->in.in_stock || w->in.in_stock[p->scope[i]]);
    return p->n_scope == 0 || left > 0;
}

/* The first rule that refuses, by the table of docs/decisions.md; REASON_COUNT when none
 * does, with the channels that are open. */
static decide_reason refusal(const random_world *w, uint32_t s, uint32_t number,
                             channel_set *open)
{
    const promotion *p = &w->shop.promotions[number];
    const shopper *who = &w->shop.shoppers[s];
    const policy *how = &w->policy;
    int64_t at = w->in.at_us;
    if (!who->exists) return REASON_UNKNOWN_SHOPPER;
    if ((p->starts_us != TIME_ABSENT && at < p->starts_us) ||
        (p->ends_us != TIME_ABSENT && at >= p->ends_us))
        return REASON_NOT_LIVE;
    if (!is_stocked(w, p)) return REASON_NOTHING_IN_STOCK;
    if (p->redemption_limit > 0 &&
        past(w, 0, EVENT_REDEMPTION, number, -1) >= p->redemption_limit)
        return REASON_REDEMPTION_LIMIT;
    if (!random_world_in_audience(p->audience, s)) return REASON_NOT_IN_AUDIENCE;
    if (p->shopper_limit > 0 &&
        past(w, s, EVENT_REDEMPTION, number, -1) >= p->shopper_limit)
        return REASON_SHOPPER_LIMIT;
    *open = (p->channels != 0 ? p->channels : CHANNEL_SET_ALL) & how->channels;
    if (*open == 0) return REASON_CHANNEL_NOT_ALLOWED;
    *open &= ~who->consent_refused;
    for (int by = 0; by < CHANNEL_COUNT; by++)
        if (past(w, s, EVENT_UNSUBSCRIBE, 0, by) > 0)
            *open &= by == 0 ? 0 : ~(1u << by);
    if (*open == 0) return REASON_CONSENT_REFUSED;
    *open &= who->consent_given | how->unasked;
    if (*open == 0) return REASON_NO_CONSENT;
    for (int by = 1; by < CHANNEL_COUNT; by++)
        if (window_is_full(w, &how->channel[by].window, s, by, -1)) *open &= ~(1u << by);
    if (*open == 0 || window_is_full(w, &how->window, s, -1, -1)) return REASON_EXPOSURE_CAP;
    if (tag_is_full(w, s, number)) return REASON_TAG_CAP;
    if (hash_share(how->holdout_salt, who->id) < how->holdout_share)
        return REASON_HOLDOUT;
    char salt[HOLDOUT_SALT_BYTES];
    holdout_campaign_salt(how->holdout_salt, w->shop.c.campaigns[p->campaign].id, salt);
    if (p->campaign != 0 && hash_share(salt, who->id) < how->campaign_holdout_share)
        return REASON_HOLDOUT;
    return REASON_COUNT;
}

/* What is expected by one channel; NULL when the scores do not speak of it. */
static const decide_score *score_by(const random_world *w, uint32_t s, uint32_t number, int by)
{
    const decide_score *found = NULL;
    for (size_t i = 0; i < w->in.n_scores; i++) {
        const decide_score *it = &w->scores[i];
        if (it->shopper != s || it->promotion != number) continue;
        if ((int)it->channel == by) return it;
        if (it->channel == CHANNEL_NONE) found = it;
    }
    return found;
}

static bool is_quiet(const random_world *w, uint32_t s, int64_t time_us)
{
    calendar_time t = calendar_from_us(time_us, random_world_zone(w, s));
    int minute = t.hour * 60 + t.minute;
    int from = w->policy.quiet.from_minute, to = w->policy.quiet.to_minute;
    if (from <= to) return minute >= from && minute < to;
    return minute >= from || minute < to;
}

/* Minute by minute. */
static int64_t waking_moment(const random_world *w, uint32_t s, int by, int64_t t)
{
    while (by != CHANNEL_SITE && is_quiet(w, s, t))
        t += US_PER_MINUTE;
    return t;
}

/* When it suits best, unless it is over then. */
static int64_t send_moment(const random_world *w, uint32_t s, uint32_t number, int by)
{
    const int64_t ends_us = w->shop.promotions[number].ends_us;
    size_t cell = (size_t)s * CHANNEL_COUNT + (size_t)by;
    if (w->in.send_at_us != NULL && w->in.send_at_us[cell] > w->in.at_us) {
        int64_t then = waking_moment(w, s, by, w->in.send_at_us[cell]);
        if (ends_us == TIME_ABSENT || then < ends_us) return then;
    }
    return waking_moment(w, s, by, w->in.at_us);
}

/* Channels by which it would still be live; the first moment of all. */
static channel_set awake(const random_world *w, uint32_t s, uint32_t number, channel_set open,
                         int64_t *first)
{
    const int64_t ends_us = w->shop.promotions[number].ends_us;
    channel_set left = 0;
    *first = INT64_MAX;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        if (!(open & 1u << by)) continue;
        int64_t t = send_moment(w, s, number, by);
        if (ends_us == TIME_ABSENT || t < ends_us) left |= 1u << by;
        if (t < *first) *first = t;
    }
    return left;
}

static double gain_of(const random_world *w, const decide_score *it)
{
    const policy *how = &w->policy;
    double spend = it->lift_known ? it->lift_minor : it->p_redeem * it->spend_minor;
    if (how->metric == POLICY_REDEMPTIONS) return how->worth_minor * it->p_redeem;
    if (how->metric == POLICY_CLICKS) return how->worth_minor * it->p_click;
    if (how->metric == POLICY_CONVERSIONS) return how->worth_minor * it->p_convert;
    return how->metric == POLICY_REVENUE ? spend : how->margin_rate * spend;
}

/* The reason that the value gives, or REASON_COUNT when the allocation decides. */
static decide_reason value_reason(const random_world *w, uint32_t s, uint32_t number,
                                  channel_set open, double *best)
{
    bool spoken = false;
    *best = -INFINITY;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        const decide_score *it = score_by(w, s, number, by);
        if (!(open & 1u << by) || it == NULL) continue;
        decide_outcome o = {.promotion = number,
                            .p_redeem = it->p_redeem,
                            .spend_minor = it->spend_minor,
                            .why = {.channel = (channel)by}};
        double cost = random_world_cost(w, &o, false);
        if (cost < 0) return REASON_COST_UNKNOWN;
        double fatigue = w->in.fatigue_minor != NULL
                             ? (double)w->in.fatigue_minor[s * CHANNEL_COUNT + (uint32_t)by]
                             : 0;
        double value = gain_of(w, it) - cost - fatigue;
        if (value > *best) *best = value;
        spoken = true;
    }
    if (!spoken) return REASON_CHANNEL_NOT_ALLOWED;
    return *best > 0 ? REASON_COUNT : REASON_VALUE_BELOW_ZERO;
}

static const decide_outcome *find(const decide_result *r, const decide_shopper *s,
                                  uint32_t number)
{
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++)
        if (r->outcomes[i].promotion == number) return &r->outcomes[i];
    return NULL;
}

static bool share_group(const random_world *w, uint32_t a, uint32_t b)
{
    const char *x = w->shop.promotions[a].stacking_group;
    const char *y = w->shop.promotions[b].stacking_group;
    if (a == b || (x[0] != '\0' && strcmp(x, y) == 0)) return true;
    for (uint32_t t = 0; t < w->policy.n_tags; t++)
        if (random_world_has_tag(w, a, w->policy.tag[t].name) &&
            random_world_has_tag(w, b, w->policy.tag[t].name))
            return true;
    return false;
}

/* A stacking group or a capped tag in common, or others between them that have. */
static bool same_group(const random_world *w, uint32_t a, uint32_t b)
{
    bool with[RANDOM_OFFERS + 1] = {false};
    with[a] = true;
    for (int turn = 0; turn < RANDOM_OFFERS; turn++)
        for (uint32_t p = 1; p <= w->shop.c.n_promotions; p++)
            for (uint32_t q = 1; q <= w->shop.c.n_promotions && !with[p]; q++)
                with[p] = with[q] && share_group(w, p, q);
    return with[b];
}

/* A rival named in a reason was chosen, for this shopper. */
static void check_rival(const random_world *w, const decide_result *r,
                        const decide_shopper *s, const decide_outcome *o)
{
    const decide_outcome *rival = find(r, s, o->why.other);
    assert_non_null(rival);
    assert_int_equal(rival->why.reason, REASON_CHOSEN);
    if (o->why.reason != REASON_NOT_DRAWN)
        assert_int_equal(same_group(w, o->promotion, o->why.other),
                         o->why.reason == REASON_STACKING);
}

/* A cap named in a reason is one of the run's, and is either dear or too full for this. */
static void check_cap(const decide_result *r, const decide_outcome *o)
{
    const decide_cap *cap = NULL;
    for (uint32_t m = 0; m < r->n_caps; m++) {
        const decide_cap *it = &r->caps[m];
        bool same = it->kind == o->why.cap && it->promotion == o->why.other &&
                    it->channel == o->why.cap_channel;
        if (same) cap = it;
    }
    assert_non_null(cap);
    assert_true(cap->promotion == 0 || cap->promotion == o->promotion);
    assert_true(cap->channel == CHANNEL_NONE || cap->channel == o->why.channel);
    bool messages =
        cap->kind == DECIDE_CAP_MESSAGES || cap->kind == DECIDE_CAP_CHANNEL_MESSAGES;
    bool redemptions = cap->kind == DECIDE_CAP_PROMOTION_REDEMPTIONS;
    double need = messages ? 1 : redemptions ? o->p_redeem : (double)o->cost_minor;
    assert_true(cap->price == o->why.price);
    assert_true(cap->price > 0 || cap->used + need > cap->limit);
}

/* What the allocation or the lot decided. */
static void check_allocated(const random_world *w, const decide_result *r,
                            const decide_shopper *s, const decide_outcome *o)
{
    const bool sure = w->policy.explore.method == POLICY_EXPLORES_NOT;
    switch (o->why.reason) {
    case REASON_CHOSEN: break;
    case REASON_STACKING:
    case REASON_LOWER_VALUE:
        assert_true(sure);
        check_rival(w, r, s, o);
        break;
    case REASON_BUDGET_EXHAUSTED: check_cap(r, o); break;
    case REASON_NOT_DRAWN:
        assert_false(sure);
        assert_int_equal(o->why.other == 0, s->n_chosen == 0);
        if (o->why.other != 0) check_rival(w, r, s, o);
        break;
    default: fail_msg("%s, but it was to be allocated", reason_code(o->why.reason));
    }
}

/* By hand up to the value, as docs/decisions.md orders it. */
static decide_reason expected_of(const random_world *w, const decide_outcome *o,
                                 channel_set *open, double *best)
{
    int64_t first = 0;
    decide_reason expected = refusal(w, o->shopper, o->promotion, open);
    if (expected != REASON_COUNT) return expected;
    *open = awake(w, o->shopper, o->promotion, *open, &first);
    if (*open != 0) return value_reason(w, o->shopper, o->promotion, *open, best);
    assert_true(o->why.time_us == first);
    return REASON_QUIET_HOURS;
}

static void check_outcome(const random_world *w, const decide_result *r,
                          const decide_shopper *s, const decide_outcome *o)
{
    channel_set open = 0;
    double best = 0;
    decide_reason expected = expected_of(w, o, &open, &best);
    /* What is worth nothing on average may have a draw that says otherwise, or a least chance. */
    bool lots = w->policy.explore.method != POLICY_EXPLORES_NOT;
    if (lots && expected == REASON_VALUE_BELOW_ZERO &&
        (o->why.reason == REASON_CHOSEN || o->why.reason == REASON_NOT_DRAWN))
        expected = REASON_COUNT;
    if (expected != REASON_COUNT) {
        if (o->why.reason != expected)
            fail_msg("%s, but by hand %s", reason_code(o->why.reason),
                     reason_code(expected));
        return;
    }
    check_allocated(w, r, s, o);
    if (o->why.reason == REASON_CHOSEN) {
        assert_true(open & 1u << o->why.channel);
        assert_true(o->why.value_minor <= best + 1e-9);
        assert_true(o->send_at_us == send_moment(w, s->shopper, o->promotion, (int)o->why.channel));
    } else {
        assert_true(lots || fabs(o->why.value_minor - best) < 1e-9);
    }
}

static void every_reason_is_worked_out_twice(void **state)
{
    (void)state;
    static random_world w;
    uint64_t seen[REASON_COUNT] = {0};
    for (uint64_t i = 0; i < WORLDS; i++) {
        decide_result *r = NULL;
        random_world_make(&w, 500000 + i, 1 + (uint32_t)(i % RANDOM_SHOPPERS),
                          1 + (uint32_t)(i / RANDOM_SHOPPERS % RANDOM_OFFERS));
        pf_status status = decide_run(&r, &w.in, NULL);
        assert_true(status == PF_OK || (status == PF_USAGE && w.policy.explore.method != 0));
        for (size_t s = 0; r != NULL && s < r->n_shoppers; s++)
            for (size_t k = 0; k < r->shoppers[s].n_outcomes; k++)
                check_outcome(&w, r, &r->shoppers[s],
                              &r->outcomes[r->shoppers[s].first + k]);
        for (int k = 0; r != NULL && k < REASON_COUNT; k++)
            seen[k] += r->by_reason[k];
        decide_free(r);
        random_world_free(&w);
    }
    for (int k = 0; k < REASON_COUNT; k++)
        if (seen[k] < 5 && k != REASON_NO_MESSAGE)
            fail_msg("too few of %s", reason_code((decide_reason)k));
}

/* The outcome that speaks for a shopper is a chosen one if there is any. */
static void the_speaker_of_a_shopper_is_the_nearest_to_being_chosen(void **state)
{
    (void)state;
    static random_world w;
    for (uint64_t i = 0; i < 300; i++) {
        decide_result *r = NULL;
        random_world_make(&w, 700000 + i, RANDOM_SHOPPERS, RANDOM_OFFERS);
        random_world_be_sure(&w);
        assert_int_equal(decide_run(&r, &w.in, NULL), PF_OK);
        for (size_t k = 0; k < r->n_shoppers; k++) {
            const decide_shopper *s = &r->shoppers[k];
            assert_true(s->best >= s->first && s->best < s->first + s->n_outcomes);
            decide_reason best = r->outcomes[s->best].why.reason;
            assert_int_equal(best == REASON_CHOSEN, s->n_chosen > 0);
            for (size_t o = s->first; o < s->first + s->n_outcomes && s->n_chosen == 0;
                 o++)
                assert_true(r->outcomes[o].why.reason <= best);
            assert_true(decide_find(r, s->shopper) == s);
        }
        decide_free(r);
        random_world_free(&w);
    }
}

static int close_zones(void **state)
{
    (void)state;
    random_world_close_zones();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_worked_out_twice),
        cmocka_unit_test(the_speaker_of_a_shopper_is_the_nearest_to_being_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, close_zones);
}
