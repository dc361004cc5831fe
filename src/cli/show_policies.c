/* Policies side by side on a terminal: what they would have brought, in words and figures. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/show_figures.h"

/* Money a decision in whole units of the currency, or counts a thousand decisions. */
typedef struct scale {
    double times;
    int digits;
} scale;

static scale scale_of(result *r, const json_value *compared)
{
    const char *reward = show_text(r, compared, "reward");
    bool money = strcmp(reward, "net_margin") == 0 || strcmp(reward, "revenue") == 0;
    double digits = show_number(compared, "currency_digits");
    return money ? (scale){pow(10, -digits), (int)digits} : (scale){1000, 1};
}

static void show_row(table *t, result *r, const json_value *one, scale s)
{
    bool told = json_member(one, "value") != NULL;
    const json_value *support = json_member(one, "support");
    table_cell(t, "%s", show_text(r, one, "policy"));
    if (told) {
        table_cell(t, "%.*f", s.digits, s.times * show_number(one, "value"));
        table_cell(t, "%+.*f", s.digits, s.times * show_number(one, "difference"));
        table_cell(t, "%+.*f to %+.*f", s.digits, s.times * show_number(one, "difference_low"),
                   s.digits, s.times * show_number(one, "difference_high"));
    } else {
        for (int i = 0; i < 3; i++)
            table_cell(t, "–");
    }
    table_cell(t, "%.0f %%", 100 * show_number(one, "treated"));
    table_cell(t, "%.0f", support != NULL ? show_number(support, "effective") : 0);
    table_cell(t, "%s", show_code(r, one, "verdict"));
}

static bool by_lot(result *r, const json_value *compared)
{
    return strcmp(show_text(r, compared, "basis"), "by lot") == 0;
}

static void show_units(result *r, const json_value *compared)
{
    const char *reward = show_text(r, compared, "reward");
    const bool money = strcmp(reward, "net_margin") == 0 || strcmp(reward, "revenue") == 0;
    const bool lots = by_lot(r, compared);
    const char *const each = lots ? " a decision" : " a shopper of a campaign";
    const char *const all = lots ? "decisions" : "mailings that might have been";
    printf("%s %s%s%s, by %s over %.0f %s about %.0f shoppers\n",
           show_code(r, compared, "reward"), money ? show_text(r, compared, "currency") : "",
           money ? each : "a thousand ", money ? "" : all, show_text(r, compared, "estimator"),
           show_number(json_member(compared, "counts"), "compared"), all,
           show_number(json_member(compared, "counts"), "shoppers"));
}

void show_policy_table(result *r, const json_value *compared)
{
    static const char *const headings[] = {"policy",    ">brings",    ">more",  ">95 %",
                                           ">treated", ">speaks of it", "verdict"};
    const json_value *list = json_member(compared, "policies");
    const char *notes = show_text(r, compared, "notes");
    if (list == NULL) return;
    if (!by_lot(r, compared))
        printf("BY OBSERVATION: nothing was randomised in these campaigns, so this is a hint, "
               "not a proof.\n\n");
    for (size_t i = 0; i < list->n; i++)
        printf("  %s\n", show_text(r, &list->values[i], "sentence"));
    printf("\n");
    table *t = table_new(7, headings, 60);
    for (size_t i = 0; i < list->n; i++)
        show_row(t, r, &list->values[i], scale_of(r, compared));
    table_print(t);
    show_units(r, compared);
    if (notes[0] != 0) printf("%s\n", notes);
}
