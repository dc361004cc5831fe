/* The blend: its weights are worth what it says, it keeps what helps and nothing else. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "recommend/blend.h"
#include "recommend/blend_learn.h"
#include "recommend/fitted.h"
#include "recommend/interactions.h"
#include "recommend/small_data.h"

enum { V = SMALL_PRODUCTS, U = SMALL_USERS, MODELS = 4 };

static const char *const names[MODELS] = {"popularity", "transitions", "words",
                                          "user-knn"};

typedef struct lesson {
    small_data *d;
    interactions_owned *past;
    uint32_t next[U];
    blend_member member[MODELS];
    blend_task task;
} lesson;

static void lesson_make(lesson *l, bool repeats)
{
    l->d = small_data_new(11, 20);
    const interactions *x = &l->d->x;
    assert_int_equal(interactions_without_last(x, 1, 2, &l->past, NULL), PF_OK);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t end = x->first[u + 1];
        bool some = end - x->first[u] >= 2;
        for (uint64_t i = x->first[u]; some && !repeats && i + 1 < end; i++)
            some = x->product[i] != x->product[end - 1];
        l->next[u] = some ? x->product[end - 1] : RECOMMEND_NO_PRODUCT;
    }
    l->d->input.train = &l->past->view;
    for (size_t m = 0; m < MODELS; m++)
        l->member[m] = (blend_member){.copy = {small_fit(l->d, names[m])}, .n = 1};
    l->task = (blend_task){.past = &l->past->view,
                           .next = l->next,
                           .until_us = l->d->input.until_us,
                           .repeats = repeats,
                           .member = l->member,
                           .n_members = MODELS};
}

static void lesson_free(lesson *l)
{
    for (size_t m = 0; m < MODELS; m++)
        blend_member_free(&l->member[m]);
    interactions_free(l->past);
    small_data_free(l->d);
}

static recommend_query past_of(const lesson *l, uint32_t u)
{
    const interactions *x = &l->past->view;
    uint64_t from = x->first[u];
    return (recommend_query){.product = x->product + from,
                             .time_us = x->time_us + from,
                             .rating = x->rating + from,
                             .n = (size_t)(x->first[u + 1] - from),
                             .at_us = l->task.until_us,
                             .user = u};
}

static double naive_deviation(const float *x)
{
    double mean = 0, square = 0;
    for (uint32_t v = 0; v < V; v++)
        mean += (double)x[v] / V;
    for (uint32_t v = 0; v < V; v++)
        square += pow((double)x[v] - mean, 2);
    return sqrt(square / V);
}

/* Mean NDCG@10 over the whole catalogue of a weighted sum of scores, each over its deviation
 * for the shopper and its scale for all. */
static double naive_ndcg(const lesson *l, const double *weight, const double *scale)
{
    double sum = 0, n = 0;
    for (uint32_t u = 0; u < U; u++) {
        float total[V] = {0};
        recommend_query q = past_of(l, u);
        if (l->next[u] == RECOMMEND_NO_PRODUCT || q.n == 0) continue;
        for (size_t m = 0; m < MODELS; m++) {
            float scores[V];
            score_with(l->member[m].copy[0], &q, scores);
            double deviation = naive_deviation(scores);
            for (uint32_t v = 0; v < V && deviation > 0; v++)
                total[v] +=
                    (float)weight[m] * (float)((double)scores[v] / deviation / scale[m]);
        }
        for (size_t i = 0; i < q.n && !l->task.repeats; i++)
            total[q.product[i]] = -INFINITY;
        double rank = 0.5;
        for (uint32_t v = 0; v < V; v++) {
            rank += total[v] > total[l->next[u]];
            rank +=
                total[v] >= total[l->next[u]] && total[v] <= total[l->next[u]] ? 0.5 : 0;
        }
        sum += rank <= 10 ? 1 / log2(rank + 1) : 0;
        n += 1;
    }
    return sum / n;
}

