/*
 * The table of eligibility rules, in the order in which they are asked. A rule looks at
 * the state of one shopper and one promotion; it may narrow the set of channels that are
 * open; it refuses by returning false, and puts the numbers of its reason's sentence into
 * *why.
 */
#include "decide/eligibility_state.h"
#include "decide/holdout.h"

#include <assert.h>

typedef struct rule_case {
    eligibility *e;
    const promotion *p;
    uint32_t number; /* of the promotion */
    channel_set open;
    reason_facts *why;
} rule_case;

typedef bool rule_function(rule_case *c);

static bool shopper_is_known(rule_case *c)
{
    return c->e->known;
}

static bool is_live(rule_case *c)
{
    int64_t at_us = c->e->world.at_us;
    if (promotion_is_live(c->p, at_us)) return true;
    bool early = c->p->starts_us != TIME_ABSENT && at_us < c->p->starts_us;
    c->why->time_us = early ? c->p->starts_us : c->p->ends_us;
    c->why->seen = early;
    c->why->from_us = c->p->starts_us;
    c->why->until_us = c->p->ends_us;
    return false;
}

static bool is_stocked(rule_case *c)
{
    return c->e->stocked[c->number];
}

static bool redemptions_are_left(rule_case *c)
{
    c->why->limit = c->p->redemption_limit;
    c->why->seen = c->e->redeemed[c->number];
    return c->why->limit == 0 || c->why->seen < c->why->limit;
}

static bool is_in_audience(rule_case *c)
{
    uint32_t rule = c->e->rule_of[c->number];
    if (rule == 0 || eligibility_audience(c->e, rule) == AUDIENCE_YES) return true;
    c->why->wants = c->e->blames[rule].wants;
    c->why->has = c->e->blames[rule].has;
    return false;
}

static bool shopper_may_redeem_again(rule_case *c)
{
    c->why->limit = c->p->shopper_limit;
    c->why->seen = c->e->own[c->number];
    return c->why->limit == 0 || c->why->seen < c->why->limit;
}

static bool channel_is_allowed(rule_case *c)
{
    channel_set of_promotion = c->p->channels != 0 ? c->p->channels : CHANNEL_SET_ALL;
    c->why->channels = of_promotion;
    c->open = of_promotion & c->e->world.policy->channels & CHANNEL_SET_ALL;
    return c->open != 0;
}

static bool consent_is_not_refused(rule_case *c)
{
    c->why->channels = c->open;
    c->open &= ~c->e->refused;
    return c->open != 0;
}

static bool consent_is_given(rule_case *c)
{
    c->why->channels = c->open;
    c->open &= c->e->given | c->e->world.policy->unasked;
    return c->open != 0;
}

static bool there_are_words(rule_case *c)
{
    const frame_set *frames = c->e->world.frames;
    if (frames == NULL) return true;
    c->why->channels = c->open;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        frame_key key = {c->p->kind, (channel)by, c->e->language, c->p->id};
        if (c->open & 1u << by && frame_set_count(frames, &key) == 0)
            c->open &= ~(1u << by);
    }
    return c->open != 0;
}

/* When the windows over all channels and those of one of `open` have room. */
static int64_t next_exposure(eligibility *e, channel_set open)
{
    int64_t first = INT64_MAX;
    int64_t total = eligibility_room_from(e, (past_filter){-1, -1});
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        if (!(open & 1u << by)) continue;
        int64_t here = eligibility_room_from(e, (past_filter){by, -1});
        if (here < first) first = here;
    }
    return total > first ? total : first;
}

static bool exposures_are_left(rule_case *c)
{
    const policy *p = c->e->world.policy;
    const channel_set before = c->open;
    bool left = eligibility_left(&p->window, &c->e->total, c->why) > 0;
    for (int by = 1; left && by < CHANNEL_COUNT; by++)
        if (c->open & 1u << by &&
            eligibility_left(&p->channel[by].window, &c->e->by[by], c->why) == 0) {
            c->open &= ~(1u << by);
            c->why->channel = (channel)by;
        }
    if (left && c->open != 0) return true;
    c->why->time_us = next_exposure(c->e, before);
    return false;
}

/* When the windows of all its capped tags have room. */
static int64_t next_of_tags(eligibility *e, uint32_t tags)
{
    int64_t last = e->world.at_us;
    for (int t = 0; t < (int)e->world.policy->n_tags; t++) {
        if (!(tags >> t & 1u)) continue;
        int64_t here = eligibility_room_from(e, (past_filter){-1, t});
        if (here > last) last = here;
    }
    return last;
}

static bool tags_are_left(rule_case *c)
{
    const policy *p = c->e->world.policy;
    uint32_t tags = c->e->tagged[c->number];
    for (uint32_t t = 0; t < p->n_tags; t++) {
        if (!(tags >> t & 1u)) continue;
        if (eligibility_left(&p->tag[t].window, &c->e->about[t], c->why) > 0) continue;
        c->why->tag = c->e->tag_number[t];
        c->why->time_us = next_of_tags(c->e, tags);
        return false;
    }
    return true;
}

/* Last, so that a held-out shopper is known to have been eligible: the comparison is with
 * shoppers who were treated, not with those who could not be. */
static bool is_not_held_out(rule_case *c)
{
    const eligibility_world *w = &c->e->world;
    const double share = w->policy->campaign_holdout_share;
    const uint32_t number = c->p->campaign;
    char salt[HOLDOUT_SALT_BYTES];
    if (c->e->held_out) return false;
    if (share <= 0 || number == 0 || number > w->catalogue->n_campaigns) return true;
    holdout_campaign_salt(w->policy->holdout_salt, w->catalogue->campaigns[number].id, salt);
    return !holdout_has(salt, share, w->catalogue->shoppers[c->e->shopper].id);
}

static const struct {
    decide_reason reason;
    rule_function *passes;
} rules[] = {
    {REASON_UNKNOWN_SHOPPER, shopper_is_known},
    {REASON_NOT_LIVE, is_live},
    {REASON_NOTHING_IN_STOCK, is_stocked},
    {REASON_REDEMPTION_LIMIT, redemptions_are_left},
    {REASON_NOT_IN_AUDIENCE, is_in_audience},
    {REASON_SHOPPER_LIMIT, shopper_may_redeem_again},
    {REASON_CHANNEL_NOT_ALLOWED, channel_is_allowed},
    {REASON_CONSENT_REFUSED, consent_is_not_refused},
    {REASON_NO_CONSENT, consent_is_given},
    {REASON_NO_MESSAGE, there_are_words},
    {REASON_EXPOSURE_CAP, exposures_are_left},
    {REASON_TAG_CAP, tags_are_left},
    {REASON_HOLDOUT, is_not_held_out},
};

static_assert(sizeof rules / sizeof rules[0] == REASON_HOLDOUT, "one rule a reason");

channel_set eligibility_run_rules(eligibility *e, const promotion *p, uint32_t number,
                                  reason_facts *why)
{
    rule_case c = {.e = e, .p = p, .number = number};
    e->held_open = 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        reason_facts facts = {.reason = rules[i].reason};
        c.why = &facts;
        if (rules[i].passes(&c)) continue;
        *why = facts;
        if (facts.reason == REASON_HOLDOUT) e->held_open = c.open;
        return 0;
    }
    return c.open;
}
