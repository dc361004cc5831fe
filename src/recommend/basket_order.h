/*
 * In which order the events of one moment are read. Files mostly have the lines of a basket by
 * product number: a network would learn that order, and foresee it instead of what is
 * bought next (on the demo its validation NDCG@10 was half of what it is without). So they are
 * drawn in an order of their own, which is the same every time; and they come first: a
 * redemption that stands in front of its purchase would tell what is bought.
 *
 *     basket_order *o;
 *     basket_order_new(history, &o, err);
 *     uint64_t n = basket_order_read(o, shopper, until_us, &row);
 *     basket_order_free(o);
 */
#ifndef PROFFER_RECOMMEND_BASKET_ORDER_H
#define PROFFER_RECOMMEND_BASKET_ORDER_H

#include "base/status.h"
#include "shop/history.h"

typedef struct basket_order basket_order;

/* Borrows the history; belongs to one thread. PF_NO_MEMORY. */
pf_status basket_order_new(const shop_history *h, basket_order **out, pf_error *err);
/* NULL is fine. */
void basket_order_free(basket_order *o);
/* (*row)[0..n) = the rows of a shopper (number) before the moment, in time order; of one moment
 * purchases first, by order and within it by chance, then all else as it stood. Purchases
 * without an order's id are one order. Returns n; the next call uses the memory again. */
uint64_t basket_order_read(basket_order *o, uint32_t shopper, int64_t until_us,
                           const uint64_t **row);

#endif
