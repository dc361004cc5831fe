/* Search through words and vectors together; see search.h. Every document gets both
 * scores, so nothing depends on how deep either ranking would have been read. */
#include "language/search.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Both scores of every document, and room for the best. */
typedef struct search {
    const search_index *index;
    bool by_words, by_meaning;
    size_t n;       /* documents */
    float *shares;  /* n, zeros without words */
    float *cosines; /* n, zeros without vectors */
    hit *best;      /* k */
} search;

static pf_status check_index(search *s, pf_error *err)
{
    const search_index *index = s->index;
    s->by_words = index->words != NULL;
    s->by_meaning = index->vectors && index->encoder;
    if (!s->by_words && !s->by_meaning)
        return error_set(err, PF_USAGE,
                         "nothing to search in: neither words nor vectors");
    s->n = s->by_words ? lexical_documents(index->words) : index->vectors->n;
    if (!s->by_meaning) return PF_OK;
    const fingerprint made_by = encoder_fingerprint(index->encoder);
    if (memcmp(made_by.bytes, index->vectors->encoder.bytes, FINGERPRINT_BYTES) != 0)
        return error_set(err, PF_USAGE,
                         "the vectors were made by another encoder than the "
                         "query's: embed the texts again");
    if (s->n != index->vectors->n)
        return error_set(err, PF_USAGE, "%zu documents have words, %zu have vectors",
                         s->n, index->vectors->n);
    return PF_OK;
}

static pf_status score_words(search *s, text query, pf_error *err)
{
    const pf_status status = lexical_scores(s->index->words, query, s->shares, err);
    const float full = (float)lexical_full_match(s->index->words, query);
    for (size_t d = 0; d < s->n && status == PF_OK; d++)
        s->shares[d] = s->shares[d] < full ? s->shares[d] / full : s->shares[d] > 0;
    return status;
}

static pf_status score_meaning(search *s, text query, pf_error *err)
{
    const vector_set *vectors = s->index->vectors;
    float *vector = mem_alloc_aligned(vectors->dimension, sizeof *vector);
    if (!vector) return error_set(err, PF_NO_MEMORY, "no memory to search");
    const pf_status status =
        encoder_encode(s->index->encoder, 1, &query, vector, NULL, err);
    if (status == PF_OK) {
        vectors_centre_row(vectors, vector);
        vectors_dot_all(vectors, vector, s->cosines);
    }
    mem_free(vector);
    return status;
}

static size_t take_best(search *s, size_t k, search_hit *hits)
{
    top best = top_begin(s->best, k);
    for (size_t d = 0; d < s->n; d++)
        if (s->by_meaning || s->shares[d] > 0)
            top_offer(&best, (uint32_t)d,
                      s->cosines[d] + SEARCH_WORD_WEIGHT * s->shares[d] * s->shares[d]);
    const size_t found = top_finish(&best);
    for (size_t i = 0; i < found; i++) {
        const uint32_t d = s->best[i].item;
        hits[i] = (search_hit){d, s->best[i].score, s->cosines[d], s->shares[d]};
    }
    return found;
}

pf_status search_texts(const search_index *index, text query, size_t k, search_hit *hits,
                       size_t *found, pf_error *err)
{
    search s = {.index = index};
    *found = 0;
    pf_status status = check_index(&s, err);
    if (status != PF_OK || k == 0 || s.n == 0) return status;
    s.shares = mem_alloc_zero(s.n, sizeof *s.shares);
    s.cosines = mem_alloc_zero(s.n, sizeof *s.cosines);
    s.best = mem_alloc(k < s.n ? k : s.n, sizeof *s.best);
    if (!s.shares || !s.cosines || !s.best)
        status = error_set(err, PF_NO_MEMORY, "no memory to search");
    if (status == PF_OK && s.by_words) status = score_words(&s, query, err);
    if (status == PF_OK && s.by_meaning) status = score_meaning(&s, query, err);
    if (status == PF_OK) *found = take_best(&s, k < s.n ? k : s.n, hits);
    mem_free(s.shares);
    mem_free(s.cosines);
    mem_free(s.best);
    return status;
}
