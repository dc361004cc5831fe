/*
 * The recommender `habit`: what it counts, held against numbers worked out by hand; what it
 * learns in a shop whose rhythm is known; and that nothing after the moment it was fitted
 * at can change a bit of it. test_kinds.c and test_model_files.c hold it, like every kind,
 * against what all of them promise.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "recommend/fitted.h"
#include "recommend/habit.h"
#include "recommend/habit_learn.h"
#include "recommend/habit_rows.h"
#include "recommend/interactions.h"
#include "recommend/rhythm.h"

enum { V = RHYTHM_PRODUCTS };

static uint32_t weekly(uint32_t u)
{
    return u % RHYTHM_WEEKLY;
}

/* ---- a past, by hand ---- */

static int64_t day(double days)
{
    return (int64_t)(days * (double)US_PER_DAY);
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-5 * (1 + fabs(b))) fail_msg("%.9g is not %.9g", a, b);
}

static void a_past_counts_trips_baskets_and_gaps(void **state)
{
    (void)state;
    static const uint32_t product[] = {2, 0, 2, 2, 1, 2};
    /* Two lines of product 2 on day 60 are one trip. */
    static const uint64_t basket[] = {5, 5, 6, 6, 7, 8};
    const int64_t time_us[] = {day(10), day(10), day(60), day(60), day(75), day(93)};
    const recommend_query q = {.product = product,
                               .time_us = time_us,
                               .basket = basket,
                               .n = 6,
                               .at_us = day(100)};
    float memory[200];
    habit_past p;
    assert_true(habit_past_floats(4) <= 200);
    (void)habit_past_over(&p, memory, 4);
    for (int again = 0; again < 2; again++) { /* the second reading forgets the first */
        habit_past_read(&p, &q);
        assert_int_equal(p.n, 3);
        const habit_pair *two = habit_past_pair(&p, 2);
        assert_null(habit_past_pair(&p, 3));
        near(two->trips, 3);
        near(two->last_days, 7);
        near(two->oldest_days, 90);
        assert_int_equal(two->gaps, 2);
        near(two->log_gaps, log(50) + log(33));
        near(two->decayed[HABIT_7], 0.5 + exp2(-40.0 / 7) + exp2(-90.0 / 7));
        near(two->decayed[HABIT_90], exp2(-7.0 / 90) + exp2(-40.0 / 90) + 0.5);
        near(habit_past_pair(&p, 1)->decayed[HABIT_180], exp2(-25.0 / 180));
        assert_int_equal(p.baskets_30, 2);
        assert_int_equal(p.baskets_91, 4);
        assert_int_equal(p.trips_91, 5);
    }
}

static void purchases_without_a_basket_are_a_trip_each(void **state)
{
    (void)state;
    static const uint32_t product[] = {0, 0, 0};
    static const uint64_t none[] = {0, 0, 0};
    const int64_t time_us[] = {day(1), day(1), day(1.1)};
    recommend_query q = {.product = product, .time_us = time_us, .n = 3, .at_us = day(2)};
    float memory[100];
    habit_past p;
    (void)habit_past_over(&p, memory, 1);
    for (int i = 0; i < 2; i++) {
        habit_past_read(&p, &q);
        near(habit_past_pair(&p, 0)->trips, 3);
        assert_int_equal(p.baskets_30, 2); /* two instants */
        /* A gap of no time is none; one below a day counts as a day. */
        assert_int_equal(habit_past_pair(&p, 0)->gaps, 1);
        near(habit_past_pair(&p, 0)->log_gaps, 0);
        q.basket = none;
    }
}

static void a_past_without_times_counts_everything_as_now(void **state)
{
    (void)state;
    static const uint32_t product[] = {0, 0};
    const recommend_query q = {.product = product, .n = 2, .at_us = day(9)};
    float memory[100];
    habit_past p;
    (void)habit_past_over(&p, memory, 1);
    habit_past_read(&p, &q);
    near(habit_past_pair(&p, 0)->decayed[HABIT_7], 2);
    near(habit_past_pair(&p, 0)->last_days, 0);
}

