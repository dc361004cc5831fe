/* The lines of a moment are sorted by (order, place) and by (order, random number of order and
 * product); the k-th line of the one list takes the k-th place of the other. */
#include "recommend/basket_order.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

#define STREAM_LINES UINT64_C(0x1175)

typedef struct line {
    uint64_t order, key, row;
} line;

struct basket_order {
    const shop_history *h;
    uint64_t *row, *place; /* [most rows of a shopper] */
    line *lines;
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
        o->place = mem_alloc((size_t)most, sizeof *o->place);
        o->lines = mem_alloc((size_t)most, sizeof *o->lines);
    }
    if (o == NULL || !o->row || !o->place || !o->lines) {
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
    mem_free(o->place);
    mem_free(o->lines);
    mem_free(o);
}

static int rising(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
    const line *x = a, *y = b;
    return x->order != y->order ? rising(x->order, y->order) : rising(x->row, y->row);
}

static int by_key(const void *a, const void *b)
{
    const line *x = a, *y = b;
    if (x->order != y->order) return rising(x->order, y->order);
    return x->key != y->key ? rising(x->key, y->key) : rising(x->row, y->row);
}

static uint64_t key_of(const shop_history *h, uint64_t i)
{
    uint32_t word[4];
    random_block(h->order[i], STREAM_LINES, h->product[i], word);
    return (uint64_t)word[0] << 32 | word[1];
}

/* Puts the lines among rows first..end - 1, all of one moment, into their places; row[] begins
 * with the shopper's row `base`. */
static void shuffle_moment(basket_order *o, uint64_t base, uint64_t first, uint64_t end)
{
    const shop_history *h = o->h;
    size_t n = 0;
    for (uint64_t i = first; i < end; i++)
        if (h->type[i] == EVENT_PURCHASE && h->order[i] != 0)
            o->lines[n++] = (line){h->order[i], key_of(h, i), i};
    if (n < 2) return;
    qsort(o->lines, n, sizeof *o->lines, by_place);
    for (size_t i = 0; i < n; i++)
        o->place[i] = o->lines[i].row - base;
    qsort(o->lines, n, sizeof *o->lines, by_key);
    for (size_t i = 0; i < n; i++)
        o->row[o->place[i]] = o->lines[i].row;
}

uint64_t basket_order_read(basket_order *o, uint32_t shopper, int64_t until_us,
                           const uint64_t **row)
{
    const shop_history *h = o->h;
    const uint64_t base = h->first[shopper], end = history_before(h, shopper, until_us);
    for (uint64_t i = base, moment; i < end; i = moment) {
        for (moment = i; moment < end && h->time_us[moment] == h->time_us[i]; moment++)
            o->row[moment - base] = moment;
        shuffle_moment(o, base, i, moment);
    }
    *row = o->row;
    return end - base;
}
