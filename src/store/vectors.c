/*
 * The cache of vectors, keyed by what made them and the text they stand for. Encoders are
 * few and get a small number; a vector is its floats as they are in memory.
 */
#include <string.h>

#include "base/limits.h"
#include "store/connection.h"

/* The encoder's number; 0 where it is unknown. */
static pf_status find_encoder(store *s, const fingerprint *encoder, int64_t *number,
                              pf_error *err)
{
    static const char sql[] = "SELECT number FROM encoders WHERE fingerprint = ?1";
    sqlite3_stmt *st;
    bool row;
    *number = 0;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_blob(st, 1, encoder->bytes, sizeof encoder->bytes, SQLITE_STATIC);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (row) *number = sqlite3_column_int64(st, 0);
    db_reset(st);
    return PF_OK;
}

static pf_status add_encoder(store *s, const fingerprint *encoder, int64_t *number,
                             pf_error *err)
{
    static const char sql[] = "INSERT INTO encoders (fingerprint) VALUES (?1)";
    sqlite3_stmt *st;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_blob(st, 1, encoder->bytes, sizeof encoder->bytes, SQLITE_STATIC);
    status = db_run(s, st, err);
    *number = sqlite3_last_insert_rowid(s->db);
    return status;
}

static pf_status not_cached(pf_error *err)
{
    return error_set(err, PF_NOT_FOUND, "the vector of this text is not in the cache");
}

pf_status store_get_vector(store *s, const fingerprint *encoder,
                           const fingerprint *of_text, float *into, size_t dimension,
                           pf_error *err)
{
    static const char sql[] = "SELECT data FROM vectors WHERE encoder = ?1 AND text = ?2";
    sqlite3_stmt *st;
    int64_t number;
    bool row;
    pf_status status = find_encoder(s, encoder, &number, err);
    if (status != PF_OK) return status;
    if (number == 0) return not_cached(err);
    status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    sqlite3_bind_blob(st, 2, of_text->bytes, sizeof of_text->bytes, SQLITE_STATIC);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    text data = row ? db_column_text(st, 0) : (text){"", 0};
    if (!row)
        status = not_cached(err);
    else if (data.n != dimension * sizeof *into)
        status = error_set(err, PF_DATA, "a vector in the cache has %zu values, not %zu",
                           data.n / sizeof *into, dimension);
    else
        memcpy(into, data.data, data.n);
    db_reset(st);
    return status;
}

pf_status store_put_vector(store *s, const fingerprint *encoder,
                           const fingerprint *of_text, const float *vector,
                           size_t dimension, pf_error *err)
{
    static const char sql[] =
        "INSERT INTO vectors (encoder, text, data) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (encoder, text) DO UPDATE SET data = excluded.data";
    sqlite3_stmt *st;
    int64_t number = 0;
    pf_status status = db_need_write(s, err);
    if (status != PF_OK) return status;
    if (dimension < 1 || dimension > LIMIT_VECTOR_DIMENSION)
        return error_set(err, PF_LIMIT, "a vector has between 1 and %u values",
                         LIMIT_VECTOR_DIMENSION);
    status = find_encoder(s, encoder, &number, err);
    if (status == PF_OK && number == 0) status = add_encoder(s, encoder, &number, err);
    if (status == PF_OK) status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    sqlite3_bind_blob(st, 2, of_text->bytes, sizeof of_text->bytes, SQLITE_STATIC);
    sqlite3_bind_blob64(st, 3, vector, dimension * sizeof *vector, SQLITE_STATIC);
    return db_run(s, st, err);
}