/* ---- a shop, by hand ---- */

/* Three shoppers, three products, as of day 100; product 0 alone is in category 1. */
static const uint64_t hand_first[] = {0, 3, 5, 6};
static const uint32_t hand_product[] = {0, 1, 0, 0, 2, 0};
static const uint32_t hand_category[] = {1, 2, 2};

static interactions by_hand(int64_t time_us[6])
{
    const double days[] = {10, 20, 90, 50, 96, 99};
    for (int i = 0; i < 6; i++)
        time_us[i] = day(days[i]);
    return (interactions){.n_users = 3,
                          .n_products = 3,
                          .n = 6,
                          .first = hand_first,
                          .product = hand_product,
                          .time_us = time_us};
}

static void a_shop_counts_buyers_returns_and_intervals(void **state)
{
    (void)state;
    int64_t time_us[6];
    const interactions x = by_hand(time_us);
    const product_side side = {.category = hand_category, .n_categories = 3};
    const recommend_input input = {.train = &x, .side = &side, .until_us = day(100)};
    habit_shop s;
    assert_int_equal(habit_shop_new(&s, &input, input.until_us, NULL), PF_OK);
    assert_int_equal(s.buyers, 3);
    near(s.buyers_7[0], 1);
    near(s.buyers_28[0], 2);
    near(s.buyers_91[0], 3);
    near(s.buyers_ever[0], 3);
    near(s.buyers_7[2], 1);
    near(s.buyers_28[1], 0);
    /* Bought 31 days ago or earlier: product 0 by two shoppers, one came back; product 1 by
     * one, who did not. */
    double shop = 1.0 / 3, kind = (1 + 20 * shop) / 22, other = 20 * shop / 21;
    near(s.category_repeat[1], kind);
    near(s.repeat[0], (1 + 5 * kind) / 7);
    near(s.repeat[1], 5 * other / 6);
    near(s.repeat[2], other);
    /* One gap of 80 days: it is also the mean of everything else. */
    near(s.interval[0], log(80));
    near(s.interval[2], log(80));
    assert_int_equal(s.n_popular, 2);
    assert_int_equal(s.popular[0], 0);
    assert_int_equal(s.popular[1], 2);
    habit_shop_free(&s);
}

static void tastes_are_of_length_one_and_leave_out_what_all_buy(void **state)
{
    (void)state;
    int64_t time_us[6];
    const interactions x = by_hand(time_us);
    const recommend_input input = {.train = &x, .until_us = day(100)};
    habit_shop s;
    assert_int_equal(habit_shop_new(&s, &input, input.until_us, NULL), PF_OK);
    assert_int_equal(s.taste.start[3], 5); /* pairs, whatever their weight */
    near(s.taste.value[0], 0);             /* product 0: everybody buys it */
    near(s.taste.value[1], 1);
    near(s.lately.value[0], fmin(1, exp2(-10.0 / 60) + exp2(-90.0 / 60)));
    near(s.lately.value[1], exp2(-80.0 / 60));
    habit_shop_free(&s);
}

static void a_category_out_of_range_is_a_programmers_error(void **state)
{
    (void)state;
    int64_t time_us[6];
    const interactions x = by_hand(time_us);
    const product_side side = {.category = hand_category, .n_categories = 2};
    const recommend_input input = {.train = &x, .side = &side, .until_us = day(100)};
    recommender *m = NULL;
    assert_int_equal(recommender_fit(recommender_find("habit"), &input, &m, NULL),
                     PF_INTERNAL);
}

/* ---- candidates ---- */

typedef struct asked {
    rhythm *r;
    habit_shop shop;
    float *memory;
    habit_asker a;
} asked;

static asked ask(uint32_t user, bool repeats)
{
    asked k = {.r = rhythm_new(0)};
    recommend_query q = rhythm_query(k.r, user);
    assert_int_equal(habit_shop_new(&k.shop, &k.r->input, k.r->input.until_us, NULL),
                     PF_OK);
    k.memory = mem_alloc_aligned(habit_asker_floats(&k.shop), sizeof(float));
    assert_non_null(k.memory);
    habit_asker_over(&k.a, k.memory, &k.shop);
    habit_ask(&k.a, &k.shop, &q, repeats);
    return k;
}

