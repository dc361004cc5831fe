/*
 * decide: one run, told as a summary a marketer can read, and written to the store unless
 * it is a dry run. decisions: what a run wrote.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "decide/journal.h"
#include "engine/deciding.h"

enum { RUN_NAME_BYTES = 80 };

proffer_decide_options proffer_decide_options_default(void)
{
    return (proffer_decide_options){.campaign = NULL};
}

/* --- the log ---------------------------------------------------------------------- */

static void write_candidates(const deciding *d, const decide_shopper *s, buffer *into)
{
    json_writer w;
    buffer_clear(into);
    json_begin(&w, into);
    journal_write_candidates(d->result, d->p->catalogue, s, &w);
    (void)json_finish(&w);
}

/* Versions of everything that took part, the same for a whole run. */
static void write_versions(const deciding *d, buffer *into)
{
    char name[FINGERPRINT_TEXT_BYTES];
    json_writer w;
    json_begin(&w, into);
    json_object_begin(&w);
    json_key(&w, "policy");
    fingerprint_format(&d->result->policy, name);
    json_text(&w, name);
    json_key(&w, "data");
    fingerprint_format(&d->p->data, name);
    json_text(&w, name);
    fingerprint frames = frame_set_fingerprint(d->speaker.frames);
    json_key(&w, "frames");
    fingerprint_format(&frames, name);
    json_text(&w, name);
    foreseen_versions(&d->foreseen, &w);
    json_key(&w, "program");
    json_text(&w, proffer_version());
    json_object_end(&w);
    (void)json_finish(&w);
}

/* What the loop over shoppers carries. */
typedef struct writing {
    const deciding *d;
    const char *run;
    buffer candidates, versions;
    arena memory;
} writing;

/* The chance that a shopper had of getting nothing: what the candidates leave. */
static double none_propensity(const deciding *d, const decide_shopper *s)
{
    double none = 1;
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++)
        none -= d->result->outcomes[i].propensity;
    return none;
}

static pf_status put_one(writing *k, const decide_shopper *s, const decide_outcome *o,
                         uint32_t nth, pf_error *err)
{
    char id[RUN_NAME_BYTES + 32];
    const char *words = "";
    bool chosen = o->why.reason == REASON_CHOSEN;
    pf_status status = PF_OK;
    (void)snprintf(id, sizeof id, "%s-%u-%u", k->run, s->shopper, nth);
    if (chosen) status = deciding_words(k->d, o, &k->memory, &words, err);
    if (status != PF_OK) return status;
    decision_record record = {
        .id = id,
        .run = k->run,
        .shopper = s->shopper,
        .promotion = chosen ? o->promotion : 0,
        .channel = chosen ? o->why.channel : CHANNEL_NONE,
        .time_us = k->d->at_us,
        .send_at_us = chosen ? o->send_at_us : k->d->at_us,
        .propensity = chosen ? o->propensity : none_propensity(k->d, s),
        .score = o->p_redeem,
        .expected_value_minor = chosen ? o->why.value_minor : 0,
        .cost_minor = chosen ? o->cost_minor : 0,
        .reason = reason_code(o->why.reason),
        .message = words,
        .candidates = nth == 0 ? k->candidates.data : "[]",
        .versions = k->versions.data,
        .holdout = s->holdout,
    };
    return store_put_decision(k->d->p->store, &record, err);
}

/* A row for every chosen promotion; one for a shopper who gets none. */
static pf_status put_shopper(writing *k, const decide_shopper *s, pf_error *err)
{
    uint32_t nth = 0;
    pf_status status = PF_OK;
    write_candidates(k->d, s, &k->candidates);
    if (k->candidates.failed)
        return error_set(err, PF_LIMIT, "the candidates of a shopper pass %u MiB",
                         LIMIT_JSON_BYTES >> 20);
    for (size_t i = 0; status == PF_OK && i < s->n_outcomes; i++) {
        const decide_outcome *o = &k->d->result->outcomes[s->first + i];
        if (o->why.reason == REASON_CHOSEN) status = put_one(k, s, o, nth++, err);
    }
    if (status == PF_OK && nth == 0 && s->n_outcomes > 0)
        status = put_one(k, s, &k->d->result->outcomes[s->best], 0, err);
    arena_reset(&k->memory);
    return status;
}

