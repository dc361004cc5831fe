/*
 * Online prices: no cap is ever passed, whatever comes; the pace is kept on days like the one
 * solved and on days that differ; and decisions depend on nothing but what was given.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decide/pace.h"
#include "decide/problem.h"

/* --- replaying a problem, shopper by shopper --------------------------------------- */

static pace_arms arms_of(const problem *p)
{
    return (pace_arms){.n_arms = p->p.n_arms,
                       .n_caps = p->p.n_caps,
                       .arm_first = p->arm_first,
                       .arm_caps = p->arm_caps,
                       .n_lanes = p->p.n_lanes,
                       .lane = p->lane};
}

static pace *begin(const problem *p, const pace_cap *caps, double progress)
{
    pace *out = NULL;
    pf_error err = {0};
    pace_arms arms = arms_of(p);
    if (pace_new(&out, &arms, caps, progress, &err) != PF_OK) fail_msg("%s", err.message);
    return out;
}

static pace_shopper shopper_of(const problem *p, size_t s)
{
    size_t o = p->first[s];
    return (pace_shopper){.n = (uint32_t)(p->first[s + 1] - o),
                          .value = p->value + o,
                          .cost = p->cost + o,
                          .redemptions = p->redemptions + o,
                          .arm = p->arm + o,
                          .group = p->group + o,
                          .picks = p->picks[s],
                          .lane_picks = p->lane_picks + s * 2};
}

typedef double progress_rule(double share);

static double by_count(double share)
{
    return share;
}

/* Shoppers from .. to - 1 in turn, marked in r. */
static void replay(pace *pc, const problem *p, size_t from, size_t to, progress_rule *rule,
                   allocate_result *r)
{
    for (size_t s = from; s < to; s++) {
        pace_shopper shopper = shopper_of(p, s);
        pace_choice c;
        pf_error err = {0};
        double progress = rule((double)s / (double)p->p.n_shoppers);
        if (pace_choose(pc, progress, &shopper, &c, &err) != PF_OK)
            fail_msg("%s", err.message);
        for (uint32_t k = 0; k < c.n; k++) {
            r->taken[p->first[s] + c.option[k]] = 1;
            r->value += shopper.value[c.option[k]];
            r->n_taken++;
        }
    }
    for (uint32_t m = 0; m < p->p.n_caps; m++) {
        r->used[m] = pace_used(pc, m);
        r->prices[m] = pace_price(pc, m);
    }
}

static allocate_result empty_result(const problem *p)
{
    allocate_result r = {.prices = mem_alloc_zero(p->p.n_caps + 1, sizeof(double)),
                         .used = mem_alloc_zero(p->p.n_caps + 1, sizeof(double)),
                         .taken = mem_alloc_zero(p->first[p->p.n_shoppers] + 1, 1)};
    assert_true(r.prices != NULL && r.used != NULL && r.taken != NULL);
    r.bound = INFINITY; /* whatever is found is right with problem_check */
    return r;
}

static allocate_result replayed(const problem *p, const pace_cap *caps, progress_rule *rule)
{
    allocate_result r = empty_result(p);
    pace *pc = begin(p, caps, 0);
    replay(pc, p, 0, p->p.n_shoppers, rule, &r);
    pace_free(pc);
    problem_check(p, &r);
    return r;
}

static allocate_result solve(const problem *p)
{
    allocate_options o = allocate_options_default();
    allocate_result r;
    pf_error err = {0};
    if (allocate_solve(&p->p, &o, &r, &err) != PF_OK) fail_msg("%s", err.message);
    return r;
}

/* --- whatever comes ---------------------------------------------------------------- */

/* Progress that jumps, stands and goes back. */
static double by_whim(double share)
{
    return golden_unit((uint64_t)(share * 40), 77);
}

static double by_standing_still(double share)
{
    (void)share;
    return 0;
}

