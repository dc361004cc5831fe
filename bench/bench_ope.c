/*
 * What another policy would have brought, from a log: estimators against known truths.
 *
 * Rooms: base intake measure evaluate
 *
 *     bench/run ope [--seeds N] [--threads N] [--without-men]
 *
 * First synthetic logs of two worlds with known truth, N seeds each (1,000): "shop", 10 actions,
 * 10,000 decisions, contexts that matter, and "rare", 34 actions, 10,000 decisions, rewards of
 * half a percent, propensities down to a ten-thousandth. The reward model is wrong on purpose: of
 * five facts of a context it knows one (in "rare" none). It is cross-fitted on two halves. For
 * every estimator, and every rule that chooses its parameter from the log alone: the root mean
 * square error relative to the truth, and how often the 95 % interval holds the truth.
 *
 * Then, once, the men's campaign of the Open Bandit Dataset: the log of Thompson sampling is
 * asked for the value of the uniform policy, by the estimator and the rule that are best on the
 * synthetic worlds together. Truth .0051: what the uniform policy's own campaign brought.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "bench/result.h"
#include "evaluate/off_policy.h"
#include "intake/reader.h"
#include "intake/source.h"

enum { FACTS = 5, MOST_ACTIONS = 34, DECISIONS = 10000, MEN_REPLICATES = 2000 };
#define MEN_TRUTH .0051

typedef struct world {
    const char *name;
    uint32_t actions, facts; /* facts of a context that matter */
    double usual;            /* log-odds of a reward */
    double action_spread, fact_spread; /* of the log-odds */
    double sharpness;        /* of the logging policy */
    bool uniform;            /* the judged policy; else one that knows more than the log's */
} world;

static const world worlds[] = {
    {"shop", 10, FACTS, -1.2, .5, .5, .8, false},
    {"rare", MOST_ACTIONS, 0, -5.2, .4, 0, 2.2, true},
};
enum { WORLDS = sizeof worlds / sizeof worlds[0] };

/* One log with its truth; arrays are written anew for every seed. */
typedef struct sample {
    const world *w;
    double *context;   /* [n x FACTS] */
    double *chance;    /* [n x K] of a reward */
    double *logging, *target, *expected; /* [n x K] */
    uint32_t *action;
    double *reward, *propensity;
    double truth;
    off_policy_log log;
} sample;

static void *room(size_t n, size_t size)
{
    void *block = mem_alloc_zero(n, size);
    if (block != NULL) return block;
    fprintf(stderr, "ope: out of memory\n");
    exit(1);
}

static void sample_new(sample *s, const world *w, size_t n)
{
    const size_t nk = n * w->actions;
    *s = (sample){.w = w,
                  .context = room(n * FACTS, sizeof(double)),
                  .chance = room(nk, sizeof(double)),
                  .logging = room(nk, sizeof(double)),
                  .target = room(nk, sizeof(double)),
                  .expected = room(nk, sizeof(double)),
                  .action = room(n, sizeof(uint32_t)),
                  .reward = room(n, sizeof(double)),
                  .propensity = room(n, sizeof(double))};
    s->log = (off_policy_log){.n = n,
                              .n_actions = w->actions,
                              .action = s->action,
                              .reward = s->reward,
                              .propensity = s->propensity,
                              .target = s->target,
                              .expected = s->expected};
}

static void sample_free(sample *s)
{
    mem_free(s->context);
    mem_free(s->chance);
    mem_free(s->logging);
    mem_free(s->target);
    mem_free(s->expected);
    mem_free(s->action);
    mem_free(s->reward);
    mem_free(s->propensity);
}

/* ---- a synthetic log ---- */

static void softmax(const double *x, uint32_t K, double sharpness, double *out)
{
    double most = x[0], sum = 0;
    for (uint32_t a = 1; a < K; a++)
        most = x[a] > most ? x[a] : most;
    for (uint32_t a = 0; a < K; a++)
        sum += out[a] = exp(sharpness * (x[a] - most));
    for (uint32_t a = 0; a < K; a++)
        out[a] /= sum;
}

/* What the actions of a world are like; drawn anew for every seed. */
typedef struct nature {
    double action[MOST_ACTIONS], fact[MOST_ACTIONS][FACTS], belief[MOST_ACTIONS];
} nature;

