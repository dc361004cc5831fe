/* Whole runs on shops small enough to work out by hand. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decide/decide.h"
#include "message/small_shop.h"

static const int64_t at_us = INT64_C(1491782400) * US_PER_SECOND;

typedef struct fixture {
    small_shop shop;
    policy policy;
    decide_inputs in;
    decide_score scores[64];
} fixture;

static fixture f;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    small_shop_init(&f.shop, 30, "USD");
    f.policy = policy_default();
    f.policy.holdout_share = 0;
    f.policy.margin_rate = 0.5;
    f.policy.channels = 1u << CHANNEL_MAIL;
    f.policy.channel[CHANNEL_MAIL].contact_cost_minor = 20;
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

/* Money off, worth its value. */
static promotion *offer(int64_t value_minor)
{
    promotion *p = small_shop_promotion(&f.shop, PROMOTION_MONEY_OFF);
    p->value_minor = value_minor;
    return p;
}

static void score(uint32_t number, uint32_t promotion_number, double p, double spend)
{
    f.scores[f.in.n_scores++] =
        (decide_score){.shopper = number,
                       .promotion = promotion_number,
                       .p_redeem = p,
                       .spend_minor = spend};
}

static decide_result *run(void)
{
    decide_result *r = NULL;
    pf_error err = {0};
    if (decide_run(&r, &f.in, &err) != PF_OK) fail_msg("%s", err.message);
    return r;
}

static decide_reason reason(const decide_result *r, size_t outcome)
{
    return r->outcomes[outcome].why.reason;
}

static void the_best_offer_is_chosen_and_the_rest_say_why(void **state)
{
    (void)state;
    (void)offer(100);
    (void)offer(100);
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000); /* gain 250, cost 20 + 50 */
    score(1, 2, 0.6, 1000); /* gain 300, cost 20 + 60: worth 220 */
    score(1, 3, 0.05, 400); /* gain 10, cost 20 + 5 */
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_LOWER_VALUE);
    assert_int_equal(r->outcomes[0].why.other, 2);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    assert_int_equal(reason(r, 2), REASON_VALUE_BELOW_ZERO);
    assert_true(fabs(r->outcomes[2].why.gain_minor - 10) < 1e-9);
    assert_true(fabs(r->outcomes[2].why.cost_minor - 25) < 1e-9);
    assert_int_equal(r->outcomes[1].why.channel, CHANNEL_MAIL);
    assert_int_equal(r->cost_minor, 80);
    assert_true(fabs(r->value_minor - 220) < 1e-9);
    assert_int_equal(r->n_chosen, 1);
    assert_int_equal(r->n_treated, 1);
    assert_int_equal(r->shoppers[0].best, 1);
    assert_true(r->outcomes[1].propensity == 1);
    assert_true(r->outcomes[0].propensity == 0);
    assert_true(decide_find(r, 1) == &r->shoppers[0]);
    assert_null(decide_find(r, 2));
    decide_free(r);
}

static void a_budget_goes_where_a_unit_brings_most(void **state)
{
    (void)state;
    (void)offer(100);
    for (int i = 0; i < 3; i++)
        (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000); /* worth 180 for 70: 2.6 a unit */
    score(2, 1, 0.4, 1400); /* worth 220 for 60: 3.7 a unit */
    score(3, 1, 0.2, 500);  /* worth 10 for 40: .25 a unit */
    f.policy.budget_minor = 110;
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_BUDGET_EXHAUSTED);
    assert_int_equal(r->outcomes[0].why.cap, DECIDE_CAP_BUDGET);
    assert_true(r->outcomes[0].why.price > 0);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    assert_int_equal(reason(r, 2), REASON_CHOSEN); /* fits into the 50 that are left */
    assert_int_equal(r->cost_minor, 100);
    assert_int_equal(r->n_caps, 1);
    assert_true(r->caps[0].used == 100 && r->caps[0].limit == 110);
    assert_true(r->bound_minor >= r->value_minor);
    decide_free(r);
}

