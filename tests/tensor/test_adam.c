/*
 * tensor/adam.h against the formulas in double precision: dense and by rows, workers added in
 * order, clipping, decay, the same bits on any number of threads, and nothing changed by a
 * gradient that is not finite.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tensor/adam.h"

enum { ARRAYS = 4, WORKERS = 3, ROWS = 9, TABLE_ROWS = 1000, WIDTH = 20 };
static const parameter_shape shapes[ARRAYS] = {
    {.name = "a", .rows = 7, .columns = 1111, .start = PARAMETER_NORMAL, .spread = 1,
     .decays = true},
    {.name = "table", .rows = TABLE_ROWS, .columns = WIDTH, .start = PARAMETER_NORMAL,
     .spread = 1, .decays = true, .sparse = true},
    {.name = "b", .rows = 1, .columns = 5, .start = PARAMETER_ONE},
    {.name = "c", .rows = 300, .columns = 257, .start = PARAMETER_GLOROT_UNIFORM},
};
static const uint32_t touched[ROWS] = {0, 1, 5, 17, 18, 500, 501, 998, 999};

typedef struct problem {
    parameters *p;
    float *gradient[WORKERS], *of_rows[WORKERS];
    adam_rows rows;
    adam_gradients g;
    adam_options options;
} problem;

static void draw_gradients(problem *q, uint64_t turn)
{
    random_stream r = random_begin(5, turn);
    for (size_t w = 0; w < WORKERS; w++) {
        for (size_t i = 0; i < parameters_count(q->p); i++)
            for (size_t j = 0; !shapes[i].sparse && j < shapes[i].rows * shapes[i].columns; j++)
                q->gradient[w][parameters_offsets(q->p)[i] + j] = (float)random_normal(&r);
        for (size_t j = 0; j < ROWS * WIDTH; j++)
            q->of_rows[w][j] = (float)random_normal(&r);
    }
}

static problem problem_new(void)
{
    problem q = {.options = {0.01f, 0.8f, 0.95f, 1e-6f, 0.1f}};
    assert_int_equal(parameters_new(&q.p, shapes, ARRAYS, NULL), PF_OK);
    parameters_start(q.p, 1);
    assert_int_equal(parameters_add_moments(q.p, NULL), PF_OK);
    for (size_t w = 0; w < WORKERS; w++) {
        q.gradient[w] = mem_alloc_aligned(parameters_dense_floats(q.p), sizeof(float));
        memset(q.gradient[w], 0, parameters_dense_floats(q.p) * sizeof(float));
        q.of_rows[w] = mem_alloc_aligned(ROWS * WIDTH, sizeof(float));
    }
    draw_gradients(&q, 0);
    return q;
}

/* Points of q into itself are set here, where q no longer moves. */
static void problem_wire(problem *q)
{
    q->rows = (adam_rows){1, ROWS, touched, q->of_rows};
    q->g = (adam_gradients){q->gradient, WORKERS, 0.25f, &q->rows, 1};
}

static void problem_free(problem *q)
{
    parameters_free(q->p);
    for (size_t w = 0; w < WORKERS; w++) {
        mem_free(q->gradient[w]);
        mem_free(q->of_rows[w]);
    }
}

/* The gradient of element j of array i as the formulas see it; 0 for rows not touched. */
static double gradient_of(const problem *q, size_t i, size_t j, bool *moves)
{
    double sum = 0;
    *moves = true;
    if (!shapes[i].sparse) {
        for (size_t w = 0; w < WORKERS; w++)
            sum += (double)q->gradient[w][parameters_offsets(q->p)[i] + j];
        return sum * (double)q->g.scale;
    }
    for (size_t k = 0; k < ROWS; k++) {
        if (touched[k] != j / WIDTH) continue;
        for (size_t w = 0; w < WORKERS; w++)
            sum += (double)q->of_rows[w][k * WIDTH + j % WIDTH];
        return sum * (double)q->g.scale;
    }
    *moves = false;
    return 0;
}

/* One step of the naive twin on x [3 x floats]: values, first, second. */
static double naive_step(const problem *q, double *x, double t, double clip)
{
    size_t floats = parameters_floats(q->p);
    const adam_options *o = &q->options;
    double squares = 0, factor = 1;
    bool moves;
    for (size_t i = 0; i < ARRAYS; i++)
        for (size_t j = 0; j < shapes[i].rows * shapes[i].columns; j++) {
            double g = gradient_of(q, i, j, &moves);
            squares += g * g;
        }
    double norm = sqrt(squares);
    if (clip > 0 && norm > clip) factor = clip / norm;
    for (size_t i = 0; i < ARRAYS; i++)
        for (size_t j = 0; j < shapes[i].rows * shapes[i].columns; j++) {
            double g = gradient_of(q, i, j, &moves) * factor;
            if (!moves) continue;
            double *value = x + parameters_offsets(q->p)[i] + j;
            double *m = value + floats, *v = m + floats;
            double b1 = (double)o->beta1, b2 = (double)o->beta2;
            *m = b1 * *m + (1 - b1) * g;
            *v = b2 * *v + (1 - b2) * g * g;
            double decay = shapes[i].decays ? (double)o->decay : 0;
            *value -= (double)o->rate * (*m / (1 - pow(b1, t)) /
                                             (sqrt(*v / (1 - pow(b2, t))) + (double)o->epsilon) +
                                         decay * *value);
        }
    return norm;
}

