/*
 * One problem for the tests of losses.h: random states, products and targets, packed for a
 * table of kernels, and scratch of exactly the size asked for, filled with NaN so that nothing
 * can lean on what it held.
 */
#ifndef PROFFER_TESTS_TENSOR_LOSS_CASE_H
#define PROFFER_TESTS_TENSOR_LOSS_CASE_H

#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tensor/losses.h"

/* What both precisions and every table are walked over. */
typedef struct table_turn {
    const tensor_kernels *k;
    tensor_precision p;
} table_turn;

/* Table and precision number i; false behind the last. */
static inline bool table_turn_at(size_t i, table_turn *out)
{
    for (size_t table = 0; kernels_at(table) != NULL; table++) {
        const tensor_kernels *k = kernels_at(table);
        const size_t turns = k->bf16 ? 2 : 1;
        if (i < turns) {
            *out = (table_turn){.k = k, .p = i == 1 ? TENSOR_BF16 : TENSOR_FP32};
            return true;
        }
        i -= turns;
    }
    return false;
}

static inline void *block_of(size_t count, size_t size)
{
    void *p = mem_alloc_aligned(count > 0 ? count : 1, size);
    assert_non_null(p);
    return p;
}

static inline float *random_floats(random_stream *r, size_t n, double spread)
{
    float *x = block_of(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(random_normal(r) * spread);
    return x;
}

static inline void *packed_of(table_turn t, size_t K, size_t N, const float *b,
                              size_t k_stride, size_t n_stride)
{
    void *packed = block_of(t.k->packed_bytes(t.p, K, N), 1);
    t.k->pack(t.p, K, N, b, k_stride, n_stride, packed);
    return packed;
}

static inline void *scratch_of(size_t bytes)
{
    assert_true(bytes > 0 && bytes < SIZE_MAX);
    assert_int_equal(bytes % 64, 0);
    void *scratch = block_of(bytes, 1);
    memset(scratch, 0xFF, bytes);
    return scratch;
}

/* x as a kernel of this precision sees it in a product: in bf16 the nearest one, ties to even. */
static inline double seen(tensor_precision p, float x)
{
    if (p == TENSOR_FP32) return (double)x;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
    memcpy(&x, &bits, sizeof bits);
    return (double)x;
}

static inline double seen_dot(tensor_precision p, size_t D, const float *a,
                              const float *b)
{
    double sum = 0;
    for (size_t d = 0; d < D; d++)
        sum += seen(p, a[d]) * seen(p, b[d]);
    return sum;
}

/* What rounding may do to a sum of terms, as a share of the sum of their sizes. */
static inline double tolerance_of(tensor_precision p)
{
    return p == TENSOR_BF16 ? 1.0 / 128 : 2e-5;
}

/* got[i] within the tolerance of want[i], size[i] being the sum of the terms' sizes. */
static inline void same_gradient(const char *what, table_turn t, size_t n,
                                 const float *got, const double *want, const double *size)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance_of(t.p) * size[i] + 1e-30))
            fail_msg("%s, %s[%zu] is %.9g, should be %.9g (of terms of size %.3g)",
                     t.k->name, what, i, (double)got[i], want[i], size[i]);
}

#endif
