/* measure/distribution.h: values of scipy 1.17.1, and that quantiles undo what they undo. */
#include "check.h"

#include <math.h>

#include "measure/distribution.h"

/* Relative to the value, however small it is. */
static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-11 * fabs(expected) + 1e-300))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void the_normal_is_scipys(void **state)
{
    (void)state;
    static const double quantile[][2] = {
        {1e-12, -7.034483825301131},  {.001, -3.090232306167813}, {.025, -1.9599639845400545},
        {.3, -0.5244005127080409},    {.8, 0.8416212335729143},   {.975, 1.959963984540054},
        {.999999, 4.753424308817087}, {.5, 0}};
    static const double above[][2] = {{-3, 0.9986501019683699},
                                      {0, 0.5},
                                      {0.5, 0.3085375387259869},
                                      {1.959963984540054, 0.025},
                                      {8, 6.22096057427174e-16},
                                      {20, 2.7536241186061556e-89}};
    for (size_t i = 0; i < sizeof quantile / sizeof quantile[0]; i++)
        assert_close(normal_quantile(quantile[i][0]), quantile[i][1]);
    for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
        assert_close(normal_above(above[i][0]), above[i][1]);
        assert_close(normal_below(-above[i][0]), above[i][1]);
    }
    assert_true(isinf(normal_quantile(0)) && normal_quantile(0) < 0);
    assert_true(isinf(normal_quantile(1)) && normal_quantile(1) > 0);
}

static void chi_square_is_scipys(void **state)
{
    (void)state;
    static const double values[][3] = {
        {.01, 1, 0.920344325445942},     {3.84, 1, 0.05004352124870519},
        {10.58, 1, 0.0011431765973566508}, {.4, 3, 0.9402424948393607},
        {200, 150, 0.003973185970821635}, {500, 3, 4.771672031912771e-108}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_close(chi_square_above(values[i][0], values[i][1]), values[i][2]);
    assert_true(chi_square_above(0, 2) == 1);
    assert_true(chi_square_above(-1, 2) == 1);
}

static void student_is_scipys(void **state)
{
    (void)state;
    static const double above[][3] = {
        {.1, 1, 0.4682744825694465},      {2, 3, 0.06966298427942152},
        {1.96, 398, 0.02534658021270017}, {-2, 10, 0.9633059826146299},
        {40, 5, 9.205981085886477e-08},   {5, 1e6, 2.8669989354453723e-07}};
    static const double quantile[][3] = {{.975, 1, 12.706204736174694},
                                         {.975, 10, 2.228138851986274},
                                         {.9, 397.99, 1.2836823246960611},
                                         {.001, 4, -7.1731822197823085},
                                         {.6, 1e5, 0.25334777715718015}};
    /* At a million degrees of freedom lgamma's own error is of the order of 1e-10. */
    for (size_t i = 0; i < sizeof above / sizeof above[0]; i++)
        assert_true(fabs(student_above(above[i][0], above[i][1]) / above[i][2] - 1) < 2e-9);
    for (size_t i = 0; i < sizeof quantile / sizeof quantile[0]; i++)
        assert_true(fabs(student_quantile(quantile[i][0], quantile[i][1]) / quantile[i][2] - 1) <
                    1e-9);
    assert_true(student_quantile(.5, 7) == 0);
    assert_true(student_above(INFINITY, 3) == 0 && student_above(-INFINITY, 3) == 1);
}

static void beta_is_scipys(void **state)
{
    (void)state;
    static const double below[][4] = {{.1, 2, 3, 0.05230000000000001},
                                      {.5, .5, .5, 0.5},
                                      {.9, 20, 2, 0.364729963771708},
                                      {.03, 346, 9e3, 6.553476112986604e-05},
                                      {1e-8, .3, 2, 0.00517539320525225}};
    static const double quantile[][4] = {{.025, 2, 3, 0.06758598648854294},
                                         {.975, 46, 9955, 0.006016771132617397},
                                         {.5, .5, .5, 0.5},
                                         {.1, 1, 1, .1}};
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        assert_true(fabs(beta_below(below[i][0], below[i][1], below[i][2]) / below[i][3] - 1) <
                    1e-10);
    for (size_t i = 0; i < sizeof quantile / sizeof quantile[0]; i++)
        assert_true(fabs(beta_quantile(quantile[i][0], quantile[i][1], quantile[i][2]) /
                             quantile[i][3] -
                         1) < 1e-10);
    assert_true(beta_below(0, 2, 3) == 0 && beta_below(1, 2, 3) == 1);
}

static void quantiles_undo_their_distributions(void **state)
{
    (void)state;
    for (double p = .0005; p < 1; p += .0005) {
        assert_true(fabs(normal_below(normal_quantile(p)) - p) < 1e-14);
        assert_true(fabs(1 - student_above(student_quantile(p, 3.5), 3.5) - p) < 1e-12);
        assert_true(fabs(beta_below(beta_quantile(p, 2.5, 7), 2.5, 7) - p) < 1e-12);
    }
}

static void outside_there_is_no_number(void **state)
{
    (void)state;
    assert_true(isnan(normal_quantile(-.1)) && isnan(normal_quantile(1.1)));
    assert_true(isnan(normal_quantile(NAN)));
    assert_true(isnan(chi_square_above(1, 0)) && isnan(chi_square_above(NAN, 1)));
    assert_true(isnan(student_above(1, -1)) && isnan(student_above(NAN, 1)));
    assert_true(isnan(student_quantile(2, 3)));
    assert_true(isnan(beta_below(.5, 0, 1)) && isnan(beta_below(1.5, 1, 1)));
    assert_true(isnan(beta_quantile(-1, 1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_normal_is_scipys),
        cmocka_unit_test(chi_square_is_scipys),
        cmocka_unit_test(student_is_scipys),
        cmocka_unit_test(beta_is_scipys),
        cmocka_unit_test(quantiles_undo_their_distributions),
        cmocka_unit_test(outside_there_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
