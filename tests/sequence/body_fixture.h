/*
 * A body on its own, as tests want it: small arrays with generated values, their packings, a
 * pack of a few sequences, the workspace planned by counting; and the check of gradients
 * against central differences of a forward pass in double precision.
 */
#ifndef PROFFER_TESTS_SEQUENCE_BODY_FIXTURE_H
#define PROFFER_TESTS_SEQUENCE_BODY_FIXTURE_H

#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sequence/body.h"

enum { FIXTURE_SEQUENCES_MAX = 16 };

typedef struct body_fixture {
    sequence_settings settings;
    const sequence_body *body;
    body_shapes *shapes;
    size_t offset[PARAMETERS_MAX], floats;
    float *values, *gradient;
    void *forward[PARAMETERS_MAX], *backward[PARAMETERS_MAX];
    uint32_t sequence[FIXTURE_SEQUENCES_MAX + 1];
    sequence_pack pack;
    workspace memory;
    body_call call;
    float *x0; /* [R x D] embedded rows */
    float *dh; /* [R x D] the gradient that comes in: loss = sum dh h */
    float *x, *d; /* what the body uses up */
} body_fixture;

static inline sequence_settings fixture_settings(void)
{
    return (sequence_settings){.architecture = SEQUENCE_TRANSFORMER,
                               .width = 12,
                               .blocks = 2,
                               .heads = 3,
                               .length = 7,
                               .feedforward = 2.5f,
                               .seed = 11};
}

static inline float fixture_unit(uint64_t i, uint64_t salt)
{
    return (float)(golden_unit(i, salt) - 0.5);
}

static inline size_t fixture_count(const body_fixture *f, size_t array)
{
    return f->shapes->shape[array].rows * f->shapes->shape[array].columns;
}

/* Values that leave nothing at zero or one, where a mistake would not show. */
static inline void fixture_fill(body_fixture *f)
{
    for (size_t a = 0; a < f->shapes->n; a++) {
        const parameter_shape *s = &f->shapes->shape[a];
        float base = s->start == PARAMETER_ONE ? 1.0f : 0.0f;
        float scale = f->shapes->matrix[a] ? 2.0f / sqrtf((float)s->columns) : 0.5f;
        for (size_t i = 0; i < fixture_count(f, a); i++)
            f->values[f->offset[a] + i] = base + scale * fixture_unit(i, 300 + a);
    }
}

static inline void fixture_pack(body_fixture *f)
{
    const tensor_kernels *k = f->call.k;
    tensor_precision p = f->call.precision;
    for (size_t a = 0; a < f->shapes->n; a++) {
        if (!f->shapes->matrix[a]) continue;
        size_t out = f->shapes->shape[a].rows, in = f->shapes->shape[a].columns;
        const float *w = f->values + f->offset[a];
        mem_free(f->forward[a]);
        mem_free(f->backward[a]);
        f->forward[a] = mem_alloc_aligned(k->packed_bytes(p, in, out), 1);
        f->backward[a] = mem_alloc_aligned(k->packed_bytes(p, out, in), 1);
        k->pack(p, in, out, w, 1, in, f->forward[a]);
        k->pack(p, out, in, w, in, 1, f->backward[a]);
    }
}

static inline void fixture_layout(body_fixture *f)
{
    f->shapes = mem_alloc_zero(1, sizeof *f->shapes);
    /* The network's own arrays come first: the body must not think that it begins at 0. */
    body_shapes_add(f->shapes, (parameter_shape){.rows = 3, .columns = 5}, false, "ids");
    f->body->shapes(&f->settings, f->shapes);
    for (size_t a = 0; a < f->shapes->n; a++) {
        f->offset[a] = f->floats;
        f->floats += (fixture_count(f, a) + 15) / 16 * 16;
    }
    f->values = mem_alloc_aligned(f->floats, sizeof(float));
    f->gradient = mem_alloc_aligned(f->floats, sizeof(float));
    memset(f->values, 0, f->floats * sizeof(float));
    memset(f->gradient, 0, f->floats * sizeof(float));
    fixture_fill(f);
}

static inline void fixture_plan(body_fixture *f)
{
    f->memory = workspace_counting();
    void *kept = f->call.kept;
    f->body->backward(&f->call, f->body->forward(&f->call, NULL));
    assert_ptr_equal(f->call.kept, kept);
    assert_int_equal(workspace_make(&f->memory, NULL), PF_OK);
}

