/*
 * From scores to outcomes and options: who is eligible, by which channels, at what value.
 * Outcomes that end here have their reason already; the others have options.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decide/run.h"

/* --- growing arrays --------------------------------------------------------------- */

static bool reserve_options(run_options *o, size_t n)
{
    return mem_reserve((void **)&o->value, &o->capacity[0], n, sizeof *o->value) &&
           mem_reserve((void **)&o->cost, &o->capacity[1], n, sizeof *o->cost) &&
           mem_reserve((void **)&o->redemptions, &o->capacity[2], n,
                       sizeof *o->redemptions) &&
           mem_reserve((void **)&o->arm, &o->capacity[3], n, sizeof *o->arm) &&
           mem_reserve((void **)&o->group, &o->capacity[4], n, sizeof *o->group) &&
           mem_reserve((void **)&o->outcome, &o->capacity[5], n, sizeof *o->outcome) &&
           mem_reserve((void **)&o->terms, &o->capacity[6], n, sizeof *o->terms);
}

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for decisions");
}

/* --- one shopper and promotion ---------------------------------------------------- */

/* An option before it is filed: sorted by group within a shopper. */
typedef struct draft {
    size_t outcome;
    uint32_t group;
    double value, p_redeem;
    int64_t cost_minor;
    run_terms terms;
} draft;

typedef struct drafts {
    draft *items;
    size_t n, capacity;
} drafts;

static int compare_drafts(const void *a, const void *b)
{
    const draft *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (x->outcome != y->outcome) return x->outcome < y->outcome ? -1 : 1;
    return (int)x->terms.channel - (int)y->terms.channel;
}

/* The score that holds for a channel: its own, else the one for every channel. */
static const decide_score *score_for(const decide_score *scores, size_t n, channel by)
{
    const decide_score *all = NULL;
    for (size_t i = 0; i < n; i++) {
        if (scores[i].channel == by) return &scores[i];
        if (scores[i].channel == CHANNEL_NONE) all = &scores[i];
    }
    return all;
}

/* Keeps the numbers of the best channel in the outcome, for its reason's sentence. */
static void note_channel(decision_run *run, const decide_score *score, const draft *d,
                         const value_terms *v)
{
    decide_outcome *o = &run->r->outcomes[d->outcome];
    const channel by = (channel)d->terms.channel;
    bool first = o->why.channel == CHANNEL_NONE;
    if (!first && v->value_minor <= o->why.value_minor) return;
    o->p_redeem = score->p_redeem;
    o->spend_minor = score->spend_minor;
    o->lift_known = score->lift_known;
    o->lift_minor = score->lift_minor;
    o->cost_minor = v->amount_minor;
    o->why.channel = by;
    o->why.gain_minor = v->gain_minor;
    o->why.cost_minor = v->cost_minor;
    o->why.value_minor = v->value_minor;
    o->why.fatigue_minor = d->terms.fatigue_minor;
    run_say_what_it_takes(run, &d->terms, d->p_redeem, &o->why);
}

/* The first moment from one on at which the shopper may be sent to. */
static int64_t waking_moment(const decision_run *run, uint32_t who, channel by, int64_t from_us)
{
    const decide_inputs *in = run->in;
    const zone *own = in->shopper_zones != NULL ? in->shopper_zones[who] : NULL;
    if (by == CHANNEL_SITE) return from_us;
    return quiet_next(from_us, own != NULL ? own : in->zone, in->policy->quiet);
}

/* When a message would go out, outside quiet hours: when it suits the shopper best, or as soon as
 * can be where the promotion has ended by then. */
static int64_t send_moment(const decision_run *run, const decide_outcome *o, channel by)
{
    const decide_inputs *in = run->in;
    const promotion *p = &in->catalogue->promotions[o->promotion];
    int64_t best = TIME_ABSENT;
    if (in->send_at_us != NULL)
        best = in->send_at_us[(size_t)o->shopper * CHANNEL_COUNT + by];
    if (best != TIME_ABSENT && best > in->at_us) {
        int64_t then = waking_moment(run, o->shopper, by, best);
        if (promotion_is_live(p, then)) return then;
    }
    return waking_moment(run, o->shopper, by, in->at_us);
}

