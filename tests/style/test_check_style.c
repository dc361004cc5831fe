/* Every rule of tools/check_style fires on the snippet it is for, at the right line, and
 * keeps quiet on what merely looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "style/tree.h"

static tree t;

static int begin(void **state)
{
    (void)state;
    tree_begin(&t);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tree_end(&t);
    return 0;
}

static void finds(const char *path, const char *text, const char *finding)
{
    tree_write(&t, path, text);
    int code = tree_run(&t, CHECK_STYLE);
    if (code != 1 || tree_said(&t, finding) != 1 || tree_said(&t, " 1 findings") != 1)
        fail_msg("exit %d, expected only '%s' in:\n%s", code, finding, t.output);
}

static void passes(const char *path, const char *text)
{
    tree_write(&t, path, text);
    int code = tree_run(&t, CHECK_STYLE);
    if (code != 0 || tree_said(&t, " 0 findings") != 1)
        fail_msg("exit %d for:\n%s\n%s", code, text, t.output);
}

/* A function of `lines` lines, its braces counted, behind a head comment. */
static char *function_of(int lines, const char *signature)
{
    size_t size = (size_t)lines * 10 + 256;
    char *text = malloc(size);
    assert_non_null(text);
    int n = snprintf(text, size, "/* A. */\n%s\n{\n", signature);
    for (int i = 0; i < lines - 2; i++)
        n += snprintf(text + n, size - (size_t)n, "    x();\n");
    snprintf(text + n, size - (size_t)n, "}\n");
    return text;
}

/* --- calls ------------------------------------------------------------------------ */

static void every_banned_call_is_found(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "sprintf", "vsprintf", "strcpy", "strcat", "strtok", "gets", "atoi",
        "atof",    "atol",     "atoll",  "alloca", "system", "rand", "srand"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char text[128], finding[128];
        snprintf(text, sizeof text, "/* A. */\nint a;\nint f(void) { return %s (1); }\n",
                 calls[i]);
        snprintf(finding, sizeof finding, "src/shop/a.c:3: banned-call: %s ", calls[i]);
        finds("src/shop/a.c", text, finding);
    }
}

static void a_banned_call_is_found_in_a_macro_and_over_a_line_break(void **state)
{
    (void)state;
    finds("src/shop/a.c", "/* A. */\n#define TO_INT(x) \\\n    atoi(x)\n",
          "src/shop/a.c:3: banned-call: atoi");
    finds("src/shop/a.c", "/* A. */\nint f(char *s) { return atoi\n  (s); }\n",
          "src/shop/a.c:2: banned-call: atoi");
}

static void a_banned_call_is_found_in_tests_fuzz_bench_tools_and_examples(void **state)
{
    (void)state;
    static const char *const folders[] = {"tests/shop", "fuzz", "bench", "tools",
                                          "examples"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[64], finding[128];
        snprintf(path, sizeof path, "%s/a.c", folders[i]);
        snprintf(finding, sizeof finding, "%s:2: banned-call: system", path);
        finds(path, "/* A. */\nint f(void) { return system(0); }\n", finding);
        tree_write(&t, path, "/* A. */\n");
    }
}

static void words_in_comments_literals_and_longer_names_are_no_calls(void **state)
{
    (void)state;
    passes("src/shop/a.c", "/* system(1) */ // rand()\n"
                           "/* a quote \" in a comment */\n"
                           "const char *a = \"atoi(1) \\\" atoi(2)\";\n"
                           "char b = '\"', c = '\\'';\n"
                           "int my_rand(void);\nint strtok_like(void);\n"
                           "int rand;\n"
                           "// continued \\\nsystem(1)\n");
}

static void a_raw_string_and_digit_separators_do_not_hide_what_follows(void **state)
{
    (void)state;
    finds(
        "src/shop/a.cpp",
        "/* A. */\nauto a = R\"x(\" system( )x\"; int b = 1'000;\nint c = atoi(\"1\");\n",
        "src/shop/a.cpp:3: banned-call: atoi");
}

static void only_main_may_end_the_program(void **state)
{
    (void)state;
    static const char *const calls[] = {"exit", "_exit", "_Exit", "quick_exit", "abort"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char text[128], finding[128];
        snprintf(text, sizeof text, "/* A. */\nvoid f(void) { %s(1); }\n", calls[i]);
        snprintf(finding, sizeof finding, "src/cli/run.c:2: ends-program: %s:", calls[i]);
        finds("src/cli/run.c", text, finding);
    }
    tree_write(&t, "src/cli/run.c", "/* A. */\n");
    passes("src/cli/main.c", "/* A. */\nvoid f(void) { exit(1); }\n");
    passes("tests/shop/test_a.c", "void f(void) { exit(1); }\n");
}

