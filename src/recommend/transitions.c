/*
 * Directed transition counts: what is taken soon after what. For every shopper, a product j
 * that follows product i within 5 places adds 1/gap to T[i][j]; then row i is divided by
 * the square root of its sum and column j by the square root of the popularity of j plus
 * one (both of the raw matrix), which keeps best-sellers from following everything. The
 * score of a product is the sum of .7^age T over the last 10 events, age 0 the latest.
 *
 * A first-order Markov chain with skips (Rendle, Freudenthaler, Schmidt-Thieme, "Factorizing
 * personalized Markov chains", WWW 2010, section 4.1, without the factorisation) under a
 * cosine-like normalisation; the constants are those of the reference figures .1514
 * (MovieLens-1M) and .0490 (Beauty), NDCG@10 leave-one-out.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/sparse.h"
#include "recommend/transitions.h"

enum { GAP = 5 };

typedef struct transitions {
    uint32_t n_products;
    sparse next; /* [V x V] normalised */
} transitions;

static void transitions_free(void *state)
{
    transitions *t = state;
    if (t == NULL) return;
    sparse_free(&t->next);
    mem_free(t);
}

/* What is done with each pair (i before j, gap places apart). */
typedef void pair_visitor(sparse_counter *k, uint32_t i, uint32_t j, uint64_t gap);

static void count_pair(sparse_counter *k, uint32_t i, uint32_t j, uint64_t gap)
{
    (void)j;
    (void)gap;
    sparse_count(k, i);
}

static void add_pair(sparse_counter *k, uint32_t i, uint32_t j, uint64_t gap)
{
    sparse_add(k, i, j, 1.0f / (float)gap);
}

static void visit_pairs(const interactions *x, pair_visitor *visit, sparse_counter *k)
{
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t a = x->first[u]; a < x->first[u + 1]; a++)
            for (uint64_t b = a + 1; b < x->first[u + 1] && b - a <= GAP; b++)
                visit(k, x->product[a], x->product[b], b - a);
}

/* popularity: [V] interactions of each product. */
static void normalise(sparse *m, const float *popularity)
{
    for (uint32_t r = 0; r < m->rows; r++) {
        double sum = 0;
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++)
            sum += (double)m->value[i];
        double row = sum > 0 ? 1 / sqrt(sum) : 0;
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++)
            m->value[i] = (float)((double)m->value[i] * row /
                                  sqrt((double)popularity[m->column[i]] + 1));
    }
}

pf_status transitions_matrix(const interactions *x, sparse *out, pf_error *err)
{
    sparse_counter k;
    float *popularity = mem_alloc_zero(x->n_products, sizeof *popularity);
    if (popularity == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         x->n_products);
    for (uint64_t i = 0; i < x->n; i++)
        popularity[x->product[i]] += 1;
    sparse_count_begin(&k, x->n_products, x->n_products);
    visit_pairs(x, count_pair, &k);
    sparse_fill_begin(&k);
    visit_pairs(x, add_pair, &k);
    pf_status s = sparse_finish(&k, out, err);
    if (s == PF_OK) normalise(out, popularity);
    mem_free(popularity);
    return s;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    transitions *t = mem_alloc_zero(1, sizeof *t);
    if (t == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    t->n_products = input->train->n_products;
    pf_status s = transitions_matrix(input->train, &t->next, err);
    if (s != PF_OK)
        transitions_free(t);
    else
        *state = t;
    return s;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const transitions *t = state;
    float weight = 1;
    (void)scratch;
    memset(scores, 0, t->n_products * sizeof *scores);
    for (size_t age = 0; age < query->n && age < TRANSITIONS_LAST;
         age++, weight *= TRANSITIONS_DECAY) {
        uint32_t i = query->product[query->n - 1 - age];
        for (uint64_t k = t->next.start[i]; k < t->next.start[i + 1]; k++)
            scores[t->next.column[k]] += weight * t->next.value[k];
    }
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const transitions *t = state;
    return sparse_save(&t->next, "next", file, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    transitions *t = mem_alloc_zero(1, sizeof *t);
    if (t == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    t->n_products = n_products;
    pf_status s = sparse_load(&t->next, "next", n_products, n_products, file, err);
    if (s != PF_OK)
        transitions_free(t);
    else
        *state = t;
    return s;
}

const recommender_kind transitions_kind = {
    .name = "transitions",
    .summary = "what is taken soon after what",
    .source = "Rendle et al. 2010, section 4.1, with skips and square-root normalisation",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = transitions_free,
};
