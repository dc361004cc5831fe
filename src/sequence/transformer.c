/*
 * The Transformer of shopper events: residual branches one after the other and a final norm
 * (pre-norm form). Causal attention makes it SASRec (Kang and McAuley, ICDM 2018), attention
 * both ways BERT4Rec's encoder (Sun et al., CIKM 2019); the blocks are those of settings.h.
 *
 * Without a backward pass to come every branch works in place and on the same memory.
 */
#include <assert.h>

#include "sequence/transformer_branch.h"

enum { BRANCHES_MAX = 2 * BODY_BLOCKS_MAX };

typedef struct transformer_kept {
    branch_kept branch[BRANCHES_MAX];
    norm_layer norm; /* the final one */
    float *x, *mean, *inverse;
} transformer_kept;

/* ---- which branches ---- */

static unsigned branches_of_block(const sequence_settings *s)
{
    return s->block == SEQUENCE_BLOCK_HSTU ? 1 : 2;
}

static unsigned branches(const sequence_settings *s)
{
    assert(s->blocks <= BODY_BLOCKS_MAX);
    return s->blocks * branches_of_block(s);
}

static const branch *branch_at(const sequence_settings *s, unsigned i)
{
    if (s->block == SEQUENCE_BLOCK_HSTU) return &branch_hstu;
    return i % 2 == 0 ? &branch_attention : &branch_feedforward;
}

/* Numbers branch i, leaving where it begins in *at (NULL: nobody asks). */
static void number_branch(body_layout *l, unsigned i, body_layout *at)
{
    l->index = i / branches_of_block(l->settings);
    if (at) *at = *l;
    branch_at(l->settings, i)->layout(l);
}

static norm_layer number_last_norm(body_layout *l)
{
    l->part = "final";
    l->index = 0;
    return layout_norm(l, "norm_gain", "norm_shift", l->settings->width);
}

static void transformer_shapes(const sequence_settings *s, body_shapes *out)
{
    body_layout l = {.settings = s, .out = out, .next = out->n, .part = "block"};
    for (unsigned i = 0; i < branches(s); i++) number_branch(&l, i, NULL);
    number_last_norm(&l);
}

/* ---- forward ---- */

static float *run_branch(body_call *c, unsigned i, branch_kept *kept, float *x)
{
    const branch *b = branch_at(c->settings, i);
    kept->x = x;
    b->take(c, kept);
    float *next = c->gradient ? body_floats(c, c->pack->R, c->settings->width) : x;
    b->forward(c, kept, next);
    return next;
}

static float *last_norm(body_call *c, transformer_kept *kept, float *x)
{
    size_t R = c->pack->R;
    kept->x = x;
    kept->mean = body_floats(c, R, 1);
    kept->inverse = body_floats(c, R, 1);
    float *h = body_floats(c, R, c->settings->width);
    if (!body_counts(c))
        norm_forward(c, &kept->norm, R, x, h, kept->mean, kept->inverse);
    return h;
}

static float *transformer_forward(body_call *c, float *x)
{
    transformer_kept counted, *kept = workspace_take(c->memory, 1, sizeof *kept);
    c->kept = kept;
    if (body_counts(c)) kept = &counted;
    body_layout l = {.settings = c->settings, .next = c->own, .part = "block"};
    size_t mark = workspace_mark(c->memory);
    for (unsigned i = 0; i < branches(c->settings); i++) {
        if (!c->gradient) workspace_back(c->memory, mark);
        kept->branch[i] = (branch_kept){0};
        number_branch(&l, i, &kept->branch[i].at);
        x = run_branch(c, i, &kept->branch[i], x);
    }
    if (!c->gradient) workspace_back(c->memory, mark);
    kept->norm = number_last_norm(&l);
    return last_norm(c, kept, x);
}

/* ---- backward ---- */

static float *transformer_backward(body_call *c, float *dh)
{
    const transformer_kept *kept = c->kept;
    static const branch_kept counted;
    if (kept) /* h = norm(x) */
        norm_backward(c, &kept->norm, c->pack->R, kept->x, kept->mean, kept->inverse, dh, dh,
                      false);
    for (unsigned i = branches(c->settings); i-- > 0;)
        branch_at(c->settings, i)->backward(c, kept ? &kept->branch[i] : &counted, dh);
    return dh;
}

const sequence_body sequence_body_transformer = {"transformer", transformer_shapes,
                                                 transformer_forward, transformer_backward};