static void memory_may_abort_but_not_exit(void **state)
{
    (void)state;
    passes("src/base/memory.c", "/* A. */\nvoid f(void) { abort(); }\n");
    finds("src/base/memory.c", "/* A. */\nvoid f(void) { exit(1); }\n",
          "src/base/memory.c:2: ends-program: exit:");
}

/* --- lengths ---------------------------------------------------------------------- */

static void a_function_may_have_70_lines_and_not_71(void **state)
{
    (void)state;
    static const char *const signatures[] = {
        "int f(int a)",
        "struct s f(int a,\n           int b)",
        "__attribute__((noinline)) static int f(int (*g)(int))",
        "extern \"C\" int f(void)",
    };
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        char *fits = function_of(70, signatures[i]),
             *over = function_of(71, signatures[i]);
        passes("src/shop/a.c", fits);
        finds("src/shop/a.c", over, "function-length: 71 lines, 70 at most");
        free(fits);
        free(over);
    }
}

static void a_long_table_or_struct_is_no_function(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "static const int table[] =", "struct __attribute__((packed)) s", "enum e",
        "static int (*const table[])(void) =", "struct _Alignas(64) s"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char *text = function_of(200, heads[i]);
        passes("src/shop/a.c", text);
        free(text);
    }
}

static void functions_inside_extern_c_and_namespaces_are_measured(void **state)
{
    (void)state;
    static const char *const openings[] = {
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint f(void)",
        "namespace {\nint f(void)"};
    static const char *const closings[] = {"#ifdef __cplusplus\n}\n#endif\n", "}\n"};
    for (size_t i = 0; i < 2; i++) {
        char *text = function_of(71, openings[i]), whole[2048];
        snprintf(whole, sizeof whole, "%s%sint g(void)\n{\n}\n", text, closings[i]);
        finds("src/shop/a.cpp", whole, "function-length: 71 lines");
        assert_int_equal(tree_said(&t, "2 functions"), 1);
        free(text);
    }
}

static void two_spellings_of_an_opening_line_count_once(void **state)
{
    (void)state;
    passes("src/shop/a.c",
           "/* A. */\nint f(int a)\n{\n#ifdef WIDE\n    if (a > 1) {\n#else\n"
           "    if (a > 2) {\n#endif\n        g();\n    }\n    return 1;\n}\n"
           "int h(void)\n{\n    return 2;\n}\n");
    assert_int_equal(tree_said(&t, "2 functions, median 10 lines"), 1);
}

static void braces_in_literals_and_comments_do_not_count(void **state)
{
    (void)state;
    passes("src/shop/a.c", "/* { */\nint f(void)\n{\n    char a = '{'; /* { */\n"
                           "    return g(\"{\"); // {\n}\nint h(void)\n{\n}\n");
    assert_int_equal(tree_said(&t, "2 functions"), 1);
}

static void a_file_may_have_900_lines_and_not_901(void **state)
{
    (void)state;
    char text[4096] = "/* A. */\n";
    size_t n = strlen(text);
    memset(text + n, '\n', 899);
    text[n + 899] = '\0';
    passes("src/shop/a.c", text);
    text[n + 899] = '\n';
    text[n + 900] = '\0';
    finds("src/shop/a.c", text, "src/shop/a.c:901: file-length: 901 lines");
}

static void a_line_may_have_100_columns_and_not_101(void **state)
{
    (void)state;
    char text[512] = "/* A. */\n// ";
    size_t n = strlen(text);
    /* Two bytes a letter: columns are characters. */
    for (int i = 0; i < 97; i++, n += 2)
        memcpy(text + n, "\xC3\xA9", 2);
    memcpy(text + n, "\n", 2);
    passes("src/shop/a.c", text);
    memcpy(text + n, "x\n", 3);
    finds("src/shop/a.c", text, "src/shop/a.c:2: columns: 101 columns");
    tree_write(&t, "src/shop/a.c", "/* A. */\n");
    finds("tests/shop/a.c", text, "tests/shop/a.c:2: columns: 101 columns");
}

static void a_tab_is_found(void **state)
{
    (void)state;
    finds("src/shop/a.c", "/* A. */\nint f(void)\n{\n\treturn 1;\n}\n",
          "src/shop/a.c:4: tab:");
}

static void tests_may_be_long_and_bare(void **state)
{
    (void)state;
    char *text = function_of(300, "int f(void)");
    passes("tests/shop/test_a.c", text + strlen("/* A. */\n"));
    free(text);
    passes("tests/shop/helper.h", "int stub(void); /* TODO */\n");
}

/* --- headers ---------------------------------------------------------------------- */

static void a_file_begins_with_a_comment(void **state)
{
    (void)state;
    finds("src/shop/a.c", "#include <stdio.h>\n/* A. */\n",
          "src/shop/a.c:1: head-comment:");
}

