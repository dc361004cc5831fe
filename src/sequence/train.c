/*
 * The training loop (sequence/train.h). An epoch: batches of windows, a step each; then the
 * averaged weights (or the weights themselves) are validated, the best are kept, and a
 * checkpoint is written.
 *
 * Averaged weights: an exponential moving average over steps, with a decay that begins small,
 * min(average, (1 + t) / (10 + t)), so that the start is forgotten (Polyak and Juditsky 1992
 * for the idea; the warm-up of the decay as in TensorFlow's ExponentialMovingAverage).
 * Rate: linear warm-up, then constant or half a cosine down to a tenth (Loshchilov and Hutter,
 * ICLR 2017, equation 5).
 */
#include "sequence/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sequence/checkpoint.h"
#include "sequence/validate.h"
#include "sequence/warm.h"
#include "sequence/windows.h"

/* Progress is told this often. */
#define PROGRESS_EVERY_S .1
/* Floats of a block that one task averages. */
enum { AVERAGE_CHUNK = 1 << 16 };

typedef struct trainer {
    const training_task *task;
    const sequence_events *e;
    sequence_settings s;
    sequence_sizes sizes;
    const float *side; /* borrowed, or NULL */
    const tensor_kernels *k;
    char data[SEQUENCE_HASH_BYTES], question_hash[SEQUENCE_HASH_BYTES];

    uint64_t *ends;       /* own, where events are held back */
    uint32_t *held_next;
    double *popularity;   /* [V] how often each was taken in what is read */
    sequence_batches *batches;
    sequence_net *net;
    sequence_step *step;
    sequence_validation *validation; /* NULL: there is nobody to ask */
    size_t floats;
    float *average, *best;

    training_counts counts;
    double epoch_loss, epoch_begin_s, told_s;
    uint64_t epoch_rows, epoch_supervised;
    bool interrupted;
} trainer;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for training a sequence model");
}

/* ---- what is asked for ---- */

static pf_status check_next(const sequence_events *e, const uint32_t *next, pf_error *err)
{
    for (uint32_t u = 0; next != NULL && u < e->n_shoppers; u++)
        if (next[u] != SEQUENCE_NOTHING && next[u] >= e->n_products)
            return error_set(err, PF_DATA, "the next product of shopper %u is none of the %u", u,
                             e->n_products);
    return PF_OK;
}

static pf_status check_task(const trainer *t, pf_error *err)
{
    const training_task *task = t->task;
    const char *reason = sequence_settings_check(&t->s);
    if (reason != NULL) return error_set(err, PF_USAGE, "these settings cannot be: %s", reason);
    if (t->s.side && t->side == NULL)
        return error_set(err, PF_USAGE, "side=true needs side vectors, there are none");
    if (t->s.gaps && task->events->time_us == NULL)
        return error_set(err, PF_USAGE, "gaps=true needs times of events, there are none");
    if (task->resume && task->checkpoint == NULL)
        return error_set(err, PF_USAGE, "resuming needs the path of a checkpoint");
    pf_status status = sequence_events_check(task->events, err);
    if (status == PF_OK) status = check_next(task->events, task->next, err);
    if (status != PF_OK) return status;
    if (task->events->n == 0)
        return error_set(err, PF_DATA, "there are no events to train on");
    if (task->events->n_products < 2)
        return error_set(err, PF_DATA,
                         "the catalogue has a single product: there is nothing to foresee");
    return PF_OK;
}

static void describe_task(trainer *t)
{
    const sequence_events *e = t->e;
    const sequence_side side = {t->side, t->sizes.K};
    const uint32_t *next = t->task->next;
    fingerprint_state f;
    sequence_events_hash(e, &side, t->data);
    fingerprint_begin(&f);
    fingerprint_add(&f, &t->task->repeats, sizeof t->task->repeats);
    if (next != NULL) fingerprint_add(&f, next, e->n_shoppers * sizeof *next);
    fingerprint print = fingerprint_end(&f);
    fingerprint_format(&print, t->question_hash);
}

