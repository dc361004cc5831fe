/*
 * Packed events: one event as bytes on its way through the external sort, between
 * store_events_add() and the blocks. In memory and in the spool only, never in the
 * database, so the form may change freely.
 *
 *     +-------------------------------+----------------------------+-------+------+
 *     | packed_head: sort key, marks  | values that are present,   | texts | pad  |
 *     | 48 bytes                      | in the order of the bits   |       | to 4 |
 *     +-------------------------------+----------------------------+-------+------+
 *
 * Most events have few values, and the sort is bound by bytes.
 */
#ifndef PROFFER_STORE_PACKED_EVENT_H
#define PROFFER_STORE_PACKED_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "shop/record.h"
#include "store/event_columns.h"
#include "store/merge.h"

typedef struct packed_head {
    uint32_t size, shopper;
    int64_t time_us;
    uint64_t arrival; /* the how-manieth of the import */
    uint64_t content; /* hash of the content, for the sum of the tallies */
    uint64_t origin;
    uint32_t product;
    uint16_t present;
    uint8_t type, channel;
} packed_head;
_Static_assert(sizeof(packed_head) == 48, "no padding inside");

/* The head, every optional value, the lengths of the texts, the texts, the pad. */
enum {
    PACKED_VALUES_BYTES = 2 * 4 + 4 * 8 + 2 * 4 + EVENT_TEXTS * 4,
    PACKED_LARGEST_BYTES = sizeof(packed_head) + PACKED_VALUES_BYTES +
                           (EVENT_TEXTS - 1) * LIMIT_ID_BYTES + LIMIT_ATTRIBUTES_BYTES + 4
};

typedef struct packed_numbers {
    uint32_t shopper, product, promotion, campaign;
} packed_numbers;

/* An upper bound of what event_pack() writes. */
size_t event_packed_bound(const event_record *r);
/* Writes the event at `into` and returns its size, a multiple of 4. */
size_t event_pack(const event_record *r, const packed_numbers *numbers, uint64_t arrival,
                  uint64_t content, unsigned char *into);
/* The head, and the row with views into the packed bytes. Numbers as they were packed. */
void event_unpack(const void *packed, packed_head *head, event_row *row);

/* Sorted by shopper, then time. */
extern const merge_kind packed_event_kind;

#endif
