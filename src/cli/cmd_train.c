/* proffer train and recommend: learning, and a first look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/show_figures.h"

static const option_spec train_options[] = {
    {"model", "NAME", "this recommender alone, kept beside the others: transformer, ..."},
    {"set", "LIST", "of --model: width=64,dropout=.3,epochs=20,..."},
    {"resume", NULL, "of --model: go on after the last epoch that was finished"},
    {"warm", NULL, "of --model: start from the model that is there"},
    {"copies", "N", "of each trained network in a blend, averaged (default 1)"},
    {"seed", "N", "of everything random (default 1)"},
    {"threads", "N", "how many (default: one a processor)"},
    {NULL, NULL, NULL},
};

static proffer_status show_train(const invocation *in, result *r, proffer_error *err)
{
    const json_value *models = json_member(r->top, "models");
    (void)in;
    (void)err;
    for (size_t i = 0; models != NULL && i < models->n; i++)
        printf("%s: %s (%.1f s)\n", show_text(r, &models->values[i], "model"),
               show_text(r, &models->values[i], "words"),
               show_number(&models->values[i], "seconds"));
    return PROFFER_OK;
}

static proffer_status train(proffer *p, const invocation *in, char **json,
                            proffer_error *err)
{
    proffer_train_options o = proffer_train_options_default();
    long seed = 1, copies = 1, threads = 0;
    proffer_status s = option_integer(in, "seed", 0, 1L << 62, 1, &seed, err);
    if (s == PROFFER_OK) s = option_integer(in, "copies", 1, 8, 1, &copies, err);
    if (s == PROFFER_OK) s = option_integer(in, "threads", 1, 1024, 0, &threads, err);
    o.copies = (int)copies;
    o.seed = (uint64_t)seed;
    o.threads = (int)threads;
    o.model = option_value(in, "model");
    o.settings = option_value(in, "set");
    o.resume = option_given(in, "resume");
    o.warm = option_given(in, "warm");
    return s == PROFFER_OK ? proffer_train(p, &o, json, err) : s;
}

static proffer_status run_train(const invocation *in, proffer_error *err)
{
    static const char *const of_model[] = {"set", "resume", "warm", NULL};
    proffer_status s = option_given(in, "model")
                           ? PROFFER_OK
                           : options_refuse(in, of_model, "goes with --model NAME", err);
    return s == PROFFER_OK ? run_in_workspace(in, train, show_train, err) : s;
}

const command command_train = {
    .name = "train",
    .summary = "Fit recommenders, their blend and the response models",
    .arguments = "",
    .examples = "  proffer train\n"
                "  proffer train --model transformer --set epochs=40\n"
                "  proffer train --model transformer --resume\n"
                "  proffer train --model blend --copies 3\n",
    .details =
        "Models go to the workspace's models folder as safetensors with a JSON card;\n"
        "each file is replaced only when the new one is complete.",
    .options = train_options,
    .run = run_train,
};

/* --- recommend -------------------------------------------------------------------- */

static const option_spec recommend_options[] = {
    {"at", "TIME", "as of this moment (default: after the last event)"},
    {"limit", "N", "how many products (default 10)"},
    {"model", "NAME", "one that `proffer train --model` made, in place of the shop's own"},
    {NULL, NULL, NULL},
};

static proffer_status show_recommend(const invocation *in, result *r, proffer_error *err)
{
    static const char *const headings[] = {"product", "title", "category", ">price",
                                           ">score"};
    const json_value *list = json_member(r->top, "products");
    table *t = table_new(5, headings, 50);
    (void)in;
    (void)err;
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const json_value *one = &list->values[i];
        table_cell(t, "%s", show_text(r, one, "id"));
        table_cell(t, "%s", show_text(r, one, "title"));
        table_cell(t, "%s", show_text(r, one, "category"));
        table_cell(t, "%s", show_text(r, one, "price"));
        table_cell(t, "%.3f", show_number(one, "score"));
    }
    table_print(t);
    return PROFFER_OK;
}

static proffer_status recommend(proffer *p, const invocation *in, char **json,
                                proffer_error *err)
{
    long limit = 10;
    proffer_status s = option_integer(in, "limit", 1, 1000, 10, &limit, err);
    if (s != PROFFER_OK) return s;
    return proffer_recommend(p, in->arguments[0], option_value(in, "at"), (int)limit,
                             option_value(in, "model"), json, err);
}

static proffer_status run_recommend(const invocation *in, proffer_error *err)
{
    return run_in_workspace(in, recommend, show_recommend, err);
}

const command command_recommend = {
    .name = "recommend",
    .summary = "Show the products a shopper is likeliest to buy next",
    .arguments = "SHOPPER",
    .examples = "  proffer recommend 1042\n"
                "  proffer recommend 1042 --at 2017-12-01 --limit 20\n"
                "  proffer recommend 1042 --model transformer\n",
    .options = recommend_options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_recommend,
};
