/*
 * Vectors of one instruction set: the compilers' own vector types (vector_size), so that one
 * text serves every set, and the few operations that need an instruction's own name.
 *
 * The file that includes the bodies says first
 *
 *     KERNEL_LANES    floats of a vector: 16, 8 or 4
 *     KERNEL_VECTORS  vectors of a panel, KERNEL_ROWS rows of a tile (products_body.h)
 *     KERNEL_BF16     1 when products in bf16 can be made
 *     KERNEL_NAME, KERNEL_TABLE  the table's name and identifier
 *
 * For other bodies:
 *
 *     vector            KERNEL_LANES floats; + - * / work lane by lane, also with a scalar
 *     vector_int        as many int32, the result of comparing vectors: -1 or 0
 *     load, store       anywhere in memory; load_first, store_first: only the first n lanes,
 *                       n <= KERNEL_LANES, missing lanes read as `other`
 *     splat             all lanes the same
 *     choose(m, a, b)   lane of a where m is -1, of b where it is 0
 *     larger, smaller   (a, b): b when either is NaN
 *     root              square root
 *     lanes_sum, lanes_largest   of one vector, in one fixed order
 *     exponential_of    e^x, relative error below 3e-7, see there
 *     power_of_two_of   2^x for x <= 127: two thirds of the time of e^x; softmax terms
 *                       e^(x - m) are power_of_two_of(x * LOG2_E - m * LOG2_E), whose error
 *                       is 6e-8 |x - m| + 2.4e-7 of the term
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef float vector __attribute__((vector_size(KERNEL_LANES * 4)));
typedef int32_t vector_int __attribute__((vector_size(KERNEL_LANES * 4)));
typedef uint32_t vector_bits __attribute__((vector_size(KERNEL_LANES * 4)));
typedef vector vector_anywhere __attribute__((aligned(4), may_alias));

#define LANES_FUNCTION __attribute__((always_inline, unused)) static inline

LANES_FUNCTION vector load(const float *p)
{
    return *(const vector_anywhere *)p;
}

LANES_FUNCTION void store(float *p, vector v)
{
    *(vector_anywhere *)p = v;
}

LANES_FUNCTION vector splat(float x)
{
    return x - (vector){0};
}

LANES_FUNCTION vector choose(vector_int m, vector a, vector b)
{
    return (vector)((m & (vector_int)a) | (~m & (vector_int)b));
}

#if KERNEL_LANES == 8
LANES_FUNCTION vector_int first_lanes(size_t n)
{
    const vector_int lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return lane < (int32_t)n;
}
#endif

/* No byte behind the n lanes is touched. */
LANES_FUNCTION vector load_first(size_t n, const float *p, float other)
{
#if KERNEL_LANES == 16
    const __mmask16 lanes = (__mmask16)(n >= 16 ? 0xFFFF : (1u << n) - 1);
    return (vector)_mm512_mask_loadu_ps((__m512)splat(other), lanes, p);
#elif KERNEL_LANES == 8
    const vector_int lanes = first_lanes(n);
    return choose(lanes, (vector)_mm256_maskload_ps(p, (__m256i)lanes), splat(other));
#else
    vector v = splat(other);
    for (size_t lane = 0; lane < n && lane < KERNEL_LANES; lane++)
        v[lane] = p[lane];
    return v;
#endif
}

LANES_FUNCTION void store_first(size_t n, float *p, vector v)
{
#if KERNEL_LANES == 16
    _mm512_mask_storeu_ps(p, (__mmask16)(n >= 16 ? 0xFFFF : (1u << n) - 1), (__m512)v);
#elif KERNEL_LANES == 8
    _mm256_maskstore_ps(p, (__m256i)first_lanes(n), (__m256)v);
#else
    for (size_t lane = 0; lane < n && lane < KERNEL_LANES; lane++)
        p[lane] = v[lane];
#endif
}

LANES_FUNCTION vector larger(vector a, vector b)
{
#if KERNEL_LANES == 16
    return (vector)_mm512_max_ps((__m512)a, (__m512)b);
#elif KERNEL_LANES == 8
    return (vector)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
    return (vector)_mm_max_ps((__m128)a, (__m128)b);
#else
    return choose(a > b, a, b);
#endif
}

LANES_FUNCTION vector smaller(vector a, vector b)
{
#if KERNEL_LANES == 16
    return (vector)_mm512_min_ps((__m512)a, (__m512)b);
#elif KERNEL_LANES == 8
    return (vector)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
    return (vector)_mm_min_ps((__m128)a, (__m128)b);
#else
    return choose(a < b, a, b);
#endif
}

