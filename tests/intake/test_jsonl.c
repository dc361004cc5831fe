/* intake/lines.h, json_lines.h, jsonl.h: objects become rows, numbers stay as written, and
 * a line that is no object is one reject. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "intake/jsonl.h"
#include "intake/lines.h"

enum { SHOWN = 1 << 16 };

static const char letters[] = {'t', 'n', 'b', 'l', 'j'}; /* by cell_kind */

/* Rows as "line{name=kind:value ...}", blank cells left out, faults by their code. */
static const char *show(const char *bytes, size_t n, size_t window_bytes,
                        pf_status expected)
{
    static char into[SHOWN];
    byte_source *source;
    jsonl_reader *r = NULL;
    row at;
    bool more = true;
    size_t k = 0;
    into[0] = 0;
    assert_int_equal(byte_source_from_memory(&source, bytes, n, "f.jsonl", &failure),
                     PF_OK);
    pf_status s = jsonl_open(&r, source, window_bytes, &failure);
    while (s == PF_OK && (s = jsonl_next(r, &at, &more, &failure)) == PF_OK && more) {
        k += (size_t)snprintf(into + k, SHOWN - k, "%llu{", (unsigned long long)at.line);
        if (at.reason != REASON_NONE)
            k += (size_t)snprintf(into + k, SHOWN - k, "!%s",
                                  reject_reason_name(at.reason));
        for (size_t i = 0; at.reason == REASON_NONE && i < at.n_cells; i++)
            if (at.cells[i].n > 0)
                k += (size_t)snprintf(into + k, SHOWN - k, "%s=%c:%.*s ",
                                      jsonl_column(r, i).data, letters[at.kinds[i]],
                                      (int)at.cells[i].n, at.cells[i].data);
        k += (size_t)snprintf(into + k, SHOWN - k, "}");
    }
    if (s != expected) fail_msg("%s: %s", status_name(s), failure.message);
    jsonl_close(r);
    byte_source_close(source);
    return into;
}

static const char *read_text(const char *file)
{
    return show(file, strlen(file), 1 << 16, PF_OK);
}

static void members_become_columns(void **state)
{
    (void)state;
    assert_string_equal(read_text("{\"a\":\"x\",\"b\":1}\n{\"b\":2,\"c\":true}\n"),
                        "1{a=t:x b=n:1 }2{b=n:2 c=b:true }");
    assert_string_equal(read_text("{\"a\":{\"b\":{\"c\":1}},\"a.d\":2}\n"),
                        "1{a.b.c=n:1 a.d=n:2 }");
    assert_string_equal(read_text("{\"a\":null,\"b\":\"\",\"c\":{},\"d\":[]}\n"), "1{}");
}

static void numbers_stay_as_written(void **state)
{
    (void)state;
    assert_string_equal(
        read_text("{\"id\":12345678901234567890123,\"x\":1.10,\"y\":-0.5e3}"),
        "1{id=n:12345678901234567890123 x=n:1.10 y=n:-0.5e3 }");
}

static void lists_of_words_are_joined_and_others_stay_json(void **state)
{
    (void)state;
    assert_string_equal(read_text("{\"a\":[\"x\",\"y\",3]}"), "1{a=l:x|y|3 }");
    assert_string_equal(read_text("{\"a\":[\"x|y\"]}"), "1{a=j:[\"x|y\"] }");
    assert_string_equal(read_text("{\"a\":[{\"k\":1.50},[2],null,false]}"),
                        "1{a=j:[{\"k\":1.50},[2],null,false] }");
}

static void blank_lines_pass_and_lines_are_counted(void **state)
{
    (void)state;
    assert_string_equal(read_text("\n{\"a\":1}\r\n  \n\n{\"a\":2}"),
                        "2{a=n:1 }5{a=n:2 }");
    assert_string_equal(read_text("\xef\xbb\xbf{\"a\":1}\n"), "1{a=n:1 }");
    assert_string_equal(read_text(""), "");
}

