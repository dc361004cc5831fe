/* response/regression.h: chances, numbers and amounts by lines and trees. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "response/regression.h"

enum { N = 3000, F = 2 };

static float x[N * F];
static double y[REGRESSION_KINDS][N], truth[REGRESSION_KINDS][N];

static int make(void **state)
{
    (void)state;
    random_stream r = random_begin(4, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < F; f++)
            x[i * F + f] = (float)random_normal(&r);
        const double a = (double)x[i * F], b = (double)x[i * F + 1];
        const double p = 1 / (1 + exp(0.5 - a)), size = 20 * exp(0.4 * b);
        truth[REGRESSION_CHANCE][i] = p;
        truth[REGRESSION_NUMBER][i] = -2 + 3 * a - b;
        truth[REGRESSION_AMOUNT][i] = p * size;
        y[REGRESSION_CHANCE][i] = random_unit(&r) < p;
        y[REGRESSION_NUMBER][i] = truth[REGRESSION_NUMBER][i] + random_normal(&r);
        y[REGRESSION_AMOUNT][i] = y[REGRESSION_CHANCE][i] * size * random_gamma(&r, 4) / 4;
    }
    return 0;
}

static const feature_rows rows = {N, F, x};

static regression_settings settings_of(regression_base base)
{
    regression_settings s = {.base = base, .ridge = 1e-4, .trees = boosted_options_default()};
    s.trees.threads = 1;
    s.trees.rounds = 80;
    s.trees.eta = 0.1;
    return s;
}

static void fit(regression *r, regression_kind kind, regression_base base)
{
    const regression_settings s = settings_of(base);
    pf_error err = {0};
    if (regression_fit(r, &rows, y[kind], kind, &s, &err) != PF_OK) fail_msg("%s", err.message);
}

static double correlation(const double *a, const double *b, size_t n)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        sa += a[i] / (double)n;
        sb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        aa += (a[i] - sa) * (a[i] - sa);
        bb += (b[i] - sb) * (b[i] - sb);
        ab += (a[i] - sa) * (b[i] - sb);
    }
    return ab / sqrt(aa * bb);
}

static double mean(const double *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] / (double)n;
    return sum;
}

static void every_kind_is_learnt_on_either_base(void **state)
{
    (void)state;
    static double said[N];
    for (int kind = 0; kind < REGRESSION_KINDS; kind++)
        for (int base = REGRESSION_LINEAR; base <= REGRESSION_TREES; base++) {
            regression r;
            fit(&r, (regression_kind)kind, (regression_base)base);
            assert_int_equal(regression_expect(&r, &rows, said, NULL), PF_OK);
            assert_true(correlation(said, truth[kind], N) > (base == REGRESSION_TREES ? .93 : .99));
            assert_true(fabs(mean(said, N) - mean(y[kind], N)) < .05 * fabs(mean(y[kind], N)));
            regression_free(&r);
        }
}

static void what_never_varies_is_a_constant(void **state)
{
    (void)state;
    static double same[N];
    double said[3];
    const feature_rows asked = {3, F, x};
    const double values[] = {0, 1, 7};
    for (int kind = 0; kind < REGRESSION_KINDS; kind++)
        for (int v = 0; v < 3; v++) {
            regression r;
            const regression_settings s = settings_of(REGRESSION_TREES);
            for (size_t i = 0; i < N; i++)
                same[i] = values[v];
            assert_int_equal(regression_fit(&r, &rows, same, (regression_kind)kind, &s, NULL),
                             PF_OK);
            assert_int_equal(regression_expect(&r, &asked, said, NULL), PF_OK);
            const double is = kind == REGRESSION_CHANCE ? values[v] > 0 : values[v];
            for (int i = 0; i < 3; i++)
                assert_true(said[i] == is);
            regression_free(&r);
        }
}

/* The exponential of a line runs away where nothing was seen: amounts stay below the largest. */
static void amounts_stay_within_what_was_seen(void **state)
{
    (void)state;
    regression r;
    double said;
    const float far[F] = {50, 50};
    fit(&r, REGRESSION_AMOUNT, REGRESSION_LINEAR);
    assert_int_equal(regression_expect(&r, &(feature_rows){1, F, far}, &said, NULL), PF_OK);
    assert_true(said <= r.largest && said > 0.9 * r.largest);
    regression_free(&r);
}

