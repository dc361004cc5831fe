/*
 * Habit and what a network adds to it: the weight that a month gives is worth what it says, a
 * second model that is no help gets none, and nothing of the month reaches a model that is
 * weighed on it.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "recommend/fitted.h"
#include "recommend/interactions.h"
#include "recommend/month_blend.h"
#include "recommend/moved.h"

/* A shop where the last thing bought says what comes next, and nothing else does: each month
 * every shopper buys the products of one group in their order, and the group of the month after
 * is a fixed one four times in five, any one else. Everybody has had most groups before, so
 * counts of his own or of others can hardly foresee it. */
enum { GROUPS = 15, GROUP = 6, MONTHS = 14, MONTH = 31 };
enum { U = 120, V = GROUPS * GROUP, EVENTS = MONTHS * GROUP };
enum { DAYS = MONTHS * MONTH, FROM = DAYS - MONTH };
#define TINY                                                                                 \
    "blocks=1,width=16,heads=1,length=20,batch=16,dropout=.1,loss=full,epochs=12,rate=.01,"   \
    "patience=0,threads=1"

typedef struct walks {
    uint64_t first[U + 1];
    uint32_t product[U * EVENTS];
    int64_t time_us[U * EVENTS];
    interactions x;
    recommend_training how;
    recommend_input input;
} walks;

static walks *walks_new(void)
{
    walks *r = mem_alloc_zero(1, sizeof *r);
    assert_non_null(r);
    random_stream draws = random_begin(5, 1);
    for (uint32_t u = 0; u < U; u++) {
        uint32_t group = random_below(&draws, GROUPS);
        r->first[u + 1] = (uint64_t)(u + 1) * EVENTS;
        for (uint32_t i = 0; i < EVENTS; i++) {
            r->product[u * EVENTS + i] = group * GROUP + i % GROUP;
            r->time_us[u * EVENTS + i] =
                (int64_t)(i / GROUP * MONTH + i % GROUP * 5) * US_PER_DAY + u;
            if (i % GROUP + 1 < GROUP) continue;
            const bool usual = random_below(&draws, 5) > 0;
            group = usual ? (group * 7 + 3) % GROUPS : random_below(&draws, GROUPS);
        }
    }
    r->x = (interactions){.n_users = U,
                          .n_products = V,
                          .n = (uint64_t)U * EVENTS,
                          .first = r->first,
                          .product = r->product,
                          .time_us = r->time_us};
    r->how = (recommend_training){.settings = TINY};
    r->input = (recommend_input){.train = &r->x,
                                 .until_us = (int64_t)DAYS * US_PER_DAY,
                                 .repeats = true,
                                 .seed = 1,
                                 .training = &r->how};
    return r;
}

/* A model fitted on what was before the month. */
static recommender *fit_before(const walks *r, const char *kind)
{
    uint64_t kept[U];
    interactions_owned *past = NULL;
    recommend_input part = r->input;
    part.until_us = (int64_t)FROM * US_PER_DAY;
    for (uint32_t u = 0; u < U; u++)
        kept[u] = interactions_query_until(&r->x, u, part.until_us).n;
    assert_int_equal(interactions_prefix(&r->x, kept, &past, NULL), PF_OK);
    part.train = &past->view;
    recommender *m = fit_kind(kind, &part);
    interactions_free(past);
    return m;
}

/* ---- the weight ---- */

/* NDCG@10 of a list of scores against the products that user u took in the month, by sorting. */
static double naive_ndcg(const walks *r, uint32_t u, const float *scores)
{
    bool target[V] = {false}, known[V] = {false};
    double gain = 0, ideal = 0;
    size_t n = 0;
    for (uint64_t i = 0; i < r->x.n; i++)
        if (r->time_us[i] < (int64_t)FROM * US_PER_DAY) known[r->product[i]] = true;
    for (uint64_t i = r->first[u]; i < r->first[u + 1]; i++)
        if (r->time_us[i] >= (int64_t)FROM * US_PER_DAY) {
            n += !target[r->product[i]];
            target[r->product[i]] = true;
        }
    for (uint32_t v = 0; v < V; v++) {
        unsigned above = 0;
        for (uint32_t o = 0; o < V; o++)
            above += known[o] && scores[o] > scores[v];
        if (target[v] && known[v] && above < 10) gain += 1 / log2(above + 2.0);
    }
    for (size_t i = 0; i < n && i < 10; i++)
        ideal += 1 / log2((double)i + 2);
    return gain / ideal;
}

