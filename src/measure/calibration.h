/*
 * Whether probabilities mean what they say, and two ways to make them.
 *
 * Arrays: p or score [n], y [n] of 0 and 1, w [n] weights or NULL for all ones.
 *
 *     reliability_bin bins[10];
 *     status = reliability_of(p, y, n, 10, bins, err);
 *     double ece = reliability_ece(bins, 10);
 *
 *     isotonic map;
 *     status = isotonic_fit(&map, score, y, NULL, n, err);     // owns two arrays
 *     double q = isotonic_apply(&map, score[0]);
 *     isotonic_free(&map);
 *
 * The fitted structs are plain numbers, written to a model file as they are.
 */
#ifndef PROFFER_MEASURE_CALIBRATION_H
#define PROFFER_MEASURE_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Rows whose p are neighbours: what was said and what happened. */
typedef struct reliability_bin {
    size_t n; /* 0 when there are fewer rows than bins: the rest is then 0 */
    double mean_p, mean_y;
    double lowest_p, highest_p;
} reliability_bin;

/* `bins` bins of equal count over the rows sorted by p (ties in their order); the first
 * n % bins of them have one row more. out [bins], bins >= 1. PF_DATA when a p is not a
 * number, PF_NO_MEMORY. */
pf_status reliability_of(const double *p, const uint8_t *y, size_t n, size_t bins,
                         reliability_bin *out, pf_error *err);

/* Expected calibration error: the mean over rows of |mean_p - mean_y| of their bin; NaN
 * without rows (Naeini, Cooper, Hauskrecht, AAAI 2015). */
double reliability_ece(const reliability_bin *bins, size_t n_bins);

/* Sum of p over sum of y: 1 when as many respond as were announced; NaN without any. */
double calibration_sum_ratio(const double *p, const uint8_t *y, size_t n);

/* A rising map from scores to probabilities: knots (x, y), straight between them,
 * constant outside. x rises strictly, y never falls. */
typedef struct isotonic {
    size_t n;
    double *x, *y;
} isotonic;

/* Least squares under monotony by pooling adjacent violators (Ayer, Brunk, Ewing, Reid,
 * Silverman, Annals of Mathematical Statistics 26, 1955); rows of equal score count as
 * one. PF_DATA without rows (or weight) or for a score that is not a finite number,
 * PF_NO_MEMORY; *out is then empty. */
pf_status isotonic_fit(isotonic *out, const double *score, const uint8_t *y,
                       const double *w, size_t n, pf_error *err);
/* A fitted map only; NaN gives NaN. */
double isotonic_apply(const isotonic *map, double score);
/* An empty one is fine. */
void isotonic_free(isotonic *map);

/* Platt scaling: p = 1 / (1 + exp(-(slope * score + shift))). */
typedef struct platt {
    double slope, shift;
} platt;

/* By Newton's method with the smoothed targets of Platt (1999) as in Lin, Lin and Weng,
 * "A note on Platt's probabilistic outputs", Machine Learning 68 (2007), algorithm 1.
 * PF_DATA without rows (or weight), for a score that is not a finite number, or for scores
 * so large or so far apart that no minimum is found; *out is then untouched. */
pf_status platt_fit(platt *out, const double *score, const uint8_t *y, const double *w,
                    size_t n, pf_error *err);
double platt_apply(const platt *map, double score);

#endif
