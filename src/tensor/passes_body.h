/*
 * Passes over vectors of kernels.h for one instruction set (lanes_body.h says how it is
 * included): elementwise functions, sums, dropout, Adam. Whole vectors first; what is left at
 * the end goes through the same code with lanes that are loaded as zero and never stored, so
 * an element's result does not depend on where it stands.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/random.h"

/* ---- functions of one lane ---- */

LANES_FUNCTION vector sigmoid_of(vector x)
{
    return 1.0F / (1.0F + exponential_of(-x));
}

/* Near 0, where 1 - 2 / (e^2x + 1) would cancel, an odd polynomial (Cephes, tanhf). */
LANES_FUNCTION vector tanh_of(vector x)
{
    const vector z = x * x, wide = 1.0F - 2.0F / (exponential_of(x + x) + 1.0F);
    vector p = z * -5.70498872745e-3F + 2.06390887954e-2F;
    p = p * z + -5.37397155531e-2F;
    p = p * z + 1.33314422036e-1F;
    p = p * z + -3.33332819422e-1F;
    return choose(z < 0.390625F, x + x * z * p, wide);
}

/* Phi(x), the standard normal distribution, by Abramowitz and Stegun 7.1.26 (absolute error
 * of erf below 1.5e-7), and e^(-x^2 / 2), which the formula needs anyway. */
LANES_FUNCTION vector normal_of(vector x, vector *density)
{
    const vector size = larger(x, -x), t = 1.0F / (1.0F + 0.231641888F * size);
    *density = exponential_of(-0.5F * x * x);
    vector p = t * 1.061405429F + -1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t + -0.284496736F;
    p = p * t + 0.254829592F;
    const vector tail = 0.5F * p * t * *density;
    return choose(x > 0.0F, 1.0F - tail, tail);
}

LANES_FUNCTION vector gelu_of(vector x)
{
    vector density;
    return x * normal_of(x, &density);
}

/* d/dx x Phi(x) = Phi(x) + x phi(x). */
LANES_FUNCTION vector gelu_slope_of(vector x)
{
    vector density;
    const vector normal = normal_of(x, &density);
    return normal + x * density * 0.398942280F;
}

LANES_FUNCTION vector silu_of(vector x)
{
    return x * sigmoid_of(x);
}

/* d/dx x s(x) = s (1 + x (1 - s)). */
LANES_FUNCTION vector silu_slope_of(vector x)
{
    const vector s = sigmoid_of(x);
    return s * (1.0F + x * (1.0F - s));
}

LANES_FUNCTION vector sigmoid_slope_of(vector y)
{
    return y * (1.0F - y);
}

/* ---- loops ---- */

#define PASS_FORWARD(name, of)                                                               \
    static void name(size_t n, const float *x, float *y)                                     \
    {                                                                                        \
        size_t i = 0;                                                                        \
        for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)                                     \
            store(y + i, of(load(x + i)));                                                   \
        if (i < n) store_first(n - i, y + i, of(load_first(n - i, x + i, 0)));               \
    }

#define PASS_BACKWARD(name, slope_of)                                                        \
    static void name(size_t n, const float *x, const float *dy, float *dx)                   \
    {                                                                                        \
        size_t i = 0;                                                                        \
        for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)                                     \
            store(dx + i, load(dy + i) * slope_of(load(x + i)));                             \
        if (i == n) return;                                                                  \
        const vector slope = slope_of(load_first(n - i, x + i, 0));                          \
        store_first(n - i, dx + i, load_first(n - i, dy + i, 0) * slope);                    \
    }

PASS_FORWARD(exponential, exponential_of)
PASS_FORWARD(gelu, gelu_of)
PASS_FORWARD(silu, silu_of)
PASS_FORWARD(sigmoid, sigmoid_of)
PASS_FORWARD(tanh_pass, tanh_of)
PASS_BACKWARD(gelu_backward, gelu_slope_of)
PASS_BACKWARD(silu_backward, silu_slope_of)
PASS_BACKWARD(sigmoid_backward, sigmoid_slope_of)

/* ---- sums: four vectors at a time, then the lanes, in one fixed order ---- */

