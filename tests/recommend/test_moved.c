/*
 * Which events moved a score: in worlds where it is known which one does, against a naive twin,
 * for every kind; signs, order, ties, trips and repeats; and questions that have no answer.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "recommend/blend.h"
#include "recommend/fitted.h"
#include "recommend/interactions.h"
#include "recommend/month_blend.h"
#include "recommend/moved.h"
#include "recommend/small_data.h"
#include "shop/vocabulary.h"

enum { V = SMALL_PRODUCTS };

static moved_answer ask(const recommender *m, const moved_question *q, moved_event *events,
                        size_t n)
{
    moved_answer a;
    pf_error err = {0};
    if (recommend_moved(m, q, events, n, &a, &err) != PF_OK) fail_msg("%s", err.message);
    return a;
}

/* ---- a world of three products, where 0 is followed by 1 and 2 by nothing ---- */

enum { WORLD = 12 };

typedef struct world {
    uint64_t first[41];
    uint32_t product[80];
    interactions x;
    recommender *transitions;
} world;

/* Twenty shoppers take 0 and then 1; as many take 2 alone. */
static void world_begin(world *w)
{
    memset(w, 0, sizeof *w);
    uint64_t n = 0;
    for (uint32_t u = 0; u < 40; u++) {
        w->product[n++] = u < 20 ? 0 : 2;
        if (u < 20) w->product[n++] = 1;
        w->first[u + 1] = n;
    }
    w->x = (interactions){.n_users = 40,
                          .n_products = WORLD,
                          .n = n,
                          .first = w->first,
                          .product = w->product};
    const recommend_input input = {.train = &w->x, .repeats = true, .seed = 1};
    w->transitions = fit_kind("transitions", &input);
}

static void world_end(world *w)
{
    recommender_free(w->transitions);
}

static moved_question question(const recommend_query *past, const uint32_t *target)
{
    return (moved_question){.past = past, .product = target, .n_products = 1};
}

static void leaving_out_a_takes_the_chance_of_b(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {2, 0, 2, 2}, b = 1;
    const recommend_query query = {.product = past, .n = 4, .user = RECOMMEND_NO_USER};
    const moved_question q = question(&query, &b);
    moved_event e[4];
    const moved_answer a = ask(w.transitions, &q, e, 4);
    assert_int_equal(a.tried, 4);
    assert_true(a.found >= 1);
    assert_int_equal(e[0].thing, 0);
    assert_int_equal(e[0].events, 1);
    assert_int_equal(e[0].kind, EVENT_PURCHASE);
    assert_true(e[0].change > 0);
    assert_null(e[0].member);
    /* Without 0 nothing speaks for 1: it is one of WORLD products alike. */
    assert_true(fabs(a.log_chance - e[0].change + log(WORLD)) < 1e-4);
    /* Those behind it make it older, so that without them 1 is likelier. */
    for (size_t i = 1; i < a.found; i++)
        assert_true(e[i].change < 0 && e[i].thing == 2);
    world_end(&w);
}

static void equal_changes_stand_newest_first_and_no_change_is_not_told(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {2, 0, 0, 2, 2}, b = 1;
    const int64_t days[] = {1, 2, 3, 4, 5};
    const recommend_query query = {
        .product = past, .time_us = days, .n = 5, .at_us = 9, .user = RECOMMEND_NO_USER};
    const moved_question q = question(&query, &b);
    moved_event e[5];
    const moved_answer a = ask(w.transitions, &q, e, 5);
    assert_int_equal(a.tried, 5);
    assert_int_equal(a.found, 4); /* the first 2 stands before all and says nothing */
    for (size_t i = 1; i < a.found; i++) {
        const double more = fabs(e[i - 1].change), less = fabs(e[i].change);
        assert_true(more >= less);
        if (!(more > less)) assert_true(e[i - 1].time_us > e[i].time_us);
    }
    /* The two 2s behind push both 0s back by as much each. */
    size_t ties = 0;
    for (size_t i = 1; i < a.found; i++)
        ties += e[i].thing == 2 && e[i - 1].thing == 2 &&
                fabs(e[i].change - e[i - 1].change) < 1e-12;
    assert_int_equal(ties, 1);
    moved_event one[1];
    assert_int_equal(ask(w.transitions, &q, one, 1).found, 1);
    assert_true(one[0].time_us == e[0].time_us);
    assert_int_equal(ask(w.transitions, &q, NULL, 0).found, 0);
    world_end(&w);
}

