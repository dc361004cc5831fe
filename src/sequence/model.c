/*
 * A trained model in memory: states and scores (sequence/model.h). Files are in model_file.c.
 */
#include "sequence/model.h"

#include <string.h>

#include "base/memory.h"
#include "sequence/model_inner.h"
#include "sequence/windows.h"

/* ---- making one ---- */

/* How much one shopper's states take, found by planning once. */
static pf_status plan_states(sequence_model *m, pf_error *err)
{
    workspace w = {0};
    pf_status status = sequence_net_workspace(m->net, m->settings.length, &w, err);
    if (status == PF_OK) m->workspace_bytes = w.bytes;
    workspace_free(&w);
    return status;
}

pf_status sequence_model_wrap(sequence_model **out, sequence_net *net, float *side,
                              const sequence_settings *settings,
                              const sequence_training *training, pf_error *err)
{
    sequence_model *m = mem_alloc_zero(1, sizeof *m);
    *out = NULL;
    if (m == NULL) {
        sequence_net_free(net);
        mem_free(side);
        return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    }
    m->net = net;
    m->side = side;
    m->settings = *settings;
    m->sizes = *sequence_net_sizes(net);
    m->training = *training;
    m->side_shape[0] = (uint64_t)m->sizes.V + m->sizes.P;
    m->side_shape[1] = m->sizes.K;
    sequence_net_refresh(net, NULL);
    pf_status status = plan_states(m, err);
    if (status != PF_OK) {
        sequence_model_free(m);
        return status;
    }
    *out = m;
    return PF_OK;
}

pf_status sequence_model_new(sequence_model **out, sequence_net *net, const float *side,
                             const sequence_training *training, pf_error *err)
{
    const sequence_sizes *sizes = sequence_net_sizes(net);
    size_t n = ((size_t)sizes->V + sizes->P) * sizes->K;
    float *copy = NULL;
    *out = NULL;
    if (n > 0) {
        copy = mem_alloc_aligned(n, sizeof *copy);
        if (copy == NULL) {
            sequence_net_free(net);
            return error_set(err, PF_NO_MEMORY, "out of memory for a model's side vectors");
        }
        memcpy(copy, side, n * sizeof *copy);
    }
    return sequence_model_wrap(out, net, copy, sequence_net_settings(net), training, err);
}

void sequence_model_free(sequence_model *m)
{
    if (m == NULL) return;
    sequence_net_free(m->net);
    mem_free(m->side);
    mem_free(m);
}

const sequence_settings *sequence_model_settings(const sequence_model *m)
{
    return &m->settings;
}

const sequence_sizes *sequence_model_sizes(const sequence_model *m)
{
    return &m->sizes;
}

const sequence_training *sequence_model_training(const sequence_model *m)
{
    return &m->training;
}

const parameters *sequence_model_parameters(const sequence_model *m)
{
    return sequence_net_parameters(m->net);
}

/* ---- states and scores ---- */

static size_t round_up(size_t n)
{
    return (n + 63) / 64 * 64;
}

/* The scratch of one call, laid out:
 *
 *     | up to 64 | workspace of the network | kernels | state | rows |
 */
typedef struct model_scratch {
    unsigned char *workspace, *kernels, *state, *rows;
} model_scratch;

static model_scratch lay_out(const sequence_model *m, void *scratch)
{
    model_scratch s;
    s.workspace = (unsigned char *)scratch + (64 - (uintptr_t)scratch % 64) % 64;
    s.kernels = s.workspace + round_up(m->workspace_bytes);
    s.state = s.kernels + KERNEL_SCRATCH_BYTES;
    s.rows = s.state + round_up(m->settings.width * sizeof(float));
    return s;
}

size_t sequence_model_scratch_bytes(const sequence_model *m)
{
    return 64 + round_up(m->workspace_bytes) + KERNEL_SCRATCH_BYTES +
           round_up(m->settings.width * sizeof(float)) +
           pack_rows_bytes(1, m->settings.length);
}

/* Event i as a row; the gap is to the event in front of it, even outside the window. */
static void add_row(pack_rows *r, const sequence_model *m, const sequence_window *w, size_t i)
{
    uint32_t thing = w->thing[i];
    uint8_t kind = w->kind != NULL && w->kind[i] < SEQUENCE_KINDS ? w->kind[i] : 0;
    uint8_t band = w->band != NULL && w->band[i] < SEQUENCE_BANDS ? w->band[i] : 0;
    uint8_t gap = 0;
    if (thing >= m->sizes.V + m->sizes.P) thing = SEQUENCE_NOTHING;
    if (w->time_us != NULL && i > 0)
        gap = sequence_gap_class(w->time_us[i - 1], w->time_us[i]);
    pack_rows_add(r, thing, kind, band, gap);
}

