/* See offers_policy.h. */
#include "bench/offers_policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decide/allocate.h"

static void stop_on(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "offers: %s\n", err->message);
    exit(1);
}

/* --- logs and forecasts ----------------------------------------------------------- */

static void add_wave(offers_log *l, const offers_world *w, int wave, size_t at)
{
    float *spend = offers_memory(w->n, sizeof *spend), *cost = offers_memory(w->n, sizeof *cost),
          *purchases = offers_memory(w->n, sizeof *purchases);
    offers_data_outcome(w->data, wave, offers_wave_hours(wave), spend, cost, purchases);
    for (size_t m = 0; m < w->n; m++) {
        const uint32_t arm = w->data->arm[(size_t)wave * w->n + m];
        l->arm[at + m] = arm;
        l->member[at + m] = (uint32_t)m;
        l->spend[at + m] = (double)spend[m];
        l->cost[at + m] = (double)cost[m];
        l->propensity[at + m] = offers_propensity(arm);
    }
    mem_free(spend);
    mem_free(cost);
    mem_free(purchases);
}

void offers_log_make(offers_log *l, const offers_world *w, int wave)
{
    const size_t n = OFFERS_RUN * w->n;
    *l = (offers_log){.wave = wave,
                      .n = n,
                      .arm = offers_memory(n, sizeof *l->arm),
                      .member = offers_memory(n, sizeof *l->member),
                      .spend = offers_memory(n, sizeof *l->spend),
                      .cost = offers_memory(n, sizeof *l->cost),
                      .propensity = offers_memory(n, sizeof *l->propensity)};
    for (int k = 0; k < OFFERS_RUN; k++)
        add_wave(l, w, wave + k, (size_t)k * w->n);
}

void offers_log_free(offers_log *l)
{
    mem_free(l->arm);
    mem_free(l->member);
    mem_free(l->spend);
    mem_free(l->cost);
    mem_free(l->propensity);
}

void offers_forecast_make(offers_forecast *f, size_t n)
{
    *f = (offers_forecast){.n = n,
                           .value = offers_memory(n * OFFERS_ARMS, sizeof *f->value),
                           .cost = offers_memory(n * OFFERS_ARMS, sizeof *f->cost)};
}

void offers_forecast_free(offers_forecast *f)
{
    mem_free(f->value);
    mem_free(f->cost);
}

/* --- policies --------------------------------------------------------------------- */

static void policy_begin(offers_policy *p, size_t n)
{
    *p = (offers_policy){.n = n, .target = offers_memory(n * OFFERS_ARMS, sizeof *p->target)};
}

static void policy_take(offers_policy *p, const offers_forecast *f, size_t i, uint32_t arm)
{
    p->target[i * OFFERS_ARMS + arm] = 1;
    p->share[arm] += 1 / (double)p->n;
    p->predicted += f->cost[i * OFFERS_ARMS + arm] / (double)p->n;
}

void offers_policy_priced(offers_policy *p, const offers_forecast *f, double price)
{
    policy_begin(p, f->n);
    p->price = price;
    for (size_t i = 0; i < f->n; i++) {
        const double *v = f->value + i * OFFERS_ARMS, *c = f->cost + i * OFFERS_ARMS;
        uint32_t best = 0;
        for (uint32_t a = 1; a < OFFERS_ARMS; a++)
            if (v[a] - price * c[a] > v[best] - price * c[best]) best = a;
        policy_take(p, f, i, best);
    }
}

void offers_policy_single(offers_policy *p, const offers_forecast *f, uint32_t arm)
{
    policy_begin(p, f->n);
    for (size_t i = 0; i < f->n; i++)
        policy_take(p, f, i, arm);
}

/* What the offers of a decision add to no offer, as options of an allocation. */
typedef struct options {
    size_t *first;
    double *value, *cost, base; /* base: mean cost when nobody gets anything */
    uint32_t *arm, caps[OFFERS], arm_first[OFFERS + 1];
} options;

static void options_make(options *o, const offers_forecast *f)
{
    o->first = offers_memory(f->n + 1, sizeof *o->first);
    o->value = offers_memory(f->n * OFFERS, sizeof *o->value);
    o->cost = offers_memory(f->n * OFFERS, sizeof *o->cost);
    o->arm = offers_memory(f->n * OFFERS, sizeof *o->arm);
    o->base = 0;
    for (size_t i = 0; i < f->n; i++) {
        const double *v = f->value + i * OFFERS_ARMS, *c = f->cost + i * OFFERS_ARMS;
        o->first[i + 1] = (i + 1) * OFFERS;
        o->base += c[0] / (double)f->n;
        for (uint32_t a = 0; a < OFFERS; a++) {
            o->value[i * OFFERS + a] = v[a + 1] - v[0];
            o->cost[i * OFFERS + a] = fmax(0, c[a + 1] - c[0]);
            o->arm[i * OFFERS + a] = a;
        }
    }
    for (uint32_t a = 0; a <= OFFERS; a++)
        o->arm_first[a] = a;
}

static void options_free(options *o)
{
    mem_free(o->first);
    mem_free(o->value);
    mem_free(o->cost);
    mem_free(o->arm);
}

static void policy_from(offers_policy *p, const offers_forecast *f, const allocate_result *r)
{
    policy_begin(p, f->n);
    p->price = r->prices[0];
    for (size_t i = 0; i < f->n; i++) {
        uint32_t arm = 0;
        for (uint32_t a = 0; a < OFFERS; a++)
            if (r->taken[i * OFFERS + a]) arm = a + 1;
        policy_take(p, f, i, arm);
    }
}

