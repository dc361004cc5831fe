/*
 * Passes over vectors of every table of kernels that this machine can run, against their naive
 * twins, and what kernels.h promises beside the numbers: in place or not, nothing behind n is
 * written, an element does not depend on where it stands, dropout is the same in every table.
 */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "tensor/kernels.h"
#include "tensor/naive.h"

enum { MOST = 300 };
static const float untouched = 12345.5F;

/* Every length up to some vectors of the widest set, then a few more. */
static size_t next_length(size_t n)
{
    return n < 140 ? n + 1 : n + 53;
}

static void fill(random_stream *r, size_t n, float *x, double spread)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(spread * random_normal(r));
}

static bool same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- elementwise functions ---- */

typedef void forward_pass(size_t n, const float *x, float *y);
typedef void backward_pass(size_t n, const float *x, const float *dy, float *dx);

/* `pass` at x: the twin must be within absolute + relative * |twin|. */
static void assert_near(const tensor_kernels *k, const char *name, float x, float got,
                        double wanted, double absolute, double relative)
{
    if (!(fabs((double)got - wanted) <= absolute + relative * fabs(wanted)))
        fail_msg("%s %s(%.9g) is %.9g, not %.9g", k->name, name, (double)x, (double)got,
                 wanted);
}

static void check_forward(const tensor_kernels *k, const char *name, forward_pass *pass,
                          double (*twin)(double), double absolute, double relative)
{
    float x[MOST + 1], y[MOST + 1];
    random_stream r = random_begin(11, 1);
    for (size_t n = 0; n <= MOST; n = next_length(n)) {
        fill(&r, n, x, n % 3 == 0 ? 0.1 : 3);
        y[n] = untouched;
        mem_guard_enter();
        pass(n, x, y);
        mem_guard_leave();
        assert_true(y[n] == untouched);
        for (size_t i = 0; i < n; i++) {
            float alone;
            assert_near(k, name, x[i], y[i], twin((double)x[i]), absolute, relative);
            pass(1, &x[i], &alone);
            assert_true(same_bits(alone, y[i]));
        }
        x[n] = untouched;
        pass(n, x, x);
        assert_true(x[n] == untouched);
        assert_memory_equal(x, y, n * sizeof *x);
    }
    x[0] = NAN;
    pass(1, x, y);
    assert_true(isnan(y[0]));
}

/* Values over the whole range where a function does something. */
static void check_range(const tensor_kernels *k, const char *name, forward_pass *pass,
                        double (*twin)(double), double absolute, double relative)
{
    for (float x = -120; x < 120; x += 0.0037F) {
        float y;
        pass(1, &x, &y);
        assert_near(k, name, x, y, twin((double)x), absolute, relative);
    }
    for (float x = 1e-30F; x < 1; x *= 1.5F)
        for (int sign = -1; sign <= 1; sign += 2) {
            const float at = (float)sign * x;
            float y;
            pass(1, &at, &y);
            assert_near(k, name, at, y, twin((double)at), absolute, relative);
        }
}

static void activations_agree_with_their_twins(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        const struct {
            const char *name;
            forward_pass *pass;
            double (*twin)(double);
            double absolute, relative;
        } all[] = {
            {"gelu", k->gelu, naive_gelu, 4e-7, 2e-7},
            {"silu", k->silu, naive_silu, 1e-9, 5e-7},
            {"sigmoid", k->sigmoid, naive_sigmoid, 1e-37, 5e-7},
            {"tanh", k->tanh, tanh, 1e-37, 4e-7},
        };
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            check_forward(k, all[i].name, all[i].pass, all[i].twin, all[i].absolute,
                          all[i].relative);
            check_range(k, all[i].name, all[i].pass, all[i].twin, all[i].absolute,
                        all[i].relative);
        }
    }
}

