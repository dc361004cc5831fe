/* proffer import and proffer validate: files -> store, or only what is wrong with them. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"

static const option_spec options[] = {
    {"mapping", "FILE", "how the shop's files become Proffer's tables (docs/data-formats.md)"},
    {"table", "NAME", "table of all files: products, shoppers, campaigns, promotions, scope, "
                      "events"},
    {NULL, NULL, NULL},
};

static void show_reasons(result *r, const json_value *file)
{
    const json_value *reasons = json_member(file, "reasons");
    for (size_t i = 0; reasons != NULL && i < reasons->n; i++) {
        const json_value *reason = &reasons->values[i];
        printf("    %8.0f  %s\n", show_number(reason, "count"), show_text(r, reason, "reason"));
    }
}

static proffer_status show(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"table",     "file",        ">rows",
                                           ">added",    ">changed",    ">same",
                                           ">rejected"};
    const json_value *files = json_member(r->top, "files");
    table *t = table_new(7, headings, 48);
    (void)in;
    (void)err;
    for (size_t i = 0; files != NULL && i < files->n; i++) {
        const json_value *f = &files->values[i];
        table_cell(t, "%s", show_text(r, f, "table"));
        table_cell(t, "%s", show_text(r, f, "file"));
        table_cell(t, "%.0f", show_number(f, "rows"));
        table_cell(t, "%.0f", show_number(f, "added"));
        table_cell(t, "%.0f", show_number(f, "changed"));
        table_cell(t, "%.0f", show_number(f, "same"));
        table_cell(t, "%.0f", show_number(f, "rejected"));
    }
    table_print(t);
    for (size_t i = 0; files != NULL && i < files->n; i++) {
        if (show_number(&files->values[i], "rejected") > 0)
            printf("\n  %s: rejected rows by reason\n",
                   show_text(r, &files->values[i], "file"));
        show_reasons(r, &files->values[i]);
    }
    const char *rejects = show_text(r, r->top, "rejects_file");
    if (rejects[0] != 0)
        printf("\nEvery rejected row with its place: %s\n", rejects);
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
        return fail(err, PROFFER_USAGE, "name the files, or a mapping with --mapping FILE");
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

static proffer_status run_validate(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, validate_verb, show, err);
}

const command command_import = {
    .name = "import",
    .summary = "Load products, shoppers, promotions and events from files",
    .arguments = "[FILE...]",
    .examples = "  proffer import --mapping my-shop/mapping.yaml\n"
                "  proffer import products.csv events-2026-11.jsonl.gz   # columns guessed\n"
                "  proffer import --table events export.csv\n",
    .details = "CSV, JSONL, RecBole atomic files; plain, gzip or zstd; - is standard input.\n"
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
                "  proffer validate events.csv\n",
    .options = options,
    .max_arguments = MAX_ARGUMENTS,
    .run = run_validate,
};
