/* decide/explore.h: chances that sum to one exactly and mean what they say, and what is refused. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "decide/explore.h"

enum { MOST_DRAWS = 256, MOST_CANDIDATES = 40, MOST_MEASURES = 4, WORLDS = 12000 };

typedef struct world {
    double value[MOST_DRAWS * MOST_CANDIDATES];
    double price[MOST_DRAWS * MOST_MEASURES];
    double use[MOST_CANDIDATES * MOST_MEASURES];
    explore_problem p;
    explore_plan plan;
} world;

static void fill(random_stream *r, double *x, size_t n, bool coarse)
{
    for (size_t i = 0; i < n; i++)
        x[i] = coarse ? random_below(r, 3) : 100 * random_unit(r);
}

/* Coarse numbers, so that equals are common, in one world of three. */
static void make_world(world *w, uint64_t seed)
{
    random_stream r = random_begin(seed, 7);
    const bool coarse = random_below(&r, 3) == 0;
    const uint32_t D = 1u << random_below(&r, 9), C = 1 + random_below(&r, MOST_CANDIDATES);
    const uint32_t M = random_below(&r, MOST_MEASURES + 1);
    fill(&r, w->value, (size_t)D * C, coarse);
    fill(&r, w->price, (size_t)D * M, coarse);
    fill(&r, w->use, (size_t)C * M, coarse);
    w->p = (explore_problem){D, C, M, w->value, w->price, w->use};
    w->plan = explore_plan_default(seed);
    w->plan.method = (explore_method)random_below(&r, 3);
    w->plan.epsilon = random_unit(&r);
    w->plan.temperature = exp(6 * random_unit(&r) - 3);
    if (random_below(&r, 2) == 0) w->plan.floor = random_unit(&r) / C;
}

/* The definition, written once more: worth, the number of better ones, the turn of equals. */
static double naive_worth(const world *w, uint32_t d, uint32_t c)
{
    double net = w->value[(size_t)d * w->p.candidates + c];
    for (uint32_t m = 0; m < w->p.measures; m++)
        net -= w->use[(size_t)c * w->p.measures + m] * w->price[(size_t)d * w->p.measures + m];
    return net;
}

static uint32_t naive_best(const world *w, uint32_t d)
{
    uint32_t equals[MOST_CANDIDATES], n = 0;
    for (uint32_t c = 0; c < w->p.candidates; c++) {
        bool beaten = false;
        for (uint32_t other = 0; other < w->p.candidates; other++)
            beaten = beaten || naive_worth(w, d, other) > naive_worth(w, d, c);
        if (!beaten) equals[n++] = c;
    }
    return equals[d % n];
}

static void propensities_sum_to_one_exactly_and_keep_the_floor(void **state)
{
    static world w;
    double chance[MOST_CANDIDATES];
    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        make_world(&w, seed);
        assert_int_equal(explore_propensities(&w.p, &w.plan, chance, NULL), PF_OK);
        double up = 0, down = 0;
        for (uint32_t c = 0; c < w.p.candidates; c++) {
            const double lots = chance[c] * (double)EXPLORE_LOTS;
            up += chance[c];
            down += chance[w.p.candidates - 1 - c];
            assert_true(lots == floor(lots));
            assert_true(chance[c] >= w.plan.floor - 1 / (double)EXPLORE_LOTS);
        }
        assert_true(up == 1);
        assert_true(down == 1);
    }
}

static void thompson_is_the_share_of_draws_that_choose_a_candidate(void **state)
{
    static world w;
    double chance[MOST_CANDIDATES];
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint32_t wins[MOST_CANDIDATES] = {0};
        make_world(&w, seed);
        w.plan.method = EXPLORE_THOMPSON;
        w.plan.floor = 0;
        for (uint32_t d = 0; d < w.p.draws; d++)
            wins[naive_best(&w, d)]++;
        assert_int_equal(explore_propensities(&w.p, &w.plan, chance, NULL), PF_OK);
        for (uint32_t c = 0; c < w.p.candidates; c++)
            assert_true(chance[c] == (double)wins[c] / w.p.draws);
    }
}

