/*
 * Decisions: what was chosen for whom, kept by run.
 */
#include <string.h>

#include "store/connection.h"

/* The number of a run, given one if it has none. */
static pf_status number_run(store *s, const char *run, int64_t *number, pf_error *err)
{
    static const char add[] = "INSERT OR IGNORE INTO runs (run) VALUES (?1)";
    static const char find[] = "SELECT number FROM runs WHERE run = ?1";
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(s, &st, add, err);
    if (status != PF_OK) return status;
    db_bind_terminated(st, 1, run);
    status = db_run(s, st, err);
    if (status == PF_OK) status = db_prepare(s, &st, find, err);
    if (status != PF_OK) return status;
    db_bind_terminated(st, 1, run);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    *number = row ? sqlite3_column_int64(st, 0) : 0;
    db_reset(st);
    return PF_OK;
}

static void bind_decision(sqlite3_stmt *st, const decision_record *d, int64_t run)
{
    db_bind_terminated(st, 1, d->id);
    sqlite3_bind_int64(st, 2, run);
    sqlite3_bind_int64(st, 3, d->shopper);
    sqlite3_bind_int64(st, 4, d->promotion);
    sqlite3_bind_int64(st, 5, d->channel);
    sqlite3_bind_int64(st, 6, d->time_us);
    sqlite3_bind_int64(st, 7, d->send_at_us);
    sqlite3_bind_double(st, 8, d->propensity);
    sqlite3_bind_double(st, 9, d->score);
    sqlite3_bind_double(st, 10, d->expected_value_minor);
    sqlite3_bind_int64(st, 11, d->cost_minor);
    db_bind_terminated(st, 12, d->reason);
    db_bind_terminated(st, 13, d->message);
    db_bind_terminated(st, 14, d->candidates);
    db_bind_terminated(st, 15, d->versions);
    sqlite3_bind_int64(st, 16, d->holdout);
}

pf_status store_put_decision(store *s, const decision_record *d, pf_error *err)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO decisions (id, run, shopper, promotion, channel, time_us,"
        " send_at_us, propensity, score, expected_value_minor, cost_minor, reason, "
        "message,"
        " candidates, versions, holdout) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
        " ?11, ?12, ?13, ?14, ?15, ?16)";
    sqlite3_stmt *st;
    int64_t run = 0;
    pf_status status = db_need_write(s, err);
    if (status != PF_OK) return status;
    if (d->id == NULL || d->id[0] == '\0' || d->run == NULL || d->run[0] == '\0')
        return error_set(err, PF_DATA, "a decision needs an id and a run");
    if (d->propensity != d->propensity || d->score != d->score ||
        d->expected_value_minor != d->expected_value_minor)
        return error_set(err, PF_DATA, "decision '%s' has a value that is not a number",
                         d->id);
    status = number_run(s, d->run, &run, err);
    if (status == PF_OK) status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    bind_decision(st, d, run);
    status = db_run(s, st, err);
    if (status == PF_OK && sqlite3_changes(s->db) == 0)
        status = error_set(err, PF_DATA, "there is a decision '%s' already", d->id);
    return status;
}

/* --- reading ---------------------------------------------------------------------- */

static pf_status find_run(store *s, const char *run, int64_t *number, pf_error *err)
{
    static const char latest[] = "SELECT max(number) FROM runs";
    static const char named[] = "SELECT number FROM runs WHERE run = ?1";
    sqlite3_stmt *st;
    bool row;
    *number = 0;
    pf_status status = db_prepare(s, &st, run != NULL ? named : latest, err);
    if (status != PF_OK) return status;
    if (run != NULL) db_bind_terminated(st, 1, run);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (row) *number = sqlite3_column_int64(st, 0);
    db_reset(st);
    if (*number == 0 && run != NULL)
        return error_set(err, PF_NOT_FOUND, "there is no run '%s' of decisions", run);
    if (*number == 0) return error_set(err, PF_NOT_FOUND, "no decisions were made yet");
    return PF_OK;
}

/* A column's text, terminated; "" for NULL. */
static const char *terminated(sqlite3_stmt *st, int column)
{
    const char *value = (const char *)sqlite3_column_text(st, column);
    return value != NULL ? value : "";
}

