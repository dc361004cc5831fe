/* One run from inputs to result: checks, then the steps of run.h in order. */
#include "decide/decide.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
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

static bool is_share(double p)
{
    return p >= 0 && p <= 1;
}

/* What the policy counts must be foretold. */
static const char *step_fault(policy_metric metric, const decide_score *s)
{
    if (metric == POLICY_CLICKS && !s->click_known)
        return "the policy counts clicks, but the chance of one is not known";
    if (metric == POLICY_CONVERSIONS && !s->convert_known)
        return "the policy counts conversions, but the chance of one is not known";
    if (s->click_known && !is_share(s->p_click)) return "p_click must be between 0 and 1";
    if (s->convert_known && !is_share(s->p_convert))
        return "p_convert must be between 0 and 1";
    return NULL;
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
    if (s->lift_known && !(fabs(s->lift_minor) <= (double)LIMIT_MONEY_MINOR))
        return "the expected lift must be a number";
    if (!(s->spend_minor >= 0 && s->spend_minor <= (double)LIMIT_MONEY_MINOR))
        return "the expected spend must be a number >= 0";
    const char *why = step_fault(in->policy->metric, s);
    if (why != NULL) return why;
    if (i > 0 && compare_scores(s - 1, s) >= 0)
        return "scores must ascend by shopper, promotion and channel, each once";
    return NULL;
}

static const char *draws_fault(const decide_inputs *in)
{
    size_t n = (size_t)in->n_draws * ((size_t)in->catalogue->n_promotions + 1);
    if (in->n_draws == 0) return NULL;
    if (in->n_draws > EXPLORE_DRAWS_MAX || (in->n_draws & (in->n_draws - 1)) != 0)
        return "posterior draws must be a power of two up to 4096";
    if (in->redeem_draw == NULL) return "there are posterior draws of nothing";
    for (size_t i = 0; i < n; i++)
        if (!(in->redeem_draw[i] >= 0 && in->redeem_draw[i] < 1e9) ||
            (in->lift_draw != NULL && !(in->lift_draw[i] >= 0 && in->lift_draw[i] < 1e9)))
            return "a posterior draw is no number >= 0";
    return NULL;
}

static const char *fatigue_fault(const decide_inputs *in)
{
    size_t n = ((size_t)in->catalogue->n_shoppers + 1) * CHANNEL_COUNT;
    for (size_t i = 0; in->fatigue_minor != NULL && i < n; i++)
        if (!(in->fatigue_minor[i] >= 0 && in->fatigue_minor[i] < 1e15F))
            return "the harm of one message more must be a number >= 0";
    return NULL;
}

/* Beyond the calendar quiet hours have no end. */
static const char *times_fault(const decide_inputs *in)
{
    size_t n = ((size_t)in->catalogue->n_shoppers + 1) * CHANNEL_COUNT;
    if (!calendar_holds(in->at_us)) return "the moment of sending must be in 1900 to 2199";
    for (size_t i = 0; in->send_at_us != NULL && i < n; i++)
        if (in->send_at_us[i] != TIME_ABSENT && !calendar_holds(in->send_at_us[i]))
            return "the best moment for a shopper must be none or in 1900 to 2199";
    return NULL;
}

static pf_status check_inputs(const decide_inputs *in, pf_error *err)
{
    const char *why = policy_check_parameters(in->policy);
    if (why != NULL)
        return error_set(err, PF_USAGE, "policy '%s': %s", in->policy->name, why);
    why = draws_fault(in);
    if (why == NULL) why = fatigue_fault(in);
    if (why == NULL) why = times_fault(in);
    if (why != NULL) return error_set(err, PF_USAGE, "%s", why);
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

/* The group that a group was joined to; the way there is halved as it is gone (Tarjan and van
 * Leeuwen, Journal of the ACM 31, 1984). */
static uint32_t root_of(uint32_t *joined, uint32_t group)
{
    while (joined[group] != group) {
        joined[group] = joined[joined[group]];
        group = joined[group];
    }
    return group;
}

/* Of a capped tag at most one goes to a shopper in a run: promotions with one in common are put
 * into one group, that of the first of them. */
static bool join_tagged(decision_run *run, uint32_t n_groups)
{
    const shop_catalogue *c = run->in->catalogue;
    const policy *how = run->in->policy;
    if (how->n_tags == 0) return true;
    uint32_t *joined = mem_alloc((size_t)n_groups + 1, sizeof *joined);
    if (joined == NULL) return false;
    for (uint32_t g = 0; g <= n_groups; g++)
        joined[g] = g;
    for (uint32_t t = 0; t < how->n_tags; t++) {
        uint32_t number = catalogue_find_tag(c, how->tag[t].name), group = 0;
        for (uint32_t p = 1; number != 0 && p <= c->n_promotions; p++) {
            if (!promotion_has_tag(&c->promotions[p], number)) continue;
            const uint32_t own = root_of(joined, run->group_of[p]);
            if (group == 0) group = own;
            joined[own] = group;
        }
    }
    for (uint32_t p = 1; p <= c->n_promotions; p++)
        run->group_of[p] = root_of(joined, run->group_of[p]);
    mem_free(joined);
    return true;
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
    if (good) good = join_tagged(run, c->n_promotions + intern_count(names));
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
                               .lookup_context = in->lookup_context,
                               .texts = &run->r->texts};
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
                            o->arm,
                            o->group,
                            o->outcome,
                            o->terms,
                            o->propensity,
                            run->caps.arm_of,
                            run->caps.promotion,
                            run->caps.lane,
                            run->caps.arm_first,
                            run->caps.arm_caps,
                            run->caps.caps,
                            run->group_of,
                            run->first,
                            run->picks,
                            run->lane_picks,
                            run->lot};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        mem_free(blocks[i]);
}

/* --- the run ---------------------------------------------------------------------- */

allocate_problem run_problem(const decision_run *run)
{
    const run_options *o = &run->options;
    return (allocate_problem){.n_shoppers = run->r->n_shoppers,
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
}

static pf_status allocate(decision_run *run, pf_error *err)
{
    run_options *o = &run->options;
    allocate_options options = allocate_options_default();
    options.threads = run->in->threads;
    allocate_problem p = run_problem(run);
    o->propensity = mem_alloc(o->n + 1, sizeof *o->propensity);
    if (o->propensity == NULL) return no_memory(err);
    pf_status s = allocate_solve(&p, &options, &run->answer, err);
    for (size_t i = 0; s == PF_OK && i < o->n; i++)
        o->propensity[i] = run->answer.taken[i];
    return s;
}

pf_status decide_run(decide_result **out, const decide_inputs *in, pf_error *err)
{
    pf_status s = check_inputs(in, err);
    if (s != PF_OK) return s;
    decision_run run = {.in = in};
    run.r = mem_alloc_zero(1, sizeof *run.r);
    if (run.r == NULL) return no_memory(err);
    arena_init(&run.r->texts, LIMIT_REASON_TEXT_BYTES);
    s = prepare(&run, err);
    if (s == PF_OK) s = run_make_candidates(&run, err);
    if (s == PF_OK) s = run_make_caps(&run, err);
    if (s == PF_OK) s = allocate(&run, err);
    if (s == PF_OK) s = run_margins(&run, err);
    if (s == PF_OK) s = run_explore(&run, err);
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
    mem_free(r->draw_gain);
    mem_free(r->draw_value);
    arena_free(&r->texts);
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
