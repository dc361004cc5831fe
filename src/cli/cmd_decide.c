/* proffer decide: who gets which promotion, within the budget, and why. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/show_decisions.h"

static const option_spec options[] = {
    {"campaign", "ID", "only this campaign's promotions (default: all live ones)"},
    {"at", "TIME",
     "the moment of sending (default: the campaign's start, else the data's end)"},
    {"budget", "MONEY", "total budget of this run (default: proffer.yaml's)"},
    {"dry-run", NULL, "tell what would be sent, write nothing"},
    {NULL, NULL, NULL},
};

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    (void)err;
    show_decision_summary(r, r->top);
    show_decision_sample(r, r->top);
    if (option_given(in, "dry-run"))
        printf("\nA dry run: nothing was written.\n");
    else
        printf(
            "\nWritten as run %s. Next: proffer explain SHOPPER, proffer report, proffer "
            "export --decisions\n",
            show_text(r, r->top, "run"));
    return PROFFER_OK;
}

static proffer_status verb(proffer *p, const invocation *in, char **json,
                           proffer_error *err)
{
    proffer_decide_options o = proffer_decide_options_default();
    o.campaign = option_value(in, "campaign");
    o.at = option_value(in, "at");
    o.budget = option_value(in, "budget");
    o.dry_run = option_given(in, "dry-run");
    return proffer_decide(p, &o, json, err);
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, verb, show, err);
}

const command command_decide = {
    .name = "decide",
    .summary = "Decide who gets which promotion within the budget, and why",
    .arguments = "",
    .examples = "  proffer decide --budget 5000 --dry-run     # what would be sent\n"
                "  proffer decide --campaign 18 --budget 250\n",
    .details =
        "Value = what a promotion adds x margin - cost - the harm of one message more. Budgets\n"
        "are planned (they hold in expectation, each cost rounded up) or hard. Every shopper\n"
        "and promotion gets a reason why or why not, and what would have changed it.",
    .options = options,
    .run = run,
};
