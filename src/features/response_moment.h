/*
 * What the shop knows at a moment about promotions that are offered together: who buys
 * what of their scopes, how they relate to promotions used before, and how groups before
 * them were answered. It holds what is the same for all shoppers; response_past.h adds one
 * shopper.
 *
 * Only events strictly before the moment are read.
 */
#ifndef PROFFER_FEATURES_RESPONSE_MOMENT_H
#define PROFFER_FEATURES_RESPONSE_MOMENT_H

#include <stdint.h>

#include "base/status.h"
#include "features/offer_groups.h"
#include "features/product_tree.h"
#include "shop/catalogue.h"
#include "shop/history.h"

/* What the moment is made from; borrowed. */
typedef struct response_shop {
    const shop_catalogue *catalogue;
    const shop_history *history;
    const product_tree *tree;
    const offer_groups *groups;
    int64_t first_purchase_us; /* midnight of the first purchase's day; INT64_MAX: none */
} response_shop;

/* A node of a scope: its share of the scope's products, and the scope's share of what all
 * shoppers spend at the node. */
typedef struct node_share {
    uint32_t node;
    float of_scope, of_node;
} node_share;

/* A scope's nodes on one level: shares[first[k]] .. shares[first[k + 1] - 1]. */
typedef struct node_shares {
    uint32_t *first; /* [P + 1] */
    node_share *share;
} node_shares;

/* How alike the promotions are to those used before, [P x R] each. */
typedef struct used_before {
    uint32_t n;          /* R */
    uint32_t *promotion; /* [R] */
    uint32_t *place;     /* [promotions + 1] index in promotion, or OFFER_NO_GROUP */
    float *by_scope, *by_category, *by_family;
} used_before;

/* How a group was answered before the moment. */
typedef struct group_answer {
    uint32_t exposed, answered, uses;
} group_answer;

/* What all shoppers bought of one scope. */
typedef struct scope_total {
    double lines, lines_91;
} scope_total;

typedef struct response_moment {
    const response_shop *shop;
    int64_t at_us;
    double history_days;    /* since the first purchase's day; 0 without a past */
    double unit_minor;      /* what amounts are divided by */
    const uint32_t *promotion;
    uint32_t n; /* P */
    uint32_t group;         /* the promotions' group */
    uint32_t distinct;      /* products in any of the scopes */
    /* promotions of product p: cover[first_cover[p]] .. cover[first_cover[p + 1] - 1],
     * places in `promotion` */
    uint32_t *first_cover; /* [products + 2] */
    uint32_t *cover;
    uint8_t *category_in;  /* [categories + 1] whether a scope reaches into it */
    node_shares shares[PRODUCT_LEVELS];
    double lines, lines_91, lines_in_scopes; /* of all shoppers */
    scope_total *total;                      /* [P] */
    used_before used;
    float *answer_rate;  /* [P] log of how much more promotions like it were used */
    group_answer *group_answer; /* [groups] */
    double kind_rate;    /* log of the share who answered groups of the kind */
} response_moment;

/* The list of promotions is borrowed; P >= 1, all of one group. PF_NO_MEMORY; *out is then
 * NULL. */
pf_status response_moment_new(const response_shop *shop, const uint32_t *promotion,
                              uint32_t n, int64_t at_us, response_moment **out,
                              pf_error *err);
/* NULL is fine. */
void response_moment_free(response_moment *m);

#endif
