/* evaluate/policies.h: windows, money, names, choices, words and refusals, on small logs counted
 * by hand. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "evaluate/policies_rows.h"
#include "evaluate/policies_world.h"

static const currency euro = {"EUR", 2};

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g within %g", value, expected, within);
}

static void assert_says(const char *words, const char *part)
{
    if (strstr(words, part) == NULL) fail_msg("'%s' does not say '%s'", words, part);
}

static void compare(const world *w, const char *names, const policies_options *o,
                    policies_result *r)
{
    policies_choice who[POLICIES_MAX];
    size_t n;
    pf_error err = {0};
    if (policies_parse(names, &w->c, who, POLICIES_MAX, &n, &err) != PF_OK ||
        policies_compare(&w->log, who, n, o, r, &err) != PF_OK)
        fail_msg("%s", err.message);
}

static void make(world *w, uint32_t shoppers, uint64_t seed)
{
    const world_plan plan = world_plan_default(shoppers, seed);
    world_make(w, &plan);
}

/* ---- windows ---- */

/* Decisions are on days 0 and 14, purchases a day later. */
static void a_window_ends_at_the_next_decision(void **state)
{
    (void)state;
    world w;
    make(&w, 400, 1);
    policies_rows cut, whole, short_window;
    policies_options o = world_options();
    o.reward = POLICIES_REVENUE;
    double all = 0, until_next = 0, twice = 0;
    for (size_t i = 0; i < w.n_rows; i++)
        all += (double)w.rows[i].paid_minor;
    assert_int_equal(policies_rows_new(&cut, &w.log, &o, NULL), PF_OK);
    assert_int_equal(cut.counts.cut, w.n / 2);
    o.to_next_decision = false;
    assert_int_equal(policies_rows_new(&whole, &w.log, &o, NULL), PF_OK);
    assert_int_equal(whole.counts.cut, 0);
    o.window_us = US_PER_DAY; /* the purchase comes just as the window ends */
    assert_int_equal(policies_rows_new(&short_window, &w.log, &o, NULL), PF_OK);
    for (size_t i = 0; i < w.n; i++) {
        until_next += cut.columns.reward[i];
        twice += whole.columns.reward[i];
        assert_near(short_window.columns.reward[i], 0, 0);
        if (i % 2 == 0)
            assert_near(whole.columns.reward[i],
                        cut.columns.reward[i] + cut.columns.reward[i + 1], 1e-9);
    }
    assert_near(until_next, all, 1e-6);
    assert_true(twice > 1.3 * all);
    assert_near(cut.observed, all / (double)w.n, 1e-6);
    policies_rows_free(&cut);
    policies_rows_free(&whole);
    policies_rows_free(&short_window);
    world_free(&w);
}

static void what_is_not_over_waits(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 2);
    policies_rows r;
    policies_options o = world_options();
    o.until_us = WORLD_START + 30 * US_PER_DAY; /* of the second ones 16 days are known */
    assert_int_equal(policies_rows_new(&r, &w.log, &o, NULL), PF_OK);
    assert_int_equal(r.counts.waiting, w.n / 2);
    assert_int_equal(r.counts.compared, w.n / 2);
    assert_int_equal(r.counts.decisions, w.n);
    policies_rows_free(&r);
    o.until_us = WORLD_START + 42 * US_PER_DAY;
    assert_int_equal(policies_rows_new(&r, &w.log, &o, NULL), PF_OK);
    assert_int_equal(r.counts.waiting, 0);
    policies_rows_free(&r);
    world_free(&w);
}

static void the_order_of_the_log_changes_nothing(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 3);
    policies_result a, b;
    policies_options o = world_options();
    o.plan.replicates = 20;
    compare(&w, "value,best-single", &o, &a);
    for (size_t i = 0; i < w.n / 2; i++) {
        const policies_decision swap = w.decision[i];
        w.decision[i] = w.decision[w.n - 1 - i];
        w.decision[w.n - 1 - i] = swap;
    }
    compare(&w, "value,best-single", &o, &b);
    for (size_t j = 0; j < 2; j++) {
        assert_near(a.figure[j].value.value, b.figure[j].value.value, 0);
        assert_near(a.figure[j].difference.low, b.figure[j].difference.low, 0);
        assert_near(a.figure[j].cost_minor, b.figure[j].cost_minor, 0);
    }
    policies_result_free(&a);
    policies_result_free(&b);
    world_free(&w);
}

/* ---- money ---- */

static shop_history *history_of(const history_row *rows, size_t n)
{
    shop_history *h;
    assert_int_equal(history_from_rows(&h, rows, n, 2, NULL), PF_OK);
    return h;
}

/* Of promotion 1. */
static history_row event(event_type type, int64_t at_us, int64_t paid, int64_t coupon)
{
    return (history_row){.shopper = 1, .type = (uint8_t)type, .time_us = at_us, .product = 1,
                         .promotion = type == EVENT_REDEMPTION || type == EVENT_CLICK,
                         .paid_minor = paid, .coupon_minor = coupon,
                         .discount_minor = MONEY_ABSENT, .rating = NAN, .propensity = NAN};
}

