/* The encoder's kernels with AVX2 and FMA: 6 rows x 2 vectors of 8 are 12 accumulators;
 * two weights and one input value take 3 more of the 16 registers. */
#define KERNEL_LANES 8
#define KERNEL_VECTORS 2
#define KERNEL_ROWS 6
#define KERNEL_NAME "avx2"
#define KERNEL_TABLE kernels_avx2
#include "language/kernel_body.h"
