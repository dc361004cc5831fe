/*
 * A policy: everything that says how decisions are made, as one value without pointers
 * into anything but texts. It is set once, checked, and never changed while in use;
 * its fingerprint goes into the log of every decision.
 *
 *     policy p = policy_default();
 *     p.budget_minor = 500000;
 *     const char *why = policy_check_parameters(&p);   // NULL, or what is wrong
 *
 * Budgets are planned or hard. A planned budget bounds the sum of expected costs of one run,
 * each rounded up to whole minor units: what is really redeemed may come to more. A hard one
 * bounds the most that can come of it: of every message the cost of contact and the largest
 * discount that its offer can give. Money is in minor units of the shop's currency.
 */
#ifndef PROFFER_DECIDE_POLICY_H
#define PROFFER_DECIDE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/quiet.h"
#include "shop/record.h"
#include "shop/vocabulary.h"

/* Most messages a shopper gets in the local day of sending, in the seven and in the
 * thirty local days that end with it, past ones included; 0 = no cap. */
typedef struct policy_window {
    uint32_t per_day, per_week, per_month;
} policy_window;

/* What the team counts as success. */
typedef enum policy_metric {
    POLICY_MARGIN,     /* margin_rate of the spend */
    POLICY_REVENUE,    /* the spend itself */
    POLICY_REDEMPTIONS, /* worth_minor each; so are */
    POLICY_CLICKS,
    POLICY_CONVERSIONS /* purchases in the promotion's scope */
} policy_metric;
/* Whether the metric counts something at worth_minor each, instead of money. */
bool policy_counts(policy_metric metric);

/* Messages of promotions with a tag. Of a capped tag at most one goes to a shopper in a run. */
typedef struct policy_tag {
    const char *name;
    policy_window window;
} policy_tag;
enum { POLICY_TAGS_MAX = 32 };

/* How lots are drawn where nobody is sure yet (explore.h). Wants per_shopper 1. */
typedef enum policy_exploring {
    POLICY_EXPLORES_NOT, /* the best on average, always */
    POLICY_EXPLORES_THOMPSON,
    POLICY_EXPLORES_GREEDY,
    POLICY_EXPLORES_SOFTMAX,
    POLICY_EXPLORING_COUNT
} policy_exploring;
/* "none", "thompson", "greedy", "softmax": as it is set and told. Static. */
const char *policy_exploring_name(policy_exploring method);

typedef struct policy_exploration {
    policy_exploring method;
    double epsilon;     /* of greedy, 0 .. 1 */
    double temperature; /* of softmax, minor units, above 0 */
    double floor;       /* least chance of every option and of none, 0 .. 0.1 */
    const char *salt;   /* another salt, other lots */
} policy_exploration;

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
    policy_metric metric;           /* what the gain counts */
    double worth_minor;             /* of what a metric counts; >= 0 */
    int64_t unknown_discount_minor; /* of a redemption, where the promotion does not say;
                                       MONEY_ABSENT: such promotions are not offered */

    /* Budgets of one run, and caps. */
    bool hard;                      /* budgets are hard ones, see above */
    int64_t largest_discount_minor; /* that the shop gives for one redemption where the promotion
                                       does not bound it; MONEY_ABSENT: unbounded, and under hard
                                       budgets such promotions are not offered */
    int64_t budget_minor;           /* MONEY_ABSENT = none */
    int64_t promotion_budget_minor; /* of each promotion without its own; MONEY_ABSENT =
                                       none */
    uint64_t messages;              /* most in one run; 0 = no cap */
    uint32_t per_shopper;           /* most promotions for a shopper in one run, >= 1 */
    policy_window window;           /* over all channels */
    policy_tag tag[POLICY_TAGS_MAX];
    uint32_t n_tags;
    quiet_hours quiet; /* of the shopper's local day, in which nothing goes out but on the site,
                          where the shopper comes himself; equal: none */
    policy_exploration explore;

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

/* Margin 25 %, no budgets or caps, no quiet hours, no exploration, one promotion a shopper, 10 %
 * holdout, all channels, contact free of cost, and consent assumed where nothing is sent to
 * anybody (site). */
policy policy_default(void);

/* NULL, or the first thing that is wrong and what it should be (static text). */
const char *policy_check_parameters(const policy *p);

fingerprint policy_fingerprint(const policy *p);

#endif
