/* Protects docs/cli.md from being a story about another program: every command, option,
 * example, exit code, reason code and key of the JSON that the program has stands in it,
 * and it names no command or option that the program has not. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "decide/reason.h"

static char *page;

static int begin(void **state)
{
    size_t n = 0;
    pf_error err = {.code = PF_OK};
    if (program_begin(state) != 0) return -1;
    return file_read_whole(&page, &n, PROFFER_SOURCE_DIR "/docs/cli.md", 1 << 20, &err) ==
                   PF_OK
               ? 0
               : -1;
}

static int end(void **state)
{
    mem_free(page);
    return program_end(state);
}

/* A copy of the part of the page about a command; freed with mem_free. */
static char *section_of(const char *command)
{
    char heading[80];
    (void)snprintf(heading, sizeof heading, "\n## proffer %s\n", command);
    const char *from = strstr(page, heading);
    if (from == NULL) fail_msg("docs/cli.md has no part '## proffer %s'", command);
    const char *to = strstr(from + strlen(heading), "\n## ");
    return mem_copy_text(from, to ? (size_t)(to - from) + 1 : strlen(from));
}

/* The lines of the help between one heading and an empty line, one by one: copies the next
 * into line and returns where to go on, or NULL. */
static const char *next_line(const char *at, char *line, size_t size)
{
    size_t n = strcspn(at, "\n");
    if (n == 0 || at[0] != ' ') return NULL;
    assert_true(n < size);
    memcpy(line, at, n);
    line[n] = 0;
    return at + n + 1;
}

static const char *part_of_help(const char *help, const char *heading)
{
    char words[64];
    (void)snprintf(words, sizeof words, "\n%s\n", heading);
    const char *at = strstr(help, words);
    return at ? at + strlen(words) : "";
}

static void assert_in_section(const char *section, const char *command, const char *words)
{
    if (strstr(section, words) == NULL)
        fail_msg("docs/cli.md, proffer %s: it lacks %s", command, words);
}

/* "  --limit N   how many" -> "`--limit N`". */
static void check_options(const char *options, const char *section, const char *command)
{
    char line[200], name[40], value[40], wanted[90];
    for (const char *at = options; (at = next_line(at, line, sizeof line)) != NULL;) {
        assert_int_equal(sscanf(line, "%39s %39s", name, value), 2);
        bool takes = line[2 + strlen(name) + 1] != ' ';
        (void)snprintf(wanted, sizeof wanted, "| `%s%s%s` ", name, takes ? " " : "",
                       takes ? value : "");
        if (strncmp(name, "--", 2) == 0) assert_in_section(section, command, wanted);
    }
}

static void check_examples(const char *examples, const char *section, const char *command)
{
    char line[200];
    for (const char *at = examples; (at = next_line(at, line, sizeof line)) != NULL;)
        assert_in_section(section, command, line + 2);
}

static void check_command(const char *command)
{
    char *section = section_of(command);
    const char *help = RUN_CODE(0, command, "--help")->out;
    check_examples(part_of_help(help, "Examples"), section, command);
    check_options(part_of_help(help, "Options"), section, command);
    mem_free(section);
}

static void every_command_option_and_example_stands_on_the_page(void **state)
{
    (void)state;
    char line[200], command[40];
    unsigned n = 0;
    char *help = mem_copy_text(RUN_CODE(0, "--help")->out, RUN_CODE(0, "--help")->out_n);
    for (const char *at = part_of_help(help, "Commands");
         (at = next_line(at, line, sizeof line)) != NULL; n++) {
        assert_int_equal(sscanf(line, "%39s", command), 1);
        check_command(command);
    }
    assert_true(n >= 18);
    mem_free(help);
}

static void shared_options_stand_on_the_page(void **state)
{
    (void)state;
    static const char *const all[] = {"`--workspace DIR`, `-w DIR`", "`--json`",
                                      "`--quiet`, `-q`", "`--help`, `-h`"};
    for (int i = 0; i < 4; i++)
        assert_contains(page, all[i]);
    const char *help = RUN_CODE(0, "doctor", "--help")->out;
    unsigned n = 0;
    char line[200];
    for (const char *at = part_of_help(help, "Shared options");
         (at = next_line(at, line, sizeof line)) != NULL;)
        n++;
    assert_int_equal(n, 4);
}

/* Headings and tables must not name what is not there. */
static void the_page_names_nothing_that_the_program_has_not(void **state)
{
    (void)state;
    char command[40], option[40], wanted[60];
    const char *help = "";
    for (const char *line = page; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "## proffer %39s", command) == 1) {
            help = RUN_CODE(0, command, "--help")->out;
        } else if (help[0] && sscanf(line, "| `--%39[a-z-]", option) == 1) {
            (void)snprintf(wanted, sizeof wanted, "\n  --%s ", option);
            if (strstr(help, wanted) == NULL)
                fail_msg("docs/cli.md: proffer %s has no --%s", command, option);
        }
    }
    assert_true(help[0] != 0);
}

