/*
 * What replayed campaigns predicted and what happened, as flat columns: one row a mailed
 * shopper and campaign, and one row a shopper and campaign that redeemed. For the protocol
 * of response only.
 */
#ifndef PROFFER_EVALUATE_RESPONSE_COLUMNS_H
#define PROFFER_EVALUATE_RESPONSE_COLUMNS_H

#include "base/status.h"
#include "response/replay.h"

typedef struct any_columns {
    size_t n, campaigns;
    double *p;     /* [n] Proffer's, of what had time to happen within the data */
    double *whole; /* [n] the same by the campaign's end */
    double *known_rate, *own_rate; /* [n] the baselines' */
    uint8_t *y;                        /* [n] */
    uint32_t *shopper;                 /* [n] */
} any_columns;

/* Proffer, own lines, category lines, popularity. */
enum { COLUMNS_WHICH_MODELS = 4 };

typedef struct which_columns {
    size_t n, campaigns;
    double *ndcg[COLUMNS_WHICH_MODELS], *recall[COLUMNS_WHICH_MODELS]; /* each [n], at 10 */
    uint32_t *shopper;                                                 /* [n] */
} which_columns;

/* Only campaigns that ended at or before latest_us. PF_NO_MEMORY. On failure the columns
 * are empty. */
pf_status any_columns_new(any_columns *out, const response_replay *r, int64_t latest_us,
                          pf_error *err);
void any_columns_free(any_columns *c);
pf_status which_columns_new(which_columns *out, const response_replay *r, int64_t latest_us,
                            pf_error *err);
void which_columns_free(which_columns *c);

#endif
