/* measure/calibration.h: bins as the protocol says, isotonic and Platt as scikit-learn. */
#include "golden_rows.h"

#include <string.h>

#include "base/random.h"
#include "measure/calibration.h"

static void bins_agree_with_numpy(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    reliability_bin bins[10];
    assert_int_equal(reliability_of(g.p, g.y, GOLDEN_N, 10, bins, NULL), PF_OK);
    assert_near(reliability_ece(bins, 10), 0.1179, 1e-9);
    assert_int_equal(reliability_of(g.p, g.y, GOLDEN_N, 7, bins, NULL), PF_OK);
    assert_near(reliability_ece(bins, 7), 0.10896666666666666, 1e-9);
    assert_int_equal(bins[0].n, 43);
    assert_int_equal(bins[5].n, 43);
    assert_int_equal(bins[6].n, 42);
    assert_near(bins[0].mean_p, 0.08558139534883723, 1e-12);
    assert_near(bins[0].mean_y, 0.20930232558139536, 1e-12);
    assert_near(calibration_sum_ratio(g.p, g.y, GOLDEN_N), 0.9737162162162163, 1e-12);
}

static void bins_hold_every_row_once_in_order(void **state)
{
    (void)state;
    random_stream r = random_begin(1, 1);
    for (int turn = 0; turn < 300; turn++) {
        double p[100];
        uint8_t y[100];
        reliability_bin bins[20];
        size_t n = random_below(&r, 101), count = 1 + random_below(&r, 20), sum = 0;
        for (size_t i = 0; i < n; i++) {
            p[i] = random_unit(&r);
            y[i] = random_unit(&r) < p[i];
        }
        assert_int_equal(reliability_of(p, y, n, count, bins, NULL), PF_OK);
        for (size_t b = 0; b < count; b++) {
            sum += bins[b].n;
            assert_int_equal(bins[b].n, n / count + (b < n % count));
            assert_true(bins[b].lowest_p <= bins[b].mean_p + 1e-15);
            assert_true(bins[b].mean_p <= bins[b].highest_p + 1e-15);
            assert_true(b == 0 || bins[b].n == 0 ||
                        bins[b - 1].highest_p <= bins[b].lowest_p);
        }
        assert_int_equal(sum, n);
        assert_int_equal(isnan(reliability_ece(bins, count)), n == 0);
    }
}

static void probabilities_that_are_right_have_no_error(void **state)
{
    (void)state;
    double p[1000];
    uint8_t y[1000];
    for (size_t i = 0; i < 1000; i++) {
        p[i] = (double)(i / 100) / 10.0 + 0.05;
        y[i] = (double)(i % 100) < 100.0 * p[i] - 0.5;
    }
    reliability_bin bins[10];
    assert_int_equal(reliability_of(p, y, 1000, 10, bins, NULL), PF_OK);
    assert_near(reliability_ece(bins, 10), 0.0, 1e-12);
    assert_near(calibration_sum_ratio(p, y, 1000), 1.0, 1e-12);
}

static void a_sum_over_nobody_is_nan(void **state)
{
    (void)state;
    const double p[] = {0.5};
    const uint8_t y[] = {0};
    assert_true(isnan(calibration_sum_ratio(p, y, 1)));
    assert_true(isnan(calibration_sum_ratio(p, y, 0)));
}

static void isotonic_agrees_with_scikit_learn(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    static const double at[] = {-1,    0,    0.105, 0.25,  0.333, 0.5,
                                0.615, 0.77, 0.9,   0.995, 2};
    static const double plain[] = {0.0,
                                   0.0,
                                   0.21052631578947367,
                                   0.43137254901960786,
                                   0.43137254901960786,
                                   0.5454545454545454,
                                   0.5957446808510638,
                                   0.625,
                                   0.7307692307692307,
                                   0.7307692307692307,
                                   0.7307692307692307};
    static const double weighted[] = {0.0,
                                      0.0,
                                      0.24641811178346332,
                                      0.38740342833897595,
                                      0.39752593966861843,
                                      0.5536024095638896,
                                      0.6071725807989279,
                                      0.6071725807989279,
                                      0.7304757310386202,
                                      0.7304757310386202,
                                      0.7304757310386202};
    for (int with = 0; with < 2; with++) {
        isotonic map;
        assert_int_equal(isotonic_fit(&map, g.p, g.y, with ? g.w : NULL, GOLDEN_N, NULL),
                         PF_OK);
        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
            assert_near(isotonic_apply(&map, at[i]), with ? weighted[i] : plain[i], 1e-9);
        isotonic_free(&map);
    }
}

/* The least squares under monotony, by the min-max formula of Barlow et al. (1972). */
static double by_min_max(const double *mean, const double *weight, size_t n, size_t i)
{
    double best = -INFINITY;
    for (size_t s = 0; s <= i; s++) {
        double least = INFINITY, sum = 0.0, total = 0.0;
        for (size_t t = s; t < n; t++) {
            sum += weight[t] * mean[t];
            total += weight[t];
            if (t >= i && sum / total < least) least = sum / total;
        }
        best = least > best ? least : best;
    }
    return best;
}