/* docs/decisions.md works this one out by hand. */
static void the_worked_example_of_the_manual(void **state)
{
    (void)state;
    (void)offer(200);
    for (int i = 0; i < 4; i++)
        (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.30, 2400);
    score(2, 1, 0.20, 3200);
    score(3, 1, 0.40, 1600);
    score(4, 1, 0.05, 2000);
    f.policy.margin_rate = 0.25;
    f.policy.channel[CHANNEL_MAIL].contact_cost_minor = 40;
    f.policy.budget_minor = 190;
    decide_result *r = run();
    static const double gains[] = {180, 160, 160, 25}, costs[] = {100, 80, 120, 50};
    static const decide_reason reasons[] = {
        REASON_CHOSEN, REASON_CHOSEN, REASON_BUDGET_EXHAUSTED, REASON_VALUE_BELOW_ZERO};
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs(r->outcomes[i].why.gain_minor - gains[i]) < 1e-9);
        assert_true(fabs(r->outcomes[i].why.cost_minor - costs[i]) < 1e-9);
        assert_int_equal(reason(r, i), reasons[i]);
    }
    assert_true(fabs(r->value_minor - 160) < 1e-9);
    assert_true(fabs(r->bound_minor - (160 + 10 / 3.0)) < 1e-9);
    assert_true(fabs(r->caps[0].price - 1 / 3.0) < 1e-9);
    assert_true(fabs(r->gap - 0.0204) < 1e-4);
    assert_int_equal(r->cost_minor, 180);
    decide_free(r);
}

static void money_promised_before_is_not_spent_again(void **state)
{
    (void)state;
    promotion *p = offer(100);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    f.policy.budget_minor = 100;
    f.in.committed_minor = 31; /* 69 left for 70 */
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_BUDGET_EXHAUSTED);
    decide_free(r);
    f.in.committed_minor = 30;
    r = run();
    assert_int_equal(reason(r, 0), REASON_CHOSEN);
    decide_free(r);
    const int64_t committed[] = {0, 1000};
    p->budget_minor = 1069;
    f.in.promotion_committed_minor = committed;
    r = run();
    assert_int_equal(reason(r, 0), REASON_BUDGET_EXHAUSTED);
    assert_int_equal(r->outcomes[0].why.cap, DECIDE_CAP_PROMOTION_BUDGET);
    assert_int_equal(r->outcomes[0].why.other, 1);
    decide_free(r);
}

static void a_promotion_without_its_own_budget_has_the_policys(void **state)
{
    (void)state;
    (void)offer(100);
    offer(100)->budget_minor = 500;
    (void)small_shop_shopper(&f.shop);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    score(2, 2, 0.5, 1000);
    f.policy.promotion_budget_minor = 69;
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_BUDGET_EXHAUSTED);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    decide_free(r);
}

static void redemptions_are_planned_within_what_the_limit_leaves(void **state)
{
    (void)state;
    offer(100)->redemption_limit = 1;
    for (int i = 0; i < 3; i++)
        (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.4, 1000);
    score(2, 1, 0.4, 1200);
    score(3, 1, 0.4, 1100);
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 2); /* .8 expected; a third would make it 1.2 */
    assert_int_equal(reason(r, 0), REASON_BUDGET_EXHAUSTED);
    assert_int_equal(r->outcomes[0].why.cap, DECIDE_CAP_PROMOTION_REDEMPTIONS);
    decide_free(r);
}

static void messages_of_a_channel_and_of_the_run_are_counted(void **state)
{
    (void)state;
    (void)offer(100);
    for (int i = 0; i < 4; i++)
        (void)small_shop_shopper(&f.shop);
    for (uint32_t i = 1; i <= 4; i++)
        score(i, 1, 0.5, 1000 + i);
    f.policy.channel[CHANNEL_MAIL].messages = 2;
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 2);
    assert_int_equal(r->outcomes[0].why.cap, DECIDE_CAP_CHANNEL_MESSAGES);
    assert_int_equal(r->outcomes[0].why.cap_channel, CHANNEL_MAIL);
    assert_int_equal(reason(r, 3), REASON_CHOSEN);
    decide_free(r);
    f.policy.messages = 1;
    r = run();
    assert_int_equal(r->n_chosen, 1);
    decide_free(r);
    f.policy.messages = 0;
    f.policy.channel[CHANNEL_MAIL].messages = 0;
    f.policy.channel[CHANNEL_MAIL].budget_minor = 145;
    r = run();
    assert_int_equal(r->n_chosen, 2); /* 70 each */
    assert_int_equal(r->outcomes[0].why.cap, DECIDE_CAP_CHANNEL_BUDGET);
    decide_free(r);
}

