/*
 * The store: keeps the domain in one SQLite file (WAL mode) behind this narrow interface,
 * which nothing else in the house goes around; PostgreSQL can stand behind it later. No
 * SQL leaves this room.
 *
 *     store *s;
 *     store_open(&s, "shop.db", STORE_CREATE, err);
 *     store_begin(s, err);
 *     store_put_product(s, &record, &outcome, err); ...
 *     store_commit(s, err);              // or store_rollback(s)
 *     store_close(s);
 *
 * Transactions. Readers see a snapshot; one writer at a time. store_begin() takes the
 * write lock (waiting up to LIMIT_STORE_WAIT_MS, then PF_BUSY); everything until
 * store_commit() is one atomic step, on the disk when it returns; store_rollback(), a
 * crash or a loss of power leaves no trace. After a write has failed for want of memory or
 * disk the transaction is spoilt: every further write and the commit are refused (PF_USAGE)
 * until it is rolled back. Two processes may have the same file open.
 *
 * Events are kept as columnar blocks, one or more a shopper, ordered by time:
 *
 *     event_blocks(shopper, first_time_us, part, last_time_us, n, data)
 *
 * so a shopper's history is read, and erased, in one place, and an import costs the
 * database a row a shopper and not a row an event. event_ids keeps hashes of the events'
 * ids (96 bits, keyed) and contents (32 bits), and so knows duplicates.
 *
 * Errors common to all calls: PF_IO (the disk is full or refuses, with what to do), PF_DATA
 * (the file is damaged), PF_NO_MEMORY, PF_LIMIT (a text or a number beyond base/limits.h).
 *
 * A store handle belongs to one thread at a time. Texts given to a call are copied.
 */
#ifndef PROFFER_STORE_STORE_H
#define PROFFER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "shop/catalogue.h"
#include "shop/history.h"
#include "shop/record.h"

typedef struct store store;

typedef enum store_mode {
    STORE_CREATE,   /* make it if it is not there */
    STORE_OPEN,     /* PF_NOT_FOUND if it is not there */
    STORE_READ_ONLY /* the same, and writes are refused */
} store_mode;

/* Opens, checks the file's application id and schema version, and migrates an older one
 * in one transaction. A newer one is PF_UNAVAILABLE ("made by a later version"); a file
 * that is no store of ours is PF_DATA and is not touched. Reading only still needs a folder
 * that may be written while others have the file open: the write-ahead log lies there. */
pf_status store_open(store **out, const char *path, store_mode mode, pf_error *err);
/* NULL is fine; an open transaction is rolled back. */
void store_close(store *s);
int store_schema_version(const store *s);
/* Reads the whole file: PF_DATA with what is damaged, and where. Slow. */
pf_status store_check(store *s, pf_error *err);
/* How long store_begin() waits for another writer before PF_BUSY; LIMIT_STORE_WAIT_MS at
 * first. */
void store_set_wait(store *s, int milliseconds);

pf_status store_begin(store *s, pf_error *err);
/* A commit that fails has rolled back. */
pf_status store_commit(store *s, pf_error *err);
/* Nothing when no transaction is open. An open event writer is abandoned with it. */
void store_rollback(store *s);

/* --- small settings of the workspace ("currency", ...) ---------------------------- */
pf_status store_set_setting(store *s, const char *name, const char *value, pf_error *err);
/* PF_NOT_FOUND when unset. Terminated; PF_LIMIT when it does not fit. */
pf_status store_get_setting(store *s, const char *name, char *into, size_t size,
                            pf_error *err);

/* --- standing data: inside a transaction ------------------------------------------ */

typedef enum store_outcome {
    STORE_ADDED,
    STORE_CHANGED,         /* an upsert that altered something */
    STORE_SAME,            /* nothing new: the same row again */
    STORE_UNKNOWN_SHOPPER, /* a reference that leads nowhere: the row was not taken */
    STORE_UNKNOWN_PRODUCT,
    STORE_UNKNOWN_PROMOTION,
    STORE_UNKNOWN_CAMPAIGN
} store_outcome;

/* Upserts by id. *outcome says what happened. Fields not given keep what was there: empty
 * texts, absent amounts and times, zeros of counts and of `kind`. Of consent, what is said
 * last counts: a channel newly given is refused no longer, and the other way round; one
 * that is in both sets is refused. */
