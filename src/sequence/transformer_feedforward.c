/*
 * The feed-forward branch: GELU (Hendrycks and Gimpel 2016) between two linear layers, or SwiGLU
 * (Shazeer 2020, equation 6) with a gate in LiGR's blocks.
 *
 *     n = norm(x)    plain:  h = drop(gelu(W1 n + c1))
 *                    gated:  h = drop(silu(W3 n + c3) (W1 n + c1))
 *     f = W2 h + c2
 *
 * All of it goes by BODY_ROWS rows at a time.
 */
#include "sequence/transformer_branch.h"

typedef struct arrays {
    norm_layer norm;
    linear_layer in, out, swish, gate;
} arrays;

static arrays number(body_layout *l)
{
    const sequence_settings *s = l->settings;
    size_t F = body_inner_width(s);
    arrays a = {.norm = layout_norm(l, "norm2_gain", "norm2_shift", s->width)};
    a.in = layout_linear(l, "w1", "c1", F, s->width);
    a.out = layout_linear(l, "w2", "c2", s->width, F);
    if (!branch_gated(s)) return a;
    a.swish = layout_linear(l, "w3", "c3", F, s->width);
    a.gate = layout_linear(l, "wg2", "bg2", s->width, s->width);
    return a;
}

static void layout(body_layout *l)
{
    number(l);
}

static void take(body_call *c, branch_kept *kept)
{
    size_t R = c->pack->R, D = c->settings->width, F = body_inner_width(c->settings);
    kept->n = body_floats(c, R, D);
    kept->mean = body_floats(c, R, 1);
    kept->inverse = body_floats(c, R, 1);
    kept->wide = body_floats(c, R, F);
    kept->h = body_floats(c, R, F);
    if (!branch_gated(c->settings)) return;
    kept->wide2 = body_floats(c, R, F);
    kept->gate = body_floats(c, R, D);
    kept->ungated = body_floats(c, R, D);
}

/* ---- forward ---- */

/* From the products W1 n (and W3 n) to h. */
static void activate(const body_call *c, const branch_kept *kept, size_t row, size_t M,
                     size_t F)
{
    size_t n = M * F, first = row * F;
    float *h = kept->h + first;
    if (branch_gated(c->settings))
        c->k->swiglu(n, kept->wide + first, kept->wide2 + first, h);
    else
        c->k->gelu(n, kept->wide + first, h);
    dropout_rows(c, branch_place(kept, PLACE_INNER), c->settings->dropout, row, M, F, h, h,
                 false);
}

static void forward_rows(const body_call *c, const arrays *a, const branch_kept *kept,
                         size_t row, size_t M, float *f, float *next)
{
    size_t D = a->norm.width, F = a->in.outputs;
    bool gated = branch_gated(c->settings);
    float *n = kept->n + row * D;
    if (gated) f = kept->ungated + row * D;
    norm_forward(c, &a->norm, M, kept->x + row * D, n, kept->mean + row, kept->inverse + row);
    linear_forward(c, &a->in, M, n, kept->wide + row * F, PRODUCT_SET);
    if (gated) linear_forward(c, &a->swish, M, n, kept->wide2 + row * F, PRODUCT_SET);
    activate(c, kept, row, M, F);
    linear_forward(c, &a->out, M, kept->h + row * F, f, PRODUCT_SET);
    branch_join(c, kept, &a->gate, PLACE_FED, row, M, f, next);
}

static void forward(body_call *c, const branch_kept *kept, float *next)
{
    size_t mark = workspace_mark(c->memory), R = c->pack->R;
    float *f = body_floats(c, BODY_ROWS, c->settings->width);
    if (!body_counts(c)) {
        body_layout l = kept->at;
        arrays a = number(&l);
        for (size_t row = 0, M; row < R; row += M) {
            M = body_rows_from(row, R);
            forward_rows(c, &a, kept, row, M, f, next);
        }
    }
    workspace_back(c->memory, mark);
}

/* ---- backward ---- */

/* Of BODY_ROWS rows. */
typedef struct rows_scratch {
    float *dn;       /* [D], before that df */
    float *dh, *dh2; /* [F] */
} rows_scratch;

/* From dh to dn. */
static void activate_back(const body_call *c, const arrays *a, const branch_kept *kept,
                          size_t row, size_t M, const rows_scratch *t)
{
    size_t F = a->in.outputs, count = M * F;
    const float *n = kept->n + row * a->norm.width, *wide = kept->wide + row * F;
    dropout_rows(c, branch_place(kept, PLACE_INNER), c->settings->dropout, row, M, F, t->dh,
                 t->dh, false);
    if (!branch_gated(c->settings)) { /* h = gelu(w), w = W1 n + c1 */
        c->k->gelu_backward(count, wide, t->dh, t->dh);
        linear_backward(c, &a->in, M, n, t->dh, t->dn, PRODUCT_SET);
        return;
    }
    /* h = w silu(v), w = W1 n + c1, v = W3 n + c3 */
    c->k->swiglu_backward(count, wide, kept->wide2 + row * F, t->dh, t->dh2, t->dh);
    linear_backward(c, &a->in, M, n, t->dh2, t->dn, PRODUCT_SET);
    linear_backward(c, &a->swish, M, n, t->dh, t->dn, PRODUCT_ADD);
}

static void backward_rows(const body_call *c, const arrays *a, const branch_kept *kept,
                          size_t row, size_t M, const rows_scratch *t, float *d)
{
    size_t D = a->norm.width, F = a->in.outputs;
    branch_part(c, kept, &a->gate, PLACE_FED, row, M, d, t->dn);
    /* f = W2 h + c2 */
    linear_backward(c, &a->out, M, kept->h + row * F, t->dn, t->dh, PRODUCT_SET);
    activate_back(c, a, kept, row, M, t);
    /* n = norm(x) */
    norm_backward(c, &a->norm, M, kept->x + row * D, kept->mean + row, kept->inverse + row,
                  t->dn, d + row * D, true);
}

static void backward(body_call *c, const branch_kept *kept, float *d)
{
    size_t mark = workspace_mark(c->memory), R = c->pack->R;
    size_t F = body_inner_width(c->settings);
    rows_scratch t = {.dn = body_floats(c, BODY_ROWS, c->settings->width)};
    t.dh = body_floats(c, BODY_ROWS, F);
    if (branch_gated(c->settings)) t.dh2 = body_floats(c, BODY_ROWS, F);
    if (!body_counts(c)) {
        body_layout l = kept->at;
        arrays a = number(&l);
        for (size_t row = 0, M; row < R; row += M) {
            M = body_rows_from(row, R);
            backward_rows(c, &a, kept, row, M, &t, d);
        }
    }
    workspace_back(c->memory, mark);
}

const branch branch_feedforward = {layout, take, forward, backward};
