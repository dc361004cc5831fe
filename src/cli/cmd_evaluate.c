/* proffer evaluate: judging predictions, recommenders and policies. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/show_figures.h"

static const option_spec evaluate_options[] = {
    {"test-from", "DATE", "first day of the test period (default: proffer.yaml's)"},
    {"sequences", "FILE", "evaluate on a file of `user item item ...` or .inter instead"},
    {"items", "FILE", "texts of the items of --sequences"},
    {"models", "LIST", "compare popularity,transitions,words,transformer,blend,..."},
    {"protocol", "NAME", "of --models: leave-one-out (default) or time"},
    {"k", "N", "cut of the rankings (default 10)"},
    {"repeats", "WORD", "allow, mask or auto: may taken items be recommended again"},
    {"set", "LIST", "of trained models: width=64,dropout=.3,epochs=20,..."},
    {"seed", "N", "of everything random (default 1)"},
    {"seeds", "N", "train with this many seeds and give the means (default 1)"},
    {"copies", "N", "of each trained network in a blend, averaged (default 1)"},
    {"threads", "N", "how many (default: one a processor)"},
    {"bootstrap", "N", "replicates behind each interval"},
    {"policy", "LIST", "compare policies on the log: logged,nothing,value,value@0.3,..."},
    {"reward", "WORD", "of --policy: net_margin, revenue, redemptions, clicks or buyers"},
    {"window", "DAYS", "of --policy: what counts as brought by a decision (default 28)"},
    {"since", "DATE", "of --policy: decisions from here on alone"},
    {"only-possible", NULL, "of --policy: choose only among what the log gave a chance"},
    {"past", NULL, "of --policy all: by past campaigns, in which nothing was randomised"},
    {NULL, NULL, NULL},
};

static proffer_status show_evaluate(const invocation *in, result *r, proffer_error *err)
{
    (void)in;
    (void)err;
    show_evaluation(r, r->top);
    return PROFFER_OK;
}

static proffer_status evaluate(proffer *p, const invocation *in, char **json,
                               proffer_error *err)
{
    proffer_evaluate_options o = proffer_evaluate_options_default();
    long seed = 1, threads = 0, replicates = 0;
    proffer_status s = option_integer(in, "seed", 0, 1L << 62, 1, &seed, err);
    if (s == PROFFER_OK) s = option_integer(in, "threads", 1, 1024, 0, &threads, err);
    if (s == PROFFER_OK)
        s = option_integer(in, "bootstrap", 50, 100000, 0, &replicates, err);
    o.test_from = option_value(in, "test-from");
    o.seed = (uint64_t)seed;
    o.threads = (int)threads;
    o.bootstrap = (int)replicates;
    return s == PROFFER_OK ? proffer_evaluate(p, &o, json, err) : s;
}

static proffer_status read_comparison(const invocation *in, proffer_sequences_options *o,
                                      proffer_error *err)
{
    long k = 10, seed = 1, seeds = 1, copies = 1, threads = 0;
    proffer_status s = option_integer(in, "k", 1, 1000, 10, &k, err);
    if (s == PROFFER_OK) s = option_integer(in, "seed", 0, 1L << 62, 1, &seed, err);
    if (s == PROFFER_OK) s = option_integer(in, "seeds", 1, 64, 1, &seeds, err);
    if (s == PROFFER_OK) s = option_integer(in, "copies", 1, 8, 1, &copies, err);
    if (s == PROFFER_OK) s = option_integer(in, "threads", 1, 1024, 0, &threads, err);
    *o = proffer_sequences_options_default();
    o->sequences = option_value(in, "sequences");
    o->items = option_value(in, "items");
    o->models = option_given(in, "models") ? option_value(in, "models") : o->models;
    o->protocol = option_given(in, "protocol") ? option_value(in, "protocol") : o->protocol;
    o->repeats = option_value(in, "repeats");
    o->settings = option_value(in, "set");
    o->k = (int)k;
    o->seed = (uint64_t)seed;
    o->seeds = (int)seeds;
    o->copies = (int)copies;
    o->threads = (int)threads;
    return s;
}

/* A line of JSON a model, or a table. */
static void show_comparison(const invocation *in, result *r)
{
    long k = 10;
    (void)option_integer(in, "k", 1, 1000, 10, &k, NULL);
    if (in->json)
        show_json_lines(r->top);
    else
        show_model_table(r, r->top, (int)k);
}

/* No workspace is opened. */
static proffer_status run_sequences(const invocation *in, proffer_error *err)
{
    proffer_sequences_options o;
    char *json = NULL;
    result r;
    proffer_status s = read_comparison(in, &o, err);
    if (s == PROFFER_OK) s = proffer_evaluate_sequences(&o, &json, err);
    if (s == PROFFER_OK) s = show_open(&r, json, err);
    if (s != PROFFER_OK) return s;
    show_comparison(in, &r);
    show_close(&r);
    return PROFFER_OK;
}

