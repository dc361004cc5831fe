/*
 * Memory of a training step (step.h), and how much training takes in all.
 */
#include "sequence/step.h"

#include <string.h>

#include "base/memory.h"
#include "sequence/weights.h"

/* Rows that go through the network together. More rows use the products' vectors better, fewer
 * keep activations in the cache. */
enum { GROUP_ROWS = 512 };

/* Lays out s for net n, which may be described alone. */
static void describe(sequence_step *s, sequence_net *n, size_t sequences, size_t longest)
{
    size_t rows = SIZE_MAX;
    if (!size_multiply(sequences, longest, &rows)) rows = SIZE_MAX;
    *s = (sequence_step){.net = n, .sequences = sequences, .rows_most = rows};
    s->group_rows = longest > GROUP_ROWS ? longest : GROUP_ROWS;
    if (s->group_rows > rows) s->group_rows = rows;
    s->n_workers = n->settings.threads;
    s->own_dm = net_samples(n) || n->at.id == NET_ABSENT;
}

/* ---- shared memory ---- */

static void plan_products(sequence_step *s, workspace *w)
{
    const sequence_net *n = s->net;
    const size_t V = n->sizes.V, D = n->settings.width;
    const tensor_precision p = n->settings.precision;
    s->forward = workspace_take(w, n->k->packed_bytes(p, D, V), 1);
    s->backward = workspace_take(w, n->k->packed_bytes(p, V, D), 1);
    s->table.n = net_things(n);
    s->table.m = n->m;
    s->products = (catalogue_operand){p, V, D, n->m, s->forward, s->backward, NULL};
}

static void plan_negatives(sequence_step *s, workspace *w)
{
    const sequence_net *n = s->net;
    const size_t D = n->settings.width, S = n->settings.negatives;
    const tensor_precision p = n->settings.precision;
    const size_t most = batch_rows_most(net_things(n), s->rows_most, S);
    sampler_plan(&s->sampler, n->sizes.V, w);
    batch_rows_plan(&s->in_use, net_things(n), s->rows_most, S, w);
    s->m = workspace_take(w, most * D, sizeof(float));
    s->negative_vectors = workspace_take(w, S * D, sizeof(float));
    s->forward = workspace_take(w, n->k->packed_bytes(p, D, S), 1);
    s->backward = workspace_take(w, n->k->packed_bytes(p, S, D), 1);
    s->table.m = s->m;
    s->table.row = s->in_use.row;
    s->negatives = (negative_set){
        .n = S,
        .product = s->in_use.negative,
        .log_expected =
            n->settings.loss == SEQUENCE_LOSS_SAMPLED ? s->in_use.negative_log : NULL,
        .forward = s->forward,
        .backward = s->backward,
        .calibration = (double)n->settings.calibration,
        .n_catalogue = n->sizes.V};
}

/* Takes (or counts) the memory that is shared. */
static void plan_shared(sequence_step *s, workspace *w)
{
    weights_plan(s->net, s->net->settings.precision, true, w, &s->weights);
    s->table = (product_table){.net = s->net, .weights = &s->weights, .training = true};
    if (net_samples(s->net))
        plan_negatives(s, w);
    else
        plan_products(s, w);
}

/* ---- a worker's memory ---- */

static size_t loss_scratch_bytes(const sequence_step *s)
{
    const sequence_net *n = s->net;
    const tensor_precision p = n->settings.precision;
    const size_t D = n->settings.width;
    if (net_samples(n)) return sampled_scratch_bytes(n->k, p, n->settings.negatives, D);
    return cross_entropy_scratch_bytes(n->k, p, n->sizes.V, D);
}

static void plan_gradients(const sequence_step *s, step_worker *worker, workspace *w)
{
    const sequence_net *n = s->net;
    const size_t D = n->settings.width, things = net_things(n);
    worker->gradient = workspace_take(w, n->layout.dense, sizeof(float));
    if (s->own_dm) {
        size_t rows = net_samples(n)
                          ? batch_rows_most(things, s->rows_most, n->settings.negatives)
                          : things;
        worker->dm = workspace_take(w, rows * D, sizeof(float));
    } else if (worker->gradient) {
        worker->dm = worker->gradient + n->layout.offset[n->at.id];
    }
}

static void plan_worker(const sequence_step *s, step_worker *worker, workspace *w)
{
    plan_gradients(s, worker, w);
    worker->table.scratch = workspace_take(w, KERNEL_SCRATCH_BYTES, 1);
    table_memory_plan(s->net, w, &worker->table);
    worker->loss_scratch = workspace_take(w, loss_scratch_bytes(s), 1);
    worker->offset = workspace_take(w, s->sequences + 1, sizeof *worker->offset);
    worker->place = workspace_take(w, s->group_rows, sizeof *worker->place);
    worker->target = workspace_take(w, s->group_rows, sizeof *worker->target);
    worker->of = workspace_take(w, s->group_rows, sizeof *worker->of);
}

