/*
 * The doors of norm.h: the work is done by the table's norm_body.h.
 */
#include "tensor/norm.h"

#include "tensor/norm_kernels.h"

void layer_norm_forward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                        const float *gain, const float *shift, float *y, float *mean,
                        float *inverse)
{
    k->norm->layer_forward(R, D, x, gain, shift, y, mean, inverse);
}

void layer_norm_backward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                         const float *gain, const float *mean, const float *inverse,
                         const float *dy, float *dx, bool add, float *dgain, float *dshift)
{
    k->norm->layer_backward(R, D, x, gain, mean, inverse, dy, dx, add, dgain, dshift);
}

void rms_norm_forward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                      const float *gain, float *y, float *inverse)
{
    k->norm->rms_forward(R, D, x, gain, y, inverse);
}

void rms_norm_backward(const tensor_kernels *k, size_t R, size_t D, const float *x,
                       const float *gain, const float *inverse, const float *dy, float *dx,
                       bool add, float *dgain)
{
    k->norm->rms_backward(R, D, x, gain, inverse, dy, dx, add, dgain);
}
