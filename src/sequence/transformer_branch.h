/*
 * A branch of a residual network: next = x + f(x). A block is one or two of them in a row, and
 * transformer.c walks branches without knowing what is in them. Inside of sequence/ only.
 *
 *     attention     x += drop(Wo attend(norm x))              plain
 *                   x += sigma(Wg x) drop(Wo attend(norm x))  gated
 *     feed-forward  x += drop(W2 drop(gelu(W1 norm x)))       plain
 *                   x += sigma(Wg x) drop(W2 drop(silu(W1 norm x) (W3 norm x)))   gated
 *     HSTU          x += W2 drop(norm(attend(q, k, v)) u),  (q k v u) = silu(W norm x)
 *
 * (all linear layers with biases). Forward keeps every input of a product for backward; only
 * the masks of dropout are made again. Making activations again as well cost 4 % of a pass of 510
 * rows of width 64 (1.97 against 2.05 ms, fp32), norms 2 %.
 */
#ifndef PROFFER_SEQUENCE_TRANSFORMER_BRANCH_H
#define PROFFER_SEQUENCE_TRANSFORMER_BRANCH_H

#include "sequence/body_layers.h"
#include "tensor/attention.h"

/* What forward keeps of one branch; each kind uses the parts it names. */
typedef struct branch_kept {
    body_layout at;        /* where its arrays begin */
    float *x;              /* [R x D] what came in */
    float *n;              /* [R x D] norm x */
    float *mean, *inverse; /* [R] of that norm */
    float *wide;           /* attention: q k v [R x 3D], HSTU: before silu; feed-forward:
                              W1 n [R x F] before the activation */
    float *wide2;          /* gated feed-forward: W3 n [R x F]; HSTU: q k v [R x 3D] */
    float *h;              /* feed-forward: what W2 reads [R x F]; HSTU: what Wo reads [R x D] */
    float *attended;       /* [R x D] */
    float *log_sum;        /* [R x H] */
    float *u;              /* HSTU: u before silu [R x D] */
    float *n2, *mean2, *inverse2; /* HSTU: of the norm of `attended`, [R x D], [R], [R] */
    float *gate, *ungated; /* gated: sigma(Wg x) and f before the gate, [R x D] each */
} branch_kept;

typedef struct branch {
    /* Numbers its arrays, in order. */
    void (*layout)(body_layout *l);
    /* Takes the memory it keeps. */
    void (*take)(body_call *c, branch_kept *kept);
    /* next [R x D] = x + f(x); next may be x. */
    void (*forward)(body_call *c, const branch_kept *kept, float *next);
    /* d [R x D]: the gradient of next becomes that of x. */
    void (*backward)(body_call *c, const branch_kept *kept, float *d);
} branch;

extern const branch branch_attention, branch_feedforward, branch_hstu;

/* Places of dropout in a block. */
enum { PLACE_WEIGHTS, PLACE_ATTENDED, PLACE_INNER, PLACE_FED, PLACES_OF_BLOCK };
static inline unsigned branch_place(const branch_kept *kept, unsigned place)
{
    return kept->at.index * PLACES_OF_BLOCK + place;
}

static inline bool branch_gated(const sequence_settings *s)
{
    return s->block == SEQUENCE_BLOCK_GATED;
}

/* The attention of a pack: kind and bias are the branch's. */
attention_shape branch_attention_shape(const body_call *c, const branch_kept *kept,
                                       attention_kind kind, size_t relative);
void *branch_attention_scratch(body_call *c);
/* The bias's gradient, or NULL without one. */
float *branch_relative_gradient(const body_call *c, size_t relative);

/* The end of a plain or gated branch for M rows from `row`: f (rows of kept->ungated when gated,
 * used up) joins the residual. */
void branch_join(const body_call *c, const branch_kept *kept, const linear_layer *gate,
                 unsigned place, size_t row, size_t M, float *f, float *next);
/* Its inverse: df from d, whose rows get what comes back through the gate. */
void branch_part(const body_call *c, const branch_kept *kept, const linear_layer *gate,
                 unsigned place, size_t row, size_t M, float *d, float *df);

#endif
