/*
 * Six waves of offers to the members of a rewards programme (the data set starbucks-offers):
 * members, offers, what happened at which hour, who got what in each wave, and what came of it
 * until the next.
 *
 *     offers_data *d = offers_data_load();            // exits 77 without the data
 *     offers_data_outcome(d, 3, 96, spend, cost, n);  // 96 hours from the start of the fourth
 *     offers_data_free(d);
 *
 * Waves are counted from 0. Arm 0 is no offer, arm o offer o; assignment was uniform over the
 * offers: propensities .2522 and .0748. Nothing here looks at an outcome to make a feature.
 * Immutable once loaded; what cannot be read ends the program with 1.
 */
#ifndef PROFFER_BENCH_OFFERS_DATA_H
#define PROFFER_BENCH_OFFERS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OFFERS = 10, OFFERS_ARMS = OFFERS + 1, OFFERS_WAVES = 6 };
#define OFFERS_SPEND_CAP 100.0f

typedef struct offers_offer {
    bool bogo, discount, informational, web, email, mobile, social;
    float difficulty, reward, hours; /* dollars to spend, dollars paid, how long it runs */
} offers_offer;

typedef struct offers_member {
    char gender;              /* F, M, O; 0 = unknown */
    float age, income, joined; /* NaN = unknown; joined: days on the calendar */
} offers_member;

typedef enum offers_kind {
    OFFERS_SPENT,
    OFFERS_RECEIVED,
    OFFERS_VIEWED,
    OFFERS_COMPLETED,
    OFFERS_KINDS
} offers_kind;

typedef struct offers_event {
    int16_t hour;
    uint8_t kind, offer; /* offer 0: none */
    float amount;        /* spent or paid, dollars */
} offers_event;

typedef struct offers_data {
    size_t n, n_events;
    offers_offer offer[OFFERS_ARMS]; /* [0] all zero */
    offers_member *member;           /* [n] */
    size_t *first;                   /* [n + 1] into event */
    offers_event *event;             /* of each member in order of time */
    uint8_t *arm;                    /* [OFFERS_WAVES x n] */
} offers_data;

/* Start of a wave, and hours from there to the next one or to the end. */
int offers_wave_start(int wave);
int offers_wave_hours(int wave);
double offers_propensity(uint32_t arm);

offers_data *offers_data_load(void);
/* NULL is fine. */
void offers_data_free(offers_data *d);

/* spend [n] (at most OFFERS_SPEND_CAP each), cost [n] and purchases [n] in the first `hours` of a
 * wave, which must not pass its end. */
void offers_data_outcome(const offers_data *d, int wave, int hours, float *spend, float *cost,
                         float *purchases);

/* Memory that ends the program when there is none. */
void *offers_memory(size_t count, size_t size);

#endif
