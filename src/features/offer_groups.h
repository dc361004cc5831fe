/*
 * Campaigns as response sees them: promotions that were offered together, to whom, when,
 * and who used which. A promotion without a campaign is a group of its own.
 *
 * A group starts with its campaign (else with its promotion, else with the first
 * exposure). One whose end is not given counts as ended OFFER_OPEN_DAYS after its start.
 *
 * Whatever asks "before when?" passes a moment: lists are ordered by time, so the past is
 * a prefix of them. Immutable once made; readers on any thread.
 */
#ifndef PROFFER_FEATURES_OFFER_GROUPS_H
#define PROFFER_FEATURES_OFFER_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "shop/catalogue.h"
#include "shop/history.h"

enum { OFFER_OPEN_DAYS = 28 };

typedef struct offer_group {
    uint32_t campaign; /* 0 for a promotion alone */
    uint32_t kind;     /* equal for groups of the same kind, 1..kinds */
    int64_t starts_us, ends_us;
    const uint32_t *promotion; /* sorted numbers */
    uint32_t n_promotions;
    const uint32_t *shopper; /* whom it was shown to, sorted */
    uint32_t n_shoppers;
} offer_group;

/* Something of a shopper: the first exposure to a group, or one use of a promotion. */
typedef struct offer_event {
    int64_t time_us;
    uint32_t group, promotion; /* promotion 0 for exposures, or where not given */
} offer_event;

typedef struct offer_groups {
    offer_group *group; /* [n], by start, then by number */
    uint32_t n, kinds;
    uint32_t *of_promotion; /* [promotions + 1] group, or OFFER_NO_GROUP */
    uint32_t *of_campaign;  /* [campaigns + 1] */
    /* events of shopper s: first[s] <= i < first[s + 1], by time */
    offer_event *exposure, *use;
    uint64_t *first_exposure, *first_use; /* [shoppers + 2] */
    uint32_t n_shoppers;
    uint32_t *numbers; /* owns the lists of promotions and shoppers */
} offer_groups;

#define OFFER_NO_GROUP UINT32_MAX

/* Catalogue and history are borrowed while it is made. PF_NO_MEMORY; *out is then NULL. */
pf_status offer_groups_new(const shop_catalogue *c, const shop_history *h,
                           offer_groups **out, pf_error *err);
/* NULL is fine. */
void offer_groups_free(offer_groups *g);

/* true when shopper `who` used the promotion `what` (0: any of the group's) within the group's
 * dates. */
bool offer_used(const offer_groups *g, uint32_t group, uint32_t who, uint32_t what);

/* When the shopper first used any of the group's promotions within its dates;
 * TIME_ABSENT = never. */
int64_t offer_first_use_us(const offer_groups *g, uint32_t group, uint32_t who);

#endif