static void asked_free(asked *k)
{
    habit_shop_free(&k->shop);
    mem_free(k->memory);
    rhythm_free(k->r);
}

static void candidates_are_different_and_within_their_bound(void **state)
{
    (void)state;
    for (int repeats = 0; repeats < 2; repeats++)
        for (uint32_t u = 0; u < RHYTHM_USERS; u += 11) {
            asked k = ask(u, repeats);
            bool seen[V] = {false};
            assert_true(k.a.n <= habit_most_candidates(repeats ? k.a.past.n : 0));
            for (uint32_t i = 0; i < k.a.n; i++) {
                uint32_t v = k.a.candidate[i];
                bool own = habit_past_pair(&k.a.past, v) != NULL;
                assert_true(v < V && !seen[v] && (repeats || !own));
                seen[v] = true;
            }
            assert_true(seen[weekly(u)] == (repeats == 1));
            asked_free(&k);
        }
}

static void nobody_is_a_peer_of_himself(void **state)
{
    (void)state;
    /* Product 1 is bought by shopper 0 alone, so no peer of his can recommend it. */
    int64_t time_us[6];
    const interactions x = by_hand(time_us);
    const recommend_input input = {.train = &x, .until_us = day(100)};
    habit_shop s;
    habit_asker a;
    float memory[400];
    assert_int_equal(habit_shop_new(&s, &input, input.until_us, NULL), PF_OK);
    assert_true(habit_asker_floats(&s) <= 400);
    habit_asker_over(&a, memory, &s);
    recommend_query q = interactions_query_until(&x, 0, day(100));
    habit_ask(&a, &s, &q, true);
    near(a.peers[1], 0);
    q.user = RECOMMEND_NO_USER; /* a stranger with the same past has him as a peer */
    habit_ask(&a, &s, &q, true);
    near(a.peers[1], exp2(-80.0 / 60));
    habit_shop_free(&s);
}

static void features_are_finite_for_every_product(void **state)
{
    (void)state;
    asked k = ask(3, true);
    float x[HABIT_FEATURES];
    for (uint32_t v = 0; v < V; v++) {
        memset(x, 0xFF, sizeof x); /* not a number, until written */
        habit_row(&k.a, &k.shop, v, x);
        for (int f = 0; f < HABIT_FEATURES; f++)
            assert_true(isfinite(x[f]));
    }
    habit_row(&k.a, &k.shop, weekly(3), x);
    near(x[HABIT_OWN_QUARTER],
         log(0.02 + (double)habit_past_pair(&k.a.past, weekly(3))->decayed[HABIT_90]));
    near(x[HABIT_BUYERS_MONTH], log1p((double)k.shop.buyers_28[weekly(3)]));
    asked_free(&k);
}

/* ---- what is learnt ---- */

static void what_is_bought_every_week_comes_before_what_was_bought_once(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    recommender *m = fit_kind("habit", &r->input);
    for (uint32_t u = 0; u < RHYTHM_USERS; u++) {
        recommend_query q = rhythm_query(r, u);
        float s[V];
        score_with(m, &q, s);
        for (uint32_t v = RHYTHM_ONCE; v < V; v++)
            assert_true(s[weekly(u)] > s[v]);
    }
    recommender_free(m);
    rhythm_free(r);
}

static void without_repeats_what_was_bought_comes_last(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    r->input.repeats = false;
    recommender *m = fit_kind("habit", &r->input);
    recommend_query q = rhythm_query(r, 5);
    q.n = 12; /* an early past, so that much is new to him */
    float s[V], best_new = -INFINITY, best_old = -INFINITY;
    bool old[V] = {false};
    score_with(m, &q, s);
    for (size_t i = 0; i < q.n; i++)
        old[q.product[i]] = true;
    for (uint32_t v = 0; v < V; v++) {
        assert_true(isfinite(s[v]));
        if (old[v]) best_old = fmaxf(best_old, s[v]);
        if (!old[v]) best_new = fmaxf(best_new, s[v]);
    }
    assert_true(best_new > best_old);
    recommender_free(m);
    rhythm_free(r);
}

