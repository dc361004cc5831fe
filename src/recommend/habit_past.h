/*
 * A shopper's past, product by product: how often and how lately each was bought. A trip
 * is a product in a basket, however many lines it takes there; purchases without a basket
 * are a trip each.
 *
 *     float *memory = ...;                       // [habit_past_floats(V)]
 *     habit_past p;
 *     habit_past_over(&p, memory, V);
 *     habit_past_read(&p, &query);               // as often as wanted
 *     const habit_pair *pair = habit_past_pair(&p, v);
 *
 * Reading allocates nothing. One past belongs to one thread.
 */
#ifndef PROFFER_RECOMMEND_HABIT_PAST_H
#define PROFFER_RECOMMEND_HABIT_PAST_H

#include "recommend/recommend.h"

/* Half-lives of the decayed counts, days. */
enum habit_half_life {
    HABIT_7,
    HABIT_14,
    HABIT_30,
    HABIT_60,
    HABIT_90,
    HABIT_180,
    HABIT_HALF_LIVES
};

/* What a shopper did with one product; ages are days before the moment asked about. */
typedef struct habit_pair {
    float trips;
    float decayed[HABIT_HALF_LIVES]; /* sum over trips of 2^(-age / half-life) */
    float last_days, oldest_days;
    float
        log_gaps; /* sum of ln(days) over gaps between successive trips, each >= 1 day */
    uint32_t gaps;
    uint32_t event; /* of the query: where the last trip began */
} habit_pair;

typedef struct habit_past {
    uint32_t n_products;
    uint32_t *place;   /* [V] 1 + index into pair, 0 = never bought */
    uint32_t *product; /* [n] in order of the first purchase */
    habit_pair *pair;  /* [n] */
    uint32_t n;
    uint32_t baskets_30, baskets_91; /* shopping trips within as many days */
    uint32_t trips_91;               /* products in them */
} habit_past;

size_t habit_past_floats(uint32_t n_products);
/* Lays the past out in memory of at least habit_past_floats; returns what follows. */
float *habit_past_over(habit_past *p, float *memory, uint32_t n_products);

/* Forgets what was read before. Events after at_us count as of that moment; without times
 * all of them do. */
void habit_past_read(habit_past *p, const recommend_query *query);

/* NULL for a product never bought. */
const habit_pair *habit_past_pair(const habit_past *p, uint32_t product);

#endif
