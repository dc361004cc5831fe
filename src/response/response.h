/*
 * Response: who redeems which promotion when told of it. Two questions, two models:
 *
 *   any     does a shopper redeem at least one promotion of a campaign?      P(any)
 *   which   which of the campaign's promotions?                              an order
 *
 * and one answer made of both, moved to what earlier campaigns brought (response/judge.h)
 * and split over promotions (response/split.h): P(redeem) of a shopper and a promotion.
 * Promotions that never ran before are scored like any other, because no feature knows
 * their names: only scope, sorts of product, dates and what shoppers did before.
 * (Similarity of encoded titles to what was bought added nothing to these on earlier
 * campaigns, beside the sorts or instead: NDCG@10 .544 with it, .546 without.)
 *
 * A promotion without a campaign stands for a campaign of its own.
 *
 * What single promotions and kinds of them brought against what was foretold, in campaigns that
 * ended, corrects their chances (response/factors.h), as does what those still running brought by
 * now, and best pairs are not foretold too high (response/winners.h).
 *
 *     response_data *d;                          // feature rows of every past campaign
 *     response_data_new(&world, &d, err);
 *     response_model *m;
 *     response_fit(d, until_us, &options, &m, err);   // campaigns ended before until_us
 *     response_scores s;
 *     response_score(m, d, &ask, &s, err);       // p[S x P], any[S], spend[S x P]
 *
 * Nothing at or after a campaign's first moment is read for its rows (tests prove it by
 * changing the future). Data and models are immutable once made; readers on any thread.
 */
#ifndef PROFFER_RESPONSE_RESPONSE_H
#define PROFFER_RESPONSE_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/calendar.h"
#include "base/pool.h"
#include "base/status.h"
#include "response/draws.h"
#include "response/outlook.h"
#include "shop/catalogue.h"
#include "shop/history.h"

/* Everything is borrowed and must outlive the data. */
typedef struct response_world {
    const shop_catalogue *catalogue;
    const shop_history *history;
    const zone *zone;            /* the shop's, for first midnights; NULL = UTC */
    pool *pool;                  /* or NULL */
    const outlook *outlook;      /* what networks expect of shoppers joins all rows; or NULL */
} response_world;

typedef struct response_data response_data;

/* Rows of every campaign in the catalogue that has mailed shoppers in the history. */
pf_status response_data_new(const response_world *world, response_data **out, pf_error *err);
/* NULL is fine. */
void response_data_free(response_data *d);

typedef enum response_learner {
    RESPONSE_AUTO,     /* chosen on earlier campaigns */
    RESPONSE_LOGISTIC,
    RESPONSE_XGBOOST,
    RESPONSE_AVERAGE   /* of both */
} response_learner;

typedef struct response_options {
    response_learner learner;
    uint64_t seed;
} response_options;
response_options response_options_default(void);

typedef struct response_model response_model;

/* Learns from campaigns that ended before until_us. PF_DATA with a plain word when there
 * are none, or nobody redeemed anything in them. */
pf_status response_fit(const response_data *d, int64_t until_us, const response_options *o,
                       response_model **out, pf_error *err);
/* NULL is fine. */
void response_free(response_model *m);

/* Whom and what is asked about, as of at_us: one campaign's promotions together, since
 * they compete. */
typedef struct response_ask {
    uint32_t campaign;             /* 0 where the promotions have none */
    const uint32_t *promotion;     /* [P] numbers */
    size_t n_promotions;
    const uint32_t *shopper;       /* [S] numbers */
    size_t n_shoppers;
    int64_t at_us;
} response_ask;

typedef struct response_scores {
    size_t n_shoppers, n_promotions;
    float *any;    /* [S] P(redeems at least one of these promotions) */
    float *order;  /* [S x P] the score of "which", for ranking; ties are possible */
    float *p;      /* [S x P] P(redeem), never above any */
    float *spend;  /* [S x P] expected spend in the scope of a redeemer, minor units */
} response_scores;

/* PF_USAGE where one of model and data has an outlook and the other has none. */
pf_status response_score(const response_model *m, const response_data *d,
                         const response_ask *ask, response_scores *out, pf_error *err);
void response_scores_free(response_scores *s);

/* How sure the chances of an ask's promotions are: draws [D x P] of what response_score()'s p is to
 * be multiplied with (cut at 1), of mean 1. The same promotion has the same draws in any ask of a
 * seed and publication. Errors of response_score() about promotions, of draws_new(). On failure
 * *out is empty. */
pf_status response_draws(const response_model *m, const response_data *d,
                         const response_ask *ask, size_t D, uint64_t seed,
                         uint64_t publication, draws *out, pf_error *err);

/* Why: the features that moved one score most, for `proffer explain`. */
typedef struct response_part {
    const char *feature; /* a name people understand, static */
    double contribution; /* to the log-odds of `any`, or to the score of `which` */
} response_part;
/* Fills at most n parts for the shopper and promotion of an ask, largest first; returns
 * how many. any: of the first question, else of the second. */
pf_status response_explain(const response_model *m, const response_data *d,
                           const response_ask *ask, bool any, size_t shopper,
                           size_t promotion, response_part *parts, size_t n, size_t *found,
                           pf_error *err);

/* Atomic safetensors file with a JSON card beside it. Loading believes nothing. */
pf_status response_save(const response_model *m, const char *path, const char *card_json,
                        pf_error *err);
pf_status response_load(const char *path, response_model **out, pf_error *err);
/* For cards and the report: learner chosen, campaigns and rows learnt from, figures on
 * earlier campaigns, as a JSON object. */
struct json_writer;
void response_describe(const response_model *m, struct json_writer *w);

#endif
