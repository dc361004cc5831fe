/* measure/distribution.h against exact values (mpmath, 40 digits), and against itself. */
#include "golden_rows.h"

#include "measure/distribution.h"

typedef struct known {
    double x, a, b, value;
} known;

/* Near in the absolute and, where the value is a small tail, in proportion. */
static void assert_exact(double value, double expected)
{
    assert_near(value, expected, 1e-9 * fmin(1, fabs(expected)) + 1e-305);
}

#define EACH(k, table) for (size_t k = 0; k < sizeof table / sizeof table[0]; k++)

static void normal_shares_and_quantiles_are_exact(void **state)
{
    (void)state;
    static const double below[][2] = {
        {-37, 5.72557122252457682e-300}, {-8, 6.22096057427178412e-16},
        {-3, 0.00134989803163009453},    {-1.5, 0.066807201268858066},
        {0, 0.5},                        {0.3, 0.617911422188952633},
        {2, 0.977249868051820793},       {5, 0.999999713348428121}};
    static const double quantile[][2] = {
        {1e-200, -30.2055941795796431},  {1e-10, -6.3613409024040562},
        {0.001, -3.09023230616781354},   {0.025, -1.95996398454005424},
        {0.3, -0.524400512708040784},    {0.9, 1.28155156554460047},
        {0.975, 1.95996398454005424},    {0.9999999, 5.19933758219281693}};
    EACH(i, below) {
        assert_exact(normal_below(below[i][0]), below[i][1]);
        assert_exact(normal_above(-below[i][0]), below[i][1]);
    }
    EACH(i, quantile) assert_near(normal_quantile(quantile[i][0]), quantile[i][1], 1e-9);
    assert_true(normal_quantile(0) == -INFINITY && normal_quantile(1) == INFINITY);
}

static void student_shares_and_quantiles_are_exact(void **state)
{
    (void)state;
    static const known below[] = {
        {-2, 1, 0, 0.147583617650433274},     {0.5, 1, 0, 0.647583617650433274},
        {3, 2, 0, 0.952267016866645434},      {-4.5, 3.7, 0, 0.00646369085579588652},
        {2.1, 10, 0, 0.968961377898890714},   {-1, 397.9914754088379, 0, 0.158959052732349297},
        {1.96, 1000, 0, 0.974863407522125641}, {-6, 1e5, 0, 9.89964727800881279e-10},
        {2.5, 1e7, 0, 0.993790326731710765},  {-1e-05, 5, 0, 0.499996203933101851},
        {-30, 4, 0, 3.67642804883066106e-6}};
    static const known quantile[] = {
        {0.975, 1, 0, 12.7062047361747046},
        {0.975, 2.5, 0, 3.57465484200368322},
        {0.01, 10, 0, -2.7637694581126962},
        {0.975, 397.9914754088379, 0, 1.9659424524098962},
        {0.999999, 30, 0, 5.87111712041888265},
        {0.6, 1e6, 0, 0.253347170537841679},
        {1e-12, 3, 0, -10331.1082442924861}};
    EACH(i, below) {
        assert_exact(student_below(below[i].x, below[i].a), below[i].value);
        assert_exact(student_above(-below[i].x, below[i].a), below[i].value);
    }
    EACH(i, quantile) {
        const double q = student_quantile(quantile[i].x, quantile[i].a);
        assert_near(q, quantile[i].value, 1e-9 * fmax(1, fabs(q)));
    }
    assert_true(student_below(1.3, INFINITY) == normal_below(1.3));
}

static void chi_square_shares_and_quantiles_are_exact(void **state)
{
    (void)state;
    static const known above[] = {
        {.001, 1, 0, 0.974772879369960388},  {10.58, 1, 0, 0.00114317659735665142},
        {3.84, 1, 0, 0.0500435212487051032}, {.3956879081853847, 3, 0, 0.941131824668700035},
        {20, 10, 0, 0.0292526880769610727},  {1400, 10, 0, 9.92039147980014528e-295},
        {100, 100, 0, 0.481191684527956718}, {1.1e4, 1e4, 0, 3.61832955809647927e-12},
        {9.9e5, 1e6, 0, 0.999999999999349983}, {1e7, 1e7, 0, 0.499940529196062162},
        {.2, .3, 0, 0.250886933498016901}};
    static const known quantile[] = {
        {0.95, 1, 0, 3.84145882069412596},  {0.999, 3, 0, 16.2662361962381309},
        {1e-6, 2, 0, 2.00000100000066667e-6}, {0.05, 100, 0, 77.9294651650172595},
        {0.5, 1e5, 0, 99999.3333341234626}, {0.01, 0.5, 0, 1.34993958591169354e-8}};
    EACH(i, above) {
        assert_exact(chi_square_above(above[i].x, above[i].a), above[i].value);
        assert_near(chi_square_below(above[i].x, above[i].a), 1 - above[i].value, 1e-9);
    }
    EACH(i, quantile) {
        const double q = chi_square_quantile(quantile[i].x, quantile[i].a);
        assert_near(q, quantile[i].value, 1e-9 * fmin(1e3, quantile[i].value));
    }
}