void offers_policy_capped(offers_policy *p, const offers_forecast *f, double cap)
{
    options o = {.base = 0};
    pf_error err = {0};
    allocate_result r;
    options_make(&o, f);
    const allocate_cap money = {CAP_COST, fmax(0, cap - o.base) * (double)f->n};
    const allocate_problem problem = {.n_shoppers = f->n,
                                      .first = o.first,
                                      .value = o.value,
                                      .cost = o.cost,
                                      .arm = o.arm,
                                      .n_arms = OFFERS,
                                      .n_caps = 1,
                                      .arm_first = o.arm_first,
                                      .arm_caps = o.caps,
                                      .caps = &money};
    const allocate_options how = allocate_options_default();
    stop_on(allocate_solve(&problem, &how, &r, &err), &err);
    policy_from(p, f, &r);
    allocate_free(&r);
    options_free(&o);
}

typedef struct spender {
    double spend;
    size_t decision;
} spender;

static int by_spend(const void *a, const void *b)
{
    const spender *x = a, *y = b;
    if (x->spend != y->spend) return x->spend < y->spend ? 1 : -1;
    return x->decision < y->decision ? -1 : 1;
}

void offers_policy_spenders(offers_policy *p, const offers_forecast *f, uint32_t arm, double cap)
{
    spender *order = offers_memory(f->n, sizeof *order);
    double left = cap * (double)f->n;
    for (size_t i = 0; i < f->n; i++) {
        order[i] = (spender){f->value[i * OFFERS_ARMS + arm], i};
        left -= f->cost[i * OFFERS_ARMS];
    }
    qsort(order, f->n, sizeof *order, by_spend);
    policy_begin(p, f->n);
    for (size_t k = 0; k < f->n; k++) {
        const double *c = f->cost + order[k].decision * OFFERS_ARMS;
        left -= c[arm] - c[0];
        policy_take(p, f, order[k].decision, left >= 0 ? arm : 0);
    }
    mem_free(order);
}

void offers_policy_free(offers_policy *p)
{
    mem_free(p->target);
}

/* --- judgement -------------------------------------------------------------------- */

static off_policy_log log_of(const offers_log *l, const offers_forecast *f,
                             const offers_policy *p, offers_figure of)
{
    const bool spend = of == OFFERS_FIGURE_SPEND;
    return (off_policy_log){.n = l->n,
                            .n_actions = OFFERS_ARMS,
                            .action = l->arm,
                            .reward = spend ? l->spend : l->cost,
                            .propensity = l->propensity,
                            .target = p->target,
                            .expected = spend ? f->value : f->cost,
                            .shopper = l->member};
}

static off_policy_plan plan_of(off_policy_estimator e, unsigned replicates)
{
    off_policy_plan plan = off_policy_plan_default();
    plan.estimator = e;
    plan.replicates = replicates;
    return plan;
}

off_policy_value offers_judge(const offers_log *l, const offers_forecast *f,
                              const offers_policy *p, offers_figure of, off_policy_estimator e,
                              unsigned replicates)
{
    const off_policy_log log = log_of(l, f, p, of);
    const off_policy_plan plan = plan_of(e, replicates);
    off_policy_value v;
    pf_error err = {0};
    stop_on(off_policy_estimate(&log, &plan, &v, &err), &err);
    return v;
}

double offers_cost_error(const offers_log *l, const offers_policy *p)
{
    const size_t members = l->n / OFFERS_RUN;
    double weights = 0, cost = 0, squares = 0;
    for (size_t i = 0; i < l->n; i++) {
        const double w = p->target[i * OFFERS_ARMS + l->arm[i]] / l->propensity[i];
        weights += w;
        cost += w * l->cost[i];
    }
    for (size_t m = 0; m < members; m++) {
        double own = 0;
        for (size_t i = m; i < l->n; i += members)
            own += p->target[i * OFFERS_ARMS + l->arm[i]] / l->propensity[i] *
                   (l->cost[i] - cost / weights);
        squares += own * own;
    }
    return sqrt(squares) / weights;
}

void offers_judge_terms(const offers_log *l, const offers_forecast *f, const offers_policy *p,
                        double price, double share, double *terms)
{
    double mean_weight = 0;
    for (size_t i = 0; i < l->n; i++)
        mean_weight += p->target[i * OFFERS_ARMS + l->arm[i]] / l->propensity[i] / (double)l->n;
    for (size_t i = 0; i < l->n; i++) {
        const double *v = f->value + i * OFFERS_ARMS, *c = f->cost + i * OFFERS_ARMS;
        const double *pi = p->target + i * OFFERS_ARMS, w = pi[l->arm[i]] / l->propensity[i];
        double term = w / mean_weight * (l->spend[i] - v[l->arm[i]] -
                                         price * (l->cost[i] - c[l->arm[i]]));
        for (uint32_t a = 0; a < OFFERS_ARMS; a++)
            term += pi[a] * (v[a] - price * c[a]);
        terms[i] += share * term;
    }
}

off_policy_value offers_judge_pair(const offers_log *l, const offers_forecast *f,
                                   const offers_policy *p, const offers_policy *other,
                                   offers_figure of, off_policy_estimator e,
                                   unsigned replicates)
{
    const off_policy_log log = log_of(l, f, p, of);
    const off_policy_plan plan = plan_of(e, replicates);
    off_policy_value v;
    pf_error err = {0};
    stop_on(off_policy_difference(&log, other->target, &plan, &v, &err), &err);
    return v;
}
