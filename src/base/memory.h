/*
 * Allocation: one policy, "may fail". Sizes are products checked for overflow; a failure
 * is a NULL the caller turns into PF_NO_MEMORY. Two switches serve the tests:
 *   - mem_fail_at(n): the n-th allocation from now fails (fault injection);
 *   - mem_guard_enter/leave: between them an allocation of this thread aborts, which
 *     is how "no allocation in this path" is tested rather than believed.
 * All functions are thread-safe.
 */
#ifndef PROFFER_BASE_MEMORY_H
#define PROFFER_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* count * size bytes, uninitialised; NULL on overflow, failure, or a zero product. */
void *mem_alloc(size_t count, size_t size) __attribute__((malloc));

/* The same, zeroed. */
void *mem_alloc_zero(size_t count, size_t size) __attribute__((malloc));

/* Resizes to count * size; on failure NULL and the old block is untouched. */
void *mem_resize(void *block, size_t count, size_t size);

/* 64-byte aligned, uninitialised, freed with mem_free; for vectors and matrices. */
void *mem_alloc_aligned(size_t count, size_t size) __attribute__((malloc));

/* Frees; NULL is fine. */
void mem_free(void *block);

/* A terminated copy of n bytes, or NULL. */
char *mem_copy_text(const char *text, size_t n) __attribute__((malloc));

/* Checked arithmetic on sizes: false on overflow, *out untouched. */
bool size_add(size_t a, size_t b, size_t *out);
bool size_multiply(size_t a, size_t b, size_t *out);

/* Grows *block (of *capacity elements of size bytes) so that it holds `needed`, doubling;
 * false on failure with *block and *capacity untouched, true otherwise. */
bool mem_reserve(void **block, size_t *capacity, size_t needed, size_t size);

/* Tests: the n-th allocation from now fails, once (n >= 1); 0 switches off.
 * Process-wide. */
void mem_fail_at(uint64_t n);
/* Tests: how many allocations were made since the last mem_fail_at. */
uint64_t mem_allocations_since(void);

/* Hot paths: an allocation by this thread between enter and leave aborts. Nest freely. */
void mem_guard_enter(void);
void mem_guard_leave(void);

#endif
