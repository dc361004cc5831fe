/*
 * The row of `any`: how much, how often and how lately the shopper buys, what was under
 * discounts and coupons, how offers before were answered, what is offered now, and what is
 * known of each promotion summed up as the largest, the mean and the mean of the five
 * largest. Rates are a week of the window; small counts are pulled to what is usual.
 */
#include <math.h>

#include "features/largest.h"
#include "features/response_rows.h"

enum { WINDOW_FEATURES = 15, SUMMED_PAIRS = 12, TOP = 5 };
_Static_assert(AGGREGATE_FEATURES == 3 * SUMMED_PAIRS + 4, "response_rows.h counts them");

#define WINDOW(days)                                                                      \
    "shopping trips, last " days, "spending, last " days, "purchases, last " days,        \
        "purchases with coupons, last " days, "coupon savings, last " days,               \
        "trips with coupons, last " days, "purchases of offered products, last " days,    \
        "spending on offered products, last " days,                                       \
        "different offered products bought, last " days,                                  \
        "purchases in offered categories, last " days,                                    \
        "share of purchases in offered categories, last " days,                           \
        "share of purchases on offered products, last " days,                             \
        "share of shelf discounts, last " days,                                           \
        "share of purchases with coupons, last " days,                                    \
        "share of trips with coupons, last " days
#define SUMMED(how)                                                                       \
    "recent spending on an offer's products, " how,                                       \
        "recent purchases of an offer's products, " how,                                  \
        "spending on the same kinds and makers, " how,                                    \
        "purchases of an offer's products in 91 days, " how,                              \
        "offers on the same products used before, " how,                                  \
        "offers in the same categories used before, " how,                                \
        "offers on the same kinds and makers used before, " how,                          \
        "purchases of the same kinds and makers, " how,                                   \
        "coupon purchases of an offer's products, " how,                                  \
        "buys an offer's products more than others do, " how,                             \
        "due to buy an offer's products again, " how,                                     \
        "purchases in an offer's department, " how

static const char *const names[RESPONSE_ANY_FEATURES] = {
    WINDOW("28 days"),
    WINDOW("91 days"),
    WINDOW("400 days"),
    "share of the leading brand",
    "days since the last purchase",
    "days since the last coupon trip",
    "different products bought",
    "different categories bought",
    "campaigns received",
    "campaigns answered",
    "offers used",
    "share of campaigns answered",
    "campaigns of this kind received",
    "campaigns of this kind answered",
    "share of campaigns of this kind answered",
    "ever used an offer",
    "days since the last offer used",
    "offers used, recent ones counting more",
    "days since the last campaign",
    "campaigns still running",
    "offers used of campaigns still running",
    "answers more than others to the same campaigns",
    "length of the campaign",
    "number of offers",
    "number of offered products",
    "how campaigns of this kind were answered",
    "share of all purchases on offered products",
    SUMMED("best offer"),
    SUMMED("mean of offers"),
    SUMMED("mean of the five best"),
    "offers on products bought in 91 days",
    "offers on products ever bought",
    "offers on products bought in 28 days",
    "share of offers on products ever paid for",
};

const char *response_any_name(size_t feature)
{
    return feature < RESPONSE_ANY_FEATURES ? names[feature] : "unknown";
}

/* Writes one feature after the other. */
typedef struct row_writer {
    float *next;
} row_writer;

static void put(row_writer *w, double x)
{
    *w->next++ = (float)x;
}

static void put_window(row_writer *w, const past *p, int i)
{
    const past_window *x = &p->window[i];
    double weeks = fmax(fmin(past_window_days[i], p->m->history_days), 7) / 7;
    put(w, log1p(x->trips / weeks));
    put(w, log1p(x->spend / weeks));
    put(w, log1p(x->lines / weeks));
    put(w, log1p(10 * x->coupon_lines / weeks));
    put(w, log1p(10 * x->coupons / weeks));
    put(w, log1p(10 * x->coupon_trips / weeks));
    put(w, log1p(x->scope_lines / weeks));
    put(w, log1p(x->scope_spend / weeks));
    put(w, log1p(x->scope_products));
    put(w, log1p(x->category_lines / weeks));
    put(w, (x->category_lines + 1) / (x->lines + 3));
    put(w, (x->scope_lines + 0.5) / (x->lines + 5));
    put(w, (x->discounts + 5) / (x->discounts + x->spend + x->coupons + 25));
    put(w, log((x->coupon_lines + 0.5) / (x->lines + 50)));
    put(w, (x->coupon_trips + 0.3) / (x->trips + 5));
}

