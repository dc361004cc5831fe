/*
 * What shoppers did, as the network of an outlook reads it: trips, one behind the other.
 *
 *     shown?  begins  line line line  begins  line line  used  ...
 *
 * A line names the family (category and maker, features/product_tree.h) of what was bought,
 * each family once a trip: a family is bought often enough to be learnt, a single product is
 * not. Lines of one trip have no order of their own, and whatever order a shop's files have
 * (by product number, often) would be learnt instead of the shopper, so they stand in an order
 * drawn by chance. `begins` is read only: after it the network foresees what is bought on a
 * trip at that moment. Promotions shown and used are events as well; use is a thing of its own,
 * so that it is foreseen like a family.
 *
 * What stands before a moment depends on nothing at or after it. Private to this room.
 */
#ifndef PROFFER_RESPONSE_OUTLOOK_TRIPS_H
#define PROFFER_RESPONSE_OUTLOOK_TRIPS_H

#include <stdint.h>

#include "base/status.h"
#include "features/product_tree.h"
#include "sequence/events_owned.h"
#include "shop/history.h"

/* Kinds of events. */
enum { TRIP_LINE, TRIP_COUPON_LINE, TRIP_BEGINS, TRIP_SHOWN, TRIP_USED };

/* Shoppers are the history's and 0, who has nothing. The things taken, which a network calls
 * products, are families by node, then the use of a promotion. PF_NO_MEMORY. */
pf_status trips_new(sequence_events_owned **out, const shop_history *h,
                    const product_tree *tree, pf_error *err);

/* That last thing. */
static inline uint32_t trips_used(const sequence_events *t)
{
    return t->n_products - 1;
}

/* The first event of a shopper at or after the moment. */
uint64_t trips_before(const sequence_events *t, uint32_t who, int64_t at_us);

#endif
