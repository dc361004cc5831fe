/*
 * Merging events into a shopper's blocks; see block_writer.h.
 */
#include "store/block_writer.h"

#include <string.h>

#include "base/memory.h"
#include "store/connection.h"
#include "store/event_block.h"

/* Bytes of text at which a block ends, however few its events. */
enum { BLOCK_TEXT_BYTES = 256 << 10 };
#define BLOCK_BYTES_MAX ((size_t)BLOCK_ROWS * (1 << 20))

/* A block that was there when the shopper began. */
typedef struct block_place {
    int64_t block, first_us, last_us;
    uint32_t n;
} block_place;

struct block_writer {
    store *s;
    uint32_t shopper;
    block_place *places;
    size_t n_places, capacity;
    size_t next;        /* the first place that was not passed yet */
    event_columns *old; /* of the block read last */
    uint32_t old_at;
    bool open;    /* events are being gathered in `out` */
    bool chained; /* a block was read; it ends at chain_us */
    int64_t chain_us;
    event_columns *out;
    int64_t next_part; /* above that of every block of the shopper */
    buffer bytes;      /* of the block being written */
    int64_t *spare;    /* rows of blocks that were read and deleted */
    size_t n_spare, spare_capacity;
    int64_t next_block;
};

pf_status block_writer_new(block_writer **out, store *s, pf_error *err)
{
    static const char sql[] = "SELECT max(block) FROM event_blocks";
    int64_t last = 0;
    *out = NULL;
    block_writer *w = mem_alloc_zero(1, sizeof *w);
    if (w == NULL) return error_set(err, PF_NO_MEMORY, "no memory to write events");
    buffer_init(&w->bytes, BLOCK_BYTES_MAX);
    w->s = s;
    w->old = columns_new();
    w->out = columns_new();
    pf_status status = PF_OK;
    if (w->old == NULL || w->out == NULL)
        status = error_set(err, PF_NO_MEMORY, "no memory to write events");
    if (status == PF_OK) status = db_number(s, sql, &last, err);
    if (status != PF_OK) {
        block_writer_free(w);
        return status;
    }
    w->next_block = last + 1;
    *out = w;
    return PF_OK;
}

void block_writer_free(block_writer *w)
{
    if (w == NULL) return;
    columns_free(w->old);
    columns_free(w->out);
    buffer_free(&w->bytes);
    mem_free(w->places);
    mem_free(w->spare);
    mem_free(w);
}

/* --- the blocks that are there ---------------------------------------------------- */

static pf_status keep_place(block_writer *w, sqlite3_stmt *st, pf_error *err)
{
    if (!mem_reserve((void **)&w->places, &w->capacity, w->n_places + 1,
                     sizeof *w->places))
        return error_set(err, PF_NO_MEMORY, "no memory to write events");
    w->places[w->n_places++] = (block_place){.block = sqlite3_column_int64(st, 0),
                                             .first_us = sqlite3_column_int64(st, 1),
                                             .last_us = sqlite3_column_int64(st, 2),
                                             .n = (uint32_t)sqlite3_column_int64(st, 4)};
    if (sqlite3_column_int64(st, 3) >= w->next_part)
        w->next_part = sqlite3_column_int64(st, 3) + 1;
    return PF_OK;
}

static pf_status find_places(block_writer *w, pf_error *err)
{
    static const char sql[] =
        "SELECT block, first_time_us, last_time_us, part, n FROM event_blocks"
        " WHERE shopper = ?1 ORDER BY first_time_us, part";
    sqlite3_stmt *st;
    bool row = true;
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, w->shopper);
    while (status == PF_OK && row) {
        status = db_step(w->s, st, &row, err);
        if (status == PF_OK && row) status = keep_place(w, st, err);
    }
    db_reset(st);
    return status;
}

pf_status block_writer_begin(block_writer *w, uint32_t number, bool fresh, pf_error *err)
{
    w->shopper = number;
    w->n_places = w->next = 0;
    w->next_part = 0;
    w->open = w->chained = false;
    columns_clear(w->old);
    columns_clear(w->out);
    w->old_at = 0;
    return fresh ? PF_OK : find_places(w, err);
}

static pf_status delete_block(block_writer *w, int64_t block, pf_error *err)
{
    static const char sql[] = "DELETE FROM event_blocks WHERE block = ?1";
    sqlite3_stmt *st;
    if (!mem_reserve((void **)&w->spare, &w->spare_capacity, w->n_spare + 1,
                     sizeof *w->spare))
        return error_set(err, PF_NO_MEMORY, "no memory to write events");
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, block);
    status = db_run(w->s, st, err);
    if (status == PF_OK) w->spare[w->n_spare++] = block;
    return status;
}

/* Reads the block at `next` into `old`, takes it from the table, and passes it. */
static pf_status take_block(block_writer *w, pf_error *err)
{
    static const char sql[] = "SELECT data FROM event_blocks WHERE block = ?1";
    const block_place *place = &w->places[w->next];
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, place->block);
    status = db_step(w->s, st, &row, err);
    if (status != PF_OK) return status;
    text data = row ? db_column_text(st, 0) : (text){"", 0};
    status = block_decode(data.data, data.n, w->shopper, w->old, err);
    db_reset(st);
    if (status == PF_OK &&
        (w->old->n != place->n || w->old->time_us[0] != place->first_us))
        status = error_set(err, PF_DATA,
                           "'%s' is damaged: a block of events of shopper number %u is "
                           "not the one its row describes",
                           w->s->path, w->shopper);
    if (status == PF_OK) status = delete_block(w, place->block, err);
    w->old_at = 0;
    w->chained = true;
    w->chain_us = place->last_us;
    w->next++;
    return status;
}

