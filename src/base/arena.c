/*
 * The arena of base/arena.h: a chain of blocks, the newest of which serves.
 *
 *     first -> [ next | size | used | ....data.... ] -> ... -> last
 *
 * Each block is twice the one before, cut to what the maximum leaves, so a small arena
 * stays small and a large one takes few blocks.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { ARENA_ALIGN = 16, ARENA_FIRST_BYTES = 4096 };

struct arena_block {
    arena_block *next;
    size_t size, used;
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

void arena_init(arena *a, size_t maximum_bytes)
{
    *a = (arena){.maximum_bytes = maximum_bytes};
}

static bool padded_bytes(size_t count, size_t size, size_t *padded)
{
    size_t bytes;
    if (!size_multiply(count, size, &bytes) || !size_add(bytes, ARENA_ALIGN - 1, &bytes))
        return false;
    bytes = bytes / ARENA_ALIGN * ARENA_ALIGN;
    *padded = bytes ? bytes : ARENA_ALIGN;
    return true;
}

/* A new last block with room for `bytes`, which the maximum is known to allow. */
static arena_block *add_block(arena *a, size_t bytes)
{
    size_t size = ARENA_FIRST_BYTES;
    if (a->last && !size_multiply(a->last->size, 2, &size)) size = SIZE_MAX;
    size_t left = a->maximum_bytes - a->used_bytes;
    if (size > left) size = left;
    if (size < bytes) size = bytes;
    size_t total;
    if (!size_add(sizeof(arena_block), size, &total)) return NULL;
    arena_block *b = mem_alloc(total, 1);
    if (!b) return NULL;
    b->next = NULL;
    b->size = size;
    b->used = 0;
    if (a->last)
        a->last->next = b;
    else
        a->first = b;
    a->last = b;
    return b;
}

void *arena_alloc(arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (!padded_bytes(count, size, &bytes) || bytes > a->maximum_bytes - a->used_bytes)
        return NULL;
    arena_block *b = a->last;
    if (!b || bytes > b->size - b->used) {
        b = add_block(a, bytes);
        if (!b) return NULL;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    a->used_bytes += bytes;
    return p;
}

void *arena_alloc_zero(arena *a, size_t count, size_t size)
{
    void *p = arena_alloc(a, count, size);
    if (p && count > 0 && size > 0) memset(p, 0, count * size);
    return p;
}

char *arena_copy_text(arena *a, const char *text, size_t n)
{
    size_t bytes;
    if (!size_add(n, 1, &bytes)) return NULL;
    char *copy = arena_alloc(a, bytes, 1);
    if (!copy) return NULL;
    if (n > 0) memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

static void free_chain(arena_block *b)
{
    while (b) {
        arena_block *next = b->next;
        mem_free(b);
        b = next;
    }
}

void arena_reset(arena *a)
{
    a->used_bytes = 0;
    if (!a->first) return;
    free_chain(a->first->next);
    a->first->next = NULL;
    a->first->used = 0;
    a->last = a->first;
}

void arena_free(arena *a)
{
    free_chain(a->first);
    *a = (arena){.maximum_bytes = 0};
}
