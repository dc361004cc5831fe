/*
 * One shopper's scores of all next products: 50 events, width 64, 12,000 products, one core.
 *
 * Rooms: base tensor sequence
 * Libraries: bench_peak
 *
 *     bench/run score [--calls N]
 *
 * The settings are those that the defaults choose for sparse data, with one block and with two;
 * values are as drawn at the start, since time does not depend on them. Per case: a window of 50
 * events read and all products scored (score), and one event appended to a shopper who has 50,
 * with the scores behind it (append). The median over many calls must be at most a
 * millisecond; the benchmark ends with 1 when it is not. The 99th percentile of wall time is what
 * the machine's other work adds as much as what the program does, so that of processor time
 * stands beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "bench/peak.h"
#include "bench/result.h"
#include "sequence/model.h"

enum { PRODUCTS = 12000, EVENTS = 50, SHOPPERS = 20000, EVENTS_A_SHOPPER = 8, CALLS = 3000 };
static const double gate_us = 1000;

/* The shopper asked about. */
typedef struct past {
    uint32_t thing[EVENTS];
    int64_t time_us[EVENTS];
    sequence_window window;
} past;

static void must(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "score: %s\n", err->message);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *p = mem_alloc_aligned(n, size);
    if (p != NULL) return p;
    fprintf(stderr, "score: out of memory\n");
    exit(1);
}

/* ---- the model ---- */

/* What the defaults choose for shoppers who took eight of 12,000 products each. */
static sequence_settings default_settings(void)
{
    uint64_t *first = room(SHOPPERS + 1, sizeof *first);
    uint32_t *thing = room((size_t)SHOPPERS * EVENTS_A_SHOPPER, sizeof *thing);
    int64_t *time_us = room((size_t)SHOPPERS * EVENTS_A_SHOPPER, sizeof *time_us);
    for (size_t u = 0; u <= SHOPPERS; u++)
        first[u] = u * EVENTS_A_SHOPPER;
    for (size_t i = 0; i < first[SHOPPERS]; i++) {
        thing[i] = (uint32_t)(i % PRODUCTS);
        time_us[i] = (int64_t)i;
    }
    const sequence_events events = {.n_shoppers = SHOPPERS,
                                    .n_products = PRODUCTS,
                                    .n = first[SHOPPERS],
                                    .first = first,
                                    .thing = thing,
                                    .time_us = time_us};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &events, NULL);
    mem_free(first);
    mem_free(thing);
    mem_free(time_us);
    return s;
}

static sequence_model *make_model(const char *more, char words[64])
{
    static const char *const block[] = {"plain", "gated", "hstu"};
    pf_error err = {0};
    const sequence_sizes sizes = {.V = PRODUCTS, .gaps = true};
    const sequence_training training = {0};
    sequence_settings s = default_settings();
    sequence_net *net = NULL;
    sequence_model *m = NULL;
    must(sequence_settings_set(&s, "width=64,length=50", &err), &err);
    must(sequence_settings_set(&s, more, &err), &err);
    must(sequence_net_new(&net, &s, &sizes, NULL, NULL, &err), &err);
    must(sequence_model_new(&m, net, NULL, &training, &err), &err);
    (void)snprintf(words, 64, "%u %s block%s", s.blocks, block[s.block], s.blocks > 1 ? "s" : "");
    return m;
}

static void draw_past(past *p)
{
    random_stream r = random_begin(1, 1);
    for (size_t i = 0; i < EVENTS; i++) {
        p->thing[i] = random_below(&r, PRODUCTS);
        p->time_us[i] = (int64_t)i * 86400 * 1000000;
    }
    p->window = (sequence_window){.n = EVENTS, .thing = p->thing, .time_us = p->time_us};
}

/* ---- times ---- */

typedef struct asked {
    const sequence_model *m;
    const past *p;
    sequence_shopper *shopper;
    float *state, *scores;
    void *scratch;
    size_t calls;
    double *wall_us, *cpu_us; /* [calls] each */
} asked;

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void score(const asked *a, size_t call)
{
    (void)call;
    sequence_model_score_window(a->m, &a->p->window, a->scores, a->scratch);
}

