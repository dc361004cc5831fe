/* proffer doctor: what is missing or wrong with a workspace. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/show.h"

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"check", "verdict", "what it means"};
    const json_value *checks = json_member(r->top, "checks");
    const json_value *counts = json_member(r->top, "counts");
    bool any = show_number(counts, "events") > 0;
    (void)in;
    (void)err;
    printf("proffer %s, workspace %s (%s, %s)\n", show_text(r, r->top, "version"),
           show_text(r, r->top, "workspace"), show_text(r, r->top, "shop"),
           show_text(r, r->top, "currency"));
    printf("%.0f products, %.0f shoppers, %.0f promotions, %.0f events%s%s%s%s\n\n",
           show_number(counts, "products"), show_number(counts, "shoppers"),
           show_number(counts, "promotions"), show_number(counts, "events"),
           any ? " from " : "", show_moment(r, r->top, "first_event"), any ? " to " : "",
           show_moment(r, r->top, "last_event"));
    table *t = table_new(3, headings, 0);
    for (size_t i = 0; checks != NULL && i < checks->n; i++) {
        table_cell(t, "%s", show_text(r, &checks->values[i], "check"));
        table_cell(t, "%s", show_text(r, &checks->values[i], "verdict"));
        table_cell(t, "%s", show_text(r, &checks->values[i], "words"));
    }
    table_print(t);
    return PROFFER_OK;
}

/* What is missing is no fault; what is wrong is. */
static proffer_status judge(result *r, proffer_error *err)
{
    const json_value *checks = json_member(r->top, "checks");
    for (size_t i = 0; checks != NULL && i < checks->n; i++)
        if (!strcmp(show_text(r, &checks->values[i], "verdict"), "wrong"))
            return fail(err, PROFFER_DATA, "%s: %s",
                        show_text(r, &checks->values[i], "check"),
                        show_text(r, &checks->values[i], "words"));
    return PROFFER_OK;
}

static proffer_status verb(proffer *p, const invocation *in, char **json,
                           proffer_error *err)
{
    (void)in;
    return proffer_doctor(p, json, err);
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    return run_and_judge(in, verb, show, judge, err);
}

const command command_doctor = {
    .name = "doctor",
    .summary = "Check a workspace: data, parts, models, the store's soundness",
    .arguments = "",
    .examples = "  proffer doctor\n"
                "  proffer doctor --json\n",
    .run = run,
};
