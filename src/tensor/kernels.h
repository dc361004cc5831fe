/*
 * Matrix products and passes over vectors, one table of functions for each instruction set.
 *
 * kernels_choose() picks a table when the program runs, so one binary serves every machine:
 * AVX-512 with bf16, AVX-512, AVX2, portable C. Each table is one translation unit that
 * includes the same bodies (lanes_body.h: vectors; products_body.h, passes_body.h, ...)
 * compiled for its set. A body of another operation defines
 *
 *     static const struct cross_entropy_kernels KERNEL_CROSS_ENTROPY = {...};
 *
 * (or attention_kernels, KERNEL_ATTENTION) out of what the first two offer; their head
 * comments list the names that stay.
 *
 * Naive twins in double precision stand in tests/tensor/naive.h.
 *
 *     const tensor_kernels *k = kernels_choose(NULL);
 *     k->pack(TENSOR_FP32, K, N, w, 1, K, packed);            // y = x W^T, W is [N x K]
 *     k->product(TENSOR_FP32, M, N, K, x, K, packed, bias, y, N, PRODUCT_SET, scratch);
 *
 * Letters: C [M x N] = A [M x K] B [K x N], row-major, `row` = floats between rows.
 *
 * The right operand is packed once and used many times. In bf16 both operands are rounded to
 * bf16 (nearest, ties to even; numbers below the smallest normal one count as zero), products
 * and sums are fp32. Sums run over k in an order that K alone decides, so an element of C has
 * the same bits every time, alone or among any others; tables differ in the last bits. NaN and
 * infinity come through. Any size may be 0.
 *
 * Every function is pure; scratch belongs to one thread. Nothing here allocates.
 */
#ifndef PROFFER_TENSOR_KERNELS_H
#define PROFFER_TENSOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tensor_precision { TENSOR_FP32, TENSOR_BF16 } tensor_precision;
typedef enum product_mode { PRODUCT_SET, PRODUCT_ADD } product_mode;

/* Scratch that any kernel call may use, aligned to 64 bytes. */
enum { KERNEL_SCRATCH_BYTES = 1 << 20 };

typedef struct tensor_kernels {
    const char *name; /* "avx512-bf16", "avx512", "avx2", "portable" */
    bool bf16;        /* whether TENSOR_BF16 may be asked for */

    /* Bytes of a packed K x N operand; align it to 64 bytes. */
    size_t (*packed_bytes)(tensor_precision p, size_t K, size_t N);
    /* Packs B[k][n] = b[k * k_stride + n * n_stride]; one of the strides is 1. */
    void (*pack)(tensor_precision p, size_t K, size_t N, const float *b, size_t k_stride,
                 size_t n_stride, void *packed);
    /* C = A B + bias (bias [N] or NULL), or C += the same. */
    void (*product)(tensor_precision p, size_t M, size_t N, size_t K, const float *a,
                    size_t a_row, const void *packed, const float *bias, float *c,
                    size_t c_row, product_mode mode, void *scratch);
    /* C [M x N] += A^T B for A [K x M], B [K x N]: gradients of weights, K = rows of a batch.
     * Packs by itself. */
    void (*product_transposed)(tensor_precision p, size_t M, size_t N, size_t K,
                               const float *a, size_t a_row, const float *b, size_t b_row,
                               float *c, size_t c_row, void *scratch);

    /* ---- passes over n floats; in and out may be the same ---- */
    /* out = e^in, relative error below 3e-7; underflows to 0, overflows to infinity,
     * NaN stays NaN. Returns nothing else. */
    void (*exponential)(size_t n, const float *in, float *out);
    float (*maximum)(size_t n, const float *x); /* n >= 1; NaN if one is */
    float (*sum)(size_t n, const float *x);
    float (*dot)(size_t n, const float *a, const float *b);
    /* y += a x. */
    void (*add_scaled)(size_t n, float a, const float *x, float *y);

    /* ---- activations, forward and backward (dx = dy * f'(x)) ---- */
    /* Exact GELU x Phi(x) (Hendrycks and Gimpel 2016), absolute error below 1e-6. */
    void (*gelu)(size_t n, const float *x, float *y);
    void (*gelu_backward)(size_t n, const float *x, const float *dy, float *dx);
    /* x sigma(x). */
    void (*silu)(size_t n, const float *x, float *y);
    void (*silu_backward)(size_t n, const float *x, const float *dy, float *dx);
    /* 1 / (1 + e^-x); backward takes y = sigma(x). */
    void (*sigmoid)(size_t n, const float *x, float *y);
    void (*sigmoid_backward)(size_t n, const float *y, const float *dy, float *dx);
    void (*tanh)(size_t n, const float *x, float *y);
    /* h = w silu(v) (Shazeer 2020, equation 6); backward: dw = dh silu(v), dv = dh w silu'(v),
     * either may be dh. */
    void (*swiglu)(size_t n, const float *w, const float *v, float *h);
    void (*swiglu_backward)(size_t n, const float *w, const float *v, const float *dh,
                            float *dw, float *dv);
    /* y = a b, and y += a b, element by element; y may be a or b. */
    void (*multiply)(size_t n, const float *a, const float *b, float *y);
    void (*multiply_add)(size_t n, const float *a, const float *b, float *y);

    /* Inverted dropout: y = x / (1 - rate) where kept, else 0. Element i of the call is kept
     * by 16 bits of Philox 4x32-10 at (seed, stream, counter0 + i / 8): a mask is a function of
     * these numbers alone, so backward asks again with dy for x. rate in [0, 1), rounded to
     * 1/65536; add true: y += instead of y =. */
    void (*dropout)(size_t n, float rate, uint64_t seed, uint64_t stream, uint64_t counter0,
                    const float *x, float *y, bool add);

    /* One step of Adam on n values (adam.h); gradient is multiplied by scale first.
     * correction1 = 1 - beta1^t, correction2 = 1 - beta2^t. */
    void (*adam)(size_t n, float scale, float rate, float beta1, float beta2, float epsilon,
                 float correction1, float correction2, float decay, const float *gradient,
                 float *value, float *first, float *second);

    /* What cross_entropy.c, attention.c and norm.c need of an instruction set: each body
     * defines a static table, attention_table and norm_table theirs. */
    const struct cross_entropy_kernels *cross_entropy;
    const struct attention_kernels *attention;
    const struct norm_kernels *norm;
} tensor_kernels;

/* name NULL: the fastest this processor can run, or the one that the environment variable
 * PROFFER_KERNELS names. NULL when a set of that name is unknown or cannot run here. */
const tensor_kernels *kernels_choose(const char *name);
/* Table number i that this processor can run, fastest first; NULL behind the last. */
const tensor_kernels *kernels_at(size_t i);

#endif
