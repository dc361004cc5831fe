/*
 * Recommenders: shopper x product models behind one interface.
 *
 * A model is fitted on interactions (who took which product, in what order, when) and on
 * what is known of the products besides (category, vectors, words). Asked with a shopper's
 * past as of a moment, it gives every product a score; only the order of scores matters,
 * unless the kind says more of them (recommend_scale).
 * The past may hold events from after the fit: nothing is refitted on it.
 *
 *     recommender *m;
 *     recommender_fit(recommender_find("transitions"), &input, &m, err);
 *     recommender_score(m, &query, scores, scratch);      // scores[V]
 *     recommender_free(m);
 *
 * Letters: U users, V products, N interactions. Products and users are numbered 0..V-1 and
 * 0..U-1 here, dense, by whoever prepares the data (from_history.h, or the reader of
 * sequence files).
 *
 * A fitted model is immutable: any number of threads may score with it, each with a
 * scratch of its own. To add a recommender: one file that defines a recommender_kind, one
 * line in kinds.c.
 */
#ifndef PROFFER_RECOMMEND_RECOMMEND_H
#define PROFFER_RECOMMEND_RECOMMEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "sequence/model.h"
#include "sequence/train.h"
#include "tensor/safetensors.h"

/* Sequences in time order: user u's are rows first[u] <= i < first[u + 1]. Borrowed. */
typedef struct interactions {
    uint32_t n_users, n_products;
    uint64_t n;
    const uint64_t *first;   /* [U + 1] */
    const uint32_t *product; /* [N] */
    const int64_t *time_us;  /* [N], or NULL: only the order is known */
    const float *quantity;   /* [N], or NULL: 1 each */
    const float *rating;     /* [N], or NULL: none */
    const uint64_t *basket;  /* [N] equal keys = bought together, or NULL: each alone */
    /* All that these users did (story.h): the events that took a product are the rows above.
     * NULL: no more is known. */
    const sequence_events *story;
} interactions;

/* What is known of products besides who took them; any part may be absent. Borrowed. */
typedef struct product_side {
    const uint32_t *category;    /* [V], 0 = none; or NULL */
    uint32_t n_categories;       /* largest number + 1 */
    const bool *excluded;        /* [V]: never to be ranked; or NULL */
    const float *vectors;        /* [V x D] rows of length 1, centred; or NULL */
    size_t dimension;            /* D */
    const struct lexical *words; /* language/lexical.h, document i = product i; or NULL */
} product_side;

typedef struct recommender_kind recommender_kind;
#define RECOMMEND_NO_PRODUCT UINT32_MAX

/* How kinds that are trained in epochs are to go about it; each part may be absent. */
typedef struct recommend_training {
    const char *settings;   /* "width=128,dropout=.3" (sequence/settings.h): what a user
                               insists on, over what the data ask for */
    const char *checkpoint; /* path of the file that every epoch is kept in */
    bool resume;            /* go on from it */
    const struct recommender *warm; /* start from this one's values */
    bool partial; /* stopped by hooks.stop after an epoch or more it gives the best model so
                     far; false: that is PF_CANCELLED, as before the first epoch's end */
    training_hooks hooks;
} recommend_training;

typedef struct recommend_input {
    const interactions *train;
    const product_side *side; /* NULL: nothing is known */
    int64_t until_us;         /* the moment the training data end (0 without times) */
    bool repeats;             /* products already taken may be recommended again */
    uint64_t seed;
    pool *pool; /* or NULL */
    /* What each shopper took right after train, [U] or RECOMMEND_NO_PRODUCT: kinds that are
     * trained stop by it, a blend learns its weights on it; nothing is fitted on it beyond
     * that. NULL: they hold back each shopper's last event. */
    const uint32_t *next;
    const int64_t *next_time_us; /* [U] or NULL */
    const recommend_training *training; /* or NULL */
    /* For the blend alone. members NULL: every other kind that the data allow. fitted
     * [n_members] or NULL: models of those kinds that are fitted on train already (NULL where
     * one is not); the blend borrows them, they must outlive it. copies: how many of each
     * member that is trained it holds, with other seeds, and takes the mean of; 0: 1; a fitted
     * one is the first. Without `next` the blend fits members again on all of train once it has
     * learnt, but not those that are trained. */
    const recommender_kind *const *members;
    struct recommender *const *fitted;
    size_t n_members;
    unsigned copies;
} recommend_input;
enum { RECOMMEND_MAX_COPIES = 8 };

