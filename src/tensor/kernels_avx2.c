/* The trainer's kernels with AVX2 and FMA: a tile of 6 rows x 2 vectors takes 12 of the 16
 * registers, the panel's vectors 2, a broadcast value 1. */
#include "tensor/kernels.h"

#if defined(__x86_64__)
#define KERNEL_LANES 8
#define KERNEL_VECTORS 2
#define KERNEL_ROWS 6
#define KERNEL_BF16 0
#define KERNEL_NAME "avx2"
#define KERNEL_TABLE tensor_kernels_avx2
#include "tensor/set_body.h"
#endif
