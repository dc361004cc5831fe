/*
 * Statements, errors and transactions over one SQLite handle; see connection.h.
 */
#include "store/connection.h"

#include <string.h>

#include "base/memory.h"

/* --- errors ----------------------------------------------------------------------- */

static pf_status fail_by_code(store *s, int code, const char *doing, pf_error *err)
{
    const char *path = s->path;
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, PF_BUSY,
                         "another process is writing to '%s'; try again when it is done",
                         path);
    case SQLITE_FULL:
        return error_set(err, PF_IO,
                         "the disk that holds '%s' is full; make room and try again "
                         "(while %s)",
                         path, doing);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return error_set(err, PF_IO,
                         "'%s' may not be written; check its permissions and "
                         "those of its folder (while %s)",
                         path, doing);
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return error_set(err, PF_IO, "cannot open '%s' or the files beside it: %s", path,
                         sqlite3_errmsg(s->db));
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            return error_set(err, PF_NO_MEMORY, "no memory while %s", doing);
        return error_set(err, PF_IO,
                         "reading or writing '%s' failed (%s) while %s; check the disk",
                         path, sqlite3_errstr(code), doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, PF_DATA,
                         "'%s' is damaged (%s, while %s); restore it from a backup", path,
                         sqlite3_errmsg(s->db), doing);
    case SQLITE_NOMEM: return error_set(err, PF_NO_MEMORY, "no memory while %s", doing);
    case SQLITE_TOOBIG:
        return error_set(err, PF_LIMIT, "a value is too large for the store (while %s)",
                         doing);
    case SQLITE_INTERRUPT: return error_set(err, PF_CANCELLED, "stopped while %s", doing);
    default:
        return error_set(err, PF_INTERNAL, "the database refused (%s) while %s",
                         sqlite3_errmsg(s->db), doing);
    }
}

pf_status db_fail(store *s, int code, const char *doing, pf_error *err)
{
    if (s->writing) s->broken = true;
    return fail_by_code(s, code, doing, err);
}

pf_status db_spoil(store *s, pf_status status)
{
    if (status != PF_OK && s->writing) s->broken = true;
    return status;
}

/* --- statements ------------------------------------------------------------------- */

pf_status db_prepare(store *s, sqlite3_stmt **out, const char *sql, pf_error *err)
{
    for (int i = 0; i < s->n_statements; i++)
        if (s->statements[i].sql == sql) {
            *out = s->statements[i].statement;
            db_reset(*out);
            return PF_OK;
        }
    *out = NULL;
    if (s->n_statements == DB_STATEMENTS_MAX)
        return error_set(err, PF_INTERNAL, "more than %d prepared statements",
                         DB_STATEMENTS_MAX);
    int code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (code != SQLITE_OK) return db_fail(s, code, "preparing a statement", err);
    s->statements[s->n_statements++] = (db_statement){sql, *out};
    return PF_OK;
}

void db_forget_statements(store *s)
{
    for (int i = 0; i < s->n_statements; i++)
        sqlite3_finalize(s->statements[i].statement);
    s->n_statements = 0;
}

void db_reset(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

pf_status db_step(store *s, sqlite3_stmt *st, bool *row, pf_error *err)
{
    int code = sqlite3_step(st);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE) return PF_OK;
    const char *doing =
        sqlite3_stmt_readonly(st) ? "reading the store" : "writing the store";
    pf_status status = db_fail(s, code, doing, err);
    db_reset(st);
    return status;
}

pf_status db_run(store *s, sqlite3_stmt *st, pf_error *err)
{
    bool row;
    pf_status status = db_step(s, st, &row, err);
    if (status == PF_OK) db_reset(st);
    return status;
}

pf_status db_exec(store *s, const char *sql, pf_error *err)
{
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? PF_OK : db_fail(s, code, "setting up the store", err);
}

pf_status db_number(store *s, const char *sql, int64_t *out, pf_error *err)
{
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status == PF_OK) status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    *out = row ? sqlite3_column_int64(st, 0) : 0;
    db_reset(st);
    return PF_OK;
}

void db_bind_text(sqlite3_stmt *st, int at, text value)
{
    if (value.n == 0)
        sqlite3_bind_null(st, at);
    else
        sqlite3_bind_text64(st, at, value.data, value.n, SQLITE_STATIC, SQLITE_UTF8);
}

