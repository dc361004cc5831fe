/*
 * Adam (Kingma and Ba, ICLR 2015, algorithm 1) with decoupled weight decay (Loshchilov and
 * Hutter, ICLR 2019, algorithm 2):
 *
 *     m = b1 m + (1 - b1) g;   v = b2 v + (1 - b2) g^2
 *     w -= rate * (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)
 *
 * Lazy on sparse arrays: only rows with a gradient in this step are touched; moments of the
 * others stand still (as in torch.optim.SparseAdam), t counts steps of the whole.
 */
#ifndef PROFFER_TENSOR_ADAM_H
#define PROFFER_TENSOR_ADAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "tensor/kernels.h"
#include "tensor/parameters.h"

typedef struct adam_options {
    float rate, beta1, beta2, epsilon, decay;
} adam_options;

/* Gradients of some rows of one sparse array, for instance of the products of a batch. */
typedef struct adam_rows {
    size_t array;           /* its number; each array at most once */
    size_t n;
    const uint32_t *row;    /* [n], ascending, distinct */
    float *const *gradient; /* [workers] blocks [n x columns] */
} adam_rows;

/* What the workers found: gradient[w] are blocks of parameters_dense_floats() floats laid out
 * as the parameters. They are added in the order of w and multiplied by `scale`. Sparse arrays
 * of which no rows are given stand still. */
typedef struct adam_gradients {
    float *const *gradient;
    size_t n_workers;
    float scale;
    const adam_rows *rows; /* [n_rows] */
    size_t n_rows;
} adam_gradients;

/* One step over all arrays, in parallel (threads NULL: in the caller); the same bits for any
 * number of threads. All gradients given are zero afterwards, ready for the next step. Returns
 * the Euclidean norm of the scaled gradient, before clipping; a norm that is not finite means
 * that no parameter was changed. clip > 0: the gradient is scaled down to that norm. Moments
 * must have been made. Allocates nothing. */
double adam_step(const tensor_kernels *k, parameters *p, const adam_options *options,
                 const adam_gradients *g, double clip, pool *threads);

#endif
