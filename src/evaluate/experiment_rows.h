/*
 * From a shopper's events to the row an experiment needs of him, and from rows to moments. A
 * step of evaluate/experiment.h, not for others.
 */
#ifndef PROFFER_EVALUATE_EXPERIMENT_ROWS_H
#define PROFFER_EVALUATE_EXPERIMENT_ROWS_H

#include "evaluate/experiment.h"
#include "measure/moments.h"

/* Everything about an arm: for each metric y with the covariate or denominator x. */
typedef struct experiment_sums {
    moments of[EXPERIMENT_METRICS];
    uint64_t count[EXPERIMENT_METRICS]; /* of shares: shoppers who did it */
} experiment_sums;

/* Whether a metric is a share of shoppers, and whether a ratio of two sums. */
bool experiment_is_share(experiment_metric m);
bool experiment_is_ratio(experiment_metric m);

/* PF_USAGE unless members are in order, with an arm and a moment. */
pf_status experiment_check_members(const experiment_member *members, size_t n, pf_error *err);

/* Adds a member whose window is over by plan->until_us; who is not yet, waits. */
void experiment_add_member(const shop_history *h, const experiment_plan *plan,
                           const experiment_member *member, experiment_group *group,
                           experiment_sums *sums);

#endif
