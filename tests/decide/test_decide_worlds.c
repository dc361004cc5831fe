/*
 * What must never happen, over thousands of random small shops: a budget (planned or hard) or cap
 * passed, a shopper without consent contacted, or in quiet hours, or more often than a window of
 * the shopper's own days allows; a holdout member treated, something sent that is not live at that
 * moment, two promotions of one stacking group or capped tag, a candidate without a reason, a
 * chance that is none. Each promise is checked against the inputs, apart from the code that keeps
 * it. Where the world is tiny, the value is compared with the best of all allowed answers.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "decide/decide.h"
#include "decide/holdout.h"
#include "decide/random_world.h"

enum { WORLDS = 12000, TINY = 700, SHOPPERS = RANDOM_SHOPPERS, OFFERS = RANDOM_OFFERS };

static int close_zones(void **state)
{
    (void)state;
    random_world_close_zones();
    return 0;
}

/* --- promises, worked out from the inputs alone ---------------------------------- */

static uint32_t past_count(const random_world *w, uint32_t s, uint8_t type, uint32_t offer,
                           int by)
{
    past_query q = {s, type, offer, by, -1, INT64_MIN};
    return random_world_past(w, &q);
}

static void check_holdout(const random_world *w, const decide_outcome *o)
{
    const shopper *s = &w->shop.shoppers[o->shopper];
    const promotion *p = &w->shop.promotions[o->promotion];
    const policy *how = &w->policy;
    char salt[HOLDOUT_SALT_BYTES];
    assert_false(hash_share(how->holdout_salt, s->id) < how->holdout_share);
    if (p->campaign == 0) return;
    holdout_campaign_salt(how->holdout_salt, w->shop.c.campaigns[p->campaign].id, salt);
    assert_false(hash_share(salt, s->id) < how->campaign_holdout_share);
}

static void check_consent(const random_world *w, const decide_outcome *o)
{
    const shopper *s = &w->shop.shoppers[o->shopper];
    const promotion *p = &w->shop.promotions[o->promotion];
    const policy *how = &w->policy;
    channel_set bit = 1u << o->why.channel;
    assert_true(s->exists);
    assert_true(o->why.channel > CHANNEL_NONE && (how->channels & bit));
    assert_true(p->channels == 0 || (p->channels & bit));
    assert_false(s->consent_refused & bit);
    assert_true((s->consent_given | how->unasked) & bit);
    assert_int_equal(past_count(w, o->shopper, EVENT_UNSUBSCRIBE, 0, CHANNEL_NONE), 0);
    assert_int_equal(past_count(w, o->shopper, EVENT_UNSUBSCRIBE, 0, (int)o->why.channel),
                     0);
}

/* By the clock on the shopper's wall. */
static bool is_quiet(const random_world *w, uint32_t s, int64_t time_us)
{
    calendar_time t = calendar_from_us(time_us, random_world_zone(w, s));
    int minute = t.hour * 60 + t.minute;
    int from = w->policy.quiet.from_minute, to = w->policy.quiet.to_minute;
    if (from <= to) return minute >= from && minute < to;
    return minute >= from || minute < to;
}

/* Sent when it suits best, or as soon as can be if it has ended by then; outside of quiet hours,
 * and live then. */
static void check_moment(const random_world *w, const decide_outcome *o, bool thorough)
{
    const promotion *p = &w->shop.promotions[o->promotion];
    size_t cell = (size_t)o->shopper * CHANNEL_COUNT + o->why.channel;
    int64_t best = w->in.at_us;
    if (w->in.send_at_us != NULL && w->in.send_at_us[cell] > best)
        best = w->in.send_at_us[cell];
    assert_true(o->send_at_us >= w->in.at_us);
    if (o->send_at_us < best) {
        int64_t then = best; /* it is over then, or when quiet hours are */
        while (o->why.channel != CHANNEL_SITE && then < p->ends_us &&
               is_quiet(w, o->shopper, then))
            then += US_PER_MINUTE;
        assert_true(p->ends_us != TIME_ABSENT && then >= p->ends_us);
        best = w->in.at_us;
    }
    assert_true(p->starts_us == TIME_ABSENT || p->starts_us <= o->send_at_us);
    assert_true(p->ends_us == TIME_ABSENT || p->ends_us > o->send_at_us);
    assert_true(p->starts_us == TIME_ABSENT || p->starts_us <= w->in.at_us);
    if (o->why.channel == CHANNEL_SITE) {
        assert_true(o->send_at_us == best);
        return;
    }
    assert_false(is_quiet(w, o->shopper, o->send_at_us));
    for (int64_t t = best; thorough && t < o->send_at_us; t += US_PER_MINUTE)
        assert_true(is_quiet(w, o->shopper, t));
}