static void nothing_after_the_moment_changes_a_bit(void **state)
{
    (void)state;
    rhythm *plain = rhythm_new(0), *more = rhythm_new(40);
    assert_true(more->x.n > plain->x.n);
    recommender *a = fit_kind("habit", &plain->input), *b = fit_kind("habit", &more->input);
    for (uint32_t u = 0; u < RHYTHM_USERS; u++) {
        recommend_query p = rhythm_query(plain, u), q = rhythm_query(more, u);
        float x[V], y[V];
        score_with(a, &p, x);
        score_with(b, &q, y);
        assert_memory_equal(x, y, sizeof x);
    }
    recommender_free(a);
    recommender_free(b);
    rhythm_free(plain);
    rhythm_free(more);
}

static void one_event_before_the_moment_does_change_scores(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    recommender *a = fit_kind("habit", &r->input);
    recommend_query q = rhythm_query(r, 9);
    float x[V], y[V];
    score_with(a, &q, x);
    r->product[3] = (r->product[3] + 1) % V;
    recommender *b = fit_kind("habit", &r->input);
    score_with(b, &q, y);
    assert_memory_not_equal(x, y, sizeof x);
    recommender_free(a);
    recommender_free(b);
    rhythm_free(r);
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    recommender *one = fit_kind("habit", &r->input);
    pool *threads = pool_new(3);
    assert_non_null(threads);
    r->input.pool = threads;
    recommender *three = fit_kind("habit", &r->input);
    for (uint32_t u = 0; u < RHYTHM_USERS; u++) {
        recommend_query q = rhythm_query(r, u);
        float x[V], y[V];
        score_with(one, &q, x);
        score_with(three, &q, y);
        assert_memory_equal(x, y, sizeof x);
    }
    recommender_free(one);
    recommender_free(three);
    pool_free(threads);
    rhythm_free(r);
}

static void times_are_needed(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    recommender *m = NULL;
    pf_error err = {0};
    r->x.time_us = NULL;
    assert_int_equal(recommender_fit(recommender_find("habit"), &r->input, &m, &err),
                     PF_UNAVAILABLE);
    assert_non_null(strstr(err.message, "times"));
    rhythm_free(r);
}

/* A month of data has no past before the month that would be learnt from. */
static void a_young_shop_is_served_by_frequency(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    linear_model w;
    pf_error err = {0};
    r->input.until_us = day(30);
    assert_int_equal(habit_learn(&r->input, &w, &err), PF_DATA);
    assert_non_null(strstr(err.message, "31 days"));
    recommender *m = fit_kind("habit", &r->input);
    for (uint32_t u = 0; u < RHYTHM_USERS; u++) {
        recommend_query q = rhythm_query(r, u);
        float s[V];
        score_with(m, &q, s);
        for (uint32_t v = RHYTHM_ONCE; v < V; v++)
            assert_true(s[weekly(u)] > s[v]);
    }
    recommender_free(m);
    rhythm_free(r);
}

static void it_works_without_categories_and_baskets(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    r->input.side = NULL;
    r->x.basket = NULL;
    recommender *m = fit_kind("habit", &r->input);
    recommend_query q = rhythm_query(r, 1);
    float s[V];
    q.basket = NULL;
    score_with(m, &q, s);
    for (uint32_t v = RHYTHM_ONCE; v < V; v++)
        assert_true(s[weekly(1)] > s[v]);
    recommender_free(m);
    rhythm_free(r);
}

/* ---- why ---- */

