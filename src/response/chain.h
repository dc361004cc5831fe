/*
 * The chain of earlier campaigns: each group scored by learners fitted to the groups that
 * had ended before it started. That is what a model could have said at the time, so it is
 * what choices and calibrations are made on. Private to this room.
 */
#ifndef PROFFER_RESPONSE_CHAIN_H
#define PROFFER_RESPONSE_CHAIN_H

#include "response/learners.h"

typedef struct chain_link {
    bool scored;     /* false: nothing to learn from had ended before it */
    float *logistic; /* [S] P(any), NULL where not wanted */
    float *trees;    /* [S] the same */
    float *order;    /* [S x P] */
    float *share;    /* [S x P] */
    double uses; /* promotions used by one who uses any */
} chain_link;

typedef struct chain {
    chain_link *link; /* [n], as in the data */
    size_t n;
} chain;

/* Scores groups from..to-1 of the data, in parallel where there is a pool; the same for
 * any number of threads. A group before which nothing can be learned is not scored. On
 * failure *c is empty. */
pf_status chain_make(chain *c, const response_data *d, size_t from, size_t to,
                     const learners_want *want, pool *threads, pf_error *err);
void chain_free(chain *c);

#endif
