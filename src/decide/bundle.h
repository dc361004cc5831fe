/*
 * Minimises a convex function of n variables x >= 0 that is known by its value and one
 * subgradient at a time: the proximal bundle method (Lemarechal 1978; Kiwiel, "Proximity
 * control in bundle methods for convex nondifferentiable minimization", Mathematical
 * Programming 46, 1990). It suits functions that are a sum of maxima, such as the dual of
 * an allocation, whose kinks defeat plain gradient steps.
 *
 * Each call of the oracle gives a cut c + g.x below the function. The next point
 * minimises
 *
 *     max over cuts (c_i + g_i.y)  +  |y - x|^2 / (2 t)      over y >= 0
 *
 * whose dual lives on the simplex of cut weights and is solved by pairwise steps.
 *
 * It is deterministic. It is not a general solver: variables should be scaled so that 1
 * is a typical size of each.
 */
#ifndef PROFFER_DECIDE_BUNDLE_H
#define PROFFER_DECIDE_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The value at x [n]; gradient [n] gets a subgradient. Both finite. */
typedef double bundle_oracle(void *context, const double *x, double *gradient);

typedef struct bundle_options {
    uint32_t maximum_calls; /* of the oracle */
    double tolerance; /* stops when the model promises less than this share of |value| */
    double step;      /* first t; <= 0: chosen from the first gradient */
} bundle_options;

/* 400 calls, 1e-9, chosen. */
bundle_options bundle_options_default(void);

typedef struct bundle_result {
    double value; /* at x: the smallest seen */
    uint32_t calls;
    double promised; /* what the model still promised when it stopped, >= 0 */
} bundle_result;

/* x [n] comes as the start (>= 0) and leaves as the best point. PF_NO_MEMORY, with x as
 * it came. */
pf_status bundle_minimise(bundle_oracle *oracle, void *context, size_t n, double *x,
                          const bundle_options *options, bundle_result *out,
                          pf_error *err);

#endif