static policies_outcome outcome_of(const history_row *rows, size_t n, const shop_catalogue *c)
{
    shop_history *h = history_of(rows, n);
    const policies_scope everything = {.catalogue = c};
    const policies_outcome o = policies_outcome_between(h, 1, 10, 20, &everything);
    history_free(h);
    return o;
}

/* Two lines of 900 and 500 after a coupon of 100 on the first, one of 200 given back: at 25 % the
 * goods brought (900 + 100 + 500 - 200) / 4 = 325 before the coupon and the contact. */
static void a_coupon_is_taken_off_once(void **state)
{
    (void)state;
    const history_row rows[] = {event(EVENT_PURCHASE, 9, 7777, 0),
                                event(EVENT_PURCHASE, 10, 900, 100),
                                event(EVENT_PURCHASE, 11, 500, MONEY_ABSENT),
                                event(EVENT_RETURN, 12, 200, MONEY_ABSENT),
                                event(EVENT_REDEMPTION, 11, MONEY_ABSENT, 100),
                                event(EVENT_CLICK, 11, MONEY_ABSENT, MONEY_ABSENT),
                                event(EVENT_PURCHASE, 20, 7777, 0)};
    const policies_outcome o = outcome_of(rows, 7, NULL);
    assert_near(policies_reward_of(&o, POLICIES_NET, .25, 20), 325 - 100 - 20, 1e-12);
    assert_near(policies_reward_of(&o, POLICIES_REVENUE, .25, 20), 1200, 1e-12);
    assert_near(policies_reward_of(&o, POLICIES_REDEMPTIONS, .25, 20), 1, 0);
    assert_near(policies_reward_of(&o, POLICIES_CLICKS, .25, 20), 1, 0);
    assert_near(policies_reward_of(&o, POLICIES_BUYERS, .25, 20), 1, 0);
    assert_false(policies_outcome_unpriced(&o, POLICIES_NET));
}

/* No line knows a coupon: the redemption's own amount counts, else what its promotion is worth,
 * else nobody knows and it is said. */
static void what_a_redemption_gave_counts_where_lines_do_not_know(void **state)
{
    (void)state;
    promotion promotions[2] = {{.id = ""},
                               {.kind = PROMOTION_MONEY_OFF, .value_minor = 150, .id = "A"}};
    const shop_catalogue c = {.promotions = promotions, .n_promotions = 1};
    history_row rows[] = {event(EVENT_PURCHASE, 10, 850, MONEY_ABSENT),
                          event(EVENT_REDEMPTION, 10, MONEY_ABSENT, 120)};
    policies_outcome o = outcome_of(rows, 2, &c);
    assert_near(policies_reward_of(&o, POLICIES_NET, .5, 0), .5 * 970 - 120, 1e-12);
    rows[1].coupon_minor = MONEY_ABSENT;
    o = outcome_of(rows, 2, &c);
    assert_near(policies_reward_of(&o, POLICIES_NET, .5, 0), .5 * 1000 - 150, 1e-12);
    assert_false(policies_outcome_unpriced(&o, POLICIES_NET));
    promotions[1].kind = PROMOTION_PERCENT_OFF;
    o = outcome_of(rows, 2, &c);
    assert_near(policies_reward_of(&o, POLICIES_NET, .5, 0), .5 * 850, 1e-12);
    assert_true(policies_outcome_unpriced(&o, POLICIES_NET));
    assert_false(policies_outcome_unpriced(&o, POLICIES_REVENUE));
    rows[0].paid_minor = MONEY_ABSENT;
    o = outcome_of(rows, 2, &c);
    assert_true(policies_outcome_unpriced(&o, POLICIES_REVENUE));
    assert_false(policies_outcome_unpriced(&o, POLICIES_CLICKS));
}

static void a_scope_counts_its_own_lines_only(void **state)
{
    (void)state;
    const uint8_t covers[] = {0, 1, 0, 0, 0, 1};
    const promotion promotions[3] = {{.id = ""}, {.campaign = 4}, {.campaign = 5}};
    const shop_catalogue c = {.promotions = promotions, .n_promotions = 2, .n_products = 5};
    const policies_scope own = {.catalogue = &c, .product = covers, .campaign = 4};
    history_row rows[] = {event(EVENT_PURCHASE, 10, 100, 0), event(EVENT_PURCHASE, 11, 40, 0),
                          event(EVENT_REDEMPTION, 11, 0, 7), event(EVENT_REDEMPTION, 12, 0, 5),
                          event(EVENT_PURCHASE, 12, 30, 0), event(EVENT_REDEMPTION, 13, 0, 3)};
    rows[1].product = 3;
    rows[2].promotion = 2;
    rows[4].product = 77;
    rows[5].promotion = 0;
    rows[5].campaign = 4;
    shop_history *h = history_of(rows, 6);
    const policies_outcome o = policies_outcome_between(h, 1, 10, 20, &own);
    assert_near(o.paid_minor, 100, 0);
    assert_int_equal(o.redemptions, 2);
    assert_near(o.redeemed_minor, 8, 0);
    assert_int_equal(policies_outcome_between(h, 7, 10, 20, &own).lines, 0);
    history_free(h);
}

