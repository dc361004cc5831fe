/*
 * The tables an import can fill and the fields of each: their names in mapping files, and
 * the names other people's headers have for them. One row here, one line in convert_*.c,
 * and a field exists; docs/data-formats.md prints this table.
 */
#ifndef PROFFER_INTAKE_FIELDS_H
#define PROFFER_INTAKE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* In the order of loading: what is referred to comes first. */
typedef enum intake_table {
    TABLE_PRODUCTS,
    TABLE_SHOPPERS,
    TABLE_CAMPAIGNS,
    TABLE_PROMOTIONS,
    TABLE_SCOPE,
    TABLE_EVENTS,
    TABLE_COUNT
} intake_table;

enum product_field {
    PRODUCTS_ID,
    PRODUCTS_TITLE,
    PRODUCTS_DESCRIPTION,
    PRODUCTS_CATEGORY,
    PRODUCTS_BRAND,
    PRODUCTS_PRICE,
    PRODUCTS_CURRENCY,
    PRODUCTS_IMAGE,
    PRODUCTS_ATTRIBUTES
};
enum shopper_field {
    SHOPPERS_ID,
    SHOPPERS_LANGUAGE,
    SHOPPERS_ZONE,
    SHOPPERS_CONSENT_GIVEN,
    SHOPPERS_CONSENT_REFUSED,
    SHOPPERS_ATTRIBUTES
};
enum campaign_field {
    CAMPAIGNS_ID,
    CAMPAIGNS_TITLE,
    CAMPAIGNS_KIND,
    CAMPAIGNS_STARTS,
    CAMPAIGNS_ENDS,
    CAMPAIGNS_ENDS_ON,
    CAMPAIGNS_ATTRIBUTES
};
enum promotion_field {
    PROMOTIONS_ID,
    PROMOTIONS_CAMPAIGN,
    PROMOTIONS_TITLE,
    PROMOTIONS_BODY,
    PROMOTIONS_KIND,
    PROMOTIONS_PERCENT,
    PROMOTIONS_VALUE,
    PROMOTIONS_MINIMUM,
    PROMOTIONS_STARTS,
    PROMOTIONS_ENDS,
    PROMOTIONS_ENDS_ON,
    PROMOTIONS_BUDGET,
    PROMOTIONS_CURRENCY,
    PROMOTIONS_SHOPPER_LIMIT,
    PROMOTIONS_REDEMPTION_LIMIT,
    PROMOTIONS_CHANNELS,
    PROMOTIONS_STACKING_GROUP,
    PROMOTIONS_CONTACT_COST,
    PROMOTIONS_SCOPE_CATEGORIES,
    PROMOTIONS_SCOPE_BRANDS,
    PROMOTIONS_TAGS,
    PROMOTIONS_AUDIENCE,
    PROMOTIONS_ATTRIBUTES
};
enum scope_field { SCOPE_PROMOTION, SCOPE_PRODUCT };
enum event_field {
    EVENTS_ID,
    EVENTS_TYPE,
    EVENTS_SHOPPER,
    EVENTS_PRODUCT,
    EVENTS_PROMOTION,
    EVENTS_CAMPAIGN,
    EVENTS_ORDER,
    EVENTS_DECISION,
    EVENTS_CHANNEL,
    EVENTS_TIME,
    EVENTS_QUANTITY,
    EVENTS_PAID,
    EVENTS_UNIT_PRICE,
    EVENTS_DISCOUNT,
    EVENTS_COUPON,
    EVENTS_CURRENCY,
    EVENTS_RATING,
    EVENTS_PROPENSITY,
    EVENTS_ATTRIBUTES,
    EVENTS_FIELD_COUNT
};
/* No table has more fields. */
enum { FIELDS_MAX = PROMOTIONS_ATTRIBUTES + 1 };

typedef struct field_info {
    const char *name;     /* in mapping files and messages */
    const char *synonyms; /* folded (word_fold), best first, joined by '|' */
    bool required;        /* a row without it is rejected */
    bool is_id; /* an id or a reference: a template with a blank part is blank */
    bool is_money;
} field_info;

const char *intake_table_name(intake_table table); /* "products", ... */
/* TABLE_COUNT when the text is no table. */
intake_table intake_table_parse(text name);

size_t table_field_count(intake_table table);
const field_info *table_field(intake_table table, size_t i);
/* The field's index, or -1. */
int table_field_find(intake_table table, text name);
/* The field that a column of this name most likely is, or -1; *rank gets the place of the
 * synonym (0 = the field's own name), lower is surer. */
int table_field_guess(intake_table table, text column, size_t *rank);

#endif
