/* A fitted model of lifts: what it was learnt from, what is believed, and the learner. Private
 * to this room. */
#ifndef PROFFER_RESPONSE_EFFECT_INNER_H
#define PROFFER_RESPONSE_EFFECT_INNER_H

#include "response/effect_choice.h"

struct effect_model {
    effect_basis basis; /* never EITHER */
    bool whole;         /* lifts are of whole campaigns */
    bool sticky;        /* lots stuck to shoppers */
    int64_t until_us;
    effect_view view;
    effect_total total;
    effect_kinds kinds;
    effect_belief belief;
    effect_choice choice;
    uplift_learner learner; /* empty for share */
    effect_left_out left;
    size_t units;
    double most_spend, give, none_spent; /* mean spend of those not sent it, as weighted */
};

/* With its interval; rows not set. */
effect_total effect_total_with(double value, double error);

#endif
