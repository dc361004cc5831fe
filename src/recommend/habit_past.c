/* One pass over the events; a product's numbers stand in the place its first event got. */
#include "recommend/habit_past.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

static const double half_life_days[HABIT_HALF_LIVES] = {7, 14, 30, 60, 90, 180};

enum { PAIR_FLOATS = sizeof(habit_pair) / sizeof(float) };
_Static_assert(sizeof(habit_pair) == PAIR_FLOATS * sizeof(float), "pairs lie in floats");

size_t habit_past_floats(uint32_t n_products)
{
    return (size_t)n_products * (2 + PAIR_FLOATS);
}

float *habit_past_over(habit_past *p, float *memory, uint32_t n_products)
{
    size_t V = n_products;
    *p = (habit_past){.n_products = n_products,
                      .place = (uint32_t *)(void *)memory,
                      .product = (uint32_t *)(void *)(memory + V),
                      .pair = (habit_pair *)(void *)(memory + 2 * V)};
    return memory + habit_past_floats(n_products);
}

const habit_pair *habit_past_pair(const habit_past *p, uint32_t product)
{
    return p->place[product] ? &p->pair[p->place[product] - 1] : NULL;
}

static double age_days(const recommend_query *q, size_t i)
{
    if (q->time_us == NULL) return 0;
    return fmax((double)(q->at_us - q->time_us[i]) / (double)US_PER_DAY, 0);
}

static bool same_basket(const recommend_query *q, size_t a, size_t b)
{
    return q->basket != NULL && q->basket[a] != 0 && q->basket[a] == q->basket[b];
}

/* The shopper stood in the shop once for events of one basket or, where there are no
 * baskets, of one instant. */
static bool same_visit(const recommend_query *q, size_t a, size_t b)
{
    if (q->basket != NULL && (q->basket[a] != 0 || q->basket[b] != 0))
        return q->basket[a] == q->basket[b];
    return q->time_us != NULL && q->time_us[a] == q->time_us[b];
}

static habit_pair *pair_of(habit_past *p, uint32_t product, bool *fresh)
{
    *fresh = p->place[product] == 0;
    if (*fresh) {
        p->product[p->n] = product;
        p->pair[p->n] = (habit_pair){.trips = 0};
        p->place[product] = ++p->n;
    }
    return &p->pair[p->place[product] - 1];
}

static void add_trip(habit_pair *pair, const recommend_query *q, size_t i, bool fresh)
{
    double age = age_days(q, i);
    if (fresh) {
        pair->oldest_days = (float)age;
    } else if (age_days(q, pair->event) > age) {
        pair->log_gaps += (float)log(fmax(age_days(q, pair->event) - age, 1));
        pair->gaps++;
    }
    pair->trips += 1;
    pair->last_days = (float)age;
    pair->event = (uint32_t)i;
    for (int h = 0; h < HABIT_HALF_LIVES; h++)
        pair->decayed[h] += (float)exp2(-age / half_life_days[h]);
}

void habit_past_read(habit_past *p, const recommend_query *q)
{
    memset(p->place, 0, p->n_products * sizeof *p->place);
    p->n = p->baskets_30 = p->baskets_91 = p->trips_91 = 0;
    for (size_t i = 0; i < q->n; i++) {
        bool fresh;
        double age = age_days(q, i);
        habit_pair *pair = pair_of(p, q->product[i], &fresh);
        if (i == 0 || !same_visit(q, i - 1, i)) {
            p->baskets_30 += age < 30;
            p->baskets_91 += age < 91;
        }
        if (!fresh && same_basket(q, pair->event, i)) continue;
        add_trip(pair, q, i, fresh);
        p->trips_91 += age < 91;
    }
}
