/*
 * The forward pass of the sentence encoder (Universal Sentence Encoder multilingual v3,
 * the convolutional one: Yang et al. 2019, "Multilingual Universal Sentence Encoder for
 * Semantic Retrieval"; the formulas below follow the published weights).
 *
 * For a text of tokens t = 1 .. T, the first and last being the marks of its ends:
 *
 *     e_t = embedding of piece t                                    E values, 8 bit
 *     x_t = norm(e_t W_project + b)              three branches' C values, one norm
 *     for each branch of window n (2, 3, 5), zeros beyond the text's ends:
 *         h_t = relu([x_(t-l) .. x_(t-l+n-1)] W_first + b) + x_t     l = (n - 1) / 2
 *         g_t = relu([h_(t-l) .. h_(t-l+n-1)] W_second + b) + h_t
 *     f_t = norm(e_t, g_t of each branch)                           E + 3 C values
 *     p   = (sum over t of f_t) W_pool / sqrt(T) + sqrt(T) b
 *     y0  = relu(p D0);  y1 = relu(p P1 + y0 D1);  y2 = relu(y1 D2)
 *     v   = tanh(y1 P3 + y2 D3), scaled to length 1
 *
 * Long texts go through in stretches of NETWORK_STRETCH tokens with their neighbours
 * beside them, so memory does not grow with the text and the result does not change.
 */
#ifndef PROFFER_LANGUAGE_NETWORK_H
#define PROFFER_LANGUAGE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "language/weights.h"

enum {
    NETWORK_STRETCH = 96, /* tokens of one stretch, and of one batch of short texts */
    NETWORK_BATCH_TEXTS = 32,
};

/* Encodes n texts: text i is tokens[begins[i] .. begins[i + 1]), at least one token, each
 * below sizes.pieces (checked by the caller). out: n x sizes.output. PF_NO_MEMORY, or
 * PF_IO when the weights can no longer be read. Threads: any number at once over one set
 * of weights. */
pf_status network_encode(const weights *w, const kernel_table *kernels, size_t n,
                         const uint32_t *tokens, const size_t *begins, float *out,
                         pf_error *err);

#endif
