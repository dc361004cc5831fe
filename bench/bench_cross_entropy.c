/*
 * Whole-catalogue cross-entropy and sampled softmax, beside the machine's peak of the same run.
 *
 * Rooms: base tensor
 * Libraries: bench_peak
 *
 *     bench/run cross-entropy [--set SET] [--rows R] [--products V] [--width D] [--rounds N]
 *
 * One call a worker, forward and backward, operands packed beforehand (as a training step does
 * once for all workers); each worker has gradients of its own. Counted are the multiply-adds of
 * three products, 6 R V D floating-point operations, by the processor time of the workers, so
 * that what else runs on the cores counts only by what it does to the caches; "ms" is wall
 * time. Every shape is the best of N rounds, with one worker and with two at once;
 * share_of_peak is against the peak of the same set and number format.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"
#include "bench/peak.h"
#include "bench/result.h"
#include "tensor/losses.h"

enum { WORKERS = 2, VALUES_MAX = 8 };

typedef struct values {
    size_t n, at[VALUES_MAX];
} values;

typedef struct run {
    const tensor_kernels *k;
    values rows, products, widths;
    size_t rounds;
} run;

typedef struct worker {
    float *h, *dh, *dm;
    uint32_t *target;
    void *scratch;
    double cpu_s; /* of the latest call */
} worker;

typedef struct shape {
    const tensor_kernels *k;
    tensor_precision p;
    size_t R, V, D;
    size_t sampled; /* negatives; 0: the whole catalogue */
    float *m;
    void *forward, *backward;
    uint32_t *negative;
    float *log_expected;
    worker worker[WORKERS];
} shape;

/* ---- one shape ---- */

static void *block_of(size_t n, size_t size)
{
    void *block = mem_alloc_aligned(n, size);
    if (block == NULL) {
        fprintf(stderr, "memory is short\n");
        exit(1);
    }
    return block;
}

static float *random_floats(random_stream *r, size_t n, double spread)
{
    float *x = block_of(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(random_normal(r) * spread);
    return x;
}

static void worker_begin(shape *s, worker *w, random_stream *r, size_t operands)
{
    w->h = random_floats(r, s->R * s->D, 1);
    w->dh = random_floats(r, s->R * s->D, 0);
    w->dm = random_floats(r, s->V * s->D, 0);
    w->target = block_of(s->R, sizeof *w->target);
    for (size_t i = 0; i < s->R; i++)
        w->target[i] = random_below(r, (uint32_t)s->V);
    const size_t bytes = s->sampled > 0
                             ? sampled_scratch_bytes(s->k, s->p, operands, s->D)
                             : cross_entropy_scratch_bytes(s->k, s->p, operands, s->D);
    w->scratch = block_of(bytes, 1);
    memset(w->scratch, 0, bytes);
}

static void shape_begin(shape *s)
{
    random_stream r = random_begin(1, 1);
    const size_t n = s->sampled > 0 ? s->sampled : s->V;
    s->m = random_floats(&r, s->V * s->D, 0.2);
    s->forward = block_of(s->k->packed_bytes(s->p, s->D, n), 1);
    s->backward = block_of(s->k->packed_bytes(s->p, n, s->D), 1);
    s->k->pack(s->p, s->D, n, s->m, 1, s->D, s->forward);
    s->k->pack(s->p, n, s->D, s->m, s->D, 1, s->backward);
    s->negative = block_of(n, sizeof *s->negative);
    s->log_expected = random_floats(&r, n, 0);
    for (size_t i = 0; i < n; i++)
        s->negative[i] = (uint32_t)i;
    for (int i = 0; i < WORKERS; i++)
        worker_begin(s, &s->worker[i], &r, n);
}

static void shape_end(shape *s)
{
    mem_free(s->m);
    mem_free(s->forward);
    mem_free(s->backward);
    mem_free(s->negative);
    mem_free(s->log_expected);
    for (int i = 0; i < WORKERS; i++) {
        worker *w = &s->worker[i];
        mem_free(w->h);
        mem_free(w->dh);
        mem_free(w->dm);
        mem_free(w->target);
        mem_free(w->scratch);
    }
}

static double thread_cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void call(const shape *s, const worker *w)
{
    const float scale = 1 / (float)s->R;
    if (s->sampled > 0) {
        const negative_set negatives = {.n = s->sampled,
                                        .product = s->negative,
                                        .log_expected = s->log_expected,
                                        .forward = s->forward,
                                        .backward = s->backward,
                                        .n_catalogue = s->V};
        (void)sampled_loss_step(s->k, SAMPLED_SOFTMAX, s->p, &negatives, s->D, s->m, s->R,
                                w->h, w->target, scale, w->dh, w->dm, w->scratch);
        return;
    }
    const catalogue_operand c = {.precision = s->p,
                                 .V = s->V,
                                 .D = s->D,
                                 .m = s->m,
                                 .forward = s->forward,
                                 .backward = s->backward};
    (void)cross_entropy(s->k, &c, s->R, w->h, w->target, NULL, scale, 0, w->dh, w->dm, NULL,
                        w->scratch);
}

static void work(void *context, size_t task, unsigned thread)
{
    shape *s = context;
    worker *w = &s->worker[task];
    const double start = thread_cpu_s();
    (void)thread;
    call(s, w);
    w->cpu_s = thread_cpu_s() - start;
}

/* ---- figures ---- */

/* The best round: processor seconds of all workers, and wall seconds. */
typedef struct timing {
    double cpu_s, wall_s;
} timing;

static timing best_of(shape *s, size_t rounds, pool *threads, unsigned n_threads)
{
    timing best = {1e9, 1e9};
    for (size_t round = 0; round < rounds; round++) {
        const double start = bench_wall_s();
        pool_run(threads, n_threads, work, s);
        const double wall_s = bench_wall_s() - start;
        double cpu_s = 0;
        for (unsigned i = 0; i < n_threads; i++)
            cpu_s += s->worker[i].cpu_s;
        best.cpu_s = cpu_s < best.cpu_s ? cpu_s : best.cpu_s;
        best.wall_s = wall_s < best.wall_s ? wall_s : best.wall_s;
    }
    return best;
}

static void measure(shape *s, size_t rounds, pool *threads, unsigned n_threads)
{
    const double peak = peak_gflops(s->k->name, s->p, 1);
    const timing best = best_of(s, rounds, threads, n_threads);
    const size_t n = s->sampled > 0 ? s->sampled : s->V;
    const double gflops =
        6e-9 * (double)s->R * (double)n * (double)s->D * (double)n_threads / best.cpu_s;
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "{\"format\":\"%s\",\"loss\":\"%s\",\"rows\":%zu,\"products\":%zu,"
                   "\"width\":%zu,\"threads\":%u,\"ms\":%.3f,\"gflops\":%.1f,"
                   "\"peak_gflops\":%.1f}",
                   s->p == TENSOR_BF16 ? "bf16" : "fp32",
                   s->sampled > 0 ? "sampled softmax" : "cross-entropy", s->R, n, s->D,
                   n_threads, 1e3 * best.wall_s, gflops, peak);
    bench_print(&(bench_result){.bench = "cross-entropy",
                                .model = s->k->name,
                                .metric = "share_of_peak",
                                .value = gflops / peak,
                                .detail = detail});
}

