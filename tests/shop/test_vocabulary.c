/* shop/vocabulary.h: every number has one word, every word its number, and no other. */
#include "check.h"

#include <string.h>

#include "shop/vocabulary.h"

static void every_event_type_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = EVENT_NONE + 1; i < EVENT_TYPE_COUNT; i++) {
        const char *name = event_type_name((event_type)i);
        assert_non_null(name);
        assert_int_equal(event_type_parse(text_of(name)), i);
    }
    assert_string_equal(event_type_name(EVENT_ADD_TO_CART), "add_to_cart");
    assert_string_equal(event_type_name(EVENT_NONE), "none");
    assert_string_equal(event_type_name((event_type)99), "unknown");
    assert_string_equal(event_type_name((event_type)-1), "unknown");
}

static void every_channel_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = CHANNEL_NONE + 1; i < CHANNEL_COUNT; i++)
        assert_int_equal(channel_parse(text_of(channel_name((channel)i))), i);
    assert_string_equal(channel_name(CHANNEL_WECHAT), "wechat");
    assert_string_equal(channel_name((channel)7), "unknown");
}

static void every_promotion_kind_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < PROMOTION_KIND_COUNT; i++)
        assert_int_equal(
            promotion_kind_parse(text_of(promotion_kind_name((promotion_kind)i))), i);
    assert_string_equal(promotion_kind_name(PROMOTION_FREE_SHIPPING), "free_shipping");
    assert_string_equal(promotion_kind_name((promotion_kind)7), "unknown");
}

static void numbers_in_files_keep_their_meaning(void **state)
{
    (void)state;
    assert_int_equal(EVENT_EXPOSURE, 1);
    assert_int_equal(EVENT_PURCHASE, 5);
    assert_int_equal(EVENT_UNSUBSCRIBE, 10);
    assert_int_equal(CHANNEL_PUSH, 1);
    assert_int_equal(CHANNEL_MAIL, 6);
    assert_int_equal(PROMOTION_POINTS, 6);
}

static void words_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"",        "none",      "Purchase", "purchase ",
                                        "purchas", "purchases", "unknown",  "\xff"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(event_type_parse(text_of(words[i])), EVENT_NONE);
        assert_int_equal(channel_parse(text_of(words[i])), CHANNEL_NONE);
        assert_int_equal(promotion_kind_parse(text_of(words[i])), -1);
    }
    assert_int_equal(event_type_parse((text){"view\0", 5}), EVENT_NONE);
}

static void sets_are_read_with_any_separator(void **state)
{
    (void)state;
    channel_set set = 77;
    const channel_set both = 1u << CHANNEL_PUSH | 1u << CHANNEL_EMAIL;
    assert_true(channel_set_parse(text_of("email|push"), &set));
    assert_int_equal(set, both);
    assert_true(channel_set_parse(text_of(" push , email,email "), &set));
    assert_int_equal(set, both);
    assert_true(channel_set_parse(text_of("email\tpush"), &set));
    assert_int_equal(set, both);
    assert_true(channel_set_parse(text_of(" | "), &set));
    assert_int_equal(set, 0);
    assert_true(channel_set_parse(text_of(""), &set));
    assert_int_equal(set, 0);
}

static void a_set_with_an_unknown_word_changes_nothing(void **state)
{
    (void)state;
    channel_set set = 77;
    assert_false(channel_set_parse(text_of("email|fax"), &set));
    assert_false(channel_set_parse(text_of("none"), &set));
    assert_false(channel_set_parse(text_of("email;push"), &set));
    assert_int_equal(set, 77);
}

static void every_set_reads_back_as_it_was_written(void **state)
{
    (void)state;
    char words[CHANNEL_SET_TEXT_BYTES];
    for (channel_set set = 0; set <= CHANNEL_SET_ALL; set += 2) {
        channel_set again = 99;
        const char *got = channel_set_format(set, words, sizeof words);
        assert_ptr_equal(got, words);
        assert_true(channel_set_parse(text_of(words), &again));
        assert_int_equal(again, set);
    }
    assert_string_equal(channel_set_format(CHANNEL_SET_ALL, words, sizeof words),
                        "push|email|sms|site|wechat|mail");
}

static void a_small_buffer_gets_whole_words(void **state)
{
    (void)state;
    char words[CHANNEL_SET_TEXT_BYTES];
    for (size_t size = 1; size < sizeof words; size++) {
        memset(words, '#', sizeof words);
        channel_set again;
        channel_set_format(CHANNEL_SET_ALL, words, size);
        assert_true(strlen(words) < size);
        assert_true(channel_set_parse(text_of(words), &again));
        assert_int_equal(words[size], '#');
    }
    assert_string_equal(channel_set_format(CHANNEL_SET_ALL, words, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_type_is_found_by_its_name),
        cmocka_unit_test(every_channel_is_found_by_its_name),
        cmocka_unit_test(every_promotion_kind_is_found_by_its_name),
        cmocka_unit_test(numbers_in_files_keep_their_meaning),
        cmocka_unit_test(words_that_are_none_are_refused),
        cmocka_unit_test(sets_are_read_with_any_separator),
        cmocka_unit_test(a_set_with_an_unknown_word_changes_nothing),
        cmocka_unit_test(every_set_reads_back_as_it_was_written),
        cmocka_unit_test(a_small_buffer_gets_whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
