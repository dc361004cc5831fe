/*
 * proffer experiment: what promotions changed, against the shoppers left without them; and before
 * the start, how many shoppers would show it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/money.h"
#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"campaign", "ID", "one campaign's own holdout, and its exposures alone"},
    {"since", "DATE",
     "decisions from here on; without decisions: since when one was held out"},
    {"metric", "NAME", "what decides: buyers (default) or revenue"},
    {"window", "DAYS", "how long outcomes count for each shopper (default 28)"},
    {"before", "DAYS", "of each shopper's past to adjust by, 0: none (default 28)"},
    {"looks", "WORD", "once (default: at an end fixed before) or any-time"},
    {"planned", "N", "of --looks any-time: shoppers of both groups, said beforehand"},
    {"share", "P", "held out by plan (default: proffer.yaml's)"},
    {"plan", NULL, "before the start: how many shoppers would show --change"},
    {"change", "SIZE",
     "of --plan: 0.005 is half a point of buyers; an amount of revenue"},
    {"power", "P", "of --plan: with this probability (default 0.8)"},
    {NULL, NULL, NULL},
};

/* --- figures -------------------------------------------------------------------------- */

typedef enum unit { UNIT_PERCENT, UNIT_MONEY, UNIT_PLAIN } unit;

static const struct {
    const char *metric, *label;
    unit unit;
} figures[] = {
    {"buyers", "bought", UNIT_PERCENT},
    {"revenue", "spent, a shopper", UNIT_MONEY},
    {"responses", "clicked or redeemed", UNIT_PERCENT},
    {"unsubscribes", "unsubscribed", UNIT_PERCENT},
    {"dismissals", "dismissed a promotion", UNIT_PERCENT},
    {"returns", "given back, a line bought", UNIT_PERCENT},
    {"rating", "stars, a rating", UNIT_PLAIN},
};

static size_t find_figure(const char *metric)
{
    size_t i = 0;
    while (i + 1 < sizeof figures / sizeof figures[0] &&
           strcmp(figures[i].metric, metric) != 0)
        i++;
    return i;
}

static const char *put_amount(double minor, const currency *money, char *into,
                              size_t size)
{
    char words[MONEY_TEXT_BYTES];
    (void)money_format_symbol(llround(fmin(fabs(minor), 1e15)), money, words);
    (void)snprintf(into, size, "%s", words);
    return into;
}

/* Without its sign, with as many digits as half an interval of this size lets one believe. */
static const char *put_size(double value, double half, unit u, const currency *money,
                            char *into, size_t size)
{
    if (u == UNIT_MONEY) return put_amount(value, money, into, size);
    const double scale = u == UNIT_PERCENT ? 100 : 1;
    const int digits = half > 0 && scale * half < 0.1 ? 2 : 1;
    (void)snprintf(into, size, "%.*f", digits, fabs(scale * value));
    return into;
}

static void value_cell(table *t, const json_value *side, double half, unit u,
                       const currency *money)
{
    char words[MONEY_TEXT_BYTES];
    const json_value *v = json_member(side, "value");
    const double value = show_number(side, "value");
    if (v == NULL || v->kind != JSON_NUMBER)
        table_cell(t, "–");
    else
        table_cell(t, "%s%s%s", value < 0 ? "−" : "",
                   put_size(value, half, u, money, words, sizeof words),
                   u == UNIT_PERCENT ? " %" : "");
}

static void difference_cells(table *t, const json_value *f, double half, unit u,
                             const currency *money)
{
    static const char *const keys[] = {"difference", "low", "high"};
    char words[3][MONEY_TEXT_BYTES];
    const char *sign[3];
    for (int i = 0; i < 3; i++) {
        const double value = show_number(f, keys[i]);
        sign[i] = value < 0 ? "−" : "+";
        (void)put_size(value, half, u, money, words[i], sizeof words[i]);
    }
    table_cell(t, "%s%s%s", sign[0], words[0], u == UNIT_PERCENT ? " points" : "");
    table_cell(t, "%s%s to %s%s", sign[1], words[1], sign[2], words[2]);
    const double p = show_number(f, "p_adjusted");
    if (p < 0.001)
        table_cell(t, "< 0.001");
    else
        table_cell(t, "%.3f", p);
}

