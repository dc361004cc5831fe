/*
 * A made-up shop whose lift is known. Everybody buys weekly what is never promoted; of what is
 * promoted (products 1 to 10, for about 1000),
 *
 *     sure things    (who mod 3 = 0) buy four weeks in five, and redeem whatever they are sent,
 *                    four times in five, on what they would have bought anyway: lift 0
 *     persuadables   (1) hardly ever buy it, but when sent it buy once more, and redeem, with
 *                    WORLD_PERSUADED: lift 1000 WORLD_PERSUADED
 *     lost causes    (2) never do either: lift 0
 *
 * Campaigns of two promotions (products 1 to 5, 6 to 10) run three weeks, every six weeks.
 */
#ifndef PROFFER_TESTS_RESPONSE_EFFECT_WORLD_H
#define PROFFER_TESTS_RESPONSE_EFFECT_WORLD_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "check.h"
#include "response/effect.h"

enum {
    WORLD_SHOPPERS = 420,
    WORLD_CAMPAIGNS = 8,
    WORLD_PRODUCTS = 15,
    WORLD_WEEKS = 60,
    WORLD_ROWS = 70000,
    WORLD_TEXT = 8
};
#define WORLD_PERSUADED 0.6
#define WORLD_PRICE 1000
#define WORLD_BEGIN_US (INT64_C(1704067200) * US_PER_SECOND)

typedef enum world_way {
    WORLD_LOTS,   /* half of all are sent it, and exposures say so */
    WORLD_MAILED, /* those who buy are sent it more often, and nothing says so */
    WORLD_LOG     /* decisions, of which nothing is in the history */
} world_way;

typedef struct world_plan {
    world_way way;
    uint32_t shoppers, campaigns;
    double moved;     /* times WORLD_PERSUADED */
    double sure_part; /* how often sure things redeem */
    bool sticky;      /* the same shoppers are sent all campaigns, or none */
    uint64_t seed;
} world_plan;

static const world_plan plain_plan = {WORLD_LOTS, WORLD_SHOPPERS, WORLD_CAMPAIGNS, 1, .8, false, 1};

typedef struct effect_world {
    world_plan plan;
    shop_catalogue c;
    product products[WORLD_PRODUCTS + 1];
    category categories[3];
    campaign campaigns[WORLD_CAMPAIGNS + 1];
    promotion promotions[2 * WORLD_CAMPAIGNS + 1];
    shopper shoppers[WORLD_SHOPPERS + 1];
    const char *brands[1];
    char texts[WORLD_SHOPPERS + 100][WORLD_TEXT];
    size_t n_texts;
    uint32_t scope[2][5];
    history_row rows[WORLD_ROWS];
    uint64_t n_rows;
    effect_logged log[WORLD_SHOPPERS * WORLD_CAMPAIGNS];
    effect_option options[WORLD_SHOPPERS * WORLD_CAMPAIGNS][2];
    size_t n_log;
    shop_history *h;
    response_data *data;
} effect_world;

static inline bool is_sure(uint32_t who)
{
    return who % 3 == 0;
}

static inline bool is_persuadable(uint32_t who)
{
    return who % 3 == 1;
}

static inline int64_t world_week_us(int week)
{
    return WORLD_BEGIN_US + week * 7 * US_PER_DAY;
}

/* Campaign k = 1.. starts, and ends three weeks later. */
static inline int64_t world_start_us(uint32_t k)
{
    return world_week_us(10 + 6 * ((int)k - 1));
}

static inline int64_t world_end_us(const effect_world *w)
{
    return world_start_us(w->plan.campaigns) + 28 * US_PER_DAY;
}

static inline const char *world_text(effect_world *w, char letter, uint32_t number)
{
    char *into = w->texts[w->n_texts++];
    (void)snprintf(into, WORLD_TEXT, "%c%u", letter, number % 10000);
    return into;
}

static inline history_row *world_add(effect_world *w, event_type type, uint32_t who, int64_t at_us)
{
    assert_true(w->n_rows < WORLD_ROWS);
    history_row *r = &w->rows[w->n_rows++];
    *r = (history_row){.shopper = who, .type = (uint8_t)type, .time_us = at_us, .quantity = 1,
                       .paid_minor = MONEY_ABSENT, .discount_minor = MONEY_ABSENT,
                       .coupon_minor = MONEY_ABSENT, .rating = NAN, .propensity = NAN};
    return r;
}

