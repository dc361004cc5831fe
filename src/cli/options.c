/*
 * The words behind a command: --name VALUE, --name=VALUE, -w DIR, -h, arguments, and "--"
 * after which everything is an argument.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"

const option_spec shared_options[] = {
    {"workspace", "DIR", "also -w: the workspace (default: PROFFER_WORKSPACE, else this folder)"},
    {"json", NULL, "print one JSON document instead of a table"},
    {"quiet", NULL, "also -q: no progress and no talk; warnings and errors stay"},
    {"help", NULL, "also -h: this help"},
    {NULL, NULL, NULL},
};

proffer_status fail(proffer_error *err, proffer_status code, const char *format, ...)
{
    va_list arguments;
    *err = (proffer_error){.code = code};
    va_start(arguments, format);
    (void)vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return code;
}

static int find_option(const option_spec *table, const char *name, size_t n)
{
    for (int i = 0; table != NULL && table[i].name != NULL; i++)
        if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0) return i;
    return -1;
}

static proffer_status unknown_option(const command *c, const char *name, size_t n,
                                     proffer_error *err)
{
    const char *choices[2 * MAX_OPTIONS];
    size_t count = 0;
    char word[64];
    (void)snprintf(word, sizeof word, "%.*s", (int)n, name);
    for (const option_spec *o = c->options; o != NULL && o->name != NULL; o++)
        choices[count++] = o->name;
    for (const option_spec *o = shared_options; o->name != NULL; o++)
        choices[count++] = o->name;
    const char *near = text_closest(word, choices, count);
    return fail(err, PROFFER_USAGE,
                "proffer %s has no option --%s%s%s%s; see `proffer %s "
                "--help`",
                c->name, word, near ? " (did you mean --" : "", near ? near : "",
                near ? "?)" : "", c->name);
}

/* Where the parser stands in argv. */
typedef struct cursor {
    int argc, at;
    char **argv;
} cursor;

/* Looks like an option, and so is no value somebody forgot: "-w", "--json"; not "-5", "-". */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != 0 && !(word[1] >= '0' && word[1] <= '9');
}

/* The value of option o: behind '=', or the next word. A value that looks like an option
 * must stand behind '='. */
static proffer_status take_value(cursor *k, const option_spec *o, const char *equals,
                                 const char **value, proffer_error *err)
{
    if (o->value == NULL) {
        *value = "";
        if (equals != NULL)
            return fail(err, PROFFER_USAGE, "--%s takes no value", o->name);
        return PROFFER_OK;
    }
    if (equals == NULL && (k->at + 1 >= k->argc || is_option(k->argv[k->at + 1])))
        return fail(err, PROFFER_USAGE, "--%s needs a value: --%s %s", o->name, o->name,
                    o->value);
    *value = equals != NULL ? equals + 1 : k->argv[++k->at];
    return PROFFER_OK;
}

static void set_shared(invocation *out, int i, const char *value)
{
    if (i == 0)
        out->workspace = value;
    else
        *(i == 1 ? &out->json : i == 2 ? &out->quiet : &out->help) = true;
}

static proffer_status take_option(const command *c, cursor *k, invocation *out,
                                  proffer_error *err)
{
    const char *name = k->argv[k->at] + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    int own = find_option(c->options, name, n);
    int shared = own < 0 ? find_option(shared_options, name, n) : -1;
    if (own < 0 && shared < 0) return unknown_option(c, name, n, err);
    const char *value = NULL;
    const option_spec *o = own >= 0 ? &c->options[own] : &shared_options[shared];
    proffer_status s = take_value(k, o, equals, &value, err);
    if (s != PROFFER_OK) return s;
    if (own >= 0)
        out->values[own] = value;
    else
        set_shared(out, shared, value);
    return PROFFER_OK;
}