/* Costs and counts are whole, so that a cap passed by one unit would show. */
static void no_cap_is_passed_by_one_unit_in_any_world(void **state)
{
    (void)state;
    static progress_rule *const rules[] = {by_count, by_whim, by_standing_still};
    unsigned taken = 0, full = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        problem p;
        pace_cap caps[16];
        random_stream r = random_begin(61, i);
        problem_random(&p, &r, 1 + i % 30, 6);
        for (uint32_t m = 0; m < p.p.n_caps; m++)
            caps[m] = (pace_cap){.measure = p.caps[m].measure,
                                 .limit = p.caps[m].limit,
                                 .price = random_below(&r, 3) * random_unit(&r),
                                 .worth = random_below(&r, 3) * random_unit(&r),
                                 .draws = random_below(&r, 100)};
        allocate_result a = replayed(&p, caps, rules[i % 3]);
        for (uint32_t m = 0; m < p.p.n_caps; m++)
            full += a.used[m] > 0 && a.used[m] >= caps[m].limit;
        taken += a.n_taken > 0;
        allocate_free(&a);
        problem_free(&p);
    }
    assert_true(taken > 5000 && full > 1000); /* the worlds do try */
}

static void prices_of_nothing_take_what_the_allocation_takes_at_no_price(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        problem p;
        pace_cap caps[16];
        double prices[16] = {0};
        random_stream r = random_begin(62, i);
        problem_random(&p, &r, 20, 6);
        for (uint32_t m = 0; m < p.p.n_caps; m++)
            caps[m] =
                (pace_cap){.measure = p.caps[m].measure, .limit = p.caps[m].limit};
        allocate_options o = allocate_options_default();
        allocate_result at;
        assert_int_equal(allocate_at_prices(&p.p, prices, &o, &at, NULL), PF_OK);
        allocate_result a = replayed(&p, caps, by_count);
        assert_memory_equal(a.taken, at.taken, p.first[20]);
        allocate_free(&a);
        allocate_free(&at);
        problem_free(&p);
    }
}

/* --- days --------------------------------------------------------------------------- */

enum { OFFERS = 6, DAY = 12000, CAPS = 1 + OFFERS + 2 };

typedef struct drift {
    const char *words;
    double shoppers, value, dear; /* times yesterday's; dear: of the second half of offers */
} drift;

/* Cents. Offer k by channel k mod 2. Limits [CAPS]: NULL makes them, 60 % of what is
 * wanted by offer, 55 % in all, 65 % of messages; kept in `made`. */
static void make_day(problem *p, uint64_t seed, const drift *d, const double *limits,
                     double made[CAPS])
{
    size_t n = (size_t)(DAY * d->shoppers);
    double wanted[CAPS] = {0};
    problem_init(p, n, n * OFFERS, OFFERS, CAPS);
    for (size_t s = 0; s < n; s++) {
        random_stream r = random_begin(seed, s);
        double effect = exp(2 * random_unit(&r) - 1) * d->value, most = 0, cost_most = 0;
        uint32_t best = 0;
        problem_shopper(p, 1);
        for (uint32_t k = 0; k < OFFERS; k++) {
            double cost = 50 + 50 * k + random_below(&r, 40);
            double liking = exp(2 * random_unit(&r) - 1);
            if (k >= OFFERS / 2) liking *= d->dear;
            double value = 300 * effect * liking * cost / (cost + 80);
            problem_option(p, k, k, value, cost, 0);
            if (value <= most) continue;
            most = value;
            best = k;
            cost_most = cost;
        }
        wanted[0] += 0.55 * cost_most;
        wanted[1 + best] += 0.6 * cost_most;
        wanted[1 + OFFERS + best % 2] += 0.65;
    }
    for (uint32_t m = 0; m < CAPS; m++) {
        made[m] = limits != NULL ? limits[m] : floor(wanted[m]);
        problem_cap(p, m <= OFFERS ? CAP_COST : CAP_COUNT, made[m]);
    }
    for (uint32_t k = 0; k < OFFERS; k++)
        problem_arm(p, 0, (const uint32_t[]){0, 1 + k, 1 + OFFERS + k % 2}, 3);
    p->p.n_lanes = 0;
}

