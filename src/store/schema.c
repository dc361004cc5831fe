/*
 * The steps of the schema and their application; see schema.h.
 */
#include "store/schema.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/connection.h"

/* Numbers of things are AUTOINCREMENT, so that the number of a shopper who was forgotten
 * is never given to another. */
static const char step_standing[] =
    "CREATE TABLE state ("
    "  name TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE settings ("
    "  name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE products ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    "  title TEXT, description TEXT, category TEXT, brand TEXT, price_minor INTEGER,"
    "  image TEXT, attributes TEXT);"
    "CREATE TABLE shoppers ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    "  language TEXT, zone TEXT, consent_given INTEGER, consent_refused INTEGER,"
    "  attributes TEXT);"
    "CREATE TABLE campaigns ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    "  title TEXT, kind TEXT, starts_us INTEGER, ends_us INTEGER, attributes TEXT);"
    "CREATE TABLE promotions ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    "  campaign TEXT, title TEXT, body TEXT, kind INTEGER, percent_hundredths INTEGER,"
    "  value_minor INTEGER, minimum_purchase_minor INTEGER, starts_us INTEGER,"
    "  ends_us INTEGER, budget_minor INTEGER, shopper_limit INTEGER,"
    "  redemption_limit INTEGER, channels INTEGER, stacking_group TEXT,"
    "  contact_cost_minor INTEGER, scope_categories TEXT, scope_brands TEXT,"
    "  audience TEXT, attributes TEXT);"
    "CREATE TABLE scope ("
    "  promotion INTEGER NOT NULL, product INTEGER NOT NULL,"
    "  PRIMARY KEY (promotion, product)) WITHOUT ROWID;";

/* The index of the blocks holds everything but the data, so that questions of time and
 * number never touch these. event_ids is keyed by the first hash its leaf may hold. */
static const char step_events[] =
    "CREATE TABLE event_blocks ("
    "  block INTEGER PRIMARY KEY, shopper INTEGER NOT NULL,"
    "  first_time_us INTEGER NOT NULL, part INTEGER NOT NULL,"
    "  last_time_us INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX event_blocks_order ON event_blocks"
    "  (shopper, first_time_us, part, last_time_us, n);"
    "CREATE TABLE event_ids (first INTEGER PRIMARY KEY, data BLOB NOT NULL);";

static const char step_results[] =
    "CREATE TABLE encoders (number INTEGER PRIMARY KEY, fingerprint BLOB UNIQUE NOT "
    "NULL);"
    "CREATE TABLE vectors ("
    "  vector INTEGER PRIMARY KEY, encoder INTEGER NOT NULL, text BLOB NOT NULL,"
    "  data BLOB NOT NULL);"
    "CREATE UNIQUE INDEX vectors_text ON vectors (encoder, text);"
    "CREATE TABLE runs (number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT UNIQUE NOT "
    "NULL);"
    "CREATE TABLE decisions ("
    "  decision INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, run INTEGER NOT NULL,"
    "  shopper INTEGER NOT NULL, promotion INTEGER NOT NULL, channel INTEGER NOT NULL,"
    "  time_us INTEGER NOT NULL, send_at_us INTEGER NOT NULL, propensity REAL NOT NULL,"
    "  score REAL NOT NULL, expected_value_minor REAL NOT NULL,"
    "  cost_minor INTEGER NOT NULL, reason TEXT, message TEXT, candidates TEXT,"
    "  versions TEXT, holdout INTEGER NOT NULL);"
    "CREATE INDEX decisions_run ON decisions (run, shopper);"
    "CREATE INDEX decisions_shopper ON decisions (shopper);"
    "CREATE TABLE imports ("
    "  number INTEGER PRIMARY KEY, file TEXT, into_table TEXT, rows INTEGER NOT NULL,"
    "  added INTEGER NOT NULL, changed INTEGER NOT NULL, same INTEGER NOT NULL,"
    "  duplicates INTEGER NOT NULL, rejected INTEGER NOT NULL, time_us INTEGER NOT NULL);"
    "CREATE TABLE documents (name TEXT PRIMARY KEY NOT NULL, json BLOB NOT NULL);";

static const char step_tags[] = "ALTER TABLE promotions ADD COLUMN tags TEXT;";

/* An experiment asks all decisions for their lots alone: without touching the rows, whose
 * candidates are long. */
static const char step_lots[] =
    "CREATE INDEX decisions_lots ON decisions (shopper, time_us, holdout);"
    "DROP INDEX decisions_shopper;";

