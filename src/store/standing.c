/*
 * Upserts of standing data: products, shoppers, campaigns, promotions.
 *
 * One engine for all four. A table is described by its fields: where each stands in the
 * record, which column keeps it, what value means "not given". A put reads the row of the
 * id, lays the given fields over it, and inserts, updates or does nothing. An absent
 * value is NULL in the database.
 */
#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "shop/tags.h"
#include "store/connection.h"
#include "store/standing.h"

typedef enum field_kind {
    FIELD_TEXT,   /* empty = not given */
    FIELD_AMOUNT, /* int64_t; INT64_MIN = not given (MONEY_ABSENT, TIME_ABSENT) */
    FIELD_COUNT,  /* uint32_t, or an enum; 0 = not given */
    FIELD_SIGNED  /* int32_t; 0 = not given */
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset;
    size_t longest; /* of a text, bytes */
} field;

enum { FIELDS_MAX = 20 };

typedef struct record_table {
    standing_table table;
    const char *select, *insert, *update;
    size_t id_offset;
    int n_fields;
    field fields[FIELDS_MAX];
} record_table;

/* The value of a field in a record or a row. */
typedef struct cell {
    bool given;
    int64_t number;
    text words;
} cell;

#define AT(record, member) offsetof(record, member)

static const char product_select[] =
    "SELECT number, title, description, category, brand, price_minor, image, attributes"
    " FROM products WHERE id = ?1";
static const char product_insert[] =
    "INSERT INTO products (id, title, description, category, brand, price_minor, image,"
    " attributes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char product_update[] =
    "UPDATE products SET title = ?2, description = ?3, category = ?4, brand = ?5,"
    " price_minor = ?6, image = ?7, attributes = ?8 WHERE id = ?1";

static const record_table product_table = {
    .table = STANDING_PRODUCT,
    .select = product_select,
    .insert = product_insert,
    .update = product_update,
    .id_offset = AT(product_record, id),
    .n_fields = 7,
    .fields =
        {
            {"title", FIELD_TEXT, AT(product_record, title), LIMIT_TITLE_BYTES},
            {"description", FIELD_TEXT, AT(product_record, description),
             LIMIT_TEXT_BYTES},
            {"category", FIELD_TEXT, AT(product_record, category), LIMIT_TITLE_BYTES},
            {"brand", FIELD_TEXT, AT(product_record, brand), LIMIT_TITLE_BYTES},
            {"price", FIELD_AMOUNT, AT(product_record, price_minor), 0},
            {"image", FIELD_TEXT, AT(product_record, image), LIMIT_TITLE_BYTES},
            {"attributes", FIELD_TEXT, AT(product_record, attributes),
             LIMIT_ATTRIBUTES_BYTES},
        },
};

static const char shopper_select[] =
    "SELECT number, language, zone, consent_given, consent_refused, attributes"
    " FROM shoppers WHERE id = ?1";
static const char shopper_insert[] = "INSERT INTO shoppers (id, language, zone, "
                                     "consent_given, consent_refused, attributes)"
                                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char shopper_update[] =
    "UPDATE shoppers SET language = ?2, zone = ?3, consent_given = ?4,"
    " consent_refused = ?5, attributes = ?6 WHERE id = ?1";

enum { SHOPPER_GIVEN = 2, SHOPPER_REFUSED = 3 }; /* places in the fields below */

static const record_table shopper_table = {
    .table = STANDING_SHOPPER,
    .select = shopper_select,
    .insert = shopper_insert,
    .update = shopper_update,
    .id_offset = AT(shopper_record, id),
    .n_fields = 5,
    .fields =
        {
            {"language", FIELD_TEXT, AT(shopper_record, language), LIMIT_ID_BYTES},
            {"zone", FIELD_TEXT, AT(shopper_record, zone), LIMIT_ID_BYTES},
            {"consent given", FIELD_COUNT, AT(shopper_record, consent_given), 0},
            {"consent refused", FIELD_COUNT, AT(shopper_record, consent_refused), 0},
            {"attributes", FIELD_TEXT, AT(shopper_record, attributes),
             LIMIT_ATTRIBUTES_BYTES},
        },
};

static const char campaign_select[] =
    "SELECT number, title, kind, starts_us, ends_us, attributes"
    " FROM campaigns WHERE id = ?1";
