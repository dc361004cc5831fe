/* What is known of shopper and promotion before it is sent (response/effect_rows.h). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "response/effect_rows.h"
#include "response/kinds.h"

/* --- money ------------------------------------------------------------------------- */

static bool says_worth(const promotion *p)
{
    const bool worth = p->kind == PROMOTION_PERCENT_OFF ? p->percent_hundredths > 0
                                                        : p->value_minor != MONEY_ABSENT;
    return worth && p->minimum_purchase_minor != MONEY_ABSENT;
}

static double mean_line(const shop_history *h, int64_t until_us)
{
    double sum = 0, n = 0;
    for (uint64_t i = 0; i < h->n; i++) {
        if (h->type[i] != EVENT_PURCHASE || h->time_us[i] >= until_us || h->paid_minor[i] <= 0)
            continue;
        sum += (double)h->paid_minor[i];
        n++;
    }
    return n > 0 ? sum / n : 1;
}

/* --- scopes ------------------------------------------------------------------------ */

pf_status effect_scope_new(effect_scope *k, const shop_catalogue *c, pf_error *err)
{
    *k = (effect_scope){.catalogue = c};
    k->covered = mem_alloc_zero((size_t)c->n_products + 1, 1);
    return k->covered ? PF_OK
                      : error_set(err, PF_NO_MEMORY, "no memory for %u products", c->n_products);
}

void effect_scope_free(effect_scope *k)
{
    mem_free(k->covered);
    *k = (effect_scope){.covered = NULL};
}

static void paint(effect_scope *k, const uint32_t *offers, size_t n, uint8_t colour)
{
    for (size_t i = 0; i < n; i++) {
        const promotion *p = &k->catalogue->promotions[offers[i]];
        if (p->n_scope == 0) k->everything = colour != 0;
        for (uint32_t j = 0; j < p->n_scope; j++)
            k->covered[p->scope[j]] = colour;
    }
}

void effect_scope_mark(effect_scope *k, const uint32_t *offers, size_t n)
{
    paint(k, offers, n, 1);
}

void effect_scope_clear(effect_scope *k, const uint32_t *offers, size_t n)
{
    paint(k, offers, n, 0);
    k->everything = false;
}

effect_spend effect_spend_of(const shop_history *h, const effect_scope *k, uint32_t who,
                             int64_t from_us, int64_t to_us)
{
    effect_spend s = {0, 0};
    for (uint64_t i = history_before(h, who, from_us);
         i < h->first[who + 1] && h->time_us[i] < to_us; i++) {
        const bool bought = h->type[i] == EVENT_PURCHASE, back = h->type[i] == EVENT_RETURN;
        if (!(bought || back) || h->paid_minor[i] == MONEY_ABSENT) continue;
        const double paid = (bought ? 1 : -1) * (double)h->paid_minor[i];
        s.all_minor += paid;
        /* number 0 is no product, which a scope without names may still hold */
        const uint32_t number = h->product[i];
        if (number != 0 && (k->everything || k->covered[number])) s.scope_minor += paid;
    }
    return (effect_spend){fmax(0, s.scope_minor), fmax(0, s.all_minor)};
}

int64_t effect_window_end(const response_data *d, const uint32_t *offers, size_t n,
                          int64_t from_us)
{
    const offer_groups *g = response_rows_groups(d->maker);
    const int64_t most = from_us + EFFECT_WINDOW_DAYS * US_PER_DAY;
    int64_t end = from_us;
    for (size_t i = 0; i < n; i++) {
        const promotion *p = &d->world.catalogue->promotions[offers[i]];
        const int64_t own =
            p->ends_us != TIME_ABSENT ? p->ends_us : g->group[g->of_promotion[offers[i]]].ends_us;
        if (own > end) end = own;
    }
    return end < most ? end : most;
}

/* --- features ---------------------------------------------------------------------- */

static const char *const of_shopper[EFFECT_SHOPPER_FEATURES] = {
    "shopping trips, last 28 days",
    "shopping trips, last 91 days",
    "spending, last 91 days",
    "share of shelf discounts, last 400 days",
    "share of purchases with coupons, last 400 days",
    "days since the last purchase",
    "campaigns received",
    "share of campaigns answered",
    "days since the last campaign",
    "offers used, recent ones counting more",
};

static const char *const of_own[EFFECT_OWN_FEATURES] = {
    "own spend in the scope before",
    "own spend elsewhere before",
    "own lines in the scope before",
    "likes what is in the scope",
};

static const char *const of_offer[EFFECT_OFFER_FEATURES - PROMOTION_KIND_COUNT] = {
    "percent off", "worth", "smallest purchase", "products in the scope", "promotions sent",
    "days it runs",
};

