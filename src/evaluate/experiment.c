/*
 * Measuring an experiment (experiment.h): rows to moments, moments to differences, differences
 * to words and a verdict. The order matters: sizes of the arms are looked at before anything
 * else, and if they are wrong nothing else is looked at.
 */
#include "evaluate/experiment.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "evaluate/experiment_rows.h"
#include "measure/distribution.h"
#include "measure/sequential.h"

/* Windows longer than this are a mistake of units. */
#define WINDOW_MAX_US (3660 * US_PER_DAY)
/* Before so many responders an arm, or shoppers for a mean, an estimate is not normal enough to
 * be looked at again and again. */
enum { RESPONDERS_LEAST = 20, SHOPPERS_LEAST = 50 };
/* Probability with which "more shoppers would tell", and the most that are named: so many times
 * those there are. */
#define TELL_POWER 0.8
#define TELL_TIMES 1000.0

static const struct {
    const char *name;
    experiment_role role;
    bool more_is_better;
} metrics[EXPERIMENT_METRICS] = {
    [EXPERIMENT_BUYERS] = {"buyers", EXPERIMENT_SECONDARY, true},
    [EXPERIMENT_REVENUE] = {"revenue", EXPERIMENT_SECONDARY, true},
    [EXPERIMENT_RESPONSES] = {"responses", EXPERIMENT_SECONDARY, true},
    [EXPERIMENT_UNSUBSCRIBES] = {"unsubscribes", EXPERIMENT_GUARDRAIL, false},
    [EXPERIMENT_DISMISSALS] = {"dismissals", EXPERIMENT_GUARDRAIL, false},
    [EXPERIMENT_RETURNS] = {"returns", EXPERIMENT_GUARDRAIL, false},
    [EXPERIMENT_RATING] = {"rating", EXPERIMENT_GUARDRAIL, true},
};

const char *experiment_metric_name(experiment_metric m)
{
    return metrics[m].name;
}

const char *experiment_word_name(experiment_word w)
{
    static const char *const names[] = {[EXPERIMENT_NOT_KNOWN] = "not_known",
                                        [EXPERIMENT_BETTER] = "better",
                                        [EXPERIMENT_WORSE] = "worse",
                                        [EXPERIMENT_NO_DATA] = "no_data",
                                        [EXPERIMENT_WITHHELD] = "withheld"};
    return names[w];
}

/* ---- the plan ---- */

experiment_plan experiment_plan_default(void)
{
    return (experiment_plan){.primary = EXPERIMENT_BUYERS,
                             .share = {.1, .9},
                             .window_us = 28 * US_PER_DAY,
                             .before_us = 28 * US_PER_DAY,
                             .until_us = TIME_ABSENT,
                             .alpha = .05,
                             .looks = EXPERIMENT_ONCE};
}

const char *experiment_check_plan(const experiment_plan *p)
{
    if (p->primary != EXPERIMENT_BUYERS && p->primary != EXPERIMENT_REVENUE)
        return "an experiment is decided by buyers or by revenue";
    if (!(p->alpha > 0 && p->alpha < 1))
        return "alpha, the risk of a false alarm, must be between 0 and 1, such as 0.05";
    if (sample_ratio_check(p->share, EXPERIMENT_ARMS, NULL) != PF_OK)
        return "the shares of the arms must both be above 0 and sum to 1, such as 0.1 and 0.9";
    if (!(p->window_us > 0 && p->window_us <= WINDOW_MAX_US))
        return "the window of outcomes must be above 0 and at most ten years";
    if (!(p->before_us >= 0 && p->before_us <= WINDOW_MAX_US))
        return "the time before must be 0 or more and at most ten years";
    if (p->until_us <= INT64_MIN / 2 || p->until_us >= INT64_MAX / 2)
        return "the moment up to which is measured must be set";
    if (p->looks == EXPERIMENT_ANY_TIME && !(p->planned >= 1 && isfinite(p->planned)))
        return "to look at any time, say beforehand how many shoppers are planned";
    return NULL;
}

/* ---- the sizes of the arms ---- */