static const char campaign_insert[] =
    "INSERT INTO campaigns (id, title, kind, starts_us, ends_us, attributes)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char campaign_update[] =
    "UPDATE campaigns SET title = ?2, kind = ?3, starts_us = ?4, ends_us = ?5,"
    " attributes = ?6 WHERE id = ?1";

static const record_table campaign_table = {
    .table = STANDING_CAMPAIGN,
    .select = campaign_select,
    .insert = campaign_insert,
    .update = campaign_update,
    .id_offset = AT(campaign_record, id),
    .n_fields = 5,
    .fields =
        {
            {"title", FIELD_TEXT, AT(campaign_record, title), LIMIT_TITLE_BYTES},
            {"kind", FIELD_TEXT, AT(campaign_record, kind), LIMIT_TITLE_BYTES},
            {"start", FIELD_AMOUNT, AT(campaign_record, starts_us), 0},
            {"end", FIELD_AMOUNT, AT(campaign_record, ends_us), 0},
            {"attributes", FIELD_TEXT, AT(campaign_record, attributes),
             LIMIT_ATTRIBUTES_BYTES},
        },
};

static const char promotion_select[] =
    "SELECT number, campaign, title, body, kind, percent_hundredths, value_minor,"
    " minimum_purchase_minor, starts_us, ends_us, budget_minor, shopper_limit,"
    " redemption_limit, channels, stacking_group, contact_cost_minor, scope_categories,"
    " scope_brands, audience, attributes, tags FROM promotions WHERE id = ?1";
static const char promotion_insert[] =
    "INSERT INTO promotions (id, campaign, title, body, kind, percent_hundredths,"
    " value_minor, minimum_purchase_minor, starts_us, ends_us, budget_minor,"
    " shopper_limit, redemption_limit, channels, stacking_group, contact_cost_minor,"
    " scope_categories, scope_brands, audience, attributes, tags) VALUES (?1, ?2, ?3,"
    " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
    " ?21)";
static const char promotion_update[] =
    "UPDATE promotions SET campaign = ?2, title = ?3, body = ?4, kind = ?5,"
    " percent_hundredths = ?6, value_minor = ?7, minimum_purchase_minor = ?8,"
    " starts_us = ?9, ends_us = ?10, budget_minor = ?11, shopper_limit = ?12,"
    " redemption_limit = ?13, channels = ?14, stacking_group = ?15,"
    " contact_cost_minor = ?16, scope_categories = ?17, scope_brands = ?18,"
    " audience = ?19, attributes = ?20, tags = ?21 WHERE id = ?1";

_Static_assert(sizeof(promotion_kind) == sizeof(uint32_t), "an enum is read as a count");

static const record_table promotion_table = {
    .table = STANDING_PROMOTION,
    .select = promotion_select,
    .insert = promotion_insert,
    .update = promotion_update,
    .id_offset = AT(promotion_record, id),
    .n_fields = 20,
    .fields =
        {
            {"campaign", FIELD_TEXT, AT(promotion_record, campaign), LIMIT_ID_BYTES},
            {"title", FIELD_TEXT, AT(promotion_record, title), LIMIT_TITLE_BYTES},
            {"body", FIELD_TEXT, AT(promotion_record, body), LIMIT_TEXT_BYTES},
            {"kind", FIELD_COUNT, AT(promotion_record, kind), 0},
            {"percent", FIELD_SIGNED, AT(promotion_record, percent_hundredths), 0},
            {"value", FIELD_AMOUNT, AT(promotion_record, value_minor), 0},
            {"minimum purchase", FIELD_AMOUNT,
             AT(promotion_record, minimum_purchase_minor), 0},
            {"start", FIELD_AMOUNT, AT(promotion_record, starts_us), 0},
            {"end", FIELD_AMOUNT, AT(promotion_record, ends_us), 0},
            {"budget", FIELD_AMOUNT, AT(promotion_record, budget_minor), 0},
            {"shopper limit", FIELD_COUNT, AT(promotion_record, shopper_limit), 0},
            {"redemption limit", FIELD_COUNT, AT(promotion_record, redemption_limit), 0},
            {"channels", FIELD_COUNT, AT(promotion_record, channels), 0},
            {"stacking group", FIELD_TEXT, AT(promotion_record, stacking_group),
             LIMIT_ID_BYTES},
            {"contact cost", FIELD_AMOUNT, AT(promotion_record, contact_cost_minor), 0},
            {"scope categories", FIELD_TEXT, AT(promotion_record, scope_categories),
             LIMIT_TEXT_BYTES},
            {"scope brands", FIELD_TEXT, AT(promotion_record, scope_brands),
             LIMIT_TEXT_BYTES},
            {"audience", FIELD_TEXT, AT(promotion_record, audience), LIMIT_TEXT_BYTES},
            {"attributes", FIELD_TEXT, AT(promotion_record, attributes),
             LIMIT_ATTRIBUTES_BYTES},
            {"tags", FIELD_TEXT, AT(promotion_record, tags), LIMIT_TEXT_BYTES},
        },
};