static void nothing_moves_where_nothing_was_done(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t b = 1;
    const recommend_query query = {.user = RECOMMEND_NO_USER};
    const moved_question q = question(&query, &b);
    moved_event e[1];
    const moved_answer a = ask(w.transitions, &q, e, 1);
    assert_int_equal(a.tried, 0);
    assert_int_equal(a.found, 0);
    world_end(&w);
}

/* Without its only event a past is answered with popularity: (1 + count) over all. */
static void one_event_is_told_against_popularity(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {0}, b = 1;
    const recommend_query query = {.product = past, .n = 1, .user = RECOMMEND_NO_USER};
    const moved_question q = question(&query, &b);
    moved_event e[2];
    const moved_answer a = ask(w.transitions, &q, e, 2);
    assert_int_equal(a.tried, 1);
    assert_int_equal(a.found, 1);
    const double popular = log(21.0 / (21 + 21 + 21 + WORLD - 3));
    assert_true(fabs(a.log_chance - e[0].change - popular) < 1e-4);
    world_end(&w);
}

static void a_product_that_nobody_ever_took_can_be_asked_about(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {2, 0}, never = WORLD - 1;
    const recommend_query query = {.product = past, .n = 2, .user = RECOMMEND_NO_USER};
    const moved_question q = question(&query, &never);
    moved_event e[2];
    const moved_answer a = ask(w.transitions, &q, e, 2);
    assert_true(isfinite(a.log_chance) && a.log_chance < -log(WORLD));
    assert_int_equal(a.found, 1);
    assert_int_equal(e[0].thing, 0);
    assert_true(e[0].change < 0); /* what speaks for 1 speaks against it */
    world_end(&w);
}

/* ---- trips, repeats, the set ---- */

static void a_basket_is_left_out_as_one_and_repeats_are_counted_together(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {0, 2, 2, 0, 2}, b = 1;
    const int64_t days[] = {1, 1, 2, 3, 3};
    const uint64_t basket[] = {7, 7, 8, 9, 9};
    const recommend_query query = {.product = past,
                                   .time_us = days,
                                   .basket = basket,
                                   .n = 5,
                                   .at_us = 9,
                                   .user = RECOMMEND_NO_USER};
    moved_question q = question(&query, &b);
    moved_event e[5];
    q.together = MOVED_TRIPS;
    assert_int_equal(ask(w.transitions, &q, e, 5).tried, 3);
    assert_int_equal(e[0].time_us, 3);
    assert_int_equal(e[0].events, 2);
    assert_int_equal(e[0].thing, 2); /* the newest of the trip names it */
    q.together = MOVED_THINGS;
    const moved_answer a = ask(w.transitions, &q, e, 5);
    assert_int_equal(a.tried, 2);
    assert_int_equal(e[0].thing, 0);
    assert_int_equal(e[0].events, 2);
    assert_int_equal(e[0].time_us, 3);
    assert_true(fabs(a.log_chance - e[0].change + log(WORLD)) < 1e-4);
    q.together = MOVED_EACH;
    assert_int_equal(ask(w.transitions, &q, e, 5).tried, 5);
    q.most = 2;
    assert_int_equal(ask(w.transitions, &q, e, 5).tried, 2);
    world_end(&w);
}

