/*
 * explain: why a shopper got what the latest run decided, and why not the rest, from the
 * run's own log; the response model says what moved its scores. message: what the shoppers
 * of that run read, in either language.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decide/journal.h"
#include "engine/explain_moved.h"
#include "engine/learned.h"
#include "engine/speaking.h"

enum { PARTS = 5 };

/* --- what the log says of a shopper ----------------------------------------------- */

typedef struct logged {
    arena memory;
    const proffer *p;
    bool found, holdout;
    int64_t at_us;
    const char *run;
    journal_candidate *candidates;
    size_t n;
    pf_status status;
    pf_error *err;
} logged;

/* Only the first decision of a shopper carries the candidates. */
static bool take_decision(void *context, const decision_record *d)
{
    logged *l = context;
    if (l->found) return false;
    l->found = true;
    l->holdout = d->holdout;
    l->at_us = d->time_us;
    l->run = arena_copy_text(&l->memory, d->run, strlen(d->run));
    l->status =
        journal_read_candidates(d->candidates, strlen(d->candidates), l->p->catalogue,
                                &l->memory, &l->candidates, &l->n, l->err);
    return false;
}

static pf_status logged_open(logged *l, proffer *p, uint32_t number, pf_error *err)
{
    *l = (logged){.p = p, .status = PF_OK, .err = err};
    arena_init(&l->memory, 8 * (size_t)LIMIT_JSON_BYTES);
    pf_status s = workspace_visit_decisions(p, NULL, number, take_decision, l, err);
    if (s == PF_OK && !l->found)
        s = error_set(err, PF_NOT_FOUND, "the latest run did not look at this shopper");
    if (s == PF_OK) s = l->status;
    if (s != PF_OK) arena_free(&l->memory);
    return s;
}

/* --- explain ---------------------------------------------------------------------- */

