/*
 * Scope: which single products a promotion covers, one row a pair.
 */
#include <string.h>

#include "store/connection.h"
#include "store/standing.h"

static uint64_t hash_pair(const scope_record *r)
{
    fingerprint_state state;
    uint64_t hash, n = r->promotion.n;
    fingerprint_begin(&state);
    fingerprint_add_text(&state, "scope");
    fingerprint_add(&state, &n, sizeof n);
    fingerprint_add(&state, r->promotion.data, r->promotion.n);
    fingerprint_add(&state, r->product.data, r->product.n);
    fingerprint f = fingerprint_end(&state);
    memcpy(&hash, f.bytes, sizeof hash);
    return hash;
}

static pf_status find_pair(store *s, const scope_record *r, uint32_t numbers[2],
                           store_outcome *outcome, pf_error *err)
{
    pf_status status =
        standing_find(s, STANDING_PROMOTION, r->promotion, &numbers[0], err);
    if (status == PF_OK)
        status = standing_find(s, STANDING_PRODUCT, r->product, &numbers[1], err);
    *outcome = numbers[0] == 0   ? STORE_UNKNOWN_PROMOTION
               : numbers[1] == 0 ? STORE_UNKNOWN_PRODUCT
                                 : STORE_ADDED;
    return status;
}

pf_status store_put_scope(store *s, const scope_record *r, store_outcome *outcome,
                          pf_error *err)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO scope (promotion, product) VALUES (?1, ?2)";
    uint32_t numbers[2] = {0, 0};
    sqlite3_stmt *st;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = find_pair(s, r, numbers, outcome, err);
    if (status != PF_OK || *outcome != STORE_ADDED) return status;
    status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, numbers[0]);
    sqlite3_bind_int64(st, 2, numbers[1]);
    status = db_run(s, st, err);
    if (status != PF_OK) return status;
    if (sqlite3_changes(s->db) == 0) {
        *outcome = STORE_SAME;
        return PF_OK;
    }
    s->tallies.catalogue_sum += hash_pair(r);
    s->tallies.changed = true;
    return PF_OK;
}
