/*
 * Linear models, fitted by Newton's method with an L2 penalty:
 *
 *   logistic   P(y = 1 | x) = 1 / (1 + exp(-(b0 + x b)))                one row alone
 *   mean       E(y | x) = b0 + x b, or exp(b0 + x b)                    one row alone
 *   choice     P(row of its group) = exp(x b) / sum over the group      rows compete
 *
 * Logistic regression: Hastie, Tibshirani, Friedman, "The elements of statistical
 * learning", section 4.4.1. The log-linear mean is found by the likelihood of Poisson, right for
 * a mean whatever the spread: Santos Silva and Tenreyro, "The log of gravity", Review of Economics
 * and Statistics 88, 2006, section III. The conditional logit: McFadden 1974, equation 12, with
 * each group weighted by (its positives)^(alpha - 1), so that one with ten positives does not
 * count ten times.
 *
 * Features are standardised by the training rows and clipped at `clip` standard deviations, so the
 * penalty means the same for all and no outlier rules. The penalty is `ridge` times the
 * sum of weights of the rows.
 *
 *     linear_model m;
 *     linear_options o = linear_options_default();
 *     linear_fit_logistic(&m, &rows, y, NULL, &o, err);
 *     double p = linear_probability(&m, x);
 *     linear_free(&m);
 *
 * A fitted model is immutable.
 */
#ifndef PROFFER_TENSOR_LINEAR_H
#define PROFFER_TENSOR_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/safetensors.h"

enum { LINEAR_MAX_FEATURES = 256 };

/* N rows of F features, row-major. Borrowed. */
typedef struct feature_rows {
    size_t n, features;
    const float *x; /* [N x F], finite */
} feature_rows;

typedef struct linear_options {
    double ridge; /* penalty per row */
    double clip;  /* standard deviations; 0 = never */
    double alpha; /* choice only: weight of a group is positives^(alpha-1) per positive */
    int iterations;
} linear_options;

/* ridge 0.2, clip 3, alpha 0.5, 50 iterations. */
linear_options linear_options_default(void);

typedef struct linear_model {
    size_t features;
    double clip, intercept;
    double *mean, *scale; /* [F] scale 0 = a constant feature, which does not count */
    double *weight;       /* [F] of the standardised feature */
} linear_model;

/* A model of known weights: all zero, mean 0, scale 1, for the caller to fill. PF_LIMIT
 * above LINEAR_MAX_FEATURES or for none, PF_NO_MEMORY. */
pf_status linear_new(linear_model *m, size_t features, double clip, pf_error *err);

/* y[i] is 0 or 1; weight NULL = 1 each. PF_DATA when all outcomes are equal or there are no
 * rows; PF_LIMIT above LINEAR_MAX_FEATURES. On failure *m is empty. */
pf_status linear_fit_logistic(linear_model *m, const feature_rows *rows, const uint8_t *y,
                              const double *weight, const linear_options *o,
                              pf_error *err);

typedef enum linear_mean {
    LINEAR_MEAN_SUM, /* least squares: effects add up */
    LINEAR_MEAN_LOG  /* effects multiply; y not below 0. E = exp(linear_score) */
} linear_mean;
/* y[i] any finite number; weight NULL = 1 each. PF_DATA without rows, for an outcome that is no
 * number (or below 0), or when all are 0 under LINEAR_MEAN_LOG. On failure *m is empty. */
pf_status linear_fit_mean(linear_model *m, const feature_rows *rows, const double *y,
                          const double *weight, linear_mean kind, const linear_options *o,
                          pf_error *err);

/* Rows of one group stand together; group_start [G + 1]. Groups without a positive say
 * nothing and are passed over; PF_DATA when all are such. */
pf_status linear_fit_choice(linear_model *m, const feature_rows *rows, const uint8_t *y,
                            const size_t *group_start, size_t groups,
                            const linear_options *o, pf_error *err);

/* intercept + x b. */
double linear_score(const linear_model *m, const float *x);
double linear_probability(const linear_model *m, const float *x);
/* What feature f adds to the score. */
double linear_contribution(const linear_model *m, const float *x, size_t f);

void linear_free(linear_model *m);

/* As tensors prefix.mean, prefix.scale, prefix.weight, prefix.constants. */
pf_status linear_save(const linear_model *m, const char *prefix, safetensors_writer *file,
                      pf_error *err);
pf_status linear_load(linear_model *m, const char *prefix, size_t features,
                      const safetensors *file, pf_error *err);

#endif
