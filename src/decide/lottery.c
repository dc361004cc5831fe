/*
 * Lots instead of the best on average (explore.h). A draw of the posterior has values of its own
 * and, solved for itself, prices of its own; under it each shopper's best option is plain. A
 * shopper takes one draw by lot, so an option's propensity is the share of draws that choose it.
 *
 * Caps still hold to the last unit. Costs are the same under all draws, and the draws' answers
 * keep the caps on average, so lots pass them by chance alone: then prices of what is passed are
 * raised, for all shoppers and draws alike, and the same lots are looked at again. (The raise
 * depends on everybody's lots together; what that does to one shopper's chance is of the order of
 * one over the number of shoppers, and is not in the propensity.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "decide/run.h"

enum { MOST_RAISES = 400, SAMPLE_SHOPPERS = 20000 };

typedef struct lottery {
    decision_run *run;
    uint32_t draws, caps; /* D, M */
    double *price;        /* [D x M] of each draw's own answer */
    double *raise;        /* [M] as a multiple */
    double *typical;      /* [M] worth of a unit: what a cap without a price is raised by */
    double *used;         /* [M] */
    double *value;        /* [D x (1 + C)] of one shopper: none, then the options */
    double *chance;       /* [1 + C] */
    uint64_t *number;     /* [n_shoppers] of a shopper's id, by entry: what its lot is drawn by */
    uint32_t widest;      /* C */
    explore_plan plan;
} lottery;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for exploration");
}

/* Of an option under draw d; without draws there is one, and that is the average. */
static double worth_under(const lottery *l, size_t o, uint32_t d)
{
    return run_worth_under(l->run, o, l->run->in->n_draws > 0 ? d : UINT32_MAX).value;
}

/* --- prices of each draw ----------------------------------------------------------- */

/* Every stride-th shopper alone, with caps in proportion. */
typedef struct sample {
    allocate_problem p;
    size_t *first, *option; /* option: which of all an option of the sample is */
    double *value, *cost, *redemptions;
    uint32_t *arm, *group;
    uint8_t *picks, *lane_picks;
    allocate_cap *caps;
} sample;

static void sample_free(sample *s)
{
    void *const blocks[] = {s->first, s->option, s->value, s->cost,       s->redemptions,
                            s->arm,   s->group,  s->picks, s->lane_picks, s->caps};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        mem_free(blocks[i]);
}

static bool sample_alloc(sample *s, size_t shoppers, size_t options, uint32_t caps)
{
    s->first = mem_alloc_zero(shoppers + 1, sizeof *s->first);
    s->picks = mem_alloc_zero(shoppers + 1, sizeof *s->picks);
    s->lane_picks = mem_alloc_zero(shoppers + 1, CHANNEL_COUNT * sizeof *s->lane_picks);
    s->option = mem_alloc_zero(options + 1, sizeof *s->option);
    s->value = mem_alloc_zero(options + 1, sizeof *s->value);
    s->cost = mem_alloc_zero(options + 1, sizeof *s->cost);
    s->redemptions = mem_alloc_zero(options + 1, sizeof *s->redemptions);
    s->arm = mem_alloc_zero(options + 1, sizeof *s->arm);
    s->group = mem_alloc_zero(options + 1, sizeof *s->group);
    s->caps = mem_alloc_zero((size_t)caps + 1, sizeof *s->caps);
    return s->first && s->picks && s->lane_picks && s->option && s->value && s->cost &&
           s->redemptions && s->arm && s->group && s->caps;
}

static size_t stride_of(const decision_run *run)
{
    return run->r->n_shoppers / SAMPLE_SHOPPERS + 1;
}

static void sample_fill(sample *s, const decision_run *run, size_t stride)
{
    const run_options *all = &run->options;
    size_t n = 0, at = 0;
    for (size_t entry = 0; entry < run->r->n_shoppers; entry += stride, n++) {
        s->first[n] = at;
        s->picks[n] = run->picks[entry];
        memcpy(s->lane_picks + n * CHANNEL_COUNT, run->lane_picks + entry * CHANNEL_COUNT,
               CHANNEL_COUNT);
        for (size_t o = run->first[entry]; o < run->first[entry + 1]; o++, at++) {
            s->option[at] = o;
            s->cost[at] = all->cost[o];
            s->redemptions[at] = all->redemptions[o];
            s->arm[at] = all->arm[o];
            s->group[at] = all->group[o];
        }
    }
    s->first[n] = at;
    s->p.n_shoppers = n;
}

