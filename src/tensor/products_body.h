/*
 * Matrix products of kernels.h for one instruction set (lanes_body.h says how it is included).
 *
 * The method is that of Goto and van de Geijn (2008, section 4) and Van Zee and van de Geijn
 * (BLIS, 2015, section 2): a tile of KERNEL_ROWS x KERNEL_VECTORS vectors of C stays in
 * registers while k runs; the left operand is read one value at a time and broadcast, the
 * right one comes from packed panels:
 *
 *     panel 0: columns 0 .. P - 1     panel 1: columns P .. 2P - 1     ...   P = KERNEL_PANEL
 *     w[0][0 .. P - 1]                w[0][P .. 2P - 1]
 *     w[1][0 .. P - 1]                ...                              columns beyond N: zero
 *
 * A word is 32 bits: one float, or in bf16 the pair k, k + 1 (k in the low half), so a panel
 * has steps_of(precision, K) rows of P words; behind an odd K stands a zero. Both precisions
 * share every loop; only the multiply-add of one step differs.
 *
 * ---- what other bodies may use; these names stay ----
 *
 *     steps_of(p, K)               words along k: K or (K + 1) / 2
 *     block_fp32(&b), block_bf16(&b)   C = / += A B + bias for one struct block: any M, N, K,
 *                                  nothing is packed or converted, no scratch
 *     convert_rows(M, K, a, a_row, out, out_row)    bf16 A of a product: out[m * out_row + s]
 *                                  is the pair a[m][2s], a[m][2s + 1]; block strides
 *                                  (a_row, a_step) = (out_row, 1)
 *     convert_columns(K, M, a, a_row, out, out_row) bf16 A of A^T B: out[s * out_row + m] is
 *                                  the pair a[2s][m], a[2s + 1][m]; block strides
 *                                  (a_row, a_step) = (1, out_row)
 *     pack_panels(p, K, N, b, k_stride, n_stride, out)   the table's pack
 *
 * For fp32 A needs no conversion: strides (row, 1) for A and (1, row) for A^T.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "tensor/kernels.h"

enum { KERNEL_PANEL = KERNEL_LANES * KERNEL_VECTORS };

typedef uint32_t word __attribute__((may_alias));

/* Operands of one product. Strides are in words; C is row-major floats. */
typedef struct block {
    size_t M, N, steps;
    const void *a; /* word of row m at step s: a[m * a_row + s * a_step] */
    size_t a_row, a_step;
    const void *panels; /* word of panel j, step s, column n:
                           panels[j * panel_words + s * panel_step + n] */
    size_t panel_words; /* steps * KERNEL_PANEL as packed */
    size_t panel_step;  /* KERNEL_PANEL as packed */
    const float *bias;  /* [N], or NULL */
    float *c;
    size_t c_row;
    bool add; /* C += instead of C = */
} block;

LANES_FUNCTION size_t steps_of(tensor_precision p, size_t K)
{
    return p == TENSOR_BF16 ? (K + 1) / 2 : K;
}

/* ---- one tile ---- */

#if KERNEL_BF16
LANES_FUNCTION vector multiply_add_pairs(vector sum, uint32_t pair, vector b)
{
    const __m512i a = _mm512_set1_epi32((int)pair);
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}
#endif

/* rows x vectors of C; both and bf16 are constants wherever this is inlined. */
LANES_FUNCTION void tile_sums(const bool bf16, const int rows, const int vectors,
                              size_t steps, const word *a, size_t a_row, size_t a_step,
                              const word *panel, size_t panel_step,
                              vector sum[KERNEL_ROWS][KERNEL_VECTORS])
{
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = (vector){0};
    for (size_t s = 0; s < steps; s++) {
        vector b[KERNEL_VECTORS];
        for (int v = 0; v < vectors; v++)
            b[v] = load((const float *)panel + v * KERNEL_LANES);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++)
#if KERNEL_BF16
                if (bf16)
                    sum[r][v] = multiply_add_pairs(sum[r][v], a[(size_t)r * a_row], b[v]);
                else
#endif
                    sum[r][v] += ((const float *)a)[(size_t)r * a_row] * b[v];
        a += a_step;
        panel += panel_step;
    }
    (void)bf16;
}

