/*
 * Linear models and Newton's method: against closed forms where there are some, against
 * the condition of a minimum where there are none.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "tensor/linear.h"
#include "tensor/newton.h"

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * (1 + fabs(b)))) fail_msg("%.12g is not %.12g", a, b);
}

static linear_options free_of_penalty(void)
{
    linear_options o = linear_options_default();
    o.ridge = 0;
    o.clip = 0;
    return o;
}

/* ---- Cholesky and Newton ---- */

static void a_positive_system_is_solved(void **state)
{
    (void)state;
    double a[9] = {4, 0, 0, 2, 5, 0, 2, 3, 6}; /* lower triangle */
    double x[3] = {8, 10, 11};                 /* of the solution (1, 1, 1) */
    assert_int_equal(cholesky_solve(a, 3, x), 0);
    for (int i = 0; i < 3; i++)
        near(x[i], 1, 1e-12);
}

static void a_pivot_that_is_not_positive_is_named(void **state)
{
    (void)state;
    double a[4] = {1, 0, 2, 4}, x[2] = {1, 1};
    assert_int_equal(cholesky_solve(a, 2, x), 2);
}

/* sum of cosh(b_i - i): convex, and too steep for a full step from far away. */
static double steep(void *context, const double *b, double *gradient, double *hessian)
{
    size_t n = *(const size_t *)context;
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double d = b[i] - (double)i;
        loss += cosh(d);
        if (gradient == NULL) continue;
        gradient[i] += sinh(d);
        hessian[i * n + i] += cosh(d);
    }
    return loss;
}

static void newton_finds_the_minimum_from_far_away(void **state)
{
    (void)state;
    size_t n = 5;
    double b[5] = {9, -9, 12, 0, 30};
    assert_int_equal(newton_minimise(steep, &n, n, b, 100, NULL), PF_OK);
    for (size_t i = 0; i < n; i++)
        near(b[i], (double)i, 1e-8);
}

/* ---- logistic ---- */

/* Feature 1 where i is even; 3 of 4 of those respond, 1 of 4 of the others. */
static void one_yes_or_no_feature_gives_the_log_odds(void **state)
{
    (void)state;
    float x[80];
    uint8_t y[80];
    for (int i = 0; i < 80; i++) {
        x[i] = (float)(i % 2 == 0);
        bool responds = i % 2 == 0 ? i % 8 != 0 : i % 8 == 1;
        y[i] = responds;
    }
    const feature_rows rows = {80, 1, x};
    const linear_options o = free_of_penalty();
    linear_model m;
    assert_int_equal(linear_fit_logistic(&m, &rows, y, NULL, &o, NULL), PF_OK);
    const float yes = 1, no = 0;
    near(linear_score(&m, &yes), log(3), 1e-8);
    near(linear_probability(&m, &no), 0.25, 1e-8);
    near(linear_contribution(&m, &yes, 0) - linear_contribution(&m, &no, 0), 2 * log(3),
         1e-8);
    linear_free(&m);
}

enum { N = 400, F = 4 };

typedef struct sample {
    float x[N * F];
    uint8_t y[N];
    size_t start[N / 8 + 1];
} sample;

/* Features of different units; the last is constant. Groups of eight rows. */
static void draw(sample *s)
{
    random_stream r = random_begin(5, 1);
    for (size_t i = 0; i < N; i++) {
        float *x = s->x + i * F;
        x[0] = (float)random_normal(&r);
        x[1] = (float)(1000 * random_unit(&r));
        x[2] = x[0] + (float)random_normal(&r);
        x[3] = 7;
        double score = (double)x[0] - 0.003 * (double)x[1] + 0.5;
        s->y[i] = random_unit(&r) < 1 / (1 + exp(-score));
    }
    for (size_t g = 0; g <= N / 8; g++)
        s->start[g] = g * 8;
}

static double logistic_loss(const linear_model *m, const sample *s, double penalty)
{
    double loss = 0;
    for (size_t f = 0; f < F; f++)
        loss += 0.5 * penalty * m->weight[f] * m->weight[f];
    for (size_t i = 0; i < N; i++) {
        double z = linear_score(m, s->x + i * F);
        loss += log1p(exp(-fabs(z))) + fmax(z, 0) - (s->y[i] ? z : 0);
    }
    return loss;
}

