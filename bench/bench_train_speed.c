/*
 * Seconds an epoch of training takes, beside the same model in PyTorch in the same run.
 *
 * Rooms: base intake sequence
 * Libraries: bench_peak bench_peer
 *
 *     bench/run train-speed [movielens-1m] [beauty] [--epochs N] [--rounds N] [--threads N]
 *                           [--precision fp32|bf16]
 *
 * The peers' architecture: 2 blocks, width 64, 1 head, GELU feed-forward of 4 widths, tied
 * output, full cross-entropy, random batches of 128 sequences, dropout .2 (of attention as the
 * plain script has it, and none as the tuned one), Adam 1e-3 (.9, .98). Data without each
 * shopper's last two events. Each round trains every model from the start, one after the
 * other; seconds are those of the fastest epoch, losses those of the first round, to be held
 * against the script of the same dropout: a quicker epoch that learns less would be none. The
 * peers run when PROFFER_TORCH names a python that has torch 2.15.0 (bench/peers/README.md).
 *
 * GFLOP/s count the multiply-adds the model needs, as two each: linear layers, the causal half
 * of attention, the catalogue; backward twice forward; nothing that is computed again.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "bench/peak.h"
#include "bench/peer.h"
#include "bench/result.h"
#include "intake/sequence_file.h"
#include "sequence/train.h"

enum { EPOCHS_MAX = 16 };

typedef struct data_set {
    const char *name, *folder, *file;
    unsigned length;
    const char *groups; /* of the tuned peer: pieces of like length a batch is run in */
} data_set;

static const data_set sets[] = {
    {"movielens-1m", "movielens-1m", "ml-1m.seq.txt.gz", 200, "2"},
    {"beauty", "amazon-reviews-2014-5core", "beauty.seq.txt.gz", 50, "3"},
};
enum { SETS = sizeof sets / sizeof sets[0] };

/* Training part of one set. */
typedef struct train_data {
    const data_set *set;
    char path[1024];
    sequence_events events;
    uint64_t *first;
    uint32_t *thing, *next;
} train_data;

/* What one model needed. */
typedef struct timing {
    const char *model;
    unsigned epochs;
    double epoch_s, cpu_s; /* of the fastest epoch; a peer's the least of each */
    double loss[EPOCHS_MAX];
    double begin_cpu_s; /* of the epoch under way */
    bool first_round;
} timing;

/* Ours as the tuned script has it, in both number formats, and with the plain script's dropout
 * of attention: its losses are what the plain script's are held against. */
enum { OURS_FP32, OURS_BF16, OURS_DROPPING, PEER_PLAIN, PEER_TUNED, MODELS };
static const struct {
    const char *name, *precision, *attention_dropout;
} models[MODELS] = {
    [OURS_FP32] = {"proffer", "fp32", "0"},
    [OURS_BF16] = {"proffer-bf16", "bf16", "0"},
    [OURS_DROPPING] = {"proffer-attention-dropout", "fp32", ".2"},
    [PEER_PLAIN] = {.name = "pytorch"},
    [PEER_TUNED] = {.name = "pytorch-tuned"},
};

typedef struct run {
    unsigned epochs, rounds, threads;
    const char *precision; /* NULL: all there are */
    const char *python;    /* NULL: no peers */
    pool *pool;
    const tensor_kernels *k;
} run;

static void stop(const char *what, const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "%s: %s\n", what, error_describe(err, words, sizeof words));
    exit(1);
}

/* ---- data ---- */

