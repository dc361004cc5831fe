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

/* |x| Phi(-|x|), and e^(-x^2 / 2), by Abramowitz and Stegun 7.1.26 (absolute error of erf
 * below 1.5e-7): Phi(-|x|) = (a1 t + ... + a5 t^5) e^(-x^2 / 2) / 2, t = 1 / (1 + p |x|). */
LANES_FUNCTION vector normal_tail_of(vector size, vector *density)
{
    const vector t = 1.0F / (1.0F + 0.231641888F * size);
    *density = power_of_two_of(size * (size * (-0.5F * LOG2_E)));
    vector p = t * 0.530702715F + -0.726576014F;
    p = p * t + 0.710706871F;
    p = p * t + -0.142248368F;
    p = p * t + 0.127414796F;
    return p * t * *density;
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|). */
LANES_FUNCTION vector gelu_of(vector x)
{
    const vector size = larger(-x, x);
    vector density;
    return larger(splat(0), x) - size * normal_tail_of(size, &density);
}

/* d/dx x Phi(x) = Phi(x) + x phi(x). */
LANES_FUNCTION vector gelu_slope_of(vector x)
{
    const vector size = larger(-x, x);
    vector density;
    const vector tail = normal_tail_of(size, &density);
    return choose(x > 0.0F, 1.0F - tail, tail) + x * density * 0.398942280F;
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

LANES_FUNCTION vector product_of(vector a, vector b)
{
    return a * b;
}

LANES_FUNCTION vector swiglu_of(vector w, vector v)
{
    return w * silu_of(v);
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

/* Of two vectors, element by element. */
#define PASS_PAIR(name, of)                                                                  \
    static void name(size_t n, const float *a, const float *b, float *y)                     \
    {                                                                                        \
        size_t i = 0;                                                                        \
        for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)                                     \
            store(y + i, of(load(a + i), load(b + i)));                                      \
        if (i == n) return;                                                                  \
        store_first(n - i, y + i,                                                            \
                    of(load_first(n - i, a + i, 0), load_first(n - i, b + i, 0)));           \
    }

PASS_FORWARD(exponential, exponential_of)
PASS_FORWARD(gelu, gelu_of)
PASS_FORWARD(silu, silu_of)
PASS_FORWARD(sigmoid, sigmoid_of)
PASS_FORWARD(tanh_pass, tanh_of)
PASS_BACKWARD(gelu_backward, gelu_slope_of)
PASS_BACKWARD(silu_backward, silu_slope_of)
PASS_BACKWARD(sigmoid_backward, sigmoid_slope_of)
PASS_PAIR(multiply, product_of)
PASS_PAIR(swiglu, swiglu_of)

static void multiply_add(size_t n, const float *a, const float *b, float *y)
{
    size_t i = 0;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES)
        store(y + i, load(y + i) + load(a + i) * load(b + i));
    if (i == n) return;
    const vector product = load_first(n - i, a + i, 0) * load_first(n - i, b + i, 0);
    store_first(n - i, y + i, load_first(n - i, y + i, 0) + product);
}

/* Of h = w silu(v). */
LANES_FUNCTION void swiglu_slopes_of(vector w, vector v, vector dh, vector *dw, vector *dv)
{
    const vector s = sigmoid_of(v);
    *dw = dh * (v * s);
    *dv = dh * w * (s * (1.0F + v * (1.0F - s)));
}

static void swiglu_backward(size_t n, const float *w, const float *v, const float *dh,
                            float *dw, float *dv)
{
    vector to_w, to_v;
    size_t i = 0;
    for (; i + KERNEL_LANES <= n; i += KERNEL_LANES) {
        swiglu_slopes_of(load(w + i), load(v + i), load(dh + i), &to_w, &to_v);
        store(dw + i, to_w);
        store(dv + i, to_v);
    }
    if (i == n) return;
    swiglu_slopes_of(load_first(n - i, w + i, 0), load_first(n - i, v + i, 0),
                     load_first(n - i, dh + i, 0), &to_w, &to_v);
    store_first(n - i, dw + i, to_w);
    store_first(n - i, dv + i, to_v);
}

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

/* The comparisons inside would lose a NaN, so those met are remembered. */
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

/* Philox 4x32-10 (base/random.c says where it is from) for several counters at once: 32-bit
 * words stand in the low halves of 64-bit lanes, whose high halves hold what is of no use. */
typedef uint64_t vector_wide __attribute__((vector_size(KERNEL_LANES * 4)));
enum { BLOCKS = KERNEL_LANES / 2, DRAWS = 8 * BLOCKS };

