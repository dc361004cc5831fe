/*
 * Policies side by side on past campaigns, where no log of decisions knows its own chances: what
 * if others had been sent them? Rows are a shopper and a campaign, the actions to be sent it or
 * not, and what followed within the campaign's run is the reward of policies.h.
 *
 *     policies_past_rows rows;
 *     status = policies_past_collect(maker, h, &o, &rows, err);
 *     policies_past_top(&rows, p_redeem, .3, send, err);         // caller's own scores
 *     policies_past_target who[] = {{"top 30 % by response", send}, {"nobody", zeros}};
 *     status = policies_past_compare(c, h, &rows, who, 2, &o, &result, err);
 *     policies_write_json(&result, &c->currency, &w, err);       // policies.h
 *
 * Nothing was randomised, so the chance of being sent is estimated: logistic regression on the
 * rows' features, cross-fitted by shopper (response/uplift_model.h), its chances then scaled to
 * what happened (Platt 1999): many features foretell few rows too boldly. Rows whose like were
 * nearly always or nearly never sent it are left out (Crump, Hotz, Imbens, Mitnik, Biometrika 96,
 * 2009), so figures are of the others; the estimate is doubly robust, its reward model knowing the
 * estimated chance, too. What decided and is in no feature stays in the figures. Every result says
 * so: its basis is POLICIES_BY_OBSERVATION, and the reference, "as it was", sends with the
 * estimated chances.
 *
 * Campaigns that run at the same time share what is bought in the whole shop: it counts in each.
 * Where exposures are only seen of who came to the shop anyway, being sent means having come.
 */
#ifndef PROFFER_EVALUATE_POLICIES_PAST_H
#define PROFFER_EVALUATE_POLICIES_PAST_H

#include "evaluate/policies.h"
#include "features/response_rows.h"

/* Owned after policies_past_collect (freed with policies_past_rows_free); borrowed where the
 * caller filled them. */
typedef struct policies_past_rows {
    size_t n;
    uint32_t n_features;
    float *x;           /* [n x F] finite, as of the campaign's start */
    uint32_t *shopper;  /* [n] */
    uint32_t *campaign; /* [n] numbers of the catalogue */
    uint8_t *sent;      /* [n] 0 or 1 */
} policies_past_rows;

typedef struct policies_past_target {
    const char *name;
    const double *send; /* [n] probability of being sent, not made from what followed */
} policies_past_target;

typedef struct policies_past_options {
    policies_reward reward;
    double margin_rate;   /* of POLICIES_NET */
    double contact_minor; /* of one sending */
    bool in_scope; /* only products, clicks and redemptions of the campaign; else the whole shop */
    int64_t from_us;  /* collect: campaigns that start at or after it */
    int64_t until_us; /* the first moment that the events do not know */
    double overlap;   /* chances in [overlap, 1 - overlap] are compared; above 0, below .5 */
    uint64_t seed;    /* of the folds of the chances */
    off_policy_plan plan;
} policies_past_options;
/* Net margin at 25 %, free contact, the whole shop, overlap .05, seed 1, DR; from_us and until_us
 * are to be set. */
policies_past_options policies_past_options_default(void);

/* A campaign that gives no end is over after so long. */
enum { POLICIES_PAST_OPEN_DAYS = OFFER_OPEN_DAYS };
/* At most so many rows are collected, shoppers taken evenly. */
enum { POLICIES_PAST_ROWS_MAX = 200000 };

/* Every shopper with an event before a campaign's start x every campaign that was shown to
 * somebody, starts in [from_us, until_us) and after purchases began; x is the `any` of
 * features/response_rows.h. PF_DATA where there is no such campaign; PF_NO_MEMORY, PF_LIMIT. *out
 * is then empty. */
pf_status policies_past_collect(const response_rows_maker *maker, const shop_history *h,
                                const policies_past_options *o, policies_past_rows *out,
                                pf_error *err);
void policies_past_rows_free(policies_past_rows *r);

/* send [n]: 1 for the share of each campaign's rows of highest score, 0 for the others; rows of
 * equal score share what is left. score NULL: everybody with probability share. share NaN: as many
 * as the campaign was sent to. PF_DATA: a score that is no number; PF_USAGE: a share outside
 * 0 .. 1; PF_NO_MEMORY. */
pf_status policies_past_top(const policies_past_rows *r, const double *score, double share,
                            double *send, pf_error *err);

/* Figure 0 is "as it was", the others are the targets in their order. PF_USAGE: options; PF_DATA,
 * with what to do: no rows, no campaign over yet, everybody or nobody sent it, a number that is
 * none, a campaign or shopper that is none, no overlap, all rewards equal; PF_NO_MEMORY, PF_LIMIT.
 * *out is then empty; freed with policies_result_free. */
pf_status policies_past_compare(const shop_catalogue *c, const shop_history *h,
                                const policies_past_rows *rows,
                                const policies_past_target *targets, size_t n_targets,
                                const policies_past_options *o, policies_result *out,
                                pf_error *err);

#endif
