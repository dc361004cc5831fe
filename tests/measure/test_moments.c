/* measure/moments.h: sums that lose nothing, in one go or in parts. */
#include "golden_rows.h"

#include "measure/moments.h"
#include "measure/statistics.h"

enum { N = 500 };

static void outcome(uint64_t i, double *y, double *x)
{
    *x = 3 * golden_unit(i, 91);
    *y = *x + golden_unit(i, 92);
}

static void they_are_the_two_pass_formulas(void **state)
{
    (void)state;
    moments m = {0};
    double ys[N], xs[N], xy = 0;
    for (uint64_t i = 0; i < N; i++) {
        outcome(i, &ys[i], &xs[i]);
        moments_add(&m, ys[i], xs[i]);
    }
    const summary y = summary_of(ys, N), x = summary_of(xs, N);
    for (uint64_t i = 0; i < N; i++)
        xy += (ys[i] - y.mean) * (xs[i] - x.mean);
    assert_int_equal(m.n, N);
    assert_near(m.mean_y, y.mean, 1e-13);
    assert_near(m.mean_x, x.mean, 1e-13);
    assert_near(sqrt(moments_variance_y(&m)), y.standard_deviation, 1e-13);
    assert_near(sqrt(moments_variance_x(&m)), x.standard_deviation, 1e-13);
    assert_near(moments_covariance(&m), xy / (N - 1), 1e-13);
}

static void parts_add_up_to_the_whole(void **state)
{
    (void)state;
    moments whole = {0}, part[3] = {0}, sum = {0};
    for (uint64_t i = 0; i < N; i++) {
        double y, x;
        outcome(i, &y, &x);
        moments_add(&whole, y, x);
        moments_add(&part[i < 7 ? 0 : 2], y, x); /* part 1 stays empty */
    }
    for (int p = 0; p < 3; p++)
        moments_merge(&sum, &part[p]);
    assert_int_equal(sum.n, whole.n);
    assert_near(sum.mean_y, whole.mean_y, 1e-13);
    assert_near(sum.mean_x, whole.mean_x, 1e-13);
    assert_near(sum.yy, whole.yy, 1e-11);
    assert_near(sum.xx, whole.xx, 1e-11);
    assert_near(sum.xy, whole.xy, 1e-11);
}

static void a_large_mean_does_not_drown_the_spread(void **state)
{
    (void)state;
    moments m = {0};
    for (int i = 0; i < 4; i++)
        moments_add(&m, 1e9 + i, -1e9 - 2 * i);
    assert_near(moments_variance_y(&m), 5.0 / 3, 1e-9);
    assert_near(moments_covariance(&m), -10.0 / 3, 1e-9);
}

static void counts_are_rows_of_ones_and_zeros(void **state)
{
    (void)state;
    moments rows = {0};
    for (int i = 0; i < 10; i++)
        moments_add(&rows, i < 3, 0);
    const moments m = moments_of_count(3, 10), none = moments_of_count(0, 0);
    assert_near(m.mean_y, rows.mean_y, 1e-15);
    assert_near(m.yy, rows.yy, 1e-14);
    assert_int_equal(none.n, 0);
}

static void spread_needs_two_rows(void **state)
{
    (void)state;
    moments m = {0};
    assert_true(isnan(moments_variance_y(&m)));
    moments_add(&m, 1, 2);
    assert_true(isnan(moments_variance_y(&m)) && isnan(moments_variance_x(&m)) &&
                isnan(moments_covariance(&m)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_the_two_pass_formulas),
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(a_large_mean_does_not_drown_the_spread),
        cmocka_unit_test(counts_are_rows_of_ones_and_zeros),
        cmocka_unit_test(spread_needs_two_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
