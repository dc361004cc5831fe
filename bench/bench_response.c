/*
 * Who redeems, which coupons, and which products in December? Predicted from the past.
 *
 * Rooms: base shop store intake recommend response evaluate
 * Libraries: bench_journey
 *
 *     bench/run response [all|demo] [--learner auto|logistic|xgboost|average]
 *                        [--threads N] [--replicates N] [--settings LIST]
 *
 * Protocol: evaluate/response_protocol.h; test campaigns start on 2017-08-01 or later and
 * are each scored by a model fitted on campaigns that had ended before; without a set both,
 * one after the other. Campaigns that run beyond the last day of the data are among them,
 * their redemptions cut off: the lines of protocol "observed" leave them out. Products of
 * December (evaluate/next_products.h) are predicted by habits and by plain frequency alone;
 * bench/run products compares more models. What must be
 * reached stands in `gates`; the benchmark ends with 1 when something is not.
 *
 * Last, the same with the outlook of a Transformer on every shopper (response/outlook.h), fitted
 * before the first test campaign and cross-fitted in time for what is learnt from: both figures
 * and their paired difference with a bootstrap interval over households. First on the campaigns
 * that had ended before the test ("earlier"), where it may be chosen or not, then on the test.
 *
 * --settings "width=64,epochs=16" changes the networks, as in sequence/settings.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bench/journey.h"
#include "bench/result.h"
#include "evaluate/next_products.h"
#include "evaluate/response_comparison.h"
#include "evaluate/response_protocol.h"

/* Lowest or highest value that passes, by set: all, demo. */
typedef struct gate {
    const char *metric;
    double all, demo;
    bool at_most;
} gate;

static const gate gates[] = {{"auc", .823, .793, false},
                             {"log_loss", .308, .323, true},
                             {"ece", .020, .030, true},
                             {"ndcg@10", .475, .470, false},
                             {"products_ndcg@10", .495, .495, false}};
/* The sum of what was announced over the sum of what happened, both sets. */
static const double ratio_low = .9, ratio_high = 1.1;

typedef struct run {
    const char *set; /* NULL: both */
    response_learner learner;
    unsigned threads, replicates;
    const char *settings; /* of the outlook's networks; NULL: its own */
    bool missed;
} run;

/* --- results ---------------------------------------------------------------------- */

/* What the libraries' best reached, from the data set's README. */
static const char *reference_of(const char *metric, bool all)
{
    if (!strcmp(metric, "auc")) return all ? "0.8232" : "0.7929";
    if (!strcmp(metric, "log_loss")) return all ? "0.3083" : "0.3233";
    if (!strcmp(metric, "ece")) return all ? "0.0155" : "0.0248";
    if (!strcmp(metric, "sum_p_over_sum_y")) return all ? "1.042" : "1.081";
    if (!strcmp(metric, "ndcg@10")) return all ? "0.463" : "0.460";
    if (!strcmp(metric, "products_ndcg@10")) return all ? "0.4925" : "0.4938";
    if (!strcmp(metric, "recall@10")) return all ? "0.646" : "0.648";
    return "null";
}

static const char *unit_of(const char *metric)
{
    size_t n = strlen(metric);
    if (n > 6 && !strcmp(metric + n - 6, "_bytes")) return "B";
    return n > 2 && !strcmp(metric + n - 2, "_s") ? "s" : NULL;
}

static void print(const run *r, const char *set, const char *part, const char *model,
                  const char *metric, double value)
{
    char detail[512];
    bool own_all = !strcmp(part, "all") && !strcmp(model, "proffer");
    (void)snprintf(detail, sizeof detail,
                   "{\"data\":\"completejourney\",\"households\":\"%s\",\"campaigns\":"
                   "\"%s\",\"from\":\"2017-08-01\",\"replicates\":%u,\"threads\":%u,"
                   "\"reference\":%s,\"reference_from\":\"scikit-learn, the data set's "
                   "README\"}",
                   set, part, r->replicates, r->threads,
                   own_all ? reference_of(metric, !strcmp(set, "all")) : "null");
    bench_print(&(bench_result){.bench = "response", .model = model, .metric = metric,
                                .value = value, .unit = unit_of(metric),
                                .detail = detail});
}

