/*
 * Weights files and the archives they are made from, as hostile bytes.
 *
 * Rooms: base language
 *
 * An input that begins with "PK" is opened as an NPZ archive and every array a conversion
 * asks for is described and read; anything else is opened as a weights file, with the
 * checksum first as it is and then passed over, so that the checks of the fields meet
 * inputs too. What opens is read at both ends of every section.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "language/npz.h"
#include "language/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_array(const npz *archive, const char *name)
{
    npz_array array;
    size_t values = 1;
    if (npz_describe(archive, name, &array, NULL) != PF_OK) return;
    for (size_t i = 0; i < array.dimensions; i++)
        if (!size_multiply(values, array.shape[i], &values)) return;
    if (values == 0 || values > 1 << 20) return;
    double *space = mem_alloc(values, sizeof *space);
    if (space)
        npz_read(archive, name, array.kind, array.dimensions, array.shape, space, NULL);
    mem_free(space);
}

static void try_archive(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "eps", "scale", "q1", "proj2", "b1_2", "d3"};
    npz archive;
    pf_error err = {0};
    if (npz_open_bytes(&archive, data, size, "input", &err) != PF_OK) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        read_array(&archive, names[i]);
}

static void try_weights(const uint8_t *data, size_t size, bool check)
{
    weights w;
    pf_error err = {0};
    unsigned sum = 0;
    if (weights_open_bytes(&w, data, size, "input", check, &err) != PF_OK) return;
    for (unsigned i = 0; i < WEIGHTS_SECTIONS; i++) {
        const unsigned char *section = weights_at(&w, i);
        sum += section[0];
        sum += section[w.header.places[i].bytes - 1];
    }
    if (sum == UINT32_MAX) /* never, but the reads must happen */
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 && data[0] == 'P' && data[1] == 'K') {
        try_archive(data, size);
        return 0;
    }
    uint8_t *aligned = size > 0 ? mem_alloc_aligned(size, 1) : NULL;
    if (aligned) {
        memcpy(aligned, data, size);
        try_weights(aligned, size, true);
        try_weights(aligned, size, false);
    }
    mem_free(aligned);
    return 0;
}
