/* The trainer's kernels with AVX-512: a tile of 6 rows x 4 vectors takes 24 of the 32
 * registers, the panel's vectors 4, a broadcast value 1; 10 loads serve 24 multiply-adds. */
#include "tensor/kernels.h"

#if defined(__x86_64__)
#define KERNEL_LANES 16
#define KERNEL_VECTORS 4
#define KERNEL_ROWS 6
#define KERNEL_BF16 0
#define KERNEL_NAME "avx512"
#define KERNEL_TABLE tensor_kernels_avx512
#include "tensor/set_body.h"
#endif
