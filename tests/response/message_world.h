/*
 * Rows of a made-up history, for tests of what shoppers do with messages. Include behind check.h.
 */
#ifndef PROFFER_TESTS_MESSAGE_WORLD_H
#define PROFFER_TESTS_MESSAGE_WORLD_H

#include <math.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/random.h"
#include "shop/history.h"

typedef struct message_world {
    history_row *row;
    size_t n, capacity;
    random_stream r;
} message_world;

/* 2025-01-06, a Monday, 00:00 UTC. */
#define WORLD_MONDAY_US (INT64_C(1736121600) * US_PER_SECOND)

static inline history_row *world_add(message_world *w, uint32_t who, event_type type,
                                     channel by, int64_t at_us)
{
    if (w->n == w->capacity) {
        w->capacity = w->capacity ? 2 * w->capacity : 1024;
        w->row = realloc(w->row, w->capacity * sizeof *w->row);
        assert_non_null(w->row);
    }
    history_row *r = &w->row[w->n++];
    *r = (history_row){.shopper = who, .type = (uint8_t)type, .channel = (uint8_t)by,
                       .time_us = at_us, .paid_minor = INT64_MIN, .discount_minor = INT64_MIN,
                       .coupon_minor = INT64_MIN, .quantity = 1, .rating = NAN,
                       .propensity = NAN};
    return r;
}

/* A moment of day `day` at `hour` o'clock UTC and a drawn minute, never a whole one. */
static inline int64_t world_at(message_world *w, int day, int hour)
{
    return WORLD_MONDAY_US + day * US_PER_DAY + hour * US_PER_HOUR +
           (int64_t)random_below(&w->r, 60) * US_PER_MINUTE + 7 * US_PER_SECOND;
}

static inline shop_history *world_history(const message_world *w, uint32_t n_shoppers)
{
    shop_history *h = NULL;
    assert_int_equal(history_from_rows(&h, w->row, w->n, n_shoppers, NULL), PF_OK);
    return h;
}

static inline void world_free(message_world *w)
{
    free(w->row);
    *w = (message_world){0};
}

#endif
