/*
 * Kernels of the trainer: products and passes beside the machine's peak of the same run.
 *
 * Rooms: base tensor
 * Libraries: bench_peak
 *
 *     bench/run kernels [SET ...]
 *
 * Without names: the set that the program would choose. Products of the shapes that the shopper
 * model is made of, one core, operands in cache as in training, conversion of activations
 * to bf16 included; the best of many short rounds, as for the peak. share_of_peak is against
 * the peak of the same set and number format.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "bench/peak.h"
#include "bench/result.h"
#include "tensor/kernels.h"

enum { ROUNDS = 60, ROWS = 1000, CATALOGUE = 3416, LARGEST = ROWS * CATALOGUE };

typedef struct bench_memory {
    float *a, *b, *c, *packed;
    void *scratch;
} bench_memory;

typedef struct shape {
    size_t M, N, K;
    bool transposed;
} shape;

static const shape shapes[] = {
    {ROWS, 192, 64, false},  {ROWS, 64, 64, false},     {ROWS, 256, 64, false},
    {ROWS, 64, 256, false},  {ROWS, 384, 128, false},   {ROWS, 512, 128, false},
    {ROWS, 128, 512, false}, {ROWS, 1024, 256, false},  {64, 192, ROWS, true},
    {64, 64, ROWS, true},    {64, 256, ROWS, true},     {256, 64, ROWS, true},
    {128, 384, ROWS, true},  {128, 512, ROWS, true},    {512, 128, ROWS, true},
    {256, 1024, ROWS, true}, {200, CATALOGUE, 64, false}, {200, 64, CATALOGUE, false},
    {CATALOGUE, 64, 200, true},
};

static void print(const tensor_kernels *k, const char *metric, double value,
                  const char *unit, const char *detail)
{
    bench_print(&(bench_result){.bench = "kernels",
                                .model = k->name,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

/* ---- products ---- */

static void multiply(const tensor_kernels *k, tensor_precision p, const shape *s,
                     const bench_memory *m)
{
    if (s->transposed)
        k->product_transposed(p, s->M, s->N, s->K, m->a, s->M, m->b, s->N, m->c, s->N,
                              m->scratch);
    else
        k->product(p, s->M, s->N, s->K, m->a, s->K, m->packed, m->b, m->c, s->N,
                   PRODUCT_SET, m->scratch);
}

/* Seconds of one product: the best round, each about half a millisecond. */
static double product_s(const tensor_kernels *k, tensor_precision p, const shape *s,
                        const bench_memory *m)
{
    const double flops = 2.0 * (double)s->M * (double)s->N * (double)s->K;
    const int times = 1 + (int)(1e8 / flops);
    double best = 1e9;
    if (!s->transposed) k->pack(p, s->K, s->N, m->b, s->N, 1, m->packed);
    for (int round = 0; round < ROUNDS; round++) {
        const double start = bench_wall_s();
        for (int i = 0; i < times; i++)
            multiply(k, p, s, m);
        const double seconds = (bench_wall_s() - start) / times;
        best = seconds < best ? seconds : best;
    }
    return best;
}

static void measure_products(const tensor_kernels *k, tensor_precision p,
                             const bench_memory *m)
{
    const char *format = p == TENSOR_BF16 ? "bf16" : "fp32";
    char detail[256];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        const double peak = peak_gflops(k->name, p, 1);
        const double flops = 2.0 * (double)s->M * (double)s->N * (double)s->K;
        const double gflops = 1e-9 * flops / product_s(k, p, s, m);
        snprintf(detail, sizeof detail,
                 "{\"format\":\"%s\",\"product\":\"%s\",\"m\":%zu,\"n\":%zu,\"k\":%zu,"
                 "\"gflops\":%.1f,\"peak_gflops\":%.1f,\"threads\":1}",
                 format, s->transposed ? "a^t b" : "a b", s->M, s->N, s->K, gflops, peak);
        print(k, "share_of_peak", gflops / peak, NULL, detail);
    }
}

static void measure_peak(const tensor_kernels *k, tensor_precision p)
{
    char detail[64];
    for (unsigned threads = 1; threads <= 2; threads++) {
        snprintf(detail, sizeof detail, "{\"format\":\"%s\",\"threads\":%u}",
                 p == TENSOR_BF16 ? "bf16" : "fp32", threads);
        print(k, "peak_gflops", peak_gflops(k->name, p, threads), "GFLOP/s", detail);
    }
}

/* ---- packing ---- */

