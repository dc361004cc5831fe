/* One run from inputs to result: checks, then the steps of run.h in order. */
#include "decide/decide.h"

#include <math.h>
#include <string.h>

#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"
#include "decide/run.h"

/* --- checks ----------------------------------------------------------------------- */

static int compare_scores(const decide_score *a, const decide_score *b)
{
    if (a->shopper != b->shopper) return a->shopper < b->shopper ? -1 : 1;
    if (a->promotion != b->promotion) return a->promotion < b->promotion ? -1 : 1;
    return (int)a->channel - (int)b->channel;
}

static const char *score_fault(const decide_inputs *in, size_t i)
{
    const decide_score *s = &in->scores[i];
    if (s->shopper == 0 || s->shopper > in->catalogue->n_shoppers)
        return "there is no such shopper";
    if (s->promotion == 0 || s->promotion > in->catalogue->n_promotions)
        return "there is no such promotion";
    if ((unsigned)s->channel >= CHANNEL_COUNT) return "there is no such channel";
    if (!(s->p_redeem >= 0 && s->p_redeem <= 1))
        return "p_redeem must be between 0 and 1";
    if (!(s->spend_minor >= 0 && s->spend_minor <= (double)LIMIT_MONEY_MINOR))
        return "the expected spend must be a number >= 0";
    if (i > 0 && compare_scores(s - 1, s) >= 0)
        return "scores must ascend by shopper, promotion and channel, each once";
    return NULL;
}

static pf_status check_inputs(const decide_inputs *in, pf_error *err)
{
    const char *why = policy_check_parameters(in->policy);
    if (why != NULL)
        return error_set(err, PF_USAGE, "policy '%s': %s", in->policy->name, why);
    for (size_t i = 0; i < in->n_scores; i++) {
        why = score_fault(in, i);
        if (why != NULL) return error_set(err, PF_USAGE, "score %zu: %s", i, why);
    }
    return PF_OK;
}

/* --- set-up ----------------------------------------------------------------------- */

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for decisions");
}

/* A promotion without a stacking group is a group of its own, numbered like itself; named
 * groups follow behind. */
static pf_status number_groups(decision_run *run, pf_error *err)
{
    const shop_catalogue *c = run->in->catalogue;
    intern *names = intern_new(LIMIT_PROMOTIONS);
    run->group_of = mem_alloc_zero((size_t)c->n_promotions + 1, sizeof *run->group_of);
    bool good = names != NULL && run->group_of != NULL;
    for (uint32_t p = 1; good && p <= c->n_promotions; p++) {
        const char *name = c->promotions[p].stacking_group;
        uint32_t number = p;
        if (name != NULL && name[0] != '\0') {
            uint32_t named = intern_add(names, name, strlen(name));
            good = named != 0;
            number = c->n_promotions + named;
        }
        run->group_of[p] = number;
    }
    intern_free(names);
    return good ? PF_OK : no_memory(err);
}

static pf_status prepare(decision_run *run, pf_error *err)
{
    const decide_inputs *in = run->in;
    eligibility_world world = {.policy = in->policy,
                               .catalogue = in->catalogue,
                               .history = in->history,
                               .at_us = in->at_us,
                               .zone = in->zone,
                               .shopper_zones = in->shopper_zones,
                               .in_stock = in->in_stock,
                               .frames = in->frames,
                               .language = in->language,
                               .lookup = in->lookup,
                               .lookup_context = in->lookup_context};
    run->caps.arm_of = mem_alloc_zero((size_t)in->catalogue->n_promotions + 1,
                                      CHANNEL_COUNT * sizeof *run->caps.arm_of);
    if (run->caps.arm_of == NULL) return no_memory(err);
    pf_status s = number_groups(run, err);
    return s == PF_OK ? eligibility_new(&run->e, &world, err) : s;
}

static void release(decision_run *run)
{
    run_options *o = &run->options;
    eligibility_free(run->e);
    allocate_free(&run->answer);
    void *const blocks[] = {o->value,
                            o->cost,
                            o->redemptions,
                            o->spend,
                            o->arm,
                            o->group,
                            o->outcome,
                            o->channel,
                            run->caps.arm_of,
                            run->caps.promotion,
                            run->caps.lane,
                            run->caps.arm_first,
                            run->caps.arm_caps,
                            run->caps.caps,
                            run->group_of,
                            run->first,
                            run->picks,
                            run->lane_picks};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        mem_free(blocks[i]);
}

/* --- the run ---------------------------------------------------------------------- */

static pf_status allocate(decision_run *run, pf_error *err)
{
    const run_options *o = &run->options;
    allocate_options options = allocate_options_default();
    options.threads = run->in->threads;
    allocate_problem p = {.n_shoppers = run->r->n_shoppers,
                          .first = run->first,
                          .value = o->value,
                          .cost = o->cost,
                          .redemptions = o->redemptions,
                          .arm = o->arm,
                          .group = o->group,
                          .picks = run->picks,
                          .n_lanes = CHANNEL_COUNT,
                          .lane = run->caps.lane,
                          .lane_picks = run->lane_picks,
                          .n_arms = run->caps.n_arms,
                          .n_caps = run->r->n_caps,
                          .arm_first = run->caps.arm_first,
                          .arm_caps = run->caps.arm_caps,
                          .caps = run->caps.caps};
    return allocate_solve(&p, &options, &run->answer, err);
}

pf_status decide_run(decide_result **out, const decide_inputs *in, pf_error *err)
{
    pf_status s = check_inputs(in, err);
    if (s != PF_OK) return s;
    decision_run run = {.in = in};
    run.r = mem_alloc_zero(1, sizeof *run.r);
    if (run.r == NULL) return no_memory(err);
    s = prepare(&run, err);
    if (s == PF_OK) s = run_make_candidates(&run, err);
    if (s == PF_OK) s = run_make_caps(&run, err);
    if (s == PF_OK) s = allocate(&run, err);
    if (s == PF_OK) s = run_give_verdicts(&run, err);
    release(&run);
    if (s != PF_OK) {
        decide_free(run.r);
        return s;
    }
    *out = run.r;
    return PF_OK;
}

void decide_free(decide_result *r)
{
    if (r == NULL) return;
    mem_free(r->shoppers);
    mem_free(r->outcomes);
    mem_free(r->caps);
    mem_free(r);
}

const decide_shopper *decide_find(const decide_result *r, uint32_t number)
{
    size_t low = 0, high = r->n_shoppers;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->shoppers[middle].shopper < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->n_shoppers && r->shoppers[low].shopper == number ? &r->shoppers[low]
                                                                     : NULL;
}

double decide_propensity(const decide_outcome *o)
{
    return o->why.reason == REASON_CHOSEN ? 1 : 0;
}
