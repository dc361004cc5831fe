/*
 * Epochs of windows (sequence/windows.h). A window of a shopper with more rows than
 * settings.length is their last stretch, or a stretch drawn anew for each epoch.
 */
#include "sequence/windows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* Streams of random numbers; the epoch is added. Dropout and sampling have others. */
#define STREAM_ORDER (UINT64_C(0x51) << 56)
#define STREAM_START (UINT64_C(0x52) << 56)
#define STREAM_MASK (UINT64_C(0x53) << 56)

/* BERT4Rec: share of windows in which the last row alone is masked, as it is when the model
 * is used (Sun et al. 2019, section 3.6: samples that mask only the last item). */
#define LAST_ALONE_SHARE .1

struct sequence_batches {
    const sequence_events *e;
    sequence_settings s;
    uint64_t *end;   /* [U] the first event that is no row; first[u] when there is none */
    uint32_t *order; /* [n_active] shoppers with rows, in this epoch's order */
    /* With omit_taken: each shopper's products that may be targets, ascending, beside their
     * events; and of each window of a batch where they begin and end. */
    uint32_t *taken;
    uint64_t *taken_behind;            /* [U] where a shopper's end */
    uint64_t *taken_from, *taken_end;  /* [batch] */
    size_t n_active, longest, widest;
    uint64_t rows;
    unsigned epoch;
    pack_rows pack;
};

/* ---- rows ---- */

size_t pack_rows_bytes(size_t sequences, size_t most)
{
    return (sequences + 1 + 2 * most) * sizeof(uint32_t) + most * (sizeof(uint16_t) + 3);
}

void pack_rows_over(pack_rows *out, void *block, size_t sequences, size_t most,
                    pack_parts parts)
{
    *out = (pack_rows){.most = most, .offset = block};
    out->thing = out->offset + sequences + 1;
    if (parts.target) out->target = out->thing + most;
    out->position = (uint16_t *)(void *)(out->thing + 2 * most);
    uint8_t *bytes = (uint8_t *)(out->position + most);
    if (parts.kind) out->kind = bytes;
    if (parts.band) out->band = bytes + most;
    if (parts.gap) out->gap = bytes + 2 * most;
    pack_rows_clear(out);
}

pf_status pack_rows_new(pack_rows *out, size_t sequences, size_t most, pack_parts parts,
                        pf_error *err)
{
    *out = (pack_rows){0};
    if (most > UINT32_MAX / 16)
        return error_set(err, PF_LIMIT, "batches of %zu events are too large", most);
    void *block = mem_alloc_zero(1, pack_rows_bytes(sequences, most));
    if (block == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu events", most);
    pack_rows_over(out, block, sequences, most, parts);
    out->block = block;
    return PF_OK;
}

void pack_rows_free(pack_rows *r)
{
    mem_free(r->block);
    *r = (pack_rows){0};
}

void pack_rows_clear(pack_rows *r)
{
    r->pack = (sequence_pack){
        .offset = r->offset,
        .thing = r->thing,
        .position = r->position,
        .kind = r->kind,
        .band = r->band,
        .gap = r->gap,
        .target = r->target,
    };
    r->offset[0] = 0;
}

void pack_rows_add(pack_rows *r, uint32_t thing, uint8_t kind, uint8_t band, uint8_t gap)
{
    size_t i = r->pack.R++;
    assert(i < r->most);
    r->thing[i] = thing;
    r->position[i] = (uint16_t)(i - r->offset[r->pack.n_sequences]);
    if (r->target != NULL) r->target[i] = SEQUENCE_NOTHING;
    if (r->kind != NULL) r->kind[i] = kind;
    if (r->band != NULL) r->band[i] = band;
    if (r->gap != NULL) r->gap[i] = gap;
}

void pack_rows_end_sequence(pack_rows *r)
{
    r->offset[++r->pack.n_sequences] = (uint32_t)r->pack.R;
}

static void add_event(pack_rows *r, const sequence_events *e, uint64_t first, uint64_t i)
{
    pack_rows_add(r, e->thing[i], e->kind != NULL ? e->kind[i] : 0,
                  e->band != NULL ? e->band[i] : 0,
                  r->gap != NULL ? sequence_event_gap(e, first, i) : 0);
}

void pack_rows_add_past(pack_rows *r, const sequence_events *e, uint64_t first, uint64_t end,
                        const sequence_settings *s)
{
    bool masks = s->architecture == SEQUENCE_BERT;
    uint64_t most = s->length - masks, begin = end - first > most ? end - most : first;
    for (uint64_t i = begin; i < end; i++)
        add_event(r, e, first, i);
    if (masks) pack_rows_add(r, SEQUENCE_MASK, 0, 0, 0);
    pack_rows_end_sequence(r);
}

/* ---- who is read, how far ---- */

/* Where a shopper's rows end: in front of the last product taken, or behind it (BERT4Rec);
 * `first` when there is nothing to learn. */
static uint64_t rows_end(const sequence_events *e, uint64_t first, uint64_t end, bool masks)
{
    while (end > first && !sequence_event_took(e, end - 1))
        end--;
    if (end == first || end - first < 2) return first;
    return masks ? end : end - 1;
}

static void find_rows(sequence_batches *b, const uint64_t *ends)
{
    const sequence_events *e = b->e;
    bool masks = b->s.architecture == SEQUENCE_BERT;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        uint64_t end = ends != NULL ? ends[u] : e->first[u + 1];
        b->end[u] = rows_end(e, e->first[u], end, masks);
        uint64_t n = b->end[u] - e->first[u];
        if (n == 0) continue;
        if (n > b->s.length) n = b->s.length;
        if (n > b->longest) b->longest = (size_t)n;
        b->rows += n;
        b->n_active++;
    }
    b->widest = b->s.batch < b->n_active ? b->s.batch : b->n_active;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What may be a target, sorted: the events that may be read, up to the last that took. */
static void list_taken(sequence_batches *b, const uint64_t *ends)
{
    const sequence_events *e = b->e;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        uint64_t first = e->first[u], end = ends != NULL ? ends[u] : e->first[u + 1], n = first;
        for (uint64_t i = first; i < end; i++)
            if (sequence_event_took(e, i)) b->taken[n++] = e->thing[i];
        qsort(b->taken + first, (size_t)(n - first), sizeof *b->taken, by_number);
        b->taken_behind[u] = n;
    }
}

