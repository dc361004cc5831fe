/*
 * What would have to be otherwise is true: the stated change is made to the inputs of a random
 * shop and everything is decided again. Then the promotion is chosen or fails for a reason that is
 * asked later; with a little less than the stated change it still fails as it did. For budgets the
 * prices of many shoppers are taken as they were, so there a share of misses is allowed.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/decide.h"
#include "decide/random_world.h"
#include "decide/what_if.h"

enum { WORLDS = 1500, RIVAL_WORLDS = 1000 };

static random_world w;
static uint64_t world_seed;
static uint32_t n_shoppers, n_offers;
static unsigned tried[REASON_COUNT][LEVER_COUNT];

static void remake(void)
{
    if (w.shop.shoppers != NULL) random_world_free(&w);
    random_world_make(&w, world_seed, n_shoppers, n_offers);
    random_world_be_sure(&w);
    w.in.margins = false;
    w.in.n_draws = 0;
}

static int finish(void **state)
{
    (void)state;
    if (w.shop.shoppers != NULL) random_world_free(&w);
    w.shop.shoppers = NULL;
    random_world_close_zones();
    return 0;
}

/* Decides again; the outcome of one shopper and promotion. Its texts are gone. */
static decide_outcome decide_again(uint32_t s, uint32_t p)
{
    decide_result *r = NULL;
    pf_error err = {0};
    if (decide_run(&r, &w.in, &err) != PF_OK) fail_msg("%s", err.message);
    decide_outcome found = {.shopper = 0};
    for (size_t i = 0; i < r->n_outcomes; i++)
        if (r->outcomes[i].shopper == s && r->outcomes[i].promotion == p)
            found = r->outcomes[i];
    decide_free(r);
    assert_int_equal(found.shopper, s);
    return found;
}

/* The order in which reasons are asked; scores come with the value. */
static int rank(const reason_facts *f)
{
    if (f->reason == REASON_CHOSEN) return 2 * REASON_COUNT;
    if (f->reason == REASON_CHANNEL_NOT_ALLOWED && f->lever == LEVER_SCORES)
        return 2 * REASON_COST_UNKNOWN - 1;
    return 2 * (int)f->reason;
}

static void expect_later(const decide_outcome *o)
{
    decide_outcome now = decide_again(o->shopper, o->promotion);
    if (rank(&now.why) <= rank(&o->why))
        fail_msg("world %llu, shopper %u, promotion %u: %s was to be undone, now %s",
                 (unsigned long long)world_seed, o->shopper, o->promotion,
                 reason_code(o->why.reason), reason_code(now.why.reason));
    tried[o->why.reason][o->why.lever]++;
}

static void expect_same(const decide_outcome *o)
{
    decide_outcome now = decide_again(o->shopper, o->promotion);
    if (now.why.reason != o->why.reason)
        fail_msg("world %llu, shopper %u, promotion %u: %s was to stay, now %s",
                 (unsigned long long)world_seed, o->shopper, o->promotion,
                 reason_code(o->why.reason), reason_code(now.why.reason));
}

/* --- changes ----------------------------------------------------------------------- */

static promotion *offer_of(const decide_outcome *o)
{
    return &w.shop.promotions[o->promotion];
}

static void try_time(const decide_outcome *o)
{
    const reason_facts *f = &o->why;
    bool early = f->from_us != TIME_ABSENT && w.in.at_us < f->from_us;
    if (f->from_us != TIME_ABSENT && f->until_us != TIME_ABSENT && f->from_us >= f->until_us)
        return; /* never live */
    w.in.at_us = early ? f->from_us : f->until_us - 1;
    expect_later(o);
    w.in.at_us = early ? f->from_us - 1 : f->until_us;
    expect_same(o);
}

static void try_limits(const decide_outcome *o)
{
    promotion *p = offer_of(o);
    uint32_t *limit = o->why.reason == REASON_SHOPPER_LIMIT ? &p->shopper_limit
                                                            : &p->redemption_limit;
    assert_int_equal(*limit, o->why.limit);
    *limit = o->why.seen;
    expect_same(o);
    *limit = o->why.seen + 1;
    expect_later(o);
}

