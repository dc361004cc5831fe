/* base/json.h, the reader: trees as written, places of errors, bounded, no crash when
 * memory is short inside yajl. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

static arena a;

static int begin(void **state)
{
    (void)state;
    arena_init(&a, 8 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(&a);
    return 0;
}

static const json_value *parse(const char *json)
{
    const json_value *v = NULL;
    pf_error err = {0};
    char *exact = mem_copy_text(json, strlen(json));
    if (json_parse(&a, exact, strlen(json), &v, &err) != PF_OK)
        fail_msg("%s: %s", json, err.message);
    mem_free(exact);
    return v;
}

static void trees_have_kinds_texts_and_order(void **state)
{
    (void)state;
    const json_value *v =
        parse(" { \"b\" : [ 1 , 2.50, -3e5 ] , \"a\" : { } ,"
              "\"t\":true,\"f\":false,\"n\":null,\"e\":[],\"s\":\"x\" } ");
    assert_int_equal(v->kind, JSON_OBJECT);
    assert_int_equal(v->n, 7);
    assert_true(text_is(v->keys[0], "b") && text_is(v->keys[1], "a"));
    const json_value *list = json_member(v, "b");
    assert_int_equal(list->kind, JSON_ARRAY);
    assert_int_equal(list->n, 3);
    assert_null(list->keys);
    assert_true(text_is(list->values[1].text, "2.50"));
    assert_true(text_is(list->values[2].text, "-3e5"));
    assert_int_equal(json_member(v, "a")->kind, JSON_OBJECT);
    assert_int_equal(json_member(v, "a")->n, 0);
    assert_int_equal(json_member(v, "e")->n, 0);
    assert_true(json_member(v, "t")->boolean);
    assert_false(json_member(v, "f")->boolean);
    assert_int_equal(json_member(v, "n")->kind, JSON_NULL);
    assert_true(text_is(json_member(v, "s")->text, "x"));
}

static void members_are_found_by_key_and_path(void **state)
{
    (void)state;
    const json_value *v =
        parse("{\"context\":{\"page\":{\"url\":\"u\"}},\"x\":1,\"x\":2,\"\":3}");
    assert_true(text_is(json_path(v, "context", "page", "url", NULL)->text, "u"));
    assert_ptr_equal(json_path(v, NULL), v);
    assert_null(json_path(v, "context", "none", "url", NULL));
    assert_null(json_path(v, "x", "y", NULL));
    assert_true(text_is(json_member(v, "x")->text, "2"));
    assert_true(text_is(json_member(v, "")->text, "3"));
    assert_null(json_member(NULL, "x"));
    assert_null(json_member(json_member(v, "x"), "x"));
}

static void numbers_keep_every_digit(void **state)
{
    (void)state;
    const char *digits = "123456789012345678901234567890.10000000000000000001e-7";
    assert_true(text_is(parse(digits)->text, digits));
    assert_true(text_is(parse("-0")->text, "-0"));
}

static void escapes_become_utf_8(void **state)
{
    (void)state;
    const json_value *v =
        parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u4f18\\ud83d\\ude00\"");
    assert_true(text_is(v->text, "\"\\/\b\f\n\r\t\xC3\xA9\xE4\xBC\x98\xF0\x9F\x98\x80"));
    v = parse("{\"\\u0061\\\\u\":\"caf\xC3\xA9\"}");
    assert_true(text_is(json_member(v, "a\\u")->text, "caf\xC3\xA9"));
}

static void wrong_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t n; /* 0: strlen */
        uint64_t column;
    } cases[] = {
        {"", 0, 1},
        {"   ", 0, 4},
        {"{", 0, 2},
        {"[1,2", 0, 5},
        {"\"open", 0, 6},
        {"nul", 0, 4},
        {"[1,]", 0, 4},
        {"{\"a\":1,}", 0, 8},
        {"{\"a\" 1}", 0, 6},
        {"{a:1}", 0, 0},
        {"[1] x", 0, 0},
        {"1 2", 0, 0},
        {"[01]", 0, 3},
        {"[1.]", 0, 0},
        {"[+1]", 0, 0},
        {"[NaN]", 0, 0},
        {"'x'", 0, 0},
        {"[1 /* no */]", 0, 0},
        {"// no\n1", 0, 0},
        {"\"\\x\"", 0, 0},
        {"\"tab\there\"", 0, 0},
        {"\"a\\u0000\"", 0, 3},
        {"\"a\\ud800\"", 0, 3},
        {"\"a\\udc00\"", 0, 3},
        {"\"\\ud800\\u0041\"", 0, 2},
        {"\"\\ud800x\"", 0, 2},
        {"\"\\u12", 0, 0},
        {"\"\\", 0, 0},
        {"[\"a\xFF\"]", 0, 4},
        {"[\"a\xC3", 0, 4},
        {"[1,\0 2]", 7, 4},
        {"]", 0, 1},
        {"[}", 0, 2},
        {"{\"a\":}", 0, 6},
        {"{1:2}", 0, 2},
        {"\xEF\xBB\xBF{}", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const json_value *v = NULL;
        pf_error err = {0};
        size_t n = cases[i].n ? cases[i].n : strlen(cases[i].json);
        char *exact = mem_copy_text(cases[i].json, n);
        pf_status status = json_parse(&a, exact, n, &v, &err);
        mem_free(exact);
        if (status != PF_DATA)
            fail_msg("'%s' gave %s", cases[i].json, status_name(status));
        assert_null(v);
        assert_true(err.column >= 1 && err.column <= n + 1);
        if (cases[i].column && err.column != cases[i].column)
            fail_msg("'%s': column %d", cases[i].json, (int)err.column);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        char json[512];
        int depth = JSON_MAX_DEPTH + extra;
        for (int i = 0; i < depth; i++) {
            json[i] = '[';
            json[depth + i] = ']';
        }
        const json_value *v;
        pf_status status = json_parse(&a, json, (size_t)(2 * depth), &v, NULL);
        assert_int_equal(status, extra ? PF_LIMIT : PF_OK);
    }
    static char open[100000];
    memset(open, '[', sizeof open);
    const json_value *v;
    pf_error err = {0};
    assert_int_equal(json_parse(&a, open, sizeof open, &v, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "64"));
}

