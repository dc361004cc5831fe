/*
 * Events of shoppers with memory of their own: whoever turns a shop's rows into events fills
 * them, whoever may know the past alone cuts it off them.
 *
 *     sequence_events_owned *all, *past;
 *     all = sequence_events_new(n_shoppers, most, true);    // fill it; set view.n_products, ...
 *     sequence_events_cut(&all->view, NULL, at_us, &past, err);
 *     task.events = &past->view;
 *     sequence_events_free(past);
 */
#ifndef PROFFER_SEQUENCE_EVENTS_OWNED_H
#define PROFFER_SEQUENCE_EVENTS_OWNED_H

#include "base/status.h"
#include "sequence/events.h"

typedef struct sequence_events_owned {
    sequence_events view; /* points at the arrays below */
    uint64_t *first;
    uint32_t *thing;
    uint8_t *kind, *band; /* band NULL: prices are not told */
    int64_t *time_us;
    bool *taken;
} sequence_events_owned;

/* Room for n events of so many shoppers, to be filled by the caller: first [n_shoppers + 1] and
 * the numbers of products and promotions are zero, all else is not set. Who fills in fewer sets
 * view.n. NULL without memory. */
sequence_events_owned *sequence_events_new(uint32_t n_shoppers, uint64_t n, bool bands);
/* NULL is fine. */
void sequence_events_free(sequence_events_owned *e);

/* Where shopper u (from 0) takes a product for the (taken + 1)-th time, or anything happens at or
 * after the moment; the end of the shopper's events where neither does. Times are known. */
uint64_t sequence_events_end(const sequence_events *e, uint32_t u, uint64_t taken,
                             int64_t until_us);
/* A copy of what stands before that place for every shopper u, with taken[u]; taken NULL: of all
 * that was before the moment. Every column but the band must be there. PF_NO_MEMORY. */
pf_status sequence_events_cut(const sequence_events *e, const uint64_t *taken,
                              int64_t until_us, sequence_events_owned **out, pf_error *err);

#endif
