/*
 * Likeness of words: the cosine-like similarity of a product's TF-IDF vector to the
 * shopper's, which is the sum over the last 10 events of .7^age times the vector of the
 * product (content-based filtering by Rocchio's positive part: Lops, de Gemmis, Semeraro,
 * Recommender Systems Handbook 2011, section 3.3.1). Needs no purchases of a product, so
 * new ones are found too.
 */
#include <string.h>

#include "base/memory.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"
#include "recommend/text_rows.h"
#include "recommend/transitions.h"

typedef struct words_model {
    text_rows text;
} words_model;

static void words_free(void *state)
{
    words_model *m = state;
    if (m == NULL) return;
    text_rows_free(&m->text);
    mem_free(m);
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    words_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    pf_status s = text_rows_new(&m->text, input, err);
    if (s != PF_OK)
        words_free(m);
    else
        *state = m;
    return s;
}

static size_t events_of(const recommend_query *query)
{
    return query->n < TRANSITIONS_LAST ? query->n : TRANSITIONS_LAST;
}

/* weight[term] = the shopper's vector, defined for the terms of the last events only. */
static void gather_terms(const sparse *rows, const recommend_query *query, float *weight)
{
    const uint32_t *latest = query->product + query->n - 1;
    float worth = 1;
    for (size_t age = 0; age < events_of(query); age++)
        for (uint64_t i = rows->start[*(latest - age)];
             i < rows->start[*(latest - age) + 1]; i++)
            weight[rows->column[i]] = 0;
    for (size_t age = 0; age < events_of(query); age++, worth *= TRANSITIONS_DECAY)
        for (uint64_t i = rows->start[*(latest - age)];
             i < rows->start[*(latest - age) + 1]; i++)
            weight[rows->column[i]] += worth * rows->value[i];
}

/* Adds a term's part once: its weight is zero afterwards. */
static void add_term(const sparse *postings, uint32_t term, float *weight, float *scores)
{
    float w = weight[term];
    weight[term] = 0;
    if (!(w > 0)) return;
    for (uint64_t k = postings->start[term]; k < postings->start[term + 1]; k++)
        scores[postings->column[k]] += w * postings->value[k];
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const text_rows *t = &((const words_model *)state)->text;
    memset(scores, 0, t->rows.rows * sizeof *scores);
    gather_terms(&t->rows, query, scratch->floats);
    for (size_t age = 0; age < events_of(query); age++) {
        uint32_t v = query->product[query->n - 1 - age];
        for (uint64_t i = t->rows.start[v]; i < t->rows.start[v + 1]; i++)
            add_term(&t->postings, t->rows.column[i], scratch->floats, scores);
    }
}

static size_t scratch_floats(const void *state)
{
    return ((const words_model *)state)->text.rows.columns;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    return text_rows_save(&((const words_model *)state)->text, file, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    words_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    pf_status s = text_rows_load(&m->text, n_products, file, err);
    if (s != PF_OK)
        words_free(m);
    else
        *state = m;
    return s;
}

const recommender_kind words_kind = {
    .name = "words",
    .summary = "what is named like the shopper's latest products",
    .source = "Lops, de Gemmis, Semeraro 2011, section 3.3.1, on TF-IDF",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = words_free,
    .scratch_floats = scratch_floats,
};
