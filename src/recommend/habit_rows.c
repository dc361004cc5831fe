/* Peers by cosine of tastes over the transposed matrix; then one row of logarithms. */
#include "recommend/habit_rows.h"

#include <math.h>
#include <string.h>

#include "measure/ranking.h"

/* In the order of habit_row(). */
const enum habit_reason habit_reason_of[HABIT_FEATURES] = {
    HABIT_BY_OWN,      HABIT_BY_OWN,     HABIT_BY_OWN,     HABIT_BY_OWN,
    HABIT_BY_OWN,      HABIT_BY_OWN,     HABIT_BY_OWN,     HABIT_BY_OWN,
    HABIT_BY_OWN,      HABIT_BY_OWN,     HABIT_BY_DUE,     HABIT_BY_DUE,
    HABIT_BY_DUE,      HABIT_BY_OWN,     HABIT_BY_OWN,     HABIT_BY_MANY,
    HABIT_BY_MANY,     HABIT_BY_MANY,    HABIT_BY_MANY,    HABIT_BY_MANY,
    HABIT_BY_PEERS,    HABIT_BY_RETURNS, HABIT_BY_RETURNS, HABIT_BY_CATEGORY,
    HABIT_BY_CATEGORY, HABIT_BY_SHOPPER, HABIT_BY_SHOPPER, HABIT_BY_SHOPPER,
    HABIT_BY_SHOPPER,
};

/* ---- memory ---- */

size_t habit_asker_floats(const habit_shop *s)
{
    return habit_past_floats(s->n_products) + 3 * (size_t)s->n_products +
           2 * (size_t)s->n_categories + s->n_users;
}

void habit_asker_over(habit_asker *a, float *memory, const habit_shop *s)
{
    memory = habit_past_over(&a->past, memory, s->n_products);
    a->peers = memory;
    a->rest = a->peers + s->n_products;
    a->candidate = (uint32_t *)(void *)(a->rest + s->n_products);
    a->category_30 = a->rest + 2 * (size_t)s->n_products;
    a->category_90 = a->category_30 + s->n_categories;
    a->similarity = a->category_90 + s->n_categories;
    a->n = 0;
}

/* ---- peers ---- */

/* The asker's taste is not scaled to length 1: that changes no order among peers, and
 * shares are divided by the sum of similarities. */
static void find_similarities(habit_asker *a, const habit_shop *s, uint32_t user)
{
    memset(a->similarity, 0, s->n_users * sizeof *a->similarity);
    for (uint32_t i = 0; i < a->past.n; i++) {
        uint32_t v = a->past.product[i];
        double rarity = log((double)s->buyers / ((double)s->buyers_ever[v] + 1));
        if (!(rarity > 0)) continue;
        float own = (float)(log1p((double)a->past.pair[i].decayed[HABIT_180]) * rarity);
        for (uint64_t k = s->takers.start[v]; k < s->takers.start[v + 1]; k++)
            a->similarity[s->takers.column[k]] += own * s->takers.value[k];
    }
    for (uint32_t u = 0; u < s->n_users; u++)
        if (!(a->similarity[u] > 0) || u == user) a->similarity[u] = -INFINITY;
}

static void find_peers(habit_asker *a, const habit_shop *s, uint32_t user)
{
    uint32_t nearest[HABIT_PEERS];
    double sum = 0;
    find_similarities(a, s, user);
    size_t n = ranking_top(a->similarity, s->n_users, HABIT_PEERS, nearest);
    for (size_t i = 0; i < n; i++)
        sum += (double)a->similarity[nearest[i]];
    memset(a->peers, 0, s->n_products * sizeof *a->peers);
    for (size_t i = 0; i < n; i++) {
        uint32_t u = nearest[i];
        float share = (float)((double)a->similarity[u] / sum);
        for (uint64_t k = s->lately.start[u]; k < s->lately.start[u + 1]; k++)
            a->peers[s->lately.column[k]] += share * s->lately.value[k];
    }
}

/* ---- candidates ---- */

uint64_t habit_most_candidates(uint64_t n)
{
    return n + HABIT_POPULAR + HABIT_OTHERS;
}

