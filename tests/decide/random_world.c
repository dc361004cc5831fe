#include "decide/random_world.h"

#include <string.h>

#include "check.h"

#include "base/clock.h"

enum { PAST = 80 };

static const int64_t at_us = INT64_C(1491782400) * US_PER_SECOND + 9 * US_PER_HOUR;

static uint32_t below(random_world *w, uint32_t n)
{
    return random_below(&w->r, n);
}

static bool one_in(random_world *w, uint32_t n)
{
    return below(w, n) == 0;
}

static void lookup(void *context, uint32_t number, const char *name, audience_value *out)
{
    (void)context;
    if (strcmp(name, "n") == 0)
        *out = (audience_value){.kind = AUDIENCE_NUMBER, .number = number};
    if (strcmp(name, "even") == 0 && number % 3 != 0)
        *out = (audience_value){.kind = AUDIENCE_FLAG, .flag = number % 2 == 0};
}

static const campaign campaigns[] = {{.id = ""}, {.id = "spring"}, {.id = "autumn"}};

static void make_offers(random_world *w, uint32_t n)
{
    static const char *const groups[] = {"", "", "a", "b"};
    static const char *const rules[] = {"", "", "", "n > 3", "even", "not even"};
    for (uint32_t i = 0; i < n; i++) {
        promotion *p = small_shop_promotion(
            &w->shop, (promotion_kind)below(w, PROMOTION_KIND_COUNT));
        if (one_in(w, 2)) p->value_minor = below(w, 300);
        if (one_in(w, 2)) p->percent_hundredths = (int32_t)below(w, 5000);
        if (one_in(w, 4))
            p->starts_us = at_us - US_PER_DAY + (int64_t)below(w, 3) * US_PER_DAY;
        if (one_in(w, 4))
            p->ends_us = at_us + (int64_t)below(w, 3) * US_PER_DAY - US_PER_DAY;
        if (one_in(w, 3)) p->budget_minor = below(w, 400);
        if (one_in(w, 4)) p->contact_cost_minor = below(w, 60);
        if (one_in(w, 3)) p->shopper_limit = 1 + below(w, 2);
        if (one_in(w, 3)) p->redemption_limit = 1 + below(w, 8);
        if (one_in(w, 2)) p->channels = below(w, 128) & CHANNEL_SET_ALL;
        p->campaign = i % 3; /* 0: none */
        p->stacking_group = groups[below(w, 4)];
        p->audience = rules[below(w, 6)];
        uint32_t scope[] = {1 + below(w, 3), 4 + below(w, 3)};
        if (one_in(w, 2)) small_shop_scope(&w->shop, p, scope, 2);
        w->committed[i + 1] = one_in(w, 3) ? (int64_t)below(w, 200) : 0;
    }
}

static void make_shoppers(random_world *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        shopper *s = small_shop_shopper(&w->shop);
        if (one_in(w, 2)) s->consent_given = below(w, 128) & CHANNEL_SET_ALL;
        if (one_in(w, 2)) s->consent_refused = below(w, 128) & CHANNEL_SET_ALL;
        s->exists = !one_in(w, 12);
    }
}

static void make_policy(random_world *w)
{
    policy p = policy_default();
    p.margin_rate = 0.3;
    if (one_in(w, 2)) p.unknown_discount_minor = below(w, 200);
    if (!one_in(w, 3)) p.budget_minor = below(w, 900);
    if (one_in(w, 3)) p.promotion_budget_minor = below(w, 300);
    if (one_in(w, 3)) p.messages = 1 + below(w, 10);
    p.per_shopper = 1 + below(w, 3);
    if (one_in(w, 3)) p.window = (policy_window){below(w, 4), below(w, 5), below(w, 7)};
    p.holdout_share = one_in(w, 2) ? 0 : 0.3;
    p.holdout_salt = one_in(w, 2) ? "x" : "y";
    p.campaign_holdout_share = one_in(w, 2) ? 0 : 0.4;
    if (one_in(w, 2)) p.channels = 1 + below(w, 127);
    p.channels = (p.channels & CHANNEL_SET_ALL) != 0 ? p.channels & CHANNEL_SET_ALL : 2;
    p.unasked = below(w, 128) & CHANNEL_SET_ALL;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        policy_channel *c = &p.channel[by];
        c->contact_cost_minor = below(w, 400) / 10.0;
        if (one_in(w, 4)) c->budget_minor = below(w, 300);
        if (one_in(w, 4)) c->messages = 1 + below(w, 4);
        if (one_in(w, 4)) c->per_shopper = 1 + below(w, 2);
        if (one_in(w, 4))
            c->window = (policy_window){below(w, 3), below(w, 4), below(w, 5)};
    }
    w->policy = p;
}

