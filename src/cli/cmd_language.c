/* proffer embed and proffer search: texts -> vectors, and finding products by them. */
#include <stdio.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/show.h"

static proffer_status show_embed(const invocation *in, result *r, proffer_error *err)
{
    (void)in;
    (void)err;
    printf("%.0f texts: %.0f encoded now, %.0f known before, %.1f s (%s)\n",
           show_number(r->top, "texts"), show_number(r->top, "encoded"),
           show_number(r->top, "cached"), show_number(r->top, "seconds"),
           show_text(r, r->top, "encoder"));
    return PROFFER_OK;
}

static proffer_status embed(proffer *p, const invocation *in, char **json,
                            proffer_error *err)
{
    (void)in;
    return proffer_embed(p, json, err);
}

static proffer_status run_embed(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, embed, show_embed, err);
}

const command command_embed = {
    .name = "embed",
    .summary = "Compute the vectors of products and promotions that have none yet",
    .arguments = "",
    .examples = "  proffer embed\n",
    .details = "Vectors are cached by encoder and text; a change of either is noticed.",
    .run = run_embed,
};

static const option_spec search_options[] = {
    {"limit", "N", "how many products (default 10)"},
    {NULL, NULL, NULL},
};

static proffer_status show_search(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"product", "title",  "category",
                                           ">price",  ">alike", ">score"};
    const json_value *found = json_member(r->top, "products");
    table *t = table_new(6, headings, 50);
    (void)in;
    (void)err;
    for (size_t i = 0; found != NULL && i < found->n; i++) {
        const json_value *f = &found->values[i];
        table_cell(t, "%s", show_text(r, f, "id"));
        table_cell(t, "%s", show_text(r, f, "title"));
        table_cell(t, "%s", show_text(r, f, "category"));
        table_cell(t, "%s", show_text(r, f, "price"));
        table_cell(t, "%.0f", show_number(f, "alike"));
        table_cell(t, "%.3f", show_number(f, "score"));
    }
    table_print(t);
    return PROFFER_OK;
}

static proffer_status search(proffer *p, const invocation *in, char **json,
                             proffer_error *err)
{
    long limit = 10;
    buffer query;
    buffer_init(&query, LIMIT_TEXT_BYTES);
    for (int i = 0; i < in->n_arguments; i++)
        buffer_printf(&query, "%s%s", i ? " " : "", in->arguments[i]);
    proffer_status s = option_integer(in, "limit", 1, 200, 10, &limit, err);
    if (s == PROFFER_OK && query.failed)
        s = fail(err, PROFFER_LIMIT, "the query is longer than %u bytes",
                 LIMIT_TEXT_BYTES);
    if (s == PROFFER_OK) s = proffer_search(p, query.data, (int)limit, json, err);
    buffer_free(&query);
    return s;
}

static proffer_status run_search(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, search, show_search, err);
}

const command command_search = {
    .name = "search",
    .summary = "Find products by meaning and by words, in any of 16 languages",
    .arguments = "QUERY...",
    .examples = "  proffer search oat milk\n"
                "  proffer search 给孩子的早餐 --limit 5\n",
    .options = search_options,
    .min_arguments = 1,
    .max_arguments = MAX_ARGUMENTS,
    .run = run_search,
};
