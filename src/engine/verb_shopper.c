/*
 * Everything known of one shopper, out or away: export and forget.
 */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "engine/workspace.h"

static void write_view(verb_result *r, const char *key, text value)
{
    if (value.n == 0) return;
    json_key(&r->w, key);
    json_text_n(&r->w, value.data, value.n);
}

/* What an export is writing to. */
typedef struct export_state {
    verb_result *r;
    const proffer *p;
} export_state;

static void write_amounts(verb_result *r, const event_record *e, const currency *c)
{
    if (e->paid_minor != MONEY_ABSENT) verb_money(r, "paid", e->paid_minor, c);
    if (e->discount_minor != MONEY_ABSENT)
        verb_money(r, "discount", e->discount_minor, c);
    if (e->coupon_minor != MONEY_ABSENT) verb_money(r, "coupon", e->coupon_minor, c);
    if (!isnan(e->rating)) verb_number(r, "rating", (double)e->rating);
    if (!isnan(e->propensity)) verb_number(r, "propensity", (double)e->propensity);
}

static bool write_event(void *context, const event_record *e)
{
    export_state *state = context;
    verb_result *r = state->r;
    json_object_begin(&r->w);
    verb_text(r, "type", event_type_name(e->type));
    verb_time(r, "time", e->time_us);
    write_view(r, "id", e->id);
    write_view(r, "product", e->product);
    write_view(r, "promotion", e->promotion);
    write_view(r, "campaign", e->campaign);
    write_view(r, "order", e->order);
    write_view(r, "decision", e->decision);
    if (e->channel != CHANNEL_NONE) verb_text(r, "channel", channel_name(e->channel));
    verb_number(r, "quantity", e->quantity);
    write_amounts(r, e, &state->p->config->currency);
    if (e->attributes.n > 0) {
        json_key(&r->w, "attributes");
        json_raw(&r->w, e->attributes.data, e->attributes.n);
    }
    json_object_end(&r->w);
    return !r->text.failed;
}

static bool write_decision(void *context, const decision_record *d)
{
    export_state *state = context;
    verb_result *r = state->r;
    json_object_begin(&r->w);
    verb_text(r, "id", d->id);
    verb_text(r, "run", d->run);
    verb_time(r, "time", d->time_us);
    verb_text(r, "promotion", state->p->catalogue->promotions[d->promotion].id);
    verb_text(r, "reason", d->reason);
    verb_text(r, "message", d->message);
    json_object_end(&r->w);
    return !r->text.failed;
}

static void write_standing(verb_result *r, const shop_catalogue *c, uint32_t number)
{
    char set[80];
    const shopper *s = &c->shoppers[number];
    verb_text(r, "shopper", s->id);
    verb_text(r, "language", s->language);
    verb_text(r, "time_zone", s->zone);
    verb_text(r, "consent_given", channel_set_format(s->consent_given, set, sizeof set));
    verb_text(r, "consent_refused",
              channel_set_format(s->consent_refused, set, sizeof set));
    json_key(&r->w, "attributes");
    if (s->attributes[0] != 0)
        json_raw(&r->w, s->attributes, strlen(s->attributes));
    else
        json_null(&r->w);
}

proffer_status proffer_export_shopper(proffer *p, const char *id, char **json,
                                      proffer_error *err)
{
    uint32_t number = 0;
    verb_result r;
    export_state state = {.r = &r, .p = p};
    *json = NULL;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = workspace_shopper(p, id, &number, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    verb_begin(&r);
    json_object_begin(&r.w);
    write_standing(&r, p->catalogue, number);
    json_key(&r.w, "events");
    json_array_begin(&r.w);
    s = store_visit_events(p->store, number, write_event, &state, inner(err));
    json_array_end(&r.w);
    json_key(&r.w, "decisions");
    json_array_begin(&r.w);
    if (s == PF_OK)
        s = workspace_visit_shopper_decisions(p, number, write_decision, &state,
                                              inner(err));
    json_array_end(&r.w);
    json_object_end(&r.w);
    if (s == PF_OK) return (proffer_status)verb_end(&r, json, inner(err));
    buffer_free(&r.text);
    return (proffer_status)s;
}

/* --- forget ----------------------------------------------------------------------- */

static bool is_about(const json_value *v, const char *id)
{
    const json_value *who = json_member(v, "shopper");
    return who != NULL && who->kind == JSON_TEXT && text_is(who->text, id);
}

/* The document without those elements of its lists that are about the shopper; returns how
 * many there were. */
static size_t write_without(json_writer *w, const json_value *document, const char *id)
{
    size_t left_out = 0;
    json_object_begin(w);
    for (size_t i = 0; i < document->n; i++) {
        const json_value *member = &document->values[i];
        json_key_n(w, document->keys[i].data, document->keys[i].n);
        if (member->kind != JSON_ARRAY) {
            json_write_value(w, member);
            continue;
        }
        json_array_begin(w);
        for (size_t k = 0; k < member->n; k++)
            if (is_about(&member->values[k], id))
                left_out++;
            else
                json_write_value(w, &member->values[k]);
        json_array_end(w);
    }
    json_object_end(w);
    return left_out;
}

/* The summary of the latest run holds a sample of shoppers with their messages. */
static pf_status forget_in_document(proffer *p, const char *name, const char *id,
                                    pf_error *err)
{
    arena memory;
    buffer kept;
    json_writer w;
    const json_value *document = NULL;
    char *json = NULL;
    size_t n = 0;
    pf_status s = store_get_document(p->store, name, &json, &n, err);
    if (s == PF_NOT_FOUND) return PF_OK;
    arena_init(&memory, 16 * (size_t)LIMIT_JSON_BYTES);
    buffer_init(&kept, LIMIT_JSON_BYTES);
    if (s == PF_OK) s = json_parse(&memory, json, n, &document, err);
    if (s == PF_OK) {
        json_begin(&w, &kept);
        size_t left_out = write_without(&w, document, id);
        if (!json_finish(&w))
            s = error_set(err, PF_NO_MEMORY, "out of memory for the document '%s'", name);
        else if (left_out > 0)
            s = store_put_document(p->store, name, kept.data, kept.length, err);
    }
    buffer_free(&kept);
    arena_free(&memory);
    mem_free(json);
    return s;
}

proffer_status proffer_forget(proffer *p, const char *id, proffer_error *err)
{
    pf_status s = store_begin(p->store, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    s = store_forget_shopper(p->store, id, inner(err));
    if (s == PF_OK) s = forget_in_document(p, "decide", id, inner(err));
    if (s == PF_OK) return (proffer_status)store_commit(p->store, inner(err));
    store_rollback(p->store);
    return (proffer_status)s;
}