/* The least used of caps that bind when the day is solved at once. */
static double least_used(const problem *p, const allocate_result *offline,
                         const pace_cap *caps, const allocate_result *r)
{
    double least = 1;
    for (uint32_t m = 0; m < p->p.n_caps; m++)
        if (offline->prices[m] > 0.02 * caps[m].worth)
            least = fmin(least, r->used[m] / p->caps[m].limit);
    return least;
}

typedef struct kept {
    double share, fixed_share, least_used;
} kept;

/* Yesterday is solved, today is decided one by one. */
static kept two_days(uint64_t seed, const drift *d)
{
    static const drift none = {"", 1, 1, 1};
    problem yesterday, today;
    double limits[CAPS];
    pace_cap caps[CAPS];
    make_day(&yesterday, seed, &none, NULL, limits);
    make_day(&today, seed + 1000, d, limits, limits);
    allocate_result solved = solve(&yesterday), offline = solve(&today), fixed;
    pace_caps_from(&yesterday.p, &solved, caps);
    allocate_options o = allocate_options_default();
    assert_int_equal(allocate_at_prices(&today.p, solved.prices, &o, &fixed, NULL), PF_OK);
    allocate_result r = replayed(&today, caps, by_count);
    kept k = {r.value / offline.value, fixed.value / offline.value,
              least_used(&today, &offline, caps, &r)};
    print_message("%s: %.2f %% of offline (fixed prices %.2f %%), binding caps %.2f %%\n",
                  d->words, 100 * k.share, 100 * k.fixed_share, 100 * k.least_used);
    allocate_free(&solved);
    allocate_free(&offline);
    allocate_free(&fixed);
    allocate_free(&r);
    problem_free(&yesterday);
    problem_free(&today);
    return k;
}

static void a_day_like_yesterday_is_spent_to_plan(void **state)
{
    (void)state;
    static const drift same = {"the same", 1, 1, 1};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        kept k = two_days(seed, &same);
        assert_true(k.share > 0.99 && k.share <= 1.0005);
        assert_true(k.least_used > 0.99);
    }
}

static void days_that_drift_are_spent_to_plan_too(void **state)
{
    (void)state;
    static const drift days[] = {{"half more shoppers", 1.5, 1, 1},
                                 {"a fifth fewer", 0.8, 1, 1},
                                 {"twice the values", 1, 2, 1},
                                 {"half the values", 1, 0.5, 1},
                                 {"other likings", 1, 1, 1.5},
                                 {"more, of other likings", 1.3, 0.8, 0.7}};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        kept k = two_days(20 + i, &days[i]);
        assert_true(k.share > 0.98 && k.share > k.fixed_share);
        assert_true(k.least_used > 0.98);
    }
}

/* So few come that nobody need be turned away: the price goes down to nothing. */
static void too_few_shoppers_all_get_their_best(void **state)
{
    (void)state;
    static const drift few = {"a third", 1 / 3.0, 1, 1};
    kept k = two_days(40, &few);
    assert_true(k.share > 0.97 && k.share > k.fixed_share);
}

/* Shoppers come half as fast as the clock says, then in a rush. */
static double by_a_wrong_clock(double share)
{
    return share < 0.3 ? 2 * share : 0.6 + (share - 0.3) * 0.4 / 0.7;
}

static void a_clock_that_misjudges_the_hours_still_spends_nearly_all(void **state)
{
    (void)state;
    static const drift none = {"", 1, 1, 1};
    problem p;
    double limits[CAPS];
    pace_cap caps[CAPS];
    make_day(&p, 50, &none, NULL, limits);
    allocate_result solved = solve(&p);
    pace_caps_from(&p.p, &solved, caps);
    allocate_result r = replayed(&p, caps, by_a_wrong_clock);
    double used = least_used(&p, &solved, caps, &r);
    print_message("a wrong clock: %.2f %% of offline, binding caps %.2f %%\n",
                  100 * r.value / solved.value, 100 * used);
    assert_true(r.value > 0.85 * solved.value && r.value < solved.value);
    assert_true(used > 0.94);
    allocate_free(&r);
    allocate_free(&solved);
    problem_free(&p);
}

