/*
 * Small settings of the workspace: names and values, both text.
 */
#include <string.h>

#include "store/connection.h"

pf_status store_set_setting(store *s, const char *name, const char *value, pf_error *err)
{
    static const char sql[] =
        "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)";
    sqlite3_stmt *st;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
    return db_run(s, st, err);
}

pf_status store_get_setting(store *s, const char *name, char *into, size_t size,
                            pf_error *err)
{
    static const char sql[] = "SELECT value FROM settings WHERE name = ?1";
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    text value = row ? db_column_text(st, 0) : (text){"", 0};
    if (!row)
        status = error_set(err, PF_NOT_FOUND, "the setting '%s' is not set", name);
    else if (value.n >= size)
        status = error_set(err, PF_LIMIT, "the setting '%s' is longer than %zu bytes",
                           name, size > 0 ? size - 1 : 0);
    else {
        if (value.n > 0) memcpy(into, value.data, value.n);
        into[value.n] = '\0';
    }
    db_reset(st);
    return status;
}
