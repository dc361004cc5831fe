/*
 * evaluate --sequences and --models: recommenders compared on a file of interactions, without
 * a workspace, or on a workspace's purchases.
 */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/learned.h"
#include "engine/training_shown.h"
#include "engine/workspace.h"
#include "evaluate/comparison.h"

proffer_sequences_options proffer_sequences_options_default(void)
{
    comparison_options o = comparison_options_default();
    return (proffer_sequences_options){.protocol = "leave-one-out",
                                       .models = o.models,
                                       .k = (int)o.k,
                                       .seed = o.seed,
                                       .seeds = (int)o.seeds,
                                       .copies = (int)o.copies};
}

/* What a comparison tells while it runs, and where its results go. */
typedef struct talk {
    verb_result *r;
    training_shown shown;
} talk;

static pf_status write_model(void *context, const loo_result *found, const recommender *m,
                             pf_error *err)
{
    talk *t = context;
    (void)err;
    training_shown_end(&t->shown);
    loo_write_json(&t->r->w, found, m);
    return PF_OK;
}

static void tell_begin(void *context, const char *model, unsigned seed, unsigned seeds)
{
    talk *t = context;
    training_shown_title(&t->shown, model, seed, seeds);
}

static void tell_absent(void *context, const char *model, const pf_error *why)
{
    (void)context;
    log_line(LOG_WARNING, "%s is left out: %s", model, why->message);
}

static pf_status parse_repeats(const char *word, loo_repeats *out, pf_error *err)
{
    *out = LOO_REPEATS_AUTO;
    if (word == NULL || !strcmp(word, "auto")) return PF_OK;
    if (strcmp(word, "allow") != 0 && strcmp(word, "mask") != 0)
        return error_set(err, PF_USAGE, "repeats: '%s' is none of allow, mask, auto",
                         word);
    *out = word[0] == 'a' ? LOO_REPEATS_ALLOWED : LOO_REPEATS_MASKED;
    return PF_OK;
}

static pf_status parse_protocol(const char *word, comparison_protocol *out, pf_error *err)
{
    *out = strcmp(word, "time") == 0 ? COMPARE_BY_TIME : COMPARE_LEAVE_ONE_OUT;
    if (*out == COMPARE_BY_TIME || strcmp(word, "leave-one-out") == 0) return PF_OK;
    return error_set(err, PF_USAGE,
                     "protocol '%s' is not known; there are leave-one-out and time", word);
}

static pf_status check_options(const proffer_sequences_options *o, comparison_options *out,
                               pf_error *err)
{
    *out = comparison_options_default();
    if (o->k < 1) return error_set(err, PF_USAGE, "k is %d but must be at least 1", o->k);
    if (o->seeds < 1 || o->seeds > COMPARISON_MAX_SEEDS)
        return error_set(err, PF_USAGE, "seeds is %d but must be 1 to %d", o->seeds,
                         COMPARISON_MAX_SEEDS);
    if (o->copies < 1 || o->copies > RECOMMEND_MAX_COPIES)
        return error_set(err, PF_USAGE, "copies is %d but must be 1 to %d", o->copies,
                         RECOMMEND_MAX_COPIES);
    out->copies = (unsigned)o->copies;
    out->models = o->models;
    out->k = (unsigned)o->k;
    out->seed = o->seed;
    out->seeds = (unsigned)o->seeds;
    pf_status s = parse_protocol(o->protocol, &out->protocol, err);
    return s == PF_OK ? parse_repeats(o->repeats, &out->repeats, err) : s;
}

/* "meaning" needs an encoder only when it is asked for and there are texts; a missing one
 * is told by the comparison. */
static bool wants_encoder(const proffer_sequences_options *o)
{
    static const char *const readers[] = {"meaning", "text",    "all",        "blend",
                                          "gru4rec", "bert4rec", "transformer"};
    bool some = false;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        some |= strstr(o->models, readers[i]) != NULL;
    return some && o->items != NULL;
}

/* What is wrong with the events as a whole is said of the file they are from. */
static void name_file(pf_error *err, const char *path)
{
    pf_error bare;
    if (err == NULL || err->code != PF_DATA || err->file[0] != 0) return;
    bare = *err;
    (void)error_set_at(err, bare.code, path, 0, 0, "%s", bare.message);
}

static pf_status compare_file(const proffer_sequences_options *o,
                              comparison_options *options,
                              const comparison_report *report, pf_error *err)
{
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    encoder *e = NULL;
    pf_error why = {.code = PF_OK};
    if (o->sequences == NULL)
        return error_set(err, PF_USAGE, "name the file of sequences");
    pf_status s = sequence_set_read(&set, o->sequences, err);
    if (s == PF_OK && o->items != NULL)
        s = item_texts_read(&texts, o->items, set->items, err);
    if (s == PF_OK && wants_encoder(o) && workspace_open_models(NULL, &e, &why) != PF_OK)
        log_line(LOG_WARNING, "no text encoder (%s)", why.message);
    options->encoder = e;
    options->shown = e ? progress_begin("encoding items", set->n_items, "texts") : NULL;
    if (s == PF_OK) {
        s = compare_on_file(set, texts, options, report, err);
        if (s != PF_OK) name_file(err, o->sequences);
    }
    progress_end(options->shown);
    encoder_close(e);
    item_texts_free(texts);
    sequence_set_free(set);
    return s;
}

static pf_status compare_workspace(proffer *p, const comparison_options *options,
                                   const comparison_report *report, pf_error *err)
{
    learned l = {.p = p};
    product_side side;
    interactions_owned *x = NULL;
    pf_status s = workspace_snapshot(p, err);
    if (s == PF_OK) s = learned_open(&l, p, err);
    if (s == PF_OK) s = learned_side(&l, &side, err);
    if (s == PF_OK)
        s = purchases_from_history(p->history, p->catalogue->n_products, l.excluded,
                                   INT64_MAX, &x, err);
    if (s == PF_OK) s = compare_models(&x->view, &side, options, report, err);
    interactions_free(x);
    learned_close(&l);
    return s;
}

/* p NULL: on the file of the options. */
static pf_status compare(proffer *p, const proffer_sequences_options *o, char **json,
                         pf_error *err)
{
    comparison_options options;
    verb_result r;
    talk t = {.r = &r};
    recommend_training training = {.settings = o->settings,
                                   .hooks = training_show(&t.shown, "models")};
    const comparison_report report = {&t, tell_begin, write_model, tell_absent};
    pool *own = NULL;
    *json = NULL;
    pf_status s = check_options(o, &options, err);
    if (s != PF_OK) return s;
    if (p == NULL && o->threads != 1)
        own = pool_new(o->threads > 0 ? (unsigned)o->threads : 0);
    options.threads = p ? workspace_pool(p) : own;
    options.training = &training;
    verb_begin(&r);
    json_array_begin(&r.w);
    s = p ? compare_workspace(p, &options, &report, err)
          : compare_file(o, &options, &report, err);
    json_array_end(&r.w);
    training_shown_end(&t.shown);
    pool_free(own);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

proffer_status proffer_evaluate_sequences(const proffer_sequences_options *o, char **json,
                                          proffer_error *err)
{
    return (proffer_status)compare(NULL, o, json, inner(err));
}

proffer_status proffer_evaluate_models(proffer *p, const proffer_sequences_options *o,
                                       char **json, proffer_error *err)
{
    workspace_use_threads(p, o->threads);
    return (proffer_status)compare(p, o, json, inner(err));
}
