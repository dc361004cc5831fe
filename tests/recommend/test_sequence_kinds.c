/*
 * The kinds that read events in order: they learn what follows what, files keep every bit, the
 * blend borrows fitted models, validation and test events teach nothing, and texts give a
 * product that nobody took a place.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "recommend/blend.h"
#include "recommend/fitted.h"
#include "recommend/interactions.h"
#include "recommend/side_vectors.h"
#include "recommend/small_data.h"
#include "shop/vocabulary.h"

static const char *const names[] = {"transformer", "gru4rec", "bert4rec"};
enum { NAMES = 3, V = 20, U = 150, LENGTH = 12 };

/* Everybody walks around the products: v is followed by v + 1. */
typedef struct walk {
    uint64_t first[U + 1];
    uint32_t product[U * LENGTH];
    interactions x;
} walk;

static void make_walk(walk *w)
{
    random_stream r = random_begin(3, 9);
    for (uint32_t u = 0; u < U; u++) {
        uint32_t at = random_below(&r, V);
        w->first[u] = u * LENGTH;
        for (uint32_t i = 0; i < LENGTH; i++)
            w->product[u * LENGTH + i] = (at + i) % V;
    }
    w->first[U] = U * LENGTH;
    w->x = (interactions){.n_users = U,
                          .n_products = V,
                          .n = U * LENGTH,
                          .first = w->first,
                          .product = w->product};
}

static const recommend_training lessons = {
    .settings = "width=16,heads=1,blocks=1,length=10,epochs=150,patience=150,rate=.01,dropout=0,"
                "threads=1"};

static recommender *fit(const walk *w, const char *name)
{
    const recommend_input input = {
        .train = &w->x, .seed = 2, .repeats = true, .training = &lessons};
    return fit_kind(name, &input);
}

static uint32_t best_of(const recommender *m, const uint32_t *past, size_t n)
{
    float score[V];
    uint32_t best = 0;
    const recommend_query q = {.product = past, .n = n, .user = RECOMMEND_NO_USER};
    score_with(m, &q, score);
    for (uint32_t v = 1; v < V; v++)
        if (score[v] > score[best]) best = v;
    return best;
}

static void what_follows_is_learnt_by_each_network(void **state)
{
    (void)state;
    walk w;
    make_walk(&w);
    for (int k = 0; k < NAMES; k++) {
        recommender *m = fit(&w, names[k]);
        unsigned right = 0;
        for (uint32_t v = 0; v < V; v++) {
            uint32_t past[9]; /* as long as what was learnt from: BERT4Rec goes by places */
            for (uint32_t i = 0; i < 9; i++)
                past[i] = (v + V - 8 + i) % V;
            right += best_of(m, past, 9) == (v + 1) % V;
        }
        if (right < V - 2) fail_msg("%s knows %u of %d", names[k], right, V);
        assert_non_null(recommender_sequence(m));
        recommender_free(m);
    }
}

static void a_saved_network_scores_with_the_same_bits(void **state)
{
    (void)state;
    char path[] = "/tmp/proffer-test-sequence-XXXXXX";
    walk w;
    make_walk(&w);
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (int k = 0; k < NAMES; k++) {
        recommender *m = fit(&w, names[k]), *again = NULL;
        pf_error err = {0};
        assert_int_equal(recommender_save(m, path, NULL, NULL), PF_OK);
        if (recommender_load(path, V, &again, &err) != PF_OK) fail_msg("%s", err.message);
        for (uint32_t v = 0; v < V; v++)
            assert_int_equal(best_of(m, &v, 1), best_of(again, &v, 1));
        recommender_free(again);
        assert_int_equal(recommender_load(path, V + 1, &again, &err), PF_DATA);
        assert_non_null(strstr(err.message, "train again"));
        recommender_free(m);
    }
    unlink(path);
}

