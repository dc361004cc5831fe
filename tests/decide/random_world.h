/*
 * A random small shop with everything that can keep a promotion from a shopper: dates,
 * scopes, stock, limits, audiences, consent, channels, caps, budgets, a past, a holdout.
 */
#ifndef PROFFER_TESTS_DECIDE_RANDOM_WORLD_H
#define PROFFER_TESTS_DECIDE_RANDOM_WORLD_H

#include "base/random.h"
#include "decide/decide.h"
#include "message/small_shop.h"

enum { RANDOM_SHOPPERS = 12, RANDOM_OFFERS = 8 };

typedef struct random_world {
    small_shop shop;
    policy policy;
    decide_inputs in;
    decide_score scores[RANDOM_SHOPPERS * RANDOM_OFFERS * CHANNEL_COUNT];
    shop_history *history;
    uint8_t in_stock[8];
    int64_t committed[RANDOM_OFFERS + 1];
    random_stream r;
    int64_t midnight_us; /* that starts the day of sending */
} random_world;

void random_world_make(random_world *w, uint64_t seed, uint32_t shoppers,
                       uint32_t offers);
void random_world_free(random_world *w);
/* Whether shopper s is in the audience of one of the world's rules, worked out by hand. */
bool random_world_in_audience(const char *rule, uint32_t s);

#endif
