/*
 * GRU4Rec's body (Hidasi et al., ICLR 2016, in the form trained on every position: Hidasi and
 * Karatzoglou, CIKM 2018): GRU layers on top of each other, dropout on what each gives, and a
 * linear layer back to the width of the product table.
 *
 *     g_l = Wi drop(h_(l-1)) + bi    h_l = gru(g_l)    h = Wo drop(h_last) + bo
 *
 * settings.blocks layers of body_inner_width() units; h_0 are the embedded rows, which had their
 * dropout already.
 */
#include <assert.h>

#include "sequence/body_layers.h"
#include "tensor/gru.h"

typedef struct gru_layer {
    linear_layer in; /* Wi [3G x inputs], bi */
    size_t wh, bh;   /* [3G x G], [3G] */
} gru_layer;

typedef struct layer_kept {
    gru_layer arrays;
    float *in;      /* [R x inputs] */
    float *h;       /* [R x G] before dropout */
    float *dropped; /* [R x G] what the next layer reads */
    float *gates;   /* [R x 4G] of gru_forward */
} layer_kept;

typedef struct gru_kept {
    layer_kept layer[BODY_BLOCKS_MAX];
    linear_layer out;
} gru_kept;

/* ---- arrays ---- */

static gru_layer number_layer(body_layout *l, unsigned i)
{
    const sequence_settings *s = l->settings;
    size_t G = body_inner_width(s);
    l->index = i;
    gru_layer a = {.in = layout_linear(l, "wi", "bi", 3 * G, i == 0 ? s->width : G)};
    linear_layer hidden = layout_linear(l, "wh", "bh", 3 * G, G);
    a.wh = hidden.w;
    a.bh = hidden.b;
    return a;
}

static linear_layer number_out(body_layout *l)
{
    l->part = "final";
    l->index = 0;
    return layout_linear(l, "wo", "bo", l->settings->width, body_inner_width(l->settings));
}

static void gru_shapes(const sequence_settings *s, body_shapes *out)
{
    assert(s->blocks <= BODY_BLOCKS_MAX);
    body_layout l = {.settings = s, .out = out, .next = out->n, .part = "layer"};
    for (unsigned i = 0; i < s->blocks; i++) number_layer(&l, i);
    number_out(&l);
}

/* ---- forward ---- */

static gru_shape shape_of(const body_call *c)
{
    return (gru_shape){.n_sequences = c->pack->n_sequences,
                       .offset = c->pack->offset,
                       .hidden = body_inner_width(c->settings),
                       .precision = c->precision};
}

static void *take_scratch(body_call *c)
{
    size_t G = body_inner_width(c->settings);
    return workspace_take(
        c->memory, gru_scratch_bytes(c->k, G, c->pack->R, c->pack->n_sequences), 1);
}

static void drop(const body_call *c, unsigned layer, const float *x, float *y)
{
    dropout_rows(c, layer, c->settings->dropout, 0, c->pack->R, body_inner_width(c->settings),
                 x, y, false);
}

static float *layer_forward(body_call *c, unsigned i, layer_kept *kept, float *in)
{
    size_t R = c->pack->R, G = body_inner_width(c->settings);
    kept->in = in;
    kept->h = body_floats(c, R, G);
    kept->dropped = body_floats(c, R, G);
    kept->gates = body_floats(c, R, 4 * G);
    size_t mark = workspace_mark(c->memory);
    float *gates_in = body_floats(c, R, 3 * G);
    void *scratch = take_scratch(c);
    if (!body_counts(c)) {
        gru_shape shape = shape_of(c);
        linear_forward(c, &kept->arrays.in, R, in, gates_in, PRODUCT_SET);
        gru_forward(c->k, &shape, gates_in, c->forward[kept->arrays.wh],
                    c->values + c->offset[kept->arrays.bh], kept->h, kept->gates, scratch);
        drop(c, i, kept->h, kept->dropped);
    }
    workspace_back(c->memory, mark);
    return kept->dropped;
}

static float *gru_body_forward(body_call *c, float *x)
{
    gru_kept counted, *kept = workspace_take(c->memory, 1, sizeof *kept);
    c->kept = kept;
    if (body_counts(c)) kept = &counted;
    body_layout l = {.settings = c->settings, .next = c->own, .part = "layer"};
    for (unsigned i = 0; i < c->settings->blocks; i++) {
        kept->layer[i].arrays = number_layer(&l, i);
        x = layer_forward(c, i, &kept->layer[i], x);
    }
    kept->out = number_out(&l);
    float *h = body_floats(c, c->pack->R, c->settings->width);
    if (!body_counts(c)) linear_forward(c, &kept->out, c->pack->R, x, h, PRODUCT_SET);
    return h;
}

/* ---- backward ---- */

/* dh [R x G] comes in, used up; din [R x inputs] is set. */
static void layer_backward(const body_call *c, unsigned i, const layer_kept *kept, float *dh,
                           float *dgates_in, float *din, void *scratch)
{
    const gru_layer *a = &kept->arrays;
    gru_shape shape = shape_of(c);
    drop(c, i, dh, dh); /* dropped = drop(h) */
    /* h = gru(gates_in) */
    gru_backward(c->k, &shape, kept->h, kept->gates, c->backward[a->wh], dh, dgates_in,
                 c->gradient + c->offset[a->wh], c->gradient + c->offset[a->bh], scratch);
    /* gates_in = Wi in + bi */
    linear_backward(c, &a->in, c->pack->R, kept->in, dgates_in, din, PRODUCT_SET);
}

static float *gru_body_backward(body_call *c, float *dh)
{
    const gru_kept *kept = c->kept;
    size_t R = c->pack->R, G = body_inner_width(c->settings);
    size_t mark = workspace_mark(c->memory);
    unsigned layers = c->settings->blocks;
    float *dstate = body_floats(c, R, G), *dgates_in = body_floats(c, R, 3 * G);
    void *scratch = take_scratch(c);
    if (kept) {
        /* h = Wo dropped + bo */
        linear_backward(c, &kept->out, R, kept->layer[layers - 1].dropped, dh, dstate,
                        PRODUCT_SET);
        for (unsigned i = layers; i-- > 0;)
            layer_backward(c, i, &kept->layer[i], dstate, dgates_in, i == 0 ? dh : dstate,
                           scratch);
    }
    workspace_back(c->memory, mark);
    return dh;
}

const sequence_body sequence_body_gru = {"gru", gru_shapes, gru_body_forward,
                                         gru_body_backward};
