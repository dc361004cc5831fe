/*
 * Event ids: which events the store has seen, as hashes (id_run.h), and so which of an
 * import are there already.
 *
 * All hashes of the store stand in one ascending order, cut into leaves; a leaf is a row
 * of `event_ids`, keyed by the smallest value its range may hold:
 *
 *     first = 0              first = 2^61 + 17          first = 2^62 + 5
 *     +----------+--------+  +----------+------------+  +--- ...
 *     | checksum | 16 B   |  | checksum | 16 B each, |
 *     | 8 B      | each   |  | 8 B      | ascending  |
 *     +----------+--------+  +----------+------------+
 *
 * An import's hashes, sorted, meet the leaves in order: a leaf that gets new ones is
 * written anew, in two where it is too full. A leaf fits in a page of the database, so
 * adding one hash costs what a row of an index costs, and adding ten million costs a
 * copy.
 *
 * Measured on one core, sorted ids, CPU time an id, against a table WITHOUT ROWID keyed by
 * the hash: 4 million into an empty store 0.06 us (0.54), as many more onto them 0.15
 * (0.70), then 100 thousand, which touch every third leaf, 6.4 (4.5).
 *
 * The hashes of a shopper who was forgotten stay: keyed hashes of ids say nothing of a
 * person, and they keep the next import of an old file from bringing the events back.
 */
#ifndef PROFFER_STORE_EVENT_IDS_H
#define PROFFER_STORE_EVENT_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "store/id_run.h"
#include "store/merge.h"
#include "store/store.h"

/* Fits a row in a page of 4096 bytes with its 35 bytes of overhead. */
enum { LEAF_IDS = 252 };

/* What became of each event of an import, by arrival: two bits. */
typedef struct verdicts {
    uint64_t n;
    uint64_t *dropped, *conflict; /* dropped: the id was there; conflict: other content */
} verdicts;

/* All taken. PF_NO_MEMORY. */
pf_status verdicts_init(verdicts *v, uint64_t n, pf_error *err);
void verdicts_free(verdicts *v);
bool verdicts_dropped(const verdicts *v, uint64_t arrival);
bool verdicts_conflict(const verdicts *v, uint64_t arrival);

/* Takes the sorted id_entries of the merge to its end: new ones go into the store, the
 * verdicts tell the others. Of several equal ids in one import the first arrival is the
 * new one. */
pf_status event_ids_merge(store *s, merge *source, verdicts *v, pf_error *err);

#endif