/* Worth something on average, or under some draw of a policy that takes one at random. */
static bool is_worth_filing(const decision_run *run, const draft *d)
{
    const decide_inputs *in = run->in;
    const uint32_t number = run->r->outcomes[d->outcome].promotion;
    if (d->value > 0) return true;
    if (in->policy->explore.method == POLICY_EXPLORES_NOT) return false;
    if (in->policy->explore.floor > 0) return true;
    for (uint32_t k = 0; k < in->n_draws; k++)
        if (run_worth_of(run, &d->terms, d->p_redeem, number, k).value > 0) return true;
    return false;
}

static pf_status file_channel(decision_run *run, const draft *d, drafts *list, pf_error *err)
{
    if (!is_worth_filing(run, d)) return PF_OK;
    if (!mem_reserve((void **)&list->items, &list->capacity, list->n + 1, sizeof(draft)))
        return no_memory(err);
    list->items[list->n++] = *d;
    run->r->outcomes[d->outcome].why.reason = REASON_COUNT; /* the allocation decides */
    return PF_OK;
}

static draft draft_of(const decision_run *run, const value_question *q, const value_terms *v,
                      size_t outcome, int64_t send_at_us)
{
    return (draft){.outcome = outcome,
                   .group = run->group_of[run->r->outcomes[outcome].promotion],
                   .value = v->value_minor,
                   .p_redeem = q->p_redeem,
                   .cost_minor = v->amount_minor,
                   .terms = {.spend_minor = q->spend_minor,
                             .lift_minor = q->lift_minor,
                             .lift_known = q->lift_known,
                             .p_click = q->p_click,
                             .p_convert = q->p_convert,
                             .contact_minor = v->contact_minor,
                             .discount_minor = v->discount_minor,
                             .fatigue_minor = q->fatigue_minor,
                             .send_at_us = send_at_us,
                             .channel = (uint8_t)q->by}};
}

static value_question question_of(const decision_run *run, const decide_score *score,
                                  channel by)
{
    const decide_inputs *in = run->in;
    size_t at = (size_t)score->shopper * CHANNEL_COUNT + by;
    return (value_question){
        .offer = &in->catalogue->promotions[score->promotion],
        .by = by,
        .p_redeem = score->p_redeem,
        .spend_minor = score->spend_minor,
        .lift_known = score->lift_known,
        .lift_minor = score->lift_minor,
        .p_click = score->p_click,
        .p_convert = score->p_convert,
        .fatigue_minor = in->fatigue_minor != NULL ? (double)in->fatigue_minor[at] : 0};
}

/* The channels by which the promotion is still live when quiet hours are over; where there is
 * none, *why says when the first of them are. */
static channel_set awake_channels(const decision_run *run, const decide_outcome *o,
                                  channel_set open, int64_t send_at_us[CHANNEL_COUNT],
                                  reason_facts *why)
{
    const promotion *p = &run->in->catalogue->promotions[o->promotion];
    channel_set awake = 0;
    int64_t first = INT64_MAX;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        if (!(open & 1u << by)) continue;
        send_at_us[by] = send_moment(run, o, (channel)by);
        if (promotion_is_live(p, send_at_us[by])) awake |= 1u << by;
        if (send_at_us[by] < first) first = send_at_us[by];
    }
    if (awake == 0) *why = (reason_facts){.reason = REASON_QUIET_HOURS, .time_us = first};
    return awake;
}

/* Which of the policy's assumptions is missing where value_of knows no answer. */
static reason_lever unknown_of(const policy *how, const promotion *p)
{
    bool discount = value_needs_assumption(p) && how->unknown_discount_minor == MONEY_ABSENT;
    bool largest =
        how->hard && how->largest_discount_minor == MONEY_ABSENT && !value_is_bounded(p);
    if (discount && largest) return LEVER_BOTH_DISCOUNTS;
    return largest ? LEVER_LARGEST_DISCOUNT : LEVER_UNKNOWN_VALUE;
}