static void rewards_have_names(void **state)
{
    (void)state;
    for (unsigned r = 0; r < POLICIES_REWARDS; r++)
        assert_int_equal(policies_reward_parse(policies_reward_name((policies_reward)r)), r);
    assert_int_equal(policies_reward_parse("money"), POLICIES_REWARDS);
}

/* Nothing of the reward model's features is of the decision's moment or after. */
static void features_are_of_before(void **state)
{
    (void)state;
    const int64_t at = 100 * US_PER_DAY;
    history_row rows[] = {event(EVENT_PURCHASE, at - 3 * US_PER_DAY, 500, 0),
                          event(EVENT_PURCHASE, at, 9999, 0)};
    shop_history *h = history_of(rows, 2);
    double x[POLICIES_SHOPPER_FEATURES], none[POLICIES_SHOPPER_FEATURES];
    policies_shopper_features(h, 1, at, x);
    assert_near(x[0], log1p(500), 1e-12);
    assert_near(x[1], log1p(1), 1e-12);
    assert_near(x[2], log1p(3), 1e-12);
    policies_shopper_features(h, 2, at, none);
    assert_near(none[0], 0, 0);
    assert_near(none[2], log1p(400), 1e-12);
    policies_shopper_features(h, 99, at, none);
    assert_near(none[2], log1p(400), 1e-12);
    history_free(h);
}

/* ---- names ---- */

static pf_status parse(const char *names, const world *w, pf_error *err)
{
    policies_choice who[4];
    size_t n;
    return policies_parse(names, w != NULL ? &w->c : NULL, who, 4, &n, err);
}

