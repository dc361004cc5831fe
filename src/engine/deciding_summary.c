/*
 * A run of deciding as a summary that a marketer can read: what is sent, spent and gained, with
 * what is not known for sure; what one more unit of each budget would buy; who is left out, why.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "engine/deciding.h"

enum { SAMPLE = 10 };

pf_status deciding_words(const deciding *d, const decide_outcome *o, arena *memory,
                     const char **words, pf_error *err)
{
    message_language language = speaker_language(&d->speaker, o->shopper);
    return speaker_words(&d->speaker, o->shopper, o, d->at_us, language, memory, words,
                         err);
}

/* --- the summary ------------------------------------------------------------------ */

/* What one more unit of a cap would buy: of money, one whole unit of the currency. The name is
 * the cap's, and is overwritten. */
static void write_next_unit(const deciding *d, const decide_cap *cap, buffer *name,
                            verb_result *r)
{
    const shop_catalogue *c = d->p->catalogue;
    reason_words words = {LANGUAGE_EN, c, d->p->zone};
    double unit = cap_is_money(cap->kind) ? pow(10, c->currency.exponent) : 1;
    if (cap->price <= 0) return;
    verb_money(r, "next_unit_brings", llround(cap->price * unit), &c->currency);
    if (cap->buys && cap->more_of != 0) {
        verb_text(r, "next_unit_promotion", c->promotions[cap->more_of].id);
        verb_text(r, "next_unit_title", c->promotions[cap->more_of].title);
        verb_text(r, "next_unit_channel", channel_name(cap->more_by));
        verb_number(r, "next_unit_messages", cap->more * unit);
    }
    if (cap->buys || cap->beside >= d->result->n_caps) return;
    const decide_cap *other = &d->result->caps[cap->beside];
    buffer_clear(name);
    cap_describe(other->kind, other->promotion, other->channel, &words, name);
    verb_text(r, "next_unit_only_with", name->data);
}

