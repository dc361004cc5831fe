/*
 * Deciding one shopper at a time, as they come, so that the caps last for the whole period:
 * each takes what is worth more than its price, and the prices keep the pace of spending.
 *
 * The prices begin as the shadow prices of the last solve (allocate.h) and follow what is
 * drawn. Dual mirror descent (Balseiro, Lu and Mirrokni, "Dual mirror descent for online
 * allocation problems", ICML 2020; Balseiro and Gur, "Learning in repeated auctions with
 * budgets", Management Science 65, 2019) moves a price by a step times (drawn - planned)
 * after each shopper. Steps of equal size add up to a proportional rule,
 *
 *     price = price of the last solve + step x (drawn so far - planned so far),
 *
 * which stays behind a day that differs: it needs a lasting difference to hold a price up. An
 * integral beside it takes the difference away:
 *
 *     ahead(t) = used / limit - t                                  t: progress, 0 .. 1
 *     price(t) = max(0, base(t) + worth x gain x ahead(t))
 *     base'(t) = worth x gain^2 / 4 x ahead(t),    base(0) = price of the last solve
 *
 * The integral's gain is that of critical damping where demand falls by itself over one
 * `worth`: a wrong price is forgotten within some 4 / gain of the period. The gain is the
 * cube root of the number of draws expected on the cap, 2 .. 40: where few draw, most of
 * what is ahead is chance, and following it would cost more than it saves.
 *
 * Progress is the share of the period's shoppers who are usually there by now, by the clock:
 * then more of them than expected, or other values, raise prices in time. It is the caller's,
 * since only the caller knows the hours of a shop.
 *
 * A cap is never passed, whatever the prices: an option is taken only if every cap it draws
 * on has room. Sums are exact where amounts are whole numbers (minor units) below 2^53; others
 * never pass a cap in the order in which they were added.
 *
 * The same shoppers with the same progress get the same answers. Nothing is allocated by a
 * decision. One thread at a time.
 */
#ifndef PROFFER_DECIDE_PACE_H
#define PROFFER_DECIDE_PACE_H

#include "base/limits.h"
#include "decide/allocate.h"

/* A cap, and what the last solve knows of it. */
typedef struct pace_cap {
    cap_measure measure;
    double limit; /* for the whole period, >= 0 */
    double used;  /* before the pace begins, <= limit: where a restart goes on; else 0 */
    double price; /* base to begin with, >= 0 */
    double worth; /* value of what its takers took, by unit drawn, >= 0; 0: no guidance,
                     the price stays as it is */
    double draws; /* options expected to draw on it in the period, >= 0 */
} pace_cap;

/* caps [p->n_caps] from a solved problem: the pace of a period like it. */
void pace_caps_from(const allocate_problem *p, const allocate_result *r, pace_cap *caps);

/* What an option may draw on; copied. */
typedef struct pace_arms {
    uint32_t n_arms, n_caps;
    const uint32_t *arm_first; /* [A + 1] caps of arm a are arm_caps[arm_first[a] ..] */
    const uint32_t *arm_caps;
    uint32_t n_lanes;    /* 0 = none */
    const uint8_t *lane; /* [A] */
} pace_arms;

/* One shopper's options; everything is borrowed for the call. Meanings as in
 * allocate_problem. */
typedef struct pace_shopper {
    uint32_t n;
    const double *value, *cost;
    const double *redemptions; /* NULL when no cap measures them */
    const uint32_t *arm;
    const uint32_t *group;     /* NULL: one option at most */
    uint32_t picks;            /* <= LIMIT_SHOPPER_PICKS */
    const uint8_t *lane_picks; /* [n_lanes] */
} pace_shopper;

/* What was taken, the worthiest first. */
typedef struct pace_choice {
    uint32_t n;
    uint32_t option[LIMIT_SHOPPER_PICKS];
} pace_choice;

typedef struct pace pace;

/* caps [arms->n_caps]; progress: 0, or where a restart goes on. PF_USAGE with the reason
 * (which cap or arm); PF_LIMIT; PF_NO_MEMORY. */
pf_status pace_new(pace **out, const pace_arms *arms, const pace_cap *caps,
                   double progress, pf_error *err);
void pace_free(pace *p); /* NULL is fine */

/* Takes for one shopper and draws it from the caps. progress in 0 .. 1; one that goes back
 * counts as the latest. PF_USAGE with the reason for options or a progress that are none:
 * then nothing was taken. */
pf_status pace_choose(pace *p, double progress, const pace_shopper *s, pace_choice *out,
                      pf_error *err);

/* Of cap m: what is drawn, and the price when an option last asked for it. */
double pace_used(const pace *p, uint32_t m);
double pace_price(const pace *p, uint32_t m);

/* caps [M] from which pace_new goes on where this pace is: after a restart, say. Their price
 * is the base. */
void pace_caps_now(pace *p, pace_cap *caps);

#endif
