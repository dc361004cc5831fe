/*
 * Allocation that may fail, with the two switches of base/memory.h for tests. In a
 * program that never calls mem_fail_at an allocation costs one relaxed load more than
 * malloc; the counter is touched only once a test has asked for it.
 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNED_BYTES = 64 };

static atomic_bool counting;
static atomic_uint_fast64_t made;    /* allocations since the last mem_fail_at */
static atomic_uint_fast64_t fail_at; /* 0 = off */
static _Thread_local unsigned guard_depth;

/* Every allocation passes here: true when this one has to fail. */
static bool must_fail(void)
{
    if (guard_depth > 0) {
        fputs("proffer: an allocation inside a path that promises none\n", stderr);
        abort();
    }
    if (!atomic_load_explicit(&counting, memory_order_relaxed)) return false;
    uint_fast64_t number = atomic_fetch_add(&made, 1) + 1;
    return number == atomic_load(&fail_at);
}

bool size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

bool size_multiply(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

/* The checked product; false when nothing may be allocated. */
static bool wanted_bytes(size_t count, size_t size, size_t *bytes)
{
    return size_multiply(count, size, bytes) && *bytes > 0;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (!wanted_bytes(count, size, &bytes) || must_fail()) return NULL;
    return malloc(bytes);
}

void *mem_alloc_zero(size_t count, size_t size)
{
    size_t bytes;
    if (!wanted_bytes(count, size, &bytes) || must_fail()) return NULL;
    return calloc(1, bytes);
}

void *mem_resize(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!wanted_bytes(count, size, &bytes) || must_fail()) return NULL;
    return realloc(block, bytes);
}

void *mem_alloc_aligned(size_t count, size_t size)
{
    size_t bytes, padded;
    if (!wanted_bytes(count, size, &bytes) ||
        !size_add(bytes, ALIGNED_BYTES - 1, &padded) || must_fail())
        return NULL;
    return aligned_alloc(ALIGNED_BYTES, padded / ALIGNED_BYTES * ALIGNED_BYTES);
}

void mem_free(void *block)
{
    free(block);
}

char *mem_copy_text(const char *text, size_t n)
{
    size_t bytes;
    if (!size_add(n, 1, &bytes)) return NULL;
    char *copy = mem_alloc(bytes, 1);
    if (!copy) return NULL;
    if (n > 0) memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

bool mem_reserve(void **block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) return true;
    size_t larger = *capacity < 8 ? 8 : *capacity;
    while (larger < needed) {
        if (!size_multiply(larger, 2, &larger)) larger = needed;
    }
    void *moved = mem_resize(*block, larger, size);
    if (!moved) return false;
    *block = moved;
    *capacity = larger;
    return true;
}

void mem_fail_at(uint64_t n)
{
    atomic_store(&fail_at, 0);
    atomic_store(&made, 0);
    atomic_store(&fail_at, n);
    atomic_store(&counting, true);
}

uint64_t mem_allocations_since(void)
{
    return atomic_load(&made);
}

void mem_guard_enter(void)
{
    guard_depth++;
}

void mem_guard_leave(void)
{
    if (guard_depth == 0) {
        fputs("proffer: mem_guard_leave without mem_guard_enter\n", stderr);
        abort();
    }
    guard_depth--;
}