static void names_are_read(void **state)
{
    (void)state;
    world w;
    make(&w, 2, 1);
    policies_choice who[16];
    size_t n;
    pf_error err = {0};
    if (policies_parse("logged, nothing,random,single:B,best-single,value,gain,p_redeem,lift,"
                       "value@0.5,softmax:20",
                       &w.c, who, 16, &n, &err) != PF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(n, 11);
    assert_string_equal(who[1].name, "nothing");
    assert_int_equal(who[3].promotion, 2);
    assert_string_equal(who[3].name, "single:B");
    assert_near(who[9].number, .5, 0);
    assert_near(who[10].number, 20, 0);
    assert_true(who[5].kind != who[9].kind && who[0].kind == &policies_kind_logged);
    world_free(&w);
}

/* Every name that is listed is one that is read. */
static void every_listed_name_is_known(void **state)
{
    (void)state;
    world w;
    make(&w, 2, 1);
    char one[64];
    const char *at = policies_names();
    for (size_t count = 0; at[0] != 0; count++) {
        const size_t length = strcspn(at, ",");
        (void)snprintf(one, sizeof one, "%.*s", (int)length, at);
        char *sign = strpbrk(one, ":@");
        if (sign != NULL)
            (void)snprintf(sign + 1, 8, "%s", strcmp(sign, ":ID") == 0 ? "A" : "3");
        pf_error err = {0};
        if (parse(one, &w, &err) != PF_OK) fail_msg("%s", err.message);
        at += length + (at[length] != 0);
        at += strspn(at, " ");
        assert_true(count < 20);
    }
    world_free(&w);
}

static void names_that_are_none_are_told(void **state)
{
    (void)state;
    world w;
    make(&w, 2, 1);
    static const struct {
        const char *names, *says;
        pf_status status;
    } cases[] = {
        {"valeu", "did you mean 'value'", PF_USAGE},
        {"best_single", "did you mean 'best-single'", PF_USAGE},
        {"single", "did you mean 'single:ID'", PF_USAGE},
        {"elephant", "name some of logged, nothing", PF_USAGE},
        {"softmax", "did you mean 'softmax:T'", PF_USAGE},
        {"softmax:0", "above 0", PF_USAGE},
        {"softmax:nan", "above 0", PF_USAGE},
        {"value@-1", "0 or more", PF_USAGE},
        {"value@", "0 or more", PF_USAGE},
        {"value:3", "no policy 'value:3'", PF_USAGE},
        {"single:", "needs the id", PF_USAGE},
        {"single:Z", "no promotion 'Z'", PF_NOT_FOUND},
        {"value,,gain", "has no name", PF_USAGE},
        {"", "has no name", PF_USAGE},
        {"value,value", "named twice", PF_USAGE},
        {"logged,nothing,random,value,gain", "more than 4", PF_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pf_error err = {0};
        assert_int_equal(parse(cases[i].names, &w, &err), cases[i].status);
        assert_says(err.message, cases[i].says);
    }
    char name[POLICIES_NAME_BYTES + 9];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(parse(name, &w, NULL), PF_USAGE);
    assert_int_equal(parse("single:A", NULL, NULL), PF_NOT_FOUND);
    world_free(&w);
}

/* ---- choices ---- */

static void chances_of(const char *name, const policies_decision *d, bool only_possible,
                       bool none_open, const world *w, double chance[4])
{
    policies_choice c;
    size_t n;
    const policies_view v = {d, only_possible, none_open};
    assert_int_equal(policies_parse(name, &w->c, &c, 1, &n, NULL), PF_OK);
    for (int k = 0; k < 4; k++)
        chance[k] = 0;
    c.kind->fill(&c, &v, chance);
    assert_near(chance[0] + chance[1] + chance[2] + chance[3], 1, 1e-12);
}

/* Three candidates, the last not eligible: values 30, 50, 900; gains 80, 60; costs 50, 10. */
static void every_policy_chooses_as_its_name_says(void **state)
{
    (void)state;
    world w;
    make(&w, 2, 1);
    policies_candidate k[3] = {
        {1, CHANNEL_EMAIL, true, .1, 800, 80, 50, 30, -.01, 5, .5},
        {2, CHANNEL_EMAIL, true, .3, 800, 60, 10, 50, -.02, 5, 0},
        {3, CHANNEL_EMAIL, false, .9, 800, 999, 99, 900, .5, 5, 0},
    };
    const policies_decision d = {.shopper = 1, .candidate = k, .n_candidates = 3,
                                 .taken = 0, .propensity = .5};
    static const struct {
        const char *name;
        bool possible, none;
        double chance[4];
    } cases[] = {
        {"logged", false, true, {.5, 0, 0, .5}},
        {"nothing", false, true, {0, 0, 0, 1}},
        {"random", false, true, {1. / 3, 1. / 3, 0, 1. / 3}},
        {"random", true, true, {.5, 0, 0, .5}},
        {"random", true, false, {1, 0, 0, 0}},
        {"value", false, true, {0, 1, 0, 0}},
        {"value", true, true, {1, 0, 0, 0}},
        {"gain", false, true, {1, 0, 0, 0}},
        {"p_redeem", false, true, {0, 1, 0, 0}},
        {"lift", false, true, {0, 0, 0, 1}},
        {"value@0.5", false, true, {0, 1, 0, 0}},
        {"value@5", false, true, {0, 0, 0, 1}},
        {"value@0.5", true, true, {1, 0, 0, 0}},
        {"single:A", false, true, {1, 0, 0, 0}},
        {"single:C", false, true, {0, 0, 0, 1}},
        {"single:B", true, true, {0, 0, 0, 1}},
        {"softmax:1e-3", false, true, {0, 1, 0, 0}},
        {"softmax:1e9", false, true, {1. / 3, 1. / 3, 0, 1. / 3}},
        {"softmax:1e9", true, false, {1, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double chance[4];
        chances_of(cases[i].name, &d, cases[i].possible, cases[i].none, &w, chance);
        for (int j = 0; j < 4; j++)
            if (fabs(chance[j] - cases[i].chance[j]) > 1e-6)
                fail_msg("%s gives candidate %d the chance %g", cases[i].name, j, chance[j]);
    }
    double chance[4];
    chances_of("softmax:20", &d, false, true, &w, chance);
    assert_near(chance[1] / chance[0], exp(20. / 20), 1e-9);
    assert_near(chance[0] / chance[3], exp(30. / 20), 1e-9);
    /* By two channels, the one of more value. */
    k[1].promotion = 1;
    k[1].channel = CHANNEL_PUSH;
    chances_of("single:A", &d, false, true, &w, chance);
    assert_near(chance[1], 1, 0);
    world_free(&w);
}

/* Over random decisions: whatever a policy is, its chances are a distribution, over nothing that
 * is closed to it. */
static void chances_are_a_distribution_over_what_is_open(void **state)
{
    (void)state;
    enum { TURNS = 2000, MOST = 6 };
    static const char *const names[] = {"nothing", "random", "single:B", "value", "gain",
                                        "p_redeem", "lift", "value@0.7", "softmax:30"};
    world w;
    make(&w, 2, 1);
    random_stream r = random_begin(1, 2);
    for (size_t turn = 0; turn < TURNS; turn++) {
        policies_candidate k[MOST];
        double chance[MOST + 1] = {0}, sum = 0;
        const size_t n = random_below(&r, MOST + 1);
        for (size_t j = 0; j < n; j++)
            k[j] = (policies_candidate){
                1 + random_below(&r, 3), CHANNEL_EMAIL, random_unit(&r) < .6, random_unit(&r),
                500, 100 * random_unit(&r), 100 * random_unit(&r), 500 * random_normal(&r),
                random_normal(&r), 1, random_unit(&r) < .5 ? .1 : 0};
        const policies_decision d = {.shopper = 1, .candidate = k, .n_candidates = n};
        const policies_view v = {&d, random_unit(&r) < .5, random_unit(&r) < .5};
        policies_choice c;
        size_t read;
        assert_int_equal(policies_parse(names[turn % 9], &w.c, &c, 1, &read, NULL), PF_OK);
        c.kind->fill(&c, &v, chance);
        for (size_t j = 0; j <= n; j++) {
            assert_true(chance[j] >= 0 && chance[j] <= 1);
            if (j < n && !policies_is_open(&v, &k[j])) assert_near(chance[j], 0, 0);
            sum += chance[j];
        }
        assert_near(sum, 1, 1e-12);
    }
    world_free(&w);
}

/* What is sent, and at which expected cost, is counted from the log's own figures. */
static void costs_and_shares_are_the_logs_own(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 5);
    policies_result r;
    policies_options o = world_options();
    o.plan.replicates = 10;
    size_t eligible = 0, taken = 0;
    for (size_t i = 0; i < w.n; i++)
        eligible += w.candidate[i * WORLD_PROMOTIONS + 2].eligible;
    for (size_t i = 0; i < w.n; i++)
        taken += w.decision[i].taken != POLICIES_NONE;
    compare(&w, "nothing,single:B,single:C,logged", &o, &r);
    const double n = (double)w.n, c = (double)eligible / n;
    assert_near(r.figure[0].treated, 0, 1e-12);
    assert_near(r.figure[0].cost_minor, 0, 1e-12);
    assert_near(r.figure[1].treated, 1, 1e-9);
    assert_near(r.figure[1].cost_minor, 2 * WORLD_CONTACT, 1e-9);
    assert_near(r.figure[2].treated, c, 1e-9);
    assert_near(r.figure[2].cost_minor, c * 2 * WORLD_CONTACT, 1e-9);
    assert_near(r.figure[3].treated, (double)taken / n, .06);
    assert_int_equal(r.counts.actions, WORLD_ACTIONS);
    assert_int_equal(r.counts.shoppers, w.shoppers);
    assert_int_equal(r.counts.versions, 1);
    policies_result_free(&r);
    world_free(&w);
}

/* By IPS the log's own policy is worth what came of it, to the last digit. */
static void the_logs_own_policy_is_worth_what_came_of_it(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 6);
    policies_result r;
    policies_options o = world_options();
    o.plan.replicates = 10;
    o.plan.estimator = OFF_POLICY_IPS;
    compare(&w, "logged", &o, &r);
    assert_near(r.figure[0].value.value, r.observed, 1e-9);
    assert_near(r.figure[0].value.support.effective, (double)w.n, 1e-6);
    policies_result_free(&r);
    world_free(&w);
}

/* ---- refusals ---- */

typedef void spoil(world *w, policies_options *o);

static void no_decisions(world *w, policies_options *o)
{
    (void)o;
    w->log.n = 0;
}
static void no_propensity(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].propensity = NAN;
    w->candidate[7 * WORLD_PROMOTIONS].propensity = NAN;
}
static void nothing_explored(world *w, policies_options *o)
{
    (void)o;
    for (size_t i = 0; i < w->n; i++) {
        for (size_t k = 0; k < WORLD_PROMOTIONS; k++)
            w->candidate[i * WORLD_PROMOTIONS + k].propensity = w->decision[i].taken == k;
        w->decision[i].propensity = 1;
    }
}
static void sum_above_one(world *w, policies_options *o)
{
    (void)o;
    w->candidate[4 * WORLD_PROMOTIONS].propensity = .9;
    w->candidate[4 * WORLD_PROMOTIONS + 1].propensity = .4;
}
static void other_propensity(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].propensity *= .5;
}
static void zero_propensity(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].propensity = 0;
}
static void negative_propensity(world *w, policies_options *o)
{
    (void)o;
    w->candidate[4 * WORLD_PROMOTIONS + 1].propensity = -.1;
}
static void no_such_candidate(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].taken = 7;
}
static void treated_holdout(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].taken = 0;
    w->decision[4].holdout = true;
}
static void no_promotion(world *w, policies_options *o)
{
    (void)o;
    w->candidate[4 * WORLD_PROMOTIONS].promotion = 0;
}
static void no_value(world *w, policies_options *o)
{
    (void)o;
    w->candidate[4 * WORLD_PROMOTIONS].value_minor = NAN;
}
static void no_moment(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].time_us = INT64_MIN;
}
static void same_moment(world *w, policies_options *o)
{
    (void)o;
    w->decision[4].time_us = w->decision[5].time_us;
}
static void twice_the_same(world *w, policies_options *o)
{
    (void)o;
    w->candidate[4 * WORLD_PROMOTIONS + 1].promotion = 1;
}
static void nothing_over(world *w, policies_options *o)
{
    (void)w;
    o->until_us = WORLD_START + US_PER_DAY;
}
static void all_held_out(world *w, policies_options *o)
{
    (void)o;
    for (size_t i = 0; i < w->n; i++) {
        w->decision[i].holdout = true;
        w->decision[i].taken = POLICIES_NONE;
    }
}
static void other_share(world *w, policies_options *o)
{
    for (size_t i = 0; i < w->n; i++) {
        w->decision[i].holdout = i % 8 < 2;
        if (w->decision[i].holdout) w->decision[i].taken = POLICIES_NONE;
    }
    o->holdout_share = .1;
}
static void all_equal(world *w, policies_options *o)
{
    (void)w;
    o->reward = POLICIES_CLICKS;
}

