/*
 * A catalogue built by hand, for tests: numbers are given in the order of adding. Texts are
 * borrowed (ids are made here). Free with small_shop_free.
 */
#ifndef PROFFER_TESTS_MESSAGE_SMALL_SHOP_H
#define PROFFER_TESTS_MESSAGE_SMALL_SHOP_H

#include "shop/catalogue.h"

typedef struct small_shop {
    shop_catalogue c;
    product *products;
    category *categories;
    promotion *promotions;
    shopper *shoppers;
    uint32_t capacity;
    arena texts;
} small_shop;

/* Room for `capacity` of each thing. */
void small_shop_init(small_shop *s, uint32_t capacity, const char *currency_code);
void small_shop_free(small_shop *s);

/* path "A > B" needs "A" to be there; parent 0 for a top one. */
uint32_t small_shop_category(small_shop *s, const char *path, uint32_t parent);
uint32_t small_shop_product(small_shop *s, const char *title, uint32_t category);
/* A promotion with nothing known but its kind; everything may be set through the pointer. */
promotion *small_shop_promotion(small_shop *s, promotion_kind kind);
/* Sets a promotion's scope: n ascending product numbers, copied. */
void small_shop_scope(small_shop *s, promotion *p, const uint32_t *products, uint32_t n);
/* A shopper who consented to everything. */
shopper *small_shop_shopper(small_shop *s);

#endif
