/*
 * Members of a blend: their scores are on one scale for every shopper, copies differ and are
 * averaged, and a file says how many there are without being believed.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recommend/blend.h"
#include "recommend/blend_member.h"
#include "recommend/fitted.h"
#include "recommend/inner.h"
#include "recommend/scratch.h"
#include "recommend/small_data.h"

enum { V = SMALL_PRODUCTS, U = SMALL_USERS };

static void score(const blend_member *m, const recommend_query *q, float *scores)
{
    recommend_scratch scratch = {.n = blend_member_scratch_floats(m)};
    scratch.floats = mem_alloc_aligned(scratch.n, sizeof(float));
    assert_non_null(scratch.floats);
    mem_guard_enter();
    blend_member_score(m, q, scores, &scratch);
    mem_guard_leave();
    mem_free(scratch.floats);
}

static double deviation_of(const float *x)
{
    double mean = 0, square = 0;
    for (uint32_t v = 0; v < V; v++)
        mean += (double)x[v] / V;
    for (uint32_t v = 0; v < V; v++)
        square += pow((double)x[v] - mean, 2);
    return sqrt(square / V);
}

static void scores_spread_alike_for_every_shopper(void **state)
{
    (void)state;
    static const char *const names[] = {"popularity", "transitions", "item-cf", "words"};
    small_data *d = small_data_new(41, 20);
    unsigned asked = 0;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        blend_member m = {.copy = {small_fit(d, names[k])}, .n = 1};
        for (uint32_t u = 0; u < U; u++) {
            recommend_query q = small_query(d, u);
            float raw[V], got[V];
            score_with(m.copy[0], &q, raw);
            score(&m, &q, got);
            double deviation = deviation_of(raw);
            if (!(deviation > 0)) continue;
            assert_true(fabs(deviation_of(got) - 1) < 1e-4);
            for (uint32_t v = 0; v < V; v++)
                assert_true(fabs((double)got[v] - (double)raw[v] / deviation) < 1e-4);
            asked++;
        }
        blend_member_free(&m);
    }
    assert_true(asked > U);
    small_data_free(d);
}

static void copies_count_alike_whatever_their_scale(void **state)
{
    (void)state;
    small_data *d = small_data_new(42, 20);
    blend_member m = {.copy = {small_fit(d, "popularity"), small_fit(d, "user-cf")}, .n = 2};
    for (uint32_t u = 1; u < U; u++) { /* of two kinds here: copies that differ much */
        recommend_query q = small_query(d, u);
        float a[V], b[V], got[V];
        score_with(m.copy[0], &q, a);
        score_with(m.copy[1], &q, b);
        score(&m, &q, got);
        double of_a = deviation_of(a), of_b = deviation_of(b);
        for (uint32_t v = 0; v < V; v++) {
            double want = (double)a[v] / of_a / 2 + (of_b > 1e-5 ? (double)b[v] / of_b / 2 : 0);
            assert_true(fabs((double)got[v] - want) < 1e-3);
        }
    }
    blend_member_free(&m);
    small_data_free(d);
}

/* Everybody takes one product once: all counts are equal. */
static void equal_scores_say_nothing(void **state)
{
    (void)state;
    uint64_t first[V + 1];
    uint32_t product[V];
    for (uint32_t i = 0; i <= V; i++)
        first[i] = i;
    for (uint32_t i = 0; i < V; i++)
        product[i] = i;
    const interactions x = {
        .n_users = V, .n_products = V, .n = V, .first = first, .product = product};
    const recommend_input input = {.train = &x, .repeats = true};
    const recommend_query q = {.product = product, .n = 1, .user = 0};
    blend_member m = {.n = 1};
    float got[V];
    assert_int_equal(
        recommender_fit(recommender_find("popularity"), &input, &m.copy[0], NULL), PF_OK);
    score(&m, &q, got);
    for (uint32_t v = 0; v < V; v++)
        assert_true(got[v] <= 0 && got[v] >= 0);
    blend_member_free(&m);
    assert_int_equal(m.n, 0);
}

/* ---- copies in a blend ---- */