static pf_status sample_make(sample *s, const decision_run *run, pf_error *err)
{
    size_t stride = stride_of(run);
    size_t shoppers = run->r->n_shoppers / stride + 1, options = 0;
    *s = (sample){.p = run_problem(run)};
    for (size_t entry = 0; entry < run->r->n_shoppers; entry += stride)
        options += run->first[entry + 1] - run->first[entry];
    if (!sample_alloc(s, shoppers, options, run->r->n_caps)) return no_memory(err);
    sample_fill(s, run, stride);
    double share = run->r->n_shoppers > 0
                       ? (double)s->p.n_shoppers / (double)run->r->n_shoppers
                       : 1;
    for (uint32_t m = 0; m < run->r->n_caps; m++)
        s->caps[m] = (allocate_cap){run->caps.caps[m].measure,
                                    run->caps.caps[m].limit * share};
    s->p.first = s->first;
    s->p.value = s->value;
    s->p.cost = s->cost;
    s->p.redemptions = s->redemptions;
    s->p.arm = s->arm;
    s->p.group = s->group;
    s->p.picks = s->picks;
    s->p.lane_picks = s->lane_picks;
    s->p.caps = s->caps;
    return PF_OK;
}

static pf_status price_draws(lottery *l, pf_error *err)
{
    sample all;
    pf_status s = sample_make(&all, l->run, err);
    allocate_options options = allocate_options_default();
    options.threads = l->run->in->threads;
    options.tolerance = 1e-6;
    for (uint32_t d = 0; s == PF_OK && d < l->draws && l->caps > 0; d++) {
        allocate_result answer = {0};
        for (size_t i = 0; i < all.first[all.p.n_shoppers]; i++)
            all.value[i] = worth_under(l, all.option[i], d);
        s = allocate_solve(&all.p, &options, &answer, err);
        for (uint32_t m = 0; s == PF_OK && m < l->caps; m++)
            l->price[(size_t)d * l->caps + m] = answer.prices[m];
        allocate_free(&answer);
    }
    sample_free(&all);
    return s;
}

/* --- one shopper ------------------------------------------------------------------- */

static double charge(const lottery *l, uint32_t d, size_t o)
{
    const run_caps *c = &l->run->caps;
    uint32_t arm = l->run->options.arm[o];
    double sum = 0;
    for (uint32_t i = c->arm_first[arm]; i < c->arm_first[arm + 1]; i++) {
        uint32_t m = c->arm_caps[i];
        double price = l->price[(size_t)d * l->caps + m] * (1 + l->raise[m]) +
                       l->typical[m] * l->raise[m];
        sum += price * run_draws_on(l->run, m, o);
    }
    return sum;
}

/* The caps have room for it, and the shopper may have one by its channel. held: as if a shopper of
 * the holdout were not in it. */
static bool may_be_drawn(const lottery *l, size_t entry, size_t o, bool held)
{
    const decision_run *run = l->run;
    const uint8_t lane = run->options.terms[o].channel;
    if (run->picks[entry] == 0 && !held) return false;
    return run->lane_picks[entry * CHANNEL_COUNT + lane] > 0 && run_fits_alone(run, o);
}

/* Candidates: none, then the options that may be drawn; returns how many, the options' numbers
 * in `which`. */
static uint32_t gather(const lottery *l, size_t entry, bool held, size_t *which)
{
    const decision_run *run = l->run;
    uint32_t n = 1;
    for (size_t o = run->first[entry]; o < run->first[entry + 1]; o++)
        if (may_be_drawn(l, entry, o, held)) which[n++] = o;
    for (uint32_t d = 0; d < l->draws; d++) {
        double *row = l->value + (size_t)d * n;
        row[0] = 0;
        for (uint32_t i = 1; i < n; i++)
            row[i] = worth_under(l, which[i], d) - charge(l, d, which[i]);
    }
    return n;
}

