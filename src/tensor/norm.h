/*
 * Normalisation of rows, forward and backward.
 *
 * Layer norm: Ba, Kiros, Hinton 2016, equation 4; RMS norm: Zhang and Sennrich 2019,
 * equation 4. x, y [R x D]; gain, shift [D]; epsilon 1e-5 as in other libraries.
 *
 *     layer:  y = (x - mean) inverse gain + shift     inverse = 1 / sqrt(variance + epsilon)
 *     rms:    y = x inverse gain                      inverse = 1 / sqrt(mean of x^2 + epsilon)
 *
 * D >= 1; x and y must not overlap unless equal. Pure, any thread; nothing is allocated.
 */
#ifndef PROFFER_TENSOR_NORM_H
#define PROFFER_TENSOR_NORM_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/kernels.h"

#define NORM_EPSILON 1e-5f

/* mean and inverse [R] are kept for backward; both may be NULL when none follows. */
void layer_norm_forward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                        const float *gain, const float *shift, float *y, float *mean,
                        float *inverse);
/* dx [R x D] = or += (add); dgain, dshift [D] +=. dx may be dy when not adding. */
void layer_norm_backward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                         const float *gain, const float *mean, const float *inverse,
                         const float *dy, float *dx, bool add, float *dgain, float *dshift);
/* inverse [R] is kept for backward; it may be NULL when none follows. */
void rms_norm_forward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                      const float *gain, float *y, float *inverse);
void rms_norm_backward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                       const float *gain, const float *inverse, const float *dy, float *dx,
                       bool add, float *dgain);

#endif
