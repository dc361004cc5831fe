/*
 * Whom does an e-mail move? Learners of effects on a test of 64,000 shoppers.
 *
 * Rooms: base measure tensor intake response
 * Libraries: bench_uplift_parts
 *
 *     bench/run uplift [--shuffles N] [--each] [--unseen]
 *
 * hillstrom: womens e-mail against none, and any e-mail against none; the outcome is a visit; all
 * columns of before the test. The band of history is history told once more: whether it joins is
 * decided by the log-loss of visits on folds within the folds learnt from, for all learners alike.
 * Fold = 0-based data row of the whole file mod 5, then the two arms are kept. Qini is
 * scikit-uplift's qini_auc_score, uplift@30 % of both arms together; means of the five folds.
 * `proffer` is the default of response/uplift_model.h: the learner is chosen on folds within the
 * four folds learnt from. Beside it two logistic models (the learner t) and a response model (the
 * chance to visit of those who got the mail), which answers another question.
 * --each tells every learner alone.
 *
 * --shuffles N: the same over N other cuts, fold = rank of u(rows, seed) mod 5, seeds 0 to N - 1.
 *
 * The defaults of the learners were fixed after test folds of these two contests had been seen
 * (docs/experiments.md), which every line says. --unseen asks instead what nothing was chosen by:
 * the mens e-mail against none, who buys, and for how much. No gates there; two logistic models
 * (for spend, a chance times a size) and the response model stand beside.
 *
 * Then money, from what was foretold out of fold for the womens e-mail: spend at an assumed margin
 * and cost of contact. What must be reached stands in `gates`; ends with 1 when it is not.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "bench/result.h"
#include "bench/uplift_data.h"
#include "measure/order.h"
#include "measure/uplift.h"
#include "measure/uplift_money.h"
#include "response/uplift_model.h"

enum { FOLDS = 5, SEEN = 2, CONTESTS = 6, MOST_SHUFFLES = 1000 };
enum { RESPONSE = UPLIFT_KINDS, PROFFER };

typedef enum asked_outcome { VISIT, BUYS, SPEND } asked_outcome;
static const struct {
    const char *name;
    int left_out; /* arm that takes no part; -1: none */
    asked_outcome outcome;
    double qini, shuffled; /* at least; 0: no gate */
    double seen_qini, seen_at_30; /* of two logistic models elsewhere */
} contests[CONTESTS] = {
    {"womens", HILLSTROM_MENS, VISIT, .0675, .063, .0675, .0729},
    {"any", -1, VISIT, .040, .036, .0398, .0789},
    {"mens", HILLSTROM_WOMENS, VISIT, 0, 0, NAN, NAN},
    {"mens, who buys", HILLSTROM_WOMENS, BUYS, 0, 0, NAN, NAN},
    {"womens, who buys", HILLSTROM_MENS, BUYS, 0, 0, NAN, NAN},
    {"any, spend", -1, SPEND, 0, 0, NAN, NAN},
};

static const double at = 0.3, margin = 0.3, contact = 0.1;

typedef struct figures {
    double qini, at_30;
} figures;

typedef struct run {
    hillstrom data;
    uint8_t *fold;
    double *effect; /* [n] as foretold by what was asked last */
    unsigned shuffles;
    bool each, unseen, missed;
    int chosen[UPLIFT_KINDS], bands; /* folds that chose a learner, or the band */
} run;

static void check(pf_status s, const pf_error *err)
{
    char words[1024];
    if (s == PF_OK) return;
    fprintf(stderr, "uplift: %s\n", error_describe(err, words, sizeof words));
    exit(1);
}

static void *memory(size_t count, size_t size)
{
    void *block = mem_alloc_zero(count, size);
    if (block == NULL) check(PF_NO_MEMORY, &(pf_error){.message = "out of memory"});
    return block;
}

/* ---- rows of a contest ---- */

typedef struct rows {
    size_t n;
    float *x, *y; /* x [n x HILLSTROM_FEATURES], the band last; without it, one less */
    size_t features;
    uint32_t *arm, *row;
    double *propensity;
} rows;

