/*
 * Cutting interactions into training, validation and test: each shopper's last two events, or
 * all shoppers' events at two moments. Both say for each shopper how many events are training,
 * how many are the past at test, and where validation and test stand; the rest is the same.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "evaluate/leave_one_out.h"

void loo_split_free(loo_split *split)
{
    if (split == NULL) return;
    interactions_free(split->train);
    interactions_free(split->past);
    mem_free(split->validation);
    mem_free(split->test);
    mem_free(split->validation_us);
    mem_free(split->test_us);
    mem_free(split->times);
    mem_free(split);
}

static bool allocate(loo_split *s, const interactions *all)
{
    size_t users = (size_t)all->n_users + 1;
    s->validation = mem_alloc(users, sizeof *s->validation);
    s->test = mem_alloc(users, sizeof *s->test);
    s->times = mem_alloc_zero((size_t)all->n_products + 1, sizeof *s->times);
    if (all->time_us != NULL) {
        s->validation_us = mem_alloc_zero(users, sizeof *s->validation_us);
        s->test_us = mem_alloc_zero(users, sizeof *s->test_us);
        if (s->validation_us == NULL || s->test_us == NULL) return false;
    }
    return s->validation && s->test && s->times;
}

/* How many of each shopper's events are training, and past at test. */
typedef struct cut {
    uint64_t *train, *past; /* [U] */
} cut;

static void cut_free(cut *c)
{
    mem_free(c->train);
    mem_free(c->past);
}

static bool cut_new(cut *c, uint32_t n_users)
{
    *c = (cut){mem_alloc_zero((size_t)n_users + 1, sizeof *c->train),
               mem_alloc_zero((size_t)n_users + 1, sizeof *c->past)};
    return c->train != NULL && c->past != NULL;
}

/* Notes the event at `at` (counted over all) as a shopper's validation or test. */
static void note(const interactions *all, uint32_t u, uint64_t at, uint32_t *product,
                 int64_t *time_us)
{
    product[u] = all->product[at];
    if (time_us != NULL) time_us[u] = all->time_us[at];
}

static void cut_last_two(loo_split *s, cut *c, const interactions *all)
{
    for (uint32_t u = 0; u < all->n_users; u++) {
        uint64_t end = all->first[u + 1], n = end - all->first[u];
        bool tested = n >= LOO_MINIMUM_EVENTS;
        c->train[u] = tested ? n - 2 : n;
        c->past[u] = tested ? n - 1 : n;
        s->tested += tested;
        s->untested += n > 0 && !tested;
        if (!tested) continue;
        note(all, u, end - 2, s->validation, s->validation_us);
        note(all, u, end - 1, s->test, s->test_us);
    }
}

/* Events of u before a moment. */
static uint64_t count_before(const interactions *all, uint32_t u, int64_t moment_us)
{
    uint64_t from = all->first[u], n = all->first[u + 1] - from, i = 0;
    while (i < n && all->time_us[from + i] < moment_us)
        i++;
    return i;
}

static void cut_by_time(loo_split *s, cut *c, const interactions *all)
{
    for (uint32_t u = 0; u < all->n_users; u++) {
        uint64_t n = all->first[u + 1] - all->first[u];
        c->train[u] = count_before(all, u, s->from_us[0]);
        c->past[u] = count_before(all, u, s->from_us[1]);
        bool tested = c->past[u] > 0 && c->past[u] < n;
        s->tested += tested;
        s->untested += n > 0 && !tested;
        if (c->past[u] > c->train[u])
            note(all, u, all->first[u] + c->train[u], s->validation, s->validation_us);
        if (tested) note(all, u, all->first[u] + c->past[u], s->test, s->test_us);
    }
}

