/* A fitted model of effects: the learner, why it, and from what. Private to this room. */
#ifndef PROFFER_RESPONSE_UPLIFT_MODEL_INNER_H
#define PROFFER_RESPONSE_UPLIFT_MODEL_INNER_H

#include "response/uplift_choice.h"

struct uplift_model {
    uplift_learner learner;
    uplift_choice choice;
    uplift_outcome outcome;
    uplift_metric metric;
    bool estimated; /* propensities were */
    double rows, treated, mean[2], effect; /* mean outcome of untreated and treated; mean effect */
};

#endif
