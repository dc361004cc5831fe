/*
 * proffer demo: the whole chain on the bundled data of a real grocer, step by step, in
 * words a newcomer understands. It is made of the same public calls as every other command.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/show_decisions.h"
#include "cli/show_figures.h"

enum { PATH_BYTES = 4096 };

#define DEMO_CAMPAIGN "18"

static const option_spec options[] = {
    {"data", "DIR",
     "the bundled data (default: examples/complete-journey, here or installed)"},
    {NULL, NULL, NULL},
};

/* What the steps share. */
typedef struct demo {
    const invocation *in;
    proffer *p;
    char data[PATH_BYTES], workspace[PATH_BYTES];
    char example_shopper[64]; /* one who got a promotion */
    int step;
    double start_s;
} demo;

static void say(demo *d, const char *title, const char *words)
{
    if (d->in->quiet) return;
    printf("\n%d. %s\n   %s\n", ++d->step, title, words);
    fflush(stdout);
}

/* --- finding and making ----------------------------------------------------------- */

#define BUNDLED "examples/complete-journey"

static bool has_mapping(const char *folder)
{
    char path[PATH_BYTES];
    return file_join_path(path, sizeof path, folder, "mapping.yaml", NULL) == PF_OK &&
           file_exists(path);
}

static proffer_status find_data(demo *d, proffer_error *err)
{
    /* From the program's folder: of a checkout it was built in, and where it is installed. */
    static const char *const near[] = {"../../" BUNDLED, "../share/proffer/" BUNDLED};
    char found[PATH_BYTES];
    const char *given = option_value(d->in, "data");
    if (given == NULL && has_mapping(BUNDLED)) given = BUNDLED;
    for (size_t i = 0; given == NULL && i < sizeof near / sizeof near[0]; i++)
        if (file_near_program(found, sizeof found, near[i]) && has_mapping(found))
            given = found;
    if (given == NULL || !has_mapping(given))
        return fail(err, PROFFER_NOT_FOUND,
                    "the bundled data are not in %s; name their folder with --data DIR",
                    given ? given : BUNDLED);
    (void)snprintf(d->data, sizeof d->data, "%s", given);
    return PROFFER_OK;
}

/* The demo's own proffer.yaml, unless the workspace has one already. */
static proffer_status copy_configuration(const demo *d, proffer_error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    char *yaml = NULL;
    size_t n = 0;
    pf_error e = {.code = PF_OK};
    pf_status s = file_make_folders(d->workspace, &e);
    if (s == PF_OK) s = file_join_path(from, sizeof from, d->data, "proffer.yaml", &e);
    if (s == PF_OK) s = file_join_path(to, sizeof to, d->workspace, "proffer.yaml", &e);
    if (s == PF_OK && !file_exists(to)) {
        s = file_read_whole(&yaml, &n, from, 1 << 20, &e);
        if (s == PF_OK) s = file_write_atomic(to, yaml, n, &e);
        mem_free(yaml);
    }
    return s == PF_OK ? PROFFER_OK : fail(err, (proffer_status)s, "%s", e.message);
}

static proffer_status make_workspace(demo *d, proffer_error *err)
{
    const char *where = strcmp(d->in->workspace, ".") ? d->in->workspace : "proffer-demo";
    (void)snprintf(d->workspace, sizeof d->workspace, "%s", where);
    say(d, "A workspace",
        "600 households of a grocer, one year: what they bought, which coupon campaigns "
        "they\n"
        "   were mailed, what they redeemed (The Complete Journey, 84.51/dunnhumby, "
        "CC0).");
    proffer_status s = copy_configuration(d, err);
    if (s == PROFFER_OK) s = proffer_init(d->workspace, NULL, NULL, err);
    if (s == PROFFER_OK) s = proffer_open(&d->p, d->workspace, err);
    if (s == PROFFER_OK && !d->in->quiet)
        printf("   %s, with its assumptions in proffer.yaml\n", d->workspace);
    return s;
}

