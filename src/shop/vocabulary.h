/*
 * The words of the domain, as numbers in memory and as text outside. The text is the same
 * in files, on the command line, in the HTTP API and in reports.
 */
#ifndef PROFFER_SHOP_VOCABULARY_H
#define PROFFER_SHOP_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What a shopper did, or what was done to one. Stored in files: never renumber. */
typedef enum event_type {
    EVENT_NONE = 0,
    EVENT_EXPOSURE = 1, /* a promotion (or a campaign) was shown or sent */
    EVENT_CLICK = 2,
    EVENT_VIEW = 3,
    EVENT_ADD_TO_CART = 4,
    EVENT_PURCHASE = 5,   /* one order line */
    EVENT_RETURN = 6,     /* one order line given back; quantity and paid are positive */
    EVENT_REDEMPTION = 7, /* a promotion was used */
    EVENT_RATING = 8,
    EVENT_DISMISSAL = 9,
    EVENT_UNSUBSCRIBE = 10,
    EVENT_TYPE_COUNT = 11
} event_type;

/* Where a promotion can reach a shopper. Stored in files: never renumber. */
typedef enum channel {
    CHANNEL_NONE = 0,
    CHANNEL_PUSH = 1,
    CHANNEL_EMAIL = 2,
    CHANNEL_SMS = 3,
    CHANNEL_SITE = 4,
    CHANNEL_WECHAT = 5,
    CHANNEL_MAIL = 6, /* a letter or leaflet on paper */
    CHANNEL_COUNT = 7
} channel;

/* A set of channels: bit (1 << channel). */
typedef uint32_t channel_set;
#define CHANNEL_SET_ALL ((channel_set)((1u << CHANNEL_COUNT) - 2u))

/* What a promotion gives. Stored in files: never renumber. */
typedef enum promotion_kind {
    PROMOTION_INFORMATIONAL = 0,
    PROMOTION_PERCENT_OFF = 1,
    PROMOTION_MONEY_OFF = 2,
    PROMOTION_BOGO = 3,
    PROMOTION_FREE_SHIPPING = 4,
    PROMOTION_GIFT = 5,
    PROMOTION_POINTS = 6,
    PROMOTION_KIND_COUNT = 7
} promotion_kind;

/* Names such as "add_to_cart", "email", "percent_off"; "none" for the NONE value,
 * "unknown" for a number outside. The parse functions return the NONE value (for kinds
 * -1) when the text is no such word; case counts, and "none" is not a word of input. */
const char *event_type_name(event_type type);
event_type event_type_parse(text word);
const char *channel_name(channel c);
channel channel_parse(text word);
const char *promotion_kind_name(promotion_kind kind);
int promotion_kind_parse(text word);

/* "email|push" (also with commas or spaces) -> a set; false on an unknown word, with *out
 * untouched. */
bool channel_set_parse(text words, channel_set *out);
/* "push|email", in the order of the enum, terminated; CHANNEL_SET_TEXT_BYTES always fit,
 * a smaller buffer gets fewer whole words. Returns into. */
enum { CHANNEL_SET_TEXT_BYTES = 40 };
const char *channel_set_format(channel_set set, char *into, size_t size);

#endif
