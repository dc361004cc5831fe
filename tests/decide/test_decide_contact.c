/* Whole runs by hand of what came to the policy later: lifts, metrics, hard budgets, fatigue,
 * tags, best moments and quiet hours, margins of caps. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "decide/decide.h"
#include "message/small_shop.h"

enum { MANY = 400 };
static const int64_t at_us = INT64_C(1491782400) * US_PER_SECOND; /* 2017-04-10 00:00 */
static const char *const tags[] = {"", "bread", "wine"};

typedef struct fixture {
    small_shop shop;
    policy policy;
    decide_inputs in;
    decide_score scores[MANY];
    float fatigue[(MANY + 1) * CHANNEL_COUNT];
    int64_t send_at_us[(MANY + 1) * CHANNEL_COUNT];
} fixture;

static fixture f;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    small_shop_init(&f.shop, MANY, "USD");
    f.shop.c.tags = tags;
    f.shop.c.n_tags = 2;
    f.policy = policy_default();
    f.policy.holdout_share = 0;
    f.policy.channels = 1u << CHANNEL_MAIL;
    f.policy.channel[CHANNEL_MAIL].contact_cost_minor = 40;
    f.in = (decide_inputs){
        .policy = &f.policy, .catalogue = &f.shop.c, .at_us = at_us, .scores = f.scores};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    small_shop_free(&f.shop);
    return 0;
}

static promotion *offer(int64_t value_minor)
{
    promotion *p = small_shop_promotion(&f.shop, PROMOTION_MONEY_OFF);
    p->value_minor = value_minor;
    return p;
}

static decide_score *score(uint32_t who, uint32_t number, double p, double spend)
{
    while (f.shop.c.n_shoppers < who)
        (void)small_shop_shopper(&f.shop);
    decide_score *s = &f.scores[f.in.n_scores++];
    *s = (decide_score){
        .shopper = who, .promotion = number, .p_redeem = p, .spend_minor = spend};
    return s;
}

static decide_result *run(void)
{
    decide_result *r = NULL;
    pf_error err = {0};
    if (decide_run(&r, &f.in, &err) != PF_OK) fail_msg("%s", err.message);
    return r;
}

static void refused(const char *part)
{
    decide_result *r = NULL;
    pf_error err = {0};
    assert_int_equal(decide_run(&r, &f.in, &err), PF_USAGE);
    if (strstr(err.message, part) == NULL) fail_msg("%s", err.message);
}

static decide_reason reason(const decide_result *r, size_t i)
{
    return r->outcomes[i].why.reason;
}

static void score_the_manual(void)
{
    const double p[] = {0.3, 0.2, 0.4, 0.05}, spend[] = {2400, 3200, 1600, 2000};
    const double lift[] = {360, 576, 600, 100};
    (void)offer(200);
    for (uint32_t i = 0; i < 4; i++) {
        decide_score *s = score(i + 1, 1, p[i], spend[i]);
        s->lift_known = true;
        s->lift_minor = lift[i];
    }
}

/* docs/decisions.md works this one out by hand. */
static void the_manuals_example_with_lifts(void **state)
{
    (void)state;
    const double gains[] = {90, 144, 150, 25}, costs[] = {100, 80, 120, 50};
    score_the_manual();
    f.policy.budget_minor = 200;
    decide_result *r = run();
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs(r->outcomes[i].why.gain_minor - gains[i]) < 1e-9);
        assert_true(fabs(r->outcomes[i].why.cost_minor - costs[i]) < 1e-9);
    }
    assert_int_equal(reason(r, 0), REASON_VALUE_BELOW_ZERO);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    assert_int_equal(reason(r, 2), REASON_CHOSEN);
    assert_int_equal(reason(r, 3), REASON_VALUE_BELOW_ZERO);
    assert_true(fabs(r->value_minor - 94) < 1e-9);
    assert_int_equal(r->outcomes[0].why.lever, LEVER_LIFT);
    assert_true(fabs(r->outcomes[0].why.needed - 400) < 1e-9);
    decide_free(r);
}

static void a_hard_budget_holds_the_largest_discount(void **state)
{
    (void)state;
    score_the_manual(); /* each may cost 40 + 200 */
    f.policy.hard = true;
    f.policy.budget_minor = 479;
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 1);
    assert_int_equal(r->cost_minor, 240);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    assert_int_equal(reason(r, 2), REASON_BUDGET_EXHAUSTED);
    assert_true(fabs(r->outcomes[2].why.more - 1) < 1e-9);
    assert_true(fabs(r->expected_cost_minor - 80) < 1e-9);
    decide_free(r);
    f.policy.budget_minor = 480;
    r = run();
    assert_int_equal(r->n_chosen, 2);
    assert_int_equal(r->cost_minor, 480);
    decide_free(r);
}