static void guarded_with(const char *path, const char *guard)
{
    char text[256];
    snprintf(text, sizeof text,
             "/* A. */\n#ifndef %s\n#define %s\nint f(void);\n#endif\n", guard, guard);
    passes(path, text);
}

static void a_guard_is_named_after_the_path(void **state)
{
    (void)state;
    guarded_with("src/shop/price_band.h", "PROFFER_SHOP_PRICE_BAND_H");
    guarded_with("include/proffer/proffer.h", "PROFFER_H");
    guarded_with("include/proffer/extra.h", "PROFFER_EXTRA_H");
    guarded_with("bench/result.h", "PROFFER_BENCH_RESULT_H");
}

static void a_missing_wrong_or_late_guard_is_found(void **state)
{
    (void)state;
    static const char finding[] =
        "src/shop/a.h:1: include-guard: its first directives must guard it with "
        "PROFFER_SHOP_A_H";
    finds("src/shop/a.h", "/* A. */\nint f(void);\n", finding);
    finds("src/shop/a.h", "/* A. */\n#ifndef A_H\n#define A_H\n#endif\n", finding);
    finds("src/shop/a.h", "/* A. */\n#include <a.h>\n#ifndef PROFFER_SHOP_A_H\n",
          finding);
    finds("src/shop/a.h", "/* A. */\n#ifndef PROFFER_SHOP_A_H\n#define OTHER\n#endif\n",
          finding);
    finds("src/shop/a.h",
          "/* A. */\n#ifndef PROFFER_SHOP_A_H2\n#define PROFFER_SHOP_A_H2\n", finding);
}

static void a_body_that_is_included_several_times_needs_no_guard(void **state)
{
    (void)state;
    passes("src/shop/kernel_body.h", "/* A. */\nint f(void);\n");
}

/* --- unfinished work -------------------------------------------------------------- */

static void words_of_unfinished_work_are_found_in_sources(void **state)
{
    (void)state;
    static const char *const words[] = {"TODO",    "FIXME",           "XXX",
                                        "Hack",    "not implemented", "stub",
                                        "for now", "placeholder",     "unimplemented"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "/* A. */\n/* %s */\n", words[i]);
        finds("src/shop/a.c", text, "src/shop/a.c:2: unfinished:");
        snprintf(text, sizeof text, "/* A. */\nconst char *a = \"%s.\";\n", words[i]);
        finds("src/shop/a.c", text, "src/shop/a.c:2: unfinished:");
    }
    passes("src/shop/a.c", "/* stubborn hackathon, todos, for nowhere, mixxx */\n");
}

/* --- rooms ------------------------------------------------------------------------ */

static void a_room_includes_itself_base_and_what_it_uses(void **state)
{
    (void)state;
    passes("src/store/a.c",
           "/* A. */\n#include \"store/store.h\"\n#include \"base/text.h\"\n"
           "#  include \"shop/record.h\"\n#include <sqlite3.h>\n"
           "#include <sys/stat.h>\n// #include \"engine/engine.h\"\n");
}

static void a_room_does_not_include_what_it_does_not_use(void **state)
{
    (void)state;
    finds("src/shop/a.c", "/* A. */\n#include \"store/store.h\"\n",
          "src/shop/a.c:2: room-include: shop does not list store in its USES");
    finds("src/shop/a.c", "/* A. */\n#include <store/store.h>\n",
          "src/shop/a.c:2: room-include: shop does not list store in its USES");
}

static void what_a_used_room_uses_is_not_inherited(void **state)
{
    (void)state;
    finds("src/engine/a.c", "/* A. */\n\n#include \"shop/record.h\"\n",
          "src/engine/a.c:3: room-include: engine does not list shop in its USES");
}

static void a_house_header_is_named_by_its_room(void **state)
{
    (void)state;
    finds("src/shop/a.c", "/* A. */\n#include \"record.h\"\n",
          "src/shop/a.c:2: room-include: 'record.h': name a house header as room/file.h");
    finds("src/shop/a.c", "/* A. */\n#include \"../shop/record.h\"\n",
          "src/shop/a.c:2: room-include: '../shop/record.h'");
}

static void the_public_header_is_for_the_engine_and_its_doors(void **state)
{
    (void)state;
    passes("src/engine/a.c", "/* A. */\n#include \"proffer/proffer.h\"\n");
    passes("src/cli/a.c", "/* A. */\n#include <proffer/proffer.h>\n");
    finds("src/store/a.c", "/* A. */\n#include <proffer/proffer.h>\n",
          "src/store/a.c:2: room-include: the public API");
}

static void a_folder_that_is_no_room_is_found(void **state)
{
    (void)state;
    finds("src/utils/a.c", "/* A. */\n", "src/utils/a.c:1: room-unknown: src/utils");
}

