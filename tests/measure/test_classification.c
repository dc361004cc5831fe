/* measure/classification.h: scikit-learn's values to 1e-9, and definitions pair by pair. */
#include "golden_rows.h"

#include "base/random.h"
#include "measure/classification.h"

static double auc_of(const double *score, const uint8_t *y, const double *w, size_t n)
{
    double out = 99.0;
    assert_int_equal(measure_roc_auc(score, y, w, n, &out, NULL), PF_OK);
    return out;
}

static double ap_of(const double *score, const uint8_t *y, const double *w, size_t n)
{
    double out = 99.0;
    assert_int_equal(measure_average_precision(score, y, w, n, &out, NULL), PF_OK);
    return out;
}

static void the_golden_rows_are_the_ones_meant(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    static const double first_p[] = {0.77, 0.13, 0.7, 0.63, 0.39};
    static const uint8_t first_y[] = {0, 0, 0, 0, 1};
    int positives = 0;
    for (int i = 0; i < GOLDEN_N; i++)
        positives += g.y[i];
    assert_int_equal(positives, 148);
    for (int i = 0; i < 5; i++) {
        assert_true(g.p[i] == first_p[i]);
        assert_int_equal(g.y[i], first_y[i]);
    }
}

static void metrics_agree_with_scikit_learn(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    assert_near(auc_of(g.p, g.y, NULL, GOLDEN_N), 0.6839438122332859, 1e-9);
    assert_near(auc_of(g.p, g.y, g.w, GOLDEN_N), 0.6903983425038153, 1e-9);
    assert_near(ap_of(g.p, g.y, NULL, GOLDEN_N), 0.6303891823534465, 1e-9);
    assert_near(ap_of(g.p, g.y, g.w, GOLDEN_N), 0.6263603384347944, 1e-9);
    assert_near(measure_log_loss(g.p, g.y, NULL, GOLDEN_N, 1e-6), 0.7051745036720397,
                1e-9);
    assert_near(measure_log_loss(g.p, g.y, g.w, GOLDEN_N, 1e-6), 0.6942086940626196,
                1e-9);
    assert_near(measure_brier(g.p, g.y, NULL, GOLDEN_N), 0.23996433333333334, 1e-9);
    assert_near(measure_brier(g.p, g.y, g.w, GOLDEN_N), 0.2363338033330292, 1e-9);
}

/* Every pair of a responder and another, as the area is defined. */
static double naive_auc(const double *score, const uint8_t *y, const double *w, size_t n)
{
    double won = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if (!y[i] || y[j]) continue;
            double weight = w ? w[i] * w[j] : 1.0;
            all += weight;
            won += weight * (score[i] > score[j]    ? 1.0
                             : score[i] == score[j] ? 0.5
                                                    : 0.0);
        }
    }
    return won / all;
}

static void the_area_is_the_share_of_pairs_won(void **state)
{
    (void)state;
    random_stream r = random_begin(2, 2);
    for (int turn = 0; turn < 300; turn++) {
        double score[60], w[60];
        uint8_t y[60];
        size_t n = 2 + random_below(&r, 58);
        for (size_t i = 0; i < n; i++) {
            score[i] = turn % 2 ? random_below(&r, 6) : random_normal(&r);
            w[i] = random_below(&r, 4);
            y[i] = (uint8_t)random_below(&r, 2);
        }
        y[0] = 1;
        y[1] = 0;
        w[0] = w[1] = 1.0;
        assert_near(auc_of(score, y, NULL, n), naive_auc(score, y, NULL, n), 1e-12);
        assert_near(auc_of(score, y, w, n), naive_auc(score, y, w, n), 1e-12);
    }
}

/* A whole weight is as many rows: what the bootstrap relies on. */
static void a_weight_of_k_is_k_rows(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 3);
    for (int turn = 0; turn < 100; turn++) {
        double score[40], w[40], many[200];
        uint8_t y[40], many_y[200];
        size_t m = 0;
        for (size_t i = 0; i < 40; i++) {
            score[i] = (double)random_below(&r, 15) / 16.0;
            y[i] = i % 3 == 0;
            w[i] = i < 6 ? 1 : random_below(&r, 5);
            for (int k = 0; k < (int)w[i]; k++, m++) {
                many[m] = score[i];
                many_y[m] = y[i];
            }
        }
        assert_near(auc_of(score, y, w, 40), auc_of(many, many_y, NULL, m), 1e-12);
        assert_near(ap_of(score, y, w, 40), ap_of(many, many_y, NULL, m), 1e-12);
        assert_near(measure_log_loss(score, y, w, 40, 1e-6),
                    measure_log_loss(many, many_y, NULL, m, 1e-6), 1e-12);
        assert_near(measure_brier(score, y, w, 40), measure_brier(many, many_y, NULL, m),
                    1e-12);
    }
}

