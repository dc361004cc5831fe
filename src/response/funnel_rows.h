/*
 * Messages of the past as the funnel learns from them (response/funnel.h): message x promotion,
 * what was known the midnight before, and which steps followed. Private to this room.
 */
#ifndef PROFFER_RESPONSE_FUNNEL_ROWS_H
#define PROFFER_RESPONSE_FUNNEL_ROWS_H

#include "response/effect_rows.h"
#include "response/funnel.h"

enum {
    FUNNEL_OWN_FEATURES = 6, /* how earlier messages were taken */
    FUNNEL_FEATURES = EFFECT_FEATURES + RESPONSE_WHICH_FEATURES + FUNNEL_OWN_FEATURES
};

/* One promotion in one message. */
typedef struct funnel_pair {
    int64_t time_us, day_us;
    uint32_t shopper, promotion, group;
    uint8_t channel;
    uint8_t took[FUNNEL_STEPS];
} funnel_pair;

/* Sorted by day, then campaign. */
typedef struct funnel_rows {
    funnel_pair *pair; /* [N] */
    float *x;          /* [N x FUNNEL_FEATURES] */
    size_t n;
    size_t messages;   /* before some were taken */
} funnel_rows;

/* What turns questions into features; scope is scratch, so one thread at a time. */
typedef struct funnel_making {
    const response_data *d;
    effect_view view;
    effect_scope scope;
} funnel_making;

/* PF_NO_MEMORY; then *r is empty. */
pf_status funnel_rows_make(funnel_rows *r, funnel_making *k, int64_t until_us, size_t most,
                           pf_error *err);
void funnel_rows_free(funnel_rows *r);

/* Of promotions [P] of one group x shoppers: x [S x P x FUNNEL_FEATURES]. */
pf_status funnel_features(funnel_making *k, const response_question *q, channel by, float *x,
                          pf_error *err);

#endif
