/*
 * Ids to numbers and back, for the four tables of standing data.
 */
#include <string.h>

#include "base/limits.h"
#include "store/connection.h"
#include "store/standing.h"

/* The statements of one table. */
typedef struct number_sql {
    const char *name;
    const char *find, *id, *last;
} number_sql;

#define NUMBER_SQL(one, many)                                                            \
    {                                                                                    \
        one, "SELECT number FROM " many " WHERE id = ?1",                                \
            "SELECT id FROM " many " WHERE number = ?1",                                 \
            "SELECT seq FROM sqlite_sequence WHERE name = '" many "'"                    \
    }

static const number_sql tables[STANDING_TABLES] = {
    [STANDING_PRODUCT] = NUMBER_SQL("product", "products"),
    [STANDING_SHOPPER] = NUMBER_SQL("shopper", "shoppers"),
    [STANDING_CAMPAIGN] = NUMBER_SQL("campaign", "campaigns"),
    [STANDING_PROMOTION] = NUMBER_SQL("promotion", "promotions"),
};

static const uint32_t largest_numbers[STANDING_TABLES] = {
    [STANDING_PRODUCT] = LIMIT_PRODUCTS,
    [STANDING_SHOPPER] = LIMIT_SHOPPERS,
    [STANDING_CAMPAIGN] = LIMIT_CAMPAIGNS,
    [STANDING_PROMOTION] = LIMIT_PROMOTIONS,
};

const char *standing_name(standing_table table)
{
    return tables[table].name;
}

uint32_t standing_largest_number(standing_table table)
{
    return largest_numbers[table];
}

pf_status standing_find(store *s, standing_table table, text id, uint32_t *number,
                        pf_error *err)
{
    sqlite3_stmt *st;
    bool row;
    *number = 0;
    pf_status status = db_prepare(s, &st, tables[table].find, err);
    if (status != PF_OK) return status;
    db_bind_text(st, 1, id);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (row) *number = (uint32_t)sqlite3_column_int64(st, 0);
    db_reset(st);
    return PF_OK;
}

pf_status standing_last(store *s, standing_table table, uint32_t *number, pf_error *err)
{
    int64_t last = 0;
    pf_status status = db_number(s, tables[table].last, &last, err);
    *number = (uint32_t)last;
    return status;
}

pf_status standing_id(store *s, standing_table table, uint32_t number, char *into,
                      pf_error *err)
{
    sqlite3_stmt *st;
    bool row;
    into[0] = '\0';
    pf_status status = db_prepare(s, &st, tables[table].id, err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    text id = row ? db_column_text(st, 0) : (text){"", 0};
    if (id.n > LIMIT_ID_BYTES)
        status = error_set(err, PF_DATA, "'%s' is damaged: an id is too long", s->path);
    else if (id.n > 0) {
        memcpy(into, id.data, id.n);
        into[id.n] = '\0';
    }
    db_reset(st);
    return status;
}
