/*
 * How well a score tells whom a treatment moves: Qini and uplift curves, their areas, and the
 * uplift of the best scored share.
 *
 * Rows: score [n] any order of preference, treated [n] 0 or 1, y [n] the outcome (0 and 1, or
 * an amount). The arms must be comparable, as in a randomised test.
 *
 *     uplift_ranking *r;
 *     status = uplift_ranking_new(&r, score, treated, y, n, err);   // sorts once
 *     double qini = uplift_qini_auc(r, NULL);
 *     uplift_ranking_free(r);
 *
 * Weights w [n] >= 0 (a bootstrap's counts; NULL: all ones) stand for that many rows. Nothing
 * below sorts or allocates again, so any number of threads may ask at once.
 *
 * Among the best m rows let Y1, Y0 be the sums of outcomes in the two arms and n1, n0 the rows:
 *     qini(m)   = Y1 - Y0 n1 / n0                 (Radcliffe, Direct Marketing Analytics
 *                                                 Journal, 2007, section 6)
 *     uplift(m) = (Y1 / n1 - Y0 / n0) m           (Gutierrez and Gérardy, PMLR 67, 2017, eq. 11)
 * with a quotient of no rows taken as 0. Rows of equal score enter together. An area is over
 * that of the diagonal to the curve's end, divided by the same of the best possible order;
 * the values are those of scikit-uplift. What does not exist (an arm without rows, outcomes all
 * equal) is NaN.
 */
#ifndef PROFFER_MEASURE_UPLIFT_H
#define PROFFER_MEASURE_UPLIFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct uplift_ranking uplift_ranking;

/* Keeps copies. PF_DATA for a score or an outcome that is not a finite number; PF_LIMIT from
 * 2^32 rows on; PF_NO_MEMORY. */
pf_status uplift_ranking_new(uplift_ranking **out, const double *score, const uint8_t *treated,
                             const double *y, size_t n, pf_error *err);
/* NULL is fine. */
void uplift_ranking_free(uplift_ranking *r);

double uplift_qini_auc(const uplift_ranking *r, const double *w);
double uplift_auc(const uplift_ranking *r, const double *w);

typedef enum uplift_share_of {
    UPLIFT_OVERALL, /* the best share of all rows together */
    UPLIFT_BY_ARM   /* the best share of each arm's rows, against each other */
} uplift_share_of;

/* Mean outcome of the treated less that of the others among the best floor(share n) rows, 0 <
 * share <= 1; of rows of equal score the later stands before the earlier, as in scikit-uplift.
 * NaN where an arm is empty there. */
double uplift_at(const uplift_ranking *r, const double *w, double share, uplift_share_of of);

/* A curve's points, the first (0, 0): x rows, y as above. */
typedef struct uplift_point {
    double rows, value;
} uplift_point;
typedef enum uplift_curve { UPLIFT_QINI, UPLIFT_CUMULATIVE } uplift_curve;
/* How many points there are at most: fills up to `most` of them, returns how many there are. */
size_t uplift_curve_points(const uplift_ranking *r, uplift_curve which, const double *w,
                           uplift_point *out, size_t most);

#endif
