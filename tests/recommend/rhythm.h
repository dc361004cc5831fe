/*
 * A shop with a known rhythm, for tests of habits. Of every shopper u:
 *
 *     product u % WEEKLY                every 7 days
 *     product WEEKLY + u % MONTHLY      every 28 days
 *     products from ONCE on             one a week, each once at most
 *
 * over DAYS days. Everything of one day is one basket, and every purchase of the weekly
 * product has two lines in it. Odd days apart, the same for every seed of shoppers.
 */
#ifndef PROFFER_TESTS_RECOMMEND_RHYTHM_H
#define PROFFER_TESTS_RECOMMEND_RHYTHM_H

#include <stdint.h>

#include "recommend/recommend.h"

enum {
    RHYTHM_USERS = 60,
    RHYTHM_WEEKLY = 4,
    RHYTHM_MONTHLY = 4,
    RHYTHM_ONCE = RHYTHM_WEEKLY + RHYTHM_MONTHLY,
    RHYTHM_PRODUCTS = 60,
    RHYTHM_DAYS = 210,
    RHYTHM_CATEGORIES = 4
};

typedef struct rhythm {
    interactions x;
    product_side side;
    recommend_input input; /* until_us is RHYTHM_DAYS days; repeats allowed */
    uint64_t first[RHYTHM_USERS + 1];
    uint32_t *product;
    int64_t *time_us;
    uint64_t *basket;
    uint32_t category[RHYTHM_PRODUCTS];
} rhythm;

/* after: so many days more, filled with other purchases, behind until_us. */
rhythm *rhythm_new(unsigned after);
void rhythm_free(rhythm *r);
/* Everything user u bought before until_us, asked about then. */
recommend_query rhythm_query(const rhythm *r, uint32_t u);

#endif