static void check_contact(const random_world *w, const decide_outcome *o)
{
    const promotion *p = &w->shop.promotions[o->promotion];
    check_consent(w, o);
    check_holdout(w, o);
    assert_true(random_world_in_audience(p->audience, o->shopper));
    assert_true(p->shopper_limit == 0 ||
                past_count(w, o->shopper, EVENT_REDEMPTION, o->promotion, -1) <
                    p->shopper_limit);
    bool stocked = w->in.in_stock == NULL || p->n_scope == 0;
    for (uint32_t i = 0; i < p->n_scope && !stocked; i++)
        stocked = w->in.in_stock[p->scope[i]];
    assert_true(stocked);
    assert_true(o->why.value_minor > 0 ||
                w->policy.explore.method != POLICY_EXPLORES_NOT);
}

/* Which of a shopper's messages a window counts. */
typedef struct counted {
    int by, tag;
} counted;

static bool is_counted(const random_world *w, const decide_outcome *o, counted c)
{
    if (o->why.reason != REASON_CHOSEN) return false;
    if (c.by >= 0 && (int)o->why.channel != c.by) return false;
    return c.tag < 0 ||
           random_world_has_tag(w, o->promotion, w->policy.tag[c.tag].name);
}

/* At the moment of each of the shopper's messages, in the days of the shopper's zone. */
static void check_window(const random_world *w, const policy_window *caps,
                         const decide_result *r, const decide_shopper *s, counted c)
{
    static const int days[] = {0, 6, 29};
    const uint32_t most[] = {caps->per_day, caps->per_week, caps->per_month};
    const zone *z = random_world_zone(w, s->shopper);
    const decide_outcome *all = r->outcomes + s->first;
    for (size_t k = 0; k < s->n_outcomes; k++) {
        if (!is_counted(w, &all[k], c)) continue;
        for (int i = 0; i < 3; i++) {
            past_query q = {s->shopper, EVENT_EXPOSURE, 0, c.by, c.tag,
                            random_world_midnight(z, all[k].send_at_us, days[i])};
            if (most[i] == 0) continue;
            uint32_t n = random_world_past(w, &q);
            int64_t end = random_world_midnight(z, all[k].send_at_us, -1);
            for (size_t j = 0; j < s->n_outcomes; j++)
                n += is_counted(w, &all[j], c) && all[j].send_at_us >= q.from_us &&
                     all[j].send_at_us < end;
            assert_true(n <= most[i]);
        }
    }
}

static void check_windows(const random_world *w, const decide_result *r,
                          const decide_shopper *s)
{
    check_window(w, &w->policy.window, r, s, (counted){-1, -1});
    for (int by = 1; by < CHANNEL_COUNT; by++)
        check_window(w, &w->policy.channel[by].window, r, s, (counted){by, -1});
    for (uint32_t t = 0; t < w->policy.n_tags; t++) {
        uint32_t n = 0;
        for (size_t i = 0; i < s->n_outcomes; i++)
            n += is_counted(w, &r->outcomes[s->first + i], (counted){-1, (int)t});
        assert_true(n <= 1);
        check_window(w, &w->policy.tag[t].window, r, s, (counted){-1, (int)t});
    }
}

/* Too much for a cap alone, whatever the others get. */
static bool is_too_much(const decide_result *r, const decide_outcome *o)
{
    for (uint32_t m = 0; m < r->n_caps; m++) {
        const decide_cap *c = &r->caps[m];
        if ((c->promotion != 0 && c->promotion != o->promotion) ||
            (c->channel != CHANNEL_NONE && c->channel != o->why.channel))
            continue;
        bool counts =
            c->kind == DECIDE_CAP_MESSAGES || c->kind == DECIDE_CAP_CHANNEL_MESSAGES;
        bool redemptions = c->kind == DECIDE_CAP_PROMOTION_REDEMPTIONS;
        double need = counts ? 1 : redemptions ? o->p_redeem : (double)o->cost_minor;
        if (need > c->limit) return true;
    }
    return false;
}

/* With a least chance everything that could be sent has it: of 48 options and none, what they can
 * all have. */