/* What the blamed shopper is said to be: chosen to make the wanted comparison hold. */
static struct {
    uint32_t shopper;
    const char *wants;
} profile;

static void profile_lookup(void *context, uint32_t number, const char *name,
                           audience_value *out)
{
    (void)context;
    if (number != profile.shopper) return;
    if (strcmp(name, "n") == 0) *out = (audience_value){.kind = AUDIENCE_NUMBER, .number = 4};
    if (strcmp(name, "even") == 0)
        *out = (audience_value){.kind = AUDIENCE_FLAG,
                                .flag = strncmp(profile.wants, "not", 3) != 0};
}

static void try_audience(const decide_outcome *o)
{
    const char *wants = o->why.wants, *has = o->why.has;
    char number[32];
    profile.shopper = o->shopper;
    assert_non_null(wants);
    if (strcmp(wants, "n > 3") == 0) {
        profile.wants = "n > 3";
        (void)snprintf(number, sizeof number, "%u", o->shopper);
        assert_string_equal(has, number);
    } else {
        bool no = strcmp(wants, "not (even = yes)") == 0;
        profile.wants = no ? "not" : "even";
        if (!no) assert_string_equal(wants, "even = yes");
        assert_int_equal(has == NULL, o->shopper % 3 == 0);
        if (has != NULL) assert_string_equal(has, no ? "yes" : "no");
    }
    w.in.lookup = profile_lookup;
    expect_later(o);
}

/* Every channel that is named would do alone. */
static void try_channels(const decide_outcome *o)
{
    assert_true(o->why.channels != 0);
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        const channel_set bit = 1u << by;
        if (!(o->why.channels & bit)) continue;
        remake();
        shopper *who = &w.shop.shoppers[o->shopper];
        if (o->why.reason == REASON_CHANNEL_NOT_ALLOWED) w.policy.channels |= bit;
        if (o->why.reason == REASON_NO_CONSENT) who->consent_given |= bit;
        if (o->why.reason == REASON_CONSENT_REFUSED) {
            who->consent_refused &= ~bit;
            const shop_history *h = w.history;
            for (uint64_t i = h->first[o->shopper]; i < h->first[o->shopper + 1]; i++)
                if (h->type[i] == EVENT_UNSUBSCRIBE &&
                    (h->channel[i] == by || h->channel[i] == CHANNEL_NONE))
                    ((uint8_t *)h->type)[i] = EVENT_VIEW;
        }
        expect_later(o);
    }
}

static int compare_scores(const void *a, const void *b)
{
    const decide_score *x = a, *y = b;
    if (x->shopper != y->shopper) return x->shopper < y->shopper ? -1 : 1;
    if (x->promotion != y->promotion) return x->promotion < y->promotion ? -1 : 1;
    return (int)x->channel - (int)y->channel;
}

static void try_scores(const decide_outcome *o)
{
    int by = 1;
    while (!(o->why.channels & 1u << by))
        by++;
    w.scores[w.in.n_scores++] = (decide_score){.shopper = o->shopper,
                                               .promotion = o->promotion,
                                               .channel = (channel)by,
                                               .p_redeem = 0.5,
                                               .spend_minor = 1000,
                                               .click_known = true,
                                               .convert_known = true,
                                               .p_click = 0.5,
                                               .p_convert = 0.5};
    qsort(w.scores, w.in.n_scores, sizeof w.scores[0], compare_scores);
    expect_later(o);
}

/* Nothing happens between now and then. */
static void forget_future(void)
{
    for (uint64_t i = 0; i < w.history->n; i++)
        if (w.history->time_us[i] >= w.in.at_us) ((uint8_t *)w.history->type)[i] = EVENT_VIEW;
}

