/*
 * EASE: a linear model of products by products with a zero diagonal, in closed form (Steck,
 * "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equations 8 and 9):
 *
 *     G = X^T X + lambda I     P = G^-1     B_ij = -P_ij / P_jj, B_jj = 0
 *     score_j = sum over the products i of the past of B_ij
 *
 * X [U x V] holds 1 where a shopper took a product. The matrix is dense: V^2 floats. lambda is
 * the one of three that foresees the validation events best; without such events, 250.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/lapack.h"
#include "recommend/neighbours.h"
#include "recommend/validation.h"
#include "tensor/kernels.h"

enum { EASE_MAX_PRODUCTS = 16000 }; /* 1 GB */

static const float lambdas[] = {50, 250, 1000};
static const float lambda_unasked = 250;
enum { LAMBDAS = sizeof lambdas / sizeof lambdas[0] };

typedef struct ease {
    uint64_t shape[2]; /* V, V */
    float *weights;    /* [V x V], row i: what the product i speaks for */
} ease;

static void ease_free(void *state)
{
    ease *m = state;
    if (m == NULL) return;
    mem_free(m->weights);
    mem_free(m);
}

static ease *ease_new(uint32_t n_products)
{
    ease *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return NULL;
    m->shape[0] = m->shape[1] = n_products;
    m->weights = mem_alloc_aligned((size_t)n_products * n_products, sizeof *m->weights);
    if (m->weights != NULL) return m;
    mem_free(m);
    return NULL;
}

/* ---- fitting ---- */

static void fill_gram(const sparse *sets, float lambda, float *g)
{
    size_t V = sets->columns;
    memset(g, 0, V * V * sizeof *g);
    for (uint32_t u = 0; u < sets->rows; u++)
        for (uint64_t a = sets->start[u]; a < sets->start[u + 1]; a++)
            for (uint64_t b = sets->start[u]; b < sets->start[u + 1]; b++)
                g[sets->column[a] * V + sets->column[b]] += 1;
    for (size_t v = 0; v < V; v++)
        g[v * V + v] += lambda;
}

/* B from P in place; column j is divided by its own diagonal. */
static void weights_of_inverse(size_t V, float *p, float *diagonal)
{
    for (size_t j = 0; j < V; j++)
        diagonal[j] = p[j * V + j];
    for (size_t i = 0; i < V; i++) {
        for (size_t j = 0; j < V; j++)
            p[i * V + j] /= -diagonal[j];
        p[i * V + i] = 0;
    }
}

static pf_status solve(ease *m, const sparse *sets, float lambda, float *diagonal,
                       pf_error *err)
{
    size_t V = (size_t)m->shape[0];
    fill_gram(sets, lambda, m->weights);
    pf_status s = lapack_invert(V, m->weights, err);
    if (s == PF_OK) weights_of_inverse(V, m->weights, diagonal);
    return s;
}

/* The best of the grid by validation, left in the model. */
static pf_status choose(ease *m, const recommend_input *input, const sparse *sets,
                        float *diagonal, pf_error *err)
{
    double best = -1, ndcg = 0;
    size_t chosen = 0, last = 0;
    pf_status s = PF_OK;
    for (size_t i = 0; i < LAMBDAS && s == PF_OK; i++) {
        s = solve(m, sets, lambdas[i], diagonal, err);
        if (s == PF_OK) s = recommend_validate(&ease_kind, m, input, &ndcg, err);
        if (s == PF_OK && ndcg > best) {
            best = ndcg;
            chosen = i;
        }
        last = i;
    }
    return s == PF_OK && chosen != last ? solve(m, sets, lambdas[chosen], diagonal, err)
                                        : s;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    uint32_t V = input->train->n_products;
    if (V > EASE_MAX_PRODUCTS)
        return error_set(err, PF_LIMIT,
                         "%u products; a dense matrix of products by products is kept up "
                         "to %d",
                         V, EASE_MAX_PRODUCTS);
    sparse sets = {0};
    ease *m = ease_new(V);
    float *diagonal = mem_alloc(V, sizeof *diagonal);
    pf_status s = m && diagonal
                      ? sets_of_shoppers(input->train, 0, &sets, err)
                      : error_set(err, PF_NO_MEMORY, "out of memory for %u x %u weights", V, V);
    if (s == PF_OK)
        s = recommend_can_validate(input)
                ? choose(m, input, &sets, diagonal, err)
                : solve(m, &sets, lambda_unasked, diagonal, err);
    sparse_free(&sets);
    mem_free(diagonal);
    if (s != PF_OK)
        ease_free(m);
    else
        *state = m;
    return s;
}

/* ---- scoring ---- */

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const ease *m = state;
    const tensor_kernels *k = kernels_choose(NULL);
    size_t V = (size_t)m->shape[0];
    (void)scratch;
    memset(scores, 0, V * sizeof *scores);
    for (size_t i = 0; i < query->n; i++)
        k->add_scaled(V, 1, m->weights + query->product[i] * V, scores);
}

/* ---- files ---- */

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const ease *m = state;
    return safetensors_add(file, "weights", TENSOR_F32, m->weights, 2, m->shape, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *t = NULL;
    uint64_t count = (uint64_t)n_products * n_products;
    pf_status s = safetensors_find(file, "weights", TENSOR_F32, 2, count, &t, err);
    if (s != PF_OK) return s;
    if (t->shape[0] != n_products || n_products > EASE_MAX_PRODUCTS)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the weights have a wrong shape; train again");
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(((const float *)t->data)[i]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "a weight is not finite; train again");
    ease *m = ease_new(n_products);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    memcpy(m->weights, t->data, (size_t)count * sizeof *m->weights);
    *state = m;
    return PF_OK;
}

const recommender_kind ease_kind = {
    .name = "ease",
    .summary = "a linear model of products by products in closed form",
    .source = "Steck, WWW 2019, equations 8 and 9",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = ease_free,
};
