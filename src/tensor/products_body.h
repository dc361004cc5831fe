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
#else
/* Never reached: a table without bf16 is not asked for it (block_bf16 asserts that). */
LANES_FUNCTION vector multiply_add_pairs(vector sum, uint32_t pair, vector b)
{
    (void)pair;
    (void)b;
    return sum;
}
#endif

/* Sums of rows x vectors of C. These two and bf16 are constants wherever this is inlined. */
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
        for (int r = 0; r < rows; r++) {
            const word *at = a + (size_t)r * a_row;
            for (int v = 0; v < vectors; v++)
                if (bf16)
                    sum[r][v] = multiply_add_pairs(sum[r][v], *at, b[v]);
                else
                    sum[r][v] += *(const float *)at * b[v];
        }
        a += a_step;
        panel += panel_step;
    }
}

LANES_FUNCTION void tile_store(const int rows, const int vectors, const block *b,
                               size_t column, float *c,
                               vector sum[KERNEL_ROWS][KERNEL_VECTORS])
{
    for (int v = 0; v < vectors; v++) {
        vector bias = {0};
        if (b->bias) bias = load(b->bias + column + v * KERNEL_LANES);
        for (int r = 0; r < rows; r++)
            sum[r][v] += bias;
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) {
            float *to = c + (size_t)r * b->c_row + v * KERNEL_LANES;
            store(to, b->add ? load(to) + sum[r][v] : sum[r][v]);
        }
}

/* The same where the panel is wider than what is left of C. */
LANES_FUNCTION void tile_store_edge(const int rows, const int vectors, const block *b,
                                    size_t column, float *c,
                                    vector sum[KERNEL_ROWS][KERNEL_VECTORS])
{
    for (int r = 0; r < rows; r++) {
        float row[KERNEL_PANEL], *to = c + (size_t)r * b->c_row;
        for (int v = 0; v < vectors; v++)
            store(row + v * KERNEL_LANES, sum[r][v]);
        for (size_t n = 0; n < b->N - column; n++) {
            const float value = b->bias ? row[n] + b->bias[column + n] : row[n];
            to[n] = b->add ? to[n] + value : value;
        }
    }
}

LANES_FUNCTION void tile(const bool bf16, const bool edge, const int rows,
                         const int vectors, const block *b, size_t row, size_t column)
{
    vector sum[KERNEL_ROWS][KERNEL_VECTORS];
    const word *panel =
        (const word *)b->panels + column / KERNEL_PANEL * b->panel_words;
    float *c = b->c + row * b->c_row + column;
    tile_sums(bf16, rows, vectors, b->steps, (const word *)b->a + row * b->a_row, b->a_row,
              b->a_step, panel, b->panel_step, sum);
    if (edge)
        tile_store_edge(rows, vectors, b, column, c, sum);
    else
        tile_store(rows, vectors, b, column, c, sum);
}

/* All rows of one panel, or of its first vectors. */
LANES_FUNCTION void panel_rows(const bool bf16, const bool edge, const int vectors,
                               const block *b, size_t column)
{
    size_t row = 0;
    for (; row + KERNEL_ROWS <= b->M; row += KERNEL_ROWS)
        tile(bf16, edge, KERNEL_ROWS, vectors, b, row, column);
    switch (b->M - row) {
#if KERNEL_ROWS > 5
    case 5: tile(bf16, edge, 5, vectors, b, row, column); break;
    case 4: tile(bf16, edge, 4, vectors, b, row, column); break;
#endif
    case 3: tile(bf16, edge, 3, vectors, b, row, column); break;
    case 2: tile(bf16, edge, 2, vectors, b, row, column); break;
    case 1: tile(bf16, edge, 1, vectors, b, row, column); break;
    default: break;
    }
}

LANES_FUNCTION void block_any(const bool bf16, const block *b)
{
    size_t column = 0;
    for (; column + KERNEL_PANEL <= b->N; column += KERNEL_PANEL)
        panel_rows(bf16, false, KERNEL_VECTORS, b, column);
    const size_t left = b->N - column;
    if (left > 2 * KERNEL_LANES)
        panel_rows(bf16, true, KERNEL_VECTORS, b, column);
    else if (left > KERNEL_LANES)
        panel_rows(bf16, true, 2, b, column);
    else if (left > 0)
        panel_rows(bf16, true, 1, b, column);
}

__attribute__((unused)) static void block_fp32(const block *b)
{
    block_any(false, b);
}

__attribute__((unused)) static void block_bf16(const block *b)
{
    assert(KERNEL_BF16);
    if (KERNEL_BF16) block_any(true, b);
}

