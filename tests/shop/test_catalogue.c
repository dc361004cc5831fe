/* shop/catalogue.h: scope, life span and attributes of what a catalogue holds. */
#include "check.h"

#include <string.h>

#include "shop/catalogue.h"

static void a_promotion_without_a_scope_covers_every_product(void **state)
{
    (void)state;
    const promotion p = {.n_scope = 0};
    assert_true(promotion_covers(&p, 1));
    assert_true(promotion_covers(&p, UINT32_MAX));
    assert_false(promotion_covers(&p, 0));
}

static void a_scope_covers_exactly_its_products(void **state)
{
    (void)state;
    uint32_t scope[40];
    for (uint32_t n = 1; n <= 40; n++) {
        for (uint32_t i = 0; i < n; i++)
            scope[i] = 3 * i + 2;
        const promotion p = {.scope = scope, .n_scope = n};
        for (uint32_t number = 0; number <= 3 * n + 3; number++)
            assert_int_equal(promotion_covers(&p, number),
                             number % 3 == 2 && number / 3 < n);
    }
}

static void a_scope_that_leads_nowhere_covers_nothing(void **state)
{
    (void)state;
    const uint32_t nothing[1] = {0};
    const promotion p = {.scope = nothing, .n_scope = 1};
    assert_false(promotion_covers(&p, 0));
    assert_false(promotion_covers(&p, 1));
}

static void a_promotion_has_its_tags_and_no_other(void **state)
{
    (void)state;
    const uint32_t tag[] = {2, 3, 7};
    const promotion p = {.tag = tag, .n_tag = 3}, none = {.n_tag = 0};
    for (uint32_t number = 0; number < 10; number++) {
        assert_int_equal(promotion_has_tag(&p, number),
                         number == 2 || number == 3 || number == 7);
        assert_false(promotion_has_tag(&none, number));
    }
}

static void a_tag_is_found_by_its_whole_name(void **state)
{
    (void)state;
    const char *const tags[] = {"", "coffee", "sale"};
    const shop_catalogue c = {.tags = tags, .n_tags = 2}, none = {.n_tags = 0};
    assert_int_equal(catalogue_find_tag(&c, "coffee"), 1);
    assert_int_equal(catalogue_find_tag(&c, "sale"), 2);
    assert_int_equal(catalogue_find_tag(&c, "Sale"), 0);
    assert_int_equal(catalogue_find_tag(&c, "sal"), 0);
    assert_int_equal(catalogue_find_tag(&c, ""), 0);
    assert_int_equal(catalogue_find_tag(&none, "sale"), 0);
}

static void a_promotion_lives_from_its_start_to_before_its_end(void **state)
{
    (void)state;
    const promotion p = {.starts_us = 100, .ends_us = 200};
    assert_false(promotion_is_live(&p, 99));
    assert_true(promotion_is_live(&p, 100));
    assert_true(promotion_is_live(&p, 199));
    assert_false(promotion_is_live(&p, 200));
}

static void open_ends_are_always_live(void **state)
{
    (void)state;
    const promotion ever = {.starts_us = TIME_ABSENT, .ends_us = TIME_ABSENT};
    const promotion until = {.starts_us = TIME_ABSENT, .ends_us = 0};
    const promotion from = {.starts_us = 0, .ends_us = TIME_ABSENT};
    assert_true(promotion_is_live(&ever, INT64_MIN));
    assert_true(promotion_is_live(&ever, INT64_MAX));
    assert_true(promotion_is_live(&until, -1));
    assert_false(promotion_is_live(&until, 0));
    assert_false(promotion_is_live(&from, -1));
    assert_true(promotion_is_live(&from, INT64_MAX));
}

static const char attributes[] =
    "{\"size\":\"6 "
    "OZ\",\"n\":007.50,\"m\":12345678901234567890,\"yes\":true,\"no\":false,"
    "\"nil\":null,\"list\":[1],\"more\":{\"a\":1},\"\\u540d\":\"\\u5976\\u916a\","
    "\"quote\":\"a\\\"b\"}";

static void attributes_are_read_as_text(void **state)
{
    (void)state;
    char into[64];
    static const char good[] =
        "{\"size\":\"6 OZ\",\"m\":12345678901234567890,\"yes\":true,\"no\":false,"
        "\"quote\":\"a\\\"b\",\"\\u540d\":\"\\u5976\\u916a\"}";
    assert_string_equal(attribute_text(good, "size", into, sizeof into), "6 OZ");
    assert_string_equal(attribute_text(good, "m", into, sizeof into),
                        "12345678901234567890");
    assert_string_equal(attribute_text(good, "yes", into, sizeof into), "true");
    assert_string_equal(attribute_text(good, "no", into, sizeof into), "false");
    assert_string_equal(attribute_text(good, "quote", into, sizeof into), "a\"b");
    assert_string_equal(attribute_text(good, "名", into, sizeof into), "奶酪");
}

static void what_is_no_scalar_or_absent_is_empty(void **state)
{
    (void)state;
    char into[64];
    static const char good[] = "{\"nil\":null,\"list\":[1],\"more\":{\"a\":1}}";
    static const char *const names[] = {"nil", "list", "more", "absent", "", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(attribute_text(good, names[i], into, sizeof into), "");
    assert_string_equal(attribute_text("", "a", into, sizeof into), "");
    assert_string_equal(attribute_text(NULL, "a", into, sizeof into), "");
    assert_string_equal(attribute_text("[1]", "a", into, sizeof into), "");
    assert_string_equal(attribute_text("{\"a\":", "a", into, sizeof into), "");
    assert_string_equal(attribute_text(attributes, "size", into, sizeof into), "");
}

static void an_attribute_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char into[16];
    static const char good[] = "{\"a\":\"x奶酪y\"}";
    static const char *const by_size[] = {"",    "",    "x",   "x",     "x",
                                          "x奶", "x奶", "x奶", "x奶酪", "x奶酪y"};
    for (size_t size = 1; size < 10; size++) {
        memset(into, '#', sizeof into);
        attribute_text(good, "a", into, size);
        assert_string_equal(into, by_size[size]);
        assert_int_equal(into[size], '#');
    }
    assert_string_equal(attribute_text(good, "a", into, 0), "");
}

static void a_catalogue_that_was_never_made_is_freed(void **state)
{
    (void)state;
    catalogue_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promotion_without_a_scope_covers_every_product),
        cmocka_unit_test(a_scope_covers_exactly_its_products),
        cmocka_unit_test(a_scope_that_leads_nowhere_covers_nothing),
        cmocka_unit_test(a_promotion_has_its_tags_and_no_other),
        cmocka_unit_test(a_tag_is_found_by_its_whole_name),
        cmocka_unit_test(a_promotion_lives_from_its_start_to_before_its_end),
        cmocka_unit_test(open_ends_are_always_live),
        cmocka_unit_test(attributes_are_read_as_text),
        cmocka_unit_test(what_is_no_scalar_or_absent_is_empty),
        cmocka_unit_test(an_attribute_is_cut_at_a_whole_character),
        cmocka_unit_test(a_catalogue_that_was_never_made_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
