/*
 * A k-way merge of sorted runs: those of a spool and, behind them, one that is still in
 * memory. Records with equal keys come in the order of their runs, so a stable sort of
 * each run gives a stable order of all (Knuth, "The Art of Computer Programming", volume
 * 3, section 5.4.1; a binary heap instead of his tree of losers, for runs are few).
 *
 *     merge_open(&m, &kind, &spool, next_in_memory, context, bytes, err);
 *     while (merge_next(m, &record, err) == PF_OK && record != NULL) ...
 *     merge_close(m);
 */
#ifndef PROFFER_STORE_MERGE_H
#define PROFFER_STORE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/spool.h"

typedef struct merge_key {
    uint64_t high, low;
} merge_key;

/* How records look. */
typedef struct merge_kind {
    /* Bytes of a record, from its first `smallest` bytes. */
    size_t (*size)(const void *record);
    merge_key (*key)(const void *record);
    size_t smallest, largest;
} merge_kind;

/* The next record of the run in memory, or NULL at its end. */
typedef const void *merge_memory(void *context);

typedef struct merge merge;

/* Reads the spool's runs with at most about `bytes` of memory in all (but never less than
 * two records of the largest size a run). memory NULL: there is no run in memory. */
pf_status merge_open(merge **out, const merge_kind *kind, const spool *sp,
                     merge_memory *memory, void *context, size_t bytes, pf_error *err);
/* The next record, valid until the next call; NULL at the end. */
pf_status merge_next(merge *m, const void **record, pf_error *err);
/* NULL is fine. */
void merge_close(merge *m);

#endif
