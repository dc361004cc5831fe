/* What options are worth on average and under each posterior draw. */
#include <string.h>

#include "base/memory.h"
#include "decide/run.h"

/* What a draw multiplies chance and lift of a promotion by. */
typedef struct draw_factors {
    double redeem, lift;
} draw_factors;

static draw_factors factors_under(const decide_inputs *in, uint32_t number, uint32_t d)
{
    if (d == UINT32_MAX) return (draw_factors){1, 1};
    size_t at = (size_t)d * ((size_t)in->catalogue->n_promotions + 1) + number;
    const double *lift = in->lift_draw != NULL ? in->lift_draw : in->redeem_draw;
    return (draw_factors){in->redeem_draw[at], lift[at]};
}

/* The chance of what the metric counts. How unsure a click or a purchase is, nobody has drawn: it
 * is taken to be as unsure as a redemption of the promotion, or what it adds. */
static double counted_under(const policy *how, const run_terms *t, double p_redeem,
                            const draw_factors *f)
{
    if (how->metric == POLICY_REDEMPTIONS) return p_redeem;
    double p = how->metric == POLICY_CLICKS ? t->p_click * f->redeem : t->p_convert * f->lift;
    return p > 1 ? 1 : p;
}

run_worth run_worth_of(const decision_run *run, const run_terms *t, double p_redeem,
                       uint32_t number, uint32_t d)
{
    const policy *how = run->in->policy;
    draw_factors f = factors_under(run->in, number, d);
    double p = p_redeem * f.redeem;
    if (p > 1) p = 1;
    double spend = t->lift_known ? t->lift_minor * f.lift : p * t->spend_minor;
    double gain = value_gain(how, spend, counted_under(how, t, p, &f));
    return (run_worth){gain,
                       gain - t->contact_minor - p * t->discount_minor - t->fatigue_minor};
}

run_worth run_worth_under(const decision_run *run, size_t o, uint32_t d)
{
    const run_options *all = &run->options;
    uint32_t number = run->r->outcomes[all->outcome[o]].promotion;
    return run_worth_of(run, &all->terms[o], all->redemptions[o], number, d);
}

/* --- what it would take ------------------------------------------------------------ */

static void pull(reason_facts *why, reason_lever lever, double needed, double actual)
{
    why->lever = lever;
    why->needed = needed;
    why->actual = actual;
}

void run_say_what_it_takes(const decision_run *run, const run_terms *t, double p_redeem,
                           reason_facts *why)
{
    const policy *how = run->in->policy;
    const double rate = value_gain(how, 1, 0), fixed = t->contact_minor + t->fatigue_minor;
    const double least = fixed + p_redeem * t->discount_minor;
    const bool counts = how->metric == POLICY_REDEMPTIONS;
    pull(why, LEVER_GAIN, least, why->gain_minor);
    /* a redemption costs, and brings no click or purchase more */
    if (policy_counts(how->metric) && !counts) return;
    if (t->lift_known && !counts) {
        if (rate > 0) pull(why, LEVER_LIFT, least / rate, t->lift_minor);
        return;
    }
    double brings = counts ? how->worth_minor : rate * t->spend_minor;
    double each = brings - t->discount_minor;
    if (each > 0 && fixed < each) pull(why, LEVER_REDEEM, fixed / each, p_redeem);
}

/* --- what one more unit would buy -------------------------------------------------- */

static void take_margin(decision_run *run, const allocate_margin *found, uint32_t m)
{
    decide_cap *c = &run->r->caps[m];
    const margin_cap *from = &found->caps[m];
    c->buys = from->alone;
    c->beside = from->beside;
    if (!from->alone || from->arm == MARGIN_NONE) return;
    c->more_of = run->caps.promotion[from->arm];
    c->more_by = (channel)run->caps.lane[from->arm];
    c->more = from->takers[from->arm];
}

/* Where too many caps bind to say what one unit of each would buy, nothing is said. */
pf_status run_margins(decision_run *run, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    allocate_margin found;
    allocate_problem p = run_problem(run);
    for (uint32_t m = 0; m < run->r->n_caps; m++)
        run->r->caps[m].beside = UINT32_MAX;
    if (!run->in->margins || run->r->n_caps == 0) return PF_OK;
    pf_status s = allocate_margin_of(&p, &run->answer, &found, &why);
    if (s == PF_LIMIT) return PF_OK;
    if (s != PF_OK) return error_pass(err, &why);
    for (uint32_t m = 0; m < run->r->n_caps; m++)
        take_margin(run, &found, m);
    allocate_margin_free(&found);
    return PF_OK;
}