LANES_FUNCTION vector root(vector a)
{
#if KERNEL_LANES == 16
    return (vector)_mm512_sqrt_ps((__m512)a);
#elif KERNEL_LANES == 8
    return (vector)_mm256_sqrt_ps((__m256)a);
#elif defined(__SSE2__)
    return (vector)_mm_sqrt_ps((__m128)a);
#else
    for (int lane = 0; lane < KERNEL_LANES; lane++)
        a[lane] = sqrtf(a[lane]);
    return a;
#endif
}

/* Lane i and lane i + half (modulo 2 half, in each run of 2 half lanes) change places. */
LANES_FUNCTION vector lanes_exchanged(vector v, const int half)
{
#if KERNEL_LANES == 16
    if (half == 8)
        return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6,
                                       7);
    if (half == 4)
        return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10,
                                       11);
    if (half == 2)
        return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12,
                                       13);
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif KERNEL_LANES == 8
    if (half == 4) return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    if (half == 2) return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    if (half == 2) return __builtin_shufflevector(v, v, 2, 3, 0, 1);
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
#endif
}

/* Halves are added to each other in registers, so all lanes end with the sum. */
LANES_FUNCTION float lanes_sum(vector v)
{
#if KERNEL_LANES == 16
    v += lanes_exchanged(v, 8);
#endif
#if KERNEL_LANES >= 8
    v += lanes_exchanged(v, 4);
#endif
    v += lanes_exchanged(v, 2);
    v += lanes_exchanged(v, 1);
    return v[0];
}

/* Lanes must not hold NaN. */
LANES_FUNCTION float lanes_largest(vector v)
{
#if KERNEL_LANES == 16
    v = larger(v, lanes_exchanged(v, 8));
#endif
#if KERNEL_LANES >= 8
    v = larger(v, lanes_exchanged(v, 4));
#endif
    v = larger(v, lanes_exchanged(v, 2));
    v = larger(v, lanes_exchanged(v, 1));
    return v[0];
}

/* p 2^n where `shifted` is an integer n added to ROUNDING, so that its low bits are n. Without an
 * instruction for it the power is multiplied on in two halves, so that results below the
 * smallest normal number are rounded once, as they should be. */
#define ROUNDING 12582912.0F /* 1.5 * 2^23: adding and taking it away rounds to an integer */
#define LOG2_E 1.44269504F

LANES_FUNCTION vector scaled_by_power(vector p, vector shifted)
{
#if KERNEL_LANES == 16
    return (vector)_mm512_scalef_ps((__m512)p, (__m512)(shifted - ROUNDING));
#else
    const vector_int power = (vector_int)shifted - (vector_int)splat(ROUNDING);
    const vector_int half = power >> 1;
    p *= (vector)((half + 127) << 23);
    return p * (vector)((power - half + 127) << 23);
#endif
}

/* e^x = 2^n e^r with n = x / log 2 to the nearest and |r| <= log 2 / 2 (Cody and Waite 1980,
 * chapter 6: log 2 in two parts so that r is exact); e^r by a polynomial of degree 5 that is
 * the best in relative error (1.05e-7) with 1 + r at its head. NaN passes: smaller and larger
 * give x when it is NaN. */
LANES_FUNCTION vector exponential_of(vector x)
{
    x = larger(splat(-105.0F), smaller(splat(89.0F), x));
    const vector shifted = x * LOG2_E + ROUNDING, n = shifted - ROUNDING;
    const vector r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
    vector p = r * 8.31247773e-3F + 4.18905504e-2F;
    p = p * r + 0.166671157F;
    p = p * r + 0.499992281F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    return scaled_by_power(p, shifted);
}

/* 2^x, the polynomial as above. Results below 2^-125 come out as that. */
LANES_FUNCTION vector power_of_two_of(vector x)
{
    x = larger(splat(-125.0F), x);
    const vector shifted = x + ROUNDING, n = shifted - ROUNDING, r = x - n;
    vector p = r * 1.33001886e-3F + 9.6698096e-3F;
    p = p * r + 5.55056073e-2F;
    p = p * r + 0.240222797F;
    p = p * r + 0.693147181F;
    p = p * r + 1.0F;
#if KERNEL_LANES == 16
    return (vector)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    const vector_int power = (vector_int)shifted - (vector_int)splat(ROUNDING);
    return p * (vector)((power + 127) << 23);
#endif
}
