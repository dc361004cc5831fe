/* What would have to be otherwise: a sentence a reason in each language, with its number. */
#include "check.h"

#include <string.h>

#include "base/clock.h"
#include "decide/what_if.h"
#include "message/small_shop.h"

static small_shop shop;
static const int64_t moment_us = INT64_C(1491782400) * US_PER_SECOND; /* 2017-04-10 00:00 */

static int setup(void **state)
{
    (void)state;
    small_shop_init(&shop, 10, "USD");
    small_shop_promotion(&shop, PROMOTION_GIFT)->title = "Cheese week";
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
        reason_counterfactual(&f, &words, &b);
        assert_string_equal(b.data, expected[language]);
        buffer_free(&b);
    }
}

/* 100 cents are not enough where 100 cents are the cost: 101 are. */
static void what_is_needed_is_the_smallest_amount_that_does(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_VALUE_BELOW_ZERO,
                      .lever = LEVER_LIFT,
                      .needed = 400,
                      .actual = 360,
                      .gain_minor = 90,
                      .cost_minor = 100};
    check(f,
          "It would be worth sending if the spend that it adds were at least 4.01 (it is 3.60).",
          "若其增加的消费至少为4.01（现为3.60），则值得发送。");
    f.lever = LEVER_REDEEM;
    f.needed = 0.11994;
    f.actual = 0.08;
    check(f,
          "It would be worth sending if its chance of being redeemed were at least 12.00 % (it "
          "is 8.00 %).",
          "若核销概率至少为12.00 %（现为8.00 %），则值得发送。");
    f.lever = LEVER_GAIN;
    check(f, "It would be worth sending if its expected gain were above 1.00 (it is 0.90).",
          "若预期收益高于1.00（现为0.90），则值得发送。");
}

static void rivals_are_named(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_LOWER_VALUE,
                      .lever = LEVER_GAIN,
                      .needed = 219.5,
                      .actual = 150,
                      .other = 1};
    check(f,
          "It would be sent if its expected gain were at least 2.20 (it is 1.50), or if \"Cheese "
          "week\", and what else is worth more, were not offered.",
          "若预期收益至少为2.20（现为1.50），或不提供“Cheese week”及其他更优促销，则会发送。");
    f.reason = REASON_STACKING;
    f.lever = LEVER_NONE;
    check(f,
          "It could be sent if \"Cheese week\", and what else is worth more, were not offered.",
          "若不提供“Cheese week”及其他更优促销，则可发送。");
}

static void budgets_say_how_much_more(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_BUDGET_EXHAUSTED,
                      .cap = DECIDE_CAP_BUDGET,
                      .lever = LEVER_GAIN,
                      .needed = 159.9,
                      .actual = 150,
                      .more = 110};
    check(f,
          "It would be sent if its expected gain were at least 1.60 (it is 1.50), or if better "
          "uses left 1.10 more of the total budget.",
          "若预期收益至少为1.60（现为1.50），或更优用途为总预算多留出1.10，则会发送。");
    f.lever = LEVER_NONE;
    f.cap = DECIDE_CAP_PROMOTION_REDEMPTIONS;
    f.other = 1;
    f.more = 0.201;
    check(f,
          "It would be sent if better uses left 0.21 more of the redemption limit of \"Cheese "
          "week\".",
          "若更优用途为“Cheese week”的核销上限多留出0.21，则会发送。");
    f.cap = DECIDE_CAP_MESSAGES;
    f.more = 1;
    check(f, "It would be sent if better uses left 1 more of the number of messages.",
          "若更优用途为消息总数多留出1，则会发送。");
}