/* ---- life ---- */

/* Counts everything; the counts stay in the workspaces. */
static void count_all(sequence_step *s, workspace *shared, workspace *worker)
{
    step_worker trial = {.memory = workspace_counting()};
    *shared = workspace_counting();
    plan_shared(s, shared);
    plan_worker(s, &trial, &trial.memory);
    trial.first = 0;
    trial.end = s->sequences;
    trial.rows = s->group_rows;
    step_run_share(s, &trial);
    *worker = trial.memory;
}

static pf_status make_workers(sequence_step *s, const workspace *counted, pf_error *err)
{
    s->worker = mem_alloc_zero(s->n_workers, sizeof *s->worker);
    s->gradient = mem_alloc_zero(s->n_workers, sizeof *s->gradient);
    s->dm = mem_alloc_zero(s->n_workers, sizeof *s->dm);
    if (!s->worker || !s->gradient || !s->dm)
        return error_set(err, PF_NO_MEMORY, "no memory for %zu workers", s->n_workers);
    for (size_t i = 0; i < s->n_workers; i++) {
        step_worker *w = &s->worker[i];
        w->memory = *counted;
        pf_status status = workspace_make(&w->memory, err);
        if (status != PF_OK) return status;
        plan_worker(s, w, &w->memory);
        s->gradient[i] = w->gradient;
        s->dm[i] = w->dm;
    }
    return PF_OK;
}

pf_status sequence_step_new(sequence_step **out, sequence_net *n, size_t batch_sequences,
                            size_t longest, const double *popularity, pf_error *err)
{
    workspace worker;
    *out = NULL;
    sequence_step *s = mem_alloc_zero(1, sizeof *s);
    if (!s) return error_set(err, PF_NO_MEMORY, "no memory for a training step");
    describe(s, n, batch_sequences, longest);
    count_all(s, &s->memory, &worker);
    pf_status status = parameters_add_moments(n->params, err);
    if (status == PF_OK) status = workspace_make(&s->memory, err);
    if (status != PF_OK) goto done;
    plan_shared(s, &s->memory);
    status = make_workers(s, &worker, err);
    if (status == PF_OK && net_samples(n)) {
        const bool smoothed = n->settings.loss == SEQUENCE_LOSS_SAMPLED;
        status = sampler_fill(&s->sampler, smoothed ? popularity : NULL, n->settings.negatives,
                              err);
    }
    if (status != PF_OK) goto done;
    *out = s;
    s = NULL;
done:
    sequence_step_free(s);
    return status;
}

void sequence_step_free(sequence_step *s)
{
    if (!s) return;
    for (size_t i = 0; s->worker && i < s->n_workers; i++)
        workspace_free(&s->worker[i].memory);
    mem_free(s->worker);
    mem_free(s->gradient);
    mem_free(s->dm);
    workspace_free(&s->memory);
    mem_free(s);
}

/* values + moments + scoring + shared + workers, in bytes. */
static pf_status add_up(sequence_step *s, sequence_net *n, size_t *out, pf_error *err)
{
    workspace scoring = workspace_counting(), shared, worker;
    size_t total, of_workers;
    net_plan(n, &scoring);
    count_all(s, &shared, &worker);
    bool fits = !scoring.overflow && !shared.overflow && !worker.overflow &&
                size_multiply(n->layout.floats, 3 * sizeof(float), &total) &&
                size_multiply(worker.most, s->n_workers, &of_workers) &&
                size_add(total, scoring.most, &total) && size_add(total, shared.most, &total) &&
                size_add(total, of_workers, &total);
    if (!fits)
        return error_set(err, PF_LIMIT, "such a model does not fit into any memory");
    *out = total;
    return PF_OK;
}

pf_status sequence_step_bytes(const sequence_settings *settings, const sequence_sizes *sizes,
                              size_t batch_sequences, size_t longest, size_t *out,
                              pf_error *err)
{
    static const float some_side = 0.0f; /* described, never read */
    sequence_net *n = mem_alloc_zero(1, sizeof *n);
    sequence_step *s = mem_alloc_zero(1, sizeof *s);
    pf_status status = PF_NO_MEMORY;
    if (!n || !s) {
        error_set(err, status, "no memory for a sequence model");
        goto done;
    }
    status = net_describe(n, settings, sizes, &some_side, NULL, err);
    if (status != PF_OK) goto done;
    describe(s, n, batch_sequences, longest);
    status = add_up(s, n, out, err);
done:
    mem_free(n);
    mem_free(s);
    return status;
}