static void a_room_uses_only_rooms_before_it(void **state)
{
    (void)state;
    tree_write(&t, "src/shop/a.c", "/* A. */\n");
    finds("src/shop/CMakeLists.txt", "\nproffer_room(shop USES base store)\n",
          "src/shop/CMakeLists.txt:2: room-order: shop uses store, which does not come");
    finds("src/shop/CMakeLists.txt", "proffer_room(shop USES base attic) # USES more\n",
          "src/shop/CMakeLists.txt:1: room-order: shop uses attic, which is no room");
}

/* --- the run ---------------------------------------------------------------------- */

static void several_findings_are_all_told_and_counted(void **state)
{
    (void)state;
    tree_write(&t, "src/shop/a.c",
               "/* A. */\nint f(void) { return rand() + atoi(s); }\n");
    tree_write(&t, "src/store/b.c", "/* TODO */\n");
    assert_int_equal(tree_run(&t, CHECK_STYLE), 1);
    assert_int_equal(tree_said(&t, "src/shop/a.c:2: banned-call:"), 2);
    assert_int_equal(tree_said(&t, "src/store/b.c:1: unfinished:"), 1);
    assert_int_equal(tree_said(&t, "style: 2 files, 3 findings"), 1);
}

static void what_is_built_or_no_c_is_left_out(void **state)
{
    (void)state;
    tree_write(&t, "build/src/a.c", "int f(void) { return rand(); }\n");
    tree_write(&t, "src/shop/notes.txt", "rand() TODO\n");
    passes("src/shop/a.c", "/* A. */\n");
    assert_int_equal(tree_said(&t, "style: 1 files"), 1);
}

static void a_tree_without_c_or_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(tree_run(&t, CHECK_STYLE), 2);
    tree absent = {.root = PROFFER_BINARY_DIR "/no such tree"};
    assert_int_equal(tree_run(&absent, CHECK_STYLE), 2);
    assert_int_equal(tree_said(&absent, "cannot open"), 1);
}

static void odd_bytes_and_unclosed_literals_end_well(void **state)
{
    (void)state;
    static const char *const texts[] = {"/*",
                                        "/* A. */ \"",
                                        "/* A. */ '\\",
                                        "//\\",
                                        "/* A. */ R\"x(",
                                        "/* A. */ }}}}",
                                        "/* A. */\n#",
                                        "/* A. */\n#endif\n#else\n#if\n",
                                        "/* A. */ R\"",
                                        "/* A. */ int f(int) {"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        passes("src/shop/a.cpp", texts[i]);
    tree_write_bytes(&t, "src/shop/a.cpp", "/* A. */\0rand()\n\xFF\xFE\n", 19);
    assert_in_range(tree_run(&t, CHECK_STYLE), 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_banned_call_is_found),
        TEST(a_banned_call_is_found_in_a_macro_and_over_a_line_break),
        TEST(a_banned_call_is_found_in_tests_fuzz_bench_tools_and_examples),
        TEST(words_in_comments_literals_and_longer_names_are_no_calls),
        TEST(a_raw_string_and_digit_separators_do_not_hide_what_follows),
        TEST(only_main_may_end_the_program),
        TEST(memory_may_abort_but_not_exit),
        TEST(a_function_may_have_70_lines_and_not_71),
        TEST(a_long_table_or_struct_is_no_function),
        TEST(functions_inside_extern_c_and_namespaces_are_measured),
        TEST(two_spellings_of_an_opening_line_count_once),
        TEST(braces_in_literals_and_comments_do_not_count),
        TEST(a_file_may_have_900_lines_and_not_901),
        TEST(a_line_may_have_100_columns_and_not_101),
        TEST(a_tab_is_found),
        TEST(tests_may_be_long_and_bare),
        TEST(a_file_begins_with_a_comment),
        TEST(a_guard_is_named_after_the_path),
        TEST(a_missing_wrong_or_late_guard_is_found),
        TEST(a_body_that_is_included_several_times_needs_no_guard),
        TEST(words_of_unfinished_work_are_found_in_sources),
        TEST(a_room_includes_itself_base_and_what_it_uses),
        TEST(a_room_does_not_include_what_it_does_not_use),
        TEST(what_a_used_room_uses_is_not_inherited),
        TEST(a_house_header_is_named_by_its_room),
        TEST(the_public_header_is_for_the_engine_and_its_doors),
        TEST(a_folder_that_is_no_room_is_found),
        TEST(a_room_uses_only_rooms_before_it),
        TEST(several_findings_are_all_told_and_counted),
        TEST(what_is_built_or_no_c_is_left_out),
        TEST(a_tree_without_c_or_that_is_not_there_is_an_error),
        TEST(odd_bytes_and_unclosed_literals_end_well),
    };
    return cmocka_run_group_tests_name("check_style", tests, NULL, NULL);
}
