#include "decide/random_world.h"

#include <math.h>
#include <string.h>

#include "check.h"

#include "base/clock.h"

enum { PAST = 80, ZONES = 6 };

static uint32_t below(random_world *w, uint32_t n)
{
    return random_below(&w->r, n);
}

static bool one_in(random_world *w, uint32_t n)
{
    return below(w, n) == 0;
}

/* --- zones ------------------------------------------------------------------------- */

static zone *zones[ZONES];

static void open_zones(void)
{
    static const char *const names[ZONES] = {"Europe/Berlin",      "America/New_York",
                                             "Asia/Kolkata",       "Pacific/Auckland",
                                             "Pacific/Kiritimati", "America/Los_Angeles"};
    for (int i = 0; i < ZONES; i++)
        if (zones[i] == NULL) assert_int_equal(zone_open(&zones[i], names[i], NULL), PF_OK);
}

void random_world_close_zones(void)
{
    for (int i = 0; i < ZONES; i++) {
        zone_free(zones[i]);
        zones[i] = NULL;
    }
}

const zone *random_world_zone(const random_world *w, uint32_t s)
{
    const zone *own = w->in.shopper_zones != NULL ? w->in.shopper_zones[s] : NULL;
    return own != NULL ? own : w->in.zone;
}

static void make_zones(random_world *w, uint32_t shoppers)
{
    open_zones();
    w->in.zone = one_in(w, 2) ? NULL : zones[below(w, ZONES)];
    for (uint32_t s = 1; s <= shoppers; s++)
        w->zones[s] = one_in(w, 3) ? NULL : zones[below(w, ZONES)];
    w->in.shopper_zones = one_in(w, 2) ? w->zones : NULL;
}

/* A moment of 2017, in every second world in the hours around a change of clocks in Berlin (26
 * March, 29 October) or New York (12 March, 5 November). */
static int64_t moment(random_world *w)
{
    static const int64_t changes_s[] = {1490490000, 1509238800, 1489302000, 1509861600};
    const int64_t year_s = 1483228800;
    if (one_in(w, 2))
        return (year_s + (int64_t)below(w, 365 * 24 * 60) * 60) * US_PER_SECOND;
    return (changes_s[below(w, 4)] + ((int64_t)below(w, 72 * 60) - 36 * 60) * 60) *
           US_PER_SECOND;
}

/* --- the shop ---------------------------------------------------------------------- */

static void lookup(void *context, uint32_t number, const char *name, audience_value *out)
{
    (void)context;
    if (strcmp(name, "n") == 0)
        *out = (audience_value){.kind = AUDIENCE_NUMBER, .number = number};
    if (strcmp(name, "even") == 0 && number % 3 != 0)
        *out = (audience_value){.kind = AUDIENCE_FLAG, .flag = number % 2 == 0};
}

static const campaign campaigns[] = {{.id = ""}, {.id = "spring"}, {.id = "autumn"}};
static const char *const tags[RANDOM_TAGS + 1] = {"", "bread", "toys", "wine"};

static void make_tags(random_world *w, promotion *p)
{
    static const uint32_t numbers[] = {1, 2, 3, 1, 3};
    static const struct {
        uint32_t first, n;
    } sets[] = {{0, 1}, {1, 1}, {2, 1}, {0, 2}, {1, 2}, {3, 2}, {0, 3}};
    uint32_t i = below(w, 7);
    p->tag = numbers + sets[i].first;
    p->n_tag = sets[i].n;
}

