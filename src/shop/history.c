/*
 * The columns of a history: one aligned block cut into columns, the search for a moment,
 * and the sorting of loose rows into a history.
 */
#include "shop/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

enum { COLUMN_ALIGN = 64, COLUMNS = 14 };

/* Bytes of a row in each column, in the order history_new() cuts them; the first is
 * `first`, which has a row a shopper and not a row an event. */
static const size_t column_bytes[COLUMNS] = {
    sizeof(uint64_t), /* first */
    sizeof(int64_t),  sizeof(uint8_t),
    sizeof(uint8_t), /* time, type, channel */
    sizeof(uint32_t), sizeof(uint32_t),
    sizeof(uint32_t), /* product, promotion, campaign */
    sizeof(uint64_t), /* order */
    sizeof(int64_t),  sizeof(int64_t),
    sizeof(int64_t), /* paid, discount, coupon */
    sizeof(float),    sizeof(float),
    sizeof(float), /* quantity, rating, propensity */
};

/* Where each column starts, and the size of all; false on overflow. */
static bool lay_out(size_t n, size_t n_first, size_t start[COLUMNS], size_t *total)
{
    size_t at = 0;
    for (int c = 0; c < COLUMNS; c++) {
        size_t bytes;
        start[c] = at;
        if (!size_multiply(c == 0 ? n_first : n, column_bytes[c], &bytes)) return false;
        if (!size_add(at, bytes, &at)) return false;
        if (!size_add(at, COLUMN_ALIGN - 1, &at)) return false;
        at &= ~(size_t)(COLUMN_ALIGN - 1);
    }
    *total = at;
    return true;
}

static void point_columns(shop_history *h, unsigned char *block, const size_t at[COLUMNS])
{
    h->first = (const uint64_t *)(void *)(block + at[0]);
    h->time_us = (const int64_t *)(void *)(block + at[1]);
    h->type = block + at[2];
    h->channel = block + at[3];
    h->product = (const uint32_t *)(void *)(block + at[4]);
    h->promotion = (const uint32_t *)(void *)(block + at[5]);
    h->campaign = (const uint32_t *)(void *)(block + at[6]);
    h->order = (const uint64_t *)(void *)(block + at[7]);
    h->paid_minor = (const int64_t *)(void *)(block + at[8]);
    h->discount_minor = (const int64_t *)(void *)(block + at[9]);
    h->coupon_minor = (const int64_t *)(void *)(block + at[10]);
    h->quantity = (const float *)(void *)(block + at[11]);
    h->rating = (const float *)(void *)(block + at[12]);
    h->propensity = (const float *)(void *)(block + at[13]);
}

pf_status history_new(shop_history **out, uint64_t n, uint32_t n_shoppers, pf_error *err)
{
    size_t start[COLUMNS], total = 0;
    size_t n_first = (size_t)n_shoppers + 2;
    *out = NULL;
    if (n > LIMIT_EVENTS || n_shoppers > LIMIT_SHOPPERS ||
        !lay_out((size_t)n, n_first, start, &total))
        return error_set(
            err, PF_LIMIT,
            "a history of %llu events and %u shoppers is beyond the limits of "
            "%llu and %u",
            (unsigned long long)n, (unsigned)n_shoppers, (unsigned long long)LIMIT_EVENTS,
            (unsigned)LIMIT_SHOPPERS);

    shop_history *h = mem_alloc_zero(1, sizeof *h);
    unsigned char *block = mem_alloc_aligned(total, 1);
    if (h == NULL || block == NULL) {
        mem_free(h);
        mem_free(block);
        return error_set(err, PF_NO_MEMORY, "no memory for a history of %llu events",
                         (unsigned long long)n);
    }
    /* Readable from the start: until somebody fills it, every shopper is empty. */
    memset(block, 0, n_first * sizeof(uint64_t));
    h->n = n;
    h->n_shoppers = n_shoppers;
    h->memory = block;
    point_columns(h, block, start);
    *out = h;
    return PF_OK;
}

void history_free(shop_history *h)
{
    if (h == NULL) return;
    mem_free(h->memory);
    mem_free(h);
}

