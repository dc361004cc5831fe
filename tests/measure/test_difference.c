/* measure/difference.h: values of statsmodels and scipy, and what must hold of any groups. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "measure/difference.h"

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void proportions_agree_with_statsmodels(void **state)
{
    (void)state;
    difference d;
    interval w;
    assert_int_equal(difference_of_proportions(345, 2400, 298, 2395, .95, &d, NULL), PF_OK);
    assert_near(d.statistic, 1.9634420556035046, 1e-9);
    assert_near(d.p, 0.04959483117159529, 1e-9);
    assert_near(d.low, 4.3212385837931855e-05, 1e-9);
    assert_near(d.high, 0.03860501308389064, 1e-9);
    assert_int_equal(wilson_interval(345, 2400, .95, &w, NULL), PF_OK);
    assert_near(w.low, 0.1302828673777911, 1e-9);
    assert_near(w.high, 0.15835574324051782, 1e-9);
}

static void means_agree_with_scipy(void **state)
{
    (void)state;
    enum { N = 200 };
    double treated[N], control[N];
    difference d;
    for (uint64_t i = 0; i < N; i++) {
        control[i] = 20 + 30 * golden_unit(i, 31);
        treated[i] = 21.5 + 30 * golden_unit(i, 32);
    }
    assert_int_equal(difference_of_means(treated, N, control, N, .95, &d, NULL), PF_OK);
    assert_near(d.statistic, -0.9097424685662885, 1e-9);
    assert_near(d.df, 397.9914754088379, 1e-6);
    assert_near(d.p, 0.36350894733175165, 1e-9);
    assert_near(d.low, -2.4120955197227985, 1e-8);
    assert_near(d.high, 0.8859298980834196, 1e-8);
}

static void sample_ratios_agree_with_scipy(void **state)
{
    (void)state;
    sample_ratio r;
    static const uint64_t two[] = {10230, 9770}, four[] = {2522, 748, 760, 731};
    static const double half[] = {.5, .5}, shares[] = {.53, .157, .157, .156};
    assert_int_equal(sample_ratio_test(two, half, 2, &r, NULL), PF_OK);
    assert_near(r.chi_square, 10.58, 1e-9);
    assert_near(r.p, 0.0011431765973566508, 1e-9);
    assert_int_equal(sample_ratio_test(four, shares, 4, &r, NULL), PF_OK);
    assert_near(r.chi_square, 0.3956879081853847, 1e-9);
}

/* Two groups of one kind: intervals of 95 % hold zero in 95 % of all tests. */
static void intervals_hold_the_truth_as_often_as_they_say(void **state)
{
    (void)state;
    enum { TESTS = 4000, N = 60 };
    random_stream r = random_begin(3, 9);
    unsigned means = 0, shares = 0, wilson = 0;
    for (int t = 0; t < TESTS; t++) {
        double a[N], b[N];
        uint64_t x = 0, y = 0;
        difference d;
        interval w;
        for (int i = 0; i < N; i++) {
            a[i] = random_normal(&r);
            b[i] = 3 * random_normal(&r);
            x += random_unit(&r) < .3;
            y += random_unit(&r) < .3;
        }
        assert_int_equal(difference_of_means(a, N, b, N / 2, .95, &d, NULL), PF_OK);
        means += d.low <= 0 && d.high >= 0;
        assert_true((d.p >= .05) == (d.low <= 0 && d.high >= 0));
        assert_int_equal(difference_of_proportions(x, N, y, N, .95, &d, NULL), PF_OK);
        shares += d.low <= 0 && d.high >= 0;
        assert_int_equal(wilson_interval(x, N, .95, &w, NULL), PF_OK);
        wilson += w.low <= .3 && w.high >= .3;
    }
    assert_near(means / (double)TESTS, .95, .012);
    assert_near(shares / (double)TESTS, .95, .015);
    assert_near(wilson / (double)TESTS, .95, .02);
}