static decision_record read_decision(sqlite3_stmt *st)
{
    return (decision_record){
        .id = terminated(st, 0),
        .run = terminated(st, 1),
        .shopper = (uint32_t)sqlite3_column_int64(st, 2),
        .promotion = (uint32_t)sqlite3_column_int64(st, 3),
        .channel = (channel)sqlite3_column_int64(st, 4),
        .time_us = sqlite3_column_int64(st, 5),
        .send_at_us = sqlite3_column_int64(st, 6),
        .propensity = sqlite3_column_double(st, 7),
        .score = sqlite3_column_double(st, 8),
        .expected_value_minor = sqlite3_column_double(st, 9),
        .cost_minor = sqlite3_column_int64(st, 10),
        .reason = terminated(st, 11),
        .message = terminated(st, 12),
        .candidates = terminated(st, 13),
        .versions = terminated(st, 14),
        .holdout = sqlite3_column_int(st, 15) != 0,
    };
}

#define DECISION_COLUMNS                                                                 \
    "SELECT d.id, r.run, shopper, promotion, channel, time_us, send_at_us, propensity,"  \
    " score, expected_value_minor, cost_minor, reason, message, candidates, versions,"   \
    " holdout FROM decisions d JOIN runs r ON r.number = d.run"

/* Steps through a statement that is bound. */
static pf_status visit_rows(store *s, sqlite3_stmt *st, store_decision_visitor *visit,
                            void *context, pf_error *err)
{
    bool row = true;
    pf_status status = PF_OK;
    while (status == PF_OK && row) {
        status = db_step(s, st, &row, err);
        if (status != PF_OK || !row) break;
        decision_record d = read_decision(st);
        row = visit(context, &d);
    }
    db_reset(st);
    return status;
}

static pf_status visit_run(store *s, int64_t run, uint32_t number,
                           store_decision_visitor *visit, void *context, pf_error *err)
{
    static const char sql[] = DECISION_COLUMNS
        " WHERE d.run = ?1 AND shopper BETWEEN ?2 AND ?3 ORDER BY shopper, decision";
    sqlite3_stmt *st;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, number);
    sqlite3_bind_int64(st, 3, number != 0 ? number : UINT32_MAX);
    return visit_rows(s, st, visit, context, err);
}

pf_status store_visit_shopper_decisions(store *s, uint32_t number,
                                        store_decision_visitor *visit, void *context,
                                        pf_error *err)
{
    static const char sql[] =
        DECISION_COLUMNS " WHERE shopper = ?1 ORDER BY d.run, decision";
    sqlite3_stmt *st;
    bool mine;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status != PF_OK) return status;
    status = db_prepare(s, &st, sql, err);
    if (status == PF_OK) {
        sqlite3_bind_int64(st, 1, number);
        status = visit_rows(s, st, visit, context, err);
    }
    db_snapshot_end(s, mine);
    return status;
}

pf_status store_visit_decisions(store *s, const char *run, uint32_t number,
                                store_decision_visitor *visit, void *context,
                                pf_error *err)
{
    bool mine;
    int64_t which;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status != PF_OK) return status;
    status = find_run(s, run, &which, err);
    if (status == PF_OK) status = visit_run(s, which, number, visit, context, err);
    db_snapshot_end(s, mine);
    return status;
}

pf_status store_visit_lots(store *s, store_lot_visitor *visit, void *context,
                           pf_error *err)
{
    static const char sql[] = "SELECT shopper, time_us, holdout FROM decisions ORDER BY "
                              "shopper, time_us, holdout";
    sqlite3_stmt *st;
    bool mine, row = true;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status != PF_OK) return status;
    status = db_prepare(s, &st, sql, err);
    while (status == PF_OK && row) {
        status = db_step(s, st, &row, err);
        if (status != PF_OK || !row) break;
        row = visit(context, (uint32_t)sqlite3_column_int64(st, 0),
                    sqlite3_column_int64(st, 1), sqlite3_column_int(st, 2) != 0);
    }
    if (st != NULL) db_reset(st);
    db_snapshot_end(s, mine);
    return status;
}