static void try_windows(const decide_outcome *o)
{
    assert_true(o->why.time_us > w.in.at_us);
    forget_future();
    offer_of(o)->starts_us = offer_of(o)->ends_us = TIME_ABSENT;
    w.in.at_us = o->why.time_us;
    expect_later(o);
    w.in.at_us--;
    decide_outcome before = decide_again(o->shopper, o->promotion);
    assert_true(before.why.reason == o->why.reason);
    assert_true(before.why.time_us == o->why.time_us);
}

static void try_quiet(const decide_outcome *o)
{
    offer_of(o)->ends_us = o->why.time_us;
    expect_same(o);
    offer_of(o)->ends_us = o->why.time_us + 1;
    expect_later(o);
    remake();
    w.policy.quiet = (quiet_hours){0, 0};
    expect_later(o);
}

static void try_costs(const decide_outcome *o)
{
    bool both = o->why.lever == LEVER_BOTH_DISCOUNTS;
    if (both || o->why.lever == LEVER_UNKNOWN_VALUE) w.policy.unknown_discount_minor = 50;
    if (both) expect_same(o);
    if (both || o->why.lever == LEVER_LARGEST_DISCOUNT) w.policy.largest_discount_minor = 90;
    expect_later(o);
}

/* The score that speaks for an outcome's channel. */
static decide_score *score_of(const decide_outcome *o)
{
    decide_score *found = NULL;
    for (size_t i = 0; i < w.in.n_scores; i++) {
        decide_score *s = &w.scores[i];
        if (s->shopper != o->shopper || s->promotion != o->promotion) continue;
        if (s->channel == o->why.channel) return s;
        if (s->channel == CHANNEL_NONE) found = s;
    }
    assert_non_null(found);
    return found;
}

static void try_worth(const decide_outcome *o)
{
    const reason_facts *f = &o->why;
    decide_score *s = score_of(o);
    if (f->lever == LEVER_GAIN) { /* what brings it is not one number */
        assert_true(f->needed >= f->gain_minor && f->actual == f->gain_minor);
        assert_true(fabs(f->needed - f->cost_minor - f->fatigue_minor) < 1e-9);
        return;
    }
    double *lever = f->lever == LEVER_REDEEM ? &s->p_redeem : &s->lift_minor;
    assert_true(*lever == f->actual);
    assert_true(f->needed >= f->actual);
    double step = f->lever == LEVER_REDEEM ? 1e-9 : 1e-6;
    *lever = fmax(f->actual, f->needed - step);
    expect_same(o);
    *lever = f->needed + step;
    if (*lever <= 1 || f->lever == LEVER_LIFT) expect_later(o);
}

/* What is chosen goes out no more by its channel when it is worth less than it costs. */
static void try_chosen(const decide_outcome *o)
{
    decide_score *s = score_of(o);
    const double least = o->why.cost_minor + o->why.fatigue_minor;
    if (!s->lift_known || policy_counts(w.policy.metric)) return;
    double rate = w.policy.metric == POLICY_REVENUE ? 1 : w.policy.margin_rate;
    s->lift_minor = (least - 1e-6) / rate;
    decide_outcome now = decide_again(o->shopper, o->promotion);
    assert_true(now.why.reason != REASON_CHOSEN || now.why.channel != o->why.channel);
    tried[REASON_CHOSEN][LEVER_NONE]++;
}

static void try_outcome(const decide_outcome *o)
{
    remake();
    switch (o->why.reason) {
    case REASON_CHOSEN: try_chosen(o); break;
    case REASON_UNKNOWN_SHOPPER:
        w.shop.shoppers[o->shopper].exists = true;
        expect_later(o);
        break;
    case REASON_NOT_LIVE: try_time(o); break;
    case REASON_NOTHING_IN_STOCK:
        w.in_stock[offer_of(o)->scope[0]] = 1;
        expect_later(o);
        break;
    case REASON_REDEMPTION_LIMIT:
    case REASON_SHOPPER_LIMIT: try_limits(o); break;
    case REASON_NOT_IN_AUDIENCE: try_audience(o); break;
    case REASON_CHANNEL_NOT_ALLOWED:
        if (o->why.lever == LEVER_SCORES)
            try_scores(o);
        else
            try_channels(o);
        break;
    case REASON_CONSENT_REFUSED:
    case REASON_NO_CONSENT: try_channels(o); break;
    case REASON_EXPOSURE_CAP:
    case REASON_TAG_CAP: try_windows(o); break;
    case REASON_HOLDOUT:
        w.policy.holdout_share = w.policy.campaign_holdout_share = 0;
        expect_later(o);
        break;
    case REASON_QUIET_HOURS: try_quiet(o); break;
    case REASON_COST_UNKNOWN: try_costs(o); break;
    case REASON_VALUE_BELOW_ZERO: try_worth(o); break;
    default: break; /* of the allocation: below */
    }
}

