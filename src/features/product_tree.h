/*
 * Where products stand: four kinds of kinship,
 *
 *     department   the top of the category path
 *     category     the whole path
 *     family       the category together with the maker
 *     sort         the title up to its last comma ("CHEDDAR, 8 OZ" is "CHEDDAR")
 *
 * and what each promotion's scope is made of on each level. Nothing here has a time: it is
 * the catalogue, counted once. The maker is the attribute manufacturer_id, manufacturer,
 * maker or supplier, the first that is given, else the brand.
 *
 * Immutable once made; readers on any thread.
 */
#ifndef PROFFER_FEATURES_PRODUCT_TREE_H
#define PROFFER_FEATURES_PRODUCT_TREE_H

#include <stdint.h>

#include "base/status.h"
#include "shop/catalogue.h"

typedef enum product_level {
    LEVEL_DEPARTMENT,
    LEVEL_CATEGORY,
    LEVEL_FAMILY,
    LEVEL_SORT,
    PRODUCT_LEVELS
} product_level;

/* How many products of a scope stand at a node. */
typedef struct mix_part {
    uint32_t node, products;
} mix_part;

/* The nodes of a scope, by number. */
typedef struct scope_mix {
    const mix_part *part;
    uint32_t n;
    double length; /* of the vector of counts */
} scope_mix;

typedef struct product_tree {
    const shop_catalogue *catalogue;
    uint32_t *node[PRODUCT_LEVELS]; /* [products + 1] */
    uint32_t nodes[PRODUCT_LEVELS]; /* numbers 0 .. nodes - 1 */
    uint32_t *everything;           /* [products]: 1, 2, ... */
    uint32_t leading_brand;         /* the one with most products; 0 without brands */
    scope_mix *mix[PRODUCT_LEVELS]; /* [promotions + 1] */
    mix_part *parts;
} product_tree;

/* The catalogue is borrowed. PF_NO_MEMORY; *out is then NULL. */
pf_status product_tree_new(const shop_catalogue *c, product_tree **out, pf_error *err);
/* NULL is fine. */
void product_tree_free(product_tree *t);

/* A promotion's products as a list, also where its scope is everything. */
const uint32_t *scope_products(const product_tree *t, uint32_t number, uint32_t *n);

/* Cosine of two vectors of counts, 0 when one is empty. */
double scope_mix_cosine(const scope_mix *a, const scope_mix *b);

#endif
