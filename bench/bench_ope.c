/*
 * What another policy would have brought, from a log: estimators against known truths.
 *
 * Rooms: base intake measure evaluate
 *
 *     bench/run ope [--seeds N] [--threads N] [--without-men | --only-men]
 *
 * First synthetic logs with known truth: "shop", 10 actions, 10,000 decisions, contexts that
 * matter, N seeds (1,000); and "rare", 34 actions, 10,000 decisions, rewards of half a percent, a
 * log that drifts and half knows what is good, with weights up to 200, at most SEEDS_OF_RARE
 * seeds. The reward model is wrong on purpose: of five facts of a context it is told one (in
 * "rare" there is none to know). For every estimator, and every rule that chooses its parameter
 * from the log alone: root mean square error relative to the truth, and how often the 95 %
 * interval holds the truth.
 *
 * Then, once, the men's campaign of the Open Bandit Dataset: the log of Thompson sampling is
 * asked for the value of the uniform policy, by the rule that was FIXED on the synthetic worlds:
 * the least sum of relative errors among those whose interval covers at least LEAST_COVERAGE in
 * each. Truth .0051: what the uniform policy's own campaign brought.
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
#define LEAST_COVERAGE .90

typedef struct world {
    const char *name;
    uint32_t actions, facts; /* facts of a context that matter */
    double usual;            /* log-odds of a reward */
    double action_spread, fact_spread; /* of the log-odds */
    double sharpness;        /* of the logging policy */
    double knows;            /* correlation of its liking with the truth */
    double drift;            /* spread of its liking over time */
    bool uniform;            /* the judged policy; else one that knows more than the log's */
} world;

static const world worlds[] = {
    {"shop", 10, FACTS, -1.2, .5, .5, .8, .3, 0, false},
    {"rare", MOST_ACTIONS, 0, -5.2, .4, 0, 1.4, .5, .8, true},
};
enum { WORLDS = sizeof worlds / sizeof worlds[0], EPOCHS = 20 };

/* One log with its truth; arrays are written anew for every seed. */
typedef struct sample {
    const world *w;
    double *context;   /* [n x FACTS] */
    double *known;     /* [n] the one fact that the reward model is told */
    double *chance;    /* [n x K] of a reward */
    double *logging, *target; /* [n x K] */
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
                  .known = room(n, sizeof(double)),
                  .chance = room(nk, sizeof(double)),
                  .logging = room(nk, sizeof(double)),
                  .target = room(nk, sizeof(double)),
                  .action = room(n, sizeof(uint32_t)),
                  .reward = room(n, sizeof(double)),
                  .propensity = room(n, sizeof(double))};
    s->log = (off_policy_log){.n = n,
                              .n_actions = w->actions,
                              .action = s->action,
                              .reward = s->reward,
                              .propensity = s->propensity,
                              .target = s->target,
                              .logging = s->logging,
                              .features = w->facts > 0 ? s->known : NULL,
                              .n_features = w->facts > 0};
}

