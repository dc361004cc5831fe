/* evaluate/policies.h on shops whose policies' true values are known. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "evaluate/policies_rows.h"
#include "evaluate/policies_world.h"

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g within %g", value, expected, within);
}

static void compare(const world *w, const char *names, const policies_options *o,
                    policies_result *r)
{
    policies_choice who[POLICIES_MAX];
    size_t n;
    pf_error err = {0};
    if (policies_parse(names, &w->c, who, POLICIES_MAX, &n, &err) != PF_OK ||
        policies_compare(&w->log, who, n, o, r, &err) != PF_OK)
        fail_msg("%s", err.message);
}

/* ---- true values: every type, with C and without ---- */

/* The action of a policy that is one action for a type; whether C can be sent. */
typedef unsigned chooses(unsigned type, bool all);

static unsigned most_value(unsigned type, bool all)
{
    unsigned best = 0;
    for (unsigned a = 1; a < (all ? 4u : 3u); a++)
        if (world_value[type][a] > world_value[type][best]) best = a;
    return best;
}
static unsigned nothing(unsigned type, bool all)
{
    (void)type;
    (void)all;
    return 0;
}
static unsigned only_b(unsigned type, bool all)
{
    (void)type;
    (void)all;
    return 2;
}
static unsigned c_where_possible(unsigned type, bool all)
{
    (void)type;
    return all ? 3 : 0;
}

static double truth_of(chooses *policy)
{
    double sum = 0;
    for (unsigned type = 0; type < 2; type++)
        for (int all = 0; all < 2; all++)
            sum += world_reward(type, policy(type, all != 0)) / 4;
    return sum;
}

static double truth_of_random(void)
{
    double sum = 0;
    for (unsigned type = 0; type < 2; type++)
        for (unsigned all = 0; all < 2; all++)
            for (unsigned a = 0; a < 3 + all; a++)
                sum += world_reward(type, a) / (3 + all) / 4;
    return sum;
}

/* Softmax of the world's own explorer, floor and all, over lots that are near enough to reals. */
static double truth_of_logged(double floor, double temperature)
{
    double sum = 0;
    for (unsigned type = 0; type < 2; type++)
        for (unsigned all = 0; all < 2; all++) {
            double weight = 0, free_share = 1 - floor * (3 + all);
            for (unsigned a = 0; a < 3 + all; a++)
                weight += exp(world_value[type][a] / temperature);
            for (unsigned a = 0; a < 3 + all; a++) {
                const double soft = exp(world_value[type][a] / temperature) / weight;
                sum += world_reward(type, a) * (floor + free_share * soft) / 4;
            }
        }
    return sum;
}

/* ---- intervals ---- */

static void intervals_cover_true_values_and_differences(void **state)
{
    (void)state;
    enum { SEEDS = 150, POLICIES = 5 };
    static const char names[] = "nothing,random,single:B,value,single:C";
    const double truth[POLICIES] = {truth_of(nothing), truth_of_random(), truth_of(only_b),
                                    truth_of(most_value), truth_of(c_where_possible)};
    unsigned covered = 0, covered_difference = 0, without = 0;
    double bias[POLICIES] = {0}, logged = 0;
    policies_options o = world_options();
    o.plan.replicates = 60;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        world w;
        policies_result r;
        const world_plan plan = world_plan_default(500, 1000 + 10 * seed);
        world_make(&w, &plan);
        logged = truth_of_logged(.05, 150);
        compare(&w, names, &o, &r);
        for (size_t j = 0; j < POLICIES; j++) {
            const policies_figure *f = &r.figure[j];
            const double gain = truth[j] - logged;
            without += f->word == POLICIES_NO_SUPPORT;
            covered += f->value.low <= truth[j] && truth[j] <= f->value.high;
            covered_difference += f->difference.low <= gain && gain <= f->difference.high;
            bias[j] += (f->value.value - truth[j]) / SEEDS;
        }
        policies_result_free(&r);
        world_free(&w);
    }
    if (getenv("POLICIES_SHOW") != NULL)
        print_message("covered %u and %u of %d\n", covered, covered_difference,
                      SEEDS * POLICIES);
    /* 95 % of 750, of which the five of a shop go together: three errors of what they tell. */
    assert_int_equal(without, 0);
    assert_in_range(covered, .925 * SEEDS * POLICIES, .98 * SEEDS * POLICIES);
    assert_in_range(covered_difference, .925 * SEEDS * POLICIES, .98 * SEEDS * POLICIES);
    for (size_t j = 0; j < POLICIES; j++)
        assert_near(bias[j], 0, 3);
}