LANES_FUNCTION void tile_store(const int rows, const int vectors, const block *b,
                               size_t column, float *c,
                               vector sum[KERNEL_ROWS][KERNEL_VECTORS])
{
    const size_t left = b->N - column;
    for (int v = 0; v < vectors; v++) {
        const size_t first = (size_t)v * KERNEL_LANES;
        if (first >= left) return;
        const size_t n = left - first < KERNEL_LANES ? left - first : KERNEL_LANES;
        vector bias = {0};
        if (b->bias) bias = load_first(n, b->bias + column + first, 0);
        for (int r = 0; r < rows; r++) {
            float *to = c + (size_t)r * b->c_row + first;
            vector value = sum[r][v] + bias;
            if (b->add) value += load_first(n, to, 0);
            store_first(n, to, value);
        }
    }
}

LANES_FUNCTION void tile(const bool bf16, const int rows, const int vectors, const block *b,
                         size_t row, size_t column)
{
    vector sum[KERNEL_ROWS][KERNEL_VECTORS];
    const word *panel =
        (const word *)b->panels + column / KERNEL_PANEL * b->panel_words;
    tile_sums(bf16, rows, vectors, b->steps, (const word *)b->a + row * b->a_row, b->a_row,
              b->a_step, panel, b->panel_step, sum);
    tile_store(rows, vectors, b, column, b->c + row * b->c_row + column, sum);
}

LANES_FUNCTION void block_any(const bool bf16, const block *b)
{
    for (size_t column = 0; column < b->N; column += KERNEL_PANEL) {
        size_t row = 0;
        for (; row + KERNEL_ROWS <= b->M; row += KERNEL_ROWS)
            tile(bf16, KERNEL_ROWS, KERNEL_VECTORS, b, row, column);
        for (; row < b->M; row++)
            tile(bf16, 1, KERNEL_VECTORS, b, row, column);
    }
}

__attribute__((unused)) static void block_fp32(const block *b)
{
    block_any(false, b);
}

__attribute__((unused)) static void block_bf16(const block *b)
{
#if KERNEL_BF16
    block_any(true, b);
#else
    assert(!"this table has no bf16");
    (void)b;
#endif
}

static void block_run(tensor_precision p, const block *b)
{
    if (p == TENSOR_BF16)
        block_bf16(b);
    else
        block_fp32(b);
}

/* ---- conversion to pairs of bf16 ---- */

/* The nearest bf16, ties to even; NaN stays one (made quiet). */
LANES_FUNCTION uint32_t bf16_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return bits >> 16 | 0x40;
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

__attribute__((unused)) static void convert_rows(size_t M, size_t K, const float *a,
                                                 size_t a_row, uint32_t *out, size_t out_row)
{
    for (size_t m = 0; m < M; m++)
        for (size_t k = 0; k < K; k += 2)
            out[m * out_row + k / 2] =
                bf16_of(a[m * a_row + k]) |
                (k + 1 < K ? bf16_of(a[m * a_row + k + 1]) << 16 : 0);
}

__attribute__((unused)) static void convert_columns(size_t K, size_t M, const float *a,
                                                    size_t a_row, uint32_t *out,
                                                    size_t out_row)
{
    for (size_t k = 0; k < K; k += 2)
        for (size_t m = 0; m < M; m++)
            out[k / 2 * out_row + m] =
                bf16_of(a[k * a_row + m]) |
                (k + 1 < K ? bf16_of(a[(k + 1) * a_row + m]) << 16 : 0);
}

/* ---- packing ---- */

