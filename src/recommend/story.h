/*
 * Everything shoppers did beside what they took: what they were shown, looked at, put into
 * carts, redeemed and gave back, as events of a sequence model. Interactions carry it along
 * (recommend.h), so that whoever cuts the one cuts the other.
 *
 *     sequence_events_owned *s;
 *     story_from_history(history, n_products, excluded, until_us, &s, err);
 *     sequence_window w = story_until(&s->view, u, at_us);
 *     sequence_events_free(s);
 *
 * Taken events are purchases, the same and in the same order as the interactions made of the
 * same history with the same arguments. An event is of its type's kind (shop/vocabulary.h) and
 * names its product, or its promotion (V + number - 1) where it is about one, or nothing. What
 * was shown or sent at one moment is one event: it names the promotion when it was one alone. Of
 * one moment purchases come first (basket_order.h), so that nothing in front of one tells of it.
 * Events of products that are left out and unsubscribing are left out.
 *
 * Price band: of what one piece cost, 1 + the binary logarithm of its minor units over 16,
 * within 1..15; 0 = unknown. The same now and later, whatever the shop's prices are.
 */
#ifndef PROFFER_RECOMMEND_STORY_H
#define PROFFER_RECOMMEND_STORY_H

#include "base/status.h"
#include "sequence/events_owned.h"
#include "sequence/model.h"
#include "shop/history.h"

/* excluded [n_products + 1] by product number, or NULL. Only events strictly before until_us;
 * promotions are as many as the history names. PF_NO_MEMORY. */
pf_status story_from_history(const shop_history *h, uint32_t n_products,
                             const bool *excluded, int64_t until_us,
                             sequence_events_owned **out, pf_error *err);

/* What shopper u (from 0) did before taking a product for the (taken + 1)-th time. */
sequence_window story_before(const sequence_events *e, uint32_t u, uint64_t taken);
/* What shopper u did strictly before a moment; times are known. */
sequence_window story_until(const sequence_events *e, uint32_t u, int64_t at_us);

uint8_t story_price_band(int64_t paid_minor, float quantity);

#endif