static void weights_are_worth_what_the_learner_says(void **state)
{
    (void)state;
    for (int repeats = 0; repeats < 2; repeats++) {
        lesson l;
        blend_weights w;
        double best = 0;
        lesson_make(&l, repeats);
        assert_int_equal(blend_learn(&l.task, &w, NULL), PF_OK);
        for (size_t m = 0; m < MODELS; m++) {
            double alone[MODELS] = {0};
            alone[m] = 1;
            assert_true(fabs(naive_ndcg(&l, alone, w.scale) - w.alone[m]) < 1e-3);
            best = fmax(best, w.alone[m]);
        }
        assert_true(fabs(naive_ndcg(&l, w.weight, w.scale) - w.together) < 1e-3);
        assert_true(w.together > best); /* these data gain by blending */
        assert_true(w.shoppers > U / 2);
        lesson_free(&l);
    }
}

static void the_number_of_threads_changes_no_weight(void **state)
{
    (void)state;
    lesson l;
    blend_weights one, three;
    lesson_make(&l, true);
    assert_int_equal(blend_learn(&l.task, &one, NULL), PF_OK);
    l.task.threads = pool_new(3);
    assert_int_equal(blend_learn(&l.task, &three, NULL), PF_OK);
    assert_memory_equal(&one, &three, sizeof one);
    pool_free(l.task.threads);
    lesson_free(&l);
}

/* Everybody takes one product of his own again and again. */
static void a_model_that_is_right_alone_stays_alone(void **state)
{
    (void)state;
    enum { SHOPPERS = 30, EVENTS = 4 };
    uint64_t first[SHOPPERS + 1];
    uint32_t product[SHOPPERS * EVENTS];
    for (uint32_t u = 0; u <= SHOPPERS; u++)
        first[u] = u * EVENTS;
    for (uint32_t i = 0; i < SHOPPERS * EVENTS; i++)
        product[i] = i / EVENTS;
    const interactions x = {.n_users = SHOPPERS,
                            .n_products = SHOPPERS,
                            .n = SHOPPERS * EVENTS,
                            .first = first,
                            .product = product};
    const recommender_kind *members[] = {recommender_find("popularity"),
                                         recommender_find("repeat")};
    const recommend_input input = {
        .train = &x, .repeats = true, .members = members, .n_members = 2};
    recommender *m = NULL, *single = NULL;
    assert_int_equal(recommender_fit(recommender_find("blend"), &input, &m, NULL), PF_OK);
    assert_int_equal(recommender_fit(members[1], &input, &single, NULL), PF_OK);
    assert_int_equal(blend_parts(m), 1);
    assert_string_equal(blend_part_at(m, 0).kind, "repeat");
    assert_true(blend_part_at(m, 0).weight == 1);
    assert_int_equal(blend_parts(single), 0);
    recommender_free(single);
    recommender_free(m);
}

/* Whether a's scores are b's times one positive number. */
static void assert_proportional(const recommender *a, const recommender *b,
                                const recommend_query *q)
{
    float x[V], y[V];
    double ratio = 0;
    score_with(a, q, x);
    score_with(b, q, y);
    for (uint32_t v = 0; v < V; v++) {
        assert_true((x[v] > 0) == (y[v] > 0));
        if (!(y[v] > 0)) continue;
        if (ratio > 0)
            assert_true(fabs((double)x[v] / (double)y[v] / ratio - 1) < 1e-5);
        else
            ratio = (double)x[v] / (double)y[v];
    }
    assert_true(ratio > 0);
}

static void members_end_up_fitted_on_all_the_training_data(void **state)
{
    (void)state;
    small_data *d = small_data_new(12, 20);
    uint32_t next[U];
    const recommender_kind *members[] = {recommender_find("transitions")};
    recommender *alone = small_fit(d, "transitions"), *m = NULL;
    uint32_t user = 2;
    while (small_query(d, user).n < 5)
        user++;
    recommend_query q = small_query(d, user);
    for (uint32_t u = 0; u < U; u++)
        next[u] = u % V;
    d->input.members = members;
    d->input.n_members = 1;
    for (int given = 0; given < 2; given++) {
        d->input.next = given ? next : NULL;
        assert_int_equal(recommender_fit(recommender_find("blend"), &d->input, &m, NULL),
                         PF_OK);
        assert_proportional(m, alone, &q);
        recommender_free(m);
    }
    recommender_free(alone);
    small_data_free(d);
}

