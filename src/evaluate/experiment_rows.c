/* Counting what a shopper did in his window and before it (experiment_rows.h). */
#include "evaluate/experiment_rows.h"

#include <math.h>

/* What happened in one stretch of time. */
typedef struct stretch {
    uint64_t bought, given_back, responses, exposures, unsubscribes, dismissals, ratings;
    double revenue_minor, stars;
    uint64_t unpriced;
} stretch;

bool experiment_is_share(experiment_metric m)
{
    return m == EXPERIMENT_BUYERS || m == EXPERIMENT_RESPONSES || m == EXPERIMENT_UNSUBSCRIBES ||
           m == EXPERIMENT_DISMISSALS;
}

bool experiment_is_ratio(experiment_metric m)
{
    return m == EXPERIMENT_RETURNS || m == EXPERIMENT_RATING;
}

pf_status experiment_check_members(const experiment_member *members, size_t n, pf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && members[i].shopper <= members[i - 1].shopper)
            return error_set(err, PF_USAGE,
                             "member %zu is not behind the one before: each shopper once, in "
                             "rising order",
                             i + 1);
        if ((unsigned)members[i].arm >= EXPERIMENT_ARMS || members[i].since_us <= INT64_MIN / 2)
            return error_set(err, PF_USAGE, "member %zu has no arm or no moment of assignment",
                             i + 1);
    }
    return PF_OK;
}

static void add_money(stretch *s, int64_t minor, double sign)
{
    if (minor == MONEY_ABSENT)
        s->unpriced++;
    else
        s->revenue_minor += sign * (double)minor;
}

static void count_row(const shop_history *h, uint64_t i, uint32_t only, stretch *s)
{
    const bool ours = only == 0 || h->campaign[i] == only;
    switch ((event_type)h->type[i]) {
    case EVENT_EXPOSURE: s->exposures += ours; break;
    case EVENT_CLICK:
        s->responses += ours && (h->promotion[i] != 0 || h->campaign[i] != 0);
        break;
    case EVENT_REDEMPTION: s->responses += ours; break;
    case EVENT_PURCHASE:
        s->bought++;
        add_money(s, h->paid_minor[i], 1);
        break;
    case EVENT_RETURN:
        s->given_back++;
        add_money(s, h->paid_minor[i], -1);
        break;
    case EVENT_RATING:
        if (isnan(h->rating[i])) break;
        s->ratings++;
        s->stars += (double)h->rating[i];
        break;
    case EVENT_DISMISSAL: s->dismissals += ours; break;
    case EVENT_UNSUBSCRIBE: s->unsubscribes++; break;
    default: break;
    }
}

/* A shopper's rows within [from, to); promotions of one campaign only, or 0. */
static stretch count_between(const shop_history *h, uint32_t who, int64_t from_us,
                             int64_t to_us, uint32_t only)
{
    stretch s = {0};
    if (who > h->n_shoppers) return s;
    const uint64_t end = h->first[who + 1];
    uint64_t i = history_position(h->time_us, h->first[who], end, from_us);
    for (; i < end && h->time_us[i] < to_us; i++)
        count_row(h, i, only, &s);
    return s;
}

static void add_share(experiment_sums *sums, experiment_metric m, bool did, bool did_before)
{
    sums->count[m] += did;
    moments_add(&sums->of[m], did, did_before);
}

static void add_row(experiment_sums *sums, const stretch *now, const stretch *before)
{
    add_share(sums, EXPERIMENT_BUYERS, now->bought > 0, before->bought > 0);
    add_share(sums, EXPERIMENT_RESPONSES, now->responses > 0, false);
    add_share(sums, EXPERIMENT_UNSUBSCRIBES, now->unsubscribes > 0, false);
    add_share(sums, EXPERIMENT_DISMISSALS, now->dismissals > 0, false);
    moments_add(&sums->of[EXPERIMENT_REVENUE], now->revenue_minor, before->revenue_minor);
    moments_add(&sums->of[EXPERIMENT_RETURNS], (double)now->given_back, (double)now->bought);
    moments_add(&sums->of[EXPERIMENT_RATING], now->stars, (double)now->ratings);
}

void experiment_add_member(const shop_history *h, const experiment_plan *plan,
                           const experiment_member *member, experiment_group *group,
                           experiment_sums *sums)
{
    group->members++;
    if (member->since_us > plan->until_us - plan->window_us) {
        group->waiting++;
        return;
    }
    const int64_t since = member->since_us;
    const stretch now = count_between(h, member->shopper, since, since + plan->window_us,
                                      plan->campaign);
    stretch before = {0};
    if (plan->before_us > 0)
        before = count_between(h, member->shopper, since - plan->before_us, since, 0);
    group->shoppers++;
    group->exposed += now.exposures > 0;
    group->responses += now.responses;
    group->revenue_minor += now.revenue_minor;
    group->unpriced += now.unpriced;
    add_row(sums, &now, &before);
}
