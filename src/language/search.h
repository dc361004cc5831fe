/*
 * Search by words and meaning together: `proffer search "..."`.
 *
 *     search_index index = {.words = l, .vectors = &titles, .encoder = e};
 *     search_hit hits[10];
 *     size_t found;
 *     if (search_texts(&index, text_of("保温杯"), 10, hits, &found, &err) != PF_OK) ...
 *
 * A document's score is
 *
 *     cosine of its vector with the query's, both centred by the documents' mean
 *     + SEARCH_WORD_WEIGHT x share^2
 *
 * where share is its BM25 over that of a document which holds all of the query
 * (lexical_full_match), at most 1: two scores on fixed scales added (Bruch, Gai and
 * Ingber 2023, "An analysis of fusion functions for hybrid retrieval", section 4). The
 * share is squared so that a document with the whole query in it (a name, a brand, a
 * size) gains the full weight, while one that shares a single "for" gains next to
 * nothing. Of the 30 queries of tests/golden, in Chinese and English, 26 are right by
 * vectors alone, 26 with squared shares of any weight up to 0.5 (24 without the square),
 * 17 by reciprocal rank fusion, 7 by words alone.
 *
 * A query in another language than the documents is found by meaning alone; without an
 * encoder words alone decide, and what shares none is not given.
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

#define SEARCH_WORD_WEIGHT 0.5F

typedef struct search_index {
    const lexical *words;      /* NULL: meaning alone */
    const vector_set *vectors; /* of the same documents; NULL: words alone */
    encoder *encoder;          /* what made the vectors; NULL: words alone */
} search_index;

typedef struct search_hit {
    uint32_t document; /* counted from 0 */
    float score;
    float cosine;     /* 0 without vectors */
    float word_share; /* how much of the query its words hold, 0 .. 1; 0 without words */
} search_hit;

/* The best k documents, best first, ties by document. PF_USAGE when the index has neither
 * part or the parts are of different sizes or encoders; an encoder's failure is
 * returned. */
pf_status search_texts(const search_index *index, text query, size_t k, search_hit *hits,
                       size_t *found, pf_error *err);

#endif
