/*
 * train: fits what the workspace decides with, on everything in the store, and keeps it in
 * the models folder: the recommender (habits and what a network adds to them in shops whose
 * shoppers come back for the same things, a blend elsewhere) and the response model. With a
 * model's name: that recommender alone, with a checkpoint after every epoch, beside them.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/learned.h"
#include "engine/training_shown.h"
#include "recommend/blend.h"
#include "recommend/from_history.h"
#include "recommend/interactions.h"
#include "recommend/month_blend.h"
#include "recommend/recommend.h"

proffer_train_options proffer_train_options_default(void)
{
    return (proffer_train_options){.seed = 1};
}

/* What the parts of one training share. */
typedef struct training {
    proffer *p;
    learned learned;
    const proffer_train_options *o;
    int64_t until_us; /* behind the last event */
    verb_result *r;
} training;

/* What the last month said of habit and a network beside it. */
static void write_month(const recommender *m, verb_result *r)
{
    const month_weight *w = month_blend_found(m);
    json_key(&r->w, "month");
    json_object_begin(&r->w);
    verb_time(r, "from", w->from_us);
    verb_integer(r, "shoppers", w->shoppers);
    verb_number(r, "habit_ndcg@10", w->first);
    verb_number(r, "transformer_ndcg@10", w->more);
    verb_number(r, "blend_ndcg@10", w->together);
    verb_number(r, "gain", w->gain);
    verb_number(r, "gain_se", w->gain_se);
    verb_number(r, "weight", w->weight);
    json_object_end(&r->w);
    if (month_blend_network(m) == NULL) return;
    json_key(&r->w, "network");
    sequence_model_describe(recommender_sequence(month_blend_network(m)), &r->w);
}

/* The card beside a model (m NULL: the response model's): what it knows, by which setting it
 * was asked for, and how it was made. `words` describes it. */
static pf_status write_card(const training *t, const recommender *m, const char *setting,
                            const char *words, double seconds, char **card, pf_error *err)
{
    char data[FINGERPRINT_TEXT_BYTES], ids[FINGERPRINT_TEXT_BYTES];
    char until[24], made[TIME_TEXT_BYTES];
    verb_result r;
    fingerprint_format(&t->p->data, data);
    (void)snprintf(until, sizeof until, "%lld", (long long)t->until_us);
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "kind", m ? recommender_kind_of(m)->name : "response");
    verb_text(&r, "setting", setting);
    verb_text(&r, "words", words);
    verb_text(&r, "data", data);
    learned_catalogue(t->p->catalogue, t->p->catalogue->n_products, ids);
    verb_text(&r, "catalogue", ids);
    verb_text(&r, "until_us", until);
    verb_time(&r, "until", t->until_us);
    verb_integer(&r, "seed", (int64_t)t->o->seed);
    verb_text(&r, "program", proffer_version());
    verb_text(&r, "made_at", time_format(clock_now_us(), made));
    verb_number(&r, "seconds", seconds);
    if (m != NULL && recommender_sequence(m) != NULL) {
        json_key(&r.w, "network");
        sequence_model_describe(recommender_sequence(m), &r.w);
    }
    if (m != NULL && month_blend_found(m) != NULL && month_blend_found(m)->shoppers > 0)
        write_month(m, &r);
    json_object_end(&r.w);
    return verb_end(&r, card, err);
}

static void tell(const training *t, const char *name, const char *words, double seconds)
{
    json_object_begin(&t->r->w);
    verb_text(t->r, "model", name);
    verb_text(t->r, "words", words);
    verb_number(t->r, "seconds", seconds);
    json_object_end(&t->r->w);
}

/* --- the recommender -------------------------------------------------------------- */

