/*
 * Holds the C and C++ files of a tree against the house style and prints what breaks it,
 * one line a finding: "file:line: rule: what is wrong". Ends with 0 when there is none, 1
 * when there are some, 2 when the tree cannot be read.
 *
 *     check_style ROOT
 *
 * It checks what can be decided by looking at the text, so that nobody has to in a
 * review. Sources, programs and tests are held to different rules: the table `areas` says
 * which. CONTRIBUTING.md gives the reasons.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/c_text.h"
#include "tools/room_list.h"
#include "tools/source_tree.h"

enum { FUNCTION_LINES_MAX = 70, FILE_LINES_MAX = 900, COLUMNS_MAX = 100 };

/* Groups of rules; each area of the tree is held to some. */
enum {
    RULE_CALLS = 1,     /* calls that nothing in the house makes */
    RULE_COLUMNS = 2,   /* the width of a line */
    RULE_LENGTHS = 4,   /* lengths of functions and files; tabs */
    RULE_HEADERS = 8,   /* head comment, include guard */
    RULE_FINISHED = 16, /* words that mark unfinished work */
    RULE_ROOMS = 32     /* which room includes which; who may end the program */
};

typedef struct area {
    const char *folder;
    int rules;
} area;

static const area areas[] = {
    {"src/", RULE_CALLS | RULE_COLUMNS | RULE_LENGTHS | RULE_HEADERS | RULE_FINISHED |
                 RULE_ROOMS},
    {"include/", RULE_CALLS | RULE_COLUMNS | RULE_LENGTHS | RULE_HEADERS | RULE_FINISHED},
    {"tools/", RULE_CALLS | RULE_COLUMNS | RULE_LENGTHS | RULE_HEADERS},
    {"bench/", RULE_CALLS | RULE_COLUMNS | RULE_LENGTHS | RULE_HEADERS | RULE_FINISHED},
    {"examples/", RULE_CALLS | RULE_COLUMNS | RULE_LENGTHS | RULE_FINISHED},
    {"tests/", RULE_CALLS | RULE_COLUMNS},
    {"fuzz/", RULE_CALLS | RULE_COLUMNS},
};

/* One run: what it knows, what it has looked at, what it has found. */
typedef struct checker {
    room_list rooms;
    size_t findings;
    size_t files;
    size_t *lengths; /* lines of every function whose length is held to a rule */
    size_t functions;
} checker;

/* One file under check. */
typedef struct subject {
    checker *run;
    const source_file *file;
    const char *code; /* the text with comments and literals blanked */
} subject;

__attribute__((format(printf, 4, 5))) static void
report(const subject *s, size_t line, const char *rule, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%zu: %s: ", s->file->path, line, rule);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    s->run->findings++;
}

static bool in_list(const char *word, size_t length, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strlen(*list) == length && strncmp(word, *list, length) == 0) return true;
    return false;
}

static size_t newlines_between(const char *from, const char *to)
{
    size_t lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

/* --- calls ------------------------------------------------------------------------ */

/* Unbounded writes, conversions that cannot report an error, hidden state, the shell. */
static const char *const banned_calls[] = {
    "sprintf", "vsprintf", "strcpy", "strcat", "strtok", "gets",  "atoi", "atof",
    "atol",    "atoll",    "alloca", "system", "rand",   "srand", NULL};

static const char *const ending_calls[] = {"exit",       "_exit", "_Exit",
                                           "quick_exit", "abort", NULL};

/* Errors are values; main alone ends the program. memory.c aborts where the allocation
 * guard is broken, which is a programmer's error. */
static bool may_end(const char *path, const char *call, size_t length)
{
    if (strcmp(path, "src/cli/main.c") == 0) return true;
    return strcmp(path, "src/base/memory.c") == 0 && length == 5 &&
           strncmp(call, "abort", 5) == 0;
}

static void check_calls(const subject *s, int rules)
{
    size_t line = 1, length = 0;
    const char *seen = s->code, *at = s->code;
    for (const char *word; (word = c_text_word(&at, &length)) != NULL;) {
        if (!c_text_calls(at)) continue;
        line += newlines_between(seen, word);
        seen = word;
        if (in_list(word, length, banned_calls))
            report(s, line, "banned-call", "%.*s is not used here", (int)length, word);
        if (rules & RULE_ROOMS && in_list(word, length, ending_calls) &&
            !may_end(s->file->path, word, length))
            report(s, line, "ends-program", "%.*s: return a status, only main ends",
                   (int)length, word);
    }
}

/* --- shape ------------------------------------------------------------------------ */

/* Characters, not bytes: UTF-8's continuation bytes are not counted. */
static size_t columns(const char *start, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)start[i] & 0xC0) != 0x80;
    return count;
}