static void what_is_wrong_with_a_log_is_said(void **state)
{
    (void)state;
    static const struct {
        spoil *spoil;
        const char *what, *remedy;
    } cases[] = {
        {no_decisions, "no decisions", "turn on decide.explore"},
        {no_propensity, "2 of 600 decisions have no propensities", "turn on decide.explore"},
        {nothing_explored, "nothing was explored",
         "turn on decide.explore and decide again"},
        {sum_above_one, "decision 5: the propensities", "must be those of one choice"},
        {other_propensity, "decision 5 took", "must be"},
        {zero_propensity, "decision 5 was taken with the propensity 0", "above 0"},
        {negative_propensity, "decision 5", "between 0 and 1"},
        {no_such_candidate, "decision 5 took candidate 8", "see who wrote"},
        {treated_holdout, "decision 5", "held out"},
        {no_promotion, "decision 5", "import the promotions"},
        {no_value, "decision 5", "leave out"},
        {no_moment, "decision 5", "no moment"},
        {same_moment, "one shopper at one moment", "keep the one"},
        {twice_the_same, "promotion 1 by email twice", "keep one"},
        {nothing_over, "no window is over yet (600 wait)", "import later events"},
        {all_held_out, "all 600 decisions are of held-out", "decide for others"},
        {other_share, "25 % of the log's 300 shoppers", "give the share"},
        {all_equal, "all 600 decisions have the reward 0", "outcome was recorded"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        make(&w, 300, 7);
        policies_options o = world_options();
        policies_choice c;
        policies_result r;
        size_t n;
        pf_error err = {0};
        o.plan.replicates = 5;
        assert_int_equal(policies_parse("value", &w.c, &c, 1, &n, NULL), PF_OK);
        cases[i].spoil(&w, &o);
        if (policies_compare(&w.log, &c, 1, &o, &r, &err) != PF_DATA)
            fail_msg("case %zu is not refused", i);
        assert_says(err.message, cases[i].what);
        assert_says(err.message, cases[i].remedy);
        assert_null(r.figure);
        world_free(&w);
    }
}

static void options_out_of_range_are_told(void **state)
{
    (void)state;
    world w;
    make(&w, 50, 7);
    policies_choice c[1];
    policies_result r;
    size_t n;
    assert_int_equal(policies_parse("value", &w.c, c, 1, &n, NULL), PF_OK);
    for (int i = 0; i < 8; i++) {
        policies_options o = world_options();
        pf_error err = {0};
        if (i == 0) o.margin_rate = 1.5;
        if (i == 1) o.margin_rate = NAN;
        if (i == 2) o.window_us = 0;
        if (i == 3) o.until_us = INT64_MIN;
        if (i == 4) o.holdout_share = 1;
        if (i == 5) o.reward = POLICIES_REWARDS;
        if (i == 6) o.plan.replicates = 1;
        const size_t asked = i == 7 ? 0 : 1;
        assert_int_equal(policies_compare(&w.log, c, asked, &o, &r, &err), PF_USAGE);
        assert_true(strlen(err.message) > 10);
        assert_null(r.figure);
    }
    assert_int_equal(policies_compare(&w.log, c, POLICIES_MAX + 1, &(policies_options){0}, &r,
                                      NULL),
                     PF_USAGE);
    world_free(&w);
}

/* A candidate that the log never could have taken: who takes it is refused, the others are
 * judged; kept to what was possible it is judged, and that is said. */
static void who_takes_what_had_no_chance_is_refused_alone(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 8);
    policies_result r;
    policies_options o = world_options();
    buffer words;
    o.plan.replicates = 10;
    buffer_init(&words, 4096);
    for (size_t i = 0; i < w.n; i++) {
        policies_candidate *k = &w.candidate[i * WORLD_PROMOTIONS + 1];
        if (w.decision[i].taken == 1) w.decision[i].taken = POLICIES_NONE;
        k->propensity = 0;
        double rest = 1;
        for (size_t j = 0; j < WORLD_PROMOTIONS; j++)
            rest -= w.candidate[i * WORLD_PROMOTIONS + j].propensity;
        if (w.decision[i].taken == POLICIES_NONE) w.decision[i].propensity = rest;
    }
    compare(&w, "single:B,nothing,single:A", &o, &r);
    assert_int_equal(r.figure[0].word, POLICIES_REFUSED);
    assert_says(r.figure[0].why, "in 600 of 600 decisions");
    policies_sentence(&r, &r.figure[0], &euro, &words);
    assert_says(words.data, "single:B cannot be judged: in 600");
    assert_int_not_equal(r.figure[1].word, POLICIES_REFUSED);
    assert_int_not_equal(r.figure[2].word, POLICIES_REFUSED);
    policies_result_free(&r);
    o.only_possible = true;
    compare(&w, "single:B,p_redeem", &o, &r);
    assert_int_not_equal(r.figure[0].word, POLICIES_REFUSED);
    assert_near(r.figure[0].treated, 0, 0);
    buffer_clear(&words);
    policies_sentence(&r, &r.figure[0], &euro, &words);
    assert_says(words.data, "only among what had a chance");
    policies_result_free(&r);
    buffer_free(&words);
    world_free(&w);
}