LANES_FUNCTION void block_run(tensor_precision p, const block *b)
{
    if (p == TENSOR_BF16)
        block_bf16(b);
    else
        block_fp32(b);
}

/* ---- conversion to pairs of bf16: nearest, ties to even, NaN stays NaN ---- */

#if KERNEL_BF16
LANES_FUNCTION __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n >= 16 ? 0xFFFF : (1u << n) - 1);
}

/* The pairs of 32 neighbouring floats, of which only `left` are there. */
LANES_FUNCTION vector neighbours_of(size_t left, const float *a)
{
    const __m512 first = _mm512_maskz_loadu_ps(first_lanes(left), a);
    const __m512 second = left > 16 ? _mm512_maskz_loadu_ps(first_lanes(left - 16), a + 16)
                                    : _mm512_setzero_ps();
    return (vector)_mm512_cvtne2ps_pbh(second, first);
}

/* n words: the pairs first[i], second[i]; second NULL: zeros. */
LANES_FUNCTION void convert_two_rows(size_t n, const float *first, const float *second,
                                     word *out)
{
    const __m512i interleave = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
        20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 lanes = first_lanes(n - i);
        const __m512 low = _mm512_maskz_loadu_ps(lanes, first + i);
        const __m512 high =
            second ? _mm512_maskz_loadu_ps(lanes, second + i) : _mm512_setzero_ps();
        const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(high, low);
        _mm512_mask_storeu_epi32(out + i, lanes,
                                 _mm512_permutexvar_epi16(interleave, halves));
    }
}
#else
LANES_FUNCTION vector neighbours_of(size_t left, const float *a)
{
    assert(!"this table has no bf16");
    (void)left;
    return load(a);
}

LANES_FUNCTION void convert_two_rows(size_t n, const float *first, const float *second,
                                     word *out)
{
    assert(!"this table has no bf16");
    (void)n, (void)first, (void)second, (void)out;
}
#endif

__attribute__((unused)) static void convert_rows(size_t M, size_t K, const float *a,
                                                 size_t a_row, uint32_t *out, size_t out_row)
{
    const size_t steps = (K + 1) / 2;
    for (size_t m = 0; m < M; m++)
        for (size_t s = 0; s < steps; s += KERNEL_LANES)
            store_first(steps - s, (float *)(void *)(out + m * out_row + s),
                        neighbours_of(K - 2 * s, a + m * a_row + 2 * s));
}

__attribute__((unused)) static void convert_columns(size_t K, size_t M, const float *a,
                                                    size_t a_row, uint32_t *out,
                                                    size_t out_row)
{
    for (size_t k = 0; k < K; k += 2)
        convert_two_rows(M, a + k * a_row, k + 1 < K ? a + (k + 1) * a_row : NULL,
                         out + k / 2 * out_row);
}

/* ---- packing ---- */

