/* The trainer's kernels for any processor: vectors of 4 floats, which every x86-64 has and
 * which compilers turn into what there is elsewhere; a tile of 4 rows x 2 vectors. */
#define KERNEL_LANES 4
#define KERNEL_VECTORS 2
#define KERNEL_ROWS 4
#define KERNEL_BF16 0
#define KERNEL_NAME "portable"
#define KERNEL_TABLE tensor_kernels_portable
#include "tensor/set_body.h"
