/*
 * Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel
 * random numbers: as easy as 1, 2, 3", SC 2011, section 3.3). A number is a function of
 * (seed, stream, counter), so the same draw is the same whatever the thread count or the
 * order of work.
 *
 *     random_stream r = random_begin(seed, RANDOM_STREAM_BOOTSTRAP + replicate);
 *     double u = random_unit(&r);
 *
 * A stream belongs to one thread.
 */
#ifndef PROFFER_BASE_RANDOM_H
#define PROFFER_BASE_RANDOM_H

#include <stdint.h>

typedef struct random_stream {
    uint64_t seed, stream, counter;
    uint32_t block[4];
    int left;
} random_stream;

random_stream random_begin(uint64_t seed, uint64_t stream);
uint32_t random_u32(random_stream *r);
uint64_t random_u64(random_stream *r);
/* Uniform in [0, 1) with 53 bits. */
double random_unit(random_stream *r);
/* Uniform in 0..n-1 without bias (Lemire 2019); n >= 1. */
uint32_t random_below(random_stream *r, uint32_t n);
/* Standard normal (Box-Muller). */
double random_normal(random_stream *r);
/* Gamma with shape a > 0 and scale 1 (Marsaglia & Tsang 2000). */
double random_gamma(random_stream *r, double a);
/* The four 32-bit words at one counter, for kernels that index draws themselves. */
void random_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

#endif
