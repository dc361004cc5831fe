/*
 * What losses.h needs of an instruction set: the steps of one block of rows against one chunk
 * of products. cross_entropy_body.h has the functions, loss_tile.c calls them.
 *
 * A block's logits and weights (exponentials or sigmoids) are small enough for the first
 * cache. Weights are written twice:
 *
 *     weights  row after row, the left operand of  dh += weights m      (words along products)
 *     stash    panels of LOSS_PANEL products, each a row of words for every step of the tile's
 *              rows, the left operand of  dm += weights^T (f h)          (words along rows)
 *
 *     stash of a chunk:   panel 0: products 0 .. 47    panel 1: products 48 .. 95   ...
 *                         rows 0 (and 1)  48 words     ...
 *                         rows 1 (or 2, 3) 48 words
 *
 * so that dm reads it from one end to the other. A word is a float, or two bf16 (products_body.h).
 */
#ifndef PROFFER_TENSOR_CROSS_ENTROPY_KERNELS_H
#define PROFFER_TENSOR_CROSS_ENTROPY_KERNELS_H

#include <stddef.h>

#include "tensor/kernels.h"

enum {
    LOSS_PANEL = 48,  /* a whole number of tiles of rows and of vectors in every set */
    LOSS_CHUNK = 192, /* products: whole panels, of these and of packed operands */
    LOSS_BLOCK = 24   /* rows: even, whole tiles in every set */
};

/* A block of rows and a chunk of products. */
typedef struct loss_chunk {
    tensor_precision precision;
    size_t D;
    const void *forward;  /* packed D x V */
    const void *backward; /* packed V x D */
    const float *bias;    /* [V] or NULL */
    size_t V;             /* products of these */
    size_t first, n; /* products first .. first + n - 1; first a multiple of LOSS_CHUNK */
    size_t row, rows;  /* of the tile: row even; rows <= LOSS_BLOCK */
    size_t tile_steps; /* words along all rows of the tile */
    float *z;          /* [LOSS_BLOCK x LOSS_CHUNK] */
    uint32_t *weights; /* as many words */
    uint32_t *stash;   /* of this chunk */
} loss_chunk;

typedef struct cross_entropy_kernels {
    /* h [rows x D] as left operand: rows of left_words(p, D) words. */
    void (*left)(tensor_precision p, size_t rows, size_t D, const float *h,
                 uint32_t *out);
    /* z = left m^T + bias for the block's rows of the tile's left operand. */
    void (*logits)(const loss_chunk *c, const uint32_t *left);
    /* most[r] = the largest of row r of z; NaN may be passed over. */
    void (*maxima)(const loss_chunk *c, float *most);
    /* weights = e^(z - reference[r]), to both places; sum[r] = theirs. */
    void (*exponentials)(const loss_chunk *c, const float *reference, float *sum);
    /* weights = 1 / (1 + e^-z), to both places; sum[r] = that of log(1 + e^z). */
    void (*sigmoids)(const loss_chunk *c, double *sum);
    /* dh [rows x D] += weights m. */
    void (*states)(const loss_chunk *c, float *dh);
    /* dm [n x D] += stash^T right, for all rows of the tile; right packed rows x D. */
    void (*products)(const loss_chunk *c, const void *right, float *dm);
    /* out[v] += sum over the tile's rows of factor[r] stash[r][v]. */
    void (*column_sums)(const loss_chunk *c, size_t rows, const float *factor,
                        float *out);
} cross_entropy_kernels;

/* Words along k, two bf16 or one float each. */
static inline size_t loss_words(tensor_precision p, size_t k)
{
    return p == TENSOR_BF16 ? (k + 1) / 2 : k;
}

#endif
