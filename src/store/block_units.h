/*
 * What the two sides of the block format share beyond its drawing (event_block.h): the
 * widths a code may have and the units of time. Stored in files: never reorder.
 */
#ifndef PROFFER_STORE_BLOCK_UNITS_H
#define PROFFER_STORE_BLOCK_UNITS_H

#include <stdint.h>

/* Bytes of a code, by width code. */
static const uint8_t block_widths[8] = {0, 1, 2, 3, 4, 5, 6, 8};

/* Microsecond, millisecond, second, minute, hour, day. */
enum { BLOCK_UNITS = 6 };
static const uint64_t block_units[BLOCK_UNITS] = {
    1, 1000, 1000000, 60000000, 3600000000, 86400000000,
};

#endif
