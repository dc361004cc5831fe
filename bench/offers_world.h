/*
 * Everything a learner of offers reads, laid out once: features of every wave, offers that run
 * on, and outcomes by horizon.
 *
 * An outcome of a wave is counted to the next one, and waves are 72 to 168 hours apart. What is
 * learnt for a wave of H hours is learnt from outcomes of H hours where an earlier wave is that
 * long, and of the longest horizon below where it is not (offers_horizon), with the hours as a
 * feature.
 */
#ifndef PROFFER_BENCH_OFFERS_WORLD_H
#define PROFFER_BENCH_OFFERS_WORLD_H

#include "bench/offers_features.h"

typedef struct offers_world {
    offers_data *data;
    size_t n, features, all_features; /* features that learners read: the first ones of a row */
    float *x[OFFERS_WAVES];           /* [n x all_features] */
    offers_running *running[OFFERS_WAVES];
    size_t n_running[OFFERS_WAVES];
} offers_world;

/* state_features more columns are left at NaN for the caller to fill. */
offers_world *offers_world_new(size_t state_features);
void offers_world_free(offers_world *w);

int offers_horizon(int wave, int hours);

/* The member's features for an outcome of so many hours, [features]. */
void offers_world_row(const offers_world *w, int wave, size_t member, int hours, float *into);

#endif
