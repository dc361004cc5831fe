/* Writing and reading decisions as JSON; journal.h lists the members. */
#include "decide/journal.h"

#include <string.h>

#include "base/intern.h"

/* --- writing ---------------------------------------------------------------------- */

static const char *promotion_id(const shop_catalogue *c, uint32_t number)
{
    return number > 0 && number <= c->n_promotions ? c->promotions[number].id : "";
}

static void write_number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void write_text(json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_text(w, value);
}

static void write_count(json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_integer(w, (int64_t)value);
}

static void write_limits(const reason_facts *f, json_writer *w)
{
    if (f->limit == 0) return;
    write_count(w, "limit", f->limit);
    write_count(w, "seen", f->seen);
    if (f->days > 0) write_count(w, "days", f->days);
}

static void write_cap(const reason_facts *f, const shop_catalogue *c, json_writer *w)
{
    write_text(w, "cap", cap_code(f->cap));
    if (f->other != 0) write_text(w, "cap_promotion", promotion_id(c, f->other));
    if (f->cap_channel != CHANNEL_NONE)
        write_text(w, "cap_channel", channel_name(f->cap_channel));
    write_number(w, "price", f->price);
    if (f->more > 0) write_number(w, "more", f->more);
}

static void write_moment(json_writer *w, const char *key, int64_t time_us)
{
    if (time_us == TIME_ABSENT) return;
    json_key(w, key);
    json_integer(w, time_us);
}

static void write_life(const reason_facts *f, json_writer *w)
{
    write_moment(w, "time", f->time_us);
    json_key(w, "early");
    json_boolean(w, f->seen != 0);
    write_moment(w, "from", f->from_us != 0 ? f->from_us : TIME_ABSENT);
    write_moment(w, "until", f->until_us != 0 ? f->until_us : TIME_ABSENT);
}

static void write_channels(const reason_facts *f, json_writer *w)
{
    char names[CHANNEL_SET_TEXT_BYTES];
    if (f->channels != 0)
        write_text(w, "channels", channel_set_format(f->channels, names, sizeof names));
}

static void write_lever(const reason_facts *f, json_writer *w)
{
    if (f->lever == LEVER_NONE) return;
    write_text(w, "lever", lever_code(f->lever));
    if (f->needed != 0) write_number(w, "needed", f->needed);
    if (f->actual != 0) write_number(w, "actual", f->actual);
}

static void write_tag(const reason_facts *f, const shop_catalogue *c, json_writer *w)
{
    write_text(w, "tag", f->tag > 0 && f->tag <= c->n_tags ? c->tags[f->tag] : "");
}

static void write_reason(const reason_facts *f, const shop_catalogue *c, json_writer *w)
{
    write_text(w, "reason", reason_code(f->reason));
    switch (f->reason) {
    case REASON_BUDGET_EXHAUSTED: write_cap(f, c, w); break;
    case REASON_STACKING:
    case REASON_NOT_DRAWN:
    case REASON_LOWER_VALUE: write_text(w, "other", promotion_id(c, f->other)); break;
    case REASON_NOT_LIVE: write_life(f, w); break;
    case REASON_NOT_IN_AUDIENCE:
        if (f->wants != NULL) write_text(w, "wants", f->wants);
        if (f->has != NULL) write_text(w, "has", f->has);
        break;
    case REASON_REDEMPTION_LIMIT:
    case REASON_SHOPPER_LIMIT: write_limits(f, w); break;
    case REASON_TAG_CAP: write_tag(f, c, w); /* fall through */
    case REASON_EXPOSURE_CAP: write_limits(f, w); /* fall through */
    case REASON_QUIET_HOURS: write_moment(w, "time", f->time_us); break;
    default: break;
    }
    write_channels(f, w);
    write_lever(f, w);
}

static void write_outcome(const decide_outcome *o, const shop_catalogue *c,
                          json_writer *w)
{
    const reason_facts *f = &o->why;
    json_object_begin(w);
    write_text(w, "promotion", promotion_id(c, o->promotion));
    if (f->channel != CHANNEL_NONE) write_text(w, "channel", channel_name(f->channel));
    write_number(w, "p_redeem", o->p_redeem);
    write_number(w, "spend", o->spend_minor);
    if (o->lift_known) write_number(w, "lift", o->lift_minor);
    if (o->propensity > 0) write_number(w, "propensity", o->propensity);
    if (f->gain_minor != 0 || f->cost_minor != 0) {
        write_number(w, "gain", f->gain_minor);
        write_number(w, "cost", f->cost_minor);
        write_number(w, "value", f->value_minor);
    }
    if (f->fatigue_minor != 0) write_number(w, "fatigue", f->fatigue_minor);
    if (f->net_minor != 0) write_number(w, "net", f->net_minor);
    if (f->reason == REASON_CHOSEN) write_count(w, "variant", o->variant);
    write_reason(f, c, w);
    json_object_end(w);
}

void journal_write_candidates(const decide_result *r, const shop_catalogue *c,
                              const decide_shopper *s, json_writer *w)
{
    json_array_begin(w);
    for (size_t i = 0; i < s->n_outcomes; i++)
        write_outcome(&r->outcomes[s->first + i], c, w);
    json_array_end(w);
}

/* --- reading ---------------------------------------------------------------------- */

static double number_of(const json_value *v, const char *key)
{
    const json_value *m = json_member(v, key);
    double number = 0;
    if (m == NULL || m->kind != JSON_NUMBER || !text_to_double(m->text, &number))
        return 0;
    return number;
}

static uint32_t count_of(const json_value *v, const char *key)
{
    double number = number_of(v, key);
    return number > 0 && number < UINT32_MAX ? (uint32_t)number : 0;
}

