/*
 * Reading the catalogue: every table of standing data once, into one arena. What a scope
 * names, the category tree and the tables of ids are worked out in catalogue_build.c.
 */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "store/catalogue_build.h"
#include "store/connection.h"
#include "store/standing.h"

static pf_status short_of_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "no memory to load the catalogue");
}

/* A copy in the arena, "" for NULL; NULL when memory is short. */
static const char *keep(shop_catalogue *c, sqlite3_stmt *st, int column)
{
    text t = db_column_text(st, column);
    return t.n == 0 ? "" : arena_copy_text(&c->memory, t.data, t.n);
}

static int64_t amount(sqlite3_stmt *st, int column)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL) return MONEY_ABSENT;
    return sqlite3_column_int64(st, column);
}

static uint32_t count(sqlite3_stmt *st, int column)
{
    return (uint32_t)sqlite3_column_int64(st, column);
}

/* The rows of a table, in order of their numbers, each handed to `take`, which says false
 * when memory is short. */
typedef bool take_row(catalogue_build *b, sqlite3_stmt *st, uint32_t number);

static pf_status load_rows(store *s, catalogue_build *b, const char *sql, uint32_t last,
                           take_row *take, pf_error *err)
{
    sqlite3_stmt *st;
    bool row = true;
    pf_status status = db_prepare(s, &st, sql, err);
    while (status == PF_OK && row) {
        status = db_step(s, st, &row, err);
        if (status != PF_OK || !row) break;
        int64_t number = sqlite3_column_int64(st, 0);
        if (number < 1 || number > last)
            status = error_set(err, PF_DATA, "'%s' is damaged: a number is out of range",
                               s->path);
        else if (!take(b, st, (uint32_t)number))
            status = short_of_memory(err);
    }
    if (st != NULL) db_reset(st);
    return status;
}

static bool take_product(catalogue_build *b, sqlite3_stmt *st, uint32_t number)
{
    shop_catalogue *c = b->catalogue;
    product *p = &b->products[number];
    p->id = keep(c, st, 1);
    p->title = keep(c, st, 2);
    p->description = keep(c, st, 3);
    p->price_minor = amount(st, 6);
    p->image = keep(c, st, 7);
    p->attributes = keep(c, st, 8);
    return p->id && p->title && p->description && p->image && p->attributes &&
           build_category(b, db_column_text(st, 4), &p->category) &&
           build_brand(b, db_column_text(st, 5), &p->brand);
}

static bool take_shopper(catalogue_build *b, sqlite3_stmt *st, uint32_t number)
{
    shop_catalogue *c = b->catalogue;
    shopper *p = &b->shoppers[number];
    p->exists = true;
    p->id = keep(c, st, 1);
    p->language = keep(c, st, 2);
    p->zone = keep(c, st, 3);
    p->consent_given = count(st, 4);
    p->consent_refused = count(st, 5);
    p->attributes = keep(c, st, 6);
    return p->id && p->language && p->zone && p->attributes;
}

static bool take_campaign(catalogue_build *b, sqlite3_stmt *st, uint32_t number)
{
    shop_catalogue *c = b->catalogue;
    campaign *p = &b->campaigns[number];
    p->id = keep(c, st, 1);
    p->title = keep(c, st, 2);
    p->kind = keep(c, st, 3);
    p->starts_us = amount(st, 4);
    p->ends_us = amount(st, 5);
    p->attributes = keep(c, st, 6);
    return p->id && p->title && p->kind && p->attributes;
}

static void take_promotion_terms(promotion *p, sqlite3_stmt *st)
{
    int64_t kind = sqlite3_column_int64(st, 5);
    p->kind = kind >= 0 && kind < PROMOTION_KIND_COUNT ? (promotion_kind)kind
                                                       : PROMOTION_INFORMATIONAL;
    p->percent_hundredths = (int32_t)sqlite3_column_int64(st, 6);
    p->value_minor = amount(st, 7);
    p->minimum_purchase_minor = amount(st, 8);
    p->starts_us = amount(st, 9);
    p->ends_us = amount(st, 10);
    p->budget_minor = amount(st, 11);
    p->shopper_limit = count(st, 12);
    p->redemption_limit = count(st, 13);
    p->channels = count(st, 14);
    p->contact_cost_minor = amount(st, 16);
}

static bool take_promotion(catalogue_build *b, sqlite3_stmt *st, uint32_t number)
{
    shop_catalogue *c = b->catalogue;
    promotion *p = &b->promotions[number];
    text in = db_column_text(st, 2);
    p->id = keep(c, st, 1);
    p->campaign = intern_find(c->campaign_ids, in.data, in.n);
    p->title = keep(c, st, 3);
    p->body = keep(c, st, 4);
    p->stacking_group = keep(c, st, 15);
    p->audience = keep(c, st, 19);
    p->attributes = keep(c, st, 20);
    b->scope_texts[number].categories = keep(c, st, 17);
    b->scope_texts[number].brands = keep(c, st, 18);
    b->tag_texts[number] = keep(c, st, 21);
    take_promotion_terms(p, st);
    if (p->campaign != 0 && p->starts_us == TIME_ABSENT)
        p->starts_us = b->campaigns[p->campaign].starts_us;
    if (p->campaign != 0 && p->ends_us == TIME_ABSENT)
        p->ends_us = b->campaigns[p->campaign].ends_us;
    return p->id && p->title && p->body && p->stacking_group && p->audience &&
           p->attributes && b->scope_texts[number].categories &&
           b->scope_texts[number].brands && b->tag_texts[number];
}

