/*
 * Outlooks on the coupon shop: networks know nothing at or after their cut-off, questions are
 * answered by one whose cut-off is not after them, and response uses, keeps and refuses them.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixtures/coupon_shop.h"
#include "response/outlook.h"
#include "response/response.h"

enum {
    SHOPPERS = 40,
    ANY = SHOPPERS * OUTLOOK_ANY_FEATURES,
    WHICH = SHOPPERS * COUPON_EACH * OUTLOOK_WHICH_FEATURES
};
static const char *const small = "width=8,length=16,negatives=16,epochs=1";

static coupon_shop shop;
static product_tree *tree;
static uint32_t everybody[COUPON_SHOPPERS];

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    assert_int_equal(product_tree_new(&shop.c, &tree, NULL), PF_OK);
    for (uint32_t i = 0; i < COUPON_SHOPPERS; i++)
        everybody[i] = i + 1;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    product_tree_free(tree);
    coupon_shop_free(&shop);
    return 0;
}

static outlook *look(int64_t until_us, const char *settings, pool *threads)
{
    outlook *o;
    pf_error err = {0};
    const outlook_options how = {.until_us = until_us, .settings = settings, .seed = 1};
    if (outlook_new(&o, &shop.c, shop.h, NULL, threads, &how, &err) != PF_OK)
        fail_msg("%s", err.message);
    return o;
}

typedef struct answers {
    float any[ANY], which[WHICH];
} answers;

/* Of the first shoppers, about a campaign as of its start. */
static void ask(const outlook *o, uint32_t asked, pool *threads, answers *out)
{
    uint32_t promotions[COUPON_EACH];
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = (asked - 1) * COUPON_EACH + i + 1;
    const response_question q = {promotions, COUPON_EACH, everybody, SHOPPERS,
                                 coupon_start_us(asked)};
    assert_int_equal(outlook_rows(o, &q, threads, out->any, out->which, NULL), PF_OK);
}

static void assert_same_network(const outlook *a, const outlook *b, size_t i)
{
    const parameters *x = sequence_model_parameters(outlook_model(a, i));
    const parameters *y = sequence_model_parameters(outlook_model(b, i));
    for (size_t k = 0; k < parameters_count(x); k++) {
        const parameter_shape *shape = parameters_shape(x, k);
        assert_memory_equal(parameters_at(x, k), parameters_at(y, k),
                            shape->rows * shape->columns * sizeof(float));
    }
}

/* --- cut-offs --------------------------------------------------------------------- */

static void cut_offs_are_starts_of_campaigns_and_the_last_moment(void **state)
{
    (void)state;
    int64_t until_us = coupon_start_us(5) - US_PER_DAY;
    outlook *o = look(until_us, small, NULL);
    size_t n = outlook_count(o);
    assert_true(n >= 3);
    assert_int_equal(outlook_cut_us(o, 0), coupon_start_us(1));
    assert_int_equal(outlook_cut_us(o, n - 1), until_us);
    for (size_t i = 1; i < n; i++)
        assert_true(outlook_cut_us(o, i) > outlook_cut_us(o, i - 1));
    for (size_t i = 0; i + 1 < n; i++) {
        bool start = false;
        for (uint32_t k = 1; k <= COUPON_CAMPAIGNS; k++)
            start = start || outlook_cut_us(o, i) == coupon_start_us(k);
        assert_true(start);
    }
    outlook_free(o);
    outlook_free(NULL);
}