static double naive_mean(const walks *r, const recommender *first, double own,
                         const recommender *more, double weight)
{
    double sum = 0;
    for (uint32_t u = 0; u < U; u++) {
        float a[V], b[V];
        recommend_query q =
            interactions_query_until(&r->x, u, (int64_t)FROM * US_PER_DAY);
        score_with(first, &q, a);
        score_with(more, &q, b);
        for (uint32_t v = 0; v < V; v++)
            a[v] = (float)own * a[v] + (float)weight * b[v];
        sum += naive_ndcg(r, u, a);
    }
    return sum / U;
}

static month_weight learn(const walks *r, const recommender *first, const recommender *more,
                          pool *threads)
{
    month_weight w;
    pf_error err = {0};
    if (month_weight_learn(&r->x, (int64_t)FROM * US_PER_DAY, first, more, threads, &w,
                           &err) != PF_OK)
        fail_msg("%s", err.message);
    return w;
}

static void a_weight_is_worth_what_the_month_says(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *habit = fit_before(r, "habit"), *order = fit_before(r, "transitions");
    month_weight w = learn(r, habit, order, NULL);
    assert_int_equal(w.shoppers, U);
    assert_true(w.weight > 0);
    assert_true(w.gain > w.gain_se && w.gain_se > 0);
    assert_true(fabs(w.together - w.first - w.gain) < 1e-9);
    assert_true(fabs(naive_mean(r, habit, 1, order, 0) - w.first) < 1e-3);
    assert_true(fabs(naive_mean(r, habit, 0, order, 1) - w.more) < 1e-3);
    assert_true(fabs(naive_mean(r, habit, 1, order, w.weight) - w.together) < 1e-3);
    for (int i = 0; i <= 10; i++) /* no other weight below 1 is much better */
        assert_true(naive_mean(r, habit, 1, order, i / 10.0) < w.together + .01);
    recommender_free(habit);
    recommender_free(order);
    mem_free(r);
}

static void what_is_no_help_gets_no_weight(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *habit = fit_before(r, "habit"), *own = fit_before(r, "repeat");
    month_weight w = learn(r, habit, own, NULL);
    assert_true(w.more < w.first);
    assert_true(w.gain <= w.gain_se);
    assert_true(w.weight >= 0 && w.weight <= 0);
    assert_true(w.together >= w.first && w.together <= w.first);
    recommender_free(habit);
    recommender_free(own);
    mem_free(r);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    walks *r = walks_new();
    pool *three = pool_new(3);
    recommender *habit = fit_before(r, "habit"), *order = fit_before(r, "transitions");
    month_weight one = learn(r, habit, order, NULL), other = learn(r, habit, order, three);
    assert_memory_equal(&one, &other, sizeof one);
    recommender_free(habit);
    recommender_free(order);
    pool_free(three);
    mem_free(r);
}

static void short_memory_is_told_and_nothing_is_left(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *habit = fit_before(r, "habit"), *order = fit_before(r, "transitions");
    for (uint64_t n = 1;; n++) {
        month_weight w;
        mem_fail_at(n);
        pf_status s = month_weight_learn(&r->x, (int64_t)FROM * US_PER_DAY, habit, order, NULL,
                                         &w, NULL);
        mem_fail_at(0);
        if (s == PF_OK) {
            assert_true(n > 8);
            break;
        }
        assert_int_equal(s, PF_NO_MEMORY);
        assert_int_equal(w.shoppers, 0);
    }
    recommender_free(habit);
    recommender_free(order);
    mem_free(r);
}

/* ---- the blend ---- */

static recommend_query past_of(const walks *r, uint32_t u)
{
    return interactions_query_until(&r->x, u, r->input.until_us);
}

