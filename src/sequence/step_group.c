/*
 * A worker's share of a batch, group by group: embedding, body, loss, and back. A group is as
 * many sequences as fit into the memory planned for one; all its activations are forgotten
 * before the next.
 */
#include <string.h>

#include "sequence/embed.h"
#include "sequence/step.h"

/* Buffers of a group besides the body's. */
typedef struct group {
    sequence_pack pack;
    size_t supervised;
    float *x, *dh;           /* [R x D] */
    float *picked, *dpicked; /* [supervised x D] states that have targets, when not all have */
} group;

static void take_group(const sequence_step *s, step_worker *w, group *g)
{
    const size_t floats = g->pack.R * s->net->settings.width;
    g->x = workspace_take(&w->memory, floats, sizeof(float));
    g->dh = workspace_take(&w->memory, floats, sizeof(float));
    g->picked = workspace_take(&w->memory, floats, sizeof(float));
    g->dpicked = workspace_take(&w->memory, floats, sizeof(float));
}

/* Sequences first..end-1 of the batch as a pack of their own. */
static void cut_pack(const sequence_step *s, step_worker *w, size_t first, size_t end,
                     sequence_pack *out)
{
    const sequence_pack *b = &s->batch;
    const uint32_t row = b->offset[first];
    for (size_t i = first; i <= end; i++)
        w->offset[i - first] = b->offset[i] - row;
    *out = (sequence_pack){.n_sequences = end - first,
                           .R = b->offset[end] - row,
                           .offset = w->offset,
                           .thing = b->thing + row,
                           .position = b->position + row,
                           .kind = b->kind ? b->kind + row : NULL,
                           .band = b->band ? b->band + row : NULL,
                           .gap = b->gap ? b->gap + row : NULL,
                           .target = b->target + row,
                           .taken = b->taken,
                           .taken_from = b->taken ? b->taken_from + first : NULL,
                           .taken_end = b->taken ? b->taken_end + first : NULL,
                           .first_row = b->first_row + row};
}

/* Lists the rows that have a target, and whose they are. */
static void find_supervised(step_worker *w, group *g)
{
    size_t sequence = 0;
    g->supervised = 0;
    for (size_t i = 0; i < g->pack.R; i++) {
        while (i >= g->pack.offset[sequence + 1])
            sequence++;
        if (g->pack.target[i] == SEQUENCE_NOTHING) continue;
        w->place[g->supervised] = (uint32_t)i;
        w->of[g->supervised] = (uint32_t)sequence;
        w->target[g->supervised++] = g->pack.target[i];
    }
}

/* The loss of the supervised rows' states and what it gives back to them and to the products. */
static double loss_of(const sequence_step *s, step_worker *w, const group *g,
                      const float *h, float *dh)
{
    const size_t n = g->supervised;
    const loss_omissions omit = {w->of, g->pack.taken_from, g->pack.taken_end, g->pack.taken};
    const sequence_net *net = s->net;
    const sequence_settings *o = &net->settings;
    if (net_samples(net))
        return sampled_loss_step(net->k,
                                 o->loss == SEQUENCE_LOSS_GBCE ? SAMPLED_GBCE
                                                               : SAMPLED_SOFTMAX,
                                 o->precision, &s->negatives, o->width, s->table.m, n, h,
                                 w->target, s->scale, dh, w->dm, w->loss_scratch);
    float *dbias =
        net->at.bias == NET_ABSENT ? NULL : w->gradient + net->layout.offset[net->at.bias];
    return cross_entropy(net->k, &s->products, n, h, w->target,
                         g->pack.taken ? &omit : NULL, s->scale, o->smoothing, dh, w->dm,
                         dbias, w->loss_scratch);
}

/* Fills g->dh from the states h of all rows and adds to the worker's loss. */
static void supervise(const sequence_step *s, step_worker *w, group *g, const float *h)
{
    const size_t D = s->net->settings.width, bytes = D * sizeof(float);
    if (g->supervised == g->pack.R) {
        w->loss += loss_of(s, w, g, h, g->dh);
        return;
    }
    memset(g->dh, 0, g->pack.R * bytes);
    if (g->supervised == 0) return;
    for (size_t i = 0; i < g->supervised; i++)
        memcpy(g->picked + i * D, h + w->place[i] * D, bytes);
    w->loss += loss_of(s, w, g, g->picked, g->dpicked);
    for (size_t i = 0; i < g->supervised; i++)
        memcpy(g->dh + w->place[i] * D, g->dpicked + i * D, bytes);
}

static body_call call_of(const sequence_step *s, step_worker *w, const sequence_pack *pack)
{
    const sequence_net *n = s->net;
    /* While memory counts there is no gradient block, but backward follows all the same. */
    static float some_gradient;
    return (body_call){.k = n->k,
                       .settings = &n->settings,
                       .pack = pack,
                       .own = n->at.own,
                       .values = n->params ? parameters_values(n->params) : NULL,
                       .offset = n->layout.offset,
                       .forward = s->weights.forward,
                       .backward = s->weights.backward,
                       .gradient = w->gradient ? w->gradient : &some_gradient,
                       .training = true,
                       .seed = n->settings.seed,
                       .step = s->number,
                       .memory = &w->memory,
                       .scratch = w->table.scratch,
                       .precision = n->settings.precision};
}

static void run_group(const sequence_step *s, step_worker *w, size_t first, size_t end)
{
    const sequence_net *n = s->net;
    const size_t mark = workspace_mark(&w->memory);
    group g;
    cut_pack(s, w, first, end, &g.pack);
    take_group(s, w, &g);
    body_call c = call_of(s, w, &g.pack);
    embed_forward(&c, &n->at, s->table.m, g.x);
    const float *h = n->body->forward(&c, g.x);
    find_supervised(w, &g);
    supervise(s, w, &g, h);
    float *dx = n->body->backward(&c, g.dh);
    embed_backward(&c, &n->at, dx, w->dm);
    workspace_back(&w->memory, mark);
}

/* Counts what the largest group takes. */
static void plan_group(const sequence_step *s, step_worker *w)
{
    group g = {.pack = {.n_sequences = s->group_rows < s->sequences ? s->group_rows
                                                                    : s->sequences,
                        .R = s->group_rows}};
    take_group(s, w, &g);
    body_call c = call_of(s, w, &g.pack);
    s->net->body->backward(&c, s->net->body->forward(&c, NULL));
}

/* Where the group that begins at `first` ends: groups of about equal size, none too large. */
static size_t group_end(const sequence_step *s, const step_worker *w, size_t first)
{
    const uint32_t *offset = s->batch.offset;
    const size_t groups = (w->rows + s->group_rows - 1) / s->group_rows;
    const size_t aim = (w->rows + groups - 1) / groups;
    size_t end = first + 1;
    while (end < w->end && offset[end] - offset[first] < aim &&
           offset[end + 1] - offset[first] <= s->group_rows)
        end++;
    return end;
}

void step_run_share(sequence_step *s, step_worker *w)
{
    if (!w->memory.base) {
        plan_group(s, w);
        return;
    }
    w->loss = 0.0;
    w->rows = s->batch.offset[w->end] - s->batch.offset[w->first];
    if (w->rows == 0) return;
    for (size_t first = w->first, end; first < w->end; first = end) {
        end = group_end(s, w, first);
        if (s->batch.offset[end] > s->batch.offset[first]) run_group(s, w, first, end);
    }
}
