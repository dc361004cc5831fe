/*
 * Who is near whom: the largest values of every row of a matrix that is never whole in
 * memory, and the sets of products that shoppers took, from which such rows are made.
 */
#ifndef PROFFER_RECOMMEND_NEIGHBOURS_H
#define PROFFER_RECOMMEND_NEIGHBOURS_H

#include "base/pool.h"
#include "recommend/recommend.h"
#include "recommend/sparse.h"

enum { NEIGHBOURS_MAX = 1000 };

/* Fills values [n], all of them, for one row; called by several threads at once. */
typedef void neighbours_row(const void *context, uint32_t row, float *values);

/* The n x n matrix that holds of each row the `most` largest positive values, the row's
 * own place left out (equal ones: lower numbers first). The same bits for any number of
 * threads. most <= NEIGHBOURS_MAX. PF_NO_MEMORY. */
pf_status neighbours_find(uint32_t n, unsigned most, neighbours_row *row,
                          const void *context, pool *threads, sparse *out, pf_error *err);

/* Shoppers x products, 1 where a shopper took a product; of each shopper the `most` taken
 * last (0 = all). PF_NO_MEMORY. */
pf_status sets_of_shoppers(const interactions *x, uint32_t most, sparse *out,
                           pf_error *err);

#endif
