/* Protects what a person meets first: help that begins with examples, suggestions for
 * what was mistyped, exit codes as documented, data on stdout and talk on stderr, and
 * completion that shells accept. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"

/* The commands, in the order of the help, as the program itself lists them. */
static size_t list_commands(char names[][32], size_t most)
{
    const ran *r = RUN_CODE(0, "--help");
    const char *line = strstr(r->out, "\nCommands\n");
    size_t n = 0;
    assert_non_null(line);
    for (line += strlen("\nCommands\n"); !strncmp(line, "  ", 2);
         line = strchr(line, '\n') + 1) {
        assert_true(n < most);
        assert_int_equal(sscanf(line, "%31s", names[n]), 1);
        n++;
    }
    return n;
}

static void every_command_has_help_that_begins_with_examples(void **state)
{
    (void)state;
    char names[64][32], title[64], usage[64], example[64];
    size_t n = list_commands(names, 64);
    assert_true(n >= 18);
    for (size_t i = 0; i < n; i++) {
        const ran *r = RUN_CODE(0, names[i], "--help");
        (void)snprintf(title, sizeof title, "proffer %s: ", names[i]);
        (void)snprintf(usage, sizeof usage, "\nUsage\n  proffer %s ", names[i]);
        (void)snprintf(example, sizeof example, "\n\nExamples\n  ");
        assert_int_equal(strncmp(r->out, title, strlen(title)), 0);
        const char *examples = strstr(r->out, example);
        const char *behind = strstr(r->out, usage);
        assert_non_null(examples);
        assert_non_null(behind);
        assert_true(strchr(r->out, '\n') == examples && examples < behind);
        (void)snprintf(example, sizeof example, "proffer %s", names[i]);
        assert_true(strstr(examples, example) < behind);
        assert_string_equal(r->err, "");
    }
}

static void help_is_had_in_four_ways(void **state)
{
    (void)state;
    const ran *full = RUN_CODE(0, "import", "--help");
    assert_string_equal(RUN_CODE(0, "import", "-h")->out, full->out);
    assert_string_equal(RUN_CODE(0, "help", "import")->out, full->out);
    assert_string_equal(RUN_CODE(0, "--help", "import")->out, full->out);
    assert_string_equal(RUN_CODE(0, "import", "x", "--help", "--table", "y")->out,
                        full->out);
    assert_string_equal(RUN_CODE(0, "-h")->out, RUN_CODE(0, "help")->out);
    assert_contains(RUN_CODE(2, "help", "improt")->err, "did you mean `proffer import`");
}

static void the_version_is_one_line(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "--version");
    assert_int_equal(strncmp(r->out, "proffer ", 8), 0);
    assert_ptr_equal(strchr(r->out, '\n'), r->out + r->out_n - 1);
}

static void no_command_shows_the_help_and_is_a_usage_error(void **state)
{
    (void)state;
    const ran *r = program_run_code(2, (const char *const[]){NULL});
    assert_contains(r->out, "Commands");
    assert_contains(r->err, "name a command");
}

static void mistyped_commands_and_options_get_a_suggestion(void **state)
{
    (void)state;
    assert_contains(RUN_CODE(2, "improt")->err, "did you mean `proffer import`");
    assert_contains(RUN_CODE(2, "recomend", "s01")->err, "`proffer recommend`");
    assert_lacks(RUN_CODE(2, "frobnicate")->err, "did you mean");
    assert_contains(RUN_CODE(2, "frobnicate")->err, "proffer --help");
    assert_contains(RUN_CODE(2, "import", "--maping", "x")->err,
                    "did you mean --mapping");
    assert_contains(RUN_CODE(2, "decide", "--dry_run")->err, "did you mean --dry-run");
    assert_contains(RUN_CODE(2, "decide", "--bugdet=5")->err, "did you mean --budget");
    assert_contains(RUN_CODE(2, "decide", "-x")->err, "proffer decide --help");
    assert_contains(RUN_CODE(2, "-w", "x", "import")->err, "behind the command");
}

