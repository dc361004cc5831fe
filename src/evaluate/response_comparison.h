/*
 * Two ways of predicting response, held against each other on the same mailings: each replays
 * the past from data of its own (response/replay.h), and the difference of every figure comes
 * with an interval from a bootstrap over shoppers, both on the same draw. Made for telling
 * whether what is added to response's rows helps: once on campaigns before a test, where it is
 * chosen, once on the test.
 *
 *     response_comparison c;
 *     response_compare(&c, with, without, &options, ended_us, err);
 *     c.auc.gain, c.auc.low, c.auc.high ...
 */
#ifndef PROFFER_EVALUATE_RESPONSE_COMPARISON_H
#define PROFFER_EVALUATE_RESPONSE_COMPARISON_H

#include "evaluate/response_protocol.h"

/* One figure of both; the gain is positive where the first is better. NaN: there is none. */
typedef struct response_gain {
    double first, second;
    double gain, gain_se, low, high; /* 95 % */
} response_gain;

typedef struct response_comparison {
    size_t rows, pairs, campaigns; /* mailings; shoppers and campaigns that redeemed */
    response_gain auc, log_loss;   /* of `any` */
    response_gain ndcg;            /* @10, of `which` */
    double ece[2];                 /* of `any`, first and second */
} response_comparison;

/* Of the options last_us is not read: campaigns that ended by ended_us take part (INT64_MAX:
 * all). PF_USAGE when the two are not of the same mailings; PF_DATA when there are none. */
pf_status response_compare(response_comparison *out, const response_data *first,
                           const response_data *second, const response_protocol_options *o,
                           int64_t ended_us, pf_error *err);

#endif
