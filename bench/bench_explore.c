/*
 * What it costs to find out: regret of exploration, and whether its log can be believed.
 *
 * Rooms: base tensor measure response decide evaluate
 *
 *     bench/run explore [--seeds N] [--from N] [--rounds N] [--threads N]
 *
 * Two known types of shoppers, two offers, click rates 4 % and 3 % for one type and swapped for
 * the other; 200,000 rounds (10 on average for each of 20,000 shoppers), 50 seeds from 1000 on:
 * `strength` and the floors were set while seeds 1 to 50 were looked at (--from 1), so those prove
 * nothing. Regret of a round is the best rate less the rate of what was offered. Models are
 * published anew every 1,000 rounds and start from nothing; epsilon-greedy is also run as it
 * likes best, with rates that are up to date in every round, and the gate is half of its lesser
 * regret.
 *
 * Then the log of Thompson sampling with a floor (action, propensity, reward, type, shopper) is
 * asked for the value of two policies that never ran: one that offers nine times in ten what is
 * right, and one that draws lots. SNIPS and DR; what DR expects are the rates published before
 * the round. Gate: over the seeds the 95 % intervals, by shoppers, hold the true value as often as
 * 95 % intervals do, give or take what 50 seeds can tell.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"
#include "bench/result.h"
#include "decide/explore.h"
#include "evaluate/off_policy.h"
#include "measure/distribution.h"
#include "response/arms.h"

enum {
    TYPES = 2,
    OFFERS = 2,
    CELLS = TYPES * OFFERS,
    SHOPPERS = 20000,
    BATCH = 1000,
    REPLICATES = 200
};
static const double rates[TYPES][OFFERS] = {{.04, .03}, {.03, .04}};
static const double best_rate = .04;
/* Trials that the arm's rate over both types is worth in a type: next to nothing, for types are
 * known to differ. */
static const double strength = 2;

typedef struct way {
    const char *name;
    explore_method method;
    double floor, temperature;
    uint32_t every; /* rounds between publications */
    bool by_mean;   /* one draw: the posterior's mean */
} way;

static const way ways[] = {
    {"thompson", EXPLORE_THOMPSON, 0, 1, BATCH, false},
    {"thompson floor .002", EXPLORE_THOMPSON, .002, 1, BATCH, false},
    {"thompson floor .005", EXPLORE_THOMPSON, .005, 1, BATCH, false},
    {"thompson floor .01", EXPLORE_THOMPSON, .01, 1, BATCH, false},
    {"epsilon-greedy .1", EXPLORE_GREEDY, 0, 1, BATCH, true},
    {"epsilon-greedy .1 every round", EXPLORE_GREEDY, 0, 1, 1, true},
    {"softmax .002", EXPLORE_SOFTMAX, 0, .002, BATCH, true},
    {"softmax .004", EXPLORE_SOFTMAX, 0, .004, BATCH, true},
};
enum {
    WAYS = sizeof ways / sizeof ways[0],
    THOMPSON = 0,
    LOGGED = 1,
    GREEDY = 4,
    GREEDY_FRESH = 5
};

/* Policies that are asked for, as the chance of the right offer. */
static const double asked[] = {.9, .5};
static const char *const asked_names[] = {"nine in ten right", "lots"};
static const off_policy_estimator estimators[] = {OFF_POLICY_SNIPS, OFF_POLICY_DR};
enum { ASKED = 2, ESTIMATORS = 2 };

typedef struct answer {
    double value, low, high;
} answer;

typedef struct outcome {
    double regret[WAYS];
    answer answers[ASKED][ESTIMATORS];
    bool failed;
} outcome;

typedef struct campaign_log {
    size_t n;
    uint32_t *action, *shopper;
    uint8_t *type;
    double *reward, *propensity, *target, *expected;
} campaign_log;

typedef struct run {
    size_t rounds, from; /* from: the first seed */
    outcome *outcomes;
} run;

/* --- one campaign ----------------------------------------------------------------------- */

/* What is published: draws for Thompson, or the mean alone. */
typedef struct publication {
    arms counts;
    draws published;
    double value[TYPES][EXPLORE_DRAWS_DEFAULT * OFFERS]; /* by type, for explore.h */
    double mean[CELLS];
} publication;

static pf_status publish(publication *p, bool by_mean)
{
    for (size_t cell = 0; cell < CELLS; cell++) {
        const arms_beta b = arms_posterior(&p->counts, cell % OFFERS, cell / OFFERS, strength);
        p->mean[cell] = b.answers / (b.answers + b.others);
        if (by_mean) p->value[cell / OFFERS][cell % OFFERS] = p->mean[cell];
    }
    if (by_mean) return PF_OK;
    p->published.publication++;
    pf_status s = arms_draw(&p->counts, strength, &p->published, NULL);
    for (size_t t = 0; t < TYPES; t++)
        for (size_t d = 0; d < EXPLORE_DRAWS_DEFAULT; d++)
            memcpy(p->value[t] + d * OFFERS, p->published.value + d * CELLS + t * OFFERS,
                   OFFERS * sizeof(double));
    return s;
}