static void hold(run *r, const char *set, const char *metric, double value)
{
    bool all = !strcmp(set, "all"), ok = true;
    if (!strcmp(metric, "sum_p_over_sum_y"))
        ok = value >= ratio_low && value <= ratio_high;
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        double limit = all ? gates[i].all : gates[i].demo;
        if (!strcmp(gates[i].metric, metric))
            ok = gates[i].at_most ? value <= limit : value >= limit;
    }
    if (!ok) {
        fprintf(stderr, "bench_response: %s on %s is %.4f, which does not pass\n", metric,
                set, value);
        r->missed = true;
    }
}

static void print_any(run *r, const char *set, const char *part, const any_result *a)
{
    const any_figures *own = &a->own;
    print(r, set, part, "proffer", "auc", own->auc);
    print(r, set, part, "proffer", "auc_se", own->auc_se);
    print(r, set, part, "proffer", "log_loss", own->log_loss);
    print(r, set, part, "proffer", "brier", own->brier);
    print(r, set, part, "proffer", "ece", own->ece);
    print(r, set, part, "proffer", "sum_p_over_sum_y", own->sum_ratio);
    print(r, set, part, a->whole.model, "auc", a->whole.auc);
    print(r, set, part, a->whole.model, "log_loss", a->whole.log_loss);
    print(r, set, part, a->whole.model, "ece", a->whole.ece);
    print(r, set, part, a->whole.model, "sum_p_over_sum_y", a->whole.sum_ratio);
    for (int i = 0; i < PROTOCOL_ANY_BASELINES; i++) {
        const any_figures *b = &a->baseline[i];
        print(r, set, part, b->model, "auc", b->auc);
        print(r, set, part, b->model, "log_loss", b->log_loss);
        print(r, set, part, b->model, "auc_gain", b->auc_gain);
        print(r, set, part, b->model, "auc_gain_se", b->auc_gain_se);
        print(r, set, part, b->model, "log_loss_gain", b->log_loss_gain);
        print(r, set, part, b->model, "log_loss_gain_se", b->log_loss_gain_se);
    }
}

static void print_which(run *r, const char *set, const char *part, const which_result *w)
{
    print(r, set, part, "proffer", "ndcg@10", w->own.ndcg);
    print(r, set, part, "proffer", "ndcg@10_se", w->own.ndcg_se);
    print(r, set, part, "proffer", "recall@10", w->own.recall);
    for (int i = 0; i < PROTOCOL_WHICH_BASELINES; i++) {
        const which_figures *b = &w->baseline[i];
        print(r, set, part, b->model, "ndcg@10", b->ndcg);
        print(r, set, part, b->model, "recall@10", b->recall);
        print(r, set, part, b->model, "ndcg@10_gain", b->gain);
        print(r, set, part, b->model, "ndcg@10_gain_se", b->gain_se);
    }
}

/* --- one set ---------------------------------------------------------------------- */

static void stop(const pf_error *err)
{
    fprintf(stderr, "bench_response: %s\n", err->message);
    exit(1);
}

static void print_pairs(const char *set, const char *pairs, bool corrected,
                        const pair_figures *f)
{
    char detail[256];
    const char *metric[] = {"sum_p_over_sum_y", "sum_p_over_sum_y_low", "sum_p_over_sum_y_high",
                            "ece", "log_loss"};
    const double value[] = {f->sum_ratio, f->low, f->high, f->ece, f->log_loss};
    (void)snprintf(detail, sizeof detail,
                   "{\"data\":\"completejourney\",\"households\":\"%s\",\"pairs\":\"%s\","
                   "\"corrected\":%s,\"rows\":%zu,\"uses\":%.0f}",
                   set, pairs, corrected ? "true" : "false", f->rows, f->uses);
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++)
        bench_print(&(bench_result){.bench = "response", .model = "proffer",
                                    .metric = metric[i], .value = value[i],
                                    .detail = detail});
}

static void print_pair_result(const char *set, const char *pairs, const pair_result *p)
{
    print_pairs(set, pairs, false, &p->plain);
    print_pairs(set, pairs, true, &p->own);
}

/* Chances of single promotions, before and after they are corrected. */
static void report_pairs(run *r, const char *set, const response_pairs *p)
{
    double said = p->all.own.sum_ratio;
    print_pair_result(set, "all", &p->all);
    print_pair_result(set, "chosen", &p->best);
    print_pair_result(set, "chosen by spend", &p->best_spend);
    for (size_t k = 0; k < p->n_kinds; k++)
        print_pair_result(set, p->kind[k].name, &p->kind[k].result);
    if (said < ratio_low || said > ratio_high) {
        fprintf(stderr, "bench_response: single promotions' sum_p_over_sum_y on %s is %.4f, "
                "which does not pass\n", set, said);
        r->missed = true;
    }
}

