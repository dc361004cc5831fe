#include "recommend/rhythm.h"

#include "check.h"

#include "base/clock.h"

typedef struct place {
    rhythm *r;
    uint64_t n;
    uint32_t user;
} place;

static void buy(place *p, uint32_t product, unsigned day)
{
    p->r->product[p->n] = product;
    p->r->time_us[p->n] = (int64_t)day * US_PER_DAY + 10 * US_PER_HOUR;
    p->r->basket[p->n++] = 1 + (uint64_t)p->user * 1000 + day;
}

static void one_day(place *p, unsigned day)
{
    uint32_t u = p->user;
    bool week = (day + u) % 7 == 0, month = (day + 3 * u) % 28 == 5;
    uint32_t kinds = RHYTHM_PRODUCTS - RHYTHM_ONCE;
    if (week) {
        buy(p, u % RHYTHM_WEEKLY, day);
        buy(p, RHYTHM_ONCE + (u * 7 + day / 7) % kinds, day);
        buy(p, u % RHYTHM_WEEKLY, day);
    }
    if (month) buy(p, RHYTHM_WEEKLY + u % RHYTHM_MONTHLY, day);
}

static void fill(rhythm *r, unsigned after)
{
    place p = {.r = r};
    for (p.user = 0; p.user < RHYTHM_USERS; p.user++) {
        for (unsigned day = 0; day < RHYTHM_DAYS; day++)
            one_day(&p, day);
        for (unsigned day = RHYTHM_DAYS; day < RHYTHM_DAYS + after; day++)
            buy(&p, (p.user + day) % RHYTHM_PRODUCTS, day);
        r->first[p.user + 1] = p.n;
    }
    r->x = (interactions){.n_users = RHYTHM_USERS,
                          .n_products = RHYTHM_PRODUCTS,
                          .n = p.n,
                          .first = r->first,
                          .product = r->product,
                          .time_us = r->time_us,
                          .basket = r->basket};
}

rhythm *rhythm_new(unsigned after)
{
    size_t room = (size_t)RHYTHM_USERS * (RHYTHM_DAYS + after);
    rhythm *r = mem_alloc_zero(1, sizeof *r);
    assert_non_null(r);
    r->product = mem_alloc(room, sizeof *r->product);
    r->time_us = mem_alloc(room, sizeof *r->time_us);
    r->basket = mem_alloc(room, sizeof *r->basket);
    assert_true(r->product && r->time_us && r->basket);
    fill(r, after);
    for (uint32_t v = 0; v < RHYTHM_PRODUCTS; v++)
        r->category[v] = v % RHYTHM_CATEGORIES;
    r->side = (product_side){.category = r->category, .n_categories = RHYTHM_CATEGORIES};
    r->input = (recommend_input){.train = &r->x,
                                 .side = &r->side,
                                 .until_us = RHYTHM_DAYS * US_PER_DAY,
                                 .repeats = true,
                                 .seed = 1};
    return r;
}

void rhythm_free(rhythm *r)
{
    mem_free(r->product);
    mem_free(r->time_us);
    mem_free(r->basket);
    mem_free(r);
}

recommend_query rhythm_query(const rhythm *r, uint32_t u)
{
    uint64_t from = r->first[u], to = from;
    while (to < r->first[u + 1] && r->time_us[to] < r->input.until_us)
        to++;
    return (recommend_query){.product = r->product + from,
                             .time_us = r->time_us + from,
                             .basket = r->basket + from,
                             .n = (size_t)(to - from),
                             .at_us = r->input.until_us,
                             .user = u};
}
