/*
 * Allocation at the size of a shop: one budget close to the optimum, fifteen caps close to
 * the bound, and prices of one day that still serve the next, when shoppers come in another
 * order.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "decide/allocate.h"
#include "decide/problem.h"

enum { OFFERS = 10, CHANNELS = 4 };

/* Value is a concave response to what an offer costs, times what the shopper is worth. */
static double cost_at(uint64_t s, uint64_t k, uint64_t seed)
{
    return 0.5 + 0.5 * (double)k + 0.2 * golden_unit(s * OFFERS + k, seed + 1);
}

static double value_at(uint64_t s, uint64_t k, double cost, uint64_t seed)
{
    double effect = exp(2 * golden_unit(s, seed) - 1);
    return 3 * effect * sqrt(cost) * (0.5 + golden_unit(s * OFFERS + k, seed + 2));
}

/* What shoppers would draw if nothing bound. */
typedef struct wanted {
    double total, by_offer[OFFERS], by_channel[CHANNELS];
} wanted;

static wanted what_is_wanted(size_t shoppers, uint64_t seed)
{
    wanted w = {.total = 0};
    for (uint64_t s = 0; s < shoppers; s++) {
        uint64_t best = 0;
        double most = 0;
        for (uint64_t k = 0; k < OFFERS; k++) {
            double value = value_at(s, k, cost_at(s, k, seed), seed);
            if (value > most) {
                most = value;
                best = k;
            }
        }
        double cost = cost_at(s, best, seed);
        w.total += cost;
        w.by_offer[best] += cost;
        w.by_channel[best % CHANNELS]++;
    }
    return w;
}

/* Caps bind at 60 % of what is wanted. */
static void make_day(problem *p, size_t shoppers, uint64_t seed, bool all_caps,
                     const uint32_t *order)
{
    wanted w = what_is_wanted(shoppers, seed);
    problem_init(p, shoppers, shoppers * OFFERS, OFFERS, 1 + OFFERS + CHANNELS);
    uint32_t total = problem_cap(p, CAP_COST, 0.6 * w.total);
    uint32_t channels[CHANNELS];
    for (int c = 0; c < CHANNELS; c++)
        channels[c] = all_caps ? problem_cap(p, CAP_COUNT, floor(0.6 * w.by_channel[c]))
                               : UINT32_MAX;
    for (uint32_t k = 0; k < OFFERS; k++) {
        uint32_t own =
            all_caps ? problem_cap(p, CAP_COST, 0.6 * w.by_offer[k]) : UINT32_MAX;
        problem_arm(p, 0, (const uint32_t[]){total, own, channels[k % CHANNELS]}, 3);
    }
    for (size_t i = 0; i < shoppers; i++) {
        uint64_t s = order != NULL ? order[i] : i;
        problem_shopper(p, 1);
        for (uint32_t k = 0; k < OFFERS; k++) {
            double cost = cost_at(s, k, seed);
            problem_option(p, k, k, value_at(s, k, cost, seed), cost, 0);
        }
    }
    p->p.n_lanes = 0;
}

static allocate_result solve(const problem *p, const char *what)
{
    allocate_options o = allocate_options_default();
    allocate_result r;
    pf_error err = {0};
    double cpu = clock_cpu_s();
    if (allocate_solve(&p->p, &o, &r, &err) != PF_OK) fail_msg("%s", err.message);
    print_message("%s: gap %.4f %%, %u evaluations, %.2f s of cpu\n", what, 100 * r.gap,
                  r.calls, clock_cpu_s() - cpu);
    problem_check(p, &r);
    return r;
}

static void one_budget_comes_within_a_ten_thousandth_of_the_optimum(void **state)
{
    (void)state;
    problem p;
    make_day(&p, 34000, 100, false, NULL);
    allocate_result r = solve(&p, "34,000 x 11, one budget");
    assert_true(r.value >= 0.9999 * r.bound);
    assert_true(r.used[0] > 0.9999 * p.caps[0].limit);
    allocate_free(&r);
    problem_free(&p);
}

static bool has_room(const problem *p, const allocate_result *r, size_t o)
{
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++) {
        uint32_t m = p->arm_caps[i];
        double more = p->caps[m].measure == CAP_COST ? p->cost[o] : 1;
        if (r->used[m] + more > p->caps[m].limit) return false;
    }
    return true;
}

/* Reasons rely on it: what a shopper without anything did not get had no room. */
static void check_nothing_more_fits(const problem *p, const allocate_result *r)
{
    for (size_t s = 0; s < p->p.n_shoppers; s++) {
        bool any = false;
        for (size_t o = p->first[s]; o < p->first[s + 1]; o++)
            any = any || r->taken[o];
        for (size_t o = p->first[s]; o < p->first[s + 1] && !any; o++)
            assert_false(p->value[o] > 0 && has_room(p, r, o));
    }
}

static void fifteen_caps_come_within_a_thousandth_of_the_bound(void **state)
{
    (void)state;
    static const size_t sizes[] = {3000, 34000, 60000};
    for (size_t i = 0; i < 3; i++) {
        problem p;
        make_day(&p, sizes[i], 200 + 10 * i, true, NULL);
        allocate_result r = solve(&p, "15 caps");
        assert_true(r.gap < 0.001);
        check_nothing_more_fits(&p, &r);
        allocate_free(&r);
        problem_free(&p);
    }
}

