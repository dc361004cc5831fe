/* Parts of interactions, purchases of a history, the share of repeats. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "recommend/interactions.h"

static const uint64_t first[] = {0, 4, 6, 6, 7};
static const uint32_t product[] = {0, 1, 0, 2, 1, 1, 2};
static const int64_t time_us[] = {1, 2, 3, 4, 5, 6, 7};
static const float rating[] = {1, 2, 3, 4, 5, 1, 2}, quantity[] = {9, 8, 7, 6, 5, 4, 3};
static const uint64_t basket[] = {1, 1, 2, 2, 3, 4, 5};
static const interactions all = {.n_users = 4,
                                 .n_products = 3,
                                 .n = 7,
                                 .first = first,
                                 .product = product,
                                 .time_us = time_us,
                                 .quantity = quantity,
                                 .rating = rating,
                                 .basket = basket};

static void the_last_events_are_left_out_of_long_enough_pasts(void **state)
{
    (void)state;
    interactions_owned *x = NULL;
    assert_int_equal(interactions_without_last(&all, 2, 3, &x, NULL), PF_OK);
    assert_int_equal(x->view.n, 5);
    assert_memory_equal(x->view.first, ((const uint64_t[]){0, 2, 4, 4, 5}), 5 * 8);
    assert_memory_equal(x->view.product, ((const uint32_t[]){0, 1, 1, 1, 2}), 5 * 4);
    assert_memory_equal(x->view.time_us, ((const int64_t[]){1, 2, 5, 6, 7}), 5 * 8);
    assert_memory_equal(x->view.quantity, ((const float[]){9, 8, 5, 4, 3}), 5 * 4);
    assert_memory_equal(x->view.rating, ((const float[]){1, 2, 5, 1, 2}), 5 * 4);
    assert_memory_equal(x->view.basket, ((const uint64_t[]){1, 1, 3, 4, 5}), 5 * 8);
    interactions_free(x);
}

static void columns_that_are_absent_stay_absent(void **state)
{
    (void)state;
    interactions bare = all;
    interactions_owned *x = NULL;
    bare.time_us = NULL;
    bare.rating = NULL;
    bare.quantity = NULL;
    bare.basket = NULL;
    assert_int_equal(interactions_without_last(&bare, 1, 1, &x, NULL), PF_OK);
    assert_int_equal(x->view.n, 4);
    assert_null(x->view.time_us);
    assert_null(x->view.rating);
    assert_null(x->view.quantity);
    assert_null(x->view.basket);
    interactions_free(x);
    interactions_free(NULL);
}

static void a_repeat_is_a_product_the_same_shopper_took_before(void **state)
{
    (void)state;
    assert_true(fabs(interactions_repeat_share(&all) - 2.0 / 7) < 1e-12);
    interactions none = all;
    none.n = 0;
    assert_true(interactions_repeat_share(&none) == 0);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        interactions_owned *x = NULL;
        pf_status s = interactions_without_last(&all, 1, 2, &x, NULL);
        if (s == PF_OK && isnan(interactions_repeat_share(&x->view))) s = PF_NO_MEMORY;
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        interactions_free(x);
    }
    assert_true(f.n > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_events_are_left_out_of_long_enough_pasts),
        cmocka_unit_test(columns_that_are_absent_stay_absent),
        cmocka_unit_test(a_repeat_is_a_product_the_same_shopper_took_before),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
