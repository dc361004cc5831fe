/*
 * Likeness of meaning: the dot product of a product's vector with the shopper's, which is
 * the sum over the last 10 events of .7^age times the product's vector. The twin of words.c
 * on the vectors of an encoder (or of pictures, or of any other one), centred by whoever
 * made them.
 */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "language/kernels.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"
#include "recommend/transitions.h"

typedef struct meaning_model {
    uint64_t shape[2]; /* V, D */
    float *rows;       /* [V x D] */
} meaning_model;

static void meaning_free(void *state)
{
    meaning_model *m = state;
    if (m == NULL) return;
    mem_free(m->rows);
    mem_free(m);
}

/* A copy of the rows, all of which must be finite: PF_DATA when one is not. */
static pf_status meaning_new(uint64_t n_products, uint64_t dimension, const float *rows,
                             void **out, pf_error *err)
{
    size_t n = (size_t)(n_products * dimension);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(rows[i]))
            return error_set(err, PF_DATA, "the vector of product %zu is not finite",
                             i / (size_t)dimension);
    meaning_model *m = mem_alloc_zero(1, sizeof *m);
    if (m != NULL) m->rows = mem_alloc_aligned(n, sizeof *m->rows);
    if (m == NULL || m->rows == NULL) {
        meaning_free(m);
        return error_set(err, PF_NO_MEMORY, "out of memory for the vectors of products");
    }
    m->shape[0] = n_products;
    m->shape[1] = dimension;
    memcpy(m->rows, rows, n * sizeof *m->rows);
    *out = m;
    return PF_OK;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    const product_side *side = input->side;
    if (side == NULL || side->vectors == NULL || side->dimension == 0)
        return error_set(err, PF_UNAVAILABLE, "the products have no vectors");
    return meaning_new(input->train->n_products, side->dimension, side->vectors, state,
                       err);
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const meaning_model *m = state;
    const kernel_table *k = kernels_best();
    size_t D = (size_t)m->shape[1];
    float *mean = scratch->floats, worth = 1;
    memset(mean, 0, D * sizeof *mean);
    for (size_t age = 0; age < query->n && age < TRANSITIONS_LAST; age++) {
        const float *row = m->rows + query->product[query->n - 1 - age] * D;
        for (size_t d = 0; d < D; d++)
            mean[d] += worth * row[d];
        worth *= TRANSITIONS_DECAY;
    }
    for (uint64_t v = 0; v < m->shape[0]; v++)
        scores[v] = k->dot(D, m->rows + v * D, mean);
}

static size_t scratch_floats(const void *state)
{
    return (size_t)((const meaning_model *)state)->shape[1];
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const meaning_model *m = state;
    return safetensors_add(file, "vectors", TENSOR_F32, m->rows, 2, m->shape, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, "vectors", TENSOR_F32, 2, 0, &t, err);
    if (s != PF_OK) return s;
    if (t->shape[0] != n_products || t->shape[1] == 0 ||
        t->shape[1] > LIMIT_VECTOR_DIMENSION)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the vectors have a wrong shape; train again");
    return meaning_new(n_products, t->shape[1], t->data, state, err);
}

const recommender_kind meaning_kind = {
    .name = "meaning",
    .summary = "what means nearly the same as the shopper's latest products",
    .source = "Lops, de Gemmis, Semeraro 2011, section 3.3.1, on sentence vectors",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = meaning_free,
    .scratch_floats = scratch_floats,
};
