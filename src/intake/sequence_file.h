/*
 * Interaction files of benchmarks, read into compact arrays: `user item item ...` lines,
 * oldest first (SASRec, S3-Rec and others; a user may go on in a later line, so `user item`
 * pairs are such a file too), and RecBole's .inter files. Plain or packed. They never enter
 * a store: `proffer evaluate --sequences` compares models on them.
 *
 *     sequence_set *s;
 *     sequence_set_read(&s, "beauty.seq.txt.gz", err);
 *     for (uint64_t i = s->first[u]; i < s->first[u + 1]; i++) ... s->item[i] ...
 *     sequence_set_free(s);
 *
 * Immutable once read; readers on any thread.
 */
#ifndef PROFFER_INTAKE_SEQUENCE_FILE_H
#define PROFFER_INTAKE_SEQUENCE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/status.h"
#include "base/text.h"

/* U users and I items, numbered from 1 in the order they appear in the file; N events. */
typedef struct sequence_set {
    uint32_t n_users, n_items;
    uint64_t n;
    intern *users, *items; /* number -> id as written */
    uint64_t *first;       /* [U + 2]: user u's events are first[u] .. first[u + 1] - 1 */
    uint32_t *item;        /* [N], 1..I, oldest first within a user */
    int64_t *time_us;      /* [N], or NULL where the file has no times */
    float *rating;         /* [N], or NULL where the file has no ratings */
} sequence_set;

/* Events of one user are ordered by time, equal times by their order in the file; without
 * times by their order in the file. PF_DATA with the line for a row that cannot be used
 * (there are no rejects here: a benchmark's file is right or it is not the benchmark's),
 * PF_LIMIT, PF_NOT_FOUND, PF_IO. */
pf_status sequence_set_read(sequence_set **out, const char *path, pf_error *err);
/* NULL is fine. */
void sequence_set_free(sequence_set *s);

/* Texts of items: a table with a header whose first column is the item's id (tab-separated
 * or CSV; RecBole's .item files). */
typedef struct item_texts {
    const char *path;   /* of the file they are from */
    uint32_t n_columns; /* without the id */
    uint32_t n_items;
    const text *names;     /* [n_columns], terminated */
    const text *cells;     /* [(I + 1) * n_columns]; empty where the file has no row */
    uint32_t n_rows;       /* rows of items that are in the set */
    uint32_t n_other_rows; /* rows of items that are not */
    arena memory;
} item_texts;

/* PF_DATA also for an item that stands twice. */
pf_status item_texts_read(item_texts **out, const char *path, const intern *items,
                          pf_error *err);
/* NULL is fine. */
void item_texts_free(item_texts *t);
/* Cell of an item (1..I) in a column. */
text item_texts_cell(const item_texts *t, uint32_t item, uint32_t column);

#endif
