/*
 * Files of models of effects as hostile bytes.
 *
 * Rooms: base tensor response
 *
 * What opens and is taken must foretell effects for rows of any numbers without harm. Trees are
 * passed over: their bytes are read by XGBoost, which is not ours to test.
 */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "response/uplift_model_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 3 };

static bool has_trees(const safetensors *file)
{
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (strstr(safetensors_at(file, i)->name, "trees")) return true;
    return false;
}

static void ask(const uplift_model *m)
{
    static const float values[] = {0, 1, -1e30f, 1e30f, 0.25f};
    const uplift_scale *k = &m->learner.scale;
    float x[ROWS * LINEAR_MAX_FEATURES], attribute[2 * LINEAR_MAX_FEATURES];
    double effect[2 * ROWS];
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = values[i % 5];
    for (size_t i = 0; i < sizeof attribute / sizeof attribute[0]; i++)
        attribute[i] = values[i % 4];
    const feature_rows rows = {ROWS, k->features, x};
    const bool several = k->attributes > 0;
    (void)uplift_model_score(m, &rows, several ? attribute : NULL, several ? 2 : 1, effect, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    safetensors *file = NULL;
    uplift_model *m = NULL;
    uint8_t *bytes = mem_alloc_aligned(size + 1, 1);
    if (bytes == NULL) return 0;
    if (size > 0) memcpy(bytes, data, size);
    if (safetensors_from_bytes(&file, bytes, size, "input", NULL) == PF_OK && !has_trees(file) &&
        uplift_model_read(file, &m, NULL) == PF_OK)
        ask(m);
    uplift_model_free(m);
    safetensors_close(file);
    mem_free(bytes);
    return 0;
}