static void draw_nature(nature *t, const world *w, random_stream *r)
{
    for (uint32_t a = 0; a < w->actions; a++) {
        t->action[a] = w->action_spread * random_normal(r);
        t->belief[a] = random_normal(r);
        for (int f = 0; f < FACTS; f++)
            t->fact[a][f] = w->fact_spread * random_normal(r);
    }
}

static uint32_t draw_action(const double *p, uint32_t K, random_stream *r)
{
    double at = random_unit(r);
    for (uint32_t a = 0; a + 1 < K; a++) {
        at -= p[a];
        if (at < 0) return a;
    }
    return K - 1;
}

static void draw_decision(sample *s, const nature *t, size_t i, random_stream *r)
{
    const world *w = s->w;
    const uint32_t K = w->actions;
    double *x = s->context + i * FACTS, logit[MOST_ACTIONS], liked[MOST_ACTIONS];
    for (int f = 0; f < FACTS; f++)
        x[f] = random_normal(r);
    for (uint32_t a = 0; a < K; a++) {
        logit[a] = t->action[a];
        for (uint32_t f = 0; f < w->facts; f++)
            logit[a] += t->fact[a][f] * x[f];
        liked[a] = w->facts > 0 ? .5 * logit[a] + t->belief[a] : t->belief[a];
        s->chance[i * K + a] = 1 / (1 + exp(-w->usual - logit[a]));
    }
    softmax(liked, K, w->sharpness, s->logging + i * K);
    softmax(logit, K, w->uniform ? 0 : 2, s->target + i * K);
    s->action[i] = draw_action(s->logging + i * K, K, r);
    s->propensity[i] = s->logging[i * K + s->action[i]];
    s->reward[i] = random_unit(r) < s->chance[i * K + s->action[i]];
    for (uint32_t a = 0; a < K; a++)
        s->truth += s->target[i * K + a] * s->chance[i * K + a] / (double)s->log.n;
}

/* ---- a reward model that knows one fact, cross-fitted on two halves ---- */

/* Sums of one action in one half: of 1, x, x², r, x r. */
typedef struct sums {
    double n, x, xx, r, xr;
} sums;

/* The line through them, drawn towards the mean over all actions by as much as PRIOR decisions
 * would; without facts only a level. */
enum { PRIOR = 30 };

static double expect(const sums *s, double usual, double x, bool with_fact)
{
    const double n = s->n + PRIOR, mean_r = (s->r + PRIOR * usual) / n, mean_x = s->x / n;
    const double spread = s->xx - n * mean_x * mean_x + PRIOR;
    const double slope = with_fact ? (s->xr - n * mean_x * mean_r) / spread : 0;
    return mean_r + slope * (x - mean_x);
}

static void fit_expected(sample *s)
{
    const uint32_t K = s->w->actions;
    static sums half[2][MOST_ACTIONS];
    double all[2][2] = {{0}}; /* decisions, rewards */
    memset(half, 0, sizeof half);
    for (size_t i = 0; i < s->log.n; i++) {
        sums *t = &half[i % 2][s->action[i]];
        const double x = s->context[i * FACTS], r = s->reward[i];
        *t = (sums){t->n + 1, t->x + x, t->xx + x * x, t->r + r, t->xr + x * r};
        all[i % 2][0] += 1;
        all[i % 2][1] += r;
    }
    for (size_t i = 0; i < s->log.n; i++) {
        const size_t other = 1 - i % 2;
        for (uint32_t a = 0; a < K; a++)
            s->expected[i * K + a] = expect(&half[other][a], all[other][1] / all[other][0],
                                            s->context[i * FACTS], s->w->facts > 0);
    }
}

static void draw_log(sample *s, uint64_t seed)
{
    random_stream r = random_begin(seed, 77);
    nature t;
    draw_nature(&t, s->w, &r);
    s->truth = 0;
    for (size_t i = 0; i < s->log.n; i++)
        draw_decision(s, &t, i, &r);
    fit_expected(s);
}

/* ---- ways to estimate ---- */

typedef struct way {
    off_policy_estimator estimator;
    off_policy_rule rule;
    const char *name;
} way;

