/*
 * Filling, sorting and reading a run of events; see event_run.h.
 */
#include "store/event_run.h"

#include <string.h>

#include "base/memory.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, INSERTION_MOST = 24, AHEAD = 8 };

void event_run_init(event_run *run, size_t bytes_max, size_t entries_max)
{
    if (bytes_max > (size_t)UINT32_MAX * 4)
        bytes_max = (size_t)UINT32_MAX * 4; /* places are 32 bit */
    *run = (event_run){.bytes_max = bytes_max, .entries_max = entries_max};
}

void event_run_free(event_run *run)
{
    mem_free(run->bytes);
    mem_free(run->entries);
    mem_free(run->scratch);
    event_run_init(run, run->bytes_max, run->entries_max);
}

void event_run_clear(event_run *run)
{
    run->used = 0;
    run->n = 0;
    run->next = 0;
}

bool run_grow(void **block, size_t *capacity, size_t needed, size_t most, size_t size)
{
    size_t fresh = *capacity > 0 ? *capacity : 256;
    if (needed <= *capacity) return true;
    while (fresh < needed)
        fresh *= 2;
    if (fresh > most && needed <= most) fresh = most;
    void *moved = mem_resize(*block, fresh, size);
    if (moved == NULL) return false;
    *block = moved;
    *capacity = fresh;
    return true;
}

bool event_run_is_full(const event_run *run, const event_record *r)
{
    return run->n > 0 && (run->n >= run->entries_max ||
                          run->used + event_packed_bound(r) > run->bytes_max);
}

pf_status event_run_add(event_run *run, const event_record *r,
                        const packed_numbers *numbers, uint64_t arrival, uint64_t content,
                        pf_error *err)
{
    size_t bound = event_packed_bound(r);
    if (!run_grow((void **)&run->bytes, &run->capacity, run->used + bound, run->bytes_max,
                  1) ||
        !run_grow((void **)&run->entries, &run->entries_capacity, run->n + 1,
                  run->entries_max, sizeof *run->entries))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    run->entries[run->n++] = (run_entry){.time_us = r->time_us,
                                         .shopper = numbers->shopper,
                                         .place = (uint32_t)(run->used / 4)};
    run->used += event_pack(r, numbers, arrival, content, run->bytes + run->used);
    return PF_OK;
}

/* --- sorting ---------------------------------------------------------------------- */

/* One stable pass by a digit of the shopper's number, from -> to. */
static void radix_pass(const run_entry *from, run_entry *to, size_t n, unsigned shift)
{
    size_t place[DIGITS] = {0};
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        place[from[i].shopper >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t count = place[d];
        place[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[place[from[i].shopper >> shift & (DIGITS - 1)]++] = from[i];
}

static bool is_sorted(const run_entry *a, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (a[i].time_us < a[i - 1].time_us) return false;
    return true;
}

static void insertion_sort(run_entry *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        run_entry e = a[i];
        size_t j = i;
        for (; j > 0 && a[j - 1].time_us > e.time_us; j--)
            a[j] = a[j - 1];
        a[j] = e;
    }
}

/* A stable merge sort by time; half of n entries of scratch. */
static void sort_by_time(run_entry *a, size_t n, run_entry *scratch)
{
    if (is_sorted(a, n)) return;
    if (n <= INSERTION_MOST) {
        insertion_sort(a, n);
        return;
    }
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_by_time(a, half, scratch);
    sort_by_time(a + half, n - half, scratch);
    memcpy(scratch, a, half * sizeof *a);
    while (i < half && j < n)
        a[k++] = a[j].time_us < scratch[i].time_us ? a[j++] : scratch[i++];
    memcpy(a + k, scratch + i, (half - i) * sizeof *a);
}

static void sort_groups(run_entry *a, size_t n, run_entry *scratch)
{
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && a[to].shopper == a[from].shopper)
            to++;
        if (to - from > 1) sort_by_time(a + from, to - from, scratch);
        from = to;
    }
}

pf_status event_run_sort(event_run *run, pf_error *err)
{
    uint32_t all = 0;
    run->next = 0;
    if (!run_grow((void **)&run->scratch, &run->scratch_capacity, run->n,
                  run->entries_max, sizeof *run->scratch))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    for (size_t i = 0; i < run->n; i++)
        all |= run->entries[i].shopper;
    for (unsigned shift = 0; shift < 32 && all >> shift != 0; shift += DIGIT_BITS) {
        radix_pass(run->entries, run->scratch, run->n, shift);
        run_entry *swap = run->entries;
        size_t swap_capacity = run->entries_capacity;
        run->entries = run->scratch;
        run->entries_capacity = run->scratch_capacity;
        run->scratch = swap;
        run->scratch_capacity = swap_capacity;
    }
    sort_groups(run->entries, run->n, run->scratch);
    return PF_OK;
}

/* --- reading ---------------------------------------------------------------------- */

const void *event_run_next(void *context)
{
    event_run *run = context;
    if (run->next == run->n) return NULL;
    if (run->next + AHEAD < run->n) {
        const unsigned char *soon =
            run->bytes + (size_t)run->entries[run->next + AHEAD].place * 4;
        __builtin_prefetch(soon);
        __builtin_prefetch(soon + 64);
    }
    return run->bytes + (size_t)run->entries[run->next++].place * 4;
}

pf_status event_run_spill(event_run *run, spool *sp, pf_error *err)
{
    const void *packed;
    pf_status status = spool_begin_run(sp, err);
    while (status == PF_OK && (packed = event_run_next(run)) != NULL)
        status = spool_write(sp, packed, packed_event_kind.size(packed), err);
    if (status == PF_OK) status = spool_end_run(sp, err);
    return status;
}
