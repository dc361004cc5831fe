/*
 * Files -> checked records -> the store. What this room does: reads CSV, JSON lines,
 * RecBole files and event envelopes, plain or packed by gzip or zstd, from files or pipes;
 * maps them by a mapping file or by guessing from headers; checks every value; hands good
 * rows to the store and keeps bad ones with file, line, column and reason. What it does
 * not: SQL (store/), learning, HTTP.
 *
 *     intake_plan *plan;
 *     intake_summary summary = {0};
 *     intake_request r = {.mapping = "shop/mapping.yaml"};
 *     if (intake_plan_open(&plan, &r, err) == PF_OK)
 *         s = intake_run(plan, store, &options, &summary, err);
 *     intake_summary_free(&summary);
 *     intake_plan_free(plan);
 *
 * One import is one transaction: all files are in, or the store is as it was. Rows that
 * cannot be used are no failure: the others are loaded and the summary counts both. The
 * same files twice change nothing. Memory stays within the options whatever the files'
 * size. Reading, unpacking, mapping and checking happen on a second thread.
 *
 * docs/data-formats.md describes the formats and the mapping file.
 */
#ifndef PROFFER_INTAKE_INTAKE_H
#define PROFFER_INTAKE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/money.h"
#include "base/status.h"
#include "intake/reason.h"
#include "store/store.h"

/* --- what to read ----------------------------------------------------------------- */

typedef struct intake_request {
    const char *mapping;      /* a mapping file, or NULL */
    const char *const *files; /* without a mapping: data files; "-" is standard input */
    size_t n_files;
    const char *table; /* the table of all files ("events"), or NULL: guess */
} intake_request;

typedef struct intake_plan intake_plan;

/* Finds the files and, without a mapping, the table of each. A file named *.yaml or *.yml
 * among the files is taken for the mapping. PF_USAGE, PF_NOT_FOUND (a file or a pattern
 * that matches none), PF_DATA (a header nobody can read), PF_IO. The request's texts are
 * copied. */
pf_status intake_plan_open(intake_plan **out, const intake_request *request,
                           pf_error *err);
/* NULL is fine. */
void intake_plan_free(intake_plan *plan);
size_t intake_plan_tables(const intake_plan *plan);
/* "events", or the name the mapping gives: "purchases". */
const char *intake_plan_label(const intake_plan *plan, size_t table);
size_t intake_plan_files(const intake_plan *plan, size_t table);
const char *intake_plan_file(const intake_plan *plan, size_t table, size_t file);

/* --- how to read it --------------------------------------------------------------- */

typedef struct intake_options {
    currency currency; /* the workspace's; empty: the store's setting "currency",
                                   else the mapping's, which then becomes the setting */
    const char *zone;  /* of times without one where the mapping says none; NULL =
                                   UTC */
    const char *rejects_folder; /* where reject files go; NULL: none are written */
    int64_t now_us;             /* the import's time, in the log and in names of files */
    unsigned threads;           /* 1: everything in the caller; else a second one reads */
    size_t memory_bytes;        /* of sorting; 0 = LIMIT_IMPORT_BYTES */
} intake_options;

intake_options intake_options_default(void);

/* --- what came of it -------------------------------------------------------------- */

/* rows = added + changed + same + duplicates + skipped + rejected, always. */
typedef struct intake_counts {
    uint64_t rows; /* read: lines, or events where one line holds several */
    uint64_t added;
    uint64_t changed;    /* the id was there with other values */
    uint64_t same;       /* the id was there with the same values */
    uint64_t duplicates; /* events that were there already; the same row twice */
    uint64_t skipped;    /* left out by `where`, or no event of ours */
    uint64_t rejected;
} intake_counts;

typedef struct intake_file_summary {
    char *file;
    intake_counts counts;
} intake_file_summary;

typedef struct intake_table_summary {
    char *table;   /* "events" */
    char *label;   /* "purchases" */
    char *reading; /* "id <- product_id, ...": what was bound */
    intake_counts counts;
    uint64_t by_reason[REASON_COUNT];
    char *first_reject;        /* "file:line:column: words", or "" */
    char *rejects_file;        /* path, or "" */
    uint64_t rejects_left_out; /* beyond LIMIT_REJECTS_KEPT */
    char **errors;             /* validation: files that could not be read to the end */
    size_t n_errors;
    intake_file_summary *files;
    size_t n_files;
} intake_table_summary;

typedef struct intake_summary {
    intake_table_summary *tables;
    size_t n_tables;
    uint64_t created_shoppers, created_products, created_promotions, created_campaigns;
    uint64_t bytes; /* packed bytes read */
    double wall_s, cpu_s;
} intake_summary;

/* Also of a zeroed one. */
void intake_summary_free(intake_summary *s);
/* Sum over tables. */
intake_counts intake_summary_totals(const intake_summary *s);
/* true when rows were rejected or files could not be read to the end. */
bool intake_summary_has_faults(const intake_summary *s);
/* The summary as a JSON object (docs/cli.md). */
void intake_summary_write(const intake_summary *s, json_writer *w);

/* Loads everything, in a transaction of its own. On failure the store is unchanged, reject
 * files are not written, and the summary tells how far it came. PF_CANCELLED after Ctrl-C
 * (progress_catch_signals). Progress on stderr by base/progress.h. */
pf_status intake_run(intake_plan *plan, store *s, const intake_options *options,
                     intake_summary *summary, pf_error *err);

/* The same, but nothing is kept: reports everything that is wrong with the files, going on
 * where intake_run would stop. References are checked against the files and the store;
 * s NULL: against the files alone, with a store that is removed again. PF_OK when
 * everything could be looked at, however much was wrong with it. */
pf_status intake_validate(intake_plan *plan, store *s, const intake_options *options,
                          intake_summary *summary, pf_error *err);

#endif
