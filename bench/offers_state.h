/*
 * The state of a small Transformer (sequence/) that has read a member's events up to a wave:
 * purchases by size, offers received, viewed and completed, with the hours between them; it
 * foresees the size of the next purchase.
 *
 * One network, fitted on what happened before the second wave alone: so its states of the second
 * to the last wave are of a network that had not seen what came next, and mean the same in all
 * of them. Before the first wave nothing is known: NaN.
 */
#ifndef PROFFER_BENCH_OFFERS_STATE_H
#define PROFFER_BENCH_OFFERS_STATE_H

#include "bench/offers_world.h"

enum { OFFERS_STATE_FEATURES = 16 };

/* Fills the last OFFERS_STATE_FEATURES columns of a world made with room for them. */
void offers_state_fill(offers_world *w);

#endif
