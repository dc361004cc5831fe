/*
 * Search by words and meaning together: `proffer search "..."`. The lexical model ranks
 * documents by the query's words, the vectors by its meaning; the two ranks are fused, so
 * that neither's scale matters (reciprocal rank fusion: Cormack, Clarke and Buettcher
 * 2009). A query in another language than the documents shares no words with them and is
 * then found by meaning alone; without an encoder words alone decide.
 *
 *     search_index index = {.words = l, .vectors = &titles, .encoder = e};
 *     search_hit hits[10];
 *     size_t found;
 *     if (search_texts(&index, text_of("保温杯"), 10, hits, &found, &err) != PF_OK) ...
 *
 * Threads: as its parts; any number of searches at once.
 */
#ifndef PROFFER_LANGUAGE_SEARCH_H
#define PROFFER_LANGUAGE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "language/encoder.h"
#include "language/lexical.h"
#include "language/vectors.h"

/* The constant of the fusion, as its authors chose it: how little the first few places of
 * one ranking may outweigh the other. */
#define SEARCH_FUSION_CONSTANT 60.0

/* How deep each ranking is read for k answers. */
enum { SEARCH_DEPTH = 200 };

typedef struct search_index {
    const lexical *words;      /* NULL: meaning alone */
    const vector_set *vectors; /* of the same documents; NULL: words alone */
    encoder *encoder;          /* what made the vectors; NULL: words alone */
} search_index;

typedef struct search_hit {
    uint32_t document; /* counted from 0 */
    double score;      /* sum of 1 / (SEARCH_FUSION_CONSTANT + rank) */
    uint32_t word_rank, vector_rank; /* from 1; 0: not among the first SEARCH_DEPTH */
    float bm25, cosine;              /* 0 where the rank is 0 */
} search_hit;

/* The best k documents, best first, ties by document. PF_USAGE when the index has neither
 * part or the parts are of different sizes or encoders; an encoder's failure is returned. */
pf_status search_texts(const search_index *index, text query, size_t k, search_hit *hits,
                       size_t *found, pf_error *err);

/* Fuses two rankings (best first, either may be empty) into the best k; space for
 * n_words + n_vectors hits is the caller's. Returns how many of it are filled, at most k. */
size_t search_fuse(const hit *words, size_t n_words, const hit *vectors, size_t n_vectors,
                   search_hit *space, size_t k);

#endif
