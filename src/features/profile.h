/*
 * The profile: what is known of a shopper at a moment, from events strictly before it.
 * Rules, audiences, messages, explanations and people read it; the response models have
 * rows of their own (features/response_rows.h).
 *
 *     profile p;
 *     profile_compute(catalogue, history, shopper, at_us, &rules, scratch, &p, err);
 *
 * Plain values, no pointers but into the catalogue. Nothing at or after at_us is read: the
 * past is the prefix that history_before() gives (tests prove it by changing the future).
 */
#ifndef PROFFER_FEATURES_PROFILE_H
#define PROFFER_FEATURES_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/calendar.h"
#include "base/json.h"
#include "base/status.h"
#include "shop/catalogue.h"
#include "shop/history.h"

enum {
    PROFILE_INTERESTS = 5,  /* categories, brands, favourite products kept */
    PROFILE_WINDOWS = 3     /* 28, 91 and 365 days */
};

typedef enum lifecycle_stage {
    STAGE_NONE,      /* no purchase yet */
    STAGE_NEW,       /* first purchase less than 30 days ago */
    STAGE_ACTIVE,    /* on time, by the shopper's own rhythm */
    STAGE_AT_RISK,   /* more than twice the usual gap late */
    STAGE_LAPSED     /* more than four times */
} lifecycle_stage;
const char *lifecycle_stage_name(lifecycle_stage stage);

/* A category, brand or product and the decayed share of spending it has (0..1). */
typedef struct interest {
    uint32_t number; /* 0 = empty place */
    double share;
} interest;

/* Exposures and responses to one kind of promotion or one channel. */
typedef struct response_record {
    uint32_t exposures, clicks, redemptions, dismissals;
} response_record;

/* Sums over the events of one window before the moment. */
typedef struct profile_window {
    int32_t days;
    uint32_t trips;       /* distinct orders, or distinct days without order ids */
    uint32_t lines;
    int64_t paid_minor, discount_minor, coupon_minor;
} profile_window;

typedef struct profile_rules {
    double half_life_days;  /* of interests; 90 */
    const zone *zone;       /* for local days; NULL = UTC */
} profile_rules;

typedef struct profile {
    uint32_t shopper;
    int64_t at_us;
    uint64_t events;               /* before the moment */
    lifecycle_stage stage;
    double recency_days;           /* since the last purchase; NAN = none */
    double usual_gap_days;         /* median days between trips; NAN under 3 trips */
    double days_overdue;           /* recency - usual gap; negative = not yet due; NAN */
    profile_window window[PROFILE_WINDOWS];
    double average_basket_minor;   /* NAN = none */
    double price_median_minor;     /* of units bought; NAN = none */
    int price_band;                /* 1 cheap .. 5 dear against the catalogue's; 0 = unknown */
    double discount_share;         /* of spending that was under a discount, 0..1; NAN */
    double coupon_share;           /* of spending that was under a coupon; NAN */
    interest categories[PROFILE_INTERESTS], brands[PROFILE_INTERESTS],
        products[PROFILE_INTERESTS];
    response_record by_kind[PROMOTION_KIND_COUNT];
    response_record by_channel[CHANNEL_COUNT];
    uint32_t mailed_campaigns, redeemed_campaigns;
    bool unsubscribed;
} profile;

/* Memory that grows to what a shopper needs and is reused; one a thread. */
typedef struct profile_scratch profile_scratch;
pf_status profile_scratch_new(const shop_catalogue *c, profile_scratch **out, pf_error *err);
void profile_scratch_free(profile_scratch *s);

profile_rules profile_rules_default(void);

pf_status profile_compute(const shop_catalogue *c, const shop_history *h, uint32_t shopper,
                          int64_t at_us, const profile_rules *rules, profile_scratch *scratch,
                          profile *out, pf_error *err);

/* Spending of the shopper before the moment within a promotion's scope. */
typedef struct scope_spend {
    uint32_t lines;
    int64_t paid_minor;
    double recency_days;      /* NAN = never */
} scope_spend;
scope_spend profile_scope_spend(const shop_history *h, const promotion *p, uint32_t shopper,
                                int64_t at_us);

/* The products of a promotion's scope that the shopper spent most on before the moment,
 * with decay, best first: at most `most` numbers in out. PF_NO_MEMORY. */
pf_status profile_scope_favourites(const shop_history *h, const promotion *p,
                                   uint32_t shopper, int64_t at_us, double half_life_days,
                                   uint32_t *out, uint32_t most, uint32_t *found,
                                   pf_error *err);

/* The decayed mean of the vectors of what was bought, length 1; false when nothing has a
 * vector. vectors [n_products x dimension], row = product number - 1. */
bool profile_centroid(const shop_history *h, uint32_t shopper, int64_t at_us,
                      double half_life_days, const float *vectors, size_t dimension,
                      float *out);

/* Members of an object that is open: each by its name, ids as text, amounts as text, NAN
 * as null; with spend in each live promotion's scope where the shopper bought any. */
void profile_write_members(const profile *p, const shop_catalogue *c, const shop_history *h,
                           json_writer *w);

/* A value by name for audience rules: "stage", "recency_days", "spend_28d", "trips_91d",
 * "discount_share", ..., or a shopper attribute ("kids"). false when there is none.
 * Numbers go to *number with *words NULL, texts to *words (into `into`). */
bool profile_value(const profile *p, const shop_catalogue *c, const char *name,
                   double *number, const char **words, char *into, size_t size);

#endif
