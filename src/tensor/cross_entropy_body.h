/*
 * The steps of cross_entropy_kernels.h for one instruction set (lanes_body.h says how it is
 * included). The products are blocks of products_body.h; what is here is between them: one
 * pass that turns logits into weights while they are in the first cache.
 */
#include "tensor/cross_entropy_kernels.h"

_Static_assert(LOSS_PANEL % KERNEL_LANES == 0 && LOSS_PANEL % KERNEL_ROWS == 0,
               "a panel of the stash is whole vectors and whole tiles");
_Static_assert(LOSS_CHUNK % KERNEL_PANEL == 0 && LOSS_CHUNK % LOSS_PANEL == 0,
               "a chunk is whole panels");
_Static_assert(LOSS_BLOCK % KERNEL_ROWS == 0 && LOSS_BLOCK % 2 == 0,
               "a block is whole tiles and whole pairs of rows");

static void loss_left(tensor_precision p, size_t rows, size_t D, const float *h,
                      uint32_t *out)
{
    if (p == TENSOR_BF16)
        convert_rows(rows, D, h, D, out, steps_of(p, D));
    else
        memcpy(out, h, rows * D * sizeof *h);
}

/* Logits beyond the chunk's products, up to a whole panel, and a second row of the last pair
 * that is not there: minus infinity, so that their weights are 0. */
static void loss_mask(const loss_chunk *c)
{
    const size_t whole = (c->n + LOSS_PANEL - 1) / LOSS_PANEL * LOSS_PANEL;
    for (size_t r = 0; r < c->rows && c->n < whole; r++)
        for (size_t v = c->n; v < whole; v++)
            c->z[r * LOSS_CHUNK + v] = -INFINITY;
    if (c->rows % 2)
        for (size_t v = 0; v < whole; v++)
            c->z[c->rows * LOSS_CHUNK + v] = -INFINITY;
}

static void loss_logits(const loss_chunk *c, const uint32_t *left)
{
    const size_t steps = steps_of(c->precision, c->D);
    const block b = {.M = c->rows,
                     .N = c->n,
                     .steps = steps,
                     .a = left + c->row * steps,
                     .a_row = steps,
                     .a_step = 1,
                     .panels = (const word *)c->forward + c->first * steps,
                     .panel_words = steps * KERNEL_PANEL,
                     .panel_step = KERNEL_PANEL,
                     .bias = c->bias == NULL ? NULL : c->bias + c->first,
                     .c = c->z,
                     .c_row = LOSS_CHUNK};
    block_run(c->precision, &b);
    loss_mask(c);
}

static void loss_maxima(const loss_chunk *c, float *most)
{
    for (size_t r = 0; r < c->rows; r++) {
        const float *z = c->z + r * LOSS_CHUNK;
        vector m = splat(-INFINITY);
        for (size_t v = 0; v < c->n; v += KERNEL_LANES)
            m = larger(m, load(z + v));
        most[r] = lanes_largest(m);
    }
}

/* ---- weights ---- */

/* Where the words of a panel's row begin. */
LANES_FUNCTION uint32_t *loss_stash(const loss_chunk *c, size_t product, size_t row)
{
    return c->stash + (product / LOSS_PANEL * c->tile_steps +
                       loss_words(c->precision, c->row + row)) *
                          LOSS_PANEL;
}

LANES_FUNCTION void loss_keep(uint32_t *to, vector w)
{
    store((float *)(void *)to, w);
}

#if KERNEL_BF16
/* Two rows' weights as bf16: each row's pairs along products, and pairs along the rows. */
LANES_FUNCTION void loss_keep_pairs(uint32_t *first, uint32_t *second, uint32_t *stash,
                                    vector a, vector b)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                         7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
    _mm256_storeu_si256((__m256i *)(void *)first, _mm512_castsi512_si256(both));
    _mm256_storeu_si256((__m256i *)(void *)second, _mm512_extracti64x4_epi64(both, 1));
    _mm512_storeu_si512(stash, _mm512_permutexvar_epi16(order, both));
}
#endif

/* e^(z - reference). A sixteenth of a step's work in bf16 and more, so for AVX-512 shorter than
 * exponential_of (3 % of a whole call): 2^x with the polynomial of power_of_two_of, its argument
 * not in two parts, which costs 1e-7 |z - reference| in accuracy, no more than the logits'
 * own rounding. Far below it is 0, above infinity; NaN stays. */
LANES_FUNCTION vector loss_exponential(vector z, vector reference)
{
#if KERNEL_LANES == 16
    const vector x = larger(splat(-150.0F), z - reference);
    const vector n =
        (vector)_mm512_roundscale_ps((__m512)(x * LOG2_E), _MM_FROUND_NO_EXC);
    const vector r = x * LOG2_E - n;
    vector p = r * 1.33001886e-3F + 9.6698096e-3F;
    p = p * r + 5.55056073e-2F;
    p = p * r + 0.240222797F;
    p = p * r + 0.693147181F;
    p = p * r + 1.0F;
    return (vector)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    return exponential_of(z - reference);
#endif
}