static void check_backward(const tensor_kernels *k, const char *name, backward_pass *pass,
                           double (*slope)(double), double absolute)
{
    float x[MOST + 1], dy[MOST + 1], dx[MOST + 1];
    random_stream r = random_begin(12, 1);
    for (size_t n = 0; n <= MOST; n = next_length(n)) {
        fill(&r, n, x, 2);
        fill(&r, n, dy, 1);
        dx[n] = dy[n] = untouched;
        pass(n, x, dy, dx);
        assert_true(dx[n] == untouched);
        for (size_t i = 0; i < n; i++) {
            float alone;
            assert_near(k, name, x[i], dx[i], slope((double)x[i]) * (double)dy[i],
                        absolute * (1 + fabs((double)dy[i])), 5e-7);
            pass(1, &x[i], &dy[i], &alone);
            assert_true(same_bits(alone, dx[i]));
        }
        pass(n, x, dy, dy); /* dx may be dy */
        assert_memory_equal(dy, dx, n * sizeof *dx);
        assert_true(dy[n] == untouched);
    }
    for (x[0] = -120; x[0] < 120; x[0] += 0.0173F) {
        dy[0] = 1;
        pass(1, x, dy, dx);
        assert_near(k, name, x[0], dx[0], slope((double)x[0]), absolute, 5e-7);
    }
    x[0] = NAN;
    pass(1, x, dy, dx);
    assert_true(isnan(dx[0]));
}

static double sigmoid_slope_at_value(double y)
{
    return y * (1 - y);
}

static void slopes_of_activations_agree_with_their_twins(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        check_backward(k, "gelu_backward", k->gelu_backward, naive_gelu_slope, 5e-7);
        check_backward(k, "silu_backward", k->silu_backward, naive_silu_slope, 5e-7);
        check_backward(k, "sigmoid_backward", k->sigmoid_backward, sigmoid_slope_at_value,
                       1e-6);
    }
}

/* ---- passes over pairs ---- */

typedef struct pairs {
    float a[MOST + 1], b[MOST + 1], c[MOST + 1], y[MOST + 1], z[MOST + 1];
} pairs;

static void check_pairs(const tensor_kernels *k, pairs *p, size_t n)
{
    random_stream r = random_begin(18, n);
    fill(&r, n, p->a, 1);
    fill(&r, n, p->b, 2);
    fill(&r, n, p->c, 1);
    p->y[n] = p->z[n] = untouched;
    k->multiply(n, p->a, p->b, p->y);
    for (size_t i = 0; i < n; i++)
        assert_true(same_bits(p->y[i], p->a[i] * p->b[i]));
    memcpy(p->y, p->c, n * sizeof(float));
    k->multiply_add(n, p->a, p->b, p->y);
    for (size_t i = 0; i < n; i++)
        assert_near(k, "multiply_add", p->a[i], p->y[i],
                    (double)p->c[i] + (double)p->a[i] * (double)p->b[i], 1e-6, 0);
    k->swiglu(n, p->a, p->b, p->y);
    for (size_t i = 0; i < n; i++)
        assert_near(k, "swiglu", p->b[i], p->y[i], (double)p->a[i] * naive_silu((double)p->b[i]),
                    1e-9, 6e-7);
    k->swiglu_backward(n, p->a, p->b, p->c, p->y, p->z);
    for (size_t i = 0; i < n; i++) {
        const double w = (double)p->a[i], v = (double)p->b[i], dh = (double)p->c[i];
        assert_near(k, "swiglu by w", p->b[i], p->y[i], dh * naive_silu(v), 1e-9, 6e-7);
        assert_near(k, "swiglu by v", p->b[i], p->z[i], dh * w * naive_silu_slope(v),
                    1e-6 * (1 + fabs(dh * w)), 6e-7);
    }
    assert_true(p->y[n] == untouched && p->z[n] == untouched);
    k->swiglu_backward(n, p->a, p->b, p->c, p->c, p->a); /* in place of dh and of w */
    assert_memory_equal(p->c, p->y, n * sizeof(float));
    assert_memory_equal(p->a, p->z, n * sizeof(float));
}

static void passes_over_pairs_agree_with_their_twins(void **state)
{
    (void)state;
    static pairs p;
    for (size_t t = 0; kernels_at(t); t++)
        for (size_t n = 0; n <= MOST; n = next_length(n))
            check_pairs(kernels_at(t), &p, n);
}

/* The twins' slopes are the slopes of the twins. */
static void twins_slopes_are_those_of_finite_differences(void **state)
{
    (void)state;
    const double h = 1e-6;
    for (double x = -8; x < 8; x += 0.173) {
        assert_true(fabs((naive_gelu(x + h) - naive_gelu(x - h)) / (2 * h) -
                         naive_gelu_slope(x)) < 1e-8);
        assert_true(fabs((naive_silu(x + h) - naive_silu(x - h)) / (2 * h) -
                         naive_silu_slope(x)) < 1e-8);
    }
}

