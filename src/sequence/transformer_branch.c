/* What branches share: the attention's shape, and joining the residual with or without gate. */
#include "sequence/transformer_branch.h"

#include <string.h>

/* ---- attention ---- */

attention_shape branch_attention_shape(const body_call *c, const branch_kept *kept,
                                       attention_kind kind, size_t relative)
{
    const sequence_settings *s = c->settings;
    bool drops = c->training && kind == ATTENTION_SOFTMAX;
    return (attention_shape){
        .kind = kind,
        .causal = s->architecture != SEQUENCE_BERT,
        .D = s->width,
        .H = s->heads,
        .n_sequences = c->pack->n_sequences,
        .offset = c->pack->offset,
        .bias = s->relative ? c->values + c->offset[relative] : NULL,
        .bias_length = s->relative ? s->length : 0,
        .dropout = drops ? s->attention_dropout : 0.0f,
        .seed = c->seed,
        .stream = body_stream(c->step, branch_place(kept, PLACE_WEIGHTS)),
        .first_row = c->pack->first_row,
    };
}

void *branch_attention_scratch(body_call *c)
{
    const sequence_settings *s = c->settings;
    return workspace_take(c->memory,
                          attention_scratch_bytes(c->k, s->width, s->heads, s->length), 1);
}

float *branch_relative_gradient(const body_call *c, size_t relative)
{
    return c->settings->relative ? c->gradient + c->offset[relative] : NULL;
}

/* ---- the residual ---- */

void branch_join(const body_call *c, const branch_kept *kept, const linear_layer *gate,
                 unsigned place, size_t row, size_t M, float *f, float *next)
{
    size_t D = c->settings->width, first = row * D, n = M * D;
    const float *x = kept->x + first;
    float *out = next + first;
    unsigned where = branch_place(kept, place);
    float rate = c->settings->dropout;
    if (!branch_gated(c->settings)) { /* next = x + drop(f) */
        if (out != x) memcpy(out, x, n * sizeof *out);
        dropout_rows(c, where, rate, row, M, D, f, out, true);
        return;
    }
    float *g = kept->gate + first; /* next = x + sigma(Wg x) drop(f) */
    linear_forward(c, gate, M, x, g, PRODUCT_SET);
    c->k->sigmoid(n, g, g);
    dropout_rows(c, where, rate, row, M, D, f, f, false);
    if (out != x) memcpy(out, x, n * sizeof *out);
    c->k->multiply_add(n, g, f, out);
}

void branch_part(const body_call *c, const branch_kept *kept, const linear_layer *gate,
                 unsigned place, size_t row, size_t M, float *d, float *df)
{
    size_t D = c->settings->width, first = row * D, n = M * D;
    const float *dnext = d + first;
    unsigned where = branch_place(kept, place);
    float rate = c->settings->dropout;
    if (!branch_gated(c->settings)) { /* next = x + drop(f) */
        dropout_rows(c, where, rate, row, M, D, dnext, df, false);
        return;
    }
    /* next = x + g drop(f), g = sigma(Wg x): the gate first, in the rows of f */
    const float *g = kept->gate + first;
    float *dg = kept->ungated + first;
    c->k->multiply(n, dnext, dg, dg);
    c->k->sigmoid_backward(n, g, dg, dg);
    c->k->multiply(n, dnext, g, df);
    dropout_rows(c, where, rate, row, M, D, df, df, false);
    linear_backward(c, gate, M, kept->x + first, dg, d + first, PRODUCT_ADD);
}
