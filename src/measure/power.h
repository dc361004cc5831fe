/*
 * How many shoppers a test needs, and what a test of so many can tell, before it starts.
 *
 *     double n = power_rows_for_proportions(.10, .11, .5, .05, .8);    // 29,513 in both groups
 *
 * Two-sided tests at alpha with power 1 - beta; share: of all rows in the treated group. Formulas
 * of the normal approximation (Fleiss, Levin, Paik, Statistical Methods for Rates and
 * Proportions, 2003, section 4.2, without the continuity correction). NaN for a share, alpha or
 * power outside (0, 1), rates outside [0, 1], no difference to find, or no spread.
 */
#ifndef PROFFER_MEASURE_POWER_H
#define PROFFER_MEASURE_POWER_H

/* Rows in both groups together, not rounded. */
double power_rows_for_proportions(double treated, double control, double share, double alpha,
                                  double power);
/* deviation: of one row; explained: share of the variance that a covariate from before the test
 * takes away (CUPED), in [0, 1). */
double power_rows_for_means(double difference, double deviation, double explained, double share,
                            double alpha, double power);

/* The least true difference that a test of so many rows finds with this power: of means, and of
 * a rate above the control's. */
double power_difference_of_means(double rows, double deviation, double explained, double share,
                                 double alpha, double power);
double power_difference_of_proportions(double rows, double control, double share, double alpha,
                                       double power);

/* The probability that a test of so many rows finds a true difference. */
double power_of_means(double rows, double difference, double deviation, double explained,
                      double share, double alpha);
double power_of_proportions(double rows, double treated, double control, double share,
                            double alpha);

/* Why no number comes out: what is wrong with the common parts of a plan, or NULL (static
 * text that says what to do). */
const char *power_check_plan(double share, double explained, double alpha, double power);

#endif
