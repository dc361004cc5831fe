/*
 * How sure a number is: the bootstrap over groups (Efron and Tibshirani, An Introduction
 * to the Bootstrap, 1993; clusters: Davison and Hinkley, Bootstrap Methods, 1997, section
 * 3.8). Rows of one shopper stay together: a replicate draws as many shoppers as there
 * are, with replacement, and hands the statistic each row's weight: how often its shopper
 * was drawn.
 *
 *     static double auc(const void *context, const double *w)
 *     {
 *         return ranked_roc_auc(context, w);
 *     }
 *     bootstrap_plan plan = bootstrap_plan_default(shopper, n);
 *     bootstrap_result r;
 *     status = bootstrap_interval(&plan, auc, ranked, &r, err);
 *
 * Replicate b draws from the random stream (seed, b): the result is the same for any
 * number of threads.
 */
#ifndef PROFFER_MEASURE_BOOTSTRAP_H
#define PROFFER_MEASURE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

/* The statistic of the rows under weights w [n] (whole numbers, some 0); NULL means all
 * ones. NaN when it does not exist. Called by several threads at once when the plan has a
 * pool. */
typedef double bootstrap_statistic(const void *context, const double *w);

typedef struct bootstrap_plan {
    const uint32_t *group; /* [n]: any number, equal for rows that belong together */
    size_t n;
    unsigned replicates; /* 2 or more */
    double level;        /* of the interval, within (0, 1) */
    uint64_t seed;
    pool *threads; /* NULL: the caller alone */
} bootstrap_plan;

enum { BOOTSTRAP_REPLICATES_DEFAULT = 1000, BOOTSTRAP_REPLICATES_MAX = 1000000 };

/* 1000 replicates, level .95, seed 1, no pool. */
bootstrap_plan bootstrap_plan_default(const uint32_t *group, size_t n);

typedef struct bootstrap_result {
    double value;          /* of the rows themselves */
    double standard_error; /* standard deviation of the replicates */
    double low, high;      /* percentile interval */
    size_t groups;
    unsigned replicates; /* that had a value; the others were NaN */
} bootstrap_result;

/* PF_DATA without rows or when fewer than two replicates have a value; PF_USAGE for a
 * plan outside its limits; PF_NO_MEMORY. */
pf_status bootstrap_interval(const bootstrap_plan *plan, bootstrap_statistic *statistic,
                             const void *context, bootstrap_result *out, pf_error *err);

/* The same of the difference statistic(a) - statistic(b), both on the same draw: the
 * paired comparison of two models on the same rows. */
pf_status bootstrap_difference(const bootstrap_plan *plan, bootstrap_statistic *statistic,
                               const void *a, const void *b, bootstrap_result *out,
                               pf_error *err);

/* Several statistics of the same draws, values [k] as above: a curve's points for the price of
 * one resampling. */
typedef void bootstrap_statistics(const void *context, const double *w, double *values);
/* out [k], each as of bootstrap_interval. PF_USAGE for k = 0, PF_DATA when any has no value. */
pf_status bootstrap_intervals(const bootstrap_plan *plan, bootstrap_statistics *statistics,
                              const void *context, size_t k, bootstrap_result *out,
                              pf_error *err);

/* A statistic ready for use: the mean of values [n] over rows of a group table. */
typedef struct bootstrap_mean_rows {
    const double *values;
    size_t n;
} bootstrap_mean_rows;
/* context: a bootstrap_mean_rows. */
double bootstrap_mean(const void *context, const double *w);

#endif
