/*
 * Runs of the size of a real campaign end in time: 600 shoppers by 1,200 promotions with a
 * budget each, and 100,000 shoppers by 11 under a total, budgets by promotion and caps by channel;
 * 200,000 promotions with capped tags in common; shoppers who had thousands of messages.
 * The limits are loose (a busy machine, a sanitizer); the times are printed.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/decide.h"
#include "message/small_shop.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 20 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
    __has_feature(memory_sanitizer)
enum { SLOWER = 20 };
#else
enum { SLOWER = 1 };
#endif
#else
enum { SLOWER = 1 };
#endif

static void run_world(uint32_t shoppers, uint32_t offers, double seconds, double gap)
{
    small_shop shop;
    uint32_t most = shoppers > offers ? shoppers : offers;
    small_shop_init(&shop, most, "USD");
    for (uint32_t p = 0; p < offers; p++) {
        promotion *it = small_shop_promotion(&shop, PROMOTION_MONEY_OFF);
        it->value_minor = 50 + p % 400;
        it->budget_minor = (int64_t)shoppers * 20 * 60 / offers;
    }
    for (uint32_t s = 0; s < shoppers; s++)
        (void)small_shop_shopper(&shop);
    policy how = policy_default();
    how.channels = 1u << CHANNEL_EMAIL | 1u << CHANNEL_PUSH;
    how.channel[CHANNEL_EMAIL].contact_cost_minor = 2;
    how.channel[CHANNEL_PUSH].contact_cost_minor = 1;
    how.channel[CHANNEL_PUSH].messages = shoppers / 3;
    how.budget_minor = (int64_t)shoppers * 20;
    size_t n = (size_t)shoppers * offers;
    decide_score *scores = malloc(n * sizeof *scores);
    assert_non_null(scores);
    for (size_t i = 0; i < n; i++)
        scores[i] =
            (decide_score){.shopper = (uint32_t)(i / offers) + 1,
                           .promotion = (uint32_t)(i % offers) + 1,
                           .p_redeem = golden_unit(i, 70) * golden_unit(i, 71) * 0.6,
                           .spend_minor = 2000 * golden_unit(i, 72)};
    decide_inputs in = {.policy = &how,
                        .catalogue = &shop.c,
                        .at_us = 1,
                        .scores = scores,
                        .n_scores = n};
    decide_result *r = NULL;
    double wall = clock_wall_s(), cpu = clock_cpu_s();
    assert_int_equal(decide_run(&r, &in, NULL), PF_OK);
    wall = clock_wall_s() - wall;
    cpu = clock_cpu_s() - cpu;
    print_message("%u x %u: %.2f s (cpu %.2f), %zu chosen, gap %.4f %%, %u caps\n",
                  shoppers, offers, wall, cpu, r->n_chosen, 100 * r->gap, r->n_caps);
    assert_true(cpu < seconds * SLOWER);
    assert_true(r->gap < gap);
    assert_true(r->cost_minor <= how.budget_minor);
    decide_free(r);
    free(scores);
    small_shop_free(&shop);
}

static void six_hundred_shoppers_by_twelve_hundred_promotions(void **state)
{
    (void)state;
    run_world(600, 1200, 5, 0.002);
}

static void a_hundred_thousand_shoppers_by_eleven(void **state)
{
    (void)state;
    run_world(100000, 11, 5, 0.001);
}

static double cpu_of(decide_result **r, const decide_inputs *in)
{
    pf_error err = {0};
    const double before = clock_cpu_s();
    if (decide_run(r, in, &err) != PF_OK) fail_msg("%s", err.message);
    return clock_cpu_s() - before;
}

/* All but the last have the one tag or the other, and one has both: they are one group. */
static void many_promotions_with_tags_in_common_are_joined_in_time(void **state)
{
    (void)state;
    enum { OFFERS = 200000 };
    static const char *const tags[] = {"", "bread", "wine"};
    static const uint32_t number[] = {1, 2};
    small_shop shop;
    small_shop_init(&shop, OFFERS, "USD");
    shop.c.tags = tags;
    shop.c.n_tags = 2;
    for (uint32_t i = 0; i < OFFERS; i++) {
        promotion *p = small_shop_promotion(&shop, PROMOTION_MONEY_OFF);
        p->value_minor = 100;
        const bool both = i + 3 == OFFERS;
        p->tag = i % 2 && !both ? number + 1 : number;
        p->n_tag = i + 1 == OFFERS ? 0 : both ? 2 : 1;
    }
    (void)small_shop_shopper(&shop);
    policy how = policy_default();
    how.holdout_share = 0;
    how.per_shopper = 3;
    how.n_tags = 2;
    how.tag[0] = (policy_tag){"bread", {0, 0, 5}};
    how.tag[1] = (policy_tag){"wine", {0, 0, 5}};
    const uint32_t offers[] = {1, 2, OFFERS - 1, OFFERS};
    decide_score scores[4];
    for (size_t i = 0; i < 4; i++)
        scores[i] = (decide_score){.shopper = 1, .promotion = offers[i], .p_redeem = 0.5,
                                   .spend_minor = 1000 + 100 * (double)i};
    decide_inputs in = {.policy = &how, .catalogue = &shop.c, .at_us = 1, .scores = scores,
                        .n_scores = 4};
    decide_result *r = NULL;
    const double cpu = cpu_of(&r, &in);
    print_message("%d promotions with tags: %.3f s\n", OFFERS, cpu);
    assert_true(cpu < 1 * SLOWER);
    assert_int_equal(r->n_chosen, 2); /* the best of the group, and the one that is in none */
    assert_int_equal(r->outcomes[0].why.reason, REASON_STACKING);
    assert_int_equal(r->outcomes[1].why.reason, REASON_STACKING);
    assert_int_equal(r->outcomes[2].why.reason, REASON_CHOSEN);
    assert_int_equal(r->outcomes[3].why.reason, REASON_CHOSEN);
    decide_free(r);
    small_shop_free(&shop);
}

