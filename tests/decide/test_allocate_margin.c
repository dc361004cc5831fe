/*
 * What one more unit of a cap brings and buys, against solving again with the cap raised, and
 * against numbers by hand.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "decide/allocate_margin.h"
#include "decide/problem.h"

static allocate_result solve(const problem *p)
{
    allocate_options o = allocate_options_default();
    allocate_result r;
    pf_error err = {0};
    if (allocate_solve(&p->p, &o, &r, &err) != PF_OK) fail_msg("%s", err.message);
    return r;
}

static allocate_margin margin_of(const problem *p, const allocate_result *r)
{
    allocate_margin m;
    pf_error err = {0};
    if (allocate_margin_of(&p->p, r, &m, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

/* --- against solving again ------------------------------------------------------------ */

enum { ARMS = 6, SHOPPERS = 30000, CAPS = 6 };

/* Arms 0 .. 5, channels 0 1 0 1 0 1; each shopper takes `picks` at most. Caps in all, of the
 * first arm's cost, of the last two arms' redemptions, of messages by channel. */
static void make_shop(problem *p, uint8_t picks, const double limits[CAPS])
{
    static const cap_measure measures[CAPS] = {
        CAP_COST, CAP_COST, CAP_REDEMPTIONS, CAP_REDEMPTIONS, CAP_COUNT, CAP_COUNT};
    uint32_t cap[CAPS];
    problem_init(p, SHOPPERS, SHOPPERS * ARMS, ARMS, CAPS);
    for (uint32_t m = 0; m < CAPS; m++)
        cap[m] = limits[m] < 0 ? UINT32_MAX : problem_cap(p, measures[m], limits[m]);
    for (uint32_t a = 0; a < ARMS; a++) {
        uint32_t own = a == 0 ? cap[1] : a >= 4 ? cap[a - 2] : UINT32_MAX;
        problem_arm(p, 0, (const uint32_t[]){cap[0], own, cap[4 + a % 2]}, 3);
    }
    for (size_t s = 0; s < SHOPPERS; s++) {
        random_stream r = random_begin(71, s);
        double worth = exp(2 * random_unit(&r) - 1);
        problem_shopper(p, picks);
        for (uint32_t a = 0; a < ARMS; a++) {
            double cost = 0.5 + 0.4 * a + 0.3 * random_unit(&r);
            double value = worth * 4 * cost / (cost + 1) * exp(2 * random_unit(&r) - 1);
            problem_option(p, a, a / 2, value, cost, 0.2 + 0.1 * random_unit(&r));
        }
    }
    p->p.n_lanes = 0;
}

static void count_takers(const problem *p, const allocate_result *r, double count[ARMS])
{
    memset(count, 0, ARMS * sizeof *count);
    for (size_t o = 0; o < p->first[SHOPPERS]; o++)
        count[p->arm[o]] += r->taken[o];
}

/* Raises cap m by a share and lowers it by the same; what one unit of it changed between. */
static double by_solving_again(problem *p, uint32_t m, double per_unit[ARMS])
{
    const double kept = p->caps[m].limit, share = 0.02;
    double more[ARMS], less[ARMS];
    p->caps[m].limit = kept * (1 + share);
    allocate_result up = solve(p);
    p->caps[m].limit = kept * (1 - share);
    allocate_result down = solve(p);
    p->caps[m].limit = kept;
    count_takers(p, &up, more);
    count_takers(p, &down, less);
    for (int a = 0; a < ARMS; a++)
        per_unit[a] = (more[a] - less[a]) / (2 * share * kept);
    double gained = (up.value - down.value) / (2 * share * kept);
    allocate_free(&up);
    allocate_free(&down);
    return gained;
}

static double largest(const double x[ARMS])
{
    double most = 0;
    for (int a = 0; a < ARMS; a++)
        most = fmax(most, fabs(x[a]));
    return most;
}

static void compare_with_solving_again(problem *p, unsigned binding)
{
    allocate_result r = solve(p);
    allocate_margin margin = margin_of(p, &r);
    unsigned seen = 0;
    for (uint32_t m = 0; m < p->p.n_caps; m++) {
        const margin_cap *c = &margin.caps[m];
        if (!(c->worth > 0)) continue;
        double again[ARMS], gained = by_solving_again(p, m, again);
        double size = largest(again), off = 0;
        for (int a = 0; a < ARMS; a++)
            off = fmax(off, fabs(c->takers[a] - again[a]));
        print_message("cap %u: worth %.3f, again %.3f; most takers %.3f, again %.3f, "
                      "largest difference %.0f %%\n",
                      m, c->worth, gained, c->takers[c->arm], again[c->arm],
                      100 * off / size);
        assert_true(c->alone && c->near > 50);
        assert_true(fabs(gained - c->worth) < 0.05 * c->worth);
        assert_true(off < 0.25 * size);
        assert_true(again[c->arm] > 0.7 * size || c->takers[c->arm] < 0.8 * size);
        seen++;
    }
    assert_int_equal(seen, binding);
    allocate_margin_free(&margin);
    allocate_free(&r);
}