static void assert_near(const problem *q, const double *x)
{
    size_t floats = parameters_floats(q->p);
    const float *got[3] = {parameters_values(q->p), parameters_first(q->p),
                           parameters_second(q->p)};
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < floats; i++) {
            double want = x[a * floats + i];
            if (fabs((double)got[a][i] - want) > 2e-6 * (1 + fabs(want)))
                fail_msg("block %zu, float %zu: %.9g, not %.9g", a, i, (double)got[a][i], want);
        }
}

static void assert_gradients_zero(const problem *q)
{
    for (size_t w = 0; w < WORKERS; w++) {
        for (size_t i = 0; i < parameters_dense_floats(q->p); i++)
            assert_true(q->gradient[w][i] == 0.0f);
        for (size_t i = 0; i < ROWS * WIDTH; i++)
            assert_true(q->of_rows[w][i] == 0.0f);
    }
}

static void steps_follow_the_formulas(const tensor_kernels *k, double clip)
{
    problem q = problem_new();
    problem_wire(&q);
    size_t floats = parameters_floats(q.p);
    double *x = mem_alloc_zero(3 * floats, sizeof *x);
    for (size_t i = 0; i < floats; i++)
        x[i] = (double)parameters_values(q.p)[i];
    for (uint64_t t = 1; t <= 3; t++) {
        double want = naive_step(&q, x, (double)t, clip);
        mem_guard_enter();
        double got = adam_step(k, q.p, &q.options, &q.g, clip, NULL);
        mem_guard_leave();
        assert_true(fabs(got - want) < 1e-5 * want);
        assert_near(&q, x);
        assert_gradients_zero(&q);
        assert_int_equal(parameters_steps(q.p), t);
        draw_gradients(&q, t);
    }
    mem_free(x);
    problem_free(&q);
}

static void every_kernel_set_follows_the_formulas_with_and_without_clipping(void **state)
{
    (void)state;
    for (size_t i = 0; kernels_at(i); i++) {
        steps_follow_the_formulas(kernels_at(i), 0);
        steps_follow_the_formulas(kernels_at(i), 10);
        steps_follow_the_formulas(kernels_at(i), 1e9);
    }
}

static void the_bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    pool *threads = pool_new(3);
    problem a = problem_new(), b = problem_new();
    problem_wire(&a);
    problem_wire(&b);
    size_t bytes = parameters_floats(a.p) * sizeof(float);
    for (uint64_t t = 0; t < 3; t++) {
        double one = adam_step(k, a.p, &a.options, &a.g, 5, NULL);
        double three = adam_step(k, b.p, &b.options, &b.g, 5, threads);
        assert_true(one == three);
        assert_memory_equal(parameters_values(a.p), parameters_values(b.p), bytes);
        assert_memory_equal(parameters_second(a.p), parameters_second(b.p), bytes);
        draw_gradients(&a, t + 1);
        draw_gradients(&b, t + 1);
    }
    problem_free(&a);
    problem_free(&b);
    pool_free(threads);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (size_t i = 0; i < 2 * sizeof bad / sizeof bad[0]; i++) {
        problem a = problem_new(), b = problem_new();
        problem_wire(&a);
        size_t bytes = parameters_floats(a.p) * sizeof(float);
        float *at = i % 2 ? &a.of_rows[1][ROWS * WIDTH - 1]
                          : &a.gradient[2][parameters_offsets(a.p)[3] + 300 * 257 - 1];
        *at = bad[i / 2];
        bool finite = isfinite(adam_step(k, a.p, &a.options, &a.g, 1, NULL));
        assert_false(finite);
        assert_memory_equal(parameters_values(a.p), parameters_values(b.p), bytes);
        assert_memory_equal(parameters_first(a.p), parameters_first(b.p), bytes);
        assert_int_equal(parameters_steps(a.p), 0);
        assert_gradients_zero(&a);
        problem_free(&a);
        problem_free(&b);
    }
}

static void a_sparse_array_without_rows_stands_still(void **state)
{
    (void)state;
    problem a = problem_new(), b = problem_new();
    problem_wire(&a);
    a.g.n_rows = 0;
    adam_step(kernels_choose(NULL), a.p, &a.options, &a.g, 0, NULL);
    assert_memory_equal(parameters_at(a.p, 1), parameters_at(b.p, 1),
                        sizeof(float) * TABLE_ROWS * WIDTH);
    assert_memory_not_equal(parameters_at(a.p, 0), parameters_at(b.p, 0), sizeof(float) * 7777);
    problem_free(&a);
    problem_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_set_follows_the_formulas_with_and_without_clipping),
        cmocka_unit_test(the_bits_do_not_depend_on_threads),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(a_sparse_array_without_rows_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