static double choice_loss(const linear_model *m, const sample *s, const linear_options *o)
{
    double loss = 0, total = 0;
    for (size_t g = 0; g < N / 8; g++) {
        double sum = 0, k = 0;
        for (size_t i = s->start[g]; i < s->start[g + 1]; i++) {
            sum += exp(linear_score(m, s->x + i * F));
            k += s->y[i];
        }
        if (!(k > 0)) continue;
        double w = pow(k, o->alpha - 1);
        total += w * k;
        for (size_t i = s->start[g]; i < s->start[g + 1]; i++)
            if (s->y[i]) loss += w * (log(sum) - linear_score(m, s->x + i * F));
    }
    for (size_t f = 0; f < F; f++)
        loss += 0.5 * o->ridge * total * m->weight[f] * m->weight[f];
    return loss;
}

static void the_logistic_fit_is_the_minimum_of_its_penalised_loss(void **state)
{
    (void)state;
    static sample s;
    draw(&s);
    const feature_rows rows = {N, F, s.x};
    linear_options o = free_of_penalty();
    o.ridge = 0.01;
    linear_model m;
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_OK);
    double best = logistic_loss(&m, &s, o.ridge * N);
    for (size_t f = 0; f < F - 1; f++)
        for (int sign = -1; sign <= 1; sign += 2) {
            m.weight[f] += 1e-3 * sign;
            assert_true(logistic_loss(&m, &s, o.ridge * N) > best);
            m.weight[f] -= 1e-3 * sign;
        }
    m.intercept += 1e-3;
    assert_true(logistic_loss(&m, &s, o.ridge * N) > best);
    assert_true(m.scale[3] <= 0); /* the constant feature does not count */
    linear_free(&m);
}

static void the_choice_fit_is_the_minimum_of_its_penalised_loss(void **state)
{
    (void)state;
    static sample s;
    draw(&s);
    memset(s.y, 0, 8); /* a group without a positive says nothing */
    const feature_rows rows = {N, F, s.x};
    linear_options o = free_of_penalty();
    o.ridge = 0.01;
    linear_model m;
    assert_int_equal(linear_fit_choice(&m, &rows, s.y, s.start, N / 8, &o, NULL), PF_OK);
    double best = choice_loss(&m, &s, &o);
    for (size_t f = 0; f < F - 1; f++)
        for (int sign = -1; sign <= 1; sign += 2) {
            m.weight[f] += 1e-3 * sign;
            assert_true(choice_loss(&m, &s, &o) > best);
            m.weight[f] -= 1e-3 * sign;
        }
    linear_free(&m);
}

static void a_weight_of_two_is_the_row_twice(void **state)
{
    (void)state;
    static sample s;
    static float twice[2 * N * F];
    static uint8_t y[2 * N];
    static double weight[N];
    size_t n = 0;
    draw(&s);
    for (size_t i = 0; i < N; i++) {
        weight[i] = i % 3 == 0 ? 2 : 1;
        for (int k = 0; k < (i % 3 == 0 ? 2 : 1); k++) {
            memcpy(twice + n * F, s.x + i * F, F * sizeof(float));
            y[n++] = s.y[i];
        }
    }
    const feature_rows rows = {N, F, s.x}, more = {n, F, twice};
    const linear_options o = free_of_penalty();
    linear_model a, b;
    assert_int_equal(linear_fit_logistic(&a, &rows, s.y, weight, &o, NULL), PF_OK);
    assert_int_equal(linear_fit_logistic(&b, &more, y, NULL, &o, NULL), PF_OK);
    for (size_t i = 0; i < N; i++)
        near(linear_score(&a, s.x + i * F), linear_score(&b, s.x + i * F), 1e-6);
    linear_free(&a);
    linear_free(&b);
}