static void what_has_no_bound_is_not_sent_under_a_hard_budget(void **state)
{
    (void)state;
    small_shop_promotion(&f.shop, PROMOTION_PERCENT_OFF)->percent_hundredths = 1000;
    (void)score(1, 1, 0.5, 4000);
    f.policy.hard = true;
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_COST_UNKNOWN);
    assert_int_equal(r->outcomes[0].why.lever, LEVER_LARGEST_DISCOUNT);
    decide_free(r);
    f.policy.largest_discount_minor = 1500;
    r = run();
    assert_int_equal(reason(r, 0), REASON_CHOSEN);
    assert_int_equal(r->cost_minor, 1540);
    decide_free(r);
}

static void fatigue_lowers_the_value_and_is_paid_by_no_budget(void **state)
{
    (void)state;
    (void)offer(200);
    (void)score(1, 1, 0.3, 2400); /* gain 180, cost 100 */
    f.fatigue[1 * CHANNEL_COUNT + CHANNEL_MAIL] = 79;
    f.in.fatigue_minor = f.fatigue;
    f.policy.budget_minor = 100;
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_CHOSEN);
    assert_true(fabs(r->value_minor - 1) < 1e-9 && fabs(r->fatigue_minor - 79) < 1e-9);
    assert_int_equal(r->cost_minor, 100);
    decide_free(r);
    f.fatigue[1 * CHANNEL_COUNT + CHANNEL_MAIL] = 80;
    r = run();
    assert_int_equal(reason(r, 0), REASON_VALUE_BELOW_ZERO);
    assert_true(fabs(r->outcomes[0].why.fatigue_minor - 80) < 1e-9);
    decide_free(r);
    f.fatigue[CHANNEL_MAIL] = -1;
    refused("harm of one message more");
    f.fatigue[CHANNEL_MAIL] = NAN;
    refused("harm of one message more");
}

static void metrics_count_what_they_say(void **state)
{
    (void)state;
    (void)offer(200);
    (void)score(1, 1, 0.3, 2400);
    const double gains[] = {180, 720, 150};
    f.policy.worth_minor = 500;
    for (int metric = 0; metric < 3; metric++) {
        f.policy.metric = (policy_metric)metric;
        decide_result *r = run();
        assert_true(fabs(r->outcomes[0].why.gain_minor - gains[metric]) < 1e-9);
        assert_int_equal(reason(r, 0), REASON_CHOSEN);
        decide_free(r);
    }
}

static void one_of_a_capped_tag_goes_to_a_shopper(void **state)
{
    (void)state;
    static const uint32_t bread[] = {1}, both[] = {1, 2}, wine[] = {2};
    const uint32_t *const sets[] = {bread, both, wine};
    const uint32_t sizes[] = {1, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        promotion *p = offer(100);
        p->tag = sets[i];
        p->n_tag = sizes[i];
        (void)score(1, i + 1, 0.3 + 0.01 * i, 2400);
    }
    f.policy.per_shopper = 3;
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 3);
    decide_free(r);
    f.policy.n_tags = 1;
    f.policy.tag[0] = (policy_tag){"wine", {.per_week = 2}};
    r = run();
    assert_int_equal(r->n_chosen, 2); /* bread, and the better one of wine */
    assert_int_equal(reason(r, 1), REASON_STACKING);
    assert_int_equal(r->outcomes[1].why.other, 3);
    decide_free(r);
    f.policy.n_tags = 2;
    f.policy.tag[1] = (policy_tag){"bread", {.per_week = 2}};
    r = run();
    assert_int_equal(r->n_chosen, 1); /* all three hang together */
    decide_free(r);
}

static void a_full_tag_says_from_when_on_there_is_room(void **state)
{
    (void)state;
    static const uint32_t wine[] = {2};
    shop_history *h = NULL;
    promotion *p = offer(100);
    p->tag = wine;
    p->n_tag = 1;
    (void)score(1, 1, 0.3, 2400);
    const history_row rows[] = {
        {.shopper = 1, .promotion = 1, .type = EVENT_EXPOSURE, .time_us = at_us - 5 * US_PER_DAY},
        {.shopper = 1, .promotion = 1, .type = EVENT_EXPOSURE, .time_us = at_us - 1},
    };
    assert_int_equal(history_from_rows(&h, rows, 2, 1, NULL), PF_OK);
    f.in.history = h;
    f.policy.n_tags = 1;
    f.policy.tag[0] = (policy_tag){"wine", {.per_week = 2}};
    decide_result *r = run();
    const reason_facts *why = &r->outcomes[0].why;
    assert_int_equal(why->reason, REASON_TAG_CAP);
    assert_true(why->tag == 2 && why->seen == 2 && why->limit == 2 && why->days == 7);
    assert_true(why->time_us == at_us + 2 * US_PER_DAY); /* of the 5th to the 11th */
    decide_free(r);
    f.policy.tag[0].window.per_week = 1;
    r = run();
    assert_true(r->outcomes[0].why.time_us == at_us + 6 * US_PER_DAY);
    decide_free(r);
    history_free(h);
}