static void check_floor(const random_world *w, const decide_result *r, const decide_shopper *s)
{
    const policy_exploration *e = &w->policy.explore;
    const double least = fmin(e->floor, 1.0 / (OFFERS * (CHANNEL_COUNT - 1) + 1));
    double none = 1;
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++)
        none -= r->outcomes[i].propensity;
    if (e->method == POLICY_EXPLORES_NOT || e->floor <= 0) return;
    assert_true(none >= least - 1e-9);
    if (s->holdout) return;
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++) {
        const decide_outcome *o = &r->outcomes[i];
        if (o->why.reason == REASON_CHOSEN || o->why.reason == REASON_NOT_DRAWN)
            assert_true(o->propensity >= least - 1e-9);
        else if (o->why.reason >= REASON_VALUE_BELOW_ZERO)
            assert_true(is_too_much(r, o));
    }
}

/* Chances of a shopper's promotions. */
static void check_chances(const random_world *w, const decide_result *r,
                          const decide_shopper *s)
{
    const bool sure = w->policy.explore.method == POLICY_EXPLORES_NOT;
    double sum = 0;
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++) {
        const decide_outcome *o = &r->outcomes[i];
        bool chosen = o->why.reason == REASON_CHOSEN;
        sum += o->propensity;
        assert_true(o->propensity >= 0 && o->propensity <= 1);
        if (sure) assert_true(o->propensity == (chosen ? 1 : 0));
        if (chosen) assert_true(o->propensity > 0);
        if (o->why.reason == REASON_NOT_DRAWN) {
            assert_true(o->propensity == o->why.propensity);
            assert_false(sure);
        }
        /* What is out by a rule or by its worth has no chance; of a shopper in the holdout it is
         * the chance that he would have had. */
        bool would = s->holdout && o->why.reason == REASON_HOLDOUT && !sure;
        if (o->why.reason != REASON_CHOSEN && o->why.reason < REASON_STACKING && !would)
            assert_true(o->propensity == 0);
    }
    assert_true(sure || sum <= 1);
    check_floor(w, r, s);
    assert_true(s->draw == EXPLORE_NO_DRAW ||
                (w->policy.explore.method == POLICY_EXPLORES_THOMPSON &&
                 (s->draw < w->in.n_draws || s->draw == 0)));
}

static void check_group(const random_world *w, const decide_result *r,
                        const decide_shopper *s, size_t i)
{
    const char *group = w->shop.promotions[r->outcomes[i].promotion].stacking_group;
    for (size_t k = s->first; k < i && group[0] != '\0'; k++)
        if (r->outcomes[k].why.reason == REASON_CHOSEN)
            assert_string_not_equal(
                w->shop.promotions[r->outcomes[k].promotion].stacking_group, group);
}

static void check_shopper(const random_world *w, const decide_result *r,
                          const decide_shopper *s, bool thorough)
{
    uint32_t total = 0, by[CHANNEL_COUNT] = {0};
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++) {
        const decide_outcome *o = &r->outcomes[i];
        assert_int_equal(o->shopper, s->shopper);
        assert_true(o->why.reason < REASON_COUNT);
        if (o->why.reason != REASON_CHOSEN) continue;
        check_contact(w, o);
        check_moment(w, o, thorough);
        check_group(w, r, s, i);
        total++;
        by[o->why.channel]++;
    }
    assert_int_equal(total, s->n_chosen);
    assert_true(total <= w->policy.per_shopper);
    for (int c = 1; c < CHANNEL_COUNT; c++)
        assert_true(w->policy.channel[c].per_shopper == 0 ||
                    by[c] <= w->policy.channel[c].per_shopper);
    check_windows(w, r, s);
    check_chances(w, r, s);
}

/* What is held against the budgets, in whole units. */
static int64_t cost_of(const random_world *w, const decide_outcome *o)
{
    double cost = random_world_cost(w, o, w->policy.hard);
    assert_true(cost >= 0);
    return (int64_t)ceil(cost);
}

static int64_t left_of(int64_t budget, int64_t committed)
{
    return budget > committed ? budget - committed : 0;
}

typedef struct sums {
    int64_t total, of_offer[OFFERS + 1], by[CHANNEL_COUNT];
    uint64_t n, n_by[CHANNEL_COUNT];
    double redeemed[OFFERS + 1];
} sums;

