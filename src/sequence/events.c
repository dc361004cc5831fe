/*
 * Shoppers' events checked and fingerprinted. Nothing is kept or changed here.
 */
#include "sequence/events.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/limits.h"

/* ---- gaps ---- */

uint8_t sequence_gap_class(int64_t earlier_us, int64_t later_us)
{
    if (later_us <= earlier_us) return 0;
    /* The difference of any two int64_t fits into uint64_t. */
    uint64_t s = ((uint64_t)later_us - (uint64_t)earlier_us) / (uint64_t)US_PER_SECOND;
    uint8_t class = 0;
    for (; s > 0 && class < SEQUENCE_GAPS - 1; s >>= 1)
        class++;
    return class;
}

uint8_t sequence_event_gap(const sequence_events *e, uint64_t first, uint64_t i)
{
    if (e->time_us == NULL || i == first) return 0;
    return sequence_gap_class(e->time_us[i - 1], e->time_us[i]);
}

/* ---- checks ---- */

static pf_status check_sizes(const sequence_events *e, pf_error *err)
{
    if (e->n_shoppers > LIMIT_SHOPPERS || e->n_products > LIMIT_PRODUCTS ||
        e->n_promotions > LIMIT_PROMOTIONS || e->n > LIMIT_EVENTS)
        return error_set(err, PF_LIMIT,
                         "more shoppers, products, promotions or events than %u, %u, %u, "
                         "%" PRIu64,
                         LIMIT_SHOPPERS, LIMIT_PRODUCTS, LIMIT_PROMOTIONS, LIMIT_EVENTS);
    if (e->first == NULL || e->first[0] != 0 || e->first[e->n_shoppers] != e->n)
        return error_set(err, PF_DATA,
                         "shoppers' events do not begin at 0 and end at %" PRIu64, e->n);
    for (uint32_t u = 0; u < e->n_shoppers; u++)
        if (e->first[u] > e->first[u + 1])
            return error_set(err, PF_DATA, "the events of shopper %" PRIu32 " end before "
                             "they begin", u);
    return PF_OK;
}

/* NULL, or what is wrong with event i of a shopper whose events begin at `first`. */
static const char *wrong_with(const sequence_events *e, uint64_t first, uint64_t i)
{
    uint32_t thing = e->thing[i], things = e->n_products + e->n_promotions;
    if (thing != SEQUENCE_NOTHING && thing >= things)
        return "names a thing beyond the products and promotions";
    if (sequence_event_took(e, i) && thing >= e->n_products)
        return "took something that is no product";
    if (e->kind != NULL && e->kind[i] >= SEQUENCE_KINDS) return "is of an unknown kind";
    if (e->band != NULL && e->band[i] >= SEQUENCE_BANDS)
        return "has an unknown price band";
    if (e->time_us != NULL && i > first && e->time_us[i] < e->time_us[i - 1])
        return "lies before the event in front of it";
    return NULL;
}

pf_status sequence_events_check(const sequence_events *e, pf_error *err)
{
    pf_status status = check_sizes(e, err);
    if (status != PF_OK) return status;
    for (uint32_t u = 0; u < e->n_shoppers; u++)
        for (uint64_t i = e->first[u]; i < e->first[u + 1]; i++) {
            const char *wrong = wrong_with(e, e->first[u], i);
            if (wrong != NULL)
                return error_set(err, PF_DATA,
                                 "event %" PRIu64 " of shopper %" PRIu32 " %s",
                                 i - e->first[u], u, wrong);
        }
    return PF_OK;
}

/* ---- the fingerprint ---- */

/* A part's bytes behind their number, so that parts cannot run into each other; an absent
 * part differs from an empty one. */
static void add_part(fingerprint_state *s, const void *bytes, uint64_t n)
{
    uint64_t head[2] = {bytes != NULL, bytes != NULL ? n : 0};
    fingerprint_add(s, head, sizeof head);
    if (bytes != NULL && n > 0) fingerprint_add(s, bytes, (size_t)n);
}

void sequence_events_hash(const sequence_events *e, const sequence_side *side,
                          char into[SEQUENCE_HASH_BYTES])
{
    uint64_t things = (uint64_t)e->n_products + e->n_promotions;
    const uint64_t sizes[] = {e->n_shoppers, e->n_products, e->n_promotions, e->n};
    const float *vectors = side != NULL ? side->vectors : NULL;
    uint64_t K = vectors != NULL ? side->K : 0;
    fingerprint_state s;
    fingerprint_begin(&s);
    add_part(&s, sizes, sizeof sizes);
    add_part(&s, e->first, ((uint64_t)e->n_shoppers + 1) * sizeof *e->first);
    add_part(&s, e->thing, e->n * sizeof *e->thing);
    add_part(&s, e->kind, e->n);
    add_part(&s, e->band, e->n);
    add_part(&s, e->time_us, e->n * sizeof *e->time_us);
    add_part(&s, e->taken, e->n * sizeof *e->taken);
    add_part(&s, vectors, things * K * sizeof *vectors);
    fingerprint f = fingerprint_end(&s);
    fingerprint_format(&f, into);
}