/* The last place at or behind `next` that begins at or before t; n_places: none does. */
static size_t find_place(const block_writer *w, int64_t t)
{
    size_t low = w->next, high = w->n_places;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->places[middle].first_us <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low > w->next ? low - 1 : w->n_places;
}

/* --- writing ---------------------------------------------------------------------- */

static pf_status insert_block(block_writer *w, uint32_t n, pf_error *err)
{
    static const char sql[] =
        "INSERT INTO event_blocks (block, shopper, first_time_us, part, last_time_us, n,"
        " data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    sqlite3_stmt *st;
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    int64_t block = w->n_spare > 0 ? w->spare[--w->n_spare] : w->next_block++;
    sqlite3_bind_int64(st, 1, block);
    sqlite3_bind_int64(st, 2, w->shopper);
    sqlite3_bind_int64(st, 3, w->out->time_us[0]);
    sqlite3_bind_int64(st, 4, w->next_part++);
    sqlite3_bind_int64(st, 5, w->out->time_us[n - 1]);
    sqlite3_bind_int64(st, 6, n);
    sqlite3_bind_blob64(st, 7, w->bytes.data, w->bytes.length, SQLITE_STATIC);
    return db_run(w->s, st, err);
}

/* Writes the first n rows as a block. */
static pf_status write_block(block_writer *w, uint32_t n, pf_error *err)
{
    buffer_clear(&w->bytes);
    pf_status status = block_encode(w->out, 0, n, w->shopper, &w->bytes, err);
    if (status == PF_OK) status = insert_block(w, n, err);
    if (status != PF_OK) return status;
    columns_drop_front(w->out, n);
    return PF_OK;
}

/* How many rows the next block takes: at most what rows and bytes of text allow, `wanted`
 * if that is less, and fewer where that puts the cut between two times. */
static uint32_t choose_cut(const event_columns *c, uint32_t wanted)
{
    uint32_t most = wanted < BLOCK_ROWS ? wanted : BLOCK_ROWS;
    if (most >= c->n) most = c->n;
    while (most > 1 && columns_text_bytes(c, most) > BLOCK_TEXT_BYTES)
        most--;
    for (uint32_t cut = most; cut > most / 2; cut--)
        if (cut == c->n || c->time_us[cut - 1] != c->time_us[cut]) return cut;
    return most;
}

static pf_status push(block_writer *w, const event_row *row, pf_error *err)
{
    event_columns *out = w->out;
    while (out->n == COLUMNS_ROWS ||
           (out->n > 1 && columns_text_bytes(out, out->n) > 2 * BLOCK_TEXT_BYTES)) {
        pf_status status = write_block(w, choose_cut(out, BLOCK_ROWS), err);
        if (status != PF_OK) return status;
    }
    return columns_push(out, row, err);
}

/* --- merging ---------------------------------------------------------------------- */

/* Passes the old rows at or before t on, reading further blocks where they hang together
 * with the one before. */
static pf_status pass_old(block_writer *w, int64_t t, pf_error *err)
{
    event_row row;
    for (;;) {
        while (w->old_at < w->old->n && w->old->time_us[w->old_at] <= t) {
            columns_row(w->old, w->old_at++, &row);
            pf_status status = push(w, &row, err);
            if (status != PF_OK) return status;
        }
        if (w->old_at < w->old->n || !w->chained || w->next == w->n_places ||
            w->places[w->next].first_us != w->chain_us)
            return PF_OK;
        pf_status status = take_block(w, err);
        if (status != PF_OK) return status;
    }
}

/* Writes everything gathered: full blocks at the end of the history, even ones within. */
static pf_status finish_open(block_writer *w, pf_error *err)
{
    pf_status status = pass_old(w, INT64_MAX, err);
    bool is_last = w->next == w->n_places;
    while (status == PF_OK && w->out->n > 0) {
        uint32_t n = w->out->n;
        uint32_t wanted = !is_last && n > BLOCK_ROWS ? (n + 1) / 2 : n;
        status = write_block(w, choose_cut(w->out, wanted), err);
    }
    w->open = w->chained = false;
    columns_clear(w->old);
    w->old_at = 0;
    return status;
}

/* Begins to gather at the block that an event at t belongs to. */
static pf_status open_at(block_writer *w, int64_t t, pf_error *err)
{
    size_t i = find_place(w, t);
    bool take = false;
    if (i < w->n_places) {
        take = w->places[i].n < BLOCK_ROWS || t < w->places[i].last_us;
        w->next = take ? i : i + 1;
    } else if (w->next < w->n_places) {
        take = w->places[w->next].n < BLOCK_ROWS; /* before the first block */
    }
    w->open = true;
    return take ? take_block(w, err) : PF_OK;
}

pf_status block_writer_add(block_writer *w, const event_row *row, pf_error *err)
{
    int64_t t = row->time_us;
    pf_status status = PF_OK;
    if (w->open) {
        status = pass_old(w, t, err);
        if (status == PF_OK && w->next < w->n_places && w->places[w->next].first_us <= t)
            status = finish_open(w, err);
    }
    if (status == PF_OK && !w->open) {
        status = open_at(w, t, err);
        if (status == PF_OK) status = pass_old(w, t, err);
    }
    return status == PF_OK ? push(w, row, err) : status;
}

pf_status block_writer_end(block_writer *w, pf_error *err)
{
    return w->open ? finish_open(w, err) : PF_OK;
}
