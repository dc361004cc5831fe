/* base/status.h: errors carry place and words, stay within their rooms and stay UTF-8. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"

static void setting_returns_the_code_and_clears_the_place(void **state)
{
    (void)state;
    pf_error e = {.line = 7, .column = 3, .file = "old.csv", .message = "old"};
    assert_int_equal(error_set(&e, PF_DATA, "month %d is wrong", 13), PF_DATA);
    assert_int_equal(e.code, PF_DATA);
    assert_string_equal(e.message, "month 13 is wrong");
    assert_int_equal(e.line, 0);
    assert_int_equal(e.column, 0);
    assert_string_equal(e.file, "");
}

static void a_null_error_is_allowed_everywhere(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, PF_BUSY, "x"), PF_BUSY);
    assert_int_equal(error_set_at(NULL, PF_LIMIT, "f", 1, 2, "x"), PF_LIMIT);
    assert_int_equal(error_set_errno(NULL, "x"), PF_IO);
    error_prefix(NULL, "x");
}

static void an_error_may_be_made_from_its_own_message(void **state)
{
    (void)state;
    pf_error e = {0};
    error_set(&e, PF_DATA, "inner");
    error_set(&e, PF_IO, "outer (%s)", e.message);
    assert_string_equal(e.message, "outer (inner)");
    error_set_at(&e, PF_IO, "a.csv", 1, 0, "again: %s", e.message);
    error_set_at(&e, PF_IO, e.file, 2, 0, "%s", "x");
    assert_string_equal(e.file, "a.csv");
}

static void errno_is_put_into_words(void **state)
{
    (void)state;
    pf_error e = {0};
    errno = ENOENT;
    assert_int_equal(error_set_errno(&e, "cannot open '%s'", "x.csv"), PF_IO);
    assert_string_equal(e.message, "cannot open 'x.csv': No such file or directory");
}

/* What the system refuses, the user can often mend; the words then end with how. */
static void errno_comes_with_what_can_be_done(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *advice;
    } cases[] = {{ENOSPC, "free some space"}, {EDQUOT, "free some space"},
                 {EACCES, "rights"},          {EPERM, "rights"},
                 {EROFS, "another folder"},   {EFBIG, "ulimit -f"},
                 {EMFILE, "ulimit -n"},       {EIO, "disk"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pf_error e = {0};
        errno = cases[i].number;
        error_set_errno(&e, "cannot write 'x'");
        assert_non_null(strstr(e.message, strerror(cases[i].number)));
        assert_non_null(strstr(e.message, cases[i].advice));
    }
}

static void prefixes_go_in_front_and_keep_code_and_place(void **state)
{
    (void)state;
    pf_error e = {0};
    error_set_at(&e, PF_DATA, "p.csv", 4, 2, "bad price");
    error_prefix(&e, "while importing %s", "products");
    assert_string_equal(e.message, "while importing products: bad price");
    assert_int_equal(e.code, PF_DATA);
    assert_int_equal(e.line, 4);
    assert_string_equal(e.file, "p.csv");
}

static void a_failure_kept_aside_is_passed_on_whole(void **state)
{
    (void)state;
    pf_error kept = {0}, e = {0};
    error_set_at(&kept, PF_DATA, "p.csv", 4, 2, "bad price");
    assert_int_equal(error_pass(&e, &kept), PF_DATA);
    assert_memory_equal(&e, &kept, sizeof e);
    assert_int_equal(error_pass(NULL, &kept), PF_DATA);
}

static void a_description_has_the_parts_that_apply(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint64_t line, column;
        const char *expected;
    } cases[] = {
        {"p.csv", 4, 2, "p.csv:4:2: bad"},
        {"p.csv", 4, 0, "p.csv:4: bad"},
        {"p.csv", 0, 0, "p.csv: bad"},
        {"", 4, 2, "line 4:2: bad"},
        {"", 4, 0, "line 4: bad"},
        {"", 0, 9, "column 9: bad"},
        {"", 0, 0, "bad"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pf_error e = {0};
        char into[128];
        error_set_at(&e, PF_DATA, cases[i].file, cases[i].line, cases[i].column, "bad");
        assert_string_equal(error_describe(&e, into, sizeof into), cases[i].expected);
    }
}