static void the_stated_change_leads_to_the_next_question(void **state)
{
    (void)state;
    memset(tried, 0, sizeof tried);
    for (world_seed = 900000; world_seed < 900000 + WORLDS; world_seed++) {
        decide_result *r = NULL;
        n_shoppers = 1 + (uint32_t)(world_seed % RANDOM_SHOPPERS);
        n_offers = 1 + (uint32_t)(world_seed / 7 % RANDOM_OFFERS);
        remake();
        assert_int_equal(decide_run(&r, &w.in, NULL), PF_OK);
        for (size_t i = 0; i < r->n_outcomes; i++) /* of the frequent ones a third */
            if (r->outcomes[i].why.reason >= REASON_EXPOSURE_CAP ||
                r->outcomes[i].why.reason == REASON_CHOSEN || i % 3 == world_seed % 3)
                try_outcome(&r->outcomes[i]);
        decide_free(r);
    }
    for (int k = REASON_CHOSEN; k <= REASON_COST_UNKNOWN; k++) {
        unsigned n = 0;
        for (int lever = 0; lever < LEVER_COUNT; lever++)
            n += tried[k][lever];
        if (n < 20 && k != REASON_NO_MESSAGE)
            fail_msg("%s was undone %u times", reason_code((decide_reason)k), n);
    }
    assert_true(tried[REASON_VALUE_BELOW_ZERO][LEVER_REDEEM] > 50);
    assert_true(tried[REASON_VALUE_BELOW_ZERO][LEVER_LIFT] > 50);
    assert_true(tried[REASON_CHANNEL_NOT_ALLOWED][LEVER_SCORES] > 20);
    assert_true(tried[REASON_COST_UNKNOWN][LEVER_BOTH_DISCOUNTS] > 20);
    assert_true(tried[REASON_COST_UNKNOWN][LEVER_LARGEST_DISCOUNT] > 20);
}

/* --- rivals ------------------------------------------------------------------------ */

/* No budget and no cap but those of one shopper: prices are 0. Lifts are the lever. */
static void remake_without_caps(void)
{
    remake();
    policy *p = &w.policy;
    p->budget_minor = p->promotion_budget_minor = MONEY_ABSENT;
    p->messages = 0;
    p->metric = POLICY_MARGIN;
    p->hard = false;
    p->holdout_share = p->campaign_holdout_share = 0;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        p->channel[by].budget_minor = MONEY_ABSENT;
        p->channel[by].messages = 0;
        p->channel[by].per_shopper = 0;
        p->channel[by].window = (policy_window){0, 0, 0};
    }
    for (uint32_t i = 1; i <= w.shop.c.n_promotions; i++) {
        w.shop.promotions[i].budget_minor = MONEY_ABSENT;
        w.shop.promotions[i].redemption_limit = 0;
    }
    for (size_t i = 0; i < w.in.n_scores; i++) {
        decide_score *s = &w.scores[i];
        if (!s->lift_known) s->lift_minor = s->p_redeem * s->spend_minor;
        s->lift_known = true;
    }
}

