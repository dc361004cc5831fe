/*
 * Why a row was not taken: a short code that stays the same (in reject files, summaries,
 * JSON results) beside the sentence that is made for a person.
 */
#ifndef PROFFER_INTAKE_REASON_H
#define PROFFER_INTAKE_REASON_H

typedef enum reject_reason {
    REASON_NONE = 0,
    REASON_WRONG_COLUMNS, /* more or fewer fields than the header */
    REASON_BAD_QUOTE,     /* text behind a closing quote */
    REASON_BAD_JSON,      /* the line is no JSON object */
    REASON_BAD_UTF8,      /* bytes that are no UTF-8, or a NUL */
    REASON_MISSING_VALUE, /* a value that is needed is blank */
    REASON_BAD_NUMBER,
    REASON_OUT_OF_RANGE, /* a number or a pair of times that cannot be */
    REASON_BAD_TIME,
    REASON_BAD_MONEY,
    REASON_BAD_CURRENCY, /* unknown, or not the workspace's */
    REASON_BAD_WORD,     /* no event type, channel or kind of promotion */
    REASON_BAD_TEXT,     /* no BCP 47 language, IANA zone, JSON object */
    REASON_TOO_LONG,
    REASON_NO_MATCH, /* an inner join found no partner */
    REASON_UNKNOWN_SHOPPER,
    REASON_UNKNOWN_PRODUCT,
    REASON_UNKNOWN_PROMOTION,
    REASON_UNKNOWN_CAMPAIGN,
    REASON_DUPLICATE_ID, /* the id was used before, for something else */
    REASON_COUNT
} reject_reason;

/* "wrong_columns", ...; "" for REASON_NONE. */
const char *reject_reason_name(reject_reason reason);

#endif