/* 1 / (1 + e^-z) by e^-|z|; `product` gathers 1 + e^-|z|, `positive` max(z, 0): together
 * log(1 + e^z). */
LANES_FUNCTION vector loss_sigmoid(vector z, vector *product, vector *positive)
{
    const vector size = larger(z, -z), e = exponential_of(-size), one = 1.0F + e;
    *product *= one;
    *positive += choose(z < 0.0F, splat(0), z);
    return choose(z < 0.0F, e, splat(1)) / one;
}

/* The lanes of a product of at most 64 factors in 1 .. 2 and of a sum. */
LANES_FUNCTION double loss_softplus(vector product, vector positive)
{
    double sum = 0;
    for (int lane = 0; lane < KERNEL_LANES; lane++)
        sum += log((double)product[lane]) + (double)positive[lane];
    return sum;
}
_Static_assert(LOSS_CHUNK / KERNEL_LANES <= 64, "a product of so many stays below 2^64");

/* One row in fp32. */
static float loss_exponentials_row(const loss_chunk *c, size_t row, float reference)
{
    const float *z = c->z + row * LOSS_CHUNK;
    uint32_t *weights = c->weights + row * LOSS_CHUNK;
    vector sum = {0};
    for (size_t panel = 0; panel < c->n; panel += LOSS_PANEL) {
        uint32_t *stash = loss_stash(c, panel, row);
        for (size_t v = 0; v < LOSS_PANEL; v += KERNEL_LANES) {
            const vector w = loss_exponential(load(z + panel + v), splat(reference));
            sum += w;
            loss_keep(weights + panel + v, w);
            loss_keep(stash + v, w);
        }
    }
    return lanes_sum(sum);
}

static double loss_sigmoids_row(const loss_chunk *c, size_t row)
{
    const float *z = c->z + row * LOSS_CHUNK;
    uint32_t *weights = c->weights + row * LOSS_CHUNK;
    vector product = splat(1), positive = {0};
    for (size_t panel = 0; panel < c->n; panel += LOSS_PANEL) {
        uint32_t *stash = loss_stash(c, panel, row);
        for (size_t v = 0; v < LOSS_PANEL; v += KERNEL_LANES) {
            const vector w = loss_sigmoid(load(z + panel + v), &product, &positive);
            loss_keep(weights + panel + v, w);
            loss_keep(stash + v, w);
        }
    }
    return loss_softplus(product, positive);
}

#if KERNEL_BF16
/* Two rows in bf16. */
static void loss_exponentials_pair(const loss_chunk *c, size_t row, float reference0,
                                   float reference1, float sums[2])
{
    const float *z = c->z + row * LOSS_CHUNK;
    uint32_t *weights = c->weights + row * (LOSS_CHUNK / 2);
    vector sum[2] = {{0}, {0}};
    for (size_t panel = 0; panel < c->n; panel += LOSS_PANEL) {
        uint32_t *stash = loss_stash(c, panel, row);
        for (size_t v = 0; v < LOSS_PANEL; v += KERNEL_LANES) {
            const float *at = z + panel + v;
            const vector a = loss_exponential(load(at), splat(reference0));
            const vector b = loss_exponential(load(at + LOSS_CHUNK), splat(reference1));
            sum[0] += a;
            sum[1] += b;
            loss_keep_pairs(weights + (panel + v) / 2,
                            weights + (LOSS_CHUNK + panel + v) / 2, stash + v, a, b);
        }
    }
    sums[0] = lanes_sum(sum[0]);
    sums[1] = lanes_sum(sum[1]);
}

static void loss_sigmoids_pair(const loss_chunk *c, size_t row, double sums[2])
{
    const float *z = c->z + row * LOSS_CHUNK;
    uint32_t *weights = c->weights + row * (LOSS_CHUNK / 2);
    vector product[2] = {splat(1), splat(1)}, positive[2] = {{0}, {0}};
    for (size_t panel = 0; panel < c->n; panel += LOSS_PANEL) {
        uint32_t *stash = loss_stash(c, panel, row);
        for (size_t v = 0; v < LOSS_PANEL; v += KERNEL_LANES) {
            const float *at = z + panel + v;
            const vector a = loss_sigmoid(load(at), &product[0], &positive[0]);
            const vector b =
                loss_sigmoid(load(at + LOSS_CHUNK), &product[1], &positive[1]);
            loss_keep_pairs(weights + (panel + v) / 2,
                            weights + (LOSS_CHUNK + panel + v) / 2, stash + v, a, b);
        }
    }
    sums[0] = loss_softplus(product[0], positive[0]);
    sums[1] = loss_softplus(product[1], positive[1]);
}
#endif