static pf_status check_sizes(experiment_result *r, pf_error *err)
{
    static const char *const names[] = {"control group (without promotions)",
                                        "treated group (with promotions)"};
    uint64_t members[EXPERIMENT_ARMS];
    for (int a = 0; a < EXPERIMENT_ARMS; a++) {
        const experiment_group *g = &r->group[a];
        members[a] = g->members;
        if (g->members == 0)
            return error_set(err, PF_DATA,
                             "nobody is in the %s: nothing can be compared; set decide.holdout "
                             "above 0 and below 1 before the next decisions",
                             names[a]);
        if (g->shoppers < 2)
            return error_set(err, PF_DATA,
                             "the %s has %llu shoppers whose window of %.3g days is over (%llu "
                             "are waiting): wait, or shorten the window",
                             names[a], (unsigned long long)g->shoppers,
                             (double)r->plan.window_us / (double)US_PER_DAY,
                             (unsigned long long)g->waiting);
    }
    pf_status s = sample_ratio_test(members, r->plan.share, EXPERIMENT_ARMS, &r->ratio, err);
    r->mismatch = s == PF_OK && r->ratio.p < EXPERIMENT_MISMATCH_P;
    return s;
}

/* ---- one figure ---- */

static void no_data(experiment_figure *f, const char *why)
{
    f->word = EXPERIMENT_NO_DATA;
    f->p = f->more = NAN;
    f->difference = (difference){.first = NAN, .second = NAN, .value = NAN, .low = NAN,
                                 .high = NAN, .standard_error = NAN, .statistic = NAN,
                                 .df = NAN, .p = NAN};
    (void)snprintf(f->why, sizeof f->why, "%s", why);
}

static void fill_values(experiment_figure *f, const experiment_sums *sums, double alpha)
{
    for (int a = 0; a < EXPERIMENT_ARMS; a++) {
        const moments *m = &sums[a].of[f->metric];
        interval i = {NAN, NAN};
        if (experiment_is_share(f->metric))
            (void)wilson_interval(sums[a].count[f->metric], m->n, 1 - alpha, &i, NULL);
        f->value[a] = experiment_is_ratio(f->metric) ? m->mean_y / m->mean_x : m->mean_y;
        f->low[a] = i.low;
        f->high[a] = i.high;
    }
}

static pf_status compare(experiment_figure *f, const experiment_plan *plan,
                         const experiment_sums *sums, pf_error *err)
{
    const experiment_metric m = f->metric;
    const experiment_sums *c = &sums[EXPERIMENT_CONTROL], *t = &sums[EXPERIMENT_TREATED];
    const double level = 1 - plan->alpha;
    const bool before = m == EXPERIMENT_BUYERS || m == EXPERIMENT_REVENUE;
    if (experiment_is_ratio(m))
        return difference_of_ratios(&t->of[m], &c->of[m], level, &f->difference, err);
    if (before && plan->before_us > 0)
        return difference_adjusted(&t->of[m], &c->of[m], level, &f->difference, &f->explained,
                                   err);
    if (experiment_is_share(m))
        return difference_of_proportions(t->count[m], t->of[m].n, c->count[m], c->of[m].n, level,
                                         &f->difference, err);
    return difference_of_moments(&t->of[m], &c->of[m], level, &f->difference, err);
}

/* Too few for a normal estimate at the first of many looks. */
static bool is_early(const experiment_figure *f, const experiment_sums *sums)
{
    for (int a = 0; a < EXPERIMENT_ARMS; a++) {
        if (sums[a].of[f->metric].n < SHOPPERS_LEAST) return true;
        if (experiment_is_share(f->metric) && sums[a].count[f->metric] < RESPONDERS_LEAST)
            return true;
    }
    return false;
}

static double shoppers_of(const experiment_result *r)
{
    return (double)r->group[EXPERIMENT_CONTROL].shoppers +
           (double)r->group[EXPERIMENT_TREATED].shoppers;
}

static void allow_looks(experiment_figure *f, const experiment_plan *plan, double n)
{
    difference *d = &f->difference;
    const double reach = sequential_reach(d->standard_error, n, plan->planned, plan->alpha);
    d->low = d->value - reach;
    d->high = d->value + reach;
    d->p = sequential_p(d->value, d->standard_error, n, plan->planned, plan->alpha);
}

/* ---- how many more ---- */

/* By how much the difference would pass what it must, with `times` as many shoppers. */
static double beyond(const experiment_result *r, const difference *d, double times)
{
    const experiment_plan *p = &r->plan;
    const double error = d->standard_error / sqrt(times), n = shoppers_of(r) * times;
    const double reach = p->looks == EXPERIMENT_ANY_TIME
                             ? sequential_reach(error, n, p->planned, p->alpha)
                             : normal_quantile(1 - p->alpha / 2) * error;
    return fabs(d->value) - reach - normal_quantile(TELL_POWER) * error;
}

