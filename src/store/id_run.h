/*
 * A run of event ids in memory: hashes in order of arrival, sorted (equal ones keep their
 * order), then read out. Hashes are uniform, so a radix sort from the top digit leaves
 * tiny groups after two passes.
 */
#ifndef PROFFER_STORE_ID_RUN_H
#define PROFFER_STORE_ID_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/merge.h"
#include "store/spool.h"

/* 96 bits of a hash of the event's id and 32 bits of one of its content. */
typedef struct id_hash {
    uint64_t high;
    uint64_t low; /* upper half: the id's last 32 bits; lower half: the content's */
} id_hash;

typedef struct id_entry {
    id_hash hash;
    uint64_t arrival;
} id_entry;
_Static_assert(sizeof(id_entry) == 24, "no padding inside");

typedef struct id_run {
    id_entry *entries, *scratch;
    size_t n, capacity, scratch_capacity, maximum;
    size_t next;
} id_run;

/* Takes no memory yet; later 48 bytes for each of at most `maximum` entries. */
void id_run_init(id_run *run, size_t maximum);
void id_run_free(id_run *run);
void id_run_clear(id_run *run);
/* There must be room: n < maximum. */
pf_status id_run_add(id_run *run, id_hash hash, uint64_t arrival, pf_error *err);
pf_status id_run_sort(id_run *run, pf_error *err);
/* A merge_memory. */
const void *id_run_next(void *run);
pf_status id_run_spill(id_run *run, spool *sp, pf_error *err);

/* Order of the 96 bits of the id alone. */
static inline int id_compare(const id_hash *a, const id_hash *b)
{
    if (a->high != b->high) return a->high < b->high ? -1 : 1;
    uint64_t x = a->low >> 32, y = b->low >> 32;
    return (x > y) - (x < y);
}

extern const merge_kind id_entry_kind;

#endif