/* ---- the exponential ---- */

static float exponential_at(const tensor_kernels *k, float x)
{
    float y;
    k->exponential(1, &x, &y);
    return y;
}

static void exponential_keeps_its_relative_error_over_the_whole_range(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        check_forward(k, "exponential", k->exponential, exp, 0, 3e-7);
        for (float x = -87.3F; x < 88.7F; x += 0.0031F)
            assert_near(k, "exponential", x, exponential_at(k, x), exp((double)x), 0, 3e-7);
    }
}

static void exponential_of_what_is_out_of_range_is_zero_infinity_or_nan(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        assert_true(exponential_at(k, 0) == 1);
        assert_true(exponential_at(k, -0.0F) == 1);
        assert_true(exponential_at(k, -INFINITY) == 0);
        assert_true(exponential_at(k, -FLT_MAX) == 0);
        assert_true(exponential_at(k, -110) == 0);
        for (float x = -104; x < -87.3F; x += 0.11F) /* less than one step of the smallest */
            assert_near(k, "exponential", x, exponential_at(k, x), exp((double)x), 1.5e-45,
                        3e-7);
        assert_true(isinf(exponential_at(k, 88.8F)));
        assert_true(isinf(exponential_at(k, 1e30F)));
        assert_true(isinf(exponential_at(k, INFINITY)));
        assert_true(isnan(exponential_at(k, NAN)));
        assert_true(isnan(exponential_at(k, -NAN)));
    }
}

/* ---- sums ---- */

static void check_sums(const tensor_kernels *k, random_stream *r, size_t n)
{
    float a[MOST + 1], b[MOST + 1], y[MOST + 1], before[MOST + 1];
    double sum = 0, dot = 0, size = 0;
    float most = -INFINITY;
    fill(r, n, a, 1);
    fill(r, n, b, 1);
    fill(r, n, y, 1);
    y[n] = untouched;
    a[n] = b[n] = NAN;
    memcpy(before, y, sizeof y);
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i];
        dot += (double)a[i] * (double)b[i];
        size += fabs((double)a[i]) * (1 + fabs((double)b[i]));
        most = a[i] > most ? a[i] : most;
    }
    assert_true(fabs((double)k->sum(n, a) - sum) <= 3e-7 * size);
    assert_true(fabs((double)k->dot(n, a, b) - dot) <= 3e-7 * size);
    assert_true(same_bits(k->sum(n, a), k->sum(n, a)));
    if (n > 0) assert_true(k->maximum(n, a) == most);
    k->add_scaled(n, -0.7F, a, y);
    assert_true(y[n] == untouched);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs((double)before[i] - 0.7 * (double)a[i] - (double)y[i]) < 1e-6);
}

static void sums_agree_with_their_twins_at_every_length(void **state)
{
    (void)state;
    random_stream r = random_begin(13, 1);
    for (size_t t = 0; kernels_at(t); t++)
        for (size_t n = 0; n <= MOST; n = next_length(n))
            check_sums(kernels_at(t), &r, n);
}

static void sums_and_the_maximum_meet_nan_and_infinity_at_every_place(void **state)
{
    (void)state;
    float x[140];
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        for (size_t n = 1; n <= 140; n += 3)
            for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < n; j++)
                    x[j] = (float)j;
                x[i] = NAN;
                assert_true(isnan(k->maximum(n, x)));
                assert_true(isnan(k->sum(n, x)));
                assert_true(isnan(k->dot(n, x, x)));
                x[i] = INFINITY;
                assert_true(isinf(k->maximum(n, x)));
                assert_true(isinf(k->sum(n, x)));
                x[i] = -INFINITY;
                const float most = n == 1 ? -INFINITY : (float)(i == n - 1 ? n - 2 : n - 1);
                assert_true(same_bits(k->maximum(n, x), most));
            }
    }
}

/* ---- dropout ---- */

enum { DROPPED = 1000 };
static const uint64_t seed = 0x123456789ABCDEFu, stream = 0xFEDCBA9876543210u;

