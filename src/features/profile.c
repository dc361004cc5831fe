/*
 * Computing a profile: one pass over the shopper's strict past, newest event last.
 *
 * A trip is an order, or a local day where events carry no order id. The usual gap is the
 * median of the days between trips, which a few holidays do not move. Lifecycle stages
 * compare the silence since the last trip with the shopper's own usual gap; 14 days stands
 * in where fewer than three trips tell nothing.
 */
#include "features/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "features/interest.h"

static const int32_t window_days[PROFILE_WINDOWS] = {28, 91, 365};
enum { NEW_DAYS = 30, DEFAULT_GAP_DAYS = 14, PRICE_BANDS = 5 };

struct profile_scratch {
    interest_sums categories, brands, products;
    double *gaps;   /* days between trips, then sorted */
    double *prices; /* unit prices in minor units, then sorted */
    uint32_t *campaigns;
    size_t gaps_capacity, prices_capacity, campaigns_capacity;
    int64_t band_limit[PRICE_BANDS - 1]; /* quantiles of the catalogue's prices */
    bool has_bands;
};

profile_rules profile_rules_default(void)
{
    return (profile_rules){.half_life_days = 90, .zone = NULL};
}

const char *lifecycle_stage_name(lifecycle_stage stage)
{
    static const char *const names[] = {"none", "new", "active", "at_risk", "lapsed"};
    return names[stage];
}

/* --- memory ----------------------------------------------------------------------- */

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool find_bands(const shop_catalogue *c, profile_scratch *s)
{
    int64_t *price = mem_alloc((size_t)c->n_products + 1, sizeof *price);
    size_t n = 0;
    if (price == NULL)
        return false;
    for (uint32_t i = 1; i <= c->n_products; i++)
        if (c->products[i].price_minor != MONEY_ABSENT && c->products[i].price_minor > 0)
            price[n++] = c->products[i].price_minor;
    qsort(price, n, sizeof *price, compare_i64);
    s->has_bands = n >= PRICE_BANDS;
    for (size_t k = 1; s->has_bands && k < PRICE_BANDS; k++)
        s->band_limit[k - 1] = price[n * k / PRICE_BANDS];
    mem_free(price);
    return true;
}

pf_status profile_scratch_new(const shop_catalogue *c, profile_scratch **out, pf_error *err)
{
    profile_scratch *s = mem_alloc_zero(1, sizeof *s);
    if (s != NULL && interest_init(&s->categories, c->n_categories) &&
        interest_init(&s->brands, c->n_brands) && interest_init(&s->products, c->n_products) &&
        find_bands(c, s)) {
        *out = s;
        return PF_OK;
    }
    profile_scratch_free(s);
    return error_set(err, PF_NO_MEMORY, "out of memory for profiles over %u products",
                     c->n_products);
}

void profile_scratch_free(profile_scratch *s)
{
    if (s == NULL)
        return;
    interest_free(&s->categories);
    interest_free(&s->brands);
    interest_free(&s->products);
    mem_free(s->gaps);
    mem_free(s->prices);
    mem_free(s->campaigns);
    mem_free(s);
}

/* --- one pass --------------------------------------------------------------------- */

/* What the pass carries along. */
typedef struct walk {
    const shop_catalogue *c;
    const shop_history *h;
    const profile_rules *rules;
    profile_scratch *s;
    profile *out;
    size_t n_gaps, n_prices;
    int64_t first_trip_us, last_trip_us; /* TIME_ABSENT before the first */
    uint64_t last_order;
    int64_t last_day;
    int64_t spent, under_discount, under_coupon, discount_sum;
    uint32_t trips;
} walk;

static double age_days(const walk *k, int64_t time_us)
{
    return (double)(k->out->at_us - time_us) / (double)US_PER_DAY;
}

/* What a line is worth: what was paid, else the catalogue's price, else one unit. */
static double line_worth(const walk *k, uint64_t i)
{
    if (k->h->paid_minor[i] != MONEY_ABSENT)
        return (double)k->h->paid_minor[i];
    int64_t price = k->c->products[k->h->product[i]].price_minor;
    double quantity = (double)k->h->quantity[i];
    return price != MONEY_ABSENT ? (double)price * quantity : quantity;
}

