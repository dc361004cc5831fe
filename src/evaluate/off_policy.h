/*
 * What a policy would have brought, from the log of another one that knew its own chances
 * (off-policy evaluation): n decisions, K actions each, one of them taken.
 *
 *     off_policy_log log = {.n = n, .n_actions = K, .action = a, .reward = r, .propensity = p,
 *                           .target = pi, .expected = q, .shopper = s};
 *     off_policy_plan plan = off_policy_plan_default();
 *     off_policy_value v;
 *     status = off_policy_estimate(&log, &plan, &v, err);
 *     // v.value, v.low .. v.high; v.support.few: too little of the log speaks of this policy
 *
 * With w = target / propensity of what was taken, q(x, a) what a model expects and
 * V = Σ_a target(a) q(x, a), the mean over decisions of
 *
 *     DM      V                                  (direct method)
 *     IPS     w r                                (Horvitz and Thompson, JASA 47, 1952)
 *     SNIPS   w r, over the mean of w            (Swaminathan and Joachims, NIPS 2015)
 *     DR      V + w (r - q)                      (Dudík, Langford, Li, ICML 2011)
 *     SNDR    V + w (r - q) over the mean of w
 *     SWITCH  V + w (r - q) where w <= tau       (Wang, Agarwal, Dudík, ICML 2017, eq. 8)
 *     DROS    V + λ w / (w² + λ) (r - q)         (Su et al., ICML 2020, section 4.2)
 *     CLIPPED min(w, tau) r                      (Ionides, JCGS 17, 2008)
 *
 * Without expectations of the caller's the model is evaluate/reward_model.h, cross-fitted on the
 * log's features, and every replicate of the bootstrap fits it anew, so that the interval knows
 * that it was learned.
 *
 * All arrays are borrowed. Any thread.
 */
#ifndef PROFFER_EVALUATE_OFF_POLICY_H
#define PROFFER_EVALUATE_OFF_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

typedef struct off_policy_log {
    size_t n;
    uint32_t n_actions;       /* K */
    const uint32_t *action;   /* [n] what was taken, 0 .. K - 1 */
    const double *reward;     /* [n] what came of it */
    const double *propensity; /* [n] of what was taken, in (0, 1] */
    const double *target;     /* [n x K] the judged policy's probabilities */
    const double *logging;    /* [n x K] all of the log's propensities, where it kept them, or
                                 NULL: then support is judged by what was taken */
    const double *expected;   /* [n x K] of a model that has not seen these rewards; NULL: ours */
    const double *features;   /* [n x n_features] of the decisions, for our model; NULL: none */
    uint32_t n_features;
    const uint32_t *shopper;  /* [n] decisions of one shopper vary together; NULL: each alone */
} off_policy_log;

typedef enum off_policy_estimator {
    OFF_POLICY_DM,
    OFF_POLICY_IPS,
    OFF_POLICY_SNIPS,
    OFF_POLICY_DR,
    OFF_POLICY_SNDR,
    OFF_POLICY_SWITCH,
    OFF_POLICY_DROS,
    OFF_POLICY_CLIPPED,
    OFF_POLICY_ESTIMATORS
} off_policy_estimator;

/* "dm", "ips", ...; static text. */
const char *off_policy_name(off_policy_estimator e);

/* How tau or λ is chosen from the log alone, among `OFF_POLICY_CHOICES` values between the
 * quantiles of the weights. Variances are no smaller than if what the model did not foresee had
 * nothing to do with the weights: rows of large weight with a reward may be missing by chance. */
typedef enum off_policy_rule {
    /* least (mean of what shrinking leaves out)² + variance (Su et al. 2020, section 5) */
    OFF_POLICY_BY_ERROR,
    /* the same with an upper confidence bound of the first term: warier of bias */
    OFF_POLICY_BY_BOUND,
    /* the most shrunk one that differs from no less shrunk one by more than 2.5 standard errors
     * of their difference (after Lepski's method as in Su, Srinath, Krishnamurthy, ICML 2020,
     * algorithm 1, who let intervals overlap: errors of both go the same way, so that is lax) */
    OFF_POLICY_BY_INTERVALS
} off_policy_rule;
enum { OFF_POLICY_CHOICES = 24 };

typedef struct off_policy_plan {
    off_policy_estimator estimator;
    double parameter;     /* tau or λ; NaN: chosen by `rule` */
    off_policy_rule rule;
    double level;         /* of the interval */
    unsigned replicates;  /* of the bootstrap over shoppers */
    uint64_t seed;
    pool *threads; /* or NULL */
} off_policy_plan;

/* SWITCH by_error, level .95, 1,000 replicates, seed 1: the best whose intervals cover, of the ways
 * that bench_ope.c compares on worlds with known truth. */
off_policy_plan off_policy_plan_default(void);

/* What of a log speaks of a policy. */
typedef struct off_policy_support {
    size_t n;
    double effective; /* rows: (Σ w)² / Σ w² (Kish 1965) */
    double largest_weight;
    double mean_weight, mean_weight_error; /* 1 where propensities mean what they say */
    bool few; /* effective < OFF_POLICY_FEW: no figure is to be trusted */
    bool off; /* mean_weight is not 1 by OFF_POLICY_OFF standard errors: propensities are wrong */
} off_policy_support;
enum { OFF_POLICY_FEW = 100, OFF_POLICY_OFF = 4 };

/* What is wrong with it in words for whoever reads the figure, cut to n bytes; "" when nothing.
 * Returns `out`. */
const char *off_policy_warning(const off_policy_support *s, char *out, size_t n);

typedef struct off_policy_value {
    /* Normal interval of the bootstrap's error, widened as the variances of the rules are. */
    double value, standard_error, low, high;
    double parameter; /* that was used; NaN where there is none */
    off_policy_support support;
} off_policy_value;

/* PF_DATA with row and remedy: an empty log, no propensities or one that is not in (0, 1] or is
 * not that of `logging`; probabilities that are negative or do not sum to one; a reward,
 * expectation or feature that is not finite; an action that is none; all rewards equal; an action
 * that the policy takes where `logging` gives it 0, or, without `logging`, that the log never took;
 * no decision in which log and policy agree. PF_USAGE: a plan outside its limits; PF_LIMIT: too
 * many features; PF_NO_MEMORY. */
pf_status off_policy_check(const off_policy_log *log, off_policy_support *out, pf_error *err);
pf_status off_policy_estimate(const off_policy_log *log, const off_policy_plan *plan,
                              off_policy_value *out, pf_error *err);

/* Several policies, targets [n] of [rows x K] each, on the same draws, our model fitted once a draw
 * for all of them: values [n], and differences [n] of each less the base's, whose support is the
 * weaker of the two. The parameter of each is chosen by itself. log->target is not read. PF_USAGE
 * also for more than OFF_POLICY_COMPARED_MAX; what is wrong with one policy fails all. */
enum { OFF_POLICY_COMPARED_MAX = 64 };
pf_status off_policy_compare(const off_policy_log *log, const double *const *targets, size_t n,
                             size_t base, const off_policy_plan *plan,
                             off_policy_value *values, off_policy_value *differences,
                             pf_error *err);

/* The judged policy less another one (its probabilities [n x K]): the same of two. */
pf_status off_policy_difference(const off_policy_log *log, const double *other,
                                const off_policy_plan *plan, off_policy_value *out,
                                pf_error *err);

#endif
