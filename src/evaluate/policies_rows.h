/*
 * From logged decisions to the columns that off_policy.h reads, and what policies are made of.
 * Private to policies.c, policies_past.c and their parts.
 */
#ifndef PROFFER_EVALUATE_POLICIES_ROWS_H
#define PROFFER_EVALUATE_POLICIES_ROWS_H

#include "evaluate/policies.h"

/* ---- what followed (policies_reward.c) ---- */

typedef struct policies_outcome {
    double paid_minor;    /* of purchases less returns */
    double coupons_minor; /* of lines bought less those of lines given back */
    double redeemed_minor; /* what redemptions themselves say that they gave */
    uint64_t lines, redemptions, clicks;
    uint64_t unpriced_lines, unpriced_redemptions;
} policies_outcome;

/* Which lines, clicks and redemptions count. */
typedef struct policies_scope {
    const shop_catalogue *catalogue; /* NULL: what promotions are worth is not known */
    const uint8_t *product; /* [products + 1] whose lines; NULL: all */
    uint32_t campaign;      /* whose clicks and redemptions; 0: all */
} policies_scope;

/* A shopper's events within [from, to). */
policies_outcome policies_outcome_between(const shop_history *h, uint32_t shopper,
                                          int64_t from_us, int64_t to_us,
                                          const policies_scope *scope);
/* contact_minor: of what was sent, 0 for nothing. */
double policies_reward_of(const policies_outcome *o, policies_reward r, double margin_rate,
                          double contact_minor);
/* Whether an amount that the reward needs is not known. */
bool policies_outcome_unpriced(const policies_outcome *o, policies_reward r);

/* ---- what was known before (policies_features.c) ---- */

enum { POLICIES_SHOPPER_FEATURES = 3, POLICIES_FEATURES = 6 };
/* x [POLICIES_SHOPPER_FEATURES]: spending and lines of the 28 days before, days since the last
 * purchase. */
void policies_shopper_features(const shop_history *h, uint32_t shopper, int64_t at_us,
                               double *x);
/* x [POLICIES_FEATURES]: those, the best p_redeem and spend that could be had, how many could. */
void policies_decision_features(const shop_history *h, const policies_decision *d, double *x);

/* ---- columns ---- */

typedef struct policies_columns {
    size_t n;
    uint32_t n_actions, n_features; /* K, F; action 0 is none */
    uint32_t *action, *shopper;     /* [n] */
    double *reward, *propensity;    /* [n] */
    double *logging;                /* [n x K] */
    double *features;               /* [n x F] */
} policies_columns;

/* Zeroed. PF_NO_MEMORY; *c is then empty. */
pf_status policies_columns_new(policies_columns *c, size_t n, uint32_t n_actions,
                               uint32_t n_features, pf_error *err);
void policies_columns_free(policies_columns *c);
off_policy_log policies_columns_log(const policies_columns *c, const double *target);
/* Zeroed [n x K], or NULL with PF_NO_MEMORY in err. */
double *policies_columns_target(const policies_columns *c, pf_error *err);

/* The decisions that are compared, by shopper and time. */
typedef struct policies_row {
    const policies_decision *d;
    int64_t end_us;
    size_t first; /* candidate k is action action_of[first + k], 0: no action here */
} policies_row;

typedef struct policies_rows {
    policies_row *row; /* [columns.n] */
    uint32_t *action_of;
    uint64_t *key; /* [K] policies_key of each action, rising; 0 of none */
    double held;   /* h where held-out rows are compared, else 0 */
    policies_columns columns;
    policies_counts counts;
    double observed;
} policies_rows;

uint64_t policies_key(uint32_t number, channel by);
uint32_t policies_key_promotion(uint64_t key);

/* Whether a candidate is an action of its row at all. */
bool policies_is_action(const policies_candidate *c);
/* pi(none) = 1 less all others; of a checked decision. */
double policies_chance_of_none(const policies_decision *d);

/* What is wrong with one decision (policies_check.c); number: for messages, from 1. */
pf_status policies_check_decision(const policies_decision *d, size_t number, pf_error *err);
/* Whether all chances of a decision are in the log. */
bool policies_has_chances(const policies_decision *d);
/* Whether the held-out share of the log's shoppers can be h. */
pf_status policies_check_share(size_t held_out, size_t shoppers, double h, pf_error *err);
const char *policies_check_options(const policies_options *o);

pf_status policies_rows_new(policies_rows *r, const policies_log *log,
                            const policies_options *o, pf_error *err);
void policies_rows_free(policies_rows *r);

/* ---- policies (policies_names.c) ---- */

/* A decision as a policy sees it. */
typedef struct policies_view {
    const policies_decision *d;
    bool only_possible;
    bool none_open; /* none may be chosen */
} policies_view;
bool policies_is_open(const policies_view *v, const policies_candidate *c);

typedef enum policies_parameter {
    POLICIES_PLAIN,
    POLICIES_PRICE,       /* a number of 0 or more behind '@' */
    POLICIES_TEMPERATURE, /* a number above 0 behind ':' */
    POLICIES_ID           /* a promotion behind ':' */
} policies_parameter;

typedef struct policies_kind {
    const char *word, *shown;
    policies_parameter parameter;
    /* chance [candidates + 1], zeroed: of each, the last of none. NULL: best-single, which is one
     * `single` for either half. */
    void (*fill)(const policies_choice *c, const policies_view *v, double *chance);
    /* Which number it ranks by; NULL: none. */
    double (*worth)(const policies_choice *c, const policies_candidate *k);
} policies_kind;
extern const policies_kind policies_kind_logged, policies_kind_single;

/* The probabilities of one policy in row i, into target [K] zeroed. chance is scratch, as long as
 * the longest list of candidates and one. */
void policies_fill_row(const policies_rows *r, const policies_options *o,
                       const policies_choice *c, size_t i, double *chance, double *target);
/* Whether a policy ranks by a number that no candidate has; the error says which. */
pf_status policies_check_known(const policies_rows *r, const policies_choice *c, pf_error *err);
size_t policies_most_candidates(const policies_rows *r);

/* ---- the best promotion (policies_single.c) ---- */

/* 0 or 1. */
unsigned policies_half(uint32_t shopper);
/* picked [2]: for rows of half 0 and of half 1, each chosen on the other one. PF_DATA where
 * nothing can be chosen. */
pf_status policies_pick_single(const policies_rows *r, const policies_options *o,
                               uint32_t picked[2], pf_error *err);

/* ---- judging (policies_judge.c) ---- */

/* Figures [n] of targets [n], each [rows x K]; a NULL target is a figure that was refused already
 * and stays as it is. The reference's is not NULL. */
pf_status policies_judge(const policies_columns *c, const double *const *targets, size_t n,
                         size_t reference, const off_policy_plan *plan,
                         policies_figure *figures, pf_error *err);
/* How many rows give some action a chance that the log does not. */
size_t policies_unsupported(const policies_columns *c, const double *target);

#endif