static void sample_free(sample *s)
{
    mem_free(s->context);
    mem_free(s->chance);
    mem_free(s->logging);
    mem_free(s->target);
    mem_free(s->known);
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

/* What the actions of a world are like, and how the log's policy likes them in the course of
 * time; drawn anew for every seed. */
typedef struct nature {
    double action[MOST_ACTIONS], fact[MOST_ACTIONS][FACTS], liked[EPOCHS][MOST_ACTIONS];
} nature;

static void draw_nature(nature *t, const world *w, random_stream *r)
{
    for (uint32_t a = 0; a < w->actions; a++) {
        const double z = random_normal(r);
        const double belief = w->knows * z + sqrt(1 - w->knows * w->knows) * random_normal(r);
        t->action[a] = w->action_spread * z;
        for (int e = 0; e < EPOCHS; e++)
            t->liked[e][a] = belief + w->drift * random_normal(r);
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
        liked[a] = t->liked[i * EPOCHS / s->log.n][a] + .5 * (logit[a] - t->action[a]);
        s->chance[i * K + a] = 1 / (1 + exp(-w->usual - logit[a]));
    }
    s->known[i] = x[0];
    softmax(liked, K, w->sharpness, s->logging + i * K);
    softmax(logit, K, w->uniform ? 0 : 2, s->target + i * K);
    s->action[i] = draw_action(s->logging + i * K, K, r);
    s->propensity[i] = s->logging[i * K + s->action[i]];
    s->reward[i] = random_unit(r) < s->chance[i * K + s->action[i]];
    for (uint32_t a = 0; a < K; a++)
        s->truth += s->target[i * K + a] * s->chance[i * K + a] / (double)s->log.n;
}

static void draw_log(sample *s, uint64_t seed)
{
    random_stream r = random_begin(seed, 77);
    nature t;
    draw_nature(&t, s->w, &r);
    s->truth = 0;
    for (size_t i = 0; i < s->log.n; i++)
        draw_decision(s, &t, i, &r);
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
enum { WAYS = sizeof ways / sizeof ways[0], FIXED = 5 /* of ways: switch-dr, least error */ };

typedef struct tally {
    double square, bias, effective, largest;
    unsigned n, covered, intervals;
} tally;

/* Intervals take hundreds of estimates each: those of dr in the shop, which have a target, come
 * from every seed, those of other ways from the first of them. */
enum { REPLICATES = 100, SEEDS_WITH_INTERVALS = 100, SEEDS_OF_RARE = 200 };

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

static void count(tally *t, const off_policy_value *v, double truth, bool interval)
{
    const double off = v->value / truth - 1;
    t->square += off * off;
    t->bias += off;
    t->effective += v->support.effective;
    t->largest += v->support.largest_weight;
    t->n++;
    if (!interval) return;
    t->covered += v->low <= truth && truth <= v->high;
    t->intervals++;
}

static void run_world(const world *w, unsigned seeds, pool *threads, tally *of)
{
    sample s;
    sample_new(&s, w, DECISIONS);
    for (unsigned seed = 1; seed <= seeds; seed++) {
        draw_log(&s, seed);
        for (size_t k = 0; k < WAYS; k++) {
            const bool interval =
                seed <= SEEDS_WITH_INTERVALS ||
                (ways[k].estimator == OFF_POLICY_DR && !w->uniform);
            off_policy_value v;
            estimate(&s, &ways[k], interval ? REPLICATES : 2, threads, &v);
            count(&of[k], &v, s.truth, interval);
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
    const double covered = of[OFF_POLICY_DR].covered / (double)of[OFF_POLICY_DR].intervals;
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
    s->log.logging = NULL; /* the log kept only the chance of what it took */
    table_reader_close(r);
}

static void print_men(const char *name, const char *metric, double value, const char *reference)
{
    print(name, metric, value, "open-bandit men, bts to random", reference);
}

/* Once, by the fixed rule; those without a parameter stand beside it. */
static void run_men(pool *threads)
{
    const char *folder = bench_data("open-bandit");
    char warning[256];
    sample s;
    sample_new(&s, &worlds[1], DECISIONS);
    read_men(&s, folder);
    for (size_t k = 0; k < WAYS; k++) {
        off_policy_value v;
        if (k != FIXED && ways[k].estimator > OFF_POLICY_SNDR) continue;
        estimate(&s, &ways[k], MEN_REPLICATES, threads, &v);
        print_men(ways[k].name, "value", v.value, "null");
        print_men(ways[k].name, "low", v.low, "null");
        print_men(ways[k].name, "high", v.high, "null");
        print_men(ways[k].name, "relative_error", fabs(v.value / MEN_TRUTH - 1),
                  "{\"ipw\":0.410,\"dr\":0.350,\"dm\":0.245}");
        if (k != FIXED) continue;
        print_men(ways[k].name, "effective", v.support.effective, "null");
        print_men(ways[k].name, "parameter", v.parameter, "null");
        fprintf(stderr, "men by %s: %.5f (%.5f to %.5f), truth %.4f; %.0f of %zu decisions speak "
                        "of it. %s\n",
                ways[k].name, v.value, v.low, v.high, MEN_TRUTH, v.support.effective, s.log.n,
                off_policy_warning(&v.support, warning, sizeof warning));
    }
    sample_free(&s);
}

/* ---- the program ---- */

typedef struct options {
    unsigned seeds, threads;
    bool men, worlds;
} options;

static options read_arguments(int argc, char **argv)
{
    options o = {.seeds = 1000, .threads = 2, .men = true, .worlds = true};
    for (int i = 1; i < argc; i++) {
        uint64_t n = 0;
        const bool valued = i + 1 < argc && text_to_u64(text_of(argv[i + 1]), &n) && n > 0;
        if (!strcmp(argv[i], "--without-men")) {
            o.men = false;
        } else if (!strcmp(argv[i], "--only-men")) {
            o.worlds = false;
        } else if (!strcmp(argv[i], "--seeds") && valued && n <= 100000) {
            o.seeds = (unsigned)n;
            i++;
        } else if (!strcmp(argv[i], "--threads") && valued && n <= 64) {
            o.threads = (unsigned)n;
            i++;
        } else {
            fprintf(stderr, "usage: bench/run ope [--seeds N] [--threads N] [--without-men | "
                            "--only-men]\n");
            exit(2);
        }
    }
    return o;
}

static double coverage(const tally *t)
{
    return t->covered / (double)t->intervals;
}

/* Of the ways with a parameter, the one that the criterion prefers; WAYS when none covers. */
static size_t best_way(tally of[WORLDS][WAYS])
{
    size_t best = WAYS;
    double least = INFINITY;
    for (size_t k = OFF_POLICY_SNDR + 1; k < WAYS; k++) {
        double sum = 0;
        bool covers = true;
        for (size_t w = 0; w < WORLDS; w++) {
            sum += root_error(&of[w][k]);
            covers = covers && coverage(&of[w][k]) >= LEAST_COVERAGE;
        }
        if (!covers || sum >= least) continue;
        least = sum;
        best = k;
    }
    return best;
}

static void print_world(const world *w, const tally *of)
{
    print("log", "effective", of[0].effective / of[0].n, w->name, "null");
    print("log", "largest_weight", of[0].largest / of[0].n, w->name, "null");
    for (size_t k = 0; k < WAYS; k++) {
        print(ways[k].name, "relative_rmse", root_error(&of[k]), w->name, "null");
        print(ways[k].name, "relative_bias", of[k].bias / of[k].n, w->name, "null");
        print(ways[k].name, "coverage", coverage(&of[k]), w->name, "0.95");
    }
}

static bool run_worlds(unsigned seeds, pool *threads)
{
    static tally of[WORLDS][WAYS];
    for (size_t w = 0; w < WORLDS; w++) {
        const bool few = w > 0 && seeds > SEEDS_OF_RARE;
        run_world(&worlds[w], few ? SEEDS_OF_RARE : seeds, threads, of[w]);
        print_world(&worlds[w], of[w]);
    }
    const size_t best = best_way(of);
    fprintf(stderr, "these worlds prefer %s; fixed was %s\n",
            best < WAYS ? ways[best].name : "none: no interval covers", ways[FIXED].name);
    return check_shop(of[0]);
}

int main(int argc, char **argv)
{
    const options o = read_arguments(argc, argv);
    pool *threads = pool_new(o.threads);
    const bool met = o.worlds ? run_worlds(o.seeds, threads) : true;
    if (o.men) run_men(threads);
    pool_free(threads);
    return met ? 0 : 1;
}
