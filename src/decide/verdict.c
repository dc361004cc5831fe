/*
 * Why each option was taken or not. At the shadow prices an option's net worth is its
 * value less the price of all it draws on; what is below what the shopper has, or below
 * nothing, loses for a reason that can be named.
 */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "decide/run.h"

/* What a cap takes of an option at its price. */
static double price_of(const decision_run *run, uint32_t cap, size_t o)
{
    return run->answer.prices[cap] * run_draws_on(run, cap, o);
}

static double net_worth(const decision_run *run, size_t o)
{
    uint32_t arm = run->options.arm[o];
    double net = run->options.value[o];
    for (uint32_t i = run->caps.arm_first[arm]; i < run->caps.arm_first[arm + 1]; i++)
        net -= price_of(run, run->caps.arm_caps[i], o);
    return net;
}

/* The cap that keeps an option out: one without room for it, else the dearest. */
static uint32_t limiting_cap(const decision_run *run, size_t o)
{
    uint32_t arm = run->options.arm[o], dearest = UINT32_MAX;
    double most = 0;
    for (uint32_t i = run->caps.arm_first[arm]; i < run->caps.arm_first[arm + 1]; i++) {
        uint32_t m = run->caps.arm_caps[i];
        const decide_cap *c = &run->r->caps[m];
        bool full = c->used + run_draws_on(run, m, o) > c->limit;
        double weight = price_of(run, m, o) + (full ? fabs(run->options.value[o]) : 0);
        if (weight > most) {
            most = weight;
            dearest = m;
        }
    }
    return dearest;
}

/* --- one option ------------------------------------------------------------------- */

/* A shopper's entry with the options that were taken. */
typedef struct taken_list {
    size_t entry;
    uint32_t n;
    size_t option[LIMIT_SHOPPER_PICKS];
} taken_list;

static bool lane_is_full(const decision_run *run, const taken_list *taken, size_t o)
{
    const uint8_t lane = run->options.terms[o].channel;
    uint32_t n = 0;
    for (uint32_t i = 0; i < taken->n; i++)
        n += run->options.terms[taken->option[i]].channel == lane;
    return n > 0 && n >= run->lane_picks[taken->entry * CHANNEL_COUNT + lane];
}

/* What the shopper has taken and this could take the place of: of its group, or the one worth
 * least (by its channel, where no more go by that). */
static size_t taken_rival(const decision_run *run, const taken_list *taken, size_t o,
                          bool same_group)
{
    bool same_lane = !same_group && lane_is_full(run, taken, o);
    size_t rival = SIZE_MAX;
    double least = INFINITY;
    for (uint32_t i = 0; i < taken->n; i++) {
        size_t k = taken->option[i];
        if (same_group && run->options.group[k] != run->options.group[o]) continue;
        if (same_lane && run->options.terms[k].channel != run->options.terms[o].channel)
            continue;
        double net = net_worth(run, k);
        if (net >= least) continue;
        least = net;
        rival = k;
    }
    return rival;
}

/* Worth more than the rival at the same prices, it would stand in its place. */
static void lost_to(const decision_run *run, size_t rival, decide_reason reason,
                    reason_facts *why)
{
    double short_of = net_worth(run, rival) - why->net_minor;
    why->reason = reason;
    why->other = run->r->outcomes[run->options.outcome[rival]].promotion;
    if (short_of < 0) return; /* whole decisions do not follow prices to the last one */
    why->lever = LEVER_GAIN;
    why->actual = why->gain_minor;
    why->needed = why->gain_minor + short_of;
}

/* How much of a cap is missing for it, where no other cap is in the way. */
static double missing(const decision_run *run, uint32_t cap, size_t o)
{
    uint32_t arm = run->options.arm[o];
    for (uint32_t i = run->caps.arm_first[arm]; i < run->caps.arm_first[arm + 1]; i++) {
        uint32_t m = run->caps.arm_caps[i];
        const decide_cap *c = &run->r->caps[m];
        if (m != cap && c->used + run_draws_on(run, m, o) > c->limit) return 0;
    }
    const decide_cap *c = &run->r->caps[cap];
    double more = c->used + run_draws_on(run, cap, o) - c->limit;
    return more > 0 ? more : 0;
}

/* rival: what it would have to beat besides, where the shopper may have no more; else SIZE_MAX. */
static void lost_to_cap(const decision_run *run, size_t o, size_t rival, reason_facts *why)
{
    uint32_t m = limiting_cap(run, o);
    double bar = rival != SIZE_MAX ? fmax(net_worth(run, rival), 0) : 0;
    why->reason = REASON_BUDGET_EXHAUSTED;
    if (m == UINT32_MAX) return;
    const decide_cap *c = &run->r->caps[m];
    why->cap = c->kind;
    why->cap_channel = c->channel;
    why->other = c->promotion;
    why->price = c->price;
    if (rival == SIZE_MAX) why->more = missing(run, m, o);
    if (why->net_minor > bar) return;
    why->lever = LEVER_GAIN;
    why->actual = why->gain_minor;
    why->needed = why->gain_minor + bar - why->net_minor;
}