static void report(run *r, const char *set, const response_protocol *p)
{
    print_any(r, set, "all", &p->any_all);
    print_any(r, set, "observed", &p->any_observed);
    print_which(r, set, "all", &p->which_all);
    print_which(r, set, "observed", &p->which_observed);
    report_pairs(r, set, &p->pairs);
    hold(r, set, "auc", p->any_all.own.auc);
    hold(r, set, "log_loss", p->any_all.own.log_loss);
    hold(r, set, "ece", p->any_all.own.ece);
    hold(r, set, "sum_p_over_sum_y", p->any_all.own.sum_ratio);
    hold(r, set, "ndcg@10", p->which_all.own.ndcg);
}

/* December, by what shoppers buy again and by its plainest form. */
static void measure_products(run *r, const char *set, const journey *j, pool *threads)
{
    pf_error err = {.code = PF_OK};
    const recommender_kind *kinds[] = {recommender_find("repeat"),
                                       recommender_find("habit")};
    next_products_result found;
    const next_products_task task = {.catalogue = j->catalogue,
                                     .history = j->history,
                                     .excluded = j->excluded,
                                     .from_us = journey_day_us(j, "2017-12-01"),
                                     .to_us = journey_day_us(j, "2018-01-01"),
                                     .repeats = true,
                                     .k = 10,
                                     .kinds = kinds,
                                     .n_kinds = 2,
                                     .seed = 1,
                                     .threads = threads};
    if (next_products_measure(&task, &found, &err) != PF_OK) stop(&err);
    for (size_t i = 0; i < found.n_models; i++) {
        const next_products_model *m = &found.models[i];
        print(r, set, "december", m->model, "products_ndcg@10", m->mean.ndcg);
        print(r, set, "december", m->model, "products_ndcg@10_se", m->standard_error.ndcg);
        print(r, set, "december", m->model, "products_recall@10", m->mean.recall);
        print(r, set, "december", m->model, "products_hr@10", m->mean.hit);
    }
    hold(r, set, "products_ndcg@10", found.models[1].mean.ndcg);
}

/* --- with the outlook ------------------------------------------------------------- */

static const char *const with_outlook = "proffer with the outlook";

static void print_gain(run *r, const char *set, const char *part, const char *metric,
                       const response_gain *g)
{
    char name[64];
    const struct {
        const char *end;
        double value;
    } rows[] = {{"", g->first}, {"_gain", g->gain}, {"_gain_se", g->gain_se},
                {"_gain_low", g->low}, {"_gain_high", g->high}};
    print(r, set, part, "proffer without", metric, g->second);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", metric, rows[i].end);
        print(r, set, part, with_outlook, name, rows[i].value);
    }
}

static void print_comparison(run *r, const char *set, const char *part,
                             const response_comparison *c)
{
    print_gain(r, set, part, "auc", &c->auc);
    print_gain(r, set, part, "log_loss", &c->log_loss);
    print(r, set, part, "proffer without", "ece", c->ece[1]);
    print(r, set, part, with_outlook, "ece", c->ece[0]);
    print_gain(r, set, part, "ndcg@10", &c->ndcg);
}

/* Earlier campaigns are those that had ended before the test begins. */
static void compare(run *r, const char *set, const response_data *with,
                    const response_data *without, const response_protocol_options *test)
{
    pf_error err = {.code = PF_OK};
    response_comparison c;
    response_protocol_options earlier = *test;
    earlier.from_us = INT64_MIN;
    if (response_compare(&c, with, without, &earlier, test->from_us, &err) != PF_OK)
        stop(&err);
    print_comparison(r, set, "earlier", &c);
    if (response_compare(&c, with, without, test, INT64_MAX, &err) != PF_OK) stop(&err);
    print_comparison(r, set, "all", &c);
    if (response_compare(&c, with, without, test, test->last_us, &err) != PF_OK) stop(&err);
    print_comparison(r, set, "observed", &c);
}