/* "habit 1.00, transformer 0.05; ndcg@10 of the last month: ..." */
static void describe_month(const recommender *m, buffer *into)
{
    const month_weight *w = month_blend_found(m);
    const double weight = month_blend_weight(m);
    buffer_printf(into, "habit 1.00, transformer %.2f", weight);
    if (w == NULL || w->shoppers == 0) {
        buffer_append_text(into, " (too few shoppers bought in the last month and before it to "
                                 "tell what one adds, or the data are too large for one)");
        return;
    }
    buffer_printf(into,
                  "; ndcg@10 of the last month, held back: habit %.4f, transformer %.4f, "
                  "blend %.4f (gain of the best weight %+.4f, standard error %.4f%s)",
                  w->first, w->more, w->together, fabs(w->gain) < 5e-5 ? 0 : w->gain, w->gain_se,
                  weight > 0 ? "" : ": no gain, so none");
}

/* "; validation ndcg@10 .0512 in epoch 14 of 16" */
static void describe_network(const sequence_model *m, buffer *into)
{
    const sequence_training *how = sequence_model_training(m);
    if (isfinite(how->best_validation))
        buffer_printf(into, "; validation ndcg@10 %.4f in epoch %u of %u", how->best_validation,
                      how->best_epoch, how->epochs);
    else
        buffer_printf(into, "; %u epochs, nobody to validate on", how->epochs);
}

/* "a blend of transitions 1.00, words 0.60" */
static void describe_recommender(const recommender *m, buffer *into)
{
    size_t n = blend_parts(m);
    if (month_blend_habit(m) != NULL) {
        describe_month(m, into);
        return;
    }
    buffer_append_text(into, recommender_kind_of(m)->summary);
    if (recommender_sequence(m) != NULL) describe_network(recommender_sequence(m), into);
    for (size_t i = 0; i < n; i++) {
        blend_part part = blend_part_at(m, i);
        buffer_printf(into, "%s%s %.2f", i ? ", " : ": ", part.kind, part.weight);
    }
}

/* Which recommender, from what, and where it is kept. */
typedef struct choice {
    const recommender_kind *kind;
    char path[WORKSPACE_PATH_BYTES], checkpoint[WORKSPACE_PATH_BYTES];
    char asked_for[WORKSPACE_PATH_BYTES]; /* file beside the checkpoint: its --set */
    char *resumed;          /* what stands there when --resume goes without --set, or NULL */
    recommender *yesterday; /* to start from, or NULL */
    file_lock *lock;        /* of the checkpoint, or NULL where there is none */
} choice;

/* What the command says, else what the stopped training was told, else what the workspace
 * does, else as the data ask. */
static const char *settings_of(const training *t, const choice *c)
{
    const char *of_workspace = t->p->config->training;
    if (t->o->settings != NULL) return t->o->settings;
    if (c->resumed != NULL) return c->resumed[0] != 0 ? c->resumed : NULL;
    return of_workspace[0] != 0 ? of_workspace : NULL;
}

static pf_status keep_recommender(const training *t, const choice *c, const recommender *m,
                                  double seconds, pf_error *err)
{
    char *card = NULL;
    buffer words;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    describe_recommender(m, &words);
    char of_shop[LEARNED_SETTING_BYTES];
    learned_setting(t->p->config, of_shop);
    const char *asked = settings_of(t, c);
    const char *setting = t->o->model == NULL ? of_shop : asked ? asked : "";
    pf_status s = write_card(t, m, setting, words.data, seconds, &card, err);
    if (s == PF_OK) s = recommender_save(m, c->path, card, err);
    if (s == PF_OK) tell(t, t->o->model ? t->o->model : "recommender", words.data, seconds);
    mem_free(card);
    buffer_free(&words);
    return s;
}

static pf_status name_files(const training *t, choice *c, pf_error *err)
{
    char name[WORKSPACE_PATH_BYTES];
    if (t->o->model == NULL) return workspace_path(t->p, BLEND_MODEL_NAME, c->path, err);
    (void)snprintf(name, sizeof name, "models/%s.safetensors", c->kind->name);
    pf_status s = workspace_path(t->p, name, c->path, err);
    (void)snprintf(name, sizeof name, "models/%s.checkpoint.safetensors", c->kind->name);
    if (s == PF_OK) s = workspace_path(t->p, name, c->checkpoint, err);
    (void)snprintf(name, sizeof name, "models/%s.checkpoint.set", c->kind->name);
    return s == PF_OK ? workspace_path(t->p, name, c->asked_for, err) : s;
}

