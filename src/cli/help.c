/*
 * Help, made from the tables: examples first, because that is what people look for.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static void print_options(const option_spec *o)
{
    char left[64];
    for (; o != NULL && o->name != NULL; o++) {
        (void)snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                       o->value ? o->value : "");
        printf("  %-26s %s\n", left, o->help);
    }
}

void help_command(const command *c)
{
    printf("proffer %s: %s\n\nExamples\n%s\n", c->name, c->summary, c->examples);
    printf("Usage\n  proffer %s [options]%s%s\n\n", c->name, c->arguments[0] ? " " : "",
           c->arguments);
    if (c->details != NULL) printf("%s\n\n", c->details);
    if (c->options != NULL) {
        printf("Options\n");
        print_options(c->options);
        printf("\n");
    }
    printf("Shared options\n");
    print_options(shared_options);
}

void help_program(void)
{
    printf(
        "proffer: which promotion for which shopper, through which channel, in what "
        "words,\n"
        "or none\n\n"
        "Examples\n"
        "  proffer demo                        # the whole chain on bundled real data\n"
        "  proffer init my-shop                # a new workspace\n"
        "  proffer import -w my-shop --mapping my-shop/mapping.yaml\n"
        "  proffer decide -w my-shop --budget 5000 --dry-run\n\n"
        "Commands\n");
    for (const command *const *c = all_commands; *c != NULL; c++)
        printf("  %-12s %s\n", (*c)->name, (*c)->summary);
    printf("\n`proffer COMMAND --help` tells more. Exit codes: 0 ok, 2 usage, 3 data, 4 "
           "not\n"
           "found, 5 input/output, 6 memory or limit, 7 busy, 8 part absent, 130 "
           "interrupted.\n");
}
