/*
 * Merging sorted hashes into the leaves; see event_ids.h.
 */
#include "store/event_ids.h"

#include <string.h>

#include "base/memory.h"
#include "store/connection.h"

/* A leaf is rewritten in pieces as soon as this many ids wait. */
enum { WAITING_MOST = 2 * LEAF_IDS, LEAF_HEAD = 8 };

/* --- verdicts --------------------------------------------------------------------- */

pf_status verdicts_init(verdicts *v, uint64_t n, pf_error *err)
{
    size_t words = (size_t)(n / 64 + 1);
    v->n = n;
    v->dropped = mem_alloc_zero(words, sizeof *v->dropped);
    v->conflict = mem_alloc_zero(words, sizeof *v->conflict);
    if (v->dropped != NULL && v->conflict != NULL) return PF_OK;
    verdicts_free(v);
    return error_set(err, PF_NO_MEMORY, "no memory for %llu events",
                     (unsigned long long)n);
}

void verdicts_free(verdicts *v)
{
    mem_free(v->dropped);
    mem_free(v->conflict);
    *v = (verdicts){0};
}

static bool bit_at(const uint64_t *bits, uint64_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

bool verdicts_dropped(const verdicts *v, uint64_t arrival)
{
    return bit_at(v->dropped, arrival);
}

bool verdicts_conflict(const verdicts *v, uint64_t arrival)
{
    return bit_at(v->conflict, arrival);
}

static void drop(verdicts *v, uint64_t arrival, bool same_content)
{
    v->dropped[arrival / 64] |= UINT64_C(1) << (arrival % 64);
    if (!same_content) v->conflict[arrival / 64] |= UINT64_C(1) << (arrival % 64);
}

/* --- leaves ----------------------------------------------------------------------- */

/* The leaf whose range the sorted ids have reached. */
typedef struct leaf_writer {
    store *s;
    bool open;
    bool stored; /* there is a row under `first` */
    bool changed;
    uint64_t first; /* the key of the next piece */
    uint64_t end;   /* keys from here on belong to the next leaf */
    uint32_t n_old, at_old;
    id_hash old[LEAF_IDS];
    uint32_t n_out;
    id_hash out[WAITING_MOST];
} leaf_writer;

/* Keys are positive 64-bit integers of SQLite: 63 bits. */
static uint64_t key_of(const id_hash *h)
{
    return h->high >> 1;
}

static uint64_t leaf_checksum(const unsigned char *ids, size_t n)
{
    static const hash_key plain = {{0}}; /* guards against chance, not against people */
    return hash_bytes(ids, n, &plain);
}

static pf_status damaged_leaf(const store *s, pf_error *err)
{
    return error_set(err, PF_DATA,
                     "'%s' is damaged: a leaf of event ids is not as it was written; "
                     "restore it from a backup",
                     s->path);
}

/* Ascending, inside the leaf's range, and as they were written. */
static pf_status read_leaf(leaf_writer *w, text data, pf_error *err)
{
    uint64_t checksum;
    if (data.n < LEAF_HEAD || (data.n - LEAF_HEAD) % sizeof(id_hash) != 0 ||
        (data.n - LEAF_HEAD) / sizeof(id_hash) > LEAF_IDS)
        return damaged_leaf(w->s, err);
    const unsigned char *ids = (const unsigned char *)data.data + LEAF_HEAD;
    memcpy(&checksum, data.data, sizeof checksum);
    if (checksum != leaf_checksum(ids, data.n - LEAF_HEAD))
        return damaged_leaf(w->s, err);
    w->n_old = (uint32_t)((data.n - LEAF_HEAD) / sizeof(id_hash));
    memcpy(w->old, ids, data.n - LEAF_HEAD);
    for (uint32_t i = 1; i < w->n_old; i++)
        if (id_compare(&w->old[i - 1], &w->old[i]) >= 0) return damaged_leaf(w->s, err);
    return PF_OK;
}

static pf_status find_end(leaf_writer *w, uint64_t from, pf_error *err)
{
    static const char sql[] =
        "SELECT first FROM event_ids WHERE first > ?1 ORDER BY first LIMIT 1";
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)from);
    status = db_step(w->s, st, &row, err);
    if (status != PF_OK) return status;
    w->end = row ? (uint64_t)sqlite3_column_int64(st, 0) : UINT64_MAX;
    db_reset(st);
    return PF_OK;
}

/* Reads the leaf that a key belongs to; in an empty store, one that holds everything. */
static pf_status open_leaf(leaf_writer *w, uint64_t key, pf_error *err)
{
    static const char sql[] = "SELECT first, data FROM event_ids WHERE first <= ?1"
                              " ORDER BY first DESC LIMIT 1";
    sqlite3_stmt *st;
    pf_status status = db_prepare(w->s, &st, sql, err);
    if (status != PF_OK) return status;
    w->first = 0;
    w->n_old = w->at_old = w->n_out = 0;
    w->changed = false;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)key);
    status = db_step(w->s, st, &w->stored, err);
    if (status != PF_OK) return status;
    if (w->stored) {
        w->first = (uint64_t)sqlite3_column_int64(st, 0);
        status = read_leaf(w, db_column_text(st, 1), err);
    }
    db_reset(st);
    if (status == PF_OK) status = find_end(w, w->first, err);
    w->open = status == PF_OK;
    return status;
}

