/* Collaborative filtering: the golden values of another library, the example worked by hand
 * in docs/models.md, ties, limits, faults. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "recommend/cf.h"

enum { USERS = 120, ITEMS = 80, FACTORS = 4, TEST_MAX = USERS * ITEMS };

typedef struct golden_data {
    uint64_t first[USERS + 1];
    uint32_t product[TEST_MAX];
    float rating[TEST_MAX];
    interactions train;
    struct {
        uint32_t user, item;
        double rating;
    } test[TEST_MAX];
    size_t n_test, n, sum;
} golden_data;

static double half(uint64_t k, uint64_t salt)
{
    return golden_unit(k, salt) - 0.5;
}

/* The ratings as tests/golden/cf.json says. */
static double rating_of(uint64_t u, uint64_t i)
{
    double dot = 0;
    for (uint64_t f = 0; f < FACTORS; f++)
        dot += half(u * FACTORS + f, 61) * half(i * FACTORS + f, 62);
    double r =
        floor(3.5 + half(u, 63) + half(i, 64) + 3 * dot + 1.5 * half(u * ITEMS + i, 66));
    return fmin(fmax(r, 1), 5);
}

static void make_golden(golden_data *g)
{
    uint64_t n = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        g->first[u] = n;
        for (uint32_t i = 0; i < ITEMS; i++) {
            if (golden_unit((uint64_t)u * ITEMS + i, 65) >= 0.25) continue;
            double r = rating_of(u, i);
            g->sum += (size_t)r;
            if (g->n++ % 5 == 0) {
                g->test[g->n_test].user = u;
                g->test[g->n_test].item = i;
                g->test[g->n_test++].rating = r;
                continue;
            }
            g->product[n] = i;
            g->rating[n++] = (float)r;
        }
    }
    g->first[USERS] = n;
    g->train = (interactions){.n_users = USERS,
                              .n_products = ITEMS,
                              .n = n,
                              .first = g->first,
                              .product = g->product,
                              .rating = g->rating};
}

static double number(const json_value *v)
{
    double x = NAN;
    assert_non_null(v);
    assert_true(text_to_double(v->text, &x));
    return x;
}

static void check_against(const golden_data *g, const json_value *want, cf_side side,
                          cf_similarity similarity)
{
    cf_options o = cf_options_default(side, similarity);
    cf_model *m = NULL;
    double square = 0, absolute = 0;
    o.neighbours = 20;
    o.positive_only = true;
    o.low = 1;
    o.high = 5;
    assert_int_equal(cf_fit(&g->train, &o, &m, NULL), PF_OK);
    const json_value *first = json_member(want, "first");
    assert_int_equal(first->n, 40);
    for (size_t i = 0; i < g->n_test; i++) {
        double p = cf_predict(m, g->test[i].user, g->test[i].item);
        double off = p - g->test[i].rating;
        square += off * off;
        absolute += fabs(off);
        if (i >= first->n) continue;
        const json_value *row = &first->values[i];
        assert_int_equal((uint32_t)number(&row->values[0]), g->test[i].user);
        assert_int_equal((uint32_t)number(&row->values[1]), g->test[i].item);
        if (fabs(p - number(&row->values[3])) > 1e-6)
            fail_msg("prediction %zu is %.9f, not %.9f", i, p, number(&row->values[3]));
    }
    double n = (double)g->n_test;
    assert_true(fabs(sqrt(square / n) - number(json_member(want, "rmse"))) < 5e-7);
    assert_true(fabs(absolute / n - number(json_member(want, "mae"))) < 5e-7);
    cf_free(m);
}

static void golden_predictions_and_errors_are_reproduced(void **state)
{
    (void)state;
    static golden_data g;
    arena memory;
    char *bytes = NULL;
    size_t n = 0;
    const json_value *top = NULL;
    make_golden(&g);
    arena_init(&memory, 8 << 20);
    assert_int_equal(file_read_whole(&bytes, &n,
                                     PROFFER_SOURCE_DIR "/tests/golden/cf.json", 1 << 20,
                                     NULL),
                     PF_OK);
    assert_int_equal(json_parse(&memory, bytes, n, &top, NULL), PF_OK);
    assert_int_equal(g.n, (size_t)number(json_member(top, "ratings")));
    assert_int_equal(g.sum, (size_t)number(json_member(top, "sum_of_ratings")));
    const json_value *r = json_member(top, "results");
    check_against(&g, json_member(r, "user_cosine"), CF_USERS, CF_COSINE);
    check_against(&g, json_member(r, "user_pearson"), CF_USERS, CF_PEARSON);
    check_against(&g, json_member(r, "item_cosine"), CF_ITEMS, CF_COSINE);
    check_against(&g, json_member(r, "item_pearson"), CF_ITEMS, CF_PEARSON);
    arena_free(&memory);
    mem_free(bytes);
}

/* ---- the example of docs/models.md ---- */

static const uint64_t example_first[] = {0, 2, 5, 8};
static const uint32_t example_product[] = {0, 1, 0, 1, 2, 0, 1, 2};
static const float example_rating[] = {5, 3, 4, 4, 5, 5, 2, 3};
static const interactions example = {.n_users = 3,
                                     .n_products = 3,
                                     .n = 8,
                                     .first = example_first,
                                     .product = example_product,
                                     .rating = example_rating};
enum { A, B, C };

static cf_model *fit_example(cf_side side, cf_similarity similarity)
{
    cf_options o = cf_options_default(side, similarity);
    cf_model *m = NULL;
    assert_int_equal(cf_fit(&example, &o, &m, NULL), PF_OK);
    return m;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-12)) fail_msg("%.15g is not %.15g", a, b);
}

