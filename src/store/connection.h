/*
 * The connection: the SQLite handle behind a store, its prepared statements, its
 * transaction and the one place where SQLite's result codes become errors of the house.
 * It knows no table: every file of this room keeps the SQL it needs beside its use, as a
 * `static const char` array, and prepares it through db_prepare(), which keeps statements
 * by the address of their text.
 *
 *     static const char sql[] = "SELECT id FROM products WHERE number = ?1";
 *     sqlite3_stmt *st;
 *     bool row;
 *     pf_status status = db_prepare(s, &st, sql, err);
 *     if (status != PF_OK) return status;
 *     sqlite3_bind_int64(st, 1, number);
 *     status = db_step(s, st, &row, err);
 *     if (status == PF_OK && row) ... sqlite3_column_text(st, 0) ...
 *     db_reset(st);
 *
 * Texts and blobs are bound by reference (SQLITE_STATIC): they must live until
 * db_reset().
 */
#ifndef PROFFER_STORE_CONNECTION_H
#define PROFFER_STORE_CONNECTION_H

#include <limits.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "base/text.h"
#include "store/store.h"
#include "store/tallies.h"

enum { DB_STATEMENTS_MAX = 80 };

typedef struct db_statement {
    const char *sql; /* compared by address */
    sqlite3_stmt *statement;
} db_statement;

struct store {
    sqlite3 *db;
    char path[PATH_MAX];
    int n_statements;
    db_statement statements[DB_STATEMENTS_MAX];
    sqlite3_stmt *rollback; /* prepared at opening, so that it needs no memory later */
    int wait_ms;            /* for another writer */
    bool read_only;
    bool writing; /* between store_begin and commit or rollback */
    bool reading; /* between store_read_begin and store_read_end */
    bool broken;  /* a write failed: only a rollback is left */
    bool erased;  /* somebody was forgotten: leave nothing in the write-ahead log */
    store_event_writer *writer; /* open, or NULL */
    tallies tallies;            /* of the transaction, while writing */
    hash_key key;               /* of the event ids, drawn when the store was made */
};

/* Prepares, or finds the statement prepared before and resets it. */
pf_status db_prepare(store *s, sqlite3_stmt **out, const char *sql, pf_error *err);
/* Steps once; *row says whether there is a row. A failure resets the statement and,
 * inside a write transaction, marks it broken. */
pf_status db_step(store *s, sqlite3_stmt *st, bool *row, pf_error *err);
/* Steps a statement that gives no rows, and resets it. */
pf_status db_run(store *s, sqlite3_stmt *st, pf_error *err);
/* Makes the statement ready for its next use and lets go of what is bound to it. */
void db_reset(sqlite3_stmt *st);
/* Runs SQL that takes and gives nothing. */
pf_status db_exec(store *s, const char *sql, pf_error *err);
/* One number from a statement without parameters. */
pf_status db_number(store *s, const char *sql, int64_t *out, pf_error *err);
/* Finalises every prepared statement. */
void db_forget_statements(store *s);

/* Ends an open transaction without its changes; nothing where there is none. Every
 * statement is reset. */
void db_roll_back(store *s);

/* Turns an SQLite result code into an error; `doing` completes "while ...". */
pf_status db_fail(store *s, int code, const char *doing, pf_error *err);

/* PF_OK inside a sound write transaction with no event writer open, otherwise an error
 * that says what is wrong. Every write asks first. */
pf_status db_need_write(store *s, pf_error *err);
/* Marks the write transaction as spoilt and hands the status on. */
pf_status db_spoil(store *s, pf_status status);

/* A snapshot for the span of one call, unless a transaction is open anyway: *mine says
 * whether db_snapshot_end() has one to end. */
pf_status db_snapshot_begin(store *s, bool *mine, pf_error *err);
void db_snapshot_end(store *s, bool mine);

/* Binding and reading of our own types. An empty text is bound as NULL. */
void db_bind_text(sqlite3_stmt *st, int at, text value);
void db_bind_terminated(sqlite3_stmt *st, int at, const char *value);
/* Valid until the statement is stepped or reset; "" for NULL. */
text db_column_text(sqlite3_stmt *st, int at);

#endif
