/*
 * How well a network foresees what shoppers took next: NDCG@10 over the whole catalogue.
 *
 *     sequence_validation *v;
 *     sequence_validation_new(&v, &events, &next, &settings, n_workers, err);
 *     sequence_net_refresh(net, threads);
 *     double ndcg = sequence_validation_ndcg(v, net, threads);
 *
 * Each shopper's state after all events that may be read is held against every product, those
 * already taken left out unless repeats are allowed; ties at the mean rank (measure/ranking.h).
 * At most SEQUENCE_VALIDATION_SHOPPERS are asked, drawn by the seed: the same ones after
 * every epoch. A figure has the same bits for any number of threads and allocates nothing.
 */
#ifndef PROFFER_SEQUENCE_VALIDATE_H
#define PROFFER_SEQUENCE_VALIDATE_H

#include "base/pool.h"
#include "base/status.h"
#include "sequence/events.h"
#include "sequence/net.h"

enum { SEQUENCE_VALIDATION_SHOPPERS = 5000, SEQUENCE_VALIDATION_CUT = 10 };

/* What is asked. Events of shopper u from ends[u] on are not read (NULL: all are); next[u] is
 * what was taken then, or SEQUENCE_NOTHING. */
typedef struct sequence_question {
    const sequence_events *events;
    const uint64_t *ends;
    const uint32_t *next; /* [U] */
    bool repeats;
} sequence_question;

/* Holds back the last product taken of up to SEQUENCE_VALIDATION_SHOPPERS shoppers, drawn by
 * the seed from those who took three or more: fills ends [U] and next [U]; returns of how
 * many. PF_NO_MEMORY. */
pf_status sequence_hold_back(const sequence_events *e, uint64_t seed, uint64_t *ends,
                             uint32_t *next, uint32_t *held, pf_error *err);

typedef struct sequence_validation sequence_validation;
/* The question is copied, what it points to is borrowed. Workspaces are planned for nets like
 * this one. Shoppers without a readable event or an answer are passed over; with nobody left
 * *out is NULL and PF_OK is returned. */
pf_status sequence_validation_new(sequence_validation **out, const sequence_question *q,
                                  const sequence_net *net, unsigned workers, pf_error *err);
/* NULL is fine. */
void sequence_validation_free(sequence_validation *v);
uint32_t sequence_validation_shoppers(const sequence_validation *v);
/* Roughly the bytes that are taken for a catalogue of V products. */
size_t sequence_validation_bytes(const sequence_settings *s, uint32_t V, unsigned workers);
/* The mean over shoppers. The net must be refreshed. */
double sequence_validation_ndcg(sequence_validation *v, const sequence_net *net, pool *threads);

#endif
