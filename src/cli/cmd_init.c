/* proffer init: a new workspace. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"shop", "NAME", "the shop's name as shoppers know it"},
    {"currency", "CODE", "ISO 4217 code of all amounts (default USD)"},
    {NULL, NULL, NULL},
};

/* What is in it now; a program that makes workspaces reads the folder and the currency. */
static proffer_status show_workspace(const char *folder, proffer_error *err)
{
    proffer *p = NULL;
    char *json = NULL;
    proffer_status s = proffer_open(&p, folder, err);
    if (s == PROFFER_OK) s = proffer_describe(p, &json, err);
    if (s == PROFFER_OK) printf("%s\n", json);
    proffer_free(json);
    proffer_close(p);
    return s;
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    const char *folder = in->n_arguments > 0 ? in->arguments[0] : in->workspace;
    proffer_status s =
        proffer_init(folder, option_value(in, "shop"), option_value(in, "currency"), err);
    if (s != PROFFER_OK) return s;
    if (in->json) return show_workspace(folder, err);
    show_talk("A workspace is ready in %s. Its settings, with comments: %s/proffer.yaml",
              folder, folder);
    show_talk("Next: proffer import -w %s FILE...   (proffer validate first tells what "
              "is wrong)",
              folder);
    return PROFFER_OK;
}

const command command_init = {
    .name = "init",
    .summary = "Make a workspace: a folder with proffer.yaml and an empty store",
    .arguments = "[DIR]",
    .examples = "  proffer init my-shop --shop 'Green Grocer' --currency EUR\n"
                "  proffer init            # in this folder\n",
    .details = "Files that are there already are kept.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
