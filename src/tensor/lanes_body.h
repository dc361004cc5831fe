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
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef float vector __attribute__((vector_size(KERNEL_LANES * 4)));
typedef int32_t vector_int __attribute__((vector_size(KERNEL_LANES * 4)));
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

/* The copies go through a whole vector, so no byte behind the n lanes is touched. */
LANES_FUNCTION vector load_first(size_t n, const float *p, float other)
{
    vector v = splat(other);
    memcpy(&v, p, n * sizeof *p);
    return v;
}

LANES_FUNCTION void store_first(size_t n, float *p, vector v)
{
    memcpy(p, &v, n * sizeof *p);
}

LANES_FUNCTION vector choose(vector_int m, vector a, vector b)
{
    return (vector)((m & (vector_int)a) | (~m & (vector_int)b));
}

LANES_FUNCTION vector larger(vector a, vector b)
{
#if KERNEL_LANES == 16
    return (vector)_mm512_max_ps((__m512)a, (__m512)b);
#elif KERNEL_LANES == 8
    return (vector)_mm256_max_ps((__m256)a, (__m256)b);
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
#else
    for (int lane = 0; lane < KERNEL_LANES; lane++)
        a[lane] = sqrtf(a[lane]);
    return a;
#endif
}

LANES_FUNCTION float lanes_sum(vector v)
{
    for (int half = KERNEL_LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++)
            v[lane] += v[lane + half];
    return v[0];
}

/* Lanes must not hold NaN. */
LANES_FUNCTION float lanes_largest(vector v)
{
    float most = v[0];
    for (int lane = 1; lane < KERNEL_LANES; lane++)
        most = v[lane] > most ? v[lane] : most;
    return most;
}

/* e^x = 2^n e^r with n = x / log 2 to the nearest and |r| <= log 2 / 2 (Cody and Waite 1980,
 * chapter 6: log 2 in two parts so that r is exact); e^r by a polynomial of degree 6. Adding
 * and taking away 1.5 * 2^23 rounds to an integer, which then stands in the low bits. The
 * power of two is multiplied on in two halves, so results below the smallest normal number
 * are rounded once, as they should be. NaN passes: smaller and larger give x when it is NaN. */
LANES_FUNCTION vector exponential_of(vector x)
{
    const vector magic = splat(12582912.0F);
    x = larger(splat(-105.0F), smaller(splat(89.0F), x));
    const vector shifted = x * 1.44269504F + magic, n = shifted - magic;
    const vector r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
    vector p = r * 1.3888889e-3F + 8.3333333e-3F;
    p = p * r + 4.1666667e-2F;
    p = p * r + 1.6666667e-1F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    const vector_int power = (vector_int)shifted - (vector_int)magic, half = power >> 1;
    const vector_int one = (vector_int){0} + 127;
    p *= (vector)((one + half) << 23);
    return p * (vector)((one + power - half) << 23);
}