static void of_more_events_than_are_tried_the_newest_are(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    uint32_t past[200];
    int64_t second[200];
    const uint32_t b = 1;
    for (uint32_t i = 0; i < 200; i++) {
        past[i] = i % 2 * 2;
        second[i] = i;
    }
    const recommend_query query = {
        .product = past, .time_us = second, .n = 200, .at_us = 200, .user = RECOMMEND_NO_USER};
    moved_question q = question(&query, &b);
    moved_event e[200];
    const moved_answer a = ask(w.transitions, &q, e, 200);
    assert_int_equal(a.tried, MOVED_MOST_EVENTS);
    for (size_t i = 0; i < a.found; i++)
        assert_true(e[i].time_us >= 200 - MOVED_MOST_EVENTS);
    q.together = MOVED_THINGS; /* repeats are left out however old they are */
    assert_int_equal(ask(w.transitions, &q, e, 200).tried, 2);
    assert_int_equal(e[0].events, 100);
    world_end(&w);
}

static void what_is_asked_about_is_tried_first_however_old(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    uint32_t past[100];
    int64_t second[100];
    for (uint32_t i = 0; i < 100; i++) {
        past[i] = i < 3 ? i + 3 : 0;
        second[i] = i;
    }
    const uint32_t set[] = {3, 5};
    const recommend_query query = {
        .product = past, .time_us = second, .n = 100, .at_us = 100, .user = RECOMMEND_NO_USER};
    recommender *m = NULL;
    const recommend_input input = {.train = &w.x, .repeats = true, .seed = 1};
    m = fit_kind("repeat", &input);
    moved_question q = {.past = &query, .product = set, .n_products = 2, .most = 2};
    moved_event e[4];
    for (int k = 0; k < 2; k++) {
        q.together = k ? MOVED_TRIPS : MOVED_EACH;
        assert_int_equal(ask(m, &q, e, 4).found, 2);
        assert_true(e[0].change > 0 && e[1].change > 0);
        assert_int_equal(e[0].thing + e[1].thing, 3 + 5);
    }
    q.most = 3; /* then the newest */
    q.together = MOVED_EACH;
    assert_int_equal(ask(m, &q, e, 4).tried, 3);
    recommender_free(m);
    world_end(&w);
}

static void all_products_together_are_moved_by_nothing(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    uint32_t past[] = {2, 0}, all[WORLD];
    const recommend_query query = {.product = past, .n = 2, .user = RECOMMEND_NO_USER};
    for (uint32_t v = 0; v < WORLD; v++)
        all[v] = v;
    const moved_question q = {.past = &query, .product = all, .n_products = WORLD};
    moved_event e[2];
    const moved_answer a = ask(w.transitions, &q, e, 2);
    assert_int_equal(a.tried, 2);
    assert_int_equal(a.found, 0);
    assert_true(!(a.log_chance < 0) && !(a.log_chance > 0));
    world_end(&w);
}

static void a_set_is_asked_about_as_a_whole_and_what_is_excluded_is_not(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const uint32_t past[] = {2, 0}, set[] = {1, 5, 1, 1}, plain[] = {1, 5};
    bool excluded[WORLD] = {false};
    const recommend_query query = {.product = past, .n = 2, .user = RECOMMEND_NO_USER};
    moved_question q = {.past = &query, .product = set, .n_products = 4};
    moved_event e[2], other[2];
    const moved_answer a = ask(w.transitions, &q, e, 2);
    q.product = plain;
    q.n_products = 2;
    const moved_answer b = ask(w.transitions, &q, other, 2);
    assert_true(!(a.log_chance < b.log_chance) && !(a.log_chance > b.log_chance));
    excluded[5] = true; /* now the set is 1 alone, among WORLD - 1 */
    q.excluded = excluded;
    const moved_answer c = ask(w.transitions, &q, other, 2);
    assert_true(fabs(c.log_chance - other[0].change + log(WORLD - 1)) < 1e-4);
    world_end(&w);
}

