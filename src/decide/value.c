/* Gain, cost and value of an offer; see value.h for the formulas. */
#include "decide/value.h"

#include <math.h>

#include "base/money.h"

static bool is_share(const promotion *offer)
{
    return offer->kind == PROMOTION_PERCENT_OFF && offer->percent_hundredths > 0;
}

static bool has_amount(const promotion *offer)
{
    return offer->value_minor != MONEY_ABSENT && offer->value_minor >= 0;
}

bool value_needs_assumption(const promotion *offer)
{
    return offer->kind != PROMOTION_INFORMATIONAL && offer->kind != PROMOTION_BOGO &&
           !is_share(offer) && !has_amount(offer);
}

bool value_is_bounded(const promotion *offer)
{
    return offer->kind == PROMOTION_INFORMATIONAL || (!is_share(offer) && has_amount(offer));
}

/* What one redemption gives away; < 0 when it is not known. */
static double discount_of(const policy *p, const promotion *offer, double spend_minor)
{
    if (offer->kind == PROMOTION_INFORMATIONAL) return 0;
    if (is_share(offer)) return spend_minor * offer->percent_hundredths / 10000.0;
    if (has_amount(offer)) return (double)offer->value_minor;
    if (offer->kind == PROMOTION_BOGO) return spend_minor / 2;
    if (p->unknown_discount_minor == MONEY_ABSENT) return -1;
    return (double)p->unknown_discount_minor;
}

/* The most that one redemption can give away; < 0 when it has no bound. */
static double largest_discount(const policy *p, const promotion *offer)
{
    if (offer->kind == PROMOTION_INFORMATIONAL) return 0;
    if (value_is_bounded(offer)) return (double)offer->value_minor;
    return p->largest_discount_minor == MONEY_ABSENT ? -1
                                                     : (double)p->largest_discount_minor;
}

double value_gain(const policy *p, double spend_minor, double counted)
{
    if (policy_counts(p->metric)) return p->worth_minor * counted;
    return p->metric == POLICY_REVENUE ? spend_minor : p->margin_rate * spend_minor;
}

double value_contact(const policy *p, const promotion *offer, channel by)
{
    bool own = offer->contact_cost_minor != MONEY_ABSENT && offer->contact_cost_minor >= 0;
    return own ? (double)offer->contact_cost_minor : p->channel[by].contact_cost_minor;
}

static double counted_of(const policy *p, const value_question *q)
{
    if (p->metric == POLICY_CLICKS) return q->p_click;
    return p->metric == POLICY_CONVERSIONS ? q->p_convert : q->p_redeem;
}

bool value_of(const policy *p, const value_question *q, value_terms *out)
{
    const promotion *offer = q->offer;
    double discount = discount_of(p, offer, q->spend_minor);
    double largest = largest_discount(p, offer);
    double spend = q->lift_known ? q->lift_minor : q->p_redeem * q->spend_minor;
    *out = (value_terms){.discount_minor = discount};
    if (discount < 0 || (p->hard && largest < 0)) return false;
    if (p->hard && discount > largest) out->discount_minor = discount = largest;
    out->contact_minor = value_contact(p, offer, q->by);
    out->gain_minor = value_gain(p, spend, counted_of(p, q));
    out->cost_minor = out->contact_minor + q->p_redeem * discount;
    out->value_minor = out->gain_minor - out->cost_minor - q->fatigue_minor;
    out->amount_minor = money_from_expectation(p->hard ? out->contact_minor + largest
                                                       : out->cost_minor);
    return true;
}