static void a_network_that_helps_joins_habit(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *m = fit_kind("month-blend", &r->input);
    const month_weight *found = month_blend_found(m);
    assert_non_null(found);
    assert_int_equal(found->shoppers, U);
    assert_true(found->together > found->first);
    assert_non_null(month_blend_network(m));
    assert_string_equal(recommender_kind_of(month_blend_habit(m))->name, "habit");
    assert_string_equal(recommender_kind_of(month_blend_network(m))->name, "transformer");
    for (uint32_t u = 0; u < U; u += 7) {
        float both[V], habit[V], network[V];
        recommend_query q = past_of(r, u);
        score_with(m, &q, both);
        score_with(month_blend_habit(m), &q, habit);
        score_with(month_blend_network(m), &q, network);
        for (uint32_t v = 0; v < V; v++)
            assert_true(fabs((double)(both[v] - habit[v]) -
                             month_blend_weight(m) * (double)network[v]) < 1e-4);
    }
    recommender_free(m);
    mem_free(r);
}

/* ln of 1 / (1 + e^-score), habit's and the network's together, after the first n events. */
static double log_chance_after(const walks *r, const recommender *m, uint32_t u, uint32_t v,
                               uint64_t habit_n, uint64_t network_n)
{
    float habit[V], network[V];
    const recommend_query a = interactions_query(&r->x, u, habit_n, r->input.until_us);
    const recommend_query b = interactions_query(&r->x, u, network_n, r->input.until_us);
    score_with(month_blend_habit(m), &a, habit);
    score_with(month_blend_network(m), &b, network);
    return -log1p(exp(-(double)habit[v] - month_blend_weight(m) * (double)network[v]));
}

/* The latest event, where what comes next by the shop's rule was not bought before: purchases of
 * that would be left out in front of it. */
static void what_moved_it_is_told_with_the_part_that_it_moved_it_through(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *m = fit_kind("month-blend", &r->input);
    unsigned through_network = 0, asked = 0;
    for (uint32_t u = 0; u < U; u += 7) {
        const uint32_t last = r->product[(u + 1) * EVENTS - 1];
        const uint32_t next = (last / GROUP * 7 + 3) % GROUPS * GROUP;
        const recommend_query past = past_of(r, u);
        const moved_question q = {.past = &past, .product = &next, .n_products = 1, .most = 1};
        moved_event e = {.change = 0};
        moved_answer a;
        pf_error err = {0};
        if (recommend_moved(m, &q, &e, 1, &a, &err) != PF_OK) fail_msg("%s", err.message);
        if (e.thing != last || a.found == 0) continue;
        const double whole = log_chance_after(r, m, u, next, EVENTS, EVENTS);
        const double without = log_chance_after(r, m, u, next, EVENTS - 1, EVENTS - 1);
        const double habit = whole - log_chance_after(r, m, u, next, EVENTS - 1, EVENTS);
        const double network = whole - log_chance_after(r, m, u, next, EVENTS, EVENTS - 1);
        const bool more = fabs(network) > fabs(habit);
        assert_true(fabs(e.change - (whole - without)) < 1e-4);
        assert_string_equal(e.member, more ? "transformer" : "habit");
        assert_true(fabs(e.member_change - (more ? network : habit)) < 1e-4);
        through_network += more;
        asked++;
    }
    assert_true(asked > 0 && through_network > 0);
    recommender_free(m);
    mem_free(r);
}

/* Never a negative, such a product would stand on top by a network that knows nothing of it. */
static void what_the_network_never_met_gets_its_lowest(void **state)
{
    (void)state;
    walks *r = walks_new();
    r->x.n_products = V + 1;
    float both[V + 1], habit[V + 1], network[V + 1], lowest = INFINITY;
    recommender *m = fit_kind("month-blend", &r->input);
    recommend_query q = past_of(r, 5);
    score_with(m, &q, both);
    score_with(month_blend_habit(m), &q, habit);
    score_with(month_blend_network(m), &q, network);
    for (uint32_t v = 0; v < V; v++)
        lowest = fminf(lowest, network[v]);
    assert_true(fabs((double)(both[V] - habit[V]) -
                     month_blend_weight(m) * (double)lowest) < 1e-4);
    recommender_free(m);
    mem_free(r);
}

