/*
 * Learners of lifts other than `share` (response/effect_choice.h), behind an uplift_learner, which
 * foretells and is saved by its own room-mates. s-lines is response/uplift_learner.h's. The two
 * of dr learn from what was measured: least squares of gain / weight, weighted by weight, on
 * lines or trees (Kennedy, Electronic Journal of Statistics 17, 2023, algorithm 1; weights:
 * Nie and Wager, Biometrika 108, 2021, section 2). What was expected of a row learnt from may
 * have been learnt from rows that are left out; with doubly robust outcomes that matters to
 * second order alone, and saves fitting all expectations anew for each fold. Private to this
 * room.
 */
#ifndef PROFFER_RESPONSE_EFFECT_LEARNER_H
#define PROFFER_RESPONSE_EFFECT_LEARNER_H

#include "response/effect_measure.h"
#include "response/uplift_learner.h"

typedef enum effect_way {
    EFFECT_SHARE,
    EFFECT_S_LINES,
    EFFECT_DR_LINES,
    EFFECT_DR_MIXED,
    EFFECT_WAYS
} effect_way;
const char *effect_way_name(effect_way way);
uplift_kind effect_way_kind(effect_way way); /* of all but share */

/* From rows not of the fold; EFFECT_FOLDS: from all. PF_DATA where nothing can be learnt. On
 * failure *l is empty. */
pf_status effect_learner_fit(uplift_learner *l, const effect_rows *r, const effect_measure *m,
                             int without, effect_way way, const effect_options *o, pf_error *err);
/* lift [N] at the rows of the fold. */
pf_status effect_learner_say(const uplift_learner *l, const effect_rows *r,
                             const effect_measure *m, int fold, double *lift, pf_error *err);

#endif