static pf_status load_tables(store *s, catalogue_build *b, pf_error *err)
{
    static const char products[] =
        "SELECT number, id, title, description, category, brand, price_minor, image,"
        " attributes FROM products ORDER BY number";
    static const char shoppers[] =
        "SELECT number, id, language, zone, consent_given, consent_refused, attributes"
        " FROM shoppers ORDER BY number";
    static const char campaigns[] =
        "SELECT number, id, title, kind, starts_us, ends_us, attributes"
        " FROM campaigns ORDER BY number";
    static const char promotions[] =
        "SELECT number, id, campaign, title, body, kind, percent_hundredths, value_minor,"
        " minimum_purchase_minor, starts_us, ends_us, budget_minor, shopper_limit,"
        " redemption_limit, channels, stacking_group, contact_cost_minor,"
        " scope_categories, scope_brands, audience, attributes, tags"
        " FROM promotions ORDER BY number";
    shop_catalogue *c = b->catalogue;
    pf_status status = load_rows(s, b, products, c->n_products, take_product, err);
    if (status == PF_OK)
        status = load_rows(s, b, shoppers, c->n_shoppers, take_shopper, err);
    if (status == PF_OK)
        status = load_rows(s, b, campaigns, c->n_campaigns, take_campaign, err);
    if (status == PF_OK) status = build_ids(b, err); /* promotions name campaigns */
    if (status == PF_OK)
        status = load_rows(s, b, promotions, c->n_promotions, take_promotion, err);
    if (status == PF_OK) status = build_promotion_ids(b, err);
    return status;
}

static pf_status load_scope(store *s, catalogue_build *b, pf_error *err)
{
    static const char sql[] =
        "SELECT promotion, product FROM scope ORDER BY promotion, product";
    sqlite3_stmt *st;
    bool row = true;
    pf_status status = db_prepare(s, &st, sql, err);
    while (status == PF_OK && row) {
        status = db_step(s, st, &row, err);
        if (status == PF_OK && row && !build_scope_row(b, count(st, 0), count(st, 1)))
            status = short_of_memory(err);
    }
    if (st != NULL) db_reset(st);
    return status;
}

static pf_status load_currency(store *s, shop_catalogue *c, pf_error *err)
{
    char code[8];
    pf_status status = store_get_setting(s, "currency", code, sizeof code, err);
    if (status == PF_NOT_FOUND) return PF_OK;
    if (status == PF_OK && !currency_find(code, strlen(code), &c->currency))
        status =
            error_set(err, PF_DATA, "'%s' names an unknown currency '%s'", s->path, code);
    return status;
}

static pf_status load_counts(store *s, shop_catalogue *c, pf_error *err)
{
    pf_status status = standing_last(s, STANDING_PRODUCT, &c->n_products, err);
    if (status == PF_OK) status = standing_last(s, STANDING_SHOPPER, &c->n_shoppers, err);
    if (status == PF_OK)
        status = standing_last(s, STANDING_CAMPAIGN, &c->n_campaigns, err);
    if (status == PF_OK)
        status = standing_last(s, STANDING_PROMOTION, &c->n_promotions, err);
    return status;
}

static pf_status load_all(store *s, catalogue_build *b, pf_error *err)
{
    pf_status status = load_counts(s, b->catalogue, err);
    if (status == PF_OK) status = load_currency(s, b->catalogue, err);
    if (status == PF_OK) status = build_begin(b, err);
    if (status == PF_OK) status = load_tables(s, b, err);
    if (status == PF_OK) status = load_scope(s, b, err);
    if (status == PF_OK) status = build_end(b, err);
    return status;
}

pf_status store_load_catalogue(store *s, shop_catalogue **out, pf_error *err)
{
    catalogue_build b = {0};
    bool mine;
    *out = NULL;
    shop_catalogue *c = mem_alloc_zero(1, sizeof *c);
    if (c == NULL) return short_of_memory(err);
    arena_init(&c->memory, LIMIT_CATALOGUE_BYTES);
    b.catalogue = c;
    pf_status status = db_snapshot_begin(s, &mine, err);
    if (status == PF_OK) {
        status = load_all(s, &b, err);
        db_snapshot_end(s, mine);
    }
    build_free(&b);
    if (status == PF_OK)
        *out = c;
    else
        catalogue_free(c);
    return status;
}