static text text_member(const json_value *v, const char *key)
{
    const json_value *m = json_member(v, key);
    return m != NULL && m->kind == JSON_TEXT ? m->text : (text){"", 0};
}

static uint32_t promotion_of(const json_value *v, const char *key,
                             const shop_catalogue *c)
{
    text id = text_member(v, key);
    return id.n > 0 ? intern_find(c->promotion_ids, id.data, id.n) : 0;
}

/* A code, terminated for the parse functions; "" when it is too long to be one. */
static const char *code_of(const json_value *v, const char *key, char into[64])
{
    text code = text_member(v, key);
    size_t n = code.n < 64 ? code.n : 0;
    memcpy(into, code.data, n);
    into[n] = '\0';
    return into;
}

static uint32_t tag_of(const json_value *v, const shop_catalogue *c)
{
    text name = text_member(v, "tag");
    for (uint32_t t = 1; name.n > 0 && t <= c->n_tags; t++)
        if (text_is(name, c->tags[t])) return t;
    return 0;
}

/* The member's moment; what is none is `otherwise`. */
static int64_t moment_of(const json_value *v, const char *key, int64_t otherwise)
{
    const json_value *m = json_member(v, key);
    int64_t time_us = 0;
    if (m == NULL || m->kind != JSON_NUMBER || !text_to_i64(m->text, &time_us))
        return otherwise;
    return time_us;
}

static channel_set channels_of(const json_value *v)
{
    channel_set set = 0;
    text names = text_member(v, "channels");
    return names.n > 0 && channel_set_parse(names, &set) ? set & CHANNEL_SET_ALL : 0;
}

/* A copy of a text member; *out NULL where there is none. false: memory is short. */
static bool copy_member(const json_value *v, const char *key, arena *memory, const char **out)
{
    text words = text_member(v, key);
    *out = words.n > 0 ? arena_copy_text(memory, words.data, words.n) : NULL;
    return words.n == 0 || *out != NULL;
}

/* What would have to be otherwise. */
static bool read_what_if(const json_value *v, arena *memory, reason_facts *f)
{
    char code[64];
    f->lever = lever_parse(code_of(v, "lever", code));
    f->needed = number_of(v, "needed");
    f->actual = number_of(v, "actual");
    f->more = number_of(v, "more");
    f->channels = channels_of(v);
    if (f->reason == REASON_NOT_LIVE) {
        f->from_us = moment_of(v, "from", TIME_ABSENT);
        f->until_us = moment_of(v, "until", TIME_ABSENT);
    }
    return copy_member(v, "wants", memory, &f->wants) &&
           copy_member(v, "has", memory, &f->has);
}

/* false: memory is short. */
static bool read_outcome(const json_value *v, const shop_catalogue *c, arena *memory,
                         decide_outcome *o)
{
    char code[64];
    reason_facts *f = &o->why;
    *o = (decide_outcome){.promotion = promotion_of(v, "promotion", c),
                          .p_redeem = number_of(v, "p_redeem"),
                          .spend_minor = number_of(v, "spend"),
                          .lift_known = json_member(v, "lift") != NULL,
                          .lift_minor = number_of(v, "lift"),
                          .propensity = number_of(v, "propensity"),
                          .variant = count_of(v, "variant")};
    f->reason = reason_parse(code_of(v, "reason", code));
    f->channel = channel_parse(text_member(v, "channel"));
    f->gain_minor = number_of(v, "gain");
    f->cost_minor = number_of(v, "cost");
    f->value_minor = number_of(v, "value");
    f->net_minor = number_of(v, "net");
    f->fatigue_minor = number_of(v, "fatigue");
    f->propensity = o->propensity;
    f->tag = tag_of(v, c);
    f->cap = cap_parse(code_of(v, "cap", code));
    f->cap_channel = channel_parse(text_member(v, "cap_channel"));
    f->other = promotion_of(v, f->cap != DECIDE_CAP_NONE ? "cap_promotion" : "other", c);
    f->price = number_of(v, "price");
    f->limit = count_of(v, "limit");
    f->days = count_of(v, "days");
    f->time_us = moment_of(v, "time", 0);
    const json_value *early = json_member(v, "early");
    f->seen = early != NULL ? early->boolean : count_of(v, "seen");
    o->cost_minor = money_from_expectation(f->cost_minor);
    return read_what_if(v, memory, f);
}

pf_status journal_read_candidates(const char *json, size_t n, const shop_catalogue *c,
                                  arena *memory, journal_candidate **out, size_t *n_out,
                                  pf_error *err)
{
    const json_value *tree = NULL;
    pf_status s = json_parse(memory, json, n, &tree, err);
    if (s != PF_OK) return s;
    if (tree->kind != JSON_ARRAY)
        return error_set(err, PF_DATA, "a decision's candidates are no JSON array");
    journal_candidate *list = arena_alloc(memory, tree->n, sizeof *list);
    if (list == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for candidates");
    for (size_t i = 0; i < tree->n; i++) {
        text id = text_member(&tree->values[i], "promotion");
        list[i].promotion_id = arena_copy_text(memory, id.data, id.n);
        if (list[i].promotion_id == NULL ||
            !read_outcome(&tree->values[i], c, memory, &list[i].outcome))
            return error_set(err, PF_NO_MEMORY, "out of memory for candidates");
        if (list[i].outcome.why.reason == REASON_COUNT)
            return error_set(err, PF_DATA,
                             "candidate %zu of a decision has no known reason", i);
    }
    *out = list;
    *n_out = tree->n;
    return PF_OK;
}
