/* Choice of kernels at run time, packing, and the naive twin. See kernels.h. */
#include "language/kernels.h"

#include <math.h>
#include <stdbool.h>

extern const kernel_table kernels_portable;
#if defined(__x86_64__)
extern const kernel_table kernels_avx2;
extern const kernel_table kernels_avx512;
#endif

/* ---- the naive twin ---- */

static void naive_multiply_add(size_t M, const float *const *inputs,
                               const packed_matrix *w, float *const *outputs)
{
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < w->columns; n++) {
            const float *column =
                w->panels + n / KERNEL_PANEL * w->rows * KERNEL_PANEL + n % KERNEL_PANEL;
            double sum = (double)outputs[m][n];
            for (size_t k = 0; k < w->rows; k++)
                sum += (double)inputs[m][k] * (double)column[k * KERNEL_PANEL];
            outputs[m][n] = (float)sum;
        }
}

static void naive_dequantise(size_t n, const uint8_t *codes, float scale, float low,
                             float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)codes[i] * scale + low;
}

static void naive_layer_norm(size_t n, float *row, const float *gain, const float *shift,
                             float epsilon)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++)
        mean += (double)row[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += ((double)row[i] - mean) * ((double)row[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double unit = ((double)row[i] - mean) / sqrt(variance + (double)epsilon);
        row[i] = (float)(unit * (double)gain[i] + (double)shift[i]);
    }
}

static void naive_relu_add(size_t n, const float *row, const float *residual, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = fmaxf(row[i], 0) + residual[i];
}

static void naive_add(size_t n, const float *row, float *sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
}

static float naive_dot(size_t n, const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

static const kernel_table naive = {
    .name = "naive",
    .multiply_add = naive_multiply_add,
    .dequantise = naive_dequantise,
    .layer_norm = naive_layer_norm,
    .relu_add = naive_relu_add,
    .add = naive_add,
    .dot = naive_dot,
};

const kernel_table *kernels_naive(void)
{
    return &naive;
}

/* ---- the choice ---- */

const kernel_table *kernel_table_at(size_t i)
{
    const kernel_table *runnable[3] = {&kernels_portable};
    size_t n = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        runnable[n++] = &kernels_avx2;
    if (__builtin_cpu_supports("avx512f")) runnable[n++] = &kernels_avx512;
#endif
    return i < n ? runnable[i] : NULL;
}

const kernel_table *kernels_best(void)
{
    const kernel_table *best = kernel_table_at(0);
    for (size_t i = 1; kernel_table_at(i); i++)
        best = kernel_table_at(i);
    return best;
}

void kernel_pack(size_t K, size_t N, const float *matrix, float *packed)
{
    for (size_t start = 0; start < N; start += KERNEL_PANEL)
        for (size_t k = 0; k < K; k++)
            for (size_t column = start; column < start + KERNEL_PANEL; column++)
                *packed++ = column < N ? matrix[k * N + column] : 0;
}
