/*
 * Two passes over all shoppers: the first counts buyers, gaps and returns, the second, once
 * it is known how rare each product is, writes the tastes.
 *
 * Rates of products are drawn towards those of their category, and these towards the
 * shop's, by pseudo-counts: a product few have bought behaves like its kind (the posterior
 * mean of a beta-binomial; Gelman et al., "Bayesian data analysis", section 5.1).
 */
#include "recommend/habit_shop.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "measure/ranking.h"
#include "recommend/interactions.h"

enum {
    CATEGORY_PAIRS = 20, /* pseudo-counts: returns of a category, of a product */
    PRODUCT_PAIRS = 5,
    CATEGORY_GAPS = 10, /* and gaps */
    PRODUCT_GAPS = 5
};

/* ---- memory ---- */

void habit_shop_free(habit_shop *s)
{
    mem_free(s->category);
    mem_free(s->columns);
    mem_free(s->category_repeat);
    sparse_free(&s->taste);
    sparse_free(&s->takers);
    sparse_free(&s->lately);
    *s = (habit_shop){.n_products = 0};
}

bool habit_shop_columns(habit_shop *s)
{
    size_t V = s->n_products;
    s->columns = mem_alloc_zero(HABIT_COLUMNS * V, sizeof *s->columns);
    if (s->columns == NULL) return false;
    s->buyers_7 = s->columns;
    s->buyers_28 = s->columns + V;
    s->buyers_91 = s->columns + 2 * V;
    s->buyers_ever = s->columns + 3 * V;
    s->interval = s->columns + 4 * V;
    s->repeat = s->columns + 5 * V;
    return true;
}

static pf_status allocate(habit_shop *s, uint32_t n_products, uint32_t n_users,
                          uint32_t n_categories, pf_error *err)
{
    *s = (habit_shop){
        .n_products = n_products, .n_users = n_users, .n_categories = n_categories};
    s->category = mem_alloc_zero(n_products, sizeof *s->category);
    s->category_repeat = mem_alloc_zero(n_categories, sizeof *s->category_repeat);
    if (s->category == NULL || s->category_repeat == NULL || !habit_shop_columns(s))
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", n_products);
    return PF_OK;
}

/* ---- the first pass ---- */

/* Sums that become rates: of products, of categories, of the shop. */
typedef struct sums {
    double *product, *category; /* [V x 4], [C x 4] */
    double shop[4];
} sums;
enum { GAP_SUM, GAPS, RETURNS, PAIRS };

static void add_sums(sums *k, uint32_t v, uint32_t category, const habit_pair *pair)
{
    bool old = pair->oldest_days >= HABIT_WINDOW_DAYS;
    const double add[4] = {(double)pair->log_gaps, pair->gaps,
                           old && pair->last_days < HABIT_WINDOW_DAYS, old};
    for (int i = 0; i < 4; i++) {
        k->product[4 * (size_t)v + (size_t)i] += add[i];
        k->category[4 * (size_t)category + (size_t)i] += add[i];
        k->shop[i] += add[i];
    }
}

static void count_shopper(habit_shop *s, sums *k, sparse_counter *taste,
                          sparse_counter *lately, const habit_past *p, uint32_t u)
{
    s->buyers += p->n > 0;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t v = p->product[i];
        const habit_pair *pair = &p->pair[i];
        s->buyers_7[v] += pair->last_days < 7;
        s->buyers_28[v] += pair->last_days < 28;
        s->buyers_91[v] += pair->last_days < 91;
        s->buyers_ever[v] += 1;
        add_sums(k, v, s->category[v], pair);
        sparse_count(taste, u);
        sparse_count(lately, u);
    }
}

/* (sum + weight * prior) / (number + weight). */
static double drawn(double sum, double number, double prior, double weight)
{
    return (sum + weight * prior) / (number + weight);
}

static void set_rates(habit_shop *s, const sums *k)
{
    double gap = k->shop[GAPS] > 0 ? k->shop[GAP_SUM] / k->shop[GAPS]
                                   : log((double)HABIT_WINDOW_DAYS);
    double back = k->shop[PAIRS] > 0 ? k->shop[RETURNS] / k->shop[PAIRS] : 0;
    for (uint32_t c = 0; c < s->n_categories; c++) {
        const double *of = k->category + 4 * (size_t)c;
        s->category_repeat[c] =
            (float)drawn(of[RETURNS], of[PAIRS], back, CATEGORY_PAIRS);
    }
    for (uint32_t v = 0; v < s->n_products; v++) {
        const double *of = k->product + 4 * (size_t)v;
        const double *kind = k->category + 4 * (size_t)s->category[v];
        double kind_gap = drawn(kind[GAP_SUM], kind[GAPS], gap, CATEGORY_GAPS);
        double kind_back = drawn(kind[RETURNS], kind[PAIRS], back, CATEGORY_PAIRS);
        s->interval[v] = (float)drawn(of[GAP_SUM], of[GAPS], kind_gap, PRODUCT_GAPS);
        s->repeat[v] = (float)drawn(of[RETURNS], of[PAIRS], kind_back, PRODUCT_PAIRS);
    }
}

