/*
 * Tallies: what the store holds, counted as it changes, so that nobody has to read it all
 * to know. They are loaded when a write transaction begins, changed in memory, and
 * written with its commit.
 *
 * The two sums are multiset hashes: each row of the catalogue and each event adds a hash
 * of its content, so the same rows give the same sum in whatever order and in however
 * many imports they came, and a row that goes is subtracted (Bellare and Micciancio, "A
 * new paradigm for collision-free hashing", EUROCRYPT 1997, AdHash, here over 2^64: it
 * guards against chance, not against an adversary).
 */
#ifndef PROFFER_STORE_TALLIES_H
#define PROFFER_STORE_TALLIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "shop/vocabulary.h"

typedef struct store store;

typedef struct tallies {
    uint64_t events_by_type[EVENT_TYPE_COUNT];
    uint64_t events_sum, catalogue_sum;
    bool changed;
} tallies;

/* Reads them as the connection sees them now. */
pf_status tallies_load(store *s, tallies *out, pf_error *err);
/* Writes them when they changed; inside the write transaction. */
pf_status tallies_save(store *s, const tallies *t, pf_error *err);

#endif
