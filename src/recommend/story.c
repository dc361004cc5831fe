/* Copies are counted first, allocated at once, and filled in the order of shoppers. */
#include "recommend/story.h"

#include <math.h>

#include "base/memory.h"
#include "recommend/basket_order.h"
#include "shop/record.h"

enum { BANDS_FROM_MINOR = 16 };

uint8_t story_price_band(int64_t paid_minor, float quantity)
{
    if (paid_minor == MONEY_ABSENT || paid_minor <= 0) return 0;
    double pieces = quantity > 0 ? (double)quantity : 1;
    double band = 1 + floor(log2((double)paid_minor / pieces / BANDS_FROM_MINOR));
    if (band < 1) return 1;
    return band < SEQUENCE_BANDS - 1 ? (uint8_t)band : SEQUENCE_BANDS - 1;
}

void story_free(story *s)
{
    if (s == NULL) return;
    mem_free(s->first);
    mem_free(s->thing);
    mem_free(s->kind);
    mem_free(s->band);
    mem_free(s->time_us);
    mem_free(s->taken);
    mem_free(s);
}

static story *story_new(uint32_t n_shoppers, uint64_t n)
{
    const size_t room = n ? (size_t)n : 1;
    story *s = mem_alloc_zero(1, sizeof *s);
    if (s == NULL) return NULL;
    s->first = mem_alloc_zero((size_t)n_shoppers + 1, sizeof *s->first);
    s->thing = mem_alloc(room, sizeof *s->thing);
    s->kind = mem_alloc(room, sizeof *s->kind);
    s->band = mem_alloc(room, sizeof *s->band);
    s->time_us = mem_alloc(room, sizeof *s->time_us);
    s->taken = mem_alloc(room, sizeof *s->taken);
    if (s->first && s->thing && s->kind && s->band && s->time_us && s->taken) {
        s->view = (sequence_events){.n_shoppers = n_shoppers,
                                    .n = n,
                                    .first = s->first,
                                    .thing = s->thing,
                                    .kind = s->kind,
                                    .band = s->band,
                                    .time_us = s->time_us,
                                    .taken = s->taken};
        return s;
    }
    story_free(s);
    return NULL;
}

static pf_status no_memory(uint64_t n, pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for %llu events",
                     (unsigned long long)n);
}

/* ---- from a history ---- */

static bool is_told(const shop_history *h, uint64_t i, const bool *excluded)
{
    if (h->type[i] == EVENT_NONE || h->type[i] == EVENT_UNSUBSCRIBE) return false;
    if (h->type[i] == EVENT_PURCHASE && h->product[i] == 0) return false;
    return excluded == NULL || h->product[i] == 0 || !excluded[h->product[i]];
}

static uint32_t count_promotions(const shop_history *h)
{
    uint32_t most = 0;
    for (uint64_t i = 0; i < h->n; i++)
        most = h->promotion[i] > most ? h->promotion[i] : most;
    return most;
}

/* Of what is about a promotion the promotion, of all else the product, if there is one. */
static uint32_t thing_of(const shop_history *h, uint64_t i, uint32_t n_products)
{
    const bool offers = h->type[i] == EVENT_EXPOSURE || h->type[i] == EVENT_CLICK ||
                        h->type[i] == EVENT_REDEMPTION || h->type[i] == EVENT_DISMISSAL;
    const bool has_promotion = h->promotion[i] != 0, has_product = h->product[i] != 0;
    if (has_promotion && (offers || !has_product)) return n_products + h->promotion[i] - 1;
    return has_product ? h->product[i] - 1 : SEQUENCE_NOTHING;
}

static void tell(story *s, uint64_t to, const shop_history *h, uint64_t i)
{
    s->thing[to] = thing_of(h, i, s->view.n_products);
    s->kind[to] = h->type[i];
    s->band[to] = story_price_band(h->paid_minor[i], h->quantity[i]);
    s->time_us[to] = h->time_us[i];
    s->taken[to] = h->type[i] == EVENT_PURCHASE;
}

/* What a walk over a shopper's rows tells: the events go to s (NULL: they are counted alone). */
typedef struct teller {
    const shop_history *h;
    const bool *excluded;
    int64_t until_us;
    basket_order *order;
    story *s;
    uint64_t to;
} teller;

