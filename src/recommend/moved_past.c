/* Parts are found from the newest row to the oldest, then rows given to them; copies keep their
 * order. */
#include "recommend/moved_past.h"

#include "base/memory.h"
#include "shop/vocabulary.h"

#define NONE UINT32_MAX

void moved_past_free(moved_past *p)
{
    mem_free(p->of);
    mem_free(p->taken);
    mem_free(p->visit);
    *p = (moved_past){.n = 0};
}

/* ---- rows ---- */

static uint32_t thing_of(const moved_past *p, size_t row)
{
    return p->told ? p->query->story.thing[row] : p->query->product[row];
}

static uint8_t kind_of(const moved_past *p, size_t row)
{
    return p->told ? p->query->story.kind[row] : (uint8_t)EVENT_PURCHASE;
}

static int64_t time_of(const moved_past *p, size_t row)
{
    const int64_t *time_us = p->told ? p->query->story.time_us : p->query->time_us;
    return time_us ? time_us[row] : 0;
}

static bool has_times(const moved_past *p)
{
    return (p->told ? p->query->story.time_us : p->query->time_us) != NULL;
}

/* Which purchase each row is; the story and the purchases must tell the same ones. */
static pf_status match_purchases(moved_past *p, pf_error *err)
{
    const recommend_query *q = p->query;
    size_t purchases = 0;
    bool same = !p->told || q->story.kind != NULL;
    for (size_t row = 0; same && row < p->n; row++) {
        p->taken[row] = NONE;
        if (kind_of(p, row) != EVENT_PURCHASE) continue;
        same = purchases < q->n && thing_of(p, row) == q->product[purchases];
        p->taken[row] = (uint32_t)purchases++;
    }
    if (same && purchases == q->n) return PF_OK;
    return error_set(err, PF_USAGE,
                     "the story of a shopper's past does not tell the purchases beside it");
}

/* ---- trips ---- */

/* Whether two purchases were one shopping trip. */
static bool same_trip(const moved_past *p, size_t a, size_t b)
{
    const uint64_t *basket = p->query->basket;
    const uint64_t x = basket ? basket[p->taken[a]] : 0, y = basket ? basket[p->taken[b]] : 0;
    if (x != 0 || y != 0) return x == y;
    return has_times(p) && time_of(p, a) == time_of(p, b);
}

/* A purchase is its own trip; a redemption is of the purchases of its moment, which stand before
 * it (story.h). */
static void find_visits(moved_past *p)
{
    uint32_t latest = NONE;
    for (size_t row = 0; row < p->n; row++) {
        const bool bought = p->taken[row] != NONE;
        const bool then = latest != NONE && has_times(p) && time_of(p, latest) == time_of(p, row);
        if (bought) latest = (uint32_t)row;
        const bool redeemed = then && kind_of(p, row) == EVENT_REDEMPTION;
        p->visit[row] = bought || redeemed ? latest : NONE;
    }
}

/* ---- parts ---- */

static bool belongs(const moved_past *p, const moved_part *part, size_t row,
                    moved_together together)
{
    if (together == MOVED_THINGS)
        return part->thing == thing_of(p, row) && part->kind == kind_of(p, row);
    if (part->visit == NONE || p->visit[row] == NONE) return part->newest == row;
    return same_trip(p, part->visit, p->visit[row]);
}

static size_t find_part(const moved_past *p, size_t row, moved_together together)
{
    size_t at = 0;
    while (at < p->n_parts && !belongs(p, &p->part[at], row, together))
        at++;
    return at;
}

/* A part that a row is told to be of; without rows as yet. */
static moved_part part_of(const moved_past *p, size_t row, moved_together together)
{
    return (moved_part){.visit = together == MOVED_TRIPS ? p->visit[row] : NONE,
                        .newest = (uint32_t)row,
                        .thing = thing_of(p, row),
                        .kind = kind_of(p, row)};
}

/* Its newest row says when it was, and what; of a trip that is its newest purchase. */
static void name_part(const moved_past *p, moved_part *part, size_t row)
{
    const size_t named = part->visit != NONE ? p->visit[row] : row;
    part->newest = (uint32_t)row;
    part->thing = thing_of(p, named);
    part->kind = kind_of(p, named);
    part->time_us = time_of(p, row);
}

/* Parts of the rows about what is wanted, or of all rows, as long as there is room. */
static void find_parts(moved_past *p, const uint8_t *role, size_t n_products,
                       moved_together together, size_t most)
{
    for (size_t row = p->n; row-- > 0 && p->n_parts < most;) {
        const uint32_t thing = thing_of(p, row);
        if (role != NULL && (thing >= n_products || role[thing] != MOVED_WANTED)) continue;
        if (find_part(p, row, together) == p->n_parts)
            p->part[p->n_parts++] = part_of(p, row, together);
    }
}

