/*
 * Rows of some sequences, one behind the other without padding: what a network is run on.
 */
#ifndef PROFFER_SEQUENCE_PACK_H
#define PROFFER_SEQUENCE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "sequence/events.h"

typedef struct sequence_pack {
    size_t n_sequences, R;
    const uint32_t *offset;   /* [n_sequences + 1] */
    const uint32_t *thing;    /* [R] or SEQUENCE_NOTHING or SEQUENCE_MASK */
    const uint16_t *position; /* [R] 0 = first of its window */
    const uint8_t *kind, *band, *gap; /* [R] each, or NULL */
    const uint32_t *target;   /* [R] product to foresee, or SEQUENCE_NOTHING; NULL: none */
    /* What else a sequence's shopper took: taken[taken_from[s]] up to taken_end[s], ascending;
     * the loss leaves it out. All NULL: nothing is left out. */
    const uint32_t *taken;
    const uint64_t *taken_from, *taken_end; /* [n_sequences] */
    uint32_t first_row;       /* number of row 0 in the whole batch: dropout's counter */
} sequence_pack;

#endif
