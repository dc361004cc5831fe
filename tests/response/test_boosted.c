/* Gradient-boosted trees: they learn what a line cannot, say why, and believe no file. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "measure/classification.h"
#include "response/boosted.h"

enum { N = 600, F = 4, GROUP = 10 };

static float x[N * F];
static uint8_t y[N];

/* y is 1 when the first two features have the same sign: no line divides that. */
static int make(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < F; f++)
            x[i * F + f] = (float)random_normal(&r);
        y[i] = (x[i * F] > 0) == (x[i * F + 1] > 0);
    }
    return 0;
}

static const feature_rows rows = {N, F, x};

static boosted_options quick(void)
{
    boosted_options o = boosted_options_default();
    o.rounds = 40;
    o.eta = 0.3;
    o.threads = 1;
    return o;
}

static double auc_of(const float *margin)
{
    double score[N], auc;
    for (size_t i = 0; i < N; i++)
        score[i] = (double)margin[i];
    assert_int_equal(measure_roc_auc(score, y, NULL, N, &auc, NULL), PF_OK);
    return auc;
}

static void trees_learn_what_no_line_divides(void **state)
{
    (void)state;
    boosted_model m;
    float margin[N];
    boosted_options o = quick();
    assert_int_equal(boosted_fit(&m, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &rows, margin, NULL), PF_OK);
    assert_true(auc_of(margin) > 0.97);
    boosted_free(&m);
}

static void the_order_within_groups_is_learnt(void **state)
{
    (void)state;
    boosted_model m;
    float margin[N];
    size_t start[N / GROUP + 1];
    boosted_options o = quick();
    for (size_t g = 0; g <= N / GROUP; g++)
        start[g] = g * GROUP;
    assert_int_equal(boosted_fit(&m, &rows, y, start, N / GROUP, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &rows, margin, NULL), PF_OK);
    assert_true(auc_of(margin) > 0.9);
    boosted_free(&m);
}

static void a_rising_model_never_falls(void **state)
{
    (void)state;
    boosted_model m;
    float line[50 * F] = {0}, margin[50];
    uint8_t up[N];
    boosted_options o = quick();
    for (size_t i = 0; i < N; i++)
        up[i] = x[i * F] + 0.5f * x[i * F + 2] > 0;
    o.rising = true;
    assert_int_equal(boosted_fit(&m, &rows, up, NULL, 0, &o, NULL), PF_OK);
    for (size_t i = 0; i < 50; i++)
        line[i * F] = -3 + 0.12f * (float)i;
    const feature_rows along = {50, F, line};
    assert_int_equal(boosted_score(&m, &along, margin, NULL), PF_OK);
    for (size_t i = 1; i < 50; i++)
        assert_true(margin[i] >= margin[i - 1]);
    boosted_free(&m);
}

static void the_same_seed_gives_the_same_trees_on_any_threads(void **state)
{
    (void)state;
    boosted_model one, two;
    float a[N], b[N];
    boosted_options o = quick();
    assert_int_equal(boosted_fit(&one, &rows, y, NULL, 0, &o, NULL), PF_OK);
    o.threads = 2;
    assert_int_equal(boosted_fit(&two, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&one, &rows, a, NULL), PF_OK);
    assert_int_equal(boosted_score(&two, &rows, b, NULL), PF_OK);
    assert_memory_equal(a, b, sizeof a);
    boosted_free(&one);
    boosted_free(&two);
}

static void contributions_add_up_to_the_margin(void **state)
{
    (void)state;
    boosted_model m;
    float parts[F + 1], margin[N];
    boosted_options o = quick();
    assert_int_equal(boosted_fit(&m, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &rows, margin, NULL), PF_OK);
    for (size_t i = 0; i < N; i += 50) {
        double sum = 0;
        assert_int_equal(boosted_contributions(&m, x + i * F, parts, NULL), PF_OK);
        for (size_t f = 0; f <= F; f++)
            sum += (double)parts[f];
        assert_true(fabs(sum - (double)margin[i]) < 1e-3);
    }
    boosted_free(&m);
}

/* A tree that splits by a, then where a is 1 by b, on four cells of as many rows each: the exact
 * values of Shapley, with what is not known of a row averaged over the rows that came to a node,
 * and not what each split along the row's own path adds, which gives b too much. */
