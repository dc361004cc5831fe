/* Numbers, dates and lists as English and Chinese write them. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "message/wording.h"

static arena memory;
static currency dollars;

static int setup(void **state)
{
    (void)state;
    arena_init(&memory, 1u << 20);
    assert_true(currency_find("USD", 3, &dollars));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

static wording in(message_language language)
{
    return (wording){language, &dollars, &memory, false};
}

static void check_percent(int32_t hundredths, const char *en, const char *zh)
{
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    assert_string_equal(wording_percent(&e, hundredths), en);
    assert_string_equal(wording_percent(&z, hundredths), zh);
}

static void chinese_says_what_is_left_to_pay_in_tenths(void **state)
{
    (void)state;
    check_percent(1000, "10 % off", "9折");
    check_percent(1500, "15 % off", "8.5折");
    check_percent(2000, "20 % off", "8折");
    check_percent(5000, "50 % off", "5折");
    check_percent(500, "5 % off", "9.5折");
    check_percent(1250, "12.5 % off", "8.75折");
    check_percent(1525, "15.25 % off", "8.475折");
    check_percent(9000, "90 % off", "1折");
    check_percent(9500, "95 % off", "0.5折");
    check_percent(3333, "33.33 % off", "6.667折");
    check_percent(1, "0.01 % off", "9.999折");
    check_percent(10000, "100 % off", "免费");
}

static void every_percentage_says_its_exact_remainder(void **state)
{
    (void)state;
    for (int32_t h = 1; h < 10000; h++) {
        wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
        double off = 0, left = 0;
        assert_int_equal(sscanf(wording_percent(&e, h), "%lf %% off", &off), 1);
        assert_int_equal(sscanf(wording_percent(&z, h), "%lf", &left), 1);
        assert_true(off > h / 100.0 - 1e-9 && off < h / 100.0 + 1e-9);
        assert_true(left * 10 > 100 - off - 1e-9 && left * 10 < 100 - off + 1e-9);
        arena_reset(&memory);
    }
}

static promotion offer(promotion_kind kind, int32_t percent, int64_t value)
{
    return (promotion){.kind = kind, .percent_hundredths = percent, .value_minor = value};
}

static void check_discount(promotion p, const char *en, const char *zh)
{
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    const char *got_en = wording_discount(&e, &p), *got_zh = wording_discount(&z, &p);
    if (en == NULL) {
        assert_null(got_en);
        assert_null(got_zh);
        assert_false(e.failed || z.failed);
        return;
    }
    assert_string_equal(got_en, en);
    assert_string_equal(got_zh, zh);
}

static void every_kind_says_what_it_gives(void **state)
{
    (void)state;
    check_discount(offer(PROMOTION_PERCENT_OFF, 1000, MONEY_ABSENT), "10 % off", "9折");
    check_discount(offer(PROMOTION_MONEY_OFF, 0, 200), "$2.00 off", "立减$2.00");
    check_discount(offer(PROMOTION_BOGO, 0, MONEY_ABSENT), "buy one, get one free",
                   "买一送一");
    check_discount(offer(PROMOTION_FREE_SHIPPING, 0, MONEY_ABSENT), "free delivery",
                   "免运费");
    check_discount(offer(PROMOTION_GIFT, 0, 500), "a free gift worth $5.00",
                   "价值$5.00的赠品");
    check_discount(offer(PROMOTION_GIFT, 0, MONEY_ABSENT), "a free gift", "赠品一份");
    check_discount(offer(PROMOTION_POINTS, 0, 300), "extra points", "额外积分");
}

static void a_value_that_is_unknown_or_mad_is_never_stated(void **state)
{
    (void)state;
    check_discount(offer(PROMOTION_PERCENT_OFF, 0, 200), NULL, NULL);
    check_discount(offer(PROMOTION_PERCENT_OFF, -100, 200), NULL, NULL);
    check_discount(offer(PROMOTION_PERCENT_OFF, 10001, 200), NULL, NULL);
    check_discount(offer(PROMOTION_MONEY_OFF, 1000, MONEY_ABSENT), NULL, NULL);
    check_discount(offer(PROMOTION_MONEY_OFF, 0, 0), NULL, NULL);
    check_discount(offer(PROMOTION_MONEY_OFF, 0, -5), NULL, NULL);
    check_discount(offer(PROMOTION_INFORMATIONAL, 1000, 200), NULL, NULL);
}

/* 2017-04-10 00:00 UTC, so that the last day is 9 April. */
static const int64_t ends = INT64_C(1491782400) * US_PER_SECOND;

