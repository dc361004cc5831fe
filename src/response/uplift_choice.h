/*
 * Which learner of effects: inner folds, the metric that the decision needs, and the simpler
 * unless another is ahead for certain (response/uplift_model.h). Private to this room.
 */
#ifndef PROFFER_RESPONSE_UPLIFT_CHOICE_H
#define PROFFER_RESPONSE_UPLIFT_CHOICE_H

#include "response/uplift_learner.h"

/* Below so many rows, or so many with an outcome above 0, in either of treated and untreated
 * folds tell learners apart by chance alone. */
enum { UPLIFT_FEW_ROWS = 500, UPLIFT_FEW_ANSWERS = 50 };

typedef struct uplift_choice {
    uplift_kind chosen;
    bool by_folds;                         /* else there was one candidate, or too few rows */
    double reached[UPLIFT_KINDS];          /* mean over folds; NaN: not tried, or did not learn */
    double behind[UPLIFT_KINDS];           /* the best less this */
    double standard_error[UPLIFT_KINDS];   /* of that on new rows, from folds in pairs */
} uplift_choice;

/* PF_DATA when no candidate learnt from every fold. */
pf_status uplift_choose(uplift_choice *c, const uplift_trial *t, const double *propensity,
                        const uplift_model_options *o, pf_error *err);

/* The rule alone: value [folds][UPLIFT_KINDS], NaN in every fold for who did not take part. */
pf_status uplift_choose_by(uplift_choice *c, const double *value, int folds, pf_error *err);

#endif