/* What was set by rule or by hand and does not go together with the rest (settings.h). */
static void drop_what_does_not_apply(trainer *t)
{
    const bool whole = t->s.loss == SEQUENCE_LOSS_FULL && !(t->s.smoothing > 0);
    if (t->task->repeats || !whole) t->s.omit_taken = false;
}

static void choose_sizes(trainer *t)
{
    const sequence_side *side = t->task->side;
    if (t->s.side && side != NULL && side->vectors != NULL) t->side = side->vectors;
    t->sizes = (sequence_sizes){.V = t->e->n_products,
                                .P = t->e->n_promotions,
                                .kinds = t->e->kind != NULL,
                                .bands = t->e->band != NULL,
                                .gaps = t->s.gaps,
                                .K = t->side != NULL ? side->K : 0};
}

/* ---- making everything ---- */

static pf_status hold_back(trainer *t, pf_error *err)
{
    uint32_t held = 0;
    size_t U = t->e->n_shoppers;
    if (t->task->next != NULL) return PF_OK;
    t->ends = mem_alloc(U + 1, sizeof *t->ends);
    t->held_next = mem_alloc(U + 1, sizeof *t->held_next);
    if (t->ends == NULL || t->held_next == NULL) return no_memory(err);
    return sequence_hold_back(t->e, t->s.seed, t->ends, t->held_next, &held, err);
}

static pf_status count_popularity(trainer *t, pf_error *err)
{
    const sequence_events *e = t->e;
    t->popularity = mem_alloc_zero(e->n_products, sizeof *t->popularity);
    if (t->popularity == NULL) return no_memory(err);
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        uint64_t end = t->ends != NULL ? t->ends[u] : e->first[u + 1];
        for (uint64_t i = e->first[u]; i < end; i++)
            if (sequence_event_took(e, i)) t->popularity[e->thing[i]]++;
    }
    return PF_OK;
}

/* Blocks beside the values: the average where one is kept, the best. */
static size_t own_blocks(const trainer *t)
{
    return 1 + (t->s.average > 0);
}

static pf_status announce(const trainer *t, pf_error *err)
{
    size_t bytes = 0;
    pf_status status =
        sequence_step_bytes(&t->s, &t->sizes, sequence_batches_sequences(t->batches),
                            sequence_batches_longest(t->batches), &bytes, err);
    if (status != PF_OK) return status;
    size_t table = ((size_t)t->sizes.V + t->sizes.P) * t->s.width * sizeof(float);
    bytes += own_blocks(t) * table + sequence_batches_bytes(t->batches) +
             sequence_validation_bytes(&t->s, t->sizes.V, pool_threads(t->task->threads));
    if (t->task->hooks.memory != NULL)
        t->task->hooks.memory(t->task->hooks.context, bytes);
    return PF_OK;
}

static pf_status make_net(trainer *t, pf_error *err)
{
    pf_status status = sequence_net_new(&t->net, &t->s, &t->sizes, t->side, t->k, err);
    if (status != PF_OK) return status;
    if (t->task->warm != NULL && !t->task->resume) {
        status = sequence_warm_start(t->net, t->task->warm, err);
        if (status != PF_OK) return status;
    }
    return sequence_step_new(&t->step, t->net, sequence_batches_sequences(t->batches),
                             sequence_batches_longest(t->batches), t->popularity, err);
}

static pf_status make_validation(trainer *t, pf_error *err)
{
    const sequence_question q = {.events = t->e,
                                 .ends = t->ends,
                                 .next = t->ends != NULL ? t->held_next : t->task->next,
                                 .repeats = t->task->repeats};
    return sequence_validation_new(&t->validation, &q, t->net, pool_threads(t->task->threads),
                                   err);
}