static void outcomes_that_are_none_are_refused(void **state)
{
    (void)state;
    regression r;
    pf_error err = {0};
    const regression_settings s = settings_of(REGRESSION_LINEAR);
    double bad[3] = {1, 0, NAN};
    const feature_rows few = {3, F, x}, none = {0, F, x};
    for (int kind = 0; kind < REGRESSION_KINDS; kind++) {
        bad[2] = NAN;
        assert_int_equal(regression_fit(&r, &few, bad, (regression_kind)kind, &s, &err), PF_DATA);
        assert_non_null(strstr(err.message, "row 2"));
        bad[2] = -1;
        assert_int_equal(regression_fit(&r, &few, bad, (regression_kind)kind, &s, NULL),
                         kind == REGRESSION_NUMBER ? PF_OK : PF_DATA);
        regression_free(&r);
        assert_int_equal(regression_fit(&r, &none, bad, (regression_kind)kind, &s, NULL), PF_DATA);
        assert_null(r.mean.line.mean);
    }
}

static char path[256];

static void save(const regression *r)
{
    safetensors_writer *w = NULL;
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(regression_save(r, "r", w, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
}

static pf_status load(regression *r, size_t features)
{
    safetensors *file = NULL;
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    pf_status s = regression_load(r, "r", features, file, NULL);
    safetensors_close(file);
    return s;
}

static void a_saved_one_says_the_same_and_a_damaged_one_is_refused(void **state)
{
    (void)state;
    static double before[N], after[N];
    (void)snprintf(path, sizeof path, "%s/regression-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    for (int kind = 0; kind < REGRESSION_KINDS; kind++)
        for (int base = REGRESSION_LINEAR; base <= REGRESSION_TREES; base++) {
            regression r, again;
            fit(&r, (regression_kind)kind, (regression_base)base);
            save(&r);
            assert_int_equal(load(&again, F), PF_OK);
            assert_int_equal(regression_expect(&r, &rows, before, NULL), PF_OK);
            assert_int_equal(regression_expect(&again, &rows, after, NULL), PF_OK);
            assert_memory_equal(before, after, sizeof before);
            regression_free(&again);
            assert_int_equal(load(&again, F + 1), PF_DATA);
            r.largest = -1;
            save(&r);
            assert_int_equal(load(&again, F), PF_DATA);
            r.largest = 1;
            r.mean.constant = NAN;
            save(&r);
            assert_int_equal(load(&again, F), PF_DATA);
            assert_null(again.mean.line.mean);
            regression_free(&r);
        }
    (void)remove(path);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    double said[50];
    const feature_rows few = {50, F, x};
    for (int kind = 0; kind < REGRESSION_KINDS; kind++)
        for (int base = REGRESSION_LINEAR; base <= REGRESSION_TREES; base++) {
            fault f = {0};
            regression_settings s = settings_of((regression_base)base);
            s.trees.rounds = 2;
            while (fault_next(&f)) {
                regression r;
                pf_status status =
                    regression_fit(&r, &few, y[kind], (regression_kind)kind, &s, NULL);
                if (status == PF_OK) status = regression_expect(&r, &few, said, NULL);
                if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
                regression_free(&r);
            }
            assert_true(f.n > 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_learnt_on_either_base),
        cmocka_unit_test(what_never_varies_is_a_constant),
        cmocka_unit_test(amounts_stay_within_what_was_seen),
        cmocka_unit_test(outcomes_that_are_none_are_refused),
        cmocka_unit_test(a_saved_one_says_the_same_and_a_damaged_one_is_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