/* --- cells ------------------------------------------------------------------------ */

static cell cell_of_record(const field *f, const void *record)
{
    const unsigned char *at = (const unsigned char *)record + f->offset;
    cell c = {.words = {"", 0}};
    switch (f->kind) {
    case FIELD_TEXT: {
        memcpy(&c.words, at, sizeof c.words);
        c.given = c.words.n > 0;
        break;
    }
    case FIELD_AMOUNT: {
        memcpy(&c.number, at, sizeof c.number);
        c.given = c.number != INT64_MIN;
        break;
    }
    case FIELD_COUNT: {
        uint32_t n;
        memcpy(&n, at, sizeof n);
        c.number = n;
        c.given = n != 0;
        break;
    }
    case FIELD_SIGNED: {
        int32_t n;
        memcpy(&n, at, sizeof n);
        c.number = n;
        c.given = n != 0;
        break;
    }
    }
    return c;
}

static cell cell_of_row(const field *f, sqlite3_stmt *st, int column)
{
    cell c = {.words = {"", 0}};
    c.given = sqlite3_column_type(st, column) != SQLITE_NULL;
    if (f->kind == FIELD_TEXT)
        c.words = db_column_text(st, column);
    else
        c.number = sqlite3_column_int64(st, column);
    return c;
}

static bool cells_equal(const cell *a, const cell *b)
{
    if (a->given != b->given) return false;
    return !a->given || (a->number == b->number && text_equal(a->words, b->words));
}

static void bind_cell(sqlite3_stmt *st, int at, field_kind kind, const cell *c)
{
    if (!c->given)
        sqlite3_bind_null(st, at);
    else if (kind == FIELD_TEXT)
        db_bind_text(st, at, c->words);
    else
        sqlite3_bind_int64(st, at, c->number);
}

static void add_text(fingerprint_state *state, text value)
{
    uint64_t n = value.n;
    fingerprint_add(state, &n, sizeof n);
    fingerprint_add(state, value.data, value.n);
}

/* The row's share of the catalogue's sum. */
static uint64_t hash_row(const record_table *t, text id, const cell *cells)
{
    fingerprint_state state;
    uint64_t hash;
    fingerprint_begin(&state);
    fingerprint_add_text(&state, standing_name(t->table));
    add_text(&state, id);
    for (int i = 0; i < t->n_fields; i++) {
        if (!cells[i].given) continue;
        fingerprint_add_text(&state, t->fields[i].name);
        fingerprint_add(&state, &cells[i].number, sizeof cells[i].number);
        add_text(&state, cells[i].words);
    }
    fingerprint f = fingerprint_end(&state);
    memcpy(&hash, f.bytes, sizeof hash);
    return hash;
}

/* --- the upsert ------------------------------------------------------------------- */

static pf_status check_texts(const record_table *t, text id, const cell *cells,
                             pf_error *err)
{
    if (id.n == 0)
        return error_set(err, PF_DATA, "a %s has no id", standing_name(t->table));
    if (id.n > LIMIT_ID_BYTES)
        return error_set(err, PF_LIMIT, "the id of a %s is longer than %u bytes",
                         standing_name(t->table), LIMIT_ID_BYTES);
    for (int i = 0; i < t->n_fields; i++)
        if (t->fields[i].kind == FIELD_TEXT && cells[i].words.n > t->fields[i].longest)
            return error_set(err, PF_LIMIT,
                             "the %s of %s '%.*s' is longer than %zu bytes",
                             t->fields[i].name, standing_name(t->table), (int)id.n,
                             id.data, t->fields[i].longest);
    return PF_OK;
}

static pf_status write_row(store *s, const record_table *t, const char *sql, text id,
                           const cell *cells, pf_error *err)
{
    sqlite3_stmt *st;
    pf_status status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    db_bind_text(st, 1, id);
    for (int i = 0; i < t->n_fields; i++)
        bind_cell(st, i + 2, t->fields[i].kind, &cells[i]);
    return db_run(s, st, err);
}