static const way ways[] = {
    {OFF_POLICY_DM, 0, "dm"},
    {OFF_POLICY_IPS, 0, "ips"},
    {OFF_POLICY_SNIPS, 0, "snips"},
    {OFF_POLICY_DR, 0, "dr"},
    {OFF_POLICY_SNDR, 0, "sndr"},
    {OFF_POLICY_SWITCH, OFF_POLICY_BY_ERROR, "switch-dr, least error"},
    {OFF_POLICY_SWITCH, OFF_POLICY_BY_BOUND, "switch-dr, bounded error"},
    {OFF_POLICY_SWITCH, OFF_POLICY_BY_INTERVALS, "switch-dr, intervals"},
    {OFF_POLICY_DROS, OFF_POLICY_BY_ERROR, "dros, least error"},
    {OFF_POLICY_DROS, OFF_POLICY_BY_BOUND, "dros, bounded error"},
    {OFF_POLICY_DROS, OFF_POLICY_BY_INTERVALS, "dros, intervals"},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

typedef struct tally {
    double square, bias;
    unsigned covered, n;
} tally;

static void estimate(const sample *s, const way *how, unsigned replicates, pool *threads,
                     off_policy_value *out)
{
    off_policy_plan plan = off_policy_plan_default();
    pf_error err = {0};
    plan.estimator = how->estimator;
    plan.rule = how->rule;
    plan.replicates = replicates;
    plan.threads = threads;
    if (off_policy_estimate(&s->log, &plan, out, &err) == PF_OK) return;
    fprintf(stderr, "ope: %s: %s\n", how->name, err.message);
    exit(1);
}

static void run_world(const world *w, unsigned seeds, pool *threads, tally *of)
{
    enum { REPLICATES = 200 };
    sample s;
    sample_new(&s, w, DECISIONS);
    for (unsigned seed = 1; seed <= seeds; seed++) {
        draw_log(&s, seed);
        for (size_t k = 0; k < WAYS; k++) {
            off_policy_value v;
            estimate(&s, &ways[k], REPLICATES, threads, &v);
            const double off = v.value / s.truth - 1;
            of[k].square += off * off;
            of[k].bias += off;
            of[k].covered += v.low <= s.truth && s.truth <= v.high;
            of[k].n++;
        }
    }
    sample_free(&s);
}

static double root_error(const tally *t)
{
    return sqrt(t->square / t->n);
}

static void print(const char *model, const char *metric, double value, const char *data,
                  const char *reference)
{
    char detail[512];
    (void)snprintf(detail, sizeof detail, "{\"data\":\"%s\",\"decisions\":%d,\"reference\":%s}",
                   data, DECISIONS, reference);
    bench_print(&(bench_result){.bench = "ope",
                                .model = model,
                                .metric = metric,
                                .value = value,
                                .detail = detail});
}

static bool must(bool met, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, met ? "met" : "MISSED");
    return met;
}

/* The doubly robust estimate on the shop must beat both of what it is made of, and its interval
 * mean what it says. */
static bool check_shop(const tally of[WAYS])
{
    const double dr = root_error(&of[OFF_POLICY_DR]);
    const double covered = of[OFF_POLICY_DR].covered / (double)of[OFF_POLICY_DR].n;
    bool met = must(dr < root_error(&of[OFF_POLICY_IPS]), "error of dr below that of ips");
    met &= must(dr < root_error(&of[OFF_POLICY_DM]), "error of dr below that of dm");
    return must(covered >= .93 && covered <= .97, "dr's interval covers 93 to 97 %") && met;
}

/* ---- the men's campaign ---- */

static double number_of(text cell)
{
    double x = NAN;
    if (!text_to_double(text_trim(cell), &x)) {
        fprintf(stderr, "ope: '%.*s' is no number\n", (int)cell.n, cell.data);
        exit(1);
    }
    return x;
}

static int column_of(const table_reader *r, const char *name)
{
    for (size_t i = 0; i < table_reader_columns(r); i++)
        if (text_is(table_reader_column(r, i), name)) return (int)i;
    fprintf(stderr, "ope: the log has no column %s\n", name);
    exit(1);
}

static void stop(const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "ope: %s\n", error_describe(err, words, sizeof words));
    exit(1);
}

static void read_men(sample *s, const char *folder)
{
    const reader_options options = {.table = TABLE_PRODUCTS};
    char path[4096];
    byte_source *source = NULL;
    table_reader *r = NULL;
    pf_error err = {0};
    row at;
    bool more = true;
    size_t i = 0;
    (void)snprintf(path, sizeof path, "%s/bts_men.csv.gz", folder);
    if (byte_source_open(&source, path, NULL, &err) != PF_OK ||
        table_reader_open(&r, source, &options, &err) != PF_OK)
        stop(&err);
    const int item = column_of(r, "item_id"), click = column_of(r, "click");
    const int propensity = column_of(r, "propensity_score");
    for (; i < s->log.n; i++) {
        if (table_reader_next(r, &at, &more, &err) != PF_OK) stop(&err);
        if (!more) break;
        s->action[i] = (uint32_t)number_of(at.cells[item]);
        s->reward[i] = number_of(at.cells[click]);
        s->propensity[i] = number_of(at.cells[propensity]);
        for (uint32_t a = 0; a < s->w->actions; a++)
            s->target[i * s->w->actions + a] = 1.0 / s->w->actions;
    }
    s->log.n = i;
    table_reader_close(r);
}

