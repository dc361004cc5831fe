/*
 * Counts of a group read with the help of the group it belongs to: shares of cells (hours,
 * weekdays; answered or not) and answers relative to what was expected, each shrunk to the
 * parent's by a strength kappa that is estimated from the counts. Empirical Bayes by the method
 * of moments.
 *
 *   shares     c cells of n counts, parent's shares m: c ~ multinomial, its shares Dirichlet
 *              (kappa m); posterior mean (c + kappa m) / (n + kappa). With rho = 1 / (kappa + 1),
 *                  E sum (c - n m)^2 = n (1 - sum m^2) (1 + (n - 1) rho),
 *              solved for rho over all groups (Kleinman, "Proportions with extraneous variance",
 *              JASA 68, 1973, for two cells; Mosimann, Biometrika 49, 1962, for more).
 *   relative   a answers where E were expected, parent's relative rate M: a ~ Poisson(E r), r
 *              gamma with mean M and rate kappa; posterior mean (a + kappa M) / (E + kappa). With
 *                  E (a - E M)^2 = E M + E^2 M / kappa
 *              (Clayton and Kaldor, Biometrics 43, 1987; by moments: Marshall, Applied Statistics
 *              40, 1991). Answers are yes or no, so E M (1 - p M) stands for the first E M.
 *
 * Each group's equation is divided by its n (or E), so that a group counts by its size and not by
 * its square. From the sum as much is taken off as chance alone exceeds once in forty times, so
 * that few counts do not make differences up; with many that is nothing. Two corrections: a group
 * of n that is part of its parent's N cannot lie as far from it (factor 1 - n / N), and counts of
 * a group whose members differ vary by a `spread` times as much as counts of equals (survey
 * sampling's design effect, Kish 1965).
 *
 * Beside each mean stands its variance by counting error alone: how far another sample of the
 * same shoppers might have led, not how much shoppers differ; rather too large, for a group's error
 * and its parent's are taken to go together. Private to this room; pure.
 */
#ifndef PROFFER_RESPONSE_SHRINK_H
#define PROFFER_RESPONSE_SHRINK_H

#include <stddef.h>

/* Strengths lie between these, in counts. The most stands where groups are less different than
 * chance makes them. */
#define SHRINK_LEAST 1.0
#define SHRINK_MOST 1e5
/* What stands where no group has two counts, and is outvoted soon: as if groups of so many counts
 * (or answers expected) had been seen to differ that much. */
#define SHRINK_PRIOR 100.0
#define SHRINK_PRIOR_WEIGHT 100.0

/* Standard errors of chance that are taken off the sum before it is believed. */
#define SHRINK_DOUBT 2.0

/* Both sides of the moment equation, summed over groups, and the variance that the first has
 * where groups do not differ; begin with {0}. */
typedef struct shrink_sum {
    double excess, scale, variance;
} shrink_sum;

/* total: of the parent; 0: the group is no part of it. spread >= 1. */
void shrink_add_shares(shrink_sum *s, const double *count, const double *parent, size_t cells,
                       double total, double spread);
void shrink_add_relative(shrink_sum *s, double answers, double expected, double parent,
                         double rate);
double shrink_strength_shares(const shrink_sum *s);
double shrink_strength_relative(const shrink_sum *s);

/* A mean and its variance. */
typedef struct shrunk {
    double mean, variance;
} shrunk;

/* count of n with the parent's share. */
shrunk shrink_share(double count, double n, shrunk parent, double strength, double spread);
shrunk shrink_relative(double answers, double expected, shrunk parent, double strength);

/* The design effect for a sum of groups: sizes n_i with sum n and sum of squares n2. */
double shrink_spread(double n, double n2, double strength);

#endif