/* Values every open channel; those worth something become drafts. */
static pf_status value_channels(decision_run *run, const decide_score *scores, size_t n,
                                channel_set open, size_t outcome, drafts *list,
                                pf_error *err)
{
    decide_outcome *o = &run->r->outcomes[outcome];
    int64_t send_at_us[CHANNEL_COUNT];
    pf_status s = PF_OK;
    open = awake_channels(run, o, open, send_at_us, &o->why);
    if (open == 0) return PF_OK;
    o->why.reason = REASON_VALUE_BELOW_ZERO;
    for (int by = 1; s == PF_OK && by < CHANNEL_COUNT; by++) {
        const decide_score *score = score_for(scores, n, (channel)by);
        value_terms v;
        if (!(open & 1u << by) || score == NULL) continue;
        value_question q = question_of(run, score, (channel)by);
        if (!value_of(run->in->policy, &q, &v)) {
            o->why = (reason_facts){.reason = REASON_COST_UNKNOWN,
                                    .lever = unknown_of(run->in->policy, q.offer)};
            return PF_OK;
        }
        draft d = draft_of(run, &q, &v, outcome, send_at_us[by]);
        note_channel(run, score, &d, &v);
        s = file_channel(run, &d, list, err);
    }
    /* Open channels, but none of them is one that the scores speak of. */
    if (o->why.channel == CHANNEL_NONE)
        o->why = (reason_facts){.reason = REASON_CHANNEL_NOT_ALLOWED,
                                .lever = LEVER_SCORES,
                                .channels = open};
    return s;
}

/* What a shopper of the holdout would have been offered, so that the lottery can say with which
 * chance. The options are worth nothing to the allocation, and such a shopper has no picks. */
static pf_status value_held_out(decision_run *run, const decide_score *scores, size_t n,
                                size_t outcome, drafts *list, pf_error *err)
{
    reason_facts *why = &run->r->outcomes[outcome].why;
    const reason_facts held = *why;
    size_t first = list->n;
    pf_status s = value_channels(run, scores, n, eligibility_held_open(run->e), outcome, list,
                                 err);
    for (size_t i = first; i < list->n; i++)
        list->items[i].value = 0;
    const reason_facts found = *why;
    *why = held;
    why->channel = found.channel;
    why->gain_minor = found.gain_minor;
    why->cost_minor = found.cost_minor;
    why->value_minor = found.value_minor;
    why->fatigue_minor = found.fatigue_minor;
    return s;
}

/* --- one shopper ------------------------------------------------------------------ */

static pf_status file_drafts(decision_run *run, drafts *list, pf_error *err)
{
    run_options *o = &run->options;
    if (list->n == 0) return PF_OK;
    qsort(list->items, list->n, sizeof *list->items, compare_drafts);
    if (!reserve_options(o, o->n + list->n)) return no_memory(err);
    for (size_t i = 0; i < list->n; i++, o->n++) {
        const draft *d = &list->items[i];
        o->value[o->n] = d->value;
        o->cost[o->n] = (double)d->cost_minor;
        o->redemptions[o->n] = d->p_redeem;
        o->group[o->n] = d->group;
        o->outcome[o->n] = d->outcome;
        o->terms[o->n] = d->terms;
        o->arm[o->n] = run_arm(run, run->r->outcomes[d->outcome].promotion,
                               (channel)d->terms.channel);
        if (o->arm[o->n] == UINT32_MAX) return no_memory(err);
    }
    return PF_OK;
}

static uint8_t at_most(uint32_t a, uint32_t b)
{
    uint32_t least = a < b ? a : b;
    return (uint8_t)(least < LIMIT_SHOPPER_PICKS ? least : LIMIT_SHOPPER_PICKS);
}

static void set_picks(decision_run *run, size_t entry)
{
    const policy *p = run->in->policy;
    run->picks[entry] = at_most(p->per_shopper, eligibility_messages_left(run->e));
    if (eligibility_is_held_out(run->e)) run->picks[entry] = 0;
    for (int by = 0; by < CHANNEL_COUNT; by++) {
        uint32_t own = p->channel[by].per_shopper;
        if (own == 0) own = LIMIT_SHOPPER_PICKS;
        run->lane_picks[entry * CHANNEL_COUNT + (size_t)by] =
            by == CHANNEL_NONE
                ? 0
                : at_most(own, eligibility_channel_left(run->e, (channel)by));
    }
}