static void take_sequences(train_data *d, const sequence_set *s)
{
    uint64_t n = 0;
    uint32_t users = 0;
    d->first = mem_alloc((size_t)s->n_users + 1, sizeof *d->first);
    d->thing = mem_alloc((size_t)s->n, sizeof *d->thing);
    d->next = mem_alloc(s->n_users, sizeof *d->next);
    if (!d->first || !d->thing || !d->next) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (uint32_t u = 1; u <= s->n_users; u++) {
        if (s->first[u + 1] - s->first[u] < 3) continue;
        d->next[users] = SEQUENCE_NOTHING; /* nothing is validated */
        d->first[users++] = n;
        for (uint64_t i = s->first[u]; i + 2 < s->first[u + 1]; i++)
            d->thing[n++] = s->item[i] - 1;
    }
    d->first[users] = n;
    d->events = (sequence_events){.n_shoppers = users,
                                  .n_products = s->n_items,
                                  .n = n,
                                  .first = d->first,
                                  .thing = d->thing};
}

static void load(train_data *d, const data_set *set)
{
    sequence_set *s = NULL;
    pf_error err = {0};
    d->set = set;
    (void)snprintf(d->path, sizeof d->path, "%s/%s", bench_data(set->folder), set->file);
    if (sequence_set_read(&s, d->path, &err) != PF_OK) stop(d->path, &err);
    take_sequences(d, s);
    sequence_set_free(s);
}

static void unload(train_data *d)
{
    mem_free(d->first);
    mem_free(d->thing);
    mem_free(d->next);
}

/* ---- our side ---- */

static sequence_settings settings_of(const train_data *d, const run *r, int model)
{
    pf_error err = {0};
    char numbers[128];
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &d->events, NULL);
    (void)snprintf(numbers, sizeof numbers,
                   "length=%u,epochs=%u,threads=%u,precision=%s,attention_dropout=%s",
                   d->set->length, r->epochs, r->threads, models[model].precision,
                   models[model].attention_dropout);
    if (sequence_settings_set(&s,
                              "block=plain,width=64,blocks=2,heads=1,feedforward=4,"
                              "rms_norm=false,positions=true,relative=false,gaps=false,"
                              "side=false,dropout=.2,loss=full,smoothing=0,omit_taken=false,"
                              "rate=.001,beta1=.9,beta2=.98,epsilon=1e-8,decay=0,clip=0,"
                              "warmup_steps=0,cosine=false,average=0,batch=128,windows=last",
                              &err) != PF_OK ||
        sequence_settings_set(&s, numbers, &err) != PF_OK)
        stop("settings", &err);
    return s;
}

/* Floating-point operations an epoch needs. */
static double epoch_flops(const train_data *d, const sequence_settings *s)
{
    double D = s->width, rows = 0, pairs = 0;
    for (uint32_t u = 0; u < d->events.n_shoppers; u++) {
        uint64_t n = d->first[u + 1] - d->first[u];
        n = n == 0 ? 0 : n - 1 < s->length ? n - 1 : s->length;
        rows += (double)n;
        pairs += (double)n * (double)(n + 1) / 2;
    }
    double linear = rows * s->blocks * (4 + 2 * (double)s->feedforward) * D * D;
    double attention = pairs * s->blocks * 2 * D;
    double loss = rows * d->events.n_products * D;
    return 2 * 3 * (linear + attention + loss);
}

static void on_progress(void *context, const training_progress *p)
{
    timing *t = context;
    if (!p->epoch_end) return;
    double now_s = bench_cpu_s();
    if (p->epoch <= EPOCHS_MAX && t->first_round) t->loss[p->epoch - 1] = p->loss;
    if (t->epochs == 0 || p->epoch_s < t->epoch_s) {
        t->epoch_s = p->epoch_s;
        t->cpu_s = now_s - t->begin_cpu_s;
    }
    t->begin_cpu_s = now_s;
    t->epochs++;
}

static void train_ours(const train_data *d, const run *r, int model, timing *t)
{
    pf_error err = {0};
    sequence_model *m = NULL;
    sequence_settings s = settings_of(d, r, model);
    const training_task task = {.events = &d->events,
                                .next = d->next,
                                .threads = r->pool,
                                .hooks = {.context = t, .progress = on_progress}};
    t->begin_cpu_s = bench_cpu_s();
    if (sequence_train(&task, &s, &m, &err) != PF_OK) stop(t->model, &err);
    sequence_model_free(m);
}

