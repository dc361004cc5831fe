/* Numeric kernels of the sentence encoder: a matrix product over packed weights and
 * the few passes over rows between two products.
 *
 * Each instruction set has its own table of the same functions; kernels_best() picks
 * one when the program runs, so one binary serves every x86-64 (and, through the
 * portable table, any other machine). kernels_naive() is the twin that tests compare
 * against: plain loops in the order of the formula.
 *
 * Every function adds up in an order that depends on its own row alone. So a text's
 * vector has the same bits whether it is encoded by itself or among others. The
 * AVX2 and AVX-512 tables differ from the portable one in the last bits, because only
 * they fuse multiply and add.
 *
 * Packed weights: a K x N matrix stored as ceil(N / KERNEL_PANEL) panels, each K rows
 * of KERNEL_PANEL floats, columns beyond N zero:
 *
 *     panel 0                 panel 1
 *     w[0][0 .. 31]           w[0][32 .. 63]
 *     w[1][0 .. 31]           w[1][32 .. 63]
 *     ...                     ...
 *
 * so that a product reads its weights once, from one end to the other.
 *
 * Threads: every function is pure; the tables are constants.
 */
#ifndef PROFFER_LANGUAGE_KERNELS_H
#define PROFFER_LANGUAGE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_PANEL 32

typedef struct packed_matrix {
    const float *panels; /* kernel_packed_floats(rows, columns) floats */
    size_t rows;         /* K: values of an input row */
    size_t columns;      /* N: values of an output row */
} packed_matrix;

typedef struct kernel_table {
    const char *name; /* "avx512", "avx2", "portable", "naive" */

    /* outputs[m][n] += sum over k of inputs[m][k] * w[k][n], for m < M. An output row
     * must hold kernel_padded(N) floats; those beyond N receive zeros times the input,
     * that is, keep their value. Rows may be anywhere, outputs apart from inputs. */
    void (*multiply_add)(size_t M, const float *const *inputs, const packed_matrix *w,
                         float *const *outputs);

    /* out[i] = codes[i] * scale + low, for i < n. */
    void (*dequantise)(size_t n, const uint8_t *codes, float scale, float low,
                       float *out);

    /* row = (row - mean) / sqrt(variance + epsilon) * gain + shift, mean and (biased)
     * variance over the n values: layer normalisation, Ba et al. 2016, equation 4. */
    void (*layer_norm)(size_t n, float *row, const float *gain, const float *shift,
                       float epsilon);

    /* out[i] = max(row[i], 0) + residual[i], for i < n. */
    void (*relu_add)(size_t n, const float *row, const float *residual, float *out);

    /* sum[i] += row[i], for i < n. */
    void (*add)(size_t n, const float *row, float *sum);

    /* The sum of a[i] * b[i], for i < n. */
    float (*dot)(size_t n, const float *a, const float *b);
} kernel_table;

/* The fastest table this processor can run. */
const kernel_table *kernels_best(void);

/* The twin for tests. */
const kernel_table *kernels_naive(void);

/* Table number i that this processor can run, slowest first; NULL beyond the last. */
const kernel_table *kernel_table_at(size_t i);

/* n rounded up to whole panels. */
static inline size_t kernel_padded(size_t n)
{
    return (n + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL;
}

/* Floats of a packed K x N matrix. */
static inline size_t kernel_packed_floats(size_t K, size_t N)
{
    return K * kernel_padded(N);
}

/* Packs a row-major K x N matrix into `packed` (kernel_packed_floats(K, N) floats). */
void kernel_pack(size_t K, size_t N, const float *matrix, float *packed);

#endif
