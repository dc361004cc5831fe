/* The matrix of transition counts (transitions.c), which the kin of a product share. */
#ifndef PROFFER_RECOMMEND_TRANSITIONS_H
#define PROFFER_RECOMMEND_TRANSITIONS_H

#include "recommend/recommend.h"
#include "recommend/sparse.h"

/* A past is summed over its last events, each older one worth less by this factor. */
enum { TRANSITIONS_LAST = 10 };
#define TRANSITIONS_DECAY 0.7f

/* [V x V], normalised. PF_NO_MEMORY. */
pf_status transitions_matrix(const interactions *x, sparse *out, pf_error *err);

#endif