/* Row i of a shopper, `last` the row told before it (UINT64_MAX: none): true when it is told. */
static bool tell_row(teller *t, uint64_t i, uint64_t last)
{
    const shop_history *h = t->h;
    if (!is_told(h, i, t->excluded)) return false;
    const bool along = last != UINT64_MAX && h->type[i] == EVENT_EXPOSURE &&
                       h->type[last] == EVENT_EXPOSURE && h->time_us[last] == h->time_us[i];
    if (along) {
        if (t->s != NULL) t->s->thing[t->to - 1] = SEQUENCE_NOTHING;
        return false;
    }
    if (t->s != NULL) tell(t->s, t->to, h, i);
    t->to++;
    return true;
}

static void tell_all(teller *t)
{
    for (uint32_t u = 1; u <= t->h->n_shoppers; u++) {
        const uint64_t *row, n = basket_order_read(t->order, u, t->until_us, &row);
        uint64_t last = UINT64_MAX;
        for (uint64_t at = 0; at < n; at++)
            if (tell_row(t, row[at], last)) last = row[at];
        if (t->s != NULL) t->s->first[u] = t->to;
    }
}

pf_status story_from_history(const shop_history *h, uint32_t n_products,
                             const bool *excluded, int64_t until_us, story **out,
                             pf_error *err)
{
    teller t = {.h = h, .excluded = excluded, .until_us = until_us};
    pf_status status = basket_order_new(h, &t.order, err);
    if (status != PF_OK) return status;
    tell_all(&t);
    t.s = story_new(h->n_shoppers, t.to);
    if (t.s == NULL) {
        status = no_memory(t.to, err);
    } else {
        t.s->view.n_products = n_products;
        t.s->view.n_promotions = count_promotions(h);
        t.to = 0;
        tell_all(&t);
        *out = t.s;
    }
    basket_order_free(t.order);
    return status;
}

/* ---- parts ---- */

/* Where shopper u takes a product for the (taken + 1)-th time, or anything happens at or after
 * the moment; the end of his events. */
static uint64_t end_of(const sequence_events *e, uint32_t u, uint64_t taken,
                       int64_t until_us)
{
    uint64_t i = e->first[u];
    for (; i < e->first[u + 1] && e->time_us[i] < until_us; i++)
        if (sequence_event_took(e, i) && taken-- == 0) break;
    return i;
}

static void copy_event(story *s, uint64_t to, const sequence_events *e, uint64_t from)
{
    s->thing[to] = e->thing[from];
    s->kind[to] = e->kind[from];
    s->band[to] = e->band[from];
    s->time_us[to] = e->time_us[from];
    s->taken[to] = e->taken[from];
}

pf_status story_cut(const sequence_events *e, const uint64_t *taken, int64_t until_us,
                    story **out, pf_error *err)
{
    uint64_t n = 0, to = 0;
    for (uint32_t u = 0; u < e->n_shoppers; u++)
        n += end_of(e, u, taken[u], until_us) - e->first[u];
    story *s = story_new(e->n_shoppers, n);
    if (s == NULL) return no_memory(n, err);
    s->view.n_products = e->n_products;
    s->view.n_promotions = e->n_promotions;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        const uint64_t end = end_of(e, u, taken[u], until_us);
        for (uint64_t i = e->first[u]; i < end; i++)
            copy_event(s, to++, e, i);
        s->first[u + 1] = to;
    }
    *out = s;
    return PF_OK;
}

static sequence_window window_of(const sequence_events *e, uint64_t first, uint64_t end)
{
    return (sequence_window){.n = (size_t)(end - first),
                             .thing = e->thing + first,
                             .kind = e->kind + first,
                             .band = e->band + first,
                             .time_us = e->time_us + first};
}

sequence_window story_before(const sequence_events *e, uint32_t u, uint64_t taken)
{
    return window_of(e, e->first[u], end_of(e, u, taken, INT64_MAX));
}

sequence_window story_until(const sequence_events *e, uint32_t u, int64_t at_us)
{
    const uint64_t first = e->first[u];
    return window_of(e, first, history_position(e->time_us, first, e->first[u + 1], at_us));
}
