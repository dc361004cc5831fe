/*
 * Distribution functions that tests and intervals need, to about 1e-12.
 *
 *     double z = normal_quantile(.975);           // 1.959963984540054
 *     double p = 2 * student_upper(fabs(t), df);  // two-sided
 *
 * Sources: regularised incomplete gamma and beta functions by series and continued fraction
 * (DLMF 8.7.1, 8.9.2, 8.17.22), evaluated by the modified Lentz algorithm (Thompson and
 * Barnett, J. Comput. Phys. 64, 1986); quantiles by bisection and Newton steps on them.
 * Arguments outside their domain give NaN. Pure functions.
 */
#ifndef PROFFER_MEASURE_DISTRIBUTION_H
#define PROFFER_MEASURE_DISTRIBUTION_H

/* P(Z <= x) and P(Z > x) of a standard normal; the second keeps its digits far out. */
double normal_below(double x);
double normal_above(double x);
/* The x with P(Z <= x) = p; infinite at 0 and 1. */
double normal_quantile(double p);

/* P(X > x) of chi-square with df > 0 degrees of freedom. */
double chi_square_above(double x, double df);

/* P(T > t) of Student's t with df > 0 degrees of freedom, and the t with P(T <= t) = p. */
double student_above(double t, double df);
double student_quantile(double p, double df);

/* I_x(a, b): P(X <= x) of a beta distribution; a, b > 0, x in [0, 1]. */
double beta_below(double x, double a, double b);
/* The x with I_x(a, b) = p. */
double beta_quantile(double p, double a, double b);

#endif
