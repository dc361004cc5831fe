/*
 * A made-up shop whose policies' true values are known, for tests of evaluate/policies.h: two
 * types of shoppers, three promotions by e-mail (C can be sent to half of the shoppers only), two
 * decisions a shopper two weeks apart, drawn by decide/explore.h, and a purchase the day after or
 * none.
 */
#ifndef PROFFER_TESTS_POLICIES_WORLD_H
#define PROFFER_TESTS_POLICIES_WORLD_H

#include "base/clock.h"
#include "decide/explore.h"
#include "evaluate/policies.h"

enum { WORLD_PROMOTIONS = 3, WORLD_ACTIONS = 4, WORLD_TYPES = 2 };
#define WORLD_START (INT64_C(18000) * US_PER_DAY)
#define WORLD_CONTACT 20.0 /* minor units */
#define WORLD_MARGIN .5
#define WORLD_PAID 1000 /* of a purchase, on average */

/* Chance that a shopper of a type buys after an action (0 none, 1 A, 2 B, 3 C). */
extern const double world_buys[WORLD_TYPES][WORLD_ACTIONS];
/* What the log expects sending it to be worth; wrong on purpose. */
extern const double world_value[WORLD_TYPES][WORLD_ACTIONS];

typedef struct world {
    uint32_t shoppers;
    size_t n;
    policies_decision *decision; /* [n] */
    policies_candidate *candidate; /* [n x WORLD_PROMOTIONS] */
    history_row *rows;
    size_t n_rows;
    shop_history *h;
    promotion promotions[WORLD_PROMOTIONS + 1];
    shop_catalogue c;
    policies_log log;
} world;

typedef struct world_plan {
    uint32_t shoppers;
    uint64_t seed;
    explore_plan explore;
    uint32_t draws;  /* of the posterior that explores */
    double holdout;  /* share held out */
} world_plan;
/* Softmax at 150 with a floor of .05, one draw, nobody held out. */
world_plan world_plan_default(uint32_t shoppers, uint64_t seed);

/* Ends the test when memory is short. The world points into itself: it is not to be copied. */
void world_make(world *w, const world_plan *plan);
void world_free(world *w);
/* Net margin at WORLD_MARGIN until all windows are over, 100 replicates. */
policies_options world_options(void);
/* What an action is worth to a type, and whether C can be sent. */
double world_reward(unsigned type, unsigned action);

#endif
