/*
 * A small shop for tests of recommenders, with everything a kind may need: times, ratings,
 * categories, words, vectors. Random, the same for a seed. Shoppers 0 and 1 took nothing
 * and one thing; the last product was never taken.
 */
#ifndef PROFFER_TESTS_RECOMMEND_SMALL_DATA_H
#define PROFFER_TESTS_RECOMMEND_SMALL_DATA_H

#include "language/lexical.h"
#include "recommend/recommend.h"

enum {
    SMALL_USERS = 120,
    SMALL_PRODUCTS = 40,
    SMALL_DIMENSION = 8,
    SMALL_CATEGORIES = 5
};

typedef struct small_data {
    interactions x;
    product_side side;
    recommend_input input; /* of x and side */
    lexical *words;
} small_data;

/* Fails the test when memory is short. Each shopper has up to `most` events. */
small_data *small_data_new(uint64_t seed, uint32_t most);
void small_data_free(small_data *d);

/* A shopper's own past as a query. */
recommend_query small_query(const small_data *d, uint32_t user);

/* A model of a kind, fitted; fails the test with the reason otherwise. */
recommender *small_fit(const small_data *d, const char *kind);

#endif