static void the_last_day_is_the_one_before_an_exclusive_end(void **state)
{
    (void)state;
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    int64_t now = ends - 20 * US_PER_DAY;
    assert_string_equal(wording_last_day(&e, ends, now, NULL), "9 April");
    assert_string_equal(wording_last_day(&z, ends, now, NULL), "4月9日");
    assert_string_equal(wording_last_day(&e, ends + 1, now, NULL), "10 April");
}

static void another_year_is_said(void **state)
{
    (void)state;
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    int64_t now = ends - 200 * US_PER_DAY;
    assert_string_equal(wording_last_day(&e, ends, now, NULL), "9 April 2017");
    assert_string_equal(wording_last_day(&z, ends, now, NULL), "2017年4月9日");
}

static void an_end_that_is_open_or_past_has_no_date(void **state)
{
    (void)state;
    wording e = in(LANGUAGE_EN);
    assert_null(wording_last_day(&e, TIME_ABSENT, ends, NULL));
    assert_null(wording_last_day(&e, ends, ends, NULL));
    assert_null(wording_last_day(&e, ends, ends + 1, NULL));
    assert_false(e.failed);
}

static void the_date_is_that_of_the_shoppers_zone(void **state)
{
    (void)state;
    zone *z = NULL;
    wording e = in(LANGUAGE_EN);
    if (zone_open(&z, "Asia/Shanghai", NULL) != PF_OK) skip();
    assert_string_equal(wording_last_day(&e, ends, ends - US_PER_DAY, z), "10 April");
    zone_free(z);
}

static void urgency_is_said_on_the_last_day_only(void **state)
{
    (void)state;
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    assert_string_equal(wording_urgency(&e, ends, ends - US_PER_HOUR, NULL),
                        "today is the last day");
    assert_string_equal(wording_urgency(&z, ends, ends - US_PER_DAY, NULL),
                        "今天是最后一天");
    assert_null(wording_urgency(&e, ends, ends - US_PER_DAY - 1, NULL));
    assert_null(wording_urgency(&e, ends, ends, NULL));
    assert_null(wording_urgency(&e, TIME_ABSENT, ends, NULL));
}

static void lists_of_one_to_three_names(void **state)
{
    (void)state;
    static const char *const names[] = {"A", "B", "C"};
    wording e = in(LANGUAGE_EN), z = in(LANGUAGE_ZH);
    assert_string_equal(wording_list(&e, names, 1, false), "A");
    assert_string_equal(wording_list(&e, names, 2, false), "A and B");
    assert_string_equal(wording_list(&e, names, 3, false), "A, B and C");
    assert_string_equal(wording_list(&e, names, 1, true), "A and more");
    assert_string_equal(wording_list(&e, names, 3, true), "A, B, C and more");
    assert_string_equal(wording_list(&z, names, 1, true), "A等");
    assert_string_equal(wording_list(&z, names, 2, false), "A和B");
    assert_string_equal(wording_list(&z, names, 3, false), "A、B和C");
    assert_string_equal(wording_list(&z, names, 3, true), "A、B、C等");
}

static void short_memory_is_remembered(void **state)
{
    (void)state;
    arena tiny;
    arena_init(&tiny, 1);
    wording e = {LANGUAGE_EN, &dollars, &tiny, false};
    assert_null(wording_percent(&e, 1000));
    assert_true(e.failed);
    arena_free(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chinese_says_what_is_left_to_pay_in_tenths),
        cmocka_unit_test(every_percentage_says_its_exact_remainder),
        cmocka_unit_test(every_kind_says_what_it_gives),
        cmocka_unit_test(a_value_that_is_unknown_or_mad_is_never_stated),
        cmocka_unit_test(the_last_day_is_the_one_before_an_exclusive_end),
        cmocka_unit_test(another_year_is_said),
        cmocka_unit_test(an_end_that_is_open_or_past_has_no_date),
        cmocka_unit_test(the_date_is_that_of_the_shoppers_zone),
        cmocka_unit_test(urgency_is_said_on_the_last_day_only),
        cmocka_unit_test(lists_of_one_to_three_names),
        cmocka_unit_test(short_memory_is_remembered),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