/* Writes the first n waiting ids as a row; the next row begins with the id behind them.
 */
static pf_status write_piece(leaf_writer *w, uint32_t n, pf_error *err)
{
    static const char insert[] = "INSERT INTO event_ids (first, data) VALUES (?1, ?2)";
    static const char update[] = "UPDATE event_ids SET data = ?2 WHERE first = ?1";
    unsigned char data[LEAF_HEAD + LEAF_IDS * sizeof(id_hash)];
    sqlite3_stmt *st;
    size_t bytes = n * sizeof(id_hash);
    memcpy(data + LEAF_HEAD, w->out, bytes);
    uint64_t checksum = leaf_checksum(data + LEAF_HEAD, bytes);
    memcpy(data, &checksum, sizeof checksum);
    pf_status status = db_prepare(w->s, &st, w->stored ? update : insert, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)w->first);
    sqlite3_bind_blob64(st, 2, data, LEAF_HEAD + bytes, SQLITE_STATIC);
    status = db_run(w->s, st, err);
    if (status != PF_OK) return status;
    w->stored = false;
    w->n_out -= n;
    memmove(w->out, w->out + n, w->n_out * sizeof *w->out);
    if (w->n_out > 0) w->first = key_of(&w->out[0]);
    return PF_OK;
}

/* A cut at n or before it that does not part ids of one key: 63 equal bits by chance. */
static uint32_t cut_before(const leaf_writer *w, uint32_t n)
{
    while (n > 1 && n < w->n_out && key_of(&w->out[n - 1]) == key_of(&w->out[n]))
        n--;
    return n;
}

static pf_status push(leaf_writer *w, const id_hash *h, pf_error *err)
{
    if (w->n_out == WAITING_MOST) {
        pf_status status = write_piece(w, cut_before(w, LEAF_IDS), err);
        if (status != PF_OK) return status;
    }
    w->out[w->n_out++] = *h;
    return PF_OK;
}

static pf_status push_old_before(leaf_writer *w, const id_hash *h, pf_error *err)
{
    pf_status status = PF_OK;
    while (status == PF_OK && w->at_old < w->n_old &&
           (h == NULL || id_compare(&w->old[w->at_old], h) < 0))
        status = push(w, &w->old[w->at_old++], err);
    return status;
}

static pf_status close_leaf(leaf_writer *w, pf_error *err)
{
    if (!w->open) return PF_OK;
    w->open = false;
    if (!w->changed) return PF_OK;
    pf_status status = push_old_before(w, NULL, err);
    while (status == PF_OK && w->n_out > 0) {
        uint32_t n = w->n_out > LEAF_IDS ? cut_before(w, (w->n_out + 1) / 2) : w->n_out;
        status = write_piece(w, n, err);
    }
    return status;
}

static pf_status take_entry(leaf_writer *w, const id_entry *e, verdicts *v, pf_error *err)
{
    uint64_t key = key_of(&e->hash);
    pf_status status = PF_OK;
    if (w->open && key >= w->end) status = close_leaf(w, err);
    if (status == PF_OK && !w->open) status = open_leaf(w, key, err);
    if (status == PF_OK) status = push_old_before(w, &e->hash, err);
    if (status != PF_OK) return status;
    const id_hash *there = NULL;
    if (w->at_old < w->n_old && id_compare(&w->old[w->at_old], &e->hash) == 0)
        there = &w->old[w->at_old];
    else if (w->n_out > 0 && id_compare(&w->out[w->n_out - 1], &e->hash) == 0)
        there = &w->out[w->n_out - 1];
    if (there != NULL) {
        drop(v, e->arrival, (uint32_t)there->low == (uint32_t)e->hash.low);
        return PF_OK;
    }
    w->changed = true;
    return push(w, &e->hash, err);
}

pf_status event_ids_merge(store *s, merge *source, verdicts *v, pf_error *err)
{
    const void *record;
    id_entry entry;
    leaf_writer *w = mem_alloc(1, sizeof *w);
    if (w == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory to look for duplicates");
    w->s = s;
    w->open = false;
    pf_status status = merge_next(source, &record, err);
    while (status == PF_OK && record != NULL) {
        memcpy(&entry, record, sizeof entry);
        status = take_entry(w, &entry, v, err);
        if (status == PF_OK) status = merge_next(source, &record, err);
    }
    if (status == PF_OK) status = close_leaf(w, err);
    mem_free(w);
    return status;
}