static void drop_rivals(const decide_result *r, const decide_outcome *o)
{
    size_t n = 0;
    for (size_t i = 0; i < w.in.n_scores; i++) {
        decide_score s = w.scores[i];
        bool better = s.shopper == o->shopper && s.promotion == o->why.other;
        for (size_t k = 0; k < r->n_outcomes; k++)
            better |= r->outcomes[k].shopper == s.shopper && s.shopper == o->shopper &&
                      r->outcomes[k].promotion == s.promotion && s.promotion != o->promotion &&
                      r->outcomes[k].why.reason != REASON_CHOSEN &&
                      r->outcomes[k].why.value_minor >= o->why.value_minor;
        if (!better) w.scores[n++] = s;
    }
    w.in.n_scores = n;
}

static void try_rival(const decide_result *r, const decide_outcome *o)
{
    const reason_facts *f = &o->why;
    const double rate = w.policy.margin_rate;
    assert_int_equal(f->lever, LEVER_GAIN);
    assert_true(f->needed >= f->actual && f->actual == f->gain_minor);
    remake_without_caps();
    decide_score *s = score_of(o);
    double before = s->lift_minor;
    s->lift_minor = before + (f->needed - f->actual + 1e-6) / rate;
    assert_int_equal(decide_again(o->shopper, o->promotion).why.reason, REASON_CHOSEN);
    if (f->needed - f->actual > 1e-5) {
        s->lift_minor = before + (f->needed - f->actual - 1e-6) / rate;
        assert_int_equal(decide_again(o->shopper, o->promotion).why.reason, f->reason);
    }
    remake_without_caps();
    drop_rivals(r, o);
    assert_int_equal(decide_again(o->shopper, o->promotion).why.reason, REASON_CHOSEN);
    tried[f->reason][f->lever]++;
}

static void beating_the_rival_or_its_absence_sends_it(void **state)
{
    (void)state;
    memset(tried, 0, sizeof tried);
    for (world_seed = 910000; world_seed < 910000 + RIVAL_WORLDS; world_seed++) {
        decide_result *r = NULL;
        n_shoppers = 1 + (uint32_t)(world_seed % 6);
        n_offers = RANDOM_OFFERS;
        remake_without_caps();
        assert_int_equal(decide_run(&r, &w.in, NULL), PF_OK);
        for (size_t i = 0; i < r->n_outcomes; i++) {
            const decide_outcome *o = &r->outcomes[i];
            assert_true(o->why.reason != REASON_BUDGET_EXHAUSTED);
            if (o->why.reason == REASON_STACKING || o->why.reason == REASON_LOWER_VALUE)
                try_rival(r, o);
        }
        decide_free(r);
    }
    assert_true(tried[REASON_STACKING][LEVER_GAIN] > 100);
    assert_true(tried[REASON_LOWER_VALUE][LEVER_GAIN] > 100);
}

/* --- what better uses leave --------------------------------------------------------- */

static void remake_with_one_channel(void)
{
    remake();
    w.policy.channels = 1u << CHANNEL_EMAIL;
    w.policy.unasked = CHANNEL_SET_ALL;
    w.policy.holdout_share = w.policy.campaign_holdout_share = 0;
    w.policy.unknown_discount_minor = w.policy.largest_discount_minor = 80;
    bool open = world_seed % 4 == 0; /* so that the caps of promotions bind */
    w.policy.budget_minor = open ? MONEY_ABSENT : 100 + (int64_t)(world_seed % 300);
    if (open) w.policy.channel[CHANNEL_EMAIL].budget_minor = MONEY_ABSENT;
    w.policy.messages = world_seed % 3 == 0 ? 2 : 0;
    for (uint32_t i = 1; i <= w.shop.c.n_promotions; i++) {
        w.shop.promotions[i].channels = 0;
        w.shop.promotions[i].audience = "";
    }
}

