/*
 * The table of candidates has a fixed place for every shopper who takes part; a member's
 * scores stand in a column of their own, so that a weight's trial reads two columns:
 *
 *     column m:  | shopper 0: target, candidates ... | shopper 1: ... |
 */
#include "recommend/blend_learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sample.h"
#include "measure/ranking.h"
#include "recommend/interactions.h"
#include "recommend/scratch.h"

/* At most so many values are kept; of more shoppers an even sample takes part. */
enum { TABLE_VALUES_MAX = 48 << 20, ROUNDS = 4, PASSES = 3, BLOCK = 256 };

static const double grid[] = {0, .02, .05, .1, .15, .2, .3, .4, .5, .7, 1, 1.4, 2, 3, 5};
enum { GRID = sizeof grid / sizeof grid[0] };

typedef struct worker {
    float *scores;       /* [members x V] */
    float *blend;        /* [V] */
    uint32_t *candidate; /* [places] */
    recommend_scratch scratch; /* for any member */
} worker;

typedef struct table {
    const blend_task *task;
    uint32_t *shopper; /* [n] who takes part */
    uint32_t n;
    size_t places;                  /* rows a shopper */
    uint32_t *count;                /* [n] rows in use */
    float *value[BLEND_MAX_MEMBERS]; /* [n x places] */
    float *rest;                    /* [n x places] the blend without one member */
    double *part;                   /* [blocks] sums of blocks of shoppers */
    double factor[PASSES][BLEND_MAX_MEMBERS]; /* of scores, in the passes done: weight / scale */
    size_t passes;
    worker *workers;
    size_t n_workers;
} table;

/* ---- memory ---- */

static void table_free(table *t)
{
    for (size_t m = 0; m < t->task->n_members; m++)
        mem_free(t->value[m]);
    for (size_t w = 0; t->workers && w < t->n_workers; w++) {
        mem_free(t->workers[w].scores);
        mem_free(t->workers[w].blend);
        mem_free(t->workers[w].candidate);
        mem_free(t->workers[w].scratch.floats);
    }
    mem_free(t->workers);
    mem_free(t->shopper);
    mem_free(t->count);
    mem_free(t->rest);
    mem_free(t->part);
}

static bool has_lesson(const blend_task *k, uint32_t u)
{
    return k->next[u] != RECOMMEND_NO_PRODUCT &&
           k->past->first[u + 1] > k->past->first[u];
}

/* An even sample of those with a lesson, at most `most`. */
static pf_status choose_shoppers(table *t, uint64_t most, pf_error *err)
{
    const blend_task *k = t->task;
    uint64_t with = 0, met = 0;
    for (uint32_t u = 0; u < k->past->n_users; u++)
        with += has_lesson(k, u);
    if (with == 0)
        return error_set(
            err, PF_DATA,
            "no shopper took two products one after the other, so no weights "
            "can be learnt; use a single model");
    uint64_t n = with < most ? with : most;
    t->shopper = mem_alloc(n, sizeof *t->shopper);
    if (t->shopper == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t u = 0; u < k->past->n_users; u++) {
        if (!has_lesson(k, u)) continue;
        if (sample_takes(++met, with, n)) t->shopper[t->n++] = u;
    }
    return PF_OK;
}

