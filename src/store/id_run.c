/*
 * Filling, sorting and reading a run of event ids; see id_run.h.
 */
#include "store/id_run.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "store/event_run.h"

enum { INSERTION_MOST = 48, TOP_SHIFT = 56 };

void id_run_init(id_run *run, size_t maximum)
{
    *run = (id_run){.maximum = maximum};
}

void id_run_free(id_run *run)
{
    mem_free(run->entries);
    mem_free(run->scratch);
    id_run_init(run, run->maximum);
}

void id_run_clear(id_run *run)
{
    run->n = 0;
    run->next = 0;
}

pf_status id_run_add(id_run *run, id_hash hash, uint64_t arrival, pf_error *err)
{
    assert(run->n < run->maximum);
    if (!run_grow((void **)&run->entries, &run->capacity, run->n + 1, run->maximum,
                  sizeof *run->entries))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    run->entries[run->n++] = (id_entry){hash, arrival};
    return PF_OK;
}

/* Stable, and quick on what is sorted already: after the last digit only equal ids (or
 * hashes alike in 64 bits) are left, in order of arrival. */
static void insertion_sort(id_entry *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        id_entry e = a[i];
        size_t j = i;
        for (; j > 0 && id_compare(&a[j - 1].hash, &e.hash) > 0; j--)
            a[j] = a[j - 1];
        a[j] = e;
    }
}

static void sort_from(id_entry *a, id_entry *scratch, size_t n, int shift)
{
    if (n <= INSERTION_MOST || shift < 0) {
        insertion_sort(a, n);
        return;
    }
    size_t end[256] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        end[a[i].hash.high >> shift & 255]++;
    for (int d = 0; d < 256; d++) {
        size_t count = end[d];
        end[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        scratch[end[a[i].hash.high >> shift & 255]++] = a[i];
    memcpy(a, scratch, n * sizeof *a);
    for (size_t d = 0, from = 0; d < 256; from = end[d++])
        if (end[d] - from > 1) sort_from(a + from, scratch, end[d] - from, shift - 8);
}

pf_status id_run_sort(id_run *run, pf_error *err)
{
    run->next = 0;
    if (!run_grow((void **)&run->scratch, &run->scratch_capacity, run->n, run->maximum,
                  sizeof *run->scratch))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    sort_from(run->entries, run->scratch, run->n, TOP_SHIFT);
    return PF_OK;
}

const void *id_run_next(void *context)
{
    id_run *run = context;
    return run->next < run->n ? &run->entries[run->next++] : NULL;
}

pf_status id_run_spill(id_run *run, spool *sp, pf_error *err)
{
    pf_status status = spool_begin_run(sp, err);
    if (status == PF_OK && run->n > 0)
        status = spool_write(sp, run->entries, run->n * sizeof *run->entries, err);
    if (status == PF_OK) status = spool_end_run(sp, err);
    return status;
}

static size_t id_size(const void *record)
{
    (void)record;
    return sizeof(id_entry);
}

static merge_key id_key(const void *record)
{
    id_hash hash;
    memcpy(&hash, record, sizeof hash);
    return (merge_key){hash.high, hash.low >> 32};
}

const merge_kind id_entry_kind = {id_size, id_key, sizeof(id_entry), sizeof(id_entry)};
