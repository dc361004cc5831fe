/*
 * Files of posterior draws as hostile bytes.
 *
 * Rooms: base tensor response
 *
 * What is taken must hold a power of two of draws, all of their numbers finite.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "response/draws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const draws *d)
{
    if (d->draws == 0 || (d->draws & (d->draws - 1)) != 0 || d->width == 0) abort();
    for (size_t i = 0; i < d->draws * d->width; i++)
        if (!isfinite(d->value[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    safetensors *file = NULL;
    draws d;
    uint8_t *aligned = mem_alloc_aligned(size + 1, 1);
    if (aligned == NULL) return 0;
    memcpy(aligned, data, size);
    if (safetensors_from_bytes(&file, aligned, size, "input", NULL) == PF_OK) {
        if (draws_take(&d, file, 0, NULL) == PF_OK) check(&d);
        draws_free(&d);
        safetensors_close(file);
    }
    mem_free(aligned);
    return 0;
}