static void a_number_that_no_candidate_has_is_no_ranking(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 8);
    policies_result r;
    policies_options o = world_options();
    o.plan.replicates = 5;
    compare(&w, "lift,value", &o, &r);
    assert_int_equal(r.figure[0].word, POLICIES_REFUSED);
    assert_says(r.figure[0].why, "have no lift in the log");
    assert_int_not_equal(r.figure[1].word, POLICIES_REFUSED);
    policies_result_free(&r);
    for (size_t i = 0; i < w.n * WORLD_PROMOTIONS; i++)
        w.candidate[i].lift = w.candidate[i].value_minor / 1000;
    compare(&w, "lift,value", &o, &r);
    assert_near(r.figure[0].value.value, r.figure[1].value.value, 0);
    policies_result_free(&r);
    world_free(&w);
}

/* ---- words ---- */

static policies_figure figure_of(policies_word word, double d, double low, double high)
{
    return (policies_figure){.name = "value", .word = word, .treated = .43, .cost_minor = 21,
                             .value = {.value = 310, .low = 295, .high = 325},
                             .difference = {.value = d, .low = low, .high = high,
                                            .standard_error = 5}};
}

static void a_figure_is_a_sentence(void **state)
{
    (void)state;
    static const currency none = {"", 2};
    policies_result r = {.options = {.reward = POLICIES_NET}};
    const struct {
        policies_figure f;
        policies_reward reward;
        policies_basis basis;
        const currency *money;
        const char *says;
    } cases[] = {
        {figure_of(POLICIES_BETTER, 12, 2, 23), POLICIES_NET, POLICIES_BY_LOT, &euro,
         "value would bring 0.12 EUR more a decision than what was done (0.02 to 0.23 more): "
         "better. It sends something in 43 % of decisions, at an expected cost of 0.210 EUR a "
         "decision."},
        {figure_of(POLICIES_WORSE, -12, -23, -2), POLICIES_NET, POLICIES_BY_LOT, &none,
         "value would bring 0.12 less a decision than what was done (0.02 to 0.23 less): worse."},
        {figure_of(POLICIES_NOT_KNOWN, 5, -4, 14), POLICIES_NET, POLICIES_BY_LOT, &none,
         "0.050 more a decision than what was done (0.040 less to 0.140 more): not known yet."},
        {figure_of(POLICIES_NOT_KNOWN, 5, 1, 9), POLICIES_NET, POLICIES_BY_LOT, &none,
         "not known yet (of several policies"},
        {figure_of(POLICIES_REFERENCE, 0, 0, 0), POLICIES_NET, POLICIES_BY_LOT, &euro,
         "value: what was done brought 3.10 EUR a decision (2.95 to 3.25)."},
        {figure_of(POLICIES_BETTER, .012, .002, .022), POLICIES_BUYERS, POLICIES_BY_LOT, &none,
         "value would bring 12 more buyers per 1,000 decisions than what was done (2 to 22 more)"},
        {figure_of(POLICIES_BETTER, 12, 2, 23), POLICIES_NET, POLICIES_BY_OBSERVATION, &none,
         "more a shopper of a campaign than what was sent (0.02 to 0.23 more): looks better. It "
         "sends to 43 % of shoppers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer b;
        buffer_init(&b, 4096);
        r.options.reward = cases[i].reward;
        r.basis = cases[i].basis;
        policies_sentence(&r, &cases[i].f, cases[i].money, &b);
        assert_says(b.data, cases[i].says);
        buffer_free(&b);
    }
}

/* Below a hundred decisions' worth there is no figure where one could be read by mistake. */
static void too_little_evidence_gives_no_figure(void **state)
{
    (void)state;
    world w;
    make(&w, 60, 10);
    policies_result r;
    policies_options o = world_options();
    buffer out;
    json_writer j;
    arena a;
    const json_value *read;
    o.plan.replicates = 20;
    buffer_init(&out, 1 << 16);
    arena_init(&a, 1 << 20);
    compare(&w, "logged,single:C", &o, &r);
    const policies_figure *f = &r.figure[1];
    assert_int_equal(f->word, POLICIES_NO_SUPPORT);
    assert_true(f->value.support.few && f->value.support.effective < OFF_POLICY_FEW);
    policies_sentence(&r, f, &euro, &out);
    assert_says(out.data, "single:C: NO FIGURE. Only");
    assert_null(strstr(out.data, "would bring"));
    buffer_clear(&out);
    json_begin(&j, &out);
    assert_int_equal(policies_write_json(&r, &euro, &j, NULL), PF_OK);
    assert_true(json_finish(&j));
    assert_int_equal(json_parse(&a, out.data, out.length, &read, NULL), PF_OK);
    const json_value *figure = &json_member(read, "policies")->values[1];
    assert_null(json_member(figure, "value"));
    assert_non_null(json_path(figure, "not_to_be_used", "value", NULL));
    assert_non_null(json_member(figure, "warning"));
    assert_true(text_is(json_member(figure, "verdict")->text, "no_support"));
    arena_free(&a);
    buffer_free(&out);
    policies_result_free(&r);
    world_free(&w);
}

static void everything_is_in_the_json(void **state)
{
    (void)state;
    world w;
    make(&w, 400, 11);
    policies_result r;
    policies_options o = world_options();
    buffer out;
    json_writer j;
    arena a;
    const json_value *read;
    double value;
    o.plan.replicates = 20;
    o.plan.estimator = OFF_POLICY_SWITCH;
    buffer_init(&out, 1 << 16);
    arena_init(&a, 1 << 20);
    compare(&w, "logged,value,best-single,lift", &o, &r);
    json_begin(&j, &out);
    assert_int_equal(policies_write_json(&r, &euro, &j, NULL), PF_OK);
    assert_true(json_finish(&j));
    assert_int_equal(json_parse(&a, out.data, out.length, &read, NULL), PF_OK);
    assert_true(text_is(json_member(read, "basis")->text, "by lot"));
    assert_true(text_is(json_member(read, "reward")->text, "net_margin"));
    assert_true(text_is(json_member(read, "estimator")->text, "switch-dr"));
    assert_true(text_is(json_path(read, "counts", "compared", NULL)->text, "800"));
    const json_value *figures = json_member(read, "policies");
    assert_int_equal(figures->n, 4);
    for (size_t k = 0; k < 3; k++) {
        const json_value *f = &figures->values[k];
        assert_true(text_is(json_member(f, "policy")->text, r.figure[k].name));
        assert_true(text_to_double(json_member(f, "difference_low")->text, &value));
        assert_near(value, r.figure[k].difference.low, 1e-9);
        assert_true(text_to_double(json_path(f, "support", "effective", NULL)->text, &value));
        assert_near(value, r.figure[k].value.support.effective, 1e-9);
        assert_non_null(json_member(f, "parameter"));
        assert_true(json_member(f, "sentence")->text.n > 20);
    }
    assert_int_equal(json_member(&figures->values[2], "picked")->n, 2);
    assert_null(json_member(&figures->values[3], "value"));
    assert_non_null(json_member(&figures->values[3], "warning"));
    arena_free(&a);
    buffer_free(&out);
    policies_result_free(&r);
    world_free(&w);
}

static void what_was_left_out_is_noted(void **state)
{
    (void)state;
    policies_result r = {.counts = {.waiting = 1234, .held_out_unknown = 5, .unpriced = 7,
                                    .versions = 2}};
    buffer b;
    buffer_init(&b, 4096);
    policies_notes(&r, &b);
    assert_says(b.data, "1,234 left out: the time");
    assert_says(b.data, "5 of held-out shoppers left out");
    assert_says(b.data, "7 with purchases");
    assert_says(b.data, "2 versions");
    assert_null(strstr(b.data, "randomised"));
    r.basis = POLICIES_BY_OBSERVATION;
    policies_notes(&r, &b);
    assert_says(b.data, "Nothing was randomised");
    buffer_clear(&b);
    policies_notes(&(policies_result){.counts = {.versions = 1}}, &b);
    assert_int_equal(b.length, 0);
    buffer_free(&b);
}

/* ---- memory ---- */

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    world w;
    make(&w, 300, 12);
    policies_options o = world_options();
    policies_choice who[4];
    size_t n;
    fault f = {0};
    o.plan.replicates = 2;
    assert_int_equal(policies_parse("value,best-single,lift,softmax:50", &w.c, who, 4, &n, NULL),
                     PF_OK);
    while (fault_next(&f)) {
        policies_result r;
        pf_error err = {0};
        pf_status s = policies_compare(&w.log, who, n, &o, &r, &err);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(r.figure);
        } else if (s != PF_OK) {
            fail_msg("%s", err.message);
        }
        policies_result_free(&r);
    }
    assert_true(f.n > 40);
    world_free(&w);
}