static void below_zero(const decision_run *run, size_t o, reason_facts *why)
{
    why->reason = REASON_VALUE_BELOW_ZERO;
    run_say_what_it_takes(run, &run->options.terms[o], run->options.redemptions[o], why);
}

/* Where lots are drawn: it lost by the lot, or no lot was for it. */
static void explain_lot(const decision_run *run, const taken_list *taken, size_t o,
                        double propensity, reason_facts *why)
{
    size_t drawn = taken_rival(run, taken, o, false);
    bool none = propensity <= 0;
    if (none && run->options.value[o] <= 0) {
        below_zero(run, o, why);
        return;
    }
    if (none && (why->net_minor <= 0 || !run_fits_alone(run, o))) {
        lost_to_cap(run, o, SIZE_MAX, why);
        if (why->cap != DECIDE_CAP_NONE) return;
    }
    why->reason = REASON_NOT_DRAWN;
    why->propensity = propensity;
    if (drawn != SIZE_MAX)
        why->other = run->r->outcomes[run->options.outcome[drawn]].promotion;
}

/* Why an option of a promotion that got nothing was not taken. */
static void explain_lost(const decision_run *run, const taken_list *taken, size_t o,
                         reason_facts *why)
{
    size_t same = taken_rival(run, taken, o, true);
    size_t any = taken_rival(run, taken, o, false);
    bool full = taken->n >= run->picks[taken->entry] || lane_is_full(run, taken, o);
    if (same != SIZE_MAX) {
        lost_to(run, same, REASON_STACKING, why);
    } else if (run->options.value[o] <= 0) {
        below_zero(run, o, why);
    } else if (why->net_minor <= 0 || any == SIZE_MAX || !full) {
        lost_to_cap(run, o, full ? any : SIZE_MAX, why);
        if (why->cap == DECIDE_CAP_NONE && any != SIZE_MAX)
            lost_to(run, any, REASON_LOWER_VALUE, why);
    } else {
        lost_to(run, any, REASON_LOWER_VALUE, why);
    }
}

/* The numbers of one option, where they differ by channel. */
static void note_option(const decision_run *run, size_t o, decide_outcome *out)
{
    const run_terms *t = &run->options.terms[o];
    run_worth worth = run_worth_under(run, o, UINT32_MAX);
    out->p_redeem = run->options.redemptions[o];
    out->cost_minor = (int64_t)run->options.cost[o];
    out->spend_minor = t->spend_minor;
    out->lift_known = t->lift_known;
    out->lift_minor = t->lift_minor;
    out->why.channel = (channel)t->channel;
    out->why.value_minor = run->options.value[o];
    out->why.gain_minor = worth.gain;
    out->why.cost_minor = t->contact_minor + out->p_redeem * t->discount_minor;
    out->why.fatigue_minor = t->fatigue_minor;
    out->why.net_minor = net_worth(run, o);
    out->why.lever = LEVER_NONE;
    out->why.needed = out->why.actual = 0;
}

/* Which words: by lot, the same for ever for one shopper and promotion. */
static void draw_variant(const decision_run *run, decide_outcome *out)
{
    const shop_catalogue *c = run->in->catalogue;
    const promotion *p = &c->promotions[out->promotion];
    const shopper *s = &c->shoppers[out->shopper];
    char salt[2 * FINGERPRINT_TEXT_BYTES + 16];
    frame_key key = {p->kind, out->why.channel,
                     language_of(s->language, run->in->language), p->id};
    uint32_t n = run->in->frames != NULL ? frame_set_count(run->in->frames, &key) : 0;
    out->variant_share = n > 0 ? 1.0f / (float)n : 1;
    if (n < 2) return;
    fingerprint id = fingerprint_of(p->id, strlen(p->id));
    memcpy(salt, "variant:", 8);
    fingerprint_format(&id, salt + 8);
    out->variant = (uint32_t)(hash_share(salt, s->id) * n);
    if (out->variant >= n) out->variant = n - 1;
}

/* --- one shopper ------------------------------------------------------------------ */

