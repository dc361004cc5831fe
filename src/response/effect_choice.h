/*
 * Which learner of lifts: inner folds by shopper, and the money that sending brings to those
 * whose lift is worth it,
 *
 *     sum over rows with margin lift > contact + give r of margin gain - weight contact - give use
 *
 * (response/effect_measure.h), the simplest within one standard error, by shopper, of the best.
 * Private to this room.
 */
#ifndef PROFFER_RESPONSE_EFFECT_CHOICE_H
#define PROFFER_RESPONSE_EFFECT_CHOICE_H

#include "response/effect_belief.h"
#include "response/effect_learner.h"

typedef struct effect_choice {
    effect_way chosen;
    bool by_folds;               /* else there were too few rows to tell */
    double reached[EFFECT_WAYS]; /* minor units a row; NaN: not tried, or did not learn */
    double behind[EFFECT_WAYS], error[EFFECT_WAYS];
} effect_choice;

/* lift [N] becomes what the chosen learner foretells of rows not seen; not set for share. */
pf_status effect_choose(effect_choice *c, const effect_rows *r, const effect_measure *m,
                        const effect_options *o, double *lift, pf_error *err);

#endif
