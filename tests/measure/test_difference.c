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
    assert_non_null(strstr(err.message, "before the test"));
    assert_int_equal(difference_with_covariate((covariate_group){y1, same, 1},
                                               (covariate_group){y2, same, 3}, .9, &d,
                                               &explained, &err),
                     PF_DATA);
}

static void groups_that_are_all_alike_differ_by_nothing(void **state)
{
    (void)state;
    static const double same[] = {2, 2, 2};
    difference d;
    interval w;
    assert_int_equal(difference_of_proportions(0, 10, 0, 20, .9, &d, NULL), PF_OK);
    assert_true(d.value == 0 && d.low == 0 && d.high == 0 && d.p == 1);
    assert_int_equal(difference_of_means(same, 3, same, 3, .9, &d, NULL), PF_OK);
    assert_true(d.value == 0 && d.low == 0 && d.high == 0 && d.p == 1);
    assert_int_equal(wilson_interval(0, 10, .9, &w, NULL), PF_OK);
    assert_true(w.low == 0 && w.high > 0);
    assert_int_equal(wilson_interval(10, 10, .9, &w, NULL), PF_OK);
    assert_true(w.low < 1 && w.high == 1);
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
        cmocka_unit_test(groups_that_are_all_alike_differ_by_nothing),
        cmocka_unit_test(what_cannot_be_compared_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