static bool takes_part(const run *r, int contest, size_t i)
{
    return r->data.arm[i] != contests[contest].left_out;
}

static float outcome_of(const run *r, int contest, size_t i)
{
    const float spend = r->data.spend[i];
    if (contests[contest].outcome == SPEND) return spend;
    return contests[contest].outcome == BUYS ? spend > 0 : r->data.visit[i];
}

/* Of one fold, or of all others. */
static rows rows_of(const run *r, int contest, int fold, bool inside)
{
    const size_t n = r->data.n;
    rows s = {.features = HILLSTROM_FEATURES,
              .x = memory(n, HILLSTROM_FEATURES * sizeof(float)), .y = memory(n, sizeof(float)),
              .arm = memory(n, sizeof(uint32_t)), .row = memory(n, sizeof(uint32_t)),
              .propensity = memory(n, sizeof(double))};
    const double treated = contests[contest].left_out < 0 ? 2. / 3 : .5;
    for (size_t i = 0; i < n; i++) {
        if (!takes_part(r, contest, i) || (r->fold[i] == fold) != inside) continue;
        memcpy(s.x + s.n * HILLSTROM_FEATURES, r->data.x + i * HILLSTROM_FEATURES,
               HILLSTROM_FEATURES * sizeof(float));
        s.arm[s.n] = r->data.arm[i] != HILLSTROM_NONE;
        s.propensity[s.n] = s.arm[s.n] ? treated : 1 - treated;
        s.y[s.n] = outcome_of(r, contest, i);
        s.row[s.n++] = (uint32_t)i;
    }
    return s;
}

static void rows_free(rows *s)
{
    mem_free(s->x);
    mem_free(s->y);
    mem_free(s->arm);
    mem_free(s->row);
    mem_free(s->propensity);
}

/* The same without the band, in place. */
static void leave_band(rows *s)
{
    const size_t F = s->features - 1;
    for (size_t i = 0; i < s->n; i++)
        memmove(s->x + i * F, s->x + i * s->features, F * sizeof *s->x);
    s->features = F;
}

/* ---- the band, or not ---- */

/* [x, t, t x] of the first F columns. */
static void with_treatment(const rows *s, size_t i, size_t F, float *out)
{
    const float *x = s->x + i * s->features, t = s->arm[i] ? 0.5f : -0.5f;
    for (size_t f = 0; f < F; f++) {
        out[f] = x[f];
        out[F + 1 + f] = t * x[f];
    }
    out[F] = t;
}

/* Of visits in one inner fold, foretold from the others; summed over its rows. */
static double log_loss_of_fold(const rows *s, size_t F, size_t fold)
{
    const size_t width = 2 * F + 1;
    float *x = memory(s->n, width * sizeof *x), one[2 * HILLSTROM_FEATURES + 1];
    uint8_t *y = memory(s->n, 1);
    linear_model m;
    pf_error err = {0};
    linear_options o = linear_options_default();
    double loss = 0;
    size_t n = 0;
    o.ridge = 0.002;
    for (size_t i = 0; i < s->n; i++) {
        if (i % FOLDS == fold) continue;
        with_treatment(s, i, F, x + n * width);
        y[n++] = s->y[i] > 0;
    }
    check(linear_fit_logistic(&m, &(feature_rows){n, width, x}, y, NULL, &o, &err), &err);
    for (size_t i = fold; i < s->n; i += FOLDS) {
        with_treatment(s, i, F, one);
        const double p = linear_probability(&m, one);
        loss -= log(s->y[i] > 0 ? p : 1 - p);
    }
    linear_free(&m);
    mem_free(x);
    mem_free(y);
    return loss;
}

static bool wants_band(const rows *known)
{
    double with = 0, without = 0;
    for (size_t k = 0; k < FOLDS; k++) {
        with += log_loss_of_fold(known, known->features, k);
        without += log_loss_of_fold(known, known->features - 1, k);
    }
    return with < without;
}

/* ---- learning and asking ---- */