static double sum_of_parts(const recommender *m, const recommend_query *q, uint32_t v)
{
    recommend_scratch *scratch = NULL;
    habit_part parts[HABIT_PARTS];
    double sum = 0;
    assert_int_equal(recommend_scratch_new(m, &scratch, NULL), PF_OK);
    size_t n = habit_parts(m, q, v, parts, HABIT_PARTS, scratch);
    assert_int_equal(n, HABIT_PARTS);
    for (size_t i = 0; i < n; i++) {
        sum += parts[i].contribution;
        assert_true(i == 0 ||
                    fabs(parts[i].contribution) <= fabs(parts[i - 1].contribution));
    }
    habit_part three[3];
    assert_int_equal(habit_parts(m, q, v, three, 3, scratch), 3);
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(three[i].feature, parts[i].feature);
    recommend_scratch_free(scratch);
    return sum;
}

static void the_parts_of_a_score_add_up(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    recommender *m = fit_kind("habit", &r->input);
    recommend_query q = rhythm_query(r, 7);
    float s[V];
    score_with(m, &q, s);
    uint32_t a = weekly(7), b = q.product[1];
    double difference = sum_of_parts(m, &q, a) - sum_of_parts(m, &q, b);
    assert_true(fabs(difference - (double)(s[a] - s[b])) < 1e-4);
    recommender_free(m);
    assert_int_equal(recommender_fit(recommender_find("popularity"), &r->input, &m, NULL),
                     PF_OK);
    habit_part one;
    assert_int_equal(habit_parts(m, &q, a, &one, 1, NULL), 0);
    recommender_free(m);
    rhythm_free(r);
}

/* ---- files and faults ---- */

static void a_learnt_model_comes_back_with_the_same_scores(void **state)
{
    (void)state;
    char path[256];
    rhythm *r = rhythm_new(0);
    recommender *m = fit_kind("habit", &r->input), *again = NULL;
    (void)snprintf(path, sizeof path, "%s/habit-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    assert_int_equal(recommender_save(m, path, NULL, NULL), PF_OK);
    assert_int_equal(recommender_load(path, V, &again, NULL), PF_OK);
    for (uint32_t u = 0; u < RHYTHM_USERS; u++) {
        recommend_query q = rhythm_query(r, u);
        float x[V], y[V];
        score_with(m, &q, x);
        score_with(again, &q, y);
        assert_memory_equal(x, y, sizeof x);
    }
    recommender_free(again);
    fault f = {0};
    while (fault_next(&f)) {
        again = NULL;
        pf_status s = recommender_load(path, V, &again, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        recommender_free(again);
    }
    assert_true(f.n > 10);
    recommender_free(m);
    (void)remove(path);
    rhythm_free(r);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    rhythm *r = rhythm_new(0);
    fault f = {0};
    while (fault_next(&f)) {
        recommender *m = NULL;
        pf_status s = recommender_fit(recommender_find("habit"), &r->input, &m, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        recommender_free(m);
    }
    assert_true(f.n > 30);
    rhythm_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_past_counts_trips_baskets_and_gaps),
        cmocka_unit_test(purchases_without_a_basket_are_a_trip_each),
        cmocka_unit_test(a_past_without_times_counts_everything_as_now),
        cmocka_unit_test(a_shop_counts_buyers_returns_and_intervals),
        cmocka_unit_test(tastes_are_of_length_one_and_leave_out_what_all_buy),
        cmocka_unit_test(a_category_out_of_range_is_a_programmers_error),
        cmocka_unit_test(candidates_are_different_and_within_their_bound),
        cmocka_unit_test(nobody_is_a_peer_of_himself),
        cmocka_unit_test(features_are_finite_for_every_product),
        cmocka_unit_test(what_is_bought_every_week_comes_before_what_was_bought_once),
        cmocka_unit_test(without_repeats_what_was_bought_comes_last),
        cmocka_unit_test(nothing_after_the_moment_changes_a_bit),
        cmocka_unit_test(one_event_before_the_moment_does_change_scores),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(times_are_needed),
        cmocka_unit_test(a_young_shop_is_served_by_frequency),
        cmocka_unit_test(it_works_without_categories_and_baskets),
        cmocka_unit_test(the_parts_of_a_score_add_up),
        cmocka_unit_test(a_learnt_model_comes_back_with_the_same_scores),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