static void questions_without_an_answer_are_refused(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    uint32_t past[] = {2, 0}, none = 1, unknown = WORLD;
    bool excluded[WORLD] = {[1] = true};
    const recommend_query query = {.product = past, .n = 2, .user = RECOMMEND_NO_USER};
    moved_event e[2];
    moved_answer a;
    pf_error err = {0};
    moved_question q = question(&query, &unknown);
    assert_int_equal(recommend_moved(w.transitions, &q, e, 2, &a, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "knows 12 products"));
    q.excluded = excluded;
    q.product = &none;
    q.n_products = 1;
    assert_int_equal(recommend_moved(w.transitions, &q, e, 2, &a, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "none of the products asked"));
    q.excluded = NULL;
    q.n_products = 0;
    assert_int_equal(recommend_moved(w.transitions, &q, e, 2, &a, &err), PF_USAGE);
    assert_int_equal(a.tried, 0);
    world_end(&w);
}

/* ---- against a naive twin ---- */

static double naive_log_chance(const float *scores, size_t n, const uint32_t *set, size_t n_set,
                               recommend_scale scale, double unit)
{
    double of_set = 0, of_all = 0, largest = -INFINITY;
    for (size_t v = 0; v < n; v++)
        largest = fmax(largest, (double)scores[v]);
    for (size_t v = 0; v < n; v++) {
        bool in = false;
        for (size_t i = 0; i < n_set; i++)
            in |= set[i] == v;
        const double share = exp(((double)scores[v] - largest) / unit);
        of_all += share;
        if (in) of_set += scale == RECOMMEND_ODDS ? 1 / (1 + exp(-(double)scores[v])) : share;
    }
    return log(of_set) - (scale == RECOMMEND_ODDS ? 0 : log(of_all));
}

static double naive_unit(const recommender *m, const float *scores)
{
    double sum = 0, square = 0;
    if (recommender_kind_of(m)->scale != RECOMMEND_ORDER) return 1;
    for (size_t v = 0; v < V; v++)
        sum += (double)scores[v] / V;
    for (size_t v = 0; v < V; v++)
        square += ((double)scores[v] - sum) * ((double)scores[v] - sum) / V;
    return square > 0 ? sqrt(square) : 1;
}

/* A past of small data, at most 30 of it, without event `out`. */
static recommend_query without(const recommend_query *q, size_t out, uint32_t *product,
                               int64_t *time_us, float *rating)
{
    recommend_query r = *q;
    size_t to = 0;
    for (size_t i = 0; i < q->n; i++) {
        if (i == out) continue;
        product[to] = q->product[i];
        time_us[to] = q->time_us[i];
        rating[to++] = q->rating[i];
    }
    r.product = product;
    r.time_us = time_us;
    r.rating = rating;
    r.n = to;
    return r;
}

static void check_against_twin(const recommender *m, const recommend_query *query)
{
    static const uint32_t set[] = {3, 11, 12};
    float scores[V], rating[30];
    uint32_t product[30];
    int64_t time_us[30];
    moved_event e[30];
    const moved_question q = {.past = query, .product = set, .n_products = 3};
    const moved_answer a = ask(m, &q, e, 30);
    const char *kind = recommender_kind_of(m)->name;
    score_with(m, query, scores);
    const recommend_scale scale = recommender_kind_of(m)->scale;
    const double unit = naive_unit(m, scores);
    const double whole = naive_log_chance(scores, V, set, 3, scale, unit);
    assert_int_equal(a.tried, query->n);
    if (fabs(a.log_chance - whole) > 2e-4 * (1 + fabs(whole)))
        fail_msg("%s: %g, not %g", kind, a.log_chance, whole);
    double change[30] = {0};
    for (size_t i = 0; i < query->n; i++) {
        const recommend_query less = without(query, i, product, time_us, rating);
        score_with(m, &less, scores);
        if (less.n > 0)
            change[i] = whole - naive_log_chance(scores, V, set, 3, scale, unit);
        else if (scale != RECOMMEND_ODDS)
            change[i] = whole - naive_log_chance(scores, V, set, 3, RECOMMEND_SHARES, 1);
    }
    for (size_t k = 0; k < a.found; k++) {
        bool same = false;
        for (size_t i = 0; i < query->n; i++)
            same |= query->product[i] == e[k].thing && query->time_us[i] == e[k].time_us &&
                    fabs(change[i] - e[k].change) < 2e-4 * (1 + fabs(change[i]));
        if (!same) fail_msg("%s: %u changes %g", kind, e[k].thing, e[k].change);
    }
    for (size_t i = 0; i < query->n && a.found < query->n; i++) /* what is not told is small */
        for (size_t k = 0; k < a.found && fabs(change[i]) > 1e-3; k++)
            if (e[k].time_us == query->time_us[i] && e[k].thing == query->product[i])
                change[i] = 0;
    for (size_t i = 0; i < query->n && a.found < query->n; i++)
        assert_true(fabs(change[i]) < 1e-3);
}

