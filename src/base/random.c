/*
 * Philox 4x32-10 and the draws on top of it (base/random.h names the papers). The key is
 * the seed, the counter's four words are (counter low, counter high, stream low, stream
 * high), so streams never overlap.
 */
#include "base/random.h"

#include <math.h>

enum { PHILOX_ROUNDS = 10 };

/* Multipliers and key increments: Salmon et al., section 3.3 and table 2. */
static const uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
static const uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;

void random_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)multiplier_0 * c0;
        uint64_t p1 = (uint64_t)multiplier_1 * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += weyl_0;
        k1 += weyl_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

random_stream random_begin(uint64_t seed, uint64_t stream)
{
    return (random_stream){.seed = seed, .stream = stream};
}

uint32_t random_u32(random_stream *r)
{
    if (r->left == 0) {
        random_block(r->seed, r->stream, r->counter++, r->block);
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

uint64_t random_u64(random_stream *r)
{
    uint64_t high = random_u32(r);
    return high << 32 | random_u32(r);
}

double random_unit(random_stream *r)
{
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}

uint32_t random_below(random_stream *r, uint32_t n)
{
    uint64_t product = (uint64_t)random_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t unfair = (uint32_t)(-n) % n;
        while ((uint32_t)product < unfair)
            product = (uint64_t)random_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}

double random_normal(random_stream *r)
{
    double radius = sqrt(-2.0 * log(1.0 - random_unit(r)));
    return radius * cos(2.0 * M_PI * random_unit(r));
}

double random_gamma(random_stream *r, double a)
{
    if (a < 1.0) {
        /* Their section 6: a gamma of shape a + 1 times U^(1/a). */
        double u = 1.0 - random_unit(r);
        return random_gamma(r, a + 1.0) * pow(u, 1.0 / a);
    }
    double d = a - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = random_normal(r), v = 1.0 + c * x;
        if (v <= 0.0) continue;
        v = v * v * v;
        double u = 1.0 - random_unit(r);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}