typedef struct bag {
    small_data *d;
    const recommender_kind *members[2];
    recommender *fitted[2];
    uint32_t next[U];
} bag;

/* The Transformer alone knows what comes next: it gets the weight. */
static void bag_make(bag *b, unsigned copies)
{
    b->d = small_data_new(43, 12);
    b->members[0] = recommender_find("popularity");
    b->members[1] = recommender_find("transformer");
    b->fitted[0] = NULL;
    b->fitted[1] = small_fit(b->d, "transformer");
    for (uint32_t u = 0; u < U; u++) {
        recommend_query q = small_query(b->d, u);
        float scores[V];
        uint32_t best = 0;
        score_with(b->fitted[1], &q, scores);
        for (uint32_t v = 1; v < V; v++)
            if (scores[v] > scores[best]) best = v;
        b->next[u] = best;
    }
    b->d->input.next = b->next;
    b->d->input.members = b->members;
    b->d->input.fitted = b->fitted;
    b->d->input.n_members = 2;
    b->d->input.copies = copies;
}

static void bag_free(bag *b)
{
    recommender_free(b->fitted[1]);
    small_data_free(b->d);
}

static size_t part_of(const recommender *m, const char *kind)
{
    for (size_t i = 0; i < blend_parts(m); i++)
        if (!strcmp(blend_part_at(m, i).kind, kind)) return i;
    fail_msg("the blend has no %s", kind);
    return 0;
}

static void trained_members_are_copied_with_other_seeds(void **state)
{
    (void)state;
    bag b;
    float one[V], three[V];
    bag_make(&b, 0);
    recommender *single = small_fit(b.d, "blend");
    b.d->input.copies = 3;
    recommender *several = small_fit(b.d, "blend");
    assert_int_equal(blend_part_at(single, part_of(single, "transformer")).copies, 1);
    assert_int_equal(blend_part_at(several, part_of(several, "transformer")).copies, 3);
    for (size_t i = 0; i < blend_parts(several); i++)
        if (strcmp(blend_part_at(several, i).kind, "popularity") == 0)
            assert_int_equal(blend_part_at(several, i).copies, 1);
    recommend_query q = small_query(b.d, 9);
    score_with(single, &q, one);
    score_with(several, &q, three);
    assert_memory_not_equal(one, three, sizeof one);
    recommender_free(single);
    recommender_free(several);
    bag_free(&b);
}

static void copies_are_the_same_in_every_run(void **state)
{
    (void)state;
    bag b;
    float x[V], y[V];
    bag_make(&b, 2);
    recommender *m = small_fit(b.d, "blend"), *again = small_fit(b.d, "blend");
    recommend_query q = small_query(b.d, 5);
    score_with(m, &q, x);
    score_with(again, &q, y);
    assert_memory_equal(x, y, sizeof x);
    recommender_free(m);
    recommender_free(again);
    bag_free(&b);
}

static void more_copies_than_a_blend_holds_are_refused(void **state)
{
    (void)state;
    bag b;
    recommender *m = NULL;
    pf_error err = {0};
    bag_make(&b, RECOMMEND_MAX_COPIES + 1);
    assert_int_equal(recommender_fit(recommender_find("blend"), &b.d->input, &m, &err),
                     PF_USAGE);
    assert_non_null(strstr(err.message, "copies"));
    bag_free(&b);
}