/* One cap has so much more room than it had. */
static void widen(const decide_result *r, const decide_outcome *o)
{
    const reason_facts *f = &o->why;
    const int64_t more = (int64_t)ceil(f->more);
    promotion *p = offer_of(o);
    double limit = -1;
    for (uint32_t m = 0; m < r->n_caps; m++)
        if (r->caps[m].kind == f->cap && r->caps[m].promotion == f->other &&
            r->caps[m].channel == f->cap_channel)
            limit = r->caps[m].limit;
    assert_true(limit >= 0);
    const int64_t room = (int64_t)limit + more;
    const int64_t spent = w.in.promotion_committed_minor != NULL ? w.committed[o->promotion] : 0;
    policy_channel *email = &w.policy.channel[CHANNEL_EMAIL];
    switch (f->cap) {
    case DECIDE_CAP_BUDGET: w.policy.budget_minor = room + w.in.committed_minor; break;
    case DECIDE_CAP_MESSAGES: w.policy.messages = (uint64_t)room; break;
    case DECIDE_CAP_PROMOTION_BUDGET: p->budget_minor = room + spent; break;
    case DECIDE_CAP_PROMOTION_REDEMPTIONS: p->redemption_limit += (uint32_t)more; break;
    case DECIDE_CAP_CHANNEL_BUDGET: email->budget_minor = room; break;
    case DECIDE_CAP_CHANNEL_MESSAGES: email->messages = (uint64_t)room; break;
    default: fail_msg("a cap of no kind");
    }
}

/* The same is chosen besides, and nothing else asks. */
static void keep_chosen(const decide_result *r, const decide_outcome *o)
{
    size_t n = 0;
    for (size_t i = 0; i < w.in.n_scores; i++) {
        decide_score s = w.scores[i];
        bool keeps = s.shopper == o->shopper && s.promotion == o->promotion;
        for (size_t k = 0; k < r->n_outcomes; k++)
            keeps |= r->outcomes[k].shopper == s.shopper &&
                     r->outcomes[k].promotion == s.promotion &&
                     r->outcomes[k].why.reason == REASON_CHOSEN;
        if (keeps) w.scores[n++] = s;
    }
    w.in.n_scores = n;
}

static void what_better_uses_would_have_to_leave_is_enough(void **state)
{
    (void)state;
    unsigned seen[DECIDE_CAP_KINDS] = {0}, none = 0;
    for (world_seed = 920000; world_seed < 920000 + RIVAL_WORLDS; world_seed++) {
        decide_result *r = NULL;
        n_shoppers = RANDOM_SHOPPERS;
        n_offers = 1 + (uint32_t)(world_seed % 5);
        remake_with_one_channel();
        assert_int_equal(decide_run(&r, &w.in, NULL), PF_OK);
        for (size_t i = 0; i < r->n_outcomes; i++) {
            const decide_outcome *o = &r->outcomes[i];
            if (o->why.reason != REASON_BUDGET_EXHAUSTED) continue;
            none += o->why.more <= 0;
            if (o->why.more <= 0) continue;
            remake_with_one_channel();
            widen(r, o);
            keep_chosen(r, o);
            assert_int_equal(decide_again(o->shopper, o->promotion).why.reason, REASON_CHOSEN);
            seen[o->why.cap]++;
        }
        decide_free(r);
    }
    for (int k = DECIDE_CAP_BUDGET; k < DECIDE_CAP_KINDS; k++)
        if (seen[k] < 10)
            fail_msg("%s was widened %u times", cap_code((decide_cap_kind)k), seen[k]);
    assert_true(none > 20); /* two caps at once, or a rival: no single number does it */
}

/* --- budgets ----------------------------------------------------------------------- */

enum { MANY = 600, MANY_OFFERS = 3 };

/* Many shoppers, one budget. */
typedef struct crowd {
    small_shop shop;
    policy policy;
    decide_inputs in;
    decide_score scores[MANY * MANY_OFFERS];
} crowd;

static crowd c;