/* Most shoppers are settled by many threads at once, some give back what passes a cap. */
static void as_many_threads_as_may_be_give_the_same_answer(void **state)
{
    (void)state;
    enum { SHOPPERS = 60000, MOST_THREADS = 3 };
    problem p;
    allocate_result one;
    make_day(&p, SHOPPERS, 260, true, NULL);
    allocate_options o = allocate_options_default();
    assert_int_equal(allocate_solve(&p.p, &o, &one, NULL), PF_OK);
    for (unsigned threads = 2; threads <= MOST_THREADS; threads++) {
        allocate_result many;
        o.threads = pool_new(threads);
        assert_non_null(o.threads);
        assert_int_equal(allocate_solve(&p.p, &o, &many, NULL), PF_OK);
        assert_memory_equal(one.taken, many.taken, SHOPPERS * OFFERS);
        assert_memory_equal(one.used, many.used, p.p.n_caps * sizeof *one.used);
        assert_true(!(one.value < many.value) && !(one.value > many.value));
        allocate_free(&many);
        pool_free(o.threads);
    }
    allocate_free(&one);
    problem_free(&p);
}

/* Whatever is asked of the bound, the answer stays an answer. */
static void a_coarse_tolerance_costs_gap_and_not_promises(void **state)
{
    (void)state;
    problem p;
    make_day(&p, 5000, 300, true, NULL);
    allocate_result fine = solve(&p, "fine"), coarse;
    allocate_options o = allocate_options_default();
    o.tolerance = 1e-2;
    o.maximum_calls = 12;
    assert_int_equal(allocate_solve(&p.p, &o, &coarse, NULL), PF_OK);
    problem_check(&p, &coarse);
    assert_true(coarse.calls <= 14); /* and one at no price, one for the bound */
    assert_true(coarse.bound >= fine.bound * (1 - 1e-9));
    assert_true(coarse.value <= fine.bound * (1 + 1e-9));
    assert_true(coarse.gap < 0.2);
    allocate_free(&fine);
    allocate_free(&coarse);
    problem_free(&p);
}

static void yesterdays_prices_serve_shoppers_in_random_order(void **state)
{
    (void)state;
    enum { SHOPPERS = 20000 };
    problem yesterday, today;
    uint32_t *order = malloc(SHOPPERS * sizeof *order);
    random_stream r = random_begin(41, 0);
    assert_non_null(order);
    for (uint32_t i = 0; i < SHOPPERS; i++)
        order[i] = i;
    for (uint32_t i = SHOPPERS; i-- > 1;) {
        uint32_t k = random_below(&r, i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    make_day(&yesterday, SHOPPERS, 400, true, NULL);
    make_day(&today, SHOPPERS, 400, true, order);
    allocate_result offline = solve(&yesterday, "offline"), replay;
    allocate_options o = allocate_options_default();
    assert_int_equal(allocate_at_prices(&today.p, offline.prices, &o, &replay, NULL),
                     PF_OK);
    problem_check(&today, &replay);
    print_message("replayed: %.3f %% of offline\n", 100 * replay.value / offline.value);
    assert_true(replay.value > 0.99 * offline.value);
    assert_true(replay.value <= offline.bound * (1 + 1e-9));
    allocate_free(&offline);
    allocate_free(&replay);
    problem_free(&yesterday);
    problem_free(&today);
    free(order);
}

/* What the bound gains from a thousandth more of a cap. */
static double gain_of_more(problem *p, const allocate_result *before, uint32_t m)
{
    double kept = p->caps[m].limit;
    allocate_options o = allocate_options_default();
    allocate_result wider;
    p->caps[m].limit *= 1.001;
    assert_int_equal(allocate_solve(&p->p, &o, &wider, NULL), PF_OK);
    double gained = wider.bound - before->bound;
    allocate_free(&wider);
    p->caps[m].limit = kept;
    return gained;
}

/* More room never hurts, and brings at most its price; with one budget, nearly all of it
 * (with many, another cap may bind at once). */
static void a_shadow_price_is_the_worth_of_one_more_unit(void **state)
{
    (void)state;
    problem many, one;
    make_day(&many, 4000, 500, true, NULL);
    make_day(&one, 4000, 500, false, NULL);
    allocate_result of_many = solve(&many, "many caps"),
                    of_one = solve(&one, "one budget");
    for (uint32_t m = 0; m < many.p.n_caps; m++) {
        double gained = gain_of_more(&many, &of_many, m);
        double most = of_many.prices[m] * 0.001 * many.caps[m].limit;
        assert_true(gained >= -1e-6 * of_many.bound);
        assert_true(gained <= most + 1e-6 * of_many.bound);
    }
    double gained = gain_of_more(&one, &of_one, 0);
    double price = of_one.prices[0] * 0.001 * one.caps[0].limit;
    assert_true(gained > 0.95 * price && gained <= price * (1 + 1e-9));
    allocate_free(&of_many);
    allocate_free(&of_one);
    problem_free(&many);
    problem_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_budget_comes_within_a_ten_thousandth_of_the_optimum),
        cmocka_unit_test(fifteen_caps_come_within_a_thousandth_of_the_bound),
        cmocka_unit_test(as_many_threads_as_may_be_give_the_same_answer),
        cmocka_unit_test(a_coarse_tolerance_costs_gap_and_not_promises),
        cmocka_unit_test(yesterdays_prices_serve_shoppers_in_random_order),
        cmocka_unit_test(a_shadow_price_is_the_worth_of_one_more_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