static void before_the_first_cut_off_nothing_is_said(void **state)
{
    (void)state;
    answers a;
    memset(&a, 1, sizeof a);
    outlook *o = look(coupon_start_us(3), small, NULL);
    const uint32_t one = 1;
    const response_question q = {&one, 1, everybody, 3, coupon_start_us(1) - 1};
    assert_int_equal(outlook_rows(o, &q, NULL, a.any, a.which, NULL), PF_OK);
    for (size_t i = 0; i < 3 * OUTLOOK_ANY_FEATURES; i++)
        assert_true(fabsf(a.any[i]) <= 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(fabsf(a.which[i]) <= 0);
    outlook_free(o);
}

/* --- no leak ---------------------------------------------------------------------- */

/* Everything at or after the moment becomes something else, and more is added. */
static void change_from(int64_t at_us)
{
    for (uint64_t i = 0; i < shop.n_rows; i++) {
        history_row *r = &shop.rows[i];
        if (r->time_us < at_us)
            continue;
        r->type = i % 3 ? EVENT_PURCHASE : EVENT_REDEMPTION;
        r->product = 1 + (uint32_t)(i % COUPON_PRODUCTS);
        r->order = 1 + i % 50;
        r->coupon_minor = (int64_t)(i % 2);
    }
    for (uint32_t who = 1; who <= COUPON_SHOPPERS; who++)
        coupon_shop_add(&shop, EVENT_PURCHASE, who, at_us)->product = 1 + who % 7;
    coupon_shop_remake(&shop);
}

static void no_event_at_or_after_a_moment_changes_its_networks_or_rows(void **state)
{
    (void)state;
    int64_t until_us = coupon_start_us(6);
    for (uint32_t asked = 6; asked >= 2; asked -= 2) {
        int64_t at_us = coupon_start_us(asked);
        answers a, b;
        outlook *before = look(until_us, small, NULL);
        ask(before, asked, NULL, &a);
        change_from(at_us);
        outlook *after = look(until_us, small, NULL);
        ask(after, asked, NULL, &b);
        assert_memory_equal(&a, &b, sizeof a);
        size_t same = 0;
        for (size_t i = 0; i < outlook_count(before) && outlook_cut_us(before, i) <= at_us;
             i++, same++)
            assert_same_network(before, after, i);
        assert_true(same > 0);
        outlook_free(before);
        outlook_free(after);
    }
    (void)unmake(NULL);
    (void)make(NULL);
}

static void an_event_before_the_moment_does_change_them(void **state)
{
    (void)state;
    answers a, b;
    int64_t at_us = coupon_start_us(3);
    outlook *before = look(at_us, small, NULL);
    ask(before, 3, NULL, &a);
    change_from(at_us - 1);
    outlook *after = look(at_us, small, NULL);
    ask(after, 3, NULL, &b);
    assert_memory_not_equal(a.any, b.any, sizeof a.any);
    assert_memory_not_equal(a.which, b.which, sizeof a.which);
    outlook_free(before);
    outlook_free(after);
    (void)unmake(NULL);
    (void)make(NULL);
}

static void a_question_is_not_answered_by_a_later_network(void **state)
{
    (void)state;
    answers a, b, c;
    outlook *early = look(coupon_start_us(2), small, NULL);
    outlook *late = look(coupon_start_us(6), small, NULL);
    ask(early, 1, NULL, &a); /* the network of campaign 1's start stands in both */
    ask(late, 1, NULL, &b);
    assert_memory_equal(&a, &b, sizeof a);
    ask(early, 6, NULL, &a);
    ask(late, 6, NULL, &c); /* and a later question has a later one */
    assert_memory_not_equal(&a, &c, sizeof a);
    outlook_free(early);
    outlook_free(late);
}

/* --- the same bits ---------------------------------------------------------------- */

static void rows_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    answers alone, many;
    outlook *o = look(coupon_start_us(3), small, NULL);
    ask(o, 3, NULL, &alone);
    for (unsigned threads = 2; threads <= 3; threads++) {
        pool *p = pool_new(threads);
        outlook *again = look(coupon_start_us(3), small, p);
        ask(again, 3, p, &many);
        assert_memory_equal(&alone, &many, sizeof alone);
        outlook_free(again);
        pool_free(p);
    }
    outlook_free(o);
}

static void a_shopper_s_row_is_the_same_alone_and_among_all(void **state)
{
    (void)state;
    answers all;
    float any[OUTLOOK_ANY_FEATURES], which[COUPON_EACH];
    uint32_t promotions[COUPON_EACH];
    outlook *o = look(coupon_start_us(3), small, NULL);
    ask(o, 3, NULL, &all);
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        promotions[i] = 2 * COUPON_EACH + i + 1;
    const response_question q = {promotions, COUPON_EACH, everybody + 11, 1,
                                 coupon_start_us(3)};
    assert_int_equal(outlook_rows(o, &q, NULL, any, which, NULL), PF_OK);
    assert_memory_equal(any, all.any + 11 * OUTLOOK_ANY_FEATURES, sizeof any);
    assert_memory_equal(which, all.which + 11 * COUPON_EACH, sizeof which);
    outlook_free(o);
}

/* --- what it knows ---------------------------------------------------------------- */