static void messages_wait_for_the_best_moment_and_the_end_of_the_night(void **state)
{
    (void)state;
    promotion *p = offer(100);
    (void)score(1, 1, 0.3, 2400);
    int64_t *best = &f.send_at_us[1 * CHANNEL_COUNT + CHANNEL_MAIL];
    f.in.send_at_us = f.send_at_us;
    *best = at_us + 22 * US_PER_HOUR;
    f.policy.quiet = (quiet_hours){21 * 60, 8 * 60};
    decide_result *r = run();
    assert_true(r->outcomes[0].send_at_us == at_us + 32 * US_PER_HOUR);
    decide_free(r);
    p->ends_us = at_us + 32 * US_PER_HOUR; /* over by then: as soon as can be */
    r = run();
    assert_true(r->outcomes[0].send_at_us == at_us + 8 * US_PER_HOUR);
    decide_free(r);
    p->ends_us = at_us + 8 * US_PER_HOUR;
    r = run();
    assert_int_equal(reason(r, 0), REASON_QUIET_HOURS);
    assert_true(r->outcomes[0].why.time_us == at_us + 8 * US_PER_HOUR);
    decide_free(r);
    *best = INT64_MAX;
    refused("the best moment for a shopper");
    f.in.at_us = INT64_MAX;
    refused("the moment of sending");
}

static void caps_say_what_one_more_unit_buys(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 1);
    (void)offer(100);
    for (uint32_t i = 1; i <= MANY; i++)
        (void)score(i, 1, 0.2 + 0.3 * random_unit(&r), 1000 + 1000 * random_unit(&r));
    f.policy.budget_minor = 8000;
    decide_result *a = run();
    assert_true(a->n_caps == 1 && a->caps[0].price > 0);
    assert_true(!a->caps[0].buys && a->caps[0].more_of == 0);
    decide_free(a);
    f.in.margins = true;
    a = run();
    const decide_cap *cap = &a->caps[0];
    assert_true(cap->buys && cap->beside == UINT32_MAX);
    assert_int_equal(cap->more_of, 1);
    assert_int_equal(cap->more_by, CHANNEL_MAIL);
    /* A message costs 60 to 90: one more unit is a sixtieth to a ninetieth of one. */
    assert_true(cap->more > 1 / 120.0 && cap->more < 1 / 50.0);
    decide_free(a);
}

static void wrong_draws_are_refused(void **state)
{
    (void)state;
    double draws[] = {1, 1, 1, 1};
    (void)offer(100);
    (void)score(1, 1, 0.3, 2400);
    f.in.n_draws = 3;
    f.in.redeem_draw = draws;
    refused("power of two");
    f.in.n_draws = 8192;
    refused("power of two");
    f.in.n_draws = 2;
    f.in.redeem_draw = NULL;
    refused("draws of nothing");
    f.in.redeem_draw = draws;
    draws[3] = -1;
    refused("no number >= 0");
    draws[3] = NAN;
    refused("no number >= 0");
    draws[3] = 1;
    decide_result *r = run();
    assert_int_equal(r->n_draws, 2);
    assert_true(r->draw_gain[0] == r->gain_minor);
    decide_free(r);
    f.scores[0].lift_known = true;
    f.scores[0].lift_minor = INFINITY;
    refused("expected lift");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_manuals_example_with_lifts),
        TEST(a_hard_budget_holds_the_largest_discount),
        TEST(what_has_no_bound_is_not_sent_under_a_hard_budget),
        TEST(fatigue_lowers_the_value_and_is_paid_by_no_budget),
        TEST(metrics_count_what_they_say),
        TEST(one_of_a_capped_tag_goes_to_a_shopper),
        TEST(a_full_tag_says_from_when_on_there_is_room),
        TEST(messages_wait_for_the_best_moment_and_the_end_of_the_night),
        TEST(caps_say_what_one_more_unit_buys),
        TEST(wrong_draws_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
