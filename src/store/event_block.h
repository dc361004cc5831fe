/*
 * Event blocks: up to BLOCK_ROWS events of one shopper as bytes, a column at a time. It
 * knows nothing of the database; it trusts no byte it reads.
 *
 *      0         2         4            8                16            20      24
 *     +---------+---------+------------+----------------+-------------+-------+---------
 *     | version | n rows  | bytes      | checksum of    | shopper     | unused| columns
 *     | 16 bit  | 16 bit  | of it all  | all behind it  | 32 bit      |   0   | ...
 *     +---------+---------+------------+----------------+-------------+-------+---------
 *
 * All numbers are little-endian. The columns follow one another in the order of
 * block_column, then of event_text. A column of numbers is
 *
 *     +------+--------------+----------------------------------+
 *     | kind | base         | n codes of `width` bytes         |   value = base + code
 *     +------+--------------+----------------------------------+
 *     kind: bits 0-2  width code: 0 1 2 3 4 5 6 8 bytes (0: all values are the base)
 *           bit  3    one value is "absent" (INT64_MIN): the code of all ones
 *           bits 4-7  bytes of the base, 0..8, zigzag
 *
 * so a column that says one thing costs one byte. Three columns have a byte in front:
 * time (the unit of its differences from row to row: they, not the times, are the codes),
 * quantity (0: whole numbers, 1: the bits of a double). A column of texts is
 *
 *     +-----------------+-----------------+-----------------+---------------------+
 *     | bytes of rests  | prefix lengths  | rest lengths    | the rests           |
 *     | 32 bit          | numbers, above  | numbers, above  |                     |
 *     +-----------------+-----------------+-----------------+---------------------+
 *
 * where a text is the first `prefix` bytes (at most 255) of the text of the row before
 * and then its rest: event ids share their beginnings, and the lines of an order its id.
 *
 * Typical cost: 22 bytes an event with id, order, product, quantity and amount.
 */
#ifndef PROFFER_STORE_EVENT_BLOCK_H
#define PROFFER_STORE_EVENT_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "store/event_columns.h"

enum { BLOCK_VERSION = 1, BLOCK_PREFIX_MAX = 255 };

typedef struct block_head {
    uint16_t version, n;
    uint32_t bytes;
    uint64_t checksum;
    uint32_t shopper, unused;
} block_head;
_Static_assert(sizeof(block_head) == 24 && offsetof(block_head, bytes) == 4 &&
                   offsetof(block_head, checksum) == 8 &&
                   offsetof(block_head, shopper) == 16,
               "the head stands in files as it is drawn");

typedef enum block_column {
    BLOCK_TIME,
    BLOCK_TYPE,
    BLOCK_CHANNEL,
    BLOCK_DATE_ONLY,
    BLOCK_PRODUCT,
    BLOCK_PROMOTION,
    BLOCK_CAMPAIGN,
    BLOCK_QUANTITY,
    BLOCK_PAID,
    BLOCK_DISCOUNT,
    BLOCK_COUPON,
    BLOCK_RATING,     /* the bits of a float */
    BLOCK_PROPENSITY, /* the bits of a float */
    BLOCK_COLUMNS
} block_column;

/* Appends the block of rows from .. from + n - 1 (1 <= n <= BLOCK_ROWS) to out. Rows must
 * be in order of time. PF_NO_MEMORY. */
pf_status block_encode(const event_columns *rows, uint32_t from, uint32_t n,
                       uint32_t shopper, buffer *out, pf_error *err);

/* Computes the checksum of a block and writes it where it belongs (size >= head). */
void block_seal(unsigned char *block, size_t size);

/* A column of numbers inside a block. */
typedef struct packed_column {
    const unsigned char *codes;
    uint8_t width; /* bytes */
    bool has_absent;
    uint64_t base;
} packed_column;

typedef struct packed_texts {
    packed_column prefix, rest;
    const unsigned char *bytes;
    size_t n_bytes;
} packed_texts;

/* A block whose head, checksum and lengths were checked. Views into the caller's bytes.
 */
typedef struct block_view {
    uint32_t n, shopper;
    uint8_t time_unit, quantity_bits;
    packed_column numbers[BLOCK_COLUMNS];
    packed_texts texts[EVENT_TEXTS];
} block_view;

/* PF_DATA with the shopper's number and what is wrong with the block. */
pf_status block_open(block_view *v, const void *block, size_t size, uint32_t shopper,
                     pf_error *err);

/* Decode the first k rows (k <= n) of a column into an array. False: a value that cannot
 * be, the block is damaged. Times are checked to be in order. */
bool block_times(const block_view *v, uint32_t k, int64_t *into);
bool block_amounts(const block_view *v, block_column column, uint32_t k, int64_t *into);
bool block_numbers(const block_view *v, block_column column, uint32_t k, uint32_t *into);
/* Values below the limit. */
bool block_bytes(const block_view *v, block_column column, uint32_t k, uint8_t limit,
                 uint8_t *into);
bool block_floats(const block_view *v, block_column column, uint32_t k, float *into);
bool block_quantities(const block_view *v, uint32_t k, double *into);

/* The texts of one kind, from the first row on. */
typedef struct block_texts {
    const packed_texts *source;
    uint32_t n, i;
    size_t at; /* read of source->bytes */
    uint64_t prefix[BLOCK_ROWS], rest[BLOCK_ROWS];
    buffer current;
} block_texts;
/* Ready for block_texts_end() whatever it returns. PF_DATA, PF_NO_MEMORY. */
pf_status block_texts_begin(block_texts *t, const block_view *v, event_text kind,
                            pf_error *err);
/* The next row's text, valid until the next call; there must be one. *changed (NULL is
 * fine) tells whether it differs from the row before. */
pf_status block_texts_next(block_texts *t, text *out, bool *changed, pf_error *err);
void block_texts_end(block_texts *t);

/* Replaces the columns' rows by those of a block. */
pf_status block_decode(const void *block, size_t size, uint32_t shopper,
                       event_columns *into, pf_error *err);

#endif
