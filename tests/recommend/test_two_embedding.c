/*
 * The two-embedding model: the losses and predictions that Keras reaches from the same numbers
 * (tests/golden names the source), its lazy form, and its kind.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recommend/fitted.h"
#include "recommend/small_data.h"
#include "recommend/two_embedding.h"

enum { U = 1000, V = 10000, D = 64, N = 4096, EPOCHS = 10 };

/* keras 3.15.1 on torch 2.15.0, Adam and MSE by default, batches of 32 in order. */
static const double keras_loss[EPOCHS] = {
    10.335283279418945, 6.485586643218994,  2.531792640686035,  1.2414501905441284,
    0.7457874417304993, 0.5092673897743225, 0.3903190493583679, 0.325604110956192,
    0.28529882431030273, 0.25734788179397583};
static const double keras_prediction[5] = {4.487781524658203, 4.073789119720459,
                                           0.9151290655136108, 2.006753444671631,
                                           2.2690300941467285};

typedef struct lesson {
    uint32_t user[N], product[N];
    float rating[N];
} lesson;

static lesson *lesson_new(void)
{
    lesson *l = malloc(sizeof *l);
    assert_non_null(l);
    for (uint32_t k = 0; k < N; k++) {
        l->user[k] = (uint32_t)(U * golden_unit(k, 41));
        l->product[k] = (uint32_t)(V * golden_unit(k, 42));
        l->rating[k] = (float)(1 + (int)(5 * golden_unit(k, 43)));
    }
    return l;
}

static two_embedding *model_new(bool lazy)
{
    two_embedding *m = NULL;
    two_embedding_options o = two_embedding_options_default();
    o.lazy = lazy;
    assert_int_equal(two_embedding_new(&m, U, V, &o, NULL), PF_OK);
    for (uint32_t k = 0; k < U * D; k++)
        two_embedding_users(m)[k] = (float)(0.1 * (golden_unit(k, 44) - 0.5));
    for (uint32_t k = 0; k < V * D; k++)
        two_embedding_products(m)[k] = (float)(0.1 * (golden_unit(k, 45) - 0.5));
    for (uint32_t k = 0; k < D; k++)
        two_embedding_unit(m)[k] = (float)(0.2 * (golden_unit(k, 46) - 0.5));
    return m;
}

static void losses_and_predictions_are_those_of_keras(void **state)
{
    (void)state;
    lesson *l = lesson_new();
    two_embedding *m = model_new(false);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        double loss = two_embedding_epoch(m, N, l->user, l->product, l->rating);
        assert_true(fabs(loss / keras_loss[epoch] - 1) < 1e-4);
    }
    for (int i = 0; i < 5; i++) {
        double got = (double)two_embedding_predict(m, l->user[i], l->product[i]);
        assert_true(fabs(got / keras_prediction[i] - 1) < 1e-3);
    }
    two_embedding_free(m);
    free(l);
}

static void the_lazy_form_learns_and_moves_only_rows_it_saw(void **state)
{
    (void)state;
    lesson *l = lesson_new();
    two_embedding *m = model_new(true), *start = model_new(true);
    double first = two_embedding_epoch(m, N, l->user, l->product, l->rating), last = first;
    bool seen[V] = {false};
    for (int epoch = 1; epoch < EPOCHS; epoch++)
        last = two_embedding_epoch(m, N, l->user, l->product, l->rating);
    assert_true(last < first / 5);
    for (int i = 0; i < N; i++)
        seen[l->product[i]] = true;
    for (uint32_t v = 0; v < V; v++) {
        const float *a = two_embedding_products(m) + v * D;
        const float *b = two_embedding_products(start) + v * D;
        bool same = memcmp(a, b, D * sizeof *a) == 0;
        assert_int_equal(same, !seen[v]);
    }
    two_embedding_free(m);
    two_embedding_free(start);
    free(l);
}

static void every_shopper_gets_the_same_ranking(void **state)
{
    (void)state;
    small_data *d = small_data_new(5, 20);
    recommender *m = small_fit(d, "two-embedding");
    float a[SMALL_PRODUCTS], b[SMALL_PRODUCTS];
    recommend_query one = small_query(d, 5), other = small_query(d, 50);
    score_with(m, &one, a);
    score_with(m, &other, b);
    assert_memory_equal(a, b, sizeof a);
    recommender_free(m);
    small_data_free(d);
}

static void without_ratings_what_is_taken_more_scores_higher(void **state)
{
    (void)state;
    small_data *d = small_data_new(6, 30);
    interactions bare = d->x;
    double often = 0, seldom = 0, n_often = 0, n_seldom = 0;
    uint32_t times[SMALL_PRODUCTS] = {0};
    float got[SMALL_PRODUCTS];
    bare.rating = NULL;
    d->input.train = &bare;
    for (uint64_t i = 0; i < bare.n; i++)
        times[bare.product[i]]++;
    recommender *m = small_fit(d, "two-embedding");
    recommend_query q = small_query(d, 5);
    score_with(m, &q, got);
    for (uint32_t v = 0; v < SMALL_PRODUCTS; v++) {
        bool is_often = (double)times[v] > (double)bare.n / SMALL_PRODUCTS;
        *(is_often ? &often : &seldom) += (double)got[v];
        *(is_often ? &n_often : &n_seldom) += 1;
    }
    assert_true(n_often > 0 && n_seldom > 0);
    assert_true(often / n_often > seldom / n_seldom);
    recommender_free(m);
    d->input.train = &d->x;
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_predictions_are_those_of_keras),
        cmocka_unit_test(the_lazy_form_learns_and_moves_only_rows_it_saw),
        cmocka_unit_test(every_shopper_gets_the_same_ranking),
        cmocka_unit_test(without_ratings_what_is_taken_more_scores_higher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
