/*
 * The dual of an allocation against its naive twin: each shopper's best set by trying all
 * of them, the sum over shoppers by a plain loop; and the inequalities that make it a bound.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/allocate_dual.h"
#include "decide/problem.h"

static double price_of(const allocate_problem *p, const double *prices, size_t o)
{
    double price = 0;
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++) {
        uint32_t m = p->arm_caps[i];
        double amount = p->caps[m].measure == CAP_COST          ? p->cost[o]
                        : p->caps[m].measure == CAP_REDEMPTIONS ? p->redemptions[o]
                                                                : 1;
        if (amount > p->caps[m].limit) return INFINITY;
        price += prices[m] * amount;
    }
    return price;
}

/* The best total gain of a shopper over all subsets of at most `left` options of different
 * groups. */
static double best_set(const allocate_problem *p, const double *prices, size_t o,
                       size_t end, uint32_t left, const uint32_t *groups, uint32_t n)
{
    if (o == end || left == 0) return 0;
    double without = best_set(p, prices, o + 1, end, left, groups, n);
    for (uint32_t i = 0; i < n; i++)
        if (groups[i] == p->group[o]) return without;
    double gain = p->value[o] - price_of(p, prices, o);
    if (!(gain > 0)) return without;
    uint32_t with_groups[16];
    if (n > 0) memcpy(with_groups, groups, n * sizeof *groups);
    with_groups[n] = p->group[o];
    double with = gain + best_set(p, prices, o + 1, end, left - 1, with_groups, n + 1);
    return with > without ? with : without;
}

static void random_prices(random_stream *r, uint32_t n, double *prices)
{
    for (uint32_t m = 0; m < n; m++)
        prices[m] = random_below(r, 3) == 0 ? 0 : random_unit(r) * 2;
}

static void each_shoppers_best_set_is_the_best_of_all(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 600; i++) {
        problem p;
        random_stream r = random_begin(31, i);
        double prices[16];
        dual d;
        problem_random(&p, &r, 3, 9);
        random_prices(&r, p.p.n_caps, prices);
        assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
        dual_set_prices(&d, prices);
        for (size_t s = 0; s < 3; s++) {
            dual_pick picks[LIMIT_SHOPPER_PICKS];
            uint32_t n = dual_pick_best(&d, s, picks);
            double got = 0;
            assert_true(n <= p.picks[s]);
            for (uint32_t k = 0; k < n; k++) {
                assert_true(picks[k].gain > 0);
                assert_true(k == 0 || picks[k].gain <= picks[k - 1].gain);
                assert_true(fabs(picks[k].gain - dual_gain(&d, picks[k].option)) < 1e-12);
                for (uint32_t j = 0; j < k; j++)
                    assert_true(p.group[picks[k].option] != p.group[picks[j].option]);
                got += picks[k].gain;
            }
            double best =
                best_set(&p.p, prices, p.first[s], p.first[s + 1], p.picks[s], NULL, 0);
            assert_true(fabs(got - best) < 1e-9);
        }
        dual_free(&d);
        problem_free(&p);
    }
}

static void a_gain_is_value_less_price_and_impossible_options_have_none(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        problem p;
        random_stream r = random_begin(32, i);
        double prices[16];
        dual d;
        problem_random(&p, &r, 4, 6);
        random_prices(&r, p.p.n_caps, prices);
        assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
        dual_set_prices(&d, prices);
        for (size_t o = 0; o < p.first[4]; o++) {
            double expected = p.value[o] - price_of(&p.p, prices, o);
            double got = dual_gain(&d, o);
            if (isinf(expected))
                assert_true(got == -INFINITY);
            else
                assert_true(fabs(got - expected) < 1e-12);
        }
        dual_free(&d);
        problem_free(&p);
    }
}