static void check_lines(const subject *s, int rules)
{
    size_t line = 0;
    const char *end = s->file->text + s->file->size;
    for (const char *p = s->file->text; p < end;) {
        size_t length = strcspn(p, "\n");
        line++;
        if (rules & RULE_COLUMNS && columns(p, length) > COLUMNS_MAX)
            report(s, line, "columns", "%zu columns, %d at most", columns(p, length),
                   COLUMNS_MAX);
        if (rules & RULE_LENGTHS && memchr(p, '\t', length) != NULL)
            report(s, line, "tab", "spaces indent here; in a literal write \\t");
        p += length + 1;
    }
    if (rules & RULE_LENGTHS && line > FILE_LINES_MAX)
        report(s, line, "file-length", "%zu lines, %d at most: is it one idea?", line,
               FILE_LINES_MAX);
}

static void check_functions(const subject *s)
{
    checker *run = s->run;
    size_t count = 0;
    c_function *functions = c_text_functions(s->code, &count);
    run->lengths =
        source_alloc(run->lengths, (run->functions + count) * sizeof *run->lengths);
    for (size_t i = 0; i < count; i++) {
        run->lengths[run->functions++] = functions[i].lines;
        if (functions[i].lines > FUNCTION_LINES_MAX)
            report(s, functions[i].line, "function-length", "%zu lines, %d at most",
                   functions[i].lines, FUNCTION_LINES_MAX);
    }
    free(functions);
}

/* --- headers ---------------------------------------------------------------------- */

/* src/base/text.h -> PROFFER_BASE_TEXT_H, include/proffer/proffer.h -> PROFFER_H,
 * bench/result.h -> PROFFER_BENCH_RESULT_H. */
static void guard_of(const char *path, char *guard, size_t size)
{
    if (text_starts(path, "src/"))
        path += strlen("src/");
    else if (text_starts(path, "include/proffer/"))
        path += strlen("include/proffer/");
    snprintf(guard, size, "%s%s", strcmp(path, "proffer.h") == 0 ? "" : "PROFFER_", path);
    for (char *c = guard; *c != '\0'; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
}

/* The name behind the n-th directive of the code, which must be `directive`. */
static bool directive_names(const char *code, int n, const char *directive,
                            const char *name)
{
    const char *p = code;
    for (int i = 0;; i++) {
        p = strchr(i == 0 ? p : p + 1, '#');
        if (p == NULL) return false;
        if (i == n) break;
    }
    char wanted[320];
    int length = snprintf(wanted, sizeof wanted, "#%s %s", directive, name);
    return strncmp(p, wanted, (size_t)length) == 0 && isspace((unsigned char)p[length]);
}

/* A file called something_body.h is text that others include several times on purpose;
 * it has no guard. */
static void check_header(const subject *s)
{
    if (!text_starts(s->file->text, "/*") && !text_starts(s->file->text, "//"))
        report(s, 1, "head-comment", "begin with a comment: what it is, what it is not");
    if (!text_ends(s->file->path, ".h") || text_ends(s->file->path, "_body.h")) return;
    char guard[256];
    guard_of(s->file->path, guard, sizeof guard);
    if (!directive_names(s->code, 0, "ifndef", guard) ||
        !directive_names(s->code, 1, "define", guard))
        report(s, 1, "include-guard", "its first directives must guard it with %s",
               guard);
}

/* --- unfinished work -------------------------------------------------------------- */

static bool word_edge(char c)
{
    return !isalnum((unsigned char)c) && c != '_';
}

/* In comments, literals and code alike: what is in the tree is finished. */
static void check_finished(const subject *s)
{
    static const char *const marks[] = {"todo",          "fixme",           "xxx",
                                        "hack",          "not implemented", "stub",
                                        "unimplemented", "placeholder",     "for now"};
    size_t line = 1;
    const char *text = s->file->text;
    for (const char *p = text; *p != '\0'; p++) {
        line += *p == '\n';
        if (p > text && !word_edge(p[-1])) continue;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            size_t length = strlen(marks[i]);
            if (strncasecmp(p, marks[i], length) == 0 && word_edge(p[length]))
                report(s, line, "unfinished", "'%s': finish it, or leave it out",
                       marks[i]);
        }
    }
}

/* --- rooms ------------------------------------------------------------------------ */

