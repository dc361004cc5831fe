/*
 * One instruction set's table of kernels.h: the bodies, compiled for the set that the file
 * including this one describes (see lanes_body.h).
 */
#include "tensor/kernels.h"

#include "tensor/lanes_body.h"
#include "tensor/products_body.h"
#include "tensor/passes_body.h"

#if __has_include("tensor/cross_entropy_body.h")
#include "tensor/cross_entropy_body.h"
#define KERNEL_CROSS_ENTROPY_AT &KERNEL_CROSS_ENTROPY
#else
#define KERNEL_CROSS_ENTROPY_AT NULL
#endif
#include "tensor/attention_body.h"
#include "tensor/norm_body.h"

extern const tensor_kernels KERNEL_TABLE;

const tensor_kernels KERNEL_TABLE = {
    .name = KERNEL_NAME,
    .bf16 = KERNEL_BF16,
    .packed_bytes = packed_bytes,
    .pack = pack_panels,
    .product = product,
    .product_transposed = product_transposed,
    .exponential = exponential,
    .maximum = maximum,
    .sum = sum,
    .dot = dot,
    .add_scaled = add_scaled,
    .gelu = gelu,
    .gelu_backward = gelu_backward,
    .silu = silu,
    .silu_backward = silu_backward,
    .sigmoid = sigmoid,
    .sigmoid_backward = sigmoid_backward,
    .tanh = tanh_pass,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .multiply = multiply,
    .multiply_add = multiply_add,
    .dropout = dropout,
    .adam = adam,
    .cross_entropy = KERNEL_CROSS_ENTROPY_AT,
    .attention = &attention_table,
    .norm = &norm_table,
};