/* Spend before the test explains most of spend in it: the same truth, a narrower interval. */
static void a_covariate_narrows_the_interval_and_keeps_the_truth(void **state)
{
    (void)state;
    enum { TESTS = 2000, N = 100 };
    random_stream r = random_begin(4, 2);
    double width = 0, plain_width = 0, mean = 0, left = 0;
    unsigned held = 0;
    for (int t = 0; t < TESTS; t++) {
        double x[2][N], y[2][N], explained;
        difference plain, d;
        for (int g = 0; g < 2; g++)
            for (int i = 0; i < N; i++) {
                x[g][i] = 50 + 10 * random_normal(&r);
                y[g][i] = .8 * x[g][i] + 4 * random_normal(&r) + (g == 0 ? 1.5 : 0);
            }
        assert_int_equal(difference_of_means(y[0], N, y[1], N, .95, &plain, NULL), PF_OK);
        assert_int_equal(difference_with_covariate((covariate_group){y[0], x[0], N},
                                                   (covariate_group){y[1], x[1], N}, .95, &d,
                                                   &explained, NULL),
                         PF_OK);
        width += d.high - d.low;
        plain_width += plain.high - plain.low;
        mean += d.value / TESTS;
        left += explained / TESTS;
        held += d.low <= 1.5 && d.high >= 1.5;
    }
    assert_near(left, .8, .01); /* 64 of 80 */
    assert_near(width / plain_width, sqrt(1 - .8), .01);
    assert_near(mean, 1.5, .05);
    assert_near(held / (double)TESTS, .95, .015);
}

static void a_covariate_without_spread_changes_nothing(void **state)
{
    (void)state;
    static const double y1[] = {1, 2, 4}, y2[] = {0, 3, 3}, same[] = {7, 7, 7};
    static const double bad[] = {1, NAN, 2};
    difference plain, d;
    double explained = 5;
    pf_error err = {0};
    assert_int_equal(difference_of_means(y1, 3, y2, 3, .9, &plain, NULL), PF_OK);
    assert_int_equal(difference_with_covariate((covariate_group){y1, same, 3},
                                               (covariate_group){y2, same, 3}, .9, &d,
                                               &explained, NULL),
                     PF_OK);
    assert_true(explained == 0);
    assert_near(d.value, plain.value, 1e-12);
    assert_near(d.low, plain.low, 1e-9);
    assert_int_equal(difference_with_covariate((covariate_group){y1, bad, 3},
                                               (covariate_group){y2, same, 3}, .9, &d,
                                               &explained, &err),
                     PF_DATA);
    assert_non_null(strstr(err.message, "not a finite number"));
    assert_int_equal(difference_with_covariate((covariate_group){y1, same, 1},
                                               (covariate_group){y2, same, 3}, .9, &d,
                                               &explained, &err),
                     PF_DATA);
}

/* An interval from 0 to 0 would look like a proof that nothing is gained. */
static void outcomes_that_are_all_equal_are_told_and_give_no_number(void **state)
{
    (void)state;
    static const double same[] = {2, 2, 2};
    difference d = {.p = 7};
    double explained = 7;
    interval w;
    pf_error err = {0};
    assert_int_equal(difference_of_proportions(0, 10, 0, 20, .9, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "none of either group"));
    assert_int_equal(difference_of_proportions(10, 10, 20, 20, .9, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "all of either group"));
    assert_int_equal(difference_of_means(same, 3, same, 3, .9, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "all equal"));
    assert_int_equal(difference_with_covariate((covariate_group){same, same, 3},
                                               (covariate_group){same, same, 3}, .9, &d,
                                               &explained, &err),
                     PF_DATA);
    assert_true(d.p == 7 && explained == 7);
    assert_int_equal(wilson_interval(0, 10, .9, &w, NULL), PF_OK);
    assert_true(w.low == 0 && w.high > 0);
    assert_int_equal(wilson_interval(10, 10, .9, &w, NULL), PF_OK);
    assert_true(w.low < 1 && w.high == 1);
}

