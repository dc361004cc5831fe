/*
 * One shopper's events with their texts, in order of time, for people: export, profile,
 * explanations, and for what must know an event's content again, such as forgetting.
 */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "store/connection.h"
#include "store/event_block.h"
#include "store/standing.h"

/* The id of a number, remembered: neighbours often name the same one. */
typedef struct last_id {
    uint32_t number;
    char id[LIMIT_ID_BYTES + 1];
} last_id;

typedef struct event_visit {
    store *s;
    event_columns *rows;
    last_id ids[STANDING_TABLES];
    store_event_visitor *visit;
    void *context;
    bool stopped;
} event_visit;

static pf_status id_of(event_visit *v, standing_table table, uint32_t number, text *out,
                       pf_error *err)
{
    last_id *last = &v->ids[table];
    if (number != last->number) {
        pf_status status = standing_id(v->s, table, number, last->id, err);
        if (status != PF_OK) return status;
        last->number = number;
    }
    *out = text_of(last->id);
    return PF_OK;
}

static pf_status show_row(event_visit *v, uint32_t number, const event_row *row,
                          pf_error *err)
{
    event_record r = {.id = row->texts[EVENT_TEXT_ID],
                      .type = (event_type)row->type,
                      .order = row->texts[EVENT_TEXT_ORDER],
                      .decision = row->texts[EVENT_TEXT_DECISION],
                      .channel = (channel)row->channel,
                      .time_us = row->time_us,
                      .date_only = row->date_only != 0,
                      .quantity = row->quantity,
                      .paid_minor = row->paid_minor,
                      .discount_minor = row->discount_minor,
                      .coupon_minor = row->coupon_minor,
                      .rating = row->rating,
                      .propensity = row->propensity,
                      .attributes = row->texts[EVENT_TEXT_ATTRIBUTES]};
    pf_status status = id_of(v, STANDING_SHOPPER, number, &r.shopper, err);
    if (status == PF_OK)
        status = id_of(v, STANDING_PRODUCT, row->product, &r.product, err);
    if (status == PF_OK)
        status = id_of(v, STANDING_PROMOTION, row->promotion, &r.promotion, err);
    if (status == PF_OK)
        status = id_of(v, STANDING_CAMPAIGN, row->campaign, &r.campaign, err);
    if (status == PF_OK && !v->visit(v->context, &r)) v->stopped = true;
    return status;
}

static pf_status show_block(event_visit *v, uint32_t number, text data, pf_error *err)
{
    event_row row;
    pf_status status = block_decode(data.data, data.n, number, v->rows, err);
    for (uint32_t i = 0; i < v->rows->n && status == PF_OK && !v->stopped; i++) {
        columns_row(v->rows, i, &row);
        status = show_row(v, number, &row, err);
    }
    return status;
}

static pf_status show_blocks(event_visit *v, uint32_t number, pf_error *err)
{
    static const char sql[] = "SELECT data FROM event_blocks WHERE shopper = ?1"
                              " ORDER BY first_time_us, part";
    sqlite3_stmt *st;
    bool row = true;
    pf_status status = db_prepare(v->s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    while (status == PF_OK && row && !v->stopped) {
        status = db_step(v->s, st, &row, err);
        if (status == PF_OK && row)
            status = show_block(v, number, db_column_text(st, 0), err);
    }
    db_reset(st);
    return status;
}

pf_status store_visit_events(store *s, uint32_t number, store_event_visitor *visit,
                             void *context, pf_error *err)
{
    bool mine;
    event_visit *v = mem_alloc_zero(1, sizeof *v);
    event_columns *rows = columns_new();
    if (v == NULL || rows == NULL) {
        mem_free(v);
        columns_free(rows);
        return error_set(err, PF_NO_MEMORY, "no memory to read events");
    }
    v->s = s;
    v->rows = rows;
    v->visit = visit;
    v->context = context;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status == PF_OK) {
        status = show_blocks(v, number, err);
        db_snapshot_end(s, mine);
    }
    columns_free(rows);
    mem_free(v);
    return status;
}
