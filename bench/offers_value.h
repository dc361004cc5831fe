/*
 * What a member will spend (or be paid) in a wave under each arm: boosted trees of the member's
 * features and the arm's attributes together (an S-learner: Künzel et al., PNAS 116, 2019), so
 * that offers of like terms teach about each other.
 */
#ifndef PROFFER_BENCH_OFFERS_VALUE_H
#define PROFFER_BENCH_OFFERS_VALUE_H

#include "bench/offers_world.h"
#include "response/boosted.h"

typedef struct offers_trees {
    boosted_amount kind;
    int depth;
    uint32_t seed;
    bool of_cost; /* the wave's total rewards instead of spend */
} offers_trees;

/* value [n x OFFERS_ARMS] expected in `wave`, learnt from the first `known` waves. */
void offers_value_expect(const offers_world *w, const offers_trees *how, int known, int wave,
                         double *value);

#endif
