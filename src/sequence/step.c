/*
 * A training step (net.h): refresh, every worker's share, reductions in a fixed order, Adam.
 *
 *     in parallel, by           what
 *     slices of the table       m and its packed forms; weights packed
 *     shares of the batch       forward, loss, backward into blocks of the worker's own
 *     slices of the table       dm added up in the order of workers, dW = dm^T side
 *     slices of parameters      gradients added up and squared; then Adam (adam.c)
 */
#include "sequence/step.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sequence/weights.h"
#include "tensor/adam.h"
#include "tensor/packing.h"

/* Part `part` of n things in units of `unit`, among the workers. */
static size_t part_begin(const sequence_step *s, size_t n, size_t unit, size_t part)
{
    size_t units = (n + unit - 1) / unit, begin = units * part / s->n_workers * unit;
    return begin < n ? begin : n;
}

/* Every task of a step runs under this: an allocation in it is a programmer's error. */
typedef void step_task(sequence_step *s, size_t part);
typedef struct guarded {
    sequence_step *s;
    step_task *task;
} guarded;

static void run_guarded(void *context, size_t part, unsigned worker)
{
    const guarded *g = context;
    (void)worker;
    mem_guard_enter();
    g->task(g->s, part);
    mem_guard_leave();
}

static void run_parts(sequence_step *s, step_task *task, pool *threads)
{
    guarded g = {s, task};
    pool_run(threads, s->n_workers, run_guarded, &g);
}

/* ---- the table and the weights ---- */

static void refresh_part(sequence_step *s, size_t part)
{
    const sequence_net *n = s->net;
    const tensor_precision p = s->weights.precision;
    const size_t D = n->settings.width, V = n->sizes.V;
    const size_t from = part_begin(s, s->table.n, PACKING_COLUMNS, part);
    const size_t to = part_begin(s, s->table.n, PACKING_COLUMNS, part + 1);
    weights_pack_part(n, &s->weights, part, s->n_workers);
    table_make(&s->table, from, to, &s->worker[part].table);
    if (net_samples(n) || from >= V) return;
    const size_t end = to < V ? to : V;
    packing_columns(n->k, p, D, s->table.m, 1, D, from, end, s->forward);
    packing_rows(n->k, p, V, D, s->table.m, D, 1, from, end, s->backward);
}

static void pack_negatives(sequence_step *s)
{
    const sequence_net *n = s->net;
    const tensor_precision p = s->weights.precision;
    const size_t D = n->settings.width, S = s->in_use.S;
    for (size_t i = 0; i < S; i++)
        memcpy(s->negative_vectors + i * D, s->m + s->in_use.negative[i] * D,
               D * sizeof(float));
    n->k->pack(p, D, S, s->negative_vectors, 1, D, s->forward);
    n->k->pack(p, S, D, s->negative_vectors, D, 1, s->backward);
}

static void refresh(sequence_step *s, pool *threads)
{
    sequence_net *n = s->net;
    n->fresh = false;
    s->table.step = s->number;
    if (net_samples(n)) {
        batch_rows_fill(&s->in_use, &s->sampler, &s->batch, n->settings.seed, s->number);
        s->table.n = s->in_use.n;
        s->batch.thing = s->in_use.thing;
        s->batch.target = s->in_use.target;
    } else if (n->at.bias != NET_ABSENT) {
        s->products.bias = parameters_at(n->params, n->at.bias);
    }
    if (net_has_side(n)) weights_pack(n, &s->weights, n->at.side);
    run_parts(s, refresh_part, threads);
    if (net_samples(n)) pack_negatives(s);
}

/* ---- shares ---- */

/* Multiply-adds of a sequence, about: linear layers, attention, loss. */
static double cost_of(const sequence_step *s, size_t sequence)
{
    const sequence_settings *o = &s->net->settings;
    const sequence_pack *b = &s->batch;
    const double D = o->width, catalogue = net_samples(s->net) ? o->negatives : s->net->sizes.V;
    double rows = b->offset[sequence + 1] - b->offset[sequence], supervised = 0.0;
    for (size_t i = b->offset[sequence]; i < b->offset[sequence + 1]; i++)
        supervised += b->target[i] != SEQUENCE_NOTHING;
    return D * (o->blocks * rows * (12.0 * D + rows) + supervised * catalogue);
}

/* Worker w's sequences end where the cost so far comes nearest to its share. */
static void share_out(sequence_step *s)
{
    double total = 0.0, so_far = 0.0;
    size_t at = 0;
    for (size_t i = 0; i < s->batch.n_sequences; i++)
        total += cost_of(s, i);
    for (size_t w = 0; w < s->n_workers; w++) {
        const double aim = total * (double)(w + 1) / (double)s->n_workers;
        s->worker[w].first = at;
        for (; at < s->batch.n_sequences; at++) {
            double cost = cost_of(s, at);
            if (so_far + cost / 2.0 > aim) break;
            so_far += cost;
        }
        if (w + 1 == s->n_workers) at = s->batch.n_sequences;
        s->worker[w].end = at;
    }
}