static void what_a_will_give_product_3_by_shoppers(void **state)
{
    (void)state;
    const double ab = 32 / sqrt(34.0 * 32), ac = 31 / sqrt(34.0 * 29);
    cf_model *m = fit_example(CF_USERS, CF_COSINE);
    assert_near(cf_similarity_of(m, A, B), ab);
    assert_near(cf_similarity_of(m, A, C), ac);
    assert_near(cf_predict(m, A, 2),
                4 + (ab * (5 - 13.0 / 3) + ac * (3 - 10.0 / 3)) / (ab + ac));
    assert_true(fabs(cf_predict(m, A, 2) - 4.1623) < 5e-5);
    cf_free(m);
    m = fit_example(CF_USERS, CF_PEARSON);
    assert_near(cf_similarity_of(m, A, B), 0); /* B rated both alike: not defined */
    assert_near(cf_similarity_of(m, A, C), 1);
    assert_near(cf_predict(m, A, 2), 4 + (3 - 10.0 / 3));
    assert_true(fabs(cf_predict(m, A, 2) - 3.6667) < 5e-5);
    cf_free(m);
}

static void what_a_will_give_product_3_by_products(void **state)
{
    (void)state;
    const double s31 = 35 / sqrt(34.0 * 41), s32 = 26 / sqrt(34.0 * 20);
    cf_model *m = fit_example(CF_ITEMS, CF_COSINE);
    assert_near(cf_similarity_of(m, 2, 0), s31);
    assert_near(cf_similarity_of(m, 2, 1), s32);
    assert_near(cf_predict(m, A, 2), 4 + s31 * (5 - 14.0 / 3) / (s31 + s32));
    assert_true(fabs(cf_predict(m, A, 2) - 4.1615) < 5e-5);
    cf_free(m);
    m = fit_example(CF_ITEMS, CF_PEARSON);
    assert_near(cf_similarity_of(m, 2, 0), -1);
    assert_near(cf_similarity_of(m, 2, 1), 1);
    assert_near(cf_predict(m, A, 2), 4 - (5 - 14.0 / 3) / 2);
    assert_true(fabs(cf_predict(m, A, 2) - 3.8333) < 5e-5);
    cf_free(m);
}

/* ---- rules ---- */

static void of_equally_near_neighbours_lower_numbers_enter_first(void **state)
{
    (void)state;
    /* Shoppers 1..3 rate product 0 like shopper 0, so all are equally near. */
    static const uint64_t first[] = {0, 1, 3, 5, 7};
    static const uint32_t product[] = {0, 0, 1, 0, 1, 0, 1};
    static const float rating[] = {3, 3, 1, 3, 2, 3, 5};
    const interactions x = {.n_users = 4,
                            .n_products = 2,
                            .n = 7,
                            .first = first,
                            .product = product,
                            .rating = rating};
    cf_options o = cf_options_default(CF_USERS, CF_COSINE);
    cf_model *m = NULL;
    o.neighbours = 2;
    assert_int_equal(cf_fit(&x, &o, &m, NULL), PF_OK);
    assert_near(cf_predict(m, 0, 1), 3 + ((1 - 2.0) + (2 - 2.5)) / 2);
    cf_free(m);
}

static void strangers_get_the_global_mean_and_the_last_rating_counts(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 3, 3};
    static const uint32_t product[] = {0, 1, 0};
    static const float rating[] = {1, 2, 4};
    const interactions x = {.n_users = 2,
                            .n_products = 3,
                            .n = 3,
                            .first = first,
                            .product = product,
                            .rating = rating};
    cf_options o = cf_options_default(CF_USERS, CF_COSINE);
    cf_model *m = NULL;
    assert_int_equal(cf_fit(&x, &o, &m, NULL), PF_OK);
    assert_near(cf_predict(m, 1, 0), 3); /* (4 + 2) / 2: the first rating is overruled */
    assert_near(cf_predict(m, 0, 2), 3);
    assert_near(cf_predict(m, 7, 7), 3);
    cf_free(m);
}

static void without_ratings_or_with_too_many_rows_it_says_so(void **state)
{
    (void)state;
    cf_options o = cf_options_default(CF_ITEMS, CF_COSINE);
    cf_model *m = NULL;
    pf_error err = {0};
    interactions x = example;
    x.rating = NULL;
    assert_int_equal(cf_fit(&x, &o, &m, &err), PF_DATA);
    x = example;
    x.n_products = CF_MAX_ROWS + 1;
    assert_int_equal(cf_fit(&x, &o, &m, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "item-knn"));
    static const float none[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    x = example;
    x.rating = none;
    assert_int_equal(cf_fit(&x, &o, &m, &err), PF_DATA);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        cf_options o = cf_options_default(CF_USERS, CF_PEARSON);
        cf_model *m = NULL;
        pf_status s = cf_fit(&example, &o, &m, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        if (s == PF_OK) cf_free(m);
    }
    assert_true(f.n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_predictions_and_errors_are_reproduced),
        cmocka_unit_test(what_a_will_give_product_3_by_shoppers),
        cmocka_unit_test(what_a_will_give_product_3_by_products),
        cmocka_unit_test(of_equally_near_neighbours_lower_numbers_enter_first),
        cmocka_unit_test(strangers_get_the_global_mean_and_the_last_rating_counts),
        cmocka_unit_test(without_ratings_or_with_too_many_rows_it_says_so),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