static void find_state(const sequence_model *m, const sequence_window *w, model_scratch s,
                       float *state)
{
    bool masks = m->settings.architecture == SEQUENCE_BERT;
    size_t most = m->settings.length - masks;
    pack_parts parts = {
        .kind = m->sizes.kinds, .band = m->sizes.bands, .gap = m->sizes.gaps};
    workspace memory = {.base = s.workspace, .bytes = m->workspace_bytes};
    pack_rows rows;
    pack_rows_over(&rows, s.rows, 1, m->settings.length, parts);
    for (size_t i = w->n > most ? w->n - most : 0; i < w->n; i++)
        add_row(&rows, m, w, i);
    if (masks) pack_rows_add(&rows, SEQUENCE_MASK, 0, 0, 0);
    pack_rows_end_sequence(&rows);
    sequence_net_states(m->net, &rows.pack, &memory, state);
}

void sequence_model_state(const sequence_model *m, const sequence_window *window,
                          void *scratch, float *state)
{
    size_t bytes = m->settings.width * sizeof *state;
    model_scratch s = lay_out(m, scratch);
    if (window->n == 0) {
        memset(state, 0, bytes);
        return;
    }
    /* The caller's state may be unaligned; kernels write to ours. */
    find_state(m, window, s, (float *)(void *)s.state);
    memcpy(state, s.state, bytes);
}

void sequence_model_score_window(const sequence_model *m, const sequence_window *window,
                                 float *scores, void *scratch)
{
    model_scratch s = lay_out(m, scratch);
    float *state = (float *)(void *)s.state;
    if (window->n == 0)
        memset(state, 0, m->settings.width * sizeof *state);
    else
        find_state(m, window, s, state);
    sequence_net_scores(m->net, 1, state, scores, s.kernels);
}

void sequence_model_scores(const sequence_model *m, const float *state, float *scores,
                           void *scratch)
{
    sequence_net_scores(m->net, 1, state, scores, scratch);
}

/* ---- one shopper ---- */

/* The latest events, at most length + 1: one more, for the gap behind it. */
struct sequence_shopper {
    const sequence_model *m;
    size_t n, most;
    uint32_t *thing;
    int64_t *time_us;
    uint8_t *kind, *band;
    float *state; /* [D] after all of them, when known */
    bool known;
    void *scratch;
};

static bool take_room(sequence_shopper *s)
{
    s->thing = mem_alloc(s->most, sizeof *s->thing);
    s->time_us = mem_alloc(s->most, sizeof *s->time_us);
    s->kind = mem_alloc(s->most, sizeof *s->kind);
    s->band = mem_alloc(s->most, sizeof *s->band);
    s->state = mem_alloc(s->m->settings.width, sizeof *s->state);
    s->scratch = mem_alloc(1, sequence_model_scratch_bytes(s->m));
    return s->thing && s->time_us && s->kind && s->band && s->state && s->scratch;
}

pf_status sequence_shopper_new(const sequence_model *m, sequence_shopper **out, pf_error *err)
{
    sequence_shopper *s = mem_alloc_zero(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a shopper");
    s->m = m;
    s->most = (size_t)m->settings.length + 1;
    if (!take_room(s)) {
        sequence_shopper_free(s);
        return error_set(err, PF_NO_MEMORY, "out of memory for a shopper");
    }
    *out = s;
    return PF_OK;
}

void sequence_shopper_free(sequence_shopper *s)
{
    if (s == NULL) return;
    mem_free(s->thing);
    mem_free(s->time_us);
    mem_free(s->kind);
    mem_free(s->band);
    mem_free(s->state);
    mem_free(s->scratch);
    mem_free(s);
}

void sequence_shopper_clear(sequence_shopper *s)
{
    s->n = 0;
    s->known = false;
}

static void forget_oldest(sequence_shopper *s)
{
    size_t left = --s->n;
    memmove(s->thing, s->thing + 1, left * sizeof *s->thing);
    memmove(s->time_us, s->time_us + 1, left * sizeof *s->time_us);
    memmove(s->kind, s->kind + 1, left);
    memmove(s->band, s->band + 1, left);
}

void sequence_shopper_append(sequence_shopper *s, const sequence_event *event)
{
    if (s->n == s->most) forget_oldest(s);
    s->thing[s->n] = event->thing;
    s->time_us[s->n] = event->time_us;
    s->kind[s->n] = event->kind;
    s->band[s->n++] = event->band;
    s->known = false;
}

void sequence_shopper_state(sequence_shopper *s, float *state)
{
    const sequence_window window = {.n = s->n,
                                    .thing = s->thing,
                                    .kind = s->kind,
                                    .band = s->band,
                                    .time_us = s->time_us};
    if (!s->known) sequence_model_state(s->m, &window, s->scratch, s->state);
    s->known = true;
    memcpy(state, s->state, s->m->settings.width * sizeof *state);
}