static void a_sentence_that_finds_no_memory_is_told(void **state)
{
    (void)state;
    policies_figure figure = figure_of(POLICIES_BETTER, 12, 2, 23);
    const policies_result r = {.figure = &figure, .n_figures = 1,
                               .counts = {.waiting = 3, .versions = 1}};
    fault f = {0};
    while (fault_next(&f)) {
        buffer out;
        json_writer j;
        buffer_init(&out, 1 << 16);
        json_begin(&j, &out);
        const pf_status s = policies_write_json(&r, &euro, &j, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        buffer_free(&out);
    }
    assert_true(f.n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_ends_at_the_next_decision),
        cmocka_unit_test(what_is_not_over_waits),
        cmocka_unit_test(the_order_of_the_log_changes_nothing),
        cmocka_unit_test(a_coupon_is_taken_off_once),
        cmocka_unit_test(what_a_redemption_gave_counts_where_lines_do_not_know),
        cmocka_unit_test(a_scope_counts_its_own_lines_only),
        cmocka_unit_test(rewards_have_names),
        cmocka_unit_test(features_are_of_before),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(every_listed_name_is_known),
        cmocka_unit_test(names_that_are_none_are_told),
        cmocka_unit_test(every_policy_chooses_as_its_name_says),
        cmocka_unit_test(chances_are_a_distribution_over_what_is_open),
        cmocka_unit_test(costs_and_shares_are_the_logs_own),
        cmocka_unit_test(the_logs_own_policy_is_worth_what_came_of_it),
        cmocka_unit_test(what_is_wrong_with_a_log_is_said),
        cmocka_unit_test(options_out_of_range_are_told),
        cmocka_unit_test(who_takes_what_had_no_chance_is_refused_alone),
        cmocka_unit_test(a_number_that_no_candidate_has_is_no_ranking),
        cmocka_unit_test(a_figure_is_a_sentence),
        cmocka_unit_test(too_little_evidence_gives_no_figure),
        cmocka_unit_test(everything_is_in_the_json),
        cmocka_unit_test(what_was_left_out_is_noted),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(a_sentence_that_finds_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