static pf_status worker_new(table *t, worker *w, pf_error *err)
{
    const blend_task *k = t->task;
    size_t n = 0;
    for (size_t m = 0; m < k->n_members; m++) {
        size_t floats = blend_member_scratch_floats(&k->member[m]);
        w->scratch.n = floats > w->scratch.n ? floats : w->scratch.n;
    }
    w->scratch.floats = mem_alloc_aligned(w->scratch.n, sizeof(float));
    if (size_multiply(k->n_members, k->past->n_products, &n))
        w->scores = mem_alloc_aligned(n, sizeof *w->scores);
    w->blend = mem_alloc_aligned(k->past->n_products, sizeof *w->blend);
    w->candidate = mem_alloc(t->places, sizeof *w->candidate);
    if (w->scores == NULL || w->blend == NULL || w->candidate == NULL ||
        w->scratch.floats == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for candidates");
    return PF_OK;
}

static pf_status table_new(table *t, pf_error *err)
{
    const blend_task *k = t->task;
    size_t top = BLEND_TOP < k->past->n_products ? BLEND_TOP : k->past->n_products;
    t->places = top * (k->n_members + PASSES - 1) + 1;
    pf_status s =
        choose_shoppers(t, TABLE_VALUES_MAX / (t->places * (k->n_members + 1)) + 1, err);
    if (s != PF_OK) return s;
    size_t rows = t->n * t->places;
    bool ok = (t->count = mem_alloc(t->n, sizeof *t->count)) != NULL;
    ok &= (t->rest = mem_alloc(rows, sizeof *t->rest)) != NULL;
    ok &= (t->part = mem_alloc(t->n / BLOCK + 1, sizeof *t->part)) != NULL;
    for (size_t m = 0; m < k->n_members; m++)
        ok &= (t->value[m] = mem_alloc(rows, sizeof(float))) != NULL;
    t->n_workers = k->threads ? pool_threads(k->threads) : 1;
    ok &= (t->workers = mem_alloc_zero(t->n_workers, sizeof *t->workers)) != NULL;
    if (!ok) return error_set(err, PF_NO_MEMORY, "out of memory for candidates");
    for (size_t w = 0; w < t->n_workers && s == PF_OK; w++)
        s = worker_new(t, &t->workers[w], err);
    return s;
}

/* ---- candidates ---- */

static recommend_query query_of(const blend_task *k, uint32_t u)
{
    const interactions *x = k->past;
    return interactions_query(x, u, x->first[u + 1] - x->first[u],
                              k->next_time_us ? k->next_time_us[u] : k->until_us);
}

static void hide_past(const recommend_query *q, float *scores)
{
    for (size_t i = 0; i < q->n; i++)
        scores[q->product[i]] = -INFINITY;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* candidate[1 .. n) ascending, once each, without the target, which stands first. */
static uint32_t settle(uint32_t *candidate, uint32_t n, uint32_t target)
{
    uint32_t kept = 1;
    candidate[0] = target;
    qsort(candidate + 1, n - 1, sizeof *candidate, by_number);
    for (uint32_t i = 1; i < n; i++)
        if (candidate[i] != target && (kept == 1 || candidate[i] != candidate[kept - 1]))
            candidate[kept++] = candidate[i];
    return kept;
}

/* What is hidden for one member is hidden for the blend: minus infinity stays itself. */
static void add_up(const table *t, const double *factor, const worker *w)
{
    size_t V = t->task->past->n_products;
    memset(w->blend, 0, V * sizeof *w->blend);
    for (size_t m = 0; m < t->task->n_members; m++) {
        const float *scores = w->scores + m * V;
        if (!(factor[m] > 0)) continue;
        for (size_t v = 0; v < V; v++)
            w->blend[v] += (float)factor[m] * scores[v];
    }
}

/* The past is hidden once a member was asked, so that a target in it keeps its scores. */
static void gather(void *context, size_t task, unsigned number)
{
    table *t = context;
    const blend_task *k = t->task;
    worker *w = &t->workers[number];
    size_t V = k->past->n_products;
    recommend_query q = query_of(k, t->shopper[task]);
    uint32_t target = k->next[t->shopper[task]], n = 1;
    float kept[BLEND_MAX_MEMBERS];
    for (size_t m = 0; m < k->n_members; m++) {
        float *scores = w->scores + m * V;
        blend_member_score(&k->member[m], &q, scores, &w->scratch);
        kept[m] = scores[target];
        if (!k->repeats) hide_past(&q, scores);
        n += (uint32_t)ranking_top(scores, V, BLEND_TOP, w->candidate + n);
    }
    for (size_t p = 0; p < t->passes; p++) {
        add_up(t, t->factor[p], w);
        n += (uint32_t)ranking_top(w->blend, V, BLEND_TOP, w->candidate + n);
    }
    n = t->count[task] = settle(w->candidate, n, target);
    for (size_t m = 0; m < k->n_members; m++) {
        float *value = t->value[m] + task * t->places;
        value[0] = kept[m];
        for (uint32_t i = 1; i < n; i++)
            value[i] = w->scores[m * V + w->candidate[i]];
    }
}

/* ---- scales ---- */

static double deviation(const table *t, const float *value)
{
    double n = 0, mean = 0, square = 0;
    for (size_t s = 0; s < t->n; s++)
        for (size_t i = 0; i < t->count[s]; i++) {
            double x = (double)value[s * t->places + i], off = x - mean;
            n += 1;
            mean += off / n;
            square += off * (x - mean);
        }
    return sqrt(square / n);
}

static void divide(const table *t, float *value, double by)
{
    for (size_t s = 0; s < t->n; s++)
        for (size_t i = 0; i < t->count[s]; i++) {
            float *x = &value[s * t->places + i];
            *x = by > 0 ? (float)((double)*x / by) : 0;
        }
}

/* ---- the measure ---- */

typedef struct trial {
    table *t;
    const float *value;
    float weight;
} trial;

/* NDCG@10 of one shopper whose target has the first of n scores. */
static double gain(const float *rest, const float *value, float weight, uint32_t n)
{
    float target = rest[0] + weight * value[0];
    uint32_t above = 0, equal = 0;
    for (uint32_t i = 1; i < n; i++) {
        float s = rest[i] + weight * value[i];
        above += s > target;
        equal += s >= target && s <= target;
    }
    double rank = above + 1 + equal / 2.0;
    return rank <= BLEND_CUT ? 1 / log2(rank + 1) : 0;
}

static void sum_block(void *context, size_t block, unsigned number)
{
    trial *r = context;
    table *t = r->t;
    double sum = 0;
    (void)number;
    for (size_t s = block * BLOCK; s < t->n && s < (block + 1) * BLOCK; s++)
        sum += gain(t->rest + s * t->places, r->value + s * t->places, r->weight,
                    t->count[s]);
    t->part[block] = sum;
}

/* Mean NDCG@10 of rest + weight * value. */
static double measure(table *t, const float *value, double weight)
{
    trial r = {t, value, (float)weight};
    size_t blocks = (t->n + BLOCK - 1) / BLOCK;
    double sum = 0;
    pool_run(t->task->threads, blocks, sum_block, &r);
    for (size_t b = 0; b < blocks; b++)
        sum += t->part[b];
    return sum / t->n;
}

/* ---- ascent ---- */

/* rest = the blend without member m. */
static void leave_out(table *t, const double *weight, size_t m)
{
    memset(t->rest, 0, t->n * t->places * sizeof *t->rest);
    for (size_t o = 0; o < t->task->n_members; o++) {
        if (o == m || weight[o] <= 0) continue;
        for (size_t s = 0; s < t->n; s++)
            for (size_t i = s * t->places; i < s * t->places + t->count[s]; i++)
                t->rest[i] += (float)weight[o] * t->value[o][i];
    }
}

static bool improve(table *t, size_t m, blend_weights *w)
{
    double was = w->weight[m], best = 0;
    w->together = -1;
    leave_out(t, w->weight, m);
    for (size_t g = 0; g < GRID; g++) {
        double value = measure(t, t->value[m], grid[g]);
        if (value > w->together) {
            w->together = value;
            best = grid[g];
        }
    }
    w->weight[m] = best;
    return best < was || best > was;
}

static void ascend(table *t, size_t first, blend_weights *w)
{
    bool changed = true;
    for (int round = 0; round < ROUNDS && changed; round++) {
        changed = false;
        for (size_t m = 0; m < t->task->n_members; m++)
            if (m != first) changed |= improve(t, m, w);
    }
}

/* The member that is best alone gets weight 1. */
static size_t start(table *t, blend_weights *w)
{
    size_t first = 0;
    memset(t->rest, 0, t->n * t->places * sizeof *t->rest);
    for (size_t m = 0; m < t->task->n_members; m++) {
        w->alone[m] = measure(t, t->value[m], 1);
        if (w->alone[m] > w->alone[first]) first = m;
    }
    w->weight[first] = 1;
    w->together = w->alone[first];
    return first;
}

static void fill(table *t, blend_weights *w)
{
    pool_run(t->task->threads, t->n, gather, t);
    for (size_t m = 0; m < t->task->n_members; m++) {
        if (t->passes == 0) w->scale[m] = deviation(t, t->value[m]);
        divide(t, t->value[m], w->scale[m]);
    }
}

/* Remembers the weights, so that the blend's own best are candidates in the next pass;
 * false when they are those of the pass before, whose best are candidates already. */
static bool end_pass(table *t, const blend_weights *w)
{
    bool changed = t->passes == 0;
    for (size_t m = 0; m < t->task->n_members; m++) {
        double factor = w->scale[m] > 0 ? w->weight[m] / w->scale[m] : 0;
        double was = t->passes ? t->factor[t->passes - 1][m] : 0;
        changed |= factor < was || factor > was;
        t->factor[t->passes][m] = factor;
    }
    t->passes++;
    return changed;
}

pf_status blend_learn(const blend_task *task, blend_weights *out, pf_error *err)
{
    table t = {.task = task};
    *out = (blend_weights){0};
    pf_status s = table_new(&t, err);
    if (s == PF_OK) {
        size_t first = 0;
        out->shoppers = t.n;
        for (int pass = 0; pass < PASSES; pass++) {
            fill(&t, out);
            if (pass == 0) first = start(&t, out);
            ascend(&t, first, out);
            if (!end_pass(&t, out)) break;
        }
    }
    table_free(&t);
    return s;
}