/* The chosen ones; and the chance of each. */
static void note_chosen(decision_run *run, size_t entry, taken_list *taken)
{
    decide_result *r = run->r;
    taken->entry = entry;
    taken->n = 0;
    for (size_t o = run->first[entry]; o < run->first[entry + 1]; o++) {
        decide_outcome *out = &r->outcomes[run->options.outcome[o]];
        out->propensity += run->options.propensity[o];
        if (!run->answer.taken[o]) continue;
        note_option(run, o, out);
        out->send_at_us = run->options.terms[o].send_at_us;
        out->why.reason = REASON_CHOSEN;
        draw_variant(run, out);
        taken->option[taken->n++] = o;
        r->cost_minor += out->cost_minor;
        r->gain_minor += out->why.gain_minor;
        r->expected_cost_minor += out->why.cost_minor;
        r->fatigue_minor += out->why.fatigue_minor;
    }
    r->shoppers[entry].n_chosen = taken->n;
}

/* Of several channels the most valuable speaks for its promotion. Channels of one promotion stand
 * beside each other. */
static void explain_shopper(decision_run *run, size_t entry)
{
    const run_options *all = &run->options;
    const size_t end = run->first[entry + 1];
    run->r->shoppers[entry].draw = run->lot != NULL ? run->lot[entry] : EXPLORE_NO_DRAW;
    taken_list taken;
    note_chosen(run, entry, &taken);
    for (size_t o = run->first[entry], next = o; o < end; o = next) {
        decide_outcome *out = &run->r->outcomes[all->outcome[o]];
        size_t best = o;
        for (next = o + 1; next < end && all->outcome[next] == all->outcome[o]; next++)
            if (all->value[next] > all->value[best]) best = next;
        if (out->why.reason == REASON_CHOSEN) {
            out->why.propensity = out->propensity;
            continue;
        }
        if (out->why.reason == REASON_HOLDOUT) continue; /* it has chances, and its reason */
        note_option(run, best, out);
        if (run->lot != NULL)
            explain_lot(run, &taken, best, out->propensity, &out->why);
        else
            explain_lost(run, &taken, best, &out->why);
    }
}

/* Later reasons are nearer to being chosen; among equals the more valuable. */
static bool speaks_louder(const decide_outcome *a, const decide_outcome *b)
{
    int rank_a = a->why.reason == REASON_CHOSEN ? REASON_COUNT : (int)a->why.reason;
    int rank_b = b->why.reason == REASON_CHOSEN ? REASON_COUNT : (int)b->why.reason;
    if (rank_a != rank_b) return rank_a > rank_b;
    return a->why.value_minor > b->why.value_minor;
}

static void count_shopper(decide_result *r, decide_shopper *s)
{
    s->best = s->first;
    for (size_t i = s->first; i < s->first + s->n_outcomes; i++) {
        if (speaks_louder(&r->outcomes[i], &r->outcomes[s->best])) s->best = i;
        r->by_reason[r->outcomes[i].why.reason]++;
    }
    r->n_chosen += s->n_chosen;
    r->n_treated += s->n_chosen > 0;
    r->n_held_out += s->holdout;
}

/* What all that is chosen brings under each draw. */
static pf_status add_draws(decision_run *run, pf_error *err)
{
    decide_result *r = run->r;
    r->n_draws = run->in->n_draws;
    if (r->n_draws == 0) return PF_OK;
    r->draw_gain = mem_alloc_zero(r->n_draws, sizeof *r->draw_gain);
    r->draw_value = mem_alloc_zero(r->n_draws, sizeof *r->draw_value);
    if (r->draw_gain == NULL || r->draw_value == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for draws");
    for (size_t o = 0; o < run->options.n; o++) {
        if (!run->answer.taken[o]) continue;
        for (uint32_t d = 0; d < r->n_draws; d++) {
            run_worth worth = run_worth_under(run, o, d);
            r->draw_gain[d] += worth.gain;
            r->draw_value[d] += worth.value;
        }
    }
    return PF_OK;
}

pf_status run_give_verdicts(decision_run *run, pf_error *err)
{
    decide_result *r = run->r;
    for (uint32_t m = 0; m < r->n_caps; m++) {
        r->caps[m].used = run->answer.used[m];
        r->caps[m].price = run->answer.prices[m];
    }
    for (size_t entry = 0; entry < r->n_shoppers; entry++)
        explain_shopper(run, entry);
    for (size_t i = 0; i < r->n_outcomes; i++)
        if (r->outcomes[i].why.reason == REASON_COUNT)
            return error_set(err, PF_INTERNAL, "a candidate was left without a reason");
    for (size_t entry = 0; entry < r->n_shoppers; entry++)
        count_shopper(r, &r->shoppers[entry]);
    r->value_minor = run->answer.value;
    r->bound_minor = run->answer.bound;
    r->gap = run->answer.gap;
    r->holdout_share = run->in->policy->holdout_share;
    r->policy = policy_fingerprint(run->in->policy);
    r->empty_audience = eligibility_empty_audience(run->e, 1);
    return add_draws(run, err);
}