/* One pair: n scores of the same shopper and promotion. */
static pf_status take_pair(decision_run *run, const decide_score *scores, size_t n,
                           drafts *list, pf_error *err)
{
    size_t outcome = run->r->n_outcomes++;
    decide_outcome *o = &run->r->outcomes[outcome];
    *o = (decide_outcome){.shopper = scores->shopper,
                          .promotion = scores->promotion,
                          .p_redeem = scores->p_redeem,
                          .spend_minor = scores->spend_minor};
    channel_set open = eligibility_check(run->e, scores->promotion, &o->why);
    bool chance = run->in->policy->explore.method != POLICY_EXPLORES_NOT &&
                  eligibility_is_held_out(run->e) && eligibility_held_open(run->e) != 0;
    if (open == 0 && chance) return value_held_out(run, scores, n, outcome, list, err);
    return open == 0 ? PF_OK : value_channels(run, scores, n, open, outcome, list, err);
}

static pf_status take_shopper(decision_run *run, size_t from, size_t to, drafts *list,
                              pf_error *err)
{
    const decide_score *scores = run->in->scores;
    decide_result *r = run->r;
    size_t entry = r->n_shoppers++;
    list->n = 0;
    eligibility_turn_to(run->e, scores[from].shopper);
    r->shoppers[entry] = (decide_shopper){.shopper = scores[from].shopper,
                                          .holdout = eligibility_is_held_out(run->e),
                                          .first = r->n_outcomes};
    run->first[entry] = run->options.n;
    set_picks(run, entry);
    pf_status s = PF_OK;
    for (size_t i = from; s == PF_OK && i < to;) {
        size_t next = i + 1;
        while (next < to && scores[next].promotion == scores[i].promotion)
            next++;
        s = take_pair(run, scores + i, next - i, list, err);
        i = next;
    }
    r->shoppers[entry].n_outcomes = r->n_outcomes - r->shoppers[entry].first;
    if (s == PF_OK && eligibility_is_short(run->e)) s = no_memory(err);
    return s == PF_OK ? file_drafts(run, list, err) : s;
}

/* --- all -------------------------------------------------------------------------- */

static pf_status allocate(decision_run *run, pf_error *err)
{
    const decide_score *s = run->in->scores;
    size_t shoppers = 0, pairs = 0;
    for (size_t i = 0; i < run->in->n_scores; i++) {
        bool new_shopper = i == 0 || s[i].shopper != s[i - 1].shopper;
        shoppers += new_shopper;
        pairs += new_shopper || s[i].promotion != s[i - 1].promotion;
    }
    run->r->shoppers = mem_alloc_zero(shoppers + 1, sizeof *run->r->shoppers);
    run->r->outcomes = mem_alloc_zero(pairs + 1, sizeof *run->r->outcomes);
    run->first = mem_alloc_zero(shoppers + 1, sizeof *run->first);
    run->picks = mem_alloc_zero(shoppers + 1, sizeof *run->picks);
    run->lane_picks =
        mem_alloc_zero((shoppers + 1), CHANNEL_COUNT * sizeof *run->lane_picks);
    bool all = run->r->shoppers && run->r->outcomes && run->first && run->picks;
    /* One is kept ready, so that the arrays are never NULL. */
    return all && run->lane_picks && reserve_options(&run->options, 1) ? PF_OK
                                                                       : no_memory(err);
}

pf_status run_make_candidates(decision_run *run, pf_error *err)
{
    const decide_inputs *in = run->in;
    drafts list = {NULL, 0, 0};
    pf_status s = allocate(run, err);
    for (size_t i = 0; s == PF_OK && i < in->n_scores;) {
        size_t next = i + 1;
        while (next < in->n_scores && in->scores[next].shopper == in->scores[i].shopper)
            next++;
        s = take_shopper(run, i, next, &list, err);
        i = next;
    }
    if (s == PF_OK) run->first[run->r->n_shoppers] = run->options.n;
    mem_free(list.items);
    return s;
}
