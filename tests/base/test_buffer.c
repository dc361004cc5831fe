/* base/buffer.h: always terminated, bounded, a failure is remembered. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

static void an_empty_buffer_reads_as_empty_text(void **state)
{
    (void)state;
    buffer b;
    buffer_init(&b, 100);
    assert_string_equal(b.data, "");
    buffer_clear(&b);
    assert_string_equal(b.data, "");
    buffer_free(&b);
    assert_string_equal(b.data, "");
}

static void appends_add_up_and_stay_terminated(void **state)
{
    (void)state;
    buffer b;
    char expected[4096] = "";
    size_t n = 0;
    buffer_init(&b, 4000);
    for (int i = 0; i < 200; i++) {
        assert_true(buffer_append_text(&b, "ab"));
        assert_true(buffer_append_char(&b, 'c'));
        assert_true(buffer_append(&b, "def", 2));
        assert_true(buffer_printf(&b, "%d", i));
        n += (size_t)snprintf(expected + n, sizeof expected - n, "abcde%d", i);
        assert_int_equal(b.length, n);
        assert_string_equal(b.data, expected);
    }
    buffer_free(&b);
}

static void the_maximum_can_be_reached_and_not_passed(void **state)
{
    (void)state;
    for (size_t maximum = 0; maximum < 300; maximum++) {
        buffer b;
        buffer_init(&b, maximum);
        for (size_t i = 0; i < maximum; i++)
            assert_true(buffer_append_char(&b, 'x'));
        assert_false(b.failed);
        assert_false(buffer_append_char(&b, 'y'));
        assert_true(b.failed);
        assert_int_equal(b.length, maximum);
        assert_int_equal(strlen(b.data), maximum);
        buffer_free(&b);
    }
}

static void after_a_failure_what_is_held_stays_a_prefix(void **state)
{
    (void)state;
    buffer b;
    buffer_init(&b, 5);
    assert_true(buffer_append_text(&b, "abc"));
    assert_false(buffer_append_text(&b, "defg"));
    assert_false(buffer_append_text(&b, "h"));
    assert_false(buffer_printf(&b, "i"));
    assert_null(buffer_reserve(&b, 0));
    assert_string_equal(b.data, "abc");
    assert_null(buffer_take(&b));
    buffer_clear(&b);
    assert_true(buffer_append_text(&b, "defgh"));
    assert_string_equal(b.data, "defgh");
    buffer_free(&b);
}

static void printf_of_any_length_fits_or_fails(void **state)
{
    (void)state;
    char words[400];
    memset(words, 'w', sizeof words);
    for (int n = 0; n < 300; n++) {
        buffer b;
        buffer_init(&b, 250);
        assert_true(buffer_printf(&b, "%s", ""));
        assert_int_equal(buffer_printf(&b, "%.*s", n, words), n <= 250);
        assert_int_equal(b.length, n <= 250 ? n : 0);
        assert_int_equal(strlen(b.data), b.length);
        buffer_free(&b);
    }
}

static void reserved_room_can_be_written_by_hand(void **state)
{
    (void)state;
    buffer b;
    buffer_init(&b, 1000);
    char *room = buffer_reserve(&b, 500);
    assert_non_null(room);
    assert_int_equal(b.length, 0);
    memset(room, 'r', 500);
    b.length = 500;
    b.data[b.length] = '\0';
    assert_true(buffer_append_text(&b, "!"));
    assert_int_equal(strlen(b.data), 501);
    buffer_free(&b);
}

static void taking_moves_ownership_and_leaves_an_empty_buffer(void **state)
{
    (void)state;
    buffer b;
    buffer_init(&b, 10);
    char *empty = buffer_take(&b);
    assert_string_equal(empty, "");
    buffer_append_text(&b, "mine");
    char *mine = buffer_take(&b);
    assert_string_equal(mine, "mine");
    assert_string_equal(b.data, "");
    assert_int_equal(b.maximum, 10);
    buffer_append_text(&b, "next");
    assert_string_equal(mine, "mine");
    mem_free(empty);
    mem_free(mine);
    buffer_free(&b);
}

static void a_failed_allocation_is_a_failed_append(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        buffer b;
        buffer_init(&b, 10000);
        for (int i = 0; i < 100; i++)
            buffer_printf(&b, "%04d", i);
        assert_int_equal(b.failed, fault_reached(&f));
        char last[16];
        snprintf(last, sizeof last, "%04d", (int)(b.length / 4) - 1);
        assert_int_equal(b.length % 4, 0);
        assert_true(b.length == 0 || strcmp(b.data + b.length - 4, last) == 0);
        buffer_free(&b);
    }
    assert_true(f.n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
        cmocka_unit_test(appends_add_up_and_stay_terminated),
        cmocka_unit_test(the_maximum_can_be_reached_and_not_passed),
        cmocka_unit_test(after_a_failure_what_is_held_stays_a_prefix),
        cmocka_unit_test(printf_of_any_length_fits_or_fails),
        cmocka_unit_test(reserved_room_can_be_written_by_hand),
        cmocka_unit_test(taking_moves_ownership_and_leaves_an_empty_buffer),
        cmocka_unit_test(a_failed_allocation_is_a_failed_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
