/*
 * Why a shopper gets a promotion, or why not: codes for programs, sentences for people.
 * One table holds both, in English and Chinese, and both `explain` and the report use it.
 *
 *     reason_facts f = outcome->why;                       // from a decision, or from
 * its log reason_explain(&f, &words, &buffer);
 *         // "Expected gain 0.42 below the cost 0.60."
 */
#ifndef PROFFER_DECIDE_REASON_H
#define PROFFER_DECIDE_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "message/language.h"
#include "shop/catalogue.h"

/* In the order in which they are asked. Codes are stored in logs: never rename one. */
typedef enum decide_reason {
    REASON_CHOSEN,
    /* eligibility */
    REASON_UNKNOWN_SHOPPER,
    REASON_NOT_LIVE,
    REASON_NOTHING_IN_STOCK,
    REASON_REDEMPTION_LIMIT,
    REASON_NOT_IN_AUDIENCE,
    REASON_SHOPPER_LIMIT,
    REASON_CHANNEL_NOT_ALLOWED,
    REASON_CONSENT_REFUSED,
    REASON_NO_CONSENT,
    REASON_NO_MESSAGE,
    REASON_EXPOSURE_CAP,
    REASON_TAG_CAP,
    REASON_HOLDOUT,
    /* value */
    REASON_QUIET_HOURS,
    REASON_COST_UNKNOWN,
    REASON_VALUE_BELOW_ZERO,
    /* allocation */
    REASON_STACKING,
    REASON_LOWER_VALUE,
    REASON_BUDGET_EXHAUSTED,
    /* exploration */
    REASON_NOT_DRAWN,
    REASON_COUNT
} decide_reason;

/* What a run's budgets and caps are called. */
typedef enum decide_cap_kind {
    DECIDE_CAP_NONE,
    DECIDE_CAP_BUDGET, /* total */
    DECIDE_CAP_MESSAGES,
    DECIDE_CAP_PROMOTION_BUDGET,
    DECIDE_CAP_PROMOTION_REDEMPTIONS, /* expected ones, of what its limit leaves */
    DECIDE_CAP_CHANNEL_BUDGET,
    DECIDE_CAP_CHANNEL_MESSAGES,
    DECIDE_CAP_KINDS
} decide_cap_kind;

/* The numbers in a reason's sentence. What a reason does not speak of is 0. */
typedef struct reason_facts {
    decide_reason reason;
    channel channel;     /* chosen, or the best there was */
    decide_cap_kind cap; /* of BUDGET_EXHAUSTED */
    channel cap_channel;
    uint32_t other;       /* promotion chosen instead, or the one whose cap it is */
    uint32_t limit, seen; /* of a limit or an exposure cap, and what there was */
    uint32_t days;        /* of an exposure cap: 0 = in this run, 1, 7, 30 */
    uint32_t tag;         /* of TAG_CAP: its number in the catalogue */
    double gain_minor, cost_minor, value_minor;
    double fatigue_minor; /* harm of one message more, in the value but not in the cost */
    double net_minor; /* value less the price of what it draws on */
    double price;     /* value of one more unit of the cap */
    double propensity; /* of NOT_DRAWN: the chance it had */
    int64_t time_us;   /* of NOT_LIVE: when it starts or ended; of QUIET_HOURS: when they end */
} reason_facts;

/* "value_below_zero", ... */
const char *reason_code(decide_reason reason);
/* REASON_COUNT when it is no code. */
decide_reason reason_parse(const char *code);
/* "total_budget", ...; "" for NONE. */
const char *cap_code(decide_cap_kind kind);
decide_cap_kind cap_parse(const char *code);

typedef struct reason_words {
    message_language language;
    const shop_catalogue *catalogue; /* names of promotions, currency */
    const zone *zone;                /* for dates; NULL = UTC */
} reason_words;

/* Appends one sentence. */
void reason_explain(const reason_facts *f, const reason_words *words, buffer *into);
/* Appends a cap's name: "budget of Cheese week", "number of messages by email"; number is
 * the promotion whose cap it is, by its channel. */
void cap_describe(decide_cap_kind kind, uint32_t number, channel by,
                  const reason_words *words, buffer *into);

#endif
