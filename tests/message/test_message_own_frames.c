/*
 * A shop's own frames, from its file to what its shoppers read: replaced and kept keys,
 * words for one promotion, variants in turn, Chinese beside English.
 */
#include "check.h"

#include <string.h>

#include "base/clock.h"
#include "message/message.h"
#include "message/small_shop.h"

static const char file[] =
    "frames:\n"
    "  - id: ours\n"
    "    kind: percent_off\n"
    "    channel: push\n"
    "    language: en\n"
    "    body: \"{shop} saves you money: {discount} on [{products}|{scope}][ from "
    "{minimum}]\"\n"
    "  - id: ours-short\n"
    "    version: 4\n"
    "    kind: percent_off\n"
    "    channel: push\n"
    "    language: en\n"
    "    body: \"{discount}!\"\n"
    "  - id: title-only\n"
    "    kind: percent_off\n"
    "    channel: push\n"
    "    language: en\n"
    "    body: \"{title}: {discount}\"\n"
    "  - id: coffee\n"
    "    kind: money_off\n"
    "    channel: sms\n"
    "    language: zh\n"
    "    promotion: O2\n"
    "    body: \"一杯好咖啡[，{discount}][，{last_day}|，截至{ends}]【{shop}】\"\n"
    "  - id: letter\n"
    "    kind: gift\n"
    "    channel: email\n"
    "    language: en\n"
    "    subject: \"[{discount}|A gift]\"\n"
    "    body: \"Come by for {discount}[ when you spend {minimum}].\"\n";

typedef struct fixture {
    small_shop shop;
    frame_set *frames;
    message_writer *writer;
    arena memory;
} fixture;

static fixture f;

static int setup(void **state)
{
    (void)state;
    pf_error err = {0};
    message_settings settings = message_settings_default();
    settings.shop = "Green Grocer";
    small_shop_init(&f.shop, 10, "CNY");
    arena_init(&f.memory, 1u << 22);
    small_shop_promotion(&f.shop, PROMOTION_PERCENT_OFF)->percent_hundredths = 2500;
    small_shop_promotion(&f.shop, PROMOTION_MONEY_OFF)->value_minor = 500;
    small_shop_promotion(&f.shop, PROMOTION_MONEY_OFF)->value_minor = 500;
    (void)small_shop_promotion(&f.shop, PROMOTION_GIFT);
    if (frame_set_default(&f.frames, &err) != PF_OK ||
        frame_set_parse(f.frames, file, sizeof file - 1, "frames.yaml", &err) != PF_OK)
        fail_msg("%s", err.message);
    return message_writer_new(&f.writer, &f.shop.c, f.frames, &settings, NULL) == PF_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    (void)state;
    message_writer_free(f.writer);
    frame_set_free(f.frames);
    small_shop_free(&f.shop);
    arena_free(&f.memory);
    return 0;
}

static message render(uint32_t promotion_number, channel by, message_language language,
                      uint32_t variant)
{
    message m;
    pf_error err = {0};
    message_request r = {.promotion = promotion_number,
                         .channel = by,
                         .language = language,
                         .variant = variant,
                         .send_at_us = INT64_C(1491000000) * US_PER_SECOND};
    if (message_render(f.writer, &r, &f.memory, &m, &err) != PF_OK)
        fail_msg("%s", err.message);
    return m;
}

static void variants_speak_as_asked(void **state)
{
    (void)state;
    message m = render(1, CHANNEL_PUSH, LANGUAGE_EN, 0);
    assert_string_equal(m.body, "Green Grocer saves you money: 25 % off on everything");
    assert_string_equal(m.frame->id, "ours");
    m = render(1, CHANNEL_PUSH, LANGUAGE_EN, 1);
    assert_string_equal(m.body, "25 % off!");
    assert_int_equal(m.frame->version, 4);
    assert_int_equal(m.variant, 1);
}

static void a_variant_that_lacks_its_fact_passes_its_turn_on(void **state)
{
    (void)state;
    message m = render(1, CHANNEL_PUSH, LANGUAGE_EN, 2);
    assert_int_equal(m.variant, 0); /* there is no title, so the turn comes round */
    f.shop.promotions[1].title = "SPRING SALE";
    m = render(1, CHANNEL_PUSH, LANGUAGE_EN, 2);
    assert_string_equal(m.body, "Spring sale: 25 % off");
    m = render(1, CHANNEL_PUSH, LANGUAGE_EN, 5);
    assert_int_equal(m.variant, 2); /* beyond the last one counts on from the first */
}

static void a_variant_without_room_for_the_condition_passes_too(void **state)
{
    (void)state;
    f.shop.promotions[1].minimum_purchase_minor = 10000;
    for (uint32_t wanted = 0; wanted < 3; wanted++) {
        message m = render(1, CHANNEL_PUSH, LANGUAGE_EN, wanted);
        assert_int_equal(m.variant, 0);
        assert_non_null(strstr(m.body, "from ¥100.00"));
    }
}

static void keys_that_the_file_does_not_name_keep_the_built_in_words(void **state)
{
    (void)state;
    message m = render(1, CHANNEL_PUSH, LANGUAGE_ZH, 0);
    assert_string_equal(m.frame->id, "percent_off.push.zh.plain");
    assert_string_equal(m.body, "全部商品 7.5折。");
    m = render(1, CHANNEL_SITE, LANGUAGE_EN, 0);
    assert_string_equal(m.frame->id, "percent_off.site.en.plain");
}

static void words_for_one_promotion_are_for_that_one_alone(void **state)
{
    (void)state;
    message m = render(2, CHANNEL_SMS, LANGUAGE_ZH, 0);
    assert_string_equal(m.body, "一杯好咖啡，立减¥5.00【Green Grocer】");
    m = render(3, CHANNEL_SMS, LANGUAGE_ZH, 0);
    assert_string_equal(m.frame->id, "money_off.sms.zh.plain");
    m = render(2, CHANNEL_SMS, LANGUAGE_EN, 0);
    assert_string_equal(m.frame->id, "money_off.sms.en.plain");
}

static void an_own_email_has_an_own_subject(void **state)
{
    (void)state;
    message m = render(4, CHANNEL_EMAIL, LANGUAGE_EN, 0);
    assert_string_equal(m.subject, "A free gift");
    assert_string_equal(m.body, "Come by for a free gift.");
    f.shop.promotions[4].minimum_purchase_minor = 5000;
    f.shop.promotions[4].value_minor = 990;
    m = render(4, CHANNEL_EMAIL, LANGUAGE_EN, 0);
    assert_string_equal(m.subject, "A free gift worth ¥9.90");
    assert_string_equal(m.body,
                        "Come by for a free gift worth ¥9.90 when you spend ¥50.00.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(variants_speak_as_asked),
        TEST(a_variant_that_lacks_its_fact_passes_its_turn_on),
        TEST(a_variant_without_room_for_the_condition_passes_too),
        TEST(keys_that_the_file_does_not_name_keep_the_built_in_words),
        TEST(words_for_one_promotion_are_for_that_one_alone),
        TEST(an_own_email_has_an_own_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