static void the_cheaper_channel_wins_unless_the_scores_say_otherwise(void **state)
{
    (void)state;
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    f.policy.channels |= 1u << CHANNEL_EMAIL;
    f.policy.channel[CHANNEL_EMAIL].contact_cost_minor = 1;
    score(1, 1, 0.5, 1000);
    decide_result *r = run();
    assert_int_equal(r->outcomes[0].why.channel, CHANNEL_EMAIL);
    decide_free(r);
    f.in.n_scores = 0;
    score(1, 1, 0.1, 1000);
    f.scores[0].channel = CHANNEL_EMAIL;
    score(1, 1, 0.5, 1000);
    f.scores[1].channel = CHANNEL_MAIL;
    r = run();
    assert_int_equal(r->n_outcomes, 1);
    assert_int_equal(r->outcomes[0].why.channel, CHANNEL_MAIL);
    assert_true(r->outcomes[0].p_redeem == 0.5);
    decide_free(r);
    f.shop.shoppers[1].consent_given = 1u << CHANNEL_EMAIL;
    r = run();
    assert_int_equal(r->outcomes[0].why.channel, CHANNEL_EMAIL);
    decide_free(r);
    f.in.n_scores = 1;
    f.shop.shoppers[1].consent_given = 1u << CHANNEL_MAIL;
    r = run();
    assert_int_equal(reason(r, 0), REASON_CHANNEL_NOT_ALLOWED);
    decide_free(r);
}

static void a_full_channel_gives_way_to_another(void **state)
{
    (void)state;
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    (void)small_shop_shopper(&f.shop);
    f.policy.channels |= 1u << CHANNEL_EMAIL;
    f.policy.channel[CHANNEL_EMAIL].contact_cost_minor = 1;
    f.policy.channel[CHANNEL_EMAIL].messages = 1;
    score(1, 1, 0.5, 1000);
    score(2, 1, 0.5, 1000);
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 2);
    assert_int_equal(r->outcomes[0].why.channel + r->outcomes[1].why.channel,
                     CHANNEL_EMAIL + CHANNEL_MAIL);
    decide_free(r);
}

static void several_promotions_a_shopper_but_one_of_a_stacking_group(void **state)
{
    (void)state;
    offer(100)->stacking_group = "half-price";
    offer(100)->stacking_group = "half-price";
    (void)offer(100);
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    score(1, 2, 0.6, 1000);
    score(1, 3, 0.4, 1000);
    score(1, 4, 0.3, 1000);
    f.policy.per_shopper = 2;
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_STACKING);
    assert_int_equal(r->outcomes[0].why.other, 2);
    assert_int_equal(reason(r, 1), REASON_CHOSEN);
    assert_int_equal(reason(r, 2), REASON_CHOSEN);
    assert_int_equal(reason(r, 3), REASON_LOWER_VALUE);
    assert_int_equal(r->outcomes[3].why.other, 3);
    assert_int_equal(r->shoppers[0].n_chosen, 2);
    assert_int_equal(r->n_treated, 1);
    decide_free(r);
    f.policy.per_shopper = 4;
    r = run();
    assert_int_equal(r->n_chosen, 3);
    assert_int_equal(reason(r, 0), REASON_STACKING);
    decide_free(r);
    f.policy.channel[CHANNEL_MAIL].per_shopper = 1;
    r = run();
    assert_int_equal(r->n_chosen, 1);
    assert_int_equal(reason(r, 3), REASON_LOWER_VALUE);
    decide_free(r);
}

static void windows_limit_what_one_run_may_add(void **state)
{
    (void)state;
    shop_history *h = NULL;
    (void)offer(100);
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    score(1, 2, 0.6, 1000);
    history_row row = {.shopper = 1,
                       .type = EVENT_EXPOSURE,
                       .channel = CHANNEL_PUSH,
                       .time_us = at_us - 1};
    assert_int_equal(history_from_rows(&h, &row, 1, 1, NULL), PF_OK);
    f.in.history = h;
    f.policy.per_shopper = 2;
    f.policy.window.per_week = 2;
    decide_result *r = run();
    assert_int_equal(r->n_chosen, 1);
    decide_free(r);
    f.policy.window.per_week = 1;
    r = run();
    assert_int_equal(r->n_chosen, 0);
    assert_int_equal(reason(r, 0), REASON_EXPOSURE_CAP);
    decide_free(r);
    history_free(h);
}

