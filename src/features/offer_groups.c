/* Groups from the catalogue, their events from one pass over the history. */
#include "features/offer_groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"

void offer_groups_free(offer_groups *g)
{
    if (g == NULL)
        return;
    mem_free(g->group);
    mem_free(g->of_promotion);
    mem_free(g->of_campaign);
    mem_free(g->exposure);
    mem_free(g->use);
    mem_free(g->first_exposure);
    mem_free(g->first_use);
    mem_free(g->numbers);
    mem_free(g);
}

/* --- the groups and their dates --------------------------------------------------- */

static uint32_t group_of(const offer_groups *g, const shop_history *h, uint64_t row)
{
    if (h->promotion[row] != 0)
        return g->of_promotion[h->promotion[row]];
    return h->campaign[row] != 0 ? g->of_campaign[h->campaign[row]] : OFFER_NO_GROUP;
}

/* Campaigns first, then promotions that stand alone. */
static void name_groups(offer_groups *g, const shop_catalogue *c)
{
    g->of_campaign[0] = g->of_promotion[0] = OFFER_NO_GROUP;
    for (uint32_t i = 1; i <= c->n_campaigns; i++) {
        g->of_campaign[i] = g->n;
        g->group[g->n++] = (offer_group){.campaign = i,
                                         .starts_us = c->campaigns[i].starts_us,
                                         .ends_us = c->campaigns[i].ends_us};
    }
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        const promotion *p = &c->promotions[i];
        if (p->campaign != 0) {
            g->of_promotion[i] = g->of_campaign[p->campaign];
            continue;
        }
        g->of_promotion[i] = g->n;
        g->group[g->n++] = (offer_group){.starts_us = p->starts_us, .ends_us = p->ends_us,
                                         .kind = (uint32_t)p->kind + 1};
    }
}

/* A campaign without a start has the earliest of its promotions' or of its exposures. */
static void find_missing_starts(offer_groups *g, const shop_catalogue *c,
                                const shop_history *h)
{
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        offer_group *own = &g->group[g->of_promotion[i]];
        if (own->campaign != 0 && c->campaigns[own->campaign].starts_us == TIME_ABSENT &&
            c->promotions[i].starts_us != TIME_ABSENT &&
            (own->starts_us == TIME_ABSENT || c->promotions[i].starts_us < own->starts_us))
            own->starts_us = c->promotions[i].starts_us;
    }
    for (uint32_t k = 0; k < g->n; k++)
        g->group[k].n_promotions = g->group[k].starts_us == TIME_ABSENT;
    for (uint64_t i = 0; i < h->n; i++) {
        uint32_t k = h->type[i] == EVENT_EXPOSURE ? group_of(g, h, i) : OFFER_NO_GROUP;
        if (k == OFFER_NO_GROUP || g->group[k].n_promotions == 0)
            continue;
        if (g->group[k].starts_us == TIME_ABSENT || h->time_us[i] < g->group[k].starts_us)
            g->group[k].starts_us = h->time_us[i];
    }
    for (uint32_t k = 0; k < g->n; k++)
        g->group[k].n_promotions = 0;
}

/* One that was never shown and has no date never starts. */
static void close_dates(offer_groups *g)
{
    for (uint32_t k = 0; k < g->n; k++) {
        offer_group *own = &g->group[k];
        if (own->starts_us == TIME_ABSENT)
            own->starts_us = own->ends_us = INT64_MAX;
        else if (own->ends_us == TIME_ABSENT)
            own->ends_us = own->starts_us + OFFER_OPEN_DAYS * US_PER_DAY;
    }
}

/* The kinds of campaigns are the shop's own words; those of single promotions ours. */
static bool find_kinds(offer_groups *g, const shop_catalogue *c)
{
    intern *words = intern_new(LIMIT_CAMPAIGNS + 1);
    bool ok = words != NULL;
    for (uint32_t k = 0; ok && k < g->n; k++) {
        offer_group *own = &g->group[k];
        if (own->campaign == 0)
            continue;
        const char *word = c->campaigns[own->campaign].kind;
        uint32_t number = intern_add(words, word, strlen(word));
        own->kind = PROMOTION_KIND_COUNT + number;
        ok = number != 0;
    }
    g->kinds = ok ? PROMOTION_KIND_COUNT + intern_count(words) : 0;
    intern_free(words);
    return ok;
}

static int by_start(const void *a, const void *b)
{
    const offer_group *x = a, *y = b;
    if (x->starts_us != y->starts_us)
        return x->starts_us < y->starts_us ? -1 : 1;
    return (x->n_shoppers > y->n_shoppers) - (x->n_shoppers < y->n_shoppers);
}

/* Sorts by start; n_shoppers carries the number before sorting. */
static bool sort_groups(offer_groups *g, const shop_catalogue *c)
{
    uint32_t *place = mem_alloc((size_t)g->n + 1, sizeof *place);
    if (place == NULL)
        return false;
    for (uint32_t k = 0; k < g->n; k++)
        g->group[k].n_shoppers = k;
    if (g->n > 1)
        qsort(g->group, g->n, sizeof *g->group, by_start);
    for (uint32_t k = 0; k < g->n; k++) {
        place[g->group[k].n_shoppers] = k;
        g->group[k].n_shoppers = 0;
    }
    for (uint32_t i = 1; i <= c->n_campaigns; i++)
        g->of_campaign[i] = place[g->of_campaign[i]];
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        g->of_promotion[i] = place[g->of_promotion[i]];
    mem_free(place);
    return true;
}

/* --- events ----------------------------------------------------------------------- */