static void loss_exponentials(const loss_chunk *c, const float *reference, float *sum)
{
#if KERNEL_BF16
    for (size_t r = 0; r < c->rows && c->precision == TENSOR_BF16; r += 2) {
        const bool both = r + 1 < c->rows;
        float sums[2];
        loss_exponentials_pair(c, r, reference[r], both ? reference[r + 1] : 0, sums);
        sum[r] = sums[0];
        if (both) sum[r + 1] = sums[1];
    }
#endif
    for (size_t r = 0; r < c->rows && c->precision == TENSOR_FP32; r++)
        sum[r] = loss_exponentials_row(c, r, reference[r]);
}

static void loss_sigmoids(const loss_chunk *c, double *sum)
{
#if KERNEL_BF16
    for (size_t r = 0; r < c->rows && c->precision == TENSOR_BF16; r += 2) {
        double sums[2];
        loss_sigmoids_pair(c, r, sums);
        sum[r] = sums[0];
        if (r + 1 < c->rows) sum[r + 1] = sums[1];
    }
#endif
    for (size_t r = 0; r < c->rows && c->precision == TENSOR_FP32; r++)
        sum[r] = loss_sigmoids_row(c, r);
}

/* ---- gradients ---- */

static void loss_states(const loss_chunk *c, float *dh)
{
    const block b = {.M = c->rows,
                     .N = c->D,
                     .steps = steps_of(c->precision, c->n),
                     .a = c->weights,
                     .a_row = steps_of(c->precision, LOSS_CHUNK),
                     .a_step = 1,
                     .panels = (const word *)c->backward +
                               steps_of(c->precision, c->first) * KERNEL_PANEL,
                     .panel_words = steps_of(c->precision, c->V) * KERNEL_PANEL,
                     .panel_step = KERNEL_PANEL,
                     .c = dh,
                     .c_row = c->D,
                     .add = true};
    block_run(c->precision, &b);
}

/* dm comes from far and is needed only at a tile's end: the rows two tiles ahead of v are asked
 * for while one is computed (in bf16 a tenth faster at width 128 and V = 18,357, 1 % slower
 * where all fits the second cache). */
LANES_FUNCTION void loss_prefetch(const loss_chunk *c, size_t v, const float *dm)
{
    const size_t from = v + 2 * KERNEL_ROWS, to = from + KERNEL_ROWS;
    for (size_t i = from * c->D; i < (to < c->n ? to : c->n) * c->D; i += 16)
        __builtin_prefetch(dm + i, 1, 2);
}

static void loss_products(const loss_chunk *c, const void *right, float *dm)
{
    block b = {.N = c->D,
               .steps = c->tile_steps,
               .a_row = 1,
               .a_step = LOSS_PANEL,
               .panels = right,
               .panel_words = c->tile_steps * KERNEL_PANEL,
               .panel_step = KERNEL_PANEL,
               .c_row = c->D,
               .add = true};
    for (size_t v = 0; v < c->n; v += KERNEL_ROWS) {
        loss_prefetch(c, v, dm);
        b.M = c->n - v < KERNEL_ROWS ? c->n - v : KERNEL_ROWS;
        b.a = c->stash + v / LOSS_PANEL * LOSS_PANEL * c->tile_steps + v % LOSS_PANEL;
        b.c = dm + v * c->D;
        block_run(c->precision, &b);
    }
}

/* One row of a panel of the stash: its floats, or the row of the pair's low or high half. */
LANES_FUNCTION vector loss_stashed(const loss_chunk *c, const uint32_t *words, size_t row)
{
    const vector v = load((const float *)(const void *)words);
    if (c->precision == TENSOR_FP32) return v;
    const vector_int bits = (vector_int)v;
    return (vector)(row % 2 ? bits >> 16 << 16 : bits << 16);
}

static void loss_column_sums(const loss_chunk *c, size_t rows, const float *factor,
                             float *out)
{
    const size_t pair = c->precision == TENSOR_BF16 ? 2 : 1;
    for (size_t v = 0; v < c->n; v += KERNEL_LANES) {
        const uint32_t *panel =
            c->stash + v / LOSS_PANEL * LOSS_PANEL * c->tile_steps + v % LOSS_PANEL;
        const size_t n = c->n - v < KERNEL_LANES ? c->n - v : KERNEL_LANES;
        vector sum = {0};
        for (size_t r = 0; r < rows; r++)
            sum += factor[r] * loss_stashed(c, panel + r / pair * LOSS_PANEL, r);
        store_first(n, out + v, load_first(n, out + v, 0) + sum);
    }
}

static const struct cross_entropy_kernels KERNEL_CROSS_ENTROPY = {
    .left = loss_left,
    .logits = loss_logits,
    .maxima = loss_maxima,
    .exponentials = loss_exponentials,
    .sigmoids = loss_sigmoids,
    .states = loss_states,
    .products = loss_products,
    .column_sums = loss_column_sums,
};