static void write_parts(const learned *l, const response_ask *ask, size_t which, bool any,
                        const char *key, verb_result *r)
{
    response_part parts[PARTS];
    size_t found = 0;
    json_key(&r->w, key);
    json_array_begin(&r->w);
    if (response_explain(l->model, l->data, ask, any, 0, which, parts, PARTS, &found,
                         NULL) != PF_OK)
        found = 0;
    for (size_t i = 0; i < found; i++) {
        json_object_begin(&r->w);
        verb_text(r, "feature", parts[i].feature);
        verb_number(r, "contribution", parts[i].contribution);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
}

/* The promotions of the run that compete with one: those of its campaign, it among them at
 * *which. Promotions without a campaign stand alone. */
static uint32_t *list_rivals(const proffer *p, const logged *l, uint32_t offer, size_t *n,
                             size_t *which)
{
    uint32_t own = p->catalogue->promotions[offer].campaign;
    uint32_t *list = mem_alloc(l->n + 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; list != NULL && i < l->n; i++) {
        uint32_t number = l->candidates[i].outcome.promotion;
        if (number != offer &&
            (number == 0 || own == 0 || p->catalogue->promotions[number].campaign != own))
            continue;
        if (number == offer) *which = *n;
        list[(*n)++] = number;
    }
    return list;
}

/* What moved the scores of one candidate, by the model as of the run. */
static pf_status write_scores(proffer *p, uint32_t number, uint32_t offer, const logged *l,
                              verb_result *r, pf_error *err)
{
    learned model;
    size_t n = 0, which = 0;
    pf_status s = PF_OK;
    if (offer == 0 || learned_open(&model, p, NULL) != PF_OK) return PF_OK;
    uint32_t *rivals = list_rivals(p, l, offer, &n, &which);
    response_ask ask = {
        .campaign = p->catalogue->promotions[offer].campaign,
        .promotion = rivals,
        .n_promotions = n,
        .shopper = &number,
        .n_shoppers = 1,
        .at_us = l->at_us,
    };
    if (n > 0 && learned_model(&model, l->at_us, NULL) == PF_OK) {
        write_parts(&model, &ask, which, true, "why_redeem_at_all", r);
        write_parts(&model, &ask, which, false, "why_this_promotion", r);
        s = explain_moved_trips(&model, &ask, r, err);
    }
    mem_free(rivals);
    learned_close(&model);
    return s;
}

static void write_candidate(const proffer *p, const journal_candidate *c, verb_result *r)
{
    const decide_outcome *o = &c->outcome;
    buffer why;
    buffer_init(&why, LIMIT_TEXT_BYTES);
    speaker_reason(p, &o->why, &why);
    verb_text(r, "promotion", c->promotion_id);
    verb_text(r, "title", p->catalogue->promotions[o->promotion].title);
    json_key(&r->w, "chosen");
    json_boolean(&r->w, o->why.reason == REASON_CHOSEN);
    verb_number(r, "p_redeem", o->p_redeem);
    verb_money(r, "spend_if_redeemed", llround(o->spend_minor), &p->config->currency);
    verb_money(r, "gain", llround(o->why.gain_minor), &p->config->currency);
    verb_money(r, "cost", o->cost_minor, &p->config->currency);
    verb_text(r, "reason_code", reason_code(o->why.reason));
    verb_text(r, "reason", why.data);
    buffer_clear(&why);
    speaker_counterfactual(p, &o->why, &why);
    verb_text(r, "otherwise", why.data ? why.data : "");
    if (o->lift_known) verb_money(r, "lift", llround(o->lift_minor), &p->config->currency);
    if (o->propensity > 0) verb_number(r, "propensity", o->propensity);
    buffer_free(&why);
}

static int by_net_value(const void *a, const void *b)
{
    const journal_candidate *x = a, *y = b;
    bool first = x->outcome.why.reason == REASON_CHOSEN;
    bool second = y->outcome.why.reason == REASON_CHOSEN;
    if (first != second) return first ? -1 : 1;
    if (x->outcome.why.value_minor != y->outcome.why.value_minor)
        return x->outcome.why.value_minor > y->outcome.why.value_minor ? -1 : 1;
    return strcmp(x->promotion_id, y->promotion_id);
}

/* All that is told of the first one alone. */
static pf_status write_whys(proffer *p, uint32_t number, uint32_t offer, const logged *l,
                            verb_result *r, pf_error *err)
{
    const pf_status s = write_scores(p, number, offer, l, r, err);
    return s == PF_OK ? explain_moved(p, number, offer, l->at_us, r, err) : s;
}

static pf_status write_candidates(proffer *p, const logged *l, uint32_t number,
                                  const char *only, verb_result *r, pf_error *err)
{
    size_t written = 0;
    pf_status s = PF_OK;
    qsort(l->candidates, l->n, sizeof *l->candidates, by_net_value);
    json_key(&r->w, "candidates");
    json_array_begin(&r->w);
    for (size_t i = 0; s == PF_OK && i < l->n; i++) {
        const journal_candidate *c = &l->candidates[i];
        if (only != NULL && strcmp(c->promotion_id, only) != 0) continue;
        json_object_begin(&r->w);
        write_candidate(p, c, r);
        if (written++ == 0) s = write_whys(p, number, c->outcome.promotion, l, r, err);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
    if (s != PF_OK || written > 0) return s;
    return error_set(err, PF_NOT_FOUND, "'%s' was no candidate of the latest run",
                     only ? only : "anything");
}

static const char *stage_of(proffer *p, uint32_t number, int64_t at_us)
{
    profile known = {.stage = STAGE_NONE};
    profile_scratch *scratch = NULL;
    profile_rules rules = profile_rules_default();
    rules.zone = p->zone;
    if (profile_scratch_new(p->catalogue, &scratch, NULL) == PF_OK)
        (void)profile_compute(p->catalogue, p->history, number, at_us, &rules, scratch,
                              &known, NULL);
    profile_scratch_free(scratch);
    return lifecycle_stage_name(known.stage);
}

static pf_status explain_shopper(proffer *p, uint32_t number, const char *only,
                                 char **json, pf_error *err)
{
    logged l;
    verb_result r;
    pf_status s = logged_open(&l, p, number, err);
    if (s != PF_OK) return s;
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "shopper", p->catalogue->shoppers[number].id);
    verb_text(&r, "run", l.run ? l.run : "");
    verb_time(&r, "at", l.at_us);
    json_key(&r.w, "holdout");
    json_boolean(&r.w, l.holdout);
    verb_text(&r, "stage", stage_of(p, number, l.at_us));
    s = write_candidates(p, &l, number, only, &r, err);
    json_object_end(&r.w);
    arena_free(&l.memory);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

proffer_status proffer_explain(proffer *p, const char *id, const char *offer, char **json,
                               proffer_error *err)
{
    uint32_t number = 0;
    *json = NULL;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = workspace_shopper(p, id, &number, inner(err));
    if (s == PF_OK && offer != NULL &&
        intern_find(p->catalogue->promotion_ids, offer, strlen(offer)) == 0)
        s = error_set(inner(err), PF_NOT_FOUND, "no promotion has the id '%s'", offer);
    return (proffer_status)(s == PF_OK
                                ? explain_shopper(p, number, offer, json, inner(err))
                                : s);
}

/* --- message ---------------------------------------------------------------------- */

/* What the sample is collected with. */
typedef struct sampling {
    proffer *p;
    speaker speaker;
    verb_result *r;
    message_language language;
    size_t every, seen, left;
} sampling;

static bool count_treated(void *context, const decision_record *d)
{
    size_t *n = context;
    *n += d->promotion != 0;
    return true;
}

/* The chosen outcome among a decision's candidates, or NULL. */
static const decide_outcome *find_chosen(const sampling *k, const decision_record *d,
                                         arena *memory)
{
    journal_candidate *list = NULL;
    size_t n = 0;
    if (journal_read_candidates(d->candidates, strlen(d->candidates), k->p->catalogue,
                                memory, &list, &n, NULL) != PF_OK)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (list[i].outcome.promotion == d->promotion) return &list[i].outcome;
    return NULL;
}

static bool write_message(void *context, const decision_record *d)
{
    sampling *k = context;
    const char *words = "";
    arena memory;
    if (d->promotion == 0 || k->seen++ % k->every != 0) return true;
    arena_init(&memory, 8 * (size_t)LIMIT_JSON_BYTES);
    const decide_outcome *o = find_chosen(k, d, &memory);
    if (o != NULL && speaker_words(&k->speaker, d->shopper, o, d->time_us, k->language,
                                   &memory, &words, NULL) == PF_OK) {
        json_object_begin(&k->r->w);
        verb_text(k->r, "shopper", k->p->catalogue->shoppers[d->shopper].id);
        verb_text(k->r, "promotion", k->p->catalogue->promotions[d->promotion].id);
        verb_text(k->r, "channel", channel_name(d->channel));
        verb_text(k->r, "language", language_name(k->language));
        verb_text(k->r, "message", words);
        json_object_end(&k->r->w);
        k->left--;
    }
    arena_free(&memory);
    return k->left > 0;
}

static pf_status parse_language(const proffer *p, const char *tag, message_language *out,
                                pf_error *err)
{
    *out = language_of(p->config->shop_language, LANGUAGE_EN);
    if (tag == NULL) return PF_OK;
    *out = language_of(tag, LANGUAGE_EN);
    if (*out != language_of(tag, LANGUAGE_ZH))
        return error_set(err, PF_USAGE,
                         "there are no words in '%s'; there are in en and zh", tag);
    return PF_OK;
}

static pf_status sample_messages(sampling *k, size_t sample, char **json, pf_error *err)
{
    size_t treated = 0;
    verb_result r;
    pf_status s = workspace_visit_decisions(k->p, NULL, 0, count_treated, &treated, err);
    if (s != PF_OK) return s;
    k->every = treated > sample ? treated / sample : 1;
    k->left = sample;
    k->r = &r;
    verb_begin(&r);
    json_array_begin(&r.w);
    s = workspace_visit_decisions(k->p, NULL, 0, write_message, k, err);
    json_array_end(&r.w);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

proffer_status proffer_message(proffer *p, const char *tag, int sample, char **json,
                               proffer_error *err)
{
    sampling k = {.p = p};
    *json = NULL;
    pf_status s = PF_OK;
    if (sample < 1) s = error_set(inner(err), PF_USAGE, "ask for at least one message");
    if (s == PF_OK) s = parse_language(p, tag, &k.language, inner(err));
    if (s == PF_OK) s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = speaker_open(&k.speaker, p, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    s = sample_messages(&k, (size_t)sample, json, inner(err));
    speaker_close(&k.speaker);
    return (proffer_status)s;
}