static void figure_row(table *t, result *r, const json_value *f, const currency *money)
{
    const size_t which = find_figure(show_text(r, f, "metric"));
    const unit u = figures[which].unit;
    const double half = (show_number(f, "high") - show_number(f, "low")) / 2;
    const bool guards = strcmp(show_text(r, f, "role"), "guardrail") == 0;
    table_cell(t, "%s%s", figures[which].label, guards ? " (guardrail)" : "");
    value_cell(t, json_member(f, "treated"), half, u, money);
    value_cell(t, json_member(f, "control"), half, u, money);
    if (strcmp(show_text(r, f, "word"), "no_data") == 0) {
        for (int i = 0; i < 3; i++)
            table_cell(t, "–");
    } else {
        difference_cells(t, f, half, u, money);
    }
    table_cell(t, "%s", show_code(r, f, "word"));
}

static void show_table(result *r, const json_value *list, const json_value *experiment,
                       const currency *money)
{
    char level[32];
    (void)snprintf(level, sizeof level, ">%.3g %% interval",
                   100 * (1 - show_number(experiment, "alpha")));
    const char *const headings[] = {
        "figure", ">with promotions", ">without", ">difference",
        level,    ">adjusted p",      "verdict"};
    printf("\n");
    table *t = table_new(7, headings, 0);
    for (size_t i = 0; i < list->n; i++)
        figure_row(t, r, &list->values[i], money);
    table_print(t);
}

/* --- what stands below ---------------------------------------------------------------- */

static const char *label_of(result *r, const json_value *f)
{
    return figures[find_figure(show_text(r, f, "metric"))].label;
}

/* What is missing of figures without data, those of one reason together. */
static void show_missing(result *r, const json_value *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *why = show_text(r, &list->values[i], "why");
        bool told = why[0] == 0;
        for (size_t k = 0; k < i && !told; k++)
            told = strcmp(show_text(r, &list->values[k], "why"), why) == 0;
        if (told) continue;
        printf("No data: %s", label_of(r, &list->values[i]));
        for (size_t k = i + 1; k < list->n; k++)
            if (strcmp(show_text(r, &list->values[k], "why"), why) == 0)
                printf("; %s", label_of(r, &list->values[k]));
        printf(" (%s)\n", why);
    }
}

static void show_adjustment(const json_value *first)
{
    const double percent = 100 * show_number(first, "explained");
    if (percent >= 0.5)
        printf("Differences are after adjustment: what shoppers did before took away "
               "%.0f %% "
               "of the variance of the first figure.\n",
               percent);
}

/* Those that are worse stand in the sentence. */
static void show_guardrails(result *r, const json_value *list)
{
    size_t measured = 0, worse = 0;
    for (size_t i = 0; i < list->n; i++) {
        const char *word = show_text(r, &list->values[i], "word");
        if (strcmp(show_text(r, &list->values[i], "role"), "guardrail") != 0) continue;
        measured += strcmp(word, "no_data") != 0;
        worse += strcmp(word, "worse") == 0;
    }
    if (measured == 0)
        printf("Guardrails: none could be measured.\n");
    else if (worse > 0)
        printf("Guardrails: %zu of %zu measured %s worse.\n", worse, measured,
               worse == 1 ? "is" : "are");
    else
        printf("Guardrails: none of %zu measured is known to be worse.\n", measured);
}

static void show_groups(result *r, const json_value *experiment)
{
    const json_value *with = json_member(experiment, "treated");
    const json_value *without = json_member(experiment, "control");
    const json_value *ratio = json_member(experiment, "sample_ratio");
    const double waiting = show_number(with, "waiting") + show_number(without, "waiting");
    const double days = show_number(r->top, "window_days");
    const char *last = show_moment(r, r->top, "last_window_ends");
    printf(
        "Groups: %.0f shoppers with promotions and %.0f without, %.3g %% by plan: sample "
        "ratio p = %.3g, %s.\n",
        show_number(with, "members"), show_number(without, "members"),
        100 * show_number(without, "planned_share"), show_number(ratio, "p"),
        show_number(ratio, "p") < 0.001 ? "not what chance does" : "as chance has it");
    if (waiting > 0)
        printf("Waiting: %.0f shoppers whose %.0f days are not over; the last end on "
               "%.10s.\n",
               waiting, days, last);
    else
        printf("Waiting: nobody; all windows of %.0f days are over.\n", days);
}

