/*
 * The reading half of an import: one table of a plan becomes batches of records and
 * rejects. Opens its files one after the other, joins, chooses, maps, checks. Runs on the
 * reader thread, or in the caller when there is only one.
 */
#ifndef PROFFER_INTAKE_PRODUCER_H
#define PROFFER_INTAKE_PRODUCER_H

#include <stdatomic.h>

#include "intake/batch.h"
#include "intake/plan.h"

typedef struct producer_settings {
    currency currency; /* empty: amounts are refused */
    const char *zone;  /* NULL = UTC */
    bool keep_going;   /* a file that cannot be read is an item, not a failure */
    uint64_t position; /* packed bytes of the tables before this one */
} producer_settings;

typedef struct producer producer;

enum { READING_BYTES = 1024 };

/* t and stop must outlive it; t->stream is taken. */
pf_status producer_open(producer **out, plan_table *t, const producer_settings *settings,
                        const atomic_bool *stop, pf_error *err);
/* NULL is fine. */
void producer_close(producer *p);
/* Fills the batch from where the last one ended; *more false: this was the last one, and
 * it may hold items. */
pf_status producer_fill(producer *p, batch *b, bool *more, pf_error *err);
/* What was bound to what in the first file; asked after the producer has ended. */
const char *producer_reading(const producer *p);
/* Packed bytes read, over all files and the tables before. */
uint64_t producer_position(const producer *p);

#endif