static void options_may_be_written_in_both_ways_and_end_with_two_dashes(void **state)
{
    (void)state;
    const char *w = corner();
    const char *apart =
        RUN_CODE(0, "search", "milk", "--limit", "1", "--workspace", w)->out;
    char joined[600];
    (void)snprintf(joined, sizeof joined, "--workspace=%s", w);
    assert_string_equal(RUN_CODE(0, "search", "--limit=1", joined, "milk")->out, apart);
    assert_string_equal(RUN_CODE(0, "search", "--limit=1", "-w", w, "--", "milk")->out,
                        apart);
    assert_contains(RUN_CODE(2, "search", "milk", "--limit")->err, "--limit N");
    assert_contains(RUN_CODE(2, "search", "milk", "--limit=many", "-w", w)->err,
                    "whole number");
    assert_contains(RUN_CODE(2, "search", "milk", "--json=yes", "-w", w)->err,
                    "takes no value");
    assert_contains(RUN_CODE(2, "search", "milk", "--limit", "-w", w)->err, "--limit N");
    assert_contains(RUN_CODE(2, "search", "milk", "--limit", "-3", "-w", w)->err, "'-3'");
    assert_int_equal(RUN("search", "-w", w, "--", "--limit")->code, 0);
}

static void
the_workspace_comes_from_the_option_the_environment_or_the_folder(void **state)
{
    (void)state;
    const char *w = corner();
    const char *expected = RUN_CODE(0, "profile", "s01", "-w", w)->out;
    setenv("PROFFER_WORKSPACE", w, 1);
    assert_string_equal(RUN_CODE(0, "profile", "s01")->out, expected);
    setenv("PROFFER_WORKSPACE", "/nonexistent", 1);
    assert_string_equal(RUN_CODE(0, "profile", "s01", "-w", w)->out, expected);
    assert_int_equal(RUN("profile", "s01")->code, 4);
    unsetenv("PROFFER_WORKSPACE");
    next_run.folder = w;
    assert_string_equal(RUN_CODE(0, "profile", "s01")->out, expected);
    assert_int_equal(RUN("profile", "s01")->code, 4);
}

/* --- exit codes ------------------------------------------------------------------- */

static void each_kind_of_failure_has_its_exit_code_and_names_itself(void **state)
{
    (void)state;
    const char *w = corner();
    const char *bad = put("ragged.csv", "id,title\np1,Milk,1.00\n");
    const char *nothing = put("nothing.csv", "");
    assert_contains(RUN_CODE(2, "profile")->err, "needs SHOPPER");
    assert_contains(RUN_CODE(3, "import", nothing, "-w", w)->err, "is empty");
    assert_contains(RUN_CODE(3, "validate", bad, "--table", "products", "-w", w)->err,
                    "would reject 1 of 1 rows");
    assert_contains(RUN_CODE(4, "profile", "nobody", "-w", w)->err, "nobody");
    assert_contains(RUN_CODE(5, "init", bad)->err, "ragged.csv");
    assert_contains(RUN_CODE(8, "embed", "-w", w)->err, "proffer.yaml");
}

static void a_missing_encoder_is_told_and_words_alone_are_used(void **state)
{
    (void)state;
    const char *w = empty_workspace("no-encoder");
    const char *products =
        put("products.csv", "id,title\np1,Whole milk\np2,Brown bread\n");
    RUN_CODE(0, "import", products, "-w", w);
    const ran *r = RUN_CODE(8, "embed", "-w", w);
    assert_contains(r->err, "sentence encoder");
    assert_string_equal(r->out, "");
    r = RUN_CODE(0, "search", "milk", "-w", w);
    assert_contains(r->out, "Whole milk");
    assert_contains(r->err, "words alone");
    assert_contains(RUN_CODE(0, "doctor", "-w", w)->out, "no sentence encoder");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    static const char *const short_one[] = {"--version", NULL};
    static const char *const help[] = {"import", "--help", NULL};
    next_run.output = "/dev/full";
    assert_contains(program_run_code(5, short_one)->err, "standard output");
    next_run.output = "/dev/full";
    assert_contains(program_run_code(5, help)->err, "standard output");
    next_run.output = "/dev/full";
    const ran *r = RUN_CODE(5, "export", "--shopper", "s01", "-w", corner());
    assert_contains(r->err, "standard output");
}

static void an_internal_limit_has_its_own_code(void **state)
{
    (void)state;
    char *longest = malloc(100001);
    assert_non_null(longest);
    memset(longest, 'x', 100000);
    longest[100000] = 0;
    const ran *r = RUN_CODE(6, "search", longest, "-w", corner());
    assert_contains(r->err, "longer than");
    free(longest);
}

