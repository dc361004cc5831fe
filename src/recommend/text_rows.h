/*
 * TF-IDF vectors of products by rows and by terms: what the kinds that compare words keep
 * of a lexical model, so that a saved model needs no lexical model beside it.
 */
#ifndef PROFFER_RECOMMEND_TEXT_ROWS_H
#define PROFFER_RECOMMEND_TEXT_ROWS_H

#include "recommend/recommend.h"
#include "recommend/sparse.h"

typedef struct text_rows {
    sparse rows;     /* [V x T], each row of length 1 or empty */
    sparse postings; /* [T x V], its transpose */
} text_rows;

/* PF_UNAVAILABLE without words, PF_INTERNAL when they are of another number of products,
 * PF_NO_MEMORY. */
pf_status text_rows_new(text_rows *out, const recommend_input *input, pf_error *err);
void text_rows_free(text_rows *t);

pf_status text_rows_save(const text_rows *t, safetensors_writer *file, pf_error *err);
pf_status text_rows_load(text_rows *out, uint32_t n_products, const safetensors *file,
                         pf_error *err);

#endif
