/* The product tree on the coupon shop, and the likeness of scopes against counting. */
#include "check.h"

#include <math.h>

#include "features/product_tree.h"
#include "fixtures/coupon_shop.h"

static int make(void **state)
{
    static coupon_shop s;
    coupon_shop_make(&s);
    *state = &s;
    return 0;
}

static int unmake(void **state)
{
    coupon_shop_free(*state);
    return 0;
}

static void products_stand_at_their_nodes(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    for (uint32_t i = 1; i <= COUPON_PRODUCTS; i++) {
        assert_int_equal(t->node[LEVEL_CATEGORY][i], 3 + (i - 1) / 10);
        assert_int_equal(t->node[LEVEL_DEPARTMENT][i], t->node[LEVEL_CATEGORY][i] % 2 ? 1 : 2);
        for (int level = 0; level < PRODUCT_LEVELS; level++)
            assert_true(t->node[level][i] < t->nodes[level]);
    }
    product_tree_free(t);
}

static void a_family_is_a_category_and_a_maker(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    const uint32_t *f = t->node[LEVEL_FAMILY];
    assert_int_equal(f[1], f[2]);      /* same category, same manufacturer */
    assert_int_not_equal(f[1], f[11]); /* another category */
    assert_int_not_equal(f[1], f[5]);  /* no manufacturer: the brand stands in */
    assert_int_equal(f[5], f[10]);     /* the same brand */
    product_tree_free(t);
}

static void a_sort_is_the_title_before_its_last_comma(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    const char *before = s->products[7].title;
    s->products[7].title = "SORT 1";
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    const uint32_t *f = t->node[LEVEL_SORT];
    assert_int_equal(f[2], f[3]); /* "SORT 1, 1 KG" both */
    assert_int_equal(f[7], f[2]);
    assert_int_not_equal(f[4], f[3]);
    product_tree_free(t);
    s->products[7].title = before;
}

static void a_mix_counts_the_products_of_a_scope(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    for (uint32_t k = 1; k <= COUPON_PROMOTIONS; k++)
        for (int level = 0; level < PRODUCT_LEVELS; level++) {
            const scope_mix *m = &t->mix[level][k];
            uint32_t sum = 0;
            double square = 0;
            for (uint32_t i = 0; i < m->n; i++) {
                assert_true(i == 0 || m->part[i].node > m->part[i - 1].node);
                sum += m->part[i].products;
                square += (double)m->part[i].products * m->part[i].products;
            }
            assert_int_equal(sum, 5);
            assert_true(fabs(m->length - sqrt(square)) < 1e-12);
        }
    product_tree_free(t);
}

static void a_scope_of_everything_is_every_product(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    uint32_t n;
    s->promotions[2].n_scope = s->promotions[9].n_scope = 0;
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    const uint32_t *list = scope_products(t, 2, &n);
    assert_int_equal(n, COUPON_PRODUCTS);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(list[i], i + 1);
    assert_int_equal(t->mix[LEVEL_CATEGORY][2].n, 6);
    assert_int_equal(t->mix[LEVEL_CATEGORY][9].n, 6);
    product_tree_free(t);
    s->promotions[2].n_scope = s->promotions[9].n_scope = 5;
}

static void likeness_is_the_cosine_of_counts(void **state)
{
    (void)state;
    const mix_part a[] = {{1, 3}, {4, 4}}, b[] = {{2, 9}, {4, 2}}, c[] = {{3, 1}};
    const scope_mix x = {a, 2, 5}, y = {b, 2, sqrt(85)}, z = {c, 1, 1}, none = {a, 0, 0};
    assert_true(fabs(scope_mix_cosine(&x, &y) - 8 / (5 * sqrt(85))) < 1e-12);
    assert_true(fabs(scope_mix_cosine(&x, &x) - 1) < 1e-12);
    assert_true(scope_mix_cosine(&x, &z) == 0);
    assert_true(scope_mix_cosine(&x, &none) == 0);
}

static void the_leading_brand_has_most_products(void **state)
{
    coupon_shop *s = *state;
    product_tree *t;
    assert_int_equal(product_tree_new(&s->c, &t, NULL), PF_OK);
    assert_int_equal(t->leading_brand, 1);
    product_tree_free(t);
}

static void a_shop_without_anything_has_a_tree(void **state)
{
    (void)state;
    const product nothing[1] = {{.id = "", .title = "", .attributes = ""}};
    const promotion none[1] = {{.id = ""}};
    const category root[1] = {{"", "", 0, 0}};
    const shop_catalogue c = {.products = nothing, .promotions = none, .categories = root};
    product_tree *t;
    assert_int_equal(product_tree_new(&c, &t, NULL), PF_OK);
    assert_int_equal(t->leading_brand, 0);
    product_tree_free(t);
    product_tree_free(NULL);
}

static void every_failed_allocation_is_told(void **state)
{
    coupon_shop *s = *state;
    fault f = {0};
    while (fault_next(&f)) {
        product_tree *t;
        pf_error err = {0};
        pf_status status = product_tree_new(&s->c, &t, &err);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(t);
            assert_true(err.message[0] != 0);
        }
        product_tree_free(t);
    }
    assert_true(f.n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_stand_at_their_nodes),
        cmocka_unit_test(a_family_is_a_category_and_a_maker),
        cmocka_unit_test(a_sort_is_the_title_before_its_last_comma),
        cmocka_unit_test(a_mix_counts_the_products_of_a_scope),
        cmocka_unit_test(a_scope_of_everything_is_every_product),
        cmocka_unit_test(likeness_is_the_cosine_of_counts),
        cmocka_unit_test(the_leading_brand_has_most_products),
        cmocka_unit_test(a_shop_without_anything_has_a_tree),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
