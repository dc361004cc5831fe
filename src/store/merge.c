/*
 * The merge of runs; see merge.h.
 */
#include "store/merge.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { BUFFER_LARGEST_BYTES = 1 << 20 };

/* One run: its bytes from `at` to `end` in the spool are unread, those from `from` to
 * `to` in the buffer are read and not yet given out. */
typedef struct run_reader {
    uint64_t at, end;
    unsigned char *buffer;
    size_t from, to;
    const void *record; /* the one at its front */
    merge_key key;
} run_reader;

struct merge {
    const merge_kind *kind;
    const spool *source;
    merge_memory *memory;
    void *context;
    size_t n_runs; /* the run in memory included, as the last */
    size_t buffer_bytes;
    run_reader *runs;
    unsigned char *buffers;
    size_t n_heap;
    size_t *heap; /* run numbers; the one with the smallest front first */
    bool given;   /* the front of heap[0] was handed out */
};

/* Reads on when the record at the front is not whole. */
static pf_status fill(merge *m, run_reader *r, pf_error *err)
{
    size_t left = r->to - r->from;
    if (left >= m->kind->smallest && left >= m->kind->size(r->buffer + r->from))
        return PF_OK;
    memmove(r->buffer, r->buffer + r->from, left);
    r->from = 0;
    r->to = left;
    size_t n = m->buffer_bytes - left;
    if (n > r->end - r->at) n = (size_t)(r->end - r->at);
    pf_status status = spool_read(m->source, r->at, r->buffer + left, n, err);
    r->at += n;
    r->to += n;
    return status;
}

/* Moves to the run's next record; record NULL at its end. */
static pf_status advance(merge *m, size_t run, pf_error *err)
{
    run_reader *r = &m->runs[run];
    if (r->buffer == NULL) {
        r->record = m->memory(m->context);
    } else {
        if (r->record != NULL) r->from += m->kind->size(r->record);
        r->record = NULL;
        if (r->from < r->to || r->at < r->end) {
            pf_status status = fill(m, r, err);
            if (status != PF_OK) return status;
            r->record = r->buffer + r->from;
        }
    }
    if (r->record != NULL) r->key = m->kind->key(r->record);
    return PF_OK;
}

static bool comes_before(const merge *m, size_t a, size_t b)
{
    const merge_key *x = &m->runs[a].key, *y = &m->runs[b].key;
    if (x->high != y->high) return x->high < y->high;
    if (x->low != y->low) return x->low < y->low;
    return a < b;
}

static void sift_down(merge *m, size_t i)
{
    size_t run = m->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= m->n_heap) break;
        if (child + 1 < m->n_heap && comes_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (comes_before(m, run, m->heap[child])) break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = run;
}

static pf_status start(merge *m, pf_error *err)
{
    for (size_t i = 0; i < m->n_runs; i++) {
        pf_status status = advance(m, i, err);
        if (status != PF_OK) return status;
        if (m->runs[i].record != NULL) m->heap[m->n_heap++] = i;
    }
    for (size_t i = m->n_heap / 2; i-- > 0;)
        sift_down(m, i);
    return PF_OK;
}

static size_t choose_buffer(const merge_kind *kind, size_t n_runs, size_t bytes)
{
    size_t each = n_runs > 0 ? bytes / n_runs : 0;
    if (each > BUFFER_LARGEST_BYTES) each = BUFFER_LARGEST_BYTES;
    if (each < 2 * kind->largest) each = 2 * kind->largest;
    return each;
}

static pf_status allocate(merge *m, const spool *sp, pf_error *err)
{
    m->runs = mem_alloc_zero(m->n_runs + 1, sizeof *m->runs);
    m->heap = mem_alloc(m->n_runs + 1, sizeof *m->heap);
    if (sp->n_runs > 0) m->buffers = mem_alloc(sp->n_runs, m->buffer_bytes);
    if (m->runs == NULL || m->heap == NULL || (sp->n_runs > 0 && m->buffers == NULL))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    for (size_t i = 0; i < sp->n_runs; i++) {
        m->runs[i].at = sp->runs[i].from;
        m->runs[i].end = sp->runs[i].from + sp->runs[i].bytes;
        m->runs[i].buffer = m->buffers + i * m->buffer_bytes;
    }
    return PF_OK;
}

pf_status merge_open(merge **out, const merge_kind *kind, const spool *sp,
                     merge_memory *memory, void *context, size_t bytes, pf_error *err)
{
    *out = NULL;
    merge *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    m->kind = kind;
    m->source = sp;
    m->memory = memory;
    m->context = context;
    m->n_runs = sp->n_runs + (memory != NULL ? 1 : 0);
    m->buffer_bytes = choose_buffer(kind, sp->n_runs, bytes);
    pf_status status = allocate(m, sp, err);
    if (status == PF_OK) status = start(m, err);
    if (status != PF_OK) {
        merge_close(m);
        return status;
    }
    *out = m;
    return PF_OK;
}

pf_status merge_next(merge *m, const void **record, pf_error *err)
{
    *record = NULL;
    if (m->given) {
        size_t run = m->heap[0];
        m->given = false;
        pf_status status = advance(m, run, err);
        if (status != PF_OK) return status;
        if (m->runs[run].record == NULL) m->heap[0] = m->heap[--m->n_heap];
        if (m->n_heap > 1) sift_down(m, 0);
    }
    if (m->n_heap == 0) return PF_OK;
    *record = m->runs[m->heap[0]].record;
    m->given = true;
    return PF_OK;
}

void merge_close(merge *m)
{
    if (m == NULL) return;
    mem_free(m->runs);
    mem_free(m->heap);
    mem_free(m->buffers);
    mem_free(m);
}