pf_status store_put_product(store *s, const product_record *r, store_outcome *outcome,
                            pf_error *err);
pf_status store_put_shopper(store *s, const shopper_record *r, store_outcome *outcome,
                            pf_error *err);
pf_status store_put_campaign(store *s, const campaign_record *r, store_outcome *outcome,
                             pf_error *err);
pf_status store_put_promotion(store *s, const promotion_record *r, store_outcome *outcome,
                              pf_error *err);
pf_status store_put_scope(store *s, const scope_record *r, store_outcome *outcome,
                          pf_error *err);

/* --- events: inside a transaction ------------------------------------------------- */

/* What to do with an id that an event names and nobody has introduced. */
typedef enum store_unknown { STORE_UNKNOWN_REJECT, STORE_UNKNOWN_CREATE } store_unknown;

typedef struct store_event_rules {
    store_unknown shopper, product, promotion, campaign;
    /* For sorting; beyond it, runs go to a temporary file beside the database. The ids
     * that events name and two bits an event come on top. */
    size_t memory_bytes;
} store_event_rules;

/* CREATE for shoppers, REJECT for the rest, half of LIMIT_IMPORT_BYTES. */
store_event_rules store_event_rules_default(void);

/* Told of every event that was not taken because it was there already, in no order that
 * means anything. same_content is false when the id was used before by a different event:
 * a conflict worth a reject. An event without an id is known by its content, so two lines
 * that say the same are one event. */
typedef void store_on_duplicate(void *context, uint64_t origin, bool same_content);

typedef struct store_event_counts {
    uint64_t added, duplicates, conflicts;
} store_event_counts;

typedef struct store_event_writer store_event_writer;

/* Any number of events in any order of time; memory stays within the rules. Nothing is
 * in the database before finish, which sorts, finds duplicates and writes. Events of equal
 * time keep the order they came in, and of several with one id the first is kept, so that
 * one import and the same in parts leave the same store. One writer at a time on a store,
 * and no other writes while it is open. */
pf_status store_events_begin(store *s, const store_event_rules *rules,
                             store_event_writer **out, pf_error *err);
/* Takes one event; *outcome is STORE_ADDED or one of STORE_UNKNOWN_*, the event then not
 * taken. PF_LIMIT and PF_DATA for a record that cannot be (an id too long, no type, no
 * time) leave the writer as it was; any other failure leaves only abandon and rollback. */
pf_status store_events_add(store_event_writer *w, const event_record *r,
                           store_outcome *outcome, pf_error *err);
/* Consumes the writer whether it succeeds or fails; on_duplicate may be NULL. Ids that were
 * to be created exist afterwards when an event that names them was added. */
pf_status store_events_finish(store_event_writer *w, store_on_duplicate *on_duplicate,
                              void *context, store_event_counts *counts, pf_error *err);
/* NULL is fine. */
void store_events_abandon(store_event_writer *w);

/* --- reading ---------------------------------------------------------------------- */

/* A whole snapshot; free with catalogue_free / history_free. until_us: only events before
 * it (INT64_MAX = all). Both read in one snapshot when called between store_read_begin
 * and store_read_end. */
pf_status store_load_catalogue(store *s, shop_catalogue **out, pf_error *err);
pf_status store_load_history(store *s, int64_t until_us, shop_history **out,
                             pf_error *err);
/* One shopper alone (0: the anonymous events): a history whose only non-empty shopper is
 * the one asked for. */
pf_status store_load_shopper_history(store *s, uint32_t shopper, int64_t until_us,
                                     shop_history **out, pf_error *err);
pf_status store_read_begin(store *s, pf_error *err);
void store_read_end(store *s);

/* The events of one shopper (0: anonymous) with their texts, for export, profile and
 * explain; in order of time. Return false from a visitor to stop; none may call another
 * visiting function on the same store. */
typedef bool store_event_visitor(void *context, const event_record *event);
pf_status store_visit_events(store *s, uint32_t shopper, store_event_visitor *visit,
                             void *context, pf_error *err);