/* y = 2 + 3 x0 - x1, or its exponential: found exactly, whichever rows weigh more. */
static void a_mean_that_is_linear_is_found(void **state)
{
    (void)state;
    static sample s;
    static double y[N], weight[N];
    draw(&s);
    const feature_rows rows = {N, F, s.x};
    const linear_options o = free_of_penalty();
    for (int kind = LINEAR_MEAN_SUM; kind <= LINEAR_MEAN_LOG; kind++) {
        linear_model m;
        for (size_t i = 0; i < N; i++) {
            const double sum = 2 + 0.3 * (double)s.x[i * F] - 0.1 * (double)s.x[i * F + 1];
            y[i] = kind == LINEAR_MEAN_LOG ? exp(sum) : sum;
            weight[i] = 1 + (double)(i % 4);
        }
        assert_int_equal(linear_fit_mean(&m, &rows, y, weight, (linear_mean)kind, &o, NULL),
                         PF_OK);
        for (size_t i = 0; i < N; i++) {
            const double said = linear_score(&m, s.x + i * F);
            near(kind == LINEAR_MEAN_LOG ? exp(said) : said, y[i], 1e-6);
        }
        linear_free(&m);
    }
}

/* Where no line fits: residuals add up to nothing, alone and along each feature. */
static void residuals_of_a_mean_are_balanced(void **state)
{
    (void)state;
    static sample s;
    static double y[N];
    draw(&s);
    const feature_rows rows = {N, F, s.x};
    const linear_options o = free_of_penalty();
    for (int kind = LINEAR_MEAN_SUM; kind <= LINEAR_MEAN_LOG; kind++) {
        linear_model m;
        double sum[F + 1] = {0};
        for (size_t i = 0; i < N; i++)
            y[i] = (double)(i % 7) * (double)s.y[i];
        assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, (linear_mean)kind, &o, NULL), PF_OK);
        for (size_t i = 0; i < N; i++) {
            const double said = linear_score(&m, s.x + i * F);
            const double left = y[i] - (kind == LINEAR_MEAN_LOG ? exp(said) : said);
            sum[F] += left;
            for (size_t f = 0; f < F; f++)
                sum[f] += left * ((double)s.x[i * F + f] - m.mean[f]) * m.scale[f];
        }
        for (size_t f = 0; f <= F; f++)
            near(sum[f], 0, 1e-4);
        linear_free(&m);
    }
}

static void means_that_teach_nothing_are_told(void **state)
{
    (void)state;
    static sample s;
    static double y[N];
    draw(&s);
    feature_rows rows = {N, F, s.x};
    const linear_options o = linear_options_default();
    linear_model m;
    assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, LINEAR_MEAN_LOG, &o, NULL), PF_DATA);
    y[3] = -1;
    assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, LINEAR_MEAN_LOG, &o, NULL), PF_DATA);
    assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, LINEAR_MEAN_SUM, &o, NULL), PF_OK);
    linear_free(&m);
    y[3] = NAN;
    assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, LINEAR_MEAN_SUM, &o, NULL), PF_DATA);
    rows.n = 0;
    assert_int_equal(linear_fit_mean(&m, &rows, y, NULL, LINEAR_MEAN_SUM, &o, NULL), PF_DATA);
    assert_null(m.mean);
}

static void an_outlier_is_clipped(void **state)
{
    (void)state;
    static sample s;
    draw(&s);
    const feature_rows rows = {N, F, s.x};
    const linear_options o = linear_options_default();
    linear_model m;
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_OK);
    const float far[F] = {1e6f, 0, 0, 7}, edge[F] = {50, 0, 0, 7};
    near(linear_score(&m, far), linear_score(&m, edge), 1e-12);
    near(linear_contribution(&m, far, 0), 3 * m.weight[0], 1e-12);
    linear_free(&m);
}

static void what_teaches_nothing_is_told(void **state)
{
    (void)state;
    static sample s;
    draw(&s);
    feature_rows rows = {N, F, s.x};
    const linear_options o = linear_options_default();
    linear_model m;
    uint8_t none[N] = {0};
    assert_int_equal(linear_fit_logistic(&m, &rows, none, NULL, &o, NULL), PF_DATA);
    assert_null(m.mean);
    assert_int_equal(linear_fit_choice(&m, &rows, none, s.start, N / 8, &o, NULL),
                     PF_DATA);
    rows.n = 0;
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_DATA);
    rows = (feature_rows){1, LINEAR_MAX_FEATURES + 1, s.x};
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_LIMIT);
    rows = (feature_rows){N, F, s.x};
    s.x[9] = NAN;
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_DATA);
}

