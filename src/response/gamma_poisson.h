/*
 * How far counts lie from what was expected, and what that says of the next: k ~ Poisson(E f) with
 * a factor f of each count's own, f ~ Gamma(a, a), of mean 1 and variance 1 / a (Gelman et al.,
 * "Bayesian data analysis", 3rd edition, sections 2.6 and 2.7; the marginal of k is negative
 * binomial). Private to this room.
 */
#ifndef PROFFER_RESPONSE_GAMMA_POISSON_H
#define PROFFER_RESPONSE_GAMMA_POISSON_H

#include <stddef.h>

/* A Gamma distribution: mean shape / rate, variance shape / rate^2. */
typedef struct gamma_belief {
    double shape, rate;
} gamma_belief;

double gamma_belief_mean(gamma_belief g);
double gamma_belief_sd(gamma_belief g);

/* What was expected (sum of chances) and what came. */
typedef struct gamma_count {
    double expected, answers; /* >= 0 */
} gamma_count;

/* Shapes tried: powers of 2^(1/4). The largest says that no spread was seen, the smallest that
 * counts have little to do with what was expected. */
#define GAMMA_LEAST_SHAPE 0.25
#define GAMMA_MOST_SHAPE 256.0
/* Without any count: factors differ by a half. */
#define GAMMA_DEFAULT_SHAPE 4.0

/* The a of largest marginal likelihood of n counts. */
double gamma_likeliest_shape(const gamma_count *count, size_t n);

/* What n counts, each with a factor of its own of shape a around a common mean, say of that mean:
 * a count of any size is worth at most a expected answers, and before any comes the prior is worth
 * as much as one large count of factor `before`. */
gamma_belief gamma_common(const gamma_count *count, size_t n, double a, double before);

#endif
