/*
 * The distributions that tests and intervals speak in: normal, Student's t, chi-square, beta;
 * the share below a value, the share above it, and the value that has a share below it.
 *
 *     double z = normal_quantile(0.975);               // 1.959963984540054
 *     double p = chi_square_above(10.58, 1);           // 0.0011431765973566
 *
 * Shares and quantiles agree with exact values to 1e-9 absolute, and tails to 1e-9 of
 * themselves down to 1e-300 (t up to 1e150), for shapes and degrees of freedom up to 1e7
 * (beyond, time and error grow with their square root). Arguments that make no sense (a shape
 * that is not positive, a share or a beta's x outside [0, 1], NaN) give NaN. Pure functions: any
 * thread.
 *
 * From where: the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov, by
 * number in distribution.c; densities by Loader, "Fast and accurate computation of binomial
 * probabilities" (2000), so that large shapes lose no digits to differences of logarithms.
 */
#ifndef PROFFER_MEASURE_DISTRIBUTION_H
#define PROFFER_MEASURE_DISTRIBUTION_H

/* Standard normal: share below and above x, and the value with a share p below it. */
double normal_below(double x);
double normal_above(double x);
double normal_quantile(double p);

/* Student's t with `degrees` > 0 of freedom, whole or not; INFINITY is the normal. */
double student_below(double t, double degrees);
double student_above(double t, double degrees);
double student_quantile(double p, double degrees);

/* Chi-square with `degrees` > 0 of freedom. */
double chi_square_below(double x, double degrees);
double chi_square_above(double x, double degrees);
double chi_square_quantile(double p, double degrees);

/* Beta with shapes a, b > 0: x in [0, 1]. */
double beta_below(double x, double a, double b);
double beta_above(double x, double a, double b);
double beta_quantile(double p, double a, double b);

#endif
