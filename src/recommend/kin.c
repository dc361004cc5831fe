/*
 * Transitions through kin: what is taken soon after products that are named like the ones
 * the shopper took. A product that few have taken has hardly any transitions of its own;
 * those of its kin stand in. With T the transition counts and N the squared cosine of
 * TF-IDF to the 20 nearest products, each row divided by its sum,
 *
 *     score = sum over the last 10 events of .7^age (N T)[product of the event]
 *
 * which is a two-step random walk, words first (Fouss et al., IEEE TKDE 19, 2007, on walks
 * for recommending). N T is never built: it is walked.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/neighbours.h"
#include "recommend/text_rows.h"
#include "recommend/transitions.h"

enum { KIN = 20 };

typedef struct kin_model {
    uint32_t n_products;
    sparse kin;  /* [V x V] rows of sum 1, or empty */
    sparse next; /* [V x V] transitions */
} kin_model;

static void kin_free(void *state)
{
    kin_model *m = state;
    if (m == NULL) return;
    sparse_free(&m->kin);
    sparse_free(&m->next);
    mem_free(m);
}

static void squared_cosines(const void *context, uint32_t row, float *values)
{
    const text_rows *t = context;
    memset(values, 0, t->rows.rows * sizeof *values);
    for (uint64_t i = t->rows.start[row]; i < t->rows.start[row + 1]; i++) {
        uint32_t term = t->rows.column[i];
        for (uint64_t k = t->postings.start[term]; k < t->postings.start[term + 1]; k++)
            values[t->postings.column[k]] += t->rows.value[i] * t->postings.value[k];
    }
    for (uint32_t v = 0; v < t->rows.rows; v++)
        values[v] *= values[v];
}

static void make_rows_sum_to_one(sparse *m)
{
    for (uint32_t r = 0; r < m->rows; r++) {
        double sum = 0;
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++)
            sum += (double)m->value[i];
        for (uint64_t i = m->start[r]; i < m->start[r + 1]; i++)
            m->value[i] = (float)((double)m->value[i] / sum);
    }
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    text_rows t = {0};
    pf_status s = text_rows_new(&t, input, err);
    if (s != PF_OK) return s;
    kin_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for a model");
        goto done;
    }
    m->n_products = input->train->n_products;
    s = neighbours_find(m->n_products, KIN, squared_cosines, &t, input->pool, &m->kin,
                        err);
    if (s == PF_OK) s = transitions_matrix(input->train, &m->next, err);
    if (s == PF_OK) make_rows_sum_to_one(&m->kin);
done:
    text_rows_free(&t);
    if (s != PF_OK)
        kin_free(m);
    else
        *state = m;
    return s;
}

static void walk_from(const kin_model *m, uint32_t v, float worth, float *scores)
{
    for (uint64_t i = m->kin.start[v]; i < m->kin.start[v + 1]; i++) {
        uint32_t via = m->kin.column[i];
        float w = worth * m->kin.value[i];
        for (uint64_t k = m->next.start[via]; k < m->next.start[via + 1]; k++)
            scores[m->next.column[k]] += w * m->next.value[k];
    }
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const kin_model *m = state;
    float worth = 1;
    (void)scratch;
    memset(scores, 0, m->n_products * sizeof *scores);
    for (size_t age = 0; age < query->n && age < TRANSITIONS_LAST; age++) {
        walk_from(m, query->product[query->n - 1 - age], worth, scores);
        worth *= TRANSITIONS_DECAY;
    }
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const kin_model *m = state;
    pf_status s = sparse_save(&m->kin, "kin", file, err);
    return s == PF_OK ? sparse_save(&m->next, "next", file, err) : s;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    kin_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->n_products = n_products;
    pf_status s = sparse_load(&m->kin, "kin", n_products, n_products, file, err);
    if (s == PF_OK) s = sparse_load(&m->next, "next", n_products, n_products, file, err);
    if (s != PF_OK)
        kin_free(m);
    else
        *state = m;
    return s;
}

const recommender_kind kin_kind = {
    .name = "kin",
    .summary = "what is taken soon after products named like the shopper's",
    .source = "transitions after one step over TF-IDF neighbours",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = kin_free,
};
