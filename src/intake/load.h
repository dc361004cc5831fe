/*
 * The loading half of an import: batches into the store, what the store answers into the
 * summary, what was refused into reject files. Runs in the caller's thread, inside one
 * transaction that run.c begins and ends.
 */
#ifndef PROFFER_INTAKE_LOAD_H
#define PROFFER_INTAKE_LOAD_H

#include "intake/batch.h"
#include "intake/plan.h"
#include "intake/rejects.h"

/* What becomes of references that lead nowhere, once AUTO is decided. */
typedef struct load_unknowns {
    bool create_shoppers, create_products, create_promotions, create_campaigns;
} load_unknowns;

typedef struct loader {
    store *store;
    const intake_plan *plan;
    const intake_options *options;
    intake_summary *summary;
    reject_file **rejects; /* [plan->n_tables]; NULL until a row is rejected */
    size_t table;          /* being loaded */
    load_unknowns unknowns;
    store_event_writer *writer; /* NULL between tables of events with other rules */
    store_event_rules rules;
    store_counts before;
    /* A fault inside a callback of the store, which cannot answer one. */
    pf_status failed;
    pf_error why;
} loader;

pf_status loader_open(loader *l, store *s, const intake_plan *plan,
                      const intake_options *options, intake_summary *summary,
                      pf_error *err);
/* Tables come in the plan's order. */
pf_status loader_begin_table(loader *l, size_t table, pf_error *err);
pf_status loader_take(loader *l, const batch *b, pf_error *err);
/* All tables are in: events are sorted and written, references created are counted, the
 * import's log is written. */
pf_status loader_finish(loader *l, pf_error *err);
/* Reject files stand under their names from here on, until undone. */
pf_status loader_commit_rejects(loader *l, pf_error *err);
void loader_undo_rejects(loader *l);
/* Abandons what is under way. */
void loader_close(loader *l);

#endif
