/*
 * What habits are kept as: habits_read.c packs the shoppers, habits_learn.c fits levels to them,
 * habits.c answers. Private to this room.
 */
#ifndef PROFFER_RESPONSE_HABITS_INNER_H
#define PROFFER_RESPONSE_HABITS_INNER_H

#include "response/habits.h"
#include "response/shrink.h"

enum { HOURS = 24, WEEKDAYS = 7, HOUR_UNKNOWN = 31 };
enum { LEVEL_EVERYBODY, LEVEL_SEGMENT, LEVEL_SHOPPER, LEVELS };

/* A message and its local time. */
typedef struct sent {
    uint32_t before; /* units of the shopper that lie before it */
    uint8_t channel, weekday, hour, answered;
} sent;

/* How presence, or answers, are shared out over the cells of a clock. */
typedef struct dial {
    size_t cells;            /* HOURS or WEEKDAYS */
    double strength[LEVELS]; /* of what is above each level */
    shrunk *of;              /* [(G + 1) x cells]; row G: everybody */
} dial;

typedef struct tilt {
    size_t cells;
    double strength[LEVELS];
    shrunk *of; /* [CHANNEL_COUNT x (G + 1) x cells] */
} tilt;

struct habits {
    uint32_t n_shoppers, n_segments;
    bool by_recency;
    uint8_t *segment; /* [S + 1] */

    /* Each shopper's past, packed: rows first[s] .. first[s + 1] - 1. A unit is an active hour
     * (0 .. 23) or an active day (24 + weekday). */
    uint64_t *unit_first, *sent_first; /* [S + 2] */
    uint8_t *unit;
    sent *message;
    size_t unit_capacity, message_capacity;

    dial hours, weekdays;

    double rate_strength[LEVELS], rate_all;
    double *trials, *answers; /* [(G + 1) x CHANNEL_COUNT]; row G: everybody */
    double *rate;             /* the same */

    double slope, slope_sd;
    double mean_weight[CHANNEL_COUNT]; /* of exp(slope x presence) over messages sent */
    tilt hour_tilt, weekday_tilt;
};

/* Counts of one shopper. */
typedef struct own_presence {
    double hour[HOURS], weekday[WEEKDAYS], hours, days;
} own_presence;

/* Fills the packed past and the segments. */
pf_status habits_read(habits *h, const shop_catalogue *c, const shop_history *past,
                      const zone *shop_zone, const zone *const *shopper_zones, int64_t until_us,
                      const uint8_t *segments, pf_error *err);
/* Fits every level to it. */
pf_status habits_learn(habits *h, pf_error *err);

/* Shoppers that are not known have no rows and belong to everybody: row G. */
void habits_presence(const habits *h, uint32_t who, own_presence *o);
void habits_count_unit(own_presence *o, uint8_t unit);
uint32_t habits_row(const habits *h, uint32_t who);
/* The shopper's rate by a channel. */
double habits_rate(const habits *h, uint32_t who, channel by);
/* Log of presence at a message's hour and weekday, 0 where it is even. */
double habits_log_presence(const habits *h, uint32_t row, const own_presence *o,
                           const sent *m);

/* Of one shopper by one channel: answers, and those expected before any tilt. */
typedef struct own_answers {
    double hour[HOURS], hour_expected[HOURS], weekday[WEEKDAYS], weekday_expected[WEEKDAYS];
} own_answers;
void habits_own_answers(const habits *h, uint32_t who, const own_presence *o, channel by,
                        own_answers *a);

#endif