static void the_favourite_s_promotion_is_expected_most(void **state)
{
    (void)state;
    answers a;
    unsigned right = 0;
    const char *settings = "width=16,length=32,negatives=32,batch=4,epochs=20";
    outlook *o = look(coupon_start_us(5), settings, NULL);
    ask(o, 5, NULL, &a);
    for (size_t i = 0; i < SHOPPERS; i++) {
        const float *expected = a.which + i * COUPON_EACH;
        size_t best = 0;
        for (size_t k = 1; k < COUPON_EACH; k++)
            if (expected[k] > expected[best])
                best = k;
        const promotion *p = &shop.promotions[4 * COUPON_EACH + best + 1];
        right += (p->scope[0] - 1) / 10 == everybody[i] % 6;
        for (size_t k = 0; k < COUPON_EACH; k++)
            assert_true(isfinite(expected[k]) && expected[k] <= 0);
    }
    if (right < SHOPPERS * 8 / 10)
        fail_msg("%u of %d", right, SHOPPERS);
    outlook_free(o);
}

static void every_feature_has_a_name(void **state)
{
    (void)state;
    for (size_t f = 0; f < OUTLOOK_ANY_FEATURES; f++)
        assert_string_not_equal(outlook_any_name(f), "unknown");
    for (size_t f = 0; f < OUTLOOK_WHICH_FEATURES; f++)
        assert_string_not_equal(outlook_which_name(f), "unknown");
    assert_string_equal(outlook_any_name(OUTLOOK_ANY_FEATURES), "unknown");
    assert_string_equal(outlook_which_name(OUTLOOK_WHICH_FEATURES), "unknown");
}

/* --- what goes wrong -------------------------------------------------------------- */

static void without_purchases_there_is_no_outlook(void **state)
{
    (void)state;
    outlook *o;
    pf_error err = {0};
    outlook_options how = outlook_options_default();
    how.until_us = COUPON_BEGIN_US;
    assert_int_equal(outlook_new(&o, &shop.c, shop.h, NULL, NULL, &how, &err), PF_DATA);
    assert_null(o);
    assert_non_null(strstr(err.message, "nothing was bought"));
}

