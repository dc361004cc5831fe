/*
 * What a member will spend in a wave under each arm: trees of the member's features and the
 * arm's attributes together (an S-learner: Künzel et al., PNAS 116, 2019), so that offers of
 * like terms teach about each other.
 */
#ifndef PROFFER_BENCH_OFFERS_VALUE_H
#define PROFFER_BENCH_OFFERS_VALUE_H

#include "bench/offers_world.h"

typedef enum offers_way {
    OFFERS_SQUARED,    /* least squares: effects add up */
    OFFERS_WHOLE,      /* Tweedie: effects multiply (response/spend.h) */
    OFFERS_PARTS,      /* purchases x size of one (response/spend.h) */
    OFFERS_TOTAL_COST, /* not spend: a wave's total rewards, in one model */
    OFFERS_WAYS
} offers_way;

/* value [n x OFFERS_ARMS] expected in `wave`, learnt from the first `known` waves. */
void offers_value_expect(const offers_world *w, offers_way way, int known, int wave,
                         double *value);

#endif
