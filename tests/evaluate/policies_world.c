/* The shop of policies_world.h. */
#include "evaluate/policies_world.h"

#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

const double world_buys[WORLD_TYPES][WORLD_ACTIONS] = {{.10, .30, .15, .20},
                                                       {.20, .15, .40, .25}};
const double world_value[WORLD_TYPES][WORLD_ACTIONS] = {{0, 90, 40, 110}, {0, -30, 60, 40}};

double world_reward(unsigned type, unsigned action)
{
    return world_buys[type][action] * WORLD_PAID * WORLD_MARGIN -
           (action > 0 ? WORLD_CONTACT : 0);
}

world_plan world_plan_default(uint32_t shoppers, uint64_t seed)
{
    world_plan p = {.shoppers = shoppers, .seed = seed, .draws = 1};
    p.explore = explore_plan_default(seed);
    p.explore.method = EXPLORE_SOFTMAX;
    p.explore.temperature = 150;
    p.explore.floor = .05;
    return p;
}

policies_options world_options(void)
{
    policies_options o = policies_options_default();
    o.margin_rate = WORLD_MARGIN;
    o.until_us = WORLD_START + 60 * US_PER_DAY;
    o.plan.replicates = 100;
    return o;
}

/* ---- one decision ---- */

static policies_candidate candidate_of(unsigned type, uint32_t number, bool eligible)
{
    const double value = world_value[type][number];
    return (policies_candidate){.promotion = number,
                                .channel = CHANNEL_EMAIL,
                                .eligible = eligible,
                                .p_redeem = .1 * number,
                                .spend_minor = 800,
                                .gain_minor = value + 2 * WORLD_CONTACT,
                                .cost_minor = 2 * WORLD_CONTACT,
                                .value_minor = value,
                                .lift = NAN,
                                .contact_minor = WORLD_CONTACT};
}

/* Candidates that can be sent stand before none in the explorer's list. */
static void decide(policies_decision *d, policies_candidate *k, const world_plan *plan,
                   random_stream *r)
{
    double value[64 * WORLD_ACTIONS], chance[WORLD_ACTIONS];
    size_t open[WORLD_ACTIONS], n = 0;
    explore_choice chosen;
    for (size_t j = 0; j < WORLD_PROMOTIONS; j++)
        if (k[j].eligible) open[n++] = j;
    for (size_t t = 0; t < plan->draws; t++)
        for (size_t j = 0; j <= n; j++)
            value[t * (n + 1) + j] =
                j == n ? 0
                       : k[open[j]].value_minor +
                             (plan->draws > 1 ? 60 * random_normal(r) : 0);
    const explore_problem p = {plan->draws, (uint32_t)n + 1, 0, value, NULL, NULL};
    assert_int_equal(
        explore_choose(&p, &plan->explore, d->shopper, d->time_us, chance, &chosen, NULL), PF_OK);
    for (size_t j = 0; j < n; j++)
        k[open[j]].propensity = chance[j];
    d->taken = chosen.candidate == n ? POLICIES_NONE : open[chosen.candidate];
    d->propensity = chosen.propensity;
    if (d->holdout) d->taken = POLICIES_NONE;
}

static void live(world *w, const policies_decision *d, unsigned type, random_stream *r)
{
    const size_t action = d->taken == POLICIES_NONE ? 0 : d->taken + 1;
    if (random_unit(r) >= world_buys[type][action]) return;
    w->rows[w->n_rows++] = (history_row){.shopper = d->shopper,
                                         .type = EVENT_PURCHASE,
                                         .time_us = d->time_us + US_PER_DAY,
                                         .product = 1,
                                         .paid_minor = WORLD_PAID - 400 + random_below(r, 801),
                                         .discount_minor = MONEY_ABSENT,
                                         .coupon_minor = MONEY_ABSENT,
                                         .rating = NAN,
                                         .propensity = NAN};
}

/* ---- the shop ---- */

static void make_catalogue(world *w)
{
    static const char *const ids[] = {"", "A", "B", "C"};
    w->c.promotions = w->promotions;
    w->c.n_promotions = WORLD_PROMOTIONS;
    w->c.currency = (currency){"EUR", 2};
    w->c.promotion_ids = intern_new(10);
    assert_non_null(w->c.promotion_ids);
    for (uint32_t k = 1; k <= WORLD_PROMOTIONS; k++) {
        w->promotions[k] = (promotion){.id = ids[k], .value_minor = MONEY_ABSENT};
        assert_int_equal(intern_add(w->c.promotion_ids, ids[k], 1), k);
    }
}

void world_make(world *w, const world_plan *plan)
{
    random_stream r = random_begin(plan->seed, 501);
    *w = (world){.shoppers = plan->shoppers, .n = 2 * (size_t)plan->shoppers};
    w->decision = calloc(w->n, sizeof *w->decision);
    w->candidate = calloc(w->n * WORLD_PROMOTIONS, sizeof *w->candidate);
    w->rows = calloc(w->n, sizeof *w->rows);
    assert_true(w->decision != NULL && w->candidate != NULL && w->rows != NULL);
    make_catalogue(w);
    for (size_t i = 0; i < w->n; i++) {
        policies_candidate *k = w->candidate + i * WORLD_PROMOTIONS;
        policies_decision *d = &w->decision[i];
        const uint32_t who = 1 + (uint32_t)i / 2;
        const unsigned type = golden_unit(who, plan->seed + 1) < .5;
        const bool all = golden_unit(who, plan->seed + 2) < .5;
        *d = (policies_decision){.shopper = who,
                                 .time_us = WORLD_START + (int64_t)(i % 2) * 14 * US_PER_DAY,
                                 .holdout = golden_unit(who, plan->seed + 3) < plan->holdout,
                                 .candidate = k,
                                 .n_candidates = WORLD_PROMOTIONS,
                                 .version = "one"};
        for (uint32_t j = 1; j <= WORLD_PROMOTIONS; j++)
            k[j - 1] = candidate_of(type, j, j < WORLD_PROMOTIONS || all);
        decide(d, k, plan, &r);
        live(w, d, type, &r);
    }
    assert_int_equal(history_from_rows(&w->h, w->rows, w->n_rows, w->shoppers, NULL), PF_OK);
    w->log = (policies_log){w->n, w->decision, w->h, &w->c};
}

void world_free(world *w)
{
    history_free(w->h);
    intern_free(w->c.promotion_ids);
    free(w->decision);
    free(w->candidate);
    free(w->rows);
    *w = (world){0};
}