static pf_status insert_row(store *s, const record_table *t, text id, const cell *cells,
                            store_outcome *outcome, pf_error *err)
{
    pf_status status = write_row(s, t, t->insert, id, cells, err);
    if (status != PF_OK) return status;
    uint32_t largest = standing_largest_number(t->table);
    if (sqlite3_last_insert_rowid(s->db) > largest)
        return db_spoil(s, error_set(err, PF_LIMIT, "more than %u %ss", largest,
                                     standing_name(t->table)));
    s->tallies.catalogue_sum += hash_row(t, id, cells);
    s->tallies.changed = true;
    *outcome = STORE_ADDED;
    return PF_OK;
}

/* What was asked last counts: a channel that is now given is refused no longer, and the
 * other way round; one that is in both is refused. */
static void merge_consent(cell *cells, const cell *old)
{
    uint32_t given = (uint32_t)cells[SHOPPER_GIVEN].number;
    uint32_t refused = (uint32_t)cells[SHOPPER_REFUSED].number;
    uint32_t was_given = old ? (uint32_t)old[SHOPPER_GIVEN].number : 0;
    uint32_t was_refused = old ? (uint32_t)old[SHOPPER_REFUSED].number : 0;
    uint32_t now_refused = (was_refused & ~given) | refused;
    uint32_t now_given = (was_given | given) & ~now_refused;
    cells[SHOPPER_GIVEN] = (cell){now_given != 0, now_given, {"", 0}};
    cells[SHOPPER_REFUSED] = (cell){now_refused != 0, now_refused, {"", 0}};
}

/* Lays the given cells over the old row; the row stays open in `st` meanwhile, because
 * texts of it may be bound again. */
static pf_status update_row(store *s, const record_table *t, text id, cell *cells,
                            sqlite3_stmt *st, store_outcome *outcome, pf_error *err)
{
    cell old[FIELDS_MAX];
    bool same = true;
    for (int i = 0; i < t->n_fields; i++)
        old[i] = cell_of_row(&t->fields[i], st, i + 1);
    if (t == &shopper_table) merge_consent(cells, old);
    for (int i = 0; i < t->n_fields; i++) {
        if (!cells[i].given && !(t == &shopper_table && t->fields[i].kind == FIELD_COUNT))
            cells[i] = old[i];
        same = same && cells_equal(&cells[i], &old[i]);
    }
    *outcome = STORE_SAME;
    if (same) return PF_OK;
    uint64_t before = hash_row(t, id, old), after = hash_row(t, id, cells);
    pf_status status = write_row(s, t, t->update, id, cells, err);
    if (status != PF_OK) return status;
    s->tallies.catalogue_sum += after - before;
    s->tallies.changed = true;
    *outcome = STORE_CHANGED;
    return PF_OK;
}

static pf_status put_record(store *s, const record_table *t, const void *record,
                            store_outcome *outcome, pf_error *err)
{
    cell cells[FIELDS_MAX];
    sqlite3_stmt *st;
    bool row;
    text id;
    memcpy(&id, (const unsigned char *)record + t->id_offset, sizeof id);
    for (int i = 0; i < t->n_fields; i++)
        cells[i] = cell_of_record(&t->fields[i], record);
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = check_texts(t, id, cells, err);
    if (status == PF_OK) status = db_prepare(s, &st, t->select, err);
    if (status != PF_OK) return status;
    db_bind_text(st, 1, id);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (row) {
        status = update_row(s, t, id, cells, st, outcome, err);
    } else {
        if (t == &shopper_table) merge_consent(cells, NULL);
        status = insert_row(s, t, id, cells, outcome, err);
    }
    db_reset(st);
    return status;
}

/* --- rows without a record -------------------------------------------------------- */

static const record_table *const all_tables[STANDING_TABLES] = {
    [STANDING_PRODUCT] = &product_table,
    [STANDING_SHOPPER] = &shopper_table,
    [STANDING_CAMPAIGN] = &campaign_table,
    [STANDING_PROMOTION] = &promotion_table,
};