static pf_status draw_one(lottery *l, size_t entry, size_t *which, pf_error *err)
{
    decision_run *run = l->run;
    explore_choice chosen = {.draw = EXPLORE_NO_DRAW};
    for (size_t o = run->first[entry]; o < run->first[entry + 1]; o++) {
        run->answer.taken[o] = 0;
        run->options.propensity[o] = 0;
    }
    run->lot[entry] = EXPLORE_NO_DRAW;
    uint32_t n = gather(l, entry, false, which);
    if (n == 1) return PF_OK;
    explore_plan plan = l->plan;
    if (plan.floor * n > 1) plan.floor = 1.0 / n;
    explore_problem p = {.draws = l->draws, .candidates = n, .value = l->value};
    pf_status s = explore_choose(&p, &plan, l->number[entry], run->in->at_us, l->chance, &chosen,
                                 err);
    if (s != PF_OK) return s;
    for (uint32_t i = 1; i < n; i++)
        run->options.propensity[which[i]] = l->chance[i];
    if (chosen.candidate > 0) run->answer.taken[which[chosen.candidate]] = 1;
    run->lot[entry] = chosen.draw;
    return PF_OK;
}

/* The chances that shoppers of the holdout would have had: they make their rows of the log
 * comparable with the others'. Nobody's lot depends on them. */
static pf_status weigh_held_out(lottery *l, size_t *which, pf_error *err)
{
    decision_run *run = l->run;
    pf_status s = PF_OK;
    for (size_t entry = 0; s == PF_OK && entry < run->r->n_shoppers; entry++) {
        if (!run->r->shoppers[entry].holdout) continue;
        uint32_t n = gather(l, entry, true, which);
        if (n == 1) continue;
        explore_plan plan = l->plan;
        if (plan.floor * n > 1) plan.floor = 1.0 / n;
        explore_problem p = {.draws = l->draws, .candidates = n, .value = l->value};
        s = explore_propensities(&p, &plan, l->chance, err);
        for (uint32_t i = 1; s == PF_OK && i < n; i++)
            run->options.propensity[which[i]] = l->chance[i];
    }
    return s;
}

static void add_up(lottery *l)
{
    const decision_run *run = l->run;
    memset(l->used, 0, l->caps * sizeof *l->used);
    for (size_t o = 0; o < run->options.n; o++) {
        if (!run->answer.taken[o]) continue;
        uint32_t arm = run->options.arm[o];
        for (uint32_t i = run->caps.arm_first[arm]; i < run->caps.arm_first[arm + 1]; i++)
            l->used[run->caps.arm_caps[i]] += run_draws_on(run, run->caps.arm_caps[i], o);
    }
}

/* --- all --------------------------------------------------------------------------- */

/* Raises the prices of what is passed; whether anything is. By little at first, however much it
 * is passed: softmax spreads over all, and what is raised too far is left unused. */
static bool raise_passed(lottery *l)
{
    bool passed = false;
    for (uint32_t m = 0; m < l->caps; m++) {
        double limit = l->run->caps.caps[m].limit;
        if (l->used[m] <= limit) continue;
        double excess = limit > 0 ? l->used[m] / limit - 1 : 1;
        l->raise[m] = 1.25 * l->raise[m] + fmin(fmax(excess, 0.002), 0.1);
        passed = true;
    }
    return passed;
}

static pf_status draw_all(lottery *l, size_t *which, pf_error *err)
{
    for (unsigned i = 0; i < MOST_RAISES; i++) {
        pf_status s = PF_OK;
        for (size_t entry = 0; s == PF_OK && entry < l->run->r->n_shoppers; entry++)
            s = draw_one(l, entry, which, err);
        if (s != PF_OK) return s;
        add_up(l);
        if (!raise_passed(l)) return PF_OK;
    }
    return error_set(err, PF_USAGE,
                     "the least chances of exploration alone take more than the budgets and "
                     "caps allow; lower decide.explore_floor (or decide.explore_epsilon), or "
                     "raise them");
}

/* The mean worth of a unit over what would draw on the cap. */
static void find_typical(lottery *l)
{
    const decision_run *run = l->run;
    for (size_t o = 0; o < run->options.n; o++) {
        uint32_t arm = run->options.arm[o];
        for (uint32_t i = run->caps.arm_first[arm]; i < run->caps.arm_first[arm + 1]; i++) {
            uint32_t m = run->caps.arm_caps[i];
            double unit = run_draws_on(run, m, o), worth = run->options.value[o];
            if (unit <= 0 || worth <= 0) continue;
            l->typical[m] += worth / unit;
            l->used[m] += 1;
        }
    }
    for (uint32_t m = 0; m < l->caps; m++)
        l->typical[m] = l->used[m] > 0 ? l->typical[m] / l->used[m] : 1;
}