/* Products of the low halves. */
LANES_FUNCTION vector_wide multiply_words(vector_wide a, uint32_t b)
{
    const vector_wide all = (vector_wide){0} + b;
#if KERNEL_LANES == 16
    return (vector_wide)_mm512_mul_epu32((__m512i)a, (__m512i)all);
#elif KERNEL_LANES == 8
    return (vector_wide)_mm256_mul_epu32((__m256i)a, (__m256i)all);
#elif defined(__SSE2__)
    return (vector_wide)_mm_mul_epu32((__m128i)a, (__m128i)all);
#else
    return (a & 0xFFFFFFFFu) * all;
#endif
}

LANES_FUNCTION void philox_of(uint64_t seed, uint64_t stream, vector_wide counter,
                              vector_wide out[4])
{
    vector_wide c0 = counter, c1 = counter >> 32, c2 = (vector_wide){0} + stream,
                c3 = (vector_wide){0} + (stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const vector_wide p0 = multiply_words(c0, 0xD2511F53u);
        const vector_wide p1 = multiply_words(c2, 0xCD9E8D57u);
        c0 = (p1 >> 32) ^ c1 ^ k0;
        c2 = (p0 >> 32) ^ c3 ^ k1;
        c1 = p1;
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Draws of BLOCKS blocks from `counter` on: 16 bits of word 0, low half first, and so on. */
LANES_FUNCTION void draw_blocks(uint64_t seed, uint64_t stream, uint64_t counter,
                                uint16_t draws[DRAWS])
{
    static const uint64_t numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    vector_wide number, words[4];
    memcpy(&number, numbers, sizeof number);
    philox_of(seed, stream, number + counter, words);
    const vector_wide low = (words[0] & 0xFFFFFFFFu) | words[1] << 32;
    const vector_wide high = (words[2] & 0xFFFFFFFFu) | words[3] << 32;
#if KERNEL_LANES == 16
    const vector_wide first = __builtin_shufflevector(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
    const vector_wide second =
        __builtin_shufflevector(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
#elif KERNEL_LANES == 8
    const vector_wide first = __builtin_shufflevector(low, high, 0, 4, 1, 5);
    const vector_wide second = __builtin_shufflevector(low, high, 2, 6, 3, 7);
#else
    const vector_wide first = {low[0], high[0]}, second = {low[1], high[1]};
#endif
    memcpy(draws, &first, sizeof first);
    memcpy(draws + DRAWS / 2, &second, sizeof second);
}

/* x times `scale` where the draw is not below `cut`, else 0. */
LANES_FUNCTION vector kept_of(vector x, const uint16_t *draws, int32_t cut, float scale)
{
#if KERNEL_LANES == 16
    const __m256i narrow = _mm256_loadu_si256((const __m256i *)draws);
    const vector_int draw = (vector_int)_mm512_cvtepu16_epi32(narrow);
#else
    typedef uint16_t vector_draws __attribute__((vector_size(KERNEL_LANES * 2)));
    vector_draws narrow;
    memcpy(&narrow, draws, sizeof narrow);
    const vector_int draw = __builtin_convertvector(narrow, vector_int);
#endif
    const vector_int keep = draw >= cut;
    return (vector)(keep & (vector_int)(x * scale));
}

typedef struct dropout_mask {
    uint64_t seed, stream;
    int32_t cut;
    float scale;
    bool add;
} dropout_mask;

/* The elements of BLOCKS blocks, DRAWS or, at the end, n of them. */
LANES_FUNCTION void dropout_blocks(const dropout_mask *m, uint64_t counter, size_t n,
                                   const float *x, float *y)
{
    uint16_t draws[DRAWS];
    draw_blocks(m->seed, m->stream, counter, draws);
    for (size_t v = 0; v < 4 && v * KERNEL_LANES < n; v++) {
        const size_t i = v * KERNEL_LANES, left = n - i;
        if (left >= KERNEL_LANES) {
            const vector kept = kept_of(load(x + i), draws + i, m->cut, m->scale);
            store(y + i, m->add ? load(y + i) + kept : kept);
        } else {
            const vector kept =
                kept_of(load_first(left, x + i, 0), draws + i, m->cut, m->scale);
            store_first(left, y + i, m->add ? load_first(left, y + i, 0) + kept : kept);
        }
    }
}

static void dropout(size_t n, float rate, uint64_t seed, uint64_t stream, uint64_t counter0,
                    const float *x, float *y, bool add)
{
    const long rounded = lrintf(rate * 65536.0F);
    dropout_mask m = {.seed = seed, .stream = stream, .add = add};
    m.cut = rounded < 65536 ? (int32_t)rounded : 65535;
    m.scale = 65536.0F / (65536.0F - (float)m.cut);
    size_t i = 0;
    for (; i + DRAWS <= n; i += DRAWS)
        dropout_blocks(&m, counter0 + i / 8, DRAWS, x + i, y + i);
    if (i < n) dropout_blocks(&m, counter0 + i / 8, n - i, x + i, y + i);
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