/* Words a second of packing a catalogue as it lies and as the transpose it is for logits. */
static void measure_packing(const tensor_kernels *k, tensor_precision p,
                            const bench_memory *m)
{
    enum { WIDTH = 64, TIMES = 4 };
    char detail[128];
    for (int transposed = 0; transposed < 2; transposed++) {
        double best = 1e9;
        for (int round = 0; round < ROUNDS; round++) {
            const double start = bench_wall_s();
            for (int t = 0; t < TIMES; t++)
                if (transposed)
                    k->pack(p, WIDTH, CATALOGUE, m->b, 1, WIDTH, m->packed);
                else
                    k->pack(p, CATALOGUE, WIDTH, m->b, WIDTH, 1, m->packed);
            const double seconds = (bench_wall_s() - start) / TIMES;
            best = seconds < best ? seconds : best;
        }
        snprintf(detail, sizeof detail,
                 "{\"pass\":\"pack\",\"format\":\"%s\",\"transposed\":%s,\"rows\":%d,"
                 "\"width\":%d,\"threads\":1}",
                 p == TENSOR_BF16 ? "bf16" : "fp32", transposed ? "true" : "false",
                 CATALOGUE, WIDTH);
        print(k, "elements_per_s", WIDTH * CATALOGUE / best, "1/s", detail);
    }
}

/* ---- passes ---- */

typedef void pass(const tensor_kernels *k, size_t n, float *x, float *y);

static void pass_exponential(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->exponential(n, x, y);
}

static void pass_gelu(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->gelu(n, x, y);
}

static void pass_gelu_backward(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->gelu_backward(n, x, x, y);
}

static void pass_tanh(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->tanh(n, x, y);
}

static void pass_sum(const tensor_kernels *k, size_t n, float *x, float *y)
{
    *y = k->sum(n, x);
}

static void pass_maximum(const tensor_kernels *k, size_t n, float *x, float *y)
{
    *y = k->maximum(n, x);
}

static void pass_dropout(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->dropout(n, 0.2F, 1, 2, 3, x, y, false);
}

static void pass_adam(const tensor_kernels *k, size_t n, float *x, float *y)
{
    k->adam(n, 1, 1e-3F, 0.9F, 0.999F, 1e-8F, 0.1F, 0.001F, 0, x, y, y + n, y + 2 * n);
}

static const struct {
    const char *name;
    pass *run;
} passes[] = {
    {"exponential", pass_exponential}, {"gelu", pass_gelu},
    {"gelu_backward", pass_gelu_backward}, {"tanh", pass_tanh},
    {"sum", pass_sum}, {"maximum", pass_maximum},
    {"dropout", pass_dropout}, {"adam", pass_adam},
};

static void measure_passes(const tensor_kernels *k, const bench_memory *m)
{
    enum { N = 2048, TIMES = 200 };
    char detail[128];
    memset(m->c, 0, 3 * N * sizeof *m->c);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        double best = 1e9;
        for (int round = 0; round < ROUNDS; round++) {
            const double start = bench_wall_s();
            for (int t = 0; t < TIMES; t++)
                passes[i].run(k, N, m->a, m->c);
            const double seconds = (bench_wall_s() - start) / TIMES;
            best = seconds < best ? seconds : best;
        }
        snprintf(detail, sizeof detail, "{\"pass\":\"%s\",\"n\":%d,\"threads\":1}",
                 passes[i].name, N);
        print(k, "elements_per_s", N / best, "1/s", detail);
    }
}

/* ---- the run ---- */

static bool memory_make(bench_memory *m)
{
    m->a = mem_alloc_aligned(LARGEST, sizeof(float));
    m->b = mem_alloc_aligned(LARGEST, sizeof(float));
    m->c = mem_alloc_aligned(LARGEST, sizeof(float));
    m->packed = mem_alloc_aligned(2 * LARGEST, sizeof(float));
    m->scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1);
    if (!m->a || !m->b || !m->c || !m->packed || !m->scratch) return false;
    random_stream r = random_begin(1, 1);
    for (size_t i = 0; i < LARGEST; i++) {
        m->a[i] = (float)random_u32(&r) * 0x1p-31F - 1;
        m->b[i] = (float)random_u32(&r) * 0x1p-31F - 1;
        m->c[i] = 0;
    }
    return true;
}

static void memory_free(bench_memory *m)
{
    mem_free(m->a);
    mem_free(m->b);
    mem_free(m->c);
    mem_free(m->packed);
    mem_free(m->scratch);
}

static void measure(const tensor_kernels *k, const bench_memory *m)
{
    for (int p = TENSOR_FP32; p <= (k->bf16 ? TENSOR_BF16 : TENSOR_FP32); p++) {
        measure_peak(k, (tensor_precision)p);
        measure_products(k, (tensor_precision)p, m);
        measure_packing(k, (tensor_precision)p, m);
    }
    measure_passes(k, m);
}

int main(int argc, char **argv)
{
    bench_memory m = {0};
    int code = 1;
    if (!memory_make(&m)) {
        fprintf(stderr, "memory is short\n");
        goto done;
    }
    for (int i = 1; i < argc || i == 1; i++) {
        const tensor_kernels *k = kernels_choose(argc > 1 ? argv[i] : NULL);
        if (!k) {
            fprintf(stderr, "no kernels '%s' on this machine\n", argc > 1 ? argv[i] : "");
            goto done;
        }
        measure(k, &m);
    }
    code = 0;
done:
    memory_free(&m);
    return code;
}
