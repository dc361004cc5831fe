/*
 * Model files of recommenders as hostile bytes.
 *
 * Rooms: base tensor recommend
 *
 * The first byte is the number of products the catalogue has; the rest is the file. What
 * opens is given to the kind it names, and a model that is taken must score every past
 * without harm.
 */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRODUCTS_MAX = 255 };

static void score(const recommender *m, uint32_t n_products)
{
    uint32_t product[PRODUCTS_MAX];
    float scores[PRODUCTS_MAX];
    recommend_scratch *scratch = NULL;
    for (uint32_t v = 0; v < n_products; v++)
        product[v] = v;
    if (recommend_scratch_new(m, &scratch, NULL) != PF_OK) return;
    for (uint32_t user = 0; user < 3; user++) {
        const recommend_query q = {.product = product, .n = n_products, .user = user};
        recommender_score(m, &q, scores, scratch);
    }
    recommend_scratch_free(scratch);
}

static void try_file(const uint8_t *bytes, size_t size, uint32_t n_products)
{
    safetensors *file = NULL;
    recommender *m = NULL;
    if (safetensors_from_bytes(&file, bytes, size, "input", NULL) != PF_OK) return;
    if (recommender_take(file, n_products, &m, NULL) == PF_OK) {
        score(m, n_products);
        recommender_free(m);
    }
    safetensors_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || data[0] == 0) return 0;
    uint8_t *aligned = mem_alloc_aligned(size - 1, 1);
    if (aligned == NULL) return 0;
    memcpy(aligned, data + 1, size - 1);
    try_file(aligned, size - 1, data[0]);
    mem_free(aligned);
    return 0;
}
