/* Defaults, checks and the fingerprint of a policy. */
#include "decide/policy.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

policy policy_default(void)
{
    policy p = {.name = "default",
                .version = 1,
                .margin_rate = 0.25,
                .unknown_discount_minor = MONEY_ABSENT,
                .budget_minor = MONEY_ABSENT,
                .promotion_budget_minor = MONEY_ABSENT,
                .largest_discount_minor = MONEY_ABSENT,
                .per_shopper = 1,
                .explore = {.epsilon = 0.1, .temperature = 1, .salt = "explore-1"},
                .holdout_share = 0.1,
                .holdout_salt = "holdout-1",
                .channels = CHANNEL_SET_ALL,
                .unasked = 1u << CHANNEL_SITE};
    for (int c = 0; c < CHANNEL_COUNT; c++)
        p.channel[c].budget_minor = MONEY_ABSENT;
    return p;
}

static bool is_budget(int64_t minor)
{
    return minor == MONEY_ABSENT || (minor >= 0 && minor <= LIMIT_MONEY_MINOR);
}

static bool is_text(const char *words)
{
    size_t n = words != NULL ? strlen(words) : 0;
    return n > 0 && n <= LIMIT_ID_BYTES;
}

static const char *check_channel(const policy_channel *c)
{
    if (!isfinite(c->contact_cost_minor) || c->contact_cost_minor < 0)
        return "a channel's contact cost must be a number >= 0";
    if (!is_budget(c->budget_minor)) return "a channel's budget must be none or >= 0";
    return NULL;
}

const char *policy_exploring_name(policy_exploring method)
{
    static const char *const names[POLICY_EXPLORING_COUNT] = {"none", "thompson", "greedy",
                                                              "softmax"};
    return names[method];
}

static const char *check_exploration(const policy *p)
{
    const policy_exploration *e = &p->explore;
    if ((unsigned)e->method >= POLICY_EXPLORING_COUNT)
        return "exploration is none, thompson, greedy or softmax";
    if (e->method == POLICY_EXPLORES_NOT) return NULL;
    if (p->per_shopper != 1)
        return "exploration chooses one promotion a shopper: set the promotions for a shopper "
               "in one run to 1";
    if (!(e->epsilon >= 0 && e->epsilon <= 1))
        return "epsilon of exploration must be between 0 and 1";
    if (!(e->temperature > 0 && isfinite(e->temperature)))
        return "the temperature of exploration must be a number above 0";
    if (!(e->floor >= 0 && e->floor <= 0.1))
        return "the least chance of exploration must be between 0 and 0.1";
    return is_text(e->salt) ? NULL : "exploration needs a salt of at most 256 bytes";
}

static const char *check_tags(const policy *p)
{
    if (p->n_tags > POLICY_TAGS_MAX) return "at most 32 tags can have caps";
    for (uint32_t i = 0; i < p->n_tags; i++) {
        if (!is_text(p->tag[i].name)) return "a capped tag needs a name of at most 256 bytes";
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(p->tag[i].name, p->tag[k].name) == 0)
                return "a tag has caps twice; write all of its caps in one entry";
    }
    return NULL;
}

bool policy_counts(policy_metric metric)
{
    return metric == POLICY_REDEMPTIONS || metric == POLICY_CLICKS || metric == POLICY_CONVERSIONS;
}

static const char *check_worth(const policy *p)
{
    if ((unsigned)p->metric > POLICY_CONVERSIONS)
        return "the gain counts margin, revenue, redemptions, clicks or conversions";
    if (!(p->worth_minor >= 0 && p->worth_minor <= (double)LIMIT_MONEY_MINOR))
        return "the worth of what the metric counts must be a number >= 0";
    if (p->worth_minor == 0 && p->metric == POLICY_REDEMPTIONS)
        return "to count redemptions, say what one is worth (decide.worth)";
    if (p->worth_minor == 0 && p->metric == POLICY_CLICKS)
        return "to count clicks, say what one is worth (decide.worth)";
    if (p->worth_minor == 0 && p->metric == POLICY_CONVERSIONS)
        return "to count conversions, say what one is worth (decide.worth)";
    const char *why = quiet_check_parameters(p->quiet);
    if (why != NULL) return why;
    return p->quiet.from_minute == 0 && p->quiet.to_minute == QUIET_MINUTES
               ? "quiet hours take up the whole day, so nothing could be sent"
               : NULL;
}

