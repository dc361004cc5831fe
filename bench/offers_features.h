/*
 * What is known before a wave: of each member, of each offer, and of the offers that are still
 * running. Read from events of hours before the wave's start alone.
 */
#ifndef PROFFER_BENCH_OFFERS_FEATURES_H
#define PROFFER_BENCH_OFFERS_FEATURES_H

#include "bench/offers_data.h"

enum { OFFERS_MEMBER_FEATURES = 32, OFFERS_HOURS_FEATURE = 7, OFFERS_ARM_FEATURES = 12 };

/* x [n x stride], of which the first OFFERS_MEMBER_FEATURES of each row are filled; NaN =
 * unknown. OFFERS_HOURS_FEATURE holds the hours that an outcome is counted for: 0 here. */
void offers_features(const offers_data *d, int wave, size_t stride, float *x);

/* Kind, terms, channels, number, and whether there is an offer at all. */
void offers_arm_features(const offers_data *d, uint32_t arm, float into[OFFERS_ARM_FEATURES]);

/* An offer that may still be completed when a wave starts, or that the wave gave. */
typedef struct offers_running {
    uint32_t member;
    uint8_t offer;
    bool seen, given; /* viewed before the wave; given in it */
    int16_t done;     /* an outcome: hours after the start when it was completed; -1: never */
    float elapsed, left, need; /* hours since it came, hours to its end, dollars still to spend */
} offers_running;

/* Those from earlier waves, by member; *out is the caller's to free. Returns how many. */
size_t offers_running_before(const offers_data *d, int wave, offers_running **out);
/* What an arm given in a wave is; false for none and for offers that pay nothing. `done` is
 * that of the log: of use only where the arm is the one that was given. */
bool offers_running_new(const offers_data *d, int wave, uint32_t member, uint32_t arm,
                        offers_running *out);

#endif