static pf_status put_all(const deciding *d, const char *run, const char *summary,
                         pf_error *err)
{
    writing k = {.d = d, .run = run};
    pf_status s = store_begin(d->p->store, err);
    if (s != PF_OK) return s;
    buffer_init(&k.candidates, LIMIT_JSON_BYTES);
    buffer_init(&k.versions, LIMIT_TEXT_BYTES);
    arena_init(&k.memory, LIMIT_REPORT_BYTES);
    write_versions(d, &k.versions);
    for (size_t i = 0; s == PF_OK && i < d->result->n_shoppers; i++)
        s = put_shopper(&k, &d->result->shoppers[i], err);
    if (s == PF_OK)
        s = store_put_document(d->p->store, "decide", summary, strlen(summary), err);
    if (s == PF_OK)
        s = store_commit(d->p->store, err);
    else
        store_rollback(d->p->store);
    arena_free(&k.memory);
    buffer_free(&k.versions);
    buffer_free(&k.candidates);
    return s;
}

/* --- the verbs -------------------------------------------------------------------- */

/* The time of running, to the microsecond. Should two processes ever share one, the store
 * refuses the second's decisions, whose ids are there already. */
static void name_run(char into[RUN_NAME_BYTES])
{
    char when[TIME_TEXT_BYTES];
    (void)snprintf(into, RUN_NAME_BYTES, "%s", time_format(clock_now_us(), when));
}

static pf_status parse_budget(const proffer *p, const char *words, int64_t *out,
                              pf_error *err)
{
    const char *why = "";
    *out = MONEY_ABSENT;
    if (words == NULL) return PF_OK;
    if (!money_parse(words, strlen(words), &p->config->currency, '.', out, &why) ||
        *out < 0)
        return error_set(err, PF_USAGE,
                         "--budget: '%s' is no amount in %s such as 250%s%s", words,
                         p->config->currency.code, why[0] ? ": " : "", why);
    return PF_OK;
}

proffer_status proffer_decide(proffer *p, const proffer_decide_options *o, char **json,
                              proffer_error *err)
{
    *json = NULL;
    deciding d;
    verb_result r;
    char run[RUN_NAME_BYTES];
    int64_t budget = MONEY_ABSENT;
    pf_status s = parse_budget(p, o->budget, &budget, inner(err));
    if (s == PF_OK) s = deciding_open(&d, p, o->campaign, o->at, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    name_run(run);
    s = deciding_run(&d, budget, inner(err));
    if (s == PF_OK) {
        verb_begin(&r);
        deciding_summarise(&d, run, o->dry_run != 0, &r);
        s = verb_end(&r, json, inner(err));
    }
    if (s == PF_OK && !o->dry_run) s = put_all(&d, run, *json, inner(err));
    if (s != PF_OK) {
        proffer_free(*json);
        *json = NULL;
    }
    deciding_close(&d);
    return (proffer_status)s;
}

/* What the listing writes to. */
typedef struct listing {
    verb_result *r;
    const shop_catalogue *c;
} listing;

static bool list_decision(void *context, const decision_record *d)
{
    listing *k = context;
    verb_result *r = k->r;
    json_object_begin(&r->w);
    verb_text(r, "id", d->id);
    verb_text(r, "run", d->run);
    verb_text(r, "shopper", k->c->shoppers[d->shopper].id);
    verb_text(r, "promotion", d->promotion ? k->c->promotions[d->promotion].id : "");
    verb_text(r, "channel", d->channel ? channel_name(d->channel) : "");
    verb_time(r, "send_at", d->send_at_us);
    verb_number(r, "propensity", d->propensity);
    verb_number(r, "p_redeem", d->score);
    verb_money(r, "cost", d->cost_minor, &k->c->currency);
    verb_text(r, "reason", d->reason);
    json_key(&r->w, "holdout");
    json_boolean(&r->w, d->holdout);
    verb_text(r, "message", d->message);
    json_key(&r->w, "versions");
    json_raw(&r->w, d->versions, strlen(d->versions));
    json_object_end(&r->w);
    return !r->text.failed;
}

proffer_status proffer_decisions(proffer *p, const char *run, char **json,
                                 proffer_error *err)
{
    verb_result r;
    *json = NULL;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    listing k = {&r, p->catalogue};
    verb_begin(&r);
    json_array_begin(&r.w);
    s = workspace_visit_decisions(p, run, 0, list_decision, &k, inner(err));
    json_array_end(&r.w);
    if (s == PF_OK) return (proffer_status)verb_end(&r, json, inner(err));
    buffer_free(&r.text);
    return (proffer_status)s;
}
