/* Fusion of two rankings, and search through both; see search.h. */
#include "language/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_document(const void *a, const void *b)
{
    const uint32_t x = ((const search_hit *)a)->document, y = ((const search_hit *)b)->document;
    return (x > y) - (x < y);
}

static int by_score(const void *a, const void *b)
{
    const double x = ((const search_hit *)a)->score, y = ((const search_hit *)b)->score;
    return x > y ? -1 : x < y ? 1 : by_document(a, b);
}

/* Puts what the second entry knows of a document into the first. */
static void merge(search_hit *to, const search_hit *from)
{
    to->score += from->score;
    to->word_rank += from->word_rank;
    to->vector_rank += from->vector_rank;
    to->bm25 += from->bm25;
    to->cosine += from->cosine;
}

size_t search_fuse(const hit *words, size_t n_words, const hit *vectors, size_t n_vectors,
                   search_hit *space, size_t k)
{
    const size_t n = n_words + n_vectors;
    for (size_t i = 0; i < n; i++) {
        const bool word = i < n_words;
        const size_t rank = (word ? i : i - n_words) + 1;
        const hit h = word ? words[i] : vectors[i - n_words];
        space[i] = (search_hit){.document = h.item,
                                .score = 1 / (SEARCH_FUSION_CONSTANT + (double)rank)};
        *(word ? &space[i].word_rank : &space[i].vector_rank) = (uint32_t)rank;
        *(word ? &space[i].bm25 : &space[i].cosine) = h.score;
    }
    size_t kept = 0;
    if (n > 1)
        qsort(space, n, sizeof *space, by_document);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && space[kept - 1].document == space[i].document)
            merge(&space[kept - 1], &space[i]);
        else
            space[kept++] = space[i];
    }
    if (kept > 1)
        qsort(space, kept, sizeof *space, by_score);
    return kept < k ? kept : k;
}

static pf_status check_index(const search_index *index, pf_error *err)
{
    if (!index->words && !(index->vectors && index->encoder))
        return error_set(err, PF_USAGE, "nothing to search in: neither words nor vectors");
    if (!index->vectors || !index->encoder)
        return PF_OK;
    const fingerprint made_by = encoder_fingerprint(index->encoder);
    if (memcmp(made_by.bytes, index->vectors->encoder.bytes, FINGERPRINT_BYTES) != 0)
        return error_set(err, PF_USAGE, "the vectors were made by another encoder than the "
                         "query's: embed the texts again");
    if (index->words && lexical_documents(index->words) != index->vectors->n)
        return error_set(err, PF_USAGE, "%zu documents have words, %zu have vectors",
                         lexical_documents(index->words), index->vectors->n);
    return PF_OK;
}

static pf_status rank_by_meaning(const search_index *index, text query, size_t depth, hit *hits,
                                 size_t *n, pf_error *err)
{
    float *vector = mem_alloc_aligned(index->vectors->dimension, sizeof *vector);
    if (!vector)
        return error_set(err, PF_NO_MEMORY, "no memory to search");
    const pf_status status = encoder_encode(index->encoder, 1, &query, vector, NULL, err);
    if (status == PF_OK) {
        vectors_centre_row(index->vectors, vector);
        *n = vectors_nearest(index->vectors, vector, depth, hits);
    }
    mem_free(vector);
    return status;
}

pf_status search_texts(const search_index *index, text query, size_t k, search_hit *hits,
                       size_t *found, pf_error *err)
{
    const size_t depth = k > SEARCH_DEPTH ? k : SEARCH_DEPTH;
    size_t n_words = 0, n_vectors = 0;
    *found = 0;
    pf_status status = check_index(index, err);
    if (status != PF_OK)
        return status;
    hit *ranked = mem_alloc(2 * depth, sizeof *ranked);
    search_hit *space = mem_alloc(2 * depth, sizeof *space);
    if (!ranked || !space)
        status = error_set(err, PF_NO_MEMORY, "no memory to search");
    if (status == PF_OK && index->words)
        status = lexical_search(index->words, query, depth, ranked, &n_words, err);
    if (status == PF_OK && index->vectors && index->encoder)
        status = rank_by_meaning(index, query, depth, ranked + depth, &n_vectors, err);
    if (status == PF_OK) {
        *found = search_fuse(ranked, n_words, ranked + depth, n_vectors, space, k);
        if (*found > 0)
            memcpy(hits, space, *found * sizeof *hits);
    }
    mem_free(ranked);
    mem_free(space);
    return status;
}