void db_bind_terminated(sqlite3_stmt *st, int at, const char *value)
{
    db_bind_text(st, at, value ? text_of(value) : (text){"", 0});
}

text db_column_text(sqlite3_stmt *st, int at)
{
    const void *bytes = sqlite3_column_blob(st, at);
    if (bytes == NULL) return (text){"", 0};
    return (text){bytes, (size_t)sqlite3_column_bytes(st, at)};
}

/* --- transactions ----------------------------------------------------------------- */

pf_status store_begin(store *s, pf_error *err)
{
    static const char sql[] = "BEGIN IMMEDIATE";
    sqlite3_stmt *st;
    if (s->read_only)
        return error_set(err, PF_USAGE, "'%s' was opened for reading only", s->path);
    if (s->writing || s->reading)
        return error_set(err, PF_USAGE, "a transaction is open already");
    pf_status status = db_prepare(s, &st, sql, err);
    if (status == PF_OK) status = db_run(s, st, err);
    if (status != PF_OK) return status;
    s->writing = true;
    s->broken = false;
    status = tallies_load(s, &s->tallies, err);
    if (status != PF_OK) store_rollback(s);
    return status;
}

/* What was erased must not live on in the write-ahead log. A reader may keep the log from
 * being emptied now, and is not waited for: the next commit or close tries again. */
static void empty_log(store *s)
{
    sqlite3_busy_timeout(s->db, 0);
    if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
        SQLITE_OK)
        s->erased = false;
    sqlite3_busy_timeout(s->db, s->wait_ms);
}

pf_status store_commit(store *s, pf_error *err)
{
    static const char sql[] = "COMMIT";
    sqlite3_stmt *st;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = tallies_save(s, &s->tallies, err);
    if (status == PF_OK) status = db_prepare(s, &st, sql, err);
    if (status == PF_OK) status = db_run(s, st, err);
    if (status != PF_OK) {
        store_rollback(s);
        return status;
    }
    s->writing = false;
    if (s->erased) empty_log(s);
    return PF_OK;
}

void db_roll_back(store *s)
{
    for (int i = 0; i < s->n_statements; i++)
        sqlite3_reset(s->statements[i].statement);
    /* SQLite may have rolled back by itself: a full disk, no memory. The second try is for
     * a statement that had to be prepared anew and found no memory. */
    for (int i = 0; i < 2 && !sqlite3_get_autocommit(s->db); i++) {
        sqlite3_step(s->rollback);
        sqlite3_reset(s->rollback);
    }
}

void store_rollback(store *s)
{
    if (!s->writing) return;
    if (s->writer != NULL) store_events_abandon(s->writer);
    db_roll_back(s);
    s->writing = false;
    s->broken = false;
}

pf_status db_need_write(store *s, pf_error *err)
{
    if (!s->writing)
        return error_set(err, PF_USAGE,
                         "no transaction is open: store_begin() is missing");
    if (s->broken)
        return error_set(err, PF_USAGE,
                         "a step of this transaction failed before; nothing but "
                         "store_rollback() is left");
    if (s->writer != NULL)
        return error_set(err, PF_USAGE,
                         "an event writer is open: finish or abandon it first");
    return PF_OK;
}

pf_status store_read_begin(store *s, pf_error *err)
{
    if (s->writing || s->reading)
        return error_set(err, PF_USAGE, "a transaction is open already");
    bool mine;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status == PF_OK) s->reading = true;
    return status;
}

void store_read_end(store *s)
{
    if (!s->reading) return;
    s->reading = false;
    db_snapshot_end(s, true);
}

pf_status db_snapshot_begin(store *s, bool *mine, pf_error *err)
{
    static const char begin[] = "BEGIN";
    static const char look[] = "SELECT count(*) FROM state";
    sqlite3_stmt *st;
    int64_t unused;
    *mine = false;
    if (s->writing || s->reading) return PF_OK;
    pf_status status = db_prepare(s, &st, begin, err);
    if (status == PF_OK) status = db_run(s, st, err);
    if (status != PF_OK) return status;
    *mine = true;
    /* BEGIN alone takes no snapshot; the first read does. */
    status = db_number(s, look, &unused, err);
    if (status != PF_OK) {
        db_snapshot_end(s, true);
        *mine = false;
    }
    return status;
}

void db_snapshot_end(store *s, bool mine)
{
    if (mine) db_roll_back(s);
}