static void every_exit_code_stands_on_the_page(void **state)
{
    (void)state;
    char row[16];
    for (int code = PF_OK; code <= PF_INTERNAL; code++) {
        (void)snprintf(row, sizeof row, "\n| %d | ", status_exit_code((pf_status)code));
        assert_contains(page, row);
    }
}

static void every_reason_and_cap_stands_on_the_page(void **state)
{
    (void)state;
    char word[64];
    for (int i = 0; i < REASON_COUNT; i++) {
        (void)snprintf(word, sizeof word, "`%s`", reason_code((decide_reason)i));
        assert_contains(page, word);
    }
    for (int i = 1; i < DECIDE_CAP_KINDS; i++) {
        (void)snprintf(word, sizeof word, "`%s`", cap_code((decide_cap_kind)i));
        assert_contains(page, word);
    }
}

/* --- JSON -------------------------------------------------------------------------------- */

/* Members whose keys are words of the data or of the vocabulary. */
static bool is_open(text key)
{
    static const char *const names[] = {"attributes", "events_by_type", "reasons_by_code",
                                        "by_kind", "by_channel"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_is(key, names[i])) return true;
    return false;
}

/* "ndcg@10_se" is written as the figure and a rule about "…_se". */
static bool is_error_of_a_figure(const char *section, const char *key)
{
    char figure[64];
    size_t n = strlen(key);
    if (n < 4 || n >= sizeof figure || strcmp(key + n - 3, "_se") != 0) return false;
    (void)snprintf(figure, sizeof figure, "`%.*s`", (int)n - 3, key);
    return strstr(section, figure) != NULL && strstr(section, "`…_se`") != NULL;
}

static void check_keys(const char *section, const char *command, const json_value *v);

static void check_key(const char *section, const char *command, text key,
                      const json_value *v)
{
    char wanted[80], name[64];
    assert_true(key.n < sizeof name);
    memcpy(name, key.data, key.n);
    name[key.n] = 0;
    (void)snprintf(wanted, sizeof wanted, "`%s`", name);
    if (strstr(section, wanted) == NULL && !is_error_of_a_figure(section, name))
        fail_msg("docs/cli.md, proffer %s: its JSON has the key %s", command, wanted);
    bool counts = text_is(key, "reasons") && v->kind == JSON_OBJECT; /* of rejects */
    if (!is_open(key) && !counts) check_keys(section, command, v);
}

static void check_keys(const char *section, const char *command, const json_value *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->kind == JSON_OBJECT)
            check_key(section, command, v->keys[i], &v->values[i]);
        else
            check_keys(section, command, &v->values[i]);
}

#define CHECK_JSON(code, ...) check_json(code, WORDS(__VA_ARGS__))
static void check_json(int code, const char *const words[])
{
    char *section = section_of(words[0]);
    const json_value *v = json_of(program_run_code(code, words));
    assert_true(v->n > 0);
    check_keys(section, words[0], v);
    mem_free(section);
}

static void every_key_of_the_json_stands_in_its_commands_part(void **state)
{
    (void)state;
    const char *w = copy_of_corner("documented");
    const char *rows =
        put("rows.csv", "event_id,type,shopper_id,product_id,time\n"
                        "1,view,s01,p01,2026-05-31\n2,view,s01,p01,never\n");
    CHECK_JSON(0, "init", w, "--json");
    CHECK_JSON(3, "validate", rows, "--json", "-w", w);
    CHECK_JSON(0, "import", rows, "--json", "-w", w);
    CHECK_JSON(0, "search", "milk", "--json", "-w", w);
    CHECK_JSON(0, "train", "--json", "-w", w);
    CHECK_JSON(0, "evaluate", "--json", "-w", w);
    CHECK_JSON(0, "experiment", "--since", "2026-04-06", "--json", "-w", w);
    CHECK_JSON(0, "experiment", "--plan", "--change", "0.1", "--window", "3", "--json", "-w",
               w);
    CHECK_JSON(0, "decide", "--campaign", "june", "--json", "-w", w);
    CHECK_JSON(0, "explain", "s01", "--json", "-w", w);
    CHECK_JSON(0, "profile", "s05", "--at", "2026-05-10", "--json", "-w", w);
    CHECK_JSON(0, "recommend", "s01", "--json", "-w", w);
    CHECK_JSON(0, "message", "--json", "-w", w);
    CHECK_JSON(0, "report", "--json", "-w", w);
    CHECK_JSON(0, "export", "--shopper", "s01", "-w", w);
    CHECK_JSON(0, "export", "--decisions", "-w", w);
    CHECK_JSON(0, "doctor", "--json", "-w", w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_option_and_example_stands_on_the_page),
        cmocka_unit_test(shared_options_stand_on_the_page),
        cmocka_unit_test(the_page_names_nothing_that_the_program_has_not),
        cmocka_unit_test(every_exit_code_stands_on_the_page),
        cmocka_unit_test(every_reason_and_cap_stands_on_the_page),
        cmocka_unit_test(every_key_of_the_json_stands_in_its_commands_part),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
