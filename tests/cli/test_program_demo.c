/* Protects the demo's steps and words, on the corner shop instead of the bundled grocer:
 * every step is told and done, a second run does nothing twice, and the three commands it
 * names at its end work when they are typed as they stand. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { NEXT_COMMANDS = 3 };

/* The corner shop's data with its live campaign called as the demo's is. */
static const char *demo_data(void)
{
    static const char rename[] =
        "cp -r \"$0\" \"$1\" && cd \"$1\" && "
        "sed -i 's/^june,/18,/' campaigns.csv promotions.csv scope.csv";
    const char *path = in_folder("demo-data");
    if (!file_exists(path))
        assert_int_equal(run_other(WORDS("sh", "-c", rename, corner_data(), path))->code,
                         0);
    return path;
}

static void the_demo_tells_and_does_every_step(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "\n1. A workspace\n", "\n2. Import\n", "\n3. Language\n", "\n4. Train\n",
        "\n5. Evaluate\n",    "\n6. Other ways to decide\n", "\n7. Decide\n", "\n8. Report\n"};
    const char *w = in_folder("demo");
    const ran *r = RUN_CODE(0, "demo", "--data", demo_data(), "-w", w);
    const char *at = r->out;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        at = strstr(at, steps[i]);
        if (at == NULL) fail_msg("the demo lacks step %s: %s", steps[i], r->out);
    }
    assert_contains(r->out, "Campaign 18: 6 promotions, 30 shoppers");
    assert_contains(r->out, "no encoder: ");
    assert_contains(at, "demo/reports/report.html\n");
    assert_true(file_exists(in_folder("demo/reports/report.html")));
    r = RUN_CODE(0, "demo", "--data", demo_data(), "-w", w);
    assert_contains(r->out, " 0 added, ");
}

static void the_commands_to_try_next_work_as_they_stand(void **state)
{
    (void)state;
    char line[600];
    const char *w = in_folder("demo-next");
    const ran *r = RUN_CODE(0, "demo", "--data", demo_data(), "-w", w);
    const char *at = strstr(r->out, "Three commands to try next:\n");
    assert_non_null(at);
    char *rest = mem_copy_text(at, strlen(at)), *next = strchr(rest, '\n') + 1;
    unsigned n = 0;
    for (; strncmp(next, "  ", 2) == 0; n++) {
        size_t length = strcspn(next, "\n");
        assert_true(length < sizeof line);
        memcpy(line, next, length);
        line[length] = 0;
        const ran *tried = run_other(WORDS("sh", "-c", line));
        if (tried->code != 0)
            fail_msg("'%s' ended with %d: %s", line, tried->code, tried->err);
        assert_true(tried->out_n > 50);
        next += length + 1;
    }
    assert_int_equal(n, NEXT_COMMANDS);
    mem_free(rest);
}

static void a_quiet_demo_says_nothing(void **state)
{
    (void)state;
    const ran *r =
        RUN_CODE(0, "demo", "--data", demo_data(), "-w", in_folder("demo-quiet"), "-q");
    assert_string_equal(r->out, "");
    assert_true(file_exists(in_folder("demo-quiet/reports/report.html")));
}

static void without_its_data_the_demo_says_how_to_name_them(void **state)
{
    (void)state;
    assert_contains(
        RUN_CODE(4, "demo", "--data", in_folder("nothing"), "-w", in_folder("x"))->err,
        "--data DIR");
    assert_false(file_exists(in_folder("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_tells_and_does_every_step),
        cmocka_unit_test(the_commands_to_try_next_work_as_they_stand),
        cmocka_unit_test(a_quiet_demo_says_nothing),
        cmocka_unit_test(without_its_data_the_demo_says_how_to_name_them),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
