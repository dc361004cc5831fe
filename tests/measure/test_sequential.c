/* measure/sequential.h and measure/power.h: peeking costs nothing, and a test of the size that
 * was planned finds what it was planned for. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "measure/difference.h"
#include "measure/power.h"
#include "measure/sequential.h"

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* A test of two groups that is looked at after every pair of rows. */
typedef struct peek {
    bool once, always; /* some interval left zero: a plain one, one that may be peeked at */
} peek;

static peek peek_all(double effect, int pairs, random_stream *r)
{
    double n = 0, mean[2] = {0}, square[2] = {0};
    peek p = {false, false};
    for (int i = 0; i < pairs; i++) {
        n += 1;
        for (int g = 0; g < 2; g++) {
            const double x = random_normal(r) + (g == 0 ? effect : 0), off = x - mean[g];
            mean[g] += off / n;
            square[g] += off * (x - mean[g]);
        }
        if (n < 50) continue;
        const double value = mean[0] - mean[1];
        const double error = sqrt((square[0] + square[1]) / (n - 1) / n);
        p.once |= fabs(value) > 1.96 * error;
        p.always |= fabs(value) > sequential_reach(error, 2 * n, 4000, .05);
    }
    return p;
}

static void looking_every_day_does_not_make_a_difference_of_none(void **state)
{
    (void)state;
    enum { TESTS = 1500, PAIRS = 4000 };
    random_stream r = random_begin(8, 1);
    unsigned once = 0, always = 0;
    for (int t = 0; t < TESTS; t++) {
        const peek p = peek_all(0, PAIRS, &r);
        once += p.once;
        always += p.always;
    }
    assert_true(always <= .05 * TESTS);
    assert_true(once > .3 * TESTS); /* what peeking at plain intervals does */
}

static void a_true_difference_is_found_and_mostly_before_the_end(void **state)
{
    (void)state;
    enum { TESTS = 300, PAIRS = 4000 };
    random_stream r = random_begin(8, 2);
    unsigned found = 0;
    for (int t = 0; t < TESTS; t++)
        found += peek_all(.1, PAIRS, &r).always;
    assert_true(found > .9 * TESTS);
}

static void the_interval_and_its_p_agree(void **state)
{
    (void)state;
    for (double n = 100; n < 1e6; n *= 3) {
        const double reach = sequential_reach(.02, n, 5000, .05);
        assert_near(sequential_p(reach, .02, n, 5000, .05), .05, 1e-12);
        assert_true(sequential_p(.9 * reach, .02, n, 5000, .05) > .05);
        assert_true(sequential_p(1.1 * reach, .02, n, 5000, .05) < .05);
        /* Wider than an interval to be looked at once, by not too much around the plan. */
        assert_true(reach > 1.96 * .02);
        if (n > 1000 && n < 50000) assert_true(reach < 1.7 * 1.96 * .02);
    }
    assert_true(sequential_p(0, 0, 10, 10, .05) == 1 && sequential_p(1, 0, 10, 10, .05) == 0);
    assert_true(isnan(sequential_reach(.1, 0, 10, .05)));
    assert_true(isnan(sequential_reach(.1, 10, 10, 1)));
    assert_true(isnan(sequential_p(1, .1, 10, 0, .05)));
}

static void a_test_of_the_planned_size_finds_the_planned_difference(void **state)
{
    (void)state;
    enum { TESTS = 3000 };
    random_stream r = random_begin(8, 3);
    const double rows = power_rows_for_proportions(.30, .22, .6, .05, .8);
    const uint64_t n1 = (uint64_t)ceil(.6 * rows), n2 = (uint64_t)ceil(.4 * rows);
    unsigned found = 0;
    for (int t = 0; t < TESTS; t++) {
        uint64_t x1 = 0, x2 = 0;
        difference d;
        for (uint64_t i = 0; i < n1; i++)
            x1 += random_unit(&r) < .30;
        for (uint64_t i = 0; i < n2; i++)
            x2 += random_unit(&r) < .22;
        assert_int_equal(difference_of_proportions(x1, n1, x2, n2, .95, &d, NULL), PF_OK);
        found += d.p < .05;
    }
    assert_near(found / (double)TESTS, .8, .025);
}

static void rows_and_differences_undo_each_other(void **state)
{
    (void)state;
    const double rows = power_rows_for_means(.4, 6, .3, .5, .05, .9);
    assert_near(power_difference_of_means(rows, 6, .3, .5, .05, .9), .4, 1e-12);
    /* A covariate that explains 30 % saves 30 % of the rows. */
    assert_near(rows / power_rows_for_means(.4, 6, 0, .5, .05, .9), .7, 1e-12);
    /* 4 (z + z)² σ² / d² for halves. */
    assert_near(power_rows_for_means(1, 1, 0, .5, .05, .8), 4 * 7.848879734349088, 1e-9);
    const double d = power_difference_of_proportions(10000, .1, .5, .05, .8);
    assert_near(power_rows_for_proportions(.1 + d, .1, .5, .05, .8), 10000, 1e-3);
}

