/*
 * What norm.c asks of an instruction set; norm_body.h makes the functions. Arguments as in
 * norm.h, NULL where that allows it.
 */
#ifndef PROFFER_TENSOR_NORM_KERNELS_H
#define PROFFER_TENSOR_NORM_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct norm_kernels {
    void (*layer_forward)(size_t R, size_t D, const float *x, const float *gain,
                          const float *shift, float *y, float *mean, float *inverse);
    void (*layer_backward)(size_t R, size_t D, const float *x, const float *gain,
                           const float *mean, const float *inverse, const float *dy, float *dx,
                           bool add, float *dgain, float *dshift);
    void (*rms_forward)(size_t R, size_t D, const float *x, const float *gain, float *y,
                        float *inverse);
    void (*rms_backward)(size_t R, size_t D, const float *x, const float *gain,
                         const float *inverse, const float *dy, float *dx, bool add,
                         float *dgain);
} norm_kernels;

#endif