static void isotonic_agrees_with_the_min_max_formula(void **state)
{
    (void)state;
    random_stream r = random_begin(5, 5);
    for (int turn = 0; turn < 200; turn++) {
        enum { POINTS = 12 };
        double score[POINTS * 4], mean[POINTS] = {0}, weight[POINTS] = {0};
        uint8_t y[POINTS * 4];
        for (size_t i = 0; i < POINTS * 4; i++) {
            size_t k = i % POINTS;
            score[i] = (double)k - 3.0;
            y[i] = random_unit(&r) < 0.3 + 0.03 * (double)k;
            weight[k] += 1.0;
            mean[k] += y[i] ? 0.25 : 0.0;
        }
        isotonic map;
        assert_int_equal(isotonic_fit(&map, score, y, NULL, POINTS * 4, NULL), PF_OK);
        for (size_t k = 0; k < POINTS; k++)
            assert_near(isotonic_apply(&map, (double)k - 3.0),
                        by_min_max(mean, weight, POINTS, k), 1e-12);
        isotonic_free(&map);
    }
}

static void isotonic_rises_and_keeps_the_mean(void **state)
{
    (void)state;
    random_stream r = random_begin(6, 6);
    for (int turn = 0; turn < 100; turn++) {
        double score[200], w[200], sum_y = 0.0, sum_q = 0.0;
        uint8_t y[200];
        for (size_t i = 0; i < 200; i++) {
            score[i] = turn % 2 ? random_normal(&r) : random_below(&r, 9);
            y[i] = random_unit(&r) < 0.4;
            w[i] = random_below(&r, 3);
            sum_y += w[i] * y[i];
        }
        isotonic map;
        assert_int_equal(isotonic_fit(&map, score, y, w, 200, NULL), PF_OK);
        for (size_t i = 1; i < map.n; i++)
            assert_true(map.x[i] > map.x[i - 1] && map.y[i] >= map.y[i - 1]);
        for (size_t i = 0; i < 200; i++)
            sum_q += w[i] * isotonic_apply(&map, score[i]);
        assert_near(sum_q, sum_y, 1e-9);
        assert_true(isnan(isotonic_apply(&map, NAN)));
        assert_near(isotonic_apply(&map, INFINITY), map.y[map.n - 1], 0.0);
        assert_near(isotonic_apply(&map, -INFINITY), map.y[0], 0.0);
        isotonic_free(&map);
    }
}

static void platt_agrees_with_scikit_learn(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    double logit[GOLDEN_N];
    platt map;
    for (int i = 0; i < GOLDEN_N; i++)
        logit[i] = log((g.p[i] + 0.005) / (1.005 - g.p[i]));
    assert_int_equal(platt_fit(&map, g.p, g.y, NULL, GOLDEN_N, NULL), PF_OK);
    assert_near(map.slope, 2.3813016600979044, 1e-5);
    assert_near(map.shift, -1.1693749751121496, 1e-5);
    assert_int_equal(platt_fit(&map, g.p, g.y, g.w, GOLDEN_N, NULL), PF_OK);
    assert_near(map.slope, 2.4918289571796564, 1e-5);
    assert_near(map.shift, -1.2610440900574014, 1e-5);
    assert_int_equal(platt_fit(&map, logit, g.y, NULL, GOLDEN_N, NULL), PF_OK);
    assert_near(map.slope, 0.432723873219108, 1e-5);
    assert_near(map.shift, 0.00904317494930151, 1e-5);
}

static void platt_finds_the_curve_that_made_the_data(void **state)
{
    (void)state;
    enum { N = 200000 };
    double *score = mem_alloc(N, sizeof *score);
    uint8_t *y = mem_alloc(N, 1);
    random_stream r = random_begin(7, 7);
    for (size_t i = 0; i < N; i++) {
        score[i] = 3.0 * random_normal(&r);
        y[i] = random_unit(&r) < 1.0 / (1.0 + exp(-(0.7 * score[i] - 1.5)));
    }
    platt map;
    assert_int_equal(platt_fit(&map, score, y, NULL, N, NULL), PF_OK);
    assert_near(map.slope, 0.7, 0.02);
    assert_near(map.shift, -1.5, 0.04);
    mem_free(score);
    mem_free(y);
}

/* The first version summed over the rows and ended by an absolute gradient: with many
 * rows or small scores it stopped early or never. */
