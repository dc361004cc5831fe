/*
 * Decisions on a terminal: a summary in sentences, then a block a shopper, because reasons
 * and messages are sentences and no table column is wide enough for them.
 */
#include "cli/show_decisions.h"

#include <stdio.h>
#include <string.h>

static void show_caps(result *r, const json_value *decided)
{
    static const char *const headings[] = {"budget", ">limit", ">used",
                                           ">net gain of one more"};
    const json_value *caps = json_member(decided, "caps");
    size_t shown = 0;
    if (caps == NULL || caps->n == 0) return;
    printf("\n");
    table *t = table_new(4, headings, 50);
    for (size_t i = 0; i < caps->n && shown < 8; i++) {
        bool tight = show_number(&caps->values[i], "shadow_price") > 0;
        if (!tight && i > 0) continue;
        table_cell(t, "%s", show_text(r, &caps->values[i], "name"));
        table_cell(t, "%s", show_text(r, &caps->values[i], "limit"));
        table_cell(t, "%s", show_text(r, &caps->values[i], "used"));
        table_cell(t, "%s", tight ? show_text(r, &caps->values[i], "next_unit_brings") : "–");
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

/* " (120.00 to 310.00)", or nothing where the data cannot say. */
static const char *interval(result *r, const json_value *decided, const char *low,
                            const char *high, char *into, size_t size)
{
    into[0] = 0;
    if (json_member(decided, low) != NULL)
        (void)snprintf(into, size, " (95 %%: %s to %s)", show_text(r, decided, low),
                       show_text(r, decided, high));
    return into;
}

/* Whether the interval lets one say that the plan earns anything. */
static void show_verdict(const json_value *decided)
{
    if (json_member(decided, "value_low") == NULL) return;
    if (show_amount(decided, "value_low") >= 0) return;
    if (show_amount(decided, "value_high") <= 0)
        printf("  it would lose money, by all that is known\n");
    else
        printf("  it may lose money: what is not known yet is larger than what is expected\n");
}

static void show_money(result *r, const json_value *decided)
{
    char gain[96], value[96];
    const char *code = show_text(r, decided, "currency");
    bool hard = strcmp(show_text(r, decided, "budgets"), "hard") == 0;
    bool tired = json_member(decided, "fatigue") != NULL;
    printf("  would gain  %s %s%s\n", show_text(r, decided, "gain"), code,
           interval(r, decided, "gain_low", "gain_high", gain, sizeof gain));
    if (hard)
        printf("  would cost  %s %s at most, %s expected\n", show_text(r, decided, "cost"),
               code, show_text(r, decided, "expected_cost"));
    else
        printf("  would cost  %s %s expected (%s of it from rounding each up)\n",
               show_text(r, decided, "cost"), code, show_text(r, decided, "rounding"));
    if (tired)
        printf("  and tire    %s %s worth of shoppers\n", show_text(r, decided, "fatigue"), code);
    printf("  net         %s %s%s%s\n", show_text(r, decided, "value"), code,
           interval(r, decided, "value_low", "value_high", value, sizeof value),
           hard ? "" : " before that rounding");
    show_verdict(decided);
    if (strcmp(show_text(r, decided, "explore"), "none") == 0)
        printf("  no plan can be worth more than %s %s; this one is within %.2f %%\n",
               show_text(r, decided, "bound"), code, 100 * show_number(decided, "gap"));
    else
        printf("  no plan can be worth more than %s %s; what is missing exploring costs\n",
               show_text(r, decided, "bound"), code);
    printf("  %s\n", show_text(r, decided, "gain_words"));
}

static bool binds(const json_value *cap)
{
    return show_number(cap, "shadow_price") > 0;
}

/* The promotion is named where the budget is not its own. */
static void show_use(result *r, const json_value *cap)
{
    const char *title = show_text(r, cap, "next_unit_title");
    bool own = strstr(show_text(r, cap, "name"), title) != NULL;
    printf(", by about %.2g more message%s by %s%s%s%s", show_number(cap, "next_unit_messages"),
           show_number(cap, "next_unit_messages") == 1 ? "" : "s",
           show_text(r, cap, "next_unit_channel"), own ? "" : " of \"", own ? "" : title,
           own ? "" : "\"");
}

static void show_next_unit(result *r, const json_value *decided)
{
    const json_value *caps = json_member(decided, "caps");
    const char *code = show_text(r, decided, "currency");
    size_t shown = 0;
    for (size_t i = 0; caps != NULL && i < caps->n && shown < 3; i++) {
        const json_value *cap = &caps->values[i];
        const char *only = show_text(r, cap, "next_unit_only_with");
        if (!binds(cap)) continue;
        bool money = strstr(show_text(r, cap, "kind"), "budget") != NULL;
        printf("  one more %s of the %s would bring %s %s net", money ? code : "unit",
               show_text(r, cap, "name"), show_text(r, cap, "next_unit_brings"), code);
        if (json_member(cap, "next_unit_messages") != NULL)
            show_use(r, cap);
        if (only[0] != 0) printf(", but only with more of the %s", only);
        printf("\n");
        shown++;
    }
    if (shown == 0)
        printf("  more money would buy nothing more: everything that is worth its cost is sent\n");
}

void show_decision_summary(result *r, const json_value *decided)
{
    const char *name = show_text(r, decided, "campaign");
    const char *explore = show_text(r, decided, "explore");
    printf(
        "%s%s%s%.0f promotion%s, %.0f shopper%s: %.0f message%s to %.0f shopper%s, %.0f "
        "held out to measure against\n",
        name[0] ? "Campaign " : "", name, name[0] ? ": " : "",
        show_number(decided, "candidates"), plural(decided, "candidates"),
        show_number(decided, "shoppers"), plural(decided, "shoppers"),
        show_number(decided, "messages"), plural(decided, "messages"),
        show_number(decided, "treated"), plural(decided, "treated"),
        show_number(decided, "held_out"));
    const char *advice = show_text(r, decided, "advice");
    if (advice[0] != 0) printf("  %s\n", advice);
    if (advice[0] == 0) show_money(r, decided);
    if (advice[0] == 0) show_next_unit(r, decided);
    if (strcmp(explore, "none") != 0)
        printf("  exploring by %s: %.0f of the messages were chosen by lot; prices of budgets are "
               "those of the plan without lots\n",
               explore, show_number(decided, "chosen_by_lot"));
    if (show_text(r, decided, "warning_hard")[0] != 0)
        printf("  warning: %s\n", show_text(r, decided, "warning_hard"));
    if (show_text(r, decided, "warning_floor")[0] != 0)
        printf("  warning: %s\n", show_text(r, decided, "warning_floor"));
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
    const char *at = show_text(r, decided, "at");
    for (size_t i = 0; sample != NULL && i < sample->n; i++) {
        const json_value *one = &sample->values[i];
        bool sent = strcmp(show_text(r, one, "decision"), "send") == 0;
        printf("\n  Shopper %s: %s%s%s%s\n", show_text(r, one, "shopper"),
               sent ? "promotion " : "nothing",
               sent ? show_text(r, one, "promotion") : "", sent ? " by " : "",
               sent ? show_text(r, one, "channel") : "");
        if (sent && strcmp(show_text(r, one, "send_at"), at) != 0)
            printf("    at:  %s\n", show_moment(r, one, "send_at"));
        printf("    why: %s\n", show_text(r, one, "reason"));
        if (sent) show_words(show_text(r, one, "message"));
    }
}
