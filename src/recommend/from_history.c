/* Purchases of a history as interactions: a count, then one filling pass. */
#include "recommend/from_history.h"

#include "base/memory.h"
#include "recommend/basket_order.h"
#include "recommend/interactions.h"
#include "recommend/story.h"

static bool counts(const shop_history *h, uint64_t i, const bool *excluded)
{
    return h->type[i] == EVENT_PURCHASE && h->product[i] != 0 &&
           !(excluded != NULL && excluded[h->product[i]]);
}

static uint64_t count_purchases(const shop_history *h, const bool *excluded,
                                int64_t until_us)
{
    uint64_t n = 0;
    for (uint64_t i = h->first[1]; i < h->n; i++)
        n += h->time_us[i] < until_us && counts(h, i, excluded);
    return n;
}

void purchases_free(purchases *x)
{
    if (x == NULL) return;
    mem_free((void *)x->data.first);
    mem_free((void *)x->data.product);
    mem_free((void *)x->data.time_us);
    mem_free((void *)x->data.quantity);
    mem_free((void *)x->data.basket);
    story_free(x->story);
    mem_free(x);
}

/* The arrays, writable while they are filled. */
typedef struct columns {
    uint64_t *first;
    uint32_t *product;
    int64_t *time_us;
    float *quantity;
    uint64_t *basket;
} columns;

static bool allocate(purchases *x, columns *c, uint64_t n, uint32_t users)
{
    size_t rows = n ? (size_t)n : 1;
    c->first = mem_alloc_zero((size_t)users + 1, sizeof *c->first);
    c->product = mem_alloc(rows, sizeof *c->product);
    c->time_us = mem_alloc(rows, sizeof *c->time_us);
    c->quantity = mem_alloc(rows, sizeof *c->quantity);
    c->basket = mem_alloc(rows, sizeof *c->basket);
    x->data.first = c->first;
    x->data.product = c->product;
    x->data.time_us = c->time_us;
    x->data.quantity = c->quantity;
    x->data.basket = c->basket;
    return c->first && c->product && c->time_us && c->quantity && c->basket;
}

static void fill(const shop_history *h, const bool *excluded, int64_t until_us,
                 basket_order *order, columns *c)
{
    uint64_t to = 0;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        const uint64_t *row, n = basket_order_read(order, s, until_us, &row);
        for (uint64_t at = 0; at < n; at++) {
            const uint64_t i = row[at];
            if (!counts(h, i, excluded)) continue;
            c->product[to] = h->product[i] - 1;
            c->time_us[to] = h->time_us[i];
            c->quantity[to] = h->quantity[i];
            c->basket[to++] = h->order[i];
        }
        c->first[s] = to;
    }
}

pf_status purchases_from_history(const shop_history *h, uint32_t n_products,
                                 const bool *excluded, int64_t until_us, purchases **out,
                                 pf_error *err)
{
    columns c;
    purchases *x = mem_alloc_zero(1, sizeof *x);
    uint64_t n = count_purchases(h, excluded, until_us);
    basket_order *order = NULL;
    pf_status s = basket_order_new(h, &order, err);
    if (s != PF_OK || x == NULL || !allocate(x, &c, n, h->n_shoppers)) {
        purchases_free(x);
        basket_order_free(order);
        return s != PF_OK ? s : error_set(err, PF_NO_MEMORY, "out of memory for %llu purchases",
                         (unsigned long long)n);
    }
    fill(h, excluded, until_us, order, &c);
    basket_order_free(order);
    x->data.n = n;
    x->data.n_users = h->n_shoppers;
    x->data.n_products = n_products;
    s = story_from_history(h, n_products, excluded, until_us, &x->story, err);
    if (s != PF_OK) {
        purchases_free(x);
        return s;
    }
    x->data.story = &x->story->view;
    *out = x;
    return PF_OK;
}

recommend_query purchases_of(const purchases *x, uint32_t number, int64_t at_us)
{
    return interactions_query_until(&x->data, number - 1, at_us);
}
