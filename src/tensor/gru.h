/*
 * A gated recurrent unit over packed sequences, forward and backward (Cho et al. 2014 in the
 * form of torch.nn.GRU):
 *
 *     r = sigma(Wir x + bir + Whr h + bhr)     z = sigma(Wiz x + biz + Whz h + bhz)
 *     n = tanh(Win x + bin + r (Whn h + bhn))  h' = (1 - z) n + z h
 *
 * Sequences are packed one behind the other as in attention.h; each starts from h = 0. Steps of
 * all sequences of a pack run together, longest first, so that a step is one matrix product.
 */
#ifndef PROFFER_TENSOR_GRU_H
#define PROFFER_TENSOR_GRU_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/kernels.h"

typedef struct gru_shape {
    size_t n_sequences;
    const uint32_t *offset; /* [n_sequences + 1] */
    size_t hidden;          /* G */
    tensor_precision precision;
} gru_shape;

/* Bytes of scratch for packs of at most R rows and S sequences. */
size_t gru_scratch_bytes(const tensor_kernels *k, size_t hidden, size_t R, size_t S);
/* gates_in [R x 3G] = Wi x + bi, gates r, z, n in this order (a product of the caller's);
 * wh packed with k->pack as K = G, N = 3G; bh [3G]. Keeps [R x 4G]: r, z, n, Whn h + bhn.
 * h [R x G] is the output at every row. */
void gru_forward(const tensor_kernels *k, const gru_shape *s, const float *gates_in,
                 const void *wh_packed, const float *bh, float *h, float *kept,
                 void *scratch);
/* dh [R x G] comes in from above; dgates_in [R x 3G] is set (the caller makes
 * dWi, dbi, dx of it); dwh [3G x G] +=, dbh [3G] +=. wh_back is the packing of the other side
 * (K = 3G, N = G). */
void gru_backward(const tensor_kernels *k, const gru_shape *s, const float *h,
                  const float *kept, const void *wh_back, const float *dh,
                  float *dgates_in, float *dwh, float *dbh, void *scratch);

#endif
