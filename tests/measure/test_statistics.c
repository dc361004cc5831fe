/* measure/statistics.h: means and errors, also where subtraction would lose everything. */
#include "golden_rows.h"

#include "measure/statistics.h"

static void means_and_errors_follow_their_formulas(void **state)
{
    (void)state;
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    summary s = summary_of(values, 8);
    assert_int_equal(s.n, 8);
    assert_near(s.mean, 5.0, 1e-15);
    assert_near(s.standard_deviation, sqrt(32.0 / 7.0), 1e-14);
    assert_near(s.standard_error, sqrt(32.0 / 7.0 / 8.0), 1e-14);
}

static void a_large_mean_does_not_drown_the_spread(void **state)
{
    (void)state;
    const double values[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    summary s = summary_of(values, 4);
    assert_near(s.standard_deviation, sqrt(30.0), 1e-9);
}

static void what_does_not_exist_is_nan(void **state)
{
    (void)state;
    summary none = summary_of(NULL, 0), one = summary_of((double[]){3}, 1);
    assert_true(isnan(none.mean) && isnan(none.standard_error));
    assert_true(one.mean == 3.0);
    assert_true(isnan(one.standard_error) && isnan(one.standard_deviation));
}

/* Two methods that differ by a constant: the paired error is zero whatever their own. */
static void differences_are_paired(void **state)
{
    (void)state;
    double a[100], b[100];
    for (uint64_t i = 0; i < 100; i++) {
        b[i] = golden_unit(i, 9);
        a[i] = b[i] + 0.25;
    }
    summary d = summary_of_difference(a, b, 100);
    assert_near(d.mean, 0.25, 1e-14);
    assert_near(d.standard_error, 0.0, 1e-14);
    assert_true(summary_of(a, 100).standard_error > 0.02);
}

/* numpy.quantile of the same values. */
static void quantiles_interpolate(void **state)
{
    (void)state;
    double values[] = {9, 1, 4, 2};
    sort_values(values, 4);
    assert_true(values[0] == 1 && values[1] == 2 && values[2] == 4 && values[3] == 9);
    static const double q[][2] = {{0, 1}, {0.25, 1.75}, {0.5, 3},  {0.75, 5.25},
                                  {1, 9}, {0.9, 7.5},   {0.1, 1.3}};
    for (size_t i = 0; i < sizeof q / sizeof q[0]; i++)
        assert_near(quantile_of_sorted(values, 4, q[i][0]), q[i][1], 1e-12);
    assert_near(quantile_of_sorted(values, 1, 0.7), 1.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_and_errors_follow_their_formulas),
        cmocka_unit_test(a_large_mean_does_not_drown_the_spread),
        cmocka_unit_test(what_does_not_exist_is_nan),
        cmocka_unit_test(differences_are_paired),
        cmocka_unit_test(quantiles_interpolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
