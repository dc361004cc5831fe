/* A set of id hashes with where they stood; see seen.h. Open addressing, linear probing,
 * at most three quarters full. */
#include "intake/seen.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"

enum { FIRST_SLOTS = 1024, LINE_BITS = 48 };

typedef struct slot {
    uint64_t id; /* 0 = free */
    uint64_t row;
    uint64_t place; /* file and line */
} slot;

struct seen_ids {
    hash_key key;
    slot *slots;
    size_t mask, count;
};

seen_ids *seen_new(void)
{
    seen_ids *s = mem_alloc_zero(1, sizeof *s);
    if (s == NULL) return NULL;
    s->slots = mem_alloc_zero(FIRST_SLOTS, sizeof *s->slots);
    if (s->slots == NULL) {
        mem_free(s);
        return NULL;
    }
    s->mask = FIRST_SLOTS - 1;
    s->key = hash_key_process();
    return s;
}

void seen_free(seen_ids *s)
{
    if (s == NULL) return;
    mem_free(s->slots);
    mem_free(s);
}

static slot *find(slot *slots, size_t mask, uint64_t id)
{
    size_t i = (size_t)id & mask;
    while (slots[i].id != 0 && slots[i].id != id)
        i = (i + 1) & mask;
    return &slots[i];
}

static seen_answer grow(seen_ids *s)
{
    const size_t n = 2 * (s->mask + 1);
    if (n > LIMIT_IMPORT_BYTES / sizeof(slot)) return SEEN_FULL;
    slot *larger = mem_alloc_zero(n, sizeof *larger);
    if (larger == NULL) return SEEN_NO_MEMORY;
    for (size_t i = 0; i <= s->mask; i++)
        if (s->slots[i].id != 0) *find(larger, n - 1, s->slots[i].id) = s->slots[i];
    mem_free(s->slots);
    s->slots = larger;
    s->mask = n - 1;
    return SEEN_NEW;
}

seen_answer seen_look(seen_ids *s, text id, text row, uint32_t *file, uint64_t *line)
{
    const uint64_t hash = hash_bytes(id.data, id.n, &s->key) | 1;
    const uint64_t content = hash_bytes(row.data, row.n, &s->key);
    slot *at = find(s->slots, s->mask, hash);
    if (at->id != 0) {
        *file = (uint32_t)(at->place >> LINE_BITS);
        *line = at->place & ((UINT64_C(1) << LINE_BITS) - 1);
        return at->row == content ? SEEN_SAME : SEEN_OTHER;
    }
    if (4 * (s->count + 1) > 3 * (s->mask + 1)) {
        const seen_answer answer = grow(s);
        if (answer != SEEN_NEW) return answer;
        at = find(s->slots, s->mask, hash);
    }
    *at = (slot){hash, content, (uint64_t)*file << LINE_BITS | *line};
    s->count++;
    return SEEN_NEW;
}