static void crowd_make(void)
{
    random_stream r = random_begin(5, 1);
    memset(&c, 0, sizeof c);
    small_shop_init(&c.shop, MANY + 10, "USD");
    c.policy = policy_default();
    c.policy.holdout_share = 0;
    c.policy.margin_rate = 0.3;
    c.policy.channels = 1u << CHANNEL_EMAIL;
    c.policy.channel[CHANNEL_EMAIL].contact_cost_minor = 4;
    c.policy.budget_minor = 9000;
    c.in = (decide_inputs){.policy = &c.policy,
                           .catalogue = &c.shop.c,
                           .at_us = INT64_C(1491782400) * US_PER_SECOND,
                           .scores = c.scores};
    for (int p = 0; p < MANY_OFFERS; p++)
        small_shop_promotion(&c.shop, PROMOTION_MONEY_OFF)->value_minor = 100 + 50 * p;
    for (uint32_t s = 1; s <= MANY; s++) {
        (void)small_shop_shopper(&c.shop);
        for (uint32_t p = 1; p <= MANY_OFFERS; p++)
            c.scores[c.in.n_scores++] =
                (decide_score){.shopper = s,
                               .promotion = p,
                               .p_redeem = 0.05 + 0.5 * random_unit(&r),
                               .spend_minor = 1000,
                               .lift_known = true,
                               .lift_minor = random_unit(&r) * 600};
    }
}

static decide_reason crowd_reason(size_t outcome)
{
    decide_result *r = NULL;
    assert_int_equal(decide_run(&r, &c.in, NULL), PF_OK);
    decide_reason reason = r->outcomes[outcome].why.reason;
    decide_free(r);
    return reason;
}

/* Its gain a little above and a little below what is said to do. */
static void try_gain(const reason_facts *f, size_t i, unsigned *hits, unsigned *tries)
{
    double before = c.scores[i].lift_minor;
    for (int side = -1; side <= 1; side += 2) {
        c.scores[i].lift_minor = (f->needed + side * 0.02 * f->needed) / c.policy.margin_rate;
        *hits += (crowd_reason(i) == REASON_CHOSEN) == (side > 0);
        ++*tries;
    }
    c.scores[i].lift_minor = before;
}

/* Better uses leave so much more: those that were not chosen ask for nothing. */
static void try_more(const decide_result *r, const reason_facts *f, size_t i)
{
    double before[MANY * MANY_OFFERS];
    for (size_t k = 0; k < r->n_outcomes; k++) {
        before[k] = c.scores[k].lift_minor;
        if (r->outcomes[k].why.reason != REASON_CHOSEN && k != i) c.scores[k].lift_minor = 0;
    }
    int64_t budget = c.policy.budget_minor;
    c.policy.budget_minor += (int64_t)ceil(f->more);
    assert_int_equal(crowd_reason(i), REASON_CHOSEN);
    c.policy.budget_minor = budget;
    for (size_t k = 0; k < r->n_outcomes; k++)
        c.scores[k].lift_minor = before[k];
}

static void among_many_a_budget_gives_way_to_the_stated_gain(void **state)
{
    (void)state;
    decide_result *r = NULL;
    unsigned hits = 0, tries = 0, more = 0;
    crowd_make();
    assert_int_equal(decide_run(&r, &c.in, NULL), PF_OK);
    assert_true(r->by_reason[REASON_BUDGET_EXHAUSTED] > 300);
    for (size_t i = 0; i < r->n_outcomes && tries < 200; i += 7) {
        const decide_outcome *o = &r->outcomes[i];
        if (o->why.reason != REASON_BUDGET_EXHAUSTED) continue;
        assert_int_equal(o->why.cap, DECIDE_CAP_BUDGET);
        if (o->why.lever == LEVER_GAIN) try_gain(&o->why, i, &hits, &tries);
        if (o->why.more > 0 && more < 20) {
            try_more(r, &o->why, i);
            more++;
        }
    }
    print_message("%u of %u gains did as was said\n", hits, tries);
    assert_true(tries > 60 && more > 10);
    assert_true(hits * 20 >= tries * 19);
    decide_free(r);
    small_shop_free(&c.shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stated_change_leads_to_the_next_question),
        cmocka_unit_test(beating_the_rival_or_its_absence_sends_it),
        cmocka_unit_test(what_better_uses_would_have_to_leave_is_enough),
        cmocka_unit_test(among_many_a_budget_gives_way_to_the_stated_gain),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
