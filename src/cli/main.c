/*
 * The program: finds the command, runs it, prints the error, and alone decides the exit
 * code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/show.h"

static const command *find_command(const char *name)
{
    for (const command *const *c = all_commands; *c != NULL; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}

static proffer_status unknown_command(const char *name, proffer_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (const command *const *c = all_commands; *c != NULL && n < 64; c++)
        names[n++] = (*c)->name;
    const char *near = text_closest(name, names, n);
    return fail(err, PROFFER_USAGE, "there is no command '%s'%s%s%s; see `proffer --help`",
                name, near ? " (did you mean `proffer " : "", near ? near : "",
                near ? "`?)" : "");
}

static proffer_status run_command(const char *program, const char *name, int argc,
                                  char **argv, proffer_error *err)
{
    invocation in;
    const command *c = find_command(name);
    if (c == NULL)
        return unknown_command(name, err);
    proffer_status s = options_parse(c, argc, argv, &in, err);
    if (s != PROFFER_OK)
        return s;
    if (in.help) {
        help_command(c);
        return PROFFER_OK;
    }
    in.program = program;
    progress_set_quiet(in.quiet);
    progress_catch_signals();
    return c->run(&in, err);
}

/* stdout may be a pipe that closed or a full disk; data that were not written are a
 * failure. */
static proffer_status flush_output(proffer_status s, proffer_error *err)
{
    if (fflush(stdout) != 0 && s == PROFFER_OK)
        return fail(err, PROFFER_IO, "cannot write to standard output");
    return s;
}

int main(int argc, char **argv)
{
    proffer_error err = {.code = PROFFER_OK};
    const char *name = argc > 1 ? argv[1] : "--help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        const command *c = argc > 2 ? find_command(argv[2]) : NULL;
        if (c != NULL)
            help_command(c);
        else
            help_program();
        return argc > 1 ? 0 : status_exit_code(PF_USAGE);
    }
    if (!strcmp(name, "--version")) {
        printf("proffer %s\n", proffer_version());
        return 0;
    }
    proffer_status s = run_command(argv[0], name, argc - 2, argv + 2, &err);
    s = flush_output(s, &err);
    if (s != PROFFER_OK)
        show_error(&err);
    return status_exit_code((pf_status)s);
}
