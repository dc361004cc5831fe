/* Purchases of a moment are sorted by when their order stands first and a random number. */
#include "recommend/basket_order.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

#define STREAM_LINES UINT64_C(0x1175)

typedef struct line {
    uint64_t order, key, row;
    uint64_t first; /* row of the order, among the moment's */
} line;

struct basket_order {
    const shop_history *h;
    uint64_t *row; /* [most rows of a shopper] */
    line *lines;   /* likewise */
};

pf_status basket_order_new(const shop_history *h, basket_order **out, pf_error *err)
{
    uint64_t most = 1;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        const uint64_t n = h->first[s + 1] - h->first[s];
        most = n > most ? n : most;
    }
    basket_order *o = mem_alloc_zero(1, sizeof *o);
    if (o != NULL) {
        o->h = h;
        o->row = mem_alloc((size_t)most, sizeof *o->row);
        o->lines = mem_alloc((size_t)most, sizeof *o->lines);
    }
    if (o == NULL || !o->row || !o->lines) {
        basket_order_free(o);
        return error_set(err, PF_NO_MEMORY, "out of memory for a shopper's %llu events",
                         (unsigned long long)most);
    }
    *out = o;
    return PF_OK;
}

void basket_order_free(basket_order *o)
{
    if (o == NULL) return;
    mem_free(o->row);
    mem_free(o->lines);
    mem_free(o);
}

static int rising(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_order(const void *a, const void *b)
{
    const line *x = a, *y = b;
    return x->order != y->order ? rising(x->order, y->order) : rising(x->row, y->row);
}

static int by_key(const void *a, const void *b)
{
    const line *x = a, *y = b;
    if (x->first != y->first) return rising(x->first, y->first);
    return x->key != y->key ? rising(x->key, y->key) : rising(x->row, y->row);
}

/* By the moment and by which of its orders it is (`place`), not by the order's number, which is
 * another one in every store: the same data have the same order wherever they are imported. */
static uint64_t key_of(const shop_history *h, uint64_t i, uint64_t place)
{
    uint32_t word[4];
    random_block((uint64_t)h->time_us[i], STREAM_LINES, place << 32 | h->product[i], word);
    return (uint64_t)word[0] << 32 | word[1];
}

/* Puts rows first..end - 1, all of one moment, to `to`. */
static void read_moment(basket_order *o, uint64_t first, uint64_t end, uint64_t *to)
{
    const shop_history *h = o->h;
    size_t n = 0;
    for (uint64_t i = first; i < end; i++)
        if (h->type[i] == EVENT_PURCHASE)
            o->lines[n++] = (line){.order = h->order[i], .row = i};
    qsort(o->lines, n, sizeof *o->lines, by_order);
    for (size_t i = 0; i < n; i++) {
        const bool same = i > 0 && o->lines[i].order == o->lines[i - 1].order;
        o->lines[i].first = same ? o->lines[i - 1].first : o->lines[i].row;
        o->lines[i].key = key_of(h, o->lines[i].row, o->lines[i].first - first);
    }
    qsort(o->lines, n, sizeof *o->lines, by_key);
    for (size_t i = 0; i < n; i++)
        *to++ = o->lines[i].row;
    for (uint64_t i = first; i < end; i++)
        if (h->type[i] != EVENT_PURCHASE) *to++ = i;
}

uint64_t basket_order_read(basket_order *o, uint32_t shopper, int64_t until_us,
                           const uint64_t **row)
{
    const shop_history *h = o->h;
    const uint64_t base = h->first[shopper], end = history_before(h, shopper, until_us);
    for (uint64_t i = base, behind; i < end; i = behind) {
        behind = i + 1;
        while (behind < end && h->time_us[behind] == h->time_us[i])
            behind++;
        read_moment(o, i, behind, o->row + (i - base));
    }
    *row = o->row;
    return end - base;
}
