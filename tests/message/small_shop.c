#include "message/small_shop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *zeroed(uint32_t capacity, size_t size)
{
    void *block = calloc((size_t)capacity + 1, size);
    assert(block != NULL);
    return block;
}

static const char *make_id(small_shop *s, const char *prefix, uint32_t number)
{
    char id[32];
    (void)snprintf(id, sizeof id, "%s%u", prefix, number);
    const char *copy = arena_copy_text(&s->texts, id, strlen(id));
    assert(copy != NULL);
    return copy;
}

void small_shop_init(small_shop *s, uint32_t capacity, const char *currency_code)
{
    memset(s, 0, sizeof *s);
    s->capacity = capacity;
    arena_init(&s->texts, 1u << 30);
    s->c.products = s->products = zeroed(capacity, sizeof *s->products);
    s->c.categories = s->categories = zeroed(capacity, sizeof *s->categories);
    s->c.promotions = s->promotions = zeroed(capacity, sizeof *s->promotions);
    s->c.shoppers = s->shoppers = zeroed(capacity, sizeof *s->shoppers);
    bool found = currency_find(currency_code, strlen(currency_code), &s->c.currency);
    assert(found);
    (void)found;
}

void small_shop_free(small_shop *s)
{
    free(s->products);
    free(s->categories);
    free(s->promotions);
    free(s->shoppers);
    arena_free(&s->texts);
}

uint32_t small_shop_category(small_shop *s, const char *path, uint32_t parent)
{
    const char *mark = strrchr(path, '>');
    uint32_t number = ++s->c.n_categories;
    s->categories[number] = (category){.path = path,
                                       .name = mark != NULL ? mark + 2 : path,
                                       .parent = parent,
                                       .depth = s->categories[parent].depth + 1};
    return number;
}

uint32_t small_shop_product(small_shop *s, const char *title, uint32_t within)
{
    uint32_t number = ++s->c.n_products;
    assert(number <= s->capacity);
    s->products[number] = (product){.id = make_id(s, "P", number),
                                    .title = title,
                                    .description = "",
                                    .image = "",
                                    .attributes = "",
                                    .category = within,
                                    .price_minor = MONEY_ABSENT};
    return number;
}

promotion *small_shop_promotion(small_shop *s, promotion_kind kind)
{
    uint32_t number = ++s->c.n_promotions;
    assert(number <= s->capacity);
    promotion *p = &s->promotions[number];
    *p = (promotion){.id = make_id(s, "O", number),
                     .title = "",
                     .body = "",
                     .stacking_group = "",
                     .audience = "",
                     .attributes = "",
                     .kind = kind,
                     .value_minor = MONEY_ABSENT,
                     .minimum_purchase_minor = MONEY_ABSENT,
                     .starts_us = TIME_ABSENT,
                     .ends_us = TIME_ABSENT,
                     .budget_minor = MONEY_ABSENT,
                     .contact_cost_minor = MONEY_ABSENT};
    return p;
}

void small_shop_scope(small_shop *s, promotion *p, const uint32_t *products, uint32_t n)
{
    uint32_t *copy = arena_alloc(&s->texts, n, sizeof *copy);
    assert(copy != NULL);
    memcpy(copy, products, n * sizeof *copy);
    p->scope = copy;
    p->n_scope = n;
}

shopper *small_shop_shopper(small_shop *s)
{
    uint32_t number = ++s->c.n_shoppers;
    assert(number <= s->capacity);
    shopper *it = &s->shoppers[number];
    *it = (shopper){.id = make_id(s, "S", number),
                    .language = "",
                    .zone = "",
                    .attributes = "",
                    .consent_given = CHANNEL_SET_ALL,
                    .exists = true};
    return it;
}