static bool events_new(offer_groups *g, const shop_history *h)
{
    size_t exposures = 1, uses = 1, shoppers = (size_t)h->n_shoppers + 2;
    for (uint64_t i = 0; i < h->n; i++) {
        exposures += h->type[i] == EVENT_EXPOSURE;
        uses += h->type[i] == EVENT_REDEMPTION;
    }
    g->n_shoppers = h->n_shoppers;
    g->exposure = mem_alloc(exposures, sizeof *g->exposure);
    g->use = mem_alloc(uses, sizeof *g->use);
    g->first_exposure = mem_alloc_zero(shoppers, sizeof *g->first_exposure);
    g->first_use = mem_alloc_zero(shoppers, sizeof *g->first_use);
    return g->exposure && g->use && g->first_exposure && g->first_use;
}

/* seen[group] is the last shopper who was shown it. */
static void take_events(offer_groups *g, const shop_history *h, uint32_t *seen)
{
    uint64_t exposures = 0, uses = 0;
    for (uint32_t s = 1; s <= h->n_shoppers; s++) {
        g->first_exposure[s] = exposures;
        g->first_use[s] = uses;
        for (uint64_t i = h->first[s]; i < h->first[s + 1]; i++) {
            uint32_t k = group_of(g, h, i);
            if (h->type[i] == EVENT_REDEMPTION)
                g->use[uses++] = (offer_event){h->time_us[i], k, h->promotion[i]};
            if (h->type[i] != EVENT_EXPOSURE || k == OFFER_NO_GROUP || seen[k] == s)
                continue;
            seen[k] = s;
            g->exposure[exposures++] = (offer_event){h->time_us[i], k, 0};
        }
    }
    g->first_exposure[h->n_shoppers + 1] = exposures;
    g->first_use[h->n_shoppers + 1] = uses;
}

/* An exposure after the end shows the group to nobody. */
static bool counts(const offer_groups *g, uint64_t exposure)
{
    return g->exposure[exposure].time_us < g->group[g->exposure[exposure].group].ends_us;
}

static void list_promotions(offer_groups *g, const shop_catalogue *c, uint32_t **next)
{
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        g->group[g->of_promotion[i]].n_promotions++;
    for (uint32_t k = 0; k < g->n; k++) {
        g->group[k].promotion = *next;
        *next += g->group[k].n_promotions;
        g->group[k].n_promotions = 0;
    }
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        offer_group *own = &g->group[g->of_promotion[i]];
        ((uint32_t *)own->promotion)[own->n_promotions++] = i;
    }
}

static void list_shoppers(offer_groups *g, uint32_t **next)
{
    uint64_t n = g->first_exposure[g->n_shoppers + 1];
    for (uint64_t i = 0; i < n; i++)
        g->group[g->exposure[i].group].n_shoppers += counts(g, i);
    for (uint32_t k = 0; k < g->n; k++) {
        g->group[k].shopper = *next;
        *next += g->group[k].n_shoppers;
        g->group[k].n_shoppers = 0;
    }
    for (uint32_t s = 1; s <= g->n_shoppers; s++)
        for (uint64_t i = g->first_exposure[s]; i < g->first_exposure[s + 1]; i++) {
            offer_group *own = &g->group[g->exposure[i].group];
            if (counts(g, i))
                ((uint32_t *)own->shopper)[own->n_shoppers++] = s;
        }
}

static bool fill(offer_groups *g, const shop_catalogue *c, const shop_history *h)
{
    size_t groups = (size_t)c->n_campaigns + c->n_promotions + 1;
    g->group = mem_alloc_zero(groups, sizeof *g->group);
    g->of_campaign = mem_alloc_zero((size_t)c->n_campaigns + 1, sizeof *g->of_campaign);
    g->of_promotion = mem_alloc_zero((size_t)c->n_promotions + 1, sizeof *g->of_promotion);
    uint32_t *seen = mem_alloc_zero(groups, sizeof *seen);
    bool ok = g->group && g->of_campaign && g->of_promotion && seen;
    if (ok) {
        name_groups(g, c);
        find_missing_starts(g, c, h);
        close_dates(g);
        ok = find_kinds(g, c) && sort_groups(g, c) && events_new(g, h);
    }
    if (ok) {
        take_events(g, h, seen);
        g->numbers = mem_alloc((size_t)c->n_promotions + 1 +
                                   g->first_exposure[h->n_shoppers + 1], sizeof *g->numbers);
        ok = g->numbers != NULL;
    }
    mem_free(seen);
    return ok;
}

pf_status offer_groups_new(const shop_catalogue *c, const shop_history *h,
                           offer_groups **out, pf_error *err)
{
    offer_groups *g = mem_alloc_zero(1, sizeof *g);
    *out = NULL;
    if (g == NULL || !fill(g, c, h)) {
        offer_groups_free(g);
        return error_set(err, PF_NO_MEMORY, "out of memory for %u promotions",
                         c->n_promotions);
    }
    uint32_t *next = g->numbers;
    list_promotions(g, c, &next);
    list_shoppers(g, &next);
    *out = g;
    return PF_OK;
}

static bool is_use_of(const offer_groups *g, const offer_event *u, uint32_t group)
{
    const offer_group *own = &g->group[group];
    return u->group == group && u->time_us >= own->starts_us && u->time_us < own->ends_us;
}

bool offer_used(const offer_groups *g, uint32_t group, uint32_t who, uint32_t what)
{
    for (uint64_t i = g->first_use[who]; i < g->first_use[who + 1]; i++)
        if (is_use_of(g, &g->use[i], group) && (what == 0 || g->use[i].promotion == what))
            return true;
    return false;
}

int64_t offer_first_use_us(const offer_groups *g, uint32_t group, uint32_t who)
{
    for (uint64_t i = g->first_use[who]; i < g->first_use[who + 1]; i++)
        if (is_use_of(g, &g->use[i], group))
            return g->use[i].time_us;
    return TIME_ABSENT;
}