/* Once, by the way that the synthetic worlds prefer. */
static void run_men(const way *best, pool *threads)
{
    const char *folder = bench_data("open-bandit");
    off_policy_value v;
    sample s;
    sample_new(&s, &worlds[1], DECISIONS);
    read_men(&s, folder);
    fit_expected(&s);
    for (size_t k = 0; k < WAYS; k++) {
        const bool chosen = &ways[k] == best;
        if (!chosen && ways[k].estimator > OFF_POLICY_SNDR) continue;
        estimate(&s, &ways[k], MEN_REPLICATES, threads, &v);
        const char *name = ways[k].name;
        print(name, "value", v.value, "open-bandit men, bts to random", "null");
        print(name, "low", v.low, "open-bandit men, bts to random", "null");
        print(name, "high", v.high, "open-bandit men, bts to random", "null");
        print(name, "relative_error", fabs(v.value / MEN_TRUTH - 1),
              "open-bandit men, bts to random", "[.410,.350,.245]");
        if (chosen) {
            fprintf(stderr, "men by %s: %.5f (%.5f to %.5f), truth .0051; %.0f of %zu decisions "
                            "speak of it\n",
                    name, v.value, v.low, v.high, v.support.effective, s.log.n);
            print(name, "effective", v.support.effective, "open-bandit men, bts to random", "null");
            print(name, "parameter", v.parameter, "open-bandit men, bts to random", "null");
        }
    }
    sample_free(&s);
}

/* ---- the program ---- */

typedef struct options {
    unsigned seeds, threads;
    bool men;
} options;

static options read_arguments(int argc, char **argv)
{
    options o = {.seeds = 1000, .threads = 2, .men = true};
    for (int i = 1; i < argc; i++) {
        uint64_t n = 0;
        const bool valued = i + 1 < argc && text_to_u64(text_of(argv[i + 1]), &n) && n > 0;
        if (!strcmp(argv[i], "--without-men")) {
            o.men = false;
        } else if (!strcmp(argv[i], "--seeds") && valued && n <= 100000) {
            o.seeds = (unsigned)n;
            i++;
        } else if (!strcmp(argv[i], "--threads") && valued && n <= 64) {
            o.threads = (unsigned)n;
            i++;
        } else {
            fprintf(stderr, "usage: bench/run ope [--seeds N] [--threads N] [--without-men]\n");
            exit(2);
        }
    }
    return o;
}

/* The chosen-parameter way with the least mean of relative errors over the worlds. */
static const way *best_way(tally of[WORLDS][WAYS])
{
    size_t best = WAYS;
    double least = INFINITY;
    for (size_t k = OFF_POLICY_SNDR + 1; k < WAYS; k++) {
        double sum = 0;
        for (size_t w = 0; w < WORLDS; w++)
            sum += root_error(&of[w][k]);
        if (sum >= least) continue;
        least = sum;
        best = k;
    }
    return &ways[best];
}

int main(int argc, char **argv)
{
    const options o = read_arguments(argc, argv);
    static tally of[WORLDS][WAYS];
    pool *threads = pool_new(o.threads);
    for (size_t w = 0; w < WORLDS; w++) {
        run_world(&worlds[w], o.seeds, threads, of[w]);
        for (size_t k = 0; k < WAYS; k++) {
            const tally *t = &of[w][k];
            print(ways[k].name, "relative_rmse", root_error(t), worlds[w].name, "null");
            print(ways[k].name, "relative_bias", t->bias / t->n, worlds[w].name, "null");
            print(ways[k].name, "coverage", t->covered / (double)t->n, worlds[w].name, ".95");
        }
    }
    const bool met = check_shop(of[0]);
    const way *best = best_way(of);
    fprintf(stderr, "the synthetic worlds prefer %s\n", best->name);
    if (o.men) run_men(best, threads);
    pool_free(threads);
    return met ? 0 : 1;
}
