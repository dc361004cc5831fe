/*
 * Runs of the size of a real campaign end in time: 600 shoppers by 1,200 promotions with a
 * budget each, and 100,000 shoppers by 11 under a total, budgets by promotion and caps by channel.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_hundred_shoppers_by_twelve_hundred_promotions),
        cmocka_unit_test(a_hundred_thousand_shoppers_by_eleven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