static void write_caps(const deciding *d, verb_result *r)
{
    const currency *c = &d->p->catalogue->currency;
    reason_words words = {LANGUAGE_EN, d->p->catalogue, d->p->zone};
    buffer name;
    buffer_init(&name, LIMIT_TITLE_BYTES);
    json_key(&r->w, "caps");
    json_array_begin(&r->w);
    for (uint32_t i = 0; i < d->result->n_caps; i++) {
        const decide_cap *cap = &d->result->caps[i];
        bool money = cap_is_money(cap->kind);
        buffer_clear(&name);
        cap_describe(cap->kind, cap->promotion, cap->channel, &words, &name);
        json_object_begin(&r->w);
        verb_text(r, "kind", cap_code(cap->kind));
        verb_text(r, "name", name.data);
        if (money) {
            verb_money(r, "limit", llround(cap->limit), c);
            verb_money(r, "used", llround(cap->used), c);
        } else {
            verb_number(r, "limit", cap->limit);
            verb_number(r, "used", cap->used);
        }
        verb_number(r, "shadow_price", cap->price);
        write_next_unit(d, cap, &name, r);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
    buffer_free(&name);
}

static void write_reasons(const deciding *d, verb_result *r)
{
    json_key(&r->w, "reasons");
    json_array_begin(&r->w);
    for (int i = 0; i < REASON_COUNT; i++) {
        if (d->result->by_reason[i] == 0) continue;
        json_object_begin(&r->w);
        verb_text(r, "code", reason_code((decide_reason)i));
        verb_integer(r, "pairs", (int64_t)d->result->by_reason[i]);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
}

/* What a promotion comes to over all who are sent it. */
typedef struct sent_sum {
    uint64_t sent;
    int64_t cost;
    double gain;
} sent_sum;

static void write_promotion(const deciding *d, uint32_t number, const sent_sum *sum,
                            verb_result *r)
{
    const shop_catalogue *c = d->p->catalogue;
    if (sum->sent == 0) return;
    json_object_begin(&r->w);
    verb_text(r, "id", c->promotions[number].id);
    verb_text(r, "title", c->promotions[number].title);
    verb_integer(r, "sent", (int64_t)sum->sent);
    verb_money(r, "cost", sum->cost, &c->currency);
    verb_money(r, "gain", llround(sum->gain), &c->currency);
    json_object_end(&r->w);
}

static void write_promotions(const deciding *d, verb_result *r)
{
    sent_sum *sums = mem_alloc_zero((size_t)d->p->catalogue->n_promotions + 1, sizeof *sums);
    for (size_t i = 0; sums != NULL && i < d->result->n_outcomes; i++) {
        const decide_outcome *o = &d->result->outcomes[i];
        if (o->why.reason != REASON_CHOSEN) continue;
        sums[o->promotion].sent++;
        sums[o->promotion].cost += o->cost_minor;
        sums[o->promotion].gain += o->why.gain_minor;
    }
    json_key(&r->w, "promotions");
    json_array_begin(&r->w);
    for (size_t k = 0; sums != NULL && k < d->n_promotions; k++)
        write_promotion(d, d->promotions[k], &sums[d->promotions[k]], r);
    json_array_end(&r->w);
    mem_free(sums);
}

static void write_outcome(const deciding *d, const decide_outcome *o, verb_result *r,
                          arena *memory)
{
    const shop_catalogue *c = d->p->catalogue;
    const char *words = "";
    buffer why;
    buffer_init(&why, LIMIT_TEXT_BYTES);
    speaker_reason(d->p, &o->why, &why);
    bool chosen = o->why.reason == REASON_CHOSEN;
    json_object_begin(&r->w);
    verb_text(r, "shopper", c->shoppers[o->shopper].id);
    verb_text(r, "promotion", c->promotions[o->promotion].id);
    verb_text(r, "title", c->promotions[o->promotion].title);
    verb_text(r, "decision", chosen ? "send" : "nothing");
    verb_text(r, "channel", o->why.channel ? channel_name(o->why.channel) : "");
    verb_number(r, "p_redeem", o->p_redeem);
    verb_money(r, "gain", llround(o->why.gain_minor), &c->currency);
    verb_money(r, "cost", o->cost_minor, &c->currency);
    verb_number(r, "propensity", o->propensity);
    if (chosen) verb_time(r, "send_at", o->send_at_us);
    verb_text(r, "reason_code", reason_code(o->why.reason));
    verb_text(r, "reason", why.data);
    if (chosen && deciding_words(d, o, memory, &words, NULL) != PF_OK) words = "";
    verb_text(r, "message", words);
    json_object_end(&r->w);
    buffer_free(&why);
}

/* A few shoppers of every sort: treated ones spread over the run, then a held-out and an
 * untreated one. */
static void write_sample(const deciding *d, verb_result *r)
{
    const decide_result *found = d->result;
    size_t step = found->n_treated / (SAMPLE - 2) + 1, seen = 0, written = 0;
    bool held = false, left = false;
    arena memory;
    arena_init(&memory, LIMIT_REPORT_BYTES);
    json_key(&r->w, "sample");
    json_array_begin(&r->w);
    for (size_t i = 0; i < found->n_shoppers && written < SAMPLE; i++) {
        const decide_shopper *s = &found->shoppers[i];
        bool take = s->n_chosen > 0 ? seen++ % step == 0 : s->holdout ? !held : !left;
        held = held || (s->holdout && s->n_chosen == 0);
        left = left || (!s->holdout && s->n_chosen == 0);
        if (!take || s->n_outcomes == 0) continue;
        write_outcome(d, &found->outcomes[s->best], r, &memory);
        written++;
    }
    json_array_end(&r->w);
    arena_free(&memory);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The interval that holds 95 % of the posterior's draws; fewer than 20 draws say nothing. */
static void write_interval(const deciding *d, const char *low_key, const char *high_key,
                           const double *draw, verb_result *r)
{
    const currency *c = &d->p->catalogue->currency;
    const uint32_t n = d->result->n_draws;
    double *sorted = n >= 20 ? mem_alloc(n, sizeof *sorted) : NULL;
    if (sorted == NULL) return;
    memcpy(sorted, draw, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_numbers);
    verb_money(r, low_key, llround(sorted[(size_t)(0.025 * n)]), c);
    verb_money(r, high_key, llround(sorted[n - 1 - (size_t)(0.025 * n)]), c);
    mem_free(sorted);
}

/* A hard budget holds where each message leads to one redemption at most. */
static void warn_of_repeats(const deciding *d, verb_result *r)
{
    size_t open = 0;
    char words[200];
    for (size_t k = 0; k < d->n_promotions; k++)
        open += d->p->catalogue->promotions[d->promotions[k]].shopper_limit != 1;
    if (!d->policy.hard || open == 0) return;
    (void)snprintf(words, sizeof words,
                   "hard budgets count one redemption a message; %zu of the promotions may be "
                   "redeemed more often (their shopper_limit is not 1)",
                   open);
    verb_text(r, "warning_hard", words);
}

static void write_money(const deciding *d, verb_result *r)
{
    const currency *c = &d->p->catalogue->currency;
    const decide_result *found = d->result;
    bool hard = d->policy.hard;
    verb_money(r, "cost", found->cost_minor, c);
    if (hard) verb_money(r, "expected_cost", llround(found->expected_cost_minor), c);
    verb_money(r, "gain", llround(found->gain_minor), c);
    write_interval(d, "gain_low", "gain_high", found->draw_gain, r);
    if (!hard)
        verb_money(r, "rounding",
                   llround((double)found->cost_minor - found->expected_cost_minor), c);
    if (found->fatigue_minor > 0)
        verb_money(r, "fatigue", llround(found->fatigue_minor), c);
    verb_money(r, "value", llround(found->value_minor), c);
    write_interval(d, "value_low", "value_high", found->draw_value, r);
    verb_money(r, "bound", llround(found->bound_minor), c);
    verb_number(r, "gap", found->gap);
}

/* Where options are too many to have the least chance all, they share what there is. */
static void warn_of_floor(const deciding *d, double least, verb_result *r)
{
    const double floor = d->policy.explore.floor;
    char words[200];
    if (!(least < floor * (1 - 1e-6))) return;
    (void)snprintf(words, sizeof words,
                   "a least chance of %.4g for each is more than all options of a shopper can "
                   "have together; some have %.4g",
                   floor, least);
    verb_text(r, "warning_floor", words);
}

static void write_exploration(const deciding *d, verb_result *r)
{
    const decide_result *found = d->result;
    size_t lots = 0;
    double least = 1;
    verb_text(r, "explore", policy_exploring_name(d->policy.explore.method));
    if (d->policy.explore.method == POLICY_EXPLORES_NOT) return;
    for (size_t i = 0; i < found->n_outcomes; i++) {
        const decide_outcome *o = &found->outcomes[i];
        bool chosen = o->why.reason == REASON_CHOSEN;
        lots += chosen && o->propensity < 1;
        if ((chosen || o->why.reason == REASON_NOT_DRAWN) && o->propensity < least)
            least = o->propensity;
    }
    verb_integer(r, "chosen_by_lot", (int64_t)lots);
    warn_of_floor(d, least, r);
}

/* What to do where a reason keeps out more than all others. */
static const char *remedy(decide_reason reason)
{
    switch (reason) {
    case REASON_NOT_LIVE: return "name a moment at which promotions are live (--at)";
    case REASON_NOTHING_IN_STOCK: return "check the promotions' scopes: they name nothing in stock";
    case REASON_REDEMPTION_LIMIT:
    case REASON_SHOPPER_LIMIT: return "raise the promotions' limits, or make new ones";
    case REASON_NOT_IN_AUDIENCE: return "check the promotions' audience rules";
    case REASON_CHANNEL_NOT_ALLOWED:
        return "let decide.channels and the promotions' channels have one in common";
    case REASON_CONSENT_REFUSED:
    case REASON_NO_CONSENT:
        return "import consent, or set decide.contact_unasked where that is lawful";
    case REASON_NO_MESSAGE: return "write frames for these kinds and channels (message.frames)";
    case REASON_EXPOSURE_CAP:
    case REASON_TAG_CAP: return "wait, or raise the caps (decide.per_week and its like)";
    case REASON_HOLDOUT: return "lower decide.holdout or decide.campaign_holdout";
    case REASON_QUIET_HOURS: return "let promotions end later, or shorten the quiet hours";
    case REASON_COST_UNKNOWN:
        return "say what promotions give away: their values, decide.unknown_value, and for hard "
               "budgets decide.largest_discount";
    case REASON_VALUE_BELOW_ZERO:
        return "nothing here brings what it costs: check decide.margin_rate, the costs of "
               "channels and the worth of promotions";
    case REASON_BUDGET_EXHAUSTED:
        return "each is worth its cost, but no budget or cap has room for one: raise them";
    default: return "see `proffer explain SHOPPER`";
    }
}

/* Where nothing is sent, why most of it is not, and what to do. */
static void write_advice(const deciding *d, verb_result *r)
{
    const decide_result *found = d->result;
    decide_reason most = REASON_CHOSEN;
    buffer words;
    if (found->n_chosen > 0) return;
    /* What is worth its cost lacks money alone, whatever keeps out the rest. */
    if (found->by_reason[REASON_BUDGET_EXHAUSTED] > 0) most = REASON_BUDGET_EXHAUSTED;
    for (int i = 1; most != REASON_BUDGET_EXHAUSTED && i < REASON_COUNT; i++)
        if (most == REASON_CHOSEN || found->by_reason[i] > found->by_reason[most])
            most = (decide_reason)i;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    if (d->policy.budget_minor == 0)
        buffer_append_text(&words, "Nothing would be sent: the total budget is 0. Give --budget, "
                                   "or set decide.budget.");
    else
        buffer_printf(&words,
                      "Nothing would be sent. Of %zu pairs of shopper and promotion %llu are kept "
                      "out by %s: %s.",
                      found->n_outcomes, (unsigned long long)found->by_reason[most],
                      reason_code(most), remedy(most));
    verb_text(r, "advice", words.data ? words.data : "");
    buffer_free(&words);
}

static void write_head(const deciding *d, const char *run, bool dry_run, verb_result *r)
{
    const shop_catalogue *c = d->p->catalogue;
    const decide_result *found = d->result;
    verb_text(r, "run", dry_run ? "" : run);
    verb_time(r, "at", d->at_us);
    verb_text(r, "campaign", c->campaigns[d->campaign].id);
    json_key(&r->w, "dry_run");
    json_boolean(&r->w, dry_run);
    verb_text(r, "currency", c->currency.code);
    verb_integer(r, "candidates", (int64_t)d->n_promotions);
    verb_integer(r, "shoppers", (int64_t)found->n_shoppers);
    verb_integer(r, "treated", (int64_t)found->n_treated);
    verb_integer(r, "held_out", (int64_t)found->n_held_out);
    verb_integer(r, "messages", (int64_t)found->n_chosen);
    verb_text(r, "budgets", d->policy.hard ? "hard" : "planned");
    write_money(d, r);
    warn_of_repeats(d, r);
    write_exploration(d, r);
    foreseen_describe(&d->foreseen, &d->policy, r);
    write_advice(d, r);
    if (found->empty_audience != 0)
        verb_text(r, "warning_empty_audience", c->promotions[found->empty_audience].id);
}

void deciding_summarise(const deciding *d, const char *run, bool dry_run, verb_result *r)
{
    json_object_begin(&r->w);
    write_head(d, run, dry_run, r);
    write_caps(d, r);
    write_reasons(d, r);
    write_promotions(d, r);
    write_sample(d, r);
    json_object_end(&r->w);
}

