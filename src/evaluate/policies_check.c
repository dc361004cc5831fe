/*
 * What a log of decisions must be before anything is compared on it (policies.h): every refusal
 * says which decision, what is wrong and what to do.
 */
#include <math.h>

#include "evaluate/policies_rows.h"

/* How far written chances may be from what they should be. */
#define TOLERANCE 1e-6

bool policies_is_action(const policies_candidate *c)
{
    return c->eligible || c->propensity > 0;
}

static double sum_of_chances(const policies_decision *d)
{
    double sum = 0;
    for (size_t k = 0; k < d->n_candidates; k++)
        sum += d->candidate[k].propensity;
    return sum;
}

double policies_chance_of_none(const policies_decision *d)
{
    const double none = 1 - sum_of_chances(d);
    /* Chances are whole lots (decide/explore.h) or rounded text: less is rounding. */
    return none > TOLERANCE ? none : 0;
}

bool policies_has_chances(const policies_decision *d)
{
    for (size_t k = 0; k < d->n_candidates; k++)
        if (isnan(d->candidate[k].propensity)) return false;
    return d->holdout || !isnan(d->propensity);
}

const char *policies_check_options(const policies_options *o)
{
    if ((unsigned)o->reward >= POLICIES_REWARDS) return "there is no such reward";
    if (!(o->margin_rate >= 0 && o->margin_rate <= 1))
        return "the margin rate must be between 0 and 1";
    if (o->window_us <= 0 || o->window_us > INT64_MAX / 4)
        return "the window in which outcomes count must be longer than nothing";
    if (o->until_us == INT64_MIN)
        return "until when the events are known must be set: the last event's moment and one";
    if (!(o->holdout_share >= 0 && o->holdout_share < 1))
        return "the holdout's share must be 0 or more and below 1";
    return NULL;
}

/* ---- one decision ---- */

static pf_status check_candidate(const policies_candidate *c, size_t number, pf_error *err)
{
    if (c->promotion == 0 || (unsigned)c->channel >= CHANNEL_COUNT)
        return error_set(err, PF_DATA,
                         "decision %zu has a candidate without a promotion or channel of the "
                         "catalogue; import the promotions that the log speaks of",
                         number);
    if (c->propensity < 0 || c->propensity > 1 + TOLERANCE)
        return error_set(err, PF_DATA,
                         "decision %zu gives promotion %u the propensity %g; a chance is "
                         "between 0 and 1: see who wrote this log",
                         number, c->promotion, c->propensity);
    if (!isfinite(c->p_redeem) || !isfinite(c->spend_minor) || !isfinite(c->gain_minor) ||
        !isfinite(c->cost_minor) || !isfinite(c->value_minor) || !isfinite(c->contact_minor) ||
        c->spend_minor < 0)
        return error_set(err, PF_DATA,
                         "decision %zu: an expectation of promotion %u is no finite number; "
                         "leave out decisions whose candidates were not valued",
                         number, c->promotion);
    return PF_OK;
}

static pf_status check_taken(const policies_decision *d, size_t number, pf_error *err)
{
    if (d->taken != POLICIES_NONE && (d->holdout || d->taken >= d->n_candidates))
        return error_set(err, PF_DATA,
                         "decision %zu took candidate %zu %s; see who wrote this log", number,
                         d->taken + 1,
                         d->holdout ? "though its shopper is held out" : "that is not there");
    if (d->shopper == 0 || d->time_us <= INT64_MIN / 4 || d->time_us >= INT64_MAX / 4)
        return error_set(err, PF_DATA, "decision %zu has no shopper or no moment", number);
    return PF_OK;
}

/* Chances that are there must be a distribution, and what was taken must have its own. */
static pf_status check_chances(const policies_decision *d, size_t number, pf_error *err)
{
    const double sum = sum_of_chances(d);
    if (isnan(sum)) return PF_OK;
    if (sum > 1 + TOLERANCE)
        return error_set(err, PF_DATA,
                         "decision %zu: the propensities of its candidates sum to %.6g, above 1; "
                         "they must be those of one choice among them and none",
                         number, sum);
    if (d->holdout || isnan(d->propensity)) return PF_OK;
    const bool none = d->taken == POLICIES_NONE;
    const double own = none ? 1 - sum : d->candidate[d->taken].propensity;
    if (!(d->propensity > 0 && d->propensity <= 1 + TOLERANCE))
        return error_set(err, PF_DATA,
                         "decision %zu was taken with the propensity %g; what happened had a "
                         "chance above 0 and at most 1",
                         number, d->propensity);
    if (fabs(own - d->propensity) <= TOLERANCE) return PF_OK;
    if (none)
        return error_set(err, PF_DATA,
                         "decision %zu took none with the propensity %g, but its candidates' sum "
                         "to %.6g: together they must be 1",
                         number, d->propensity, sum);
    return error_set(err, PF_DATA,
                     "decision %zu took promotion %u with the propensity %g, but its candidates "
                     "give it %g; they must be those of the same moment",
                     number, d->candidate[d->taken].promotion, d->propensity, own);
}

pf_status policies_check_decision(const policies_decision *d, size_t number, pf_error *err)
{
    pf_status s = check_taken(d, number, err);
    for (size_t k = 0; k < d->n_candidates && s == PF_OK; k++)
        s = check_candidate(&d->candidate[k], number, err);
    return s == PF_OK ? check_chances(d, number, err) : s;
}

/* ---- the holdout ---- */

pf_status policies_check_share(size_t held_out, size_t shoppers, double h, pf_error *err)
{
    const double n = (double)shoppers, share = (double)held_out / n;
    const double spread = sqrt(h * (1 - h) / n);
    if (fabs(share - h) <= OFF_POLICY_OFF * spread) return PF_OK;
    return error_set(err, PF_DATA,
                     "%.3g %% of the log's %zu shoppers are held out where the share is %.3g %%: "
                     "their chances would be wrong; give the share under which the log was "
                     "written, or 0 to leave held-out shoppers out",
                     100 * share, shoppers, 100 * h);
}
