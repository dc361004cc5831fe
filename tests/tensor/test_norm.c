/*
 * Layer norm and RMS norm of every kernel table against twins in double precision, and their
 * gradients against central differences of these.
 */
#include "tensor/norm.h"

#include <math.h>
#include <string.h>

#include "check.h"

static void fill(float *x, size_t n, uint64_t salt, double size, double shift)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(shift + size * (golden_unit(i, salt) - 0.5));
}

static void assert_near(double got, double wanted, double tolerance, const char *table,
                        const char *what, size_t at)
{
    if (fabs(got - wanted) <= tolerance) return;
    fail_msg("%s of %s[%zu]: %.9g, wanted %.9g", table, what, at, got, wanted);
}

static float *floats(size_t n)
{
    float *x = mem_alloc_aligned(n + 1, sizeof *x);
    assert_non_null(x);
    return memset(x, 0x7F, (n + 1) * sizeof *x); /* 3.4e38: what is not set is seen */
}

/* ---- one case ---- */

typedef struct problem {
    const tensor_kernels *k;
    bool rms, add;
    size_t R, D;
    float *x, *gain, *shift, *y, *mean, *inverse, *dy, *dx, *dgain, *dshift;
} problem;

static problem problem_make(const tensor_kernels *k, bool rms, bool add, size_t R, size_t D)
{
    problem p = {k, rms, add, R, D,
                 floats(R * D), floats(D), floats(D), floats(R * D), floats(R), floats(R),
                 floats(R * D), floats(R * D), floats(D), floats(D)};
    fill(p.x, R * D, 1, 4, 0.7);
    fill(p.gain, D, 2, 1, 1);
    fill(p.shift, D, 3, 1, 0);
    fill(p.dy, R * D, 4, 2, 0);
    fill(p.dx, R * D, 5, 2, 0);
    fill(p.dgain, D, 6, 2, 0);
    fill(p.dshift, D, 7, 2, 0);
    return p;
}

static void problem_free(problem *p)
{
    float *all[] = {p->x,       p->gain, p->shift, p->y,     p->mean,
                    p->inverse, p->dy,   p->dx,    p->dgain, p->dshift};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

static void run(problem *p)
{
    mem_guard_enter();
    if (p->rms) {
        rms_norm_forward(p->k, p->R, p->D, p->x, p->gain, p->y, p->inverse);
        rms_norm_backward(p->k, p->R, p->D, p->x, p->gain, p->inverse, p->dy, p->dx, p->add,
                          p->dgain);
    } else {
        layer_norm_forward(p->k, p->R, p->D, p->x, p->gain, p->shift, p->y, p->mean,
                           p->inverse);
        layer_norm_backward(p->k, p->R, p->D, p->x, p->gain, p->mean, p->inverse, p->dy, p->dx,
                            p->add, p->dgain, p->dshift);
    }
    mem_guard_leave();
}

/* ---- the twin ---- */

static void twin_row(bool rms, size_t D, const double *x, const double *gain,
                     const double *shift, double *y)
{
    double mean = 0, variance = 0;
    for (size_t d = 0; d < D && !rms; d++)
        mean += x[d] / (double)D;
    for (size_t d = 0; d < D; d++)
        variance += (x[d] - mean) * (x[d] - mean) / (double)D;
    for (size_t d = 0; d < D; d++)
        y[d] = (x[d] - mean) / sqrt(variance + 1e-5) * gain[d] + (rms ? 0 : shift[d]);
}

enum { D_MAX = 300 };

/* Row i in double. */
typedef struct twin {
    double x[D_MAX], gain[D_MAX], shift[D_MAX];
} twin;

static twin twin_of(const problem *p, size_t i)
{
    twin t;
    for (size_t d = 0; d < p->D; d++) {
        t.x[d] = (double)p->x[i * p->D + d];
        t.gain[d] = (double)p->gain[d];
        t.shift[d] = (double)p->shift[d];
    }
    return t;
}

static double twin_loss(const problem *p, size_t i, const twin *t)
{
    double y[D_MAX], loss = 0;
    twin_row(p->rms, p->D, t->x, t->gain, t->shift, y);
    for (size_t d = 0; d < p->D; d++)
        loss += y[d] * (double)p->dy[i * p->D + d];
    return loss;
}

static double difference(const problem *p, size_t i, const twin *t, double *x)
{
    const double at = *x, step = 1e-5;
    *x = at + step;
    const double up = twin_loss(p, i, t);
    *x = at - step;
    const double down = twin_loss(p, i, t);
    *x = at;
    return (up - down) / (2 * step);
}

/* ---- tests ---- */

static const size_t widths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 128, 257};

