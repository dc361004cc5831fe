/* The machine's peak. See peak.h. */
#include "bench/peak.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 12, STEPS = 80000, ROUNDS = 200, THREADS_MAX = 64 };

/* Does STEPS rounds of CHAINS multiply-adds; the result keeps them from being dropped. */
typedef float peak_loop(void);

/* Does what `each` says for every chain; spelled out, since compilers keep an array of this
 * size in memory. */
#define EVERY_CHAIN(each)                                                                    \
    each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) \
    each(11)
#define CHAIN_BEGIN(i)                                                                       \
    chain s##i = {0};                                                                        \
    __asm__ volatile("" : "+v"(s##i));
#define CHAIN_STEP(i) s##i = MULTIPLY_ADD(s##i, x);
#define CHAIN_END(i) x = MULTIPLY_ADD(x, s##i);

/* One loop for one vector type. The empty asm is a source of values that the compiler cannot
 * see through, so that it neither works the loop out beforehand nor finds all chains equal. */
#define PEAK_LOOP(name, features, type)                                                      \
    __attribute__((target(features))) static float name(void)                                \
    {                                                                                        \
        typedef type chain;                                                                  \
        chain x = {0};                                                                       \
        float first;                                                                         \
        __asm__ volatile("" : "+v"(x));                                                      \
        EVERY_CHAIN(CHAIN_BEGIN)                                                             \
        for (int step = 0; step < STEPS; step++) {                                           \
            EVERY_CHAIN(CHAIN_STEP)                                                          \
        }                                                                                    \
        EVERY_CHAIN(CHAIN_END)                                                               \
        memcpy(&first, &x, sizeof first);                                                    \
        return first;                                                                        \
    }

#if defined(__x86_64__)
#define MULTIPLY_ADD(s, v) _mm512_fmadd_ps(v, v, s)
PEAK_LOOP(fma_512, "avx512f", __m512)
#undef MULTIPLY_ADD
#define MULTIPLY_ADD(s, v) _mm512_dpbf16_ps(s, (__m512bh)(v), (__m512bh)(v))
PEAK_LOOP(dot_512, "avx512f,avx512bf16", __m512)
#undef MULTIPLY_ADD
#define MULTIPLY_ADD(s, v) _mm256_fmadd_ps(v, v, s)
PEAK_LOOP(fma_256, "avx2,fma", __m256)
#undef MULTIPLY_ADD
#define MULTIPLY_ADD(s, v) _mm_add_ps(_mm_mul_ps(v, v), s)
PEAK_LOOP(fma_128, "sse2", __m128)
#endif

typedef struct peak_work {
    peak_loop *loop;
    double flops; /* of one call */
    double gflops;
    volatile float kept;
} peak_work;

static double wall_s(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *run_rounds(void *context)
{
    peak_work *w = context;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = wall_s();
        w->kept = w->loop();
        const double gflops = 1e-9 * w->flops / (wall_s() - start);
        w->gflops = gflops > w->gflops ? gflops : w->gflops;
    }
    return NULL;
}

static peak_work work_of(const char *set, tensor_precision p)
{
    peak_work w = {0};
#if defined(__x86_64__)
    const double steps = 2.0 * CHAINS * STEPS;
    if (p == TENSOR_BF16) {
        if (strcmp(set, "avx512-bf16") == 0)
            w = (peak_work){.loop = dot_512, .flops = 32 * steps};
    } else if (strncmp(set, "avx512", 6) == 0) {
        w = (peak_work){.loop = fma_512, .flops = 16 * steps};
    } else if (strcmp(set, "avx2") == 0) {
        w = (peak_work){.loop = fma_256, .flops = 8 * steps};
    } else {
        w = (peak_work){.loop = fma_128, .flops = 4 * steps};
    }
#else
    (void)set;
    (void)p;
#endif
    return w;
}

double peak_gflops(const char *set, tensor_precision p, unsigned threads)
{
    peak_work work[THREADS_MAX];
    pthread_t thread[THREADS_MAX];
    unsigned started = 0;
    double sum = 0;
    if (!work_of(set, p).loop || threads > THREADS_MAX) return 0;
    for (unsigned i = 0; i < threads; i++)
        work[i] = work_of(set, p);
    while (started + 1 < threads &&
           pthread_create(&thread[started], NULL, run_rounds, &work[started + 1]) == 0)
        started++;
    run_rounds(&work[0]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i < threads; i++)
        sum += work[i].gflops;
    return sum;
}
