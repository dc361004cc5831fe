/*
 * What an outcome is expected to be, given features, by lines or by trees, behind one interface:
 * what learners of effects are made of. Private to this room.
 *
 *   REGRESSION_CHANCE   y is 0 or not: the probability that it is not
 *   REGRESSION_NUMBER   any number: its mean
 *   REGRESSION_AMOUNT   many zeros and a long tail, as spend has: two parts,
 *                       P(y > 0) E(y | y > 0) (Cragg, Econometrica 39, 1971; the second part is
 *                       log-linear, or boosted under gamma)
 *
 *     regression r;
 *     status = regression_fit(&r, &rows, y, REGRESSION_CHANCE, &settings, err);
 *     status = regression_expect(&r, &rows, expected, err);
 *     regression_free(&r);
 *
 * Where all outcomes are equal, lines and trees have nothing to learn and the regression is that
 * constant. A fitted one is immutable; trees belong to one thread at a time.
 */
#ifndef PROFFER_RESPONSE_REGRESSION_H
#define PROFFER_RESPONSE_REGRESSION_H

#include <stdint.h>

#include "base/status.h"
#include "response/boosted.h"
#include "tensor/linear.h"
#include "tensor/safetensors.h"

typedef enum regression_kind {
    REGRESSION_CHANCE,
    REGRESSION_NUMBER,
    REGRESSION_AMOUNT,
    REGRESSION_KINDS
} regression_kind;

typedef enum regression_base { REGRESSION_LINEAR, REGRESSION_TREES } regression_base;

typedef struct regression_settings {
    regression_base base;
    double ridge;          /* of lines, per row and standardised feature */
    boosted_options trees;
} regression_settings;

/* A line or trees or, without either, a constant. */
typedef struct regression_part {
    bool has_line, has_trees;
    linear_model line;
    boosted_model trees;
    double constant;
} regression_part;

typedef struct regression {
    regression_kind kind;
    size_t features;
    regression_part mean; /* or P(y > 0) of an amount */
    regression_part size; /* of what is above 0: amounts only */
    double largest;       /* amounts: nothing above what was seen is foretold of y > 0 */
} regression;

/* y [N]. PF_DATA without rows, for an outcome that is not finite, or below 0 for a chance or an
 * amount. On failure *r is empty. */
pf_status regression_fit(regression *r, const feature_rows *rows, const double *y,
                         regression_kind kind, const regression_settings *settings,
                         pf_error *err);
/* expected [N] */
pf_status regression_expect(const regression *r, const feature_rows *rows, double *expected,
                            pf_error *err);
/* Empty is fine. */
void regression_free(regression *r);

/* Numbers are borrowed by the writer until commit. */
pf_status regression_save(const regression *r, const char *prefix, safetensors_writer *file,
                          pf_error *err);
/* Believes nothing. On failure *r is empty. */
pf_status regression_load(regression *r, const char *prefix, size_t features,
                          const safetensors *file, pf_error *err);

#endif
