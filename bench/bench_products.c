/*
 * Which products next month? A grocer's December, predicted from the months before.
 *
 * Rooms: base shop store intake recommend evaluate
 * Libraries: bench_journey
 *
 *     bench/run products [all|demo] [--from DATE --to DATE] [--models LIST] [--threads N]
 *
 * Protocol: evaluate/next_products.h; repeats allowed, products of the departments FUEL,
 * COUPON, MISCELLANEOUS and of none left out; without a set both, one after the other. In
 * December NDCG@10 of `habit` must be .495 (the best blend of known libraries: .4925 on
 * all, .4938 on the demo); the benchmark ends with 1 when it is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "bench/journey.h"
#include "bench/result.h"
#include "evaluate/next_products.h"

static const double gate = .495;

typedef struct run {
    const char *set; /* NULL: both */
    const char *from, *to;
    const recommender_kind *kinds[NEXT_PRODUCTS_MODELS_MAX];
    size_t n_kinds; /* 0: the usual ones */
    unsigned threads;
    bool december, missed;
} run;

/* ---- results ---- */

static void print(const run *r, const char *set, const char *model, const char *metric,
                  double value, const char *unit)
{
    char detail[512];
    double reference = strcmp(set, "demo") == 0 ? .4938 : .4925;
    int n = snprintf(detail, sizeof detail,
                     "{\"data\":\"completejourney\",\"households\":\"%s\",\"protocol\":"
                     "\"purchases %s to %s, repeats allowed\",\"threads\":%u",
                     set, r->from, r->to, r->threads);
    if (r->december && strcmp(metric, "ndcg@10") == 0)
        n += snprintf(detail + n, sizeof detail - (size_t)n, ",\"reference\":%g",
                      reference);
    (void)snprintf(detail + n, sizeof detail - (size_t)n, "}");
    bench_print(&(bench_result){.bench = "products",
                                .model = model,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static void print_model(run *r, const char *set, const next_products_model *m)
{
    print(r, set, m->model, "ndcg@10", m->mean.ndcg, "");
    print(r, set, m->model, "ndcg@10_se", m->standard_error.ndcg, "");
    print(r, set, m->model, "ndcg@10_gain", m->gain, "");
    print(r, set, m->model, "ndcg@10_gain_se", m->gain_se, "");
    print(r, set, m->model, "recall@10", m->mean.recall, "");
    print(r, set, m->model, "hr@10", m->mean.hit, "");
    print(r, set, m->model, "mrr@10", m->mean.mrr, "");
    print(r, set, m->model, "coverage@10", m->coverage, "");
    print(r, set, m->model, "novelty@10", m->novelty, "bits");
    print(r, set, m->model, "train_s", m->train_s, "s");
    print(r, set, m->model, "score_s", m->score_s, "s");
    if (!r->december || strcmp(m->model, "habit") != 0) return;
    bool met = m->mean.ndcg >= gate;
    fprintf(stderr, "habit on %s: ndcg@10 %.4f (+- %.4f), wanted %.3f: %s\n", set,
            m->mean.ndcg, m->standard_error.ndcg, gate, met ? "met" : "MISSED");
    r->missed |= !met;
}

static void measure(run *r, const char *set, pool *threads)
{
    pf_error err = {0};
    next_products_result result;
    journey *j = journey_open(set);
    const next_products_task task = {.catalogue = j->catalogue,
                                     .history = j->history,
                                     .excluded = j->excluded,
                                     .from_us = journey_day_us(j, r->from),
                                     .to_us = journey_day_us(j, r->to),
                                     .repeats = true,
                                     .k = 10,
                                     .kinds = r->n_kinds ? r->kinds : NULL,
                                     .n_kinds = r->n_kinds,
                                     .seed = 1,
                                     .threads = threads};
    double wall = bench_wall_s(), cpu = bench_cpu_s();
    if (next_products_measure(&task, &result, &err) != PF_OK) {
        fprintf(stderr, "%s: %s\n", set, err.message);
        exit(1);
    }
    print(r, set, NULL, "wall_s", bench_wall_s() - wall, "s");
    print(r, set, NULL, "cpu_s", bench_cpu_s() - cpu, "s");
    print(r, set, NULL, "load_s", j->load_s, "s");
    print(r, set, NULL, "peak_bytes", bench_peak_bytes(), "bytes");
    print(r, set, NULL, "shoppers", result.users, "");
    print(r, set, NULL, "candidates", result.candidates, "");
    for (size_t i = 0; i < result.n_models; i++)
        print_model(r, set, &result.models[i]);
    journey_close(j);
}

/* ---- the program ---- */

static void usage(void)
{
    fprintf(stderr, "usage: bench/run products [all|demo] [--from DATE --to DATE] "
                    "[--models LIST] [--threads N]\n");
    exit(2);
}

static void read_models(run *r, char *list)
{
    for (char *rest = list; *rest != '\0';) {
        size_t n = strcspn(rest, ",");
        bool last = rest[n] == '\0';
        rest[n] = '\0';
        const recommender_kind *kind = recommender_find(rest);
        if (kind == NULL || r->n_kinds == NEXT_PRODUCTS_MODELS_MAX) usage();
        r->kinds[r->n_kinds++] = kind;
        rest += last ? n : n + 1;
    }
}

static run read_arguments(int argc, char **argv)
{
    run r = {.from = "2017-12-01", .to = "2018-01-01", .threads = 2};
    uint64_t n = 0;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "all") || !strcmp(argv[i], "demo"))
            r.set = argv[i];
        else if (!strcmp(argv[i], "--from") && more)
            r.from = argv[++i];
        else if (!strcmp(argv[i], "--to") && more)
            r.to = argv[++i];
        else if (!strcmp(argv[i], "--models") && more)
            read_models(&r, argv[++i]);
        else if (!strcmp(argv[i], "--threads") && more &&
                 text_to_u64(text_of(argv[i + 1]), &n) && n >= 1 && n <= 64)
            r.threads = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            usage();
    }
    r.december = !strcmp(r.from, "2017-12-01") && !strcmp(r.to, "2018-01-01");
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