/* A covariate that is the outcome itself leaves rounding, which must not pass for certainty. */
static void a_covariate_that_is_the_outcome_leaves_nothing_to_compare(void **state)
{
    (void)state;
    double y[50];
    difference d;
    double explained;
    for (uint64_t i = 0; i < 50; i++)
        y[i] = golden_unit(i, 80);
    const covariate_group g = {y, y, 50};
    assert_int_equal(difference_with_covariate(g, g, .9, &d, &explained, NULL), PF_DATA);
}

/* scipy's Welch test of y less theta x, worked out with numpy. */
static void the_adjusted_test_agrees_with_scipy(void **state)
{
    (void)state;
    moments treated = {0}, control = {0};
    difference d;
    double explained;
    for (uint64_t i = 0; i < 200; i++)
        moments_add(&control, 10 * golden_unit(i, 33) + 5 * golden_unit(i, 35),
                    golden_unit(i, 33));
    for (uint64_t i = 0; i < 180; i++)
        moments_add(&treated, 10 * golden_unit(i, 34) + 5 * golden_unit(i, 36) + .3,
                    golden_unit(i, 34));
    assert_int_equal(difference_adjusted(&treated, &control, .95, &d, &explained, NULL), PF_OK);
    assert_near(d.first, 7.654001177662146, 1e-9);
    assert_near(d.second, 7.358997367199638, 1e-9);
    assert_near(d.statistic, 2.0396223184395987, 1e-9);
    assert_near(d.df, 377.9481216074475, 1e-6);
    assert_near(d.p, 0.04208291723543759, 1e-9);
    assert_near(d.low, 0.010610795475743118, 1e-9);
    assert_near(d.high, 0.5793968254492732, 1e-9);
    assert_near(explained, .8139, .002); /* of the difference's variance: .81387 */
}

/* Shoppers differ in how often they return what they bought: their purchases are not alone.
 * Counting each purchase as a row holds the truth too seldom; the delta method does not. */
static void ratios_count_shoppers_and_not_their_purchases(void **state)
{
    (void)state;
    enum { TESTS = 1000, N = 300 };
    random_stream r = random_begin(12, 5);
    unsigned held = 0, naive = 0;
    for (int t = 0; t < TESTS; t++) {
        moments arm[2] = {0};
        uint64_t y[2] = {0}, x[2] = {0};
        for (int i = 0; i < 2 * N; i++) {
            const uint32_t bought = 1 + random_below(&r, 20);
            const double habit = random_unit(&r) * random_unit(&r);
            uint32_t back = 0;
            for (uint32_t k = 0; k < bought; k++)
                back += random_unit(&r) < habit;
            moments_add(&arm[i % 2], back, bought);
            y[i % 2] += back;
            x[i % 2] += bought;
        }
        difference d;
        assert_int_equal(difference_of_ratios(&arm[0], &arm[1], .95, &d, NULL), PF_OK);
        assert_near(d.first, (double)y[0] / (double)x[0], 1e-12);
        held += d.low <= 0 && d.high >= 0;
        assert_int_equal(difference_of_proportions(y[0], x[0], y[1], x[1], .95, &d, NULL), PF_OK);
        naive += d.low <= 0 && d.high >= 0;
    }
    assert_near(held / (double)TESTS, .95, .02);
    assert_true(naive < .85 * TESTS);
}

static void ratios_without_a_denominator_are_told(void **state)
{
    (void)state;
    moments a = {0}, b = {0};
    difference d;
    pf_error err = {0};
    for (int i = 0; i < 3; i++) {
        moments_add(&a, i, 1 + i * i);
        moments_add(&b, 0, 0);
    }
    assert_int_equal(difference_of_ratios(&a, &b, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "second group has nothing to divide by"));
    assert_int_equal(difference_of_ratios(&b, &a, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "first group"));
}

