/*
 * The record of imports, and documents: results as one JSON text a name.
 */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "store/connection.h"

pf_status store_put_import(store *s, const import_record *r, pf_error *err)
{
    static const char sql[] =
        "INSERT INTO imports (file, into_table, rows, added, changed, same, duplicates,"
        " rejected, time_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    sqlite3_stmt *st;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    const uint64_t counts[] = {r->rows, r->added,      r->changed,
                               r->same, r->duplicates, r->rejected};
    db_bind_terminated(st, 1, r->file);
    db_bind_terminated(st, 2, r->table);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(st, 3 + i, (sqlite3_int64)counts[i]);
    sqlite3_bind_int64(st, 9, r->time_us);
    return db_run(s, st, err);
}

static import_record read_import(sqlite3_stmt *st)
{
    const char *file = (const char *)sqlite3_column_text(st, 0);
    const char *table = (const char *)sqlite3_column_text(st, 1);
    return (import_record){.file = file != NULL ? file : "",
                           .table = table != NULL ? table : "",
                           .rows = (uint64_t)sqlite3_column_int64(st, 2),
                           .added = (uint64_t)sqlite3_column_int64(st, 3),
                           .changed = (uint64_t)sqlite3_column_int64(st, 4),
                           .same = (uint64_t)sqlite3_column_int64(st, 5),
                           .duplicates = (uint64_t)sqlite3_column_int64(st, 6),
                           .rejected = (uint64_t)sqlite3_column_int64(st, 7),
                           .time_us = sqlite3_column_int64(st, 8)};
}

pf_status store_visit_imports(store *s, store_import_visitor *visit, void *context,
                              pf_error *err)
{
    static const char sql[] = "SELECT file, into_table, rows, added, changed, same, "
                              "duplicates, rejected, time_us"
                              " FROM imports ORDER BY number";
    sqlite3_stmt *st;
    bool row = true;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    while (status == PF_OK && row) {
        status = db_step(s, st, &row, err);
        if (status != PF_OK || !row) break;
        import_record r = read_import(st);
        row = visit(context, &r);
    }
    db_reset(st);
    return status;
}

pf_status store_put_document(store *s, const char *name, const char *json, size_t n,
                             pf_error *err)
{
    static const char sql[] = "INSERT INTO documents (name, json) VALUES (?1, ?2)"
                              " ON CONFLICT (name) DO UPDATE SET json = excluded.json";
    sqlite3_stmt *st;
    pf_status status = db_need_write(s, err);
    if (status != PF_OK) return status;
    if (n > LIMIT_JSON_BYTES)
        return error_set(err, PF_LIMIT, "the document '%s' is larger than %u bytes", name,
                         LIMIT_JSON_BYTES);
    status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    db_bind_terminated(st, 1, name);
    sqlite3_bind_blob64(st, 2, json, n, SQLITE_STATIC);
    return db_run(s, st, err);
}

pf_status store_get_document(store *s, const char *name, char **json, size_t *n,
                             pf_error *err)
{
    static const char sql[] = "SELECT json FROM documents WHERE name = ?1";
    sqlite3_stmt *st;
    bool row;
    *json = NULL;
    *n = 0;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    db_bind_terminated(st, 1, name);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (!row) {
        db_reset(st);
        return error_set(err, PF_NOT_FOUND, "there is no document '%s' yet", name);
    }
    text document = db_column_text(st, 0);
    *json = mem_copy_text(document.data, document.n);
    *n = document.n;
    db_reset(st);
    return *json != NULL ? PF_OK
                         : error_set(err, PF_NO_MEMORY, "no memory for a document");
}
