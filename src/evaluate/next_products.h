/*
 * Which products next? A shop's own purchases, split by time.
 *
 *     past ................ | from ........ to |
 *     models are fitted     | what is bought here are the targets
 *
 * Models see purchases strictly before `from` and nothing else; no setting is chosen on the
 * test window (a model that learns weights holds back the end of its own past). Targets of
 * a shopper are all the different products bought in the window. Every product that
 * anybody bought before the window is ranked, and no other; a target that is not among
 * them is missed by everyone. Where repeats are not allowed, what a shopper bought before
 * is neither ranked nor a target. A tie counts with its mean rank.
 *
 *     next_products_task task = {.catalogue = c, .history = h, .from_us = december,
 *                                .to_us = january, .repeats = true, .k = 10};
 *     next_products_result result;
 *     next_products_measure(&task, &result, err);
 *     next_products_write_json(&w, &result);
 *
 * Results do not depend on the number of threads.
 */
#ifndef PROFFER_EVALUATE_NEXT_PRODUCTS_H
#define PROFFER_EVALUATE_NEXT_PRODUCTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/pool.h"
#include "base/status.h"
#include "language/lexical.h"
#include "measure/ranking.h"
#include "recommend/recommend.h"
#include "shop/catalogue.h"
#include "shop/history.h"

enum { NEXT_PRODUCTS_MODELS_MAX = 16 };
/* The simple model that the others are compared with, shopper by shopper. */
#define NEXT_PRODUCTS_BASELINE "repeat"

typedef struct next_products_task {
    const shop_catalogue *catalogue;
    const shop_history *history;
    const bool *excluded; /* [products + 1] by number: no goods; or NULL */
    int64_t from_us, to_us;
    bool repeats;
    unsigned k;
    /* Kinds to compare, in order. NULL: popularity, recent, repeat, item-knn, user-knn,
     * words, meaning and habit, as far as the data allow; with `training` and where repeats
     * are allowed, month-blend as well. */
    const recommender_kind *const *kinds;
    size_t n_kinds;
    const float *vectors; /* [products x dimension], row = number - 1; or NULL */
    size_t dimension;
    const lexical *words; /* document = number - 1; or NULL */
    uint64_t seed;
    pool *threads;                      /* or NULL */
    const recommend_training *training; /* of kinds with a network, or NULL */
} next_products_task;

typedef struct next_products_model {
    const char *model;                   /* the kind's name, static */
    ranking_values mean, standard_error; /* over shoppers, at k */
    double coverage, novelty; /* share of all products in anybody's best k; bits */
    double gain, gain_se;     /* ndcg above the baseline's, paired; NaN without it */
    double train_s, score_s;  /* wall seconds */
} next_products_model;

typedef struct next_products_result {
    int64_t from_us, to_us;
    unsigned k;
    bool repeats;
    uint32_t users;      /* shoppers tested */
    uint32_t untested;   /* with more than RANKING_TARGETS_MAX targets */
    uint32_t candidates; /* products ranked */
    uint64_t targets;
    size_t n_models;
    next_products_model models[NEXT_PRODUCTS_MODELS_MAX];
} next_products_result;

/* PF_USAGE for a window that ends before it begins, k outside 1..RANKING_CUT_MAX or too
 * many kinds; PF_DATA when nothing was bought before the window or nobody bought anything
 * in it; PF_UNAVAILABLE when a kind that was asked for lacks what it needs; PF_NO_MEMORY. */
pf_status next_products_measure(const next_products_task *task, next_products_result *out,
                                pf_error *err);

/* {"from":...,"to":...,"users":...,"models":[{"model":...,"ndcg@10":...,...}]} */
void next_products_write_json(json_writer *w, const next_products_result *r);

#endif