/* --- stdout and stderr ------------------------------------------------------------ */

static void data_go_to_stdout_and_talk_to_stderr(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "init", in_folder("talkative"), "--currency", "CNY");
    assert_string_equal(r->out, "");
    assert_contains(r->err, "talkative/proffer.yaml\n");
    assert_lacks(r->err, "?");
    r = RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", in_folder("talkative"),
                 "--json");
    assert_lacks(r->out, "importing");
    (void)json_of(r);
    r = RUN_CODE(4, "profile", "nobody", "-w", corner(), "--json");
    assert_string_equal(r->out, "");
    assert_int_equal(strncmp(r->err, "proffer: ", 9), 0);
}

static void quiet_says_nothing_but_what_goes_wrong(void **state)
{
    (void)state;
    const char *w = in_folder("quiet");
    assert_string_equal(RUN_CODE(0, "init", w, "--quiet", "--currency", "CNY")->err, "");
    assert_string_equal(
        RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", w, "-q")->err, "");
    assert_string_equal(RUN_CODE(0, "forget", "s01", "--yes", "-w", w, "-q")->err, "");
    assert_contains(RUN_CODE(4, "profile", "s01", "-w", w, "-q")->err, "s01");
}

/* Neither a terminal's colours nor a bar belong into a pipe, with or without NO_COLOR. */
static void pipes_get_no_colours_and_no_bars(void **state)
{
    (void)state;
    for (int no = 0; no < 2; no++) {
        if (no) setenv("NO_COLOR", "1", 1);
        const ran *r =
            RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", corner());
        assert_null(memchr(r->err, 0x1B, r->err_n));
        assert_null(memchr(r->err, '\r', r->err_n));
        assert_null(memchr(r->out, 0x1B, r->out_n));
        r = RUN_CODE(4, "profile", "nobody", "-w", corner());
        assert_null(memchr(r->err, 0x1B, r->err_n));
    }
    unsetenv("NO_COLOR");
}

/* `script` runs a command line on a terminal of its own. */
static const ran *on_a_terminal(const char *arguments)
{
    char line[1200];
    (void)snprintf(line, sizeof line, "'%s' %s -w '%s'", PROFFER_PROGRAM, arguments,
                   in_folder("coloured"));
    return run_other(WORDS("script", "-qefc", line, "/dev/null"));
}

static void a_terminal_gets_colours_unless_no_color_says_otherwise(void **state)
{
    (void)state;
    const char *products = put("coloured.csv", "id,title\np1,Milk\n");
    RUN_CODE(0, "init", in_folder("coloured"));
    RUN_CODE(0, "import", products, "--table", "products", "-w", in_folder("coloured"));
    setenv("TERM", "xterm", 1);
    const ran *r = on_a_terminal("search milk");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "\033[33mwarning: ");
    setenv("NO_COLOR", "1", 1);
    r = on_a_terminal("search milk");
    assert_contains(r->out, "warning: ");
    assert_null(memchr(r->out, 0x1B, r->out_n));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_null(strchr(on_a_terminal("search milk")->out, 0x1B));
}

static void what_comes_from_files_cannot_steer_a_terminal(void **state)
{
    (void)state;
    const char *w = empty_workspace("escapes");
    const char *file =
        put("escapes.csv", "id,title\np1,\"Milk \033[31mred\nand more\"\n");
    RUN_CODE(0, "import", file, "--table", "products", "-w", w);
    const ran *r = RUN_CODE(0, "search", "milk", "-w", w);
    assert_null(memchr(r->out, 0x1B, r->out_n));
    assert_contains(r->out, "and more");
    r = RUN_CODE(4, "profile", "\033[2Jx\ny", "-w", corner());
    assert_null(memchr(r->err, 0x1B, r->err_n));
    assert_ptr_equal(strchr(r->err, '\n'), r->err + r->err_n - 1);
}

static void tables_line_up_in_chinese_and_english(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "search", "牛奶", "-w", corner());
    const char *heading = strstr(r->out, "category");
    const char *first = strstr(r->out, "Breakfast > Milk");
    assert_non_null(heading);
    assert_non_null(first);
    /* "Whole milk 全脂牛奶": four characters take two columns each, three bytes each. */
    const char *line = first;
    while (line[-1] != '\n')
        line--;
    assert_non_null(strstr(line, "全脂牛奶"));
    assert_int_equal(first - line - 4, heading - r->out);
}

