/*
 * Packing an operand of kernels.h in slices, so that several threads share it.
 *
 *     packing_columns(k, p, D, m, 1, D, from, to, forward);       // m [V x D] as D x V
 *     packing_rows(k, p, V, D, m, D, 1, from, to, backward);      // m as V x D
 *
 * All slices together leave the bytes that k->pack leaves. It rests on the layout of panels
 * (products_body.h draws it): packed_bytes(p, K, N) grows by whole panels of columns, and within
 * a panel by whole words of k.
 */
#ifndef PROFFER_TENSOR_PACKING_H
#define PROFFER_TENSOR_PACKING_H

#include "tensor/kernels.h"

/* Slices begin at multiples of these: whole panels of every set, whole words of bf16. */
enum { PACKING_COLUMNS = 192, PACKING_ROWS = 2 };

/* Columns from..to-1 of B[k][n] = b[k * k_stride + n * n_stride], K x any. */
void packing_columns(const tensor_kernels *k, tensor_precision p, size_t K, const float *b,
                     size_t k_stride, size_t n_stride, size_t from, size_t to, void *packed);
/* Rows from..to-1 of the K x N operand. `to` is a multiple of PACKING_ROWS or K. */
void packing_rows(const tensor_kernels *k, tensor_precision p, size_t K, size_t N,
                  const float *b, size_t k_stride, size_t n_stride, size_t from, size_t to,
                  void *packed);

#endif
