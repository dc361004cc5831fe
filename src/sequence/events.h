/*
 * What shoppers did, in time order, in the form a sequence model reads.
 *
 * An event names a thing: a product (0..V-1), a promotion (V..V+P-1) or nothing. Events that
 * took a product are what the model learns to foresee; all others are read only. All arrays
 * are borrowed; NULL parts are absent and cost nothing.
 */
#ifndef PROFFER_SEQUENCE_EVENTS_H
#define PROFFER_SEQUENCE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

#define SEQUENCE_NOTHING UINT32_MAX    /* no product, no promotion, no target */
#define SEQUENCE_MASK (UINT32_MAX - 1) /* a product that is to be guessed (BERT4Rec) */

enum {
    SEQUENCE_KINDS = 16, /* most kinds of events (purchase, exposure, click ...) */
    SEQUENCE_BANDS = 16, /* price bands; 0 = price unknown */
    SEQUENCE_GAPS = 32,  /* classes of time gaps; 0 = first event or no time */
    SEQUENCE_LENGTH_MAX = 1024
};

/* What is known of products and promotions besides who took them. */
typedef struct sequence_side {
    const float *vectors; /* [(V + P) x K], rows about length 1 or all zero; or NULL */
    size_t K;
} sequence_side;

typedef struct sequence_events {
    uint32_t n_shoppers, n_products, n_promotions; /* U, V, P */
    uint64_t n;
    const uint64_t *first;  /* [U + 1] */
    const uint32_t *thing;  /* [n] */
    const uint8_t *kind;    /* [n] < SEQUENCE_KINDS, or NULL: all alike */
    const uint8_t *band;    /* [n] < SEQUENCE_BANDS, or NULL */
    const int64_t *time_us; /* [n], or NULL: only the order is known */
    const bool *taken;      /* [n] this event took the product it names; NULL: all did */
} sequence_events;

/* Class of a gap between two events: 0 below a second or unknown, 1 from a second, 2 from two
 * seconds, and so on by doublings to SEQUENCE_GAPS - 1 from 2^30 seconds (34 years). */
uint8_t sequence_gap_class(int64_t earlier_us, int64_t later_us);

/* PF_DATA with what and where: first not rising from 0 to n, a thing out of range, a taken
 * event that names no product, a kind or band out of range, times that go back. */
pf_status sequence_events_check(const sequence_events *e, pf_error *err);

/* Whether event i took the product it names. */
static inline bool sequence_event_took(const sequence_events *e, uint64_t i)
{
    return e->taken == NULL || e->taken[i];
}
/* Class of the gap between event i of a shopper whose events begin at `first` and the event
 * before it. */
uint8_t sequence_event_gap(const sequence_events *e, uint64_t first, uint64_t i);

/* A fingerprint of all that is learnt from: events and side vectors (NULL: none). Two data sets
 * with the same text are the same to a trainer. */
enum { SEQUENCE_HASH_BYTES = FINGERPRINT_TEXT_BYTES };
void sequence_events_hash(const sequence_events *e, const sequence_side *side,
                          char into[SEQUENCE_HASH_BYTES]);

#endif