/* --- the steps -------------------------------------------------------------------- */

static proffer_status show_step(demo *d, char *json, void (*show)(demo *, result *),
                                proffer_error *err)
{
    result r;
    if (d->in->quiet) {
        proffer_free(json);
        return PROFFER_OK;
    }
    proffer_status s = show_open(&r, json, err);
    if (s == PROFFER_OK) {
        show(d, &r);
        show_close(&r);
        fflush(stdout);
    }
    return s;
}

static void show_import(demo *d, result *r)
{
    (void)d;
    printf("   %.0f rows read in %.1f s: %.0f added, %.0f known before, %.0f rejected\n",
           show_number(r->top, "rows"), show_number(r->top, "wall_s"),
           show_number(r->top, "added"),
           show_number(r->top, "same") + show_number(r->top, "duplicates"),
           show_number(r->top, "rejected"));
}

static proffer_status import_step(demo *d, proffer_error *err)
{
    char mapping[PATH_BYTES];
    char *json = NULL;
    proffer_import_options o = proffer_import_options_default();
    say(d, "Import",
        "Ten files, as the shop has them, through a mapping file; every row is checked, "
        "and\n"
        "   the same file twice changes nothing.");
    if (file_join_path(mapping, sizeof mapping, d->data, "mapping.yaml", NULL) != PF_OK)
        return fail(err, PROFFER_LIMIT, "the path of the data is too long");
    o.mapping = mapping;
    proffer_status s = proffer_import(d->p, &o, &json, err);
    return s == PROFFER_OK ? show_step(d, json, show_import, err) : s;
}

static void show_embed(demo *d, result *r)
{
    (void)d;
    printf("   %.0f texts, %.0f new ones encoded in %.1f s by %s\n",
           show_number(r->top, "texts"), show_number(r->top, "encoded"),
           show_number(r->top, "seconds"), show_text(r, r->top, "encoder"));
}

static proffer_status embed_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    say(d, "Language",
        "Titles of products and coupons become vectors, so that likeness of meaning "
        "counts,\n"
        "   in Chinese and English alike.");
    proffer_status s = proffer_embed(d->p, &json, err);
    if (s == PROFFER_UNAVAILABLE) {
        if (!d->in->quiet)
            printf("   no encoder: %s. Words alone are used; everything else works.\n",
                   err->message);
        *err = (proffer_error){.code = PROFFER_OK};
        return PROFFER_OK;
    }
    return s == PROFFER_OK ? show_step(d, json, show_embed, err) : s;
}

static void show_training(demo *d, result *r)
{
    const json_value *models = json_member(r->top, "models");
    (void)d;
    for (size_t i = 0; models != NULL && i < models->n; i++)
        printf("   %s: %s (%.1f s)\n", show_text(r, &models->values[i], "model"),
               show_text(r, &models->values[i], "words"),
               show_number(&models->values[i], "seconds"));
}

static proffer_status train_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    proffer_train_options o = proffer_train_options_default();
    say(d, "Train",
        "Which product does a shopper buy next, and who redeems which coupon?");
    proffer_status s = proffer_train(d->p, &o, &json, err);
    return s == PROFFER_OK ? show_step(d, json, show_training, err) : s;
}

static void show_judgement(demo *d, result *r)
{
    (void)d;
    printf("\n");
    show_evaluation(r, r->top);
}

static proffer_status evaluate_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    proffer_evaluate_options o = proffer_evaluate_options_default();
    say(d, "Evaluate",
        "Every campaign from August on is predicted by a model that knew only campaigns\n"
        "   already over, and December's baskets from what came before.");
    proffer_status s = proffer_evaluate(d->p, &o, &json, err);
    return s == PROFFER_OK ? show_step(d, json, show_judgement, err) : s;
}

static void show_policies(demo *d, result *r)
{
    (void)d;
    printf("\n");
    show_policy_table(r, r->top);
}