static void failing_memory_frees_the_copies_that_were_made(void **state)
{
    (void)state;
    bag b;
    fault f = {0};
    bag_make(&b, 2);
    while (fault_next(&f)) {
        recommender *m = NULL;
        pf_status s = recommender_fit(recommender_find("blend"), &b.d->input, &m, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        recommender_free(m);
    }
    assert_true(f.n > 50);
    bag_free(&b);
}

/* ---- files ---- */

static char path[256];

static void name_file(void)
{
    (void)snprintf(path, sizeof path, "%s/blend-member-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
}

static void as_many_copies_as_there_may_be_come_back_from_a_file(void **state)
{
    (void)state;
    bag b;
    pf_error err = {0};
    recommender *again = NULL;
    bag_make(&b, RECOMMEND_MAX_COPIES);
    recommender *m = small_fit(b.d, "blend");
    name_file();
    if (recommender_save(m, path, NULL, &err) != PF_OK) fail_msg("%s", err.message);
    if (recommender_load(path, V, &again, &err) != PF_OK) fail_msg("%s", err.message);
    assert_int_equal(blend_parts(again), blend_parts(m));
    assert_int_equal(blend_part_at(again, part_of(again, "transformer")).copies,
                     RECOMMEND_MAX_COPIES);
    for (uint32_t u = 0; u < U; u += 11) {
        recommend_query q = small_query(b.d, u);
        float x[V], y[V];
        score_with(m, &q, x);
        score_with(again, &q, y);
        assert_memory_equal(x, y, sizeof x);
    }
    recommender_free(again);
    recommender_free(m);
    bag_free(&b);
    (void)remove(path);
}

/* A blend of one member with so many copies, of which the file has two: these. */
static pf_status load_made(const recommender *x, const recommender *y, uint64_t copies,
                           pf_error *err)
{
    static const uint64_t one = 1, n_products = V;
    static const double weight = 1;
    static const float popularity[V] = {0};
    const recommender *const copy[] = {x, y};
    safetensors_writer *file = NULL;
    recommender *m = NULL;
    name_file();
    assert_int_equal(safetensors_begin(&file, path, NULL), PF_OK);
    assert_int_equal(safetensors_note(file, "kind", "blend", NULL), PF_OK);
    pf_status s =
        safetensors_add(file, "n_products", TENSOR_U64, &n_products, 0, NULL, NULL);
    s |= safetensors_add(file, "popularity", TENSOR_F32, popularity, 1, &n_products, NULL);
    s |= safetensors_add(file, "weight", TENSOR_F64, &weight, 1, &one, NULL);
    s |= safetensors_add(file, "scale", TENSOR_F64, &weight, 1, &one, NULL);
    s |= safetensors_add(file, "copies", TENSOR_U64, &copies, 1, &one, NULL);
    for (int c = 0; c < 2; c++) {
        s |= safetensors_scope(file, c ? "part0.1" : "part0.0", NULL);
        s |= recommender_put(copy[c], file, NULL);
    }
    assert_int_equal(s, PF_OK);
    assert_int_equal(safetensors_commit(file, NULL), PF_OK);
    s = recommender_load(path, V, &m, err);
    recommender_free(m);
    (void)remove(path);
    return s;
}

static void a_file_with_copies_that_cannot_be_is_refused(void **state)
{
    (void)state;
    small_data *d = small_data_new(44, 8);
    recommender *x = small_fit(d, "popularity"), *y = small_fit(d, "repeat");
    pf_error err = {0};
    assert_int_equal(load_made(x, x, 1, &err), PF_OK);
    assert_int_equal(load_made(x, x, 2, &err), PF_OK);
    assert_int_equal(load_made(x, x, 0, &err), PF_DATA);
    assert_int_equal(load_made(x, x, RECOMMEND_MAX_COPIES + 1, &err), PF_DATA);
    assert_int_equal(load_made(x, x, UINT64_MAX, &err), PF_DATA);
    assert_int_equal(load_made(x, x, 3, &err), PF_DATA);
    assert_int_equal(load_made(x, y, 2, &err), PF_DATA);
    assert_non_null(strstr(err.message, "repeat"));
    recommender_free(x);
    recommender_free(y);
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_spread_alike_for_every_shopper),
        cmocka_unit_test(copies_count_alike_whatever_their_scale),
        cmocka_unit_test(equal_scores_say_nothing),
        cmocka_unit_test(trained_members_are_copied_with_other_seeds),
        cmocka_unit_test(copies_are_the_same_in_every_run),
        cmocka_unit_test(more_copies_than_a_blend_holds_are_refused),
        cmocka_unit_test(failing_memory_frees_the_copies_that_were_made),
        cmocka_unit_test(as_many_copies_as_there_may_be_come_back_from_a_file),
        cmocka_unit_test(a_file_with_copies_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