static float sum(size_t n, const float *x)
{
    vector part[4] = {{0}};
    size_t i = 0;
    for (; i + 4 * KERNEL_LANES <= n; i += 4 * KERNEL_LANES)
        for (size_t v = 0; v < 4; v++)
            part[v] += load(x + i + v * KERNEL_LANES);
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)
        part[0] += load(x + i);
    if (i < n) part[1] += load_first(n - i, x + i, 0);
    return lanes_sum((part[0] + part[1]) + (part[2] + part[3]));
}

static float dot(size_t n, const float *a, const float *b)
{
    vector part[4] = {{0}};
    size_t i = 0;
    for (; i + 4 * KERNEL_LANES <= n; i += 4 * KERNEL_LANES)
        for (size_t v = 0; v < 4; v++)
            part[v] += load(a + i + v * KERNEL_LANES) * load(b + i + v * KERNEL_LANES);
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)
        part[0] += load(a + i) * load(b + i);
    if (i < n) part[1] += load_first(n - i, a + i, 0) * load_first(n - i, b + i, 0);
    return lanes_sum((part[0] + part[1]) + (part[2] + part[3]));
}

/* A lane that met a NaN keeps it: adding x - x gives NaN for one (and for infinity, which is
 * why the test is x != x). */
static float maximum(size_t n, const float *x)
{
    vector most = splat(x[0]);
    vector_int strange = {0};
    for (size_t i = 0; i < n; i += KERNEL_LANES) {
        const vector v =
            i + KERNEL_LANES <= n ? load(x + i) : load_first(n - i, x + i, x[0]);
        strange |= v != v;
        most = larger(v, most);
    }
    for (int lane = 0; lane < KERNEL_LANES; lane++)
        if (strange[lane]) return NAN;
    return lanes_largest(most);
}

static void add_scaled(size_t n, float a, const float *x, float *y)
{
    size_t i = 0;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)
        store(y + i, load(y + i) + a * load(x + i));
    if (i == n) return;
    store_first(n - i, y + i, load_first(n - i, y + i, 0) + a * load_first(n - i, x + i, 0));
}

/* ---- dropout ---- */

static void dropout(size_t n, float rate, uint64_t seed, uint64_t stream, uint64_t counter0,
                    const float *x, float *y, bool add)
{
    const uint32_t cut = (uint32_t)lrintf(rate * 65536.0F);
    const float scale = 65536.0F / (65536.0F - (float)cut);
    uint32_t words[4];
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0) random_block(seed, stream, counter0 + i / 8, words);
        const uint32_t draw = words[i % 8 / 2] >> (i % 2 * 16) & 0xFFFF;
        const float value = draw >= cut ? x[i] * scale : 0.0F;
        y[i] = add ? y[i] + value : value;
    }
}

/* ---- Adam ---- */

typedef struct adam_factors {
    float scale, rate, beta1, beta2, epsilon, inverse1, inverse2, decay;
} adam_factors;

LANES_FUNCTION vector adam_of(const adam_factors *f, vector gradient, vector value,
                              vector *first, vector *second)
{
    const vector g = gradient * f->scale;
    *first = f->beta1 * *first + (1.0F - f->beta1) * g;
    *second = f->beta2 * *second + (1.0F - f->beta2) * g * g;
    const vector step = *first * f->inverse1 / (root(*second * f->inverse2) + f->epsilon);
    return value - f->rate * (step + f->decay * value);
}

static void adam(size_t n, float scale, float rate, float beta1, float beta2, float epsilon,
                 float correction1, float correction2, float decay, const float *gradient,
                 float *value, float *first, float *second)
{
    const adam_factors f = {scale,   rate, beta1, beta2, epsilon, 1 / correction1,
                            1 / correction2, decay};
    size_t i = 0;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES) {
        vector m = load(first + i), v = load(second + i);
        store(value + i, adam_of(&f, load(gradient + i), load(value + i), &m, &v));
        store(first + i, m);
        store(second + i, v);
    }
    if (i == n) return;
    vector m = load_first(n - i, first + i, 0), v = load_first(n - i, second + i, 0);
    store_first(n - i, value + i,
                adam_of(&f, load_first(n - i, gradient + i, 0),
                        load_first(n - i, value + i, 0), &m, &v));
    store_first(n - i, first + i, m);
    store_first(n - i, second + i, v);
}