/* What decide/explore.h writes by posterior draws, read for a policy that it is not. */
static void a_log_of_posterior_draws_tells_another_policys_value(void **state)
{
    (void)state;
    world w;
    policies_result r;
    world_plan plan = world_plan_default(6000, 42);
    policies_options o = world_options();
    plan.explore.method = EXPLORE_THOMPSON;
    plan.draws = 64;
    world_make(&w, &plan);
    compare(&w, "logged,single:B,value,nothing", &o, &r);
    const policies_figure *b = &r.figure[1], *value = &r.figure[2];
    assert_true(b->value.low < truth_of(only_b) && truth_of(only_b) < b->value.high);
    assert_true(value->value.low < truth_of(most_value) &&
                truth_of(most_value) < value->value.high);
    assert_true(b->value.high - b->value.low < 40);
    assert_int_equal(r.figure[0].word, POLICIES_REFERENCE);
    assert_int_equal(value->word, POLICIES_BETTER);
    assert_int_equal(r.figure[3].word, POLICIES_WORSE);
    assert_false(b->value.support.few || b->value.support.off);
    policies_result_free(&r);
    world_free(&w);
}

/* ---- the holdout ---- */

static void held_out_shoppers_speak_for_nothing(void **state)
{
    (void)state;
    enum { SEEDS = 40 };
    unsigned covered = 0;
    double with = 0, without = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        world w;
        policies_result r;
        world_plan plan = world_plan_default(500, 5000 + 10 * seed);
        policies_options o = world_options();
        plan.holdout = .3;
        world_make(&w, &plan);
        compare(&w, "nothing,logged", &o, &r);
        assert_true(r.counts.held_out == 0 && r.counts.held_out_unknown > 200);
        without += r.figure[0].value.support.effective;
        policies_result_free(&r);
        o.holdout_share = .3;
        compare(&w, "nothing,logged", &o, &r);
        assert_true(r.counts.held_out > 200 && r.counts.held_out_unknown == 0);
        assert_int_equal(r.counts.compared, w.n);
        with += r.figure[0].value.support.effective;
        covered += r.figure[0].value.low <= truth_of(nothing) &&
                   truth_of(nothing) <= r.figure[0].value.high;
        covered += r.figure[1].value.low <= truth_of_logged(.05, 150) &&
                   truth_of_logged(.05, 150) <= r.figure[1].value.high;
        policies_result_free(&r);
        world_free(&w);
    }
    assert_true(with > 2 * without);
    assert_in_range(covered, 2 * SEEDS * .88, 2 * SEEDS);
}

/* Without what they would have been sent, all are left out, for a part would be no lot. */
static void a_holdout_without_chances_is_left_out(void **state)
{
    (void)state;
    world w;
    policies_result r;
    world_plan plan = world_plan_default(500, 9);
    policies_options o = world_options();
    o.holdout_share = plan.holdout = .2;
    world_make(&w, &plan);
    size_t held_out = 0;
    for (size_t i = 0; i < w.n; i++) {
        if (!w.decision[i].holdout) continue;
        if (held_out++ == 0) w.candidate[i * WORLD_PROMOTIONS].propensity = NAN;
    }
    compare(&w, "nothing", &o, &r);
    assert_int_equal(r.counts.held_out_unknown, held_out);
    assert_int_equal(r.counts.compared, w.n - held_out);
    assert_int_equal(r.counts.held_out, 0);
    policies_result_free(&r);
    world_free(&w);
}

/* ---- the best promotion ---- */

