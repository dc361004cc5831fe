/*
 * Which stretch of each shopper's events an epoch reads, in which order, packed into batches.
 *
 *     sequence_batches *b;
 *     sequence_batches_new(&b, &events, ends, &settings, err);
 *     sequence_batches_epoch(b, epoch);                       // draws order and stretches
 *     for (size_t i = 0; i < sequence_batches_count(b); i++)
 *         const sequence_pack *pack = sequence_batches_take(b, i);
 *
 * Causal models: the rows of a shopper are the events before the last product taken; row i
 * foresees the next product that was taken after it. No row is without a target.
 * BERT4Rec: rows reach to the last product taken; a share of the rows that took one is
 * masked and foresees itself, all other rows have no target. A masked row tells nothing but
 * its position: kind, band and gap are 0.
 *
 * Everything drawn is a function of (settings.seed, epoch), whatever was drawn before. Belongs
 * to one thread; events are borrowed.
 */
#ifndef PROFFER_SEQUENCE_WINDOWS_H
#define PROFFER_SEQUENCE_WINDOWS_H

#include "base/status.h"
#include "sequence/events.h"
#include "sequence/pack.h"
#include "sequence/settings.h"

typedef struct sequence_batches sequence_batches;

/* ends [U]: a shopper's events from ends[u] on are not read (what is held back); NULL: all
 * are. Copied. PF_DATA when nobody took two products in a row that could be learnt from. */
pf_status sequence_batches_new(sequence_batches **out, const sequence_events *e,
                               const uint64_t *ends, const sequence_settings *s,
                               pf_error *err);
/* NULL is fine. */
void sequence_batches_free(sequence_batches *b);

/* Begins an epoch, counted from 0. */
void sequence_batches_epoch(sequence_batches *b, unsigned epoch);
size_t sequence_batches_count(const sequence_batches *b);
/* Rows of an epoch: the same in each. */
uint64_t sequence_batches_rows(const sequence_batches *b);
/* The longest window, and the most sequences of a batch. */
size_t sequence_batches_longest(const sequence_batches *b);
size_t sequence_batches_sequences(const sequence_batches *b);
/* Bytes that are taken in all. */
size_t sequence_batches_bytes(const sequence_batches *b);
/* Batch i of the epoch, in memory that the next call uses again. */
const sequence_pack *sequence_batches_take(sequence_batches *b, size_t i);

/* ---- the same rows outside training ---- */

/* Rows under construction: room for `most` rows of `sequences` sequences. */
typedef struct pack_rows {
    size_t most;
    uint32_t *offset, *thing, *target;
    uint16_t *position;
    uint8_t *kind, *band, *gap; /* NULL where the events have none */
    sequence_pack pack;         /* what stands there so far */
    void *block;                /* to be freed, or NULL */
} pack_rows;

/* Which parts of rows there are. */
typedef struct pack_parts {
    bool kind, band, gap, target;
} pack_parts;

pf_status pack_rows_new(pack_rows *out, size_t sequences, size_t most, pack_parts parts,
                        pf_error *err);
/* The same in memory of the caller's: pack_rows_bytes(), aligned to 4. */
void pack_rows_over(pack_rows *out, void *block, size_t sequences, size_t most,
                    pack_parts parts);
void pack_rows_free(pack_rows *r);
size_t pack_rows_bytes(size_t sequences, size_t most);
void pack_rows_clear(pack_rows *r);
/* A row behind the last one; the first of a sequence has position 0. */
void pack_rows_add(pack_rows *r, uint32_t thing, uint8_t kind, uint8_t band, uint8_t gap);
/* What stands behind the last end is a sequence. */
void pack_rows_end_sequence(pack_rows *r);

/* Adds what a model reads to foresee the product after a shopper's events first..end - 1: the
 * last `length` of them, for BERT4Rec one fewer and a masked row. */
void pack_rows_add_past(pack_rows *r, const sequence_events *e, uint64_t first, uint64_t end,
                        const sequence_settings *s);

#endif
