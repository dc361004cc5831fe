/*
 * What is known of products in words and vectors, as one short vector each, for models that
 * learn from it: the leading directions of the TF-IDF matrix (latent semantic analysis:
 * Deerwester et al. 1990) beside those of the encoder's vectors (principal components; the
 * vectors come centred).
 *
 * Both by randomised subspace iteration (Halko, Martinsson, Tropp, SIAM Review 53, 2011,
 * algorithm 4.4 with two rounds): the same bits for the same seed.
 */
#ifndef PROFFER_RECOMMEND_SIDE_VECTORS_H
#define PROFFER_RECOMMEND_SIDE_VECTORS_H

#include "recommend/recommend.h"

enum { SIDE_WORD_DIRECTIONS = 128, SIDE_VECTOR_DIRECTIONS = 64 };

typedef struct side_vectors {
    float *rows; /* [(V + more) x K], the last ones zero; each part of a row of length 1 or
                    zero; NULL: nothing known */
    size_t K;
} side_vectors;

/* more: things beside products of which nothing is known (promotions). side NULL or without
 * words and vectors: rows NULL and PF_OK. PF_NO_MEMORY, PF_INTERNAL. */
pf_status side_vectors_new(side_vectors *out, const product_side *side, uint32_t n_products,
                           uint32_t more, uint64_t seed, pf_error *err);
void side_vectors_free(side_vectors *s);

#endif
