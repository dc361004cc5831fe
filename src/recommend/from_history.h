/*
 * A shop's history as recommenders see it: purchases before a moment, product number - 1
 * as product, shopper number - 1 as user. Anonymous purchases belong to no user and are
 * left out; so are lines without a product. Lines of one basket stand in an order of their
 * own (basket_order.h).
 *
 *     interactions_owned *x;
 *     purchases_from_history(history, n_products, excluded, until_us, &x, err);
 *     input.train = &x->view;
 *     recommend_query q = purchases_of(x, shopper, at_us);
 *     interactions_free(x);
 */
#ifndef PROFFER_RECOMMEND_FROM_HISTORY_H
#define PROFFER_RECOMMEND_FROM_HISTORY_H

#include <stdbool.h>

#include "base/status.h"
#include "recommend/interactions.h"
#include "shop/history.h"

/* excluded [n_products + 1] by product number, or NULL. Only purchases strictly before
 * until_us. PF_NO_MEMORY. */
pf_status purchases_from_history(const shop_history *h, uint32_t n_products,
                                 const bool *excluded, int64_t until_us, interactions_owned **out,
                                 pf_error *err);
/* The past of a shopper (number) strictly before at_us; borrows the arrays. */
recommend_query purchases_of(const interactions_owned *x, uint32_t shopper, int64_t at_us);

#endif