static void contributions_are_those_of_shapley_and_not_of_the_path(void **state)
{
    (void)state;
    enum { CELLS = 4, EACH = 100 };
    static float cell[CELLS * EACH * 2];
    static uint8_t both[CELLS * EACH];
    float margin[CELLS * EACH], parts[3];
    boosted_model m;
    boosted_options o = quick();
    o.rounds = 1;
    o.depth = 2;
    o.subsample = o.column_sample = 1;
    for (size_t i = 0; i < (size_t)CELLS * EACH; i++) {
        cell[i * 2] = (float)(i / 2 % 2);
        cell[i * 2 + 1] = (float)(i % 2);
        both[i] = i % CELLS == 3;
    }
    const feature_rows cells = {(size_t)CELLS * EACH, 2, cell};
    assert_int_equal(boosted_fit(&m, &cells, both, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &cells, margin, NULL), PF_OK);
    const double none = (double)margin[0], a_alone = (double)margin[2], ab = (double)margin[3];
    assert_true(fabs((double)margin[1] - none) < 1e-7); /* the first split is by a */
    assert_true(ab - a_alone > .1);
    const double usual = none / 2 + a_alone / 4 + ab / 4;
    const double know_a = a_alone / 2 + ab / 2, know_b = none / 2 + ab / 2;
    assert_int_equal(boosted_contributions(&m, cell + 3 * 2, parts, NULL), PF_OK);
    assert_true(fabs((double)parts[0] - (know_a - usual + ab - know_b) / 2) < 1e-5);
    assert_true(fabs((double)parts[1] - (know_b - usual + ab - know_a) / 2) < 1e-5);
    assert_true(fabs((double)parts[1] - (ab - know_a)) > .01); /* the path's */
    boosted_free(&m);
}

static void nothing_to_learn_is_said(void **state)
{
    (void)state;
    boosted_model m;
    pf_error err = {0};
    uint8_t none[N] = {0};
    boosted_options o = quick();
    const feature_rows empty = {0, F, x}, wide = {1, LINEAR_MAX_FEATURES + 1, x};
    assert_int_equal(boosted_fit(&m, &rows, none, NULL, 0, &o, &err), PF_DATA);
    assert_non_null(strstr(err.message, "nothing to learn"));
    assert_null(m.booster);
    assert_int_equal(boosted_fit(&m, &empty, y, NULL, 0, &o, &err), PF_DATA);
    assert_int_equal(boosted_fit(&m, &wide, y, NULL, 0, &o, &err), PF_LIMIT);
    boosted_free(&m);
}

static void rows_of_another_width_are_refused(void **state)
{
    (void)state;
    boosted_model m;
    float margin[N];
    boosted_options o = quick();
    const feature_rows narrow = {10, F - 1, x};
    assert_int_equal(boosted_fit(&m, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &narrow, margin, NULL), PF_INTERNAL);
    boosted_free(&m);
}

