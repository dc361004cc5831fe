/*
 * A row of input as every reader hands it out: cells, their kinds, where it stood, and its
 * bytes as they were. Cells are views that live until the next row. A row that cannot be
 * used says why in `reason` and goes to the rejects; reading goes on behind it.
 */
#ifndef PROFFER_INTAKE_ROW_H
#define PROFFER_INTAKE_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "intake/reason.h"

typedef enum cell_kind {
    CELL_TEXT,    /* words; the only kind in CSV */
    CELL_NUMBER,  /* a JSON number as written */
    CELL_BOOLEAN, /* "true" or "false" */
    CELL_LIST,    /* a JSON array of words and numbers, joined by '|' */
    CELL_JSON     /* any other JSON value, as JSON text */
} cell_kind;

typedef struct row {
    const text *cells;
    const uint8_t *kinds; /* cell_kind of each; NULL: all CELL_TEXT */
    size_t n_cells;
    uint64_t line;        /* where the row starts, 1-based */
    text raw;             /* without its line end */
    reject_reason reason; /* REASON_NONE: a good row */
    uint32_t column;      /* of the fault, 1-based; 0 where it does not apply */
    char message[192];    /* of the fault */
} row;

#endif