static void every_kind_says_what_a_naive_twin_says(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 14);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        const recommender_kind *kind = recommender_kind_at(k);
        recommender *m = small_fit(d, kind->name);
        for (uint32_t u = 1; u < SMALL_USERS; u += 23) {
            recommend_query query = small_query(d, u);
            check_against_twin(m, &query);
        }
        recommender_free(m);
    }
    small_data_free(d);
}

/* ---- blends ---- */

static recommender *three_members(small_data *d)
{
    const recommender_kind *members[] = {recommender_find("transitions"),
                                         recommender_find("popularity"),
                                         recommender_find("item-knn")};
    d->input.members = members;
    d->input.n_members = 3;
    recommender *m = small_fit(d, "blend");
    d->input.members = NULL;
    d->input.n_members = 0;
    return m;
}

static void a_blend_names_the_member_that_an_event_moves_it_through(void **state)
{
    (void)state;
    small_data *d = small_data_new(9, 14);
    recommender *m = three_members(d);
    assert_true(blend_parts(m) > 1);
    bool some = false;
    for (uint32_t u = 2; u < 40; u++) {
        const recommend_query query = small_query(d, u);
        const uint32_t target = (query.product[query.n - 1] + 1) % V;
        const moved_question q = question(&query, &target);
        moved_event e[5];
        const moved_answer a = ask(m, &q, e, 5);
        for (size_t i = 0; i < a.found && query.n > 1; i++) {
            assert_non_null(e[i].member);
            /* popularity reads no past, so that it never is the one */
            assert_string_not_equal(e[i].member, "popularity");
            some |= fabs(e[i].member_change) > 1e-3;
        }
        if (query.n == 1 && a.found > 0) assert_null(e[0].member);
    }
    assert_true(some);
    recommender_free(m);
    small_data_free(d);
}

static void parts_of_a_blend_sum_up_to_its_scores(void **state)
{
    (void)state;
    small_data *d = small_data_new(9, 14);
    recommender *m = three_members(d);
    const recommend_query query = small_query(d, 7);
    float whole[V], sum[V] = {0}, part[V];
    recommend_scratch *scratch = NULL;
    assert_int_equal(recommend_scratch_new(m, &scratch, NULL), PF_OK);
    score_with(m, &query, whole);
    mem_guard_enter();
    for (size_t i = 0; i < blend_parts(m); i++) {
        blend_score_part(m, i, &query, part, scratch);
        for (size_t v = 0; v < V; v++)
            sum[v] += part[v];
    }
    mem_guard_leave();
    assert_memory_equal(sum, whole, sizeof sum);
    recommend_scratch_free(scratch);
    recommender_free(m);
    small_data_free(d);
}

/* ---- all that was done ---- */

enum { DONE = 7 };

