/*
 * proffer.yaml -> the policy.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/deciding.h"

static int compare_amounts(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median worth of promotions that say theirs; MONEY_ABSENT when none does. */
static pf_status median_value(const shop_catalogue *c, int64_t *out, pf_error *err)
{
    int64_t *value = mem_alloc((size_t)c->n_promotions + 1, sizeof *value);
    size_t n = 0;
    if (value == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        if (c->promotions[i].value_minor != MONEY_ABSENT)
            value[n++] = c->promotions[i].value_minor;
    qsort(value, n, sizeof *value, compare_amounts);
    *out = n ? value[n / 2] : MONEY_ABSENT;
    mem_free(value);
    return PF_OK;
}

static void set_channels(const config *c, policy *out)
{
    out->channels = 0;
    for (uint32_t i = 0; i < c->n_channels; i++) {
        const config_channel *from = &c->channels[i];
        policy_channel *to = &out->channel[from->channel];
        out->channels |= (channel_set)1 << from->channel;
        to->contact_cost_minor = (double)from->cost_minor;
        to->budget_minor = from->budget_minor;
        to->messages = from->messages;
        to->window = (policy_window){from->per_day, from->per_week, from->per_month};
    }
    if (c->contact_unasked) out->unasked = out->channels;
}

static void set_tags(const config *c, policy *out)
{
    out->n_tags = c->n_tags;
    for (uint32_t i = 0; i < c->n_tags; i++) {
        const config_tag *from = &c->tags[i];
        out->tag[i] = (policy_tag){from->tag,
                                   {from->per_day, from->per_week, from->per_month}};
    }
}

static void set_exploration(const config *c, policy *out)
{
    for (int i = 0; i <= POLICY_EXPLORES_SOFTMAX; i++)
        if (strcmp(c->explore, policy_exploring_name((policy_exploring)i)) == 0)
            out->explore.method = (policy_exploring)i;
    out->explore.floor = c->explore_floor;
    out->explore.epsilon = c->explore_epsilon;
    out->explore.salt = c->explore_salt;
    /* none is as little a temperature as 0 is, which the policy's check refuses */
    out->explore.temperature =
        c->explore_temperature_minor != MONEY_ABSENT ? (double)c->explore_temperature_minor : 0;
}

static void set_worth(const config *c, policy *out)
{
    static const char *const words[] = {"margin", "revenue", "redemptions", "clicks",
                                        "conversions"};
    for (int i = 0; i <= POLICY_CONVERSIONS; i++)
        if (strcmp(c->metric, words[i]) == 0) out->metric = (policy_metric)i;
    if (c->worth_minor != MONEY_ABSENT) out->worth_minor = (double)c->worth_minor;
    out->hard = c->hard_budgets;
    out->largest_discount_minor = c->largest_discount_minor;
    out->messages = (uint64_t)c->messages;
    out->window = (policy_window){(uint32_t)c->per_day, (uint32_t)c->per_week,
                                  (uint32_t)c->per_month};
    out->quiet = (quiet_hours){c->quiet_from_minute, c->quiet_to_minute};
}

pf_status policy_from_config(const proffer *p, policy *out, pf_error *err)
{
    const config *c = p->config;
    *out = policy_default();
    out->name = "proffer.yaml";
    out->margin_rate = c->margin_rate;
    out->unknown_discount_minor = c->unknown_value_minor;
    out->budget_minor = c->budget_minor;
    out->promotion_budget_minor = c->promotion_budget_minor;
    out->per_shopper = (uint32_t)c->per_shopper;
    out->holdout_share = c->holdout;
    out->holdout_salt = c->holdout_salt;
    out->campaign_holdout_share = c->campaign_holdout;
    set_channels(c, out);
    set_tags(c, out);
    set_worth(c, out);
    set_exploration(c, out);
    pf_status s = PF_OK;
    if (out->unknown_discount_minor == MONEY_ABSENT)
        s = median_value(p->catalogue, &out->unknown_discount_minor, err);
    if (s != PF_OK) return s;
    const char *why = policy_check_parameters(out);
    return why ? error_set(err, PF_USAGE, "proffer.yaml, decide: %s", why) : PF_OK;
}