static void measure_outlook(run *r, const char *set, const response_world *world,
                            const response_data *without,
                            const response_protocol_options *test)
{
    pf_error err = {.code = PF_OK};
    response_world foreseeing = *world;
    response_data *with = NULL;
    outlook *o = NULL;
    outlook_options how = outlook_options_default();
    double begun_s = bench_wall_s(), begun_cpu_s = bench_cpu_s();
    how.until_us = test->from_us;
    how.settings = r->settings;
    if (outlook_new(&o, world->catalogue, world->history, world->zone, world->pool, &how,
                    &err) != PF_OK)
        stop(&err);
    foreseeing.outlook = o;
    print(r, set, "all", with_outlook, "outlook_s", bench_wall_s() - begun_s);
    print(r, set, "all", with_outlook, "outlook_cpu_s", bench_cpu_s() - begun_cpu_s);
    print(r, set, "all", with_outlook, "networks", (double)outlook_count(o));
    if (response_data_new(&foreseeing, &with, &err) != PF_OK) stop(&err);
    compare(r, set, with, without, test);
    print(r, set, "all", with_outlook, "wall_s", bench_wall_s() - begun_s);
    response_data_free(with);
    outlook_free(o);
}

static void measure(run *r, const char *set, pool *threads)
{
    pf_error err = {.code = PF_OK};
    journey *j = journey_open(set);
    response_world world = {.catalogue = j->catalogue, .history = j->history,
                            .zone = j->zone, .pool = threads};
    response_data *data = NULL;
    response_protocol *found = NULL;
    double begun_s = bench_wall_s(), begun_cpu_s = bench_cpu_s();
    if (response_data_new(&world, &data, &err) != PF_OK) stop(&err);
    double rows_s = bench_wall_s() - begun_s;
    response_protocol_options o = response_protocol_options_default();
    o.from_us = journey_day_us(j, "2017-08-01");
    o.last_us = j->history->last_time_us + 1;
    o.replicates = r->replicates;
    o.learner = r->learner;
    o.threads = threads;
    if (response_protocol_run(&found, data, &o, &err) != PF_OK) stop(&err);
    report(r, set, found);
    measure_products(r, set, j, threads);
    print(r, set, "all", "proffer", "rows_s", rows_s);
    print(r, set, "all", "proffer", "wall_s", bench_wall_s() - begun_s);
    print(r, set, "all", "proffer", "cpu_s", bench_cpu_s() - begun_cpu_s);
    print(r, set, "all", "proffer", "peak_memory_bytes", bench_peak_bytes());
    measure_outlook(r, set, &world, data, &o);
    response_protocol_free(found);
    response_data_free(data);
    journey_close(j);
}

/* --- arguments -------------------------------------------------------------------- */

static void usage(void)
{
    fprintf(stderr, "usage: bench/run response [all|demo] [--learner auto|logistic|xgboost|"
                    "average] [--threads N] [--replicates N] [--settings LIST]\n");
    exit(2);
}

static response_learner learner_of(const char *word)
{
    static const char *const names[] = {"auto", "logistic", "xgboost", "average"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(word, names[i])) return (response_learner)i;
    usage();
    return RESPONSE_AUTO;
}

static unsigned number_of(const char *word, uint64_t most)
{
    uint64_t n = 0;
    if (!text_to_u64(text_of(word), &n) || n < 1 || n > most) usage();
    return (unsigned)n;
}

static run read_arguments(int argc, char **argv)
{
    run r = {.learner = RESPONSE_AUTO, .threads = 2, .replicates = 500};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "all") || !strcmp(argv[i], "demo"))
            r.set = argv[i];
        else if (!strcmp(argv[i], "--learner") && more)
            r.learner = learner_of(argv[++i]);
        else if (!strcmp(argv[i], "--threads") && more)
            r.threads = number_of(argv[++i], 64);
        else if (!strcmp(argv[i], "--replicates") && more)
            r.replicates = number_of(argv[++i], 100000);
        else if (!strcmp(argv[i], "--settings") && more)
            r.settings = argv[++i];
        else
            usage();
    }
    return r;
}

int main(int argc, char **argv)
{
    run r = read_arguments(argc, argv);
    pool *threads = pool_new(r.threads);
    if (r.set == NULL || !strcmp(r.set, "demo")) measure(&r, "demo", threads);
    if (r.set == NULL || !strcmp(r.set, "all")) measure(&r, "all", threads);
    pool_free(threads);
    return r.missed ? 1 : 0;
}
