/*
 * Allocation: reference values of a linear-programming solver (HiGHS through scipy 1.17.1),
 * exact answers by trying everything, and the promises of allocate.h over random worlds.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "decide/allocate.h"
#include "decide/problem.h"

/* 300 shoppers x 5 offers (and none): value = 10 u, cost = 4 u + 0.2; offers 1..5 go by the
 * channels 0 0 1 1 2. */
static void make_reference(problem *p, bool all_caps)
{
    enum { SHOPPERS = 300, OFFERS = 5, COLUMNS = 6 };
    problem_init(p, SHOPPERS, SHOPPERS * OFFERS, OFFERS, 5);
    uint32_t total = problem_cap(p, CAP_COST, 250), first = UINT32_MAX,
             fifth = UINT32_MAX;
    uint32_t messages[2] = {UINT32_MAX, UINT32_MAX};
    if (all_caps) {
        first = problem_cap(p, CAP_COST, 40);
        fifth = problem_cap(p, CAP_COST, 40);
        messages[0] = problem_cap(p, CAP_COUNT, 60);
        messages[1] = problem_cap(p, CAP_COUNT, 60);
    }
    for (uint32_t a = 0; a < OFFERS; a++) {
        uint32_t own = a == 0 ? first : a == 4 ? fifth : UINT32_MAX;
        uint32_t by = a < 2 ? messages[0] : a < 4 ? messages[1] : UINT32_MAX;
        problem_arm(p, 0, (const uint32_t[]){total, own, by}, 3);
    }
    for (uint64_t s = 0; s < SHOPPERS; s++) {
        problem_shopper(p, 1);
        for (uint32_t a = 0; a < OFFERS; a++) {
            uint64_t k = s * COLUMNS + a + 1;
            problem_option(p, a, a, 10 * golden_unit(k, 51), 4 * golden_unit(k, 52) + 0.2,
                           0);
        }
    }
}

static allocate_result solve(const problem *p)
{
    allocate_options o = allocate_options_default();
    allocate_result r;
    pf_error err = {0};
    if (allocate_solve(&p->p, &o, &r, &err) != PF_OK) fail_msg("%s", err.message);
    problem_check(p, &r);
    return r;
}

static void close_to(double got, double expected, double relative)
{
    if (fabs(got - expected) > relative * fabs(expected))
        fail_msg("%.15g is not %.15g", got, expected);
}

static void five_caps_agree_with_the_reference(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    allocate_result r = solve(&p);
    close_to(r.bound, 1492.535874938073, 1e-6);
    assert_true(r.value >= 0.995 * 1492.535874938073);
    static const double prices[] = {0.3197729402045246, 0.016958834802703417,
                                    4.92245154781674, 7.849204193104599,
                                    8.022301731430149};
    for (int m = 0; m < 5; m++)
        assert_true(fabs(r.prices[m] - prices[m]) < 1e-3);
    allocate_free(&r);
    problem_free(&p);
}

static void one_budget_agrees_exactly(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, false);
    allocate_result r = solve(&p);
    close_to(r.bound, 1958.4614598141852, 1e-12);
    close_to(r.prices[0], 3.5338963245224386, 1e-9);
    assert_true(r.value >= 0.9999 * r.bound);
    assert_true(r.calls < 60);
    allocate_free(&r);
    problem_free(&p);
}

static void groups_of_one_each_change_nothing_where_one_may_be_picked(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    allocate_result with = solve(&p);
    p.p.group = NULL;
    p.p.picks = NULL;
    allocate_result without = solve(&p);
    assert_memory_equal(&with.value, &without.value, sizeof with.value);
    assert_memory_equal(with.taken, without.taken, 1500);
    allocate_free(&with);
    allocate_free(&without);
    problem_free(&p);
}

