/*
 * A step of Adam over all arrays (adam.h), in two passes over fixed slices: the first adds up
 * the workers' gradients and squares them, the second moves the parameters and zeroes the
 * gradients while they are in the cache. Between them stands the decision whether the gradient
 * is fit to be followed. What a slice does depends on its number alone and squares are added
 * in the order of slices, so the bits are those of one thread.
 */
#include "tensor/adam.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    SLICES = 64,        /* of the dense part, and of each sparse array's rows */
    CHUNK_FLOATS = 2048 /* five arrays of as many floats fit into the first cache */
};

typedef struct adam_call {
    const tensor_kernels *k;
    parameters *p;
    const adam_options *options;
    const adam_gradients *g;
    float scale; /* with clipping */
    float correction1, correction2;
    double squares[SLICES];
} adam_call;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Part `slice` of n things in units of `unit`: from *from to before *to. */
static void slice_of(size_t n, size_t unit, size_t slice, size_t *from, size_t *to)
{
    size_t units = (n + unit - 1) / unit;
    *from = least(n, units * slice / SLICES * unit);
    *to = least(n, units * (slice + 1) / SLICES * unit);
}

/* Adds the other workers' blocks to the first one's and returns the sum's square. */
static double gather(const adam_call *c, float *const *gradient, size_t from, size_t to)
{
    double squares = 0.0;
    for (size_t i = from; i < to; i += CHUNK_FLOATS) {
        size_t n = least(CHUNK_FLOATS, to - i);
        for (size_t w = 1; w < c->g->n_workers; w++)
            c->k->add_scaled(n, 1.0f, gradient[w] + i, gradient[0] + i);
        squares += (double)c->k->dot(n, gradient[0] + i, gradient[0] + i);
    }
    return squares;
}

static void gather_slice(void *context, size_t slice, unsigned worker)
{
    adam_call *c = context;
    size_t from, to;
    (void)worker;
    slice_of(parameters_dense_floats(c->p), CHUNK_FLOATS, slice, &from, &to);
    double squares = gather(c, c->g->gradient, from, to);
    for (size_t i = 0; i < c->g->n_rows; i++) {
        const adam_rows *r = &c->g->rows[i];
        size_t columns = parameters_shape(c->p, r->array)->columns;
        slice_of(r->n, 1, slice, &from, &to);
        squares += gather(c, r->gradient, from * columns, to * columns);
    }
    c->squares[slice] = squares;
}

static void zero(const adam_call *c, float *const *gradient, size_t from, size_t to)
{
    if (from >= to) return;
    for (size_t w = 0; w < c->g->n_workers; w++)
        memset(gradient[w] + from, 0, (to - from) * sizeof(float));
}

/* Moves n parameters that stand `at` floats from the beginning of the block. */
static void move(const adam_call *c, size_t at, size_t n, const float *gradient, bool decays)
{
    const adam_options *o = c->options;
    c->k->adam(n, c->scale, o->rate, o->beta1, o->beta2, o->epsilon, c->correction1,
               c->correction2, decays ? o->decay : 0.0f, gradient,
               parameters_values(c->p) + at, parameters_first(c->p) + at,
               parameters_second(c->p) + at);
}

/* The dense floats from..to-1, which may belong to several arrays. */
static void move_dense(const adam_call *c, size_t from, size_t to)
{
    float *const *gradient = c->g->gradient;
    for (size_t i = 0; i < parameters_count(c->p); i++) {
        const parameter_shape *s = parameters_shape(c->p, i);
        size_t begin = parameters_offsets(c->p)[i], end = begin + s->rows * s->columns;
        if (s->sparse || begin >= to || end <= from) continue;
        if (begin < from) begin = from;
        for (size_t at = begin; at < least(end, to); at += CHUNK_FLOATS) {
            size_t n = least(CHUNK_FLOATS, least(end, to) - at);
            move(c, at, n, gradient[0] + at, s->decays);
            zero(c, gradient, at, at + n);
        }
    }
}

static void move_rows(const adam_call *c, const adam_rows *r, size_t from, size_t to)
{
    const parameter_shape *s = parameters_shape(c->p, r->array);
    size_t begin = parameters_offsets(c->p)[r->array];
    for (size_t i = from; i < to; i++) {
        move(c, begin + r->row[i] * s->columns, s->columns, r->gradient[0] + i * s->columns,
             s->decays);
        zero(c, r->gradient, i * s->columns, (i + 1) * s->columns);
    }
}

static void move_slice(void *context, size_t slice, unsigned worker)
{
    const adam_call *c = context;
    size_t from, to;
    (void)worker;
    slice_of(parameters_dense_floats(c->p), CHUNK_FLOATS, slice, &from, &to);
    move_dense(c, from, to);
    for (size_t i = 0; i < c->g->n_rows; i++) {
        slice_of(c->g->rows[i].n, 1, slice, &from, &to);
        move_rows(c, &c->g->rows[i], from, to);
    }
}

/* Gradients that are not followed do not wait for the next step either. */
static void zero_slice(void *context, size_t slice, unsigned worker)
{
    const adam_call *c = context;
    size_t from, to;
    (void)worker;
    slice_of(parameters_dense_floats(c->p), CHUNK_FLOATS, slice, &from, &to);
    zero(c, c->g->gradient, from, to);
    for (size_t i = 0; i < c->g->n_rows; i++) {
        const adam_rows *r = &c->g->rows[i];
        size_t columns = parameters_shape(c->p, r->array)->columns;
        slice_of(r->n, 1, slice, &from, &to);
        zero(c, r->gradient, from * columns, to * columns);
    }
}

static double norm_of(const adam_call *c)
{
    double squares = 0.0;
    for (size_t i = 0; i < SLICES; i++)
        squares += c->squares[i];
    return sqrt(squares) * fabs((double)c->g->scale);
}

double adam_step(const tensor_kernels *k, parameters *p, const adam_options *options,
                 const adam_gradients *g, double clip, pool *threads)
{
    adam_call c = {.k = k, .p = p, .options = options, .g = g, .scale = g->scale};
    assert(parameters_first(p) || parameters_count(p) == 0);
    assert(g->n_workers >= 1);
    pool_run(threads, SLICES, gather_slice, &c);
    double norm = norm_of(&c);
    if (!isfinite(norm)) {
        pool_run(threads, SLICES, zero_slice, &c);
        return norm;
    }
    if (clip > 0.0 && norm > clip) c.scale *= (float)(clip / norm);
    uint64_t t = parameters_steps(p) + 1;
    c.correction1 = (float)(1.0 - pow((double)options->beta1, (double)t));
    c.correction2 = (float)(1.0 - pow((double)options->beta2, (double)t));
    pool_run(threads, SLICES, move_slice, &c);
    parameters_set_steps(p, t);
    return norm;
}
