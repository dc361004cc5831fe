/*
 * A catalogue under construction: the tables of ids, the category tree, brands, and the
 * scope of each promotion worked out from the products, categories and brands it names,
 * and the numbers of its tags.
 * It reads no database: catalogue_load.c feeds it.
 *
 *     build_begin; products, shoppers, campaigns; build_ids; promotions;
 *     build_promotion_ids; build_scope_row ... ; build_end; build_free
 */
#ifndef PROFFER_STORE_CATALOGUE_BUILD_H
#define PROFFER_STORE_CATALOGUE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "shop/catalogue.h"

typedef struct scope_text {
    const char *categories, *brands;
} scope_text;

typedef struct scope_pair {
    uint32_t promotion, number;
} scope_pair;

/* Things in groups: those of group g are items[first[g]] .. items[first[g + 1] - 1]. */
typedef struct grouping {
    uint32_t *first, *items;
} grouping;

typedef struct catalogue_build {
    shop_catalogue *catalogue;
    /* the catalogue's arrays, writable */
    product *products;
    shopper *shoppers;
    campaign *campaigns;
    promotion *promotions;
    scope_text *scope_texts; /* [promotions + 1] */
    const char **tag_texts;  /* [promotions + 1] */
    intern *categories, *brands;
    uint32_t *parents; /* of categories, by number - 1 */
    size_t parents_capacity;
    scope_pair *pairs; /* in order of promotion, product */
    size_t n_pairs, pairs_capacity;
    grouping by_category, by_brand, children;
} catalogue_build;

/* The catalogue's counts are set; allocates its arrays. */
pf_status build_begin(catalogue_build *b, pf_error *err);
/* The number of a category path (with those above it) or brand, 0 for an empty one; false
 * when memory is short. */
bool build_category(catalogue_build *b, text path, uint32_t *number);
bool build_brand(catalogue_build *b, text name, uint32_t *number);
/* The tables id -> number of products, shoppers and campaigns; then of promotions. */
pf_status build_ids(catalogue_build *b, pf_error *err);
pf_status build_promotion_ids(catalogue_build *b, pf_error *err);
/* In order of promotion, product. Pairs that lead out of the catalogue are left out. */
bool build_scope_row(catalogue_build *b, uint32_t promotion_number, uint32_t number);
/* Categories, brands, scopes and tags into the catalogue. PF_DATA for tags that no version
 * writes. */
pf_status build_end(catalogue_build *b, pf_error *err);
/* What was needed only for building. */
void build_free(catalogue_build *b);

#endif
