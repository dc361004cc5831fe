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

/* What would have to be otherwise (what_if.h). Codes are stored in logs: never rename one. */
typedef enum reason_lever {
    LEVER_NONE,
    LEVER_REDEEM,           /* the chance of a redemption */
    LEVER_LIFT,             /* the spend that would not come without it */
    LEVER_GAIN,             /* the expected gain, by whatever it comes */
    LEVER_SCORES,           /* a score for the channels that are open */
    LEVER_UNKNOWN_VALUE,    /* the policy's assumption of what a redemption gives away */
    LEVER_LARGEST_DISCOUNT, /* its bound of what a redemption can give away */
    LEVER_BOTH_DISCOUNTS,
    LEVER_COUNT
} reason_lever;

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
    int64_t time_us;   /* of NOT_LIVE: when it starts or ended; of QUIET_HOURS: when they end; of
                          EXPOSURE_CAP and TAG_CAP: from when on there is room again */

    /* What would have to be otherwise: */
    reason_lever lever;
    double needed, actual; /* more than needed of the lever; what there is of it */
    double more;           /* of BUDGET_EXHAUSTED: units of the cap that are missing */
    channel_set channels;  /* of channels and consent: those that would do */
    int64_t from_us, until_us; /* of NOT_LIVE: when it is; TIME_ABSENT (or both 0) = open */
    const char *wants;         /* of NOT_IN_AUDIENCE: the comparison that does not hold, as a rule
                                  writes it, or NULL; lives as long as the result */
    const char *has;           /* and the shopper's value; NULL = not known */
} reason_facts;

/* "value_below_zero", ... */
const char *reason_code(decide_reason reason);
/* REASON_COUNT when it is no code. */
decide_reason reason_parse(const char *code);
/* "total_budget", ...; "" for NONE. */
const char *cap_code(decide_cap_kind kind);
decide_cap_kind cap_parse(const char *code);
/* Whether its limit is money, in minor units. */
bool cap_is_money(decide_cap_kind kind);
/* "p_redeem", "lift", ...; "" for NONE. */
const char *lever_code(reason_lever lever);
reason_lever lever_parse(const char *code);

typedef struct reason_words {
    message_language language;
    const shop_catalogue *catalogue; /* names of promotions, currency */
    const zone *zone;                /* for dates; NULL = UTC */
} reason_words;

/* Appends one sentence. */
void reason_explain(const reason_facts *f, const reason_words *words, buffer *into);
/* Appends a sentence with its {names} filled from the facts, as both tables (this one and
 * what_if.c's) are written. */
void reason_expand(const char *sentence, const reason_facts *f, const reason_words *words,
                   buffer *into);
/* Appends a cap's name: "budget of Cheese week", "number of messages by email"; number is
 * the promotion whose cap it is, by its channel. */
void cap_describe(decide_cap_kind kind, uint32_t number, channel by,
                  const reason_words *words, buffer *into);

#endif
