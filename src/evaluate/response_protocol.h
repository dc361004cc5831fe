/*
 * How good are the predictions of response? Campaigns from a moment on are each predicted
 * by models that knew only campaigns already over (response/replay.h), and what was said is
 * held against what was done, beside simple baselines.
 *
 *   any     does a shopper whom it was shown to redeem at least one promotion of a campaign?
 *           AUC, log-loss, Brier, calibration (10 equal-count bins), lift by tenth
 *   which   which promotions, for each shopper and campaign that redeemed: NDCG@10,
 *           recall@10, ties at the mean rank
 *
 * Twice: over all campaigns, and over those that ended within the data, since the others'
 * redemptions are cut off: there what is announced is P(redeem by the last moment known),
 * the chance by the campaign's end times the share of answers that had come by then in
 * campaigns before. What the chance by the end alone would score stands beside (`whole`).
 * Standard errors and paired differences are bootstraps clustered by shopper.
 *
 *     response_protocol *found;
 *     response_protocol_options o = response_protocol_options_default();
 *     o.from_us = august; o.last_us = end_of_data;
 *     response_protocol_run(&found, data, &o, err);
 *     response_protocol_write(found, &w);     // keys "any", "which" and "promotions"
 *     response_protocol_free(found);
 */
#ifndef PROFFER_EVALUATE_RESPONSE_PROTOCOL_H
#define PROFFER_EVALUATE_RESPONSE_PROTOCOL_H

#include "base/json.h"
#include "base/pool.h"
#include "base/status.h"
#include "evaluate/response_pairs.h"
#include "measure/calibration.h"
#include "measure/lift.h"
#include "response/response.h"

enum { PROTOCOL_BINS = 10, PROTOCOL_CUT = 10, PROTOCOL_ANY_BASELINES = 2,
       PROTOCOL_WHICH_BASELINES = 3 };

typedef struct response_protocol_options {
    int64_t from_us;  /* campaigns that start at or after it */
    int64_t last_us;  /* the last moment the data know; campaigns ending later are cut off */
    uint64_t seed;
    unsigned replicates;
    response_learner learner;
    pool *threads;    /* or NULL */
} response_protocol_options;
/* Everything from the first campaign on, 500 replicates, learner chosen. */
response_protocol_options response_protocol_options_default(void);

/* NaN where a figure does not exist. */
typedef struct any_figures {
    const char *model;
    double auc, auc_se, log_loss, brier, ece, sum_ratio;
    double auc_gain, auc_gain_se;           /* Proffer's above this baseline's, paired */
    double log_loss_gain, log_loss_gain_se; /* this baseline's above Proffer's */
} any_figures;

typedef struct any_result {
    size_t rows, positives, campaigns;
    any_figures own, baseline[PROTOCOL_ANY_BASELINES];
    any_figures whole; /* chances by the campaign's end; without errors and gains */
    reliability_bin reliability[PROTOCOL_BINS];
    lift_bin lift[PROTOCOL_BINS];
} any_result;

typedef struct which_figures {
    const char *model;
    double ndcg, ndcg_se, recall;
    double gain, gain_se; /* Proffer's ndcg above this baseline's, paired */
} which_figures;

typedef struct which_result {
    size_t pairs, campaigns;
    which_figures own, baseline[PROTOCOL_WHICH_BASELINES];
} which_result;

typedef struct response_protocol {
    any_result any_all, any_observed;
    which_result which_all, which_observed;
    /* P(redeem) of single promotions: what deciding multiplies with money. */
    response_pairs pairs;
    double seconds;
} response_protocol;

/* PF_DATA when no campaign can be tested. */
pf_status response_protocol_run(response_protocol **out, const response_data *d,
                                const response_protocol_options *o, pf_error *err);
/* NULL is fine. */
void response_protocol_free(response_protocol *p);

/* Members of an object that is open: "any" and "which", each {"all":..,"observed":..}, and
 * "promotions". */
void response_protocol_write(const response_protocol *p, json_writer *w);

#endif
