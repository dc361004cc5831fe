/* Words of product texts: folding, numbers, plurals, Chinese pairs, odd bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "language/words.h"

typedef struct list {
    char joined[8192]; /* words with '|' between */
    size_t n, words, maximum;
} list;

static bool take(void *context, const char *word, size_t n)
{
    list *l = context;
    assert_true(n > 0 && n <= WORD_BYTES);
    if (l->words == l->maximum) return false;
    if (l->n + n + 1 < sizeof l->joined)
        l->n += (size_t)snprintf(l->joined + l->n, sizeof l->joined - l->n, "%s%.*s",
                                 l->words > 0 ? "|" : "", (int)n, word);
    l->words++;
    return true;
}

static void check(const char *t, const char *expected)
{
    list l = {.maximum = SIZE_MAX};
    assert_true(words_of(text_of(t), take, &l));
    assert_string_equal(l.joined, expected);
}

static void case_accents_and_width_are_folded(void **state)
{
    (void)state;
    check("Caf\u00e9 CAF\u00c9 \uff23\uff21\uff26\uff25", "cafe|cafe|cafe");
    check("Cre\u0301me", "creme");
    check("\u0141\u00f3d\u017a \u0160koda \u00d8rsted", "lodz|skoda|orsted");
    check("\u00c6ON \u0152uvre", "\u00e6on|\u0152uvre");
    check("\u039a\u03b1\u03c6\u03ad \u041f\u0418\u0412\u041e",
          "\u03ba\u03b1\u03c6\u03ad|\u043f\u0438\u0432\u043e");
}

static void numbers_and_letters_are_words_of_their_own(void **state)
{
    (void)state;
    check("500ml 500 ml", "500|ml|500|ml");
    check("5.5L, 1.2.3", "5.5|l|1.2|3");
    check("v2. 7", "v|2|7");
    check("\uff15\uff0e\uff15", "5.5");
}

static void punctuation_separates_and_apostrophes_do_not(void **state)
{
    (void)state;
    check("Bath & Body/Soap-dish_x", "bath|body|soap|dish|x");
    check("kid's Women\u2019s o'clock '", "kid|women|oclock");
    check("\u2615\ufe0f10 % OFF!!\U0001F600", "10|off");
    check("", "");
    check(" \t\n...", "");
}

static void english_plurals_meet_their_singulars(void **state)
{
    (void)state;
    check("boots shoes headphones", "boot|shoe|headphone");
    check("batteries battery", "battery|battery");
    check("glass bus its gas trees", "glass|bus|its|gas|tree");
    check("boxes", "boxe");
    check("caf\u00e9s", "cafe");
    check("\u0444s", "\u0444s");
}

static void chinese_gives_characters_and_pairs(void **state)
{
    (void)state;
    check("\u4fdd\u6e29\u676f", "\u4fdd|\u6e29|\u4fdd\u6e29|\u676f|\u6e29\u676f");
    check("\u676f500ml\u5927", "\u676f|500|ml|\u5927");
    check("\u676f\uff0c\u5927", "\u676f|\u5927");
    check("\u676f \u5927", "\u676f|\u5927");
    check("\u30ab\u30c3\u30d7", "\u30ab|\u30c3|\u30ab\u30c3|\u30d7|\u30c3\u30d7");
    check("\ud55c\uad6d", "\ud55c|\uad6d|\ud55c\uad6d");
    check("\U00020000\U00020001", "\U00020000|\U00020001|\U00020000\U00020001");
}

static void wrong_bytes_separate(void **state)
{
    (void)state;
    list l = {.maximum = SIZE_MAX};
    check("ab\xff"
          "cd\xe4\xb8",
          "ab|cd");
    check("\xf0\x9f\x98", "");
    assert_true(words_of((text){"a\0b", 3}, take, &l));
    assert_string_equal(l.joined, "a|b");
}

static void long_words_are_cut_at_whole_characters(void **state)
{
    (void)state;
    char t[400];
    list l = {.maximum = SIZE_MAX};
    memset(t, 'x', 300);
    assert_true(words_of((text){t, 300}, take, &l));
    assert_int_equal(l.n, WORD_BYTES);
    l = (list){.maximum = SIZE_MAX};
    for (size_t i = 0; i < 400; i += 2)
        memcpy(t + i, "\u0444", 2);
    assert_true(words_of((text){t, 400}, take, &l));
    assert_true(utf8_check(l.joined, l.n, NULL));
    assert_int_equal(l.words, 1);
}

static void a_sink_can_stop(void **state)
{
    (void)state;
    for (size_t maximum = 0; maximum < 5; maximum++) {
        list l = {.maximum = maximum};
        assert_false(words_of(text_of("\u4fdd\u6e29\u676f"), take, &l));
        assert_int_equal(l.words, maximum);
    }
}

static void any_bytes_give_checked_words_without_allocation(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (int round = 0; round < 2000; round++) {
        char t[24];
        list l = {.maximum = SIZE_MAX};
        for (size_t i = 0; i < sizeof t; i++) {
            x = x * 1664525 + 1013904223;
            t[i] = (char)(x >> 24);
        }
        mem_guard_enter();
        assert_true(words_of((text){t, sizeof t}, take, &l));
        mem_guard_leave();
        assert_true(utf8_check(l.joined, l.n, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_accents_and_width_are_folded),
        cmocka_unit_test(numbers_and_letters_are_words_of_their_own),
        cmocka_unit_test(punctuation_separates_and_apostrophes_do_not),
        cmocka_unit_test(english_plurals_meet_their_singulars),
        cmocka_unit_test(chinese_gives_characters_and_pairs),
        cmocka_unit_test(wrong_bytes_separate),
        cmocka_unit_test(long_words_are_cut_at_whole_characters),
        cmocka_unit_test(a_sink_can_stop),
        cmocka_unit_test(any_bytes_give_checked_words_without_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
