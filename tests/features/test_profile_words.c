/* A profile as JSON and by name: both tell the same, and audience rules find all of it. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "features/profile.h"
#include "fixtures/coupon_shop.h"

static coupon_shop shop;
static profile_scratch *scratch;

static int make(void **state)
{
    (void)state;
    coupon_shop_make(&shop);
    assert_int_equal(profile_scratch_new(&shop.c, &scratch, NULL), PF_OK);
    shop.shoppers[9].attributes = "{\"kids\":\"2\",\"age\":\"35-44\"}";
    shop.shoppers[9].language = "zh-CN";
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    profile_scratch_free(scratch);
    coupon_shop_free(&shop);
    return 0;
}

static profile compute(uint32_t who, int64_t at_us)
{
    profile p;
    profile_rules rules = profile_rules_default();
    assert_int_equal(profile_compute(&shop.c, shop.h, who, at_us, &rules, scratch, &p, NULL),
                     PF_OK);
    return p;
}

static const json_value *as_json(const profile *p, arena *memory)
{
    buffer b;
    json_writer w;
    const json_value *tree;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    json_object_begin(&w);
    profile_write_members(p, &shop.c, shop.h, &w);
    json_object_end(&w);
    assert_true(json_finish(&w));
    assert_int_equal(json_parse(memory, b.data, b.length, &tree, NULL), PF_OK);
    buffer_free(&b);
    return tree;
}

static double number_at(const json_value *tree, const char *key)
{
    const json_value *v = json_member(tree, key);
    if (v == NULL)
        fail_msg("no member '%s'", key);
    return v->kind == JSON_NUMBER ? strtod(v->text.data, NULL) : (double)NAN;
}

static void rules_and_json_tell_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {
        "recency_days", "usual_gap_days", "days_overdue", "average_basket", "price_median",
        "discount_share", "coupon_share", "mailed_campaigns", "redeemed_campaigns",
        "trips_28d", "trips_91d", "trips_365d", "lines_28d", "lines_91d", "lines_365d",
        "spend_28d", "spend_91d", "spend_365d", "price_band"};
    arena memory;
    char into[64];
    arena_init(&memory, 1 << 24);
    profile p = compute(9, coupon_start_us(5));
    const json_value *tree = as_json(&p, &memory);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double value = -1;
        const char *words;
        assert_true(profile_value(&p, &shop.c, names[i], &value, &words, into, sizeof into));
        assert_null(words);
        assert_true(fabs(value - number_at(tree, names[i])) < 1e-9 * (1 + fabs(value)));
    }
    arena_free(&memory);
}

static void words_are_found_by_name(void **state)
{
    (void)state;
    profile p = compute(9, coupon_start_us(5));
    static const char *const expected[][2] = {
        {"stage", "active"}, {"favourite_category", "HOUSE > C6"},
        {"unsubscribed", "no"}, {"language", "zh-CN"}, {"kids", "2"}, {"age", "35-44"}};
    for (size_t i = 0; i < 6; i++) {
        double value;
        const char *words;
        char into[64];
        assert_true(profile_value(&p, &shop.c, expected[i][0], &value, &words, into,
                                  sizeof into));
        assert_string_equal(words, expected[i][1]);
    }
}

static void what_is_not_known_is_no_value(void **state)
{
    (void)state;
    profile p = compute(8, COUPON_BEGIN_US - US_PER_DAY);
    static const char *const names[] = {"recency_days", "average_basket", "price_band",
                                        "favourite_category", "language", "kids", "nonsense"};
    for (size_t i = 0; i < 7; i++) {
        double value;
        const char *words;
        char into[64];
        assert_false(profile_value(&p, &shop.c, names[i], &value, &words, into, sizeof into));
    }
}

static void amounts_are_in_units_of_the_currency(void **state)
{
    (void)state;
    profile p = compute(9, coupon_start_us(5));
    double value;
    const char *words;
    assert_true(profile_value(&p, &shop.c, "spend_28d", &value, &words, NULL, 0));
    assert_true(fabs(value * 100 - (double)p.window[0].paid_minor) < 1e-6);
}

static void json_holds_interests_responses_and_live_promotions(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory, 1 << 24);
    profile p = compute(9, coupon_start_us(5)); /* campaign 5 is live from here */
    const json_value *tree = as_json(&p, &memory);
    assert_true(text_is(json_member(tree, "shopper")->text, "s9"));
    assert_true(text_is(json_member(tree, "stage")->text, "active"));
    assert_true(text_is(json_path(tree, "attributes", "kids", NULL)->text, "2"));
    const json_value *liked = json_member(tree, "categories");
    assert_int_equal(liked->kind, JSON_ARRAY);
    assert_true(liked->n >= 1 && liked->n <= PROFILE_INTERESTS);
    assert_true(text_is(json_member(&liked->values[0], "name")->text, "HOUSE > C6"));
    const json_value *live = json_member(tree, "live_promotions");
    assert_true(live->n >= 1);
    for (size_t i = 0; i < live->n; i++)
        assert_true(number_at(&live->values[i], "lines_bought") >= 1);
    const json_value *kind = json_path(tree, "by_kind", "money_off", NULL);
    assert_true(kind == NULL || number_at(kind, "redemptions") >= 1);
    arena_free(&memory);
}

static void a_profile_of_nothing_is_json_with_nulls(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory, 1 << 24);
    profile p = compute(8, COUPON_BEGIN_US - US_PER_DAY);
    const json_value *tree = as_json(&p, &memory);
    assert_int_equal(json_member(tree, "recency_days")->kind, JSON_NULL);
    assert_int_equal(json_member(tree, "price_band")->kind, JSON_NULL);
    assert_int_equal(json_member(tree, "attributes")->kind, JSON_NULL);
    assert_int_equal(json_member(tree, "favourites")->n, 0);
    arena_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_and_json_tell_the_same),
        cmocka_unit_test(words_are_found_by_name),
        cmocka_unit_test(what_is_not_known_is_no_value),
        cmocka_unit_test(amounts_are_in_units_of_the_currency),
        cmocka_unit_test(json_holds_interests_responses_and_live_promotions),
        cmocka_unit_test(a_profile_of_nothing_is_json_with_nulls),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