static float *copy_of(const float *values, size_t n)
{
    float *copy = mem_alloc_aligned(n, sizeof *copy);
    if (copy != NULL) memcpy(copy, values, n * sizeof *copy);
    return copy;
}

static pf_status make_blocks(trainer *t, pf_error *err)
{
    const parameters *p = sequence_net_parameters(t->net);
    t->floats = parameters_floats(p);
    if (t->s.average > 0) {
        t->average = copy_of(parameters_values(p), t->floats);
        if (t->average == NULL) return no_memory(err);
    }
    if (t->validation != NULL) {
        t->best = copy_of(parameters_values(p), t->floats);
        if (t->best == NULL) return no_memory(err);
    }
    return PF_OK;
}

static training_checkpoint checkpoint_of(trainer *t)
{
    return (training_checkpoint){.settings = &t->s,
                                 .data = t->data,
                                 .question = t->question_hash,
                                 .kernels = t->k->name,
                                 .p = sequence_net_parameters(t->net),
                                 .average = t->average,
                                 .best = t->best,
                                 .counts = &t->counts};
}

static pf_status go_on(trainer *t, pf_error *err)
{
    if (!t->task->resume) return PF_OK;
    training_checkpoint c = checkpoint_of(t);
    return training_checkpoint_read(&c, t->task->checkpoint, err);
}

static pf_status prepare(trainer *t, pf_error *err)
{
    pf_status status;
    t->counts.validation = t->counts.best = NAN;
    drop_what_does_not_apply(t);
    choose_sizes(t);
    if ((status = check_task(t, err)) != PF_OK) return status;
    t->k = kernels_choose(NULL);
    if (t->k == NULL)
        return error_set(err, PF_USAGE, "PROFFER_KERNELS names no set of kernels that this "
                         "processor can run");
    describe_task(t);
    if ((status = hold_back(t, err)) != PF_OK ||
        (status = sequence_batches_new(&t->batches, t->e, t->ends, &t->s, err)) != PF_OK ||
        (status = announce(t, err)) != PF_OK ||
        (status = count_popularity(t, err)) != PF_OK || (status = make_net(t, err)) != PF_OK ||
        (status = make_validation(t, err)) != PF_OK || (status = make_blocks(t, err)) != PF_OK)
        return status;
    return go_on(t, err);
}

static void clean_up(trainer *t)
{
    sequence_validation_free(t->validation);
    sequence_step_free(t->step);
    sequence_net_free(t->net);
    sequence_batches_free(t->batches);
    mem_free(t->popularity);
    mem_free(t->ends);
    mem_free(t->held_next);
    mem_free(t->average);
    mem_free(t->best);
}

/* ---- telling ---- */

static double time_left(const trainer *t, double epoch_s)
{
    double pace = t->epoch_rows > 0 ? epoch_s / (double)t->epoch_rows : NAN;
    double rows = (double)sequence_batches_rows(t->batches);
    unsigned after = t->s.epochs - t->counts.epochs; /* the running one among them */
    return pace * (rows * after - (double)t->epoch_rows);
}

static void tell(trainer *t, bool epoch_end)
{
    const training_hooks *h = &t->task->hooks;
    double now_s = clock_wall_s(), epoch_s = now_s - t->epoch_begin_s;
    if (h->progress == NULL || (!epoch_end && now_s - t->told_s < PROGRESS_EVERY_S)) return;
    t->told_s = now_s;
    const training_progress p = {
        .epoch = t->counts.epochs + !epoch_end,
        .epochs = t->s.epochs,
        .rows_done = t->epoch_rows,
        .rows = sequence_batches_rows(t->batches),
        .loss = t->epoch_supervised > 0 ? t->epoch_loss / (double)t->epoch_supervised : NAN,
        .validation = t->counts.validation,
        .best = t->counts.best,
        .best_epoch = t->counts.best_epoch,
        .rows_per_s = epoch_s > 0 ? (double)t->epoch_rows / epoch_s : 0,
        .left_s = epoch_end ? epoch_s * (t->s.epochs - t->counts.epochs) : time_left(t, epoch_s),
        .epoch_end = epoch_end,
        .epoch_s = epoch_s,
    };
    h->progress(h->context, &p);
}