uint64_t history_position(const int64_t *time_us, uint64_t first, uint64_t end,
                          int64_t at_us)
{
    while (first < end) {
        uint64_t middle = first + (end - first) / 2;
        if (time_us[middle] < at_us)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

uint64_t history_before(const shop_history *h, uint32_t shopper, int64_t at_us)
{
    assert(shopper <= h->n_shoppers);
    return history_position(h->time_us, h->first[shopper], h->first[shopper + 1], at_us);
}

/* --- loose rows -> history -------------------------------------------------------- */

typedef struct arrival {
    int64_t time_us;
    uint64_t row;
} arrival;

static int by_time_then_arrival(const void *a, const void *b)
{
    const arrival *x = a, *y = b;
    if (x->time_us != y->time_us) return x->time_us < y->time_us ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Counting sort: first[] becomes the offsets, and order[] the rows by shopper in order of
 * arrival. next[] is scratch of S + 1. */
static void spread_by_shopper(const history_row *rows, uint64_t n, uint32_t n_shoppers,
                              uint64_t *first, uint64_t *next, arrival *order)
{
    for (uint64_t i = 0; i < n; i++)
        first[rows[i].shopper + 1]++;
    for (uint32_t s = 0; s <= n_shoppers; s++) {
        next[s] = first[s];
        first[s + 1] += first[s];
    }
    for (uint64_t i = 0; i < n; i++)
        order[next[rows[i].shopper]++] = (arrival){rows[i].time_us, i};
}

static void put_row(shop_history *h, uint64_t i, const history_row *r)
{
    ((int64_t *)h->time_us)[i] = r->time_us;
    ((uint8_t *)h->type)[i] = r->type;
    ((uint8_t *)h->channel)[i] = r->channel;
    ((uint32_t *)h->product)[i] = r->product;
    ((uint32_t *)h->promotion)[i] = r->promotion;
    ((uint32_t *)h->campaign)[i] = r->campaign;
    ((uint64_t *)h->order)[i] = r->order;
    ((int64_t *)h->paid_minor)[i] = r->paid_minor;
    ((int64_t *)h->discount_minor)[i] = r->discount_minor;
    ((int64_t *)h->coupon_minor)[i] = r->coupon_minor;
    ((float *)h->quantity)[i] = r->quantity;
    ((float *)h->rating)[i] = r->rating;
    ((float *)h->propensity)[i] = r->propensity;
}

static void find_time_range(shop_history *h)
{
    for (uint64_t i = 0; i < h->n; i++) {
        if (i == 0 || h->time_us[i] < h->first_time_us) h->first_time_us = h->time_us[i];
        if (i == 0 || h->time_us[i] > h->last_time_us) h->last_time_us = h->time_us[i];
    }
}

pf_status history_from_rows(shop_history **out, const history_row *rows, uint64_t n,
                            uint32_t n_shoppers, pf_error *err)
{
    *out = NULL;
    for (uint64_t i = 0; i < n; i++)
        if (rows[i].shopper > n_shoppers)
            return error_set(err, PF_DATA, "row %llu names shopper %u, the last is %u",
                             (unsigned long long)i, (unsigned)rows[i].shopper,
                             (unsigned)n_shoppers);

    shop_history *h = NULL;
    pf_status status = history_new(&h, n, n_shoppers, err);
    if (status != PF_OK) return status;

    uint64_t *next = mem_alloc((size_t)n_shoppers + 1, sizeof *next);
    arrival *order = n > 0 ? mem_alloc((size_t)n, sizeof *order) : NULL;
    if (next == NULL || (n > 0 && order == NULL)) {
        status = error_set(err, PF_NO_MEMORY, "no memory to sort %llu events",
                           (unsigned long long)n);
        goto done;
    }
    uint64_t *first = (uint64_t *)h->first;
    spread_by_shopper(rows, n, n_shoppers, first, next, order);
    for (uint32_t s = 0; s <= n_shoppers; s++)
        if (first[s + 1] - first[s] > 1)
            qsort(order + first[s], (size_t)(first[s + 1] - first[s]), sizeof *order,
                  by_time_then_arrival);
    for (uint64_t i = 0; i < n; i++)
        put_row(h, i, &rows[order[i].row]);
    find_time_range(h);
    *out = h;
    h = NULL;
done:
    mem_free(next);
    mem_free(order);
    history_free(h);
    return status;
}