const char *effect_feature_name(size_t f)
{
    if (f < EFFECT_SHOPPER_FEATURES) return of_shopper[f];
    f -= EFFECT_SHOPPER_FEATURES;
    if (f < EFFECT_OWN_FEATURES) return of_own[f];
    f -= EFFECT_OWN_FEATURES;
    if (f < EFFECT_OFFER_FEATURES - PROMOTION_KIND_COUNT) return of_offer[f];
    f -= EFFECT_OFFER_FEATURES - PROMOTION_KIND_COUNT;
    if (f < PROMOTION_KIND_COUNT) return promotion_kind_name((promotion_kind)f);
    f -= PROMOTION_KIND_COUNT;
    return f < CHANNEL_COUNT ? channel_name((channel)f) : "unknown";
}

/* Where a name stands in `any`; the names are ours, so it is there. */
static size_t place_of(const char *name)
{
    size_t f = 0;
    while (f < RESPONSE_ANY_FEATURES && strcmp(response_any_name(f), name) != 0)
        f++;
    return f < RESPONSE_ANY_FEATURES ? f : 0;
}

void effect_view_places(effect_view *v)
{
    for (size_t f = 0; f < EFFECT_SHOPPER_FEATURES; f++)
        v->place[f] = (uint8_t)place_of(of_shopper[f]);
}

effect_view effect_view_of(const response_world *world, int64_t until_us)
{
    const shop_catalogue *c = world->catalogue;
    effect_view v = {.unit_minor = mean_line(world->history, until_us)};
    for (int kind = 0; kind < PROMOTION_KIND_COUNT; kind++)
        v.worth_known[kind] = true;
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        if (!says_worth(&c->promotions[i])) v.worth_known[c->promotions[i].kind] = false;
    effect_view_places(&v);
    return v;
}

void effect_offer_features(const shop_catalogue *c, const effect_view *v,
                           const uint32_t *offers, size_t n, double days, float *out)
{
    double percent = 0, worth = 0, least = 0, products = 0, of_kind[PROMOTION_KIND_COUNT] = {0};
    for (size_t i = 0; i < n; i++) {
        const promotion *p = &c->promotions[offers[i]];
        products += p->n_scope ? p->n_scope : c->n_products;
        of_kind[p->kind]++;
        if (p->kind == PROMOTION_PERCENT_OFF) percent += p->percent_hundredths / 10000.0;
        if (!v->worth_known[p->kind]) continue;
        if (p->value_minor != MONEY_ABSENT) worth += (double)p->value_minor;
        least += (double)p->minimum_purchase_minor;
    }
    const double of = (double)n;
    *out++ = (float)(percent / of);
    *out++ = (float)log1p(fmax(0, worth / of / v->unit_minor));
    *out++ = (float)log1p(fmax(0, least / of / v->unit_minor));
    *out++ = (float)log1p(products / of);
    *out++ = (float)log(of);
    *out++ = (float)log1p(days);
    for (int kind = 0; kind < PROMOTION_KIND_COUNT; kind++)
        *out++ = (float)(of_kind[kind] / of);
}

void effect_features(const effect_view *v, const float *any, const effect_own *own,
                     const float *offer, channel by, float *out)
{
    const double window = EFFECT_WINDOW_DAYS / v->unit_minor;
    const double scope = own->past_day.scope_minor * window;
    const double all = own->past_day.all_minor * window;
    for (size_t f = 0; f < EFFECT_SHOPPER_FEATURES; f++)
        *out++ = any[v->place[f]];
    *out++ = (float)log1p(scope);
    *out++ = (float)log1p(fmax(0, all - scope));
    *out++ = (float)log1p(fmax(0, own->lines));
    *out++ = (float)log1p(fmax(0, own->affinity));
    memcpy(out, offer, EFFECT_OFFER_FEATURES * sizeof *out);
    out += EFFECT_OFFER_FEATURES;
    for (int b = 0; b < CHANNEL_COUNT; b++)
        *out++ = b == (int)by;
}

/* --- kinds ------------------------------------------------------------------------- */

const char *effect_kind_name(const shop_catalogue *c, uint32_t number)
{
    const promotion *p = &c->promotions[number];
    return p->campaign != 0 && c->campaigns[p->campaign].kind[0] != 0
               ? c->campaigns[p->campaign].kind
               : promotion_kind_name(p->kind);
}

/* Where there is no place left: that of all others, which rows of such kinds went to. */
size_t effect_kind_find(const effect_kinds *k, const char *name)
{
    char own[EFFECT_KIND_BYTES];
    size_t i = 0;
    kinds_shorten(name, own, sizeof own);
    while (i < k->n && strcmp(k->name[i], own) != 0)
        i++;
    return i < EFFECT_MOST_KINDS ? i : EFFECT_MOST_KINDS - 1;
}

size_t effect_kind_add(effect_kinds *k, const char *name)
{
    const size_t i = effect_kind_find(k, name);
    if (i < k->n) return i;
    const bool last = k->n == EFFECT_MOST_KINDS - 1;
    kinds_shorten(last ? EFFECT_OTHER_KINDS : name, k->name[k->n], EFFECT_KIND_BYTES);
    return k->n++;
}