/* --- completion ------------------------------------------------------------------- */

static const char *save_completion(const char *shell, const char *name)
{
    return put(name, RUN_CODE(0, "completion", shell)->out);
}

static void bash_accepts_its_completion_and_completes_with_it(void **state)
{
    (void)state;
    const char *script = save_completion("bash", "completion.bash");
    const ran *r = run_other(WORDS("bash", "-n", script));
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    static const char ask[] =
        "source \"$0\"; COMP_WORDS=(proffer $1); COMP_CWORD=$2; _proffer; "
        "printf '%s\\n' \"${COMPREPLY[@]}\"";
    assert_string_equal(run_other(WORDS("bash", "-c", ask, script, "rec", "1"))->out,
                        "recommend\n");
    assert_string_equal(
        run_other(WORDS("bash", "-c", ask, script, "import --ma", "2"))->out,
        "--mapping\n");
    assert_contains(run_other(WORDS("bash", "-c", ask, script, "decide --", "2"))->out,
                    "--dry-run\n");
}

static void zsh_and_fish_have_every_command_and_option(void **state)
{
    (void)state;
    char names[64][32], line[160];
    size_t n = list_commands(names, 64);
    const char *zsh = RUN_CODE(0, "completion", "zsh")->out;
    const char *fish = RUN_CODE(0, "completion", "fish")->out;
    assert_int_equal(strncmp(zsh, "#compdef proffer\n", 17), 0);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(line, sizeof line, " -a %s -d '", names[i]);
        assert_contains(fish, line);
        (void)snprintf(line, sizeof line, "    %s) words='", names[i]);
        assert_contains(zsh, line);
    }
    assert_contains(fish, "-n '__fish_seen_subcommand_from decide' -l budget -r -d '");
    assert_contains(fish, "-n '__fish_seen_subcommand_from decide' -l dry-run -d '");
    assert_contains(RUN_CODE(2, "completion", "tcsh")->err, "bash, zsh, fish");
}

/* In a line of fish, quotes pair up: \' and \\ inside single quotes are escapes. */
static void quotes_in_fish_completion_are_closed_in_each_line(void **state)
{
    (void)state;
    bool open = false;
    size_t escaped = 0;
    for (const char *p = RUN_CODE(0, "completion", "fish")->out; *p; p++) {
        if (open && *p == '\\' && (p[1] == '\'' || p[1] == '\\')) {
            escaped++;
            p++;
        } else if (*p == '\'') {
            open = !open;
        } else if (*p == '\n') {
            assert_false(open);
        }
    }
    assert_true(escaped > 0); /* "a shopper's data" */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_help_that_begins_with_examples),
        cmocka_unit_test(help_is_had_in_four_ways),
        cmocka_unit_test(the_version_is_one_line),
        cmocka_unit_test(no_command_shows_the_help_and_is_a_usage_error),
        cmocka_unit_test(mistyped_commands_and_options_get_a_suggestion),
        cmocka_unit_test(options_may_be_written_in_both_ways_and_end_with_two_dashes),
        cmocka_unit_test(
            the_workspace_comes_from_the_option_the_environment_or_the_folder),
        cmocka_unit_test(each_kind_of_failure_has_its_exit_code_and_names_itself),
        cmocka_unit_test(a_missing_encoder_is_told_and_words_alone_are_used),
        cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(an_internal_limit_has_its_own_code),
        cmocka_unit_test(data_go_to_stdout_and_talk_to_stderr),
        cmocka_unit_test(quiet_says_nothing_but_what_goes_wrong),
        cmocka_unit_test(pipes_get_no_colours_and_no_bars),
        cmocka_unit_test(a_terminal_gets_colours_unless_no_color_says_otherwise),
        cmocka_unit_test(what_comes_from_files_cannot_steer_a_terminal),
        cmocka_unit_test(tables_line_up_in_chinese_and_english),
        cmocka_unit_test(bash_accepts_its_completion_and_completes_with_it),
        cmocka_unit_test(zsh_and_fish_have_every_command_and_option),
        cmocka_unit_test(quotes_in_fish_completion_are_closed_in_each_line),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