static bool add_interests(walk *k, uint64_t i)
{
    const product *item = &k->c->products[k->h->product[i]];
    double weight = line_worth(k, i) *
                    exp2(-age_days(k, k->h->time_us[i]) / k->rules->half_life_days);
    interest_add(&k->s->categories, item->category, weight);
    interest_add(&k->s->brands, item->brand, weight);
    interest_add(&k->s->products, k->h->product[i], weight);
    if (k->h->paid_minor[i] == MONEY_ABSENT || !(k->h->quantity[i] > 0))
        return true;
    if (!mem_reserve((void **)&k->s->prices, &k->s->prices_capacity, k->n_prices + 1,
                     sizeof *k->s->prices))
        return false;
    k->s->prices[k->n_prices++] = (double)k->h->paid_minor[i] / (double)k->h->quantity[i];
    return true;
}

/* true when row i begins a trip that the last purchase was not part of. */
static bool begins_trip(const walk *k, uint64_t i)
{
    if (k->last_trip_us == TIME_ABSENT)
        return true;
    if (k->h->order[i] != 0 || k->last_order != 0)
        return k->h->order[i] != k->last_order;
    return calendar_day(k->h->time_us[i], k->rules->zone) != k->last_day;
}

static bool add_trip(walk *k, uint64_t i)
{
    int64_t now = k->h->time_us[i];
    if (k->last_trip_us != TIME_ABSENT) {
        if (!mem_reserve((void **)&k->s->gaps, &k->s->gaps_capacity, k->n_gaps + 1,
                         sizeof *k->s->gaps))
            return false;
        k->s->gaps[k->n_gaps++] = (double)(now - k->last_trip_us) / (double)US_PER_DAY;
    } else {
        k->first_trip_us = now;
    }
    k->last_trip_us = now;
    k->last_order = k->h->order[i];
    k->last_day = calendar_day(now, k->rules->zone);
    k->trips++;
    for (int w = 0; w < PROFILE_WINDOWS; w++)
        k->out->window[w].trips += age_days(k, now) <= window_days[w];
    return true;
}

static int64_t known(int64_t minor)
{
    return minor == MONEY_ABSENT ? 0 : minor;
}

static void add_money(walk *k, uint64_t i)
{
    int64_t paid = known(k->h->paid_minor[i]);
    int64_t discount = known(k->h->discount_minor[i]);
    int64_t coupon = known(k->h->coupon_minor[i]);
    k->spent += paid;
    k->discount_sum += discount;
    k->under_discount += discount > 0 ? paid : 0;
    k->under_coupon += coupon > 0 ? paid : 0;
    for (int w = 0; w < PROFILE_WINDOWS; w++) {
        profile_window *window = &k->out->window[w];
        if (age_days(k, k->h->time_us[i]) > window_days[w])
            continue;
        window->lines++;
        window->paid_minor += paid;
        window->discount_minor += discount;
        window->coupon_minor += coupon;
    }
}

static bool add_purchase(walk *k, uint64_t i)
{
    add_money(k, i);
    if (begins_trip(k, i) && !add_trip(k, i))
        return false;
    return add_interests(k, i);
}

static void add_response(walk *k, uint64_t i)
{
    const shop_history *h = k->h;
    response_record *kind = &k->out->by_kind[k->c->promotions[h->promotion[i]].kind];
    response_record *way = &k->out->by_channel[h->channel[i]];
    response_record nowhere = {0};
    if (h->promotion[i] == 0)
        kind = &nowhere;
    switch ((event_type)h->type[i]) {
    case EVENT_EXPOSURE: kind->exposures++; way->exposures++; break;
    case EVENT_CLICK: kind->clicks++; way->clicks++; break;
    case EVENT_REDEMPTION: kind->redemptions++; way->redemptions++; break;
    case EVENT_DISMISSAL: kind->dismissals++; way->dismissals++; break;
    case EVENT_UNSUBSCRIBE: k->out->unsubscribed = true; break;
    default: break;
    }
}

/* --- after the pass --------------------------------------------------------------- */

