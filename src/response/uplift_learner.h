/*
 * One learner of effects, fitted (response/uplift_model.h names their sources). Private to this
 * room.
 *
 *   s    part[0]  E(y | z, t)                      effect = E(y | z, 1) - E(y | z, 0)
 *   t    part[0], part[1]  E(y | z) of untreated and treated        effect = their difference
 *   x    part[1]  learnt from y - m0(z) of the treated, part[0] from m1(z) - y of the others,
 *        m0 and m1 the models of t                 effect = share part[0] + (1 - share) part[1]
 *   dr   part[0]  learnt from pseudo-outcomes of every row i under every arm a,
 *
 *            psi = m_a(z) - m_0(z) + [A = a] (y - m_a(z)) / e - [A = 0] (y - m_0(z)) / e,
 *
 *        e the probability of the arm A that the row got, m fitted without the row's fold
 */
#ifndef PROFFER_RESPONSE_UPLIFT_LEARNER_H
#define PROFFER_RESPONSE_UPLIFT_LEARNER_H

#include "response/regression.h"
#include "response/uplift_trial.h"

typedef enum uplift_way { UPLIFT_WAY_S, UPLIFT_WAY_T, UPLIFT_WAY_X, UPLIFT_WAY_DR } uplift_way;

/* What a kind is made of. */
typedef struct uplift_recipe {
    const char *name;
    uplift_way way;
    regression_base outcome, effect;
} uplift_recipe;
const uplift_recipe *uplift_recipe_of(uplift_kind kind);
/* Whether it learns from several arms. */
bool uplift_recipe_bears(uplift_kind kind, size_t arms);

typedef struct uplift_learner {
    uplift_kind kind;
    uplift_scale scale;
    regression part[2];
    size_t parts; /* 1 or 2 */
} uplift_learner;

/* propensity [N] of the arm that each row got. PF_DATA when an arm has no rows here. On failure
 * *l is empty. */
pf_status uplift_learner_fit(uplift_learner *l, const uplift_trial *t, const double *propensity,
                             uplift_kind kind, const uplift_model_options *o, pf_error *err);
/* effect [n x arms]; attribute [arms x G]. */
pf_status uplift_learner_effect(const uplift_learner *l, const feature_rows *rows,
                                const float *attribute, size_t arms, double *effect,
                                pf_error *err);
/* Empty is fine. */
void uplift_learner_free(uplift_learner *l);

/* The layout that part[0] and part[1] read. */
uplift_layout uplift_learner_layout(uplift_kind kind);

#endif
