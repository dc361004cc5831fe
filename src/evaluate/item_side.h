/*
 * What a table of item texts says of products, in the form recommenders use: words, vectors
 * and categories. For benchmarks' files; a shop's own catalogue has named columns.
 *
 * Which columns are read: all but identifiers (every cell different and without a space or
 * a '|') and numbers (every cell a number). A column with '|' in it is a list or a path: its
 * parts count as terms of their own beside their words. The category of an item is the last
 * part of the first such column.
 */
#ifndef PROFFER_EVALUATE_ITEM_SIDE_H
#define PROFFER_EVALUATE_ITEM_SIDE_H

#include "base/arena.h"
#include "base/pool.h"
#include "base/status.h"
#include "intake/sequence_file.h"
#include "language/encoder.h"
#include "language/lexical.h"
#include "language/vectors.h"
#include "recommend/recommend.h"

typedef struct item_side {
    product_side side; /* points at what follows; item i is product i - 1 */
    lexical *words;
    vector_set vectors;
    arena memory;
} item_side;

/* encoder NULL: no vectors. cache, threads and shown may be NULL. Frees itself on
 * failure. PF_DATA when no column holds texts. */
pf_status item_side_new(item_side **out, const item_texts *texts, encoder *e,
                        const vector_cache *cache, pool *threads, progress *shown,
                        pf_error *err);
/* NULL is fine. */
void item_side_free(item_side *s);

#endif