/* Two trainings of one model would write over each other's checkpoint. */
static pf_status lock_checkpoint(choice *c, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES + 8];
    if (c->checkpoint[0] == 0) return PF_OK;
    (void)snprintf(path, sizeof path, "%s.lock", c->checkpoint);
    pf_status s = file_lock_take(&c->lock, path, err);
    return s != PF_BUSY ? s
                        : error_set(err, PF_BUSY,
                                    "%s is being trained already; wait for it, or stop it",
                                    c->kind->name);
}

/* A training that was stopped goes on with the settings it was asked for, so that nobody has to
 * remember them; one that begins anew ends it, which is told. */
static pf_status look_at_checkpoint(const training *t, choice *c, pf_error *err)
{
    const bool stopped = c->checkpoint[0] != 0 && file_exists(c->checkpoint);
    size_t n = 0;
    if (t->o->resume && !stopped)
        return error_set(err, PF_NOT_FOUND,
                         "no training of %s was stopped: there is no checkpoint to go on from; "
                         "train without --resume",
                         c->kind->name);
    if (!t->o->resume && stopped)
        log_line(LOG_WARNING,
                 "a training of %s that was stopped is given up when this one has ended an "
                 "epoch; --resume would go on with it",
                 c->kind->name);
    if (!t->o->resume || t->o->settings != NULL || !file_exists(c->asked_for)) return PF_OK;
    return file_read_whole(&c->resumed, &n, c->asked_for, LIMIT_TEXT_BYTES, err);
}

static pf_status choose(const training *t, bool repeats, choice *c, pf_error *err)
{
    const char *name = t->o->model ? t->o->model : repeats ? "month-blend" : "blend";
    c->kind = recommender_find(name);
    if (c->kind == NULL) return recommender_unknown(name, NULL, 0, err);
    if ((t->o->resume || t->o->warm) && !c->kind->trained)
        return error_set(err, PF_USAGE, "%s is fitted at once: there is nothing to go on from",
                         name);
    if (t->o->model == NULL && t->o->settings != NULL)
        return error_set(err, PF_USAGE,
                         "settings are of a model by name; the shop's own has recommend.training");
    if (t->o->settings != NULL && !c->kind->trained && c->kind->watched == NULL)
        return error_set(err, PF_USAGE, "%s is fitted at once: it has no settings to --set", name);
    if (t->o->copies < 0 || t->o->copies > RECOMMEND_MAX_COPIES)
        return error_set(err, PF_USAGE, "copies is %d but must be 1 to %d", t->o->copies,
                         RECOMMEND_MAX_COPIES);
    if (t->o->copies > 1 && !c->kind->combines)
        return error_set(err, PF_USAGE, "copies are of the networks in a blend, not of %s",
                         name);
    if (t->o->resume && t->o->warm)
        return error_set(err, PF_USAGE,
                         "--resume goes on with a training, --warm begins one from the earlier "
                         "model: give one of them");
    pf_status s = name_files(t, c, err);
    if (s == PF_OK) s = lock_checkpoint(c, err);
    if (s == PF_OK) s = look_at_checkpoint(t, c, err);
    if (s == PF_OK && t->o->warm)
        s = learned_named(t->p, c->kind->name, true, &c->yesterday, err);
    return s;
}

/* What a training was asked for, written beside its first checkpoint and no sooner: until then the
 * checkpoint that may be there is of another training. */
typedef struct asked_note {
    const char *path, *settings; /* path NULL: nothing is to be written (any more) */
} asked_note;

