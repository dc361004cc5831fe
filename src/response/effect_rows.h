/*
 * The past as effects are learnt from it: a row is a shopper at a moment at which a promotion, or
 * a campaign with all its promotions, was sent or was not, with what was spent in its scope from
 * then on. Private to this room.
 *
 * A batch is what is asked about at one moment: promotions of one campaign. Each of its pairs is
 * about one of them, or about all together.
 */
#ifndef PROFFER_RESPONSE_EFFECT_ROWS_H
#define PROFFER_RESPONSE_EFFECT_ROWS_H

#include "response/data.h"
#include "response/effect.h"

enum {
    EFFECT_SHOPPER_FEATURES = 10, /* of `any`, those that know no scope */
    EFFECT_OWN_FEATURES = 4,      /* spend in the scope and elsewhere, lines, affinity */
    EFFECT_OFFER_FEATURES = 6 + PROMOTION_KIND_COUNT,
    EFFECT_FEATURES = EFFECT_SHOPPER_FEATURES + EFFECT_OWN_FEATURES + EFFECT_OFFER_FEATURES +
                      CHANNEL_COUNT,
    EFFECT_PAST_DAYS = 84 /* of own spend, looked back at */
};

/* --- what is known before (effect_features.c) -------------------------------------- */

/* What makes features; fixed when a model is fitted. */
typedef struct effect_view {
    double unit_minor; /* amounts are counted in it: the mean order line */
    /* Whether every promotion of the kind says what it is worth and from what purchase on. Where
     * some do not, that may have been filled in after redemptions and is not looked at. */
    bool worth_known[PROMOTION_KIND_COUNT];
    uint8_t place[EFFECT_SHOPPER_FEATURES]; /* of the shopper's features in `any` */
} effect_view;
effect_view effect_view_of(const response_world *world, int64_t until_us);
/* Fills the places alone, of a view that was read. */
void effect_view_places(effect_view *v);

/* Promotions asked about together, and their scopes marked. */
typedef struct effect_scope {
    const shop_catalogue *catalogue;
    uint8_t *covered; /* [products + 1] all zero between uses */
    bool everything;
} effect_scope;
/* PF_NO_MEMORY. */
pf_status effect_scope_new(effect_scope *k, const shop_catalogue *c, pf_error *err);
void effect_scope_free(effect_scope *k);
void effect_scope_mark(effect_scope *k, const uint32_t *offers, size_t n);
void effect_scope_clear(effect_scope *k, const uint32_t *offers, size_t n);

/* What a shopper spent within [from, to), in the scope and at all; what was given back is taken
 * off, nothing falls below 0. */
typedef struct effect_spend {
    double scope_minor, all_minor;
} effect_spend;
effect_spend effect_spend_of(const shop_history *h, const effect_scope *k, uint32_t who,
                             int64_t from_us, int64_t to_us);

/* The end of what counts of promotions sent at a moment: of the last of them. */
int64_t effect_window_end(const response_data *d, const uint32_t *offers, size_t n,
                          int64_t from_us);

/* Of the promotions alone: out [EFFECT_OFFER_FEATURES]. */
void effect_offer_features(const shop_catalogue *c, const effect_view *v,
                           const uint32_t *offers, size_t n, double days, float *out);
/* One row: any [width.any] of the shopper, past spend a day, lines and affinity summed over the
 * promotions. out [EFFECT_FEATURES]. */
typedef struct effect_own {
    effect_spend past_day;
    double lines, affinity;
} effect_own;
void effect_features(const effect_view *v, const float *any, const effect_own *own,
                     const float *offer, channel channel, float *out);
const char *effect_feature_name(size_t feature);
/* What a shopper spent a day in the last EFFECT_PAST_DAYS, in the scope marked and at all. */
effect_spend effect_past_day(const response_data *d, const effect_scope *scope, uint32_t who,
                             int64_t at_us);
/* Whether something happened in the EFFECT_ACTIVE_DAYS before. */
bool effect_is_awake(const shop_history *h, uint32_t who, int64_t at_us);
/* With the promotions from..to of rows that were made. */
effect_own effect_own_of(const response_rows *rows, size_t row, size_t from, size_t to,
                         effect_spend past_day);

