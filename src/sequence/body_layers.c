/* Layers of bodies; the loops over numbers stand in tensor/. */
#include "sequence/body_layers.h"

#include <math.h>
#include <string.h>

#include "tensor/norm.h"

/* ---- arrays and their numbers ---- */

static size_t layout_array(body_layout *l, const char *name, parameter_shape shape,
                           bool matrix)
{
    if (l->out) body_shapes_add(l->out, shape, matrix, "%s%u.%s", l->part, l->index, name);
    return l->next++;
}

size_t layout_vector(body_layout *l, const char *name, size_t n, parameter_start start)
{
    return layout_array(l, name, (parameter_shape){.rows = 1, .columns = n, .start = start},
                        false);
}

linear_layer layout_linear(body_layout *l, const char *w, const char *b, size_t outputs,
                           size_t inputs)
{
    parameter_shape weight = {.rows = outputs,
                              .columns = inputs,
                              .start = PARAMETER_NORMAL,
                              .spread = 1.0f / sqrtf(3.0f * (float)inputs),
                              .decays = true};
    linear_layer layer = {.outputs = outputs, .inputs = inputs};
    layer.w = layout_array(l, w, weight, true);
    layer.b = layout_vector(l, b, outputs, PARAMETER_ZERO);
    return layer;
}

norm_layer layout_norm(body_layout *l, const char *gain, const char *shift, size_t width)
{
    norm_layer layer = {.width = width, .rms = l->settings->rms_norm};
    layer.gain = layout_vector(l, gain, width, PARAMETER_ONE);
    if (!layer.rms) layer.shift = layout_vector(l, shift, width, PARAMETER_ZERO);
    return layer;
}

/* ---- memory ---- */

bool body_counts(const body_call *c)
{
    return c->memory->base == NULL;
}

float *body_floats(body_call *c, size_t rows, size_t columns)
{
    return workspace_take(c->memory, rows, columns * sizeof(float));
}

/* ---- linear ---- */

static const float *value(const body_call *c, size_t array)
{
    return c->values + c->offset[array];
}

static float *gradient(const body_call *c, size_t array)
{
    return c->gradient + c->offset[array];
}

void linear_forward(const body_call *c, const linear_layer *l, size_t M, const float *x,
                    float *y, product_mode mode)
{
    c->k->product(c->precision, M, l->outputs, l->inputs, x, l->inputs, c->forward[l->w],
                  value(c, l->b), y, l->outputs, mode, c->scratch);
}

void linear_backward(const body_call *c, const linear_layer *l, size_t M, const float *x,
                     const float *dy, float *dx, product_mode mode)
{
    /* y = x W^T + b */
    c->k->product_transposed(c->precision, l->outputs, l->inputs, M, dy, l->outputs, x,
                             l->inputs, gradient(c, l->w), l->inputs, c->scratch);
    for (size_t r = 0; r < M; r++)
        c->k->add_scaled(l->outputs, 1.0f, dy + r * l->outputs, gradient(c, l->b));
    if (dx)
        c->k->product(c->precision, M, l->inputs, l->outputs, dy, l->outputs,
                      c->backward[l->w], NULL, dx, l->inputs, mode, c->scratch);
}

/* ---- norm ---- */

void norm_forward(const body_call *c, const norm_layer *l, size_t M, const float *x, float *y,
                  float *mean, float *inverse)
{
    if (l->rms)
        rms_norm_forward(c->k, M, l->width, x, value(c, l->gain), y, inverse);
    else
        layer_norm_forward(c->k, M, l->width, x, value(c, l->gain), value(c, l->shift), y, mean,
                           inverse);
}

void norm_backward(const body_call *c, const norm_layer *l, size_t M, const float *x,
                   const float *mean, const float *inverse, const float *dy, float *dx,
                   bool add)
{
    if (l->rms)
        rms_norm_backward(c->k, M, l->width, x, value(c, l->gain), inverse, dy, dx, add,
                          gradient(c, l->gain));
    else
        layer_norm_backward(c->k, M, l->width, x, value(c, l->gain), mean, inverse, dy, dx, add,
                            gradient(c, l->gain), gradient(c, l->shift));
}

/* ---- dropout ---- */

/* Each row starts at a counter of its own, eight elements a count: a row's mask depends on its
 * number in the batch alone. Rows that fill their counters go in one call. */
void dropout_rows(const body_call *c, unsigned place, float rate, size_t row, size_t M,
                  size_t columns, const float *x, float *y, bool add)
{
    size_t n = M * columns, counts = (columns + 7) / 8;
    if (!c->training || rate <= 0.0f) {
        if (add)
            c->k->add_scaled(n, 1.0f, x, y);
        else if (x != y)
            memcpy(y, x, n * sizeof *y);
        return;
    }
    uint64_t stream = body_stream(c->step, place);
    uint64_t counter = (uint64_t)(c->pack->first_row + row) * counts;
    size_t together = columns % 8 == 0 ? n : columns;
    for (size_t i = 0; i < n; i += together, counter += counts)
        c->k->dropout(together, rate, c->seed, stream, counter, x + i, y + i, add);
}