static void write_asked(void *context)
{
    asked_note *n = context;
    pf_error why = {.code = PF_OK};
    if (n->path == NULL) return;
    if (file_write_atomic(n->path, n->settings, strlen(n->settings), &why) != PF_OK)
        log_line(LOG_WARNING, "--resume will need --set as it was given now: %s", why.message);
    n->path = NULL;
}

static pf_status fit_recommender(training *t, choice *c, recommend_input *input,
                                 recommender **out, pf_error *err)
{
    training_shown shown;
    const bool keeps = c->kind->trained && c->checkpoint[0] != 0;
    const char *settings = settings_of(t, c);
    const recommend_training how = {.settings = settings,
                                    .checkpoint = keeps ? c->checkpoint : NULL,
                                    .resume = t->o->resume != 0,
                                    .warm = c->yesterday,
                                    .partial = c->kind->trained,
                                    .hooks = training_show(&shown, c->kind->watched != NULL
                                                                       ? c->kind->watched
                                                                       : c->kind->name)};
    product_side side;
    pf_status s = learned_side(&t->learned, &side, err);
    asked_note note = {.path = keeps && (!t->o->resume || t->o->settings) ? c->asked_for : NULL,
                       .settings = settings ? settings : ""};
    training_shown_epochs(&shown, write_asked, &note);
    input->side = &side;
    input->training = &how;
    input->copies = (unsigned)t->o->copies;
    if (s == PF_OK) s = recommender_fit(c->kind, input, out, err);
    training_shown_end(&shown);
    return s;
}

/* The checkpoint of a whole training goes, that of a stopped one stays. */
static pf_status end_training(const choice *c, const recommender *m, pf_error *err)
{
    const sequence_model *network = recommender_sequence(m);
    const sequence_training *how = network != NULL ? sequence_model_training(network) : NULL;
    if (how != NULL && how->interrupted)
        return error_set(err, PF_CANCELLED,
                         "training was stopped after epoch %u; the best model so far, of epoch "
                         "%u, is kept; `proffer train --model %s --resume` goes on",
                         how->epochs, how->best_epoch, c->kind->name);
    if (c->checkpoint[0]) {
        (void)remove(c->checkpoint);
        (void)remove(c->asked_for);
    }
    return PF_OK;
}

/* What is stopped inside a kind made of others has kept nothing but the checkpoint. */
static pf_status tell_of_checkpoint(const choice *c, pf_status s, pf_error *err)
{
    if (s != PF_CANCELLED || c->checkpoint[0] == 0 || c->kind->watched == NULL ||
        !file_exists(c->checkpoint))
        return s;
    return error_set(err, s, "%s was stopped; `proffer train --model %s --resume` goes on",
                     c->kind->name, c->kind->name);
}

static pf_status train_recommender(training *t, pf_error *err)
{
    double start_s = clock_wall_s();
    interactions_owned *x = NULL;
    recommender *m = NULL;
    choice c = {0};
    pf_status s = purchases_from_history(t->p->history, t->p->catalogue->n_products,
                                         t->learned.excluded, t->until_us, &x, err);
    if (s == PF_OK && x->view.n == 0)
        s = error_set(err, PF_DATA,
                      "nobody has bought anything: recommenders learn from events of the type "
                      "purchase. If views or ratings are all there is, import them as purchases "
                      "with a mapping file (docs/data-formats.md)");
    if (s != PF_OK) {
        interactions_free(x);
        return s;
    }
    recommend_input input = {.train = &x->view,
                             .until_us = t->until_us,
                             .repeats = learned_repeats(t->p, x),
                             .seed = t->o->seed,
                             .pool = workspace_pool(t->p)};
    s = choose(t, input.repeats, &c, err);
    if (s == PF_OK)
        s = tell_of_checkpoint(&c, fit_recommender(t, &c, &input, &m, err), err);
    if (s == PF_OK) s = keep_recommender(t, &c, m, clock_wall_s() - start_s, err);
    if (s == PF_OK) s = end_training(&c, m, err);
    file_lock_release(c.lock);
    mem_free(c.resumed);
    recommender_free(c.yesterday);
    recommender_free(m);
    interactions_free(x);
    return s;
}

