/*
 * What a wave will pay in rewards, by member and arm: the sum over the offers that run in it
 * (those still running from before, and the one an arm adds) of
 *
 *     P(completed within the hours counted) x reward
 *
 * with one model of P for all of them, whatever wave they came from: hours since it came, hours
 * left, dollars still to spend, whether it was seen, its terms, the member, and what else the
 * wave gives. So a wave that many offers run into costs more although none before it did; a
 * model of a wave's total cost cannot know that (docs/experiments.md).
 */
#ifndef PROFFER_BENCH_OFFERS_COST_H
#define PROFFER_BENCH_OFFERS_COST_H

#include "bench/offers_world.h"

/* cost [n x OFFERS_ARMS] expected in `wave`, learnt from the first `known` waves. */
void offers_cost_expect(const offers_world *w, int known, int wave, double *cost);

#endif