static void find_candidates(habit_asker *a, const habit_shop *s, bool repeats)
{
    uint32_t best[HABIT_OTHERS];
    a->n = 0;
    for (uint32_t v = 0; v < s->n_products; v++)
        a->rest[v] = a->peers[v] > 0 ? a->peers[v] : -INFINITY;
    for (uint32_t i = 0; i < a->past.n; i++) {
        a->rest[a->past.product[i]] = -INFINITY;
        if (repeats) a->candidate[a->n++] = a->past.product[i];
    }
    for (uint32_t i = 0; i < s->n_popular; i++) {
        a->rest[s->popular[i]] = -INFINITY;
        if (habit_past_pair(&a->past, s->popular[i]) == NULL)
            a->candidate[a->n++] = s->popular[i];
    }
    size_t n = ranking_top(a->rest, s->n_products, HABIT_OTHERS, best);
    for (size_t i = 0; i < n; i++)
        a->candidate[a->n++] = best[i];
}

static void sum_categories(habit_asker *a, const habit_shop *s)
{
    memset(a->category_30, 0, s->n_categories * sizeof *a->category_30);
    memset(a->category_90, 0, s->n_categories * sizeof *a->category_90);
    for (uint32_t i = 0; i < a->past.n; i++) {
        uint32_t c = s->category[a->past.product[i]];
        if (c == 0) continue;
        a->category_30[c] += a->past.pair[i].decayed[HABIT_30];
        a->category_90[c] += a->past.pair[i].decayed[HABIT_90];
    }
}

void habit_ask(habit_asker *a, const habit_shop *s, const recommend_query *query,
               bool repeats)
{
    habit_past_read(&a->past, query);
    find_peers(a, s, query->user);
    find_candidates(a, s, repeats);
    sum_categories(a, s);
}

/* ---- features ---- */

enum { NEVER_DAYS = 400 };

static float *put(float *x, double value)
{
    *x = (float)value;
    return x + 1;
}

/* How often and how lately the shopper bought it, and whether it is due: time since the
 * last trip against the usual interval, his own drawn towards the product's. */
static float *put_own(float *x, const habit_shop *s, uint32_t v, const habit_pair *pair)
{
    static const habit_pair never = {.last_days = NEVER_DAYS};
    static const int counts[] = {HABIT_7, HABIT_14, HABIT_30, HABIT_90, HABIT_180};
    static const int small[] = {HABIT_30, HABIT_90, HABIT_180};
    const habit_pair *p = pair ? pair : &never;
    double usual = ((double)p->log_gaps + 2 * (double)s->interval[v]) / (p->gaps + 2.0);
    double due = pair ? log((double)p->last_days + 3) - usual : 0;
    x = put(x, log1p((double)p->trips));
    for (int i = 0; i < 5; i++)
        x = put(x, log1p((double)p->decayed[counts[i]]));
    for (int i = 0; i < 3; i++)
        x = put(x, log((double)p->decayed[small[i]] + 0.02));
    x = put(x, log1p((double)p->last_days));
    x = put(x, due);
    x = put(x, due * due);
    x = put(x, fmax(due, 0));
    x = put(x, pair != NULL);
    return put(x, pair != NULL && pair->trips <= 1);
}

/* What other shoppers do with it. */
static float *put_others(float *x, const habit_shop *s, uint32_t v, float peers)
{
    double week = (double)s->buyers_7[v], month = (double)s->buyers_28[v];
    double quarter = (double)s->buyers_91[v];
    x = put(x, log1p(week));
    x = put(x, log1p(month));
    x = put(x, log1p(quarter));
    x = put(x, log((month + 1) / (quarter * 28 / 91 + 1)));
    x = put(x, log((week + 0.5) / (month / 4 + 0.5)));
    x = put(x, log((double)peers + 1e-3));
    x = put(x, log((double)s->repeat[v] + 1e-4));
    return put(x, log((double)s->category_repeat[s->category[v]] + 1e-4));
}

void habit_row(const habit_asker *a, const habit_shop *s, uint32_t v, float *x)
{
    uint32_t c = s->category[v];
    x = put_own(x, s, v, habit_past_pair(&a->past, v));
    x = put_others(x, s, v, a->peers[v]);
    x = put(x, log1p((double)a->category_30[c]));
    x = put(x, log1p((double)a->category_90[c]));
    x = put(x, log1p((double)a->past.baskets_30));
    x = put(x, log1p((double)a->past.baskets_91));
    x = put(x, log1p((double)a->past.trips_91));
    (void)put(x, log1p((double)a->past.n));
}
