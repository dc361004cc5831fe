/* What was bought with promotions, per shopper who was sent any. */
#include <math.h>

#include "base/clock.h"
#include "response/contacts.h"
#include "response/fatigue.h"

/* The rows of one shopper in the window. */
typedef struct span {
    const shop_catalogue *c;
    const shop_history *h;
    uint64_t from, end;
} span;

static bool is_sent_any(const span *s)
{
    for (uint64_t i = s->from; i < s->end; i++)
        if (s->h->type[i] == EVENT_EXPOSURE && contact_is_sent(contact_channel(s->c, s->h, i)))
            return true;
    return false;
}

static bool has_coupon(const shop_history *h, uint64_t i)
{
    return h->type[i] == EVENT_PURCHASE && h->coupon_minor[i] > 0;
}

/* Whether the order of row i has a line with a coupon, or a redemption, within a day of it. */
static bool order_has(const span *s, uint64_t i, bool coupon)
{
    const shop_history *h = s->h;
    for (uint64_t k = history_position(h->time_us, s->from, s->end, h->time_us[i] - US_PER_DAY);
         k < s->end && h->time_us[k] <= h->time_us[i] + US_PER_DAY; k++)
        if (h->order[k] == h->order[i] &&
            (coupon ? has_coupon(h, k) : h->type[k] == EVENT_REDEMPTION))
            return true;
    return false;
}

/* A redemption without an order whose promotion covers the line, within a day before it. */
static bool follows_redemption(const span *s, uint64_t line)
{
    const shop_history *h = s->h;
    for (uint64_t i = history_position(h->time_us, s->from, s->end,
                                       h->time_us[line] - US_PER_DAY + 1);
         i < s->end && h->time_us[i] <= h->time_us[line]; i++) {
        const uint32_t number = h->promotion[i];
        if (h->type[i] == EVENT_REDEMPTION && h->order[i] == 0 && s->c != NULL && number > 0 &&
            number <= s->c->n_promotions &&
            promotion_covers(&s->c->promotions[number], h->product[line]))
            return true;
    }
    return false;
}

static bool was_promoted(const span *s, uint64_t i, bool redeems)
{
    if (s->h->type[i] != EVENT_PURCHASE || s->h->paid_minor[i] == MONEY_ABSENT) return false;
    if (has_coupon(s->h, i)) return true;
    if (!redeems) return false;
    const bool ordered = s->h->order[i] != 0;
    if (ordered && order_has(s, i, false)) return !order_has(s, i, true);
    return follows_redemption(s, i) && !(ordered && order_has(s, i, true));
}

static bool redeems_any(const span *s)
{
    for (uint64_t i = s->from; i < s->end; i++)
        if (s->h->type[i] == EVENT_REDEMPTION) return true;
    return false;
}

/* Spend of one shopper, and whether there was any line. Amounts are at most LIMIT_MONEY_MINOR, so a
 * double holds their sum to more digits than a margin has. */
static double promoted_spend(const span *s, bool *any)
{
    const bool redeems = redeems_any(s);
    double sum = 0;
    for (uint64_t i = s->from; i < s->end; i++) {
        if (!was_promoted(s, i, redeems)) continue;
        sum += (double)s->h->paid_minor[i];
        *any = true;
    }
    return sum;
}

int64_t fatigue_worth(const shop_catalogue *c, const shop_history *h, double margin_rate,
                      int64_t until_us)
{
    const int64_t window_us = FATIGUE_WORTH_DAYS * US_PER_DAY;
    const int64_t from_us = until_us < INT64_MIN + window_us ? INT64_MIN : until_us - window_us;
    double sum = 0;
    uint64_t reached = 0;
    bool any = false;
    if (!(margin_rate >= 0 && margin_rate <= 1)) return MONEY_ABSENT;
    for (uint32_t who = 1; who <= h->n_shoppers; who++) {
        const span s = {c, h, history_before(h, who, from_us), history_before(h, who, until_us)};
        if (!is_sent_any(&s)) continue;
        reached++;
        sum += promoted_spend(&s, &any);
    }
    if (!any) return MONEY_ABSENT;
    return (int64_t)llround(fmin(margin_rate * sum / (double)reached, 9e18));
}
