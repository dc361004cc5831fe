/*
 * Packing in slices: each slice is an operand of its own that k->pack writes to where it
 * stands in the whole.
 */
#include "tensor/packing.h"

#include <assert.h>

void packing_columns(const tensor_kernels *k, tensor_precision p, size_t K, const float *b,
                     size_t k_stride, size_t n_stride, size_t from, size_t to, void *packed)
{
    assert(from % PACKING_COLUMNS == 0);
    if (from >= to) return;
    size_t at = from > 0 ? k->packed_bytes(p, K, from) : 0;
    k->pack(p, K, to - from, b + from * n_stride, k_stride, n_stride,
            (unsigned char *)packed + at);
}

void packing_rows(const tensor_kernels *k, tensor_precision p, size_t K, size_t N,
                  const float *b, size_t k_stride, size_t n_stride, size_t from, size_t to,
                  void *packed)
{
    assert(from % PACKING_ROWS == 0 && (to % PACKING_ROWS == 0 || to == K));
    if (from >= to) return;
    const size_t panel = k->packed_bytes(p, 1, 1) / sizeof(float);
    const size_t panel_bytes = k->packed_bytes(p, K, 1);
    const size_t at = from > 0 ? k->packed_bytes(p, from, 1) : 0;
    for (size_t n = 0; n < N; n += panel) {
        size_t columns = N - n < panel ? N - n : panel;
        k->pack(p, to - from, columns, b + from * k_stride + n * n_stride, k_stride, n_stride,
                (unsigned char *)packed + n / panel * panel_bytes + at);
    }
}
