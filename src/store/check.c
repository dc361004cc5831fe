/*
 * Is everything in the file sound? SQLite looks at its pages and indexes; then every event
 * block is decoded, which checks each one's checksum and bounds.
 */
#include "store/connection.h"

static const char sql_pages[] = "PRAGMA quick_check(1)";

pf_status store_check(store *s, pf_error *err)
{
    sqlite3_stmt *st;
    bool row = false;
    shop_history *all = NULL;
    pf_status status = db_prepare(s, &st, sql_pages, err);
    if (status == PF_OK) status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    text said = row ? db_column_text(st, 0) : text_of("nothing");
    if (!text_is(said, "ok"))
        status =
            error_set(err, PF_DATA, "'%s' is damaged (%.*s); restore it from a backup",
                      s->path, (int)said.n, said.data);
    db_reset(st);
    if (status == PF_OK) status = store_load_history(s, INT64_MAX, &all, err);
    history_free(all);
    return status;
}