/* Adds a member's scores over their spread for this shopper and over the blend's scale. */
static void add_part(const recommender *m, blend_part part, const recommend_query *q, double *sum)
{
    float own[V];
    double mean = 0, square = 0;
    score_with(m, q, own);
    for (uint32_t v = 0; v < V; v++)
        mean += (double)own[v] / V;
    for (uint32_t v = 0; v < V; v++)
        square += ((double)own[v] - mean) * ((double)own[v] - mean) / V;
    for (uint32_t v = 0; v < V && square > 0; v++)
        sum[v] += part.weight / part.scale * (double)own[v] / sqrt(square);
}

/* What a comparison prints of a blend is all that one needs to have its scores. */
static void parts_weights_and_scales_make_the_scores_again(void **state)
{
    (void)state;
    small_data *d = small_data_new(12, 20);
    const recommender_kind *members[MODELS];
    recommender *m = NULL;
    for (size_t i = 0; i < MODELS; i++)
        members[i] = recommender_find(names[i]);
    d->input.members = members;
    d->input.n_members = MODELS;
    assert_int_equal(recommender_fit(recommender_find("blend"), &d->input, &m, NULL), PF_OK);
    assert_true(blend_parts(m) > 1);
    for (uint32_t user = 0; user < U; user++) {
        const recommend_query q = small_query(d, user);
        double sum[V] = {0};
        float whole[V];
        if (q.n == 0) continue;
        score_with(m, &q, whole);
        for (size_t i = 0; i < blend_parts(m); i++) {
            recommender *part = small_fit(d, blend_part_at(m, i).kind);
            add_part(part, blend_part_at(m, i), &q, sum);
            recommender_free(part);
        }
        for (uint32_t v = 0; v < V; v++)
            assert_true(fabs(sum[v] - (double)whole[v]) < 1e-4 * (1 + fabs(sum[v])));
    }
    recommender_free(m);
    small_data_free(d);
}

static void what_cannot_be_blended_is_told(void **state)
{
    (void)state;
    small_data *d = small_data_new(13, 10);
    const recommender_kind *many[BLEND_MAX_MEMBERS + 1];
    const recommender_kind *self[] = {recommender_find("blend")};
    const recommender_kind *meaning[] = {recommender_find("meaning")};
    recommender *m = NULL;
    pf_error err = {0};
    for (size_t i = 0; i <= BLEND_MAX_MEMBERS; i++)
        many[i] = recommender_find("popularity");
    d->input.members = self;
    d->input.n_members = 1;
    assert_int_equal(recommender_fit(self[0], &d->input, &m, &err), PF_USAGE);
    d->input.members = many;
    d->input.n_members = BLEND_MAX_MEMBERS + 1;
    assert_int_equal(recommender_fit(self[0], &d->input, &m, &err), PF_LIMIT);
    d->input.n_members = 0;
    assert_int_equal(recommender_fit(self[0], &d->input, &m, &err), PF_USAGE);
    d->input.members = meaning;
    d->input.n_members = 1;
    d->input.side = NULL;
    assert_int_equal(recommender_fit(self[0], &d->input, &m, &err), PF_UNAVAILABLE);
    assert_non_null(strstr(err.message, "vectors"));
    small_data_free(d);
}

static void without_a_second_event_nothing_can_be_learnt(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 1, 2};
    static const uint32_t product[] = {0, 1};
    const interactions x = {
        .n_users = 2, .n_products = 2, .n = 2, .first = first, .product = product};
    const recommend_input input = {.train = &x, .repeats = true};
    recommender *m = NULL;
    pf_error err = {0};
    assert_int_equal(recommender_fit(recommender_find("blend"), &input, &m, &err),
                     PF_DATA);
    assert_non_null(strstr(err.message, "weights"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_worth_what_the_learner_says),
        cmocka_unit_test(the_number_of_threads_changes_no_weight),
        cmocka_unit_test(a_model_that_is_right_alone_stays_alone),
        cmocka_unit_test(members_end_up_fitted_on_all_the_training_data),
        cmocka_unit_test(parts_weights_and_scales_make_the_scores_again),
        cmocka_unit_test(what_cannot_be_blended_is_told),
        cmocka_unit_test(without_a_second_event_nothing_can_be_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
