/*
 * Lots: 0 .. 2^32 - 1, from below: the method's own part, then the part that is spread evenly
 * (the floor, epsilon, and the few lots that division leaves).
 *
 *     0                           K D                     2^32
 *     | K lots for each of D draws | candidate 0 1 2 0 1 2 . |      Thompson; greedy with D = 1
 *     | K lots, by softmax         | candidate 0 1 2 0 1 2 . |
 *
 * The lot of a decision is one word of Philox at (salt, shopper, moment): uniform over all lots.
 */
#include "decide/explore.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/random.h"

static const double epsilon_default = .1, temperature_default = 1;
/* No amount of money; keeps sums and products finite. */
#define LARGEST 1e100

explore_plan explore_plan_default(uint64_t salt)
{
    return (explore_plan){.method = EXPLORE_THOMPSON,
                          .epsilon = epsilon_default,
                          .temperature = temperature_default,
                          .salt = salt};
}

/* --- what is refused -------------------------------------------------------------------- */

static pf_status check_sizes(const explore_problem *p, pf_error *err)
{
    if (p->candidates == 0 || p->candidates > EXPLORE_CANDIDATES_MAX)
        return error_set(err, PF_USAGE,
                         "exploration needs 1 to %d candidates, not %u; 'none' is one of them",
                         EXPLORE_CANDIDATES_MAX, p->candidates);
    if (p->draws == 0 || p->draws > EXPLORE_DRAWS_MAX || (p->draws & (p->draws - 1)) != 0)
        return error_set(err, PF_USAGE,
                         "exploration needs a power of two of draws, 1 to %d, not %u; publish %d",
                         EXPLORE_DRAWS_MAX, p->draws, EXPLORE_DRAWS_DEFAULT);
    if (p->measures > EXPLORE_MEASURES_MAX)
        return error_set(err, PF_USAGE, "exploration knows up to %d prices, not %u",
                         EXPLORE_MEASURES_MAX, p->measures);
    return PF_OK;
}

static pf_status check_plan(const explore_problem *p, const explore_plan *plan, pf_error *err)
{
    if (plan->method > EXPLORE_SOFTMAX)
        return error_set(err, PF_USAGE, "there is no way %d to explore", (int)plan->method);
    if (!(plan->floor >= 0) || plan->floor * p->candidates > 1)
        return error_set(err, PF_USAGE,
                         "%u candidates cannot all have a propensity of at least %g; lower the "
                         "floor to %g or offer fewer candidates",
                         p->candidates, plan->floor, 1. / p->candidates);
    if (plan->method == EXPLORE_GREEDY && !(plan->epsilon >= 0 && plan->epsilon <= 1))
        return error_set(err, PF_USAGE, "epsilon is a share, 0 to 1, not %g", plan->epsilon);
    if (plan->method == EXPLORE_SOFTMAX &&
        !(plan->temperature > 0 && isfinite(plan->temperature)))
        return error_set(err, PF_USAGE, "the temperature of softmax is above 0, not %g",
                         plan->temperature);
    return PF_OK;
}

/* What [rows x columns] may hold; the message names row and column by their nouns. */
typedef struct table {
    const double *x;
    uint32_t rows, columns;
    bool may_be_negative;
    const char *what, *row, *column;
} table;

static pf_status check_table(const table *t, pf_error *err)
{
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t c = 0; c < t->columns; c++) {
            const double x = t->x[(size_t)r * t->columns + c];
            if (fabs(x) <= LARGEST && (t->may_be_negative || x >= 0)) continue;
            return error_set(err, PF_DATA, "the %s of %s %u, %s %u is %g; it must be finite%s",
                             t->what, t->row, r, t->column, c, x,
                             t->may_be_negative ? "" : " and not negative");
        }
    return PF_OK;
}

static pf_status check(const explore_problem *p, const explore_plan *plan, pf_error *err)
{
    const table tables[] = {
        {p->value, p->draws, p->candidates, true, "value", "draw", "candidate"},
        {p->price, p->draws, p->measures, false, "price", "draw", "measure"},
        {p->use, p->candidates, p->measures, false, "use", "candidate", "measure"},
    };
    pf_status s = check_sizes(p, err);
    if (s == PF_OK) s = check_plan(p, plan, err);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && s == PF_OK; i++)
        s = check_table(&tables[i], err);
    return s;
}

/* --- worth ------------------------------------------------------------------------------ */

static double worth(const explore_problem *p, uint32_t d, uint32_t c)
{
    double net = p->value[(size_t)d * p->candidates + c];
    for (uint32_t m = 0; m < p->measures; m++)
        net -= p->use[(size_t)c * p->measures + m] * p->price[(size_t)d * p->measures + m];
    return net;
}

/* On average over the draws; divided first, so that large values stay finite. */
static double worth_on_average(const explore_problem *p, uint32_t c)
{
    double sum = 0;
    for (uint32_t d = 0; d < p->draws; d++)
        sum += worth(p, d, c) / p->draws;
    return sum;
}

static double worth_of(const explore_problem *p, uint32_t d, uint32_t c)
{
    return d == EXPLORE_NO_DRAW ? worth_on_average(p, c) : worth(p, d, c);
}

/* The best candidate under a draw, or on average (EXPLORE_NO_DRAW), where the first of equals is
 * taken. Under a draw equals take turns, so that a model which knows nothing tries everything. */
