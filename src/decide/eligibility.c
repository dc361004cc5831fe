/* Working out what the eligibility rules look at: once for all, then shopper by
 * shopper. */
#include "decide/eligibility.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "decide/eligibility_state.h"
#include "decide/holdout.h"

/* --- once for all ----------------------------------------------------------------- */

/* The 0 of a scope whose names led nowhere is no product, and never in stock. */
static bool is_stocked(const eligibility_world *w, const promotion *p)
{
    if (p->n_scope == 0) return true;
    for (uint32_t i = 0; i < p->n_scope; i++)
        if (p->scope[i] != 0 && (w->in_stock == NULL || w->in_stock[p->scope[i]]))
            return true;
    return false;
}

static void count_redemptions(eligibility *e)
{
    const shop_history *h = e->world.history;
    for (uint64_t i = 0; h != NULL && i < h->n; i++)
        if (h->type[i] == EVENT_REDEMPTION && h->time_us[i] < e->world.at_us &&
            h->promotion[i] <= e->world.catalogue->n_promotions)
            e->redeemed[h->promotion[i]]++;
}

/* Gives every promotion the number of its rule's words. */
static pf_status number_rules(eligibility *e, pf_error *err)
{
    const shop_catalogue *c = e->world.catalogue;
    for (uint32_t p = 1; p <= c->n_promotions; p++) {
        const char *words = c->promotions[p].audience;
        if (words == NULL || words[strspn(words, " \t\r\n")] == '\0') continue;
        e->rule_of[p] = intern_add(e->rule_texts, words, strlen(words));
        if (e->rule_of[p] == 0)
            return error_set(err, PF_NO_MEMORY, "out of memory for audience rules");
    }
    e->n_rules = intern_count(e->rule_texts);
    return PF_OK;
}

