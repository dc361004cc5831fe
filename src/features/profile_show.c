/*
 * A profile as JSON, and its values by name for audience rules. Both are made from one
 * table of numbers, so a rule can use exactly what `proffer profile` shows.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "features/profile.h"

typedef enum number_kind { NUMBER_PLAIN, NUMBER_COUNT, NUMBER_MONEY, NUMBER_MONEY_SUM } number_kind;

typedef struct number_name {
    const char *name;
    number_kind kind; /* MONEY: a double of minor units; MONEY_SUM: an int64_t of them */
    size_t at;
} number_name;

#define OF(member) offsetof(profile, member)

static const number_name numbers[] = {
    {"recency_days", NUMBER_PLAIN, OF(recency_days)},
    {"usual_gap_days", NUMBER_PLAIN, OF(usual_gap_days)},
    {"days_overdue", NUMBER_PLAIN, OF(days_overdue)},
    {"average_basket", NUMBER_MONEY, OF(average_basket_minor)},
    {"price_median", NUMBER_MONEY, OF(price_median_minor)},
    {"discount_share", NUMBER_PLAIN, OF(discount_share)},
    {"coupon_share", NUMBER_PLAIN, OF(coupon_share)},
    {"mailed_campaigns", NUMBER_COUNT, OF(mailed_campaigns)},
    {"redeemed_campaigns", NUMBER_COUNT, OF(redeemed_campaigns)},
    {"trips_28d", NUMBER_COUNT, OF(window[0].trips)},
    {"trips_91d", NUMBER_COUNT, OF(window[1].trips)},
    {"trips_365d", NUMBER_COUNT, OF(window[2].trips)},
    {"lines_28d", NUMBER_COUNT, OF(window[0].lines)},
    {"lines_91d", NUMBER_COUNT, OF(window[1].lines)},
    {"lines_365d", NUMBER_COUNT, OF(window[2].lines)},
    {"spend_28d", NUMBER_MONEY_SUM, OF(window[0].paid_minor)},
    {"spend_91d", NUMBER_MONEY_SUM, OF(window[1].paid_minor)},
    {"spend_365d", NUMBER_MONEY_SUM, OF(window[2].paid_minor)},
};
enum { N_NUMBERS = sizeof numbers / sizeof numbers[0] };

static double number_of(const profile *p, const number_name *n, int exponent)
{
    const char *at = (const char *)p + n->at;
    double scale = pow(10, -exponent);
    switch (n->kind) {
    case NUMBER_PLAIN: return *(const double *)(const void *)at;
    case NUMBER_COUNT: return *(const uint32_t *)(const void *)at;
    case NUMBER_MONEY: return *(const double *)(const void *)at * scale;
    case NUMBER_MONEY_SUM: return (double)*(const int64_t *)(const void *)at * scale;
    }
    return (double)NAN;
}

/* --- by name ---------------------------------------------------------------------- */

static bool word_value(const profile *p, const shop_catalogue *c, const char *name,
                       const char **words)
{
    if (!strcmp(name, "stage"))
        *words = lifecycle_stage_name(p->stage);
    else if (!strcmp(name, "favourite_category"))
        *words = c->categories[p->categories[0].number].path;
    else if (!strcmp(name, "favourite_brand"))
        *words = c->brands[p->brands[0].number];
    else if (!strcmp(name, "unsubscribed"))
        *words = p->unsubscribed ? "yes" : "no";
    else if (!strcmp(name, "language"))
        *words = c->shoppers[p->shopper].language;
    else
        return false;
    return true;
}

bool profile_value(const profile *p, const shop_catalogue *c, const char *name,
                   double *number, const char **words, char *into, size_t size)
{
    *words = NULL;
    for (size_t i = 0; i < N_NUMBERS; i++)
        if (!strcmp(numbers[i].name, name)) {
            *number = number_of(p, &numbers[i], c->currency.exponent);
            return !isnan(*number);
        }
    if (!strcmp(name, "price_band")) {
        *number = p->price_band;
        return p->price_band > 0;
    }
    if (!word_value(p, c, name, words))
        *words = attribute_text(c->shoppers[p->shopper].attributes, name, into, size);
    return (*words)[0] != 0;
}

/* --- as JSON ---------------------------------------------------------------------- */

typedef const char *number_label(const shop_catalogue *c, uint32_t number);

