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

static double gain_of(const policy *p, const value_question *q)
{
    double spend = q->lift_known ? q->lift_minor : q->p_redeem * q->spend_minor;
    switch (p->metric) {
    case POLICY_REVENUE: return spend;
    case POLICY_REDEMPTIONS: return p->worth_minor * q->p_redeem;
    case POLICY_CLICKS: return p->worth_minor * q->p_click;
    case POLICY_CONVERSIONS: return p->worth_minor * q->p_convert;
    case POLICY_MARGIN: break;
    }
    return p->margin_rate * spend;
}

bool value_of(const policy *p, const value_question *q, value_terms *out)
{
    const promotion *offer = q->offer;
    double discount = discount_of(p, offer, q->spend_minor);
    double largest = largest_discount(p, offer);
    bool own =
        offer->contact_cost_minor != MONEY_ABSENT && offer->contact_cost_minor >= 0;
    *out = (value_terms){.discount_minor = discount};
    if (discount < 0 || (p->hard && largest < 0)) return false;
    if (p->hard && discount > largest) out->discount_minor = discount = largest;
    out->contact_minor =
        own ? (double)offer->contact_cost_minor : p->channel[q->by].contact_cost_minor;
    out->gain_minor = gain_of(p, q);
    out->cost_minor = out->contact_minor + q->p_redeem * discount;
    out->value_minor = out->gain_minor - out->cost_minor - q->fatigue_minor;
    out->amount_minor = money_from_expectation(p->hard ? out->contact_minor + largest
                                                       : out->cost_minor);
    return true;
}
