/*
 * The lexical model: documents (products, promotions) and queries compared by the words
 * they share. It needs no weights, is exact on names, brands and sizes, and stands beside
 * the sentence encoder, which is better at meaning and across languages.
 *
 *     lexical_field fields[] = {{.text = title, .weight = 1}, {.text = path, .weight = 1,
 *                               .separator = '|'}};
 *     lexical_document docs[] = {{fields, 2}, ...};
 *     lexical *l;
 *     if (lexical_fit(&l, n, docs, NULL, &err) != PF_OK) ...
 *     size_t found;
 *     lexical_search(l, query, 10, hits, &found, &err);     // BM25
 *     lexical_neighbours(l, product, 10, hits, &found, &err); // cosine of TF-IDF
 *     lexical_free(l);
 *
 * Words: language/words.h. A field's words count `weight` times (BM25F with one length:
 * Robertson, Zaragoza and Taylor 2004, section 3). A field with a separator (a category
 * path, a list of attributes) also gives each of its parts as one term, so that
 * "Bath & Body|Soap" matches itself more than "Soap dish for the body".
 *
 *     BM25    sum over query terms of
 *                 idf tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length))
 *             idf = ln(1 + (N - df + 1/2) / (df + 1/2))
 *             (Robertson and Zaragoza 2009, equation 3.15; a term asked for twice counts
 *             twice)
 *     TF-IDF  weight = (1 + ln max(tf, 1)) (1 + ln((1 + N) / (1 + df))), rows of length 1
 *             (Manning, Raghavan and Schuetze 2008, section 6.4)
 *
 * Documents are numbered 0 .. n - 1 in the order given. A fitted model does not change:
 * any number of threads may read it.
 */
#ifndef PROFFER_LANGUAGE_LEXICAL_H
#define PROFFER_LANGUAGE_LEXICAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "language/top.h"

typedef struct lexical lexical;

typedef struct lexical_field {
    text text;
    float weight;   /* > 0 */
    char separator; /* '\0': none */
} lexical_field;

typedef struct lexical_document {
    const lexical_field *fields;
    size_t n;
} lexical_document;

typedef struct lexical_options {
    float k1, b;                /* of BM25 */
    uint32_t minimum_documents; /* terms in fewer documents are left out */
} lexical_options;

/* k1 = 1.2, b = 0.75, every term kept. */
lexical_options lexical_defaults(void);

/* Terms in ascending order with their weights; somebody else's memory. */
typedef struct sparse_vector {
    const uint32_t *terms;
    const float *weights;
    size_t n;
} sparse_vector;

/* Copies what it needs of the documents. options NULL: defaults. PF_USAGE for a weight or
 * option out of range, PF_LIMIT above LIMIT_LEXICAL_TERMS or LIMIT_LEXICAL_POSTINGS. */
pf_status lexical_fit(lexical **out, size_t n, const lexical_document *documents,
                      const lexical_options *options, pf_error *err);
/* NULL is fine. */
void lexical_free(lexical *l);

size_t lexical_documents(const lexical *l);
/* Terms are numbered 0 .. terms - 1; the text is the model's (a field's part is preceded
 * by
 * '='). */
size_t lexical_terms(const lexical *l);
const char *lexical_term(const lexical *l, uint32_t term);

/* A document's TF-IDF vector, of length 1 (empty when it has no terms). */
sparse_vector lexical_vector(const lexical *l, size_t document);

/* The TF-IDF vector a new document has under this model, unknown terms left out. *terms
 * and *weights are freed by the caller with mem_free (NULL when empty). */
pf_status lexical_weigh(const lexical *l, const lexical_document *document,
                        uint32_t **terms, float **weights, size_t *n, pf_error *err);

/* The sum over common terms of a's weight times b's. */
double sparse_dot(sparse_vector a, sparse_vector b);

/* scores[d] = dot of `query` with document d's TF-IDF vector, for every document. */
void lexical_dot_all(const lexical *l, sparse_vector query, float *scores);

/* scores[d] = BM25 of document d for the query's words, for every document. */
pf_status lexical_scores(const lexical *l, text query, float *scores, pf_error *err);

/* The BM25 of a document of mean length that holds each of the query's words once: the
 * sum of idf, words that no document has included. So score / this is near 1 when a
 * document holds all of the query, and small when they share a word that says little. 0
 * for a query without words. */
double lexical_full_match(const lexical *l, text query);

/* The best k documents by BM25, best first; those that share no term are never given. */
pf_status lexical_search(const lexical *l, text query, size_t k, hit *hits, size_t *found,
                         pf_error *err);

/* The k documents nearest to one, itself left out, by the cosine of TF-IDF; those that
 * share no term are never given. */
pf_status lexical_neighbours(const lexical *l, size_t document, size_t k, hit *hits,
                             size_t *found, pf_error *err);

#endif
