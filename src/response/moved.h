/*
 * Which shopping trips moved a response most: each of the latest is left out of the shopper's past
 * by itself (what was bought and used on it; what was shown stays), the feature rows are made anew,
 * and the learners asked again: will any of the campaign's promotions be used? Leave-one-out, as in
 * recommend/moved.h; what the learners learnt stays, and so does what the shop knows of all
 * shoppers. Features count over months, so that a single trip of many seldom moves much.
 *
 *     response_trip trips[5];
 *     size_t found;
 *     response_moved(m, d, &ask, 0, trips, 5, &found, err);   // of the ask's first shopper
 *
 * The rows of all these pasts are made together, which takes about as long as scoring one
 * campaign for one shopper.
 */
#ifndef PROFFER_RESPONSE_MOVED_H
#define PROFFER_RESPONSE_MOVED_H

#include "response/response.h"

enum { RESPONSE_MOST_TRIPS = 64 };

typedef struct response_trip {
    int64_t from_us, last_us; /* its first and last purchase */
    uint32_t lines;           /* purchases */
    uint64_t row;             /* the last of them in the history */
    double change; /* of the log-odds of P(any): with the trip less without it */
} response_trip;

/* The at most n of the RESPONSE_MOST_TRIPS latest trips that change the log-odds most, largest
 * first, of equal ones the newest; one that changes nothing is not told. Trips at one time are one.
 * A past without purchases: none, and PF_OK. PF_USAGE for a shopper or promotions that are none,
 * PF_UNAVAILABLE for a model with an outlook, whose networks read trips that have no gaps;
 * PF_NO_MEMORY. */
pf_status response_moved(const response_model *m, const response_data *d, const response_ask *ask,
                         size_t who, response_trip *trips, size_t n, size_t *found,
                         pf_error *err);

#endif