static void add_chosen(const random_world *w, const decide_result *r, sums *t)
{
    double gain = 0, expected = 0, fatigue = 0, value = 0;
    for (size_t i = 0; i < r->n_outcomes; i++) {
        const decide_outcome *o = &r->outcomes[i];
        if (o->why.reason != REASON_CHOSEN) continue;
        int64_t cost = cost_of(w, o);
        assert_true(o->cost_minor == cost);
        assert_true(fabs(o->why.cost_minor - random_world_cost(w, o, false)) < 1e-9);
        t->total += cost;
        t->of_offer[o->promotion] += cost;
        t->by[o->why.channel] += cost;
        t->n++;
        t->n_by[o->why.channel]++;
        t->redeemed[o->promotion] += o->p_redeem;
        gain += o->why.gain_minor;
        expected += o->why.cost_minor;
        fatigue += o->why.fatigue_minor;
        value += o->why.value_minor;
    }
    assert_true(t->total == r->cost_minor && t->n == r->n_chosen);
    assert_true(fabs(gain - r->gain_minor) < 1e-6);
    assert_true(fabs(expected - r->expected_cost_minor) < 1e-6);
    assert_true(fabs(fatigue - r->fatigue_minor) < 1e-6);
    assert_true(fabs(value - r->value_minor) < 1e-6);
    assert_true(fabs(value - (gain - expected - fatigue)) < 1e-6);
}

static void check_redemptions(const random_world *w, const sums *t, uint32_t p)
{
    const promotion *it = &w->shop.promotions[p];
    if (it->redemption_limit == 0 || t->redeemed[p] <= 0) return;
    uint32_t seen = past_count(w, 0, EVENT_REDEMPTION, p, -1);
    assert_true(t->redeemed[p] + seen <= it->redemption_limit + 1e-12);
}

static void check_budgets(const random_world *w, const decide_result *r)
{
    sums t = {0};
    const policy *how = &w->policy;
    add_chosen(w, r, &t);
    if (how->budget_minor != MONEY_ABSENT)
        assert_true(t.total <= left_of(how->budget_minor, w->in.committed_minor));
    assert_true(how->messages == 0 || t.n <= how->messages);
    for (int c = 1; c < CHANNEL_COUNT; c++) {
        const policy_channel *it = &how->channel[c];
        assert_true(it->budget_minor == MONEY_ABSENT || t.by[c] <= it->budget_minor);
        assert_true(it->messages == 0 || t.n_by[c] <= it->messages);
    }
    for (uint32_t p = 1; p <= w->shop.c.n_promotions; p++) {
        const promotion *it = &w->shop.promotions[p];
        const int64_t *spent = w->in.promotion_committed_minor;
        int64_t budget = it->budget_minor != MONEY_ABSENT ? it->budget_minor
                                                          : how->promotion_budget_minor;
        if (budget != MONEY_ABSENT)
            assert_true(t.of_offer[p] <= left_of(budget, spent != NULL ? spent[p] : 0));
        check_redemptions(w, &t, p);
    }
}

/* Whether some draw makes a chance larger than one, which is cut off. */
static bool is_clipped(const random_world *w, const decide_outcome *o)
{
    const uint32_t wide = w->shop.c.n_promotions + 1;
    const policy_metric counts = w->policy.metric;
    const bool steps = counts == POLICY_CLICKS || counts == POLICY_CONVERSIONS;
    const double step = steps ? o->why.gain_minor / w->policy.worth_minor : 0;
    const double *factor = counts == POLICY_CONVERSIONS && w->in.lift_draw != NULL
                               ? w->in.lift_draw
                               : w->in.redeem_draw;
    for (uint32_t d = 0; d < w->in.n_draws; d++)
        if (o->p_redeem * w->redeem_draw[d * wide + o->promotion] > 1 ||
            step * factor[d * wide + o->promotion] > 1)
            return true;
    return false;
}

/* Factors average one, so the draws' gains do the gain. */
static unsigned check_draws(const random_world *w, const decide_result *r)
{
    bool clipped = false;
    double gain = 0, value = 0;
    for (size_t i = 0; i < r->n_outcomes; i++)
        clipped |= r->outcomes[i].why.reason == REASON_CHOSEN && is_clipped(w, &r->outcomes[i]);
    assert_int_equal(r->n_draws, w->in.n_draws);
    if (r->n_draws == 0) return 0;
    for (uint32_t d = 0; d < r->n_draws; d++) {
        gain += r->draw_gain[d] / r->n_draws;
        value += r->draw_value[d] / r->n_draws;
    }
    if (clipped) return 0;
    assert_true(fabs(gain - r->gain_minor) < 1e-6);
    assert_true(fabs(value - r->value_minor) < 1e-6);
    return r->n_chosen > 0;
}

