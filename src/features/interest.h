/*
 * Adding up decayed spending over categories, brands and products, and keeping the largest
 * few. Arrays as long as the catalogue, of which only the touched places are cleared, so
 * that a profile costs what the shopper bought and not what the shop sells.
 */
#ifndef PROFFER_FEATURES_INTEREST_H
#define PROFFER_FEATURES_INTEREST_H

#include <stdbool.h>
#include <stdint.h>

#include "features/profile.h"

typedef struct interest_sums {
    double *sum;       /* [count + 1] */
    uint32_t *touched; /* numbers with a sum, in order of first touch */
    uint32_t n_touched, count;
    double total;
} interest_sums;

/* All sums zero for numbers 1..count; false when memory is short. */
bool interest_init(interest_sums *s, uint32_t count);
void interest_free(interest_sums *s);
/* number 0 counts for the total only. */
void interest_add(interest_sums *s, uint32_t number, double weight);
/* The largest PROFILE_INTERESTS as shares of the total, largest first, ties by number. */
void interest_take(const interest_sums *s, interest out[PROFILE_INTERESTS]);
void interest_clear(interest_sums *s);

#endif