static size_t packed_bytes(tensor_precision p, size_t K, size_t N)
{
    return (N + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL * steps_of(p, K) *
           sizeof(word);
}

static uint32_t packed_word(tensor_precision p, size_t K, size_t step, const float *column,
                            size_t k_stride)
{
    uint32_t bits;
    if (p == TENSOR_FP32) {
        memcpy(&bits, column + step * k_stride, sizeof bits);
        return bits;
    }
    bits = bf16_of(column[2 * step * k_stride]);
    if (2 * step + 1 < K) bits |= bf16_of(column[(2 * step + 1) * k_stride]) << 16;
    return bits;
}

static void pack_panels(tensor_precision p, size_t K, size_t N, const float *b,
                        size_t k_stride, size_t n_stride, void *packed)
{
    const size_t steps = steps_of(p, K);
    word *out = packed;
    for (size_t first = 0; first < N; first += KERNEL_PANEL)
        for (size_t s = 0; s < steps; s++)
            for (size_t n = first; n < first + KERNEL_PANEL; n++)
                *out++ = n < N ? packed_word(p, K, s, b + n * n_stride, k_stride) : 0;
}

/* ---- the table's products ---- */

/* Steps of one pass over k, and words of A converted at a time. */
enum { PRODUCT_STEPS = 256, PRODUCT_WORDS = 32768 };

static void product_rows(tensor_precision p, size_t K, const float *a, const block *whole,
                         word *scratch)
{
    block b = *whole;
    const size_t steps = steps_of(p, K);
    for (size_t s = 0; s < steps; s += PRODUCT_STEPS) {
        b.steps = steps - s < PRODUCT_STEPS ? steps - s : PRODUCT_STEPS;
        b.a = (const word *)(const void *)a + s;
        b.a_row = whole->a_row;
        if (p == TENSOR_BF16) {
            const size_t k = 2 * s, left = K - k;
            convert_rows(b.M, left < 2 * b.steps ? left : 2 * b.steps, a + k, whole->a_row,
                         scratch, b.steps);
            b.a = scratch;
            b.a_row = b.steps;
        }
        b.panels = (const word *)whole->panels + s * KERNEL_PANEL;
        block_run(p, &b);
        b.add = true;
        b.bias = NULL;
    }
}

static void product(tensor_precision p, size_t M, size_t N, size_t K, const float *a,
                    size_t a_row, const void *packed, const float *bias, float *c,
                    size_t c_row, product_mode mode, void *scratch)
{
    const size_t rows = PRODUCT_WORDS / PRODUCT_STEPS;
    block b = {.N = N,
               .a_row = a_row,
               .a_step = 1,
               .panels = packed,
               .panel_words = steps_of(p, K) * KERNEL_PANEL,
               .panel_step = KERNEL_PANEL,
               .bias = bias,
               .c_row = c_row,
               .add = mode == PRODUCT_ADD};
    for (size_t m = 0; m < M; m += rows) {
        b.M = M - m < rows ? M - m : rows;
        b.c = c + m * c_row;
        product_rows(p, K, a + m * a_row, &b, scratch);
    }
}

/* A panel's width of B and some rows of A at a time, so that both fit the scratch. */
enum { TRANSPOSED_STEPS = 256, TRANSPOSED_ROWS = 512, TRANSPOSED_COLUMNS = 256 };

static void transposed_part(tensor_precision p, size_t K, const float *a, size_t a_row,
                            const float *b_rows, size_t b_row, block *b, word *scratch)
{
    b->steps = steps_of(p, K);
    b->a = a;
    b->a_row = 1;
    b->a_step = a_row;
    b->panels = scratch + TRANSPOSED_STEPS * TRANSPOSED_ROWS;
    b->panel_words = b->steps * KERNEL_PANEL;
    b->panel_step = KERNEL_PANEL;
    if (p == TENSOR_BF16) {
        convert_columns(K, b->M, a, a_row, scratch, b->M);
        b->a = scratch;
        b->a_step = b->M;
    }
    pack_panels(p, K, b->N, b_rows, b_row, 1, scratch + TRANSPOSED_STEPS * TRANSPOSED_ROWS);
    block_run(p, b);
}

static void product_transposed(tensor_precision p, size_t M, size_t N, size_t K,
                               const float *a, size_t a_row, const float *b, size_t b_row,
                               float *c, size_t c_row, void *scratch)
{
    const size_t depth = TRANSPOSED_STEPS * (p == TENSOR_BF16 ? 2 : 1);
    for (size_t k = 0; k < K; k += depth)
        for (size_t n = 0; n < N; n += TRANSPOSED_COLUMNS)
            for (size_t m = 0; m < M; m += TRANSPOSED_ROWS) {
                block part = {.M = M - m < TRANSPOSED_ROWS ? M - m : TRANSPOSED_ROWS,
                              .N = N - n < TRANSPOSED_COLUMNS ? N - n : TRANSPOSED_COLUMNS,
                              .c = c + m * c_row + n,
                              .c_row = c_row,
                              .add = true};
                transposed_part(p, K - k < depth ? K - k : depth, a + k * a_row + m, a_row,
                                b + k * b_row + n, b_row, &part, scratch);
            }
}
