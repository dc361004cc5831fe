/* Policies side by side on a terminal: what they would have brought, in words and figures. */
#include <stdio.h>
#include <string.h>

#include "cli/show_figures.h"

static void show_row(table *t, result *r, const json_value *one)
{
    bool told = json_member(one, "value_per_1000") != NULL;
    const json_value *support = json_member(one, "support");
    table_cell(t, "%s", show_text(r, one, "policy"));
    if (told) {
        table_cell(t, "%.2f", show_number(one, "value_per_1000"));
        table_cell(t, "%+.2f", show_number(one, "difference_per_1000"));
        table_cell(t, "%+.2f to %+.2f", 1000 * show_number(one, "difference_low"),
                   1000 * show_number(one, "difference_high"));
    } else {
        for (int i = 0; i < 3; i++)
            table_cell(t, "–");
    }
    table_cell(t, "%.0f %%", 100 * show_number(one, "treated"));
    table_cell(t, "%.0f", support != NULL ? show_number(support, "effective") : 0);
    table_cell(t, "%s", show_code(r, one, "verdict"));
}

static void show_units(result *r, const json_value *compared)
{
    const char *reward = show_text(r, compared, "reward");
    bool money = strcmp(reward, "net_margin") == 0 || strcmp(reward, "revenue") == 0;
    printf("%s%s a thousand decisions, by %s over %.0f decisions about %.0f shoppers\n",
           show_code(r, compared, "reward"), money ? " in minor units" : "",
           show_text(r, compared, "estimator"),
           show_number(json_member(compared, "counts"), "compared"),
           show_number(json_member(compared, "counts"), "shoppers"));
}

void show_policy_table(result *r, const json_value *compared)
{
    static const char *const headings[] = {"policy",    ">brings",    ">more",  ">95 %",
                                           ">treated", ">speaks of it", "verdict"};
    const json_value *list = json_member(compared, "policies");
    const char *notes = show_text(r, compared, "notes");
    if (list == NULL) return;
    if (strcmp(show_text(r, compared, "basis"), "by lot") != 0)
        printf("BY OBSERVATION: nothing was randomised in these campaigns, so this is a hint, "
               "not a proof.\n\n");
    for (size_t i = 0; i < list->n; i++)
        printf("  %s\n", show_text(r, &list->values[i], "sentence"));
    printf("\n");
    table *t = table_new(7, headings, 60);
    for (size_t i = 0; i < list->n; i++)
        show_row(t, r, &list->values[i]);
    table_print(t);
    show_units(r, compared);
    if (notes[0] != 0) printf("%s\n", notes);
}
