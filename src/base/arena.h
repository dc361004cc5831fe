/*
 * An arena: many small allocations with one lifetime, given back at once.
 *
 *     arena a;
 *     arena_init(&a, LIMIT_STEP_BYTES);
 *     char *copy = arena_copy_text(&a, text, n);   // NULL when the maximum is passed
 *     arena_reset(&a);                             // keeps the first block
 *     arena_free(&a);
 *
 * Blocks double in size. Pointers stay valid until reset or free. One thread at a time.
 */
#ifndef PROFFER_BASE_ARENA_H
#define PROFFER_BASE_ARENA_H

#include <stddef.h>

typedef struct arena_block arena_block;

typedef struct arena {
    arena_block *first, *last;
    size_t used_bytes;    /* handed out, padding included */
    size_t maximum_bytes; /* never passed */
} arena;

/* Prepares an empty arena; allocates nothing yet. */
void arena_init(arena *a, size_t maximum_bytes);

/* count * size bytes aligned to 16; NULL on overflow, maximum or failed allocation.
 * A zero product gives a valid, unique pointer. */
void *arena_alloc(arena *a, size_t count, size_t size);
void *arena_alloc_zero(arena *a, size_t count, size_t size);

/* A terminated copy of n bytes. */
char *arena_copy_text(arena *a, const char *text, size_t n);

/* Everything handed out is gone; the first block is kept for reuse. */
void arena_reset(arena *a);

/* Gives back all memory; the arena may be used again after arena_init. */
void arena_free(arena *a);

#endif
