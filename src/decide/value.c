/* Gain, cost and value of an offer; see value.h for the formulas. */
#include "decide/value.h"

#include "base/money.h"

/* What one redemption gives away; < 0 when it is not known. */
static double discount_of(const policy *p, const promotion *offer, double spend_minor)
{
    if (offer->kind == PROMOTION_INFORMATIONAL) return 0;
    if (offer->kind == PROMOTION_PERCENT_OFF && offer->percent_hundredths > 0)
        return spend_minor * offer->percent_hundredths / 10000.0;
    if (offer->value_minor != MONEY_ABSENT && offer->value_minor >= 0)
        return (double)offer->value_minor;
    if (offer->kind == PROMOTION_BOGO) return spend_minor / 2;
    if (p->unknown_discount_minor == MONEY_ABSENT) return -1;
    return (double)p->unknown_discount_minor;
}

bool value_of(const policy *p, const promotion *offer, channel by, double p_redeem,
              double spend_minor, value_terms *out)
{
    double discount = discount_of(p, offer, spend_minor);
    bool own =
        offer->contact_cost_minor != MONEY_ABSENT && offer->contact_cost_minor >= 0;
    *out = (value_terms){.discount_minor = discount};
    if (discount < 0) return false;
    out->contact_minor =
        own ? (double)offer->contact_cost_minor : p->channel[by].contact_cost_minor;
    out->gain_minor = p_redeem * p->margin_rate * spend_minor;
    out->cost_minor = out->contact_minor + p_redeem * discount;
    out->value_minor = out->gain_minor - out->cost_minor;
    out->amount_minor = money_from_expectation(out->cost_minor);
    return true;
}
