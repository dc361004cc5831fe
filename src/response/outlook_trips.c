/* One pass over each shopper's rows; rows of one moment are gathered before they are laid out. */
#include "response/outlook_trips.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

/* The seed of the order within a trip: fixed, since trips are data and not a model. */
enum { ORDER_SEED = 20, NO_TRIP = 0 };

static void add(sequence_events_owned *t, int64_t time_us, uint32_t thing, uint8_t kind,
                bool taken)
{
    const uint64_t to = t->view.n++;
    t->time_us[to] = time_us;
    t->thing[to] = thing;
    t->kind[to] = kind;
    t->taken[to] = taken;
}

/* --- one moment of one shopper ---------------------------------------------------- */

typedef struct line {
    uint64_t place; /* drawn */
    uint32_t family;
    uint8_t kind;
} line;

/* Rows of one moment under construction. */
typedef struct moment {
    line *line;
    size_t n, capacity;
    uint64_t order; /* of the trip laid out last, or NO_TRIP */
    uint64_t *seen; /* [things] number of the moment that bought it last */
    uint64_t number;
} moment;

static int by_place(const void *a, const void *b)
{
    const line *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return 0;
}

/* By shopper and place within the shopper's rows: nobody else's rows, nothing later. */
static uint64_t draw_place(uint32_t who, uint64_t row)
{
    uint32_t drawn[4];
    random_block(ORDER_SEED, who, row, drawn);
    return (uint64_t)drawn[0] << 32 | drawn[1];
}

static bool gather(moment *m, const shop_history *h, uint32_t family, uint32_t who,
                   uint64_t i)
{
    void *block = m->line;
    bool ok = mem_reserve(&block, &m->capacity, m->n + 1, sizeof *m->line);
    m->line = block;
    if (ok)
        m->line[m->n++] =
            (line){.place = draw_place(who, i - h->first[who]),
                   .family = family,
                   .kind = h->coupon_minor[i] > 0 ? TRIP_COUPON_LINE : TRIP_LINE};
    return ok;
}

/* Lines that go on with the order of the moment before begin no other trip. */
static void lay_out(moment *m, sequence_events_owned *t, int64_t time_us, uint64_t order)
{
    if (m->n == 0) return;
    m->number++;
    qsort(m->line, m->n, sizeof *m->line, by_place);
    if (order == NO_TRIP || order != m->order)
        add(t, time_us, SEQUENCE_NOTHING, TRIP_BEGINS, false);
    for (size_t k = 0; k < m->n; k++) {
        if (m->seen[m->line[k].family] == m->number) continue;
        m->seen[m->line[k].family] = m->number;
        add(t, time_us, m->line[k].family, m->line[k].kind, true);
    }
    m->order = order;
    m->n = 0;
}

/* Rows from..to-1 of one moment: what was bought, then what was shown, then what was used. */
static bool read_moment(moment *m, sequence_events_owned *t, const shop_history *h,
                        const product_tree *tree, uint32_t who, uint64_t from, uint64_t to)
{
    uint64_t order = NO_TRIP;
    bool shown = false;
    for (uint64_t i = from; i < to; i++) {
        shown = shown || h->type[i] == EVENT_EXPOSURE;
        if (h->type[i] != EVENT_PURCHASE || h->product[i] == 0) continue;
        order = h->order[i];
        if (!gather(m, h, tree->node[LEVEL_FAMILY][h->product[i]], who, i)) return false;
    }
    lay_out(m, t, h->time_us[from], order);
    if (shown) add(t, h->time_us[from], SEQUENCE_NOTHING, TRIP_SHOWN, false);
    for (uint64_t i = from; i < to; i++)
        if (h->type[i] == EVENT_REDEMPTION)
            add(t, h->time_us[i], trips_used(&t->view), TRIP_USED, true);
    return true;
}

/* --- all shoppers ----------------------------------------------------------------- */

static bool read_shopper(moment *m, sequence_events_owned *t, const shop_history *h,
                         const product_tree *tree, uint32_t who)
{
    uint64_t end = h->first[who + 1], to;
    m->order = NO_TRIP;
    for (uint64_t from = h->first[who]; from < end; from = to) {
        for (to = from + 1; to < end && h->time_us[to] == h->time_us[from];)
            to++;
        if (!read_moment(m, t, h, tree, who, from, to)) return false;
    }
    return true;
}

static pf_status no_memory(const shop_history *h, pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for the trips of %u shoppers",
                     h->n_shoppers);
}

pf_status trips_new(sequence_events_owned **out, const shop_history *h,
                    const product_tree *tree, pf_error *err)
{
    const uint32_t n_shoppers = h->n_shoppers + 1;
    /* A row gives at most itself and the beginning of a trip, a moment one promotion shown. */
    sequence_events_owned *t = sequence_events_new(n_shoppers, 2 * h->n, false);
    if (t == NULL) return no_memory(h, err);
    t->view.n = 0;
    t->view.n_products = tree->nodes[LEVEL_FAMILY] + 1;
    moment m = {.seen = mem_alloc_zero(t->view.n_products, sizeof *m.seen)};
    bool ok = m.seen != NULL;
    for (uint32_t u = 1; ok && u <= h->n_shoppers; u++) {
        t->first[u] = t->view.n;
        ok = read_shopper(&m, t, h, tree, u);
    }
    t->first[n_shoppers] = t->view.n;
    mem_free(m.line);
    mem_free(m.seen);
    if (ok) {
        *out = t;
        return PF_OK;
    }
    sequence_events_free(t);
    return no_memory(h, err);
}

uint64_t trips_before(const sequence_events *t, uint32_t who, int64_t at_us)
{
    return history_position(t->time_us, t->first[who], t->first[who + 1], at_us);
}
