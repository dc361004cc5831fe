/*
 * evaluate --sequences: recommenders compared on a file of interactions; no workspace.
 */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/workspace.h"
#include "evaluate/sequences.h"

proffer_sequences_options proffer_sequences_options_default(void)
{
    sequence_options o = sequence_options_default();
    return (proffer_sequences_options){
        .protocol = "leave-one-out", .models = o.models, .k = (int)o.k, .seed = o.seed};
}

static pf_status write_model(void *context, const loo_result *found, const recommender *m,
                             pf_error *err)
{
    verb_result *r = context;
    (void)err;
    loo_write_json(&r->w, found, m);
    return PF_OK;
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

static pf_status check_options(const proffer_sequences_options *o, sequence_options *out,
                               pf_error *err)
{
    *out = sequence_options_default();
    if (o->sequences == NULL)
        return error_set(err, PF_USAGE, "name the file of sequences");
    if (strcmp(o->protocol, "leave-one-out") != 0)
        return error_set(err, PF_USAGE,
                         "protocol '%s' is not known for sequences; there is "
                         "leave-one-out",
                         o->protocol);
    if (o->k < 1) return error_set(err, PF_USAGE, "k is %d but must be at least 1", o->k);
    out->models = o->models;
    out->k = (unsigned)o->k;
    out->seed = o->seed;
    return parse_repeats(o->repeats, &out->repeats, err);
}

/* "meaning" needs an encoder only when it is asked for and there are texts; a missing one
 * is told by the comparison. */
static bool wants_encoder(const proffer_sequences_options *o)
{
    return o->items != NULL &&
           (strstr(o->models, "meaning") || strstr(o->models, "text") ||
            strstr(o->models, "all") || strstr(o->models, "blend"));
}

static pf_status compare(const proffer_sequences_options *o, sequence_options *options,
                         verb_result *r, pf_error *err)
{
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    encoder *e = NULL;
    pf_error why = {.code = PF_OK};
    sequence_report report = {r, write_model, tell_absent};
    pf_status s = sequence_set_read(&set, o->sequences, err);
    if (s == PF_OK && o->items != NULL)
        s = item_texts_read(&texts, o->items, set->items, err);
    if (s == PF_OK && wants_encoder(o) && workspace_open_models(NULL, &e, &why) != PF_OK)
        log_line(LOG_WARNING, "no text encoder (%s)", why.message);
    options->encoder = e;
    options->shown = e ? progress_begin("encoding items", set->n_items, "texts") : NULL;
    if (s == PF_OK) s = evaluate_sequences(set, texts, options, &report, err);
    progress_end(options->shown);
    encoder_close(e);
    item_texts_free(texts);
    sequence_set_free(set);
    return s;
}

proffer_status proffer_evaluate_sequences(const proffer_sequences_options *o, char **json,
                                          proffer_error *err)
{
    sequence_options options;
    verb_result r;
    *json = NULL;
    pf_status s = check_options(o, &options, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    options.threads =
        o->threads == 1 ? NULL : pool_new(o->threads > 0 ? (unsigned)o->threads : 0);
    verb_begin(&r);
    json_array_begin(&r.w);
    s = compare(o, &options, &r, inner(err));
    json_array_end(&r.w);
    pool_free(options.threads);
    if (s == PF_OK) return (proffer_status)verb_end(&r, json, inner(err));
    buffer_free(&r.text);
    return (proffer_status)s;
}
