/*
 * What followed a decision, from the shopper's events (policies.h, "Money").
 */
#include <math.h>
#include <string.h>

#include "evaluate/policies_rows.h"

static const char *const names[POLICIES_REWARDS] = {
    [POLICIES_NET] = "net_margin",       [POLICIES_REVENUE] = "revenue",
    [POLICIES_REDEMPTIONS] = "redemptions", [POLICIES_CLICKS] = "clicks",
    [POLICIES_BUYERS] = "buyers",
};

const char *policies_reward_name(policies_reward r)
{
    return names[r];
}

policies_reward policies_reward_parse(const char *word)
{
    unsigned r = 0;
    while (r < POLICIES_REWARDS && strcmp(word, names[r]) != 0)
        r++;
    return (policies_reward)r;
}

/* ---- counting ---- */

static bool covered(const policies_scope *scope, uint32_t number)
{
    return scope->product == NULL ||
           (number <= scope->catalogue->n_products && scope->product[number] != 0);
}

static bool is_ours(const policies_scope *scope, const shop_history *h, uint64_t i)
{
    const shop_catalogue *c = scope->catalogue;
    if (scope->campaign == 0 || h->campaign[i] == scope->campaign) return true;
    const uint32_t number = h->promotion[i];
    return c != NULL && number <= c->n_promotions &&
           c->promotions[number].campaign == scope->campaign;
}

/* What a redemption gave, or a negative number where nobody knows. */
static double worth_of_redemption(const shop_history *h, uint64_t i, const shop_catalogue *c)
{
    const uint32_t number = h->promotion[i];
    if (h->coupon_minor[i] != MONEY_ABSENT) return (double)h->coupon_minor[i];
    if (c == NULL || number == 0 || number > c->n_promotions) return -1;
    const promotion *p = &c->promotions[number];
    if (p->kind == PROMOTION_INFORMATIONAL) return 0;
    /* A share of a price is not an amount. */
    if (p->kind == PROMOTION_PERCENT_OFF || p->kind == PROMOTION_BOGO) return -1;
    return p->value_minor == MONEY_ABSENT ? -1 : (double)p->value_minor;
}

static void add_line(const shop_history *h, uint64_t i, double sign, policies_outcome *o)
{
    if (h->paid_minor[i] == MONEY_ABSENT)
        o->unpriced_lines++;
    else
        o->paid_minor += sign * (double)h->paid_minor[i];
    if (h->coupon_minor[i] != MONEY_ABSENT)
        o->coupons_minor += sign * (double)h->coupon_minor[i];
}

static void add_redemption(const shop_history *h, uint64_t i, const policies_scope *scope,
                           policies_outcome *o)
{
    const double worth = worth_of_redemption(h, i, scope->catalogue);
    o->redemptions++;
    if (worth < 0)
        o->unpriced_redemptions++;
    else
        o->redeemed_minor += worth;
}

static void add_event(const shop_history *h, uint64_t i, const policies_scope *scope,
                      policies_outcome *o)
{
    switch ((event_type)h->type[i]) {
    case EVENT_PURCHASE:
        if (!covered(scope, h->product[i])) break;
        o->lines++;
        add_line(h, i, 1, o);
        break;
    case EVENT_RETURN:
        if (covered(scope, h->product[i])) add_line(h, i, -1, o);
        break;
    case EVENT_REDEMPTION:
        if (is_ours(scope, h, i)) add_redemption(h, i, scope, o);
        break;
    case EVENT_CLICK:
        if (h->promotion[i] == 0 && h->campaign[i] == 0) break;
        o->clicks += is_ours(scope, h, i);
        break;
    default: break;
    }
}

policies_outcome policies_outcome_between(const shop_history *h, uint32_t who,
                                          int64_t from_us, int64_t to_us,
                                          const policies_scope *scope)
{
    policies_outcome o = {0};
    if (who > h->n_shoppers) return o;
    const uint64_t end = h->first[who + 1];
    uint64_t i = history_position(h->time_us, h->first[who], end, from_us);
    for (; i < end && h->time_us[i] < to_us; i++)
        add_event(h, i, scope, &o);
    return o;
}

/* ---- the reward ---- */

/* Coupons stand on order lines or on redemptions; one that stands on both is one. */
static bool lines_know(const policies_outcome *o)
{
    return o->coupons_minor > 0 || o->coupons_minor < 0;
}

static double net_margin(const policies_outcome *o, double margin_rate, double contact_minor)
{
    const double coupons = lines_know(o) ? o->coupons_minor : o->redeemed_minor;
    return margin_rate * (o->paid_minor + coupons) - coupons - contact_minor;
}

double policies_reward_of(const policies_outcome *o, policies_reward r, double margin_rate,
                          double contact_minor)
{
    switch (r) {
    case POLICIES_NET: return net_margin(o, margin_rate, contact_minor);
    case POLICIES_REVENUE: return o->paid_minor;
    case POLICIES_REDEMPTIONS: return (double)o->redemptions;
    case POLICIES_CLICKS: return (double)o->clicks;
    default: return o->lines > 0;
    }
}

bool policies_outcome_unpriced(const policies_outcome *o, policies_reward r)
{
    if (r != POLICIES_NET && r != POLICIES_REVENUE) return false;
    if (o->unpriced_lines > 0) return true;
    return r == POLICIES_NET && o->unpriced_redemptions > 0 && !lines_know(o);
}
