/*
 * Reading histories: blocks, in order of shopper and time, decoded straight into the
 * columns of a shop_history.
 */
#include <string.h>

#include "base/memory.h"
#include "store/connection.h"
#include "store/event_block.h"
#include "store/standing.h"

/* A history being filled. */
typedef struct history_fill {
    store *s;
    shop_history *h;
    int64_t until_us;
    uint64_t room;       /* rows it was made for */
    uint32_t next_first; /* shoppers below it have their first[] */
    block_texts orders;
    double quantities[BLOCK_ROWS];
} history_fill;

static pf_status damaged(const history_fill *f, const char *what, pf_error *err)
{
    return error_set(err, PF_DATA, "'%s' is damaged: %s; restore it from a backup",
                     f->s->path, what);
}

/* Rows of a block that lie before until_us. */
static uint32_t rows_before(const int64_t *times, uint32_t n, int64_t until_us)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (times[middle] < until_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A key for each order id: its hash, never 0, for that means none. */
static pf_status fill_orders(history_fill *f, const block_view *v, uint32_t k,
                             uint64_t at, pf_error *err)
{
    uint64_t *into = (uint64_t *)f->h->order + at;
    uint64_t key = 0;
    text order = {"", 0};
    pf_status status = block_texts_begin(&f->orders, v, EVENT_TEXT_ORDER, err);
    for (uint32_t i = 0; i < k && status == PF_OK; i++) {
        bool changed = false;
        status = block_texts_next(&f->orders, &order, &changed, err);
        if (changed) {
            key = order.n > 0 ? hash_bytes(order.data, order.n, &f->s->key) : 0;
            if (order.n > 0 && key == 0) key = 1;
        }
        into[i] = key;
    }
    block_texts_end(&f->orders);
    return status;
}

/* The first k rows into the columns from row `at` on. */
static bool fill_numbers(history_fill *f, const block_view *v, uint32_t k, uint64_t at)
{
    const shop_history *h = f->h;
    if (!block_bytes(v, BLOCK_TYPE, k, EVENT_TYPE_COUNT, (uint8_t *)h->type + at) ||
        !block_bytes(v, BLOCK_CHANNEL, k, CHANNEL_COUNT, (uint8_t *)h->channel + at) ||
        !block_numbers(v, BLOCK_PRODUCT, k, (uint32_t *)h->product + at) ||
        !block_numbers(v, BLOCK_PROMOTION, k, (uint32_t *)h->promotion + at) ||
        !block_numbers(v, BLOCK_CAMPAIGN, k, (uint32_t *)h->campaign + at) ||
        !block_amounts(v, BLOCK_PAID, k, (int64_t *)h->paid_minor + at) ||
        !block_amounts(v, BLOCK_DISCOUNT, k, (int64_t *)h->discount_minor + at) ||
        !block_amounts(v, BLOCK_COUPON, k, (int64_t *)h->coupon_minor + at) ||
        !block_floats(v, BLOCK_RATING, k, (float *)h->rating + at) ||
        !block_floats(v, BLOCK_PROPENSITY, k, (float *)h->propensity + at) ||
        !block_quantities(v, k, f->quantities))
        return false;
    for (uint32_t i = 0; i < k; i++)
        ((float *)h->quantity)[at + i] = (float)f->quantities[i];
    return true;
}

/* first[] of every shopper up to this one, where the rows that follow belong. */
static void reach_shopper(history_fill *f, uint32_t number)
{
    for (; f->next_first <= number; f->next_first++)
        ((uint64_t *)f->h->first)[f->next_first] = f->h->n;
}

static pf_status fill_block(history_fill *f, uint32_t number, text data, pf_error *err)
{
    shop_history *h = f->h;
    block_view v;
    uint64_t at = h->n;
    int64_t *times = (int64_t *)h->time_us + at;
    pf_status status = block_open(&v, data.data, data.n, number, err);
    if (status != PF_OK) return status;
    if (number > h->n_shoppers || number + 1 < f->next_first || v.n > f->room - at)
        return damaged(f, "its blocks of events are out of order", err);
    reach_shopper(f, number);
    if (!block_times(&v, v.n, times) || (at > h->first[number] && times[0] < times[-1]))
        return damaged(f, "its events are not in order of time", err);
    uint32_t k = rows_before(times, v.n, f->until_us);
    if (k == 0) return PF_OK;
    if (!fill_numbers(f, &v, k, at))
        return damaged(f, "a value of an event is out of its range", err);
    if (at == 0 || times[0] < h->first_time_us) h->first_time_us = times[0];
    if (at == 0 || times[k - 1] > h->last_time_us) h->last_time_us = times[k - 1];
    h->n += k;
    return fill_orders(f, &v, k, at, err);
}

static pf_status fill_blocks(history_fill *f, sqlite3_stmt *st, pf_error *err)
{
    bool row = true;
    pf_status status = PF_OK;
    while (status == PF_OK && row) {
        status = db_step(f->s, st, &row, err);
        if (status == PF_OK && row)
            status = fill_block(f, (uint32_t)sqlite3_column_int64(st, 0),
                                db_column_text(st, 1), err);
    }
    reach_shopper(f, f->h->n_shoppers + 1);
    db_reset(st);
    return status;
}

/* Bounds of the question: the shoppers first..last, blocks that begin before until_us. */
static void bind_bounds(sqlite3_stmt *st, int64_t first, int64_t last, int64_t until_us)
{
    sqlite3_bind_int64(st, 1, first);
    sqlite3_bind_int64(st, 2, last);
    sqlite3_bind_int64(st, 3, until_us);
}

static pf_status count_room(history_fill *f, int64_t first, int64_t last, pf_error *err)
{
    static const char sql[] = "SELECT sum(n) FROM event_blocks"
                              " WHERE shopper BETWEEN ?1 AND ?2 AND first_time_us < ?3";
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(f->s, &st, sql, err);
    if (status != PF_OK) return status;
    bind_bounds(st, first, last, f->until_us);
    status = db_step(f->s, st, &row, err);
    if (status != PF_OK) return status;
    f->room = (uint64_t)sqlite3_column_int64(st, 0);
    db_reset(st);
    return PF_OK;
}

static pf_status load_range(history_fill *f, int64_t first, int64_t last, pf_error *err)
{
    static const char sql[] = "SELECT shopper, data FROM event_blocks"
                              " WHERE shopper BETWEEN ?1 AND ?2 AND first_time_us < ?3"
                              " ORDER BY shopper, first_time_us, part";
    sqlite3_stmt *st;
    uint32_t n_shoppers;
    pf_status status = standing_last(f->s, STANDING_SHOPPER, &n_shoppers, err);
    if (status == PF_OK) status = count_room(f, first, last, err);
    if (status == PF_OK) status = history_new(&f->h, f->room, n_shoppers, err);
    if (status == PF_OK) status = db_prepare(f->s, &st, sql, err);
    if (status != PF_OK) return status;
    f->h->n = 0;
    bind_bounds(st, first, last, f->until_us);
    return fill_blocks(f, st, err);
}

static pf_status load(store *s, int64_t first, int64_t last, int64_t until_us,
                      shop_history **out, pf_error *err)
{
    bool mine;
    *out = NULL;
    history_fill *f = mem_alloc_zero(1, sizeof *f);
    if (f == NULL) return error_set(err, PF_NO_MEMORY, "no memory to load a history");
    f->s = s;
    f->until_us = until_us;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status == PF_OK) {
        status = load_range(f, first, last, err);
        db_snapshot_end(s, mine);
    }
    if (status == PF_OK)
        *out = f->h;
    else
        history_free(f->h);
    mem_free(f);
    return status;
}

pf_status store_load_history(store *s, int64_t until_us, shop_history **out,
                             pf_error *err)
{
    return load(s, 0, UINT32_MAX, until_us, out, err);
}

pf_status store_load_shopper_history(store *s, uint32_t number, int64_t until_us,
                                     shop_history **out, pf_error *err)
{
    return load(s, number, number, until_us, out, err);
}
