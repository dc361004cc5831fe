/*
 * Events as columns: the form in which events of one shopper are merged, encoded into
 * blocks and decoded from them. At most COLUMNS_ROWS rows, in order of time. Texts of one
 * kind stand one behind the other in a heap; `end` says where each ends.
 *
 *     time_us   [ t0 | t1 | t2 | ... ]
 *     product   [ p0 | p1 | p2 | ... ]            0 = none
 *     texts[k]  bytes "ord-1ord-1ord-2", end [ 5 | 10 | 15 | ... ]
 *
 * An event_columns is large (about 110 KB): allocate it with columns_new(). One thread.
 */
#ifndef PROFFER_STORE_EVENT_COLUMNS_H
#define PROFFER_STORE_EVENT_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

enum { BLOCK_ROWS = 512, COLUMNS_ROWS = 2 * BLOCK_ROWS };

typedef enum event_text {
    EVENT_TEXT_ID,
    EVENT_TEXT_ORDER,
    EVENT_TEXT_DECISION,
    EVENT_TEXT_ATTRIBUTES,
    EVENT_TEXTS
} event_text;

typedef struct text_heap {
    buffer bytes;
    uint32_t end[COLUMNS_ROWS];
} text_heap;

typedef struct event_columns {
    uint32_t n;
    int64_t time_us[COLUMNS_ROWS];
    int64_t paid_minor[COLUMNS_ROWS], discount_minor[COLUMNS_ROWS];
    int64_t coupon_minor[COLUMNS_ROWS]; /* amounts: MONEY_ABSENT = unknown */
    double quantity[COLUMNS_ROWS];
    uint32_t product[COLUMNS_ROWS], promotion[COLUMNS_ROWS], campaign[COLUMNS_ROWS];
    float rating[COLUMNS_ROWS], propensity[COLUMNS_ROWS]; /* NAN = none */
    uint8_t type[COLUMNS_ROWS], channel[COLUMNS_ROWS], date_only[COLUMNS_ROWS];
    text_heap texts[EVENT_TEXTS];
} event_columns;

/* One row, its texts views of somebody else's bytes. */
typedef struct event_row {
    int64_t time_us;
    int64_t paid_minor, discount_minor, coupon_minor;
    double quantity;
    uint32_t product, promotion, campaign;
    float rating, propensity;
    uint8_t type, channel, date_only;
    text texts[EVENT_TEXTS];
} event_row;

/* NULL when memory is short. */
event_columns *columns_new(void);
/* NULL is fine. */
void columns_free(event_columns *c);
void columns_clear(event_columns *c);

/* Appends a row; there must be room. PF_NO_MEMORY leaves the rows as they were. */
pf_status columns_push(event_columns *c, const event_row *row, pf_error *err);
/* The row as views into the columns, valid until they change. */
void columns_row(const event_columns *c, uint32_t i, event_row *out);
text columns_text(const event_columns *c, event_text kind, uint32_t i);
/* Takes the first n rows away; the rest move to the front. */
void columns_drop_front(event_columns *c, uint32_t n);
/* Bytes of text in the rows before i. */
size_t columns_text_bytes(const event_columns *c, uint32_t i);

#endif