/* Bought 4 and 5 on day 1, redeemed promotion 2 then; was shown promotion 1 twice; bought 4. */
typedef struct told {
    uint32_t product[3], thing[DONE];
    uint8_t kind[DONE];
    int64_t time_us[3], told_us[DONE];
    uint64_t basket[3];
    recommend_query query;
} told;

static void tell(told *t)
{
    *t = (told){.product = {4, 5, 4},
                .time_us = {1, 1, 5},
                .basket = {70, 70, 0},
                .thing = {4, 5, V + 1, V, 4, V, 3},
                .kind = {EVENT_PURCHASE, EVENT_PURCHASE, EVENT_REDEMPTION, EVENT_EXPOSURE,
                         EVENT_PURCHASE, EVENT_EXPOSURE, EVENT_VIEW},
                .told_us = {1, 1, 1, 3, 5, 6, 7}};
    t->query = (recommend_query){.product = t->product,
                                 .time_us = t->time_us,
                                 .basket = t->basket,
                                 .n = 3,
                                 .story = {.n = DONE,
                                           .thing = t->thing,
                                           .kind = t->kind,
                                           .time_us = t->told_us},
                                 .at_us = 9,
                                 .user = RECOMMEND_NO_USER};
}

static void what_was_shown_and_redeemed_is_left_out_as_well(void **state)
{
    (void)state;
    static const size_t expected[] = {[MOVED_EACH] = 7, [MOVED_TRIPS] = 5, [MOVED_THINGS] = 5};
    small_data *d = small_data_new(4, 14);
    recommender *m = small_fit(d, "transitions");
    const uint32_t target = 5;
    told t;
    tell(&t);
    moved_question q = question(&t.query, &target);
    moved_event e[DONE];
    for (int k = 0; k < 3; k++) {
        q.together = (moved_together)k;
        assert_int_equal(ask(m, &q, e, DONE).tried, expected[k]);
    }
    q.together = MOVED_TRIPS; /* of which the older holds what was redeemed in it */
    const moved_answer a = ask(m, &q, e, DONE);
    assert_int_equal(a.found, 2); /* transitions reads purchases alone */
    for (size_t i = 0; i < a.found; i++) {
        assert_int_equal(e[i].kind, EVENT_PURCHASE);
        assert_int_equal(e[i].events, e[i].time_us == 1 ? 3 : 1);
        assert_int_equal(e[i].thing, e[i].time_us == 1 ? 5 : 4);
    }
    recommender_free(m);
    small_data_free(d);
}

static void a_story_of_other_purchases_is_refused(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 14);
    recommender *m = small_fit(d, "transitions");
    const uint32_t target = 5;
    moved_answer a;
    moved_event e[1];
    pf_error err = {0};
    told t;
    for (int wrong = 0; wrong < 3; wrong++) {
        tell(&t);
        if (wrong == 0) t.thing[4] = 6;
        if (wrong == 1) t.query.n = 2;
        if (wrong == 2) t.kind[6] = EVENT_PURCHASE;
        const moved_question q = question(&t.query, &target);
        assert_int_equal(recommend_moved(m, &q, e, 1, &a, &err), PF_USAGE);
        assert_non_null(strstr(err.message, "does not tell the purchases"));
    }
    recommender_free(m);
    small_data_free(d);
}

/* ---- a network that learnt what follows what ---- */

enum { WALKERS = 120, STEPS = 12, PLACES = 20 };

typedef struct walk {
    uint64_t first[WALKERS + 1];
    uint32_t product[WALKERS * STEPS];
    interactions x;
} walk;

/* Everybody walks around the places: v is followed by v + 1. */
static void walk_begin(walk *w)
{
    random_stream r = random_begin(3, 9);
    for (uint32_t u = 0; u < WALKERS; u++) {
        const uint32_t at = random_below(&r, PLACES);
        for (uint32_t i = 0; i < STEPS; i++)
            w->product[u * STEPS + i] = (at + i) % PLACES;
        w->first[u + 1] = (uint64_t)(u + 1) * STEPS;
    }
    w->x = (interactions){.n_users = WALKERS,
                          .n_products = PLACES,
                          .n = WALKERS * STEPS,
                          .first = w->first,
                          .product = w->product};
}