/* Costs whose sum depends, in its last bit, on the order of adding; caps of just that sum. */
static void a_cap_is_not_passed_by_a_last_bit(void **state)
{
    (void)state;
    enum { MANY = 12 };
    unsigned all = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        problem p;
        double cost[MANY], limit = 0;
        for (uint64_t i = 0; i < MANY; i++)
            cost[i] = golden_unit(seed * MANY + i, 90);
        for (int i = MANY; i-- > 0;)
            limit += cost[i];
        problem_init(&p, MANY, MANY, 1, 1);
        uint32_t cap = problem_cap(&p, CAP_COST, limit);
        problem_arm(&p, 0, &cap, 1);
        for (int i = 0; i < MANY; i++) {
            problem_shopper(&p, 1);
            problem_option(&p, 0, 1, 1 + i, cost[i], 0);
        }
        allocate_result r = solve(&p);
        all += r.n_taken == MANY;
        assert_true(r.n_taken >= MANY - 1);
        allocate_free(&r);
        problem_free(&p);
    }
    assert_true(all > 400 && all < 2000);
}

static void without_binding_caps_everyone_gets_the_best(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 2, 5, 1, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 100);
    problem_arm(&p, 0, &cap, 1);
    problem_shopper(&p, 1);
    problem_option(&p, 0, 1, 3, 5, 0);
    problem_option(&p, 0, 2, 4, 50, 0);
    problem_option(&p, 0, 3, -1, 0, 0);
    problem_shopper(&p, 1);
    problem_option(&p, 0, 1, 0, 0, 0);
    allocate_result r = solve(&p);
    assert_true(r.value == 4 && r.bound == 4 && r.gap == 0 && r.prices[0] == 0);
    assert_int_equal(r.taken[1], 1);
    assert_int_equal(r.n_taken, 1);
    allocate_free(&r);
    problem_free(&p);
}

static void a_cap_of_nothing_takes_only_what_is_free(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 1, 2, 2, 2);
    uint32_t money = problem_cap(&p, CAP_COST, 0),
             count = problem_cap(&p, CAP_COUNT, 0.5);
    problem_arm(&p, 0, &money, 1);
    problem_arm(&p, 0, &count, 1);
    problem_shopper(&p, 3);
    problem_option(&p, 0, 1, 9, 1, 0);
    problem_option(&p, 0, 2, 5, 0, 0);
    allocate_result r = solve(&p);
    assert_true(r.value == 5 && r.bound == 5);
    allocate_free(&r);
    problem_free(&p);
    problem_init(&p, 1, 1, 1, 1);
    count = problem_cap(&p, CAP_COUNT, 0.5);
    problem_arm(&p, 0, &count, 1);
    problem_shopper(&p, 1);
    problem_option(&p, 0, 1, 9, 0, 0);
    r = solve(&p);
    assert_true(r.value == 0 && r.bound == 0 && r.gap == 0);
    allocate_free(&r);
    problem_free(&p);
}

static void an_option_dearer_than_its_cap_is_not_counted_in_the_bound(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 1, 2, 1, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 10);
    problem_arm(&p, 0, &cap, 1);
    problem_shopper(&p, 1);
    problem_option(&p, 0, 1, 100, 11, 0);
    problem_option(&p, 0, 2, 3, 10, 0);
    allocate_result r = solve(&p);
    assert_true(r.value == 3 && r.bound == 3);
    allocate_free(&r);
    problem_free(&p);
}

static void what_is_left_is_spent(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 3, 3, 1, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 10);
    problem_arm(&p, 0, &cap, 1);
    static const double values[] = {12, 10, 1}, costs[] = {7, 6, 3};
    for (int i = 0; i < 3; i++) {
        problem_shopper(&p, 1);
        problem_option(&p, 0, 1, values[i], costs[i], 0);
    }
    allocate_result r = solve(&p);
    assert_true(r.value == 13); /* the first and, with the 3 that are left, the last */
    allocate_free(&r);
    problem_free(&p);
}

static void no_shoppers_and_no_options_are_a_problem_too(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 1, 1, 1, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 10);
    problem_arm(&p, 0, &cap, 1);
    allocate_result r = solve(&p);
    assert_true(r.value == 0 && r.gap == 0 && r.n_taken == 0);
    allocate_free(&r);
    problem_shopper(&p, 1);
    r = solve(&p);
    assert_true(r.value == 0);
    allocate_free(&r);
    problem_free(&p);
}