/* --- the same again ------------------------------------------------------------------ */

static void a_restart_goes_on_with_the_same_decisions(void **state)
{
    (void)state;
    static const drift none = {"", 1, 1, 1};
    problem p;
    double limits[CAPS];
    pace_cap caps[CAPS];
    make_day(&p, 60, &none, NULL, limits);
    allocate_result solved = solve(&p), whole = empty_result(&p), parts = empty_result(&p);
    pace_caps_from(&p.p, &solved, caps);
    pace *first = begin(&p, caps, 0);
    replay(first, &p, 0, DAY / 3, by_count, &whole);
    memcpy(parts.taken, whole.taken, p.first[DAY]);
    pace_caps_now(first, caps);
    pace *second = begin(&p, caps, by_count((DAY / 3 - 1) / (double)DAY));
    replay(first, &p, DAY / 3, DAY, by_count, &whole);
    replay(second, &p, DAY / 3, DAY, by_count, &parts);
    assert_memory_equal(whole.taken, parts.taken, p.first[DAY]);
    assert_memory_equal(whole.used, parts.used, CAPS * sizeof *whole.used);
    assert_memory_equal(whole.prices, parts.prices, CAPS * sizeof *whole.prices);
    pace_free(first);
    pace_free(second);
    allocate_free(&whole);
    allocate_free(&parts);
    allocate_free(&solved);
    problem_free(&p);
}

static void a_decision_allocates_nothing(void **state)
{
    (void)state;
    problem p;
    random_stream r = random_begin(63, 0);
    pace_cap caps[16];
    problem_random(&p, &r, 50, 6);
    for (uint32_t m = 0; m < p.p.n_caps; m++)
        caps[m] = (pace_cap){.measure = p.caps[m].measure, .limit = 100, .draws = 50};
    pace *pc = begin(&p, caps, 0);
    mem_fail_at(1);
    for (size_t s = 0; s < 50; s++) {
        pace_shopper shopper = shopper_of(&p, s);
        pace_choice c;
        assert_int_equal(pace_choose(pc, 0.5, &shopper, &c, NULL), PF_OK);
    }
    assert_int_equal(mem_allocations_since(), 0);
    mem_fail_at(0);
    pace_free(pc);
    problem_free(&p);
}

/* --- small cases by hand --------------------------------------------------------------- */

static const uint32_t one_arm[] = {0, 1}, its_cap[] = {0};
static const pace_arms single = {
    .n_arms = 1, .n_caps = 1, .arm_first = one_arm, .arm_caps = its_cap};

static uint32_t taken_of_one(pace *p, double progress, double value, double cost)
{
    static const uint32_t arm[] = {0};
    pace_shopper s = {.n = 1, .value = &value, .cost = &cost, .arm = arm, .picks = 1};
    pace_choice c;
    assert_int_equal(pace_choose(p, progress, &s, &c, NULL), PF_OK);
    return c.n;
}

