/*
 * What a shopper may buy next, and what speaks for each of it: candidates and their
 * features. The same rows are learnt from and scored.
 *
 * Candidates: what the shopper bought before (unless repeats are not asked for), the
 * products most shoppers bought within four weeks, and the best others by what the 100
 * shoppers of nearest taste buy.
 *
 *     habit_asker a;
 *     habit_asker_over(&a, memory, shop);      // memory [habit_asker_floats(shop)]
 *     habit_ask(&a, shop, &query, repeats);
 *     for (i < a.n) habit_row(&a, shop, a.candidate[i], x);   // x [HABIT_FEATURES]
 *
 * Nothing is allocated. One asker belongs to one thread.
 */
#ifndef PROFFER_RECOMMEND_HABIT_ROWS_H
#define PROFFER_RECOMMEND_HABIT_ROWS_H

#include "recommend/habit_past.h"
#include "recommend/habit_shop.h"

/* PEERS shoppers of nearest taste; of what they buy the best OTHERS are candidates. */
enum { HABIT_PEERS = 100, HABIT_OTHERS = 40, HABIT_FEATURES = 29 };

/* Two features by number: ln(.02 + trips, half-life 90 days), ln(1 + buyers in 28 days). */
enum { HABIT_OWN_QUARTER = 7, HABIT_BUYERS_MONTH = 16 };

/* Several features say one thing, each with a weight of its own; people are told the thing. */
enum habit_reason {
    HABIT_BY_OWN,      /* how often and how lately the shopper bought it */
    HABIT_BY_DUE,      /* time since against the usual interval */
    HABIT_BY_MANY,     /* what many buy, and what rises */
    HABIT_BY_PEERS,    /* shoppers of like taste */
    HABIT_BY_RETURNS,  /* its buyers come back for it */
    HABIT_BY_CATEGORY, /* the shopper's other purchases in its category */
    HABIT_BY_SHOPPER,  /* how much the shopper buys: the same for all products */
    HABIT_REASONS
};
extern const enum habit_reason habit_reason_of[HABIT_FEATURES];

typedef struct habit_asker {
    habit_past past;
    float *peers;                     /* [V] weighted share of peers who buy it lately */
    float *category_30, *category_90; /* [C] decayed trips of the shopper */
    float *similarity;                /* [U] */
    float *rest;                      /* [V] for selecting */
    uint32_t *candidate;              /* [n], different ones */
    uint32_t n;
} habit_asker;

size_t habit_asker_floats(const habit_shop *s);
void habit_asker_over(habit_asker *a, float *memory, const habit_shop *s);

/* Finds the candidates of a query; its user, if known, is no peer of himself. */
void habit_ask(habit_asker *a, const habit_shop *s, const recommend_query *query,
               bool repeats);
/* The features of a product for the shopper last asked about; all finite. */
void habit_row(const habit_asker *a, const habit_shop *s, uint32_t product, float *x);
/* The most candidates that a past of n different products can have. */
uint64_t habit_most_candidates(uint64_t n);

#endif
