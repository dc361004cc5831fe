/*
 * What reward each action would bring, learned from a log for off_policy.h: a line in the
 * features of the decision, of which every action has its own, drawn towards that of all actions
 * by as much as the log says actions are alike.
 *
 *     q(x, a) = beta[a][0] + Σ_f beta[a][f] x[f]
 *
 * Each coefficient is a random effect over actions: its value for an action is the posterior mean
 * (Efron and Morris, JASA 70, 1975), its mean and spread have the best likelihood, with the spread
 * as prior of itself (Chung, Rabe-Hesketh, Dorie, Gelman, Liu, Psychometrika 78, 2013: a log in
 * which actions do not visibly differ is no proof that they are alike). Coefficient after
 * coefficient until they settle. So the mean is one over actions more than over decisions: a log
 * that chose good actions more often does not make the seldom chosen look as good, and an action
 * of few decisions or none is expected to be like the others. A slope that is not beyond its own
 * error is dropped (max(0, 1 - variance / slope²), after Breiman's garrote, Technometrics 37,
 * 1995).
 *
 * Squared error also for clicks: only means are wanted, and the estimators mend a wrong line.
 *
 * Cross-fitted (Chernozhukov et al., Econometrics Journal 21, 2018, definition 3.1): shoppers fall
 * into REWARD_MODEL_FOLDS parts, and what is expected of a decision comes from the other parts.
 *
 *     status = reward_model_fit(&m, &rows, NULL, err);
 *     reward_model_expect(&m, &rows, i, q);          // q [K]
 *     reward_model_free(&m);
 */
#ifndef PROFFER_EVALUATE_REWARD_MODEL_H
#define PROFFER_EVALUATE_REWARD_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { REWARD_MODEL_FOLDS = 5, REWARD_MODEL_FEATURES_MAX = 64 };

/* n decisions of K actions with F features. Borrowed. */
typedef struct reward_rows {
    size_t n;
    uint32_t n_actions, n_features;
    const uint32_t *action; /* [n] */
    const double *reward;   /* [n] */
    const double *x;        /* [n x F], finite; NULL with F = 0 */
    const uint32_t *shopper; /* [n] or NULL: each alone */
} reward_rows;

typedef struct reward_model {
    uint32_t n_actions, width; /* K, 1 + F */
    double mean[REWARD_MODEL_FEATURES_MAX], scale[REWARD_MODEL_FEATURES_MAX];
    double *beta; /* [folds x K x (1 + F)] of standardised features */
} reward_model;

/* weight [n] counts the rows (of a bootstrap draw) or NULL: once each. PF_LIMIT above
 * REWARD_MODEL_FEATURES_MAX, PF_NO_MEMORY; on failure *m is empty. */
pf_status reward_model_fit(reward_model *m, const reward_rows *rows, const double *weight,
                           pf_error *err);
/* Of decision i by the fold it was kept from -> q [K]. */
void reward_model_expect(const reward_model *m, const reward_rows *rows, size_t i, double *q);
void reward_model_free(reward_model *m);

#endif