/* D by a plain loop over shoppers, and what they draw. */
static double naive(const problem *p, dual *d, const double *prices, double *used)
{
    double value = 0;
    for (uint32_t m = 0; m < p->p.n_caps; m++) {
        value += prices[m] * p->caps[m].limit;
        used[m] = 0;
    }
    for (size_t s = 0; s < p->p.n_shoppers; s++) {
        dual_pick picks[LIMIT_SHOPPER_PICKS];
        uint32_t n = dual_pick_best(d, s, picks);
        for (uint32_t k = 0; k < n; k++) {
            size_t o = picks[k].option;
            value += picks[k].gain;
            for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1];
                 i++) {
                uint32_t m = p->arm_caps[i];
                used[m] += p->caps[m].measure == CAP_COST          ? p->cost[o]
                           : p->caps[m].measure == CAP_REDEMPTIONS ? p->redemptions[o]
                                                                   : 1;
            }
        }
    }
    return value;
}

static void the_sum_over_shards_is_the_plain_sum(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 500, 513, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        problem p;
        random_stream r = random_begin(33, i);
        double prices[16], used[16];
        dual d;
        problem_random(&p, &r, sizes[i], 5);
        random_prices(&r, p.p.n_caps, prices);
        assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
        double got = dual_evaluate(&d, prices), expected = naive(&p, &d, prices, used);
        assert_true(fabs(got - expected) <= 1e-9 * (1 + fabs(expected)));
        for (uint32_t m = 0; m < p.p.n_caps; m++)
            assert_true(fabs(d.used[m] - used[m]) < 1e-6);
        assert_int_equal(d.calls, 1);
        dual_free(&d);
        problem_free(&p);
    }
}

static void a_sample_stands_for_all_and_is_not_counted_as_a_call(void **state)
{
    (void)state;
    problem p;
    random_stream r = random_begin(34, 0);
    double prices[16];
    dual d;
    problem_random(&p, &r, 20000, 4);
    random_prices(&r, p.p.n_caps, prices);
    assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
    double all = dual_evaluate(&d, prices);
    d.stride = 10;
    double some = dual_evaluate(&d, prices);
    assert_true(fabs(some - all) < 0.05 * all);
    assert_true(some != all);
    assert_int_equal(d.calls, 1);
    dual_free(&d);
    problem_free(&p);
}

/* The subgradient inequality: D(y) >= D(x) + g(x) . (y - x), with g = limit - used. */
static void what_is_left_of_the_caps_is_a_subgradient(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        problem p;
        random_stream r = random_begin(35, i);
        double x[16], y[16], used[16];
        dual d;
        problem_random(&p, &r, 20, 6);
        random_prices(&r, p.p.n_caps, x);
        random_prices(&r, p.p.n_caps, y);
        assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
        double at_x = dual_evaluate(&d, x);
        memcpy(used, d.used, p.p.n_caps * sizeof *used);
        double at_y = dual_evaluate(&d, y), line = at_x;
        for (uint32_t m = 0; m < p.p.n_caps; m++)
            line += (p.caps[m].limit - used[m]) * (y[m] - x[m]);
        assert_true(at_y >= line - 1e-9 * (1 + fabs(line)));
        dual_free(&d);
        problem_free(&p);
    }
}

static void every_price_gives_a_bound(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        problem p;
        random_stream r = random_begin(36, i);
        double prices[16];
        dual d;
        problem_random(&p, &r, 3, 4);
        double best = problem_best(&p);
        assert_int_equal(dual_new(&d, &p.p, NULL, NULL), PF_OK);
        for (int k = 0; k < 5; k++) {
            random_prices(&r, p.p.n_caps, prices);
            assert_true(dual_evaluate(&d, prices) >= best - 1e-9);
        }
        dual_free(&d);
        problem_free(&p);
    }
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    problem p;
    random_stream r = random_begin(37, 0);
    problem_random(&p, &r, 5, 4);
    fault f = {0};
    while (fault_next(&f)) {
        dual d;
        pf_status s = dual_new(&d, &p.p, NULL, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        dual_free(&d);
    }
    assert_true(f.n > 4);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shoppers_best_set_is_the_best_of_all),
        cmocka_unit_test(a_gain_is_value_less_price_and_impossible_options_have_none),
        cmocka_unit_test(the_sum_over_shards_is_the_plain_sum),
        cmocka_unit_test(a_sample_stands_for_all_and_is_not_counted_as_a_call),
        cmocka_unit_test(what_is_left_of_the_caps_is_a_subgradient),
        cmocka_unit_test(every_price_gives_a_bound),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