static proffer_status policies_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    proffer_policies_options o = proffer_policies_options_default();
    say(d, "Other ways to decide",
        "What if the campaigns since August had been sent to others? Models fitted before\n"
        "   August choose whom; what followed is weighed by how likely each was to be sent it.");
    o.past = 1;
    proffer_status s = proffer_evaluate_policies(d->p, &o, &json, err);
    if (s == PROFFER_DATA) {
        if (!d->in->quiet) printf("   these data cannot tell: %s\n", err->message);
        *err = (proffer_error){.code = PROFFER_OK};
        return PROFFER_OK;
    }
    return s == PROFFER_OK ? show_step(d, json, show_policies, err) : s;
}

/* Remembers a shopper who gets something, for the commands to try next. */
static void remember_shopper(demo *d, result *r)
{
    const json_value *sample = json_member(r->top, "sample");
    for (size_t i = 0; sample != NULL && i < sample->n; i++)
        if (!strcmp(show_text(r, &sample->values[i], "decision"), "send")) {
            (void)snprintf(d->example_shopper, sizeof d->example_shopper, "%s",
                           show_text(r, &sample->values[i], "shopper"));
            return;
        }
}

static void show_decided(demo *d, result *r)
{
    printf("\n");
    show_decision_summary(r, r->top);
    show_decision_sample(r, r->top);
    remember_shopper(d, r);
}

static proffer_status decide_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    proffer_decide_options o = proffer_decide_options_default();
    say(d, "Decide",
        "Campaign " DEMO_CAMPAIGN
        " as it stood on its first morning: who gets which coupon "
        "within the\n   budget, in what words, and who is better left alone.");
    o.campaign = DEMO_CAMPAIGN;
    proffer_status s = proffer_decide(d->p, &o, &json, err);
    return s == PROFFER_OK ? show_step(d, json, show_decided, err) : s;
}

static void show_next(demo *d, result *r)
{
    const char *shopper = d->example_shopper[0] ? d->example_shopper : "SHOPPER";
    const char *me = d->in->program;
    printf("   %s\n\nDone in %.0f s. Three commands to try next:\n",
           show_text(r, r->top, "report"), clock_wall_s() - d->start_s);
    printf("  %s explain %s -w %s\n", me, shopper, d->workspace);
    printf("  %s search '给孩子的早餐' -w %s\n", me, d->workspace);
    printf("  %s decide --campaign %s --budget 500 --dry-run -w %s\n", me, DEMO_CAMPAIGN,
           d->workspace);
}

static proffer_status report_step(demo *d, proffer_error *err)
{
    char *json = NULL;
    say(d, "Report",
        "One HTML file with plots, figures and reasons; open it in a browser:");
    proffer_status s = proffer_report(d->p, NULL, &json, err);
    return s == PROFFER_OK ? show_step(d, json, show_next, err) : s;
}

static proffer_status run(const invocation *in, proffer_error *err)
{
    static proffer_status (*const steps[])(demo *, proffer_error *) = {
        find_data,  make_workspace, import_step, embed_step,
        train_step, evaluate_step,  policies_step, decide_step, report_step,
    };
    demo d = {.in = in, .start_s = clock_wall_s()};
    proffer_status s = PROFFER_OK;
    for (size_t i = 0; s == PROFFER_OK && i < sizeof steps / sizeof steps[0]; i++)
        s = steps[i](&d, err);
    proffer_close(d.p);
    return s;
}

const command command_demo = {
    .name = "demo",
    .summary = "Run the whole chain on a real grocer's data",
    .arguments = "",
    .examples = "  proffer demo                 # workspace in ./proffer-demo\n"
                "  proffer demo -w /tmp/demo\n",
    .details =
        "Imports, embeds, trains, evaluates, decides a campaign and writes the report.\n"
        "A second run imports nothing new and encodes nothing again.",
    .options = options,
    .run = run,
};