static void make_offer(random_world *w, uint32_t i)
{
    static const char *const groups[] = {"", "", "a", "b"};
    static const char *const rules[] = {"", "", "", "n > 3", "even", "not even"};
    const int64_t at_us = w->in.at_us;
    promotion *p =
        small_shop_promotion(&w->shop, (promotion_kind)below(w, PROMOTION_KIND_COUNT));
    if (one_in(w, 2)) p->value_minor = below(w, 300);
    if (one_in(w, 2)) p->percent_hundredths = (int32_t)below(w, 5000);
    if (one_in(w, 4)) p->starts_us = at_us - US_PER_DAY + (int64_t)below(w, 3) * US_PER_DAY;
    if (one_in(w, 4)) p->ends_us = at_us + (int64_t)below(w, 60) * US_PER_HOUR - US_PER_DAY;
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
    if (one_in(w, 2)) make_tags(w, p);
    w->committed[i + 1] = one_in(w, 3) ? (int64_t)below(w, 200) : 0;
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
                                .time_us = w->in.at_us + US_PER_DAY -
                                           (int64_t)below(w, 35 * 24) * US_PER_HOUR};
        if (i == 0 || type != EVENT_EXPOSURE || !one_in(w, 5)) continue;
        uint32_t offer = rows[i].promotion; /* another promotion of the same message */
        rows[i] = rows[i - 1];
        rows[i].promotion = offer;
    }
    assert_int_equal(history_from_rows(&w->history, rows, n, shoppers, NULL), PF_OK);
}

/* --- the policy -------------------------------------------------------------------- */

static policy_window window(random_world *w, uint32_t most)
{
    return (policy_window){below(w, most), below(w, most + 1), below(w, most + 3)};
}

static void make_channels(random_world *w, policy *p)
{
    if (one_in(w, 2)) p->channels = 1 + below(w, 127);
    p->channels = (p->channels & CHANNEL_SET_ALL) != 0 ? p->channels & CHANNEL_SET_ALL : 2;
    p->unasked = below(w, 128) & CHANNEL_SET_ALL;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        policy_channel *c = &p->channel[by];
        c->contact_cost_minor = below(w, 400) / 10.0;
        if (one_in(w, 4)) c->budget_minor = below(w, 300);
        if (one_in(w, 4)) c->messages = 1 + below(w, 4);
        if (one_in(w, 4)) c->per_shopper = 1 + below(w, 2);
        if (one_in(w, 4)) c->window = window(w, 3);
    }
}

/* How the policy may explore; floors that many shoppers cannot have are refused by some runs. */
static void make_exploration(random_world *w, policy *p)
{
    if (!one_in(w, 3)) return;
    p->per_shopper = 1;
    p->explore.method =
        (policy_exploring)(POLICY_EXPLORES_THOMPSON + (int)below(w, 3));
    p->explore.epsilon = random_unit(&w->r) / 2;
    p->explore.temperature = 1 + 100 * random_unit(&w->r);
    p->explore.floor = one_in(w, 2) ? 0 : random_unit(&w->r) / 25;
    p->explore.salt = one_in(w, 2) ? "a" : "b";
}

static void make_policy(random_world *w)
{
    static const char *const capped[] = {"wine", "bread", "ghost"};
    policy p = policy_default();
    p.margin_rate = 0.3;
    p.metric = one_in(w, 2) ? POLICY_MARGIN : (policy_metric)below(w, POLICY_CONVERSIONS + 1);
    p.worth_minor = 1 + below(w, 400);
    if (one_in(w, 2)) p.unknown_discount_minor = below(w, 200);
    p.hard = one_in(w, 3);
    if (one_in(w, 2)) p.largest_discount_minor = below(w, 200);
    if (!one_in(w, 3)) p.budget_minor = below(w, p.hard ? 1800 : 900);
    if (one_in(w, 3)) p.promotion_budget_minor = below(w, 300);
    if (one_in(w, 3)) p.messages = 1 + below(w, 10);
    p.per_shopper = 1 + below(w, 3);
    if (one_in(w, 3)) p.window = window(w, 4);
    if (one_in(w, 2))
        for (p.n_tags = 0; p.n_tags < 1 + below(w, 3); p.n_tags++)
            p.tag[p.n_tags] = (policy_tag){capped[p.n_tags], window(w, 3)};
    if (one_in(w, 2))
        p.quiet = (quiet_hours){(int)below(w, 1440), (int)below(w, 1440)};
    p.holdout_share = one_in(w, 2) ? 0 : 0.3;
    p.holdout_salt = one_in(w, 2) ? "x" : "y";
    p.campaign_holdout_share = one_in(w, 2) ? 0 : 0.4;
    make_channels(w, &p);
    make_exploration(w, &p);
    w->policy = p;
}

