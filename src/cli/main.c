/*
 * The program: finds the command, runs it, prints the error, and alone decides the exit
 * code.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/show.h"

static const command *find_command(const char *name)
{
    for (const command *const *c = all_commands; *c != NULL; c++)
        if (!strcmp((*c)->name, name)) return *c;
    return NULL;
}

static proffer_status unknown_command(const char *name, proffer_error *err)
{
    const char *names[64];
    size_t n = 0;
    if (name[0] == '-')
        return fail(err, PROFFER_USAGE,
                    "options stand behind the command: proffer COMMAND %s "
                    "...; see `proffer --help`",
                    name);
    for (const command *const *c = all_commands; *c != NULL && n < 64; c++)
        names[n++] = (*c)->name;
    const char *near = text_closest(name, names, n);
    return fail(
        err, PROFFER_USAGE, "there is no command '%s'%s%s%s; see `proffer --help`", name,
        near ? " (did you mean `proffer " : "", near ? near : "", near ? "`?)" : "");
}

static proffer_status run_command(const char *program, const char *name, int argc,
                                  char **argv, proffer_error *err)
{
    invocation in;
    const command *c = find_command(name);
    if (c == NULL) return unknown_command(name, err);
    proffer_status s = options_parse(c, argc, argv, &in, err);
    if (s != PROFFER_OK) return s;
    if (in.help) {
        help_command(c);
        return PROFFER_OK;
    }
    in.program = program;
    progress_set_quiet(in.quiet);
    if (in.quiet) log_set_level(LOG_WARNING);
    progress_catch_signals();
    return c->run(&in, err);
}

/* `proffer help COMMAND` and `proffer --help`. */
static proffer_status show_help(const char *name, proffer_error *err)
{
    const command *c = name != NULL ? find_command(name) : NULL;
    if (name != NULL && c == NULL) return unknown_command(name, err);
    if (c != NULL)
        help_command(c);
    else
        help_program();
    return PROFFER_OK;
}

static proffer_status dispatch(int argc, char **argv, proffer_error *err)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        help_program();
        return fail(err, PROFFER_USAGE, "name a command");
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return show_help(argc > 2 ? argv[2] : NULL, err);
    if (!strcmp(name, "--version")) {
        printf("proffer %s\n", proffer_version());
        return PROFFER_OK;
    }
    return run_command(argv[0], name, argc - 2, argv + 2, err);
}

/* stdout may be a pipe that closed or a full disk; data that were not written are a
 * failure. A block that failed earlier is gone from the buffer, so the stream's own memory
 * of it is asked too. */
static proffer_status flush_output(proffer_status s, proffer_error *err)
{
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (failed && s == PROFFER_OK)
        return fail(err, PROFFER_IO,
                    "cannot write to standard output: is the disk full, or "
                    "was the pipe closed?");
    return s;
}

int main(int argc, char **argv)
{
    proffer_error err = {.code = PROFFER_OK};
    /* A file that grows past `ulimit -f` is an error of writing like any other, not a
     * sudden death that leaves half a file behind. */
    (void)signal(SIGXFSZ, SIG_IGN);
    proffer_status s = dispatch(argc, argv, &err);
    s = flush_output(s, &err);
    if (s != PROFFER_OK) show_error(&err);
    return status_exit_code((pf_status)s);
}