/* ---- the peers ---- */

static void on_peer_epoch(void *context, unsigned epoch, double loss, double epoch_s,
                          double cpu_s)
{
    timing *t = context;
    if (epoch >= 1 && epoch <= EPOCHS_MAX && t->first_round) t->loss[epoch - 1] = loss;
    if (t->epochs == 0 || epoch_s < t->epoch_s) t->epoch_s = epoch_s;
    if (!(t->cpu_s > 0) || cpu_s < t->cpu_s) t->cpu_s = cpu_s; /* its first is not known */
    t->epochs++;
}

static void train_peer(const train_data *d, const run *r, bool tuned, timing *t)
{
    char epochs[16], threads[16], length[16];
    const char *script = PROFFER_SOURCE_DIR "/bench/peers/sasrec_torch.py";
    const char *fast = PROFFER_SOURCE_DIR "/bench/peers/sasrec_torch_fast.py";
    (void)snprintf(epochs, sizeof epochs, "%u", r->epochs);
    (void)snprintf(threads, sizeof threads, "%u", r->threads);
    (void)snprintf(length, sizeof length, "%u", d->set->length);
    const char *const plain_words[] = {r->python, script,     d->path,     "--epochs", epochs,
                                       "--maxlen", length, "--threads", threads,    NULL};
    const char *const tuned_words[] = {r->python,  fast,        d->path,  "--epochs",
                                       epochs,     "--maxlen",  length,   "--threads",
                                       threads,    "--bf16",    "--chunk", "1024",
                                       "--groups", d->set->groups, "--no-eval", NULL};
    if (!peer_run(tuned ? tuned_words : plain_words, on_peer_epoch, t))
        fprintf(stderr, "%s did not run through\n", t->model);
}

/* ---- results ---- */