/* What one half brought decides for the other half alone. */
static void no_half_chooses_for_itself(void **state)
{
    (void)state;
    world w;
    const world_plan plan = world_plan_default(2000, 77);
    policies_options o = world_options();
    policies_rows r;
    uint32_t before[2], after[2];
    world_make(&w, &plan);
    assert_int_equal(policies_rows_new(&r, &w.log, &o, NULL), PF_OK);
    assert_int_equal(policies_pick_single(&r, &o, before, NULL), PF_OK);
    assert_true(before[0] == 2 && before[1] == 2); /* B is best by far */
    /* C brings a fortune to half 0. */
    for (size_t i = 0; i < r.columns.n; i++)
        if (policies_half(r.columns.shopper[i]) == 0 && r.columns.action[i] == 3)
            r.columns.reward[i] += 5000;
    assert_int_equal(policies_pick_single(&r, &o, after, NULL), PF_OK);
    assert_int_equal(after[0], 2);
    assert_int_equal(after[1], 3);
    policies_rows_free(&r);
    world_free(&w);
}

/* Promotions that are worth the same: a choice that is judged on what chose it looks too good, a
 * cross-fitted one does not. */
static void the_best_of_equals_is_no_better(void **state)
{
    (void)state;
    enum { SEEDS = 60 };
    double honest = 0, rosy = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        world w;
        const world_plan plan = world_plan_default(500, 9000 + 10 * seed);
        policies_options o = world_options();
        policies_result r;
        random_stream noise = random_begin(seed, 3);
        world_make(&w, &plan);
        for (size_t i = 0; i < w.n_rows; i++)
            w.rows[i].shopper = 1 + random_below(&noise, w.shoppers);
        history_free(w.h);
        assert_int_equal(history_from_rows(&w.h, w.rows, w.n_rows, w.shoppers, NULL), PF_OK);
        w.log.history = w.h;
        o.reward = POLICIES_REVENUE;
        o.plan.replicates = 5;
        compare(&w, "nothing,best-single,single:A,single:B,single:C", &o, &r);
        double best = -INFINITY;
        for (size_t j = 2; j < 5; j++)
            best = fmax(best, r.figure[j].value.value);
        honest += (r.figure[1].value.value - r.observed) / SEEDS;
        rosy += (best - r.observed) / SEEDS;
        policies_result_free(&r);
        world_free(&w);
    }
    if (getenv("POLICIES_SHOW") != NULL) print_message("honest %.2f rosy %.2f\n", honest, rosy);
    assert_true(rosy > 8);
    assert_near(honest, 0, 6);
}

/* Asked about together with others, a difference must be surer. */
static void many_questions_need_surer_answers(void **state)
{
    (void)state;
    world w;
    const world_plan plan = world_plan_default(500, 31);
    policies_options o = world_options();
    policies_result alone, many;
    world_make(&w, &plan);
    compare(&w, "single:B", &o, &alone);
    compare(&w, "single:B,nothing,random,value,single:A,single:C", &o, &many);
    assert_true(alone.figure[0].p > 0 && alone.figure[0].p < 1);
    assert_true(many.figure[0].p > 1.5 * alone.figure[0].p);
    assert_near(many.figure[0].difference.low, alone.figure[0].difference.low, 0);
    policies_result_free(&alone);
    policies_result_free(&many);
    world_free(&w);
}

/* Too few shoppers for halves: said, and the others go on. */
static void a_best_of_too_few_is_refused(void **state)
{
    (void)state;
    world w;
    const world_plan plan = world_plan_default(100, 31);
    policies_options o = world_options();
    policies_result r;
    o.plan.replicates = 5;
    world_make(&w, &plan);
    compare(&w, "best-single,logged", &o, &r);
    assert_int_equal(r.figure[0].word, POLICIES_REFUSED);
    assert_non_null(strstr(r.figure[0].why, "half of the log speaks of no single promotion"));
    assert_int_equal(r.figure[1].word, POLICIES_REFERENCE);
    policies_result_free(&r);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_cover_true_values_and_differences),
        cmocka_unit_test(a_log_of_posterior_draws_tells_another_policys_value),
        cmocka_unit_test(held_out_shoppers_speak_for_nothing),
        cmocka_unit_test(a_holdout_without_chances_is_left_out),
        cmocka_unit_test(no_half_chooses_for_itself),
        cmocka_unit_test(the_best_of_equals_is_no_better),
        cmocka_unit_test(many_questions_need_surer_answers),
        cmocka_unit_test(a_best_of_too_few_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
