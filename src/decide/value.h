/*
 * What an offer is expected to bring and to cost, in minor units:
 *
 *     gain  = p_redeem * margin_rate * spend
 *     cost  = contact + p_redeem * discount
 *     value = gain - cost
 *
 * spend is what a redemption is expected to bring in the promotion's scope. discount is
 * what a redemption gives away: a share of the spend (percent_off; half of it for two for
 * one), or the promotion's value_minor, or the policy's assumption where neither is
 * known.
 *
 * Expectations are doubles. An expected cost becomes an amount once, rounded up
 * (money_from_expectation), when it is held against a budget.
 *
 * The gain counts every redemption, also those that would have come without the offer: it
 * is a response, not yet an uplift.
 */
#ifndef PROFFER_DECIDE_VALUE_H
#define PROFFER_DECIDE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/policy.h"
#include "shop/catalogue.h"

typedef struct value_terms {
    double discount_minor; /* of one redemption */
    double contact_minor;
    double gain_minor;
    double cost_minor;
    double value_minor;
    int64_t amount_minor; /* the cost, rounded up */
} value_terms;

/* p_redeem in [0, 1], spend_minor >= 0. false when what a redemption gives away is known
 * to nobody; then *out has no meaning. */
bool value_of(const policy *p, const promotion *offer, channel by, double p_redeem,
              double spend_minor, value_terms *out);

#endif