static void it_comes_back_from_its_file_with_the_same_bits(void **state)
{
    (void)state;
    char path[256], card[300];
    pf_error err = {0};
    walks *r = walks_new();
    recommender *m = fit_kind("month-blend", &r->input), *again = NULL;
    (void)snprintf(path, sizeof path, "%s/month-blend-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    (void)snprintf(card, sizeof card, "%s.json", path);
    assert_int_equal(recommender_save(m, path, "{}", &err), PF_OK);
    if (recommender_load(path, V, &again, &err) != PF_OK) fail_msg("%s", err.message);
    assert_null(month_blend_found(again));
    assert_non_null(month_blend_network(again));
    for (uint32_t u = 0; u < U; u += 5) {
        float a[V], b[V];
        recommend_query q = past_of(r, u);
        score_with(m, &q, a);
        score_with(again, &q, b);
        assert_memory_equal(a, b, sizeof a);
    }
    recommender_free(m);
    recommender_free(again);
    (void)remove(path);
    (void)remove(card);
    mem_free(r);
}

/* Other purchases in the month: another weight, maybe, but not another bit of the network that
 * is weighed on them. */
static void nothing_of_the_month_reaches_the_network(void **state)
{
    (void)state;
    walks *r = walks_new();
    recommender *one = fit_kind("month-blend", &r->input);
    for (uint64_t i = 0; i < r->x.n; i++)
        if (r->time_us[i] >= (int64_t)FROM * US_PER_DAY && i % 5 == 0)
            r->product[i] = (r->product[i] + 31) % V;
    recommender *other = fit_kind("month-blend", &r->input);
    assert_non_null(month_blend_network(one));
    assert_non_null(month_blend_network(other));
    for (uint32_t u = 0; u < U; u += 11) {
        float a[V], b[V];
        recommend_query q =
            interactions_query_until(&r->x, u, (int64_t)FROM * US_PER_DAY);
        score_with(month_blend_network(one), &q, a);
        score_with(month_blend_network(other), &q, b);
        assert_memory_equal(a, b, sizeof a);
    }
    assert_true(month_blend_found(one)->more > month_blend_found(other)->more);
    recommender_free(one);
    recommender_free(other);
    mem_free(r);
}

static void too_few_shoppers_are_served_by_habit_and_nothing_is_trained(void **state)
{
    (void)state;
    walks *r = walks_new();
    r->x.n_users = MONTH_WEIGHT_SHOPPERS_LEAST - 1;
    r->x.n = r->first[r->x.n_users];
    r->how.settings = "no such setting=1"; /* would be refused by a training */
    recommender *m = fit_kind("month-blend", &r->input), *habit = fit_kind("habit", &r->input);
    assert_null(month_blend_network(m));
    assert_int_equal(month_blend_found(m)->shoppers, 0);
    float a[V], b[V];
    recommend_query q = past_of(r, 3);
    score_with(m, &q, a);
    score_with(habit, &q, b);
    assert_memory_equal(a, b, sizeof a);
    recommender_free(m);
    recommender_free(habit);
    mem_free(r);
}

static void wrong_settings_and_data_without_times_are_refused(void **state)
{
    (void)state;
    pf_error err = {0};
    recommender *m = NULL;
    walks *r = walks_new();
    r->how.settings = "widht=8";
    assert_int_equal(
        recommender_fit(recommender_find("month-blend"), &r->input, &m, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "widht"));
    r->x.time_us = NULL;
    assert_int_equal(
        recommender_fit(recommender_find("month-blend"), &r->input, &m, &err),
        PF_UNAVAILABLE);
    mem_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_weight_is_worth_what_the_month_says),
        cmocka_unit_test(what_is_no_help_gets_no_weight),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(short_memory_is_told_and_nothing_is_left),
        cmocka_unit_test(a_network_that_helps_joins_habit),
        cmocka_unit_test(what_moved_it_is_told_with_the_part_that_it_moved_it_through),
        cmocka_unit_test(what_the_network_never_met_gets_its_lowest),
        cmocka_unit_test(it_comes_back_from_its_file_with_the_same_bits),
        cmocka_unit_test(nothing_of_the_month_reaches_the_network),
        cmocka_unit_test(too_few_shoppers_are_served_by_habit_and_nothing_is_trained),
        cmocka_unit_test(wrong_settings_and_data_without_times_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