pf_status standing_create(store *s, standing_table table, uint32_t number, text id,
                          pf_error *err)
{
    static const char *const sql[STANDING_TABLES] = {
        [STANDING_PRODUCT] = "INSERT INTO products (number, id) VALUES (?1, ?2)",
        [STANDING_SHOPPER] = "INSERT INTO shoppers (number, id) VALUES (?1, ?2)",
        [STANDING_CAMPAIGN] = "INSERT INTO campaigns (number, id) VALUES (?1, ?2)",
        [STANDING_PROMOTION] = "INSERT INTO promotions (number, id) VALUES (?1, ?2)",
    };
    const cell nothing[FIELDS_MAX] = {0};
    sqlite3_stmt *st;
    pf_status status = db_prepare(s, &st, sql[table], err);
    if (status != PF_OK) return status;
    sqlite3_bind_int64(st, 1, number);
    db_bind_text(st, 2, id);
    status = db_run(s, st, err);
    if (status != PF_OK) return status;
    s->tallies.catalogue_sum += hash_row(all_tables[table], id, nothing);
    s->tallies.changed = true;
    return PF_OK;
}

pf_status standing_erase_shopper(store *s, text id, pf_error *err)
{
    static const char sql[] = "DELETE FROM shoppers WHERE id = ?1";
    const record_table *t = &shopper_table;
    cell cells[FIELDS_MAX] = {0};
    sqlite3_stmt *st;
    bool row;
    pf_status status = db_prepare(s, &st, t->select, err);
    if (status != PF_OK) return status;
    db_bind_text(st, 1, id);
    status = db_step(s, st, &row, err);
    if (status != PF_OK) return status;
    if (!row) {
        db_reset(st);
        return error_set(err, PF_NOT_FOUND, "there is no shopper '%.*s'", (int)id.n,
                         id.data);
    }
    for (int i = 0; i < t->n_fields; i++)
        cells[i] = cell_of_row(&t->fields[i], st, i + 1);
    uint64_t hash = hash_row(t, id, cells);
    db_reset(st);
    status = db_prepare(s, &st, sql, err);
    if (status != PF_OK) return status;
    db_bind_text(st, 1, id);
    status = db_run(s, st, err);
    if (status != PF_OK) return status;
    s->tallies.catalogue_sum -= hash;
    s->tallies.changed = true;
    return PF_OK;
}

/* --- the public verbs ------------------------------------------------------------- */

pf_status store_put_product(store *s, const product_record *r, store_outcome *outcome,
                            pf_error *err)
{
    return put_record(s, &product_table, r, outcome, err);
}

pf_status store_put_shopper(store *s, const shopper_record *r, store_outcome *outcome,
                            pf_error *err)
{
    return put_record(s, &shopper_table, r, outcome, err);
}

pf_status store_put_campaign(store *s, const campaign_record *r, store_outcome *outcome,
                             pf_error *err)
{
    return put_record(s, &campaign_table, r, outcome, err);
}

static pf_status check_campaign(store *s, text id, store_outcome *outcome, pf_error *err)
{
    uint32_t number = 0;
    *outcome = STORE_ADDED;
    if (id.n == 0) return PF_OK;
    pf_status status = db_need_write(s, err);
    if (status == PF_OK) status = standing_find(s, STANDING_CAMPAIGN, id, &number, err);
    if (number == 0) *outcome = STORE_UNKNOWN_CAMPAIGN;
    return status;
}

/* The tags in the one form that is kept, so that their order makes no other row. */
static pf_status tidy_tags(promotion_record *r, char into[TAGS_BYTES], pf_error *err)
{
    tag_list list;
    text which = {"", 0};
    switch (tag_list_read(&list, r->tags, &which)) {
    case TAGS_GOOD: r->tags = tag_list_join(&list, into); return PF_OK;
    case TAG_TOO_LONG:
        return error_set(err, PF_LIMIT,
                         "a tag of promotion '%.*s' is longer than %u bytes",
                         (int)r->id.n, r->id.data, LIMIT_TAG_BYTES);
    case TAGS_TOO_MANY: break;
    }
    return error_set(err, PF_LIMIT, "promotion '%.*s' has more than %u tags",
                     (int)r->id.n, r->id.data, LIMIT_PROMOTION_TAGS);
}

pf_status store_put_promotion(store *s, const promotion_record *r, store_outcome *outcome,
                              pf_error *err)
{
    char tags[TAGS_BYTES];
    promotion_record tidy = *r;
    pf_status status = check_campaign(s, r->campaign, outcome, err);
    if (status != PF_OK || *outcome == STORE_UNKNOWN_CAMPAIGN) return status;
    if (r->tags.n > 0 && r->id.n <= LIMIT_ID_BYTES) status = tidy_tags(&tidy, tags, err);
    return status == PF_OK ? put_record(s, &promotion_table, &tidy, outcome, err)
                           : status;
}
