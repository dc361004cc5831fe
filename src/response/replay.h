/*
 * The past as it would have been: every campaign that started at a moment or later, scored
 * by the model that could have been fitted when it started. This is what an honest
 * evaluation reads (evaluate/response_protocol.h), and it costs one fit a campaign where
 * response_fit() and response_score() campaign by campaign would cost a chain each.
 *
 *     response_replay *r;
 *     response_replay_new(&r, data, from_us, &options, err);
 *     const replayed *c = response_replay_at(r, 0);
 *     response_replay_free(r);
 *
 * Immutable once made. Everything handed out belongs to the replay or to the data, which
 * must outlive it.
 */
#ifndef PROFFER_RESPONSE_REPLAY_H
#define PROFFER_RESPONSE_REPLAY_H

#include "response/response.h"

typedef struct replayed {
    uint32_t campaign; /* 0 for a promotion alone */
    int64_t starts_us, ends_us;
    size_t n_shoppers, n_promotions; /* S, P */
    const uint32_t *shopper;         /* [S] whom it was shown to */
    const uint32_t *promotion;       /* [P] */
    const uint8_t *answered;         /* [S] used any */
    const uint8_t *used;             /* [S x P] */
    response_learner learner;        /* that answered `any` */
    const float *any;                /* [S] */
    const float *order;              /* [S x P] */
    const float *p;                  /* [S x P] */
    const float *plain;              /* [S x P] p before factors and winners corrected it */
    const float *spend;              /* [S x P] expected of a redeemer, minor units */
    const char *const *kind;         /* [P] names, equal pointers for equal kinds */
    /* 1 for a campaign that ended within the data; else the share of answers that, in the
     * campaigns known at its start, had come by as much of their time as is seen of it */
    double seen;
    /* Plain habits, for baselines: */
    const float *lines;          /* [S x P] order lines in the scope before */
    const float *affinity;       /* [S x P] see response_rows.h */
    const float *popularity;     /* [P] everybody's lines in the scope, 91 days before */
    const float *share_answered; /* [S] (answered + .3) / (sent + 3) of campaigns before */
    double known_rate; /* share who answered campaigns ended before; NaN without any */
} replayed;

typedef struct response_replay response_replay;

/* Campaigns before which nothing had ended are left out. PF_DATA when none is left,
 * PF_NO_MEMORY; *out is then NULL. */
pf_status response_replay_new(response_replay **out, const response_data *d,
                              int64_t from_us, const response_options *o, pf_error *err);
/* NULL is fine. */
void response_replay_free(response_replay *r);
size_t response_replay_count(const response_replay *r);
const replayed *response_replay_at(const response_replay *r, size_t i);

#endif