/* Two shoppers who were told too much, the second a day and an hour after the first: when there
 * is room again is worked out once for each of them, not once a promotion. */
static void long_pasts_are_looked_through_once_a_shopper(void **state)
{
    (void)state;
    enum { OFFERS = 4000, MESSAGES = 40000 };
    const int64_t at_us = INT64_C(1491818400) * US_PER_SECOND; /* 2017-04-10 10:00 */
    small_shop shop;
    small_shop_init(&shop, OFFERS, "USD");
    for (uint32_t i = 0; i < OFFERS; i++)
        small_shop_promotion(&shop, PROMOTION_MONEY_OFF)->value_minor = 100;
    history_row *rows = calloc(2 * MESSAGES, sizeof *rows);
    decide_score *scores = calloc(2 * OFFERS, sizeof *scores);
    assert_true(rows != NULL && scores != NULL);
    for (uint32_t s = 0; s < 2; s++) {
        (void)small_shop_shopper(&shop);
        const int64_t last_us = at_us - US_PER_HOUR - (1 - s) * 25 * US_PER_HOUR;
        for (uint32_t i = 0; i < MESSAGES; i++)
            rows[s * MESSAGES + i] =
                (history_row){.shopper = s + 1, .type = EVENT_EXPOSURE, .channel = CHANNEL_MAIL,
                              .time_us = last_us - i * US_PER_SECOND, .campaign = i};
        for (uint32_t i = 0; i < OFFERS; i++)
            scores[s * OFFERS + i] = (decide_score){.shopper = s + 1, .promotion = i + 1,
                                                    .p_redeem = 0.5, .spend_minor = 1000};
    }
    shop_history *h = NULL;
    assert_int_equal(history_from_rows(&h, rows, 2 * MESSAGES, OFFERS, NULL), PF_OK);
    policy how = policy_default();
    how.holdout_share = 0;
    how.window.per_week = 3;
    decide_inputs in = {.policy = &how, .catalogue = &shop.c, .history = h, .at_us = at_us,
                        .scores = scores, .n_scores = 2 * OFFERS};
    decide_result *r = NULL;
    const double cpu = cpu_of(&r, &in);
    print_message("%d promotions, %d messages: %.3f s\n", OFFERS, MESSAGES, cpu);
    assert_true(cpu < 0.3 * SLOWER);
    const int64_t again_us[] = {at_us + 134 * US_PER_HOUR, at_us + 158 * US_PER_HOUR};
    for (size_t i = 0; i < r->n_outcomes; i++) {
        assert_int_equal(r->outcomes[i].why.reason, REASON_EXPOSURE_CAP);
        assert_true(r->outcomes[i].why.time_us == again_us[r->outcomes[i].shopper - 1]);
    }
    decide_free(r);
    history_free(h);
    free(scores);
    free(rows);
    small_shop_free(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_hundred_shoppers_by_twelve_hundred_promotions),
        cmocka_unit_test(a_hundred_thousand_shoppers_by_eleven),
        cmocka_unit_test(many_promotions_with_tags_in_common_are_joined_in_time),
        cmocka_unit_test(long_pasts_are_looked_through_once_a_shopper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
