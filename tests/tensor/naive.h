/*
 * Naive twins of tensor/kernels.h: plain loops in the order of the formula, in double
 * precision. A tuned kernel is right when it is as near to its twin as its number format
 * allows; the tests say how near.
 */
#ifndef PROFFER_TESTS_TENSOR_NAIVE_H
#define PROFFER_TESTS_TENSOR_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/kernels.h"

/* x as the number format of p holds it: itself, or the nearest bf16, ties to even. */
double naive_rounded(tensor_precision p, float x);

/* Element (m, n) of A B with A[m][k] = a[m * a_row + k * a_step], B[k][n] likewise, both
 * operands rounded to p; *size (may be NULL) is the sum of the terms' absolute values, what
 * an error is measured against. */
typedef struct naive_operands {
    tensor_precision p;
    size_t K;
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_row, b_step;
} naive_operands;
double naive_product(const naive_operands *o, size_t m, size_t n, double *size);

double naive_normal(double x); /* Phi */
double naive_gelu(double x);
double naive_gelu_slope(double x);
double naive_sigmoid(double x);
double naive_silu(double x);
double naive_silu_slope(double x);

/* What dropout multiplies element i by: 0, or 1 / (1 - rate) with the rate rounded. */
float naive_dropout(float rate, uint64_t seed, uint64_t stream, uint64_t counter0, size_t i);

/* One value of Adam, in place. */
typedef struct naive_adam_options {
    double scale, rate, beta1, beta2, epsilon, decay;
    unsigned step; /* 1, 2, ... */
} naive_adam_options;
void naive_adam(const naive_adam_options *o, double gradient, double *value, double *first,
                double *second);

#endif