static void check_dropout(const tensor_kernels *k, size_t n, float rate, uint64_t counter)
{
    float x[DROPPED + 1], y[DROPPED + 1], added[DROPPED + 1];
    random_stream r = random_begin(14, n);
    fill(&r, n, x, 1);
    fill(&r, n, added, 1);
    y[n] = added[n] = untouched;
    k->dropout(n, rate, seed, stream, counter, x, y, false);
    for (size_t i = 0; i < n; i++) {
        const float factor = naive_dropout(rate, seed, stream, counter, i);
        assert_true(factor == 0 ? same_bits(y[i], 0) : same_bits(y[i], x[i] * factor));
        added[i] = 1000;
    }
    k->dropout(n, rate, seed, stream, counter, x, added, true);
    for (size_t i = 0; i < n; i++)
        assert_true(same_bits(added[i], 1000 + y[i]));
    k->dropout(n, rate, seed, stream, counter, x, x, false);
    assert_memory_equal(x, y, n * sizeof *x);
    assert_true(y[n] == untouched && added[n] == untouched);
}

static void dropout_is_the_scalar_definition_in_every_table(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        for (size_t n = 0; n <= MOST; n = next_length(n))
            check_dropout(k, n, 0.3F, n);
        check_dropout(k, DROPPED, 0.5F, UINT64_MAX - 20);   /* the counter comes round */
        check_dropout(k, DROPPED, 0.5F, UINT32_MAX - 20u);  /* and its low word */
        check_dropout(k, DROPPED, 0.999F, 0);
        check_dropout(k, DROPPED, 1e-9F, 0);
    }
}

static void dropout_of_a_part_is_that_part_of_the_whole(void **state)
{
    (void)state;
    float ones[DROPPED], whole[DROPPED], part[DROPPED];
    for (size_t i = 0; i < DROPPED; i++)
        ones[i] = 1;
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        k->dropout(DROPPED, 0.2F, seed, stream, 5, ones, whole, false);
        for (size_t from = 0; from < DROPPED; from += 8 * 17) {
            const size_t n = DROPPED - from;
            k->dropout(n, 0.2F, seed, stream, 5 + from / 8, ones, part, false);
            assert_memory_equal(part, whole + from, n * sizeof *part);
        }
    }
}

static void dropout_keeps_the_share_and_the_mean(void **state)
{
    (void)state;
    static float x[1 << 18], y[1 << 18];
    const size_t n = 1 << 18;
    for (size_t i = 0; i < n; i++)
        x[i] = 1;
    for (size_t t = 0; kernels_at(t); t++) {
        double kept = 0, mean = 0;
        kernels_at(t)->dropout(n, 0.3F, seed, stream, 0, x, y, false);
        for (size_t i = 0; i < n; i++) {
            kept += y[i] != 0;
            mean += (double)y[i] / (double)n;
        }
        /* Five standard deviations of a binomial share. */
        assert_true(fabs(kept / (double)n - 0.7) < 5 * sqrt(0.21 / (double)n));
        assert_true(fabs(mean - 1) < 5 * sqrt(0.3 / 0.7 / (double)n));
    }
}

static void dropout_at_rate_nought_changes_no_bit_and_a_dropped_nan_is_gone(void **state)
{
    (void)state;
    float x[DROPPED], y[DROPPED];
    random_stream r = random_begin(15, 1);
    for (size_t t = 0; kernels_at(t); t++) {
        const tensor_kernels *k = kernels_at(t);
        fill(&r, DROPPED, x, 1);
        k->dropout(DROPPED, 0, seed, stream, 9, x, y, false);
        assert_memory_equal(x, y, sizeof x);
        for (size_t i = 0; i < DROPPED; i++)
            x[i] = NAN;
        k->dropout(DROPPED, 0.5F, seed, stream, 9, x, y, false);
        for (size_t i = 0; i < DROPPED; i++)
            if (naive_dropout(0.5F, seed, stream, 9, i) == 0)
                assert_true(y[i] == 0);
            else
                assert_true(isnan(y[i]));
    }
}

/* ---- Adam ---- */

typedef struct adam_state {
    float value[MOST + 1], first[MOST + 1], second[MOST + 1];
} adam_state;

static void adam_run(const tensor_kernels *k, const naive_adam_options *o, size_t n,
                     const float *gradient, float *value, float *first, float *second)
{
    k->adam(n, (float)o->scale, (float)o->rate, (float)o->beta1, (float)o->beta2,
            (float)o->epsilon, (float)(1 - pow(o->beta1, o->step)),
            (float)(1 - pow(o->beta2, o->step)), (float)o->decay, gradient, value, first,
            second);
}

