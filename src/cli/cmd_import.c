/* proffer import and proffer validate: files -> store, or only what is wrong with them. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"mapping", "FILE",
     "how the shop's files become Proffer's tables (docs/data-formats.md)"},
    {"table", "NAME",
     "table of all files: products, shoppers, campaigns, promotions, scope, "
     "events"},
    {NULL, NULL, NULL},
};

static void show_faults(result *r, const json_value *part)
{
    const json_value *reasons = json_member(part, "reasons");
    const json_value *errors = json_member(part, "errors");
    if (show_number(part, "rejected") > 0)
        printf("\n%s: %.0f rows rejected; the first: %s\n", show_text(r, part, "name"),
               show_number(part, "rejected"), show_text(r, part, "first_reject"));
    for (size_t i = 0; reasons != NULL && i < reasons->n; i++)
        printf("  %8.*s  %.*s\n", (int)reasons->values[i].text.n,
               reasons->values[i].text.data, (int)reasons->keys[i].n,
               reasons->keys[i].data);
    if (show_text(r, part, "rejects_file")[0] != 0)
        printf("  all of them, with file, line, column and reason: %s\n",
               show_text(r, part, "rejects_file"));
    for (size_t i = 0; errors != NULL && i < errors->n; i++)
        printf("  %.*s\n", (int)errors->values[i].text.n, errors->values[i].text.data);
}

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"table", ">rows",      ">added",   ">changed",
                                           ">same", ">duplicate", ">rejected"};
    static const char *const columns[] = {"rows", "added",      "changed",
                                          "same", "duplicates", "rejected"};
    const json_value *tables = json_member(r->top, "tables");
    table *t = table_new(7, headings, 48);
    (void)in;
    (void)err;
    for (size_t i = 0; tables != NULL && i < tables->n; i++) {
        table_cell(t, "%s", show_text(r, &tables->values[i], "name"));
        for (size_t k = 0; k < 6; k++)
            table_cell(t, "%.0f", show_number(&tables->values[i], columns[k]));
    }
    table_print(t);
    for (size_t i = 0; tables != NULL && i < tables->n; i++)
        show_faults(r, &tables->values[i]);
    printf("%.0f rows in %.1f s\n", show_number(r->top, "rows"),
           show_number(r->top, "wall_s"));
    return PROFFER_OK;
}

static proffer_status import_files(proffer *p, const invocation *in, int only_validate,
                                   char **json, proffer_error *err)
{
    proffer_import_options o = proffer_import_options_default();
    o.mapping = option_value(in, "mapping");
    o.table = option_value(in, "table");
    o.files = in->arguments;
    o.n_files = (size_t)in->n_arguments;
    o.validate_only = only_validate;
    if (o.mapping == NULL && o.n_files == 0)
        return fail(err, PROFFER_USAGE,
                    "name the files, or a mapping with --mapping FILE");
    return proffer_import(p, &o, json, err);
}

static proffer_status import_verb(proffer *p, const invocation *in, char **json,
                                  proffer_error *err)
{
    return import_files(p, in, 0, json, err);
}

static proffer_status validate_verb(proffer *p, const invocation *in, char **json,
                                    proffer_error *err)
{
    return import_files(p, in, 1, json, err);
}

static proffer_status run_import(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, import_verb, show, err);
}

/* A script that validates before it imports asks the exit code. */
static proffer_status judge_validation(result *r, proffer_error *err)
{
    const json_value *tables = json_member(r->top, "tables");
    double rejected = show_number(r->top, "rejected");
    size_t files = 0;
    for (size_t i = 0; tables != NULL && i < tables->n; i++) {
        const json_value *errors = json_member(&tables->values[i], "errors");
        files += errors != NULL ? errors->n : 0;
    }
    if (files > 0)
        return fail(err, PROFFER_DATA,
                    "%zu file%s cannot be read to the end; an import would "
                    "load nothing",
                    files, files == 1 ? "" : "s");
    if (rejected > 0)
        return fail(err, PROFFER_DATA, "an import would reject %.0f of %.0f rows",
                    rejected, show_number(r->top, "rows"));
    return PROFFER_OK;
}

static proffer_status run_validate(const invocation *in, proffer_error *err)
{
    return run_and_judge(in, validate_verb, show, judge_validation, err);
}

const command command_import = {
    .name = "import",
    .summary = "Load products, shoppers, promotions and events from files",
    .arguments = "[FILE...]",
    .examples =
        "  proffer import --mapping my-shop/mapping.yaml\n"
        "  proffer import products.csv events-2026-11.jsonl.gz   # columns guessed\n"
        "  proffer import --table events export.csv\n",
    .details =
        "CSV, JSONL, RecBole atomic files; plain, gzip or zstd; - is standard input.\n"
        "One atomic step: all files are in, or the store is as it was. The same file\n"
        "twice changes nothing. Rejected rows are kept with file, line, column, reason.",
    .options = options,
    .max_arguments = MAX_ARGUMENTS,
    .run = run_import,
};

const command command_validate = {
    .name = "validate",
    .summary = "Report everything wrong with files, load nothing",
    .arguments = "[FILE...]",
    .examples = "  proffer validate --mapping my-shop/mapping.yaml\n"
                "  proffer validate events.csv && proffer import events.csv\n",
    .details =
        "Ends with exit code 3 when a row would be rejected or a file cannot be read to\n"
        "its end, with 0 when nothing is wrong.",
    .options = options,
    .max_arguments = MAX_ARGUMENTS,
    .run = run_validate,
};