static void put_habits(row_writer *w, const past *p)
{
    put(w, (p->leading_brand_lines + 8) / (p->lines + 10));
    put(w, log1p(fmax(p->recency_days, 0)));
    put(w, log1p(p->coupon_recency_days));
    put(w, log1p(p->products));
    put(w, log1p(p->categories));
}

static void put_answers(row_writer *w, const past_answers *a)
{
    put(w, log1p(a->exposed));
    put(w, log1p(a->answered));
    put(w, log1p(a->uses));
    put(w, log((a->answered + 0.3) / (a->exposed + 3)));
    put(w, log1p(a->exposed_kind));
    put(w, log1p(a->answered_kind));
    put(w, log((a->answered_kind + 0.3) / (a->exposed_kind + 2)));
    put(w, a->answered > 0);
    put(w, log1p(a->last_use_days));
    put(w, log1p(a->uses_faded));
    put(w, log1p(a->last_exposure_days));
    put(w, log1p(a->running));
    put(w, log1p(a->used_running));
    put(w, log((a->answered + 0.5) / (a->expected + 0.5)));
}

static void put_offer(row_writer *w, const past *p)
{
    const response_moment *m = p->m;
    const offer_group *g = &m->shop->groups->group[m->group];
    double days = (double)(g->ends_us - g->starts_us) / 86400e6 - 1;
    put(w, log(fmax(days, 1)));
    put(w, log(m->n));
    put(w, log(m->distinct > 0 ? m->distinct : 1));
    put(w, m->kind_rate);
    put(w, log(m->lines_in_scopes / fmax(m->lines, 1) + 0.001));
}

/* --- summing up over promotions --------------------------------------------------- */

typedef struct summed {
    double largest, mean, top;
} summed;

static summed sum_up(const float *pair, uint32_t n, int feature)
{
    double top[TOP] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    uint32_t kept = n < TOP ? n : TOP;
    summed out = {0, 0, 0};
    for (uint32_t k = 0; k < n; k++) {
        double x = (double)pair[(size_t)k * PAIR_FEATURES + (size_t)feature];
        out.mean += x;
        largest_keep(top, TOP, x);
    }
    for (uint32_t i = 0; i < kept; i++)
        out.top += top[i];
    out.largest = top[0];
    out.mean /= n;
    out.top /= kept;
    return out;
}

static void put_counts(row_writer *w, const past *p)
{
    double bought = 0, bought_91 = 0, bought_28 = 0, paid = 0;
    for (uint32_t k = 0; k < p->m->n; k++) {
        bought += p->scope[k].lines > 0;
        bought_91 += p->scope[k].lines_91 > 0;
        bought_28 += p->scope[k].lines_28 > 0;
        paid += p->scope[k].spend > 0;
    }
    put(w, log1p(bought_91));
    put(w, log1p(bought));
    put(w, log1p(bought_28));
    put(w, paid / p->m->n);
}

void response_any_row(const past *p, const float *pair, float *row)
{
    row_writer w = {row};
    summed s[SUMMED_PAIRS];
    for (int i = 0; i < PAST_WINDOWS; i++)
        put_window(&w, p, i);
    put_habits(&w, p);
    put_answers(&w, &p->answers);
    put_offer(&w, p);
    for (int f = 0; f < SUMMED_PAIRS; f++)
        s[f] = sum_up(pair, p->m->n, f);
    for (int f = 0; f < SUMMED_PAIRS; f++)
        put(&w, s[f].largest);
    for (int f = 0; f < SUMMED_PAIRS; f++)
        put(&w, s[f].mean);
    for (int f = 0; f < SUMMED_PAIRS; f++)
        put(&w, s[f].top);
    put_counts(&w, p);
}