static proffer_status show_result(const invocation *in, result *r, proffer_error *err)
{
    (void)err;
    currency money = {.code = ""};
    const json_value *experiment = json_member(r->top, "experiment");
    if (experiment == NULL) { /* a plan */
        printf("%s\n", show_text(r, r->top, "sentence"));
        return PROFFER_OK;
    }
    const json_value *list = json_member(experiment, "figures");
    const char *code = show_text(r, r->top, "currency");
    (void)currency_find(code, strlen(code), &money);
    printf("%s\n", show_text(r, experiment, "sentence"));
    if (list->n > 0) show_table(r, list, experiment, &money);
    printf("\n");
    if (list->n > 0) {
        show_adjustment(&list->values[0]);
        show_missing(r, list);
        show_guardrails(r, list);
    }
    show_groups(r, experiment);
    if (!in->quiet) show_talk("kept for `proffer report`");
    return PROFFER_OK;
}

/* --- the command ---------------------------------------------------------------------- */

static proffer_status read_numbers(const invocation *in, proffer_experiment_options *o,
                                   proffer_error *err)
{
    long window = 0, before = 0;
    proffer_status s =
        option_integer(in, "window", 1, 3650, o->window_days, &window, err);
    if (s == PROFFER_OK)
        s = option_integer(in, "before", 0, 3650, o->before_days, &before, err);
    if (s == PROFFER_OK) s = option_number(in, "planned", 1, 1e9, 0, &o->planned, err);
    if (s == PROFFER_OK)
        s = option_number(in, "share", 0.0001, 0.9999, 0, &o->share, err);
    if (s == PROFFER_OK)
        s = option_number(in, "power", 0.01, 0.9999, o->power, &o->power, err);
    o->window_days = (int)window;
    o->before_days = (int)before;
    return s;
}

static proffer_status experiment(proffer *p, const invocation *in, char **json,
                                 proffer_error *err)
{
    proffer_experiment_options o = proffer_experiment_options_default();
    o.campaign = option_value(in, "campaign");
    o.since = option_value(in, "since");
    if (option_given(in, "metric")) o.metric = option_value(in, "metric");
    if (option_given(in, "looks")) o.looks = option_value(in, "looks");
    o.change = option_value(in, "change");
    proffer_status s = read_numbers(in, &o, err);
    return s == PROFFER_OK ? proffer_experiment(p, &o, json, err) : s;
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    static const char *const of_plan[] = {"change", "power", NULL};
    static const char *const of_measuring[] = {"since", "planned", NULL};
    const bool plan = option_given(in, "plan");
    proffer_status s = plan ? options_refuse(in, of_measuring, "is not for --plan", err)
                            : options_refuse(in, of_plan, "goes with --plan", err);
    if (s == PROFFER_OK && plan && !option_given(in, "change"))
        s = fail(err, PROFFER_USAGE,
                 "--plan needs the change that would matter: --change 0.005 is half a "
                 "point of "
                 "buyers; with --metric revenue an amount such as 1.50");
    return s == PROFFER_OK ? run_in_workspace(in, experiment, show_result, err) : s;
}

const command command_experiment = {
    .name = "experiment",
    .summary = "Say what promotions changed, against the shoppers left without them",
    .arguments = "",
    .examples = "  proffer experiment\n"
                "  proffer experiment --metric revenue --window 14\n"
                "  proffer experiment --campaign 18\n"
                "  proffer experiment --looks any-time --planned 20000\n"
                "  proffer experiment --plan --change 0.005    # before the start\n",
    .details =
        "The holdout makes an experiment of every month. Shoppers are compared by the\n"
        "group they were given, whether a promotion reached them or not, each for the\n"
        "days after the first decision about him. The result goes into the report.",
    .options = options,
    .run = run,
};
