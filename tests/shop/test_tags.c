/* shop/tags.h: which words of a list are tags, and the one form in which they are kept. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "shop/tags.h"

static const char *tidy(const char *words)
{
    static char kept[TAGS_BYTES + 1];
    tag_list list;
    text which;
    assert_int_equal(tag_list_read(&list, text_of(words), &which), TAGS_GOOD);
    text joined = tag_list_join(&list, kept);
    kept[joined.n] = '\0';
    return kept;
}

static void words_between_bars_are_tags(void **state)
{
    (void)state;
    assert_string_equal(tidy("coffee|sale"), "coffee|sale");
    assert_string_equal(tidy("coffee"), "coffee");
    assert_string_equal(tidy("summer sale|tea"), "summer sale|tea");
    assert_string_equal(tidy("\xe5\x92\x96\xe5\x95\xa1|tea"),
                        "tea|\xe5\x92\x96\xe5\x95\xa1");
}

static void order_repeats_blanks_and_spaces_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(tidy("sale|coffee"), "coffee|sale");
    assert_string_equal(tidy(" sale | coffee||sale | "), "coffee|sale");
    assert_string_equal(tidy(""), "");
    assert_string_equal(tidy(" | || "), "");
}

static void case_counts_and_a_beginning_is_not_the_whole(void **state)
{
    (void)state;
    assert_string_equal(tidy("tea|Tea|te"), "Tea|te|tea");
}

static void a_tag_has_at_most_its_bytes(void **state)
{
    (void)state;
    char words[2 * LIMIT_TAG_BYTES + 2];
    tag_list list;
    text which;
    memset(words, 'x', sizeof words);
    words[0] = 'a';
    words[1] = '|';
    text good = {words, 2 + LIMIT_TAG_BYTES}, bad = {words, 3 + LIMIT_TAG_BYTES};
    assert_int_equal(tag_list_read(&list, good, &which), TAGS_GOOD);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.tags[1].n, LIMIT_TAG_BYTES);
    assert_int_equal(tag_list_read(&list, bad, &which), TAG_TOO_LONG);
    assert_int_equal(which.n, LIMIT_TAG_BYTES + 1);
    assert_ptr_equal(which.data, words + 2);
    assert_int_equal(list.n, 1);
}

static void there_are_at_most_so_many_different_ones(void **state)
{
    (void)state;
    char words[1024];
    size_t n = 0;
    tag_list list;
    text which;
    for (unsigned round = 0; round < 2; round++) /* repeats are none */
        for (unsigned i = 0; i < LIMIT_PROMOTION_TAGS; i++)
            n += (size_t)snprintf(words + n, sizeof words - n, "t%u|", i);
    assert_int_equal(tag_list_read(&list, text_of(words), &which), TAGS_GOOD);
    assert_int_equal(list.n, LIMIT_PROMOTION_TAGS);
    (void)snprintf(words + n, sizeof words - n, "last");
    assert_int_equal(tag_list_read(&list, text_of(words), &which), TAGS_TOO_MANY);
    assert_true(text_is(which, "last"));
}

/* The longest list that is taken fits the buffer to the byte. */
static void the_longest_list_fits(void **state)
{
    (void)state;
    static char words[TAGS_BYTES];
    char kept[TAGS_BYTES];
    tag_list list;
    text which;
    memset(words, 'x', sizeof words);
    for (unsigned i = 0; i < LIMIT_PROMOTION_TAGS; i++) {
        words[i * (LIMIT_TAG_BYTES + 1)] = (char)('A' + (int)i);
        words[i * (LIMIT_TAG_BYTES + 1) + LIMIT_TAG_BYTES] = '|';
    }
    text all = {words, sizeof words - 1};
    assert_int_equal(tag_list_read(&list, all, &which), TAGS_GOOD);
    text joined = tag_list_join(&list, kept);
    assert_int_equal(joined.n, sizeof words - 1);
    assert_memory_equal(joined.data, words, joined.n);
}

/* What was read and joined is read the same again, sorted, without blanks or repeats. */
static void any_list_has_one_tidy_form(void **state)
{
    (void)state;
    random_stream r = random_begin(5, 0);
    for (int turn = 0; turn < 3000; turn++) {
        char words[24], once[TAGS_BYTES], twice[TAGS_BYTES];
        tag_list list, again;
        text which;
        size_t n = random_below(&r, sizeof words);
        for (size_t i = 0; i < n; i++)
            words[i] = "ab| "[random_below(&r, 4)];
        assert_int_equal(tag_list_read(&list, (text){words, n}, &which), TAGS_GOOD);
        for (uint32_t i = 0; i < list.n; i++) {
            assert_true(list.tags[i].n > 0);
            assert_true(text_equal(list.tags[i], text_trim(list.tags[i])));
            assert_true(i == 0 || !text_equal(list.tags[i], list.tags[i - 1]));
        }
        text joined = tag_list_join(&list, once);
        assert_int_equal(tag_list_read(&again, joined, &which), TAGS_GOOD);
        assert_int_equal(again.n, list.n);
        assert_true(text_equal(tag_list_join(&again, twice), joined));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_between_bars_are_tags),
        cmocka_unit_test(order_repeats_blanks_and_spaces_do_not_count),
        cmocka_unit_test(case_counts_and_a_beginning_is_not_the_whole),
        cmocka_unit_test(a_tag_has_at_most_its_bytes),
        cmocka_unit_test(there_are_at_most_so_many_different_ones),
        cmocka_unit_test(the_longest_list_fits),
        cmocka_unit_test(any_list_has_one_tidy_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