static void note(campaign_log *log, size_t i, uint32_t shopper, const explore_choice *c,
                 double reward, const publication *p)
{
    const uint32_t type = shopper % TYPES;
    log->shopper[i] = shopper;
    log->type[i] = (uint8_t)type;
    log->action[i] = c->candidate;
    log->reward[i] = reward;
    log->propensity[i] = c->propensity;
    memcpy(log->expected + i * OFFERS, p->mean + type * OFFERS, OFFERS * sizeof(double));
}

/* One round: a shopper comes, is offered something, clicks or not. Adds to *regret. */
static pf_status play(publication *p, const way *w, uint64_t seed, size_t i, double *regret,
                      campaign_log *log)
{
    random_stream r = random_begin(seed, 1);
    r.counter = i;
    const uint32_t shopper = random_below(&r, SHOPPERS), type = shopper % TYPES;
    const explore_problem problem = {.draws = w->by_mean ? 1 : EXPLORE_DRAWS_DEFAULT,
                                     .candidates = OFFERS,
                                     .value = p->value[type]};
    explore_plan plan = explore_plan_default(seed);
    double propensity[OFFERS];
    explore_choice c;
    plan.method = w->method;
    plan.floor = w->floor;
    plan.temperature = w->temperature;
    pf_status s = explore_choose(&problem, &plan, shopper, (int64_t)i, propensity, &c, NULL);
    if (s != PF_OK) return s;
    const double rate = rates[type][c.candidate];
    /* 53 bits of the block are left after random_below took one word. */
    const bool clicked = random_unit(&r) < rate;
    *regret += best_rate - rate;
    if (log != NULL) note(log, i, shopper, &c, clicked, p);
    return arms_add(&p->counts, c.candidate, type, 1, clicked, NULL);
}

static pf_status campaign(const way *w, uint64_t seed, size_t rounds, double *regret,
                          campaign_log *log)
{
    publication *p = mem_alloc_zero(1, sizeof *p);
    if (p == NULL) return PF_NO_MEMORY;
    pf_status s = arms_new(&p->counts, OFFERS, TYPES, NULL);
    if (s == PF_OK) s = draws_new(&p->published, EXPLORE_DRAWS_DEFAULT, CELLS, seed, 0, NULL);
    *regret = 0;
    for (size_t i = 0; i < rounds && s == PF_OK; i++) {
        if (i % w->every == 0) s = publish(p, w->by_mean);
        if (s == PF_OK) s = play(p, w, seed, i, regret, log);
    }
    draws_free(&p->published);
    arms_free(&p->counts);
    mem_free(p);
    return s;
}

/* --- its log ---------------------------------------------------------------------------- */

static bool log_new(campaign_log *log, size_t n)
{
    *log = (campaign_log){.n = n,
                          .action = mem_alloc(n, sizeof *log->action),
                          .shopper = mem_alloc(n, sizeof *log->shopper),
                          .type = mem_alloc(n, sizeof *log->type),
                          .reward = mem_alloc(n, sizeof *log->reward),
                          .propensity = mem_alloc(n, sizeof *log->propensity),
                          .target = mem_alloc(n * OFFERS, sizeof *log->target),
                          .expected = mem_alloc(n * OFFERS, sizeof *log->expected)};
    return log->action && log->shopper && log->type && log->reward && log->propensity &&
           log->target && log->expected;
}

static void log_free(campaign_log *log)
{
    mem_free(log->action);
    mem_free(log->shopper);
    mem_free(log->type);
    mem_free(log->reward);
    mem_free(log->propensity);
    mem_free(log->target);
    mem_free(log->expected);
}

static pf_status ask(const campaign_log *log, double right, off_policy_estimator estimator,
                     answer *out)
{
    const off_policy_log question = {.n = log->n,
                                     .n_actions = OFFERS,
                                     .action = log->action,
                                     .reward = log->reward,
                                     .propensity = log->propensity,
                                     .target = log->target,
                                     .expected = log->expected,
                                     .shopper = log->shopper};
    off_policy_plan plan = off_policy_plan_default();
    off_policy_value v;
    pf_error err = {0};
    plan.estimator = estimator;
    plan.replicates = REPLICATES;
    for (size_t i = 0; i < log->n; i++)
        for (uint32_t a = 0; a < OFFERS; a++)
            log->target[i * OFFERS + a] = a == log->type[i] ? right : 1 - right;
    pf_status s = off_policy_estimate(&question, &plan, &v, &err);
    if (s == PF_OK)
        *out = (answer){v.value, v.low, v.high};
    else
        fprintf(stderr, "explore: %s\n", err.message);
    return s;
}

