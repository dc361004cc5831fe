/*
 * explain: why a shopper got what the latest run decided, and why not the rest. The run is
 * worked out again from its moment, campaign and budget (deciding draws no lots, so the
 * same data give the same answer; where data or settings have changed since, it says so).
 *
 * message: what shoppers would read.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "engine/deciding.h"

enum { PARTS = 5 };

/* --- the latest run, again -------------------------------------------------------------------------- */

/* What the document of the latest run says of it. Texts live in the arena. */
typedef struct last_run {
    arena memory;
    const char *campaign, *at;
    int64_t budget_minor;
} last_run;

static const char *member_text(arena *memory, const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    if (v == NULL || v->kind != JSON_TEXT || v->text.n == 0)
        return NULL;
    return arena_copy_text(memory, v->text.data, v->text.n);
}

/* The limit of the total budget among the caps, or MONEY_ABSENT. */
static int64_t total_budget(const json_value *tree, const currency *c)
{
    const json_value *caps = json_member(tree, "caps");
    int64_t minor = MONEY_ABSENT;
    const char *why;
    for (size_t i = 0; caps != NULL && i < caps->n; i++) {
        const json_value *kind = json_member(&caps->values[i], "kind");
        const json_value *limit = json_member(&caps->values[i], "limit");
        if (kind != NULL && text_is(kind->text, cap_code(DECIDE_CAP_BUDGET)) && limit != NULL)
            (void)money_parse(limit->text.data, limit->text.n, c, '.', &minor, &why);
    }
    return minor;
}

static pf_status read_last_run(proffer *p, last_run *run, pf_error *err)
{
    char *json = NULL;
    size_t n = 0;
    const json_value *tree = NULL;
    arena_init(&run->memory, 8 * (size_t)LIMIT_JSON_BYTES);
    run->campaign = run->at = NULL;
    run->budget_minor = MONEY_ABSENT;
    pf_status s = store_get_document(p->store, "decide", &json, &n, NULL);
    if (s == PF_NOT_FOUND)
        return error_set(err, s, "nothing was decided yet; run `proffer decide` first");
    if (s == PF_OK)
        s = json_parse(&run->memory, json, n, &tree, err);
    if (s == PF_OK) {
        run->campaign = member_text(&run->memory, tree, "campaign");
        run->at = member_text(&run->memory, tree, "at");
        run->budget_minor = total_budget(tree, &p->config->currency);
    }
    mem_free(json);
    return s;
}

static pf_status decide_again(deciding *d, proffer *p, pf_error *err)
{
    last_run run;
    pf_status s = read_last_run(p, &run, err);
    if (s == PF_OK)
        s = deciding_open(d, p, run.campaign, run.at, err);
    if (s == PF_OK) {
        s = deciding_run(d, run.budget_minor, err);
        if (s != PF_OK)
            deciding_close(d);
    }
    arena_free(&run.memory);
    return s;
}

/* --- explain ------------------------------------------------------------------------------------------ */