/* A shopper's past as of a moment, oldest first, and the moment asked about. */
typedef struct recommend_query {
    const uint32_t *product; /* [n] */
    const int64_t *time_us;  /* [n] or NULL */
    const float *quantity;   /* [n] or NULL */
    const float *rating;     /* [n] or NULL */
    const uint64_t *basket;  /* [n] or NULL */
    size_t n;
    sequence_window story; /* all that is known of the past; n 0: the above alone */
    int64_t at_us; /* 0 without times */
    uint32_t user; /* who it is in the training data, or RECOMMEND_NO_USER */
} recommend_query;
#define RECOMMEND_NO_USER UINT32_MAX

typedef struct recommender recommender;
typedef struct recommend_scratch recommend_scratch; /* per-thread memory of scoring */

/* What may be read from scores. */
typedef enum recommend_scale {
    RECOMMEND_ORDER,  /* which product comes before which, and no more */
    RECOMMEND_SHARES, /* logarithms of each product's chance to be the next, up to a constant */
    RECOMMEND_ODDS    /* log-odds that a product is bought within some time, each by itself */
} recommend_scale;

/* What a kind of model is and can do. */
struct recommender_kind {
    const char *name;    /* "transitions" */
    const char *summary; /* one line for people */
    const char *source;  /* paper, section, equation; or how the data ask for it */
    bool trained;        /* in epochs from random values: slow, and other with each seed */
    const char *watched; /* of a kind made of others: the one whose training takes the time and
                            is shown; NULL of every other kind */
    bool combines;       /* the members it is given (recommend_input), or all it finds */
    recommend_scale scale;
    pf_status (*fit)(const recommend_input *input, void **state, pf_error *err);
    /* scores[V], all finite; allocates nothing but from the scratch. */
    void (*score)(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch);
    /* Adds the state's tensors; takes them back, checking all of them: nothing in the file
     * may be believed, and a state for another number of products is PF_DATA. */
    pf_status (*save)(const void *state, safetensors_writer *file, pf_error *err);
    pf_status (*load)(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err);
    void (*free)(void *state);
    /* How many floats of scratch one score call needs. */
    size_t (*scratch_floats)(const void *state);
};

/* The kind of a name, or NULL; the i-th kind, or NULL behind the last. */
const recommender_kind *recommender_find(const char *name);
const recommender_kind *recommender_kind_at(size_t i);
/* PF_USAGE for a name that is none, with the one that was probably meant or all there are; more
 * [n]: what may be named besides (groups). */
pf_status recommender_unknown(const char *name, const char *const more[], size_t n, pf_error *err);

/* A past without events gets the order of popularity, whatever the kind.
 *
 * PF_DATA when there is nothing to learn from (no interactions), PF_UNAVAILABLE when the
 * kind needs a part that is absent (texts without vectors), PF_NO_MEMORY. */
pf_status recommender_fit(const recommender_kind *kind, const recommend_input *input,
                          recommender **out, pf_error *err);
void recommender_score(const recommender *m, const recommend_query *query, float *scores,
                       recommend_scratch *scratch);
const recommender_kind *recommender_kind_of(const recommender *m);
/* The network of a kind that reads events in order, borrowed; NULL for every other kind. */
const struct sequence_model *recommender_sequence(const recommender *m);
uint32_t recommender_n_products(const recommender *m);
/* Atomic file with a JSON card beside it (path + ".json"). */
pf_status recommender_save(const recommender *m, const char *path, const char *card_json,
                           pf_error *err);
/* Checks every field of the header; PF_DATA for a broken file or another catalogue's
 * model (n_products differs). RECOMMEND_ANY_CATALOGUE: whatever number the file says. */
#define RECOMMEND_ANY_CATALOGUE 0
pf_status recommender_load(const char *path, uint32_t n_products, recommender **out,
                           pf_error *err);
/* NULL is fine. */
void recommender_free(recommender *m);

/* A scratch large enough for a model; one a thread. */
pf_status recommend_scratch_new(const recommender *m, recommend_scratch **out,
                                pf_error *err);
void recommend_scratch_free(recommend_scratch *s);

#endif