static void a_saved_model_scores_as_before_and_a_broken_one_is_refused(void **state)
{
    (void)state;
    char path[64];
    boosted_model m, back;
    safetensors_writer *w;
    safetensors *file;
    pf_error err = {0};
    float a[N], b[N];
    boosted_options o = quick();
    uint64_t broken_bytes = 40;
    (void)snprintf(path, sizeof path, "/tmp/proffer-boosted-%d", (int)getpid());
    assert_int_equal(boosted_fit(&m, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(boosted_save(&m, "good", w, NULL), PF_OK);
    assert_int_equal(safetensors_add(w, "bad.trees", TENSOR_U8, m.bytes, 1, &broken_bytes,
                                     NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    assert_int_equal(boosted_load(&back, "good", F, file, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &rows, a, NULL), PF_OK);
    assert_int_equal(boosted_score(&back, &rows, b, NULL), PF_OK);
    assert_memory_equal(a, b, sizeof a);
    boosted_free(&back);
    assert_int_equal(boosted_load(&back, "bad", F, file, &err), PF_DATA);
    assert_int_equal(boosted_load(&back, "good", F + 1, file, &err), PF_DATA);
    assert_int_equal(boosted_load(&back, "absent", F, file, &err), PF_DATA);
    safetensors_close(file);
    boosted_free(&m);
    (void)unlink(path);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    boosted_options o = quick();
    o.rounds = 2;
    while (fault_next(&f)) {
        boosted_model m;
        pf_status s = boosted_fit(&m, &rows, y, NULL, 0, &o, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(m.booster);
        }
        boosted_free(&m);
    }
    assert_true(f.n > 2);
}

/* Half spend nothing; what the others spend grows by a factor of e with the first feature. */
static void make_amounts(float *amount, double *mean)
{
    random_stream r = random_begin(5, 0);
    for (size_t i = 0; i < N; i++) {
        mean[i] = 10 * exp((double)x[i * F]);
        amount[i] = random_unit(&r) < 0.5 ? 0 : (float)(2 * mean[i] * random_gamma(&r, 4) / 4);
    }
}

static double mean_of(const float *v)
{
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += (double)v[i];
    return sum / N;
}

/* Mean distance from the truth, in parts of the mean. */
static double error_of(const float *expected, const double *mean)
{
    double off = 0, all = 0;
    for (size_t i = 0; i < N; i++) {
        off += fabs((double)expected[i] - mean[i]);
        all += mean[i];
    }
    return off / all;
}

static void amounts_are_learnt_and_their_sum_is_kept(void **state)
{
    (void)state;
    static float amount[N], expected[N];
    static double mean[N];
    boosted_options o = quick();
    o.eta = 0.1;
    o.minimum_weight = 20;
    make_amounts(amount, mean);
    for (int kind = BOOSTED_SQUARED; kind <= BOOSTED_TWEEDIE; kind++) {
        boosted_model m;
        assert_int_equal(boosted_fit_amounts(&m, &rows, amount, NULL, (boosted_amount)kind,
                                             &o, NULL),
                         PF_OK);
        assert_int_equal(boosted_expect(&m, &rows, expected, NULL), PF_OK);
        assert_true(error_of(expected, mean) < 0.45); /* of a constant: 0.75 */
        assert_true(fabs(mean_of(expected) / mean_of(amount) - 1) < 0.1);
        boosted_free(&m);
    }
}

/* Only what is above zero, for the kind that knows no zero; weights as if rows stood there
 * twice. */
static void sizes_are_learnt_with_weights(void **state)
{
    (void)state;
    static float some[N], size[N], weight[N];
    const feature_rows one = {N, 1, some};
    float ask[2] = {0, 1}, expected[2];
    const feature_rows asked = {2, 1, ask};
    boosted_model m;
    boosted_options o = quick();
    for (size_t i = 0; i < N; i++) { /* mean (3 x 1 + 1 x 9) / 4 = 3 where the feature is 1 */
        some[i] = i % 3 > 0;
        size[i] = i % 3 == 2 ? 9 : 1;
        weight[i] = i % 3 == 2 ? 1 : 3;
    }
    assert_int_equal(boosted_fit_amounts(&m, &one, size, weight, BOOSTED_GAMMA, &o, NULL), PF_OK);
    assert_int_equal(boosted_expect(&m, &asked, expected, NULL), PF_OK);
    assert_float_equal(expected[0], 1, 0.1);
    assert_float_equal(expected[1], 3, 0.1);
    boosted_free(&m);
}

static void amounts_whose_effects_multiply_are_never_below_zero(void **state)
{
    (void)state;
    static float amount[N], expected[N];
    static double mean[N];
    boosted_model m;
    boosted_options o = quick();
    make_amounts(amount, mean);
    assert_int_equal(boosted_fit_amounts(&m, &rows, amount, NULL, BOOSTED_TWEEDIE, &o, NULL),
                     PF_OK);
    assert_int_equal(boosted_expect(&m, &rows, expected, NULL), PF_OK);
    for (size_t i = 0; i < N; i++)
        assert_true(expected[i] > 0);
    boosted_free(&m);
}

static void what_is_unknown_has_an_amount_of_its_own(void **state)
{
    (void)state;
    static float some[N], amount[N];
    const feature_rows one = {N, 1, some};
    float ask[3] = {-1, NAN, 1}, expected[3];
    const feature_rows asked = {3, 1, ask};
    boosted_model m;
    boosted_options o = quick();
    for (size_t i = 0; i < N; i++) {
        some[i] = ask[i % 3];
        amount[i] = i % 3 == 1 ? 7 : 1;
    }
    assert_int_equal(boosted_fit_amounts(&m, &one, amount, NULL, BOOSTED_SQUARED, &o, NULL), PF_OK);
    assert_int_equal(boosted_expect(&m, &asked, expected, NULL), PF_OK);
    assert_float_equal(expected[0], 1, 0.2);
    assert_float_equal(expected[1], 7, 0.2);
    assert_float_equal(expected[2], 1, 0.2);
    boosted_free(&m);
}

static void expected_outcomes_of_yes_and_no_are_probabilities(void **state)
{
    (void)state;
    boosted_model m;
    static float p[N], margin[N];
    boosted_options o = quick();
    assert_int_equal(boosted_fit(&m, &rows, y, NULL, 0, &o, NULL), PF_OK);
    assert_int_equal(boosted_expect(&m, &rows, p, NULL), PF_OK);
    assert_int_equal(boosted_score(&m, &rows, margin, NULL), PF_OK);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs((double)p[i] - 1 / (1 + exp(-(double)margin[i]))) < 1e-5);
    boosted_free(&m);
}

static pf_status refused(const feature_rows *of, const float *amount, const float *weight,
                         boosted_amount kind, pf_error *err)
{
    boosted_model m;
    const boosted_options o = quick();
    pf_status s = boosted_fit_amounts(&m, of, amount, weight, kind, &o, err);
    assert_null(m.booster);
    return s;
}

static void amounts_that_are_none_are_refused(void **state)
{
    (void)state;
    static float same[N], amount[N];
    static double mean[N];
    pf_error err = {0};
    const feature_rows empty = {0, F, x}, wide = {1, LINEAR_MAX_FEATURES + 1, x};
    assert_int_equal(refused(&rows, same, NULL, BOOSTED_SQUARED, &err), PF_DATA);
    assert_non_null(strstr(err.message, "nothing to learn"));
    make_amounts(amount, mean);
    amount[3] = -1;
    assert_int_equal(refused(&rows, amount, NULL, BOOSTED_TWEEDIE, &err), PF_DATA);
    assert_non_null(strstr(err.message, "row 3"));
    memset(amount, 0, sizeof amount);
    amount[3] = 1;
    assert_int_equal(refused(&rows, amount, NULL, BOOSTED_GAMMA, &err), PF_DATA);
    assert_non_null(strstr(err.message, "above 0"));
    assert_int_equal(refused(&rows, amount, same, BOOSTED_SQUARED, &err), PF_DATA);
    assert_non_null(strstr(err.message, "weight of row 0"));
    amount[3] = NAN;
    assert_int_equal(refused(&rows, amount, NULL, BOOSTED_SQUARED, &err), PF_DATA);
    assert_int_equal(refused(&empty, amount, NULL, BOOSTED_SQUARED, &err), PF_DATA);
    assert_int_equal(refused(&wide, amount, NULL, BOOSTED_SQUARED, &err), PF_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_learn_what_no_line_divides),
        cmocka_unit_test(the_order_within_groups_is_learnt),
        cmocka_unit_test(a_rising_model_never_falls),
        cmocka_unit_test(the_same_seed_gives_the_same_trees_on_any_threads),
        cmocka_unit_test(contributions_add_up_to_the_margin),
        cmocka_unit_test(contributions_are_those_of_shapley_and_not_of_the_path),
        cmocka_unit_test(nothing_to_learn_is_said),
        cmocka_unit_test(rows_of_another_width_are_refused),
        cmocka_unit_test(a_saved_model_scores_as_before_and_a_broken_one_is_refused),
        cmocka_unit_test(amounts_are_learnt_and_their_sum_is_kept),
        cmocka_unit_test(sizes_are_learnt_with_weights),
        cmocka_unit_test(amounts_whose_effects_multiply_are_never_below_zero),
        cmocka_unit_test(what_is_unknown_has_an_amount_of_its_own),
        cmocka_unit_test(expected_outcomes_of_yes_and_no_are_probabilities),
        cmocka_unit_test(amounts_that_are_none_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
