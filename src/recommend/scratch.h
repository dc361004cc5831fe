/* Scratch memory of scoring, as the kinds see it: floats, taken from the front. */
#ifndef PROFFER_RECOMMEND_SCRATCH_H
#define PROFFER_RECOMMEND_SCRATCH_H

#include <stddef.h>

#include "recommend/recommend.h"

struct recommend_scratch {
    float *floats; /* [n], aligned to 64 bytes */
    size_t n;
};

#endif