static void a_promotion_of_unknown_worth_needs_an_assumption(void **state)
{
    (void)state;
    (void)offer(MONEY_ABSENT);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    decide_result *r = run();
    assert_int_equal(reason(r, 0), REASON_COST_UNKNOWN);
    decide_free(r);
    f.policy.unknown_discount_minor = 150;
    r = run();
    assert_int_equal(reason(r, 0), REASON_CHOSEN);
    assert_int_equal(r->cost_minor, 95);
    decide_free(r);
}

static void the_holdout_is_told_apart(void **state)
{
    (void)state;
    (void)offer(100);
    for (uint32_t i = 1; i <= 20; i++) {
        (void)small_shop_shopper(&f.shop);
        score(i, 1, 0.5, 1000);
    }
    f.policy.holdout_share = 0.5;
    decide_result *r = run();
    size_t held = 0;
    for (size_t i = 0; i < r->n_shoppers; i++) {
        held += r->shoppers[i].holdout;
        assert_int_equal(reason(r, i),
                         r->shoppers[i].holdout ? REASON_HOLDOUT : REASON_CHOSEN);
    }
    assert_int_equal(held, r->n_held_out);
    assert_true(held > 3 && held < 17);
    assert_int_equal(r->by_reason[REASON_HOLDOUT], held);
    assert_true(r->holdout_share == 0.5);
    decide_free(r);
}

static void variants_are_drawn_once_and_for_all_and_evenly(void **state)
{
    (void)state;
    frame_set *frames = NULL;
    (void)offer(100);
    for (uint32_t i = 1; i <= 25; i++) {
        (void)small_shop_shopper(&f.shop);
        score(i, 1, 0.5, 1000);
    }
    assert_int_equal(frame_set_default(&frames, NULL), PF_OK);
    f.in.frames = frames;
    decide_result *a = run(), *b = run();
    unsigned second = 0;
    for (size_t i = 0; i < 25; i++) {
        assert_int_equal(a->outcomes[i].variant, b->outcomes[i].variant);
        assert_true(a->outcomes[i].variant < 2);
        assert_true(a->outcomes[i].variant_share == 0.5f);
        second += a->outcomes[i].variant;
    }
    assert_true(second > 4 && second < 21);
    decide_free(a);
    decide_free(b);
    frame_set_free(frames);
}

static void refused(pf_status expected, const char *part)
{
    decide_result *r = NULL;
    pf_error err = {0};
    pf_status s = decide_run(&r, &f.in, &err);
    if (s != expected || strstr(err.message, part) == NULL)
        fail_msg("%s: %s", status_name(s), err.message);
    assert_null(r);
}

