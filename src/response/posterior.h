/*
 * How sure a logistic model is: Bayesian logistic regression by Laplace's approximation (Bishop,
 * "Pattern recognition and machine learning", 2006, section 4.5.1; its use for exploration:
 * Chapelle and Li, NIPS 2011, algorithm 3). The posterior of the weights b under a normal prior,
 *
 *     exp(-(sum of precision (b - prior)^2) / 2) x product of p^k (1 - p)^(n - k),
 *     p = 1 / (1 + exp(-x b)),
 *
 * is taken for a normal one: its mean is the mode, its precision H the curvature there, H = L L'.
 * A draw is mean + L'^-1 z with z standard normal.
 *
 * A row is what was observed under one set of features: k answers of n trials. What a day brings
 * is therefore added by adding to counts (response/arms.h keeps them), or by fitting the day's
 * rows alone with yesterday's mean as the prior.
 *
 *     posterior_rows rows = {.n = N, .features = F, .x = x, .trials = n, .answers = k};
 *     posterior_prior prior = {.precision = precision};       // mean 0
 *     posterior fitted;
 *     status = posterior_fit(&fitted, &rows, &prior, err);
 *     status = posterior_draw(&fitted, &published, err);      // [D x F]
 *     posterior_free(&fitted);
 *
 * There is no intercept but a column of ones that the caller puts into x. Without rows, or for a
 * feature that no row has, the posterior is the prior. A fitted posterior is immutable.
 */
#ifndef PROFFER_RESPONSE_POSTERIOR_H
#define PROFFER_RESPONSE_POSTERIOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "response/draws.h"

enum { POSTERIOR_MAX_FEATURES = 512 };

/* Borrowed. */
typedef struct posterior_rows {
    size_t n, features;
    const double *x;         /* [N x F] finite */
    const uint64_t *trials;  /* [N] */
    const uint64_t *answers; /* [N] <= trials */
} posterior_rows;

typedef struct posterior_prior {
    const double *mean;      /* [F] finite; NULL: 0 */
    const double *precision; /* [F] 1 / variance, above 0: it keeps every weight finite */
} posterior_prior;

typedef struct posterior {
    size_t features;
    double *mean;   /* [F] */
    double *factor; /* [F x F] row-major, L in the lower triangle, 0 above */
} posterior;

/* PF_DATA with row and column: a feature that is not finite, more answers than trials, a prior
 * that is not finite or has no precision; PF_LIMIT: more than POSTERIOR_MAX_FEATURES or none;
 * PF_INTERNAL: no curvature (cannot be with such a prior, unless features are beyond 1e100);
 * PF_NO_MEMORY. On failure *p is empty. */
pf_status posterior_fit(posterior *p, const posterior_rows *rows, const posterior_prior *prior,
                        pf_error *err);
/* Fills d, whose width must be F (PF_USAGE). */
pf_status posterior_draw(const posterior *p, draws *d, pf_error *err);
/* Standard deviation of x b under the posterior; `work` [F] is overwritten. */
double posterior_spread(const posterior *p, const double *x, double *work);
/* NULL and empty are fine. */
void posterior_free(posterior *p);

#endif