static void foretell_response(const rows *known, const rows *asked, double *effect)
{
    linear_model m;
    pf_error err = {0};
    linear_options o = linear_options_default();
    const size_t F = known->features;
    size_t n = 0;
    float *x = memory(known->n, F * sizeof *x);
    uint8_t *y = memory(known->n, sizeof *y);
    for (size_t i = 0; i < known->n; i++) {
        if (!known->arm[i]) continue;
        memcpy(x + n * F, known->x + i * F,
               F * sizeof *x);
        y[n++] = known->y[i] > 0;
    }
    o.ridge = 0.001;
    check(linear_fit_logistic(&m, &(feature_rows){n, F, x}, y, NULL, &o, &err),
          &err);
    for (size_t i = 0; i < asked->n; i++)
        effect[i] = linear_score(&m, asked->x + i * F);
    linear_free(&m);
    mem_free(x);
    mem_free(y);
}

/* who: a uplift_kind, or PROFFER. */
static void foretell(run *r, int contest, int who, const rows *known, const rows *asked,
                     double *effect)
{
    uplift_model *m;
    const size_t F = known->features;
    pf_error err = {0};
    uplift_model_options o = uplift_model_options_default();
    const uplift_trial trial = {.n = known->n, .features = F, .x = known->x,
                                .arm = known->arm, .y = known->y,
                                .propensity = known->propensity, .arms = 1};
    if (who == RESPONSE) {
        foretell_response(known, asked, effect);
        return;
    }
    if (who != PROFFER) o.consider = UPLIFT_ONLY(who);
    if (contests[contest].outcome == SPEND) o.outcome = UPLIFT_AMOUNT;
    check(uplift_model_fit(&trial, &o, &m, &err), &err);
    const feature_rows wanted = {asked->n, F, asked->x};
    check(uplift_model_score(m, &wanted, NULL, 1, effect, &err), &err);
    if (who == PROFFER) r->chosen[uplift_model_kind(m)]++;
    uplift_model_free(m);
}

static figures judge(const rows *asked, const double *effect)
{
    uplift_ranking *ranking;
    pf_error err = {0};
    uint8_t *treated = memory(asked->n, 1);
    double *y = memory(asked->n, sizeof *y);
    for (size_t i = 0; i < asked->n; i++) {
        treated[i] = asked->arm[i] != 0;
        y[i] = (double)asked->y[i];
    }
    check(uplift_ranking_new(&ranking, effect, treated, y, asked->n, &err), &err);
    const figures f = {.qini = uplift_qini_auc(ranking, NULL),
                       .at_30 = uplift_at(ranking, NULL, at, UPLIFT_OVERALL)};
    uplift_ranking_free(ranking);
    mem_free(treated);
    mem_free(y);
    return f;
}

/* Means of the folds; what was foretold is left in r->effect. */
static figures over_folds(run *r, int contest, int who)
{
    figures mean = {0, 0};
    double *effect = memory(r->data.n, sizeof *effect);
    for (int fold = 0; fold < FOLDS; fold++) {
        rows known = rows_of(r, contest, fold, false), asked = rows_of(r, contest, fold, true);
        if (wants_band(&known)) {
            r->bands++;
        } else {
            leave_band(&known);
            leave_band(&asked);
        }
        foretell(r, contest, who, &known, &asked, effect);
        const figures f = judge(&asked, effect);
        mean.qini += f.qini / FOLDS;
        mean.at_30 += f.at_30 / FOLDS;
        for (size_t i = 0; i < asked.n; i++)
            r->effect[asked.row[i]] = effect[i];
        rows_free(&known);
        rows_free(&asked);
    }
    mem_free(effect);
    return mean;
}

/* ---- cuts ---- */

/* The generator of the golden values: SplitMix64's output function (Steele, Lea, Flood, OOPSLA
 * 2014) on salt * 2^32 + k. */
