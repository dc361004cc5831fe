/*
 * What the reward model of a comparison (policies.h) knows of a decision: what the shopper did
 * before it, and what was expected of what could be sent. Logarithms, since amounts and counts
 * have long tails. Nothing of after the decision: neither what was taken nor how long the window
 * turned out, which a policy may change.
 */
#include <math.h>

#include "base/clock.h"
#include "evaluate/policies_rows.h"

enum { BEFORE_DAYS = 28, LONGEST_DAYS = 400 };

static double days_since_purchase(const shop_history *h, uint32_t who, int64_t at_us)
{
    if (who > h->n_shoppers) return LONGEST_DAYS;
    const uint64_t first = h->first[who];
    for (uint64_t i = history_before(h, who, at_us); i > first; i--) {
        const double days = (double)(at_us - h->time_us[i - 1]) / (double)US_PER_DAY;
        if (days >= LONGEST_DAYS) break;
        if (h->type[i - 1] == EVENT_PURCHASE) return days;
    }
    return LONGEST_DAYS;
}

void policies_shopper_features(const shop_history *h, uint32_t who, int64_t at_us, double *x)
{
    const policies_scope everything = {0};
    const policies_outcome before = policies_outcome_between(
        h, who, at_us - BEFORE_DAYS * US_PER_DAY, at_us, &everything);
    x[0] = log1p(fmax(before.paid_minor, 0));
    x[1] = log1p((double)before.lines);
    x[2] = log1p(days_since_purchase(h, who, at_us));
}

void policies_decision_features(const shop_history *h, const policies_decision *d, double *x)
{
    double likely = 0, spend = 0, count = 0;
    for (size_t k = 0; k < d->n_candidates; k++) {
        const policies_candidate *c = &d->candidate[k];
        if (!policies_is_action(c)) continue;
        likely = fmax(likely, c->p_redeem);
        spend = fmax(spend, c->spend_minor);
        count++;
    }
    policies_shopper_features(h, d->shopper, d->time_us, x);
    x[POLICIES_SHOPPER_FEATURES] = likely;
    x[POLICIES_SHOPPER_FEATURES + 1] = log1p(spend);
    x[POLICIES_SHOPPER_FEATURES + 2] = log1p(count);
}
