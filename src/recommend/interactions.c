/* Copies are counted first, allocated at once, and filled in the order of shoppers. */
#include "recommend/interactions.h"

#include <math.h>

#include "base/memory.h"
#include "recommend/story.h"

void interactions_free(interactions_owned *x)
{
    if (x == NULL) return;
    mem_free(x->first);
    mem_free(x->product);
    mem_free(x->time_us);
    mem_free(x->quantity);
    mem_free(x->rating);
    mem_free(x->basket);
    sequence_events_free(x->story);
    mem_free(x);
}

interactions_owned *interactions_new(uint32_t users, uint32_t products, uint64_t n,
                                     interactions_columns has)
{
    size_t room = n ? (size_t)n : 1;
    interactions_owned *x = mem_alloc_zero(1, sizeof *x);
    if (x == NULL) return NULL;
    x->first = mem_alloc_zero((size_t)users + 1, sizeof *x->first);
    x->product = mem_alloc(room, sizeof *x->product);
    bool ok = x->first && x->product;
    if (has.times) ok &= (x->time_us = mem_alloc(room, sizeof *x->time_us)) != NULL;
    if (has.quantities) ok &= (x->quantity = mem_alloc(room, sizeof *x->quantity)) != NULL;
    if (has.ratings) ok &= (x->rating = mem_alloc(room, sizeof *x->rating)) != NULL;
    if (has.baskets) ok &= (x->basket = mem_alloc(room, sizeof *x->basket)) != NULL;
    if (!ok) {
        interactions_free(x);
        return NULL;
    }
    x->view = (interactions){.n_users = users,
                             .n_products = products,
                             .n = n,
                             .first = x->first,
                             .product = x->product,
                             .time_us = x->time_us,
                             .quantity = x->quantity,
                             .rating = x->rating,
                             .basket = x->basket};
    return x;
}

/* Room for n events with the columns of another. */
static interactions_owned *owned_new(const interactions *like, uint64_t n)
{
    return interactions_new(like->n_users, like->n_products, n,
                            (interactions_columns){.times = like->time_us != NULL,
                                                   .quantities = like->quantity != NULL,
                                                   .ratings = like->rating != NULL,
                                                   .baskets = like->basket != NULL});
}

static void copy_row(interactions_owned *x, uint64_t to, const interactions *all,
                     uint64_t from)
{
    x->product[to] = all->product[from];
    if (x->time_us) x->time_us[to] = all->time_us[from];
    if (x->quantity) x->quantity[to] = all->quantity[from];
    if (x->rating) x->rating[to] = all->rating[from];
    if (x->basket) x->basket[to] = all->basket[from];
}

/* The first kept[u] events of every shopper; of the story what was before the moment as well. */
static pf_status copy_prefix(const interactions *all, const uint64_t *kept,
                             int64_t until_us, interactions_owned **out, pf_error *err)
{
    uint64_t n = 0, to = 0;
    for (uint32_t u = 0; u < all->n_users; u++)
        n += kept[u];
    interactions_owned *x = owned_new(all, n);
    if (x == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %llu interactions",
                         (unsigned long long)n);
    for (uint32_t u = 0; u < all->n_users; u++) {
        for (uint64_t i = 0; i < kept[u]; i++)
            copy_row(x, to++, all, all->first[u] + i);
        x->first[u + 1] = to;
    }
    pf_status s = PF_OK;
    if (all->story != NULL)
        s = sequence_events_cut(all->story, kept, until_us, &x->story, err);
    if (s != PF_OK) {
        interactions_free(x);
        return s;
    }
    if (x->story != NULL) x->view.story = &x->story->view;
    *out = x;
    return PF_OK;
}

pf_status interactions_prefix(const interactions *all, const uint64_t *kept,
                              interactions_owned **out, pf_error *err)
{
    return copy_prefix(all, kept, INT64_MAX, out, err);
}

pf_status interactions_until(const interactions *all, int64_t until_us,
                             interactions_owned **out, pf_error *err)
{
    uint64_t *kept = mem_alloc((size_t)all->n_users + 1, sizeof *kept);
    if (kept == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers",
                         all->n_users);
    for (uint32_t u = 0; u < all->n_users; u++)
        kept[u] = interactions_query_until(all, u, until_us).n;
    pf_status s = copy_prefix(all, kept, until_us, out, err);
    mem_free(kept);
    return s;
}

pf_status interactions_without_last(const interactions *all, unsigned drop,
                                    uint64_t at_least, interactions_owned **out,
                                    pf_error *err)
{
    uint64_t *kept = mem_alloc((size_t)all->n_users + 1, sizeof *kept);
    if (kept == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers",
                         all->n_users);
    for (uint32_t u = 0; u < all->n_users; u++) {
        uint64_t n = all->first[u + 1] - all->first[u];
        kept[u] = n >= at_least ? n - drop : n;
    }
    pf_status s = interactions_prefix(all, kept, out, err);
    mem_free(kept);
    return s;
}

/* ---- queries ---- */

recommend_query interactions_query(const interactions *x, uint32_t u, uint64_t n,
                                   int64_t at_us)
{
    const uint64_t from = x->first[u];
    recommend_query q = {
        .product = x->product + from,
        .time_us = x->time_us ? x->time_us + from : NULL,
        .quantity = x->quantity ? x->quantity + from : NULL,
        .rating = x->rating ? x->rating + from : NULL,
        .basket = x->basket ? x->basket + from : NULL,
        .n = (size_t)n,
        .at_us = at_us,
        .user = u,
    };
    if (x->story != NULL) q.story = story_before(x->story, u, n);
    return q;
}

recommend_query interactions_query_until(const interactions *x, uint32_t u, int64_t at_us)
{
    const uint64_t first = x->first[u];
    const uint64_t end = history_position(x->time_us, first, x->first[u + 1], at_us);
    recommend_query q = interactions_query(x, u, end - first, at_us);
    if (x->story != NULL) q.story = story_until(x->story, u, at_us);
    return q;
}

bool interactions_teach_order(const interactions *x)
{
    for (uint32_t u = 0; u < x->n_users && x->n_products > 1; u++)
        if (x->first[u + 1] - x->first[u] > 1) return true;
    return false;
}

/* ---- repeats ---- */

double interactions_repeat_share(const interactions *x)
{
    uint64_t repeats = 0;
    if (x->n == 0) return 0;
    uint32_t *seen = mem_alloc_zero(x->n_products, sizeof *seen);
    if (seen == NULL) return NAN;
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u]; i < x->first[u + 1]; i++) {
            repeats += seen[x->product[i]] == u + 1;
            seen[x->product[i]] = u + 1;
        }
    mem_free(seen);
    return (double)repeats / (double)x->n;
}
