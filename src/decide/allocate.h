/*
 * Allocation: which options to take for which shoppers, so that the sum of their values
 * is largest and no cap is passed. A multiple-choice knapsack with several caps at once
 * (Sinha and Zoltners, "The multiple-choice knapsack problem", Operations Research 27,
 * 1979), solved by Lagrangian shadow prices (Fisher, "The Lagrangian relaxation method
 * for solving integer programming problems", Management Science 27, 1981):
 *
 *     D(price) = sum_m price_m limit_m
 *              + sum_s max over allowed sets of sum (value - price of what it draws)
 *
 * is an upper bound for every price >= 0. Its minimum over prices is found exactly for
 * one cap (intersecting supporting lines), by a bundle method for several (bundle.h);
 * each shopper then takes what is best at these prices, and a repair in integers sees
 * that no cap is passed by any amount and spends what is left. The bound, the answer and
 * the gap between them are all reported: the gap is what the answer may at most miss.
 *
 *     S shoppers, O options (those of shopper s are first[s] .. first[s + 1] - 1),
 *     A arms (what an option draws on: say a promotion by a channel), M caps
 *
 * Taking nothing is always allowed and needs no option. The same problem gives the same
 * bits for any number of threads.
 */
#ifndef PROFFER_DECIDE_ALLOCATE_H
#define PROFFER_DECIDE_ALLOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/pool.h"
#include "base/status.h"

/* What of an option counts against a cap. */
typedef enum cap_measure {
    CAP_COST,       /* its cost */
    CAP_COUNT,      /* one */
    CAP_REDEMPTIONS /* its expected redemptions */
} cap_measure;

typedef struct allocate_cap {
    cap_measure measure;
    double limit; /* >= 0 */
} allocate_cap;

/* Everything is borrowed. */
typedef struct allocate_problem {
    size_t n_shoppers;
    const size_t *first;       /* [S + 1] */
    const double *value;       /* [O] any finite number; those <= 0 are never taken */
    const double *cost;        /* [O] >= 0 */
    const double *redemptions; /* [O] >= 0, or NULL when no cap measures them */
    const uint32_t *arm;       /* [O] 0 .. A - 1 */
    /* [O] options of one shopper with the same group exclude each other; within a shopper
     * groups ascend. NULL: each shopper takes one option at most. */
    const uint32_t *group;
    const uint8_t *picks; /* [S] most options of a shopper; NULL = 1 */
    /* Lanes (channels): how many options of one lane a shopper takes at most. The answer
     * keeps to them; the bound does not know of them, so it is loose where they bind. */
    uint32_t n_lanes;          /* 0 = none */
    const uint8_t *lane;       /* [A] */
    const uint8_t *lane_picks; /* [S * n_lanes] */
    uint32_t n_arms, n_caps;
    const uint32_t *arm_first; /* [A + 1] caps of arm a are arm_caps[arm_first[a] ..] */
    const uint32_t *arm_caps;
    const allocate_cap *caps; /* [M] */
} allocate_problem;

typedef struct allocate_options {
    pool *threads;          /* NULL: the caller alone */
    double tolerance;       /* of the bound, as a share of it; 0 = 1e-9, or 3e-6 where so
                               many shoppers smooth the answer anyway (40,000) */
    uint32_t maximum_calls; /* evaluations of D over all shoppers */
} allocate_options;

/* One thread, tolerance by size, 400. */
allocate_options allocate_options_default(void);

typedef struct allocate_result {
    double value;   /* of what is taken */
    double bound;   /* no allowed answer is worth more */
    double gap;     /* (bound - value) / bound; 0 when bound is 0 */
    double *prices; /* [M] value of one more unit of each cap, >= 0 */
    double *used;   /* [M] <= limit */
    uint8_t *taken; /* [O] 1 = taken */
    size_t n_taken;
    uint32_t calls; /* evaluations of D over all shoppers */
} allocate_result;

/* PF_USAGE with the reason for a problem that is none; PF_LIMIT; PF_NO_MEMORY. *out is
 * empty after a failure. Free with allocate_free. */
pf_status allocate_solve(const allocate_problem *p, const allocate_options *options,
                         allocate_result *out, pf_error *err);
void allocate_free(allocate_result *r);

/* Takes each shopper's best at given prices (yesterday's, say) in the order of shoppers,
 * without passing a cap; *out as above with these prices and the bound they give. */
pf_status allocate_at_prices(const allocate_problem *p, const double *prices,
                             const allocate_options *options, allocate_result *out,
                             pf_error *err);

/* Bound, answer, gap and, by cap, limit, use and price, a line each, for people. names
 * [M] or NULL. */
void allocate_print(const allocate_problem *p, const allocate_result *r,
                    const char *const *names, buffer *into);

#endif