static bool told_to_stop(trainer *t)
{
    const training_hooks *h = &t->task->hooks;
    if (!t->interrupted && h->stop != NULL) t->interrupted = h->stop(h->context);
    return t->interrupted;
}

/* ---- a step ---- */

static float rate_at(const sequence_settings *s, uint64_t step, uint64_t steps)
{
    double rate = (double)s->rate;
    if (step < s->warmup_steps) rate *= (double)(step + 1) / s->warmup_steps;
    if (s->cosine) {
        double done = (double)step / (double)steps;
        rate *= .1 + .9 * .5 * (1 + cos(M_PI * done));
    }
    return (float)rate;
}

typedef struct averaging {
    const tensor_kernels *k;
    const float *values;
    float *average;
    size_t n;
    float decay;
} averaging;

static void average_chunk(void *context, size_t task, unsigned worker)
{
    const averaging *a = context;
    size_t begin = task * AVERAGE_CHUNK, end = begin + AVERAGE_CHUNK;
    (void)worker;
    if (end > a->n) end = a->n;
    for (size_t i = begin; i < end; i++)
        a->average[i] += (1 - a->decay) * (a->values[i] - a->average[i]);
}

static void average_weights(trainer *t)
{
    double step = (double)t->counts.steps, early = (1 + step) / (10 + step);
    float decay = early < (double)t->s.average ? (float)early : t->s.average;
    averaging a = {.values = parameters_values(sequence_net_parameters(t->net)),
                   .average = t->average,
                   .n = t->floats,
                   .decay = decay};
    if (t->average == NULL) return;
    pool_run(t->task->threads, (t->floats + AVERAGE_CHUNK - 1) / AVERAGE_CHUNK, average_chunk,
             &a);
}

static pf_status take_step(trainer *t, const sequence_pack *pack, pf_error *err)
{
    step_result r = {0};
    uint64_t steps = (uint64_t)t->s.epochs * sequence_batches_count(t->batches);
    float rate = rate_at(&t->s, t->counts.steps, steps);
    sequence_step_take(t->step, pack, rate, t->counts.steps, t->task->threads, &r);
    if (!isfinite(r.loss) || !isfinite(r.gradient_norm))
        return error_set(err, PF_DATA,
                         "the loss was not finite in epoch %u, step %llu: the rate is too high "
                         "or the side vectors are out of scale; try rate=%g or clip=1%s",
                         t->counts.epochs + 1, (unsigned long long)t->counts.steps,
                         (double)t->s.rate / 3,
                         t->task->checkpoint != NULL && t->counts.epochs > 0
                             ? "; the checkpoint of the last good epoch is kept"
                             : "");
    average_weights(t);
    t->counts.steps++;
    t->counts.rows += pack->R;
    t->epoch_rows += pack->R;
    t->epoch_supervised += r.rows;
    t->epoch_loss += r.loss;
    return PF_OK;
}

/* ---- an epoch ---- */

/* Values and average change places: what is validated and kept stands in the net. */
static void swap_average(trainer *t)
{
    float *values = parameters_values(sequence_net_parameters(t->net));
    for (size_t i = 0; t->average != NULL && i < t->floats; i++) {
        float kept = values[i];
        values[i] = t->average[i];
        t->average[i] = kept;
    }
}

static void validate(trainer *t)
{
    const parameters *p = sequence_net_parameters(t->net);
    training_counts *c = &t->counts;
    if (t->validation == NULL) return;
    swap_average(t);
    sequence_net_refresh(t->net, t->task->threads);
    c->validation = sequence_validation_ndcg(t->validation, t->net, t->task->threads);
    if (!(c->validation <= c->best)) { /* or there was none */
        c->best = c->validation;
        c->best_epoch = c->epochs;
        memcpy(t->best, parameters_values(p), t->floats * sizeof *t->best);
    }
    swap_average(t); /* a step makes its own table and packed weights */
}

