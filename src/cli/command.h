/*
 * A command of the command line: its words, its options, its help, its function. One file
 * a command (cmd_*.c); commands.c lists them. Parsing, help and shell completion are made
 * from these tables, so they cannot disagree.
 *
 * Data go to stdout, talk to stderr. A command returns a status; main() prints the error
 * and turns it into the exit code (docs/cli.md).
 */
#ifndef PROFFER_CLI_COMMAND_H
#define PROFFER_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "proffer/proffer.h"

typedef struct option_spec {
    const char *name;  /* "budget" of --budget */
    const char *value; /* what stands behind it: "MONEY"; NULL for a switch */
    const char *help;  /* one line */
} option_spec;

enum { MAX_OPTIONS = 32, MAX_ARGUMENTS = 256 };

typedef struct invocation invocation;

typedef struct command {
    const char *name;
    const char *summary;        /* one line, for the list */
    const char *arguments;      /* "FILE..." or "" */
    const char *examples;       /* lines of "  proffer ..." with a comment each */
    const char *details;        /* a paragraph or NULL */
    const option_spec *options; /* of its own; ends with a NULL name; may be NULL */
    int min_arguments, max_arguments;
    proffer_status (*run)(const invocation *in, proffer_error *err);
} command;

/* What was typed, parsed. Values point into argv. */
struct invocation {
    const command *command;
    const char *program;
    const char *workspace; /* -w, else PROFFER_WORKSPACE, else "." */
    bool json, quiet, help;
    const char *values[MAX_OPTIONS]; /* of command->options[i]; a switch holds "" */
    const char *arguments[MAX_ARGUMENTS];
    int n_arguments;
};

/* Every command, in the order of the help; ends with NULL. */
extern const command *const all_commands[];
/* Options that every command takes; ends with a NULL name. */
extern const option_spec shared_options[];

/* Parses argv behind the command's name. Unknown options come with a suggestion. */
proffer_status options_parse(const command *c, int argc, char **argv, invocation *out,
                             proffer_error *err);
/* The value of an option, or NULL when it was not given. name must be in the table. */
const char *option_value(const invocation *in, const char *name);
bool option_given(const invocation *in, const char *name);
/* A whole number within bounds, or fallback when not given. */
proffer_status option_integer(const invocation *in, const char *name, long low, long high,
                              long fallback, long *out, proffer_error *err);

/* A finite number within bounds, or fallback when not given. */
proffer_status option_number(const invocation *in, const char *name, double low, double high,
                             double fallback, double *out, proffer_error *err);
/* "--NAME because" for the first of the names that was given: an option that goes with
 * another one would be ignored in silence. names end with NULL. */
proffer_status options_refuse(const invocation *in, const char *const names[],
                              const char *because, proffer_error *err);

/* Fills a public error: `return fail(err, PROFFER_USAGE, "...")`. */
proffer_status fail(proffer_error *err, proffer_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Help of one command, or of the program, to stdout. */
void help_command(const command *c);
void help_program(void);

#endif
