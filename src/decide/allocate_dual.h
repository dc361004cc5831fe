/*
 * The dual of an allocation: each shopper's best set of options at given prices, and the
 * sum over shoppers (allocate.h gives the formula). For allocate.c and its repair.
 */
#ifndef PROFFER_DECIDE_ALLOCATE_DUAL_H
#define PROFFER_DECIDE_ALLOCATE_DUAL_H

#include <stdbool.h>

#include "base/limits.h"
#include "decide/allocate.h"

/* Prices gathered by arm, so that an option's price is three products. */
typedef struct dual_arm {
    double per_cost, per_one, per_redemption;
    double cost_most,
        redemptions_most; /* an option above one of these fits no cap alone */
} dual_arm;

/* What the takers of one arm draw; sums over one shard of shoppers. */
typedef struct dual_sum {
    double cost, redemptions;
    uint64_t count;
} dual_sum;

typedef struct dual {
    const allocate_problem *p;
    pool *threads;
    dual_arm *arms; /* [A] */
    size_t stride;  /* looks at every stride-th block of shoppers and scales up */
    size_t n_shards;
    dual_sum *sums;       /* [n_shards * A] */
    double *best;         /* [n_shards] sum of what shoppers gain */
    double *limit, *used; /* [M]; used: at the last prices */
    uint32_t calls;       /* evaluations over all shoppers */
} dual;

/* Options a shopper would take, best first. */
typedef struct dual_pick {
    double gain; /* value less price, > 0 */
    size_t option;
} dual_pick;

pf_status dual_new(dual *d, const allocate_problem *p, pool *threads, pf_error *err);
void dual_free(dual *d);

/* D at prices [M]; leaves what is drawn from each cap in d->used. */
double dual_evaluate(dual *d, const double *prices);

/* Value less price of an option at the prices last set; below 0 where it fits no cap. */
double dual_gain(const dual *d, size_t option);
void dual_set_prices(dual *d, const double *prices);
/* The best set of a shopper, lanes not looked at; returns how many of most picks. */
uint32_t dual_pick_best(const dual *d, size_t shopper,
                        dual_pick picks[LIMIT_SHOPPER_PICKS]);

#endif