static pf_status finish_epoch(trainer *t, pf_error *err)
{
    const char *name = NULL;
    t->counts.epochs++;
    if (!parameters_finite(sequence_net_parameters(t->net), &name))
        return error_set(err, PF_DATA,
                         "'%s' was not finite after epoch %u; try a lower rate, or clip=1", name,
                         t->counts.epochs);
    validate(t);
    t->counts.train_s += clock_wall_s() - t->epoch_begin_s;
    if (t->task->checkpoint != NULL) {
        training_checkpoint c = checkpoint_of(t);
        pf_status status = training_checkpoint_write(&c, t->task->checkpoint, err);
        if (status != PF_OK) return status;
    }
    tell(t, true);
    return PF_OK;
}

static pf_status run_epoch(trainer *t, pf_error *err)
{
    size_t n = sequence_batches_count(t->batches);
    t->epoch_begin_s = clock_wall_s();
    t->epoch_rows = t->epoch_supervised = 0;
    t->epoch_loss = 0;
    sequence_batches_epoch(t->batches, t->counts.epochs);
    for (size_t i = 0; i < n; i++) {
        if (told_to_stop(t)) return PF_OK;
        pf_status status = take_step(t, sequence_batches_take(t->batches, i), err);
        if (status != PF_OK) return status;
        tell(t, false);
    }
    return finish_epoch(t, err);
}

static bool patience_is_over(const trainer *t)
{
    return t->validation != NULL && t->s.patience > 0 &&
           t->counts.epochs - t->counts.best_epoch >= t->s.patience;
}

/* ---- the model ---- */

/* Puts what is kept into the net: the best validated values, else the averaged ones. */
static void keep_best(trainer *t)
{
    float *values = parameters_values(sequence_net_parameters(t->net));
    const float *kept = t->counts.best_epoch > 0 ? t->best : t->average;
    if (kept != NULL) memcpy(values, kept, t->floats * sizeof *values);
}

static pf_status make_model(trainer *t, sequence_model **out, pf_error *err)
{
    sequence_training how = {.epochs = t->counts.epochs,
                             .best_epoch = t->counts.best_epoch,
                             .best_validation = t->counts.best,
                             .train_s = t->counts.train_s,
                             .steps = t->counts.steps,
                             .rows = t->counts.rows,
                             .interrupted = t->interrupted};
    memcpy(how.data_hash, t->data, sizeof how.data_hash);
    (void)snprintf(how.kernels, sizeof how.kernels, "%s", t->k->name);
    keep_best(t);
    /* Moments and workspaces are given back before the model takes its own. */
    sequence_step_free(t->step);
    t->step = NULL;
    parameters_drop_moments(sequence_net_parameters(t->net));
    sequence_net *net = t->net;
    t->net = NULL;
    return sequence_model_new(out, net, t->side, &how, err);
}

pf_status sequence_train(const training_task *task, const sequence_settings *settings,
                         sequence_model **out, pf_error *err)
{
    trainer t = {.task = task, .e = task->events, .s = *settings};
    *out = NULL;
    pf_status status = prepare(&t, err);
    if (status != PF_OK) goto done;
    while (status == PF_OK && !told_to_stop(&t) && t.counts.epochs < t.s.epochs &&
           !patience_is_over(&t))
        status = run_epoch(&t, err);
    if (status == PF_OK && t.interrupted && t.counts.epochs == 0)
        status = error_set(err, PF_CANCELLED, "training was stopped before its first epoch ended");
    if (status == PF_OK) status = make_model(&t, out, err);
done:
    clean_up(&t);
    return status;
}
