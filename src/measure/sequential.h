/*
 * Intervals that may be looked at every day: the truth stays within all of them together with
 * the level's probability, so a test may be stopped the moment its interval leaves zero.
 *
 *     double reach = sequential_reach(d.standard_error, n, planned, .05);
 *     bool better = d.value - reach > 0;          // at any time, as often as one likes
 *
 * Asymptotic confidence sequences of means: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
 * "Time-uniform central limit theory and asymptotic confidence sequences", Annals of
 * Statistics 52 (2024), theorem 2.2, with the mixture's width chosen for a planned number of
 * rows as in its appendix B.2. The price is an interval about half again as wide as one that may
 * be looked at once. Asymptotic: not to be read before some fifty rows a group.
 */
#ifndef PROFFER_MEASURE_SEQUENTIAL_H
#define PROFFER_MEASURE_SEQUENTIAL_H

/* Half the width of the interval, from the standard error after n rows in both groups together.
 * planned: rows by which it is to be tightest, alpha = 1 - level within (0, 1). NaN for n or
 * planned that are not above 0, or alpha outside. */
double sequential_reach(double standard_error, double n, double planned, double alpha);

/* The least alpha at which the interval does not hold zero at this moment: an always valid p
 * value, at most 1 (Johari, Koomen, Pekelis, Walsh, Operations Research 70, 2022). The smallest
 * seen so far counts. */
double sequential_p(double value, double standard_error, double n, double planned, double alpha);

#endif
