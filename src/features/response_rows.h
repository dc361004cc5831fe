/*
 * Feature rows of response: for a shopper and promotions offered together at a moment,
 *
 *     any     one row a shopper: will any of them be used?        RESPONSE_ANY_FEATURES
 *     which   one row a shopper x promotion: which of them?       RESPONSE_WHICH_FEATURES
 *
 * No feature knows an id, an order of rows or what a promotion is worth: only scopes,
 * dates and what shoppers did strictly before the moment. Amounts are in thirds of the
 * mean order line so far, so rows of any currency look alike.
 *
 *     response_rows_maker *maker;
 *     response_rows_maker_new(catalogue, history, zone, &maker, err);
 *     response_rows rows;
 *     response_rows_make(maker, &question, pool, &rows, err);
 *     response_rows_free(&rows);
 *
 * The rows of a shopper do not depend on who else is asked about; the same for any number
 * of threads. A maker is immutable; several threads may use one, each without a pool.
 */
#ifndef PROFFER_FEATURES_RESPONSE_ROWS_H
#define PROFFER_FEATURES_RESPONSE_ROWS_H

#include "base/calendar.h"
#include "base/pool.h"
#include "base/status.h"
#include "features/offer_groups.h"
#include "features/response_past.h"

enum {
    RESPONSE_ANY_FEATURES = 109,
    RESPONSE_WHICH_FEATURES = 8,
    RESPONSE_REFERENCE_SHOPPERS = 2000 /* at most so many say what is usual */
};

/* Where a plain habit stands in `any`, for baselines: log of (answered + .3) / (sent + 3). */
enum { RESPONSE_ANY_LOG_SHARE_ANSWERED = 53 };

/* A name people understand, static. */
const char *response_any_name(size_t feature);
const char *response_which_name(size_t feature);

typedef struct response_rows_maker response_rows_maker;
/* All borrowed; zone NULL = UTC. PF_NO_MEMORY; *out is then NULL. */
pf_status response_rows_maker_new(const shop_catalogue *c, const shop_history *h,
                                  const zone *z, response_rows_maker **out, pf_error *err);
/* NULL is fine. */
void response_rows_maker_free(response_rows_maker *maker);
const offer_groups *response_rows_groups(const response_rows_maker *maker);
/* Midnight of the day of the first purchase; INT64_MAX without any. */
int64_t response_rows_first_us(const response_rows_maker *maker);

typedef struct response_question {
    const uint32_t *promotion; /* [P] numbers, all of one group, P >= 1 */
    uint32_t n_promotions;
    const uint32_t *shopper; /* [S] numbers, 1 .. history's */
    size_t n_shoppers;
    int64_t at_us;
} response_question;

/* One block of memory, owned. */
typedef struct response_rows {
    size_t n_shoppers, n_promotions;
    float *any;   /* [S x RESPONSE_ANY_FEATURES] */
    float *which; /* [S x P x RESPONSE_WHICH_FEATURES] */
    float *spend; /* [S x P] expected spending in the scope on a trip that buys from it,
                     minor units */
    float *lines; /* [S x P] order lines in the scope so far */
    float *affinity; /* [S x P] own spending in the scope's categories, fading, times the
                        scope's share of everybody's there */
    float *popularity; /* [P] everybody's order lines in the scope, last 91 days */
} response_rows;

/* PF_NO_MEMORY, PF_LIMIT; *out is then empty. */
pf_status response_rows_make(const response_rows_maker *maker, const response_question *q,
                             pool *threads, response_rows *out, pf_error *err);
/* The same with a gap in each shopper's past, gap [S]: the row of who had not been there then. The
 * shop is the same: what all shoppers did, and what is usual, is as of the whole history. A gap
 * that ends where it begins leaves nothing out. */
pf_status response_rows_without(const response_rows_maker *maker, const response_question *q,
                                const response_gap *gap, pool *threads, response_rows *out,
                                pf_error *err);
void response_rows_free(response_rows *rows);

/* --- for the files that make up a row --------------------------------------------- */

enum {
    PAIR_FEATURES = 20,    /* of a shopper and a promotion, before they are summed up */
    AGGREGATE_FEATURES = 40 /* the last of `any`: summed up over the promotions */
};
/* pair [P x PAIR_FEATURES] from the past. */
void response_pair_features(const past *p, float *pair);
/* Those of `which` out of a pair's. */
void response_which_row(const float *pair, float *row);
/* The affinity of a pair. */
float response_affinity(const float *pair);
/* All of `any`, the last AGGREGATE_FEATURES not yet centred. */
void response_any_row(const past *p, const float *pair, float *row);

#endif