static void platt_does_not_depend_on_the_unit_of_scores(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    static const double scales[] = {1e-9, 1e-3, 1.0, 1e6, 1e150};
    platt plain;
    assert_int_equal(platt_fit(&plain, g.p, g.y, NULL, GOLDEN_N, NULL), PF_OK);
    for (size_t k = 0; k < sizeof scales / sizeof scales[0]; k++) {
        double moved[GOLDEN_N];
        platt map;
        for (int i = 0; i < GOLDEN_N; i++)
            moved[i] = scales[k] * (g.p[i] - 40.0);
        assert_int_equal(platt_fit(&map, moved, g.y, NULL, GOLDEN_N, NULL), PF_OK);
        for (int i = 0; i < GOLDEN_N; i += 17)
            assert_near(platt_apply(&map, moved[i]), platt_apply(&plain, g.p[i]), 1e-7);
    }
}

static void scores_beyond_arithmetic_are_refused(void **state)
{
    (void)state;
    const double huge[] = {1e308, -1e308, 1e308};
    const uint8_t y[] = {1, 0, 1};
    platt map;
    assert_int_equal(platt_fit(&map, huge, y, NULL, 3, NULL), PF_DATA);
}

/* Perfectly separable scores, one class, one row: the smoothed targets keep it finite. */
static void platt_stays_finite_at_the_extremes(void **state)
{
    (void)state;
    const double score[] = {-2, -1, 1, 2, 5, 9};
    const uint8_t split[] = {0, 0, 1, 1, 1, 1}, ones[] = {1, 1, 1, 1, 1, 1};
    platt map;
    assert_int_equal(platt_fit(&map, score, split, NULL, 6, NULL), PF_OK);
    assert_true(map.slope > 0.0 && platt_apply(&map, 9) < 1.0);
    assert_int_equal(platt_fit(&map, score, ones, NULL, 6, NULL), PF_OK);
    assert_near(platt_apply(&map, 3.0), 7.0 / 8.0, 1e-3);
    assert_int_equal(platt_fit(&map, score, split, NULL, 1, NULL), PF_OK);
    assert_near(platt_apply(&map, -2.0), 1.0 / 3.0, 1e-3);
    assert_near(platt_apply(&(platt){1000.0, 0.0}, -1.0), 0.0, 1e-300);
    assert_near(platt_apply(&(platt){1000.0, 0.0}, 1.0), 1.0, 1e-15);
}

static void wrong_rows_are_refused(void **state)
{
    (void)state;
    const double bad[] = {1, NAN}, infinite[] = {1, INFINITY}, good[] = {1, 2},
                 none[] = {0, 0};
    const uint8_t y[] = {1, 0};
    reliability_bin bins[2];
    isotonic map;
    platt line = {7.0, 7.0};
    pf_error err = {0};
    assert_int_equal(reliability_of(bad, y, 2, 2, bins, &err), PF_DATA);
    assert_int_equal(isotonic_fit(&map, bad, y, NULL, 2, &err), PF_DATA);
    assert_non_null(strstr(err.message, "row 1"));
    assert_int_equal(isotonic_fit(&map, infinite, y, NULL, 2, &err), PF_DATA);
    assert_int_equal(isotonic_fit(&map, good, y, NULL, 0, &err), PF_DATA);
    assert_int_equal(isotonic_fit(&map, good, y, none, 2, &err), PF_DATA);
    assert_null(map.x);
    isotonic_free(&map);
    assert_int_equal(platt_fit(&line, bad, y, NULL, 2, &err), PF_DATA);
    assert_int_equal(platt_fit(&line, infinite, y, NULL, 2, &err), PF_DATA);
    assert_int_equal(platt_fit(&line, good, y, NULL, 0, &err), PF_DATA);
    assert_int_equal(platt_fit(&line, good, y, none, 2, &err), PF_DATA);
    assert_true(line.slope == 7.0);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    fault f = {0};
    while (fault_next(&f)) {
        isotonic map;
        pf_status status = isotonic_fit(&map, g.p, g.y, NULL, GOLDEN_N, NULL);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(map.x == NULL, failed);
        isotonic_free(&map);
    }
    assert_int_equal(f.n, 6);
    f = (fault){0};
    while (fault_next(&f)) {
        reliability_bin bins[10];
        pf_status status = reliability_of(g.p, g.y, GOLDEN_N, 10, bins, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
    assert_int_equal(f.n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_agree_with_numpy),
        cmocka_unit_test(bins_hold_every_row_once_in_order),
        cmocka_unit_test(probabilities_that_are_right_have_no_error),
        cmocka_unit_test(a_sum_over_nobody_is_nan),
        cmocka_unit_test(isotonic_agrees_with_scikit_learn),
        cmocka_unit_test(isotonic_agrees_with_the_min_max_formula),
        cmocka_unit_test(isotonic_rises_and_keeps_the_mean),
        cmocka_unit_test(platt_agrees_with_scikit_learn),
        cmocka_unit_test(platt_finds_the_curve_that_made_the_data),
        cmocka_unit_test(platt_does_not_depend_on_the_unit_of_scores),
        cmocka_unit_test(scores_beyond_arithmetic_are_refused),
        cmocka_unit_test(platt_stays_finite_at_the_extremes),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
