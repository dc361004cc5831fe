/*
 * Forgetting a shopper: the row, the events, the decisions. secure_delete overwrites what
 * is taken out, and the commit empties the write-ahead log (connection.c), so that
 * nothing of it is left in the files. The number stays empty for ever.
 */
#include "base/buffer.h"
#include "store/connection.h"
#include "store/event_content.h"
#include "store/standing.h"

/* What the shopper's events add to the tallies, by reading them once more. */
typedef struct share {
    uint64_t by_type[EVENT_TYPE_COUNT];
    uint64_t sum;
    buffer scratch;
    pf_status status;
    pf_error *err;
} share;

static bool add_share(void *context, const event_record *r)
{
    share *f = context;
    hash_128 content;
    f->status = event_content_hash(r, &f->scratch, &content, f->err);
    if (f->status != PF_OK) return false;
    f->by_type[r->type]++;
    f->sum += content.low;
    return true;
}

static pf_status subtract_events(store *s, uint32_t number, pf_error *err)
{
    share f = {.err = err};
    buffer_init(&f.scratch, EVENT_CONTENT_MAX_BYTES);
    pf_status status = store_visit_events(s, number, add_share, &f, err);
    if (status == PF_OK) status = f.status;
    buffer_free(&f.scratch);
    if (status != PF_OK) return status;
    for (int type = 0; type < EVENT_TYPE_COUNT; type++)
        s->tallies.events_by_type[type] -= f.by_type[type];
    s->tallies.events_sum -= f.sum;
    s->tallies.changed = true;
    return PF_OK;
}

static pf_status erase_rows(store *s, const char *sql, uint32_t number, pf_error *err)
{
    sqlite3_stmt *st;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    return db_run(s, st, err);
}

pf_status store_forget_shopper(store *s, const char *id, pf_error *err)
{
    static const char blocks[] = "DELETE FROM event_blocks WHERE shopper = ?1";
    static const char decisions[] = "DELETE FROM decisions WHERE shopper = ?1";
    uint32_t number = 0;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK)
        status = standing_find(s, STANDING_SHOPPER, text_of(id), &number, err);
    if (status != PF_OK) return status;
    if (number == 0) return error_set(err, PF_NOT_FOUND, "there is no shopper '%s'", id);
    status = subtract_events(s, number, err);
    if (status == PF_OK) status = erase_rows(s, blocks, number, err);
    if (status == PF_OK) status = erase_rows(s, decisions, number, err);
    if (status == PF_OK) status = standing_erase_shopper(s, text_of(id), err);
    if (status == PF_OK) s->erased = true;
    return db_spoil(s, status);
}
