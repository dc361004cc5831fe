/*
 * A fitted response model: the raw learners and the verdict on them. Private to this room.
 */
#ifndef PROFFER_RESPONSE_MODEL_H
#define PROFFER_RESPONSE_MODEL_H

#include "response/judge.h"

struct response_model {
    learners l;
    verdict v;
    int64_t until_us;
};

#endif
