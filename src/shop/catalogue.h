/*
 * The catalogue in memory: an immutable snapshot of products, promotions, campaigns and
 * shoppers' standing data, indexed by number (1..count; 0 = none). Loaded by store/, read
 * by every room behind it, never changed. All texts are terminated, never NULL ("" where
 * not given) and owned by the catalogue. Readers on any thread.
 *
 *     shop_catalogue *c;
 *     store_load_catalogue(store, &c, err);
 *     const product *p = &c->products[17];
 *     catalogue_free(c);
 */
#ifndef PROFFER_SHOP_CATALOGUE_H
#define PROFFER_SHOP_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/money.h"
#include "shop/record.h"
#include "shop/vocabulary.h"

typedef struct product {
    const char *id, *title, *description, *image;
    const char *attributes; /* JSON object or "" */
    uint32_t category;      /* the full path; 0 = none */
    uint32_t brand;         /* 0 = none */
    int64_t price_minor;    /* MONEY_ABSENT = unknown */
} product;

/* A node of the category tree. `path` is "GROCERY > CHEESE", `name` its last part. */
typedef struct category {
    const char *path, *name;
    uint32_t parent; /* 0 for a top category */
    uint32_t depth;  /* 1 for a top category */
} category;

typedef struct campaign {
    const char *id, *title, *kind;
    int64_t starts_us, ends_us; /* TIME_ABSENT = open */
    const char *attributes;
} campaign;

typedef struct promotion {
    const char *id, *title, *body, *stacking_group, *audience, *attributes;
    uint32_t campaign; /* 0 = none */
    promotion_kind kind;
    int32_t percent_hundredths;
    int64_t value_minor, minimum_purchase_minor;
    int64_t starts_us, ends_us; /* the campaign's where it has none of its own */
    int64_t budget_minor, contact_cost_minor;
    uint32_t shopper_limit, redemption_limit;
    channel_set channels;
    /* The scope as sorted product numbers, the union of ids, categories and brands;
     * n_scope 0 = everything; {0} where ids and names were given and all led nowhere. */
    const uint32_t *scope;
    uint32_t n_scope;
    const uint32_t *tag; /* sorted numbers of its tags */
    uint32_t n_tag;
} promotion;

typedef struct shopper {
    const char *id, *language, *zone, *attributes;
    channel_set consent_given, consent_refused;
    bool exists; /* false where a shopper was forgotten: the number stays empty */
} shopper;

typedef struct shop_catalogue {
    uint32_t n_products, n_categories, n_brands, n_campaigns, n_promotions, n_shoppers;
    uint32_t n_tags;
    const product *products; /* each [count + 1], element 0 empty */
    const category *categories;
    const char *const *brands;
    const char *const *tags; /* of promotions */
    const campaign *campaigns;
    const promotion *promotions;
    const shopper *shoppers;
    currency currency;
    arena memory; /* owns everything above */
    intern *product_ids, *promotion_ids, *campaign_ids, *shopper_ids; /* id -> number */
} shop_catalogue;

/* NULL is fine. */
void catalogue_free(shop_catalogue *c);

/* true when the product of that number is in the promotion's scope; never for 0. */
bool promotion_covers(const promotion *p, uint32_t number);
bool promotion_has_tag(const promotion *p, uint32_t number);
/* The number of a tag by its name, 0 where no promotion has it. Looks at all of them. */
uint32_t catalogue_find_tag(const shop_catalogue *c, const char *name);
/* true at starts_us <= at < ends_us, open ends always. */
bool promotion_is_live(const promotion *p, int64_t at_us);

/* The member of an attributes object as text: numbers as written, "true", "false"; ""
 * where it is absent, null, an array, an object, or the attributes are no JSON object.
 * The answer stands in `into`, cut at a whole character where it does not fit. */
const char *attribute_text(const char *attributes, const char *name, char *into,
                           size_t size);

#endif