static void check_caps(const random_world *w, const decide_result *r)
{
    for (uint32_t m = 0; m < r->n_caps; m++) {
        const decide_cap *c = &r->caps[m];
        assert_true(c->used <= c->limit && c->price >= 0);
        assert_true(c->beside == UINT32_MAX || (c->beside < r->n_caps && c->beside != m));
        assert_true(w->in.margins || (!c->buys && c->more_of == 0));
        assert_true(!c->buys || c->price > 0);
        if (c->more_of == 0) continue;
        assert_true(c->buys && isfinite(c->more) && c->more > 0);
        assert_true(c->more_of <= w->shop.c.n_promotions && c->more_by > CHANNEL_NONE);
    }
}

static void check_world(const random_world *w, const decide_result *r, bool thorough)
{
    for (size_t s = 0; s < r->n_shoppers; s++)
        check_shopper(w, r, &r->shoppers[s], thorough);
    check_budgets(w, r);
    check_caps(w, r);
    /* Lots, too, are an answer that the caps allow. */
    assert_true(r->value_minor <= r->bound_minor * (1 + 1e-9) + 1e-9);
}

static void nothing_forbidden_happens_in_any_world(void **state)
{
    (void)state;
    static random_world w;
    uint64_t seen[REASON_COUNT] = {0};
    unsigned refused = 0, explored = 0, with_draws = 0;
    for (uint64_t i = 0; i < WORLDS; i++) {
        decide_result *r = NULL;
        pf_error err = {0};
        random_world_make(&w, i, 1 + (uint32_t)(i % SHOPPERS),
                          1 + (uint32_t)(i / SHOPPERS % OFFERS));
        explored += w.policy.explore.method != POLICY_EXPLORES_NOT;
        pf_status s = decide_run(&r, &w.in, &err);
        if (s == PF_USAGE && strstr(err.message, "least chances") != NULL) {
            /* Where only draws decide, prices can always be raised until the caps hold. */
            const policy_exploration *e = &w.policy.explore;
            assert_true(e->method != POLICY_EXPLORES_NOT);
            assert_true(e->floor > 0 || e->method == POLICY_EXPLORES_GREEDY);
            refused++;
        } else if (s != PF_OK) {
            fail_msg("world %d: %s", (int)i, err.message);
        } else {
            check_world(&w, r, i % 16 == 0);
            with_draws += check_draws(&w, r);
            for (int k = 0; k < REASON_COUNT; k++)
                seen[k] += r->by_reason[k];
        }
        decide_free(r);
        random_world_free(&w);
    }
    print_message("%u worlds explored, %u of them refused; %u with draws\n", explored, refused,
                  with_draws);
    assert_true(refused < explored / 4 && with_draws > WORLDS / 100);
    /* The worlds are varied enough only if every reason was given. */
    for (int k = 0; k < REASON_COUNT; k++)
        if (seen[k] < 100 && k != REASON_NO_MESSAGE) /* frames are not looked at here */
            fail_msg("too few worlds gave the reason %s", reason_code((decide_reason)k));
}

/* --- the best of all answers ----------------------------------------------------- */

typedef struct choice {
    uint32_t shopper, promotion, group;
    int by;
    double value, p;
    int64_t cost;
} choice;

typedef struct search {
    const random_world *w;
    const decide_result *r;
    choice choices[128];
    size_t n;
    double best;
    bool taken[128];
} search;

static bool caps_allow(const search *s)
{
    const decide_result *r = s->r;
    for (uint32_t m = 0; m < r->n_caps; m++) {
        const decide_cap *c = &r->caps[m];
        double used = 0;
        for (size_t i = 0; i < s->n; i++) {
            const choice *x = &s->choices[i];
            if (!s->taken[i] || (c->promotion != 0 && c->promotion != x->promotion) ||
                (c->channel != CHANNEL_NONE && (int)c->channel != x->by))
                continue;
            bool money = c->kind == DECIDE_CAP_BUDGET ||
                         c->kind == DECIDE_CAP_PROMOTION_BUDGET ||
                         c->kind == DECIDE_CAP_CHANNEL_BUDGET;
            used += money                                         ? (double)x->cost
                    : c->kind == DECIDE_CAP_PROMOTION_REDEMPTIONS ? x->p
                                                                  : 1;
        }
        if (used > c->limit) return false;
    }
    return true;
}

