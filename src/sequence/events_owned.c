/* Copies are counted first, allocated at once, and filled in the order of shoppers. */
#include "sequence/events_owned.h"

#include <inttypes.h>

#include "base/memory.h"

void sequence_events_free(sequence_events_owned *e)
{
    if (e == NULL) return;
    mem_free(e->first);
    mem_free(e->thing);
    mem_free(e->kind);
    mem_free(e->band);
    mem_free(e->time_us);
    mem_free(e->taken);
    mem_free(e);
}

sequence_events_owned *sequence_events_new(uint32_t n_shoppers, uint64_t n, bool bands)
{
    const size_t room = n ? (size_t)n : 1;
    sequence_events_owned *e = mem_alloc_zero(1, sizeof *e);
    if (e == NULL) return NULL;
    e->first = mem_alloc_zero((size_t)n_shoppers + 1, sizeof *e->first);
    e->thing = mem_alloc(room, sizeof *e->thing);
    e->kind = mem_alloc(room, sizeof *e->kind);
    e->time_us = mem_alloc(room, sizeof *e->time_us);
    e->taken = mem_alloc(room, sizeof *e->taken);
    bool ok = e->first && e->thing && e->kind && e->time_us && e->taken;
    if (bands) ok &= (e->band = mem_alloc(room, sizeof *e->band)) != NULL;
    if (!ok) {
        sequence_events_free(e);
        return NULL;
    }
    e->view = (sequence_events){.n_shoppers = n_shoppers,
                                .n = n,
                                .first = e->first,
                                .thing = e->thing,
                                .kind = e->kind,
                                .band = e->band,
                                .time_us = e->time_us,
                                .taken = e->taken};
    return e;
}

/* ---- parts ---- */

uint64_t sequence_events_end(const sequence_events *e, uint32_t u, uint64_t taken,
                             int64_t until_us)
{
    uint64_t i = e->first[u];
    for (; i < e->first[u + 1] && e->time_us[i] < until_us; i++)
        if (sequence_event_took(e, i) && taken-- == 0) break;
    return i;
}

static void copy_event(sequence_events_owned *out, uint64_t to, const sequence_events *e,
                       uint64_t from)
{
    out->thing[to] = e->thing[from];
    out->kind[to] = e->kind[from];
    if (out->band != NULL) out->band[to] = e->band[from];
    out->time_us[to] = e->time_us[from];
    out->taken[to] = e->taken[from];
}

static uint64_t end_of(const sequence_events *e, uint32_t u, const uint64_t *taken,
                       int64_t until_us)
{
    return sequence_events_end(e, u, taken != NULL ? taken[u] : UINT64_MAX, until_us);
}

pf_status sequence_events_cut(const sequence_events *e, const uint64_t *taken,
                              int64_t until_us, sequence_events_owned **out, pf_error *err)
{
    uint64_t n = 0, to = 0;
    for (uint32_t u = 0; u < e->n_shoppers; u++)
        n += end_of(e, u, taken, until_us) - e->first[u];
    sequence_events_owned *part = sequence_events_new(e->n_shoppers, n, e->band != NULL);
    if (part == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %" PRIu64 " events", n);
    part->view.n_products = e->n_products;
    part->view.n_promotions = e->n_promotions;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        const uint64_t end = end_of(e, u, taken, until_us);
        for (uint64_t i = e->first[u]; i < end; i++)
            copy_event(part, to++, e, i);
        part->first[u + 1] = to;
    }
    *out = part;
    return PF_OK;
}
