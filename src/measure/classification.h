/*
 * How well predicted probabilities tell those who respond from those who do not.
 *
 * Arrays: score or p [n], y [n] of 0 and 1, w [n] weights >= 0 or NULL for all ones. A
 * metric that does not exist (one class only, no weight) is NaN, which JSON writes as
 * null.
 *
 *     double auc;
 *     status = measure_roc_auc(p, y, NULL, n, &auc, err);
 *
 * For many weightings of the same scores (a bootstrap) sort once:
 *
 *     ranked *r;
 *     status = ranked_new(&r, p, y, n, err);
 *     auc = ranked_roc_auc(r, w);      // no sort, no allocation; any number of threads
 *     ranked_free(r);
 */
#ifndef PROFFER_MEASURE_CLASSIFICATION_H
#define PROFFER_MEASURE_CLASSIFICATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Scores sorted once; keeps nothing of its arguments. */
typedef struct ranked ranked;

/* PF_DATA when a score is not a number, PF_NO_MEMORY, PF_LIMIT from 2^32 rows on. */
pf_status ranked_new(ranked **out, const double *score, const uint8_t *y, size_t n,
                     pf_error *err);
void ranked_free(ranked *r);

/* Area under the ROC curve: the probability that a responder scores above a
 * non-responder, ties counting one half (Hanley and McNeil, Radiology 143, 1982). */
double ranked_roc_auc(const ranked *r, const double *w);
/* Sum over the distinct scores, from the best, of (recall gained) * precision. */
double ranked_average_precision(const ranked *r, const double *w);

/* The same in one call each; errors as ranked_new. */
pf_status measure_roc_auc(const double *score, const uint8_t *y, const double *w,
                          size_t n, double *out, pf_error *err);
pf_status measure_average_precision(const double *score, const uint8_t *y,
                                    const double *w, size_t n, double *out,
                                    pf_error *err);

/* Mean of -log of the probability given to what happened, with p clipped to
 * [clip, 1 - clip]: 0 for certain and right. */
double measure_log_loss(const double *p, const uint8_t *y, const double *w, size_t n,
                        double clip);
/* Mean of (p - y)^2 (Brier, Monthly Weather Review 78, 1950). */
double measure_brier(const double *p, const uint8_t *y, const double *w, size_t n);

#endif
