/*
 * A run of packed events in memory: filled in order of arrival, sorted by shopper and
 * time (equal ones keep their order), then read out, to the spool or to the merge.
 *
 * The sort: a stable radix sort by the shopper's number, least digit first (Knuth, volume
 * 3, section 5.2.5), then each shopper's few entries by time, which most files have in
 * order already.
 */
#ifndef PROFFER_STORE_EVENT_RUN_H
#define PROFFER_STORE_EVENT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/packed_event.h"
#include "store/spool.h"

typedef struct run_entry {
    int64_t time_us;
    uint32_t shopper;
    uint32_t place; /* of the packed event, in units of four bytes */
} run_entry;

typedef struct event_run {
    unsigned char *bytes;
    size_t used, capacity, bytes_max;
    run_entry *entries, *scratch;
    size_t n, entries_capacity, scratch_capacity, entries_max;
    size_t next; /* of the reading */
} event_run;

/* Takes no memory yet; later at most about bytes_max for packed events and 32 bytes for
 * each of entries_max. */
void event_run_init(event_run *run, size_t bytes_max, size_t entries_max);
void event_run_free(event_run *run);
void event_run_clear(event_run *run);

/* true when the event would pass the run's limits: sort, read out and clear first. An
 * empty run takes every event. */
bool event_run_is_full(const event_run *run, const event_record *r);
pf_status event_run_add(event_run *run, const event_record *r,
                        const packed_numbers *numbers, uint64_t arrival, uint64_t content,
                        pf_error *err);
pf_status event_run_sort(event_run *run, pf_error *err);
/* The events of a sorted run one after the other, NULL at the end: a merge_memory. */
const void *event_run_next(void *run);
/* Writes a sorted run to the spool. */
pf_status event_run_spill(event_run *run, spool *sp, pf_error *err);

/* Doubles *block (of *capacity elements) until it holds `needed`, but not beyond what
 * `most` elements need; false when memory is short, with everything as it was. */
bool run_grow(void **block, size_t *capacity, size_t needed, size_t most, size_t size);

#endif