/* The name between quotes or angle brackets if the line that begins here is an #include
 * that counts (comments are blanked in code, so a disabled line does not). */
static bool included_name(const subject *s, const char *line, char *name, size_t size,
                          bool *quoted)
{
    const char *p = line + strspn(line, " \t");
    if (*p != '#') return false;
    p += 1 + strspn(p + 1, " \t");
    if (!text_starts(p, "include")) return false;
    p += strlen("include");
    p += strspn(p, " \t");
    const char *raw = s->file->text + (p - s->code);
    *quoted = *raw == '"';
    if (*raw != '"' && *raw != '<') return false;
    snprintf(name, size, "%.*s", (int)strcspn(raw + 1, "\">\n"), raw + 1);
    return true;
}

static void check_include(const subject *s, const room *from, size_t line,
                          const char *name, bool quoted)
{
    char folder[64];
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(name, "/"), name);
    if (strcmp(folder, "proffer") == 0) {
        if (strcmp(from->name, "engine") != 0 && !room_may_include(from, "engine"))
            report(s, line, "room-include", "the public API is for engine and its doors");
        return;
    }
    const room *to = room_list_find(&s->run->rooms, folder);
    if (to == NULL && quoted)
        report(s, line, "room-include", "'%s': name a house header as room/file.h", name);
    else if (to != NULL && !room_may_include(from, folder))
        report(s, line, "room-include", "%s does not list %s in its USES", from->name,
               folder);
}

static void check_includes(const subject *s)
{
    char name[256];
    const char *inside = s->file->path + strlen("src/");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(inside, "/"), inside);
    const room *from = room_list_find(&s->run->rooms, name);
    if (from == NULL || !from->declared) {
        report(s, 1, "room-unknown", "src/%s is not a room of src/CMakeLists.txt", name);
        return;
    }
    size_t line = 1;
    for (const char *p = s->code; *p != '\0'; line++) {
        bool quoted = false;
        if (included_name(s, p, name, sizeof name, &quoted))
            check_include(s, from, line, name, quoted);
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
}

/* Data flow one way: a room uses only rooms listed before it. */
static void check_order(checker *run)
{
    for (int i = 0; i < run->rooms.count; i++) {
        const room *r = &run->rooms.rooms[i];
        for (int u = 0; u < r->n_uses; u++) {
            const room *used = room_list_find(&run->rooms, r->uses[u]);
            if (used != NULL && used < r) continue;
            printf("src/%s/CMakeLists.txt:%zu: room-order: %s uses %s, which %s\n",
                   r->name, r->line, r->name, r->uses[u],
                   used == NULL ? "is no room" : "does not come before it");
            run->findings++;
        }
    }
}

/* --- the run ---------------------------------------------------------------------- */

static bool is_c(const char *path)
{
    return text_ends(path, ".c") || text_ends(path, ".h") || text_ends(path, ".cpp");
}

static int rules_of(const char *path)
{
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++)
        if (text_starts(path, areas[i].folder) && is_c(path)) return areas[i].rules;
    return 0;
}

static void check_file(checker *run, const source_file *file, int rules)
{
    char *code = c_text_blank(file->text, file->size);
    subject s = {run, file, code};
    run->files++;
    check_calls(&s, rules);
    check_lines(&s, rules);
    if (rules & RULE_LENGTHS) check_functions(&s);
    if (rules & RULE_HEADERS) check_header(&s);
    if (rules & RULE_FINISHED) check_finished(&s);
    if (rules & RULE_ROOMS) check_includes(&s);
    free(code);
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void print_summary(checker *run)
{
    printf("style: %zu files, %zu findings", run->files, run->findings);
    if (run->functions > 0) {
        qsort(run->lengths, run->functions, sizeof *run->lengths, by_size);
        printf("; %zu functions, median %zu lines, nine in ten within %zu, longest %zu",
               run->functions, run->lengths[run->functions / 2],
               run->lengths[run->functions * 9 / 10], run->lengths[run->functions - 1]);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    if (argc != 2) source_die("usage: check_style ROOT");
    source_tree tree = source_list(argv[1]);
    checker run = {.rooms = room_list_read(&tree)};
    check_order(&run);
    for (size_t i = 0; i < tree.count; i++) {
        int rules = rules_of(tree.files[i].path);
        if (rules == 0) continue;
        source_read(&tree, &tree.files[i]);
        check_file(&run, &tree.files[i], rules);
    }
    print_summary(&run);
    free(run.lengths);
    source_free(&tree);
    if (run.files == 0) source_die("check_style: no C file under %s", argv[1]);
    return run.findings > 0;
}