static void wrong_inputs_are_refused_with_their_place(void **state)
{
    (void)state;
    (void)offer(100);
    (void)offer(100);
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    score(1, 2, 0.5, 1000);
    const decide_score good[2] = {f.scores[0], f.scores[1]};
    f.scores[1].promotion = 3;
    refused(PF_USAGE, "score 1: there is no such promotion");
    f.scores[1] = good[1];
    f.scores[0].shopper = 2;
    refused(PF_USAGE, "score 0: there is no such shopper");
    f.scores[0].shopper = 0;
    refused(PF_USAGE, "score 0: there is no such shopper");
    f.scores[0] = good[0];
    f.scores[1].promotion = 1;
    refused(PF_USAGE, "score 1: scores must ascend");
    f.scores[1] = good[1];
    f.policy.worth_minor = 10;
    f.policy.metric = POLICY_CLICKS;
    refused(PF_USAGE, "score 0: the policy counts clicks, but the chance of one is not known");
    f.policy.metric = POLICY_CONVERSIONS;
    refused(PF_USAGE, "score 0: the policy counts conversions, but");
    f.policy.metric = POLICY_MARGIN;
    f.scores[0].click_known = f.scores[0].convert_known = true;
    f.scores[0].p_click = 1.1;
    refused(PF_USAGE, "score 0: p_click");
    f.scores[0].p_click = 1;
    f.scores[0].p_convert = NAN;
    refused(PF_USAGE, "score 0: p_convert");
    f.scores[0] = good[0];
    f.scores[0].p_redeem = 1.5;
    refused(PF_USAGE, "score 0: p_redeem");
    f.scores[0].p_redeem = NAN;
    refused(PF_USAGE, "score 0: p_redeem");
    f.scores[0] = good[0];
    f.scores[0].spend_minor = INFINITY;
    refused(PF_USAGE, "score 0: the expected spend");
    f.scores[0].spend_minor = -1;
    refused(PF_USAGE, "score 0: the expected spend");
    f.scores[0] = good[0];
    f.scores[0].channel = CHANNEL_COUNT;
    refused(PF_USAGE, "score 0: there is no such channel");
    f.scores[0] = good[0];
    f.policy.margin_rate = 7;
    refused(PF_USAGE, "policy 'default': the margin rate");
    f.policy.margin_rate = 0.5;
    f.shop.promotions[2].audience = "kids =";
    refused(PF_DATA, "promotion 'O2': audience rule: a number");
}

static void no_scores_make_an_empty_result(void **state)
{
    (void)state;
    decide_result *r = run();
    assert_int_equal(r->n_shoppers, 0);
    assert_int_equal(r->n_outcomes, 0);
    assert_true(r->value_minor == 0 && r->gap == 0);
    decide_free(r);
    decide_free(NULL);
}

static void an_audience_that_picks_nobody_is_reported(void **state)
{
    (void)state;
    (void)offer(100);
    offer(100)->audience = "stage = martian";
    (void)small_shop_shopper(&f.shop);
    score(1, 1, 0.5, 1000);
    score(1, 2, 0.5, 1000);
    decide_result *r = run();
    assert_int_equal(r->empty_audience, 2);
    assert_int_equal(reason(r, 1), REASON_NOT_IN_AUDIENCE);
    decide_free(r);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    frame_set *frames = NULL;
    assert_int_equal(frame_set_default(&frames, NULL), PF_OK);
    offer(100)->stacking_group = "x";
    offer(100)->audience = "not (kids)";
    offer(200)->redemption_limit = 3;
    for (uint32_t i = 1; i <= 8; i++) {
        (void)small_shop_shopper(&f.shop);
        for (uint32_t p = 1; p <= 3; p++)
            score(i, p, 0.1 * p, 1000 + 10 * i);
    }
    f.in.frames = frames;
    f.policy.budget_minor = 300;
    f.policy.promotion_budget_minor = 250;
    f.policy.per_shopper = 2;
    fault x = {0};
    while (fault_next(&x)) {
        decide_result *r = NULL;
        pf_status s = decide_run(&r, &f.in, NULL);
        if (fault_reached(&x)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(r);
        }
        decide_free(r);
    }
    assert_true(x.n > 40);
    frame_set_free(frames);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_best_offer_is_chosen_and_the_rest_say_why),
        TEST(a_budget_goes_where_a_unit_brings_most),
        TEST(the_worked_example_of_the_manual),
        TEST(money_promised_before_is_not_spent_again),
        TEST(a_promotion_without_its_own_budget_has_the_policys),
        TEST(redemptions_are_planned_within_what_the_limit_leaves),
        TEST(messages_of_a_channel_and_of_the_run_are_counted),
        TEST(the_cheaper_channel_wins_unless_the_scores_say_otherwise),
        TEST(a_full_channel_gives_way_to_another),
        TEST(several_promotions_a_shopper_but_one_of_a_stacking_group),
        TEST(windows_limit_what_one_run_may_add),
        TEST(a_promotion_of_unknown_worth_needs_an_assumption),
        TEST(the_holdout_is_told_apart),
        TEST(variants_are_drawn_once_and_for_all_and_evenly),
        TEST(wrong_inputs_are_refused_with_their_place),
        TEST(no_scores_make_an_empty_result),
        TEST(an_audience_that_picks_nobody_is_reported),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
