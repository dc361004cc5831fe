/*
 * Attention within packed sequences, forward and backward.
 *
 * Sequences stand one behind the other without padding: sequence s has rows offset[s] <= i <
 * offset[s + 1]. Each row holds its query, key and value for all heads:
 *
 *     qkv[i] = q (H heads of D / H) | k (the same) | v (the same)
 *
 * Softmax (Vaswani et al. 2017, section 3.2.1): s_ij = q_i k_j sqrt(H / D) + bias_h[i - j] for
 * j <= i (causal) or all j; only the row's log-sum-exp is kept, and backward makes the weights
 * again (Dao et al. 2022, algorithm 4, with rowsum(dO O)). Pointwise (HSTU, Zhai et al. 2024,
 * equation 2): silu(q_i k_j sqrt(H / D) + bias) / n with n the number of keys the row sees.
 *
 * bias [H x bias_length] by distance |i - j| (the last value serves all greater ones), or NULL.
 * Dropout of weights (softmax only) is a function of (seed, stream, head, row, key), the same in
 * every kernel table. All numbers are fp32, whatever precision the rest of a network has.
 *
 * Neighbouring short sequences are run together: they never see each other's values, but a NaN
 * of one may reach the others, and a row's last bits may depend on its neighbours. The same call
 * gives the same bits. Nothing is allocated; scratch belongs to one thread.
 */
#ifndef PROFFER_TENSOR_ATTENTION_H
#define PROFFER_TENSOR_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/kernels.h"
#include "tensor/workspace.h"

typedef enum attention_kind { ATTENTION_SOFTMAX, ATTENTION_POINTWISE } attention_kind;

typedef struct attention_shape {
    attention_kind kind;
    bool causal;
    size_t D, H;              /* width of all heads, heads; H divides D */
    size_t n_sequences;
    const uint32_t *offset;   /* [n_sequences + 1] */
    const float *bias;        /* [H x bias_length] or NULL */
    size_t bias_length;
    float dropout;            /* 0: none */
    uint64_t seed, stream;    /* of dropout */
    uint32_t first_row;       /* number of row 0 in the batch, so that masks do not depend on
                                 how a batch was cut */
} attention_shape;

/* Bytes of scratch, aligned to 64 bytes, for sequences of at most T rows. */
size_t attention_scratch_bytes(const tensor_kernels *k, size_t D, size_t H, size_t T);
/* out [R x D]; log_sum [R x H] (softmax only, may be NULL when no backward follows). */
void attention_forward(const tensor_kernels *k, const attention_shape *s, const float *qkv,
                       float *out, float *log_sum, void *scratch);
/* dqkv [R x 3D] is set; dbias [H x bias_length] += (NULL without a bias). */
void attention_backward(const tensor_kernels *k, const attention_shape *s, const float *qkv,
                        const float *out, const float *log_sum, const float *dout,
                        float *dqkv, float *dbias, void *scratch);

#endif