static void size_has_a_limit(void **state)
{
    (void)state;
    char *large = mem_alloc((size_t)LIMIT_JSON_BYTES + 1, 1);
    memset(large, ' ', (size_t)LIMIT_JSON_BYTES + 1);
    const json_value *v;
    assert_int_equal(json_parse(&a, large, (size_t)LIMIT_JSON_BYTES + 1, &v, NULL),
                     PF_LIMIT);
    mem_free(large);
}

/* Two bytes a value would take far more than the arena: refused, not tried. */
static void many_small_values_stay_within_the_arena(void **state)
{
    (void)state;
    enum { VALUES = 1000000 };
    char *many = mem_alloc(2 * VALUES + 1, 1);
    for (int i = 0; i < VALUES; i++) {
        many[2 * i] = i ? ',' : '[';
        many[2 * i + 1] = '1';
    }
    many[(size_t)2 * VALUES] = ']';
    const json_value *v;
    pf_status status = json_parse(&a, many, (size_t)2 * VALUES + 1, &v, NULL);
    assert_true(status == PF_LIMIT || status == PF_NO_MEMORY);
    assert_null(v);
    mem_free(many);
    assert_true(a.used_bytes <= a.maximum_bytes);
}

static void a_tree_is_written_as_it_was_read(void **state)
{
    (void)state;
    const char *json = "{\"b\":[1,2.50,-3e5,[],{}],\"\\u0001k\":{\"\":null},\"t\":true,"
                       "\"s\":\"a\\n\xE4\xBC\x98\"}";
    buffer b;
    json_writer w;
    buffer_init(&b, 4096);
    json_begin(&w, &b);
    json_write_value(&w, parse(json));
    assert_true(json_finish(&w));
    assert_string_equal(b.data, json);
    buffer_free(&b);
}

/* Long strings with escapes, deep nesting and many members: every place where yajl or we
 * allocate. */
static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    char json[4000];
    size_t n = (size_t)snprintf(json, sizeof json, "{\"k\\u00e9y\":[");
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(json + n, sizeof json - n,
                              "[\"a\\nb%d\",[[[{\"x\":1.5}]]]],", i);
    n += (size_t)snprintf(json + n, sizeof json - n, "\"");
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(json + n, sizeof json - n, "\\n\\t");
    n += (size_t)snprintf(json + n, sizeof json - n, "\"]}");
    fault f = {0};
    while (fault_next(&f)) {
        arena small;
        arena_init(&small, 1 << 20);
        const json_value *v = NULL;
        pf_error err = {0};
        pf_status status = json_parse(&small, json, n, &v, &err);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(v == NULL, failed);
        arena_free(&small);
    }
    assert_true(f.n > 8);
}

static void an_arena_that_is_too_small_is_reported(void **state)
{
    (void)state;
    const char *json = "{\"key\":[1,2,3,{\"more\":\"text\"}],\"other\":\"words\"}";
    bool good = false;
    for (size_t maximum = 0; !good; maximum += 16) {
        arena small;
        arena_init(&small, maximum);
        const json_value *v = NULL;
        pf_status status = json_parse(&small, json, strlen(json), &v, NULL);
        good = status == PF_OK;
        assert_true(good || status == PF_LIMIT || status == PF_NO_MEMORY);
        arena_free(&small);
        assert_true(maximum < 4096);
    }
}

#define READING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READING(trees_have_kinds_texts_and_order),
        READING(members_are_found_by_key_and_path),
        READING(numbers_keep_every_digit),
        READING(escapes_become_utf_8),
        READING(wrong_texts_are_refused_with_their_place),
        READING(nesting_has_a_limit),
        READING(size_has_a_limit),
        READING(many_small_values_stay_within_the_arena),
        READING(a_tree_is_written_as_it_was_read),
        READING(every_failed_allocation_is_reported),
        READING(an_arena_that_is_too_small_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
