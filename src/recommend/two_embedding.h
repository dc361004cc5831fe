/*
 * The two-embedding model, the textbook's baseline: a shopper's vector plus a product's, one
 * dense unit on top, squared error, Adam.
 *
 *     y(u, i) = w (p_u + q_i) + b
 *
 * Its ranking of products is the same for every shopper: the model is additive. It is here to be
 * beaten, and to say so with figures.
 */
#ifndef PROFFER_RECOMMEND_TWO_EMBEDDING_H
#define PROFFER_RECOMMEND_TWO_EMBEDDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct two_embedding two_embedding;

typedef struct two_embedding_options {
    size_t width, batch;
    float rate, beta1, beta2, epsilon; /* Adam as Keras has it: epsilon beside the
                                          uncorrected root (Kingma and Ba, section 2) */
    bool lazy; /* only rows of the batch are moved, in place of all of them */
} two_embedding_options;

/* 64, 32, 0.001, 0.9, 0.999, 1e-7, dense. */
two_embedding_options two_embedding_options_default(void);

/* All parameters zero; fill them through the pointers below. PF_NO_MEMORY. */
pf_status two_embedding_new(two_embedding **out, uint32_t n_users, uint32_t n_products,
                            const two_embedding_options *options, pf_error *err);
/* NULL is fine. */
void two_embedding_free(two_embedding *m);
float *two_embedding_users(two_embedding *m);    /* [U x D] */
float *two_embedding_products(two_embedding *m); /* [V x D] */
float *two_embedding_unit(two_embedding *m);     /* w [D], then b */

/* One pass over n rows in their order, in batches; returns the mean squared error while it
 * learns. */
double two_embedding_epoch(two_embedding *m, size_t n, const uint32_t *user,
                           const uint32_t *product, const float *target);
float two_embedding_predict(const two_embedding *m, uint32_t user, uint32_t product);

#endif
