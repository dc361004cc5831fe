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
        cmocka_unit_test(groups_that_are_all_alike_differ_by_nothing),
        cmocka_unit_test(what_cannot_be_compared_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