static void one_budget_agrees_with_solving_again(void **state)
{
    (void)state;
    problem p;
    make_shop(&p, 1, (const double[]){20000, -1, -1, -1, -1, -1});
    compare_with_solving_again(&p, 1);
    problem_free(&p);
}

static void many_caps_agree_with_solving_again(void **state)
{
    (void)state;
    problem p;
    make_shop(&p, 1, (const double[]){20000, 900, 150, 250, 5000, -1});
    compare_with_solving_again(&p, 5);
    problem_free(&p);
}

static void several_picks_agree_with_solving_again(void **state)
{
    (void)state;
    problem p;
    make_shop(&p, 2, (const double[]){30000, -1, 400, -1, -1, 9000});
    compare_with_solving_again(&p, 3);
    problem_free(&p);
}

/* --- by hand ---------------------------------------------------------------------------- */

/* A hundred shoppers, values 1 .. 100, an offer that costs 2. */
static void make_ladder(problem *p, double limit)
{
    problem_init(p, 100, 100, 1, 1);
    uint32_t cap = problem_cap(p, CAP_COST, limit);
    problem_arm(p, 0, &cap, 1);
    for (int s = 0; s < 100; s++) {
        problem_shopper(p, 1);
        problem_option(p, 0, 0, 1 + s, 2, 0);
    }
}

static void a_unit_that_pays_half_an_offer_buys_half_an_offer(void **state)
{
    (void)state;
    problem p;
    make_ladder(&p, 100);
    allocate_result r = solve(&p);
    allocate_margin m = margin_of(&p, &r);
    assert_int_equal(r.n_taken, 50);
    assert_true(m.caps[0].worth >= 25 && m.caps[0].worth <= 25.5);
    assert_true(m.caps[0].alone && m.caps[0].arm == 0);
    assert_true(fabs(m.caps[0].takers[0] - 0.5) < 1e-6);
    assert_true(m.caps[0].near >= 50);
    allocate_margin_free(&m);
    allocate_free(&r);
    problem_free(&p);
}

static void a_cap_that_does_not_bind_brings_and_buys_nothing(void **state)
{
    (void)state;
    problem p;
    make_ladder(&p, 1000);
    allocate_result r = solve(&p);
    allocate_margin m = margin_of(&p, &r);
    assert_true(m.caps[0].worth == 0 && !m.caps[0].alone && m.caps[0].near == 0);
    assert_true(m.caps[0].arm == MARGIN_NONE && m.caps[0].takers[0] == 0);
    allocate_margin_free(&m);
    allocate_free(&r);
    problem_free(&p);
}

/* Money for 50 and messages for 50: neither is of use without the other. */
static void caps_that_bind_together_name_each_other(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 100, 100, 1, 3);
    const uint32_t caps[] = {problem_cap(&p, CAP_COST, 100), problem_cap(&p, CAP_COUNT, 50),
                             problem_cap(&p, CAP_COUNT, 500)};
    problem_arm(&p, 0, caps, 3);
    for (int s = 0; s < 100; s++) {
        problem_shopper(&p, 1);
        problem_option(&p, 0, 0, 1 + s, 2, 0);
    }
    allocate_result r = solve(&p);
    r.prices[0] = 10; /* one of the many pairs of prices that solve it */
    r.prices[1] = 30.5;
    r.prices[2] = 0;
    allocate_margin m = margin_of(&p, &r);
    assert_true(!m.caps[0].alone && m.caps[0].beside == 1 && m.caps[0].takers[0] == 0);
    assert_true(!m.caps[1].alone && m.caps[1].beside == 0 && m.caps[1].takers[0] == 0);
    assert_true(!m.caps[2].alone && m.caps[2].beside == MARGIN_NONE);
    buffer b;
    buffer_init(&b, 10000);
    static const char *const names[] = {"money", "messages", "people"};
    allocate_margin_print(&m, names, NULL, &b);
    assert_non_null(strstr(b.data, "one more of money: worth 10 at most, and only together "
                                   "with messages ("));
    assert_non_null(strstr(b.data, "one more of messages: worth 30.5 at most, and only"));
    assert_null(strstr(b.data, "people"));
    buffer_free(&b);
    allocate_margin_free(&m);
    allocate_free(&r);
    problem_free(&p);
}

