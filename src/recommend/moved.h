/*
 * Which events of a shopper's past moved a score most: each of the latest is left out by itself,
 * and the model is asked again as if it had never happened (leave-one-out, as "occlusion" is in
 * networks that see: Zeiler and Fergus, ECCV 2014, section 4.2; for words of a text: Li, Monroe,
 * Jurafsky, arXiv 1612.08220, 2016, equation 2). What the model learnt stays as it is: an event
 * that it was fitted on has taught it, whether it is left out or not. Nor does a sum of these
 * changes mean anything: two purchases that say the same thing each move little alone.
 *
 * The score asked about is of a set of products (one, or all that a promotion covers): the
 * log-odds that the next product is one of them,
 *
 *     ln  sum of e^(s / unit) over the set  /  sum of e^(s / unit) over all others
 *
 * with the model's scores s. unit: 1 for kinds whose scores are log-odds or log-chances
 * (recommender_kind.logits); for all others, a blend among them, the standard deviation of the
 * scores over all products with the whole past. A past without events is answered with
 * popularity's log-chances, unit 1, so what a single event moves is told against that.
 *
 *     moved_question q = {.past = &query, .product = scope, .n_products = n};
 *     moved_event events[5];
 *     moved_answer a;
 *     recommend_moved(m, &q, events, 5, &a, err);
 *     events[0].change                          // + the event raised the log-odds, - lowered
 *
 * The same for any number of threads. Not for the request path: the model is asked once an event,
 * and memory is taken.
 */
#ifndef PROFFER_RECOMMEND_MOVED_H
#define PROFFER_RECOMMEND_MOVED_H

#include "base/pool.h"
#include "recommend/recommend.h"

enum { MOVED_MOST_EVENTS = 64 };

/* What is left out together. */
typedef enum moved_together {
    MOVED_EACH,   /* every event alone */
    MOVED_TRIPS,  /* purchases of one basket (without baskets: of one moment), and what was redeemed
                     in that moment; all else alone */
    MOVED_THINGS, /* all events of one type about one product or promotion */
} moved_together;

typedef struct moved_question {
    const recommend_query *past; /* as recommender_score reads it; a story in it must tell the
                                    same purchases (interactions_query_until gives such ones) */
    const uint32_t *product;     /* [n_products] the set; naming one twice is naming it once */
    size_t n_products;
    const bool *excluded; /* [V] neither of the set nor of the others, as they cannot come next;
                             or NULL */
    moved_together together;
    size_t most; /* the newest that are left out; 0 and more than MOVED_MOST_EVENTS: so many */
    pool *threads;
} moved_question;

typedef struct moved_event {
    uint32_t thing;  /* product, V + promotion number - 1, or SEQUENCE_NOTHING; of a trip, of
                        its newest purchase */
    uint8_t kind;    /* event_type (shop/vocabulary.h) */
    int64_t time_us; /* of the newest that it stands for; 0 without times */
    size_t events;   /* how many events of the past it stands for */
    double change;   /* log-odds with it - log-odds without it */
    /* The member of a blend or month-blend through which it moves most, static text, and the
     * change if that one alone had not seen the event. NULL of other models, and where nothing
     * of the past is left. */
    const char *member;
    double member_change;
} moved_event;

typedef struct moved_answer {
    double log_odds; /* with the whole past */
    double unit;
    size_t tried, found; /* how many were left out, how many are told */
} moved_answer;

/* The at most n whose absence changes the log-odds most, largest first, of equal ones the newest;
 * one that changes nothing is not told. A past without events: none, and PF_OK. PF_USAGE for a
 * product that the model does not know, a set that is empty or everything once `excluded` is taken
 * from it, a story that tells other purchases; PF_NO_MEMORY. */
pf_status recommend_moved(const recommender *m, const moved_question *q, moved_event *events,
                          size_t n, moved_answer *out, pf_error *err);

#endif