static void set_popular(habit_shop *s)
{
    uint32_t best[HABIT_POPULAR];
    size_t n = ranking_top(s->buyers_28, s->n_products, HABIT_POPULAR, best);
    s->n_popular = 0;
    for (size_t i = 0; i < n && s->buyers_28[best[i]] > 0; i++)
        s->popular[s->n_popular++] = best[i];
}

/* ---- the second pass ---- */

static double taste_of(const habit_shop *s, uint32_t v, const habit_pair *pair)
{
    double rarity = log((double)s->buyers / ((double)s->buyers_ever[v] + 1));
    return log1p((double)pair->decayed[HABIT_180]) * fmax(rarity, 0);
}

static void add_shopper(habit_shop *s, sparse_counter *taste, sparse_counter *lately,
                        const habit_past *p, uint32_t u)
{
    double length = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        double x = taste_of(s, p->product[i], &p->pair[i]);
        length += x * x;
    }
    double scale = length > 0 ? 1 / sqrt(length) : 0;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t v = p->product[i];
        sparse_add(taste, u, v, (float)(scale * taste_of(s, v, &p->pair[i])));
        sparse_add(lately, u, v, fminf(p->pair[i].decayed[HABIT_60], 1));
    }
}

static pf_status fill(habit_shop *s, const interactions *x, int64_t until_us, sums *k,
                      habit_past *p, pf_error *err)
{
    sparse_counter taste, lately;
    sparse_count_begin(&taste, s->n_users, s->n_products);
    sparse_count_begin(&lately, s->n_users, s->n_products);
    for (uint32_t u = 0; u < s->n_users; u++) {
        recommend_query q = interactions_query_until(x, u, until_us);
        habit_past_read(p, &q);
        count_shopper(s, k, &taste, &lately, p, u);
    }
    set_rates(s, k);
    set_popular(s);
    sparse_fill_begin(&taste);
    sparse_fill_begin(&lately);
    for (uint32_t u = 0; u < s->n_users && !taste.failed && !lately.failed; u++) {
        recommend_query q = interactions_query_until(x, u, until_us);
        habit_past_read(p, &q);
        add_shopper(s, &taste, &lately, p, u);
    }
    pf_status status = sparse_finish(&taste, &s->taste, err);
    pf_status other = sparse_finish(&lately, &s->lately, status == PF_OK ? err : NULL);
    return status == PF_OK ? other : status;
}

static pf_status set_categories(habit_shop *s, const product_side *side, pf_error *err)
{
    if (side == NULL || side->category == NULL) return PF_OK;
    for (uint32_t v = 0; v < s->n_products; v++) {
        if (side->category[v] >= s->n_categories)
            return error_set(err, PF_INTERNAL, "product %u is in category %u of %u", v,
                             side->category[v], s->n_categories);
        s->category[v] = side->category[v];
    }
    return PF_OK;
}

pf_status habit_shop_new(habit_shop *s, const recommend_input *input, int64_t until_us,
                         pf_error *err)
{
    const interactions *x = input->train;
    const product_side *side = input->side;
    uint32_t C = side != NULL && side->category != NULL ? side->n_categories : 1;
    pf_status status = allocate(s, x->n_products, x->n_users, C ? C : 1, err);
    if (status == PF_OK) status = set_categories(s, side, err);
    float *memory = mem_alloc_aligned(habit_past_floats(x->n_products), sizeof *memory);
    sums k = {.product = mem_alloc_zero(4 * (size_t)x->n_products, sizeof(double)),
              .category = mem_alloc_zero(4 * (size_t)(C ? C : 1), sizeof(double))};
    if (status == PF_OK && (!memory || !k.product || !k.category))
        status =
            error_set(err, PF_NO_MEMORY, "out of memory for %u products", x->n_products);
    if (status == PF_OK) {
        habit_past past;
        (void)habit_past_over(&past, memory, x->n_products);
        status = fill(s, x, until_us, &k, &past, err);
    }
    if (status == PF_OK) status = sparse_transpose(&s->taste, &s->takers, err);
    mem_free(memory);
    mem_free(k.product);
    mem_free(k.category);
    if (status != PF_OK) habit_shop_free(s);
    return status;
}
