/*
 * What two groups of a test differ by, and whether the groups are what they should be.
 *
 *     difference d;
 *     status = difference_of_proportions(345, 2400, 298, 2395, .95, &d, err);
 *     // d.value = .0193, d.low .. d.high, d.p
 *
 * The first group is the treated one: values are its less the second's. All rows of one
 * shopper must have been summed to one before; otherwise use measure/bootstrap.h.
 */
#ifndef PROFFER_MEASURE_DIFFERENCE_H
#define PROFFER_MEASURE_DIFFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "measure/moments.h"

typedef struct difference {
    double first, second; /* means of the groups */
    double value, standard_error;
    double low, high; /* interval of the level asked for */
    double statistic, df; /* z with df infinite, or Welch's t */
    double p;             /* two-sided, of no difference at all */
} difference;

typedef struct interval {
    double low, high;
} interval;

/* x of n had the outcome. The interval is Wald's, the test uses the pooled share. PF_DATA for
 * an empty group, x > n, or a level outside (0, 1); and, here and below, when the outcomes of
 * both groups are all equal: there is nothing to tell the groups apart by, and an interval of no
 * width would look like a proof. On failure *out is untouched. */
pf_status difference_of_proportions(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2,
                                    double level, difference *out, pf_error *err);

/* Welch's test (Biometrika 34, 1947) of values [n]; each group needs two values at least, all
 * finite. PF_DATA otherwise. */
pf_status difference_of_means(const double *first, size_t n1, const double *second, size_t n2,
                              double level, difference *out, pf_error *err);

/* The same of groups summed up before: of y; x is not looked at. */
pf_status difference_of_moments(const moments *first, const moments *second, double level,
                                difference *out, pf_error *err);

/* The same of outcomes y, drawn nearer by what is known of each row from before the test:
 * y - theta (x - mean of all x), theta = cov(y, x) / var(x) within the groups (CUPED: Deng, Xu,
 * Kohavi, Walker, WSDM 2013, section 3.2). explained: the share of y's variance that goes. Without
 * spread in x it is plain difference_of_means. */
typedef struct covariate_group {
    const double *y, *x; /* [n] */
    size_t n;
} covariate_group;
pf_status difference_with_covariate(covariate_group first, covariate_group second, double level,
                                    difference *out, double *explained, pf_error *err);
pf_status difference_adjusted(const moments *first, const moments *second, double level,
                              difference *out, double *explained, pf_error *err);

/* Ratios of sums, Σ y / Σ x, where a row is a shopper with several x (returns per purchase, stars
 * per rating): the delta method over rows (Deng, Knoblich, Lu, KDD 2018, section 2), then Welch's
 * test. PF_DATA too where Σ x of a group is not above 0. */
pf_status difference_of_ratios(const moments *first, const moments *second, double level,
                               difference *out, pf_error *err);

/* Wilson's interval of a share (JASA 22, 1927). PF_DATA as above. */
pf_status wilson_interval(uint64_t x, uint64_t n, double level, interval *out, pf_error *err);

/* Whether groups have the sizes they were to have: chi-square with k - 1 degrees of freedom
 * (Fabijan et al., KDD 2019, on what to do when not: do not read the result). */
typedef struct sample_ratio {
    double chi_square, p;
} sample_ratio;
/* count [k], share [k] > 0 that sum to one; k >= 2. PF_DATA otherwise. */
pf_status sample_ratio_test(const uint64_t *count, const double *share, size_t k,
                            sample_ratio *out, pf_error *err);
/* The shares alone. */
pf_status sample_ratio_check(const double *share, size_t k, pf_error *err);

/* Adjusts p [n] for being n questions at once (Holm, Scandinavian Journal of Statistics 6,
 * 1979): rejecting where adjusted <= alpha errs with probability alpha over all of them. May be
 * in place. PF_LIMIT for more than DIFFERENCE_QUESTIONS_MAX; PF_DATA for a p outside [0, 1]. */
enum { DIFFERENCE_QUESTIONS_MAX = 256 };
pf_status difference_adjust_holm(const double *p, size_t n, double *adjusted, pf_error *err);

#endif