static void only_the_order_of_scores_counts_for_ranking(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    double moved[GOLDEN_N], turned[GOLDEN_N];
    for (int i = 0; i < GOLDEN_N; i++) {
        moved[i] = exp(5.0 * g.p[i]) - 700.0;
        turned[i] = -g.p[i];
    }
    double auc = auc_of(g.p, g.y, NULL, GOLDEN_N);
    assert_near(auc_of(moved, g.y, NULL, GOLDEN_N), auc, 0.0);
    assert_near(auc_of(turned, g.y, NULL, GOLDEN_N), 1.0 - auc, 1e-12);
    assert_near(ap_of(moved, g.y, NULL, GOLDEN_N), ap_of(g.p, g.y, NULL, GOLDEN_N), 0.0);
}

static void ends_of_the_scale(void **state)
{
    (void)state;
    const double score[] = {4, 3, 2, 1};
    const uint8_t good[] = {1, 1, 0, 0}, bad[] = {0, 0, 1, 1};
    assert_near(auc_of(score, good, NULL, 4), 1.0, 0.0);
    assert_near(auc_of(score, bad, NULL, 4), 0.0, 0.0);
    assert_near(ap_of(score, good, NULL, 4), 1.0, 0.0);
    assert_near(ap_of(score, bad, NULL, 4), (1.0 / 3 + 2.0 / 4) / 2, 1e-15);
    const double same[] = {7, 7, 7, 7};
    assert_near(auc_of(same, good, NULL, 4), 0.5, 0.0);
    assert_near(ap_of(same, good, NULL, 4), 0.5, 0.0);
}

static void log_loss_is_clipped_on_both_sides(void **state)
{
    (void)state;
    const double p[] = {0.0, 1.0, -3.0, 7.0};
    const uint8_t wrong[] = {1, 0, 1, 0}, right[] = {0, 1, 0, 1};
    assert_near(measure_log_loss(p, wrong, NULL, 4, 1e-6), -log(1e-6), 1e-9);
    assert_near(measure_log_loss(p, right, NULL, 4, 1e-6), -log(1.0 - 1e-6), 1e-12);
}

static void what_does_not_exist_is_nan(void **state)
{
    (void)state;
    const double score[] = {1, 2}, none[] = {0, 0}, half[] = {0, 1};
    const uint8_t ones[] = {1, 1}, zeros[] = {0, 0}, both[] = {1, 0};
    assert_true(isnan(auc_of(score, ones, NULL, 2)));
    assert_true(isnan(auc_of(score, zeros, NULL, 2)));
    assert_true(isnan(auc_of(score, both, none, 2)));
    assert_true(isnan(auc_of(score, both, half, 2)));
    assert_true(isnan(auc_of(NULL, NULL, NULL, 0)));
    assert_true(isnan(ap_of(score, zeros, NULL, 2)));
    assert_true(isnan(ap_of(score, both, half, 2)));
    assert_true(isnan(measure_log_loss(score, both, none, 2, 1e-6)));
    assert_true(isnan(measure_brier(NULL, NULL, NULL, 0)));
    double p = NAN;
    assert_true(isnan(measure_log_loss(&p, ones, NULL, 1, 1e-6)));
}

static void scores_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    const double score[] = {1, NAN};
    const uint8_t y[] = {1, 0};
    double out;
    assert_int_equal(measure_roc_auc(score, y, NULL, 2, &out, NULL), PF_DATA);
    assert_int_equal(measure_average_precision(score, y, NULL, 2, &out, NULL), PF_DATA);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    fault f = {0};
    while (fault_next(&f)) {
        double out;
        pf_status status = measure_roc_auc(g.p, g.y, NULL, GOLDEN_N, &out, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
    }
    assert_int_equal(f.n, 4);
}

static void a_ranking_is_weighted_without_allocating(void **state)
{
    (void)state;
    golden_rows g = golden_make();
    ranked *r;
    assert_int_equal(ranked_new(&r, g.p, g.y, GOLDEN_N, NULL), PF_OK);
    mem_guard_enter();
    assert_near(ranked_roc_auc(r, g.w), 0.6903983425038153, 1e-9);
    assert_near(ranked_average_precision(r, NULL), 0.6303891823534465, 1e-9);
    mem_guard_leave();
    ranked_free(r);
    ranked_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_rows_are_the_ones_meant),
        cmocka_unit_test(metrics_agree_with_scikit_learn),
        cmocka_unit_test(the_area_is_the_share_of_pairs_won),
        cmocka_unit_test(a_weight_of_k_is_k_rows),
        cmocka_unit_test(only_the_order_of_scores_counts_for_ranking),
        cmocka_unit_test(ends_of_the_scale),
        cmocka_unit_test(log_loss_is_clipped_on_both_sides),
        cmocka_unit_test(what_does_not_exist_is_nan),
        cmocka_unit_test(scores_that_are_no_numbers_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(a_ranking_is_weighted_without_allocating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
