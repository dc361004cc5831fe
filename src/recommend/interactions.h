/*
 * A part of interactions with memory of its own, such as the training parts of a protocol.
 *
 *     interactions_owned *train;
 *     interactions_without_last(&all, 2, 3, &train, err);
 *     input.train = &train->view;
 *     interactions_free(train);
 */
#ifndef PROFFER_RECOMMEND_INTERACTIONS_H
#define PROFFER_RECOMMEND_INTERACTIONS_H

#include "recommend/recommend.h"
#include "sequence/events_owned.h"

typedef struct interactions_owned {
    interactions view; /* points at the arrays below */
    uint64_t *first;
    uint32_t *product;
    int64_t *time_us;
    float *quantity, *rating;
    uint64_t *basket;
    sequence_events_owned *story;
} interactions_owned;

/* Which of the columns that may be absent there are. */
typedef struct interactions_columns {
    bool times, quantities, ratings, baskets;
} interactions_columns;

/* Room for n events of so many users, to be filled by the caller: first [users + 1] is zero, all
 * else is not set. NULL without memory. */
interactions_owned *interactions_new(uint32_t users, uint32_t products, uint64_t n,
                                     interactions_columns has);

/* A copy without the last `drop` events of every shopper who has at least `at_least`;
 * shoppers with fewer keep all of theirs. at_least >= drop. PF_NO_MEMORY. */
pf_status interactions_without_last(const interactions *all, unsigned drop,
                                    uint64_t at_least, interactions_owned **out,
                                    pf_error *err);

/* A copy of the first kept[u] events of every shopper u; kept[u] is at most what there is.
 * PF_NO_MEMORY. */
pf_status interactions_prefix(const interactions *all, const uint64_t *kept,
                              interactions_owned **out, pf_error *err);

/* A copy of everything strictly before a moment, of data with times. PF_NO_MEMORY. */
pf_status interactions_until(const interactions *all, int64_t until_us,
                             interactions_owned **out, pf_error *err);

/* NULL is fine. */
void interactions_free(interactions_owned *x);

/* The past of user u (from 0): the first n interactions with what came before the next; n at
 * most what there is. Borrows. */
recommend_query interactions_query(const interactions *x, uint32_t u, uint64_t n,
                                   int64_t at_us);
/* Of data with times: everything strictly before at_us. */
recommend_query interactions_query_until(const interactions *x, uint32_t u, int64_t at_us);

/* Whether anybody took two products one after the other, of a catalogue of two or more: what
 * models of order are trained on. */
bool interactions_teach_order(const interactions *x);

/* The share of events whose product the same shopper had taken before; 0 without events.
 * NAN when memory is short. */
double interactions_repeat_share(const interactions *x);
/* Above this share, products already taken are worth recommending again. */
#define INTERACTIONS_REPEATS_FROM 0.05

#endif
