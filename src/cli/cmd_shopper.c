/* proffer export and proffer forget: everything known of one shopper, out or away. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec export_options[] = {
    {"shopper", "ID", "everything known of this shopper"},
    {"decisions", NULL, "the decisions of the latest run"},
    {"run", "ID", "with --decisions: of this run"},
    {NULL, NULL, NULL},
};

static proffer_status export_verb(proffer *p, const invocation *in, char **json,
                                  proffer_error *err)
{
    const char *shopper = option_value(in, "shopper");
    bool decisions = option_given(in, "decisions");
    if ((shopper != NULL) == decisions)
        return fail(err, PROFFER_USAGE, "say either --shopper ID or --decisions");
    if (shopper != NULL && option_given(in, "run"))
        return fail(err, PROFFER_USAGE, "--run goes with --decisions");
    if (decisions) return proffer_decisions(p, option_value(in, "run"), json, err);
    return proffer_export_shopper(p, shopper, json, err);
}

static proffer_status run_export(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, export_verb, NULL, err);
}

const command command_export = {
    .name = "export",
    .summary = "Print a shopper's data or a run's decisions as JSON",
    .arguments = "",
    .examples = "  proffer export --shopper 1042 > 1042.json\n"
                "  proffer export --decisions > decisions.json\n",
    .options = export_options,
    .run = run_export,
};

static const option_spec forget_options[] = {
    {"yes", NULL, "really erase"},
    {NULL, NULL, NULL},
};

static proffer_status forget(proffer *p, const invocation *in, char **json,
                             proffer_error *err)
{
    *json = NULL;
    if (!option_given(in, "yes"))
        return fail(err, PROFFER_USAGE,
                    "this erases shopper %s's data, events and decisions "
                    "for good; say --yes",
                    in->arguments[0]);
    proffer_status s = proffer_forget(p, in->arguments[0], err);
    if (s != PROFFER_OK) return s;
    show_talk(
        "Shopper %s is forgotten. Models trained earlier keep their numbers until the "
        "next `proffer train`.",
        in->arguments[0]);
    show_talk("Files written earlier are not looked through: write the report again, and "
              "delete what %s/rejects and your own exports hold.",
              in->workspace);
    return PROFFER_OK;
}

static proffer_status run_forget(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, forget, NULL, err);
}

const command command_forget = {
    .name = "forget",
    .summary = "Erase a shopper: standing data, events, decisions",
    .arguments = "SHOPPER",
    .examples = "  proffer forget 1042 --yes\n",
    .options = forget_options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_forget,
};
