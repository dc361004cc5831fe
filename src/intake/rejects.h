/*
 * The reject file of one table: a CSV of every row that was not taken, with file, line,
 * column, reason, code and the row itself, written beside the workspace as
 * rejects/TIME-TABLE.csv. It appears whole or not at all, holds at most LIMIT_REJECTS_KEPT
 * rows, and is made only when there is something to put into it.
 */
#ifndef PROFFER_INTAKE_REJECTS_H
#define PROFFER_INTAKE_REJECTS_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "intake/reason.h"

typedef struct reject_file reject_file;

typedef struct reject_row {
    const char *file;
    uint64_t line;
    uint32_t column; /* 0: left blank */
    reject_reason reason;
    const char *message;
    text raw;
} reject_row;

/* Makes the folder if need be and opens a new file in it. */
pf_status reject_file_open(reject_file **out, const char *folder, const char *label,
                           int64_t now_us, pf_error *err);
/* Rows beyond the limit are counted. */
pf_status reject_file_add(reject_file *r, const reject_row *row, pf_error *err);
uint64_t reject_file_left_out(const reject_file *r);
const char *reject_file_path(const reject_file *r);
/* The file stands under its name from here on; r can still be asked, and undone. */
pf_status reject_file_commit(reject_file *r, pf_error *err);
/* Removes a committed file again: the import failed after all. */
void reject_file_undo(reject_file *r);
/* Leaves a committed file, abandons any other. NULL is fine. */
void reject_file_close(reject_file *r);

#endif
