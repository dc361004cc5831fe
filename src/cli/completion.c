/*
 * Shell completion, made from the tables of commands and options.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/commands.h"

static void print_words(const command *c)
{
    for (const option_spec *o = c->options; o != NULL && o->name != NULL; o++)
        printf(" --%s", o->name);
    for (const option_spec *o = shared_options; o->name != NULL; o++)
        printf(" --%s", o->name);
}

static void print_bash(void)
{
    printf("_proffer() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "    words='");
    for (const command *const *c = all_commands; *c != NULL; c++)
        printf("%s%s", c == all_commands ? "" : " ", (*c)->name);
    printf("'\n  else case $command in\n");
    for (const command *const *c = all_commands; *c != NULL; c++) {
        printf("    %s) words='", (*c)->name);
        print_words(*c);
        printf("' ;;\n");
    }
    printf("  esac; fi\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "}\ncomplete -F _proffer proffer\n");
}

static void print_zsh(void)
{
    printf("#compdef proffer\nautoload -U +X bashcompinit && bashcompinit\n");
    print_bash();
}

/* Words in single quotes, as fish reads them: \\ and ' are escaped by a backslash. */
static void print_quoted(const char *words)
{
    putchar('\'');
    for (; *words; words++) {
        if (*words == '\'' || *words == '\\') putchar('\\');
        putchar(*words);
    }
    putchar('\'');
}

static void print_fish_option(const char *name, const option_spec *o)
{
    printf("complete -c proffer -n '__fish_seen_subcommand_from %s' -l %s%s -d ", name,
           o->name, o->value ? " -r" : "");
    print_quoted(o->help);
    putchar('\n');
}

static void print_fish(void)
{
    for (const command *const *c = all_commands; *c != NULL; c++) {
        printf("complete -c proffer -n __fish_use_subcommand -a %s -d ", (*c)->name);
        print_quoted((*c)->summary);
        putchar('\n');
        for (const option_spec *o = (*c)->options; o != NULL && o->name != NULL; o++)
            print_fish_option((*c)->name, o);
        for (const option_spec *o = shared_options; o->name != NULL; o++)
            print_fish_option((*c)->name, o);
    }
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    const char *shell = in->arguments[0];
    if (!strcmp(shell, "bash"))
        print_bash();
    else if (!strcmp(shell, "zsh"))
        print_zsh();
    else if (!strcmp(shell, "fish"))
        print_fish();
    else
        return fail(err, PROFFER_USAGE, "'%s' is none of: bash, zsh, fish", shell);
    return PROFFER_OK;
}

const command command_completion = {
    .name = "completion",
    .summary = "Print completion for a shell",
    .arguments = "bash|zsh|fish",
    .examples = "  source <(proffer completion bash)   # now\n"
                "  proffer completion fish > ~/.config/fish/completions/proffer.fish\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
