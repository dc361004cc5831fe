/* Rows of policies.h out of the journal (policies_journal.h). */
#include "evaluate/policies_journal.h"

#include <math.h>

#include "decide/value.h"

bool policies_could_be_sent(decide_reason reason)
{
    switch (reason) {
    case REASON_CHOSEN:
    case REASON_HOLDOUT: /* asked after all other rules */
    case REASON_VALUE_BELOW_ZERO:
    case REASON_STACKING:
    case REASON_LOWER_VALUE:
    case REASON_BUDGET_EXHAUSTED:
    case REASON_NOT_DRAWN: return true;
    default: return false;
    }
}

static policies_candidate candidate_of(const decide_outcome *o, double propensity,
                                       const policy *p, const shop_catalogue *c)
{
    return (policies_candidate){.promotion = o->promotion,
                                .channel = o->why.channel,
                                .eligible = policies_could_be_sent(o->why.reason),
                                .p_redeem = o->p_redeem,
                                .spend_minor = o->spend_minor,
                                .gain_minor = o->why.gain_minor,
                                .cost_minor = o->why.cost_minor,
                                .value_minor = o->why.value_minor,
                                .lift = o->lift_known ? o->lift_minor : NAN,
                                .contact_minor = value_contact(
                                    p, &c->promotions[o->promotion], o->why.channel),
                                .propensity = propensity};
}

static pf_status gone(const policies_logged *logged, const char *id, pf_error *err)
{
    return error_set(err, PF_DATA,
                     "the decision about shopper %u had promotion '%.128s', which the catalogue no "
                     "longer has; import it again, or leave that decision out",
                     logged->shopper, id);
}

static pf_status check_one_sent(const policies_logged *logged, const journal_candidate *journal,
                                size_t n, pf_error *err)
{
    size_t chosen = 0;
    for (size_t k = 0; k < n; k++)
        chosen += journal[k].outcome.why.reason == REASON_CHOSEN;
    if (chosen <= 1) return PF_OK;
    return error_set(err, PF_DATA,
                     "the decision about shopper %u sent %zu promotions at once, and no chance is "
                     "known of all together; leave it out, or send one at a time",
                     logged->shopper, chosen);
}

pf_status policies_from_journal(const policies_logged *logged, const journal_candidate *journal,
                                size_t n, const double *propensity, const policy *p,
                                const shop_catalogue *c, policies_candidate *out,
                                policies_decision *row, pf_error *err)
{
    *row = (policies_decision){.shopper = logged->shopper,
                               .time_us = logged->time_us,
                               .holdout = logged->holdout,
                               .candidate = out,
                               .taken = POLICIES_NONE,
                               .propensity = logged->propensity,
                               .version = logged->version};
    pf_status s = check_one_sent(logged, journal, n, err);
    for (size_t k = 0; k < n && s == PF_OK; k++) {
        const decide_outcome *o = &journal[k].outcome;
        const double chance = propensity != NULL ? propensity[k] : NAN;
        if (o->promotion == 0 || o->promotion > c->n_promotions) {
            if (chance > 0) return gone(logged, journal[k].promotion_id, err);
            continue;
        }
        if (o->promotion == logged->promotion && o->why.channel == logged->channel)
            row->taken = row->n_candidates;
        out[row->n_candidates++] = candidate_of(o, chance, p, c);
    }
    if (s != PF_OK || logged->promotion == 0 || row->taken != POLICIES_NONE) return s;
    return error_set(err, PF_DATA,
                     "the decision about shopper %u sent promotion %u by %s, which is not among "
                     "its candidates; leave it out, and see who wrote this log",
                     logged->shopper, logged->promotion, channel_name(logged->channel));
}
