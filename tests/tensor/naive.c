/* Naive twins in double precision. See naive.h. */
#include "tensor/naive.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

double naive_rounded(tensor_precision p, float x)
{
    if (p == TENSOR_FP32 || !isfinite(x)) return (double)x;
    /* The two neighbours that bf16 has, and the nearer one of them. */
    uint32_t bits, low, high;
    float below, above;
    memcpy(&bits, &x, sizeof bits);
    low = bits & 0xFFFF0000u;
    high = low + 0x10000u;
    memcpy(&below, &low, sizeof below);
    memcpy(&above, &high, sizeof above);
    const double down = fabs((double)x - (double)below);
    const double up = fabs((double)above - (double)x);
    if (down < up) return (double)below;
    if (up < down) return (double)above;
    return (double)(low >> 16 & 1 ? above : below);
}

double naive_product(const naive_operands *o, size_t m, size_t n, double *size)
{
    double sum = 0, sizes = 0;
    for (size_t k = 0; k < o->K; k++) {
        const double term = naive_rounded(o->p, o->a[m * o->a_row + k * o->a_step]) *
                            naive_rounded(o->p, o->b[k * o->b_row + n * o->b_step]);
        sum += term;
        sizes += fabs(term);
    }
    if (size) *size = sizes;
    return sum;
}

double naive_normal(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

double naive_gelu(double x)
{
    return x * naive_normal(x);
}

double naive_gelu_slope(double x)
{
    return naive_normal(x) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

double naive_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

double naive_silu(double x)
{
    return x * naive_sigmoid(x);
}

double naive_silu_slope(double x)
{
    const double s = naive_sigmoid(x);
    return s + x * s * (1 - s);
}

float naive_dropout(float rate, uint64_t seed, uint64_t stream, uint64_t counter0, size_t i)
{
    uint32_t words[4];
    random_block(seed, stream, counter0 + i / 8, words);
    const uint32_t draw = words[i % 8 / 2] >> (i % 2 == 0 ? 0 : 16) & 0xFFFF;
    const uint32_t cut = (uint32_t)lrintf(rate * 65536);
    return draw < cut ? 0 : 65536 / (65536 - (float)cut);
}

void naive_adam(const naive_adam_options *o, double gradient, double *value, double *first,
                double *second)
{
    const double g = gradient * o->scale;
    *first = o->beta1 * *first + (1 - o->beta1) * g;
    *second = o->beta2 * *second + (1 - o->beta2) * g * g;
    const double m = *first / (1 - pow(o->beta1, o->step));
    const double v = *second / (1 - pow(o->beta2, o->step));
    *value -= o->rate * (m / (sqrt(v) + o->epsilon) + o->decay * *value);
}
