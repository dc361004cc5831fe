/*
 * Validation by whole blocks (sequence/validate.h): a task takes a block of shoppers, runs
 * the network over packs of their pasts, then scores all of them against the catalogue in one
 * product.
 */
#include "sequence/validate.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "measure/ranking.h"
#include "sequence/windows.h"

#define STREAM_VALIDATION (UINT64_C(0x54) << 56)

/* Shoppers of a block; fewer where their scores would pass BLOCK_SCORES floats. */
enum { BLOCK_SHOPPERS = 64, BLOCK_SCORES = 4 << 20 };
/* Rows of a pack (or one longest window): a few hundred keep a worker in its cache. */
enum { PACK_ROWS = 1024 };

typedef struct validation_worker {
    workspace memory; /* of states */
    pack_rows rows;
    float *states;    /* [block x D] */
    float *scores;    /* [block x V] */
    void *scratch;
} validation_worker;

struct sequence_validation {
    sequence_question q;
    uint32_t *shopper; /* [n] ascending */
    double *gain;      /* [n] NDCG of each */
    uint32_t n, V;
    size_t block, most_rows, D;
    unsigned workers;
    validation_worker *worker;
    const sequence_net *net; /* of the run under way */
};

/* ---- who is asked ---- */

/* Keeps `keep` of list[n], each subset as likely as any other, in ascending order. */
static uint32_t thin_out(uint32_t *list, uint32_t n, uint32_t keep, uint64_t seed)
{
    random_stream r = random_begin(seed, STREAM_VALIDATION);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n && kept < keep; i++)
        if (n - i <= keep - kept || random_below(&r, n - i) < keep - kept)
            list[kept++] = list[i]; /* Knuth, TAOCP 2, 3.4.2, algorithm S */
    return kept;
}

static uint64_t taken_until(const sequence_events *e, uint32_t u, uint64_t *last)
{
    uint64_t n = 0;
    for (uint64_t i = e->first[u]; i < e->first[u + 1]; i++)
        if (sequence_event_took(e, i)) {
            *last = i;
            n++;
        }
    return n;
}

pf_status sequence_hold_back(const sequence_events *e, uint64_t seed, uint64_t *ends,
                             uint32_t *next, uint32_t *held, pf_error *err)
{
    uint32_t n = 0;
    uint64_t last = 0;
    uint32_t *list = mem_alloc((size_t)e->n_shoppers + 1, sizeof *list);
    if (list == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for validation");
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        ends[u] = e->first[u + 1];
        next[u] = SEQUENCE_NOTHING;
        if (taken_until(e, u, &last) >= 3) list[n++] = u;
    }
    n = thin_out(list, n, SEQUENCE_VALIDATION_SHOPPERS, seed);
    for (uint32_t i = 0; i < n; i++) {
        (void)taken_until(e, list[i], &last);
        ends[list[i]] = last;
        next[list[i]] = e->thing[last];
    }
    mem_free(list);
    *held = n;
    return PF_OK;
}

static uint64_t end_of(const sequence_question *q, uint32_t u)
{
    return q->ends != NULL ? q->ends[u] : q->events->first[u + 1];
}