static void a_choice_is_what_its_draw_says_and_bears_its_propensity(void **state)
{
    static world w;
    double chance[MOST_CANDIDATES];
    explore_choice a, b;
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        make_world(&w, seed);
        mem_guard_enter();
        const pf_status s = explore_choose(&w.p, &w.plan, seed * 31, -5, chance, &a, NULL);
        mem_guard_leave();
        assert_int_equal(s, PF_OK);
        assert_true(a.candidate < w.p.candidates);
        assert_true(a.propensity > 0 && a.propensity == chance[a.candidate]);
        if (w.plan.method != EXPLORE_THOMPSON) assert_int_equal(a.draw, EXPLORE_NO_DRAW);
        if (a.draw != EXPLORE_NO_DRAW) assert_int_equal(a.candidate, naive_best(&w, a.draw));
        assert_int_equal(explore_choose(&w.p, &w.plan, seed * 31, -5, chance, &b, NULL), PF_OK);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

/* Chi-square of how often each candidate was chosen; 99.99 % quantile for up to 5 degrees is
 * 25.7, and nothing of chance 0 may come. The lots of a seed are fixed: this never flickers. */
static void assert_frequencies(const world *w)
{
    enum { TIMES = 40000 };
    double chance[MOST_CANDIDATES], seen[MOST_CANDIDATES] = {0}, distance = 0;
    explore_choice a;
    for (uint32_t i = 0; i < TIMES; i++) {
        const uint64_t shopper = i / 4;
        const int64_t moment = i % 4 * INT64_C(86400000000);
        assert_int_equal(explore_choose(&w->p, &w->plan, shopper, moment, chance, &a, NULL),
                         PF_OK);
        seen[a.candidate]++;
    }
    for (uint32_t c = 0; c < w->p.candidates; c++) {
        const double expected = chance[c] * TIMES;
        if (expected > 0)
            distance += pow(seen[c] - expected, 2) / expected;
        else
            assert_true(seen[c] == 0);
    }
    assert_true(distance < 25.7);
}

static void choices_come_as_often_as_their_propensities_say(void **state)
{
    const double value[8 * 6] = {5, 1, 1, 0, 2, 0, 1, 6, 2, 0, 3, 0, 1, 2, 7, 0, 1, 0, 8, 0, 0, 0,
                                 0, 0, 9, 1, 2, 0, 1, 0, 1, 9, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 4, 1,
                                 0, 0, 0, 0};
    static world w;
    (void)state;
    w.p = (explore_problem){.draws = 8, .candidates = 6, .value = value};
    for (int method = EXPLORE_THOMPSON; method <= EXPLORE_SOFTMAX; method++)
        for (int with_floor = 0; with_floor < 2; with_floor++) {
            w.plan = explore_plan_default(99 + (uint64_t)method);
            w.plan.method = (explore_method)method;
            w.plan.floor = with_floor ? .05 : 0;
            assert_frequencies(&w);
        }
}

static void another_salt_shopper_or_moment_is_another_lot(void **state)
{
    enum { D = 64 };
    double value[D * D] = {0}, chance[D];
    explore_choice first, other;
    int same[3] = {0};
    (void)state;
    for (size_t d = 0; d < D; d++)
        value[d * D + d] = 1;
    const explore_problem p = {.draws = D, .candidates = D, .value = value};
    for (uint64_t i = 0; i < 1000; i++) {
        const explore_plan plan = explore_plan_default(i), salted = explore_plan_default(i + 1);
        explore_choose(&p, &plan, i, 3, chance, &first, NULL);
        explore_choose(&p, &salted, i, 3, chance, &other, NULL);
        same[0] += first.candidate == other.candidate;
        explore_choose(&p, &plan, i + 1, 3, chance, &other, NULL);
        same[1] += first.candidate == other.candidate;
        explore_choose(&p, &plan, i, 4, chance, &other, NULL);
        same[2] += first.candidate == other.candidate;
    }
    for (int k = 0; k < 3; k++) /* 1000 / 64 = 15.6 are expected */
        assert_in_range(same[k], 1, 40);
}

static void one_candidate_is_certain_and_equals_share(void **state)
{
    const double one[2] = {-3, -4}, equal[8] = {0};
    double chance[2];
    explore_choice a;
    explore_plan plan = explore_plan_default(1);
    (void)state;
    for (int method = EXPLORE_THOMPSON; method <= EXPLORE_SOFTMAX; method++) {
        const explore_problem p = {.draws = 2, .candidates = 1, .value = one};
        plan.method = (explore_method)method;
        assert_int_equal(explore_choose(&p, &plan, 1, 1, chance, &a, NULL), PF_OK);
        assert_int_equal(a.candidate, 0);
        assert_true(a.propensity == 1);
    }
    const explore_problem p = {.draws = 4, .candidates = 2, .value = equal};
    plan.method = EXPLORE_THOMPSON;
    assert_int_equal(explore_propensities(&p, &plan, chance, NULL), PF_OK);
    assert_true(chance[0] == .5 && chance[1] == .5);
    plan.method = EXPLORE_SOFTMAX;
    assert_int_equal(explore_propensities(&p, &plan, chance, NULL), PF_OK);
    assert_true(chance[0] == .5 && chance[1] == .5);
    plan.method = EXPLORE_GREEDY; /* the first of equals */
    assert_int_equal(explore_propensities(&p, &plan, chance, NULL), PF_OK);
    assert_true(fabs(chance[0] - .95) < 1e-9);
}

static void prices_move_a_draw_to_what_uses_less(void **state)
{
    const double value[4] = {10, 6, 10, 6}, price[2] = {0, 2}, use[2] = {5, 1};
    const explore_problem p = {2, 2, 1, value, price, use};
    const explore_plan plan = explore_plan_default(1);
    double chance[2];
    (void)state;
    assert_int_equal(explore_propensities(&p, &plan, chance, NULL), PF_OK);
    assert_true(chance[0] == .5 && chance[1] == .5); /* 10 > 6, but 10 - 10 < 6 - 2 */
}

static void softmax_stays_finite_whatever_the_values(void **state)
{
    const double value[3] = {1e100, -1e100, 0};
    const explore_problem p = {.draws = 1, .candidates = 3, .value = value};
    explore_plan plan = explore_plan_default(1);
    double chance[3];
    (void)state;
    plan.method = EXPLORE_SOFTMAX;
    plan.temperature = 1e-300;
    assert_int_equal(explore_propensities(&p, &plan, chance, NULL), PF_OK);
    assert_true(chance[0] == 1 && chance[1] == 0 && chance[2] == 0);
}

static void assert_refused(const explore_problem *p, const explore_plan *plan, pf_status code,
                           const char *words)
{
    double chance[4] = {7, 7, 7, 7};
    pf_error err = {0};
    assert_int_equal(explore_propensities(p, plan, chance, &err), code);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' not in '%s'", words, err.message);
    assert_true(chance[0] == 7);
}

static void what_makes_no_sense_is_refused_with_its_place(void **state)
{
    const double good[4] = {0}, bad[4] = {0, 0, NAN, 0}, minus[4] = {0, -1, 0, 0};
    const explore_problem p = {.draws = 2, .candidates = 2, .value = good};
    const explore_plan plan = explore_plan_default(1);
    explore_problem q = p;
    explore_plan odd = plan;
    (void)state;
    q.candidates = 0;
    assert_refused(&q, &plan, PF_USAGE, "candidates");
    q = p, q.draws = 3;
    assert_refused(&q, &plan, PF_USAGE, "power of two");
    q = p, q.draws = 0;
    assert_refused(&q, &plan, PF_USAGE, "power of two");
    q = p, q.value = bad;
    assert_refused(&q, &plan, PF_DATA, "value of draw 1, candidate 0");
    q = p, q.measures = 2, q.price = minus, q.use = good;
    assert_refused(&q, &plan, PF_DATA, "price of draw 0, measure 1");
    q.price = good, q.use = minus;
    assert_refused(&q, &plan, PF_DATA, "use of candidate 0, measure 1");
    odd.floor = .51;
    assert_refused(&p, &odd, PF_USAGE, "lower the floor to 0.5");
    odd.floor = NAN;
    assert_refused(&p, &odd, PF_USAGE, "floor");
    odd = plan, odd.method = EXPLORE_GREEDY, odd.epsilon = 1.5;
    assert_refused(&p, &odd, PF_USAGE, "epsilon");
    odd = plan, odd.method = EXPLORE_SOFTMAX, odd.temperature = 0;
    assert_refused(&p, &odd, PF_USAGE, "temperature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(propensities_sum_to_one_exactly_and_keep_the_floor),
        cmocka_unit_test(thompson_is_the_share_of_draws_that_choose_a_candidate),
        cmocka_unit_test(a_choice_is_what_its_draw_says_and_bears_its_propensity),
        cmocka_unit_test(choices_come_as_often_as_their_propensities_say),
        cmocka_unit_test(another_salt_shopper_or_moment_is_another_lot),
        cmocka_unit_test(one_candidate_is_certain_and_equals_share),
        cmocka_unit_test(prices_move_a_draw_to_what_uses_less),
        cmocka_unit_test(softmax_stays_finite_whatever_the_values),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
