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

static void fill(const shop_history *h, const bool *excluded, int64_t until_us,
                 basket_order *order, interactions_owned *x)
{
    uint64_t to = 0;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        const uint64_t *row, n = basket_order_read(order, s, until_us, &row);
        for (uint64_t at = 0; at < n; at++) {
            const uint64_t i = row[at];
            if (!counts(h, i, excluded)) continue;
            x->product[to] = h->product[i] - 1;
            x->time_us[to] = h->time_us[i];
            x->quantity[to] = h->quantity[i];
            x->basket[to++] = h->order[i];
        }
        x->first[s] = to;
    }
}

static pf_status read_purchases(const shop_history *h, uint32_t n_products, const bool *excluded,
                                int64_t until_us, interactions_owned **out, pf_error *err)
{
    const interactions_columns has = {.times = true, .quantities = true, .baskets = true};
    const uint64_t n = count_purchases(h, excluded, until_us);
    basket_order *order = NULL;
    *out = interactions_new(h->n_shoppers, n_products, n, has);
    if (*out == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %llu purchases",
                         (unsigned long long)n);
    pf_status s = basket_order_new(h, &order, err);
    if (s == PF_OK) fill(h, excluded, until_us, order, *out);
    basket_order_free(order);
    return s;
}

pf_status purchases_from_history(const shop_history *h, uint32_t n_products,
                                 const bool *excluded, int64_t until_us,
                                 interactions_owned **out, pf_error *err)
{
    interactions_owned *x = NULL;
    pf_status s = read_purchases(h, n_products, excluded, until_us, &x, err);
    if (s == PF_OK) s = story_from_history(h, n_products, excluded, until_us, &x->story, err);
    if (s != PF_OK) {
        interactions_free(x);
        return s;
    }
    x->view.story = &x->story->view;
    *out = x;
    return PF_OK;
}

recommend_query purchases_of(const interactions_owned *x, uint32_t number, int64_t at_us)
{
    return interactions_query_until(&x->view, number - 1, at_us);
}
