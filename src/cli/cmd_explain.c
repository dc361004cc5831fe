/* proffer explain and proffer message: why, and in what words. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/show.h"

static void show_parts(result *r, const json_value *candidate, const char *key,
                       const char *heading)
{
    const json_value *parts = json_member(candidate, key);
    if (parts == NULL || parts->n == 0) return;
    printf("  %s\n", heading);
    for (size_t i = 0; i < parts->n; i++)
        printf("    %+6.2f  %s\n", show_number(&parts->values[i], "contribution"),
               show_text(r, &parts->values[i], "feature"));
}

/* "+0.42  bought Whole milk, 3 times (last 2026-05-20 10:00 UTC)" */
static void show_moved(result *r, const json_value *candidate, const char *key,
                       const char *heading)
{
    const json_value *events = json_member(candidate, key);
    if (events == NULL || events->n == 0) return;
    printf("  %s\n", heading);
    for (size_t i = 0; i < events->n; i++) {
        const json_value *e = &events->values[i];
        printf("    %+6.2f  %s (%s%s)\n", show_number(e, "change"), show_text(r, e, "what"),
               show_number(e, "events") > 1 ? "last " : "", show_moment(r, e, "time"));
    }
}

/* One counterfactual a reason: that of its best candidate. */
static void show_otherwise(result *r, const json_value *list)
{
    bool first = true;
    for (size_t i = 0; i < list->n; i++) {
        const json_value *c = &list->values[i];
        const char *code = show_text(r, c, "reason_code");
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(show_text(r, &list->values[k], "reason_code"), code) == 0;
        if (seen || show_text(r, c, "otherwise")[0] == 0) continue;
        if (first) printf("\nwhat would have changed it\n");
        first = false;
        printf("  %s: %s\n", show_text(r, c, "promotion"), show_text(r, c, "otherwise"));
    }
}

static proffer_status show_explain(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"promotion", "title", ">P(redeem)",
                                           ">gain",     ">cost", "why"};
    const json_value *list = json_member(r->top, "candidates");
    (void)in;
    (void)err;
    printf("Shopper %s (%s), decided as of %s\n", show_text(r, r->top, "shopper"),
           show_code(r, r->top, "stage"), show_moment(r, r->top, "at"));
    if (list == NULL || list->n == 0) return PROFFER_OK;
    printf("  %s\n", show_text(r, &list->values[0], "reason"));
    show_parts(r, &list->values[0], "why_redeem_at_all",
               "what speaks for (+) or against (-) redeeming at all");
    show_parts(r, &list->values[0], "why_this_promotion",
               "what speaks for (+) or against (-) this promotion");
    show_moved(r, &list->values[0], "moved_by_trips",
               "trips that moved redeeming at all most (each left out by itself)");
    show_moved(r, &list->values[0], "moved_by",
               "past events that moved it most (each left out by itself)");
    printf("\n");
    table *t = table_new(6, headings, 72);
    for (size_t i = 0; i < list->n && i < 15; i++) {
        const json_value *c = &list->values[i];
        table_cell(t, "%s", show_text(r, c, "promotion"));
        table_text(t, show_text(r, c, "title"), 40);
        table_cell(t, "%.4f", show_number(c, "p_redeem"));
        table_cell(t, "%s", show_text(r, c, "gain"));
        table_cell(t, "%s", show_text(r, c, "cost"));
        table_cell(t, "%s", show_text(r, c, "reason"));
    }
    table_print(t);
    if (list->n > 15) printf("… and %zu more; all of them with --json\n", list->n - 15);
    show_otherwise(r, list);
    return PROFFER_OK;
}

static proffer_status explain(proffer *p, const invocation *in, char **json,
                              proffer_error *err)
{
    const char *offer = in->n_arguments > 1 ? in->arguments[1] : NULL;
    return proffer_explain(p, in->arguments[0], offer, json, err);
}

static proffer_status run_explain(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, explain, show_explain, err);
}

const command command_explain = {
    .name = "explain",
    .summary = "Say why a shopper got what was decided, and why not the rest",
    .arguments = "SHOPPER [PROMOTION]",
    .examples = "  proffer explain 1042\n"
                "  proffer explain 1042 18:57940011075\n",
    .min_arguments = 1,
    .max_arguments = 2,
    .run = run_explain,
};

static const option_spec message_options[] = {
    {"sample", "N", "how many messages (default 10)"},
    {"language", "TAG", "en or zh (default: the shop's)"},
    {NULL, NULL, NULL},
};

static proffer_status show_messages(const invocation *in, result *r, proffer_error *err)
{
    (void)in;
    (void)err;
    for (size_t i = 0; i < r->top->n; i++) {
        const json_value *m = &r->top->values[i];
        printf("%s%s for shopper %s by %s\n%s\n", i ? "\n" : "",
               show_text(r, m, "promotion"), show_text(r, m, "shopper"),
               show_text(r, m, "channel"), show_text(r, m, "message"));
    }
    return PROFFER_OK;
}

static proffer_status message(proffer *p, const invocation *in, char **json,
                              proffer_error *err)
{
    long sample = 10;
    proffer_status s = option_integer(in, "sample", 1, 10000, 10, &sample, err);
    if (s != PROFFER_OK) return s;
    return proffer_message(p, option_value(in, "language"), (int)sample, json, err);
}

static proffer_status run_message(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, message, show_messages, err);
}

const command command_message = {
    .name = "message",
    .summary = "Show what shoppers of the latest run would read",
    .arguments = "",
    .examples = "  proffer message --sample 5\n"
                "  proffer message --sample 10 --language zh\n",
    .options = message_options,
    .run = run_message,
};
