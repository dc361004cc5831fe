/*
 * What an offer is expected to bring and to cost, in minor units:
 *
 *     gain  = margin_rate * lift                       where the effect is known, else
 *             margin_rate * p_redeem * spend           (policy_metric names other gains:
 *             worth_minor * p_redeem, p_click or p_convert)
 *     cost  = contact + p_redeem * discount
 *     value = gain - cost - fatigue
 *
 * lift is the spend that would not have come without the offer; spend is what a redemption is
 * expected to bring in the promotion's scope, also from those who would have bought anyway:
 * without a lift the gain is a response, not an effect. fatigue is the harm of one message
 * more: it lowers the value, but no budget pays for it. discount is
 * what a redemption gives away: a share of the spend (percent_off; half of it for two for
 * one), or the promotion's value_minor, or the policy's assumption where neither is
 * known.
 *
 * Expectations are doubles. An expected cost becomes an amount once, rounded up
 * (money_from_expectation), when it is held against a budget.
 * Under hard budgets the amount is the contact and the largest discount instead.
 */
#ifndef PROFFER_DECIDE_VALUE_H
#define PROFFER_DECIDE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/policy.h"
#include "shop/catalogue.h"

/* What is expected of an offer by a channel. */
typedef struct value_question {
    const promotion *offer;
    channel by;
    double p_redeem, spend_minor; /* in [0, 1], >= 0 */
    bool lift_known;
    double lift_minor; /* may be below 0 */
    double p_click, p_convert; /* read where the metric counts them */
    double fatigue_minor;
} value_question;

typedef struct value_terms {
    double discount_minor; /* of one redemption */
    double contact_minor;
    double gain_minor;
    double cost_minor;
    double value_minor;
    int64_t amount_minor; /* held against budgets: the cost, rounded up, or all that can come */
} value_terms;

/* By the policy's metric: of the spend, or of the chance of what it counts. */
double value_gain(const policy *p, double spend_minor, double counted);
/* Of one message: the promotion's own cost, else the channel's. */
double value_contact(const policy *p, const promotion *offer, channel by);

/* false when what a redemption gives away (or, under hard budgets, gives away at most) is known
 * to nobody; then *out has no meaning. */
bool value_of(const policy *p, const value_question *q, value_terms *out);

/* Whether the policy must say what a redemption gives away, as nothing of the promotion does. */
bool value_needs_assumption(const promotion *offer);
/* Whether the promotion itself bounds what a redemption can give away. */
bool value_is_bounded(const promotion *offer);

#endif