/* limit 100, worth 2, gain 4 (64 draws), price 1 to begin with. */
static void the_price_follows_the_rule(void **state)
{
    (void)state;
    pace_cap cap = {CAP_COST, 100, 0, 1, 2, 64};
    pace *p = NULL;
    assert_int_equal(pace_new(&p, &single, &cap, 0, NULL), PF_OK);
    assert_int_equal(taken_of_one(p, 0, 9.9, 10), 0); /* a unit costs 1 */
    assert_int_equal(taken_of_one(p, 0, 10.1, 10), 1);
    assert_int_equal(taken_of_one(p, 0, 0.5, 10), 0);
    /* .1 ahead: 1 + 2 x 4 x .1 */
    assert_true(fabs(pace_price(p, 0) - 1.8) < 1e-12);
    assert_int_equal(taken_of_one(p, 0.15, 0.5, 10), 0);
    /* .025 ahead on average over .15: base 1 + 2 x 16 / 4 x .025 x .15; now .05 behind */
    assert_true(fabs(pace_price(p, 0) - (1.03 - 8 * 0.05)) < 1e-12);
    assert_int_equal(taken_of_one(p, 0.2, 0.5, 10), 0);
    /* since the beginning it was level on average: base 1; now .1 behind */
    assert_true(fabs(pace_price(p, 0) - 0.2) < 1e-12);
    assert_int_equal(taken_of_one(p, 0.4, 0.1, 10), 1); /* far behind: free */
    assert_true(pace_price(p, 0) == 0);
    assert_true(pace_used(p, 0) == 20);
    assert_int_equal(taken_of_one(p, 0.1, 0.1, 10), 1); /* a clock set back */
    assert_true(pace_price(p, 0) == 0);
    pace_free(p);
}

static void a_cap_of_nothing_takes_only_what_is_free(void **state)
{
    (void)state;
    pace_cap cap = {CAP_COST, 0, 0, 0, 0, 0};
    pace *p = NULL;
    assert_int_equal(pace_new(&p, &single, &cap, 0, NULL), PF_OK);
    assert_int_equal(taken_of_one(p, 0.5, 9, 1), 0);
    assert_int_equal(taken_of_one(p, 0.5, 9, 0), 1);
    assert_true(pace_used(p, 0) == 0);
    pace_free(p);
}

static void nothing_worth_anything_and_nothing_to_choose_take_nothing(void **state)
{
    (void)state;
    pace_cap cap = {CAP_COST, 10, 0, 0, 1, 5};
    pace *p = NULL;
    pace_shopper nobody = {.picks = 1};
    pace_choice c;
    assert_int_equal(pace_new(&p, &single, &cap, 0, NULL), PF_OK);
    assert_int_equal(taken_of_one(p, 0.5, 0, 0), 0);
    assert_int_equal(taken_of_one(p, 0.5, -3, 0), 0);
    assert_int_equal(pace_choose(p, 1, &nobody, &c, NULL), PF_OK);
    assert_int_equal(c.n, 0);
    pace_free(p);
}

static void refused_cap(pace_cap cap, double progress, const char *part)
{
    pace *p = NULL;
    pf_error err = {0};
    assert_int_equal(pace_new(&p, &single, &cap, progress, &err), PF_USAGE);
    if (strstr(err.message, part) == NULL) fail_msg("%s", err.message);
    assert_null(p);
}

static void a_pace_that_is_none_is_refused(void **state)
{
    (void)state;
    refused_cap((pace_cap){CAP_COST, -1, 0, 0, 0, 0}, 0, "cap 0: its limit");
    refused_cap((pace_cap){CAP_COST, NAN, 0, 0, 0, 0}, 0, "cap 0: its limit");
    refused_cap((pace_cap){CAP_COST, INFINITY, 0, 0, 0, 0}, 0, "cap 0: its limit");
    refused_cap((pace_cap){CAP_COST, 5, NAN, 0, 0, 0}, 0, "what is used");
    refused_cap((pace_cap){CAP_COST, 5, 6, 0, 0, 0}, 0, "more is used than");
    refused_cap((pace_cap){CAP_COST, 5, 0, -1, 0, 0}, 0, "its price");
    refused_cap((pace_cap){CAP_COST, 5, 0, 0, NAN, 0}, 0, "its worth");
    refused_cap((pace_cap){CAP_COST, 5, 0, 0, 0, -1}, 0, "its draws");
    refused_cap((pace_cap){CAP_COST, 5, 0, 0, 0, 0}, 1.5, "progress");
    refused_cap((pace_cap){CAP_COST, 5, 0, 0, 0, 0}, NAN, "progress");
    static const uint32_t two[] = {0, 2}, twice[] = {0, 0}, beyond[] = {0, 1};
    static const uint8_t lane[] = {3};
    const pace_cap cap = {CAP_COST, 5, 0, 0, 0, 0};
    pace_arms arms = {.n_arms = 1, .n_caps = 1, .arm_first = two, .arm_caps = twice};
    pace *p = NULL;
    pf_error err = {0};
    assert_int_equal(pace_new(&p, &arms, &cap, 0, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "draws on cap 0 twice"));
    arms.arm_caps = beyond;
    assert_int_equal(pace_new(&p, &arms, &cap, 0, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "draws on no cap"));
    arms = single;
    arms.n_lanes = 2;
    arms.lane = lane;
    assert_int_equal(pace_new(&p, &arms, &cap, 0, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "goes by no lane"));
    arms = single;
    arms.n_caps = LIMIT_ALLOCATE_CAPS + 1;
    assert_int_equal(pace_new(&p, &arms, &cap, 0, &err), PF_LIMIT);
}

