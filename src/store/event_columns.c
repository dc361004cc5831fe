/*
 * Rows in and out of columns; see event_columns.h.
 */
#include "store/event_columns.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

/* Room for a full set of the largest texts of one kind. */
#define HEAP_BYTES ((size_t)COLUMNS_ROWS * LIMIT_ATTRIBUTES_BYTES)
_Static_assert(HEAP_BYTES <= UINT32_MAX, "ends of texts are 32 bit");

event_columns *columns_new(void)
{
    event_columns *c = mem_alloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->n = 0;
    for (int k = 0; k < EVENT_TEXTS; k++)
        buffer_init(&c->texts[k].bytes, HEAP_BYTES);
    return c;
}

void columns_free(event_columns *c)
{
    if (c == NULL) return;
    for (int k = 0; k < EVENT_TEXTS; k++)
        buffer_free(&c->texts[k].bytes);
    mem_free(c);
}

void columns_clear(event_columns *c)
{
    c->n = 0;
    for (int k = 0; k < EVENT_TEXTS; k++)
        buffer_clear(&c->texts[k].bytes);
}

/* Where the texts of row i begin. */
static uint32_t heap_start(const text_heap *h, uint32_t i)
{
    return i > 0 ? h->end[i - 1] : 0;
}

/* Cuts every heap back to the rows that are there, after a push that failed half-way. */
static void trim_heaps(event_columns *c)
{
    for (int k = 0; k < EVENT_TEXTS; k++) {
        text_heap *h = &c->texts[k];
        h->bytes.length = heap_start(h, c->n);
        h->bytes.failed = false;
    }
}

static pf_status push_texts(event_columns *c, const event_row *row, pf_error *err)
{
    for (int k = 0; k < EVENT_TEXTS; k++) {
        text_heap *h = &c->texts[k];
        if (row->texts[k].n > 0 &&
            !buffer_append(&h->bytes, row->texts[k].data, row->texts[k].n)) {
            trim_heaps(c);
            return error_set(err, PF_NO_MEMORY, "no memory for the texts of events");
        }
        h->end[c->n] = (uint32_t)h->bytes.length;
    }
    return PF_OK;
}

pf_status columns_push(event_columns *c, const event_row *row, pf_error *err)
{
    uint32_t i = c->n;
    assert(i < COLUMNS_ROWS);
    pf_status status = push_texts(c, row, err);
    if (status != PF_OK) return status;
    c->time_us[i] = row->time_us;
    c->paid_minor[i] = row->paid_minor;
    c->discount_minor[i] = row->discount_minor;
    c->coupon_minor[i] = row->coupon_minor;
    c->quantity[i] = row->quantity;
    c->product[i] = row->product;
    c->promotion[i] = row->promotion;
    c->campaign[i] = row->campaign;
    c->rating[i] = row->rating;
    c->propensity[i] = row->propensity;
    c->type[i] = row->type;
    c->channel[i] = row->channel;
    c->date_only[i] = row->date_only;
    c->n = i + 1;
    return PF_OK;
}

text columns_text(const event_columns *c, event_text kind, uint32_t i)
{
    const text_heap *h = &c->texts[kind];
    uint32_t start = heap_start(h, i);
    return (text){h->bytes.data + start, h->end[i] - start};
}

void columns_row(const event_columns *c, uint32_t i, event_row *out)
{
    assert(i < c->n);
    out->time_us = c->time_us[i];
    out->paid_minor = c->paid_minor[i];
    out->discount_minor = c->discount_minor[i];
    out->coupon_minor = c->coupon_minor[i];
    out->quantity = c->quantity[i];
    out->product = c->product[i];
    out->promotion = c->promotion[i];
    out->campaign = c->campaign[i];
    out->rating = c->rating[i];
    out->propensity = c->propensity[i];
    out->type = c->type[i];
    out->channel = c->channel[i];
    out->date_only = c->date_only[i];
    for (int k = 0; k < EVENT_TEXTS; k++)
        out->texts[k] = columns_text(c, (event_text)k, i);
}

#define MOVE(column) memmove(c->column, c->column + n, rest * sizeof c->column[0])

void columns_drop_front(event_columns *c, uint32_t n)
{
    assert(n <= c->n);
    size_t rest = c->n - n;
    if (n == 0) return;
    MOVE(time_us);
    MOVE(paid_minor);
    MOVE(discount_minor);
    MOVE(coupon_minor);
    MOVE(quantity);
    MOVE(product);
    MOVE(promotion);
    MOVE(campaign);
    MOVE(rating);
    MOVE(propensity);
    MOVE(type);
    MOVE(channel);
    MOVE(date_only);
    for (int k = 0; k < EVENT_TEXTS; k++) {
        text_heap *h = &c->texts[k];
        uint32_t start = heap_start(h, n);
        size_t left = h->bytes.length - start;
        memmove(h->bytes.data, h->bytes.data + start, left);
        h->bytes.length = left;
        for (size_t i = 0; i < rest; i++)
            h->end[i] = h->end[i + n] - start;
    }
    c->n = (uint32_t)rest;
}

size_t columns_text_bytes(const event_columns *c, uint32_t i)
{
    size_t bytes = 0;
    for (int k = 0; k < EVENT_TEXTS; k++)
        bytes += heap_start(&c->texts[k], i);
    return bytes;
}