static void a_blend_borrows_models_that_are_fitted(void **state)
{
    (void)state;
    small_data *d = small_data_new(5, 12);
    uint32_t *next = malloc(SMALL_USERS * sizeof *next);
    assert_non_null(next);
    for (uint32_t u = 0; u < SMALL_USERS; u++)
        next[u] = u % SMALL_PRODUCTS;
    d->input.next = next;
    const recommender_kind *members[] = {recommender_find("transitions"),
                                         recommender_find("transformer")};
    recommender *fitted[] = {small_fit(d, "transitions"), small_fit(d, "transformer")};
    d->input.members = members;
    d->input.fitted = fitted;
    d->input.n_members = 2;
    recommender *blend = small_fit(d, "blend");
    assert_true(blend_parts(blend) >= 1);
    recommender_free(blend); /* and the members live on */
    recommend_query q = small_query(d, 7);
    float score[SMALL_PRODUCTS];
    score_with(fitted[1], &q, score);
    recommender_free(fitted[0]);
    recommender_free(fitted[1]);
    free(next);
    small_data_free(d);
}

static void other_validation_events_change_no_weight_of_a_given_number_of_epochs(void **state)
{
    (void)state;
    walk w;
    uint32_t next[2][U];
    recommender *m[2];
    make_walk(&w);
    const recommend_training one = {
        .settings = "width=8,heads=1,blocks=1,length=10,epochs=1,threads=1"};
    for (int k = 0; k < 2; k++) {
        for (uint32_t u = 0; u < U; u++)
            next[k][u] = (u * 7 + (uint32_t)k * 3) % V;
        const recommend_input input = {.train = &w.x,
                                       .seed = 2,
                                       .repeats = true,
                                       .next = next[k],
                                       .training = &one};
        assert_int_equal(recommender_fit(recommender_find("transformer"), &input, &m[k], NULL),
                         PF_OK);
    }
    const parameters *a = sequence_model_parameters(recommender_sequence(m[0]));
    const parameters *b = sequence_model_parameters(recommender_sequence(m[1]));
    for (size_t i = 0; i < parameters_count(a); i++) {
        const parameter_shape *shape = parameters_shape(a, i);
        assert_memory_equal(parameters_at(a, i), parameters_at(b, i),
                            shape->rows * shape->columns * sizeof(float));
    }
    recommender_free(m[0]);
    recommender_free(m[1]);
}

/* ---- all that shoppers did ---- */

/* Everybody takes what was shown right before, at random: only the story tells. */
enum { SHOWN = 8, PAIRS = 12, TOLD = 2 * PAIRS };
typedef struct shown_shop {
    uint64_t first[U + 1], story_first[U + 1];
    uint32_t product[U * PAIRS], thing[U * TOLD];
    uint8_t kind[U * TOLD], band[U * TOLD];
    int64_t time_us[U * PAIRS], story_us[U * TOLD];
    bool taken[U * TOLD];
    sequence_events story;
    interactions x;
} shown_shop;

static void make_shown(shown_shop *w)
{
    random_stream r = random_begin(9, 9);
    memset(w, 0, sizeof *w);
    for (uint32_t u = 0; u < U; u++) {
        for (uint32_t i = 0; i < PAIRS; i++) {
            const uint64_t at = u * PAIRS + i, shown = 2 * at, bought = shown + 1;
            w->product[at] = random_below(&r, SHOWN);
            w->thing[shown] = SHOWN + w->product[at];
            w->thing[bought] = w->product[at];
            w->kind[shown] = EVENT_EXPOSURE;
            w->kind[bought] = EVENT_PURCHASE;
            w->taken[bought] = true;
            w->time_us[at] = w->story_us[bought] = 1000000 * (2 * i + 1);
            w->story_us[shown] = 1000000 * 2 * i;
        }
        w->first[u + 1] = (u + 1) * PAIRS;
        w->story_first[u + 1] = (u + 1) * TOLD;
    }
    w->story = (sequence_events){.n_shoppers = U,
                                 .n_products = SHOWN,
                                 .n_promotions = SHOWN,
                                 .n = U * TOLD,
                                 .first = w->story_first,
                                 .thing = w->thing,
                                 .kind = w->kind,
                                 .band = w->band,
                                 .time_us = w->story_us,
                                 .taken = w->taken};
    w->x = (interactions){.n_users = U,
                          .n_products = SHOWN,
                          .n = U * PAIRS,
                          .first = w->first,
                          .product = w->product,
                          .time_us = w->time_us,
                          .story = &w->story};
}