static void print(const train_data *d, const run *r, const timing *t, const char *metric,
                  double value, const char *unit)
{
    char detail[512];
    (void)snprintf(detail, sizeof detail,
                   "{\"data\":\"%s\",\"length\":%u,\"threads\":%u,\"kernels\":\"%s\","
                   "\"epochs\":%u,\"rounds\":%u}",
                   d->set->name, d->set->length, r->threads, r->k->name, r->epochs, r->rounds);
    bench_print(&(bench_result){.bench = "train-speed",
                                .model = t->model,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static void print_model(const train_data *d, const run *r, const timing *t)
{
    static const char *const loss_names[EPOCHS_MAX] = {"loss@1", "loss@2"};
    print(d, r, t, "epoch_s", t->epoch_s, "s");
    print(d, r, t, "cpu_s", t->cpu_s, "s");
    for (unsigned e = 0; e < r->epochs && loss_names[e] != NULL; e++)
        print(d, r, t, loss_names[e], t->loss[e], NULL);
}

/* By the clock against all threads' peak, and by processor time against one's: the second
 * holds on a machine whose neighbours take a part of it. */
static void print_ours(const train_data *d, const run *r, const timing *t, int model)
{
    sequence_settings s = settings_of(d, r, model);
    tensor_precision p = s.precision;
    double flops = epoch_flops(d, &s), gflops = flops / t->epoch_s / 1e9;
    double peak = peak_gflops(r->k->name, p, r->threads), one = peak_gflops(r->k->name, p, 1);
    print_model(d, r, t);
    print(d, r, t, "flops_an_epoch", flops / 1e12, "TFLOP");
    print(d, r, t, "gflops", gflops, "GFLOP/s");
    print(d, r, t, "peak_gflops", peak, "GFLOP/s");
    print(d, r, t, "share_of_peak", gflops / peak, NULL);
    print(d, r, t, "share_of_peak_by_cpu_s", flops / t->cpu_s / 1e9 / one, NULL);
}

static void print_ratios(const train_data *d, const run *r, const timing *ours,
                         const timing *peers)
{
    if (peers[0].epochs > 0)
        print(d, r, ours, "ratio_to_pytorch", peers[0].epoch_s / ours->epoch_s, NULL);
    if (peers[1].epochs > 0)
        print(d, r, ours, "ratio_to_pytorch_tuned", peers[1].epoch_s / ours->epoch_s, NULL);
    if (peers[1].epochs > 0)
        print(d, r, ours, "ratio_to_pytorch_tuned_by_cpu_s", peers[1].cpu_s / ours->cpu_s, NULL);
}

/* ---- runs ---- */

static bool wanted(const run *r, int model)
{
    if (model >= PEER_PLAIN) return r->python != NULL;
    if (model == OURS_BF16 && !r->k->bf16) return false;
    return r->precision == NULL || !strcmp(r->precision, models[model].precision);
}

static void run_set(const data_set *set, const run *r)
{
    train_data d = {0};
    timing t[MODELS] = {{.model = NULL}};
    for (int m = 0; m < MODELS; m++)
        t[m].model = models[m].name;
    load(&d, set);
    for (unsigned round = 0; round < r->rounds; round++)
        for (int m = 0; m < MODELS; m++) {
            if (!wanted(r, m)) continue;
            t[m].first_round = round == 0;
            fprintf(stderr, "%s: %s, round %u\n", set->name, t[m].model, round + 1);
            if (m < PEER_PLAIN)
                train_ours(&d, r, m, &t[m]);
            else
                train_peer(&d, r, m == PEER_TUNED, &t[m]);
        }
    for (int m = 0; m < PEER_PLAIN; m++) {
        if (t[m].epochs == 0) continue;
        print_ours(&d, r, &t[m], m);
        print_ratios(&d, r, &t[m], &t[PEER_PLAIN]);
    }
    for (int m = PEER_PLAIN; m < MODELS; m++)
        if (t[m].epochs > 0) print_model(&d, r, &t[m]);
    unload(&d);
}

static int usage(void)
{
    fprintf(stderr, "bench/run train-speed [movielens-1m] [beauty] [--epochs 1..%d] "
                    "[--rounds N] [--threads N] [--precision fp32|bf16]\n",
            EPOCHS_MAX);
    return 2;
}

static bool number(const char *word, unsigned most, unsigned *out)
{
    uint64_t n = 0;
    if (word == NULL || !text_to_u64(text_of(word), &n) || n < 1 || n > most) return false;
    *out = (unsigned)n;
    return true;
}

/* One option with its value; false when it is none. */
static bool take_option(run *r, const char *name, const char *value)
{
    if (!strcmp(name, "--epochs")) return number(value, EPOCHS_MAX, &r->epochs);
    if (!strcmp(name, "--rounds")) return number(value, 100, &r->rounds);
    if (!strcmp(name, "--threads")) return number(value, 64, &r->threads);
    if (strcmp(name, "--precision") != 0 || value == NULL) return false;
    r->precision = value;
    return !strcmp(value, "fp32") || !strcmp(value, "bf16");
}

int main(int argc, char **argv)
{
    run r = {.epochs = 2, .rounds = 1, .threads = 2, .python = getenv("PROFFER_TORCH")};
    bool asked[SETS] = {false}, any = false;
    for (int i = 1; i < argc; i++) {
        size_t set = 0;
        while (set < SETS && strcmp(argv[i], sets[set].name) != 0)
            set++;
        if (set < SETS)
            asked[set] = any = true;
        else if (!take_option(&r, argv[i], argv[i + 1]))
            return usage();
        else
            i++;
    }
    r.k = kernels_choose(NULL);
    r.pool = pool_new(r.threads);
    if (r.k == NULL || r.pool == NULL) return 1;
    if (r.python == NULL)
        fprintf(stderr, "PyTorch is left out: install torch==2.15.0 with its dependencies into a "
                        "folder of its own and let PROFFER_TORCH name that folder's python "
                        "(bench/peers/README.md)\n");
    for (size_t s = 0; s < SETS; s++)
        if (asked[s] || !any) run_set(&sets[s], &r);
    pool_free(r.pool);
    return 0;
}