static void a_wrong_line_is_one_reject(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"a\":1",
        "{\"a\" 1}",
        "nonsense",
        "{\"a\":01}",
        "{\"a\":1}}",
        "[1,2]",
        "3",
        "\"words\"",
        "{\"a\":\"\\x\"}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\xff\"}",
        "// c",
        "{\"a\":NaN}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char file[128];
        snprintf(file, sizeof file, "{\"a\":1}\n%s\n{\"a\":2}\n", wrong[i]);
        assert_string_equal(read_text(file), "1{a=n:1 }2{!bad_json}3{a=n:2 }");
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char file[2000];
    size_t n = 0;
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        n += (size_t)snprintf(file + n, sizeof file - n, "{\"a\":");
    n += (size_t)snprintf(file + n, sizeof file - n, "1");
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        n += (size_t)snprintf(file + n, sizeof file - n, "}");
    assert_string_equal(show(file, n, 1 << 16, PF_OK), "1{!bad_json}");
}

static void a_name_too_long_is_a_reject(void **state)
{
    (void)state;
    char file[1000];
    memset(file, 'x', sizeof file);
    memcpy(file, "{\"", 2);
    memcpy(file + 900, "\":1}", 5);
    assert_string_equal(show(file, 904, 1 << 16, PF_OK), "1{!too_long}");
}

static void ids_as_names_are_a_limit(void **state)
{
    (void)state;
    char *file = mem_alloc(LIMIT_FIELDS + 2, 32);
    size_t n = 0;
    for (unsigned i = 0; i <= LIMIT_FIELDS; i++)
        n += (size_t)snprintf(file + n, 32, "{\"id%u\":1}\n", i);
    show(file, n, 1 << 16, PF_LIMIT);
    assert_failure(LIMIT_FIELDS + 1, "are ids used as names, such as 'id1024'?");
    mem_free(file);
}

static void an_array_over_many_lines_is_refused(void **state)
{
    (void)state;
    show("[\n{\"a\":1}\n]\n", 12, 1 << 16, PF_DATA);
    assert_failure(1, "JSON array");
    show(" [{\"a\":1}]", 10, 1 << 16, PF_DATA);
    assert_failure(1, "one object a line");
}

static void a_line_too_long_is_a_limit_with_its_line(void **state)
{
    (void)state;
    const size_t n = (size_t)LIMIT_LINE_BYTES + 100;
    char *file = mem_alloc(n, 1);
    memset(file, 'x', n);
    memcpy(file, "{\"a\":1}\n{", 9);
    show(file, n, 1 << 16, PF_LIMIT);
    assert_failure(2, "the line has more than 16777216 bytes");
    mem_free(file);
}

static void windows_do_not_show(void **state)
{
    (void)state;
    static const char file[] =
        "{\"a\":\"some words\"}\n\n{\"b\":[1,2,3]}\r\n{\"c\"\n{\"a\":\"end\"}";
    static char kept[SHOWN];
    snprintf(kept, sizeof kept, "%s", show(file, sizeof file - 1, 4096, PF_OK));
    assert_non_null(strstr(kept, "5{a=t:end }"));
    for (size_t bytes = 1; bytes < 64; bytes++)
        assert_string_equal(show(file, sizeof file - 1, bytes, PF_OK), kept);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char file[] =
        "{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":[\"x\",\"y\"]}\n{\"e\":1}\n";
    fault f = {0};
    while (fault_next(&f)) {
        byte_source *source = NULL;
        jsonl_reader *r = NULL;
        row at;
        bool more = true;
        pf_status s =
            byte_source_from_memory(&source, file, sizeof file - 1, "f", &failure);
        if (s == PF_OK) s = jsonl_open(&r, source, 16, &failure);
        while (s == PF_OK && more)
            s = jsonl_next(r, &at, &more, &failure);
        const bool failed = fault_reached(&f);
        assert_int_equal(s, failed ? PF_NO_MEMORY : PF_OK);
        jsonl_close(r);
        byte_source_close(source);
    }
    assert_true(f.n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_become_columns),
        TEST(numbers_stay_as_written),
        TEST(lists_of_words_are_joined_and_others_stay_json),
        TEST(blank_lines_pass_and_lines_are_counted),
        TEST(a_wrong_line_is_one_reject),
        TEST(depth_is_bounded),
        TEST(a_name_too_long_is_a_reject),
        TEST(ids_as_names_are_a_limit),
        TEST(an_array_over_many_lines_is_refused),
        TEST(a_line_too_long_is_a_limit_with_its_line),
        TEST(windows_do_not_show),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