static pf_status choose_shoppers(sequence_validation *v, uint64_t seed, pf_error *err)
{
    const sequence_events *e = v->q.events;
    v->shopper = mem_alloc((size_t)e->n_shoppers + 1, sizeof *v->shopper);
    if (v->shopper == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for validation");
    for (uint32_t u = 0; u < e->n_shoppers; u++)
        if (v->q.next[u] != SEQUENCE_NOTHING && end_of(&v->q, u) > e->first[u])
            v->shopper[v->n++] = u;
    v->n = thin_out(v->shopper, v->n, SEQUENCE_VALIDATION_SHOPPERS, seed);
    return PF_OK;
}

/* ---- memory ---- */

static size_t block_of(uint32_t V)
{
    size_t block = BLOCK_SCORES / ((size_t)V + 1);
    return block < 1 ? 1 : block > BLOCK_SHOPPERS ? BLOCK_SHOPPERS : block;
}

static size_t rows_of(const sequence_settings *s)
{
    return s->length > PACK_ROWS ? s->length : PACK_ROWS;
}

size_t sequence_validation_bytes(const sequence_settings *s, uint32_t V, unsigned workers)
{
    size_t block = block_of(V), rows = rows_of(s);
    size_t floats = block * (s->width + (size_t)V) + rows * s->width * 12;
    return workers * (floats * sizeof(float) + pack_rows_bytes(BLOCK_SHOPPERS, rows) +
                      KERNEL_SCRATCH_BYTES);
}

static pf_status make_worker(validation_worker *w, const sequence_validation *v,
                             const sequence_net *net, pf_error *err)
{
    const sequence_events *e = v->q.events;
    const sequence_sizes *sizes = sequence_net_sizes(net);
    pack_parts parts = {.kind = e->kind != NULL && sizes->kinds,
                        .band = e->band != NULL && sizes->bands,
                        .gap = e->time_us != NULL && sizes->gaps};
    w->states = mem_alloc_aligned(v->block * v->D, sizeof *w->states);
    w->scores = mem_alloc_aligned(v->block * v->V, sizeof *w->scores);
    w->scratch = mem_alloc_aligned(1, KERNEL_SCRATCH_BYTES);
    if (w->states == NULL || w->scores == NULL || w->scratch == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for validation");
    pf_status status = pack_rows_new(&w->rows, v->block, v->most_rows, parts, err);
    if (status != PF_OK) return status;
    return sequence_net_workspace(net, v->most_rows, &w->memory, err);
}

static pf_status make_workers(sequence_validation *v, const sequence_net *net, pf_error *err)
{
    v->gain = mem_alloc(v->n, sizeof *v->gain);
    v->worker = mem_alloc_zero(v->workers, sizeof *v->worker);
    if (v->gain == NULL || v->worker == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for validation");
    for (unsigned i = 0; i < v->workers; i++) {
        pf_status status = make_worker(&v->worker[i], v, net, err);
        if (status != PF_OK) return status;
    }
    return PF_OK;
}

pf_status sequence_validation_new(sequence_validation **out, const sequence_question *q,
                                  const sequence_net *net, unsigned workers, pf_error *err)
{
    const sequence_settings *s = sequence_net_settings(net);
    sequence_validation *v = mem_alloc_zero(1, sizeof *v);
    *out = NULL;
    if (v == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for validation");
    v->q = *q;
    v->V = sequence_net_sizes(net)->V;
    v->D = s->width;
    v->block = block_of(v->V);
    v->most_rows = rows_of(s);
    v->workers = workers;
    pf_status status = choose_shoppers(v, s->seed, err);
    if (status == PF_OK && v->n > 0) status = make_workers(v, net, err);
    if (status != PF_OK || v->n == 0) {
        sequence_validation_free(v);
        return status;
    }
    *out = v;
    return PF_OK;
}

void sequence_validation_free(sequence_validation *v)
{
    if (v == NULL) return;
    for (unsigned i = 0; v->worker != NULL && i < v->workers; i++) {
        workspace_free(&v->worker[i].memory);
        pack_rows_free(&v->worker[i].rows);
        mem_free(v->worker[i].states);
        mem_free(v->worker[i].scores);
        mem_free(v->worker[i].scratch);
    }
    mem_free(v->worker);
    mem_free(v->shopper);
    mem_free(v->gain);
    mem_free(v);
}

uint32_t sequence_validation_shoppers(const sequence_validation *v)
{
    return v->n;
}

/* ---- a block ---- */

/* States of the pasts packed so far go to row `done` and on. */
static size_t run_pack(sequence_validation *v, validation_worker *w, size_t done)
{
    size_t n = w->rows.pack.n_sequences;
    if (n == 0) return done;
    sequence_net_states(v->net, &w->rows.pack, &w->memory, w->states + done * v->D);
    pack_rows_clear(&w->rows);
    return done + n;
}

static void find_states(sequence_validation *v, validation_worker *w, uint32_t begin,
                        uint32_t end)
{
    const sequence_settings *s = sequence_net_settings(v->net);
    const sequence_events *e = v->q.events;
    size_t done = 0;
    pack_rows_clear(&w->rows);
    for (uint32_t i = begin; i < end; i++) {
        uint32_t u = v->shopper[i];
        if (w->rows.pack.R + s->length > v->most_rows) done = run_pack(v, w, done);
        pack_rows_add_past(&w->rows, e, e->first[u], end_of(&v->q, u), s);
    }
    (void)run_pack(v, w, done);
}

static double gain_of(const sequence_validation *v, uint32_t u, float *scores)
{
    const sequence_events *e = v->q.events;
    double rank = 0;
    uint32_t target = v->q.next[u];
    for (uint64_t i = e->first[u]; !v->q.repeats && i < end_of(&v->q, u); i++)
        if (sequence_event_took(e, i)) scores[e->thing[i]] = -INFINITY;
    ranking_ranks(scores, v->V, &target, 1, &rank);
    return ranking_values_of(&rank, 1, SEQUENCE_VALIDATION_CUT).ndcg;
}

static void run_block(void *context, size_t task, unsigned worker)
{
    sequence_validation *v = context;
    validation_worker *w = &v->worker[worker];
    uint32_t begin = (uint32_t)(task * v->block), end = begin + (uint32_t)v->block;
    if (end > v->n) end = v->n;
    find_states(v, w, begin, end);
    sequence_net_scores(v->net, end - begin, w->states, w->scores, w->scratch);
    for (uint32_t i = begin; i < end; i++)
        v->gain[i] = gain_of(v, v->shopper[i], w->scores + (size_t)(i - begin) * v->V);
}

double sequence_validation_ndcg(sequence_validation *v, const sequence_net *net, pool *threads)
{
    double sum = 0;
    v->net = net;
    pool_run(threads, (v->n + v->block - 1) / v->block, run_block, v);
    for (uint32_t i = 0; i < v->n; i++)
        sum += v->gain[i];
    return sum / v->n;
}
