/*
 * The attention branch: pre-norm multi-head attention (Vaswani et al. 2017; Xiong et al. 2020 for
 * the norm in front), its output gated in LiGR's blocks (Borisyuk et al. 2025, section 3).
 *
 *     n = norm(x)    q k v = Wqkv n + b    a = attend(q, k, v)    f = Wo a + b
 */
#include "sequence/transformer_branch.h"

typedef struct arrays {
    norm_layer norm;
    linear_layer qkv, out, gate;
    size_t relative;
} arrays;

static arrays number(body_layout *l)
{
    const sequence_settings *s = l->settings;
    arrays a = {.norm = layout_norm(l, "norm1_gain", "norm1_shift", s->width)};
    a.qkv = layout_linear(l, "wqkv", "bqkv", 3 * (size_t)s->width, s->width);
    a.out = layout_linear(l, "wo", "bo", s->width, s->width);
    if (s->relative)
        a.relative = layout_vector(l, "relative", (size_t)s->heads * s->length,
                                   PARAMETER_ZERO);
    if (branch_gated(s)) a.gate = layout_linear(l, "wg1", "bg1", s->width, s->width);
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
    kept->attended = body_floats(c, R, D);
    kept->log_sum = body_floats(c, R, c->settings->heads);
    if (!branch_gated(c->settings)) return;
    kept->gate = body_floats(c, R, D);
    kept->ungated = body_floats(c, R, D);
}

/* ---- forward ---- */

static void project(const body_call *c, const arrays *a, const branch_kept *kept)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        float *n = kept->n + row * D;
        norm_forward(c, &a->norm, M, kept->x + row * D, n, kept->mean + row,
                     kept->inverse + row);
        linear_forward(c, &a->qkv, M, n, kept->wide + row * 3 * D, PRODUCT_SET);
    }
}

static void join(const body_call *c, const arrays *a, const branch_kept *kept, float *f,
                 float *next)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        float *rows = branch_gated(c->settings) ? kept->ungated + row * D : f;
        linear_forward(c, &a->out, M, kept->attended + row * D, rows, PRODUCT_SET);
        branch_join(c, kept, &a->gate, PLACE_ATTENDED, row, M, rows, next);
    }
}

static void forward(body_call *c, const branch_kept *kept, float *next)
{
    size_t mark = workspace_mark(c->memory);
    float *f = body_floats(c, BODY_ROWS, c->settings->width);
    void *scratch = branch_attention_scratch(c);
    if (!body_counts(c)) {
        arrays a = numbers_of(kept);
        attention_shape shape = branch_attention_shape(c, kept, ATTENTION_SOFTMAX, a.relative);
        project(c, &a, kept);
        attention_forward(c->k, &shape, kept->wide, kept->attended, kept->log_sum, scratch);
        join(c, &a, kept, f, next);
    }
    workspace_back(c->memory, mark);
}

/* ---- backward ---- */

static void part(const body_call *c, const arrays *a, const branch_kept *kept, float *d,
                 float *df, float *dattended)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        branch_part(c, kept, &a->gate, PLACE_ATTENDED, row, M, d, df);
        /* f = Wo a + b */
        linear_backward(c, &a->out, M, kept->attended + row * D, df, dattended + row * D,
                        PRODUCT_SET);
    }
}

static void project_back(const body_call *c, const arrays *a, const branch_kept *kept,
                         const float *dqkv, float *dn, float *d)
{
    size_t R = c->pack->R, D = a->norm.width;
    for (size_t row = 0, M; row < R; row += M) {
        M = body_rows_from(row, R);
        /* n = norm(x), q k v = Wqkv n + b */
        linear_backward(c, &a->qkv, M, kept->n + row * D, dqkv + row * 3 * D, dn,
                        PRODUCT_SET);
        norm_backward(c, &a->norm, M, kept->x + row * D, kept->mean + row,
                      kept->inverse + row, dn, d + row * D, true);
    }
}

static void backward(body_call *c, const branch_kept *kept, float *d)
{
    size_t mark = workspace_mark(c->memory), R = c->pack->R, D = c->settings->width;
    float *dn = body_floats(c, BODY_ROWS, D);
    float *dattended = body_floats(c, R, D), *dqkv = body_floats(c, R, 3 * D);
    void *scratch = branch_attention_scratch(c);
    if (!body_counts(c)) {
        arrays a = numbers_of(kept);
        attention_shape shape = branch_attention_shape(c, kept, ATTENTION_SOFTMAX, a.relative);
        part(c, &a, kept, d, dn, dattended);
        /* a = attend(q, k, v) */
        attention_backward(c->k, &shape, kept->wide, kept->attended, kept->log_sum, dattended,
                           dqkv, branch_relative_gradient(c, a.relative), scratch);
        project_back(c, &a, kept, dqkv, dn, d);
    }
    workspace_back(c->memory, mark);
}

const branch branch_attention = {layout, take, forward, backward};