static proffer_status compare(proffer *p, const invocation *in, char **json,
                              proffer_error *err)
{
    proffer_sequences_options o;
    proffer_status s = read_comparison(in, &o, err);
    return s == PROFFER_OK ? proffer_evaluate_models(p, &o, json, err) : s;
}

static proffer_status show_compare(const invocation *in, result *r, proffer_error *err)
{
    (void)err;
    show_comparison(in, r);
    return PROFFER_OK;
}

static proffer_status read_policies(const invocation *in, proffer_policies_options *o,
                                    proffer_error *err)
{
    long seed = 1, threads = 0, replicates = 0, window = 0;
    proffer_status s = option_integer(in, "seed", 0, 1L << 62, 1, &seed, err);
    if (s == PROFFER_OK) s = option_integer(in, "threads", 1, 1024, 0, &threads, err);
    if (s == PROFFER_OK) s = option_integer(in, "window", 1, 366, 0, &window, err);
    if (s == PROFFER_OK)
        s = option_integer(in, "bootstrap", 50, 100000, 0, &replicates, err);
    *o = proffer_policies_options_default();
    o->policies = option_value(in, "policy");
    o->reward = option_value(in, "reward");
    o->since = option_value(in, "since");
    o->only_possible = option_given(in, "only-possible");
    o->past = option_given(in, "past");
    o->window_days = (int)window;
    o->seed = (uint64_t)seed;
    o->threads = (int)threads;
    o->bootstrap = (int)replicates;
    return s;
}

static proffer_status policies(proffer *p, const invocation *in, char **json,
                               proffer_error *err)
{
    proffer_policies_options o;
    proffer_status s = read_policies(in, &o, err);
    return s == PROFFER_OK ? proffer_evaluate_policies(p, &o, json, err) : s;
}

static proffer_status show_policies(const invocation *in, result *r, proffer_error *err)
{
    (void)in;
    (void)err;
    show_policy_table(r, r->top);
    return PROFFER_OK;
}

static proffer_status check_options(const invocation *in, bool models, bool file, bool policy,
                                    proffer_error *err)
{
    static const char *const of_models[] = {"protocol", "k",     "repeats",
                                            "set",      "seeds", "copies", NULL};
    static const char *const of_file[] = {"items", NULL};
    static const char *const of_campaigns[] = {"test-from", NULL};
    static const char *const of_both[] = {"bootstrap", NULL};
    static const char *const of_policies[] = {"reward", "window", "since", "only-possible",
                                              "past", NULL};
    proffer_status s = PROFFER_OK;
    if (models && policy)
        return fail(err, PROFFER_USAGE, "compare models or policies, not both at once");
    if (models || policy) s = options_refuse(in, of_campaigns, "is for campaigns alone", err);
    if (s == PROFFER_OK && models)
        s = options_refuse(in, of_both, "is not for comparing models", err);
    if (s == PROFFER_OK && !models)
        s = options_refuse(in, of_models, "goes with --models LIST", err);
    if (s == PROFFER_OK && !policy)
        s = options_refuse(in, of_policies, "goes with --policy LIST", err);
    if (s == PROFFER_OK && !file)
        s = options_refuse(in, of_file, "goes with --sequences FILE", err);
    return s;
}

static proffer_status run_evaluate(const invocation *in, proffer_error *err)
{
    bool file = option_given(in, "sequences"), models = file || option_given(in, "models");
    bool policy = option_given(in, "policy");
    proffer_status s = check_options(in, models, file, policy, err);
    if (s != PROFFER_OK) return s;
    if (policy) return run_in_workspace(in, policies, show_policies, err);
    if (file) return run_sequences(in, err);
    return models ? run_and_show(in, compare, show_compare, err)
                  : run_in_workspace(in, evaluate, show_evaluate, err);
}

const command command_evaluate = {
    .name = "evaluate",
    .summary = "Judge predictions on weeks the models had not seen",
    .arguments = "",
    .examples =
        "  proffer evaluate --test-from 2017-08-01\n"
        "  proffer evaluate --sequences ml-1m.txt.gz --models popularity,transitions\n"
        "  proffer evaluate --sequences beauty.txt.gz --items items.tsv --json\n"
        "  proffer evaluate --models counts,transformer,blend --seeds 3\n"
        "  proffer evaluate --policy logged,nothing,value,best-single\n"
        "  proffer evaluate --policy all --past\n",
    .details =
        "Without --sequences and --models: the workspace's own campaigns and purchases by\n"
        "time, each beside simple baselines; the result goes into the report. With --models:\n"
        "recommenders compared by what each shopper took last. With --policy: what other ways\n"
        "to decide would have brought, by the log of decisions that drew lots.",
    .options = evaluate_options,
    .run = run_evaluate,
};