/* Counts of responders, as a shop has them: 4 % in both groups, looked at after every 100
 * shoppers from 20 responders a group on. */
static void looking_at_rare_responses_does_not_make_a_difference_of_none(void **state)
{
    (void)state;
    enum { TESTS = 2000, LOOKS = 400 };
    random_stream r = random_begin(8, 4);
    unsigned once = 0, always = 0;
    for (int t = 0; t < TESTS; t++) {
        uint64_t x[2] = {0};
        bool plain = false, peeked = false;
        for (uint64_t look = 1; look <= LOOKS; look++) {
            for (int i = 0; i < 100; i++)
                x[i % 2] += random_u32(&r) < UINT32_MAX / 25;
            if (x[0] < 20 || x[1] < 20) continue;
            const uint64_t n = 50 * look;
            difference d;
            assert_int_equal(difference_of_proportions(x[0], n, x[1], n, .95, &d, NULL), PF_OK);
            plain |= d.p < .05;
            peeked |= sequential_p(d.value, d.standard_error, 2 * (double)n, 20000, .05) <= .05;
        }
        once += plain;
        always += peeked;
    }
    assert_true(always <= .05 * TESTS);
    assert_true(once > .3 * TESTS);
}

/* statsmodels 0.15: power_proportions_2indep(.01, .10, 2000). */
static void power_agrees_with_statsmodels_and_undoes_the_rows(void **state)
{
    (void)state;
    assert_near(power_of_proportions(4000, .11, .10, .5, .05), 0.1779527406224391, 1e-3);
    const double rows = power_rows_for_proportions(.11, .10, .3, .05, .8);
    assert_near(power_of_proportions(rows, .11, .10, .3, .05), .8, 1e-5);
    assert_near(power_of_proportions(rows, .10, .10, .3, .05), .05, 1e-9);
    const double more = power_rows_for_means(.4, 6, .3, .25, .05, .9);
    assert_near(power_of_means(more, -.4, 6, .3, .25, .05), .9, 1e-6);
    /* the example of docs/decisions.md */
    assert_near(power_rows_for_proportions(345 / 2400., 298 / 2395., 2400 / 4795., .05, .8),
                9759.7, .1);
    /* statsmodels counts the wrong tail too. */
    assert_near(power_rows_for_means(.05, 1, 0, .5, .05, .8) / 2, 6279.088407460959, 2e-2);
}

static void a_plan_that_cannot_be_says_why(void **state)
{
    (void)state;
    assert_null(power_check_plan(.5, 0, .05, .8));
    assert_non_null(strstr(power_check_plan(.5, 0, 1.05, .8), "alpha"));
    assert_non_null(strstr(power_check_plan(.5, 0, .05, 1), "power"));
    assert_non_null(strstr(power_check_plan(0, 0, .05, .8), "both arms"));
    assert_non_null(strstr(power_check_plan(.5, 1, .05, .8), "explained"));
    assert_true(isnan(power_of_means(10, 1, 1, 0, 1, .05)));
    assert_true(isnan(power_of_means(0, 1, 1, 0, .5, .05)));
    assert_true(isnan(power_of_proportions(10, 1.5, .2, .5, .05)));
    assert_true(isnan(power_of_proportions(10, 0, 0, .5, .05)));
}

static void what_cannot_be_planned_is_no_number(void **state)
{
    (void)state;
    assert_true(isnan(power_rows_for_proportions(.1, .1, .5, .05, .8)));
    assert_true(isnan(power_rows_for_proportions(1.1, .1, .5, .05, .8)));
    assert_true(isnan(power_rows_for_proportions(.2, .1, 0, .05, .8)));
    assert_true(isnan(power_rows_for_means(.2, 0, 0, .5, .05, .8)));
    assert_true(isnan(power_rows_for_means(.2, 1, 1, .5, .05, .8)));
    assert_true(isnan(power_difference_of_means(0, 1, 0, .5, .05, .8)));
    assert_true(isnan(power_difference_of_proportions(2, .1, .5, .05, .8)));
    assert_true(isnan(power_difference_of_proportions(100, 1, .5, .05, .8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_every_day_does_not_make_a_difference_of_none),
        cmocka_unit_test(a_true_difference_is_found_and_mostly_before_the_end),
        cmocka_unit_test(the_interval_and_its_p_agree),
        cmocka_unit_test(a_test_of_the_planned_size_finds_the_planned_difference),
        cmocka_unit_test(rows_and_differences_undo_each_other),
        cmocka_unit_test(looking_at_rare_responses_does_not_make_a_difference_of_none),
        cmocka_unit_test(power_agrees_with_statsmodels_and_undoes_the_rows),
        cmocka_unit_test(a_plan_that_cannot_be_says_why),
        cmocka_unit_test(what_cannot_be_planned_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
