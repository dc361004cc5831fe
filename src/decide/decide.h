/*
 * Decisions: candidates -> eligibility -> channels -> value -> allocation -> for every
 * shopper and promotion, whether it is chosen and why or why not.
 *
 *     decide_inputs in = {.policy = &policy, .catalogue = c, .history = h, .at_us = when,
 *                         .scores = scores, .n_scores = n};
 *     decide_result *r;
 *     decide_run(&r, &in, err);
 *     for (size_t i = 0; i < r->n_shoppers; i++) {
 *         const decide_shopper *s = &r->shoppers[i];
 *         for (size_t k = 0; k < s->n_outcomes; k++)
 *             if (r->outcomes[s->first + k].why.reason == REASON_CHOSEN) ...
 *     }
 *     decide_free(r);
 *
 * What is promised of every result: each budget and cap holds to the last unit (expected
 * costs rounded up), nobody is contacted by a channel without consent, nobody in the
 * holdout is treated, nothing is sent that is not live. Nothing here writes anywhere.
 */
#ifndef PROFFER_DECIDE_DECIDE_H
#define PROFFER_DECIDE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "decide/audience.h"
#include "decide/explore.h"
#include "decide/policy.h"
#include "decide/reason.h"
#include "message/frame.h"
#include "shop/catalogue.h"
#include "shop/history.h"

/* One candidate, from response/: what is expected if this promotion reaches this
 * shopper. */
typedef struct decide_score {
    uint32_t shopper, promotion;
    channel channel;    /* NONE: the same by every channel; else by this one only */
    double p_redeem;    /* in [0, 1] */
    double spend_minor; /* in its scope, expected of a redemption; >= 0 */
    bool lift_known;    /* else the gain counts every redemption (value.h) */
    double lift_minor;  /* spend that would not come without it, expected; any sign */
    /* In [0, 1]. Needed where the policy counts clicks or conversions. p_convert is what is added
     * to the chance of a purchase where that is known, else the chance. */
    bool click_known, convert_known;
    double p_click, p_convert;
} decide_score;

/* Everything is borrowed for the call. */
typedef struct decide_inputs {
    const policy *policy;
    const shop_catalogue *catalogue;
    const shop_history *history; /* NULL: no past */
    int64_t at_us;               /* when the messages go out; later events are not seen */

    /* In ascending order of (shopper, promotion, channel), each once. */
    const decide_score *scores;
    size_t n_scores;

    audience_lookup *lookup; /* the shopper's profile; NULL: nothing is known */
    void *lookup_context;
    const uint8_t *in_stock;          /* [products + 1] or NULL: everything is */
    const zone *zone;                 /* the shop's; NULL = UTC */
    const zone *const *shopper_zones; /* [shoppers + 1] or NULL */
    const frame_set *frames;          /* NULL: words are not looked at, variant is 0 */
    message_language language;        /* where a shopper's is not known */

    /* By shopper and channel, [(shoppers + 1) x CHANNEL_COUNT], or NULL: the harm of one
     * message more (>= 0), and the moment in [at_us, ..) that suits best, TIME_ABSENT for none.
     * What falls into quiet hours is put off to their end; where a promotion is over by then, it
     * goes out as soon as can be. */
    const float *fatigue_minor;
    const int64_t *send_at_us;

    /* Posterior draws: what p_redeem and lift are multiplied by under each, [D x (promotions
     * + 1)], >= 0, p clipped at 1. D is 0 (none) or a power of two up to EXPLORE_DRAWS_MAX.
     * They give the gain its spread, and a policy that explores by Thompson its lots.
     * lift_draw NULL: as p_redeem. */
    uint32_t n_draws;
    const double *redeem_draw, *lift_draw;

    bool margins; /* work out what one more unit of each cap would buy */

    /* What earlier runs have promised already, taken off the budgets; 0 and NULL =
     * nothing. */
    int64_t committed_minor;
    const int64_t *promotion_committed_minor; /* [promotions + 1] */

    pool *threads; /* NULL: the caller alone */
} decide_inputs;

/* A shopper and a promotion. */
typedef struct decide_outcome {
    uint32_t shopper, promotion;
    double p_redeem, spend_minor;
    bool lift_known;
    double lift_minor;
    int64_t cost_minor;  /* what is held against the budgets, see value.h */
    int64_t send_at_us;  /* where chosen */
    double propensity;   /* chance of being chosen, given that the shopper is not held out; of one
                            who is, where lots are drawn, the chance that he would have had */
    uint32_t variant;    /* of the frames, where chosen */
    float variant_share; /* probability of that variant */
    reason_facts why;    /* with channel, gain, cost, value */
} decide_outcome;

/* All candidates of one shopper, in the order of the scores. */
typedef struct decide_shopper {
    uint32_t shopper;
    bool holdout;
    uint32_t n_chosen;
    uint32_t draw; /* whose lot it was; EXPLORE_NO_DRAW where none was taken */
    size_t first, n_outcomes;
    size_t best; /* the outcome that speaks for the shopper: the chosen one of most
                    value, else the one that came nearest to being chosen */
} decide_shopper;

typedef struct decide_cap {
    decide_cap_kind kind;
    uint32_t promotion; /* of promotion caps */
    channel channel;    /* of channel caps */
    double limit, used; /* minor units, messages or expected redemptions */
    double price;       /* value (minor units) of one more unit */

    /* What one more unit would buy (allocate_margin.h), where decide_inputs.margins. */
    bool buys;        /* it is of use with the other caps as they are */
    uint32_t beside;  /* not so, but with this cap raised, too; UINT32_MAX: none */
    uint32_t more_of; /* promotion that gains most takers; 0 = none */
    channel more_by;
    double more; /* takers of it for one more unit */
} decide_cap;

typedef struct decide_result {
    decide_shopper *shoppers;
    size_t n_shoppers;
    decide_outcome *outcomes;
    size_t n_outcomes;
    decide_cap *caps;
    uint32_t n_caps;

    size_t n_chosen, n_treated, n_held_out; /* outcomes; shoppers; shoppers */
    uint64_t by_reason[REASON_COUNT];       /* outcomes */
    int64_t cost_minor;                     /* held for all chosen */
    double gain_minor, expected_cost_minor, fatigue_minor; /* of all chosen */
    uint32_t n_draws;
    double *draw_gain, *draw_value; /* [D] of all chosen, under each draw */
    double value_minor, bound_minor, gap;   /* of the allocation, see allocate.h */
    double holdout_share;                   /* probability of being held out */
    fingerprint policy;
    uint32_t empty_audience; /* a promotion whose audience picked nobody; 0 = none */
    arena texts;             /* of reasons; owned */
} decide_result;

/* PF_USAGE: a wrong policy, or scores that are out of range or order; PF_DATA: a wrong
 * audience rule; PF_LIMIT; PF_NO_MEMORY. */
pf_status decide_run(decide_result **out, const decide_inputs *in, pf_error *err);
/* NULL is fine. */
void decide_free(decide_result *r);

/* The entry of a shopper, or NULL. */
const decide_shopper *decide_find(const decide_result *r, uint32_t shopper);

#endif