const char *policy_check_parameters(const policy *p)
{
    if (!is_text(p->name)) return "the policy needs a name of at most 256 bytes";
    if (!(p->margin_rate >= 0 && p->margin_rate <= 1))
        return "the margin rate must be between 0 and 1";
    if (!is_budget(p->unknown_discount_minor))
        return "the worth of a promotion of unknown value must be none or >= 0";
    if (!is_budget(p->largest_discount_minor))
        return "the largest discount must be none or >= 0";
    if (!is_budget(p->budget_minor)) return "the budget must be none or >= 0";
    if (!is_budget(p->promotion_budget_minor))
        return "the budget of each promotion must be none or >= 0";
    if (p->per_shopper < 1 || p->per_shopper > LIMIT_SHOPPER_PICKS)
        return "promotions for a shopper in one run must be between 1 and 100";
    if (!(p->holdout_share >= 0 && p->holdout_share <= 0.9))
        return "the holdout share must be between 0 and 0.9";
    if (!(p->campaign_holdout_share >= 0 && p->campaign_holdout_share <= 0.9))
        return "the holdout share of a campaign must be between 0 and 0.9";
    if (!is_text(p->holdout_salt)) return "the holdout needs a salt of at most 256 bytes";
    if (p->channels == 0) return "the policy allows no channel, so nothing could be sent";
    if ((p->channels | p->unasked) & ~CHANNEL_SET_ALL) return "there is no such channel";
    for (int c = 1; c < CHANNEL_COUNT; c++) {
        const char *why = check_channel(&p->channel[c]);
        if (why != NULL) return why;
    }
    const char *why = check_worth(p);
    if (why == NULL) why = check_tags(p);
    return why != NULL ? why : check_exploration(p);
}

/* Written out as text, so that the fingerprint does not depend on padding or byte
 * order. */
static void add_window(fingerprint_state *s, const policy_window *w)
{
    char line[64];
    (void)snprintf(line, sizeof line, "%u %u %u", w->per_day, w->per_week, w->per_month);
    fingerprint_add_text(s, line);
}

static void add_channel(fingerprint_state *s, const policy_channel *c)
{
    char line[160];
    (void)snprintf(line, sizeof line, "%a %lld %llu %u", c->contact_cost_minor,
                   (long long)c->budget_minor, (unsigned long long)c->messages,
                   c->per_shopper);
    fingerprint_add_text(s, line);
    add_window(s, &c->window);
}

static void add_rest(fingerprint_state *s, const policy *p)
{
    const policy_exploration *e = &p->explore;
    char line[256];
    (void)snprintf(line, sizeof line, "%d %a %d %lld %d %d %d %a %a %a", (int)p->metric,
                   p->worth_minor, p->hard, (long long)p->largest_discount_minor,
                   p->quiet.from_minute, p->quiet.to_minute, (int)e->method, e->epsilon,
                   e->temperature, e->floor);
    fingerprint_add_text(s, line);
    fingerprint_add_text(s, e->salt);
    for (uint32_t i = 0; i < p->n_tags; i++) {
        fingerprint_add_text(s, p->tag[i].name);
        add_window(s, &p->tag[i].window);
    }
}

fingerprint policy_fingerprint(const policy *p)
{
    fingerprint_state s;
    char line[256];
    fingerprint_begin(&s);
    (void)snprintf(line, sizeof line, "%u %a %lld %lld %lld %llu %u %a %a %u %u", p->version,
                   p->margin_rate, (long long)p->unknown_discount_minor,
                   (long long)p->budget_minor, (long long)p->promotion_budget_minor,
                   (unsigned long long)p->messages, p->per_shopper, p->holdout_share,
                   p->campaign_holdout_share, p->channels, p->unasked);
    fingerprint_add_text(&s, p->name);
    fingerprint_add_text(&s, line);
    fingerprint_add_text(&s, p->holdout_salt);
    add_window(&s, &p->window);
    for (int c = 1; c < CHANNEL_COUNT; c++)
        add_channel(&s, &p->channel[c]);
    add_rest(&s, p);
    return fingerprint_end(&s);
}