static uint64_t supervised_rows(const sequence_pack *b)
{
    uint64_t n = 0;
    for (size_t i = 0; i < b->R; i++)
        n += b->target[i] != SEQUENCE_NOTHING;
    return n;
}

static void run_share(sequence_step *s, size_t part)
{
    step_run_share(s, &s->worker[part]);
}

/* ---- the projection's gradient ---- */

/* Rows from..to-1 of dm: the workers' sum to the first, zero to the others. */
static void add_up_rows(sequence_step *s, size_t from, size_t to)
{
    const size_t D = s->net->settings.width, at = from * D, floats = (to - from) * D;
    for (size_t w = 1; w < s->n_workers; w++) {
        s->net->k->add_scaled(floats, 1.0f, s->dm[w] + at, s->dm[0] + at);
        memset(s->dm[w] + at, 0, floats * sizeof(float));
    }
}

static void project_part(sequence_step *s, size_t part)
{
    const sequence_net *n = s->net;
    const size_t D = n->settings.width;
    const size_t begin = part_begin(s, s->table.n, TABLE_ROWS, part);
    const size_t end = part_begin(s, s->table.n, TABLE_ROWS, part + 1);
    float *dprojection = s->gradient[part] + n->layout.offset[n->at.side];
    for (size_t from = begin; from < end; from += TABLE_ROWS) {
        const size_t to = end - from < TABLE_ROWS ? end : from + TABLE_ROWS;
        add_up_rows(s, from, to);
        table_backward(&s->table, from, to, s->dm[0], dprojection, &s->worker[part].table);
        /* Nothing else learns from it. */
        if (n->at.id == NET_ABSENT)
            memset(s->dm[0] + from * D, 0, (to - from) * D * sizeof(float));
    }
}

/* ---- the step ---- */

bool sequence_step_gradients(sequence_step *s, const sequence_pack *batch, uint64_t number,
                             pool *threads, step_result *out)
{
    assert(batch->n_sequences <= s->sequences && batch->R <= s->rows_most && batch->target);
    *out = (step_result){.rows = supervised_rows(batch)};
    if (out->rows == 0) return false;
    s->batch = *batch;
    s->number = number;
    s->scale = 1.0f / (float)out->rows;
    mem_guard_enter();
    share_out(s);
    refresh(s, threads);
    run_parts(s, run_share, threads);
    for (size_t w = 0; w < s->n_workers; w++)
        out->loss += s->worker[w].loss;
    bool finite = isfinite(out->loss);
    if (finite && net_has_side(s->net)) run_parts(s, project_part, threads);
    mem_guard_leave();
    return finite;
}

static adam_rows rows_of(const sequence_step *s)
{
    return (adam_rows){s->net->at.id, s->table.n, s->in_use.row, s->dm};
}

static double apply(sequence_step *s, float rate, pool *threads)
{
    const sequence_settings *o = &s->net->settings;
    const adam_options options = {rate, o->beta1, o->beta2, o->epsilon, o->decay};
    const adam_rows rows = rows_of(s);
    const bool sparse = net_samples(s->net) && s->net->at.id != NET_ABSENT;
    const adam_gradients g = {.gradient = s->gradient,
                              .n_workers = s->n_workers,
                              .scale = 1.0f,
                              .rows = &rows,
                              .n_rows = sparse ? 1 : 0};
    return adam_step(s->net->k, s->net->params, &options, &g, (double)o->clip, threads);
}

void sequence_step_take(sequence_step *s, const sequence_pack *batch, float rate,
                        uint64_t number, pool *threads, step_result *out)
{
    if (sequence_step_gradients(s, batch, number, threads, out)) {
        mem_guard_enter();
        out->gradient_norm = apply(s, rate, threads);
        mem_guard_leave();
    } else if (out->rows > 0) {
        out->gradient_norm = NAN;
        sequence_step_discard(s, threads);
    }
}

static void discard_part(sequence_step *s, size_t part)
{
    const size_t D = s->net->settings.width;
    memset(s->gradient[part], 0, s->net->layout.dense * sizeof(float));
    if (s->own_dm) memset(s->dm[part], 0, s->table.n * D * sizeof(float));
}

void sequence_step_discard(sequence_step *s, pool *threads)
{
    run_parts(s, discard_part, threads);
}

void sequence_step_gradient(const sequence_step *s, size_t i, float *out)
{
    const sequence_net *n = s->net;
    const parameter_shape *shape = parameters_shape(n->params, i);
    const size_t columns = shape->columns;
    memset(out, 0, shape->rows * columns * sizeof *out);
    for (size_t w = 0; w < s->n_workers; w++) {
        if (!shape->sparse) {
            n->k->add_scaled(shape->rows * columns, 1.0f, s->gradient[w] + n->layout.offset[i],
                             out);
            continue;
        }
        for (size_t row = 0; row < s->table.n; row++)
            n->k->add_scaled(columns, 1.0f, s->dm[w] + row * columns,
                             out + s->table.row[row] * columns);
    }
}
