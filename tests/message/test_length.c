/* Lengths are measured as each channel measures them. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "message/length.h"

/* n times a character. */
static char *repeat(const char *character, size_t n)
{
    size_t m = strlen(character);
    char *words = malloc(n * m + 1);
    assert_non_null(words);
    for (size_t i = 0; i < n; i++)
        memcpy(words + i * m, character, m);
    words[n * m] = '\0';
    return words;
}

static void check(channel c, const char *character, size_t most)
{
    char *longest = repeat(character, most), *over = repeat(character, most + 1);
    assert_true(length_fits(c, longest, strlen(longest)));
    assert_false(length_fits(c, over, strlen(over)));
    free(longest);
    free(over);
}

static void an_sms_in_the_gsm_alphabet_has_160_characters(void **state)
{
    (void)state;
    check(CHANNEL_SMS, "a", 160);
    check(CHANNEL_SMS, "é", 160);
    check(CHANNEL_SMS, "\n", 160);
    check(CHANNEL_SMS, "Ω", 160);
}

static void gsm_extension_characters_count_twice(void **state)
{
    (void)state;
    check(CHANNEL_SMS, "€", 80);
    check(CHANNEL_SMS, "[", 80);
    check(CHANNEL_SMS, "~", 80);
}

static void an_sms_with_any_other_character_has_70_units(void **state)
{
    (void)state;
    check(CHANNEL_SMS, "奶", 70);
    check(CHANNEL_SMS, "`", 70);
    check(CHANNEL_SMS, "ô", 70); /* not in the table, though most of Latin-1 is */
    check(CHANNEL_SMS, "😀", 35); /* a pair of UTF-16 units */
}

static void one_such_character_changes_the_measure_of_the_whole(void **state)
{
    (void)state;
    char *words = repeat("a", 71);
    assert_true(length_fits(CHANNEL_SMS, words, 71));
    free(words);
    words = repeat("a", 80);
    memcpy(words, "奶", 3);
    assert_false(length_fits(CHANNEL_SMS, words, strlen(words)));
    free(words);
}

static void other_channels_count_characters_not_bytes(void **state)
{
    (void)state;
    check(CHANNEL_PUSH, "奶", 120);
    check(CHANNEL_SITE, "a", 90);
    check(CHANNEL_WECHAT, "酪", 200);
    check(CHANNEL_MAIL, "é", 600);
    check(CHANNEL_EMAIL, "a", 2000);
}

static void a_subject_has_78_characters(void **state)
{
    (void)state;
    char *words = repeat("奶", 79);
    assert_true(length_fits_subject(words, 78 * 3));
    assert_false(length_fits_subject(words, 79 * 3));
    free(words);
}

static void no_channel_takes_nothing(void **state)
{
    (void)state;
    assert_false(length_fits(CHANNEL_NONE, "a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_sms_in_the_gsm_alphabet_has_160_characters),
        cmocka_unit_test(gsm_extension_characters_count_twice),
        cmocka_unit_test(an_sms_with_any_other_character_has_70_units),
        cmocka_unit_test(one_such_character_changes_the_measure_of_the_whole),
        cmocka_unit_test(other_channels_count_characters_not_bytes),
        cmocka_unit_test(a_subject_has_78_characters),
        cmocka_unit_test(no_channel_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
