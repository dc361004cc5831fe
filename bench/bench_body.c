/*
 * Bodies of the shopper model: forward and backward of one group of rows beside the peak.
 *
 * Rooms: base tensor sequence
 * Libraries: bench_peak
 *
 *     bench/run body
 *
 * Width 64, 2 blocks, 1 head, five sequences of 200 events, dropout .2, one core, nothing but
 * the body: no embeddings, no loss; processor seconds of the best round, since a round is longer
 * than a turn of the scheduler. share_of_peak counts the multiply-adds that the model needs
 * (no recomputation, the causal half of attention) three times, for forward and both gradients.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "bench/peak.h"
#include "bench/result.h"
#include "sequence/body.h"

enum { SEQUENCES = 5, LENGTH = 200, ROWS = SEQUENCES * LENGTH, ROUNDS = 40 };

typedef struct subject {
    const char *name;
    sequence_settings settings;
    const sequence_body *body;
    body_shapes shapes;
    parameters *p;
    void *forward[PARAMETERS_MAX], *backward[PARAMETERS_MAX];
    uint32_t sequence[SEQUENCES + 1];
    sequence_pack pack;
    workspace memory;
    float *gradient, *rows, *x, *d;
    body_call call;
} subject;

static bool pack_weights(subject *s)
{
    const tensor_kernels *k = s->call.k;
    tensor_precision p = s->call.precision;
    for (size_t a = 0; a < s->shapes.n; a++) {
        if (!s->shapes.matrix[a]) continue;
        size_t out = s->shapes.shape[a].rows, in = s->shapes.shape[a].columns;
        const float *w = parameters_at(s->p, a);
        s->forward[a] = mem_alloc_aligned(k->packed_bytes(p, in, out), 1);
        s->backward[a] = mem_alloc_aligned(k->packed_bytes(p, out, in), 1);
        if (!s->forward[a] || !s->backward[a]) return false;
        k->pack(p, in, out, w, 1, in, s->forward[a]);
        k->pack(p, out, in, w, in, 1, s->backward[a]);
    }
    return true;
}

static bool plan(subject *s)
{
    s->memory = workspace_counting();
    s->body->backward(&s->call, s->body->forward(&s->call, NULL));
    return workspace_make(&s->memory, NULL) == PF_OK;
}

static bool take_rows(subject *s)
{
    size_t n = (size_t)ROWS * s->settings.width;
    s->rows = mem_alloc_aligned(n, sizeof(float));
    s->x = mem_alloc_aligned(n, sizeof(float));
    s->d = mem_alloc_aligned(n, sizeof(float));
    s->gradient = mem_alloc_aligned(parameters_floats(s->p), sizeof(float));
    s->call.scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1);
    if (!s->rows || !s->x || !s->d || !s->gradient || !s->call.scratch) return false;
    random_stream r = random_begin(1, 1);
    for (size_t i = 0; i < n; i++) s->rows[i] = (float)random_normal(&r);
    memset(s->gradient, 0, parameters_floats(s->p) * sizeof(float));
    return true;
}

static bool subject_make(subject *s, const tensor_kernels *k, tensor_precision precision)
{
    s->body = sequence_body_of(&s->settings);
    s->body->shapes(&s->settings, &s->shapes);
    if (parameters_new(&s->p, s->shapes.shape, s->shapes.n, NULL) != PF_OK) return false;
    parameters_start(s->p, 1);
    for (uint32_t i = 0; i <= SEQUENCES; i++) s->sequence[i] = i * LENGTH;
    s->pack = (sequence_pack){.n_sequences = SEQUENCES, .R = ROWS, .offset = s->sequence};
    s->call = (body_call){.k = k,
                          .settings = &s->settings,
                          .pack = &s->pack,
                          .values = parameters_values(s->p),
                          .offset = parameters_offsets(s->p),
                          .forward = s->forward,
                          .backward = s->backward,
                          .training = true,
                          .seed = 1,
                          .memory = &s->memory,
                          .precision = precision};
    if (!take_rows(s)) return false;
    s->call.gradient = s->gradient;
    return pack_weights(s) && plan(s);
}

static void subject_free(subject *s)
{
    for (size_t a = 0; a < s->shapes.n; a++) {
        mem_free(s->forward[a]);
        mem_free(s->backward[a]);
    }
    workspace_free(&s->memory);
    mem_free(s->rows);
    mem_free(s->x);
    mem_free(s->d);
    mem_free(s->gradient);
    mem_free(s->call.scratch);
    parameters_free(s->p);
}

/* Multiply-adds needed, as operations (two each), three times. */
static double operations(const subject *s)
{
    double adds = 0;
    for (size_t a = 0; a < s->shapes.n; a++)
        if (s->shapes.matrix[a])
            adds += (double)ROWS * (double)(s->shapes.shape[a].rows * s->shapes.shape[a].columns);
    if (s->settings.architecture != SEQUENCE_GRU)
        adds += (double)s->settings.blocks * SEQUENCES * LENGTH * (LENGTH + 1.0) *
                s->settings.width;
    return 3 * 2 * adds;
}

