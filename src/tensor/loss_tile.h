/*
 * A tile of rows against all products of an operand, chunk by chunk: what the losses over many
 * products share. cross_entropy.c and sampled.c say what a loss is; this says how logits,
 * their weights and the three products pass through the caches.
 *
 *     for each tile of rows
 *         loss_tile_begin(&t, rows, h);
 *         loss_tile_softmax(&t, dh);           // dh = sum_v e^(z_v - reference) m_v, sums
 *         ... the rows' log-sum-exp, the loss
 *         loss_tile_softmax_gradient(&t, scale, dm, NULL);   // dm += weights^T (f h)
 *
 * Weights e^(z - reference) stay in the stash until the row's sum is known; then f = scale
 * e^(reference - log-sum-exp) is folded into the rows h, of which there are few. The reference
 * is 0, or what the row began with; only when a sum leaves the range that floats keep well
 * does it become the chunk's maximum, and what was summed before is scaled (online softmax,
 * Milakov and Gimelshein 2018, algorithm 3, made lazy).
 */
#ifndef PROFFER_TENSOR_LOSS_TILE_H
#define PROFFER_TENSOR_LOSS_TILE_H

#include <stddef.h>

#include "tensor/cross_entropy_kernels.h"
#include "tensor/workspace.h"

typedef struct loss_tile {
    /* the caller's */
    const tensor_kernels *k;
    tensor_precision precision;
    size_t V, D;
    const void *forward, *backward; /* packed D x V, V x D */
    const float *bias;              /* [V] or NULL */
    /* Called with a block's logits before their weights are made; NULL: nothing is done. */
    void (*visit)(void *context, const loss_chunk *c);
    void *context;

    /* of the tile */
    size_t rows_most; /* rows of the largest tile */
    size_t rows;
    const float *h;   /* [rows x D] */
    float *reference; /* [rows] what the row's sum is relative to */
    double *sum;      /* [rows] of e^(z - reference); or the loss of sigmoids */

    /* inner */
    float *used;   /* [chunks x rows_most] reference of each chunk */
    float *factor; /* [rows] f of the chunk */
    float *scaled; /* [rows x D] f h */
    void *right;   /* that packed */
    uint32_t *left, *stash, *weights;
    float *z;
} loss_tile;

/* Takes memory for a tile of the caller's fields; sets rows_most. */
void loss_tile_plan(loss_tile *t, workspace *w);
/* Rows of the tiles that R rows are best cut into. */
size_t loss_tile_rows(const loss_tile *t, size_t R);

/* References and sums are 0 afterwards; whoever changes them adds up e^(z - reference). */
void loss_tile_begin(loss_tile *t, size_t rows, const float *h);
/* dh [rows x D] is set, relative to the references left; NULL: sums alone. */
void loss_tile_softmax(loss_tile *t, float *dh);
/* dh [rows x D] = sum_v sigma(z_v) m_v; sum += sum_v log(1 + e^z_v). */
void loss_tile_sigmoid(loss_tile *t, float *dh);
/* After softmax, with the sums left as they are: dm [V x D] += scale p^T h, and
 * dbias [V] (or NULL) += scale p. */
void loss_tile_softmax_gradient(loss_tile *t, float scale, float *dm, float *dbias);
/* After sigmoid: dm += scale sigma^T h. */
void loss_tile_sigmoid_gradient(loss_tile *t, float scale, float *dm);

#endif