static void make_past(random_world *w, uint32_t shoppers, uint32_t offers)
{
    history_row rows[PAST];
    uint32_t n = below(w, PAST);
    static const uint8_t types[] = {EVENT_EXPOSURE,   EVENT_EXPOSURE, EVENT_EXPOSURE,
                                    EVENT_REDEMPTION, EVENT_PURCHASE, EVENT_UNSUBSCRIBE};
    for (uint32_t i = 0; i < n; i++) {
        uint8_t type = types[below(w, 6)];
        if (type == EVENT_UNSUBSCRIBE && !one_in(w, 4)) type = EVENT_VIEW;
        rows[i] = (history_row){.shopper = 1 + below(w, shoppers),
                                .promotion = below(w, offers + 1),
                                .campaign = i,
                                .type = type,
                                .channel = (uint8_t)below(w, CHANNEL_COUNT),
                                .time_us = at_us + US_PER_DAY -
                                           (int64_t)below(w, 35 * 24) * US_PER_HOUR};
    }
    assert_int_equal(history_from_rows(&w->history, rows, n, shoppers, NULL), PF_OK);
}

static void make_scores(random_world *w, uint32_t shoppers, uint32_t offers)
{
    for (uint32_t s = 1; s <= shoppers; s++)
        for (uint32_t p = 1; p <= offers; p++) {
            if (one_in(w, 5)) continue;
            bool by_channel = one_in(w, 4);
            for (int by = by_channel ? (int)below(w, 3) : 0;
                 by < (by_channel ? CHANNEL_COUNT : 1); by += 1 + (int)below(w, 3))
                w->scores[w->in.n_scores++] = (decide_score){
                    .shopper = s,
                    .promotion = p,
                    .channel = (channel)by,
                    .p_redeem = random_unit(&w->r),
                    .spend_minor = random_unit(&w->r) * 1500};
        }
}

void random_world_make(random_world *w, uint64_t seed, uint32_t shoppers, uint32_t offers)
{
    memset(w, 0, sizeof *w);
    w->r = random_begin(99, seed);
    w->midnight_us = at_us - 9 * US_PER_HOUR;
    small_shop_init(&w->shop, 20, "USD");
    w->shop.c.campaigns = campaigns;
    w->shop.c.n_campaigns = 2;
    for (int i = 1; i <= 6; i++) {
        (void)small_shop_product(&w->shop, "THING", 0);
        w->in_stock[i] = !one_in(w, 3);
    }
    make_offers(w, offers);
    make_shoppers(w, shoppers);
    make_policy(w);
    make_past(w, shoppers, offers);
    w->in =
        (decide_inputs){.policy = &w->policy,
                        .catalogue = &w->shop.c,
                        .history = w->history,
                        .at_us = at_us,
                        .scores = w->scores,
                        .lookup = lookup,
                        .in_stock = one_in(w, 2) ? w->in_stock : NULL,
                        .committed_minor = one_in(w, 3) ? (int64_t)below(w, 300) : 0,
                        .promotion_committed_minor = one_in(w, 2) ? w->committed : NULL};
    make_scores(w, shoppers, offers);
}

void random_world_free(random_world *w)
{
    history_free(w->history);
    small_shop_free(&w->shop);
}

bool random_world_in_audience(const char *rule, uint32_t s)
{
    if (rule[0] == '\0') return true;
    if (strcmp(rule, "n > 3") == 0) return s > 3;
    if (s % 3 == 0) return false; /* whether it is even is not known */
    return strcmp(rule, "even") == 0 ? s % 2 == 0 : s % 2 != 0;
}
