/*
 * The HSTU branch (Zhai et al., ICML 2024, equations 1 to 3): attention without softmax, its
 * output normed and gated element by element, in place of attention and feed-forward.
 *
 *     n = norm(x)    w = Wqkv n + b    q k v = silu(w)    u = Wu n + b
 *     a = attend(q, k, v)    z = drop(norm(a) silu(u))    next = x + Wo z + b
 */
#include <string.h>

#include "sequence/transformer_branch.h"

typedef struct arrays {
    norm_layer norm, norm_out;
    linear_layer qkv, u, out;
    size_t relative;
} arrays;

static arrays number(body_layout *l)
{
    const sequence_settings *s = l->settings;
    arrays a = {.norm = layout_norm(l, "norm1_gain", "norm1_shift", s->width)};
    a.qkv = layout_linear(l, "wqkv", "bqkv", 3 * (size_t)s->width, s->width);
    a.u = layout_linear(l, "wu", "bu", s->width, s->width);
    if (s->relative)
        a.relative = layout_vector(l, "relative", (size_t)s->heads * s->length,
                                   PARAMETER_ZERO);
    a.norm_out = layout_norm(l, "norm2_gain", "norm2_shift", s->width);
    a.out = layout_linear(l, "wo", "bo", s->width, s->width);
    return a;
}

static arrays numbers_of(const branch_kept *kept)
{
    body_layout l = kept->at;
    return number(&l);
}

static void layout(body_layout *l)
{
    number(l);
}

static void take(body_call *c, branch_kept *kept)
{
    size_t R = c->pack->R, D = c->settings->width;
    kept->n = body_floats(c, R, D);
    kept->mean = body_floats(c, R, 1);
    kept->inverse = body_floats(c, R, 1);
    kept->wide = body_floats(c, R, 3 * D);
    kept->wide2 = body_floats(c, R, 3 * D);
    kept->u = body_floats(c, R, D);
    kept->attended = body_floats(c, R, D);
    kept->n2 = body_floats(c, R, D);
    kept->mean2 = body_floats(c, R, 1);
    kept->inverse2 = body_floats(c, R, 1);
    kept->h = body_floats(c, R, D);
}

/* ---- forward ---- */

static void project(const body_call *c, const arrays *a, const branch_kept *kept)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        float *n = kept->n + row * D, *w = kept->wide + row * 3 * D;
        norm_forward(c, &a->norm, M, kept->x + row * D, n, kept->mean + row,
                     kept->inverse + row);
        linear_forward(c, &a->qkv, M, n, w, PRODUCT_SET);
        linear_forward(c, &a->u, M, n, kept->u + row * D, PRODUCT_SET);
        c->k->silu(M * 3 * D, w, kept->wide2 + row * 3 * D);
    }
}

static void join(const body_call *c, const arrays *a, const branch_kept *kept, float *next)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        size_t n = M * D, first = row * D;
        float *z = kept->h + first, *out = next + first;
        norm_forward(c, &a->norm_out, M, kept->attended + first, kept->n2 + first,
                     kept->mean2 + row, kept->inverse2 + row);
        c->k->swiglu(n, kept->n2 + first, kept->u + first, z);
        dropout_rows(c, branch_place(kept, PLACE_INNER), c->settings->dropout, row, M, D, z, z,
                     false);
        if (next != kept->x) memcpy(out, kept->x + first, n * sizeof *out);
        linear_forward(c, &a->out, M, z, out, PRODUCT_ADD);
    }
}

static void forward(body_call *c, const branch_kept *kept, float *next)
{
    size_t mark = workspace_mark(c->memory);
    void *scratch = branch_attention_scratch(c);
    if (!body_counts(c)) {
        arrays a = numbers_of(kept);
        attention_shape shape =
            branch_attention_shape(c, kept, ATTENTION_POINTWISE, a.relative);
        project(c, &a, kept);
        attention_forward(c->k, &shape, kept->wide2, kept->attended, NULL, scratch);
        join(c, &a, kept, next);
    }
    workspace_back(c->memory, mark);
}

/* ---- backward ---- */

static void join_back(const body_call *c, const arrays *a, const branch_kept *kept, float *dz,
                      const float *d, float *dattended, float *du)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        size_t first = row * D;
        /* next = x + Wo z + b */
        linear_backward(c, &a->out, M, kept->h + first, d + first, dz, PRODUCT_SET);
        /* z = drop(norm(a) silu(u)) */
        dropout_rows(c, branch_place(kept, PLACE_INNER), c->settings->dropout, row, M, D, dz,
                     dz, false);
        c->k->swiglu_backward(M * D, kept->n2 + first, kept->u + first, dz, dz, du + first);
        norm_backward(c, &a->norm_out, M, kept->attended + first, kept->mean2 + row,
                      kept->inverse2 + row, dz, dattended + first, false);
    }
}

static void project_back(const body_call *c, const arrays *a, const branch_kept *kept,
                         float *dn, float *dqkv, const float *du, float *d)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        size_t first = row * D;
        float *dw = dqkv + 3 * first;
        /* n = norm(x), w = Wqkv n + b, q k v = silu(w), u = Wu n + b */
        c->k->silu_backward(3 * M * D, kept->wide + 3 * first, dw, dw);
        linear_backward(c, &a->qkv, M, kept->n + first, dw, dn, PRODUCT_SET);
        linear_backward(c, &a->u, M, kept->n + first, du + first, dn, PRODUCT_ADD);
        norm_backward(c, &a->norm, M, kept->x + first, kept->mean + row, kept->inverse + row,
                      dn, d + first, true);
    }
}

static void backward(body_call *c, const branch_kept *kept, float *d)
{
    size_t mark = workspace_mark(c->memory), R = c->pack->R, D = c->settings->width;
    float *drows = body_floats(c, BODY_ROWS, D);
    float *dattended = body_floats(c, R, D), *du = body_floats(c, R, D);
    float *dqkv = body_floats(c, R, 3 * D);
    void *scratch = branch_attention_scratch(c);
    if (!body_counts(c)) {
        arrays a = numbers_of(kept);
        attention_shape shape =
            branch_attention_shape(c, kept, ATTENTION_POINTWISE, a.relative);
        join_back(c, &a, kept, drows, d, dattended, du);
        /* a = attend(q, k, v) */
        attention_backward(c->k, &shape, kept->wide2, kept->attended, NULL, dattended, dqkv,
                           branch_relative_gradient(c, a.relative), scratch);
        project_back(c, &a, kept, drows, dqkv, du, d);
    }
    workspace_back(c->memory, mark);
}

const branch branch_hstu = {layout, take, forward, backward};