static pf_status make_taken(sequence_batches *b, const uint64_t *ends, pf_error *err)
{
    if (!b->s.omit_taken) return PF_OK;
    b->taken = mem_alloc((size_t)b->e->n + 1, sizeof *b->taken);
    b->taken_behind = mem_alloc((size_t)b->e->n_shoppers + 1, sizeof *b->taken_behind);
    b->taken_from = mem_alloc(b->widest, sizeof *b->taken_from);
    b->taken_end = mem_alloc(b->widest, sizeof *b->taken_end);
    if (!b->taken || !b->taken_behind || !b->taken_from || !b->taken_end)
        return error_set(err, PF_NO_MEMORY, "out of memory for windows");
    list_taken(b, ends);
    return PF_OK;
}

static pf_status take_memory(sequence_batches *b, const uint64_t *ends, pf_error *err)
{
    const sequence_events *e = b->e;
    b->end = mem_alloc((size_t)e->n_shoppers + 1, sizeof *b->end);
    if (b->end == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for windows");
    find_rows(b, ends);
    if (b->n_active == 0)
        return error_set(err, PF_DATA,
                         "no shopper has two events of which the later took a product: there "
                         "is no next product to learn");
    b->order = mem_alloc(b->n_active, sizeof *b->order);
    if (b->order == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for windows");
    pf_status status = make_taken(b, ends, err);
    if (status != PF_OK) return status;
    pack_parts parts = {.kind = e->kind != NULL,
                        .band = e->band != NULL,
                        .gap = e->time_us != NULL && b->s.gaps,
                        .target = true};
    return pack_rows_new(&b->pack, b->widest, b->widest * b->longest, parts, err);
}

pf_status sequence_batches_new(sequence_batches **out, const sequence_events *e,
                               const uint64_t *ends, const sequence_settings *s,
                               pf_error *err)
{
    *out = NULL;
    sequence_batches *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for windows");
    b->e = e;
    b->s = *s;
    pf_status status = take_memory(b, ends, err);
    if (status != PF_OK) {
        sequence_batches_free(b);
        return status;
    }
    sequence_batches_epoch(b, 0);
    *out = b;
    return PF_OK;
}

void sequence_batches_free(sequence_batches *b)
{
    if (b == NULL) return;
    pack_rows_free(&b->pack);
    mem_free(b->taken);
    mem_free(b->taken_behind);
    mem_free(b->taken_from);
    mem_free(b->taken_end);
    mem_free(b->order);
    mem_free(b->end);
    mem_free(b);
}

size_t sequence_batches_count(const sequence_batches *b)
{
    return (b->n_active + b->s.batch - 1) / b->s.batch;
}

uint64_t sequence_batches_rows(const sequence_batches *b)
{
    return b->rows;
}

size_t sequence_batches_longest(const sequence_batches *b)
{
    return b->longest;
}

size_t sequence_batches_sequences(const sequence_batches *b)
{
    return b->widest;
}

size_t sequence_batches_bytes(const sequence_batches *b)
{
    return sizeof *b + ((size_t)b->e->n_shoppers + 1) * sizeof *b->end +
           b->n_active * sizeof *b->order +
           (b->taken != NULL ? ((size_t)b->e->n + 1) * sizeof *b->taken +
                                   ((size_t)b->e->n_shoppers + 2 * b->widest) *
                                       sizeof *b->taken_from
                             : 0) +
           pack_rows_bytes(b->widest, b->pack.most);
}

/* ---- an epoch ---- */

/* Fisher and Yates, from the same start each time: an epoch's order does not depend on those
 * before it. */
void sequence_batches_epoch(sequence_batches *b, unsigned epoch)
{
    random_stream r = random_begin(b->s.seed, STREAM_ORDER + epoch);
    size_t n = 0;
    b->epoch = epoch;
    for (uint32_t u = 0; u < b->e->n_shoppers; u++)
        if (b->end[u] > b->e->first[u]) b->order[n++] = u;
    for (size_t left = n; left > 1; left--) {
        size_t at = random_below(&r, (uint32_t)left);
        uint32_t moved = b->order[left - 1];
        b->order[left - 1] = b->order[at];
        b->order[at] = moved;
    }
}

/* Numbers drawn for one shopper in this epoch: a block of Philox each, so that no shopper's
 * depend on another's. */
static random_stream shopper_stream(const sequence_batches *b, uint64_t stream, uint32_t u)
{
    random_stream r = random_begin(b->s.seed, stream + b->epoch);
    r.counter = (uint64_t)u << 16;
    return r;
}

static uint64_t window_begin(const sequence_batches *b, uint32_t u)
{
    uint64_t first = b->e->first[u], n = b->end[u] - first, length = b->s.length;
    if (n <= length) return first;
    if (b->s.windows == SEQUENCE_WINDOW_LAST) return b->end[u] - length;
    random_stream r = shopper_stream(b, STREAM_START, u);
    return first + random_u64(&r) % (n - length + 1); /* even to 1 in 2^32 or better */
}

/* Each row foresees the next product taken after it. */
static void aim_ahead(pack_rows *r, const sequence_events *e, uint64_t begin, size_t n)
{
    uint32_t *target = r->target + r->offset[r->pack.n_sequences];
    uint64_t next = begin + n;
    while (!sequence_event_took(e, next))
        next++;
    uint32_t product = e->thing[next];
    for (size_t i = n; i-- > 0;) {
        target[i] = product;
        if (sequence_event_took(e, begin + i)) product = e->thing[begin + i];
    }
}

static void mask_row(pack_rows *r, size_t row)
{
    r->target[row] = r->thing[row];
    r->thing[row] = SEQUENCE_MASK;
    if (r->kind != NULL) r->kind[row] = 0;
    if (r->band != NULL) r->band[row] = 0;
    if (r->gap != NULL) r->gap[row] = 0;
}

/* Masks each row that took a product with probability mask_share, at least one of them. */
static void mask_some(sequence_batches *b, uint32_t u, uint64_t begin, size_t n)
{
    pack_rows *r = &b->pack;
    random_stream draws = shopper_stream(b, STREAM_MASK, u);
    size_t at = r->offset[r->pack.n_sequences], masked = 0, last = n, chosen = n;
    bool last_alone = random_unit(&draws) < LAST_ALONE_SHARE;
    uint32_t took = 0;
    for (size_t i = 0; i < n; i++) {
        if (!sequence_event_took(b->e, begin + i)) continue;
        last = i;
        if (last_alone) continue;
        /* One of them all, evenly, should nothing else be masked. */
        if (random_below(&draws, ++took) == 0) chosen = i;
        if (random_unit(&draws) >= (double)b->s.mask_share) continue;
        mask_row(r, at + i);
        masked++;
    }
    if (last_alone) chosen = last;
    if (masked == 0 && chosen < n) mask_row(r, at + chosen);
}

static void add_window(sequence_batches *b, uint32_t u)
{
    const sequence_events *e = b->e;
    uint64_t begin = window_begin(b, u), end = b->end[u];
    if (end - begin > b->s.length) end = begin + b->s.length;
    size_t n = (size_t)(end - begin);
    for (uint64_t i = begin; i < end; i++)
        add_event(&b->pack, e, e->first[u], i);
    if (b->s.architecture == SEQUENCE_BERT)
        mask_some(b, u, begin, n);
    else
        aim_ahead(&b->pack, e, begin, n);
    pack_rows_end_sequence(&b->pack);
}

static void add_taken(sequence_batches *b, size_t begin, size_t end)
{
    sequence_pack *p = &b->pack.pack;
    for (size_t at = begin; at < end; at++) {
        b->taken_from[at - begin] = b->e->first[b->order[at]];
        b->taken_end[at - begin] = b->taken_behind[b->order[at]];
    }
    p->taken = b->taken;
    p->taken_from = b->taken_from;
    p->taken_end = b->taken_end;
}

const sequence_pack *sequence_batches_take(sequence_batches *b, size_t i)
{
    size_t begin = i * b->s.batch, end = begin + b->s.batch;
    if (end > b->n_active) end = b->n_active;
    pack_rows_clear(&b->pack);
    for (size_t at = begin; at < end; at++)
        add_window(b, b->order[at]);
    if (b->taken != NULL) add_taken(b, begin, end);
    return &b->pack.pack;
}
