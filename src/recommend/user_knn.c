/*
 * User-based nearest neighbours on what was taken, without ratings: the cosine of two
 * shoppers' sets of products, shrunk so that few common products prove little,
 *
 *     sim(q, u) = |P_q and P_u| / (sqrt(|P_q| |P_u|) + 10)
 *
 * and the score of a product the sum of the similarities of those who took it, among the
 * 100 nearest. Breese, Heckerman, Kadie, UAI 1998, section 2.1, in the implicit form of
 * Ferrari Dacrema, Cremonesi, Jannach, RecSys 2019, section 3.2. The asker's past is the
 * query's, so who was not in the training data is served alike; who was is no neighbour of
 * himself.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/ranking.h"
#include "recommend/kinds.h"
#include "recommend/neighbours.h"
#include "recommend/scratch.h"

enum { NEIGHBOURS = 100, SHRINKAGE = 10 };

typedef struct user_knn {
    uint32_t n_products;
    uint64_t n_users;
    sparse products; /* [U x V] */
    sparse shoppers; /* its transpose */
} user_knn;

static void user_knn_free(void *state)
{
    user_knn *m = state;
    if (m == NULL) return;
    sparse_free(&m->products);
    sparse_free(&m->shoppers);
    mem_free(m);
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    user_knn *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->n_products = input->train->n_products;
    m->n_users = input->train->n_users;
    pf_status s = sets_of_shoppers(input->train, 0, &m->products, err);
    if (s == PF_OK) s = sparse_transpose(&m->products, &m->shoppers, err);
    if (s != PF_OK)
        user_knn_free(m);
    else
        *state = m;
    return s;
}

/* common[u] = how many different products of the query u took; returns how many different
 * ones there are. marks [V] is scratch. */
static uint32_t count_common(const user_knn *m, const recommend_query *query,
                             float *common, float *marks)
{
    uint32_t different = 0;
    memset(common, 0, m->n_users * sizeof *common);
    for (size_t i = 0; i < query->n; i++)
        marks[query->product[i]] = 0;
    for (size_t i = 0; i < query->n; i++) {
        uint32_t v = query->product[i];
        if (marks[v] > 0) continue;
        marks[v] = 1;
        different++;
        for (uint64_t k = m->shoppers.start[v]; k < m->shoppers.start[v + 1]; k++)
            common[m->shoppers.column[k]] += 1;
    }
    return different;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const user_knn *m = state;
    float *similarity = scratch->floats;
    uint32_t nearest[NEIGHBOURS];
    double own = count_common(m, query, similarity, similarity + m->n_users);
    for (uint32_t u = 0; u < m->n_users; u++) {
        double common = (double)similarity[u];
        double other = (double)(m->products.start[u + 1] - m->products.start[u]);
        similarity[u] = common > 0 && u != query->user
                            ? (float)(common / (sqrt(own * other) + SHRINKAGE))
                            : -INFINITY;
    }
    size_t n = ranking_top(similarity, m->n_users, NEIGHBOURS, nearest);
    memset(scores, 0, m->n_products * sizeof *scores);
    for (size_t i = 0; i < n; i++) {
        uint32_t u = nearest[i];
        for (uint64_t k = m->products.start[u]; k < m->products.start[u + 1]; k++)
            scores[m->products.column[k]] += similarity[u];
    }
}

static size_t scratch_floats(const void *state)
{
    const user_knn *m = state;
    return (size_t)m->n_users + m->n_products;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const user_knn *m = state;
    pf_status s = safetensors_add(file, "n_users", TENSOR_U64, &m->n_users, 0, NULL, err);
    return s == PF_OK ? sparse_save(&m->products, "products", file, err) : s;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *users = NULL;
    pf_status s = safetensors_find(file, "n_users", TENSOR_U64, 0, 1, &users, err);
    if (s != PF_OK) return s;
    uint64_t n_users = *(const uint64_t *)users->data;
    if (n_users >= UINT32_MAX)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "a number of shoppers is out of range; train again");
    user_knn *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->n_products = n_products;
    m->n_users = n_users;
    s = sparse_load(&m->products, "products", (uint32_t)n_users, n_products, file, err);
    if (s == PF_OK) s = sparse_transpose(&m->products, &m->shoppers, err);
    if (s != PF_OK)
        user_knn_free(m);
    else
        *state = m;
    return s;
}

const recommender_kind user_knn_kind = {
    .name = "user-knn",
    .summary = "what shoppers with a like past take",
    .source =
        "Breese et al. 1998, section 2.1; implicit form: Ferrari Dacrema et al. 2019",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = user_knn_free,
    .scratch_floats = scratch_floats,
};
