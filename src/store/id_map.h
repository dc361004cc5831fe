/*
 * From the ids that events name to numbers, for the span of one import. An id is looked
 * up in the store the first time it is met. One that nobody has introduced gets, where
 * the rules allow, a provisional number above all that were given; only when an event
 * that names it is really written is it settled: given its final number and its row. So
 * events that turn out to be duplicates bring nobody into being, and numbers have no
 * gaps.
 */
#ifndef PROFFER_STORE_ID_MAP_H
#define PROFFER_STORE_ID_MAP_H

#include <stdint.h>

#include "base/intern.h"
#include "base/status.h"
#include "base/text.h"
#include "store/standing.h"

typedef struct id_map {
    standing_table table;
    store_unknown rule;
    intern *ids;
    uint32_t *numbers; /* of the ids, by their place in `ids` - 1 */
    size_t capacity;
    uint32_t last;    /* the largest number given before this import */
    uint32_t n_fresh; /* provisional: last + 1 .. last + n_fresh */
    uint32_t n_settled;
    struct id_fresh {
        uint32_t place, final; /* in `ids`; 0: not settled */
    } * fresh;
    size_t fresh_capacity;
} id_map;

pf_status id_map_init(id_map *m, store *s, standing_table table, store_unknown rule,
                      pf_error *err);
void id_map_free(id_map *m);
/* First of the two steps of a look-up: fetches the memory of the second. */
uint64_t id_map_hash(const id_map *m, text id);
/* The number, provisional or final; 0: unknown, and the rules forbid to create it. */
pf_status id_map_find(id_map *m, store *s, text id, uint64_t hash, uint32_t *number,
                      pf_error *err);
/* The final number. */
pf_status id_map_settle(id_map *m, store *s, uint32_t number, uint32_t *final_number,
                        pf_error *err);
/* true when the number was first given by this import. */
bool id_map_is_fresh(const id_map *m, uint32_t number);

#endif
