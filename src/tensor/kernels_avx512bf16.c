/* The trainer's kernels with AVX-512 and its bf16 products. */
#include "tensor/kernels.h"

#if defined(__x86_64__)
#define KERNEL_LANES 16
#define KERNEL_VECTORS 4
#define KERNEL_ROWS 6
#define KERNEL_BF16 1
#define KERNEL_NAME "avx512-bf16"
#define KERNEL_TABLE tensor_kernels_avx512bf16
#include "tensor/set_body.h"
#endif