static void beta_shares_and_quantiles_are_exact(void **state)
{
    (void)state;
    static const known below[] = {
        {.3, 2, 5, 0.579824999999999976},          {.01, .5, .5, 0.0637685608585198486},
        {.999, .5, 3, 0.999999999687382742},       {.5, 1000, 1000, 0.5},
        {.04, 400, 1e4, 0.794251465512582944},     {.0001, 1.5, 1e5, 0.999830342597864501},
        {.143, 345, 2055, 0.463728656822548099},   {.1, .01, 5, 0.994072630929622357}};
    static const known quantile[] = {{.025, 345, 2055, 0.13000131837427252},
                                     {.5, 2, 3, 0.385727568132389548},
                                     {1e-8, .5, .5, 2.46740110027233945e-16}};
    EACH(i, below) {
        const known *k = &below[i];
        assert_exact(beta_below(k->x, k->a, k->b), k->value);
        assert_near(beta_above(k->x, k->a, k->b), 1 - k->value, 1e-9);
    }
    EACH(i, quantile) {
        const known *k = &quantile[i];
        assert_near(beta_quantile(k->x, k->a, k->b), k->value, 1e-9 * k->value);
    }
}

/* Every share leads to a value and back, over shapes from small to large. */
static void quantiles_invert_shares(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        const double p = golden_unit(i, 71), a = exp(14 * golden_unit(i, 72) - 3);
        const double b = exp(14 * golden_unit(i, 73) - 3);
        assert_near(normal_below(normal_quantile(p)), p, 1e-12);
        assert_near(student_below(student_quantile(p, a), a), p, 1e-10);
        assert_near(chi_square_below(chi_square_quantile(p, a), a), p, 1e-10);
        /* Next to 1 doubles are too coarse where all the mass is there. */
        const double x = beta_quantile(p, a, b);
        if (x < 1 - 1e-4) assert_near(beta_below(x, a, b), p, 1e-9);
    }
}

/* Two degrees of freedom: exp(-x / 2). One shape 1: x^a. t² is a ratio of two gammas. */
static void special_cases_have_their_closed_forms(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        const double x = golden_unit(i, 74), a = 20 * golden_unit(i, 75) + 0.01;
        assert_near(chi_square_above(60 * x, 2), exp(-30 * x), 1e-14);
        assert_near(beta_below(x, a, 1), pow(x, a), 1e-12);
        assert_near(beta_below(x, 1, a), 1 - pow(1 - x, a), 1e-12);
        assert_near(student_below(x, 1), 0.5 + atan(x) / 3.14159265358979323846, 1e-14);
        assert_near(chi_square_above(x * x, 1), 2 * normal_above(x), 1e-14);
    }
}

static void senseless_arguments_are_nan(void **state)
{
    (void)state;
    assert_true(isnan(normal_quantile(-0.1)) && isnan(normal_quantile(NAN)));
    assert_true(isnan(student_below(1, 0)) && isnan(student_below(NAN, 3)));
    assert_true(isnan(student_quantile(.5, -1)) && isnan(student_quantile(2, 3)));
    assert_true(isnan(chi_square_below(1, -2)) && isnan(chi_square_quantile(1.1, 2)));
    assert_true(isnan(beta_below(.5, 0, 1)) && isnan(beta_quantile(.5, 1, NAN)));
    assert_true(isnan(beta_below(1.5, 1, 1)) && isnan(beta_above(-.5, 1, 1)));
    assert_true(isnan(beta_quantile(-1, 1, 1)) && isnan(chi_square_above(NAN, 1)));
    assert_true(chi_square_below(-1, 2) == 0 && chi_square_above(INFINITY, 2) == 0);
    assert_true(beta_below(0, 2, 3) == 0 && beta_below(1, 2, 3) == 1);
    assert_true(student_below(INFINITY, 2) == 1 && student_below(0, 2) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_shares_and_quantiles_are_exact),
        cmocka_unit_test(student_shares_and_quantiles_are_exact),
        cmocka_unit_test(chi_square_shares_and_quantiles_are_exact),
        cmocka_unit_test(beta_shares_and_quantiles_are_exact),
        cmocka_unit_test(quantiles_invert_shares),
        cmocka_unit_test(special_cases_have_their_closed_forms),
        cmocka_unit_test(senseless_arguments_are_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