static void times_are_told_to_the_minute(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_NOT_LIVE,
                      .from_us = moment_us,
                      .until_us = moment_us + US_PER_DAY};
    check(f, "It could be sent from 2017-04-10 00:00 until 2017-04-11 00:00.",
          "可在2017-04-10 00:00至2017-04-11 00:00之间发送。");
    f.until_us = TIME_ABSENT;
    check(f, "It could be sent from 2017-04-10 00:00 on.", "自2017-04-10 00:00起可发送。");
    f.from_us = TIME_ABSENT;
    f.until_us = moment_us + 8 * US_PER_HOUR;
    check(f, "It could have been sent before 2017-04-10 08:00.",
          "在2017-04-10 08:00之前可发送。");
    f = (reason_facts){.reason = REASON_EXPOSURE_CAP, .time_us = moment_us};
    check(f, "It could be sent from 2017-04-10 00:00 on, if nothing else is sent before.",
          "若此前不再发送其他消息，则自2017-04-10 00:00起可发送。");
}

static void channels_and_comparisons_are_listed(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_NO_CONSENT,
                      .channels = 1u << CHANNEL_EMAIL | 1u << CHANNEL_SMS};
    check(f, "It could be sent if the shopper consented to email or sms.",
          "若该顾客同意email或sms，则可发送。");
    f.channels |= 1u << CHANNEL_PUSH;
    f.reason = REASON_CONSENT_REFUSED;
    check(f, "It could be sent if the shopper had not refused push, email or sms.",
          "若该顾客未拒绝push、email或sms，则可发送。");
    f = (reason_facts){.reason = REASON_NOT_IN_AUDIENCE,
                       .wants = "stage = \"active\"",
                       .has = "\"lapsed\""};
    check(f,
          "It could be sent if this held: stage = \"active\" (the value is \"lapsed\").",
          "若满足stage = \"active\"（现值为\"lapsed\"），则可发送。");
    f.has = NULL;
    check(f, "It could be sent if this held: stage = \"active\" (the value is not known).",
          "若满足stage = \"active\"（现值为未知），则可发送。");
}

static void lots_say_how_many_of_them(void **state)
{
    (void)state;
    reason_facts f = {.reason = REASON_NOT_DRAWN, .propensity = 0.2525};
    check(f, "Another lot would have sent it: 25.2 % of them do.",
          "换一次抽签可能会发送它：25.2 %的签会发送。");
    f.reason = REASON_CHOSEN;
    f.propensity = 0.75;
    check(f, "Another lot could have fallen otherwise: 75 % of them send it.",
          "换一次抽签结果可能不同：75 %的签会发送它。");
    f.propensity = 1;
    f.channel = CHANNEL_EMAIL;
    f.gain_minor = 160;
    f.cost_minor = 79.2;
    check(f, "It would not be sent by email if its expected gain were below 0.80 (it is 1.60).",
          "若预期收益低于0.80（现为1.60），则不会通过email发送。");
}

static void every_reason_has_a_whole_sentence_for_every_lever(void **state)
{
    (void)state;
    for (int r = 0; r < REASON_COUNT; r++)
        for (int lever = 0; lever < LEVER_COUNT; lever++)
            for (int language = 0; language < LANGUAGE_COUNT; language++) {
                buffer b;
                buffer_init(&b, 4096);
                reason_facts f = {.reason = (decide_reason)r,
                                  .lever = (reason_lever)lever,
                                  .cap = DECIDE_CAP_BUDGET,
                                  .channels = CHANNEL_SET_ALL};
                reason_words words = {(message_language)language, &shop.c, NULL};
                reason_counterfactual(&f, &words, &b);
                const char *stop = language == LANGUAGE_EN ? "." : "。";
                assert_true(b.length > 10);
                assert_null(strpbrk(b.data, "{}"));
                assert_string_equal(b.data + b.length - strlen(stop), stop);
                assert_int_equal(lever_parse(lever_code((reason_lever)lever)), lever);
                buffer_free(&b);
            }
    assert_int_equal(lever_parse("crowbar"), LEVER_NONE);
    assert_string_equal(lever_code(LEVER_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_is_the_smallest_amount_that_does),
        cmocka_unit_test(rivals_are_named),
        cmocka_unit_test(budgets_say_how_much_more),
        cmocka_unit_test(times_are_told_to_the_minute),
        cmocka_unit_test(channels_and_comparisons_are_listed),
        cmocka_unit_test(lots_say_how_many_of_them),
        cmocka_unit_test(every_reason_has_a_whole_sentence_for_every_lever),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