static void write_parts(const deciding *d, const decide_outcome *o, bool any, const char *key,
                        verb_result *r)
{
    response_part parts[PARTS];
    size_t found = 0;
    response_ask ask = {
        .campaign = d->p->catalogue->promotions[o->promotion].campaign,
        .promotion = &o->promotion,
        .n_promotions = 1,
        .shopper = &o->shopper,
        .n_shoppers = 1,
        .at_us = d->at_us,
    };
    json_key(&r->w, key);
    json_array_begin(&r->w);
    if (response_explain(d->learned.model, d->learned.data, &ask, any, 0, 0, parts, PARTS,
                         &found, NULL) != PF_OK)
        found = 0;
    for (size_t i = 0; i < found; i++) {
        json_object_begin(&r->w);
        verb_text(r, "feature", parts[i].feature);
        verb_number(r, "contribution", parts[i].contribution);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
}

static void write_candidate(const deciding *d, const decide_outcome *o, bool in_full,
                            verb_result *r)
{
    const shop_catalogue *c = d->p->catalogue;
    buffer why;
    buffer_init(&why, LIMIT_TEXT_BYTES);
    deciding_explain(d, &o->why, &why);
    json_object_begin(&r->w);
    verb_text(r, "promotion", c->promotions[o->promotion].id);
    verb_text(r, "title", c->promotions[o->promotion].title);
    json_key(&r->w, "chosen");
    json_boolean(&r->w, o->why.reason == REASON_CHOSEN);
    verb_number(r, "p_redeem", o->p_redeem);
    verb_money(r, "spend_if_redeemed", llround(o->spend_minor), &c->currency);
    verb_money(r, "gain", llround(o->why.gain_minor), &c->currency);
    verb_money(r, "cost", o->cost_minor, &c->currency);
    verb_text(r, "reason_code", reason_code(o->why.reason));
    verb_text(r, "reason", why.data);
    if (in_full) {
        write_parts(d, o, true, "why_redeem_at_all", r);
        write_parts(d, o, false, "why_this_promotion", r);
    }
    json_object_end(&r->w);
    buffer_free(&why);
}

static int by_net_value(const void *a, const void *b)
{
    const decide_outcome *x = *(const decide_outcome *const *)a;
    const decide_outcome *y = *(const decide_outcome *const *)b;
    bool first = x->why.reason == REASON_CHOSEN, second = y->why.reason == REASON_CHOSEN;
    if (first != second)
        return first ? -1 : 1;
    if (x->why.value_minor != y->why.value_minor)
        return x->why.value_minor > y->why.value_minor ? -1 : 1;
    return (x->promotion > y->promotion) - (x->promotion < y->promotion);
}

static pf_status write_candidates(const deciding *d, const decide_shopper *s, uint32_t only,
                                  verb_result *r, pf_error *err)
{
    const decide_outcome **list = mem_alloc(s->n_outcomes + 1, sizeof *list);
    size_t n = 0;
    if (list == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < s->n_outcomes; i++) {
        const decide_outcome *o = &d->result->outcomes[s->first + i];
        if (only == 0 || o->promotion == only)
            list[n++] = o;
    }
    qsort(list, n, sizeof *list, by_net_value);
    json_key(&r->w, "candidates");
    json_array_begin(&r->w);
    for (size_t i = 0; i < n; i++)
        write_candidate(d, list[i], i == 0, r);
    json_array_end(&r->w);
    mem_free(list);
    return n > 0 ? PF_OK
                 : error_set(err, PF_NOT_FOUND,
                             "that promotion was no candidate of the latest run");
}

static pf_status explain_shopper(const deciding *d, uint32_t number, uint32_t only,
                                 char **json, pf_error *err)
{
    const decide_shopper *s = decide_find(d->result, number);
    verb_result r;
    if (s == NULL)
        return error_set(err, PF_NOT_FOUND, "the latest run did not look at this shopper");
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "shopper", d->p->catalogue->shoppers[number].id);
    verb_time(&r, "at", d->at_us);
    verb_text(&r, "campaign", d->p->catalogue->campaigns[d->campaign].id);
    json_key(&r.w, "holdout");
    json_boolean(&r.w, s->holdout);
    verb_text(&r, "stage", lifecycle_stage_name(d->profiles[number].stage));
    pf_status status = write_candidates(d, s, only, &r, err);
    json_object_end(&r.w);
    if (status == PF_OK)
        return verb_end(&r, json, err);
    buffer_free(&r.text);
    return status;
}

proffer_status proffer_explain(proffer *p, const char *id, const char *offer, char **json,
                               proffer_error *err)
{
    deciding d;
    uint32_t number = 0, only = 0;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK)
        s = workspace_shopper(p, id, &number, inner(err));
    if (s == PF_OK && offer != NULL) {
        only = intern_find(p->catalogue->promotion_ids, offer, strlen(offer));
        if (only == 0)
            s = error_set(inner(err), PF_NOT_FOUND, "no promotion has the id '%s'", offer);
    }
    if (s == PF_OK)
        s = decide_again(&d, p, inner(err));
    if (s != PF_OK)
        return (proffer_status)s;
    s = explain_shopper(&d, number, only, json, inner(err));
    deciding_close(&d);
    return (proffer_status)s;
}

/* --- message ---------------------------------------------------------------------------------------------- */

static void write_sample(const deciding *d, message_language language, int sample,
                         verb_result *r)
{
    const shop_catalogue *c = d->p->catalogue;
    const decide_result *found = d->result;
    size_t step = found->n_treated / (size_t)sample + 1, seen = 0;
    arena memory;
    arena_init(&memory, LIMIT_REPORT_BYTES);
    json_array_begin(&r->w);
    for (size_t i = 0; i < found->n_shoppers; i++) {
        const decide_shopper *s = &found->shoppers[i];
        const char *words = "";
        if (s->n_chosen == 0 || seen++ % step != 0)
            continue;
        const decide_outcome *o = &found->outcomes[s->best];
        if (deciding_message_in(d, o, language, &memory, &words, NULL) != PF_OK)
            continue;
        json_object_begin(&r->w);
        verb_text(r, "shopper", c->shoppers[o->shopper].id);
        verb_text(r, "promotion", c->promotions[o->promotion].id);
        verb_text(r, "channel", channel_name(o->why.channel));
        verb_text(r, "language", language_name(language));
        verb_text(r, "message", words);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
    arena_free(&memory);
}

proffer_status proffer_message(proffer *p, const char *tag, int sample, char **json,
                               proffer_error *err)
{
    deciding d;
    verb_result r;
    if (sample < 1)
        return (proffer_status)error_set(inner(err), PF_USAGE, "ask for at least one message");
    message_language language =
        language_of(tag, language_of(p->config->shop_language, LANGUAGE_EN));
    if (tag != NULL && strcmp(language_name(language_of(tag, LANGUAGE_EN)),
                              language_name(language_of(tag, LANGUAGE_ZH))) != 0)
        return (proffer_status)error_set(inner(err), PF_USAGE,
                                         "'%s' is no language there are words in: en, zh", tag);
    pf_status s = decide_again(&d, p, inner(err));
    if (s != PF_OK)
        return (proffer_status)s;
    verb_begin(&r);
    write_sample(&d, language, sample, &r);
    s = verb_end(&r, json, inner(err));
    deciding_close(&d);
    return (proffer_status)s;
}
