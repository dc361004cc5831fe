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

/* 0.001, 0.9, 0.999, 1e-8, no decay. */
adam_options adam_options_default(void);

/* What the workers found. gradient[w] are blocks laid out as the parameters; they are added in
 * the order of w, multiplied by `scale`, and zeroed. For a sparse array i, touched[i] lists
 * the n_touched[i] distinct rows to update, ascending; NULL = all rows. */
typedef struct adam_gradients {
    float *const *gradient;
    size_t n_workers;
    float scale;
    const uint32_t *const *touched; /* [arrays], or NULL */
    const size_t *n_touched;
} adam_gradients;

/* One step over all arrays, in parallel; the same bits for any number of threads. Returns the
 * Euclidean norm of the scaled gradient (before the step); a norm that is not finite means that
 * nothing was changed. clip > 0: gradients are scaled down to that norm. */
double adam_step(const tensor_kernels *k, parameters *p, const adam_options *options,
                 const adam_gradients *g, double clip, pool *threads);

#endif