static void a_description_is_cut_to_any_room(void **state)
{
    (void)state;
    pf_error e = {0};
    error_set_at(&e, PF_DATA, "caf\xC3\xA9.csv", 1, 2, "caf\xC3\xA9 caf\xC3\xA9");
    for (size_t size = 1; size < 40; size++) {
        char into[64];
        memset(into, 'x', sizeof into);
        error_describe(&e, into, size);
        size_t n = strlen(into);
        assert_true(n < size);
        assert_true(utf8_check(into, n, NULL));
        assert_int_equal(into[size], 'x');
    }
}

/* Cuts at every offset into a character of two, three and four bytes. */
static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xC3\xA9", "\xE4\xBC\x98",
                                             "\xF0\x9F\x98\x80"};
    for (size_t c = 0; c < 3; c++) {
        for (size_t lead = 0; lead < 4; lead++) {
            char words[1024] = "";
            size_t n = lead, step = strlen(characters[c]);
            memset(words, 'a', lead);
            for (; n + step < sizeof words; n += step)
                memcpy(words + n, characters[c], step + 1);
            pf_error e = {0};
            error_set(&e, PF_DATA, "%s", words);
            n = strlen(e.message);
            assert_true(utf8_check(e.message, n, NULL));
            assert_true(n > sizeof e.message - 5);
            error_prefix(&e, "%s", "p");
            assert_true(utf8_check(e.message, strlen(e.message), NULL));
            errno = ENOSPC;
            error_set_errno(&e, "%s", words);
            assert_true(utf8_check(e.message, strlen(e.message), NULL));
        }
    }
}

static void a_long_path_keeps_its_end(void **state)
{
    (void)state;
    char path[1024];
    memset(path, 'd', sizeof path);
    for (size_t i = 300; i < 1000; i += 2)
        memcpy(path + i, "\xC3\xA9", 2);
    memcpy(path + sizeof path - 12, "/orders.csv", 12);
    pf_error e = {0};
    error_set_at(&e, PF_DATA, path, 1, 1, "x");
    size_t n = strlen(e.file);
    assert_true(n < sizeof e.file && n > sizeof e.file - 6);
    assert_memory_equal(e.file, "...", 3);
    assert_string_equal(e.file + n - 11, "/orders.csv");
    assert_true(utf8_check(e.file, n, NULL));
}

static void every_status_has_name_and_documented_exit_code(void **state)
{
    (void)state;
    static const struct {
        pf_status status;
        const char *name;
        int code;
    } all[] = {
        {PF_OK, "ok", 0},
        {PF_USAGE, "usage", 2},
        {PF_DATA, "data", 3},
        {PF_NOT_FOUND, "not_found", 4},
        {PF_IO, "io", 5},
        {PF_NO_MEMORY, "no_memory", 6},
        {PF_LIMIT, "limit", 6},
        {PF_BUSY, "busy", 7},
        {PF_UNAVAILABLE, "unavailable", 8},
        {PF_CANCELLED, "cancelled", 130},
        {PF_INTERNAL, "internal", 70},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(status_name(all[i].status), all[i].name);
        assert_int_equal(status_exit_code(all[i].status), all[i].code);
    }
    assert_string_equal(status_name((pf_status)999), "unknown");
    assert_int_equal(status_exit_code((pf_status)999), 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_returns_the_code_and_clears_the_place),
        cmocka_unit_test(a_null_error_is_allowed_everywhere),
        cmocka_unit_test(a_failure_kept_aside_is_passed_on_whole),
        cmocka_unit_test(an_error_may_be_made_from_its_own_message),
        cmocka_unit_test(errno_is_put_into_words),
        cmocka_unit_test(errno_comes_with_what_can_be_done),
        cmocka_unit_test(prefixes_go_in_front_and_keep_code_and_place),
        cmocka_unit_test(a_description_has_the_parts_that_apply),
        cmocka_unit_test(a_description_is_cut_to_any_room),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(a_long_path_keeps_its_end),
        cmocka_unit_test(every_status_has_name_and_documented_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
