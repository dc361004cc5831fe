/*
 * A random small shop with everything that can keep a promotion from a shopper: dates,
 * scopes, stock, limits, audiences, consent, channels, tags, caps, budgets planned and hard, quiet
 * hours in several zones, best moments, fatigue, lots, a past, a holdout.
 */
#ifndef PROFFER_TESTS_DECIDE_RANDOM_WORLD_H
#define PROFFER_TESTS_DECIDE_RANDOM_WORLD_H

#include "base/random.h"
#include "decide/decide.h"
#include "message/small_shop.h"

enum { RANDOM_SHOPPERS = 12, RANDOM_OFFERS = 8, RANDOM_TAGS = 3, RANDOM_DRAWS = 64 };

typedef struct random_world {
    small_shop shop;
    policy policy;
    decide_inputs in;
    decide_score scores[RANDOM_SHOPPERS * RANDOM_OFFERS * CHANNEL_COUNT];
    shop_history *history;
    uint8_t in_stock[8];
    int64_t committed[RANDOM_OFFERS + 1];
    const zone *zones[RANDOM_SHOPPERS + 1];
    float fatigue[(RANDOM_SHOPPERS + 1) * CHANNEL_COUNT];
    int64_t send_at_us[(RANDOM_SHOPPERS + 1) * CHANNEL_COUNT];
    double redeem_draw[RANDOM_DRAWS * (RANDOM_OFFERS + 1)];
    double lift_draw[RANDOM_DRAWS * (RANDOM_OFFERS + 1)];
    random_stream r;
} random_world;

void random_world_make(random_world *w, uint64_t seed, uint32_t shoppers,
                       uint32_t offers);
void random_world_free(random_world *w);
/* The zones are opened with the first world and kept for the next. */
void random_world_close_zones(void);

/* Without lots: the best on average is sent. */
void random_world_be_sure(random_world *w);

/* Whether shopper s is in the audience of one of the world's rules, worked out by hand. */
bool random_world_in_audience(const char *rule, uint32_t s);
/* The zone of a shopper's day. */
const zone *random_world_zone(const random_world *w, uint32_t s);

/* What of a shopper's past counts: exposures count as messages, of which those of one instant,
 * channel and campaign are one. */
typedef struct past_query {
    uint32_t shopper; /* 0: of all */
    uint8_t type;
    uint32_t offer; /* 0: any */
    int by;         /* -1: any */
    int tag;        /* -1: any; else one of the policy's tags */
    int64_t from_us;
} past_query;

uint32_t random_world_past(const random_world *w, const past_query *q);
/* Local midnight `days` days before the day of a moment. */
int64_t random_world_midnight(const zone *z, int64_t time_us, int days);
/* What may be held against budgets for an offer by a channel, by the formulas of value.h; -1 =
 * nobody knows. */
double random_world_cost(const random_world *w, const decide_outcome *o, bool hard);
bool random_world_has_tag(const random_world *w, uint32_t offer, const char *name);

#endif
