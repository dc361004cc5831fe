/*
 * The block writer: merges the new events of one shopper after another into the blocks
 * that are there. Events come in order of time; a block is touched only where one of them
 * falls into it, and what is touched is cut anew into blocks of up to BLOCK_ROWS events.
 *
 *     blocks         [ a a a a ]   [ b b b ]   [ c c ]           t ->
 *     new events          x                        y   z
 *     afterwards     [ a a x ] [ a a ] [ b b b ]   [ c c y z ]
 *
 * Which events a block takes: those at or after its first event's time and before the
 * next block's. An event at the time of others comes behind them. A full block at whose
 * end an event falls is left alone and a new block begins.
 *
 * Blocks of a shopper are ordered by (first_time_us, part). Where possible a cut falls
 * between different times; where more events than fit in a block share one time, `part`
 * tells them apart: a block written later has a larger one. For that to be their order,
 * such blocks hang together: when one is touched, those that begin at the time it ends
 * with are written anew behind it.
 */
#ifndef PROFFER_STORE_BLOCK_WRITER_H
#define PROFFER_STORE_BLOCK_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "store/event_columns.h"
#include "store/store.h"

typedef struct block_writer block_writer;

pf_status block_writer_new(block_writer **out, store *s, pf_error *err);
/* NULL is fine. */
void block_writer_free(block_writer *w);
/* number: the shopper's, 0 = anonymous; fresh: the shopper cannot have blocks yet. */
pf_status block_writer_begin(block_writer *w, uint32_t number, bool fresh, pf_error *err);
pf_status block_writer_add(block_writer *w, const event_row *row, pf_error *err);
/* Writes what is held. After a failure of any of them the transaction must be rolled
 * back. */
pf_status block_writer_end(block_writer *w, pf_error *err);

#endif