static void one_seed(void *context, size_t task, unsigned worker)
{
    run *r = context;
    outcome *o = &r->outcomes[task];
    campaign_log log;
    (void)worker;
    pf_status s = log_new(&log, r->rounds) ? PF_OK : PF_NO_MEMORY;
    for (size_t w = 0; w < WAYS && s == PF_OK; w++)
        s = campaign(&ways[w], r->from + task, r->rounds, &o->regret[w], w == LOGGED ? &log : NULL);
    for (size_t q = 0; q < ASKED && s == PF_OK; q++)
        for (size_t e = 0; e < ESTIMATORS && s == PF_OK; e++)
            s = ask(&log, asked[q], estimators[e], &o->answers[q][e]);
    log_free(&log);
    o->failed = s != PF_OK;
}

/* --- what is told ----------------------------------------------------------------------- */

static double show_regret(const run *r, size_t seeds, size_t w)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < seeds; i++)
        sum += r->outcomes[i].regret[w];
    const double mean = sum / (double)seeds;
    for (size_t i = 0; i < seeds; i++)
        squares += pow(r->outcomes[i].regret[w] - mean, 2);
    char detail[128];
    (void)snprintf(detail, sizeof detail,
                   "{\"rounds\":%zu,\"seeds\":%zu,\"from\":%zu,\"published_every\":%u,\"se\":%.2f}",
                   r->rounds, seeds, r->from, ways[w].every,
                   sqrt(squares / (double)(seeds - 1) / (double)seeds));
    bench_print(&(bench_result){"explore", ways[w].name, "regret", mean, NULL, detail});
    return mean;
}

/* The least number of intervals that hold the truth for which 95 % is still believable: fewer
 * come up in less than one of a hundred runs. */
static size_t least_holding(size_t seeds)
{
    size_t least = 0;
    while (least < seeds &&
           beta_above(.95, (double)least + 1, (double)(seeds - least)) < .01)
        least++;
    return least;
}

static bool show_answers(const run *r, size_t seeds, size_t q, size_t e)
{
    const double truth = asked[q] * rates[0][0] + (1 - asked[q]) * rates[0][1];
    double error = 0, width = 0;
    size_t holding = 0;
    for (size_t i = 0; i < seeds; i++) {
        const answer *a = &r->outcomes[i].answers[q][e];
        error += pow(a->value - truth, 2);
        width += a->high - a->low;
        holding += a->low <= truth && truth <= a->high;
    }
    char detail[256], model[64];
    (void)snprintf(model, sizeof model, "%s: %s", off_policy_name(estimators[e]), asked_names[q]);
    (void)snprintf(detail, sizeof detail,
                   "{\"log\":\"%s\",\"truth\":%.4f,\"seeds\":%zu,\"from\":%zu,\"rmse\":%.5f,"
                   "\"width\":%.5f,\"least\":%zu}",
                   ways[LOGGED].name, truth, seeds, r->from, sqrt(error / (double)seeds),
                   width / (double)seeds, least_holding(seeds));
    bench_print(&(bench_result){"explore", model, "coverage", (double)holding / (double)seeds,
                                NULL, detail});
    return holding >= least_holding(seeds);
}

static int report(const run *r, size_t seeds)
{
    double regret[WAYS];
    bool believable = true;
    for (size_t i = 0; i < seeds; i++)
        if (r->outcomes[i].failed) {
            fprintf(stderr, "explore: seed %zu failed\n", r->from + i);
            return 1;
        }
    for (size_t w = 0; w < WAYS; w++)
        regret[w] = show_regret(r, seeds, w);
    for (size_t q = 0; q < ASKED; q++)
        for (size_t e = 0; e < ESTIMATORS; e++)
            believable = show_answers(r, seeds, q, e) && believable;
    const double half = fmin(regret[GREEDY], regret[GREEDY_FRESH]) / 2;
    const bool cheap = regret[THOMPSON] <= half && regret[LOGGED] <= half;
    bench_print(&(bench_result){"explore", ways[LOGGED].name, "ratio_to_epsilon_greedy",
                                regret[LOGGED] / (2 * half), NULL, "{\"at_most\":0.5}"});
    if (!cheap) fprintf(stderr, "explore: regret is above half of epsilon-greedy's\n");
    if (!believable) fprintf(stderr, "explore: too few intervals hold the truth\n");
    return cheap && believable ? 0 : 1;
}

static size_t option(int argc, char **argv, const char *name, size_t usual)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return (size_t)strtoull(argv[i + 1], NULL, 10);
    return usual;
}

int main(int argc, char **argv)
{
    const size_t seeds = option(argc, argv, "--seeds", 50);
    run r = {.rounds = option(argc, argv, "--rounds", 200000),
             .from = option(argc, argv, "--from", 1000)};
    if (seeds < 2 || r.rounds < 1) {
        fprintf(stderr, "explore: --seeds 2 or more, --rounds 1 or more\n");
        return 2;
    }
    pool *threads = pool_new((unsigned)option(argc, argv, "--threads", 1));
    r.outcomes = mem_alloc_zero(seeds, sizeof *r.outcomes);
    if (threads == NULL || r.outcomes == NULL) {
        fprintf(stderr, "explore: out of memory\n");
        pool_free(threads);
        return 1;
    }
    pool_run(threads, seeds, one_seed, &r);
    const int code = report(&r, seeds);
    mem_free(r.outcomes);
    pool_free(threads);
    return code;
}