static void tiny_worlds_are_solved_as_well_as_by_trying_everything(void **state)
{
    (void)state;
    enum { WORLDS_OF_THIS = 3000 };
    double sum = 0, sum_best = 0;
    unsigned off = 0;
    for (uint64_t i = 0; i < WORLDS_OF_THIS; i++) {
        problem p;
        random_stream rs = random_begin(3, i);
        problem_random(&p, &rs, 2 + i % 4, 4);
        allocate_result r = solve(&p);
        double best = problem_best(&p);
        if (r.value > best + 1e-9) fail_msg("world %d: better than the best", (int)i);
        if (best > r.bound + 1e-9 * (1 + best)) fail_msg("world %d: no bound", (int)i);
        off += r.value < 0.995 * best;
        sum += r.value;
        sum_best += best;
        allocate_free(&r);
        problem_free(&p);
    }
    print_message("%u of %d answers more than .5 %% below the best; sum %.5f of it\n",
                  off, WORLDS_OF_THIS, sum / sum_best);
    assert_true(off < WORLDS_OF_THIS / 50);
    assert_true(sum > 0.998 * sum_best);
}

static void random_worlds_keep_every_promise(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t i = 0; i < 1500; i++) {
        problem p;
        random_stream rs = random_begin(4, i);
        problem_random(&p, &rs, 1 + i % 60, 9);
        if (i % 2 == 0) p.p.n_lanes = 0; /* lanes are no part of the bound */
        allocate_result r = solve(&p);
        if (i % 2 == 0 && i % 60 > 40 && r.gap > worst) worst = r.gap;
        allocate_free(&r);
        problem_free(&p);
    }
    print_message("largest gap with more than 40 shoppers: %.3f %%\n", 100 * worst);
    assert_true(worst < 0.05);
}

/* Prices of a problem with several caps for many shoppers come from a sample first. */
static void
many_shoppers_are_solved_close_to_the_bound_by_any_number_of_threads(void **state)
{
    (void)state;
    problem p;
    random_stream rs = random_begin(5, 0);
    problem_random(&p, &rs, 50000, 5);
    for (uint32_t m = 0; m < p.p.n_caps; m++)
        p.caps[m].limit = 8000 + 1000 * m;
    p.p.n_lanes = 0;
    allocate_result one = solve(&p), two;
    allocate_options o = allocate_options_default();
    o.threads = pool_new(2);
    assert_int_equal(allocate_solve(&p.p, &o, &two, NULL), PF_OK);
    assert_true(one.gap < 1e-3);
    assert_memory_equal(&one.value, &two.value, sizeof one.value);
    assert_memory_equal(&one.bound, &two.bound, sizeof one.bound);
    assert_memory_equal(one.taken, two.taken, p.first[50000]);
    assert_memory_equal(one.prices, two.prices, p.p.n_caps * sizeof *one.prices);
    pool_free(o.threads);
    allocate_free(&one);
    allocate_free(&two);
    problem_free(&p);
}

static void at_given_prices_the_answer_keeps_the_caps_and_is_near(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    allocate_result solved = solve(&p), replayed;
    allocate_options o = allocate_options_default();
    assert_int_equal(allocate_at_prices(&p.p, solved.prices, &o, &replayed, NULL), PF_OK);
    problem_check(&p, &replayed);
    assert_true(replayed.value > 0.97 * solved.value);
    assert_true(replayed.value <= solved.bound);
    double wrong[5] = {0, 0, -1, 0, 0};
    allocate_result none;
    assert_int_equal(allocate_at_prices(&p.p, wrong, &o, &none, NULL), PF_USAGE);
    allocate_free(&none);
    allocate_free(&solved);
    allocate_free(&replayed);
    problem_free(&p);
}

static void a_problem_where_nothing_is_worth_anything_takes_nothing(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    for (size_t o = 0; o < 1500; o++)
        p.value[o] = o % 2 == 0 ? 0 : -p.value[o];
    allocate_result r = solve(&p);
    assert_true(r.value == 0 && r.bound == 0 && r.gap == 0 && r.n_taken == 0);
    for (int m = 0; m < 5; m++)
        assert_true(r.prices[m] == 0);
    allocate_free(&r);
    problem_free(&p);
}

static void refused(const problem *p, pf_status expected, const char *part)
{
    allocate_options o = allocate_options_default();
    allocate_result r;
    pf_error err = {0};
    pf_status s = allocate_solve(&p->p, &o, &r, &err);
    if (s != expected || strstr(err.message, part) == NULL)
        fail_msg("%s: %s", status_name(s), err.message);
    assert_null(r.prices);
    allocate_free(&r);
}

