/*
 * Attention and norms of the trainer: speed beside the machine's peak of the same run.
 *
 * Rooms: base tensor
 * Libraries: bench_peak
 *
 *     bench/run attention [SET ...]
 *
 * Without names: the set that the program would choose. One core; the best of many rounds.
 * Multiply-adds are those the model needs: the causal half, no recomputation (forward
 * 2 T^2 D, backward 4 T^2 D); the packs have the shapes of the benchmarks' data. Norms are
 * counted in values a second.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "bench/peak.h"
#include "bench/result.h"
#include "tensor/attention.h"
#include "tensor/norm.h"

enum { ROUNDS = 40, ROWS_MOST = 2400, SEQUENCES_MOST = 400, WIDTH_MOST = 256 };

typedef struct bench_case {
    attention_kind kind;
    bool causal;
    uint32_t D, H, T, n_sequences; /* T 0: lengths of a shop, 6 on average */
    uint32_t bias_length;
    float dropout;
} bench_case;

static const bench_case cases[] = {
    {ATTENTION_SOFTMAX, true, 64, 1, 200, 12, 0, 0},
    {ATTENTION_SOFTMAX, true, 64, 1, 200, 12, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 64, 1, 200, 12, 200, 0.2F},
    {ATTENTION_SOFTMAX, true, 128, 2, 200, 12, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 256, 4, 200, 9, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 128, 1, 200, 12, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 64, 2, 200, 12, 0, 0.2F},
    {ATTENTION_SOFTMAX, false, 64, 1, 200, 12, 0, 0.2F},
    {ATTENTION_POINTWISE, true, 64, 1, 200, 12, 200, 0},
    {ATTENTION_SOFTMAX, true, 64, 1, 50, 24, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 64, 1, 0, 200, 0, 0.2F},
    {ATTENTION_SOFTMAX, true, 64, 1, 1024, 2, 0, 0.2F},
};

typedef struct bench_memory {
    uint32_t offset[SEQUENCES_MOST + 1];
    float *qkv, *out, *log_sum, *dqkv, *dout, *bias, *dbias;
    void *scratch;
} bench_memory;

