/*
 * What is fitted to the groups known at a moment, before anything is chosen or calibrated:
 * for `any` a logistic regression and gradient-boosted trees; for `which` a conditional
 * logit that sees the promotions of a group against each other: each feature less its mean
 * over the shopper's promotions, divided by its spread there (plus a floor), so that a
 * shopper who buys little is read as closely as one who buys much. Every feature of
 * `which` speaks for the promotion or not at all: weights below zero are coincidences of
 * few campaigns, and are left out. Private to this room.
 */
#ifndef PROFFER_RESPONSE_LEARNERS_H
#define PROFFER_RESPONSE_LEARNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "response/boosted.h"
#include "response/data.h"
#include "tensor/linear.h"

typedef struct learners {
    bool has_logistic, has_trees, has_which;
    data_width width; /* of the rows it was fitted to, and reads */
    linear_model logistic;
    boosted_model trees;
    linear_model which;
    double floor[DATA_MOST_WHICH];
    /* One who uses any of P promotions uses 1 + uses_growth ln P of them. */
    double uses_growth;
    size_t groups, rows, answers;
} learners;

typedef struct learners_want {
    bool logistic, trees;
    uint64_t seed;
    int threads; /* of the trees; 0 = one a processor */
} learners_want;

/* From groups ended before until_us. PF_DATA when they teach nothing, in plain words. On
 * failure *l is empty. */
pf_status learners_fit(learners *l, const response_data *d, int64_t until_us,
                       const learners_want *want, pf_error *err);
void learners_free(learners *l);

/* P(any) of S rows of `any` by each learner that is there. */
void learners_logistic(const learners *l, const float *any, size_t n, float *p);
pf_status learners_trees(const learners *l, const float *any, size_t n, float *p,
                         pf_error *err);

/* One shopper's promotions: rows [P x width.which] -> order [P] for ranking and
 * share [P], which sums to 1: the part of the shopper's uses that goes to each. scratch
 * [P x width.which]. Allocates nothing. */
void learners_which(const learners *l, const float *which, size_t n, float *scratch,
                    float *order, float *share);

/* Promotions used by one who uses any of P. */
double learners_uses(const learners *l, size_t P);

/* n rows of F features less their mean over the promotions; then divided by spread and floor.
 * `out` may be the input. */
void which_centre(const float *raw, size_t n, size_t F, float *out);
void which_scale(const float *centred, size_t n, size_t F, const double *floor_of, float *out);

#endif
