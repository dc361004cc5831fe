/* The encoder's kernels with AVX-512: 8 rows x 2 vectors of 16 are 16 accumulators of
 * the 32 registers, enough chains to hide the latency of a multiply-add on two ports. */
#define KERNEL_LANES 16
#define KERNEL_VECTORS 2
#define KERNEL_ROWS 8
#define KERNEL_NAME "avx512"
#define KERNEL_TABLE kernels_avx512
#include "language/kernel_body.h"
