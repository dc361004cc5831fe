/*
 * The intern table of base/intern.h: open addressing with linear probing over slots of
 * (text, number, 32 bits of the hash), at most three quarters full; texts in chunks that
 * never move, each as
 *
 *     [ length: 4 bytes ][ text ][ 0 ]
 *
 * so a number costs one pointer and a text five bytes more than itself.
 */
#include "base/intern.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { CHUNK_FIRST_BYTES = 4096, CHUNK_LARGEST_BYTES = 1 << 20, SLOTS_FIRST = 64 };

typedef struct chunk {
    struct chunk *next;
    size_t size, used;
    char data[];
} chunk;

typedef struct slot {
    const char
        *text;       /* so that a look-up touches the slot and the text, no third place */
    uint32_t number; /* 0 = free */
    uint32_t tag;
} slot;

struct intern {
    hash_key key;
    uint32_t maximum, count;
    size_t mask; /* slots - 1, a power of two less one */
    slot *slots;
    const char **texts; /* [number - 1]: behind the length */
    size_t texts_capacity;
    chunk *newest;
};

intern *intern_new(uint32_t maximum)
{
    intern *t = mem_alloc_zero(1, sizeof *t);
    if (!t) return NULL;
    t->slots = mem_alloc_zero(SLOTS_FIRST, sizeof *t->slots);
    if (!t->slots) {
        mem_free(t);
        return NULL;
    }
    t->mask = SLOTS_FIRST - 1;
    t->maximum = maximum;
    t->key = hash_key_process();
    return t;
}

void intern_free(intern *t)
{
    if (!t) return;
    while (t->newest) {
        chunk *next = t->newest->next;
        mem_free(t->newest);
        t->newest = next;
    }
    mem_free(t->texts);
    mem_free(t->slots);
    mem_free(t);
}

static uint32_t length_of(const char *text)
{
    uint32_t n;
    memcpy(&n, text - sizeof n, sizeof n);
    return n;
}

/* The slot that holds the text, or the free one where it belongs. */
static size_t find_slot(const intern *t, uint64_t hash, const char *text, size_t n)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t i = (size_t)hash & t->mask;; i = (i + 1) & t->mask) {
        const slot *s = &t->slots[i];
        if (s->number == 0) return i;
        if (s->tag != tag) continue;
        if (length_of(s->text) == n && (n == 0 || memcmp(s->text, text, n) == 0))
            return i;
    }
}

/* Twice the slots. A slot keeps only half of the hash, so texts are hashed again. */
static bool grow_slots(intern *t)
{
    size_t slots;
    if (!size_multiply(t->mask + 1, 2, &slots)) return false;
    slot *fresh = mem_alloc_zero(slots, sizeof *fresh);
    if (!fresh) return false;
    size_t mask = slots - 1;
    for (uint32_t number = 1; number <= t->count; number++) {
        const char *text = t->texts[number - 1];
        uint64_t hash = hash_bytes(text, length_of(text), &t->key);
        size_t i = (size_t)hash & mask;
        while (fresh[i].number)
            i = (i + 1) & mask;
        fresh[i] = (slot){.text = text, .number = number, .tag = (uint32_t)(hash >> 32)};
    }
    mem_free(t->slots);
    t->slots = fresh;
    t->mask = mask;
    return true;
}

static chunk *chunk_with_room(intern *t, size_t bytes)
{
    if (t->newest && bytes <= t->newest->size - t->newest->used) return t->newest;
    size_t size = t->newest ? t->newest->size * 2 : CHUNK_FIRST_BYTES;
    if (size > CHUNK_LARGEST_BYTES) size = CHUNK_LARGEST_BYTES;
    if (size < bytes) size = bytes;
    chunk *c = mem_alloc(sizeof *c + size, 1);
    if (!c) return NULL;
    c->next = t->newest;
    c->size = size;
    c->used = 0;
    t->newest = c;
    return c;
}

/* A copy behind its length; NULL when memory is short. */
static const char *keep_text(intern *t, const char *text, size_t n)
{
    uint32_t length = (uint32_t)n;
    chunk *c = chunk_with_room(t, sizeof length + n + 1);
    if (!c) return NULL;
    char *at = c->data + c->used;
    memcpy(at, &length, sizeof length);
    at += sizeof length;
    if (n > 0) memcpy(at, text, n);
    at[n] = '\0';
    c->used += sizeof length + n + 1;
    return at;
}

uint32_t intern_add(intern *t, const char *text, size_t n)
{
    uint64_t hash = hash_bytes(text, n, &t->key);
    size_t i = find_slot(t, hash, text, n);
    if (t->slots[i].number) return t->slots[i].number;
    if (t->count >= t->maximum || n > UINT32_MAX / 2) return 0;
    if (!mem_reserve((void **)&t->texts, &t->texts_capacity, (size_t)t->count + 1,
                     sizeof *t->texts))
        return 0;
    if ((size_t)t->count + 1 > (t->mask + 1) / 4 * 3) {
        if (!grow_slots(t)) return 0;
        i = find_slot(t, hash, text, n);
    }
    const char *kept = keep_text(t, text, n);
    if (!kept) return 0;
    t->texts[t->count++] = kept;
    t->slots[i] = (slot){.text = kept, .number = t->count, .tag = (uint32_t)(hash >> 32)};
    return t->count;
}

uint32_t intern_find(const intern *t, const char *text, size_t n)
{
    return intern_find_hashed(t, hash_bytes(text, n, &t->key), text, n);
}

uint64_t intern_hash(const intern *t, const char *text, size_t n)
{
    uint64_t hash = hash_bytes(text, n, &t->key);
    __builtin_prefetch(&t->slots[(size_t)hash & t->mask]);
    return hash;
}

uint32_t intern_find_hashed(const intern *t, uint64_t hash, const char *text, size_t n)
{
    return t->slots[find_slot(t, hash, text, n)].number;
}

const char *intern_text(const intern *t, uint32_t number)
{
    return t->texts[number - 1];
}

size_t intern_length(const intern *t, uint32_t number)
{
    return length_of(t->texts[number - 1]);
}

uint32_t intern_count(const intern *t)
{
    return t->count;
}
