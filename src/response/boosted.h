/*
 * Gradient-boosted trees of response, by XGBoost's C API (Chen and Guestrin, KDD 2016).
 * Two aims, as in linear.h: the probability of a row alone, or the order of rows within
 * their group (pairwise, LambdaMART; Burges 2010).
 *
 *     boosted_model m;
 *     boosted_options o = boosted_options_default();
 *     boosted_fit(&m, &rows, y, NULL, 0, &o, err);
 *     boosted_score(&m, &rows, margin, err);      // margin[N]; 1/(1+exp(-margin)) = P
 *     boosted_free(&m);
 *
 * Besides outcomes of yes and no, amounts (boosted_fit_amounts): what is spent, what is paid.
 *
 * Deterministic for a seed whatever the number of threads (histogram trees). A model
 * belongs to one thread at a time.
 */
#ifndef PROFFER_RESPONSE_BOOSTED_H
#define PROFFER_RESPONSE_BOOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/linear.h"
#include "tensor/safetensors.h"

typedef struct boosted_options {
    int rounds, depth, threads; /* threads 0 = one a processor */
    double eta, minimum_weight, lambda, subsample, column_sample;
    bool rising; /* every feature may only raise the score (monotone constraints) */
    uint32_t seed;
} boosted_options;

/* 150 rounds of depth 3, eta .05, minimum weight 5, lambda 5, subsample .8, columns .5. */
boosted_options boosted_options_default(void);

typedef struct boosted_model {
    void *booster; /* XGBoost's handle */
    size_t features;
    char *bytes;   /* its saved form, for files */
    size_t n_bytes;
} boosted_model;

/* group_start NULL: probabilities of single rows; else the order within groups. PF_DATA
 * when all outcomes are equal. On failure *m is empty. */
pf_status boosted_fit(boosted_model *m, const feature_rows *rows, const uint8_t *y,
                      const size_t *group_start, size_t groups, const boosted_options *o,
                      pf_error *err);
/* How an amount hangs on the trees. */
typedef enum boosted_amount {
    BOOSTED_SQUARED, /* it is their sum: least squares, effects add up */
    /* Its logarithm is, so effects multiply. Variance ~ mean^p, p = */
    BOOSTED_POISSON, /* 1: counts */
    BOOSTED_TWEEDIE, /* 1.3: many zeros and a long tail (Jorgensen and Paes de Souza,
                        Scandinavian Actuarial Journal, 1994) */
    BOOSTED_GAMMA    /* 2: sizes, above 0 */
} boosted_amount;
/* The mean of an amount y[i]; weight NULL = 1 each. A feature that is NaN is unknown, which the
 * trees read as a value of its own. PF_DATA when there are no rows, all amounts are equal, one is
 * not finite or below what its kind knows, a weight is not a number above 0. On failure *m is
 * empty. */
pf_status boosted_fit_amounts(boosted_model *m, const feature_rows *rows, const float *y,
                              const float *weight, boosted_amount kind,
                              const boosted_options *o, pf_error *err);
/* The expected outcome of each row: an amount, or a probability. */
pf_status boosted_expect(const boosted_model *m, const feature_rows *rows, float *expected,
                         pf_error *err);
/* The sum of the trees of each row. */
pf_status boosted_score(const boosted_model *m, const feature_rows *rows, float *margin,
                        pf_error *err);
/* What each feature adds to the margin of one row [F], and what all rows have [F + 1st]: exact
 * values of Shapley by the trees' own paths (TreeSHAP; Lundberg et al., Nature Machine Intelligence
 * 2, 2020, algorithm 2), as XGBoost works them out; together they are the margin. */
pf_status boosted_contributions(const boosted_model *m, const float *row, float *parts,
                                pf_error *err);
void boosted_free(boosted_model *m);

pf_status boosted_save(const boosted_model *m, const char *prefix, safetensors_writer *file,
                       pf_error *err);
pf_status boosted_load(boosted_model *m, const char *prefix, size_t features,
                       const safetensors *file, pf_error *err);

#endif