static inline void world_buy(effect_world *w, uint32_t who, int64_t at_us, uint32_t what,
                             int64_t paid)
{
    history_row *r = world_add(w, EVENT_PURCHASE, who, at_us);
    r->product = what;
    r->paid_minor = paid;
    r->order = w->n_rows;
}

static inline void world_standing(effect_world *w)
{
    static const uint32_t first[2] = {1, 6};
    w->categories[0] = (category){"", "", 0, 0};
    w->categories[1] = (category){"A", "A", 0, 1};
    w->categories[2] = (category){"B", "B", 0, 1};
    w->brands[0] = "";
    for (uint32_t i = 0; i <= WORLD_PRODUCTS; i++)
        w->products[i] = (product){.id = world_text(w, 'p', i), .title = "", .description = "",
                                   .image = "", .attributes = "", .category = i > 10 ? 2 : 1,
                                   .price_minor = WORLD_PRICE};
    for (uint32_t i = 0; i <= w->plan.shoppers; i++)
        w->shoppers[i] = (shopper){.id = world_text(w, 's', i), .language = "", .zone = "",
                                   .attributes = "", .exists = true};
    for (uint32_t i = 0; i < 10; i++)
        w->scope[i / 5][i % 5] = first[i / 5] + i % 5;
    for (uint32_t k = 1; k <= w->plan.campaigns; k++) {
        w->campaigns[k] =
            (campaign){world_text(w, 'c', k), "", k % 2 ? "A" : "B", world_start_us(k),
                       world_start_us(k) + 21 * US_PER_DAY, ""};
        for (uint32_t j = 0; j < 2; j++)
            w->promotions[2 * k - 1 + j] = (promotion){
                .id = world_text(w, 'o', 2 * k + j), .title = "", .body = "",
                .stacking_group = "", .audience = "", .attributes = "", .campaign = k,
                .kind = PROMOTION_MONEY_OFF, .value_minor = 200, .minimum_purchase_minor = 500,
                .starts_us = w->campaigns[k].starts_us, .ends_us = w->campaigns[k].ends_us,
                .budget_minor = MONEY_ABSENT, .contact_cost_minor = MONEY_ABSENT,
                .scope = w->scope[j], .n_scope = 5};
    }
    w->c = (shop_catalogue){.n_products = WORLD_PRODUCTS, .n_categories = 2,
                            .n_campaigns = w->plan.campaigns,
                            .n_promotions = 2 * w->plan.campaigns, .n_shoppers = w->plan.shoppers,
                            .products = w->products, .categories = w->categories,
                            .brands = w->brands, .campaigns = w->campaigns,
                            .promotions = w->promotions, .shoppers = w->shoppers};
}

static inline void world_habits(effect_world *w, uint32_t who, random_stream *r)
{
    for (int week = 0; week < WORLD_WEEKS; week++) {
        const int64_t at = world_week_us(week) + (int64_t)(random_unit(r) * 6.9 * 86400e6);
        const double chance = is_sure(who) ? .8 : is_persuadable(who) ? .05 : 0;
        world_buy(w, who, at, 11 + who % 5, 2000);
        if (random_unit(r) >= chance) continue;
        /* one draw a statement: compilers take arguments in orders of their own */
        const int64_t paid = WORLD_PRICE - 200 + (int64_t)random_below(r, 401);
        const uint32_t what = 1 + random_below(r, 10);
        world_buy(w, who, at, what, paid);
    }
}

/* What being sent promotions first..last of the campaign brings about. */
static inline void world_answer(effect_world *w, uint32_t k, uint32_t who, uint32_t offer,
                                random_stream *r)
{
    const int64_t at = world_start_us(k) + US_PER_DAY +
                       (int64_t)(random_unit(r) * 19 * 86400e6);
    const double u = random_unit(r);
    const uint32_t what = (offer % 2 ? 1 : 6) + random_below(r, 5);
    const bool persuaded = is_persuadable(who) && u < WORLD_PERSUADED * w->plan.moved;
    if (persuaded) world_buy(w, who, at, what, WORLD_PRICE);
    if (!persuaded && !(is_sure(who) && u < w->plan.sure_part)) return;
    history_row *use = world_add(w, EVENT_REDEMPTION, who, at);
    use->campaign = k;
    use->promotion = offer;
}

/* Chances in a campaign: those who buy are liked. */
static inline double world_chance(const effect_world *w, uint32_t who)
{
    if (w->plan.way == WORLD_LOTS) return 0.5;
    return is_sure(who) ? 0.75 : is_persuadable(who) ? 0.35 : 0.3;
}