static void print(const tensor_kernels *k, const char *metric, double value,
                  const char *unit, const char *detail)
{
    bench_print(&(bench_result){.bench = "attention",
                                .model = k->name,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

/* ---- attention ---- */

/* Geometric from 2 with a mean of 6, at most 50, as in the Amazon sets. */
static uint32_t shop_length(random_stream *r)
{
    uint32_t T = 2;
    while (T < 50 && random_unit(r) < 0.8)
        T++;
    return T;
}

/* Multiply-adds, twice, of one product of scores. */
static double lay(const bench_case *c, bench_memory *m)
{
    random_stream r = random_begin(1, 1);
    double pairs = 0;
    for (uint32_t s = 0; s < c->n_sequences; s++) {
        const uint32_t T = c->T ? c->T : shop_length(&r);
        m->offset[s + 1] = m->offset[s] + T;
        pairs += c->causal ? (double)T * (T + 1) / 2 : (double)T * T;
    }
    return 2 * pairs * c->D;
}

/* The best of some rounds, seconds. */
static double seconds(const tensor_kernels *k, const attention_shape *s, const bench_memory *m,
                      bool backward)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = bench_wall_s();
        if (backward)
            attention_backward(k, s, m->qkv, m->out, m->log_sum, m->dout, m->dqkv, m->dbias,
                               m->scratch);
        else
            attention_forward(k, s, m->qkv, m->out, m->log_sum, m->scratch);
        best = fmin(best, bench_wall_s() - start);
    }
    return best;
}

static void measure(const tensor_kernels *k, const bench_case *c, bench_memory *m, double peak)
{
    const double once = lay(c, m);
    const attention_shape s = {.kind = c->kind,
                               .causal = c->causal,
                               .D = c->D,
                               .H = c->H,
                               .n_sequences = c->n_sequences,
                               .offset = m->offset,
                               .bias = c->bias_length ? m->bias : NULL,
                               .bias_length = c->bias_length,
                               .dropout = c->dropout,
                               .seed = 1};
    for (int backward = 0; backward < 2; backward++) {
        const double time = seconds(k, &s, m, backward), flop = once * (backward ? 4 : 2);
        char detail[320];
        snprintf(detail, sizeof detail,
                 "{\"pass\":\"%s\",\"kind\":\"%s\",\"causal\":%s,\"T\":%u,\"D\":%u,\"H\":%u,"
                 "\"bias\":%s,\"dropout\":%.1f,\"gflops\":%.1f,\"peak_gflops\":%.1f,"
                 "\"ns_per_sequence\":%.0f}",
                 backward ? "backward" : "forward",
                 c->kind == ATTENTION_SOFTMAX ? "softmax" : "pointwise",
                 c->causal ? "true" : "false", c->T, c->D, c->H,
                 c->bias_length ? "true" : "false", (double)c->dropout, 1e-9 * flop / time,
                 peak, 1e9 * time / c->n_sequences);
        print(k, "share_of_peak", 1e-9 * flop / time / peak, NULL, detail);
    }
}

/* ---- norms ---- */

static void measure_norm(const tensor_kernels *k, bench_memory *m, size_t D, bool rms)
{
    const size_t R = 16384 / D;
    double best[2] = {1e9, 1e9};
    float *gain = m->bias, *shift = m->dbias, *mean = m->log_sum, *inverse = m->log_sum + R;
    for (int round = 0; round < ROUNDS * 20; round++) {
        const double start = bench_wall_s();
        if (rms)
            rms_norm_forward(k, R, D, m->qkv, gain, m->out, inverse);
        else
            layer_norm_forward(k, R, D, m->qkv, gain, shift, m->out, mean, inverse);
        const double middle = bench_wall_s();
        if (rms)
            rms_norm_backward(k, R, D, m->qkv, gain, inverse, m->dout, m->dqkv, true, shift);
        else
            layer_norm_backward(k, R, D, m->qkv, gain, mean, inverse, m->dout, m->dqkv, true,
                                shift, shift + D);
        best[0] = fmin(best[0], middle - start);
        best[1] = fmin(best[1], bench_wall_s() - middle);
    }
    for (int backward = 0; backward < 2; backward++) {
        char detail[160];
        snprintf(detail, sizeof detail, "{\"pass\":\"%s\",\"kind\":\"%s\",\"D\":%zu}",
                 backward ? "backward" : "forward", rms ? "rms" : "layer", D);
        print(k, "norm_values_per_s", 1e-9 * (double)(R * D) / best[backward], "G/s", detail);
    }
}

/* ---- all ---- */

static float *values(size_t n, double size)
{
    float *x = mem_alloc_aligned(n, sizeof *x);
    random_stream r = random_begin(2, n);
    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)(size * random_normal(&r));
    return x;
}

static bool make(bench_memory *m)
{
    const size_t n = (size_t)ROWS_MOST * WIDTH_MOST;
    m->qkv = values(3 * n, 1);
    m->out = values(n, 1);
    m->log_sum = values(n, 1);
    m->dqkv = values(3 * n, 1);
    m->dout = values(n, 1);
    m->bias = values(4096, 1);
    m->dbias = values(4096, 1);
    return m->qkv && m->out && m->log_sum && m->dqkv && m->dout && m->bias && m->dbias;
}

static int run(const tensor_kernels *k, bench_memory *m)
{
    /* Few heads are wide, many have many biases. */
    const size_t wide = attention_scratch_bytes(k, WIDTH_MOST, 1, 1024);
    m->scratch = mem_alloc_aligned(wide + attention_scratch_bytes(k, WIDTH_MOST, 4, 1024), 1);
    if (!m->scratch) return 1;
    const double peak = peak_gflops(k->name, TENSOR_FP32, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        measure(k, &cases[i], m, peak);
    for (size_t D = 64; D <= WIDTH_MOST; D *= 2)
        for (int rms = 0; rms < 2; rms++)
            measure_norm(k, m, D, rms);
    mem_free(m->scratch);
    return 0;
}

static void give_back(bench_memory *m)
{
    mem_free(m->qkv);
    mem_free(m->out);
    mem_free(m->log_sum);
    mem_free(m->dqkv);
    mem_free(m->dout);
    mem_free(m->bias);
    mem_free(m->dbias);
}

int main(int argc, char **argv)
{
    bench_memory m = {.qkv = NULL};
    int failed = make(&m) ? 0 : 1;
    if (argc < 2 && !failed) failed = run(kernels_choose(NULL), &m);
    for (int i = 1; i < argc && !failed; i++) {
        const tensor_kernels *k = kernels_choose(argv[i]);
        if (!k) fprintf(stderr, "attention: this machine has no set '%s'\n", argv[i]);
        failed = !k || run(k, &m);
    }
    give_back(&m);
    return failed;
}
