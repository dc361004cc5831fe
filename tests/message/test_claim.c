/* The words of a frame may not hold facts of their own, however they are written. */
#include "check.h"

#include <string.h>

#include "message/claim.h"

static void refused(const char *words)
{
    if (claim_find(words, strlen(words)) == NULL) fail_msg("let through: %s", words);
}

static void allowed(const char *words)
{
    const char *why = claim_find(words, strlen(words));
    if (why != NULL) fail_msg("refused: %s (%s)", words, why);
}

static void digits_of_every_kind_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Save 10 now", "only 3 left", "save １０", "①",
                                        "²",           "½ the price", "٣",         "९",
                                        "Ⅳ",           "𝟏𝟎"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(wrong[i]);
}

static void signs_of_percent_and_currency_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"ten %",  "ten ％", "ten ‰", "$ off",
                                        "five €", "£",      "¥",     "￥",
                                        "₹",      "＄",     "﹩",    "﹪"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(wrong[i]);
}

static void chinese_fractions_of_a_price_are_refused(void **state)
{
    (void)state;
    refused("八折优惠");
    refused("五折起");
    refused("全场打折");
}

static void urgency_is_refused_in_any_case_and_language(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Hurry!",     "LAST CHANCE",      "Today only", "ends soon", "Limited time offer",
        "Don't miss", "限时抢购",         "最后机会",   "今天截止",  "抓紧时间",
        "售完即止",   "While stocks last"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(wrong[i]);
}

static void plain_words_are_allowed(void **state)
{
    (void)state;
    static const char *const fine[] = {"",
                                       "Good news: ",
                                       "为您推荐：",
                                       "until ",
                                       "，截至",
                                       "Dear customer,\n\n",
                                       "We have something for you.",
                                       "您好！",
                                       "sugar-free & fresh",
                                       "É à la carte – “so”"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        allowed(fine[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_of_every_kind_are_refused),
        cmocka_unit_test(signs_of_percent_and_currency_are_refused),
        cmocka_unit_test(chinese_fractions_of_a_price_are_refused),
        cmocka_unit_test(urgency_is_refused_in_any_case_and_language),
        cmocka_unit_test(plain_words_are_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
