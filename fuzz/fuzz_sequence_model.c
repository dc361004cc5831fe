/*
 * Files of sequence models as hostile bytes.
 *
 * Rooms: base tensor sequence
 *
 * What opens is loaded as a model; one that is taken must give states and scores of any events,
 * without harm.
 */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "sequence/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS = 5 };

static void use(const sequence_model *m)
{
    const uint32_t V = sequence_model_sizes(m)->V;
    const uint32_t thing[EVENTS] = {0, V - 1, V, SEQUENCE_NOTHING, SEQUENCE_MASK};
    const uint8_t kind[EVENTS] = {0, 15, 16, 255, 1};
    const int64_t time_us[EVENTS] = {INT64_MIN, 0, 0, INT64_MAX, 5};
    float *scores = mem_alloc(V, sizeof *scores);
    void *scratch = mem_alloc(1, sequence_model_scratch_bytes(m));
    for (size_t n = 0; scores != NULL && scratch != NULL && n <= EVENTS; n++) {
        const sequence_window w = {
            .n = n, .thing = thing, .kind = kind, .band = kind, .time_us = time_us};
        sequence_model_score_window(m, &w, scores, scratch);
    }
    mem_free(scores);
    mem_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    safetensors *file = NULL;
    sequence_model *m = NULL;
    uint8_t *aligned = mem_alloc_aligned(size + 1, 1);
    if (aligned == NULL) return 0;
    memcpy(aligned, data, size);
    if (safetensors_from_bytes(&file, aligned, size, "input", NULL) == PF_OK) {
        if (sequence_model_load(&m, file, NULL) == PF_OK) use(m);
        sequence_model_free(m);
    }
    safetensors_close(file);
    mem_free(aligned);
    return 0;
}
