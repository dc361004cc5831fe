/*
 * Decisions on a terminal: a summary in sentences, then a block a shopper, because reasons
 * and messages are sentences and no table column is wide enough for them.
 */
#include "cli/show_decisions.h"

#include <stdio.h>
#include <string.h>

static void show_caps(result *r, const json_value *decided)
{
    static const char *const headings[] = {"budget", ">limit", ">planned",
                                           ">net gain of one more"};
    const json_value *caps = json_member(decided, "caps");
    size_t shown = 0;
    if (caps == NULL || caps->n == 0) return;
    printf("\n");
    table *t = table_new(4, headings, 50);
    for (size_t i = 0; i < caps->n && shown < 8; i++) {
        double price = show_number(&caps->values[i], "shadow_price");
        if (price <= 0 && i > 0) continue;
        table_cell(t, "%s", show_text(r, &caps->values[i], "name"));
        table_cell(t, "%s", show_text(r, &caps->values[i], "limit"));
        table_cell(t, "%s", show_text(r, &caps->values[i], "used"));
        table_cell(t, "%.3f", price);
        shown++;
    }
    table_print(t);
}

static const char *plural(const json_value *object, const char *key)
{
    return show_number(object, key) == 1 ? "" : "s";
}

/* "of 10 pairs of shopper and promotion: no consent 9, chosen 1" */
static void show_reasons(result *r, const json_value *decided)
{
    const json_value *reasons = json_member(decided, "reasons");
    double pairs = 0;
    for (size_t i = 0; reasons != NULL && i < reasons->n; i++)
        pairs += show_number(&reasons->values[i], "pairs");
    if (pairs == 0) return;
    printf("  of %.0f pair%s of shopper and promotion:", pairs, pairs == 1 ? "" : "s");
    for (size_t i = 0; i < reasons->n; i++)
        printf("%s %s %.0f", i ? "," : "", show_code(r, &reasons->values[i], "code"),
               show_number(&reasons->values[i], "pairs"));
    printf("\n");
}

void show_decision_summary(result *r, const json_value *decided)
{
    const char *code = show_text(r, decided, "currency");
    const char *name = show_text(r, decided, "campaign");
    printf(
        "%s%s%s%.0f promotion%s, %.0f shopper%s: %.0f message%s to %.0f shopper%s, %.0f "
        "held out to measure against\n",
        name[0] ? "Campaign " : "", name, name[0] ? ": " : "",
        show_number(decided, "candidates"), plural(decided, "candidates"),
        show_number(decided, "shoppers"), plural(decided, "shoppers"),
        show_number(decided, "messages"), plural(decided, "messages"),
        show_number(decided, "treated"), plural(decided, "treated"),
        show_number(decided, "held_out"));
    printf("  expected gain %s %s (margin of redemptions), expected cost %s %s (%s of it "
           "from "
           "rounding each up), net before that rounding %s %s\n",
           show_text(r, decided, "gain"), code, show_text(r, decided, "cost"), code,
           show_text(r, decided, "rounding"), show_text(r, decided, "value"), code);
    printf("  no plan can be worth more than %s %s; this one is within %.2f %%\n",
           show_text(r, decided, "bound"), code, 100 * show_number(decided, "gap"));
    const char *warning = show_text(r, decided, "warning_empty_audience");
    if (warning[0] != 0)
        printf("  warning: the audience rule of promotion %s picked nobody\n", warning);
    show_reasons(r, decided);
    show_caps(r, decided);
}

/* A message may have several lines; they are indented together. */
static void show_words(const char *words)
{
    printf("      ");
    for (; *words; words++) {
        putchar(*words);
        if (*words == '\n' && words[1] != 0 && words[1] != '\n') printf("      ");
    }
    printf("\n");
}

void show_decision_sample(result *r, const json_value *decided)
{
    const json_value *sample = json_member(decided, "sample");
    for (size_t i = 0; sample != NULL && i < sample->n; i++) {
        const json_value *one = &sample->values[i];
        bool sent = strcmp(show_text(r, one, "decision"), "send") == 0;
        printf("\n  Shopper %s: %s%s%s%s\n", show_text(r, one, "shopper"),
               sent ? "promotion " : "nothing",
               sent ? show_text(r, one, "promotion") : "", sent ? " by " : "",
               sent ? show_text(r, one, "channel") : "");
        printf("    why: %s\n", show_text(r, one, "reason"));
        if (sent) show_words(show_text(r, one, "message"));
    }
}
