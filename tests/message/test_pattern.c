/* Patterns: parts, choices, slots, escapes; and each way to write one wrongly. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "message/pattern.h"

static arena memory;

static int setup(void **state)
{
    (void)state;
    arena_init(&memory, 8u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

static pattern parse(const char *words)
{
    pattern p;
    pf_error err = {0};
    if (pattern_parse(&p, &memory, words, strlen(words), &err) != PF_OK)
        fail_msg("%s: %s", words, err.message);
    return p;
}

static void wrong(const char *words, uint64_t column, const char *part_of_message)
{
    pattern p;
    pf_error err = {0};
    assert_int_equal(pattern_parse(&p, &memory, words, strlen(words), &err), PF_USAGE);
    if (strstr(err.message, part_of_message) == NULL)
        fail_msg("%s: said '%s'", words, err.message);
    assert_int_equal(err.column, column);
}

static void words_and_slots_alternate(void **state)
{
    (void)state;
    pattern p = parse("Take {discount} now{ends}");
    assert_int_equal(p.n_parts, 1);
    assert_false(p.parts[0].optional);
    const pattern_choice *c = &p.parts[0].choices[0];
    assert_int_equal(c->n_pieces, 4);
    assert_true(text_is(c->pieces[0].words, "Take "));
    assert_int_equal(c->pieces[1].slot, SLOT_DISCOUNT);
    assert_true(text_is(c->pieces[2].words, " now"));
    assert_int_equal(c->pieces[3].slot, SLOT_ENDS);
    assert_int_equal(c->slots, 1u << SLOT_DISCOUNT | 1u << SLOT_ENDS);
}

static void brackets_make_parts_with_choices(void **state)
{
    (void)state;
    pattern p = parse("A[{products}|{category}|all]B");
    assert_int_equal(p.n_parts, 3);
    assert_int_equal(p.parts[1].n_choices, 3);
    assert_int_equal(p.parts[0].n_choices, 1);
}

static void a_part_is_optional_unless_its_last_choice_can_always_be_said(void **state)
{
    (void)state;
    assert_true(parse("[{ends}]").parts[0].optional);
    assert_true(parse("[a|{ends}]").parts[0].optional);
    assert_false(parse("[{ends}|a]").parts[0].optional);
    assert_false(parse("[{products}|{scope}]").parts[0].optional);
    assert_true(parse("[{scope}{ends}]").parts[0].optional);
    /* An empty last choice is a choice like others. */
    pattern p = parse("[Hello|]");
    assert_int_equal(p.parts[0].n_choices, 2);
    assert_int_equal(p.parts[0].choices[1].n_pieces, 0);
}

static void marks_are_written_with_a_backslash(void **state)
{
    (void)state;
    pattern p = parse("a\\{b\\}\\[c\\]\\|\\\\");
    assert_true(text_is(p.parts[0].choices[0].pieces[0].words, "a{b}[c]|\\"));
}

static void every_slot_has_a_name_that_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < SLOT_COUNT; i++) {
        char words[40];
        (void)snprintf(words, sizeof words, "{%s}", slot_name((message_slot)i));
        pattern p = parse(words);
        assert_int_equal(p.parts[0].choices[0].pieces[0].slot, i);
    }
    assert_string_equal(slot_name(SLOT_NONE), "");
}

static void mistakes_are_named_with_their_column(void **state)
{
    (void)state;
    wrong("Save {discout}", 6, "did you mean {discount}?");
    wrong("省 {折扣}", 3, "there is no slot {折扣}; the slots are products");
    wrong("a {discount", 3, "'{' without '}'");
    wrong("a [b", 3, "'[' without ']'");
    wrong("a [b|{ends}", 3, "'[' without ']'");
    wrong("a ]", 3, "without its opening one");
    wrong("a } b", 3, "without its opening one");
    wrong("a | b", 3, "without its opening one");
    wrong("[a[b]]", 3, "a part inside a part");
    wrong("a\\b", 2, "'\\' stands before");
    wrong("a\\", 2, "'\\' stands before");
    wrong("", 1, "there are no words");
    wrong("{}", 1, "there is no slot {}");
}

static void claims_in_the_words_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    wrong("Save 10", 1, "a number of their own");
    wrong("[{discount}|10 off]", 13, "a number of their own");
    wrong("[Hurry!|]{scope}", 2, "{last_day}");
    wrong("a\\|5", 1, "a number of their own");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    pattern p;
    pf_error err = {0};
    assert_int_equal(pattern_parse(&p, &memory, "ab\xFF", 3, &err), PF_USAGE);
    assert_int_equal(err.column, 3);
}

static void limits_hold(void **state)
{
    (void)state;
    static char words[LIMIT_FRAME_BYTES + 2];
    pattern p;
    pf_error err = {0};
    memset(words, 'a', sizeof words);
    assert_int_equal(pattern_parse(&p, &memory, words, LIMIT_FRAME_BYTES, &err), PF_OK);
    assert_int_equal(pattern_parse(&p, &memory, words, LIMIT_FRAME_BYTES + 1, &err),
                     PF_LIMIT);
    size_t n = 0;
    for (unsigned i = 0; i <= LIMIT_FRAME_PARTS; i++, n += 3)
        memcpy(words + n, "[a]", 3);
    assert_int_equal(pattern_parse(&p, &memory, words, n, &err), PF_LIMIT);
    assert_int_equal(pattern_parse(&p, &memory, words, n - 3, &err), PF_OK);
    words[0] = '[';
    for (n = 1; n <= 2 * LIMIT_FRAME_CHOICES; n += 2)
        memcpy(words + n, "a|", 2);
    words[n - 1] = ']';
    assert_int_equal(pattern_parse(&p, &memory, words, n, &err), PF_OK);
    memcpy(words + n - 1, "|]", 2);
    assert_int_equal(pattern_parse(&p, &memory, words, n + 1, &err), PF_LIMIT);
    for (n = 0; n < 6 * 65; n += 6)
        memcpy(words + n, "{shop}", 6);
    assert_int_equal(pattern_parse(&p, &memory, words, n, &err), PF_LIMIT);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char words[] = "A[{products}|{category}]B{ends}";
    fault f = {0};
    while (fault_next(&f)) {
        arena a;
        pattern p;
        arena_init(&a, 1u << 20);
        pf_status s = pattern_parse(&p, &a, words, sizeof words - 1, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        arena_free(&a);
    }
    /* Without the hook: an arena too small by every amount. */
    for (size_t most = 0; most < 800; most += 16) {
        arena a;
        pattern p;
        arena_init(&a, most);
        pf_status s = pattern_parse(&p, &a, words, sizeof words - 1, NULL);
        assert_true(s == PF_OK || s == PF_NO_MEMORY);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_slots_alternate),
        cmocka_unit_test(brackets_make_parts_with_choices),
        cmocka_unit_test(a_part_is_optional_unless_its_last_choice_can_always_be_said),
        cmocka_unit_test(marks_are_written_with_a_backslash),
        cmocka_unit_test(every_slot_has_a_name_that_reads_back),
        cmocka_unit_test(mistakes_are_named_with_their_column),
        cmocka_unit_test(claims_in_the_words_are_refused_wherever_they_stand),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
