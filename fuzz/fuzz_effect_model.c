/*
 * Files of models of what promotions add, as hostile bytes.
 *
 * Rooms: base tensor response
 *
 * What opens and is taken must tell its shares, draw and foretell for rows of any numbers without
 * harm. Trees are passed over: their bytes are read by XGBoost, which is not ours to test.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "response/effect_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 3, DRAWS = 4, WORDS = 1 << 20 };

static bool has_trees(const safetensors *file)
{
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (strstr(safetensors_at(file, i)->name, "trees")) return true;
    return false;
}

static void foretell(const effect_model *m)
{
    static const float values[] = {0, 1, -1e30f, 1e30f, 0.25f};
    float x[ROWS * EFFECT_FEATURES];
    double effect[ROWS];
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = values[i % 5];
    const feature_rows rows = {ROWS, EFFECT_FEATURES, x};
    (void)uplift_learner_effect(&m->learner, &rows, NULL, 1, effect, NULL);
}

static void ask(const effect_model *m)
{
    buffer b;
    json_writer w;
    draws d;
    buffer_init(&b, WORDS);
    json_begin(&w, &b);
    effect_describe(m, &w);
    if (!json_finish(&w)) abort();
    buffer_free(&b);
    if (draws_new(&d, DRAWS, effect_scales(m), 1, 1, NULL) == PF_OK) {
        (void)effect_draws(m, &d, NULL);
        for (size_t i = 0; i < DRAWS * d.width; i++)
            if (!(d.value[i] >= 0)) abort(); /* a promise, whatever the file */
        draws_free(&d);
    }
    if (m->choice.chosen != EFFECT_SHARE) foretell(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    safetensors *file = NULL;
    effect_model *m = NULL;
    uint8_t *bytes = mem_alloc_aligned(size + 1, 1);
    if (bytes == NULL) return 0;
    if (size > 0) memcpy(bytes, data, size);
    if (safetensors_from_bytes(&file, bytes, size, "input", NULL) == PF_OK && !has_trees(file) &&
        effect_read(file, &m, NULL) == PF_OK)
        ask(m);
    effect_free(m);
    safetensors_close(file);
    mem_free(bytes);
    return 0;
}
