/*
 * A batch: records and rejects in the order of their rows, with everything they view in
 * one arena, so that a batch can go from the thread that reads to the thread that loads.
 * Used again and again; memory stays within a few megabytes whatever the rows' sizes.
 */
#ifndef PROFFER_INTAKE_BATCH_H
#define PROFFER_INTAKE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "intake/reason.h"
#include "intake/records.h"
#include "intake/row.h"

/* Full at BATCH_ITEMS; the spare ones are for errors met after the last row. */
enum { BATCH_ITEMS = 512, BATCH_SPARE = 4, BATCH_TEXT_BYTES = 4 << 20 };

typedef enum item_kind {
    ITEM_RECORD,
    ITEM_REJECT,
    ITEM_FILE_ERROR /* the file could not be read further (validation goes on) */
} item_kind;

typedef struct batch_item {
    item_kind kind;
    uint32_t file; /* of the table's files; joined files follow them */
    uint64_t line;
    uint32_t column; /* 0 where it does not apply */
    reject_reason reason;
    const char *message; /* of a reject or an error */
    text raw;            /* the row, shortened to LIMIT_REJECT_ROW_BYTES */
    any_record record;
} batch_item;

typedef struct batch {
    intake_table table;
    arena memory;
    size_t n;
    batch_item items[BATCH_ITEMS + BATCH_SPARE];
    /* Rows that give no item. */
    uint64_t skipped, duplicates;
    uint32_t file;     /* of those */
    uint64_t position; /* packed bytes read by now, over all files */
} batch;

/* NULL when memory is short. */
batch *batch_new(intake_table table);
/* NULL is fine. */
void batch_free(batch *b);
void batch_reset(batch *b);
/* true when no more rows should be put into it. */
bool batch_is_full(const batch *b);

/* Copies the record's texts; false when memory is short. */
bool batch_add_record(batch *b, uint32_t file, const row *from, const any_record *record);
bool batch_add_reject(batch *b, uint32_t file, uint64_t line, uint32_t column,
                      reject_reason reason, const char *message, text raw);
bool batch_add_error(batch *b, uint32_t file, const pf_error *why);

#endif