static double median(double *values, size_t n)
{
    if (n == 0)
        return (double)NAN;
    qsort(values, n, sizeof *values, compare_double);
    return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

static void set_rhythm(walk *k)
{
    profile *out = k->out;
    out->recency_days = out->usual_gap_days = out->days_overdue = (double)NAN;
    out->stage = STAGE_NONE;
    if (k->last_trip_us == TIME_ABSENT)
        return;
    out->recency_days = age_days(k, k->last_trip_us);
    if (k->n_gaps >= 2)
        out->usual_gap_days = median(k->s->gaps, k->n_gaps);
    double gap = k->n_gaps >= 2 ? fmax(out->usual_gap_days, 1) : (double)DEFAULT_GAP_DAYS;
    if (k->n_gaps >= 2)
        out->days_overdue = out->recency_days - out->usual_gap_days;
    if (out->recency_days > 4 * gap)
        out->stage = STAGE_LAPSED;
    else if (out->recency_days > 2 * gap)
        out->stage = STAGE_AT_RISK;
    else
        out->stage = age_days(k, k->first_trip_us) < NEW_DAYS ? STAGE_NEW : STAGE_ACTIVE;
}

static void set_price(walk *k)
{
    profile *out = k->out;
    double spent = (double)k->spent;
    double full = spent + (double)k->discount_sum;
    out->average_basket_minor = k->trips ? spent / k->trips : (double)NAN;
    out->discount_share = full > 0 ? (double)k->under_discount / spent : (double)NAN;
    out->coupon_share = full > 0 ? (double)k->under_coupon / spent : (double)NAN;
    if (!(spent > 0))
        out->discount_share = out->coupon_share = (double)NAN;
    out->price_median_minor = median(k->s->prices, k->n_prices);
    out->price_band = 0;
    if (k->n_prices == 0 || !k->s->has_bands)
        return;
    out->price_band = 1;
    for (int b = 0; b < PRICE_BANDS - 1; b++)
        out->price_band += out->price_median_minor >= (double)k->s->band_limit[b];
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* How many different campaigns the shopper's events of a type belong to. */
static bool count_campaigns(walk *k, uint64_t first, uint64_t end, event_type type,
                            uint32_t *count)
{
    const shop_history *h = k->h;
    profile_scratch *s = k->s;
    size_t n = 0;
    for (uint64_t i = first; i < end; i++) {
        uint32_t number = h->campaign[i] ? h->campaign[i]
                                         : k->c->promotions[h->promotion[i]].campaign;
        if (h->type[i] != type || number == 0)
            continue;
        if (!mem_reserve((void **)&s->campaigns, &s->campaigns_capacity, n + 1,
                         sizeof *s->campaigns))
            return false;
        s->campaigns[n++] = number;
    }
    if (n > 1)
        qsort(s->campaigns, n, sizeof *s->campaigns, compare_u32);
    *count = n > 0;
    for (size_t i = 1; i < n; i++)
        *count += s->campaigns[i] != s->campaigns[i - 1];
    return true;
}

static void take_interests(walk *k)
{
    interest_take(&k->s->categories, k->out->categories);
    interest_take(&k->s->brands, k->out->brands);
    interest_take(&k->s->products, k->out->products);
    interest_clear(&k->s->categories);
    interest_clear(&k->s->brands);
    interest_clear(&k->s->products);
}

static bool walk_past(walk *k, uint64_t first, uint64_t end)
{
    bool ok = true;
    for (uint64_t i = first; ok && i < end; i++) {
        if (k->h->type[i] == EVENT_PURCHASE)
            ok = add_purchase(k, i);
        else
            add_response(k, i);
    }
    return ok;
}

pf_status profile_compute(const shop_catalogue *c, const shop_history *h, uint32_t number,
                          int64_t at_us, const profile_rules *rules, profile_scratch *scratch,
                          profile *out, pf_error *err)
{
    if (number == 0 || number > h->n_shoppers)
        return error_set(err, PF_NOT_FOUND, "there is no shopper number %u", number);
    uint64_t first = h->first[number], end = history_before(h, number, at_us);
    *out = (profile){.shopper = number, .at_us = at_us, .events = end - first};
    for (int w = 0; w < PROFILE_WINDOWS; w++)
        out->window[w].days = window_days[w];
    walk k = {.c = c, .h = h, .rules = rules, .s = scratch, .out = out,
              .first_trip_us = TIME_ABSENT, .last_trip_us = TIME_ABSENT};
    bool ok = walk_past(&k, first, end);
    set_rhythm(&k);
    set_price(&k);
    ok = count_campaigns(&k, first, end, EVENT_EXPOSURE, &out->mailed_campaigns) && ok;
    ok = count_campaigns(&k, first, end, EVENT_REDEMPTION, &out->redeemed_campaigns) && ok;
    take_interests(&k);
    return ok ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for a profile");
}
