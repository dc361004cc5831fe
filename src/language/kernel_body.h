/* The kernels of kernels.h for one instruction set: included once by each
 * kernels_<set>.c, which says how wide a vector is and how many fit in registers:
 *
 *     KERNEL_LANES    floats of a vector
 *     KERNEL_VECTORS  vectors of a strip (KERNEL_PANEL = a whole number of strips)
 *     KERNEL_ROWS     input rows that one pass over a strip serves
 *     KERNEL_NAME     the table's name
 *     KERNEL_TABLE    the table's identifier
 *
 * KERNEL_ROWS x KERNEL_VECTORS accumulators stay in registers while the strip's
 * weights stream by once: each weight loaded serves KERNEL_ROWS multiply-adds, each
 * input value KERNEL_VECTORS (Goto and van de Geijn 2008, section 4, with the packed
 * operand read from the mapped file).
 *
 * Vectors are the compilers' own (vector_size), so one text serves every set.
 */
#include <math.h>
#include <string.h>

#include "language/kernels.h"

typedef float vec __attribute__((vector_size(KERNEL_LANES * sizeof(float))));

enum { STRIP = KERNEL_LANES * KERNEL_VECTORS };
_Static_assert(KERNEL_PANEL % STRIP == 0, "a panel is a whole number of strips");
_Static_assert(KERNEL_ROWS >= 1 && KERNEL_ROWS <= 8,
               "the switch below knows 1 to 8 rows");

static inline vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

static inline float sum_lanes(vec v)
{
    float sum = 0;
    for (int lane = 0; lane < KERNEL_LANES; lane++)
        sum += v[lane];
    return sum;
}

/* R rows against one strip; R is a constant wherever this is called. */
__attribute__((always_inline)) static inline void
strip_rows(const int R, size_t K, const float *const *inputs, const float *weights,
           float *const *outputs, size_t column)
{
    vec sum[KERNEL_ROWS][KERNEL_VECTORS];
    const float *in[KERNEL_ROWS];
    for (int r = 0; r < R; r++) {
        in[r] = inputs[r];
        for (int v = 0; v < KERNEL_VECTORS; v++)
            sum[r][v] = load(outputs[r] + column + v * KERNEL_LANES);
    }
    for (size_t k = 0; k < K; k++) {
        vec w[KERNEL_VECTORS];
        for (int v = 0; v < KERNEL_VECTORS; v++)
            w[v] = load(weights + k * KERNEL_PANEL + v * KERNEL_LANES);
        for (int r = 0; r < R; r++)
            for (int v = 0; v < KERNEL_VECTORS; v++)
                sum[r][v] += in[r][k] * w[v];
    }
    for (int r = 0; r < R; r++)
        for (int v = 0; v < KERNEL_VECTORS; v++)
            store(outputs[r] + column + v * KERNEL_LANES, sum[r][v]);
}

static void strip_up_to_rows(size_t rows, size_t K, const float *const *inputs,
                             const float *weights, float *const *outputs, size_t column)
{
    switch (rows < KERNEL_ROWS ? rows : KERNEL_ROWS) {
#if KERNEL_ROWS >= 8
    case 8: strip_rows(8, K, inputs, weights, outputs, column); break;
    case 7: strip_rows(7, K, inputs, weights, outputs, column); break;
#endif
#if KERNEL_ROWS >= 6
    case 6: strip_rows(6, K, inputs, weights, outputs, column); break;
    case 5: strip_rows(5, K, inputs, weights, outputs, column); break;
#endif
    case 4: strip_rows(4, K, inputs, weights, outputs, column); break;
    case 3: strip_rows(3, K, inputs, weights, outputs, column); break;
    case 2: strip_rows(2, K, inputs, weights, outputs, column); break;
    default: strip_rows(1, K, inputs, weights, outputs, column); break;
    }
}

static void multiply_add(size_t M, const float *const *inputs, const packed_matrix *w,
                         float *const *outputs)
{
    for (size_t column = 0; column < w->columns; column += STRIP) {
        const size_t panel = column / KERNEL_PANEL;
        const float *weights =
            w->panels + panel * w->rows * KERNEL_PANEL + column % KERNEL_PANEL;
        for (size_t m = 0; m < M; m += KERNEL_ROWS)
            strip_up_to_rows(M - m, w->rows, inputs + m, weights, outputs + m, column);
    }
}

static void dequantise(size_t n, const uint8_t *restrict codes, float scale, float low,
                       float *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)codes[i] * scale + low;
}

static void relu_add(size_t n, const float *row, const float *residual,
                     float *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (row[i] > 0 ? row[i] : 0) + residual[i];
}

static void add(size_t n, const float *restrict row, float *restrict sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
}

static float dot(size_t n, const float *a, const float *b)
{
    vec even = {0}, odd = {0};
    size_t i = 0;
    for (; i + 2 * KERNEL_LANES <= n; i += 2 * KERNEL_LANES) {
        even += load(a + i) * load(b + i);
        odd += load(a + i + KERNEL_LANES) * load(b + i + KERNEL_LANES);
    }
    float sum = sum_lanes(even + odd);
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static float sum_of(size_t n, const float *row)
{
    vec even = {0}, odd = {0};
    size_t i = 0;
    for (; i + 2 * KERNEL_LANES <= n; i += 2 * KERNEL_LANES) {
        even += load(row + i);
        odd += load(row + i + KERNEL_LANES);
    }
    float sum = sum_lanes(even + odd);
    for (; i < n; i++)
        sum += row[i];
    return sum;
}

static void layer_norm(size_t n, float *restrict row, const float *restrict gain,
                       const float *restrict shift, float epsilon)
{
    const float mean = sum_of(n, row) / (float)n;
    for (size_t i = 0; i < n; i++)
        row[i] -= mean;
    const float scale = 1.0F / sqrtf(dot(n, row, row) / (float)n + epsilon);
    for (size_t i = 0; i < n; i++)
        row[i] = row[i] * scale * gain[i] + shift[i];
}

extern const kernel_table KERNEL_TABLE;
const kernel_table KERNEL_TABLE = {
    .name = KERNEL_NAME,
    .multiply_add = multiply_add,
    .dequantise = dequantise,
    .layer_norm = layer_norm,
    .relu_add = relu_add,
    .add = add,
    .dot = dot,
};