static void number_shoppers(lottery *l)
{
    const decide_result *r = l->run->r;
    for (size_t entry = 0; entry < r->n_shoppers; entry++) {
        const char *id = l->run->in->catalogue->shoppers[r->shoppers[entry].shopper].id;
        const fingerprint f = fingerprint_of(id, strlen(id));
        memcpy(&l->number[entry], f.bytes, sizeof l->number[entry]);
    }
}

static pf_status lottery_open(lottery *l, decision_run *run, pf_error *err)
{
    const policy_exploration *how = &run->in->policy->explore;
    static const explore_method methods[] = {EXPLORE_GREEDY, EXPLORE_THOMPSON, EXPLORE_GREEDY,
                                             EXPLORE_SOFTMAX};
    fingerprint salt = fingerprint_of(how->salt, strlen(how->salt));
    *l = (lottery){.run = run,
                   .draws = run->in->n_draws > 0 ? run->in->n_draws : 1,
                   .caps = run->r->n_caps,
                   .plan = {.method = methods[how->method],
                            .epsilon = how->epsilon,
                            .temperature = how->temperature,
                            .floor = how->floor}};
    memcpy(&l->plan.salt, salt.bytes, sizeof l->plan.salt);
    for (size_t entry = 0; entry < run->r->n_shoppers; entry++) {
        size_t n = run->first[entry + 1] - run->first[entry];
        if (n > l->widest) l->widest = (uint32_t)n;
    }
    if (l->widest >= EXPLORE_CANDIDATES_MAX)
        return error_set(err, PF_LIMIT,
                         "a shopper has %u options; exploration draws among %d at most",
                         l->widest, EXPLORE_CANDIDATES_MAX - 1);
    size_t cells = (size_t)l->caps + 1;
    l->price = mem_alloc_zero(cells, l->draws * sizeof *l->price);
    l->raise = mem_alloc_zero(cells, sizeof *l->raise);
    l->typical = mem_alloc_zero(cells, sizeof *l->typical);
    l->used = mem_alloc_zero(cells, sizeof *l->used);
    l->value = mem_alloc_zero((size_t)l->widest + 1, l->draws * sizeof *l->value);
    l->chance = mem_alloc_zero((size_t)l->widest + 1, sizeof *l->chance);
    l->number = mem_alloc_zero(run->r->n_shoppers + 1, sizeof *l->number);
    run->lot = mem_alloc_zero(run->r->n_shoppers + 1, sizeof *run->lot);
    bool all = l->price && l->raise && l->typical && l->used && l->value && l->chance;
    if (!all || l->number == NULL || run->lot == NULL) return no_memory(err);
    number_shoppers(l);
    return PF_OK;
}

static void lottery_close(lottery *l)
{
    mem_free(l->price);
    mem_free(l->raise);
    mem_free(l->typical);
    mem_free(l->used);
    mem_free(l->value);
    mem_free(l->chance);
    mem_free(l->number);
}

/* What the lots took, in place of the best on average. */
static void hand_over(lottery *l)
{
    decision_run *run = l->run;
    double value = 0;
    size_t n = 0;
    for (size_t o = 0; o < run->options.n; o++) {
        if (!run->answer.taken[o]) continue;
        value += run->options.value[o];
        n++;
    }
    run->answer.value = value;
    run->answer.n_taken = n;
    run->answer.gap =
        run->answer.bound > 0 ? (run->answer.bound - value) / run->answer.bound : 0;
    for (uint32_t m = 0; m < l->caps; m++)
        run->answer.used[m] = l->used[m];
}

pf_status run_explore(decision_run *run, pf_error *err)
{
    lottery l;
    size_t *which = NULL;
    if (run->in->policy->explore.method == POLICY_EXPLORES_NOT) return PF_OK;
    pf_status s = lottery_open(&l, run, err);
    if (s == PF_OK) {
        which = mem_alloc((size_t)l.widest + 1, sizeof *which);
        if (which == NULL) s = no_memory(err);
    }
    if (s == PF_OK) find_typical(&l);
    if (s == PF_OK) s = price_draws(&l, err);
    if (s == PF_OK) s = draw_all(&l, which, err);
    if (s == PF_OK) s = weigh_held_out(&l, which, err);
    if (s == PF_OK) hand_over(&l);
    mem_free(which);
    lottery_close(&l);
    return s;
}