static void check_adam(const tensor_kernels *k, naive_adam_options o, size_t n)
{
    adam_state s;
    memset(&s, 0, sizeof s);
    double value[MOST], first[MOST] = {0}, second[MOST] = {0};
    float gradient[MOST];
    random_stream r = random_begin(16, n);
    fill(&r, n, s.value, 1);
    s.value[n] = s.first[n] = s.second[n] = untouched;
    for (size_t i = 0; i < n; i++)
        value[i] = (double)s.value[i];
    for (o.step = 1; o.step <= 5; o.step++) {
        fill(&r, n, gradient, 1);
        adam_run(k, &o, n, gradient, s.value, s.first, s.second);
        for (size_t i = 0; i < n; i++) {
            naive_adam(&o, (double)gradient[i], &value[i], &first[i], &second[i]);
            assert_near(k, "adam", gradient[i], s.value[i], value[i], 2e-6 * o.rate, 3e-7);
            assert_near(k, "first", gradient[i], s.first[i], first[i], 1e-7, 1e-6);
            assert_near(k, "second", gradient[i], s.second[i], second[i], 1e-9, 1e-6);
        }
    }
    assert_true(s.value[n] == untouched);
    assert_true(s.first[n] == untouched && s.second[n] == untouched);
}

static void adam_agrees_with_its_twin_for_five_steps(void **state)
{
    (void)state;
    /* Numbers as floats hold them: 1 - beta2 is 13 millionths off for 0.999 itself. */
    const naive_adam_options plain = {1, 0.001, (double)0.9F, (double)0.999F, 1e-8, 0, 1},
                             decaying = {0.25, 0.125, (double)0.8F, (double)0.99F, 1e-6,
                                         0.125, 1};
    for (size_t t = 0; kernels_at(t); t++)
        for (size_t n = 0; n < MOST; n = next_length(n)) {
            check_adam(kernels_at(t), plain, n);
            check_adam(kernels_at(t), decaying, n);
        }
}

static void adam_gives_an_element_the_same_bits_wherever_a_call_begins(void **state)
{
    (void)state;
    const naive_adam_options o = {0.5, 0.01, 0.9, 0.999, 1e-8, 0.01, 3};
    float gradient[MOST];
    random_stream r = random_begin(17, 1);
    for (size_t t = 0; kernels_at(t); t++)
        for (size_t cut = 0; cut <= 100; cut += 7) {
            adam_state whole, parts;
            fill(&r, MOST, gradient, 1);
            fill(&r, MOST, whole.value, 1);
            fill(&r, MOST, whole.first, 1);
            for (size_t i = 0; i <= MOST; i++)
                whole.second[i] = (float)random_unit(&r);
            whole.value[MOST] = whole.first[MOST] = 0;
            parts = whole;
            adam_run(kernels_at(t), &o, MOST, gradient, whole.value, whole.first,
                     whole.second);
            adam_run(kernels_at(t), &o, cut, gradient, parts.value, parts.first,
                     parts.second);
            adam_run(kernels_at(t), &o, MOST - cut, gradient + cut, parts.value + cut,
                     parts.first + cut, parts.second + cut);
            assert_memory_equal(&whole, &parts, sizeof whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_agree_with_their_twins),
        cmocka_unit_test(slopes_of_activations_agree_with_their_twins),
        cmocka_unit_test(passes_over_pairs_agree_with_their_twins),
        cmocka_unit_test(twins_slopes_are_those_of_finite_differences),
        cmocka_unit_test(exponential_keeps_its_relative_error_over_the_whole_range),
        cmocka_unit_test(exponential_of_what_is_out_of_range_is_zero_infinity_or_nan),
        cmocka_unit_test(sums_agree_with_their_twins_at_every_length),
        cmocka_unit_test(sums_and_the_maximum_meet_nan_and_infinity_at_every_place),
        cmocka_unit_test(dropout_is_the_scalar_definition_in_every_table),
        cmocka_unit_test(dropout_of_a_part_is_that_part_of_the_whole),
        cmocka_unit_test(dropout_keeps_the_share_and_the_mean),
        cmocka_unit_test(dropout_at_rate_nought_changes_no_bit_and_a_dropped_nan_is_gone),
        cmocka_unit_test(adam_agrees_with_its_twin_for_five_steps),
        cmocka_unit_test(adam_gives_an_element_the_same_bits_wherever_a_call_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
