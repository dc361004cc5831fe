/*
 * One shopper's past as seen from a response_moment: sums over windows, over each scope
 * and over each node of the product tree. One pass over the shopper's rows, newest first,
 * so that the first sight of a product is the last time it was bought.
 *
 * The past belongs to one thread and is reused from shopper to shopper.
 */
#ifndef PROFFER_FEATURES_RESPONSE_PAST_H
#define PROFFER_FEATURES_RESPONSE_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "features/response_moment.h"

enum { PAST_WINDOWS = 3 };
extern const double past_window_days[PAST_WINDOWS]; /* 28, 91, 400 */

/* Within one window. Amounts in units of the moment. */
typedef struct past_window {
    double trips, coupon_trips, lines, coupon_lines, spend, coupons, discounts;
    double scope_lines, scope_spend, scope_products, category_lines;
} past_window;

/* Within one scope. `faded_120` halves every 120 days, `faded_240` every 240. */
typedef struct past_scope {
    double lines, lines_28, lines_91, lines_faded_120, coupon_lines;
    double spend, spend_faded_120, spend_faded_240;
    double last_days, first_days; /* ago; valid when lines > 0 */
    uint32_t trips, products;
    uint32_t trip; /* the last trip counted */
} past_scope;

/* Within a node: lines fading over 120 days, spending over 240. */
typedef struct past_nodes {
    double *lines, *spend; /* [nodes] */
    uint32_t *touched, n;  /* which are not zero */
} past_nodes;

/* What is known of answers to groups before. */
typedef struct past_answers {
    double exposed, answered, uses, exposed_kind, answered_kind;
    double expected;              /* sum over exposures of the group's share of answers */
    double running, used_running; /* groups not ended */
    double uses_faded;            /* halving every 60 days */
    double last_use_days, last_exposure_days; /* ago; the history's length + 60: never */
} past_answers;

typedef struct past {
    const response_moment *m;
    past_window window[PAST_WINDOWS];
    past_scope *scope; /* [P] */
    past_nodes node[PRODUCT_LEVELS];
    past_answers answers;
    double lines, lines_91, leading_brand_lines;
    double recency_days, coupon_recency_days;
    uint32_t products, categories;
    uint32_t *seen_product, *seen_group; /* stamps */
    uint32_t stamp;
    uint32_t shopper;
} past;

/* A stretch of time, from_us <= t < to_us, that is left out of a shopper's past: what was bought
 * and used then was not. What was shown to the shopper stays. */
typedef struct response_gap {
    int64_t from_us, to_us;
} response_gap;

/* For shoppers at this moment. PF_NO_MEMORY; *out is then NULL. */
pf_status past_new(const response_moment *m, past **out, pf_error *err);
/* NULL is fine. */
void past_free(past *p);
/* Replaces what it held by the past of shopper `who`; gap NULL: all of it. */
void past_read(past *p, uint32_t who, const response_gap *gap);
/* A trip is an order; where orders have no ids, lines less than an hour apart. Rows of purchases,
 * the older first. */
bool past_same_trip(const shop_history *h, uint64_t older, uint64_t newer);

#endif