static double round_s(subject *s, double *forward_s)
{
    size_t bytes = (size_t)ROWS * s->settings.width * sizeof(float);
    memcpy(s->x, s->rows, bytes);
    memcpy(s->d, s->rows, bytes);
    workspace_back(&s->memory, 0);
    s->call.step++;
    double start = bench_cpu_s();
    s->body->forward(&s->call, s->x);
    double middle = bench_cpu_s();
    s->body->backward(&s->call, s->d);
    double end = bench_cpu_s();
    if (middle - start < *forward_s) *forward_s = middle - start;
    return end - start;
}

static void print(const subject *s, const char *metric, double value, const char *unit,
                  const char *detail)
{
    bench_print(&(bench_result){.bench = "body",
                                .model = s->name,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static bool measure(const char *name, sequence_architecture architecture, sequence_block block,
                    const tensor_kernels *k, tensor_precision precision)
{
    static subject s;
    s = (subject){.name = name};
    s.settings = (sequence_settings){.architecture = architecture,
                                     .block = block,
                                     .width = 64,
                                     .blocks = 2,
                                     .heads = 1,
                                     .length = LENGTH,
                                     .feedforward = architecture == SEQUENCE_GRU ? 2 : 4,
                                     .dropout = 0.2f};
    bool made = subject_make(&s, k, precision);
    if (made) {
        double best_s = 1e9, forward_s = 1e9;
        for (int i = 0; i < ROUNDS; i++) {
            double took = round_s(&s, &forward_s);
            if (took < best_s) best_s = took;
        }
        double gflops = operations(&s) / best_s * 1e-9;
        double peak = peak_gflops(k->name, precision, 1);
        char detail[256];
        snprintf(detail, sizeof detail,
                 "{\"kernels\":\"%s\",\"precision\":\"%s\",\"rows\":%d,\"gflops\":%.1f,"
                 "\"peak_gflops\":%.1f,\"forward_share_of_time\":%.2f}",
                 k->name, precision == TENSOR_BF16 ? "bf16" : "fp32", ROWS, gflops, peak,
                 forward_s / best_s);
        print(&s, "share_of_peak", gflops / peak, NULL, detail);
        print(&s, "ms", best_s * 1e3, "ms", detail);
    }
    subject_free(&s);
    return made;
}

int main(void)
{
    const tensor_kernels *k = kernels_choose(NULL);
    bool made = k != NULL;
    for (int p = TENSOR_FP32; made && p <= (k->bf16 ? TENSOR_BF16 : TENSOR_FP32); p++) {
        tensor_precision precision = (tensor_precision)p;
        made = measure("plain", SEQUENCE_TRANSFORMER, SEQUENCE_BLOCK_PLAIN, k, precision) &&
               measure("gated", SEQUENCE_TRANSFORMER, SEQUENCE_BLOCK_GATED, k, precision) &&
               measure("hstu", SEQUENCE_TRANSFORMER, SEQUENCE_BLOCK_HSTU, k, precision) &&
               measure("gru", SEQUENCE_GRU, SEQUENCE_BLOCK_PLAIN, k, precision);
    }
    if (!made) fprintf(stderr, "memory is short, or no kernels on this machine\n");
    return made ? 0 : 1;
}