static const char *category_label(const shop_catalogue *c, uint32_t number)
{
    return c->categories[number].path;
}

static const char *brand_label(const shop_catalogue *c, uint32_t number)
{
    return c->brands[number];
}

static const char *product_label(const shop_catalogue *c, uint32_t number)
{
    return c->products[number].title;
}

static void write_interests(const shop_catalogue *c, const char *key,
                            const interest list[PROFILE_INTERESTS], number_label *label,
                            json_writer *w)
{
    json_key(w, key);
    json_array_begin(w);
    for (int i = 0; i < PROFILE_INTERESTS && list[i].number != 0; i++) {
        json_object_begin(w);
        json_key(w, "name");
        json_text(w, label(c, list[i].number));
        if (label == product_label) {
            json_key(w, "id");
            json_text(w, c->products[list[i].number].id);
        }
        json_key(w, "share");
        json_number(w, list[i].share);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_response(const char *name, const response_record *r, json_writer *w)
{
    if (r->exposures + r->clicks + r->redemptions + r->dismissals == 0)
        return;
    json_key(w, name);
    json_object_begin(w);
    json_key(w, "exposures");
    json_integer(w, r->exposures);
    json_key(w, "clicks");
    json_integer(w, r->clicks);
    json_key(w, "redemptions");
    json_integer(w, r->redemptions);
    json_key(w, "dismissals");
    json_integer(w, r->dismissals);
    json_object_end(w);
}

static void write_responses(const profile *p, json_writer *w)
{
    json_key(w, "by_kind");
    json_object_begin(w);
    for (int k = 0; k < PROMOTION_KIND_COUNT; k++)
        write_response(promotion_kind_name((promotion_kind)k), &p->by_kind[k], w);
    json_object_end(w);
    json_key(w, "by_channel");
    json_object_begin(w);
    for (int k = 0; k < CHANNEL_COUNT; k++)
        write_response(k ? channel_name((channel)k) : "unknown", &p->by_channel[k], w);
    json_object_end(w);
}

static void write_live_promotions(const profile *p, const shop_catalogue *c,
                                  const shop_history *h, json_writer *w)
{
    char amount[MONEY_TEXT_BYTES];
    json_key(w, "live_promotions");
    json_array_begin(w);
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        const promotion *offer = &c->promotions[i];
        if (!promotion_is_live(offer, p->at_us) || offer->n_scope == 0)
            continue;
        scope_spend spend = profile_scope_spend(h, offer, p->shopper, p->at_us);
        if (spend.lines == 0)
            continue;
        json_object_begin(w);
        json_key(w, "id");
        json_text(w, offer->id);
        json_key(w, "title");
        json_text(w, offer->title);
        json_key(w, "lines_bought");
        json_integer(w, spend.lines);
        json_key(w, "spent");
        json_text(w, money_format(spend.paid_minor, &c->currency, amount));
        json_key(w, "days_since");
        json_number(w, spend.recency_days);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_head(const profile *p, const shop_catalogue *c, json_writer *w)
{
    char when[TIME_TEXT_BYTES];
    const char *attributes = c->shoppers[p->shopper].attributes;
    json_key(w, "shopper");
    json_text(w, c->shoppers[p->shopper].id);
    json_key(w, "at");
    json_text(w, time_format(p->at_us, when));
    json_key(w, "events");
    json_integer(w, (int64_t)p->events);
    json_key(w, "stage");
    json_text(w, lifecycle_stage_name(p->stage));
    json_key(w, "attributes");
    if (attributes[0] != 0)
        json_raw(w, attributes, strlen(attributes));
    else
        json_null(w);
}

void profile_write_members(const profile *p, const shop_catalogue *c, const shop_history *h,
                           json_writer *w)
{
    write_head(p, c, w);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        json_key(w, numbers[i].name);
        json_number(w, number_of(p, &numbers[i], c->currency.exponent));
    }
    json_key(w, "price_band");
    if (p->price_band > 0)
        json_integer(w, p->price_band);
    else
        json_null(w);
    json_key(w, "unsubscribed");
    json_boolean(w, p->unsubscribed);
    write_interests(c, "categories", p->categories, category_label, w);
    write_interests(c, "brands", p->brands, brand_label, w);
    write_interests(c, "favourites", p->products, product_label, w);
    write_responses(p, w);
    write_live_promotions(p, c, h, w);
}
