/*
 * A policy on a log, row by row: what off_policy.h's estimators sum over, and the choice of how
 * much they shrink. Private to off_policy.c and its parts.
 */
#ifndef PROFFER_EVALUATE_OFF_POLICY_ROWS_H
#define PROFFER_EVALUATE_OFF_POLICY_ROWS_H

#include "evaluate/off_policy.h"
#include "evaluate/reward_model.h"

typedef struct off_policy_rows {
    const off_policy_log *log;
    const double *target; /* [n x K] of the policy */
    off_policy_estimator kind;
    bool learned;         /* expectations are of our model */
    double *base;         /* [n] what the model alone says */
    double *weight;       /* [n] w */
    double *rest;         /* [n] r - q, or r without a model */
    double *shrunk;       /* [n] the estimator's weight */
} off_policy_rows;

/* Which estimators need expectations, divide by their own weights, have a parameter. */
typedef struct off_policy_kind {
    const char *name;
    bool model, own_sum, chosen;
} off_policy_kind;
extern const off_policy_kind off_policy_kinds[OFF_POLICY_ESTIMATORS];

/* w = target / propensity of what decision i took. */
double off_policy_weight(const off_policy_log *log, const double *target, size_t i);
/* The weight that the estimator gives where w is the true one. */
double off_policy_shrink(off_policy_estimator kind, double w, double parameter);

/* One more policy's probabilities on a checked log, and what of the log speaks of it. */
pf_status off_policy_check_target(const off_policy_log *log, const double *target,
                                  off_policy_support *out, pf_error *err);

/* tau or λ by the rule; the estimator has one. PF_NO_MEMORY. */
pf_status off_policy_choose(const off_policy_rows *r, off_policy_rule rule, double *out,
                            pf_error *err);

#endif
