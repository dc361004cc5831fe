/*
 * A policy: everything that says how decisions are made, as one value without pointers
 * into anything but two texts. It is set once, checked, and never changed while in use;
 * its fingerprint goes into the log of every decision.
 *
 *     policy p = policy_default();
 *     p.budget_minor = 500000;
 *     const char *why = policy_check_parameters(&p);   // NULL, or what is wrong
 *
 * Budgets here are planned ones: they bound the sum of expected costs of one run, each
 * rounded up to whole minor units. (A hard budget is kept by a ledger of reservations.)
 * Money is in minor units of the shop's currency.
 */
#ifndef PROFFER_DECIDE_POLICY_H
#define PROFFER_DECIDE_POLICY_H

#include <stdint.h>

#include "base/hash.h"
#include "shop/record.h"
#include "shop/vocabulary.h"

/* Most messages a shopper gets in the local day of sending, in the seven and in the
 * thirty local days that end with it, past ones included; 0 = no cap. */
typedef struct policy_window {
    uint32_t per_day, per_week, per_month;
} policy_window;

typedef struct policy_channel {
    double contact_cost_minor; /* of one message, where the promotion has no cost of its
                                  own */
    int64_t budget_minor;      /* expected cost by this channel; MONEY_ABSENT = none */
    uint64_t messages;         /* most in one run; 0 = no cap */
    uint32_t per_shopper;      /* most to one shopper in one run; 0 = no cap of its own */
    policy_window window;
} policy_channel;

typedef struct policy {
    const char *name; /* of the policy, for the log */
    uint32_t version;

    /* What a redemption brings and costs. */
    double margin_rate;             /* share of the spend that is margin, in [0, 1] */
    int64_t unknown_discount_minor; /* of a redemption, where the promotion does not say;
                                       MONEY_ABSENT: such promotions are not offered */

    /* Planned budgets of one run, and caps. */
    int64_t budget_minor;           /* MONEY_ABSENT = none */
    int64_t promotion_budget_minor; /* of each promotion without its own; MONEY_ABSENT =
                                       none */
    uint64_t messages;              /* most in one run; 0 = no cap */
    uint32_t per_shopper;           /* most promotions for a shopper in one run, >= 1 */
    policy_window window;           /* over all channels */

    /* Shoppers left without promotions, to measure against: a share in [0, 0.9] by salted
     * hash, so that a shopper stays in or out for as long as the salt stays. */
    double holdout_share;
    const char *holdout_salt;
    /* The same of each campaign alone, by a salt of its own (holdout.h); 0 = none. */
    double campaign_holdout_share;

    channel_set channels; /* that may be used */
    channel_set unasked;  /* those where consent that was never asked counts as given */
    policy_channel channel[CHANNEL_COUNT];
} policy;

/* Margin 25 %, no budgets or caps, one promotion a shopper, 10 % holdout, all channels,
 * contact free of cost, and consent assumed where nothing is sent to anybody (site). */
policy policy_default(void);

/* NULL, or the first thing that is wrong and what it should be (static text). */
const char *policy_check_parameters(const policy *p);

fingerprint policy_fingerprint(const policy *p);

#endif