static int by_time(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The times below which the two shares of all events lie. */
static pf_status find_moments(loo_split *s, const interactions *all, double validation_from,
                              double test_from, pf_error *err)
{
    if (all->time_us == NULL)
        return error_set(err, PF_DATA,
                         "a split by time needs times, and these events have none; use "
                         "leave-one-out");
    int64_t *times = mem_alloc(all->n ? (size_t)all->n : 1, sizeof *times);
    if (times == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %llu times",
                         (unsigned long long)all->n);
    for (uint64_t i = 0; i < all->n; i++)
        times[i] = all->time_us[i];
    qsort(times, (size_t)all->n, sizeof *times, by_time);
    for (int i = 0; i < 2 && all->n > 0; i++)
        s->from_us[i] = times[(uint64_t)((i ? test_from : validation_from) * (double)all->n)];
    mem_free(times);
    return PF_OK;
}

static void look_at_training(loo_split *s)
{
    const interactions *x = &s->train->view;
    int64_t last = INT64_MIN;
    for (uint64_t i = 0; i < x->n; i++) {
        s->times[x->product[i]]++;
        if (x->time_us && x->time_us[i] > last) last = x->time_us[i];
    }
    s->until_us = x->time_us && x->n > 0 ? last + 1 : 0;
}

static pf_status decide_repeats(loo_split *s, loo_repeats repeats, pf_error *err)
{
    s->repeat_share = interactions_repeat_share(&s->train->view);
    if (isnan(s->repeat_share)) return error_set(err, PF_NO_MEMORY, "out of memory");
    s->repeats =
        repeats == LOO_REPEATS_ALLOWED ||
        (repeats == LOO_REPEATS_AUTO && s->repeat_share > INTERACTIONS_REPEATS_FROM);
    return PF_OK;
}

/* What both cuts have in common once the counts are known. */
static pf_status take_parts(loo_split *s, const cut *c, const interactions *all,
                            loo_repeats repeats, pf_error *err)
{
    pf_status status = interactions_prefix(all, c->train, &s->train, err);
    if (status == PF_OK) status = interactions_prefix(all, c->past, &s->past, err);
    if (status != PF_OK) return status;
    if (s->train->view.n == 0)
        return error_set(err, PF_DATA, "no event is left to learn from");
    look_at_training(s);
    return decide_repeats(s, repeats, err);
}

static pf_status split_begin(loo_split **out, cut *c, const interactions *all, pf_error *err)
{
    loo_split *s = mem_alloc_zero(1, sizeof *s);
    *c = (cut){0};
    if (s == NULL || !allocate(s, all) || !cut_new(c, all->n_users)) {
        loo_split_free(s);
        cut_free(c);
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers",
                         all->n_users);
    }
    for (uint32_t u = 0; u < all->n_users; u++)
        s->validation[u] = s->test[u] = RECOMMEND_NO_PRODUCT;
    *out = s;
    return PF_OK;
}

pf_status loo_split_new(const interactions *all, loo_repeats repeats, loo_split **out,
                        pf_error *err)
{
    loo_split *s = NULL;
    cut c;
    pf_status status = split_begin(&s, &c, all, err);
    if (status != PF_OK) return status;
    cut_last_two(s, &c, all);
    if (s->tested == 0)
        status = error_set(err, PF_DATA,
                           "no shopper has %d events, so there is nobody to test on",
                           LOO_MINIMUM_EVENTS);
    if (status == PF_OK) status = take_parts(s, &c, all, repeats, err);
    cut_free(&c);
    if (status != PF_OK)
        loo_split_free(s);
    else
        *out = s;
    return status;
}

pf_status loo_split_by_time(const interactions *all, loo_repeats repeats,
                            double validation_from, double test_from, loo_split **out,
                            pf_error *err)
{
    loo_split *s = NULL;
    cut c;
    pf_status status = split_begin(&s, &c, all, err);
    if (status != PF_OK) return status;
    status = find_moments(s, all, validation_from, test_from, err);
    if (status == PF_OK) cut_by_time(s, &c, all);
    if (status == PF_OK && s->tested == 0)
        status = error_set(err, PF_DATA,
                           "no shopper has events both before and after the test's "
                           "beginning, so there is nobody to test on");
    if (status == PF_OK) status = take_parts(s, &c, all, repeats, err);
    cut_free(&c);
    if (status != PF_OK)
        loo_split_free(s);
    else
        *out = s;
    return status;
}