static void append(const asked *a, size_t call)
{
    sequence_shopper_append(a->shopper,
                            &(sequence_event){.thing = (uint32_t)(call % PRODUCTS),
                                              .time_us = (int64_t)(EVENTS + call) * 86400 *
                                                         1000000});
    sequence_shopper_state(a->shopper, a->state);
    sequence_model_scores(a->m, a->state, a->scores, a->scratch);
}

static void print(const char *words, const char *metric, double value, const char *unit,
                  size_t calls, double peak)
{
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "{\"case\":\"%s\",\"width\":64,\"events\":%d,\"products\":%d,\"threads\":1,"
                   "\"calls\":%zu,\"peak_gflops\":%.1f}",
                   words, EVENTS, PRODUCTS, calls, peak);
    bench_print(&(bench_result){.bench = "score",
                                .model = "transformer",
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static double percentile(double *us, size_t n, unsigned percent)
{
    qsort(us, n, sizeof *us, by_size);
    return us[n * percent / 100];
}

/* The first tenth of the calls warms caches and does not count. Returns the median. */
static double measure(const asked *a, void (*call)(const asked *, size_t), const char *name,
                      const char *words, double peak)
{
    char metric[32];
    const size_t warm = a->calls / 10;
    for (size_t i = 0; i < warm + a->calls; i++) {
        const double wall = bench_wall_s(), cpu = bench_cpu_s();
        call(a, i);
        if (i < warm) continue;
        a->wall_us[i - warm] = (bench_wall_s() - wall) * 1e6;
        a->cpu_us[i - warm] = (bench_cpu_s() - cpu) * 1e6;
    }
    const double median = percentile(a->wall_us, a->calls, 50);
    (void)snprintf(metric, sizeof metric, "%s_median_us", name);
    print(words, metric, median, "us", a->calls, peak);
    (void)snprintf(metric, sizeof metric, "%s_p99_us", name);
    print(words, metric, percentile(a->wall_us, a->calls, 99), "us", a->calls, peak);
    (void)snprintf(metric, sizeof metric, "%s_p99_cpu_us", name);
    print(words, metric, percentile(a->cpu_us, a->calls, 99), "us", a->calls, peak);
    return median;
}

static bool run_case(const char *more, size_t calls)
{
    char words[64];
    pf_error err = {0};
    past p;
    sequence_model *m = make_model(more, words);
    draw_past(&p);
    const size_t own = sequence_model_scratch_bytes(m);
    asked a = {.m = m, .p = &p, .calls = calls};
    a.state = room(64, sizeof *a.state);
    a.scores = room(PRODUCTS, sizeof *a.scores);
    a.scratch = room(1, own > KERNEL_SCRATCH_BYTES ? own : KERNEL_SCRATCH_BYTES);
    a.wall_us = room(calls, sizeof *a.wall_us);
    a.cpu_us = room(calls, sizeof *a.cpu_us);
    must(sequence_shopper_new(m, &a.shopper, &err), &err);
    for (size_t i = 0; i < EVENTS; i++)
        sequence_shopper_append(
            a.shopper, &(sequence_event){.thing = p.thing[i], .time_us = p.time_us[i]});
    const double peak = peak_gflops(kernels_choose(NULL)->name, TENSOR_FP32, 1);
    const double once = measure(&a, score, "score", words, peak);
    const double next = measure(&a, append, "append", words, peak);
    const bool met = once <= gate_us && next <= gate_us;
    fprintf(stderr, "%s: median %.0f us, after one more event %.0f us, wanted %.0f: %s\n", words,
            once, next, gate_us, met ? "met" : "MISSED");
    sequence_shopper_free(a.shopper);
    mem_free(a.state);
    mem_free(a.scores);
    mem_free(a.scratch);
    mem_free(a.wall_us);
    mem_free(a.cpu_us);
    sequence_model_free(m);
    return met;
}

int main(int argc, char **argv)
{
    uint64_t calls = CALLS;
    const bool given = argc == 3 && !strcmp(argv[1], "--calls");
    if (argc > 1 && !(given && text_to_u64(text_of(argv[2]), &calls) && calls >= 100 &&
                      calls <= 10000000)) {
        fprintf(stderr, "usage: bench/run score [--calls N], N from 100\n");
        return 2;
    }
    const bool one = run_case("blocks=1", (size_t)calls);
    const bool two = run_case("blocks=2", (size_t)calls);
    return one && two ? 0 : 1;
}
