/*
 * Records: one row of input after it was read, mapped and checked, before it has numbers.
 * intake/ fills them, store/ takes them. Texts are views that live until the next row;
 * an empty text means "not given" unless a field says otherwise.
 */
#ifndef PROFFER_SHOP_RECORD_H
#define PROFFER_SHOP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "shop/vocabulary.h"

/* Amounts that were not given. */
#define MONEY_ABSENT INT64_MIN
#define TIME_ABSENT INT64_MIN

typedef struct product_record {
    text id; /* required */
    text title;
    text description;
    text category; /* path, parts joined by " > " */
    text brand;
    int64_t price_minor;
    text image;
    text attributes; /* one JSON object, or empty */
} product_record;

typedef struct shopper_record {
    text id;                                    /* required */
    text language;                              /* BCP 47: "en", "zh-CN" */
    text zone;                                  /* IANA name */
    channel_set consent_given, consent_refused; /* in neither: not asked */
    text attributes;
} shopper_record;

typedef struct campaign_record {
    text id; /* required */
    text title;
    text kind;                  /* the shop's own word: "A", "B", "newsletter" */
    int64_t starts_us, ends_us; /* ends is exclusive; TIME_ABSENT = open */
    text attributes;
} campaign_record;

typedef struct promotion_record {
    text id; /* required */
    text campaign;
    text title, body; /* body: the promotion's own words, for vectors and messages */
    promotion_kind kind;
    int32_t percent_hundredths; /* of percent_off: 10 % = 1000; 0 = unknown */
    int64_t value_minor; /* of money_off, or worth of a gift; MONEY_ABSENT = unknown */
    int64_t minimum_purchase_minor;
    int64_t starts_us, ends_us;               /* TIME_ABSENT: the campaign's */
    int64_t budget_minor;                     /* MONEY_ABSENT: none of its own */
    uint32_t shopper_limit, redemption_limit; /* 0 = no limit */
    channel_set channels;                     /* 0: any */
    text stacking_group;
    int64_t contact_cost_minor; /* MONEY_ABSENT: the workspace's */
    text scope_categories; /* paths joined by '|'; a path covers what lies under it */
    text scope_brands;     /* joined by '|' */
    text tags;             /* joined by '|', see shop/tags.h */
    text audience;         /* rule, see decide/; empty = everyone */
    text attributes;
} promotion_record;

/* One product in a promotion's scope. */
typedef struct scope_record {
    text promotion, product;
} scope_record;

typedef struct event_record {
    text id; /* the shop's event id; empty: known by its content */
    event_type type;
    text shopper; /* empty: anonymous; counts for popularity, belongs to no profile */
    text product, promotion, campaign;
    text order; /* basket or invoice id */
    text decision;
    channel channel;
    int64_t time_us;
    bool date_only;     /* the hour is not known */
    double quantity;    /* units; 1 where not given */
    int64_t paid_minor; /* for the whole line, after discounts; MONEY_ABSENT = unknown */
    int64_t discount_minor; /* shelf or price reduction; MONEY_ABSENT = unknown, >= 0 */
    int64_t coupon_minor;   /* reduction by promotions; MONEY_ABSENT = unknown, >= 0 */
    float rating;           /* NAN = none */
    float propensity;       /* in (0, 1]; NAN = none */
    text attributes;        /* one JSON object, or empty */
    uint64_t origin; /* the caller's own mark (line), handed back with duplicates */
} event_record;

#endif