static void unknown_settings_are_told(void **state)
{
    (void)state;
    outlook *o;
    pf_error err = {0};
    const outlook_options how = {coupon_start_us(2), "wdth=8", 1};
    assert_int_equal(outlook_new(&o, &shop.c, shop.h, NULL, NULL, &how, &err), PF_USAGE);
    assert_null(o);
    assert_non_null(strstr(err.message, "wdth"));
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    const outlook_options how = {coupon_start_us(1) - 40 * US_PER_DAY,
                                 "width=2,length=2,negatives=1,epochs=1,batch=256", 1};
    const uint32_t one = 1;
    const response_question q = {&one, 1, everybody, 1, coupon_start_us(1)};
    while (fault_next(&f)) {
        outlook *o = NULL;
        float any[OUTLOOK_ANY_FEATURES], which[OUTLOOK_WHICH_FEATURES];
        pf_status s = outlook_new(&o, &shop.c, shop.h, NULL, NULL, &how, NULL);
        if (s == PF_OK)
            s = outlook_rows(o, &q, NULL, any, which, NULL);
        assert_int_equal(s, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        outlook_free(o);
    }
    assert_true(f.n > 80);
}

/* --- within response -------------------------------------------------------------- */

static response_data *data_with(const outlook *o)
{
    response_data *d;
    const response_world world = {.catalogue = &shop.c, .history = shop.h, .outlook = o};
    assert_int_equal(response_data_new(&world, &d, NULL), PF_OK);
    return d;
}

static response_model *fit(const response_data *d)
{
    response_model *m;
    response_options o = response_options_default();
    o.learner = RESPONSE_AVERAGE;
    assert_int_equal(response_fit(d, coupon_start_us(6), &o, &m, NULL), PF_OK);
    return m;
}

static uint32_t sixth[COUPON_EACH];

static response_ask ask_sixth(void)
{
    for (uint32_t i = 0; i < COUPON_EACH; i++)
        sixth[i] = 5 * COUPON_EACH + i + 1;
    return (response_ask){6, sixth, COUPON_EACH, everybody, SHOPPERS, coupon_start_us(6)};
}

static void response_learns_from_it_and_its_file_remembers(void **state)
{
    (void)state;
    char folder[] = "/tmp/proffer-outlook-XXXXXX", path[64];
    response_model *back;
    response_scores a, b, c;
    outlook *o = look(coupon_start_us(6), small, NULL);
    response_data *with = data_with(o), *without = data_with(NULL);
    response_model *m = fit(with), *plain = fit(without);
    response_ask who = ask_sixth();
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/m", folder);
    assert_int_equal(response_save(m, path, NULL, NULL), PF_OK);
    assert_int_equal(response_load(path, &back, NULL), PF_OK);
    assert_int_equal(response_score(m, with, &who, &a, NULL), PF_OK);
    assert_int_equal(response_score(back, with, &who, &b, NULL), PF_OK);
    assert_int_equal(response_score(plain, without, &who, &c, NULL), PF_OK);
    size_t bytes = (SHOPPERS + 3 * SHOPPERS * COUPON_EACH) * sizeof(float);
    assert_memory_equal(a.any, b.any, bytes);
    assert_memory_not_equal(a.any, c.any, bytes);
    response_scores_free(&a);
    response_scores_free(&b);
    response_scores_free(&c);
    response_free(m);
    response_free(plain);
    response_free(back);
    response_data_free(with);
    response_data_free(without);
    outlook_free(o);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void a_model_and_data_that_differ_in_it_are_refused(void **state)
{
    (void)state;
    response_scores s;
    response_part part;
    size_t found;
    pf_error err = {0};
    outlook *o = look(coupon_start_us(6), small, NULL);
    response_data *with = data_with(o), *without = data_with(NULL);
    response_model *m = fit(with), *plain = fit(without);
    response_ask who = ask_sixth();
    assert_int_equal(response_score(m, without, &who, &s, &err), PF_USAGE);
    assert_null(s.any);
    assert_non_null(strstr(err.message, "with an outlook"));
    assert_int_equal(response_score(plain, with, &who, &s, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "without an outlook"));
    assert_int_equal(response_explain(plain, with, &who, true, 0, 0, &part, 1, &found, &err),
                     PF_USAGE);
    response_free(m);
    response_free(plain);
    response_data_free(with);
    response_data_free(without);
    outlook_free(o);
}

static void its_features_are_among_the_reasons(void **state)
{
    (void)state;
    response_part parts[128];
    size_t found = 0, named = 0;
    outlook *o = look(coupon_start_us(6), small, NULL);
    response_data *with = data_with(o);
    response_model *m = fit(with);
    response_ask who = ask_sixth();
    assert_int_equal(response_explain(m, with, &who, true, 4, 1, parts, 128, &found, NULL),
                     PF_OK);
    for (size_t i = 0; i < found; i++)
        for (size_t f = 0; f < OUTLOOK_ANY_FEATURES; f++)
            named += !strcmp(parts[i].feature, outlook_any_name(f));
    assert_int_equal(named, OUTLOOK_ANY_FEATURES);
    response_free(m);
    response_data_free(with);
    outlook_free(o);
}

static void every_failed_allocation_of_wide_rows_is_told(void **state)
{
    (void)state;
    outlook *o = look(coupon_start_us(6), small, NULL);
    response_data *with = data_with(o);
    response_model *m = fit(with);
    response_ask who = ask_sixth();
    who.n_shoppers = 1;
    fault f = {0};
    while (fault_next(&f)) {
        response_scores s = {.any = NULL};
        pf_status status = response_score(m, with, &who, &s, NULL);
        assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
        response_scores_free(&s);
    }
    assert_true(f.n > 20);
    response_free(m);
    response_data_free(with);
    outlook_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_offs_are_starts_of_campaigns_and_the_last_moment),
        cmocka_unit_test(before_the_first_cut_off_nothing_is_said),
        cmocka_unit_test(no_event_at_or_after_a_moment_changes_its_networks_or_rows),
        cmocka_unit_test(an_event_before_the_moment_does_change_them),
        cmocka_unit_test(a_question_is_not_answered_by_a_later_network),
        cmocka_unit_test(rows_are_the_same_for_any_number_of_threads),
        cmocka_unit_test(a_shopper_s_row_is_the_same_alone_and_among_all),
        cmocka_unit_test(the_favourite_s_promotion_is_expected_most),
        cmocka_unit_test(every_feature_has_a_name),
        cmocka_unit_test(without_purchases_there_is_no_outlook),
        cmocka_unit_test(unknown_settings_are_told),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(response_learns_from_it_and_its_file_remembers),
        cmocka_unit_test(a_model_and_data_that_differ_in_it_are_refused),
        cmocka_unit_test(its_features_are_among_the_reasons),
        cmocka_unit_test(every_failed_allocation_of_wide_rows_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