static bool may_add(const search *s, size_t i)
{
    uint32_t n = 0;
    for (size_t k = 0; k < i; k++) {
        if (!s->taken[k] || s->choices[k].shopper != s->choices[i].shopper) continue;
        if (s->choices[k].group == s->choices[i].group) return false;
        n++;
    }
    return n < s->w->policy.per_shopper;
}

static void try_all(search *s, size_t i, double value)
{
    if (i == s->n) {
        if (value > s->best) s->best = value;
        return;
    }
    try_all(s, i + 1, value);
    s->taken[i] = true;
    if (may_add(s, i) && caps_allow(s)) try_all(s, i + 1, value + s->choices[i].value);
    s->taken[i] = false;
}

/* Options that were offered to the allocation: every candidate that got past the value
 * rule, by the one channel these worlds have. */
static void collect(search *s)
{
    for (size_t i = 0; i < s->r->n_outcomes; i++) {
        const decide_outcome *o = &s->r->outcomes[i];
        if (o->why.reason != REASON_CHOSEN && o->why.reason < REASON_STACKING) continue;
        const char *group = s->w->shop.promotions[o->promotion].stacking_group;
        assert_true(s->n < 128);
        s->choices[s->n++] =
            (choice){o->shopper,
                     o->promotion,
                     group[0] != '\0' ? 100u + (uint32_t)group[0] : o->promotion,
                     (int)o->why.channel,
                     o->why.value_minor,
                     o->p_redeem,
                     cost_of(s->w, o)};
    }
}

/* Whether an offer is eligible is tested above; here budgets are to bind. */
static void open_up(promotion *p)
{
    p->channels = 0;
    p->audience = "";
    p->starts_us = p->ends_us = TIME_ABSENT;
    p->n_scope = 0;
}

static void tiny_worlds_are_worth_what_trying_everything_finds(void **state)
{
    (void)state;
    static random_world w;
    double sum = 0, sum_best = 0;
    unsigned off = 0, bound = 0;
    for (uint64_t i = 0; i < TINY; i++) {
        decide_result *r = NULL;
        random_world_make(&w, 100000 + i, 3 + (uint32_t)(i % 4), 2 + (uint32_t)(i % 2));
        w.policy.channels = 1u << CHANNEL_EMAIL;
        w.policy.unasked = CHANNEL_SET_ALL;
        w.policy.holdout_share = w.policy.campaign_holdout_share = 0;
        w.policy.n_tags = 0;
        w.policy.quiet = (quiet_hours){0, 0};
        w.policy.hard = false;
        w.in.send_at_us = NULL;
        random_world_be_sure(&w);
        w.policy.budget_minor = 10 + (int64_t)random_below(&w.r, 200);
        w.policy.unknown_discount_minor = 80;
        w.in.committed_minor = 0;
        for (uint32_t p = 1; p <= w.shop.c.n_promotions; p++)
            open_up(&w.shop.promotions[p]);
        w.policy.window = (policy_window){0, 0, 0};
        w.policy.channel[CHANNEL_EMAIL].window = w.policy.window;
        w.policy.channel[CHANNEL_EMAIL].per_shopper = 0;
        assert_int_equal(decide_run(&r, &w.in, NULL), PF_OK);
        static search s;
        s = (search){.w = &w, .r = r};
        collect(&s);
        try_all(&s, 0, 0);
        assert_true(r->value_minor <= s.best + 1e-9);
        assert_true(s.best <= r->bound_minor * (1 + 1e-9) + 1e-9);
        off += r->value_minor < 0.995 * s.best;
        bound += r->by_reason[REASON_BUDGET_EXHAUSTED] > 0;
        sum += r->value_minor;
        sum_best += s.best;
        decide_free(r);
        random_world_free(&w);
    }
    print_message(
        "%u of %d more than .5 %% below the best; sum %.5f of it; a cap bound in %u\n",
        off, TINY, sum / sum_best, bound);
    assert_true(bound > TINY / 5);
    assert_true(off < TINY / 50);
    assert_true(sum > 0.995 * sum_best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_forbidden_happens_in_any_world),
        cmocka_unit_test(tiny_worlds_are_worth_what_trying_everything_finds),
    };
    return cmocka_run_group_tests(tests, NULL, close_zones);
}