static void give_rows(moved_past *p, moved_together together)
{
    for (size_t row = p->n; row-- > 0;) {
        const size_t at = find_part(p, row, together);
        p->of[row] = at < p->n_parts ? (uint32_t)at : NONE;
        if (at == p->n_parts) continue;
        if (p->part[at].rows++ == 0) name_part(p, &p->part[at], row);
    }
}

pf_status moved_past_new(moved_past *p, const recommend_query *query, const uint8_t *role,
                         size_t n_products, moved_together together, size_t most, pf_error *err)
{
    const bool told = query->story.n > 0;
    const size_t n = told ? query->story.n : query->n;
    *p = (moved_past){.query = query, .told = told, .n = n};
    if (n >= NONE)
        return error_set(err, PF_LIMIT, "%zu events of one shopper are too many", n);
    p->of = mem_alloc(n + 1, sizeof *p->of);
    p->taken = mem_alloc(n + 1, sizeof *p->taken);
    p->visit = mem_alloc(n + 1, sizeof *p->visit);
    pf_status s = p->of && p->taken && p->visit
                      ? match_purchases(p, err)
                      : error_set(err, PF_NO_MEMORY, "out of memory for %zu events", n);
    if (s != PF_OK) {
        moved_past_free(p);
        return s;
    }
    find_visits(p);
    find_parts(p, role, n_products, together, most);
    find_parts(p, NULL, n_products, together, most);
    give_rows(p, together);
    return PF_OK;
}

/* ---- copies ---- */

void moved_copy_free(moved_copy *c)
{
    mem_free(c->product);
    mem_free(c->thing);
    mem_free(c->time_us);
    mem_free(c->told_us);
    mem_free(c->quantity);
    mem_free(c->rating);
    mem_free(c->basket);
    mem_free(c->kind);
    mem_free(c->band);
    *c = (moved_copy){.product = NULL};
}

/* Room for each column that is there. */
static bool take_room(moved_copy *c, const recommend_query *q)
{
    const sequence_window *story = &q->story;
    const size_t n = q->n + 1, told = story->n + 1;
    bool ok = (c->product = mem_alloc(n, sizeof *c->product)) != NULL;
    if (q->time_us) ok &= (c->time_us = mem_alloc(n, sizeof *c->time_us)) != NULL;
    if (q->quantity) ok &= (c->quantity = mem_alloc(n, sizeof *c->quantity)) != NULL;
    if (q->rating) ok &= (c->rating = mem_alloc(n, sizeof *c->rating)) != NULL;
    if (q->basket) ok &= (c->basket = mem_alloc(n, sizeof *c->basket)) != NULL;
    if (story->n == 0) return ok;
    ok &= (c->thing = mem_alloc(told, sizeof *c->thing)) != NULL;
    ok &= (c->kind = mem_alloc(told, sizeof *c->kind)) != NULL;
    if (story->band) ok &= (c->band = mem_alloc(told, sizeof *c->band)) != NULL;
    if (story->time_us) ok &= (c->told_us = mem_alloc(told, sizeof *c->told_us)) != NULL;
    return ok;
}

pf_status moved_copy_new(moved_copy *c, const moved_past *p, pf_error *err)
{
    *c = (moved_copy){.query = *p->query};
    if (!take_room(c, p->query)) {
        moved_copy_free(c);
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu events", p->n);
    }
    c->query.product = c->product;
    c->query.time_us = c->time_us;
    c->query.quantity = c->quantity;
    c->query.rating = c->rating;
    c->query.basket = c->basket;
    c->query.story = (sequence_window){
        .thing = c->thing, .kind = c->kind, .band = c->band, .time_us = c->told_us};
    return PF_OK;
}

static void copy_purchase(moved_copy *c, const recommend_query *q, size_t from)
{
    const size_t to = c->query.n++;
    c->product[to] = q->product[from];
    if (c->time_us) c->time_us[to] = q->time_us[from];
    if (c->quantity) c->quantity[to] = q->quantity[from];
    if (c->rating) c->rating[to] = q->rating[from];
    if (c->basket) c->basket[to] = q->basket[from];
}

static void copy_told(moved_copy *c, const sequence_window *story, size_t from)
{
    const size_t to = c->query.story.n++;
    c->thing[to] = story->thing[from];
    c->kind[to] = story->kind[from];
    if (c->band) c->band[to] = story->band[from];
    if (c->told_us) c->told_us[to] = story->time_us[from];
}

void moved_copy_without(moved_copy *c, const moved_past *p, uint32_t part)
{
    c->query.n = c->query.story.n = 0;
    for (size_t row = 0; row < p->n; row++) {
        if (p->of[row] == part) continue;
        if (p->taken[row] != NONE) copy_purchase(c, p->query, p->taken[row]);
        if (p->told) copy_told(c, &p->query->story, row);
    }
}