void random_world_be_sure(random_world *w)
{
    w->policy.explore.method = POLICY_EXPLORES_NOT;
}

/* --- what is expected -------------------------------------------------------------- */

static void make_scores(random_world *w, uint32_t shoppers, uint32_t offers)
{
    uint32_t lifted = below(w, 3); /* none, some, all */
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
                    .spend_minor = random_unit(&w->r) * 1500,
                    .lift_known = lifted == 2 || (lifted == 1 && one_in(w, 2)),
                    .lift_minor = (random_unit(&w->r) - 0.3) * 1000,
                    .click_known = true,
                    .convert_known = true,
                    .p_click = random_unit(&w->r),
                    .p_convert = random_unit(&w->r)};
        }
}

static void make_contact(random_world *w, uint32_t shoppers)
{
    for (size_t i = 0; i < ((size_t)shoppers + 1) * CHANNEL_COUNT; i++) {
        w->fatigue[i] = (float)below(w, 60);
        w->send_at_us[i] = one_in(w, 3) ? TIME_ABSENT
                                        : w->in.at_us + ((int64_t)below(w, 60) - 10) *
                                                            US_PER_HOUR;
    }
    w->in.fatigue_minor = one_in(w, 2) ? w->fatigue : NULL;
    w->in.send_at_us = one_in(w, 2) ? w->send_at_us : NULL;
}

/* Factors whose mean over the draws is 1. */
static void make_factors(random_world *w, double *factors, uint32_t offers)
{
    const uint32_t n = w->in.n_draws, wide = offers + 1;
    for (uint32_t p = 0; p < wide; p++) {
        double sum = 0;
        for (uint32_t d = 0; d < n; d++)
            sum += factors[d * wide + p] = 0.2 + random_unit(&w->r);
        for (uint32_t d = 0; d < n; d++)
            factors[d * wide + p] *= n / sum;
    }
}

static void make_draws(random_world *w, uint32_t offers)
{
    static const uint32_t counts[] = {0, 1, 4, 16, RANDOM_DRAWS};
    w->in.n_draws = counts[below(w, 5)];
    if (w->in.n_draws == RANDOM_DRAWS && !one_in(w, 4)) w->in.n_draws = 8;
    make_factors(w, w->redeem_draw, offers);
    make_factors(w, w->lift_draw, offers);
    w->in.redeem_draw = w->redeem_draw;
    w->in.lift_draw = one_in(w, 2) ? w->lift_draw : NULL;
}

void random_world_make(random_world *w, uint64_t seed, uint32_t shoppers, uint32_t offers)
{
    memset(w, 0, sizeof *w);
    w->r = random_begin(99, seed);
    w->in.at_us = moment(w);
    small_shop_init(&w->shop, 20, "USD");
    w->shop.c.campaigns = campaigns;
    w->shop.c.n_campaigns = 2;
    w->shop.c.tags = tags;
    w->shop.c.n_tags = RANDOM_TAGS;
    for (int i = 1; i <= 6; i++) {
        (void)small_shop_product(&w->shop, "THING", 0);
        w->in_stock[i] = !one_in(w, 3);
    }
    for (uint32_t i = 0; i < offers; i++)
        make_offer(w, i);
    make_shoppers(w, shoppers);
    make_policy(w);
    make_past(w, shoppers, offers);
    make_zones(w, shoppers);
    w->in.policy = &w->policy;
    w->in.catalogue = &w->shop.c;
    w->in.history = w->history;
    w->in.scores = w->scores;
    w->in.lookup = lookup;
    w->in.in_stock = one_in(w, 2) ? w->in_stock : NULL;
    w->in.committed_minor = one_in(w, 3) ? (int64_t)below(w, 300) : 0;
    w->in.promotion_committed_minor = one_in(w, 2) ? w->committed : NULL;
    w->in.margins = one_in(w, 3);
    make_scores(w, shoppers, offers);
    make_contact(w, shoppers);
    make_draws(w, offers);
}