/* lengths of the sequences, ended by a 0. */
static inline body_fixture *fixture_new(const sequence_settings *settings,
                                        const tensor_kernels *k, tensor_precision precision,
                                        const uint32_t *lengths)
{
    body_fixture *f = mem_alloc_zero(1, sizeof *f);
    f->settings = *settings;
    f->body = sequence_body_of(&f->settings);
    fixture_layout(f);
    for (size_t i = 0; lengths[i]; i++) {
        f->sequence[i + 1] = f->sequence[i] + lengths[i];
        f->pack.n_sequences++;
    }
    f->pack.R = f->sequence[f->pack.n_sequences];
    f->pack.offset = f->sequence;
    f->call = (body_call){.k = k,
                          .settings = &f->settings,
                          .pack = &f->pack,
                          .own = 1,
                          .values = f->values,
                          .offset = f->offset,
                          .forward = f->forward,
                          .backward = f->backward,
                          .gradient = f->gradient,
                          .seed = settings->seed,
                          .memory = &f->memory,
                          .scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1),
                          .precision = precision};
    fixture_pack(f);
    size_t n = f->pack.R * settings->width;
    float **rows[] = {&f->x0, &f->dh, &f->x, &f->d};
    for (size_t i = 0; i < 4; i++) *rows[i] = mem_alloc_aligned(n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        f->x0[i] = 2.0f * fixture_unit(i, 200);
        f->dh[i] = 2.0f * fixture_unit(i, 201);
    }
    fixture_plan(f);
    return f;
}

static inline void fixture_free(body_fixture *f)
{
    for (size_t a = 0; a < f->shapes->n; a++) {
        mem_free(f->forward[a]);
        mem_free(f->backward[a]);
    }
    workspace_free(&f->memory);
    mem_free(f->call.scratch);
    mem_free(f->shapes);
    mem_free(f->values);
    mem_free(f->gradient);
    mem_free(f->x0);
    mem_free(f->dh);
    mem_free(f->x);
    mem_free(f->d);
    mem_free(f);
}

/* States of the rows; they stay in the workspace. */
static inline float *fixture_forward(body_fixture *f)
{
    memcpy(f->x, f->x0, f->pack.R * f->settings.width * sizeof(float));
    workspace_back(&f->memory, 0);
    mem_guard_enter();
    float *h = f->body->forward(&f->call, f->x);
    mem_guard_leave();
    return h;
}

/* After fixture_forward: gradients of the arrays from zero, and dx. */
static inline float *fixture_backward(body_fixture *f)
{
    memcpy(f->d, f->dh, f->pack.R * f->settings.width * sizeof(float));
    memset(f->gradient, 0, f->floats * sizeof(float));
    mem_guard_enter();
    float *dx = f->body->backward(&f->call, f->d);
    mem_guard_leave();
    return dx;
}

/* ---- the twin in double ---- */

/* What a naive forward pass reads: everything as doubles. */
typedef struct naive_body {
    const body_fixture *f;
    double *values; /* laid out as the fixture's */
    double *x;      /* [R x D] */
} naive_body;

/* Sets h [R x D]. */
typedef void naive_forward(const naive_body *n, double *h);

static inline naive_body naive_new(const body_fixture *f)
{
    size_t rows = f->pack.R * f->settings.width;
    naive_body n = {.f = f};
    n.values = mem_alloc(f->floats, sizeof(double));
    n.x = mem_alloc(rows, sizeof(double));
    for (size_t i = 0; i < f->floats; i++) n.values[i] = (double)f->values[i];
    for (size_t i = 0; i < rows; i++) n.x[i] = (double)f->x0[i];
    return n;
}

static inline void naive_free(naive_body *n)
{
    mem_free(n->values);
    mem_free(n->x);
}

/* The values of the array of this name. */
static inline const double *naive_array(const naive_body *n, const char *part, unsigned index,
                                        const char *name)
{
    char whole[2 * BODY_NAME_BYTES];
    (void)snprintf(whole, sizeof whole, "%s%u.%s", part, index, name);
    const body_shapes *s = n->f->shapes;
    for (size_t a = 0; a < s->n; a++)
        if (strcmp(s->name[a], whole) == 0) return n->values + n->f->offset[a];
    fail_msg("no array %s", whole);
    return NULL;
}

/* y = W x + b of R rows. */
static inline void naive_linear(size_t R, size_t out, size_t in, const double *w,
                                const double *b, const double *x, double *y)
{
    for (size_t r = 0; r < R; r++, x += in, y += out) {
        for (size_t o = 0; o < out; o++) {
            y[o] = b[o];
            for (size_t i = 0; i < in; i++) y[o] += w[o * in + i] * x[i];
        }
    }
}