static uint32_t best(const explore_problem *p, uint32_t d)
{
    double most = -INFINITY;
    uint32_t first = 0, ties = 0;
    for (uint32_t c = 0; c < p->candidates; c++) {
        const double w = worth_of(p, d, c);
        if (ties == 0 || w > most) {
            most = w;
            first = c;
            ties = 1;
        } else if (w == most) {
            ties++;
        }
    }
    uint32_t turn = d == EXPLORE_NO_DRAW ? 0 : d % ties;
    for (uint32_t c = first; turn > 0 && ++c < p->candidates;)
        if (worth_of(p, d, c) == most && --turn == 0) return c;
    return first;
}

/* --- lots ------------------------------------------------------------------------------- */

/* How many lots the method holds: what the floor and epsilon leave. A floor is rounded up. */
static uint64_t lots_of_method(const explore_problem *p, const explore_plan *plan)
{
    const double each = plan->floor * (double)EXPLORE_LOTS;
    uint64_t even = (uint64_t)ceil(each) * p->candidates;
    if (plan->method == EXPLORE_GREEDY) {
        const uint64_t epsilon = (uint64_t)(plan->epsilon * (double)EXPLORE_LOTS);
        if (even < epsilon) even = epsilon;
    }
    if (even > EXPLORE_LOTS) even = EXPLORE_LOTS;
    return EXPLORE_LOTS - even;
}

/* Thompson's lots are a multiple of D, so that all draws hold equally many. */
static uint64_t lots_in_draws(const explore_problem *p, const explore_plan *plan)
{
    const uint64_t lots = lots_of_method(p, plan);
    return plan->method == EXPLORE_THOMPSON ? lots - lots % p->draws : lots;
}

static void give(double *propensity, uint32_t c, uint64_t lots)
{
    propensity[c] += (double)lots / (double)EXPLORE_LOTS;
}

static void give_evenly(const explore_problem *p, uint64_t lots, double *propensity)
{
    for (uint32_t c = 0; c < p->candidates; c++)
        give(propensity, c, lots / p->candidates + (c < lots % p->candidates));
}

/* Rounding down cannot give more lots than there are: the error of all shares together is below
 * 2^32 C 2^-52, less than one lot. */
static void give_by_softmax(const explore_problem *p, const explore_plan *plan, uint64_t lots,
                            double *propensity)
{
    const uint32_t top = best(p, EXPLORE_NO_DRAW);
    const double most = worth_on_average(p, top);
    double sum = 0;
    uint64_t left = lots;
    for (uint32_t c = 0; c < p->candidates; c++)
        sum += exp((worth_on_average(p, c) - most) / plan->temperature);
    for (uint32_t c = 0; c < p->candidates; c++) {
        const double weight = exp((worth_on_average(p, c) - most) / plan->temperature);
        const uint64_t part = (uint64_t)(weight / sum * (double)lots);
        give(propensity, c, part);
        left -= part;
    }
    give(propensity, top, left);
}

static void share_out(const explore_problem *p, const explore_plan *plan, double *propensity)
{
    const uint64_t lots = lots_in_draws(p, plan);
    for (uint32_t c = 0; c < p->candidates; c++)
        propensity[c] = 0;
    if (plan->method == EXPLORE_THOMPSON)
        for (uint32_t d = 0; d < p->draws; d++)
            give(propensity, best(p, d), lots / p->draws);
    else if (plan->method == EXPLORE_GREEDY)
        give(propensity, best(p, EXPLORE_NO_DRAW), lots);
    else
        give_by_softmax(p, plan, lots, propensity);
    give_evenly(p, EXPLORE_LOTS - lots, propensity);
}

pf_status explore_propensities(const explore_problem *p, const explore_plan *plan,
                               double *propensity, pf_error *err)
{
    pf_status s = check(p, plan, err);
    if (s == PF_OK) share_out(p, plan, propensity);
    return s;
}

/* --- choosing --------------------------------------------------------------------------- */

static uint64_t draw_lot(uint64_t salt, uint64_t shopper, int64_t moment_us)
{
    uint32_t words[4];
    random_block(salt, shopper, (uint64_t)moment_us, words);
    return words[0];
}

/* Softmax has no draws: whoever holds the lot when all stand in a row. */
static uint32_t holder(const double *propensity, uint32_t candidates, uint64_t lot)
{
    const double at = (double)lot / (double)EXPLORE_LOTS;
    double sum = 0;
    for (uint32_t c = 0; c + 1 < candidates; c++) {
        sum += propensity[c];
        if (at < sum) return c;
    }
    return candidates - 1;
}

pf_status explore_choose(const explore_problem *p, const explore_plan *plan, uint64_t shopper,
                         int64_t moment_us, double *propensity, explore_choice *out,
                         pf_error *err)
{
    pf_status s = explore_propensities(p, plan, propensity, err);
    if (s != PF_OK) return s;
    const uint64_t lots = lots_in_draws(p, plan);
    const uint64_t lot = draw_lot(plan->salt, shopper, moment_us);
    *out = (explore_choice){.draw = EXPLORE_NO_DRAW};
    if (plan->method == EXPLORE_SOFTMAX) {
        out->candidate = holder(propensity, p->candidates, lot);
    } else if (lot >= lots) {
        out->candidate = (uint32_t)((lot - lots) % p->candidates);
    } else {
        if (plan->method == EXPLORE_THOMPSON) out->draw = (uint32_t)(lot / (lots / p->draws));
        out->candidate = best(p, out->draw);
    }
    out->propensity = propensity[out->candidate];
    return PF_OK;
}