/* statsmodels.stats.multitest.multipletests(method="holm"). */
static void many_questions_are_adjusted_as_holm_says(void **state)
{
    (void)state;
    double p[] = {.01, .04, .03, .005, .9};
    static const double holm[] = {.04, .09, .09, .025, .9};
    double bad[] = {.1, NAN}, many[DIFFERENCE_QUESTIONS_MAX + 1] = {0};
    pf_error err = {0};
    assert_int_equal(difference_adjust_holm(p, 5, p, NULL), PF_OK);
    for (int i = 0; i < 5; i++)
        assert_near(p[i], holm[i], 1e-15);
    assert_int_equal(difference_adjust_holm(p, 0, p, NULL), PF_OK);
    assert_int_equal(difference_adjust_holm(bad, 2, bad, &err), PF_DATA);
    assert_non_null(strstr(err.message, "question 2"));
    assert_int_equal(difference_adjust_holm(many, DIFFERENCE_QUESTIONS_MAX + 1, many, &err),
                     PF_LIMIT);
}

/* Ten questions without an effect: at least one is a false alarm in 5 % of all experiments. */
static void holm_keeps_the_risk_of_all_questions_together(void **state)
{
    (void)state;
    enum { TESTS = 4000, QUESTIONS = 10 };
    random_stream r = random_begin(12, 6);
    unsigned alarms = 0;
    for (int t = 0; t < TESTS; t++) {
        double p[QUESTIONS], least = 1;
        for (int q = 0; q < QUESTIONS; q++)
            p[q] = random_unit(&r);
        assert_int_equal(difference_adjust_holm(p, QUESTIONS, p, NULL), PF_OK);
        for (int q = 0; q < QUESTIONS; q++)
            least = fmin(least, p[q]);
        alarms += least <= .05;
    }
    assert_near(alarms / (double)TESTS, .05, .012);
}

static void what_cannot_be_compared_is_told(void **state)
{
    (void)state;
    static const double one[] = {1}, two[] = {1, 2}, nan[] = {1, NAN};
    static const uint64_t none[] = {0, 0}, some[] = {1, 2};
    static const double half[] = {.5, .5}, more[] = {.5, .6}, zero[] = {0, 1};
    difference d;
    interval w;
    sample_ratio r;
    pf_error err = {0};
    assert_int_equal(difference_of_proportions(0, 0, 1, 2, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "first group is empty"));
    assert_int_equal(difference_of_proportions(1, 2, 3, 2, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "3 outcomes of 2"));
    assert_int_equal(difference_of_proportions(1, 2, 1, 2, 1, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "level"));
    assert_int_equal(difference_of_means(one, 1, two, 2, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "1 values"));
    assert_int_equal(difference_of_means(two, 2, nan, 2, .95, &d, &err), PF_DATA);
    assert_non_null(strstr(err.message, "second group"));
    assert_int_equal(wilson_interval(0, 0, .95, &w, &err), PF_DATA);
    assert_int_equal(sample_ratio_test(some, half, 1, &r, &err), PF_DATA);
    assert_int_equal(sample_ratio_test(none, half, 2, &r, &err), PF_DATA);
    assert_non_null(strstr(err.message, "nobody"));
    assert_int_equal(sample_ratio_test(some, more, 2, &r, &err), PF_DATA);
    assert_non_null(strstr(err.message, "sum to 1.1"));
    assert_int_equal(sample_ratio_test(some, zero, 2, &r, &err), PF_DATA);
    assert_non_null(strstr(err.message, "group 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proportions_agree_with_statsmodels),
        cmocka_unit_test(means_agree_with_scipy),
        cmocka_unit_test(sample_ratios_agree_with_scipy),
        cmocka_unit_test(intervals_hold_the_truth_as_often_as_they_say),
        cmocka_unit_test(a_covariate_narrows_the_interval_and_keeps_the_truth),
        cmocka_unit_test(a_covariate_without_spread_changes_nothing),
        cmocka_unit_test(outcomes_that_are_all_equal_are_told_and_give_no_number),
        cmocka_unit_test(a_covariate_that_is_the_outcome_leaves_nothing_to_compare),
        cmocka_unit_test(the_adjusted_test_agrees_with_scipy),
        cmocka_unit_test(ratios_count_shoppers_and_not_their_purchases),
        cmocka_unit_test(ratios_without_a_denominator_are_told),
        cmocka_unit_test(many_questions_are_adjusted_as_holm_says),
        cmocka_unit_test(holm_keeps_the_risk_of_all_questions_together),
        cmocka_unit_test(what_cannot_be_compared_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
