/*
 * Which channel, and when: how each shopper answers messages by channel, weekday and hour of the
 * shopper's own local time, and when the shopper is there at all.
 *
 *     habits *h;
 *     habits_options how = habits_options_default();
 *     status = habits_fit(&h, catalogue, history, zone, shopper_zones, until_us, &how, err);
 *     double by_push = habits_factor(h, shopper, CHANNEL_PUSH);        // 1.3: 30 % above the mean
 *     int64_t at = habits_send_at(h, shopper, CHANNEL_PUSH, now_us, now_us + US_PER_DAY,
 *                                 (quiet_hours){21 * 60, 8 * 60}, zone_of_shopper);
 *     habits_free(h);
 *
 * Everything is counted for the shopper, shrunk to the shopper's segment, that to everybody, by
 * strengths estimated from the counts (empirical Bayes by moments, shrink.h):
 *
 *   rate       answers a message by channel (contacts.h says what an answer is): Beta-binomial;
 *              everybody's by one channel is shrunk to everybody's by all.
 *   presence   shares of active hours by hour, of active days by weekday: Dirichlet. An hour in
 *              which the shopper clicked, looked, bought, redeemed or rated is one active hour,
 *              however many lines were bought in it.
 *   slope      how much presence tells of answers: log-odds of an answer by the log of presence
 *              (as it was before the message) at the hour and weekday of sending, by Bayesian
 *              logistic regression (posterior.h) with an intercept a channel and the prior
 *              N(1, 0.5^2); never below 0.
 *   tilt       what is left: answers by the hour (and the weekday) of sending over those expected
 *              of channel and presence: gamma-Poisson, everybody's shrunk to 1.
 *
 * Answers count at the time of the message, not at their own: clicks follow messages, so the
 * clock of clicks tells mostly when messages were sent. Hours at which nothing was ever sent are
 * ordered by presence alone. Nothing here is causal: hours of sending were not drawn by chance.
 *
 * An event on the shop's local midnight, to the microsecond, has a date and no hour (that is what
 * a date alone becomes): it teaches the weekday, in the shop's zone, and no hour.
 *
 * Immutable once fitted, any thread may read; the same bits for the same history.
 */
#ifndef PROFFER_RESPONSE_HABITS_H
#define PROFFER_RESPONSE_HABITS_H

#include <stdint.h>

#include "base/calendar.h"
#include "base/json.h"
#include "base/quiet.h"
#include "base/status.h"
#include "shop/catalogue.h"
#include "shop/history.h"

enum { HABITS_MOST_SEGMENTS = 64, HABITS_LOOK_AHEAD_DAYS = 8 };
/* Hours are alike where their factors differ by less than so many standard errors (of 24 hours that
 * are alike, chance lifts the best one by nearly three over a given one at times), or by less than
 * this share of the better. */
#define HABITS_NOISE 3.0
#define HABITS_ALIKE 0.1

/* Where no segments are given: as of the last event of anybody before until_us. */
typedef enum habits_segment {
    HABITS_UNKNOWN,  /* never active */
    HABITS_NEW,      /* first active within 28 days */
    HABITS_FREQUENT, /* active on four or more of the last 28 days */
    HABITS_RECENT,   /* active within 28 days */
    HABITS_LAPSING,  /* within 84 days */
    HABITS_LAPSED,
    HABITS_SEGMENTS
} habits_segment;

typedef struct habits_options {
    const uint8_t *segments; /* [S + 1] below n_segments; NULL: those above */
    uint32_t n_segments;     /* 1 to HABITS_MOST_SEGMENTS, where given */
} habits_options;
habits_options habits_options_default(void);

typedef struct habits habits;

/* Reads events before until_us, keeps nothing of what is given. catalogue NULL: channels come
 * from the events alone; shop_zone NULL: UTC; shopper_zones [S + 1] or NULL, NULL inside: the
 * shop's; S is the history's. PF_DATA: a segment that is none; PF_LIMIT: too many; PF_NO_MEMORY.
 * *out is then NULL. */
pf_status habits_fit(habits **out, const shop_catalogue *c, const shop_history *h,
                     const zone *shop_zone, const zone *const *shopper_zones, int64_t until_us,
                     const habits_options *o, pf_error *err);
/* NULL is fine. */
void habits_free(habits *h);

/* The shopper's rate by this channel over the mean of the shopper's rates by all channels that
 * messages went out by; 1 where none did by this one. Above 0. Shopper 0, or one beyond those
 * fitted: everybody's. On the site only clicks and redemptions are answers (who sees a promotion
 * there is there already), elsewhere visits are too: its factor is on the low side. */
double habits_factor(const habits *h, uint32_t who, channel by);

/* The moment to send at: in from_us <= at < to_us, outside of quiet hours; INT64_MIN where there
 * is none. zone: the shopper's, NULL = UTC. Allocates nothing.
 *
 * Candidates are the first allowed moments of the local hours there, in order of time, no
 * further than HABITS_LOOK_AHEAD_DAYS behind the first (weeks repeat, so a later one is never
 * better). Each has the factor of habits_hour_factor and its standard error: how far chance in the
 * counts of the segment may have moved it. (Chance in the shopper's own counts is what the strength
 * of the segment stands against; were it in the error as well, a shopper of whom little is known
 * would be sent to earlier than one of whom nothing is.) The best is the one of the largest
 * factor, the earliest of equals. The answer is the earliest candidate that is equal to the best,
 * below it by less than HABITS_NOISE standard errors of the difference, or by less than
 * HABITS_ALIKE of it; what two candidates share (the weekday, the hour) is not in that error. So
 * where nothing distinguishes hours, the answer is the earliest allowed moment. */
int64_t habits_send_at(const habits *h, uint32_t who, channel by, int64_t from_us,
                       int64_t to_us, quiet_hours quiet, const zone *z);

/* Of a local weekday (0 = Monday) and hour: answers to a message sent then over those to one sent
 * at an hour of even presence, (presence of the hour x of the weekday)^slope x both tilts; above
 * 0. */
double habits_hour_factor(const habits *h, uint32_t who, channel by, int weekday, int hour);

/* Share of the shopper's active hours that lie in that local hour, 0 to 23: above 0, 1 in all. */
double habits_presence_share(const habits *h, uint32_t who, int hour);

typedef struct habits_evidence {
    uint64_t active_hours, active_days; /* of the shopper */
    uint64_t messages, answers;         /* by the channel asked about */
    uint32_t segment;
} habits_evidence;
habits_evidence habits_known(const habits *h, uint32_t who, channel by);

/* One JSON object: what was counted, strengths, slope, rates by channel, everybody's hours. */
void habits_describe(const habits *h, json_writer *w);

#endif
