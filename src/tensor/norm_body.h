/*
 * Layer norm and RMS norm of norm.h for one instruction set; lanes_body.h says how it is
 * included. A row is read from the cache of the first level two or three times: sums first,
 * then what they make of it. Sums run in one fixed order, the variance around the mean.
 */
#include "tensor/norm.h"
#include "tensor/norm_kernels.h"

/* How many of the lanes at column d are inside a row. */
LANES_FUNCTION size_t norm_lanes(size_t D, size_t d)
{
    return D - d < KERNEL_LANES ? D - d : KERNEL_LANES;
}

/* Whole vectors go by the plain instruction: a copy of n bytes is a call. */
LANES_FUNCTION vector norm_load(const float *row, size_t D, size_t d)
{
    const size_t n = norm_lanes(D, d);
    return n == KERNEL_LANES ? load(row + d) : load_first(n, row + d, 0);
}

LANES_FUNCTION void norm_store(float *row, size_t D, size_t d, vector v)
{
    const size_t n = norm_lanes(D, d);
    if (n == KERNEL_LANES)
        store(row + d, v);
    else
        store_first(n, row + d, v);
}

/* ---- forward ---- */

static void norm_layer_forward(size_t R, size_t D, const float *x, const float *gain,
                               const float *shift, float *y, float *mean, float *inverse)
{
    for (size_t i = 0; i < R; i++, x += D, y += D) {
        vector total = {0}, squares = {0};
        for (size_t d = 0; d < D; d += KERNEL_LANES)
            total += norm_load(x, D, d);
        const float m = lanes_sum(total) / (float)D;
        size_t d = 0;
        for (; d + KERNEL_LANES <= D; d += KERNEL_LANES)
            squares += (load(x + d) - m) * (load(x + d) - m);
        if (d < D) { /* lanes outside read as the mean, so that they add nothing */
            const vector rest = load_first(D - d, x + d, m) - m;
            squares += rest * rest;
        }
        const float scale = 1 / sqrtf(lanes_sum(squares) / (float)D + NORM_EPSILON);
        for (d = 0; d < D; d += KERNEL_LANES)
            norm_store(y, D, d,
                       (norm_load(x, D, d) - m) * scale * norm_load(gain, D, d) +
                           norm_load(shift, D, d));
        if (mean) mean[i] = m;
        if (inverse) inverse[i] = scale;
    }
}

static void norm_rms_forward(size_t R, size_t D, const float *x, const float *gain, float *y,
                             float *inverse)
{
    for (size_t i = 0; i < R; i++, x += D, y += D) {
        vector squares = {0};
        for (size_t d = 0; d < D; d += KERNEL_LANES)
            squares += norm_load(x, D, d) * norm_load(x, D, d);
        const float scale = 1 / sqrtf(lanes_sum(squares) / (float)D + NORM_EPSILON);
        for (size_t d = 0; d < D; d += KERNEL_LANES)
            norm_store(y, D, d, norm_load(x, D, d) * scale * norm_load(gain, D, d));
        if (inverse) inverse[i] = scale;
    }
}

/* ---- backward ---- */

/* With n = (x - mean) inverse, y = n gain + shift and g = dy gain:
 *     dx = inverse (g - mean(g) - n mean(g n))        RMS norm: mean = 0, no mean(g)
 * One row; rms is a constant wherever this is inlined. */
LANES_FUNCTION void norm_row_back(const bool rms, size_t D, const float *x, const float *gain,
                                  float mean, float inverse, const float *dy, float *dx,
                                  bool add, float *dgain, float *dshift)
{
    vector of_g = {0}, of_gn = {0};
    for (size_t d = 0; d < D; d += KERNEL_LANES) {
        /* Outside the row dy is 0, so n there does not matter. */
        const vector n = (norm_load(x, D, d) - mean) * inverse;
        const vector up = norm_load(dy, D, d), g = up * norm_load(gain, D, d);
        if (!rms) of_g += g;
        of_gn += g * n;
        norm_store(dgain, D, d, norm_load(dgain, D, d) + up * n);
        if (!rms) norm_store(dshift, D, d, norm_load(dshift, D, d) + up);
    }
    const float a = rms ? 0 : lanes_sum(of_g) / (float)D, b = lanes_sum(of_gn) / (float)D;
    for (size_t d = 0; d < D; d += KERNEL_LANES) {
        const vector n = (norm_load(x, D, d) - mean) * inverse;
        const vector g = norm_load(dy, D, d) * norm_load(gain, D, d);
        vector down = (g - a - n * b) * inverse;
        if (add) down += norm_load(dx, D, d);
        norm_store(dx, D, d, down);
    }
}

static void norm_layer_backward(size_t R, size_t D, const float *x, const float *gain,
                                const float *mean, const float *inverse, const float *dy,
                                float *dx, bool add, float *dgain, float *dshift)
{
    for (size_t i = 0; i < R; i++)
        norm_row_back(false, D, x + i * D, gain, mean[i], inverse[i], dy + i * D, dx + i * D,
                      add, dgain, dshift);
}

static void norm_rms_backward(size_t R, size_t D, const float *x, const float *gain,
                              const float *inverse, const float *dy, float *dx, bool add,
                              float *dgain)
{
    for (size_t i = 0; i < R; i++)
        norm_row_back(true, D, x + i * D, gain, 0, inverse[i], dy + i * D, dx + i * D, add,
                      dgain, NULL);
}

static const norm_kernels norm_table = {
    .layer_forward = norm_layer_forward,
    .layer_backward = norm_layer_backward,
    .rms_forward = norm_rms_forward,
    .rms_backward = norm_rms_backward,
};
