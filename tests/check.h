/*
 * What nearly every test includes: cmocka with the headers it wants before it, and the
 * loop that lets the n-th allocation (or step of writing) fail, for n = 1, 2, ... until a
 * run needs no more of them.
 *
 *     fault f = {0};
 *     while (fault_next(&f)) {
 *         pf_status status = thing_new(&thing, &err);
 *         if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
 *         ...
 *     }
 *     assert_true(f.n > 2);   // the loop did hit something
 *
 * Everything made in a turn must be freed before the next one; the sanitizers watch.
 */
#ifndef PROFFER_TESTS_CHECK_H
#define PROFFER_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

typedef struct fault {
    uint64_t n;
    bool armed, ended;
} fault;

/* Whether this turn's allocation has failed by now. Disarms the hook, so that what
 * follows (checks, cleaning up) works undisturbed. */
static inline bool fault_reached(fault *f)
{
    if (f->armed) f->ended = mem_allocations_since() < f->n;
    mem_fail_at(0);
    f->armed = false;
    return !f->ended;
}

/* Lets the next allocation fail; false, with the hook off, when the last turn ended
 * without a failure. */
static inline bool fault_next(fault *f)
{
    if (f->n > 0 && !fault_reached(f)) return false;
    f->armed = true;
    mem_fail_at(++f->n);
    return true;
}

/* The generator of the golden values: SplitMix64's output function (Steele, Lea, Flood,
 * OOPSLA 2014) on salt * 2^32 + k, as a double in [0, 1). */
static inline double golden_unit(uint64_t k, uint64_t salt)
{
    uint64_t z = (salt << 32) + k + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

#endif