/* Kinds of promotions by name. */
typedef struct effect_kinds {
    size_t n;
    char name[EFFECT_MOST_KINDS][EFFECT_KIND_BYTES];
} effect_kinds;
/* The name of a promotion's kind: the campaign's own word, else the promotion's kind. */
const char *effect_kind_name(const shop_catalogue *c, uint32_t number);
/* Its place, n where it is not known; where there are EFFECT_MOST_KINDS, that of all others. */
size_t effect_kind_find(const effect_kinds *k, const char *name);
/* The same, adding it; the last place is EFFECT_OTHER_KINDS, shared by all beyond. */
size_t effect_kind_add(effect_kinds *k, const char *name);

/* --- rows (effect_rows.c) ----------------------------------------------------------- */

/* Who was left out, and why; told by effect_describe. */
typedef struct effect_left_out {
    size_t alone;    /* decisions without an alternative: sent, or not, for sure */
    size_t open;     /* windows that had not ended */
    size_t late;     /* shown after the campaign had run for EFFECT_LATE_DAYS */
    size_t asleep;   /* nothing done for EFFECT_ACTIVE_DAYS */
    size_t unlike;   /* outside the overlap */
    size_t sampled;  /* more than were wanted */
    size_t uneven;   /* campaigns whose propensity does not fit how many were shown them */
} effect_left_out;

typedef struct effect_rows {
    size_t n, room, wide;    /* N; W of `any`, less what it sums up over promotions */
    float *narrow;           /* [N x EFFECT_FEATURES] */
    float *any;              /* [N x W] */
    uint8_t *sent;           /* [N] */
    double *spend;           /* [N] in the scope, within the window */
    double *redeemed;        /* [N] what the promotions used are expected to bring: the sum of
                                their expected spend */
    double *given;           /* [N] what they gave away */
    double *before;          /* [N] own spend in the scope before, for as long */
    double *chance;          /* [N] of being sent, given it is one or the other; NaN: unknown */
    uint32_t *shopper;       /* [N] */
    uint32_t *cluster;       /* [N] 0..clusters-1, one a shopper; by effect_rows_close */
    uint32_t *unit;          /* [N] 0..units-1: campaign, or promotion of a log */
    uint8_t *kind;           /* [N] */
    size_t clusters, units;
    double most_spend;       /* amounts were cut there */
    effect_kinds kinds;
    effect_left_out left;
    bool by_lot, whole;      /* rows are of whole campaigns */
    bool sticky;             /* lots stick to shoppers */
} effect_rows;

typedef struct effect_pair {
    int64_t time_us, day_us;
    double chance;
    uint32_t shopper, promotion; /* 0: all promotions of the batch */
    uint32_t group, unit;
    uint8_t channel;
    bool sent;
} effect_pair;

typedef struct effect_batch {
    const uint32_t *promotion; /* [P] sorted, of one group */
    size_t n_promotions;
    int64_t at_us;             /* of the features */
    const effect_pair *pair;   /* [n] by shopper */
    size_t n;
} effect_batch;

/* What goes through the making of rows. */
typedef struct effect_making {
    const response_data *d;
    const effect_options *o;
    int64_t until_us;
    effect_view view;
    effect_scope scope;
} effect_making;

/* PF_NO_MEMORY; *r is then empty. */
pf_status effect_rows_new(effect_rows *r, const effect_making *k, size_t room, pf_error *err);
void effect_rows_free(effect_rows *r);
/* Appends the pairs of a batch whose window ended before until_us. */
pf_status effect_rows_add(effect_rows *r, effect_making *k, const effect_batch *b,
                          pf_error *err);
/* Cuts amounts and numbers clusters; refuses in words what nothing can be learnt from. */
pf_status effect_rows_close(effect_rows *r, pf_error *err);
/* Keeps rows whose flag is set. */
void effect_rows_keep(effect_rows *r, const uint8_t *keep);
/* How many were sent. */
size_t effect_rows_sent(const effect_rows *r);

/*
 * Who is held out for good shows it: where those who are sent promotions buy more for it, what
 * they bought lately tells the sides apart, and comparing those alike in it would hide the very
 * effect. Where lots stick to shoppers, features are therefore as of the first lot.
 */

/* Two sources of rows; r comes new. Both leave it empty of rows where there is nothing. */
pf_status effect_rows_of_log(effect_rows *r, effect_making *k, pf_error *err);
/* lots: campaigns whose propensity is known and one; else the others as they were mailed. */
pf_status effect_rows_of_campaigns(effect_rows *r, effect_making *k, bool lots, pf_error *err);
/* Of the first source that has enough, as options and basis say (effect.c); r need not be new.
 * PF_DATA where there is none; *r is then empty. */
pf_status effect_rows_find(effect_rows *r, effect_making *k, pf_error *err);

#endif