void random_world_free(random_world *w)
{
    history_free(w->history);
    small_shop_free(&w->shop);
}

/* --- worked out by hand ------------------------------------------------------------ */

bool random_world_in_audience(const char *rule, uint32_t s)
{
    if (rule[0] == '\0') return true;
    if (strcmp(rule, "n > 3") == 0) return s > 3;
    if (s % 3 == 0) return false; /* whether it is even is not known */
    return strcmp(rule, "even") == 0 ? s % 2 == 0 : s % 2 != 0;
}

bool random_world_has_tag(const random_world *w, uint32_t offer, const char *name)
{
    const promotion *p = &w->shop.promotions[offer];
    for (uint32_t i = 0; offer > 0 && i < p->n_tag; i++)
        if (strcmp(tags[p->tag[i]], name) == 0) return true;
    return false;
}

static bool counts(const random_world *w, const past_query *q, uint64_t i)
{
    const shop_history *h = w->history;
    return h->type[i] == q->type && h->time_us[i] < w->in.at_us &&
           h->time_us[i] >= q->from_us && (q->offer == 0 || h->promotion[i] == q->offer) &&
           (q->by < 0 || h->channel[i] == q->by) &&
           (q->tag < 0 || random_world_has_tag(w, h->promotion[i], w->policy.tag[q->tag].name));
}

uint32_t random_world_past(const random_world *w, const past_query *q)
{
    const shop_history *h = w->history;
    uint64_t first = q->shopper == 0 ? 0 : h->first[q->shopper];
    uint64_t end = q->shopper == 0 ? h->n : h->first[q->shopper + 1];
    uint32_t n = 0;
    for (uint64_t i = first; i < end; i++) {
        bool again = false;
        for (uint64_t k = first; k < i && q->type == EVENT_EXPOSURE; k++)
            again |= counts(w, q, k) && h->time_us[k] == h->time_us[i] &&
                     h->channel[k] == h->channel[i] && h->campaign[k] == h->campaign[i];
        n += counts(w, q, i) && !again;
    }
    return n;
}

int64_t random_world_midnight(const zone *z, int64_t time_us, int days)
{
    int64_t noon = calendar_midnight_us(time_us, z) + 12 * US_PER_HOUR;
    return calendar_midnight_us(noon - days * US_PER_DAY, z);
}

double random_world_cost(const random_world *w, const decide_outcome *o, bool hard)
{
    const promotion *p = &w->shop.promotions[o->promotion];
    const policy *how = &w->policy;
    bool share = p->kind == PROMOTION_PERCENT_OFF && p->percent_hundredths > 0;
    bool bounded = !share && p->value_minor != MONEY_ABSENT;
    double discount = 0;
    if (p->kind == PROMOTION_INFORMATIONAL)
        bounded = true;
    else if (share)
        discount = o->spend_minor * p->percent_hundredths / 10000.0;
    else if (bounded)
        discount = (double)p->value_minor;
    else if (p->kind == PROMOTION_BOGO)
        discount = o->spend_minor / 2;
    else if (how->unknown_discount_minor == MONEY_ABSENT)
        return -1;
    else
        discount = (double)how->unknown_discount_minor;
    double most = bounded ? discount : (double)how->largest_discount_minor;
    if (how->hard && !bounded && how->largest_discount_minor == MONEY_ABSENT) return -1;
    if (how->hard && discount > most) discount = most;
    double contact = p->contact_cost_minor != MONEY_ABSENT
                         ? (double)p->contact_cost_minor
                         : how->channel[o->why.channel].contact_cost_minor;
    return hard ? contact + most : contact + o->p_redeem * discount;
}