static void check_forward(const tensor_kernels *k, bool rms, size_t D)
{
    problem p = problem_make(k, rms, false, 3, D);
    run(&p);
    for (size_t i = 0; i < p.R; i++) {
        const twin t = twin_of(&p, i);
        double y[D_MAX];
        twin_row(rms, D, t.x, t.gain, t.shift, y);
        for (size_t d = 0; d < D; d++)
            assert_near((double)p.y[i * D + d], y[d], 2e-6 + 2e-6 * fabs(y[d]), k->name,
                        rms ? "rms" : "layer", d);
    }
    problem_free(&p);
}

static void test_forward_is_the_formula(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (int rms = 0; rms < 2; rms++)
                check_forward(k, rms, widths[w]);
}

static void check_differences(problem *p)
{
    const size_t D = p->D;
    double dgain[D_MAX] = {0}, dshift[D_MAX] = {0};
    run(p);
    for (size_t i = 0; i < p->R; i++) {
        twin t = twin_of(p, i);
        for (size_t d = 0; d < D; d++) {
            const double before = p->add ? 2 * (golden_unit(i * D + d, 5) - 0.5) : 0;
            assert_near((double)p->dx[i * D + d], before + difference(p, i, &t, &t.x[d]), 2e-5,
                        p->k->name, "dx", d);
            dgain[d] += difference(p, i, &t, &t.gain[d]);
            dshift[d] += difference(p, i, &t, &t.shift[d]);
        }
    }
    for (size_t d = 0; d < D; d++) {
        const double gain = 2 * (golden_unit(d, 6) - 0.5), shift = 2 * (golden_unit(d, 7) - 0.5);
        assert_near((double)p->dgain[d], gain + dgain[d], 2e-5, p->k->name, "dgain", d);
        if (!p->rms)
            assert_near((double)p->dshift[d], shift + dshift[d], 2e-5, p->k->name, "dshift", d);
    }
}

static void test_gradients_are_central_differences(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t w = 1; w < sizeof widths / sizeof *widths; w++)
            for (int rms = 0; rms < 2; rms++)
                for (size_t R = 1; R <= 6; R += 5) {
                    problem p = problem_make(k, rms, R > 1, R, widths[w]);
                    check_differences(&p);
                    problem_free(&p);
                }
}

static void test_a_gradient_may_be_replaced_in_place(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (int rms = 0; rms < 2; rms++) {
            problem a = problem_make(k, rms, false, 5, 37);
            problem b = problem_make(k, rms, false, 5, 37);
            memcpy(b.dx, b.dy, (size_t)5 * 37 * sizeof *b.dx);
            mem_free(b.dy);
            b.dy = b.dx;
            run(&a);
            run(&b);
            assert_memory_equal(a.dx, b.dx, (size_t)5 * 37 * sizeof *a.dx);
            assert_memory_equal(a.dgain, b.dgain, 37 * sizeof *a.dx);
            b.dy = NULL;
            problem_free(&a);
            problem_free(&b);
        }
}

static void test_a_row_has_the_same_bits_among_any_others(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem a = problem_make(k, false, false, 9, 50), b = problem_make(k, false, false, 1, 50);
        memcpy(b.x, a.x + (size_t)6 * 50, 50 * sizeof *b.x);
        memcpy(b.dy, a.dy + (size_t)6 * 50, 50 * sizeof *b.x);
        run(&a);
        run(&b);
        assert_memory_equal(a.y + (size_t)6 * 50, b.y, 50 * sizeof *b.x);
        assert_memory_equal(a.dx + (size_t)6 * 50, b.dx, 50 * sizeof *b.x);
        problem_free(&a);
        problem_free(&b);
    }
}

/* Equal values have no variance: epsilon alone divides, and nothing is infinite. */
static void test_a_flat_row_gives_the_shift(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem p = problem_make(k, false, false, 1, 20);
        for (size_t d = 0; d < 20; d++)
            p.x[d] = 4;
        run(&p);
        for (size_t d = 0; d < 20; d++) {
            assert_near((double)p.y[d], (double)p.shift[d], 1e-6, k->name, "y", d);
            assert_true(isfinite(p.dx[d]));
        }
        problem_free(&p);
    }
}

/* The variance is taken around the mean, so a large mean costs no digits. */
static void test_a_large_mean_costs_no_digits(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem p = problem_make(k, false, false, 1, 64);
        for (size_t d = 0; d < 64; d++) {
            p.x[d] = 4096 + (float)(d % 2);
            p.gain[d] = 1;
            p.shift[d] = 0;
        }
        run(&p);
        for (size_t d = 0; d < 64; d++)
            assert_near((double)p.y[d], d % 2 ? 1 : -1, 1e-3, k->name, "y", d);
        problem_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_is_the_formula),
        cmocka_unit_test(test_gradients_are_central_differences),
        cmocka_unit_test(test_a_gradient_may_be_replaced_in_place),
        cmocka_unit_test(test_a_row_has_the_same_bits_among_any_others),
        cmocka_unit_test(test_a_flat_row_gives_the_shift),
        cmocka_unit_test(test_a_large_mean_costs_no_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
