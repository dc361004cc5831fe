/*
 * Which candidate a shopper gets when nobody is sure yet, and the exact chance that each had.
 *
 * A model publishes D draws of its posterior, each with shadow prices of its own; a decision
 * takes one of them at random and does what is best under it (Thompson, Biometrika 25, 1933;
 * Chapelle and Li, NIPS 2011). So the propensity of a candidate is exactly the share of draws
 * that choose it: nothing is estimated, and the log can be read by evaluate/off_policy.h.
 *
 *     explore_problem p = {.draws = 64, .candidates = C, .value = value};
 *     explore_plan plan = explore_plan_default(salt);
 *     explore_choice chosen;
 *     status = explore_choose(&p, &plan, shopper, moment_us, propensity, &chosen, err);
 *     // chosen.candidate, chosen.propensity; propensity [C] of all, which go to the log
 *
 * "None" is a candidate like the others: value 0, nothing used.
 *
 * Chances are counted in lots, 2^32 of them: whole numbers, of which each candidate holds some.
 * D is a power of two, so every draw holds equally many, a propensity is a double without any
 * rounding, and the propensities of a decision sum to one exactly, in whatever order.
 *
 *   Thompson  every draw holds equally many lots for its best candidate
 *   greedy    all lots but a share epsilon are held by the best on average over the draws;
 *             epsilon is spread over all candidates (the best gets its part of it, too)
 *   softmax   exp(worth on average / temperature), rounded down to lots; what rounding leaves is
 *             given to the best
 *
 * Each may have a floor: no candidate is chosen less often than that, so that a later policy may
 * take any of them and the log still speaks of it. Without one, a candidate that no draw chooses
 * has propensity 0, and the log says nothing of policies that would take it.
 *
 * Candidates of equal worth under a draw take turns: draw d belongs to the (d mod ties)-th.
 * Nothing is allocated. A choice is a function of (salt, shopper, moment): the same for ever, on
 * any thread, in any order. Pure functions.
 */
#ifndef PROFFER_DECIDE_EXPLORE_H
#define PROFFER_DECIDE_EXPLORE_H

#include <stdint.h>

#include "base/status.h"

enum {
    EXPLORE_DRAWS_DEFAULT = 64,
    EXPLORE_DRAWS_MAX = 4096,
    EXPLORE_CANDIDATES_MAX = 4096,
    EXPLORE_MEASURES_MAX = 4096
};
#define EXPLORE_LOTS (UINT64_C(1) << 32)
/* The choice was made by the floor or by an average, not by a draw. */
#define EXPLORE_NO_DRAW UINT32_MAX

typedef enum explore_method { EXPLORE_THOMPSON, EXPLORE_GREEDY, EXPLORE_SOFTMAX } explore_method;

/* All borrowed. Worth of candidate c under draw d: value less the sum of use times price. */
typedef struct explore_problem {
    uint32_t draws;      /* D: a power of two, 1 .. EXPLORE_DRAWS_MAX; 1 = a point estimate */
    uint32_t candidates; /* C: 1 .. EXPLORE_CANDIDATES_MAX */
    uint32_t measures;   /* M: what has a price; 0 = nothing */
    const double *value; /* [D x C] minor units, finite */
    const double *price; /* [D x M] minor units for one unit of the measure, >= 0; NULL: M = 0 */
    const double *use;   /* [C x M] units that a candidate uses, >= 0; NULL: M = 0 */
} explore_problem;

typedef struct explore_plan {
    explore_method method;
    double epsilon;     /* greedy: share of lots spread over all, 0 .. 1 */
    double temperature; /* softmax: minor units, above 0 */
    double floor;       /* least propensity of any candidate, 0 .. 1 / C */
    uint64_t salt;      /* another salt, another lot; kept beside the policy's version */
} explore_plan;

/* Thompson without a floor; epsilon .1 and temperature 1 for who changes the method. */
explore_plan explore_plan_default(uint64_t salt);

typedef struct explore_choice {
    uint32_t candidate;
    uint32_t draw; /* that was taken, or EXPLORE_NO_DRAW */
    double propensity;
} explore_choice;

/* The chances alone, [C], each at least the floor (one lot less where C floors take all lots):
 * for the log of decisions made elsewhere and for judging this policy on another's log. PF_USAGE
 * with what is wrong and what to do: no candidate, draws that are no power of two, a floor that C
 * candidates cannot all have, a setting outside its range. PF_DATA with draw and candidate: a
 * value, a price or a use that is not finite (or beyond 1e100), a price or use below zero.
 * *propensity is untouched on failure. */
pf_status explore_propensities(const explore_problem *p, const explore_plan *plan,
                               double *propensity, pf_error *err);

/* The chances and the choice. Two decisions for one shopper need two moments. */
pf_status explore_choose(const explore_problem *p, const explore_plan *plan, uint64_t shopper,
                         int64_t moment_us, double *propensity, explore_choice *out,
                         pf_error *err);

#endif