static size_t packed_bytes(tensor_precision p, size_t K, size_t N)
{
    return (N + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL * steps_of(p, K) *
           sizeof(word);
}

/* One panel of `columns` columns out of B as it lies, rows of K behind each other. */
static void pack_rows(tensor_precision p, size_t K, size_t columns, const float *b,
                      size_t b_row, word *out)
{
    for (size_t s = 0; s < steps_of(p, K); s++, out += KERNEL_PANEL) {
        const size_t k = p == TENSOR_BF16 ? 2 * s : s;
        const float *row = b + k * b_row;
        if (p == TENSOR_BF16)
            convert_two_rows(columns, row, k + 1 < K ? row + b_row : NULL, out);
        else if (columns == KERNEL_PANEL) /* a constant size is a few moves, not a call */
            memcpy(out, row, KERNEL_PANEL * sizeof *out);
        else
            memcpy(out, row, columns * sizeof *out);
        for (size_t n = columns; n < KERNEL_PANEL; n++)
            out[n] = 0;
    }
}

/* The lanes of a and b in turn: of their first halves, of their second ones. */
LANES_FUNCTION vector interleave_low(vector a, vector b)
{
#if KERNEL_LANES == 16
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                   23);
#elif KERNEL_LANES == 8
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

LANES_FUNCTION vector interleave_high(vector a, vector b)
{
#if KERNEL_LANES == 16
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                                   30, 15, 31);
#elif KERNEL_LANES == 8
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

/* KERNEL_LANES vectors as a square matrix: interleaving row i with row i + half, log2 times,
 * transposes it (each turn moves the highest bit of a row's number into its column's). */
LANES_FUNCTION void transpose(vector rows[KERNEL_LANES])
{
    enum { HALF = KERNEL_LANES / 2 };
    for (int turn = 1; turn < KERNEL_LANES; turn *= 2) {
        vector next[KERNEL_LANES];
        for (int i = 0; i < HALF; i++) {
            next[2 * i] = interleave_low(rows[i], rows[i + HALF]);
            next[2 * i + 1] = interleave_high(rows[i], rows[i + HALF]);
        }
        memcpy(rows, next, sizeof next);
    }
}

/* One square of a panel, `deep` steps of KERNEL_LANES columns of which `columns` are there:
 * each column of B is a row of B^T, n_stride floats behind the one before. left: floats of a
 * column from here on. */
LANES_FUNCTION void pack_square(tensor_precision p, size_t left, size_t columns,
                                const float *b, size_t n_stride, size_t deep, word *out)
{
    vector rows[KERNEL_LANES];
    for (size_t n = 0; n < KERNEL_LANES; n++)
        if (n >= columns)
            rows[n] = splat(0);
        else if (p == TENSOR_BF16)
            rows[n] = neighbours_of(left, b + n * n_stride);
        else
            rows[n] = load_first(deep, b + n * n_stride, 0);
    transpose(rows);
    for (size_t s = 0; s < KERNEL_LANES && s < deep; s++)
        store((float *)(out + s * KERNEL_PANEL), rows[s]);
}

/* One panel out of B^T. */
static void pack_columns(tensor_precision p, size_t K, size_t columns, const float *b,
                         size_t n_stride, word *out)
{
    const size_t steps = steps_of(p, K), wide = p == TENSOR_BF16 ? 2 : 1;
    for (size_t n = 0; n < KERNEL_PANEL; n += KERNEL_LANES)
        for (size_t s = 0; s < steps; s += KERNEL_LANES)
            pack_square(p, K - wide * s, columns > n ? columns - n : 0,
                        b + n * n_stride + wide * s, n_stride, steps - s,
                        out + s * KERNEL_PANEL + n);
}

static void pack_panels(tensor_precision p, size_t K, size_t N, const float *b,
                        size_t k_stride, size_t n_stride, void *packed)
{
    const size_t panel_words = steps_of(p, K) * KERNEL_PANEL;
    word *out = packed;
    assert(k_stride == 1 || n_stride == 1);
    for (size_t n = 0; n < N; n += KERNEL_PANEL, out += panel_words) {
        const size_t columns = N - n < KERNEL_PANEL ? N - n : KERNEL_PANEL;
        if (n_stride == 1)
            pack_rows(p, K, columns, b + n, k_stride, out);
        else
            pack_columns(p, K, columns, b + n * n_stride, n_stride, out);
    }
}

/* ---- the table's products ---- */

/* Steps of one pass over k and rows of A converted at a time: a panel of so many steps and a
 * tile's rows stay in the first cache, the rows in the second. */
enum { PRODUCT_STEPS = 256, PRODUCT_ROWS = 128 };
_Static_assert(PRODUCT_STEPS * PRODUCT_ROWS * sizeof(word) <= KERNEL_SCRATCH_BYTES,
               "converted rows fit the scratch");

static void product_rows(tensor_precision p, size_t K, const float *a, const block *whole,
                         word *scratch)
{
    block b = *whole;
    const size_t steps = steps_of(p, K);
    size_t s = 0;
    do { /* once at least: with K = 0, C is the bias */
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
        s += PRODUCT_STEPS;
    } while (s < steps);
}

static void product(tensor_precision p, size_t M, size_t N, size_t K, const float *a,
                    size_t a_row, const void *packed, const float *bias, float *c,
                    size_t c_row, product_mode mode, void *scratch)
{
    block b = {.N = N,
               .a_row = a_row,
               .a_step = 1,
               .panels = packed,
               .panel_words = steps_of(p, K) * KERNEL_PANEL,
               .panel_step = KERNEL_PANEL,
               .bias = bias,
               .c_row = c_row,
               .add = mode == PRODUCT_ADD};
    for (size_t m = 0; m < M; m += PRODUCT_ROWS) {
        b.M = M - m < PRODUCT_ROWS ? M - m : PRODUCT_ROWS;
        b.c = c + m * c_row;
        product_rows(p, K, a + m * a_row, &b, scratch);
    }
}

/* So much of A^T (converted) and B (packed) at a time; both stay in the second cache. From 128
 * steps to 384 the speed is the same within 3 %. */
enum { TRANSPOSED_STEPS = 256, TRANSPOSED_ROWS = 512, TRANSPOSED_COLUMNS = 256 };
_Static_assert(TRANSPOSED_COLUMNS % KERNEL_PANEL == 0, "packed parts are whole panels");
_Static_assert(TRANSPOSED_STEPS * (TRANSPOSED_ROWS + TRANSPOSED_COLUMNS) * sizeof(word) <=
                   KERNEL_SCRATCH_BYTES,
               "both parts fit the scratch");

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