static void measure_shape(const run *r, shape s, pool *threads)
{
    for (int p = TENSOR_FP32; p <= (r->k->bf16 ? TENSOR_BF16 : TENSOR_FP32); p++) {
        s.k = r->k;
        s.p = (tensor_precision)p;
        shape_begin(&s);
        measure(&s, r->rounds, NULL, 1);
        measure(&s, r->rounds, threads, WORKERS);
        shape_end(&s);
    }
}

static void measure_all(const run *r, pool *threads)
{
    for (size_t d = 0; d < r->widths.n; d++)
        for (size_t v = 0; v < r->products.n; v++)
            for (size_t i = 0; i < r->rows.n; i++)
                measure_shape(r,
                              (shape){.R = r->rows.at[i],
                                      .V = r->products.at[v],
                                      .D = r->widths.at[d]},
                              threads);
    for (size_t d = 0; d < r->widths.n; d++)
        measure_shape(
            r,
            (shape){
                .R = r->rows.at[0], .V = 12101, .D = r->widths.at[d], .sampled = 1024},
            threads);
}

/* ---- the program ---- */

static void usage(void)
{
    fprintf(stderr,
            "usage: bench/run cross-entropy [--set SET] [--rows R] [--products V] "
            "[--width D] [--rounds N]\n");
    exit(2);
}

static size_t number(const char *digits)
{
    uint64_t n = 0;
    if (digits == NULL || !text_to_u64(text_of(digits), &n) || n < 1 || n > 1000000)
        usage();
    return (size_t)n;
}

int main(int argc, char **argv)
{
    run r = {.k = kernels_choose(NULL),
             .rows = {2, {2000, 400}},
             .products = {3, {3416, 12101, 18357}},
             .widths = {2, {64, 128}},
             .rounds = 7};
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--set") && value != NULL)
            r.k = kernels_choose(value);
        else if (!strcmp(argv[i], "--rows"))
            r.rows = (values){1, {number(value)}};
        else if (!strcmp(argv[i], "--products"))
            r.products = (values){1, {number(value)}};
        else if (!strcmp(argv[i], "--width"))
            r.widths = (values){1, {number(value)}};
        else if (!strcmp(argv[i], "--rounds"))
            r.rounds = number(value);
        else
            usage();
    }
    if (r.k == NULL) {
        fprintf(stderr, "no such kernels on this machine\n");
        return 2;
    }
    pool *threads = pool_new(WORKERS);
    if (threads == NULL) return 1;
    measure_all(&r, threads);
    pool_free(threads);
    return 0;
}
