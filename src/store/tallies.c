/*
 * The tallies as rows of `state`, and what is asked of them: counts and the fingerprint
 * of the data.
 */
#include "store/tallies.h"

#include <stdio.h>
#include <string.h>

#include "store/connection.h"

enum { NAME_BYTES = 40 };

/* The row of the n-th tally: the sums first, then the events of each type. */
static const char *tally_name(int n, char into[NAME_BYTES])
{
    if (n == 0) return "sum.catalogue";
    if (n == 1) return "sum.events";
    snprintf(into, NAME_BYTES, "events.%s", event_type_name((event_type)(n - 1)));
    return into;
}

enum { TALLIES = 2 + EVENT_TYPE_COUNT - 1 };

static uint64_t *tally_place(tallies *t, int n)
{
    if (n == 0) return &t->catalogue_sum;
    if (n == 1) return &t->events_sum;
    return &t->events_by_type[n - 1];
}

pf_status tallies_load(store *s, tallies *out, pf_error *err)
{
    static const char sql[] = "SELECT value FROM state WHERE name = ?1";
    char name[NAME_BYTES];
    sqlite3_stmt *st;
    *out = (tallies){0};
    for (int n = 0; n < TALLIES; n++) {
        bool row;
        pf_status status = db_prepare(s, &st, sql, err);
        if (status != PF_OK) return status;
        db_bind_terminated(st, 1, tally_name(n, name));
        status = db_step(s, st, &row, err);
        if (status != PF_OK) return status;
        if (row) *tally_place(out, n) = (uint64_t)sqlite3_column_int64(st, 0);
        db_reset(st);
    }
    return PF_OK;
}

pf_status tallies_save(store *s, const tallies *t, pf_error *err)
{
    static const char sql[] =
        "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)";
    char name[NAME_BYTES];
    sqlite3_stmt *st;
    tallies copy = *t;
    if (!t->changed) return PF_OK;
    for (int n = 0; n < TALLIES; n++) {
        pf_status status = db_prepare(s, &st, sql, err);
        if (status != PF_OK) return status;
        db_bind_terminated(st, 1, tally_name(n, name));
        sqlite3_bind_int64(st, 2, (sqlite3_int64)*tally_place(&copy, n));
        status = db_run(s, st, err);
        if (status != PF_OK) return status;
    }
    return PF_OK;
}

/* Those of the open write transaction, or those that were committed. */
static pf_status current_tallies(store *s, tallies *out, pf_error *err)
{
    if (!s->writing) return tallies_load(s, out, err);
    *out = s->tallies;
    return PF_OK;
}

pf_status store_data_fingerprint(store *s, fingerprint *out, pf_error *err)
{
    fingerprint_state state;
    bool mine;
    tallies t;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status != PF_OK) return status;
    status = current_tallies(s, &t, err);
    db_snapshot_end(s, mine);
    if (status != PF_OK) return status;
    fingerprint_begin(&state);
    fingerprint_add_text(&state, "proffer data 1");
    fingerprint_add(&state, &t.catalogue_sum, sizeof t.catalogue_sum);
    fingerprint_add(&state, &t.events_sum, sizeof t.events_sum);
    fingerprint_add(&state, t.events_by_type, sizeof t.events_by_type);
    *out = fingerprint_end(&state);
    return PF_OK;
}

/* --- counting --------------------------------------------------------------------- */

static pf_status count_rows(store *s, store_counts *out, pf_error *err)
{
    static const char products[] = "SELECT count(*) FROM products";
    static const char shoppers[] = "SELECT count(*) FROM shoppers";
    static const char campaigns[] = "SELECT count(*) FROM campaigns";
    static const char promotions[] = "SELECT count(*) FROM promotions";
    static const char scope[] = "SELECT count(*) FROM scope";
    static const char decisions[] = "SELECT count(*) FROM decisions";
    static const char first[] = "SELECT min(first_time_us) FROM event_blocks";
    static const char last[] = "SELECT max(last_time_us) FROM event_blocks";
    const struct {
        const char *sql;
        void *into;
    } questions[] = {
        {products, &out->products},    {shoppers, &out->shoppers},
        {campaigns, &out->campaigns},  {promotions, &out->promotions},
        {scope, &out->scope_rows},     {decisions, &out->decisions},
        {first, &out->first_event_us}, {last, &out->last_event_us},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        int64_t n;
        pf_status status = db_number(s, questions[i].sql, &n, err);
        if (status != PF_OK) return status;
        memcpy(questions[i].into, &n, sizeof n);
    }
    return PF_OK;
}

pf_status store_count(store *s, store_counts *out, pf_error *err)
{
    bool mine;
    tallies t = {0};
    *out = (store_counts){0};
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status != PF_OK) return status;
    status = current_tallies(s, &t, err);
    if (status == PF_OK) status = count_rows(s, out, err);
    db_snapshot_end(s, mine);
    if (status != PF_OK) return status;
    for (int type = 1; type < EVENT_TYPE_COUNT; type++) {
        out->events_by_type[type] = t.events_by_type[type];
        out->events += t.events_by_type[type];
    }
    return PF_OK;
}
