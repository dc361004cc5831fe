/*
 * Every shopper with a past and a purchase in the window gives his candidates as rows.
 * Shoppers are one task each, and each has rows of his own, so threads change nothing.
 */
#include "recommend/habit_learn.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "recommend/habit_rows.h"
#include "recommend/interactions.h"

/* The penalty 1/2 |w|^2 PENALTY on standardised features. */
static const double penalty = 10;
enum { ITERATIONS = 12 };

typedef struct pupil {
    uint32_t user;
    uint64_t first; /* of the rows kept for him */
    uint32_t n;     /* rows used */
} pupil;

typedef struct worker {
    float *memory;
    habit_asker asker;
    uint32_t *bought; /* [V] 1 + the pupil who bought it in the window */
} worker;

typedef struct lesson {
    const recommend_input *input;
    int64_t from_us; /* the window is from_us <= t < input->until_us */
    habit_shop shop; /* as of from_us */
    pupil *pupils;
    uint32_t n_pupils;
    uint64_t rows;
    float *x;   /* [rows x HABIT_FEATURES] */
    uint8_t *y; /* [rows] */
    worker *workers;
    size_t n_workers;
} lesson;

static void lesson_free(lesson *l)
{
    for (size_t w = 0; l->workers != NULL && w < l->n_workers; w++) {
        mem_free(l->workers[w].memory);
        mem_free(l->workers[w].bought);
    }
    mem_free(l->workers);
    mem_free(l->pupils);
    mem_free(l->x);
    mem_free(l->y);
    habit_shop_free(&l->shop);
}

/* ---- who is learnt from ---- */

static uint64_t past_products(const lesson *l, uint32_t u)
{
    return l->shop.taste.start[u + 1] - l->shop.taste.start[u];
}

/* What he bought in the window: the rows [from, to) of the interactions. */
static void window_of(const lesson *l, uint32_t u, uint64_t *from, uint64_t *to)
{
    const interactions *x = l->input->train;
    *from = x->first[u] + interactions_query_until(x, u, l->from_us).n;
    *to = x->first[u] + interactions_query_until(x, u, l->input->until_us).n;
}

static bool is_pupil(const lesson *l, uint32_t u)
{
    uint64_t from, to;
    window_of(l, u, &from, &to);
    return to > from && past_products(l, u) > 0;
}

/* The rows a shopper may need, or 0 where he teaches nothing. */
static uint64_t rows_of(const lesson *l, uint32_t u)
{
    if (!is_pupil(l, u)) return 0;
    return habit_most_candidates(l->input->repeats ? past_products(l, u) : 0);
}

static pf_status choose_pupils(lesson *l, pf_error *err)
{
    uint32_t U = l->shop.n_users, seen = 0;
    uint64_t all = 0;
    for (uint32_t u = 0; u < U; u++)
        all += rows_of(l, u);
    uint32_t step = (uint32_t)((all + HABIT_MAX_ROWS - 1) / HABIT_MAX_ROWS);
    l->pupils = mem_alloc(U ? U : 1, sizeof *l->pupils);
    if (l->pupils == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers", U);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t n = rows_of(l, u);
        if (n == 0 || seen++ % step != 0) continue;
        l->pupils[l->n_pupils++] = (pupil){.user = u, .first = l->rows};
        l->rows += n;
    }
    if (l->n_pupils == 0)
        return error_set(err, PF_DATA,
                         "nobody who bought something in the last %d days had bought "
                         "anything before them, so there are no habits to learn",
                         HABIT_WINDOW_DAYS);
    return PF_OK;
}

/* ---- rows ---- */

static pf_status make_room(lesson *l, pf_error *err)
{
    uint32_t V = l->shop.n_products;
    l->n_workers = l->input->pool ? pool_threads(l->input->pool) : 1;
    l->x = mem_alloc(l->rows, HABIT_FEATURES * sizeof *l->x);
    l->y = mem_alloc(l->rows, sizeof *l->y);
    l->workers = mem_alloc_zero(l->n_workers, sizeof *l->workers);
    bool ok = l->x && l->y && l->workers;
    for (size_t w = 0; ok && w < l->n_workers; w++) {
        worker *one = &l->workers[w];
        one->memory = mem_alloc_aligned(habit_asker_floats(&l->shop), sizeof(float));
        one->bought = mem_alloc_zero(V, sizeof *one->bought);
        ok = one->memory && one->bought;
        if (ok) habit_asker_over(&one->asker, one->memory, &l->shop);
    }
    return ok ? PF_OK
              : error_set(err, PF_NO_MEMORY, "out of memory for %llu rows to learn from",
                          (unsigned long long)l->rows);
}

static void fill_pupil(void *context, size_t task, unsigned number)
{
    lesson *l = context;
    pupil *p = &l->pupils[task];
    worker *w = &l->workers[number];
    uint64_t from, to;
    recommend_query q = interactions_query_until(l->input->train, p->user, l->from_us);
    habit_ask(&w->asker, &l->shop, &q, l->input->repeats);
    window_of(l, p->user, &from, &to);
    for (uint64_t i = from; i < to; i++)
        w->bought[l->input->train->product[i]] = (uint32_t)task + 1;
    p->n = w->asker.n;
    for (uint32_t i = 0; i < p->n; i++) {
        uint32_t v = w->asker.candidate[i];
        habit_row(&w->asker, &l->shop, v, l->x + (p->first + i) * HABIT_FEATURES);
        l->y[p->first + i] = w->bought[v] == (uint32_t)task + 1;
    }
}

/* Room was made for the most rows a shopper can have; here the rows move together. */
static void close_gaps(lesson *l)
{
    uint64_t to = 0;
    for (uint32_t i = 0; i < l->n_pupils; i++) {
        const pupil *p = &l->pupils[i];
        memmove(l->x + to * HABIT_FEATURES, l->x + p->first * HABIT_FEATURES,
                (size_t)p->n * HABIT_FEATURES * sizeof *l->x);
        memmove(l->y + to, l->y + p->first, p->n);
        to += p->n;
    }
    l->rows = to;
}

/* ---- learning ---- */

static pf_status learn(const lesson *l, linear_model *out, pf_error *err)
{
    const feature_rows rows = {.n = l->rows, .features = HABIT_FEATURES, .x = l->x};
    linear_options o = linear_options_default();
    o.clip = 0;
    o.iterations = ITERATIONS;
    o.ridge = l->rows > 0 ? penalty / (double)l->rows : 0;
    return linear_fit_logistic(out, &rows, l->y, NULL, &o, err);
}

pf_status habit_learn(const recommend_input *input, linear_model *out, pf_error *err)
{
    lesson l = {.input = input,
                .from_us = input->until_us - HABIT_WINDOW_DAYS * US_PER_DAY};
    if (input->train->time_us == NULL)
        return error_set(err, PF_UNAVAILABLE, "the purchases have no times");
    pf_status s = habit_shop_new(&l.shop, input, l.from_us, err);
    if (s == PF_OK) s = choose_pupils(&l, err);
    if (s == PF_OK) s = make_room(&l, err);
    if (s == PF_OK) {
        pool_run(input->pool, l.n_pupils, fill_pupil, &l);
        close_gaps(&l);
        s = learn(&l, out, err);
    }
    lesson_free(&l);
    return s;
}

pf_status habit_unlearnt(linear_model *out, pf_error *err)
{
    pf_status s = linear_new(out, HABIT_FEATURES, 0, err);
    if (s != PF_OK) return s;
    out->weight[HABIT_OWN_QUARTER] = 1;
    out->weight[HABIT_BUYERS_MONTH] = 0.1;
    return PF_OK;
}
