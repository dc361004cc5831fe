/* tools/check_names finds paths of one machine and hosts of registries in any file, and
 * keeps quiet on addresses and paths that merely look alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
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

/* The words are joined here, so that this file itself holds none of them. */
static void names(const char *before, const char *middle, const char *after,
                  const char *finding)
{
    char text[256];
    snprintf(text, sizeof text, "one\n%s%s%s\nthree\n", before, middle, after);
    tree_write(&t, "docs/page.md", text);
    int code = tree_run(&t, CHECK_NAMES);
    bool as_expected = finding == NULL ? code == 0 && tree_said(&t, " 0 findings") == 1
                                       : code == 1 && tree_said(&t, finding) == 1;
    if (!as_expected) fail_msg("exit %d for '%s':\n%s", code, text, t.output);
}

static void paths_below_a_home_are_found(void **state)
{
    (void)state;
    static const char *const folders[] = {"home", "root", "Users", "work", "mnt"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char finding[64];
        snprintf(finding, sizeof finding,
                 "docs/page.md:2: machine-path: a path below /%s", folders[i]);
        char path[32];
        snprintf(path, sizeof path, "%s/", folders[i]);
        names("cd /", path, "me/shop", finding);
        names("\"/", path, "x\"", finding);
        names("/", path, "", finding);
    }
}

static void hosts_of_registries_are_found_with_or_without_a_subdomain(void **state)
{
    (void)state;
    static const char finding[] = "docs/page.md:2: registry-host: ";
    names("https://deb.deb", "ian.org", "/x", finding);
    names("files.python", "hosted.org", "", finding);
    names("see PY", "PI.org.", "", finding);
    names("registry.npm", "js.org", ":443", finding);
    names("static.crates", ".io", "/", finding);
}

static void words_that_look_alike_are_left_alone(void **state)
{
    (void)state;
    names("Debian 12, npm, crates and maven", "", "", NULL);
    names("homepage/", "home/", "index.html", NULL);
    names("https://shop.example/", "home/", "a", NULL);
    names("${PREFIX}/", "work/", "x", NULL);
    names("~/", "work/", "x", NULL);
    names("my-deb", "ian.organic", "", NULL);
    names("/homework/", "rooted/", "", NULL);
}

static void every_kind_of_file_is_looked_at_but_not_what_is_built(void **state)
{
    (void)state;
    char text[64];
    snprintf(text, sizeof text, "A=/%s/x\n", "root");
    tree_write(&t, "build/a.txt", text);
    tree_write(&t, ".git/config", text);
    tree_write(&t, "models/a.txt", text);
    assert_int_equal(tree_run(&t, CHECK_NAMES), 0);
    static const char *const paths[] = {"Makefile", ".ci/run", "a/b/c.yaml", "data.bin"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        tree_write(&t, paths[i], text);
    assert_int_equal(tree_run(&t, CHECK_NAMES), 1);
    assert_int_equal(tree_said(&t, ":1: machine-path: "), 4);
}

static void a_name_behind_a_nul_byte_is_found(void **state)
{
    (void)state;
    char bytes[64];
    int n = snprintf(bytes, sizeof bytes, "a.\n/%s/x\n", "home");
    bytes[1] = '\0';
    tree_write_bytes(&t, "data.bin", bytes, (size_t)n);
    assert_int_equal(tree_run(&t, CHECK_NAMES), 1);
    assert_int_equal(tree_said(&t, "data.bin:2: machine-path: "), 1);
}

static void a_tree_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    tree absent = {.root = PROFFER_BINARY_DIR "/no such tree"};
    assert_int_equal(tree_run(&absent, CHECK_NAMES), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_below_a_home_are_found),
        TEST(hosts_of_registries_are_found_with_or_without_a_subdomain),
        TEST(words_that_look_alike_are_left_alone),
        TEST(every_kind_of_file_is_looked_at_but_not_what_is_built),
        TEST(a_name_behind_a_nul_byte_is_found),
        TEST(a_tree_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests_name("check_names", tests, NULL, NULL);
}