static double more_needed(const experiment_result *r, const difference *d)
{
    double low = 1, high = TELL_TIMES;
    if (!(beyond(r, d, high) > 0)) return NAN;
    if (beyond(r, d, low) > 0) return NAN;
    while (high / low > 1.0001) {
        const double middle = sqrt(low * high);
        if (beyond(r, d, middle) > 0)
            high = middle;
        else
            low = middle;
    }
    return ceil(shoppers_of(r) * (high - 1));
}

/* ---- all figures ---- */

/* PF_DATA of a comparison says what is missing; anything else is a failure. */
static pf_status make_figure(experiment_result *r, experiment_metric m,
                             const experiment_sums *sums, pf_error *err)
{
    const bool first = m == r->plan.primary;
    experiment_figure *f = &r->figure[r->n_figures++];
    *f = (experiment_figure){.metric = m, .role = first ? EXPERIMENT_PRIMARY : metrics[m].role};
    pf_error why = {0};
    fill_values(f, sums, r->plan.alpha);
    pf_status s = compare(f, &r->plan, sums, &why);
    if (s == PF_DATA) no_data(f, why.message);
    if (s == PF_DATA) return PF_OK;
    if (s != PF_OK) return error_pass(err, &why);
    if (r->plan.looks == EXPERIMENT_ANY_TIME && is_early(f, sums))
        no_data(f, "too early to be looked at: every arm needs 20 shoppers who did it, or 50 "
                   "measured ones for an amount");
    else if (r->plan.looks == EXPERIMENT_ANY_TIME)
        allow_looks(f, &r->plan, shoppers_of(r));
    return PF_OK;
}

/* The primary stands alone; all others with data are one family. */
static pf_status adjust(experiment_result *r, pf_error *err)
{
    double p[EXPERIMENT_METRICS];
    size_t n = 0, k = 0;
    r->figure[0].p = r->figure[0].difference.p;
    for (size_t i = 1; i < r->n_figures; i++)
        if (r->figure[i].word != EXPERIMENT_NO_DATA) p[n++] = r->figure[i].difference.p;
    pf_status s = difference_adjust_holm(p, n, p, err);
    for (size_t i = 1; s == PF_OK && i < r->n_figures; i++)
        if (r->figure[i].word != EXPERIMENT_NO_DATA) r->figure[i].p = p[k++];
    return s;
}

static void say(experiment_result *r, experiment_figure *f)
{
    if (f->word == EXPERIMENT_NO_DATA) return;
    f->more = NAN;
    if (f->p <= r->plan.alpha) {
        const bool good = (f->difference.value > 0) == metrics[f->metric].more_is_better;
        f->word = good ? EXPERIMENT_BETTER : EXPERIMENT_WORSE;
    } else {
        f->more = more_needed(r, &f->difference);
    }
}

static experiment_word verdict_of(const experiment_result *r)
{
    for (size_t i = 0; i < r->n_figures; i++)
        if (r->figure[i].role == EXPERIMENT_GUARDRAIL && r->figure[i].word == EXPERIMENT_WORSE)
            return EXPERIMENT_WORSE;
    return r->figure[0].word;
}

static pf_status make_figures(experiment_result *r, const experiment_sums *sums, pf_error *err)
{
    pf_status s = make_figure(r, r->plan.primary, sums, err);
    for (int m = 0; s == PF_OK && m < EXPERIMENT_METRICS; m++)
        if ((experiment_metric)m != r->plan.primary)
            s = make_figure(r, (experiment_metric)m, sums, err);
    if (s == PF_OK) s = adjust(r, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < r->n_figures; i++)
        say(r, &r->figure[i]);
    r->verdict = verdict_of(r);
    return PF_OK;
}

pf_status experiment_measure(const shop_history *h, const experiment_plan *plan,
                             const experiment_member *members, size_t n, experiment_result *out,
                             pf_error *err)
{
    experiment_sums sums[EXPERIMENT_ARMS] = {0};
    experiment_result r = {.plan = *plan, .verdict = EXPERIMENT_WITHHELD};
    const char *why = experiment_check_plan(plan);
    if (why != NULL) return error_set(err, PF_USAGE, "%s", why);
    pf_status s = experiment_check_members(members, n, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < n; i++) {
        const experiment_arm a = members[i].arm;
        experiment_add_member(h, plan, &members[i], &r.group[a], &sums[a]);
    }
    r.contaminated = r.group[EXPERIMENT_CONTROL].exposed;
    s = check_sizes(&r, err);
    if (s == PF_OK && !r.mismatch) s = make_figures(&r, sums, err);
    if (s == PF_OK) *out = r;
    return s;
}
