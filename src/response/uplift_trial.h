/*
 * A test's rows as learners of effects read them: checked, cut into folds by shopper, and laid
 * out as features of an outcome or of an effect. Private to this room.
 *
 * Every feature is standardised by the rows learnt from and clipped at three standard deviations,
 * so that none rules. With t 1 for the treated, share their part, z the features and g the arm's
 * attributes:
 *
 *     outcome, lines   [ z   t - share   (t - share) z   t g ]      2 F + 1 + G
 *     outcome, trees   [ z   t   t g ]                              F + 1 + G
 *     effect           [ z   g ]                                    F + G
 */
#ifndef PROFFER_RESPONSE_UPLIFT_TRIAL_H
#define PROFFER_RESPONSE_UPLIFT_TRIAL_H

#include <stdbool.h>

#include "response/uplift_model.h"

/* What can be learnt from at all, in words where not. */
pf_status uplift_trial_check(const uplift_trial *t, const uplift_model_options *o,
                             pf_error *err);

/* Fold 0..folds-1 of each row, by its shopper; streams are independent of one another. */
void uplift_trial_folds(const uplift_trial *t, uint64_t seed, uint64_t stream, int folds,
                        uint8_t *fold);

/* Rows of one fold, or all others: copies. */
typedef struct uplift_part {
    uplift_trial trial;
    uint32_t *row; /* [trial.n] their numbers in the whole */
    float *x, *y;
    uint32_t *arm, *shopper;
    double *propensity;
} uplift_part;
/* Those whose fold is `fold` (inside), or is not. PF_NO_MEMORY; *p is then empty. */
pf_status uplift_part_take(uplift_part *p, const uplift_trial *t, const uint8_t *fold, int which,
                           bool inside, pf_error *err);
void uplift_part_free(uplift_part *p);

typedef enum uplift_layout {
    UPLIFT_LAYOUT_LINES,
    UPLIFT_LAYOUT_TREES,
    UPLIFT_LAYOUT_EFFECT
} uplift_layout;

/* How features are scaled; one block holds mean and scale of F features, then of G attributes. */
typedef struct uplift_scale {
    size_t features, attributes;
    double share;
    double *mean, *scale; /* [F + G] */
} uplift_scale;
pf_status uplift_scale_new(uplift_scale *s, size_t features, size_t attributes, pf_error *err);
pf_status uplift_scale_fit(uplift_scale *s, const uplift_trial *t, pf_error *err);
void uplift_scale_free(uplift_scale *s);

size_t uplift_layout_width(const uplift_scale *s, uplift_layout how);
/* One row: attribute [G] of its arm, NULL for none. out [width]. */
void uplift_layout_row(const uplift_scale *s, uplift_layout how, const float *x,
                       const float *attribute, bool treated, float *out);
/* The attributes of an arm of a trial; NULL for arm 0. */
const float *uplift_trial_attribute(const uplift_trial *t, uint32_t arm);

#endif