static proffer_status take_short(const command *c, cursor *k, invocation *out,
                                 proffer_error *err)
{
    const char *word = k->argv[k->at];
    if (!strcmp(word, "-h")) {
        out->help = true;
        return PROFFER_OK;
    }
    if (!strcmp(word, "-q")) {
        out->quiet = true;
        return PROFFER_OK;
    }
    if (!strcmp(word, "-w"))
        return take_value(k, &shared_options[0], NULL, &out->workspace, err);
    return fail(err, PROFFER_USAGE,
                "proffer %s has no option %s; see `proffer %s --help`", c->name, word,
                c->name);
}

static proffer_status take_argument(const command *c, const char *word, invocation *out,
                                    proffer_error *err)
{
    int most = c->max_arguments < MAX_ARGUMENTS ? c->max_arguments : MAX_ARGUMENTS;
    if (out->n_arguments >= most)
        return fail(err, PROFFER_USAGE,
                    "proffer %s takes at most %d argument%s; '%s' is one "
                    "too many",
                    c->name, most, most == 1 ? "" : "s", word);
    out->arguments[out->n_arguments++] = word;
    return PROFFER_OK;
}

/* Every command is parsed by some test, so that one with too many options never gets out. */
static proffer_status check_room(const command *c, proffer_error *err)
{
    int n = 0;
    while (c->options != NULL && c->options[n].name != NULL)
        n++;
    if (n <= MAX_OPTIONS) return PROFFER_OK;
    return fail(err, PROFFER_INTERNAL, "proffer %s has %d options, and there is room for %d",
                c->name, n, MAX_OPTIONS);
}

proffer_status options_parse(const command *c, int argc, char **argv, invocation *out,
                             proffer_error *err)
{
    const char *home = getenv("PROFFER_WORKSPACE");
    cursor k = {.argc = argc, .argv = argv};
    bool only_arguments = false;
    *out = (invocation){.command = c, .workspace = home && *home ? home : "."};
    proffer_status room = check_room(c, err);
    if (room != PROFFER_OK) return room;
    for (; k.at < argc; k.at++) {
        const char *word = argv[k.at];
        proffer_status s;
        if (!only_arguments && !strcmp(word, "--")) {
            only_arguments = true;
            continue;
        }
        if (!only_arguments && !strncmp(word, "--", 2))
            s = take_option(c, &k, out, err);
        else if (!only_arguments && word[0] == '-' && word[1] != 0)
            s = take_short(c, &k, out, err);
        else
            s = take_argument(c, word, out, err);
        if (s != PROFFER_OK) return s;
    }
    if (!out->help && out->n_arguments < c->min_arguments)
        return fail(err, PROFFER_USAGE, "proffer %s needs %s; see `proffer %s --help`",
                    c->name, c->arguments, c->name);
    return PROFFER_OK;
}

const char *option_value(const invocation *in, const char *name)
{
    int i = find_option(in->command->options, name, strlen(name));
    return i < 0 ? NULL : in->values[i];
}

bool option_given(const invocation *in, const char *name)
{
    return option_value(in, name) != NULL;
}

proffer_status option_integer(const invocation *in, const char *name, long low, long high,
                              long fallback, long *out, proffer_error *err)
{
    const char *value = option_value(in, name);
    int64_t number = fallback;
    if (value != NULL &&
        (!text_to_i64(text_of(value), &number) || number < low || number > high))
        return fail(err, PROFFER_USAGE, "--%s: '%s' is no whole number from %ld to %ld",
                    name, value, low, high);
    *out = (long)number;
    return PROFFER_OK;
}

proffer_status option_number(const invocation *in, const char *name, double low,
                             double high, double fallback, double *out,
                             proffer_error *err)
{
    const char *value = option_value(in, name);
    double number = fallback;
    if (value != NULL &&
        (!text_to_double(text_of(value), &number) || number < low || number > high))
        return fail(err, PROFFER_USAGE, "--%s: '%s' is no number from %g to %g", name,
                    value, low, high);
    *out = number;
    return PROFFER_OK;
}

proffer_status options_refuse(const invocation *in, const char *const names[],
                              const char *because, proffer_error *err)
{
    for (; *names != NULL; names++)
        if (option_given(in, *names))
            return fail(err, PROFFER_USAGE, "--%s %s", *names, because);
    return PROFFER_OK;
}