const char *const schema_steps[SCHEMA_VERSION] = {step_standing, step_events,
                                                  step_results, step_tags, step_lots};

/* What the file says of itself. */
typedef struct identity {
    int64_t application, version, tables;
} identity;

static pf_status read_identity(store *s, identity *out, pf_error *err)
{
    static const char application[] = "PRAGMA application_id";
    static const char version[] = "PRAGMA user_version";
    static const char tables[] = "SELECT count(*) FROM sqlite_schema";
    pf_status status = db_number(s, application, &out->application, err);
    if (status == PF_OK) status = db_number(s, version, &out->version, err);
    if (status == PF_OK) status = db_number(s, tables, &out->tables, err);
    return status;
}

static bool is_empty(const identity *id)
{
    return id->application == 0 && id->version == 0 && id->tables == 0;
}

static pf_status check_identity(const store *s, const identity *id, bool may_create,
                                pf_error *err)
{
    if (is_empty(id) && may_create) return PF_OK;
    if (is_empty(id))
        return error_set(err, PF_DATA, "'%s' is empty: no workspace was made in it",
                         s->path);
    if (id->application != SCHEMA_APPLICATION_ID || id->version < 1)
        return error_set(err, PF_DATA,
                         "'%s' is a database of another program; it was not touched",
                         s->path);
    if (id->version > SCHEMA_VERSION)
        return error_set(
            err, PF_UNAVAILABLE,
            "'%s' was made by a later version of Proffer (its schema is %lld, "
            "this program knows up to %d); use that version",
            s->path, (long long)id->version, SCHEMA_VERSION);
    return PF_OK;
}

static pf_status look(store *s, bool may_create, identity *id, pf_error *err)
{
    pf_status status = read_identity(s, id, err);
    return status == PF_OK ? check_identity(s, id, may_create, err) : status;
}

/* The parts of the identity must be of one moment: another process may be making the
 * store. */
static pf_status look_once(store *s, bool may_create, identity *id, pf_error *err)
{
    pf_status status = db_exec(s, "BEGIN", err);
    if (status != PF_OK) return status;
    status = look(s, may_create, id, err);
    db_roll_back(s);
    return status;
}

pf_status schema_check(store *s, bool may_create, bool *empty, pf_error *err)
{
    identity id = {0};
    pf_status status = look_once(s, may_create, &id, err);
    *empty = status == PF_OK && is_empty(&id);
    return status;
}

/* A key that only this store knows, so that nobody outside can choose ids that collide.
 */
static pf_status draw_key(store *s, pf_error *err)
{
    static const char sql[] = "INSERT INTO state (name, value) VALUES ('key', ?1)";
    sqlite3_stmt *st;
    hash_key key;
    hash_key_process(); /* libsodium is ready after this */
    randombytes_buf(key.bytes, sizeof key.bytes);
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_blob(st, 1, key.bytes, sizeof key.bytes, SQLITE_STATIC);
    return db_run(s, st, err);
}

static pf_status apply_steps(store *s, int64_t from, pf_error *err)
{
    char sql[96];
    pf_status status = PF_OK;
    for (int64_t v = from; v < SCHEMA_VERSION && status == PF_OK; v++)
        status = db_exec(s, schema_steps[v], err);
    if (status == PF_OK && from == 0) status = draw_key(s, err);
    if (status != PF_OK) return status;
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
    return db_exec(s, sql, err);
}

/* Looks again behind the write lock: another process may have been quicker. */
static pf_status migrate(store *s, bool may_create, pf_error *err)
{
    identity id;
    pf_status status = db_exec(s, "BEGIN IMMEDIATE", err);
    if (status != PF_OK) return status;
    status = look(s, may_create, &id, err);
    if (status == PF_OK && id.version < SCHEMA_VERSION)
        status = apply_steps(s, id.version, err);
    db_forget_statements(s);
    if (status == PF_OK) status = db_exec(s, "COMMIT", err);
    if (status != PF_OK) db_roll_back(s);
    return status;
}

pf_status schema_apply(store *s, bool may_create, pf_error *err)
{
    identity id;
    pf_status status = look_once(s, may_create, &id, err);
    if (status != PF_OK || id.version == SCHEMA_VERSION) return status;
    if (s->read_only)
        return error_set(
            err, PF_UNAVAILABLE,
            "'%s' was made by an earlier version of Proffer and is opened for "
            "reading only; open it once for writing to bring it up to date",
            s->path);
    return migrate(s, may_create, err);
}