static void a_shopper_who_is_none_is_refused_and_draws_nothing(void **state)
{
    (void)state;
    pace_cap cap = {CAP_COST, 10, 0, 0, 1, 5};
    pace *p = NULL;
    double value[] = {5, 4}, cost[] = {1, 1};
    uint32_t arm[] = {0, 0};
    pace_shopper s = {.n = 2, .value = value, .cost = cost, .arm = arm, .picks = 1};
    pace_choice c;
    pf_error err = {0};
    assert_int_equal(pace_new(&p, &single, &cap, 0, NULL), PF_OK);
    value[1] = NAN;
    assert_int_equal(pace_choose(p, 0, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "option 1: its value"));
    value[1] = 4;
    cost[1] = -1;
    assert_int_equal(pace_choose(p, 0, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "option 1: its cost"));
    cost[1] = 1;
    arm[1] = 1;
    assert_int_equal(pace_choose(p, 0, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "option 1: there is no such arm"));
    arm[1] = 0;
    assert_int_equal(pace_choose(p, -0.1, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "progress"));
    s.picks = LIMIT_SHOPPER_PICKS + 1;
    assert_int_equal(pace_choose(p, 0, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "picks"));
    assert_true(c.n == 0 && pace_used(p, 0) == 0);
    pace_free(p);
    cap.measure = CAP_REDEMPTIONS;
    s.picks = 1;
    assert_int_equal(pace_new(&p, &single, &cap, 0, NULL), PF_OK);
    assert_int_equal(pace_choose(p, 0, &s, &c, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "redemptions are not given"));
    pace_free(p);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    pace_cap cap = {CAP_COST, 10, 0, 0, 1, 5};
    fault f = {0};
    while (fault_next(&f)) {
        pace *p = NULL;
        pf_status s = pace_new(&p, &single, &cap, 0, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(p);
        }
        pace_free(p);
    }
    assert_true(f.n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cap_is_passed_by_one_unit_in_any_world),
        cmocka_unit_test(prices_of_nothing_take_what_the_allocation_takes_at_no_price),
        cmocka_unit_test(a_day_like_yesterday_is_spent_to_plan),
        cmocka_unit_test(days_that_drift_are_spent_to_plan_too),
        cmocka_unit_test(too_few_shoppers_all_get_their_best),
        cmocka_unit_test(a_clock_that_misjudges_the_hours_still_spends_nearly_all),
        cmocka_unit_test(a_restart_goes_on_with_the_same_decisions),
        cmocka_unit_test(a_decision_allocates_nothing),
        cmocka_unit_test(the_price_follows_the_rule),
        cmocka_unit_test(a_cap_of_nothing_takes_only_what_is_free),
        cmocka_unit_test(nothing_worth_anything_and_nothing_to_choose_take_nothing),
        cmocka_unit_test(a_pace_that_is_none_is_refused),
        cmocka_unit_test(a_shopper_who_is_none_is_refused_and_draws_nothing),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
