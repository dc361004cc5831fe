/*
 * Batches from a producer on a thread of its own, handed over through a small ring, so
 * that reading and loading use two processors. With one thread the caller fills each batch
 * itself; the batches are the same.
 *
 *     pipeline *p;
 *     pipeline_start(&p, producer, table, threads, err);     // borrows the producer
 *     while ((s = pipeline_next(p, &b, err)) == PF_OK && b != NULL) ...
 *     pipeline_stop(p);
 */
#ifndef PROFFER_INTAKE_PIPELINE_H
#define PROFFER_INTAKE_PIPELINE_H

#include "intake/producer.h"

typedef struct pipeline pipeline;

/* stop is the flag the producer and its sources look at; pipeline_stop sets it. */
pf_status pipeline_start(pipeline **out, producer *from, intake_table table,
                         unsigned threads, atomic_bool *stop, pf_error *err);
/* The next batch, in order; it lives until the next call. NULL behind the last. What the
 * producer answered, after all batches before it. PF_CANCELLED once progress_cancelled(). */
pf_status pipeline_next(pipeline *p, batch **out, pf_error *err);
/* Ends the thread, also in the middle. NULL is fine. */
void pipeline_stop(pipeline *p);

#endif
