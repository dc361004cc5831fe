/* base/json.h, the writer: what it writes is JSON, or it says that it is not. */
#include "check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"

static buffer b;
static json_writer w;

static int begin(void **state)
{
    (void)state;
    buffer_init(&b, 1 << 20);
    json_begin(&w, &b);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_free(&b);
    return 0;
}

static void every_kind_of_value_is_written(void **state)
{
    (void)state;
    json_object_begin(&w);
    json_key(&w, "text");
    json_text(&w, "caf\xC3\xA9");
    json_key(&w, "cut");
    json_text_n(&w, "abcdef", 3);
    json_key(&w, "whole");
    json_integer(&w, INT64_MIN);
    json_key(&w, "number");
    json_number(&w, 0.4925);
    json_key(&w, "list");
    json_array_begin(&w);
    json_boolean(&w, true);
    json_boolean(&w, false);
    json_null(&w);
    json_raw(&w, "{\"made\":1}", 10);
    json_array_begin(&w);
    json_array_end(&w);
    json_object_begin(&w);
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    assert_true(json_finish(&w));
    assert_string_equal(b.data, "{\"text\":\"caf\xC3\xA9\",\"cut\":\"abc\","
                                "\"whole\":-9223372036854775808,\"number\":0.4925,"
                                "\"list\":[true,false,null,{\"made\":1},[],{}]}");
}

static void a_single_value_is_a_text(void **state)
{
    (void)state;
    json_integer(&w, 7);
    assert_true(json_finish(&w));
    assert_string_equal(b.data, "7");
}

static void characters_are_escaped_where_they_must_be(void **state)
{
    (void)state;
    json_text(&w, "\"\\/\b\f\n\r\t\x01\x1F\x7F<>&'");
    assert_true(json_finish(&w));
    assert_string_equal(b.data,
                        "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\\u007f<>&'\"");
}

static void what_json_has_no_number_for_is_null(void **state)
{
    (void)state;
    json_array_begin(&w);
    json_number(&w, NAN);
    json_number(&w, INFINITY);
    json_number(&w, -INFINITY);
    json_number(&w, -0.0);
    json_array_end(&w);
    assert_true(json_finish(&w));
    assert_string_equal(b.data, "[null,null,null,-0]");
}

static void numbers_read_back_as_themselves_and_are_short(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {{0.1, "0.1"},
                 {1.0, "1"},
                 {100.0, "100"},
                 {1e300, "1e+300"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "4.94065645841247e-324"},
                 {-2.5, "-2.5"},
                 {0.3, "0.3"},
                 {0.1 + 0.2, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        buffer_clear(&b);
        json_begin(&w, &b);
        json_number(&w, known[i].value);
        assert_string_equal(b.data, known[i].text);
    }
    random_stream r = random_begin(1, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = random_u64(&r);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        buffer_clear(&b);
        json_begin(&w, &b);
        json_number(&w, value);
        assert_true(text_to_double((text){b.data, b.length}, &back));
        assert_memory_equal(&back, &value, sizeof back);
    }
}

static void numbers_have_a_point_in_every_locale(void **state)
{
    (void)state;
    const char *set = setlocale(LC_ALL, "de_DE.UTF-8");
    json_number(&w, 1.5);
    if (set) setlocale(LC_ALL, "C");
    assert_string_equal(b.data, "1.5");
}

static void value_without_key(void)
{
    json_object_begin(&w);
    json_integer(&w, 1);
    json_object_end(&w);
}

static void key_without_value(void)
{
    json_object_begin(&w);
    json_key(&w, "a");
    json_object_end(&w);
}

static void two_keys(void)
{
    json_object_begin(&w);
    json_key(&w, "a");
    json_key(&w, "b");
    json_null(&w);
    json_object_end(&w);
}

static void key_in_array(void)
{
    json_array_begin(&w);
    json_key(&w, "a");
    json_array_end(&w);
}

static void key_at_top(void)
{
    json_key(&w, "a");
    json_null(&w);
}

static void two_values(void)
{
    json_null(&w);
    json_null(&w);
}

static void wrong_bracket(void)
{
    json_array_begin(&w);
    json_object_end(&w);
}

static void other_wrong_bracket(void)
{
    json_object_begin(&w);
    json_array_end(&w);
}

static void closed_twice(void)
{
    json_array_begin(&w);
    json_array_end(&w);
    json_array_end(&w);
}

static void never_closed(void)
{
    json_array_begin(&w);
}

static void nothing_at_all(void)
{
}

static void too_deep(void)
{
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        json_array_begin(&w);
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        json_array_end(&w);
}

static void calls_out_of_order_are_caught(void **state)
{
    (void)state;
    static void (*const wrong[])(void) = {
        value_without_key, key_without_value, two_keys,       key_in_array,
        key_at_top,        two_values,        wrong_bracket,  other_wrong_bracket,
        closed_twice,      never_closed,      nothing_at_all, too_deep};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        buffer_clear(&b);
        json_begin(&w, &b);
        wrong[i]();
        if (json_finish(&w)) fail_msg("wrong call %zu was accepted: %s", i, b.data);
    }
}

static void the_deepest_nesting_is_allowed(void **state)
{
    (void)state;
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        json_array_begin(&w);
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        json_array_end(&w);
    assert_true(json_finish(&w));
    assert_int_equal(b.length, 2 * JSON_MAX_DEPTH);
}

static void a_full_buffer_is_no_finished_text(void **state)
{
    (void)state;
    buffer small;
    buffer_init(&small, 5);
    json_begin(&w, &small);
    json_text(&w, "too long");
    assert_false(json_finish(&w));
    buffer_free(&small);
}

#define WRITING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITING(every_kind_of_value_is_written),
        WRITING(a_single_value_is_a_text),
        WRITING(characters_are_escaped_where_they_must_be),
        WRITING(what_json_has_no_number_for_is_null),
        WRITING(numbers_read_back_as_themselves_and_are_short),
        WRITING(numbers_have_a_point_in_every_locale),
        WRITING(calls_out_of_order_are_caught),
        WRITING(the_deepest_nesting_is_allowed),
        WRITING(a_full_buffer_is_no_finished_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
