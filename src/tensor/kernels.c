/* Choice of a table of kernels when the program runs. See kernels.h. */
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

extern const tensor_kernels tensor_kernels_portable;
#if defined(__x86_64__)
extern const tensor_kernels tensor_kernels_avx512bf16;
extern const tensor_kernels tensor_kernels_avx512;
extern const tensor_kernels tensor_kernels_avx2;

static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("fma");
}
#endif

const tensor_kernels *kernels_at(size_t i)
{
    const tensor_kernels *runnable[4] = {NULL};
    size_t n = 0;
#if defined(__x86_64__)
    if (has_avx512()) {
        if (__builtin_cpu_supports("avx512bf16"))
            runnable[n++] = &tensor_kernels_avx512bf16;
        runnable[n++] = &tensor_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        runnable[n++] = &tensor_kernels_avx2;
#endif
    runnable[n++] = &tensor_kernels_portable;
    return i < n ? runnable[i] : NULL;
}

const tensor_kernels *kernels_choose(const char *name)
{
    if (!name) name = getenv("PROFFER_KERNELS");
    if (!name || name[0] == '\0') return kernels_at(0);
    for (size_t i = 0; kernels_at(i); i++)
        if (strcmp(kernels_at(i)->name, name) == 0) return kernels_at(i);
    return NULL;
}
