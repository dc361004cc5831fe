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
    sequence_net_refresh(net, true, NULL);
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

size_t sequence_model_scratch_bytes(const sequence_model *m)
{
    return round_up(m->workspace_bytes) + pack_rows_bytes(1, m->settings.length);
}

/* Event i as a row; the gap is to the event in front of it, even outside the window. */
static void add_row(pack_rows *r, const sequence_model *m, const sequence_event *events,
                    size_t i)
{
    const sequence_event *e = &events[i];
    bool known = e->thing < m->sizes.V + m->sizes.P;
    uint8_t gap = i > 0 ? sequence_gap_class(events[i - 1].time_us, e->time_us) : 0;
    pack_rows_add(r, known ? e->thing : SEQUENCE_NOTHING,
                  e->kind < SEQUENCE_KINDS ? e->kind : 0,
                  e->band < SEQUENCE_BANDS ? e->band : 0, gap);
}

void sequence_model_state(const sequence_model *m, const sequence_event *events, size_t n,
                          void *scratch, float *state)
{
    const sequence_settings *s = &m->settings;
    bool masks = s->architecture == SEQUENCE_BERT;
    size_t most = s->length - masks;
    pack_parts parts = {
        .kind = m->sizes.kinds, .band = m->sizes.bands, .gap = m->sizes.gaps};
    workspace memory = {.base = scratch, .bytes = m->workspace_bytes,
                        .most = m->workspace_bytes};
    pack_rows rows;
    if (n == 0) {
        memset(state, 0, s->width * sizeof *state);
        return;
    }
    pack_rows_over(&rows, (char *)scratch + round_up(m->workspace_bytes), 1, s->length, parts);
    for (size_t i = n > most ? n - most : 0; i < n; i++)
        add_row(&rows, m, events, i);
    if (masks) pack_rows_add(&rows, SEQUENCE_MASK, 0, 0, 0);
    pack_rows_end_sequence(&rows);
    sequence_net_states(m->net, &rows.pack, &memory, state);
}

void sequence_model_scores(const sequence_model *m, const float *state, float *scores,
                           void *scratch)
{
    sequence_net_scores(m->net, 1, state, scores, scratch);
}

/* ---- one shopper ---- */

struct sequence_shopper {
    const sequence_model *m;
    sequence_event *events; /* the latest, at most length + 1: one more for its gap */
    float *state;           /* [D] after all of them, when known */
    void *scratch;
    size_t n;
    bool known;
};

pf_status sequence_shopper_new(const sequence_model *m, sequence_shopper **out, pf_error *err)
{
    sequence_shopper *s = mem_alloc_zero(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a shopper");
    s->m = m;
    s->events = mem_alloc((size_t)m->settings.length + 1, sizeof *s->events);
    s->state = mem_alloc_aligned(m->settings.width, sizeof *s->state);
    s->scratch = mem_alloc_aligned(1, sequence_model_scratch_bytes(m));
    if (s->events == NULL || s->state == NULL || s->scratch == NULL) {
        sequence_shopper_free(s);
        return error_set(err, PF_NO_MEMORY, "out of memory for a shopper");
    }
    *out = s;
    return PF_OK;
}

void sequence_shopper_free(sequence_shopper *s)
{
    if (s == NULL) return;
    mem_free(s->events);
    mem_free(s->state);
    mem_free(s->scratch);
    mem_free(s);
}

void sequence_shopper_clear(sequence_shopper *s)
{
    s->n = 0;
    s->known = false;
}

void sequence_shopper_append(sequence_shopper *s, const sequence_event *event)
{
    size_t most = (size_t)s->m->settings.length + 1;
    if (s->n == most) memmove(s->events, s->events + 1, --s->n * sizeof *s->events);
    s->events[s->n++] = *event;
    s->known = false;
}

void sequence_shopper_state(sequence_shopper *s, float *state)
{
    if (!s->known) sequence_model_state(s->m, s->events, s->n, s->scratch, s->state);
    s->known = true;
    memcpy(state, s->state, s->m->settings.width * sizeof *state);
}