static void a_transformer_is_moved_most_by_the_step_before(void **state)
{
    (void)state;
    static walk w;
    static const recommend_training lessons = {
        .settings = "width=16,heads=1,blocks=1,length=10,epochs=60,patience=60,rate=.01,"
                    "dropout=0,threads=1"};
    walk_begin(&w);
    const recommend_input input = {
        .train = &w.x, .seed = 2, .repeats = true, .training = &lessons};
    recommender *m = fit_kind("transformer", &input);
    pool *threads = pool_new(3);
    assert_non_null(threads);
    unsigned right = 0;
    for (uint32_t from = 0; from < PLACES; from++) {
        uint32_t past[6];
        for (uint32_t i = 0; i < 6; i++)
            past[i] = (from + i) % PLACES;
        const uint32_t next = (from + 6) % PLACES;
        const recommend_query query = {.product = past, .n = 6, .user = RECOMMEND_NO_USER};
        moved_question q = question(&query, &next);
        moved_event e[6], again[6];
        memset(e, 0, sizeof e);
        memset(again, 0, sizeof again);
        const moved_answer a = ask(m, &q, e, 6);
        right += a.found > 0 && e[0].thing == past[5] && e[0].change > 0;
        q.threads = threads;
        assert_int_equal(ask(m, &q, again, 6).found, a.found);
        for (size_t i = 0; i < a.found; i++) {
            assert_int_equal(e[i].thing, again[i].thing);
            assert_memory_equal(&e[i].change, &again[i].change, sizeof e[i].change);
        }
    }
    if (right < PLACES - 2) fail_msg("%u of %d", right, PLACES);
    pool_free(threads);
    recommender_free(m);
}

/* ---- faults ---- */

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 14);
    recommender *m = small_fit(d, "transitions");
    const uint32_t target = 5;
    told t;
    tell(&t);
    const moved_question q = question(&t.query, &target);
    fault f = {0};
    while (fault_next(&f)) {
        moved_answer a;
        moved_event e[DONE];
        pf_error err = {0};
        const pf_status s = recommend_moved(m, &q, e, DONE, &a, &err);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_int_equal(a.tried, 0);
        } else {
            assert_int_equal(s, PF_OK);
        }
    }
    assert_true(f.n > 15);
    recommender_free(m);
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_out_a_takes_the_chance_of_b),
        cmocka_unit_test(equal_changes_stand_newest_first_and_no_change_is_not_told),
        cmocka_unit_test(nothing_moves_where_nothing_was_done),
        cmocka_unit_test(one_event_is_told_against_popularity),
        cmocka_unit_test(a_product_that_nobody_ever_took_can_be_asked_about),
        cmocka_unit_test(a_basket_is_left_out_as_one_and_repeats_are_counted_together),
        cmocka_unit_test(of_more_events_than_are_tried_the_newest_are),
        cmocka_unit_test(what_is_asked_about_is_tried_first_however_old),
        cmocka_unit_test(all_products_together_are_moved_by_nothing),
        cmocka_unit_test(a_set_is_asked_about_as_a_whole_and_what_is_excluded_is_not),
        cmocka_unit_test(questions_without_an_answer_are_refused),
        cmocka_unit_test(every_kind_says_what_a_naive_twin_says),
        cmocka_unit_test(a_blend_names_the_member_that_an_event_moves_it_through),
        cmocka_unit_test(parts_of_a_blend_sum_up_to_its_scores),
        cmocka_unit_test(what_was_shown_and_redeemed_is_left_out_as_well),
        cmocka_unit_test(a_story_of_other_purchases_is_refused),
        cmocka_unit_test(a_transformer_is_moved_most_by_the_step_before),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
