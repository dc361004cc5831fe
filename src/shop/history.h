/*
 * What happened, in memory: every event of every shopper as columns, ordered by (shopper,
 * time, order of arrival). Immutable; readers on any thread. Anonymous events stand
 * first, under shopper 0.
 *
 *     events of shopper s are the rows h->first[s] <= i < h->first[s + 1]
 *
 * Rows are N, shoppers 1..S. A window in time is a range of rows found by
 * history_before(), so "the past as of a moment" is a prefix, never a filter.
 */
#ifndef PROFFER_SHOP_HISTORY_H
#define PROFFER_SHOP_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "shop/record.h"
#include "shop/vocabulary.h"

typedef struct shop_history {
    uint64_t n; /* rows */
    uint32_t n_shoppers;
    const uint64_t *first; /* [S + 2] */
    /* columns, each [N] */
    const int64_t *time_us;
    const uint8_t *type; /* event_type */
    const uint8_t *channel;
    const uint32_t *product, *promotion, *campaign;
    const uint64_t *order; /* a key of the order id: equal keys = one basket; 0 = none */
    /* MONEY_ABSENT = unknown */
    const int64_t *paid_minor, *discount_minor, *coupon_minor;
    const float *quantity;
    const float *rating, *propensity;    /* NAN = none */
    int64_t first_time_us, last_time_us; /* over all rows; 0 when n is 0 */
    void *memory; /* owned: one block (mem_alloc) holding all columns */
} shop_history;

/* Allocates all columns for N rows and S shoppers, writable through the same pointers by
 * the room that fills them (store/, tests): it casts the const away. `first` starts as
 * all zeros, the other columns are not initialised. PF_NO_MEMORY, PF_LIMIT. */
pf_status history_new(shop_history **out, uint64_t n, uint32_t n_shoppers, pf_error *err);
/* NULL is fine. */
void history_free(shop_history *h);

/* The first row of shopper s at or after the moment: rows first[s] .. result-1 are the
 * strict past. Binary search. */
uint64_t history_before(const shop_history *h, uint32_t shopper, int64_t at_us);
/* The same for any rising times: the first of rows first..end - 1 at or after the moment, or
 * end. */
uint64_t history_position(const int64_t *time_us, uint64_t first, uint64_t end,
                          int64_t at_us);

/* Fills a history from records already numbered, for tests and generators: rows need not
 * be sorted; equal times keep their order. PF_DATA for a shopper above n_shoppers. */
typedef struct history_row {
    uint32_t shopper, product, promotion, campaign;
    uint8_t type, channel;
    int64_t time_us;
    uint64_t order;
    int64_t paid_minor, discount_minor, coupon_minor;
    float quantity, rating, propensity;
} history_row;
pf_status history_from_rows(shop_history **out, const history_row *rows, uint64_t n,
                            uint32_t n_shoppers, pf_error *err);

#endif
