/*
 * A set of vectors: one row a text (or a picture, or whatever an encoder of yours made),
 * with the mean that was taken off, and search among them.
 *
 *     vector_set titles;
 *     if (vectors_encode(&titles, e, &cache, n, texts, pool, progress, &err) != PF_OK)
 * ... vectors_centre(&titles, NULL);                  // take off their own mean
 *     vectors_centre_row(&titles, query);             // the same for a query
 *     found = vectors_nearest(&titles, query, 10, hits);
 *     vectors_free(&titles);
 *
 * Why centre: all vectors of an encoder share a direction (short product titles most of
 * all, and each language its own), which drowns the differences that matter. Taking off
 * the mean of the catalogue (and, where many queries are at hand, theirs from them) finds
 * more: of 30 queries 25 raw, 26 with the titles' mean off both, 28 with each side's own
 * (bench/run encode). It is the first step of Mu and Viswanath 2018, "All-but-the-top".
 *
 * Threads: one writer; any number of readers of a set that no longer changes.
 */
#ifndef PROFFER_LANGUAGE_VECTORS_H
#define PROFFER_LANGUAGE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"
#include "language/encoder.h"
#include "language/top.h"

typedef struct vector_set {
    size_t n, dimension;
    float *rows; /* n x dimension, each of length 1 (or all zeros); 64-byte aligned */
    float *mean; /* what vectors_centre took off; NULL when nothing was */
    fingerprint encoder; /* what made the rows; zeros when given from outside */
} vector_set;

/* Where vectors of texts are kept between runs, under the encoder's fingerprint and the
 * text's (fingerprint_of its bytes). The store implements it; NULL members mean no cache.
 * Called by one thread at a time. */
typedef struct vector_cache {
    void *context;
    /* PF_NOT_FOUND when absent. */
    pf_status (*get)(void *context, const fingerprint *encoder, const fingerprint *name,
                     size_t dimension, float *into, pf_error *err);
    /* n vectors at once, so that a store may take them in one transaction. */
    pf_status (*put)(void *context, const fingerprint *encoder, size_t n,
                     const fingerprint *names, size_t dimension, const float *rows,
                     pf_error *err);
} vector_cache;

/* Vectors of n texts, in order, not centred. What the cache knows is not encoded again;
 * equal texts are encoded once; what is new is put into the cache piece by piece, so that
 * an interrupted run has not worked for nothing. cache, p and shown (the progress bar, in
 * texts) may be NULL. PF_CANCELLED when the user stopped the program. On failure *out is
 * empty. */
pf_status vectors_encode(vector_set *out, encoder *e, const vector_cache *cache, size_t n,
                         const text *texts, pool *p, progress *shown, pf_error *err);

/* A set of vectors made elsewhere: copies n x dimension values and makes each row's
 * length
 * 1. PF_DATA when a value is not finite. */
pf_status vectors_from_rows(vector_set *out, size_t n, size_t dimension,
                            const float *rows, pf_error *err);

/* Empties; an empty or zeroed set is fine. */
void vectors_free(vector_set *set);

/* Takes the mean (dimension values; NULL: the set's own, over rows that are not zero) off
 * every row, makes lengths 1 again and keeps the mean. A row of zeros stays so. May be
 * called once on a set. */
pf_status vectors_centre(vector_set *set, const float *mean, pf_error *err);

/* The same for one vector (a query), by the set's mean; nothing when there is none. */
void vectors_centre_row(const vector_set *set, float *row);

const float *vectors_row(const vector_set *set, size_t i);

/* The dot product of two vectors of the set's dimension. */
float vectors_dot(const vector_set *set, const float *a, const float *b);

/* scores[i] = dot of row i with the query, for every row. */
void vectors_dot_all(const vector_set *set, const float *query, float *scores);

/* The k rows nearest to the query, best first; returns how many (min(k, n)). */
size_t vectors_nearest(const vector_set *set, const float *query, size_t k, hit *hits);

/* Scales a vector to length 1; zeros stay zeros. */
void vector_normalise(float *vector, size_t n);

#endif