static double golden_unit(uint64_t k, uint64_t salt)
{
    uint64_t z = (salt << 32) + k + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void cut_by_row(run *r)
{
    for (size_t i = 0; i < r->data.n; i++)
        r->fold[i] = (uint8_t)(i % FOLDS);
}

static void cut_by_shuffle(run *r, uint64_t seed)
{
    pf_error err = {0};
    double *u = memory(r->data.n, sizeof *u);
    uint32_t *order = memory(r->data.n, sizeof *order);
    for (size_t i = 0; i < r->data.n; i++)
        u[i] = golden_unit(i, seed);
    check(order_rows(u, r->data.n, ORDER_ASCENDING, order, &err), &err);
    for (size_t rank = 0; rank < r->data.n; rank++)
        r->fold[order[rank]] = (uint8_t)(rank % FOLDS);
    mem_free(u);
    mem_free(order);
}

/* ---- results ---- */

static const char *name_of(int who)
{
    if (who == PROFFER) return "proffer";
    return who == RESPONSE ? "response" : uplift_kind_name((uplift_kind)who);
}

static void print(int who, const char *metric, double value, const char *detail)
{
    bench_print(&(bench_result){.bench = "uplift", .model = name_of(who), .metric = metric,
                                .value = value, .detail = detail});
}

static void gate(run *r, double value, double least, const char *what, int contest)
{
    if (least <= 0 || value >= least) return;
    fprintf(stderr, "uplift: %s of %s is %.4f, not %.4f\n", what, contests[contest].name, value,
            least);
    r->missed = true;
}

/* Begins the detail of a line. */
static size_t begin(const run *r, int contest, char *detail, size_t most)
{
    return (size_t)snprintf(detail, most,
                            "{\"data\":\"hillstrom\",\"contest\":\"%s\",\"with_band\":%d,"
                            "\"defaults_saw_test_folds\":%s", contests[contest].name, r->bands,
                            contest < SEEN ? "true" : "false");
}

static size_t add_chosen(const run *r, char *detail, size_t n, size_t most)
{
    for (int k = 0; k < UPLIFT_KINDS; k++)
        if (r->chosen[k])
            n += (size_t)snprintf(detail + n, most - n, ",\"chose %s\":%d", name_of(k),
                                  r->chosen[k]);
    return n;
}

static figures measure(run *r, int contest, int who)
{
    char detail[400];
    memset(r->chosen, 0, sizeof r->chosen);
    r->bands = 0;
    const double start = bench_cpu_s();
    const figures f = over_folds(r, contest, who);
    size_t n = begin(r, contest, detail, sizeof detail);
    n += (size_t)snprintf(detail + n, sizeof detail - n, ",\"cut\":\"row\",\"cpu_s\":%.1f",
                          bench_cpu_s() - start);
    n = add_chosen(r, detail, n, sizeof detail);
    if (contest < SEEN)
        n += (size_t)snprintf(detail + n, sizeof detail - n,
                              ",\"two_logistic_models_elsewhere\":[%.4f,%.4f]",
                              contests[contest].seen_qini, contests[contest].seen_at_30);
    (void)snprintf(detail + n, sizeof detail - n, "}");
    print(who, "qini_auc", f.qini, detail);
    print(who, "uplift@30", f.at_30, detail);
    return f;
}

static void shuffle(run *r, int contest, int who, bool gated)
{
    char detail[400];
    double sum = 0, square = 0, at_30 = 0;
    memset(r->chosen, 0, sizeof r->chosen);
    r->bands = 0;
    for (unsigned seed = 0; seed < r->shuffles; seed++) {
        cut_by_shuffle(r, seed);
        const figures f = over_folds(r, contest, who);
        sum += f.qini;
        square += f.qini * f.qini;
        at_30 += f.at_30;
    }
    const double n = r->shuffles, mean = sum / n;
    const double deviation = n > 1 ? sqrt(fmax(0, (square - sum * mean) / (n - 1))) : NAN;
    size_t at_end = begin(r, contest, detail, sizeof detail);
    at_end = add_chosen(r, detail, at_end, sizeof detail);
    (void)snprintf(detail + at_end, sizeof detail - at_end, ",\"shuffles\":%u,\"deviation\":%.4f}",
                   r->shuffles, deviation);
    print(who, "qini_auc_shuffled", mean, detail);
    print(who, "uplift@30_shuffled", at_30 / n, detail);
    if (gated) gate(r, mean, contests[contest].shuffled, "mean Qini over shuffles", contest);
}

/* What the womens e-mail earns, from r->effect. */
static void money(run *r)
{
    char words[300], detail[500];
    size_t n = 0;
    pf_error err = {0};
    const size_t most = r->data.n;
    double *score = memory(most, sizeof *score), *y = memory(most, sizeof *y);
    uint8_t *treated = memory(most, 1);
    uint32_t *shopper = memory(most, sizeof *shopper);
    for (size_t i = 0; i < most; i++) {
        if (!takes_part(r, 0, i)) continue;
        score[n] = r->effect[i];
        y[n] = (double)r->data.spend[i];
        treated[n] = r->data.arm[i] != HILLSTROM_NONE;
        shopper[n++] = (uint32_t)i;
    }
    const uplift_money_rows asked = {.score = score, .treated = treated, .y = y,
                                     .shopper = shopper, .n = n, .margin = margin,
                                     .cost = contact};
    const uplift_money_options o = uplift_money_options_default();
    uplift_money m;
    check(uplift_money_measure(&asked, &o, &m, &err), &err);
    for (int k = 1; k < UPLIFT_MONEY_SHARES; k += 2) {
        (void)snprintf(detail, sizeof detail, "{\"share\":%.2f,\"low\":%.2f,\"high\":%.2f}",
                       m.share[k], m.profit[k].low, m.profit[k].high);
        print(PROFFER, "profit_per_1000", m.profit[k].value, detail);
    }
    (void)snprintf(detail, sizeof detail,
                   "{\"margin\":%.2f,\"contact\":%.2f,\"low\":%.2f,\"high\":%.2f,\"verdict\":"
                   "\"%s\"}", margin, contact, m.judged.low, m.judged.high,
                   uplift_money_say(&m, o.level, words, sizeof words));
    print(PROFFER, "profit_per_1000_judged", m.judged.value, detail);
    mem_free(score);
    mem_free(y);
    mem_free(treated);
    mem_free(shopper);
}

/* ---- the program ---- */

static run read_arguments(int argc, char **argv)
{
    run r = {.shuffles = 0};
    for (int i = 1; i < argc; i++) {
        uint64_t n = 0;
        if (!strcmp(argv[i], "--each"))
            r.each = true;
        else if (!strcmp(argv[i], "--unseen"))
            r.unseen = true;
        else if (!strcmp(argv[i], "--shuffles") && i + 1 < argc &&
                 text_to_u64(text_of(argv[i + 1]), &n) && n >= 1 && n <= MOST_SHUFFLES) {
            r.shuffles = (unsigned)n;
            i++;
        } else {
            fprintf(stderr, "usage: bench/run uplift [--shuffles N] [--each] [--unseen]\n");
            exit(2);
        }
    }
    return r;
}

static void hold(run *r, int which)
{
    cut_by_row(r);
    for (int who = 0; who < PROFFER; who++)
        if ((who != RESPONSE || contests[which].outcome != SPEND) &&
            (r->each || who == UPLIFT_T_LINES || who == RESPONSE)) (void)measure(r, which, who);
    const figures f = measure(r, which, PROFFER);
    gate(r, f.qini, contests[which].qini, "Qini", which);
    if (which == 0) money(r);
    if (r->shuffles == 0) return;
    shuffle(r, which, UPLIFT_T_LINES, false);
    shuffle(r, which, PROFFER, true);
}

int main(int argc, char **argv)
{
    run r = read_arguments(argc, argv);
    r.data = hillstrom_read();
    r.fold = memory(r.data.n, 1);
    r.effect = memory(r.data.n, sizeof *r.effect);
    for (int which = r.unseen ? SEEN : 0; which < (r.unseen ? CONTESTS : SEEN); which++)
        hold(&r, which);
    mem_free(r.fold);
    mem_free(r.effect);
    hillstrom_free(&r.data);
    return r.missed ? 1 : 0;
}