/* Dropout of R rows from `row` as body.h promises it, by the kernel's mask. */
static inline void naive_dropout(const body_fixture *f, unsigned place, size_t row, size_t R,
                                 size_t columns, double *v)
{
    float ones[256], mask[256];
    if (!f->call.training || f->settings.dropout <= 0.0f) return;
    for (size_t i = 0; i < columns; i++) ones[i] = 1.0f;
    for (size_t r = row; r < row + R; r++, v += columns) {
        f->call.k->dropout(columns, f->settings.dropout, f->call.seed,
                           body_stream(f->call.step, place),
                           (f->pack.first_row + r) * ((columns + 7) / 8), ones, mask, false);
        for (size_t i = 0; i < columns; i++) v[i] *= (double)mask[i];
    }
}

static inline double naive_loss(const naive_body *n, naive_forward *forward, double *h)
{
    double loss = 0;
    forward(n, h);
    for (size_t i = 0; i < n->f->pack.R * n->f->settings.width; i++)
        loss += (double)n->f->dh[i] * h[i];
    return loss;
}

static inline double naive_slope(const naive_body *n, naive_forward *forward, double *at,
                                 double *h)
{
    const double step = 1e-4, value = *at;
    *at = value + step;
    double above = naive_loss(n, forward, h);
    *at = value - step;
    double below = naive_loss(n, forward, h);
    *at = value;
    return (above - below) / (2 * step);
}

/* Some fifty elements spread over an array: an odd stride meets every row and column. */
static inline void naive_compare(const naive_body *n, naive_forward *forward, size_t count,
                                 double *at, const float *gradient, const char *name, double *h)
{
    double most = 0, off = 0;
    for (size_t i = 0; i < count; i += count / 50 | 1) {
        double slope = naive_slope(n, forward, at + i, h);
        most = fmax(most, fabs(slope));
        off = fmax(off, fabs(slope - (double)gradient[i]));
        if (!isfinite(gradient[i])) fail_msg("%s[%zu] is not finite", name, i);
    }
    if (most < 1e-4) fail_msg("%s: the loss does not depend on it", name);
    if (off > 2e-5 * (1 + most)) fail_msg("%s: off by %g of %g", name, off, most);
}

/* States against the twin, and the gradient of every array, dx among them, against the twin's
 * differences. */
static inline void fixture_check(body_fixture *f, naive_forward *forward)
{
    size_t D = f->settings.width, n_rows = f->pack.R * D;
    naive_body n = naive_new(f);
    double *h = mem_alloc(n_rows, sizeof(double));
    const float *states = fixture_forward(f);
    forward(&n, h);
    for (size_t i = 0; i < n_rows; i++)
        if (!(fabs(h[i] - (double)states[i]) < 2e-5))
            fail_msg("state %zu: %g, not %g", i, (double)states[i], h[i]);
    const float *dx = fixture_backward(f);
    naive_compare(&n, forward, n_rows, n.x, dx, "dx", h);
    for (size_t a = 1; a < f->shapes->n; a++)
        naive_compare(&n, forward, fixture_count(f, a), n.values + f->offset[a],
                      f->gradient + f->offset[a], f->shapes->name[a], h);
    for (size_t i = 0; i < fixture_count(f, 0); i++) assert_true(f->gradient[i] == 0.0f);
    mem_free(h);
    naive_free(&n);
}

/* Sum of dh h of the body itself. */
static inline double fixture_loss(body_fixture *f)
{
    const float *h = fixture_forward(f);
    double loss = 0;
    for (size_t i = 0; i < f->pack.R * f->settings.width; i++)
        loss += (double)f->dh[i] * (double)h[i];
    return loss;
}

/* The slope of the body's own loss along a direction of all its arrays, against its gradient:
 * what no twin follows (masks inside attention) is held to the same mask in both passes. */
static inline void fixture_check_direction(body_fixture *f, float step, double tolerance)
{
    float *kept = mem_alloc(f->floats, sizeof(float));
    memcpy(kept, f->values, f->floats * sizeof(float));
    (void)fixture_forward(f);
    (void)fixture_backward(f);
    double expected = 0, loss[2];
    for (size_t i = 0; i < f->floats; i++)
        expected += (double)f->gradient[i] * (double)fixture_unit(i, 400);
    for (int side = 0; side < 2; side++) {
        float by = side == 0 ? step : -step;
        for (size_t i = 0; i < f->floats; i++)
            f->values[i] = kept[i] + by * fixture_unit(i, 400);
        fixture_pack(f);
        loss[side] = fixture_loss(f);
    }
    memcpy(f->values, kept, f->floats * sizeof(float));
    fixture_pack(f);
    mem_free(kept);
    double slope = (loss[0] - loss[1]) / (2 * (double)step);
    if (!(fabs(slope - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("slope %g, gradient says %g", slope, expected);
    assert_true(fabs(expected) > 10 * tolerance);
}

#endif