/* ---- known weights, files, faults ---- */

static void known_weights_score_as_a_sum(void **state)
{
    (void)state;
    linear_model m;
    const float x[2] = {3, 10};
    assert_int_equal(linear_new(&m, 2, 0, NULL), PF_OK);
    near(linear_score(&m, x), 0, 0);
    m.weight[0] = 2;
    m.weight[1] = -0.5;
    m.intercept = 1;
    near(linear_score(&m, x), 2, 1e-12);
    linear_free(&m);
    assert_int_equal(linear_new(&m, 0, 0, NULL), PF_LIMIT);
    assert_int_equal(linear_new(&m, LINEAR_MAX_FEATURES + 1, 0, NULL), PF_LIMIT);
}

static void write_model(const char *path, const linear_model *m)
{
    safetensors_writer *w = NULL;
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(linear_save(m, "m", w, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
}

static pf_status read_model(const char *path, size_t features, linear_model *m)
{
    safetensors *file = NULL;
    assert_int_equal(safetensors_open(&file, path, NULL), PF_OK);
    pf_status s = linear_load(m, "m", features, file, NULL);
    safetensors_close(file);
    return s;
}

static void a_saved_model_comes_back_or_is_refused(void **state)
{
    (void)state;
    static sample s;
    char path[256];
    draw(&s);
    (void)snprintf(path, sizeof path, "%s/linear-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    const feature_rows rows = {N, F, s.x};
    const linear_options o = linear_options_default();
    linear_model m, again;
    assert_int_equal(linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL), PF_OK);
    write_model(path, &m);
    assert_int_equal(read_model(path, F, &again), PF_OK);
    for (size_t i = 0; i < N; i++)
        assert_true(linear_score(&m, s.x + i * F) == linear_score(&again, s.x + i * F));
    linear_free(&again);
    assert_int_equal(read_model(path, F + 1, &again), PF_DATA);
    assert_null(again.mean);
    m.weight[1] = INFINITY;
    write_model(path, &m);
    assert_int_equal(read_model(path, F, &again), PF_DATA);
    linear_free(&m);
    (void)remove(path);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    static sample s;
    draw(&s);
    const feature_rows rows = {N, F, s.x};
    const linear_options o = linear_options_default();
    for (int choice = 0; choice < 2; choice++) {
        fault f = {0};
        while (fault_next(&f)) {
            linear_model m;
            pf_status status =
                choice ? linear_fit_choice(&m, &rows, s.y, s.start, N / 8, &o, NULL)
                       : linear_fit_logistic(&m, &rows, s.y, NULL, &o, NULL);
            if (fault_reached(&f)) {
                assert_int_equal(status, PF_NO_MEMORY);
                assert_null(m.mean);
            }
            linear_free(&m);
        }
        assert_true(f.n > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_positive_system_is_solved),
        cmocka_unit_test(a_pivot_that_is_not_positive_is_named),
        cmocka_unit_test(newton_finds_the_minimum_from_far_away),
        cmocka_unit_test(one_yes_or_no_feature_gives_the_log_odds),
        cmocka_unit_test(the_logistic_fit_is_the_minimum_of_its_penalised_loss),
        cmocka_unit_test(the_choice_fit_is_the_minimum_of_its_penalised_loss),
        cmocka_unit_test(a_weight_of_two_is_the_row_twice),
        cmocka_unit_test(a_mean_that_is_linear_is_found),
        cmocka_unit_test(residuals_of_a_mean_are_balanced),
        cmocka_unit_test(means_that_teach_nothing_are_told),
        cmocka_unit_test(an_outlier_is_clipped),
        cmocka_unit_test(what_teaches_nothing_is_told),
        cmocka_unit_test(known_weights_score_as_a_sum),
        cmocka_unit_test(a_saved_model_comes_back_or_is_refused),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
