/*
 * Which events of a shopper's past moved a score most: each is left out by itself, at most 64 of
 * them (those of what is asked about, then the latest), and the model is asked again as if it had
 * never happened (leave-one-out, as "occlusion" is in networks that see: Zeiler and Fergus, ECCV
 * 2014, section 4.2; for words of a text: Li, Monroe, Jurafsky, arXiv 1612.08220, 2016).
 * What the model learnt stays as it is: an event that it was fitted on has taught it, whether it is
 * left out or not. Nor does a sum of these changes mean anything: two purchases that say the same
 * thing each move little alone.
 *
 * What is asked about is a set of products (one, or all that a promotion covers): the logarithm of
 * their chances added up, so that e^change is the factor by which an event makes them likelier. The
 * chance of a product with score s, by what the scores of the kind are (recommend_scale):
 *
 *     RECOMMEND_ODDS     1 / (1 + e^-s)                     bought at all, each by itself
 *     RECOMMEND_SHARES   e^s / sum of e^s over all          the next to be bought
 *     RECOMMEND_ORDER    e^(s/u) / sum of e^(s/u) over all  u: the standard deviation of the scores
 *                                                           of all products with the whole past;
 *                                                           no chance, but it rises and falls
 *
 * A past without events is answered with popularity's shares, so what the only event moved is told
 * against these; of RECOMMEND_ODDS, which they are no match for, it is not told.
 *
 *     moved_question q = {.past = &query, .product = scope, .n_products = n};
 *     moved_event events[5];
 *     moved_answer a;
 *     recommend_moved(m, &q, events, 5, &a, err);
 *     events[0].change                          // + it made them likelier, - less likely
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
    const bool *excluded; /* [V] has no chance, of the set or not; or NULL */
    moved_together together;
    size_t most; /* how many are left out, those with something of the set before all others and
                    newer before older; 0 and more than MOVED_MOST_EVENTS: so many */
    pool *threads;
} moved_question;

typedef struct moved_event {
    uint32_t thing;  /* product, V + promotion number - 1, or SEQUENCE_NOTHING; of a trip, of
                        its newest purchase */
    uint8_t kind;    /* event_type (shop/vocabulary.h) */
    int64_t time_us; /* of the newest that it stands for; 0 without times */
    size_t events;   /* how many events of the past it stands for */
    double change;   /* logarithm of the set's chance with it - that without it */
    /* The member of a blend or month-blend through which it moves most, static text, and the
     * change if that one alone had not seen the event. NULL of other models, and where nothing
     * of the past is left. */
    const char *member;
    double member_change;
} moved_event;

typedef struct moved_answer {
    double log_chance; /* with the whole past */
    size_t tried, found; /* how many were left out, how many are told */
} moved_answer;

/* The at most n whose absence changes the chance most, largest first, of equal ones the newest; one
 * that changes nothing is not told. A past without events: none, and PF_OK. PF_USAGE for a product
 * that the model does not know, a set of which nothing has a chance, a story that tells other
 * purchases; PF_NO_MEMORY. */
pf_status recommend_moved(const recommender *m, const moved_question *q, moved_event *events,
                          size_t n, moved_answer *out, pf_error *err);

#endif