/* Whether the product of the promotion that was shown last scores highest. */
static bool answers_what_was_shown(const recommender *m, const shown_shop *w, uint32_t u)
{
    float score[SHOWN];
    recommend_query q = interactions_query_until(&w->x, u, w->time_us[u * PAIRS + PAIRS - 1]);
    uint32_t best = 0;
    assert_int_equal(q.story.kind[q.story.n - 1], EVENT_EXPOSURE);
    score_with(m, &q, score);
    for (uint32_t v = 1; v < SHOWN; v++)
        if (score[v] > score[best]) best = v;
    return best == w->product[u * PAIRS + PAIRS - 1];
}

static void what_was_shown_is_read_where_the_story_is_known(void **state)
{
    (void)state;
    shown_shop w;
    make_shown(&w);
    const recommend_training some = {
        .settings = "width=16,heads=1,blocks=1,length=16,epochs=40,rate=.01,dropout=0,"
                    "patience=0,threads=1,batch=16"};
    const recommend_input input = {
        .train = &w.x, .seed = 3, .repeats = true, .training = &some};
    recommender *m = NULL;
    unsigned right = 0;
    assert_int_equal(recommender_fit(recommender_find("transformer"), &input, &m, NULL), PF_OK);
    for (uint32_t u = 0; u < U; u++)
        right += answers_what_was_shown(m, &w, u);
    if (right * 10 < U * 9) fail_msg("%u of %d", right, U);
    recommender_free(m);
}

/* ---- side vectors ---- */

static void side_vectors_keep_who_is_near_whom(void **state)
{
    (void)state;
    small_data *d = small_data_new(8, 10);
    side_vectors s, again;
    assert_int_equal(side_vectors_new(&s, &d->side, SMALL_PRODUCTS, 0, 1, NULL), PF_OK);
    assert_int_equal(side_vectors_new(&again, &d->side, SMALL_PRODUCTS, 0, 1, NULL), PF_OK);
    assert_memory_equal(s.rows, again.rows, SMALL_PRODUCTS * s.K * sizeof(float));
    /* All directions are kept of so small a shop, so the cosines are those of the words. */
    size_t words = s.K - SMALL_DIMENSION;
    for (uint32_t i = 0; i < SMALL_PRODUCTS; i++)
        for (uint32_t j = 0; j < SMALL_PRODUCTS; j++) {
            double got = 0;
            double want = sparse_dot(lexical_vector(d->words, i), lexical_vector(d->words, j));
            for (size_t k = 0; k < words; k++)
                got += (double)s.rows[i * s.K + k] * (double)s.rows[j * s.K + k];
            assert_true(fabs(got - want) < 1e-3);
        }
    side_vectors_free(&s);
    side_vectors_free(&again);
    assert_int_equal(side_vectors_new(&s, NULL, SMALL_PRODUCTS, 0, 1, NULL), PF_OK);
    assert_null(s.rows);
    small_data_free(d);
}

static void side_vectors_tell_failing_memory(void **state)
{
    (void)state;
    small_data *d = small_data_new(8, 10);
    fault f = {0};
    while (fault_next(&f)) {
        side_vectors s;
        pf_status status = side_vectors_new(&s, &d->side, SMALL_PRODUCTS, 0, 1, NULL);
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
        if (status == PF_OK) side_vectors_free(&s);
    }
    assert_true(f.n > 5);
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_is_learnt_by_each_network),
        cmocka_unit_test(a_saved_network_scores_with_the_same_bits),
        cmocka_unit_test(a_blend_borrows_models_that_are_fitted),
        cmocka_unit_test(other_validation_events_change_no_weight_of_a_given_number_of_epochs),
        cmocka_unit_test(what_was_shown_is_read_where_the_story_is_known),
        cmocka_unit_test(side_vectors_keep_who_is_near_whom),
        cmocka_unit_test(side_vectors_tell_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
