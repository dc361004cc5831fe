/* Events are counted first, allocated at once, and filled in the order of shoppers. */
#include "recommend/story.h"

#include <math.h>

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

static void tell(sequence_events_owned *s, uint64_t to, const shop_history *h, uint64_t i)
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
    sequence_events_owned *s;
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
                             const bool *excluded, int64_t until_us,
                             sequence_events_owned **out, pf_error *err)
{
    teller t = {.h = h, .excluded = excluded, .until_us = until_us};
    pf_status status = basket_order_new(h, &t.order, err);
    if (status != PF_OK) return status;
    tell_all(&t);
    t.s = sequence_events_new(h->n_shoppers, t.to, true);
    if (t.s == NULL) {
        status = error_set(err, PF_NO_MEMORY, "out of memory for %llu events",
                           (unsigned long long)t.to);
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
    return window_of(e, e->first[u], sequence_events_end(e, u, taken, INT64_MAX));
}

sequence_window story_until(const sequence_events *e, uint32_t u, int64_t at_us)
{
    const uint64_t first = e->first[u];
    return window_of(e, first, history_position(e->time_us, first, e->first[u + 1], at_us));
}
