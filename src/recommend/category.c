/*
 * Popularity within the shopper's categories: the share of his past that fell into a
 * product's category, times ln(1 + count) of the product. What has no category, in the
 * past or in the catalogue, counts for nothing.
 */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

/* As many as there may be products. */
enum { CATEGORIES_MAX = LIMIT_PRODUCTS };

typedef struct category_model {
    uint64_t n_products, n_categories;
    uint32_t *category; /* [V], 0 = none */
    float *popularity;  /* [V] ln(1 + count) */
} category_model;

static void category_free(void *state)
{
    category_model *m = state;
    if (m == NULL) return;
    mem_free(m->category);
    mem_free(m->popularity);
    mem_free(m);
}

static category_model *category_new(uint64_t n_products, uint64_t n_categories)
{
    category_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return NULL;
    m->n_products = n_products;
    m->n_categories = n_categories;
    m->category = mem_alloc(n_products, sizeof *m->category);
    m->popularity = mem_alloc_zero(n_products, sizeof *m->popularity);
    if (m->category && m->popularity) return m;
    category_free(m);
    return NULL;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    const interactions *x = input->train;
    const product_side *side = input->side;
    if (side == NULL || side->category == NULL)
        return error_set(err, PF_UNAVAILABLE, "the products have no categories");
    for (uint32_t v = 0; v < x->n_products; v++)
        if (side->category[v] >= side->n_categories)
            return error_set(err, PF_INTERNAL, "product %u is in category %u of %u", v,
                             side->category[v], side->n_categories);
    category_model *m = category_new(x->n_products, side->n_categories);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    memcpy(m->category, side->category, x->n_products * sizeof *m->category);
    for (uint64_t i = 0; i < x->n; i++)
        m->popularity[x->product[i]] += 1;
    for (uint32_t v = 0; v < x->n_products; v++)
        m->popularity[v] = log1pf(m->popularity[v]);
    *state = m;
    return PF_OK;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const category_model *m = state;
    float *share = scratch->floats;
    memset(share, 0, m->n_categories * sizeof *share);
    for (size_t i = 0; i < query->n; i++)
        share[m->category[query->product[i]]] += 1 / (float)query->n;
    share[0] = 0;
    for (uint64_t v = 0; v < m->n_products; v++)
        scores[v] = share[m->category[v]] * m->popularity[v];
}

static size_t scratch_floats(const void *state)
{
    return (size_t)((const category_model *)state)->n_categories;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const category_model *m = state;
    pf_status s =
        safetensors_add(file, "n_categories", TENSOR_U64, &m->n_categories, 0, NULL, err);
    if (s == PF_OK)
        s = safetensors_add(file, "category", TENSOR_U32, m->category, 1, &m->n_products,
                            err);
    if (s == PF_OK)
        s = safetensors_add(file, "count", TENSOR_F32, m->popularity, 1, &m->n_products,
                            err);
    return s;
}

static bool is_sound(const category_model *m)
{
    for (uint64_t v = 0; v < m->n_products; v++)
        if (m->category[v] >= m->n_categories || !isfinite(m->popularity[v]))
            return false;
    return true;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *many = NULL, *category = NULL, *count = NULL;
    pf_status s = safetensors_find(file, "n_categories", TENSOR_U64, 0, 1, &many, err);
    if (s == PF_OK)
        s = safetensors_find(file, "category", TENSOR_U32, 1, n_products, &category, err);
    if (s == PF_OK)
        s = safetensors_find(file, "count", TENSOR_F32, 1, n_products, &count, err);
    if (s != PF_OK) return s;
    uint64_t n_categories = *(const uint64_t *)many->data;
    if (n_categories == 0 || n_categories > CATEGORIES_MAX)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the number of categories is out of range; train again");
    category_model *m = category_new(n_products, n_categories);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    memcpy(m->category, category->data, n_products * sizeof *m->category);
    memcpy(m->popularity, count->data, n_products * sizeof *m->popularity);
    if (!is_sound(m)) {
        category_free(m);
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "a product's category or count is damaged; train again");
    }
    *state = m;
    return PF_OK;
}

const recommender_kind category_kind = {
    .name = "category",
    .summary = "what most people take in the shopper's categories",
    .source = "counts",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = category_free,
    .scratch_floats = scratch_floats,
};