static void a_problem_that_is_none_is_refused(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    p.caps[2].limit = -1;
    refused(&p, PF_USAGE, "cap 2 is not a number");
    p.caps[2].limit = NAN;
    refused(&p, PF_USAGE, "cap 2 is not a number");
    p.caps[2].limit = INFINITY;
    refused(&p, PF_USAGE, "cap 2 is not a number");
    p.caps[2].limit = 40;
    p.caps[2].measure = CAP_REDEMPTIONS;
    p.p.redemptions = NULL;
    refused(&p, PF_USAGE, "redemptions are not given");
    p.p.redemptions = p.redemptions;
    p.caps[2].measure = CAP_COST;
    p.arm_caps[0] = 5;
    refused(&p, PF_USAGE, "arm 0 draws on no cap");
    p.arm_caps[0] = p.arm_caps[1];
    refused(&p, PF_USAGE, "arm 0 draws on cap 1 twice");
    p.arm_caps[0] = 0;
    p.value[7] = NAN;
    refused(&p, PF_USAGE, "option 7: its value");
    p.value[7] = 1;
    p.cost[8] = -0.5;
    refused(&p, PF_USAGE, "option 8: its cost");
    p.cost[8] = 1;
    p.redemptions[9] = -1;
    refused(&p, PF_USAGE, "option 9: its redemptions");
    p.redemptions[9] = 0;
    p.arm[10] = 5;
    refused(&p, PF_USAGE, "option 10: there is no such arm");
    p.arm[10] = 0;
    p.group[11] = 90;
    refused(&p, PF_USAGE, "option 12: groups");
    p.group[11] = 1;
    p.picks[3] = LIMIT_SHOPPER_PICKS + 1;
    refused(&p, PF_LIMIT, "picks");
    p.picks[3] = 1;
    p.first[4] = 0;
    refused(&p, PF_USAGE, "options of shopper 3");
    problem_free(&p);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, true);
    fault f = {0};
    while (fault_next(&f)) {
        allocate_options o = allocate_options_default();
        allocate_result r;
        pf_status s = allocate_solve(&p.p, &o, &r, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(r.taken);
        }
        allocate_free(&r);
    }
    assert_true(f.n > 8);
    problem_free(&p);
}

static void the_print_names_bound_gap_and_prices(void **state)
{
    (void)state;
    problem p;
    make_reference(&p, false);
    allocate_result r = solve(&p);
    buffer b;
    buffer_init(&b, 10000);
    static const char *const names[] = {"total budget"};
    allocate_print(&p.p, &r, names, &b);
    assert_non_null(strstr(b.data, "bound 1958.46, answer 1958."));
    assert_non_null(strstr(b.data, "total budget, cost: used 249."));
    assert_non_null(strstr(b.data, "of 250, price 3.5339"));
    buffer_clear(&b);
    allocate_print(&p.p, &r, NULL, &b);
    assert_non_null(strstr(b.data, "cap by cost: used"));
    buffer_free(&b);
    allocate_free(&r);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_caps_agree_with_the_reference),
        cmocka_unit_test(one_budget_agrees_exactly),
        cmocka_unit_test(groups_of_one_each_change_nothing_where_one_may_be_picked),
        cmocka_unit_test(a_cap_is_not_passed_by_a_last_bit),
        cmocka_unit_test(without_binding_caps_everyone_gets_the_best),
        cmocka_unit_test(a_cap_of_nothing_takes_only_what_is_free),
        cmocka_unit_test(an_option_dearer_than_its_cap_is_not_counted_in_the_bound),
        cmocka_unit_test(what_is_left_is_spent),
        cmocka_unit_test(no_shoppers_and_no_options_are_a_problem_too),
        cmocka_unit_test(tiny_worlds_are_solved_as_well_as_by_trying_everything),
        cmocka_unit_test(random_worlds_keep_every_promise),
        cmocka_unit_test(
            many_shoppers_are_solved_close_to_the_bound_by_any_number_of_threads),
        cmocka_unit_test(at_given_prices_the_answer_keeps_the_caps_and_is_near),
        cmocka_unit_test(a_problem_where_nothing_is_worth_anything_takes_nothing),
        cmocka_unit_test(a_problem_that_is_none_is_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(the_print_names_bound_gap_and_prices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
