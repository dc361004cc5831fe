/* proffer report: the self-contained HTML report. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"out", "FILE", "where to write it (default: reports/report.html in the workspace)"},
    {NULL, NULL, NULL},
};

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    (void)in;
    (void)err;
    printf("%s\n", show_text(r, r->top, "report"));
    return PROFFER_OK;
}

static proffer_status verb(proffer *p, const invocation *in, char **json,
                           proffer_error *err)
{
    return proffer_report(p, option_value(in, "out"), json, err);
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, verb, show, err);
}

const command command_report = {
    .name = "report",
    .summary = "Write the HTML report of the latest evaluation and decisions",
    .arguments = "",
    .examples = "  proffer report\n"
                "  proffer report --out /tmp/report.html\n",
    .details = "One file that needs nothing else; open it in any browser.",
    .options = options,
    .run = run,
};
