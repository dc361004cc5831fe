/* proffer profile: what is known of a shopper at a moment. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"at", "TIME", "as of this moment (default: after the last event)"},
    {NULL, NULL, NULL},
};

enum { SHOWN_PROMOTIONS = 12 };

static void show_list(result *r, const char *heading, const char *key)
{
    const json_value *list = json_member(r->top, key);
    if (list == NULL || list->n == 0) return;
    printf("%s\n", heading);
    for (size_t i = 0; i < list->n; i++)
        printf("  %3.0f %%  %s\n", 100 * show_number(&list->values[i], "share"),
               show_text(r, &list->values[i], "name"));
}

/* Titles near the centre of what the shopper buys. */
static void show_taste(result *r)
{
    const json_value *list = json_member(r->top, "taste");
    if (list == NULL || list->n == 0)
        return;
    printf("Taste (the middle of what was bought, by meaning)\n");
    for (size_t i = 0; i < list->n; i++)
        printf("  %.*s\n", (int)list->values[i].text.n, list->values[i].text.data);
}

static void show_promotions(result *r)
{
    static const char *const headings[] = {"live promotion", "title", ">lines", ">spent",
                                           ">days since"};
    const json_value *list = json_member(r->top, "live_promotions");
    if (list == NULL || list->n == 0) return;
    printf("\n");
    table *t = table_new(5, headings, 44);
    for (size_t i = 0; i < list->n && i < SHOWN_PROMOTIONS; i++) {
        const json_value *offer = &list->values[i];
        table_cell(t, "%s", show_text(r, offer, "id"));
        table_cell(t, "%s", show_text(r, offer, "title"));
        table_cell(t, "%.0f", show_number(offer, "lines_bought"));
        table_cell(t, "%s", show_text(r, offer, "spent"));
        table_cell(t, "%.0f", show_number(offer, "days_since"));
    }
    table_print(t);
    if (list->n > SHOWN_PROMOTIONS)
        printf("… and %zu more; all of them with --json\n", list->n - SHOWN_PROMOTIONS);
}

static bool is_known(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    return v != NULL && v->kind == JSON_NUMBER;
}

static void show_rhythm(const json_value *top)
{
    if (!is_known(top, "recency_days")) return;
    printf("  last trip %.1f days ago", show_number(top, "recency_days"));
    if (is_known(top, "usual_gap_days"))
        printf("; usually every %.1f days", show_number(top, "usual_gap_days"));
    printf("\n");
}

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    const json_value *top = r->top;
    (void)in;
    (void)err;
    printf("Shopper %s as of %s: %s, %.0f events\n", show_text(r, top, "shopper"),
           show_moment(r, top, "at"), show_code(r, top, "stage"),
           show_number(top, "events"));
    show_rhythm(top);
    printf(
        "  28 days: %.0f trips, %.2f spent; 91 days: %.0f, %.2f; 365 days: %.0f, %.2f\n",
        show_number(top, "trips_28d"), show_number(top, "spend_28d"),
        show_number(top, "trips_91d"), show_number(top, "spend_91d"),
        show_number(top, "trips_365d"), show_number(top, "spend_365d"));
    printf("  %.0f %% of spending under a discount, %.0f %% under a coupon; price band "
           "%s of "
           "5\n",
           100 * show_number(top, "discount_share"),
           100 * show_number(top, "coupon_share"), show_text(r, top, "price_band"));
    printf("  told of %.0f campaigns, redeemed in %.0f\n",
           show_number(top, "mailed_campaigns"), show_number(top, "redeemed_campaigns"));
    show_list(r, "Categories", "categories");
    show_list(r, "Brands", "brands");
    show_list(r, "Favourites", "favourites");
    show_taste(r);
    show_promotions(r);
    return PROFFER_OK;
}

static proffer_status verb(proffer *p, const invocation *in, char **json,
                           proffer_error *err)
{
    return proffer_profile(p, in->arguments[0], option_value(in, "at"), json, err);
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, verb, show, err);
}

const command command_profile = {
    .name = "profile",
    .summary = "Show what is known of a shopper at a moment",
    .arguments = "SHOPPER",
    .examples = "  proffer profile 1042\n"
                "  proffer profile 1042 --at 2017-08-01 --json\n",
    .details =
        "Only events strictly before the moment are looked at. Audience rules use the\n"
        "same names as the JSON form.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
