/*
 * Leave-one-out: how well a recommender guesses what a shopper took last.
 *
 *     past ..., validation, test        one shopper's events, oldest first
 *     '- train -'
 *
 * Of every shopper with three or more events the last is the test, the one before the
 * validation; the rest is training. Models, counts and popularity see the training parts
 * only; the validation event chooses weights (a blend's), joins the past when the test is
 * asked for, and nothing is refitted on it. Every product is ranked; those already in the
 * past are not, unless the data repeat themselves. A tie counts with its mean rank.
 * Shoppers with fewer events train and are not tested.
 *
 * By time instead (loo_split_by_time): two moments cut all shoppers' events alike, so that no
 * model has seen what happened later anywhere. Training is what came before the first moment;
 * a shopper's validation is the first event between the two, the test the first event from the
 * second on, with everything before it as the past. A shopper without any event before the
 * second moment is not tested.
 *
 *     loo_split *split;
 *     loo_split_new(&all, LOO_REPEATS_AUTO, &split, err);
 *     loo_fit(split, kind, &given, &model, &train_s, err);
 *     loo_measure(split, model, 10, pool, &result, err);
 *
 * A split is immutable; results do not depend on the number of threads.
 */
#ifndef PROFFER_EVALUATE_LEAVE_ONE_OUT_H
#define PROFFER_EVALUATE_LEAVE_ONE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/pool.h"
#include "base/status.h"
#include "measure/ranking.h"
#include "recommend/interactions.h"
#include "recommend/recommend.h"

typedef enum loo_repeats {
    LOO_REPEATS_AUTO, /* allowed when more than 5 % of the training events are repeats */
    LOO_REPEATS_MASKED,
    LOO_REPEATS_ALLOWED
} loo_repeats;

enum { LOO_MINIMUM_EVENTS = 3, LOO_COLD_EVENTS = 5 };

typedef struct loo_split {
    interactions_owned *train; /* the training parts, and all of short shoppers */
    interactions_owned *past;  /* the same with the validation event: the past at test */
    uint32_t *validation;      /* [U], RECOMMEND_NO_PRODUCT for short shoppers */
    uint32_t *test;            /* [U] likewise */
    int64_t *validation_us;    /* [U], or NULL without times */
    int64_t *test_us;
    uint32_t *times;  /* [V] how often each product was taken in training */
    int64_t until_us; /* behind the last training event; 0 without times */
    bool repeats;
    double repeat_share; /* of the training events */
    uint32_t tested;     /* shoppers with a test */
    uint32_t untested;   /* with some events, but too few */
    int64_t from_us[2];  /* by time: the two moments */
} loo_split;

/* Copies what it needs. PF_DATA when nobody has three events; PF_NO_MEMORY. */
pf_status loo_split_new(const interactions *all, loo_repeats repeats, loo_split **out,
                        pf_error *err);
/* validation_from, test_from: the shares of all events, by time, that come before the two
 * moments; 0 < validation_from < test_from < 1. PF_DATA without times, and when the moments
 * leave nothing to train or nobody to test. */
pf_status loo_split_by_time(const interactions *all, loo_repeats repeats,
                            double validation_from, double test_from, loo_split **out,
                            pf_error *err);
#define LOO_VALIDATION_FROM 0.8
#define LOO_TEST_FROM 0.9
/* NULL is fine. */
void loo_split_free(loo_split *split);

/* Fits a kind on the training parts. given: side, seed, pool and members; the rest is set
 * here. train_s gets wall seconds. Errors as recommender_fit. */
pf_status loo_fit(const loo_split *split, const recommender_kind *kind,
                  const recommend_input *given, recommender **out, double *train_s,
                  pf_error *err);

/* Means over some of the tested shoppers; NaN where users is 0. */
typedef struct loo_group {
    uint32_t users;
    double hr, ndcg, mrr;
} loo_group;

typedef struct loo_result {
    const char *model; /* the kind's name, static */
    unsigned k;
    bool repeats;
    uint32_t users, untested;
    ranking_values mean, standard_error; /* over shoppers, at k */
    double coverage;                     /* share of products in anybody's best k */
    double novelty;                      /* bits */
    loo_group cold_products; /* whose test product was taken at most LOO_COLD_EVENTS times */
    loo_group cold_shoppers; /* shoppers with at most LOO_COLD_EVENTS training events */
    double validation; /* NDCG@10 by which training of a network stopped; NaN for other kinds */
    double train_s, score_s; /* wall seconds; train_s is set by the caller */
    unsigned seeds;          /* over how many seeds these are means; 0 or 1: one */
    double seed_error[4];    /* standard error of hr, ndcg, mrr and validation over seeds; NaN
                                below two */
} loo_result;

/* PF_USAGE for k outside 1..RANKING_CUT_MAX; PF_NO_MEMORY. */
pf_status loo_measure(const loo_split *split, const recommender *model, unsigned k,
                      pool *threads, loo_result *out, pf_error *err);

/* Means over the results of one model with n >= 1 seeds, and their standard errors over them;
 * standard_error stays that over shoppers, their mean. */
void loo_mean_of_seeds(const loo_result *of, unsigned n, loo_result *out);

/* One object: {"model":...,"hr@10":...,"ndcg@10":...,...,"users":...,"train_s":...}. For a
 * blend also its parts, their weights and copies; model may be NULL. */
void loo_write_json(json_writer *w, const loo_result *r, const recommender *model);

#endif
