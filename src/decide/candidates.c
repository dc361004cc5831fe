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
           mem_reserve((void **)&o->channel, &o->capacity[6], n, sizeof *o->channel) &&
           mem_reserve((void **)&o->spend, &o->capacity[7], n, sizeof *o->spend);
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
    channel by;
    double value, p_redeem, spend_minor;
    int64_t cost_minor;
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
    return (int)x->by - (int)y->by;
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
static void note_channel(decide_outcome *o, const decide_score *score, channel by,
                         const value_terms *v)
{
    bool first = o->why.channel == CHANNEL_NONE;
    if (!first && v->value_minor <= o->why.value_minor) return;
    o->p_redeem = score->p_redeem;
    o->spend_minor = score->spend_minor;
    o->cost_minor = v->amount_minor;
    o->why.channel = by;
    o->why.gain_minor = v->gain_minor;
    o->why.cost_minor = v->cost_minor;
    o->why.value_minor = v->value_minor;
}

/* Values every open channel; those worth something become drafts. */
static pf_status value_channels(decision_run *run, const decide_score *scores, size_t n,
                                channel_set open, size_t outcome, drafts *list,
                                pf_error *err)
{
    decide_outcome *o = &run->r->outcomes[outcome];
    const promotion *p = &run->in->catalogue->promotions[o->promotion];
    o->why.reason = REASON_VALUE_BELOW_ZERO;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        const decide_score *score = score_for(scores, n, (channel)by);
        value_terms v;
        if (!(open & 1u << by) || score == NULL) continue;
        if (!value_of(run->in->policy, p, (channel)by, score->p_redeem,
                      score->spend_minor, &v)) {
            o->why.reason = REASON_COST_UNKNOWN;
            return PF_OK;
        }
        note_channel(o, score, (channel)by, &v);
        if (v.value_minor <= 0) continue;
        if (!mem_reserve((void **)&list->items, &list->capacity, list->n + 1,
                         sizeof(draft)))
            return no_memory(err);
        list->items[list->n++] = (draft){.outcome = outcome,
                                         .group = run->group_of[o->promotion],
                                         .by = (channel)by,
                                         .value = v.value_minor,
                                         .p_redeem = score->p_redeem,
                                         .spend_minor = score->spend_minor,
                                         .cost_minor = v.amount_minor};
        o->why.reason = REASON_COUNT; /* the allocation decides */
    }
    /* Open channels, but none of them is one that the scores speak of. */
    if (o->why.channel == CHANNEL_NONE) o->why.reason = REASON_CHANNEL_NOT_ALLOWED;
    return PF_OK;
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
        o->spend[o->n] = d->spend_minor;
        o->group[o->n] = d->group;
        o->outcome[o->n] = d->outcome;
        o->channel[o->n] = (uint8_t)d->by;
        o->arm[o->n] = run_arm(run, run->r->outcomes[d->outcome].promotion, d->by);
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