static inline void world_decide(effect_world *w, uint32_t k, uint32_t who, random_stream *r)
{
    const double chance = world_chance(w, who);
    const double stuck = golden_unit(who, 77), anew = random_unit(r);
    const bool sent = (w->plan.sticky ? stuck : anew) < chance;
    const uint32_t offer = 2 * k - 1 + random_below(r, 2);
    if (w->plan.way == WORLD_LOG) {
        effect_option *o = w->options[w->n_log];
        o[0] = (effect_option){2 * k - 1, CHANNEL_MAIL, chance / 2};
        o[1] = (effect_option){2 * k, CHANNEL_MAIL, chance / 2};
        w->log[w->n_log++] = (effect_logged){
            .shopper = who, .promotion = sent ? offer : 0,
            .channel = sent ? CHANNEL_MAIL : CHANNEL_NONE,
            .time_us = world_start_us(k) + 5 * US_PER_HOUR, .propensity_none = 1 - chance,
            .candidate = o, .n_candidates = 2};
    } else if (sent) {
        history_row *e = world_add(w, EVENT_EXPOSURE, who, world_start_us(k));
        e->campaign = k;
        e->channel = CHANNEL_MAIL;
        e->propensity = w->plan.way == WORLD_LOTS ? 0.5f : NAN;
    }
    if (sent) world_answer(w, k, who, offer, r);
}

/* Makes history and data anew from the rows. */
static inline void world_remake(effect_world *w, pool *threads)
{
    pf_error err = {0};
    response_data_free(w->data);
    history_free(w->h);
    w->data = NULL;
    w->h = NULL;
    assert_int_equal(history_from_rows(&w->h, w->rows, w->n_rows, w->plan.shoppers, NULL), PF_OK);
    const response_world world = {.catalogue = &w->c, .history = w->h, .pool = threads};
    if (response_data_new(&world, &w->data, &err) != PF_OK) fail_msg("%s", err.message);
}

static inline effect_world *world_make(const world_plan *plan)
{
    effect_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    random_stream r = random_begin(plan->seed, 3);
    w->plan = *plan;
    world_standing(w);
    for (uint32_t who = 1; who <= plan->shoppers; who++) {
        world_habits(w, who, &r);
        for (uint32_t k = 1; k <= plan->campaigns; k++)
            world_decide(w, k, who, &r);
    }
    world_remake(w, NULL);
    return w;
}

static inline void world_free(effect_world *w)
{
    response_data_free(w->data);
    history_free(w->h);
    free(w);
}

static inline effect_options world_options(const effect_world *w)
{
    effect_options o = effect_options_default();
    o.contact_minor = 10;
    if (w->plan.way == WORLD_LOG) {
        o.log = w->log;
        o.n_log = w->n_log;
    }
    return o;
}

static inline effect_model *world_fit(const effect_world *w, const effect_options *o)
{
    effect_model *m = NULL;
    pf_error err = {0};
    if (effect_fit(&m, w->data, world_end_us(w), o, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

/* Everybody and the last campaign, at its start. */
typedef struct world_question {
    uint32_t promotion[2], shopper[WORLD_SHOPPERS];
    float p[2 * WORLD_SHOPPERS], spend[2 * WORLD_SHOPPERS];
    effect_ask ask;
} world_question;

/* What a perfect response model would say: sure things redeem most. */
static inline void world_ask(const effect_world *w, world_question *q)
{
    const uint32_t k = w->plan.campaigns;
    for (uint32_t i = 0; i < w->plan.shoppers; i++) {
        q->shopper[i] = i + 1;
        for (size_t j = 0; j < 2; j++) {
            q->p[2 * i + j] = is_sure(i + 1) ? .4f : is_persuadable(i + 1) ? .3f : .001f;
            q->spend[2 * i + j] = WORLD_PRICE;
        }
    }
    q->promotion[0] = 2 * k - 1;
    q->promotion[1] = 2 * k;
    q->ask = (effect_ask){
        .response = {k, q->promotion, 2, q->shopper, w->plan.shoppers, world_start_us(k)},
        .channel = CHANNEL_MAIL, .p_redeem = q->p, .spend_minor = q->spend};
}

/* What a model says of itself, for mem_free. */
static inline char *world_words(const effect_model *m)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 16);
    json_begin(&w, &b);
    effect_describe(m, &w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    buffer_free(&b);
    return words;
}

#endif
