/* The encoder's kernels for any processor: vectors of 4 floats, which every x86-64 has
 * and which compilers turn into scalars elsewhere; 4 rows x 2 vectors fit 16 registers.
 */
#define KERNEL_LANES 4
#define KERNEL_VECTORS 2
#define KERNEL_ROWS 4
#define KERNEL_NAME "portable"
#define KERNEL_TABLE kernels_portable
#include "language/kernel_body.h"