typedef struct store_counts {
    uint64_t products, shoppers, campaigns, promotions, scope_rows, events, decisions;
    uint64_t events_by_type[EVENT_TYPE_COUNT];
    int64_t first_event_us, last_event_us;
} store_counts;
pf_status store_count(store *s, store_counts *out, pf_error *err);

/* A fingerprint of everything learned from (catalogue and events): changes with any of
 * them, and is the same for the same rows in whatever order and number of imports they
 * came; model cards carry it. Cheap: kept up to date by each commit. */
pf_status store_data_fingerprint(store *s, fingerprint *out, pf_error *err);

/* Erases a shopper's row, events and decisions, so that after the commit nothing of them is
 * left in the files (while another process reads, in the write-ahead log, until it is
 * done). The number stays empty; an old file imported again does not bring the events
 * back. PF_NOT_FOUND. Inside a transaction. */
pf_status store_forget_shopper(store *s, const char *id, pf_error *err);

/* --- vectors: a cache keyed by encoder and text ----------------------------------- */

/* dimension floats; PF_NOT_FOUND when absent, PF_DATA when it has another dimension. */
pf_status store_get_vector(store *s, const fingerprint *encoder, const fingerprint *text,
                           float *into, size_t dimension, pf_error *err);
/* Inside a transaction. */
pf_status store_put_vector(store *s, const fingerprint *encoder, const fingerprint *text,
                           const float *vector, size_t dimension, pf_error *err);

/* --- decisions -------------------------------------------------------------------- */

typedef struct decision_record {
    const char *id;              /* unique */
    const char *run;             /* which run of `proffer decide` made it */
    uint32_t shopper, promotion; /* promotion 0: none was best */
    channel channel;
    int64_t time_us, send_at_us;
    double propensity, score, expected_value_minor;
    int64_t cost_minor;     /* expected cost, rounded up */
    const char *reason;     /* reason code of the outcome */
    const char *message;    /* UTF-8, may be "" */
    const char *candidates; /* JSON array: promotion, score, value, reason of each */
    const char *versions;   /* JSON object: policy, models, data fingerprint */
    bool holdout;
} decision_record;

/* Inside a transaction. PF_DATA when the id is there already, or it or the run is
 * empty, or a value is no number: the transaction goes on without it. */
pf_status store_put_decision(store *s, const decision_record *d, pf_error *err);
/* In order of shopper; the record's texts live until the visitor returns. */
typedef bool store_decision_visitor(void *context, const decision_record *decision);
/* run NULL: the latest run; shopper 0: all shoppers. PF_NOT_FOUND when there is no run.
 */
pf_status store_visit_decisions(store *s, const char *run, uint32_t shopper,
                                store_decision_visitor *visit, void *context,
                                pf_error *err);

/* Every decision about a shopper, of all runs, oldest run first; none is no failure. */
pf_status store_visit_shopper_decisions(store *s, uint32_t shopper,
                                        store_decision_visitor *visit, void *context,
                                        pf_error *err);

/* The lot of every decision of all runs: about whom, of which moment, held out or not; by
 * shopper and time. Cheap beside a visit of the decisions; none is no failure. */
typedef bool store_lot_visitor(void *context, uint32_t shopper, int64_t time_us,
                               bool holdout);
pf_status store_visit_lots(store *s, store_lot_visitor *visit, void *context,
                           pf_error *err);

/* --- what was imported, and what was measured ------------------------------------- */

typedef struct import_record {
    const char *file, *table;
    uint64_t rows, added, changed, same, duplicates, rejected;
    int64_t time_us;
} import_record;
/* Inside a transaction. */
pf_status store_put_import(store *s, const import_record *r, pf_error *err);
typedef bool store_import_visitor(void *context, const import_record *r);
pf_status store_visit_imports(store *s, store_import_visitor *visit, void *context,
                              pf_error *err);

/* Results of an evaluation or a decision run, as one JSON document a name ("evaluation",
 * "decide"); the report is made of them. Inside a transaction. */
pf_status store_put_document(store *s, const char *name, const char *json, size_t n,
                             pf_error *err);
/* Freed with mem_free; PF_NOT_FOUND. */
pf_status store_get_document(store *s, const char *name, char **json, size_t *n,
                             pf_error *err);

#endif