/* Cheap or dear, dear is worth 3 units of cost more: more money turns cheap into dear. */
static void more_money_may_turn_one_offer_into_another(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 200, 400, 2, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 200 + 3 * 100);
    problem_arm(&p, 0, &cap, 1);
    problem_arm(&p, 0, &cap, 1);
    for (int s = 0; s < 200; s++) {
        problem_shopper(&p, 1);
        problem_option(&p, 0, 0, 1000, 1, 0);
        problem_option(&p, 1, 0, 1000 + 3 * s, 4, 0);
    }
    allocate_result r = solve(&p);
    allocate_margin m = margin_of(&p, &r);
    assert_true(m.caps[0].alone && m.caps[0].arm == 1);
    assert_true(fabs(m.caps[0].takers[1] - 1 / 3.0) < 1e-6);
    assert_true(fabs(m.caps[0].takers[0] + 1 / 3.0) < 1e-6);
    buffer b;
    buffer_init(&b, 10000);
    static const char *const arms[] = {"small coupons", "large coupons"};
    allocate_margin_print(&m, NULL, arms, &b);
    assert_non_null(strstr(b.data, "one more of cap 0: worth "));
    assert_non_null(
        strstr(b.data, ", 0.333 fewer of small coupons, 0.333 more of large coupons ("));
    buffer_free(&b);
    allocate_margin_free(&m);
    allocate_free(&r);
    problem_free(&p);
}

/* Everyone is alike: all gaps are 0, and a unit still buys what it pays for. */
static void shoppers_who_are_all_alike_are_all_at_the_margin(void **state)
{
    (void)state;
    problem p;
    problem_init(&p, 100, 100, 1, 1);
    uint32_t cap = problem_cap(&p, CAP_COST, 101);
    problem_arm(&p, 0, &cap, 1);
    for (int s = 0; s < 100; s++) {
        problem_shopper(&p, 1);
        problem_option(&p, 0, 0, 8, 2, 0);
    }
    allocate_result r = solve(&p);
    allocate_margin m = margin_of(&p, &r);
    assert_true(fabs(m.caps[0].worth - 4) < 1e-6);
    assert_true(m.caps[0].alone && fabs(m.caps[0].takers[0] - 0.5) < 1e-6);
    assert_true(m.caps[0].near >= 100);
    allocate_margin_free(&m);
    allocate_free(&r);
    problem_free(&p);
}

/* --- whatever comes ----------------------------------------------------------------------- */

static void random_worlds_give_finite_numbers(void **state)
{
    (void)state;
    unsigned alone = 0, together = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        problem p;
        random_stream rs = random_begin(72, i);
        problem_random(&p, &rs, i % 40, 6);
        allocate_result r = solve(&p);
        allocate_margin m = margin_of(&p, &r);
        for (uint32_t c = 0; c < p.p.n_caps; c++) {
            const margin_cap *cap = &m.caps[c];
            assert_true(cap->worth == r.prices[c]);
            assert_false(cap->alone && cap->worth <= 0);
            assert_false(cap->alone && cap->beside != MARGIN_NONE);
            assert_true(cap->arm == MARGIN_NONE || cap->takers[cap->arm] > 0);
            for (uint32_t a = 0; a < p.p.n_arms; a++)
                assert_true(isfinite(cap->takers[a]));
            alone += cap->alone;
            together += cap->worth > 0 && !cap->alone;
        }
        allocate_margin_free(&m);
        allocate_free(&r);
        problem_free(&p);
    }
    assert_true(alone > 500 && together > 0);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    problem p;
    make_ladder(&p, 100);
    allocate_result r = solve(&p);
    fault f = {0};
    while (fault_next(&f)) {
        allocate_margin m;
        pf_status s = allocate_margin_of(&p.p, &r, &m, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(m.caps);
        }
        allocate_margin_free(&m);
    }
    assert_true(f.n > 6);
    allocate_free(&r);
    problem_free(&p);
}

static void more_binding_caps_than_a_matrix_holds_are_refused(void **state)
{
    (void)state;
    enum { MANY = (int)LIMIT_MARGIN_CAPS + 1 };
    static double prices[MANY];
    problem p;
    allocate_margin m;
    pf_error err = {0};
    problem_init(&p, 1, 1, 1, MANY);
    for (uint32_t c = 0; c < MANY; c++) {
        problem_cap(&p, CAP_COST, 1);
        prices[c] = 1;
    }
    problem_arm(&p, 0, NULL, 0);
    problem_shopper(&p, 1);
    const allocate_result r = {.prices = prices};
    assert_int_equal(allocate_margin_of(&p.p, &r, &m, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "2001 caps bind, at most 2000"));
    assert_null(m.caps);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_budget_agrees_with_solving_again),
        cmocka_unit_test(many_caps_agree_with_solving_again),
        cmocka_unit_test(several_picks_agree_with_solving_again),
        cmocka_unit_test(a_unit_that_pays_half_an_offer_buys_half_an_offer),
        cmocka_unit_test(a_cap_that_does_not_bind_brings_and_buys_nothing),
        cmocka_unit_test(caps_that_bind_together_name_each_other),
        cmocka_unit_test(more_money_may_turn_one_offer_into_another),
        cmocka_unit_test(shoppers_who_are_all_alike_are_all_at_the_margin),
        cmocka_unit_test(random_worlds_give_finite_numbers),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(more_binding_caps_than_a_matrix_holds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
