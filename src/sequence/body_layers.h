/*
 * The layers bodies are made of, each a forward and a backward function over some rows of one
 * call: linear, norm, dropout. Inside of sequence/ only.
 *
 * A body_layout gives arrays their numbers, one after the other, and with `out` adds them to a
 * network: one walk names the arrays when a network is made and finds them again in each call.
 *
 * Linear weights start with the standard deviation of torch.nn.Linear, 1 / sqrt(3 inputs), drawn
 * from a normal; biases at zero, gains at one.
 */
#ifndef PROFFER_SEQUENCE_BODY_LAYERS_H
#define PROFFER_SEQUENCE_BODY_LAYERS_H

#include "sequence/body.h"

typedef struct body_layout {
    const sequence_settings *settings;
    body_shapes *out; /* NULL: numbers alone */
    size_t next;      /* number of the next array */
    const char *part; /* "block", "layer": in front of names, with `index` behind it */
    unsigned index;
} body_layout;

/* Arrays of a linear layer y = x W^T + b. */
typedef struct linear_layer {
    size_t w, b, outputs, inputs;
} linear_layer;

typedef struct norm_layer {
    size_t gain, shift; /* RMS norm has no shift */
    size_t width;
    bool rms;
} norm_layer;

size_t layout_vector(body_layout *l, const char *name, size_t n, parameter_start start);
linear_layer layout_linear(body_layout *l, const char *w, const char *b, size_t outputs,
                           size_t inputs);
norm_layer layout_norm(body_layout *l, const char *gain, const char *shift, size_t width);

/* Whether this call is the planning one: memory is counted, nothing may be touched. */
bool body_counts(const body_call *c);
float *body_floats(body_call *c, size_t rows, size_t columns);

/* Rows that a chain of layers takes at a time, so that what passes between them stays in the
 * second-level cache. */
enum { BODY_ROWS = 128 };
static inline size_t body_rows_from(size_t row, size_t R)
{
    return R - row < BODY_ROWS ? R - row : BODY_ROWS;
}

/* y [M x outputs] = x [M x inputs] W^T + b, or +=. */
void linear_forward(const body_call *c, const linear_layer *l, size_t M, const float *x,
                    float *y, product_mode mode);
/* dW += dy^T x, db += column sums of dy, dx = or += dy W (dx NULL: not wanted). */
void linear_backward(const body_call *c, const linear_layer *l, size_t M, const float *x,
                     const float *dy, float *dx, product_mode mode);

/* y [M x width]; mean (not for RMS norm) and inverse [M] are kept for backward. */
void norm_forward(const body_call *c, const norm_layer *l, size_t M, const float *x, float *y,
                  float *mean, float *inverse);
/* dx = or += (add). */
void norm_backward(const body_call *c, const norm_layer *l, size_t M, const float *x,
                   const float *mean, const float *inverse, const float *dy, float *dx,
                   bool add);

/* y = or += x with dropout at a place of the network (body_stream), for M rows from `row` of the
 * pack. Outside training, or at rate 0, the same without dropout. y may be x when setting. */
void dropout_rows(const body_call *c, unsigned place, float rate, size_t row, size_t M,
                  size_t columns, const float *x, float *y, bool add);

#endif