/* --- the response model ----------------------------------------------------------- */

static text member(const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    return v ? v->text : text_of("?");
}

/* "logistic and conditional logit, learnt from 19 campaigns: 282 of 2174 mailings answered" */
static pf_status describe_response(const training *t, buffer *into, pf_error *err)
{
    verb_result r;
    char *json = NULL;
    arena memory;
    const json_value *tree = NULL;
    verb_begin(&r);
    response_describe(t->learned.model, &r.w);
    pf_status s = verb_end(&r, &json, err);
    arena_init(&memory, LIMIT_JSON_BYTES);
    if (s == PF_OK) s = json_parse(&memory, json, strlen(json), &tree, err);
    if (s == PF_OK) {
        text learner = member(tree, "learner"), which = member(tree, "which");
        text campaigns = member(tree, "campaigns");
        text rows = member(tree, "rows"), answers = member(tree, "answers");
        bool both = !text_is(which, "none");
        buffer_printf(into,
                      "%.*s%s%.*s, learnt from %.*s campaign%s: %.*s of %.*s mailings "
                      "answered",
                      (int)learner.n, learner.data, both ? " and " : "",
                      both ? (int)which.n : 0, which.data, (int)campaigns.n,
                      campaigns.data, text_is(campaigns, "1") ? "" : "s",
                      (int)answers.n, answers.data, (int)rows.n, rows.data);
    }
    arena_free(&memory);
    mem_free(json);
    return s;
}

static pf_status keep_response(const training *t, double seconds, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    char *card = NULL;
    buffer words;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    pf_status s = describe_response(t, &words, err);
    if (s == PF_OK)
        s = write_card(t, NULL, t->p->config->learner, words.data, seconds, &card,
                       err);
    if (s == PF_OK) s = workspace_path(t->p, RESPONSE_MODEL_NAME, path, err);
    if (s == PF_OK) s = response_save(t->learned.model, path, card, err);
    if (s == PF_OK) tell(t, "response", words.data, seconds);
    mem_free(card);
    buffer_free(&words);
    return s;
}

/* A shop without past campaigns has nothing to learn response from; that is told and is no
 * failure, since recommending and searching work without. */
static pf_status train_response(training *t, pf_error *err)
{
    double start_s = clock_wall_s();
    pf_error why = {.code = PF_OK};
    pf_status s = learned_fit(&t->learned, t->until_us, t->o->seed, &why);
    if (s == PF_DATA) {
        log_line(LOG_WARNING, "no response model: %s", why.message);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    return keep_response(t, clock_wall_s() - start_s, err);
}

static pf_status train_all(training *t, pf_error *err)
{
    char folder[WORKSPACE_PATH_BYTES];
    pf_status s = workspace_path(t->p, "models", folder, err);
    if (s == PF_OK) s = file_make_folders(folder, err);
    if (s == PF_OK) s = train_recommender(t, err);
    return s == PF_OK && t->o->model == NULL ? train_response(t, err) : s;
}

proffer_status proffer_train(proffer *p, const proffer_train_options *o, char **json,
                             proffer_error *err)
{
    verb_result r;
    training t = {.p = p, .o = o, .r = &r};
    *json = NULL;
    workspace_use_threads(p, o->threads);
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK && p->history->n == 0)
        s = error_set(inner(err), PF_NOT_FOUND,
                      "there are no events yet; import some first");
    if (s == PF_OK) s = learned_open(&t.learned, p, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    t.until_us = p->history->last_time_us + 1;
    verb_begin(&r);
    json_object_begin(&r.w);
    json_key(&r.w, "models");
    json_array_begin(&r.w);
    s = train_all(&t, inner(err));
    json_array_end(&r.w);
    json_object_end(&r.w);
    learned_close(&t.learned);
    if (s == PF_OK) return (proffer_status)verb_end(&r, json, inner(err));
    buffer_free(&r.text);
    return (proffer_status)s;
}
