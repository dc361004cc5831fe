/*
 * Item-based nearest neighbours on what was taken, without ratings: the cosine of two
 * products' sets of shoppers, shrunk so that few common shoppers prove little,
 *
 *     sim(i, j) = |U_i and U_j| / (sqrt(|U_i| |U_j|) + 10)
 *
 * and the score of a product the sum of its similarities to what the shopper took. Sarwar,
 * Karypis, Konstan, Riedl, WWW 2001, section 3.1.1, with the shrinkage in the divisor of
 * Ferrari Dacrema, Cremonesi, Jannach, RecSys 2019, section 3.2. Of each product the 200
 * nearest are kept; of shoppers with more than 500 products the latest 500 count, because
 * the work grows with the square of that number and such shoppers say little.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/neighbours.h"
#include "recommend/scratch.h"

enum { NEIGHBOURS = 200, SHRINKAGE = 10, LATEST = 500 };

typedef struct item_knn {
    uint32_t n_products;
    sparse near; /* [V x V] */
} item_knn;

static void item_knn_free(void *state)
{
    item_knn *m = state;
    if (m == NULL) return;
    sparse_free(&m->near);
    mem_free(m);
}

typedef struct both_ways {
    sparse products; /* shopper x product */
    sparse shoppers; /* product x shopper */
} both_ways;

static void similarities_of(const void *context, uint32_t row, float *values)
{
    const both_ways *b = context;
    const sparse *of = &b->shoppers, *took = &b->products;
    double own = (double)(of->start[row + 1] - of->start[row]);
    memset(values, 0, of->rows * sizeof *values);
    for (uint64_t i = of->start[row]; i < of->start[row + 1]; i++) {
        uint32_t u = of->column[i];
        for (uint64_t k = took->start[u]; k < took->start[u + 1]; k++)
            values[took->column[k]] += 1;
    }
    for (uint32_t v = 0; v < of->rows; v++) {
        if (values[v] <= 0) continue;
        double other = (double)(of->start[v + 1] - of->start[v]);
        values[v] = (float)((double)values[v] / (sqrt(own * other) + SHRINKAGE));
    }
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    const interactions *x = input->train;
    both_ways b = {0};
    item_knn *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->n_products = x->n_products;
    pf_status s = sets_of_shoppers(x, LATEST, &b.products, err);
    if (s == PF_OK) s = sparse_transpose(&b.products, &b.shoppers, err);
    if (s == PF_OK)
        s = neighbours_find(x->n_products, NEIGHBOURS, similarities_of, &b, input->pool,
                            &m->near, err);
    sparse_free(&b.products);
    sparse_free(&b.shoppers);
    if (s != PF_OK)
        item_knn_free(m);
    else
        *state = m;
    return s;
}

/* A product taken twice counts once: marks[product] says which were counted. */
static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const item_knn *m = state;
    float *marks = scratch->floats;
    memset(scores, 0, m->n_products * sizeof *scores);
    for (size_t i = 0; i < query->n; i++)
        marks[query->product[i]] = 0;
    for (size_t i = 0; i < query->n; i++) {
        uint32_t v = query->product[i];
        if (marks[v] > 0) continue;
        marks[v] = 1;
        for (uint64_t k = m->near.start[v]; k < m->near.start[v + 1]; k++)
            scores[m->near.column[k]] += m->near.value[k];
    }
}

static size_t scratch_floats(const void *state)
{
    return ((const item_knn *)state)->n_products;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    return sparse_save(&((const item_knn *)state)->near, "near", file, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    item_knn *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->n_products = n_products;
    pf_status s = sparse_load(&m->near, "near", n_products, n_products, file, err);
    if (s != PF_OK)
        item_knn_free(m);
    else
        *state = m;
    return s;
}

const recommender_kind item_knn_kind = {
    .name = "item-knn",
    .summary = "what is taken by the same shoppers",
    .source = "Sarwar et al. 2001, section 3.1.1; shrinkage: Ferrari Dacrema et al. 2019",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = item_knn_free,
    .scratch_floats = scratch_floats,
};
