/*
 * Opening and closing: which file, in which mode, with which of SQLite's settings. What
 * is in the file is schema.c's business.
 *
 * Settings. WAL, so that readers and the writer do not wait for each other;
 * synchronous FULL, so that a commit that returned is on the disk; secure_delete, so that
 * what was erased is overwritten and not only unlinked from a page.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "store/connection.h"
#include "store/schema.h"

enum { PAGE_BYTES = 4096, CACHE_KIB = 32 * 1024, LOG_KEPT_BYTES = 64 << 20 };

static const char magic[16] = "SQLite format 3";

/* A file that does not begin as a database does is never handed to SQLite, which would
 * take an empty one for new. */
static pf_status check_beginning(const char *path, store_mode mode, pf_error *err)
{
    struct stat info;
    char head[sizeof magic];
    if (stat(path, &info) != 0) {
        if (errno != ENOENT) return error_set_errno(err, "cannot open '%s'", path);
        if (mode == STORE_CREATE) return PF_OK;
        return error_set(err, PF_NOT_FOUND, "there is no store at '%s'", path);
    }
    if (!S_ISREG(info.st_mode))
        return error_set(err, PF_DATA, "'%s' is not a file", path);
    if (info.st_size == 0) return PF_OK;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return error_set_errno(err, "cannot open '%s'", path);
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    if (n != sizeof head || memcmp(head, magic, sizeof magic) != 0)
        return error_set(err, PF_DATA,
                         "'%s' is not a store of Proffer; it was not touched", path);
    return PF_OK;
}

/* SQLite reads ":memory:" and "file:" in another way; "./" in front makes them names. */
static pf_status keep_path(store *s, const char *path, pf_error *err)
{
    int n = snprintf(s->path, sizeof s->path, "%s%s", path[0] == '/' ? "" : "./", path);
    if (path[0] == '\0')
        return error_set(err, PF_USAGE, "the path of the store is empty");
    if (n < 0 || (size_t)n >= sizeof s->path)
        return error_set(err, PF_LIMIT, "the path is longer than %zu bytes",
                         sizeof s->path - 1);
    return PF_OK;
}

static pf_status connect_to(store *s, store_mode mode, pf_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == STORE_CREATE) flags |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (s->db == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory to open '%s'", s->path);
    if (code != SQLITE_OK) return db_fail(s, code, "opening the store", err);
    store_set_wait(s, LIMIT_STORE_WAIT_MS);
    /* SQLite falls back to reading when it may not write. */
    if (!s->read_only && sqlite3_db_readonly(s->db, "main") == 1)
        return db_fail(s, SQLITE_READONLY, "opening the store", err);
    return PF_OK;
}

static void sleep_ms(int ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000L};
    nanosleep(&t, NULL);
}

/* Two processes that make the same store race for the switch to WAL, and SQLite answers
 * busy at once there, whatever its time-out. */
static pf_status use_write_ahead_log(store *s, pf_error *err)
{
    enum { TRY_EVERY_MS = 10 };
    int code = SQLITE_BUSY;
    for (int waited = 0; waited < LIMIT_STORE_WAIT_MS; waited += TRY_EVERY_MS) {
        code = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((code & 0xFF) != SQLITE_BUSY) break;
        sleep_ms(TRY_EVERY_MS);
    }
    if (code != SQLITE_OK)
        return db_fail(s, code, "switching the store to its write-ahead log", err);
    return PF_OK;
}

/* None of these writes: an unknown database must not be touched. */
static pf_status set_up(store *s, pf_error *err)
{
    static const char rollback[] = "ROLLBACK";
    char sql[256];
    snprintf(sql, sizeof sql,
             "PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY;"
             "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;"
             "PRAGMA journal_size_limit = %d; PRAGMA synchronous = FULL;",
             CACHE_KIB, LOG_KEPT_BYTES);
    pf_status status = db_exec(s, sql, err); /* makes statements stale: before the next */
    if (status != PF_OK) return status;
    int code = sqlite3_prepare_v3(s->db, rollback, -1, SQLITE_PREPARE_PERSISTENT,
                                  &s->rollback, NULL);
    return code == SQLITE_OK ? PF_OK : db_fail(s, code, "opening the store", err);
}

/* A new database takes its page size before its log, and its log before its tables. */
static pf_status apply_schema(store *s, bool may_create, pf_error *err)
{
    char sql[64];
    bool empty;
    pf_status status = schema_check(s, may_create, &empty, err);
    if (status == PF_OK && empty) {
        snprintf(sql, sizeof sql, "PRAGMA page_size = %d", PAGE_BYTES);
        status = db_exec(s, sql, err);
    }
    if (status == PF_OK && !s->read_only) status = use_write_ahead_log(s, err);
    if (status == PF_OK) status = schema_apply(s, may_create, err);
    return status;
}

static pf_status load_key(store *s, pf_error *err)
{
    static const char sql[] = "SELECT value FROM state WHERE name = 'key'";
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status == PF_OK) status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    text key = row ? db_column_text(st, 0) : (text){"", 0};
    if (key.n == sizeof s->key.bytes)
        memcpy(s->key.bytes, key.data, key.n);
    else
        status = error_set(err, PF_DATA, "'%s' is damaged: its key is missing", s->path);
    db_reset(st);
    return status;
}

pf_status store_open(store **out, const char *path, store_mode mode, pf_error *err)
{
    *out = NULL;
    pf_status status = check_beginning(path, mode, err);
    if (status != PF_OK) return status;
    store *s = mem_alloc_zero(1, sizeof *s);
    if (s == NULL) return error_set(err, PF_NO_MEMORY, "no memory to open '%s'", path);
    s->read_only = mode == STORE_READ_ONLY;

    status = keep_path(s, path, err);
    if (status == PF_OK) status = connect_to(s, mode, err);
    if (status == PF_OK) status = set_up(s, err);
    if (status == PF_OK) status = apply_schema(s, mode == STORE_CREATE, err);
    if (status == PF_OK) status = load_key(s, err);
    if (status != PF_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return PF_OK;
}

void store_close(store *s)
{
    if (s == NULL) return;
    store_rollback(s);
    store_read_end(s);
    db_forget_statements(s);
    sqlite3_finalize(s->rollback);
    sqlite3_close(s->db);
    mem_free(s);
}

int store_schema_version(const store *s)
{
    static const char sql[] = "PRAGMA user_version";
    int version = 0;
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK) return 0;
    if (sqlite3_step(st) == SQLITE_ROW) version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version;
}

void store_set_wait(store *s, int milliseconds)
{
    s->wait_ms = milliseconds;
    sqlite3_busy_timeout(s->db, milliseconds);
}
