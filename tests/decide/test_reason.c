/* Every reason has a code that reads back and a sentence in each language. */
#include "check.h"

#include <string.h>

#include "base/clock.h"
#include "decide/reason.h"
#include "message/small_shop.h"

static small_shop shop;

static int setup(void **state)
{
    (void)state;
    small_shop_init(&shop, 10, "USD");
    small_shop_promotion(&shop, PROMOTION_GIFT)->title = "Cheese week";
    (void)small_shop_promotion(&shop, PROMOTION_GIFT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    small_shop_free(&shop);
    return 0;
}

static void check(reason_facts f, const char *en, const char *zh)
{
    const char *const expected[] = {en, zh};
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        buffer b;
        buffer_init(&b, 4096);
        reason_words words = {(message_language)language, &shop.c, NULL};
        reason_explain(&f, &words, &b);
        assert_string_equal(b.data, expected[language]);
        buffer_free(&b);
    }
}

static void numbers_are_filled_in(void **state)
{
    (void)state;
    check((reason_facts){.reason = REASON_VALUE_BELOW_ZERO,
                         .gain_minor = 42,
                         .cost_minor = 60},
          "Expected gain 0.42 below the cost 0.60.", "预期收益0.42低于成本0.60。");
    check((reason_facts){.reason = REASON_CHOSEN,
                         .channel = CHANNEL_EMAIL,
                         .gain_minor = 123.4,
                         .cost_minor = 60},
          "Chosen by email: expected gain 1.23, expected cost 0.60.",
          "已选中（email）：预期收益1.23，预期成本0.60。");
    check((reason_facts){.reason = REASON_SHOPPER_LIMIT, .seen = 3, .limit = 2},
          "The shopper redeemed it 3 times; the limit is 2.",
          "该顾客已核销3次，每人上限为2次。");
    check((reason_facts){.reason = REASON_EXPOSURE_CAP, .seen = 4, .limit = 3, .days = 7},
          "The shopper got 4 messages in 7 days; the cap is 3.",
          "该顾客7天内已收到4条消息，上限为3条。");
    check((reason_facts){.reason = REASON_EXPOSURE_CAP, .seen = 1, .limit = 1, .days = 1},
          "The shopper got 1 messages in a day; the cap is 1.",
          "该顾客1天内已收到1条消息，上限为1条。");
}

static void other_promotions_are_called_by_title_or_id(void **state)
{
    (void)state;
    check((reason_facts){.reason = REASON_STACKING, .other = 1},
          "It cannot be combined with \"Cheese week\", which is worth more.",
          "不能与更优的“Cheese week”同时使用。");
    check((reason_facts){.reason = REASON_LOWER_VALUE, .other = 2, .net_minor = 31},
          "Worth 0.31 after the price of the budgets, less than \"O2\".",
          "扣除预算价格后价值0.31，低于“O2”。");
    check((reason_facts){.reason = REASON_STACKING, .other = 77},
          "It cannot be combined with another promotion, which is worth more.",
          "不能与更优的另一促销同时使用。");
}

static void a_budget_is_named_with_its_price(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_BUDGET_EXHAUSTED,
                      .cap = DECIDE_CAP_BUDGET,
                      .price = 1.765,
                      .value_minor = 20,
                      .cost_minor = 30};
    check(
        f,
        "The total budget has better uses: one more unit of it is worth 1.76; this would "
        "bring 0.20 for a cost of 0.30.",
        "总预算有更好的用途：每多一单位值1.76；此项以成本0.30带来0.20。");
    f.cap = DECIDE_CAP_PROMOTION_BUDGET;
    f.other = 1;
    check(f,
          "The budget of \"Cheese week\" has better uses: one more unit of it is worth "
          "1.76; "
          "this would bring 0.20 for a cost of 0.30.",
          "“Cheese week”的预算有更好的用途：每多一单位值1.76；此项以成本0.30带来0.20。");
    f.cap = DECIDE_CAP_CHANNEL_MESSAGES;
    f.cap_channel = CHANNEL_SMS;
    f.price = 250;
    check(f,
          "The number of messages by sms has better uses: one more unit of it is worth "
          "2.50; "
          "this would bring 0.20 for a cost of 0.30.",
          "sms渠道的消息数有更好的用途：每多一单位值2.50；此项以成本0.30带来0.20。");
}

static void a_promotion_out_of_its_time_gives_the_date(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_NOT_LIVE,
                      .time_us = INT64_C(1491782400) * US_PER_SECOND};
    check(f, "Not live at the time of sending: it ended before 2017-04-10.",
          "发送时不在有效期内：已结束于2017-04-10。");
    f.seen = 1;
    check(f, "Not live at the time of sending: it starts on 2017-04-10.",
          "发送时不在有效期内：开始于2017-04-10。");
}

static void every_code_reads_back_and_every_sentence_is_whole(void **state)
{
    (void)state;
    for (int r = 0; r < REASON_COUNT; r++) {
        const char *code = reason_code((decide_reason)r);
        assert_true(code[0] != '\0');
        assert_int_equal(reason_parse(code), r);
        for (int language = 0; language < LANGUAGE_COUNT; language++) {
            buffer b;
            buffer_init(&b, 4096);
            reason_facts f = {.reason = (decide_reason)r,
                              .channel = CHANNEL_PUSH,
                              .cap = DECIDE_CAP_BUDGET};
            reason_words words = {(message_language)language, &shop.c, NULL};
            reason_explain(&f, &words, &b);
            assert_true(b.length > 10);
            assert_null(strpbrk(b.data, "{}"));
            const char *stop = language == LANGUAGE_EN ? "." : "。";
            assert_string_equal(b.data + b.length - strlen(stop), stop);
            buffer_free(&b);
        }
    }
    assert_int_equal(reason_parse("nonsense"), REASON_COUNT);
    assert_string_equal(reason_code(REASON_COUNT), "");
    for (int k = 0; k < DECIDE_CAP_KINDS; k++)
        assert_int_equal(cap_parse(cap_code((decide_cap_kind)k)), k);
    assert_int_equal(cap_parse("nonsense"), DECIDE_CAP_NONE);
}

static void mad_numbers_do_not_break_a_sentence(void **state)
{
    (void)state;
    reason_facts f = {
        .reason = REASON_VALUE_BELOW_ZERO, .gain_minor = -1e300, .cost_minor = 1e300};
    check(f, "Expected gain -10000000000000.00 below the cost 10000000000000.00.",
          "预期收益-10000000000000.00低于成本10000000000000.00。");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_filled_in),
        cmocka_unit_test(other_promotions_are_called_by_title_or_id),
        cmocka_unit_test(a_budget_is_named_with_its_price),
        cmocka_unit_test(a_promotion_out_of_its_time_gives_the_date),
        cmocka_unit_test(every_code_reads_back_and_every_sentence_is_whole),
        cmocka_unit_test(mad_numbers_do_not_break_a_sentence),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
