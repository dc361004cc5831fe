/*
 * Scratch memory of scoring, as the kinds see it: floats, taken from the front.
 *
 *     recommend_scratch rest = *scratch;
 *     float *own = recommend_scratch_take(&rest, V);
 *     blend_member_score(member, query, own, &rest);
 *
 * How much a kind says it needs (scratch_floats) is the sum of the rooms of its parts.
 */
#ifndef PROFFER_RECOMMEND_SCRATCH_H
#define PROFFER_RECOMMEND_SCRATCH_H

#include <assert.h>
#include <stddef.h>

#include "recommend/recommend.h"

struct recommend_scratch {
    float *floats; /* [n], aligned to 64 bytes */
    size_t n;
};

/* What a part of n floats takes up: so much that whatever is behind it is aligned as well. */
static inline size_t recommend_scratch_room(size_t n)
{
    return (n + 15) / 16 * 16;
}

/* A part of n floats, aligned, from the front of what is left. */
static inline float *recommend_scratch_take(recommend_scratch *rest, size_t n)
{
    float *part = rest->floats;
    assert(recommend_scratch_room(n) <= rest->n);
    rest->floats += recommend_scratch_room(n);
    rest->n -= recommend_scratch_room(n);
    return part;
}

#endif
