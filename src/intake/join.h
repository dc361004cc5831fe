/*
 * The right side of a join: rows of other files in memory, found by their key. Only the
 * columns that the mapping names are kept, so a table of millions of orders costs little
 * more than its keys.
 *
 * A row of the joined file that cannot be used is a fault like any other row's, kept here
 * until the producer hands it to the rejects.
 */
#ifndef PROFFER_INTAKE_JOIN_H
#define PROFFER_INTAKE_JOIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "intake/mapping.h"
#include "intake/reason.h"

typedef struct join_fault {
    size_t file; /* index into the files it was loaded from */
    uint64_t line;
    uint32_t column;
    reject_reason reason;
    const char *message;
    text raw; /* shortened */
} join_fault;

typedef struct join_table join_table;

/* Reads all files. table and join must outlive it. PF_DATA when a key stands twice with
 * different values or a key column is missing; PF_LIMIT above LIMIT_JOIN_ROWS or
 * LIMIT_JOIN_BYTES; what the readers answer. */
pf_status join_load(join_table **out, const map_table *table, const map_join *join,
                    char *const *files, size_t n_files, const atomic_bool *stop,
                    pf_error *err);
/* NULL is fine. */
void join_free(join_table *j);

/* The columns it adds, named with the join's prefix. */
size_t join_columns(const join_table *j);
text join_column(const join_table *j, size_t i);
size_t join_faults(const join_table *j);
const join_fault *join_fault_at(const join_table *j, size_t i);

/* Fills cells[0 .. join_columns) of the row with this key; blank ones and false when there
 * is none. key: the parts in the order of join->on, trimmed. Counts matches. */
bool join_find(join_table *j, const text *key, text *cells);
/* PF_DATA when rows were asked for and none was found: a mapping that joins nothing. */
pf_status join_check_matched(const join_table *j, pf_error *err);

#endif