static pf_status read_rules(eligibility *e, pf_error *err)
{
    const shop_catalogue *c = e->world.catalogue;
    for (uint32_t p = 1; p <= c->n_promotions; p++) {
        uint32_t rule = e->rule_of[p];
        if (rule == 0 || e->rules[rule] != NULL) continue;
        const char *words = intern_text(e->rule_texts, rule);
        pf_status s = audience_parse(&e->rules[rule], words, strlen(words), err);
        if (s != PF_OK) error_prefix(err, "promotion '%s'", c->promotions[p].id);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for eligibility");
}

static pf_status allocate_rules(eligibility *e, pf_error *err)
{
    size_t n = (size_t)e->n_rules + 1;
    e->rules = mem_alloc_zero(n, sizeof *e->rules);
    e->picked = mem_alloc_zero(n, sizeof *e->picked);
    e->answers = mem_alloc_zero(n, sizeof *e->answers);
    e->blames = mem_alloc_zero(n, sizeof *e->blames);
    return e->rules && e->picked && e->answers && e->blames ? PF_OK : no_memory(err);
}

static pf_status allocate_promotions(eligibility *e, pf_error *err)
{
    size_t n = (size_t)e->world.catalogue->n_promotions + 1;
    e->stocked = mem_alloc_zero(n, sizeof *e->stocked);
    e->redeemed = mem_alloc_zero(n, sizeof *e->redeemed);
    e->rule_of = mem_alloc_zero(n, sizeof *e->rule_of);
    e->tagged = mem_alloc_zero(n, sizeof *e->tagged);
    e->own = mem_alloc_zero(n, sizeof *e->own);
    e->touched = mem_alloc_zero(n, sizeof *e->touched);
    e->rule_texts = intern_new(LIMIT_PROMOTIONS);
    bool all = e->stocked && e->redeemed && e->rule_of && e->own && e->touched;
    return all && e->tagged != NULL && e->rule_texts != NULL ? PF_OK : no_memory(err);
}

static void mark_tags(eligibility *e)
{
    const shop_catalogue *c = e->world.catalogue;
    const policy *how = e->world.policy;
    for (uint32_t t = 0; t < how->n_tags; t++) {
        uint32_t number = catalogue_find_tag(c, how->tag[t].name);
        e->tag_number[t] = number;
        for (uint32_t p = 1; number != 0 && p <= c->n_promotions; p++)
            if (promotion_has_tag(&c->promotions[p], number)) e->tagged[p] |= 1u << t;
    }
}

pf_status eligibility_new(eligibility **out, const eligibility_world *world,
                          pf_error *err)
{
    eligibility *e = mem_alloc_zero(1, sizeof *e);
    if (e == NULL) return no_memory(err);
    e->world = *world;
    pf_status s = allocate_promotions(e, err);
    if (s == PF_OK) s = number_rules(e, err);
    if (s == PF_OK) s = allocate_rules(e, err);
    if (s == PF_OK) s = read_rules(e, err);
    if (s != PF_OK) {
        eligibility_free(e);
        return s;
    }
    for (uint32_t p = 1; p <= world->catalogue->n_promotions; p++)
        e->stocked[p] = is_stocked(world, &world->catalogue->promotions[p]);
    count_redemptions(e);
    mark_tags(e);
    *out = e;
    return PF_OK;
}

void eligibility_free(eligibility *e)
{
    if (e == NULL) return;
    for (uint32_t r = 0; e->rules != NULL && r <= e->n_rules; r++)
        audience_free(e->rules[r]);
    intern_free(e->rule_texts);
    mem_free(e->rules);
    mem_free(e->picked);
    mem_free(e->answers);
    mem_free(e->blames);
    mem_free(e->stocked);
    mem_free(e->redeemed);
    mem_free(e->rule_of);
    mem_free(e->tagged);
    mem_free(e->own);
    mem_free(e->touched);
    mem_free(e);
}

/* --- shopper by shopper ----------------------------------------------------------- */

/* The local midnights 0, 6 and 29 days before the day of sending. Noon is on the right
 * day whatever the clocks do in between. */
static void set_windows(eligibility *e, const zone *z)
{
    static const int days[WINDOW_COUNT] = {0, 6, 29};
    if (e->windows_known && e->window_zone == z) return;
    int64_t noon = calendar_midnight_us(e->world.at_us, z) + 12 * US_PER_HOUR;
    for (int i = 0; i < WINDOW_COUNT; i++)
        e->window_starts_us[i] = calendar_midnight_us(noon - days[i] * US_PER_DAY, z);
    e->window_zone = z;
    e->windows_known = true;
}

static void count_into(const eligibility *e, past_messages *into, int64_t time_us)
{
    for (int i = 0; i < WINDOW_COUNT; i++)
        into->in[i] += time_us >= e->window_starts_us[i];
}

static void count_tags(eligibility *e, int64_t time_us, uint32_t tags)
{
    for (uint32_t t = 0; t < e->world.policy->n_tags; t++)
        if (tags >> t & 1u) count_into(e, &e->about[t], time_us);
}

static void count_own(eligibility *e, uint32_t number)
{
    if (number == 0 || number > e->world.catalogue->n_promotions) return;
    if (e->own[number]++ == 0) e->touched[e->n_touched++] = number;
}

/* The last message by each channel: promotions that went out in one message have the same
 * instant and campaign. */
typedef struct last_message {
    int64_t time_us[CHANNEL_COUNT];
    uint32_t campaign[CHANNEL_COUNT];
    uint32_t tags[CHANNEL_COUNT]; /* counted of it already */
} last_message;

static void begin_messages(last_message *last)
{
    for (int by = 0; by < CHANNEL_COUNT; by++)
        last->time_us[by] = TIME_ABSENT;
}

/* What an exposure adds to those before. */
typedef struct exposure {
    uint8_t by;
    bool is_message;
    uint32_t tags; /* that its message was not about so far */
} exposure;

static exposure read_exposure(const eligibility *e, uint64_t i, last_message *last)
{
    const shop_history *h = e->world.history;
    uint8_t by = h->channel[i] < CHANNEL_COUNT ? h->channel[i] : CHANNEL_NONE;
    uint32_t number = h->promotion[i];
    uint32_t tags = number <= e->world.catalogue->n_promotions ? e->tagged[number] : 0;
    bool same = last->time_us[by] == h->time_us[i] && last->campaign[by] == h->campaign[i];
    if (!same) {
        last->time_us[by] = h->time_us[i];
        last->campaign[by] = h->campaign[i];
        last->tags[by] = 0;
    }
    exposure x = {.by = by, .is_message = !same, .tags = tags & ~last->tags[by]};
    last->tags[by] |= tags;
    return x;
}

static void count_exposure(eligibility *e, uint64_t i, last_message *last)
{
    int64_t time_us = e->world.history->time_us[i];
    exposure x = read_exposure(e, i, last);
    if (x.is_message) {
        count_into(e, &e->total, time_us);
        count_into(e, &e->by[x.by], time_us);
    }
    count_tags(e, time_us, x.tags);
}

/* Who unsubscribed stays so, whatever the standing data say: they carry no date that
 * could be later. */
static void read_past(eligibility *e, uint32_t number)
{
    const shop_history *h = e->world.history;
    if (h == NULL || number > h->n_shoppers) return;
    last_message last;
    begin_messages(&last);
    uint64_t end = history_before(h, number, e->world.at_us);
    for (uint64_t i = h->first[number]; i < end; i++) {
        if (h->type[i] == EVENT_REDEMPTION) count_own(e, h->promotion[i]);
        if (h->type[i] == EVENT_EXPOSURE) count_exposure(e, i, &last);
        if (h->type[i] == EVENT_UNSUBSCRIBE)
            e->refused |=
                h->channel[i] == CHANNEL_NONE ? CHANNEL_SET_ALL : 1u << h->channel[i];
    }
}

static void forget_last(eligibility *e)
{
    for (uint32_t i = 0; i < e->n_touched; i++)
        e->own[e->touched[i]] = 0;
    e->n_touched = 0;
    memset(e->answers, ANSWER_NOT_ASKED, (size_t)e->n_rules + 1);
    memset(&e->total, 0, sizeof e->total);
    memset(e->by, 0, sizeof e->by);
    memset(e->about, 0, sizeof e->about);
    for (size_t i = 0; i < sizeof e->room_from / sizeof e->room_from[0]; i++)
        e->room_from[i] = TIME_ABSENT;
}

void eligibility_turn_to(eligibility *e, uint32_t number)
{
    const eligibility_world *w = &e->world;
    forget_last(e);
    e->shopper = number;
    e->known = number > 0 && number <= w->catalogue->n_shoppers &&
               w->catalogue->shoppers[number].exists;
    e->held_out = false;
    e->language = w->language;
    e->refused = CHANNEL_SET_ALL;
    e->given = 0;
    if (!e->known) return;
    const shopper *s = &w->catalogue->shoppers[number];
    const zone *own = w->shopper_zones != NULL ? w->shopper_zones[number] : NULL;
    e->refused = s->consent_refused;
    e->given = s->consent_given;
    e->language = language_of(s->language, w->language);
    e->held_out = holdout_has(w->policy->holdout_salt, w->policy->holdout_share, s->id);
    set_windows(e, own != NULL ? own : w->zone);
    read_past(e, number);
}

/* A text of a reason, cut at a whole character; NULL where memory is short. */
static const char *keep_text(eligibility *e, const buffer *b)
{
    enum { MOST_CHARACTERS = 120 };
    const char *kept = NULL;
    if (!b->failed)
        kept = arena_copy_text(e->world.texts, b->data,
                               utf8_prefix(b->data, b->length, MOST_CHARACTERS));
    if (kept == NULL) e->is_short = true;
    return kept;
}

static void write_value(const audience_value *v, buffer *into)
{
    if (v->kind == AUDIENCE_NUMBER) buffer_printf(into, "%.10g", v->number);
    if (v->kind == AUDIENCE_FLAG) buffer_append_text(into, v->flag ? "yes" : "no");
    if (v->kind == AUDIENCE_TEXT) buffer_printf(into, "\"%s\"", v->text);
}

static void describe_blame(eligibility *e, uint32_t rule, const audience_blame *why)
{
    rule_blame *kept = &e->blames[rule];
    buffer b;
    buffer_init(&b, 1u << 20);
    kept->has = NULL;
    if (kept->wants == NULL || kept->step != why->step ||
        kept->should_hold != why->should_hold) {
        audience_describe(e->rules[rule], why->step, why->should_hold, &b);
        *kept = (rule_blame){keep_text(e, &b), NULL, why->step, why->should_hold};
        buffer_clear(&b);
    }
    if (why->value.kind != AUDIENCE_ABSENT) {
        write_value(&why->value, &b);
        kept->has = keep_text(e, &b);
    }
    buffer_free(&b);
}

static audience_answer ask_audience(eligibility *e, uint32_t rule)
{
    const eligibility_world *w = &e->world;
    audience_blame why;
    if (w->lookup == NULL) return AUDIENCE_UNKNOWN;
    if (w->texts == NULL)
        return audience_test(e->rules[rule], w->lookup, w->lookup_context, e->shopper);
    audience_answer a =
        audience_test_why(e->rules[rule], w->lookup, w->lookup_context, e->shopper, &why);
    if (a != AUDIENCE_YES) describe_blame(e, rule, &why);
    return a;
}

audience_answer eligibility_audience(eligibility *e, uint32_t rule)
{
    if (e->answers[rule] == ANSWER_NOT_ASKED) {
        audience_answer a = ask_audience(e, rule);
        e->answers[rule] = (uint8_t)a;
        e->picked[rule] += a == AUDIENCE_YES;
    }
    return (audience_answer)e->answers[rule];
}

channel_set eligibility_check(eligibility *e, uint32_t number, reason_facts *why)
{
    return eligibility_run_rules(e, &e->world.catalogue->promotions[number], number, why);
}

/* --- what the caller asks --------------------------------------------------------- */

uint32_t eligibility_left(const policy_window *caps, const past_messages *past,
                          reason_facts *why)
{
    static const uint32_t days[WINDOW_COUNT] = {1, 7, 30};
    const uint32_t most[WINDOW_COUNT] = {caps->per_day, caps->per_week, caps->per_month};
    uint32_t left = UINT32_MAX;
    for (int i = 0; i < WINDOW_COUNT; i++) {
        if (most[i] == 0) continue;
        uint32_t here = most[i] > past->in[i] ? most[i] - past->in[i] : 0;
        if (here >= left) continue;
        left = here;
        if (why == NULL) continue;
        why->limit = most[i];
        why->seen = past->in[i];
        why->days = days[i];
    }
    return left;
}

/* The n-th message (from 1) that a filter counts at or after a moment. */
static int64_t find_message(const eligibility *e, past_filter counted, int64_t from_us,
                            uint32_t n)
{
    const shop_history *h = e->world.history;
    last_message last;
    begin_messages(&last);
    uint64_t end = history_before(h, e->shopper, e->world.at_us);
    for (uint64_t i = h->first[e->shopper]; i < end; i++) {
        if (h->type[i] != EVENT_EXPOSURE) continue;
        exposure x = read_exposure(e, i, &last);
        bool counts = counted.tag >= 0 ? (x.tags >> counted.tag & 1u) != 0 : x.is_message;
        if (!counts || (counted.by >= 0 && x.by != counted.by)) continue;
        if (h->time_us[i] >= from_us && --n == 0) return h->time_us[i];
    }
    return e->world.at_us;
}

static int64_t find_room(const eligibility *e, const policy_window *caps,
                         const past_messages *past, past_filter counted)
{
    static const int days[WINDOW_COUNT] = {1, 7, 30};
    const uint32_t most[WINDOW_COUNT] = {caps->per_day, caps->per_week, caps->per_month};
    int64_t from_us = e->world.at_us;
    for (int i = 0; i < WINDOW_COUNT; i++) {
        if (most[i] == 0 || past->in[i] < most[i]) continue;
        int64_t left = find_message(e, counted, e->window_starts_us[i],
                                    past->in[i] - most[i] + 1);
        int64_t noon = calendar_midnight_us(left, e->window_zone) + 12 * US_PER_HOUR;
        int64_t gone =
            calendar_midnight_us(noon + days[i] * US_PER_DAY, e->window_zone);
        if (gone > from_us) from_us = gone;
    }
    return from_us;
}

int64_t eligibility_room_from(eligibility *e, past_filter counted)
{
    const policy *p = e->world.policy;
    const int tag = counted.tag, by = counted.by;
    int64_t *known = &e->room_from[tag >= 0 ? 1 + CHANNEL_COUNT + tag : by >= 0 ? 1 + by : 0];
    if (*known != TIME_ABSENT) return *known;
    if (tag >= 0)
        *known = find_room(e, &p->tag[tag].window, &e->about[tag], counted);
    else if (by >= 0)
        *known = find_room(e, &p->channel[by].window, &e->by[by], counted);
    else
        *known = find_room(e, &p->window, &e->total, counted);
    return *known;
}

bool eligibility_is_short(const eligibility *e)
{
    return e->is_short;
}

bool eligibility_is_held_out(const eligibility *e)
{
    return e->held_out;
}

channel_set eligibility_held_open(const eligibility *e)
{
    return e->held_open;
}

message_language eligibility_language(const eligibility *e)
{
    return e->language;
}

uint32_t eligibility_messages_left(const eligibility *e)
{
    return eligibility_left(&e->world.policy->window, &e->total, NULL);
}

uint32_t eligibility_channel_left(const eligibility *e, channel by)
{
    return eligibility_left(&e->world.policy->channel[by].window, &e->by[by], NULL);
}

uint32_t eligibility_redemptions(const eligibility *e, uint32_t number)
{
    return e->redeemed[number];
}

uint32_t eligibility_empty_audience(const eligibility *e, uint32_t from)
{
    for (uint32_t p = from; p <= e->world.catalogue->n_promotions; p++)
        if (e->rule_of[p] != 0 && e->picked[e->rule_of[p]] == 0) return p;
    return 0;
}
