/*
 * Losses over a catalogue, forward and backward in one pass.
 *
 * Letters: R rows (positions that are supervised), D width, V products. h [R x D] are the
 * rows' states, m [V x D] the products' vectors, target [R] in 0..V-1.
 *
 * Full cross-entropy, sum over rows of  log sum_v exp(h m_v + b_v) - (h m_target + b_target):
 * tiles of rows pass over chunks of products; exponentials are kept relative to a reference,
 * and once the row's log-sum-exp is known they are scaled by exp(reference - log-sum-exp)
 * (loss_tile.h). One exponential a logit, no logits in memory, exact.
 *
 * Sampled softmax (Jean et al. 2015; log-Q correction: Bengio and Senecal 2008; Yi et al. 2019):
 * the row's target against S negatives shared by the batch, logits of negatives lowered by
 * log(S q_v); a negative that is the row's target is left out for that row.
 *
 * gBCE (Petrov and Macdonald, RecSys 2023, equations 9 and 16): -beta log sigma(z+) - sum
 * log(1 - sigma(z-)) over shared negatives, beta = a (t (1 - 1/a) + 1/a), a = S / (V - 1); here
 * too a negative that is the row's target is left out for that row.
 *
 * All functions return the loss summed over rows (double) and add gradients multiplied by
 * `scale` (1 / rows of the whole batch): dh is set, dm += . Not finite in, not finite out: a
 * caller looks at the loss alone. In bf16 products are (of states, products and weights);
 * logits' exponentials, sums and losses are fp32 or double.
 *
 * The same call gives the same bits every time. Scratch is aligned to 64 bytes, belongs to one
 * call at a time, may hold anything, and is all the memory there is.
 */
#ifndef PROFFER_TENSOR_LOSSES_H
#define PROFFER_TENSOR_LOSSES_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/kernels.h"

/* The products' side, packed once a step by as many threads as share it:
 * k->pack(p, D, V, m, 1, D, forward); k->pack(p, V, D, m, D, 1, backward). */
typedef struct catalogue_operand {
    tensor_precision precision;
    size_t V, D;
    const float *m;       /* [V x D] */
    const void *forward;  /* packed D x V */
    const void *backward; /* packed V x D */
    const float *bias;    /* [V] or NULL */
} catalogue_operand;

/* What a row's softmax leaves out besides: products[from[set[r]]] up to end[set[r]], ascending;
 * the row's target always stays in. */
typedef struct loss_omissions {
    const uint32_t *set; /* [R] */
    const uint64_t *from, *end;
    const uint32_t *products;
} loss_omissions;

size_t cross_entropy_scratch_bytes(const tensor_kernels *k, tensor_precision p, size_t V,
                                   size_t D);
/* dm [V x D] and dbias [V] (NULL without) are this worker's own. smoothing in [0, 1):
 * the target's share of 1 is lowered by it and spread evenly (Szegedy et al. 2016), in the loss
 * too. omit NULL: every product is in the softmax; not together with smoothing. dh, dm and dbias
 * NULL: the loss alone, a third of the work; backward is not read. */
double cross_entropy(const tensor_kernels *k, const catalogue_operand *c, size_t R,
                     const float *h, const uint32_t *target, const loss_omissions *omit,
                     float scale, float smoothing, float *dh, float *dm, float *dbias,
                     void *scratch);

typedef enum sampled_loss { SAMPLED_SOFTMAX, SAMPLED_GBCE } sampled_loss;

/* Negatives of a batch; row numbers are those of m. */
typedef struct negative_set {
    size_t n;
    const uint32_t *product; /* [n], ascending, distinct or not */
    const float *log_expected; /* [n] log(S q_v): lowers the logit; softmax only, else NULL */
    const void *forward;     /* their vectors packed D x n */
    const void *backward;    /* packed n x D */
    double calibration;      /* t of gBCE in [0, 1] */
    size_t n_catalogue;      /* V of the whole catalogue, for gBCE's a */
} negative_set;

size_t sampled_scratch_bytes(const tensor_kernels *k, tensor_precision p, size_t n, size_t D);
double sampled_loss_step(const tensor_kernels *k, sampled_loss kind, tensor_precision p,
                         const negative_set *negatives, size_t D, const float *m, size_t R,
                         const float *h, const uint32_t *target, float scale, float *dh,
                         float *dm, void *scratch);

/* Mean squared error: sum of (y - t)^2; dy = 2 scale (y - t). */
double squared_error(size_t R, const float *y, const float *t, float scale, float *dy);

#endif
