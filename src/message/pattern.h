/*
 * A pattern: the text of a frame, with slots for facts and parts that may be left out.
 *
 *     [{discount} |A coupon for ][{products}|selected products][, until {ends}].
 *
 *     {slot}    a fact; see the list of slots below
 *     [a|b|c]   a part: the first choice whose facts are all known is taken. If the last
 *               choice has a slot that may be unknown, the part may also be left out; so
 *               may "[Hello! |]", because its last choice is empty.
 *     \{ \[ \|  the character itself, also \} \] and \\
 *
 * Parts do not nest. Where a message is too long, parts give way from the last to the
 * first, each going down its list of choices, so the least important one stands last; what
 * need not have given way comes back.
 *
 * What a frame may not say. Every number, price, date and name of a message comes from
 * the data, so the words of a pattern hold no digits, no percent or currency signs and no
 * Chinese fraction of a price (the character U+6298); nor do they claim urgency ("last
 * chance", "hurry"): {last_day} says that, and only where it is true.
 *
 * A pattern is immutable; its texts live in the arena it was read into.
 */
#ifndef PROFFER_MESSAGE_PATTERN_H
#define PROFFER_MESSAGE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

typedef enum message_slot {
    SLOT_PRODUCTS, /* up to three products in scope that the shopper likes */
    SLOT_SCOPE,    /* what it is for, in words that are always true and always known:
                      "everything", "selected products in Cheese", "selected products" */
    SLOT_CATEGORY, /* the name of the one category that holds the whole scope */
    SLOT_DISCOUNT, /* what it gives: "10 % off", "buy one, get one free" */
    SLOT_MINIMUM,  /* the minimum purchase; a part that holds it is never left out */
    SLOT_ENDS,     /* the last day, as a date */
    SLOT_LAST_DAY, /* "today is the last day", known only on that day */
    SLOT_TITLE,    /* the promotion's title */
    SLOT_SHOP,     /* the shop's name */
    SLOT_COUNT,
    SLOT_NONE = SLOT_COUNT
} message_slot;

/* "products", ... */
const char *slot_name(message_slot slot);

/* A stretch of words, or one slot. */
typedef struct pattern_piece {
    message_slot slot; /* SLOT_NONE: words */
    text words;
} pattern_piece;

typedef struct pattern_choice {
    const pattern_piece *pieces;
    uint32_t n_pieces;
    uint32_t slots; /* bit (1 << slot) of every slot in it */
} pattern_choice;

typedef struct pattern_part {
    const pattern_choice *choices;
    uint32_t n_choices;
    bool optional; /* may also be left out */
} pattern_part;

typedef struct pattern {
    const pattern_part *parts;
    uint32_t n_parts;
} pattern;

/* Reads n bytes. PF_USAGE with column (characters, from 1) and advice; PF_LIMIT beyond
 * LIMIT_FRAME_BYTES, LIMIT_FRAME_PARTS or LIMIT_FRAME_CHOICES; PF_NO_MEMORY. */
pf_status pattern_parse(pattern *out, arena *memory, const char *words, size_t n,
                        pf_error *err);

#endif
