/*
 * What a shopper will spend, of which much is nothing and some is a lot. Boosted trees
 * (boosted.h) learn it in two ways, whose mean is a little better than either:
 *
 *     whole   spend itself, Tweedie
 *     parts   purchases (Poisson) x spend a purchase (Gamma, of those who bought)
 *
 * In both effects multiply: a promotion is worth more with one who spends more. Each way is the
 * mean of trees of several depths. It is the S-learner of uplift when promotions are among the
 * features (Künzel et al., PNAS 116, 2019): ask for each row under each of them.
 *
 *     spend_model m;
 *     spend_options o = spend_options_default();
 *     status = spend_fit(&m, &rows, spend, purchases, &o, err);
 *     status = spend_expect(&m, &asked, expected, err);
 *     spend_free(&m);
 *
 * Deterministic for a seed. A model belongs to one thread at a time.
 */
#ifndef PROFFER_RESPONSE_SPEND_H
#define PROFFER_RESPONSE_SPEND_H

#include "response/boosted.h"

enum { SPEND_MOST_DEPTHS = 4 };

typedef struct spend_options {
    bool whole, parts;
    int depths, depth[SPEND_MOST_DEPTHS];
    boosted_options trees; /* their depth and minimum weight are not read */
} spend_options;

/* Both ways at depths 3 and 4; 200 rounds, eta .05, lambda 1, seven tenths of rows and columns a
 * tree. Chosen on the first four waves of starbucks-offers (docs/experiments.md). */
spend_options spend_options_default(void);

typedef struct spend_model {
    size_t wholes, parts, features;
    boosted_model whole[SPEND_MOST_DEPTHS];
    boosted_model purchases[SPEND_MOST_DEPTHS], each[SPEND_MOST_DEPTHS];
} spend_model;

/* spend [n] >= 0; purchases [n] >= 0, above 0 wherever spend is, may be NULL without parts.
 * Rows as in boosted_fit_amounts (NaN = unknown). PF_USAGE for options without a way or a depth;
 * PF_DATA as there, and when nobody bought, or purchases and spend disagree. On failure *m is
 * empty. */
pf_status spend_fit(spend_model *m, const feature_rows *rows, const float *spend,
                    const float *purchases, const spend_options *o, pf_error *err);
/* expected [n], above 0. */
pf_status spend_expect(const spend_model *m, const feature_rows *rows, float *expected,
                       pf_error *err);
void spend_free(spend_model *m);

#endif
