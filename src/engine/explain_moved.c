/* Opens the recommender and the past, asks, and names what moved. */
#include "engine/explain_moved.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/moved.h"
#include "response/moved.h"

enum { EVENTS = 5, TRIP_NAMES = 3, ERROR_WORDS = 1024 };

typedef struct moving {
    proffer *p;
    uint32_t shopper, promotion;
    int64_t at_us;
    recommender *model;
    bool *excluded; /* [products + 1] */
    interactions_owned *past;
    uint32_t *scope; /* [n_scope] products from 0 */
    size_t n_scope;
    recommend_query query;
} moving;

static void close_moving(moving *g)
{
    recommender_free(g->model);
    interactions_free(g->past);
    mem_free(g->excluded);
    mem_free(g->scope);
}

/* --- the question ----------------------------------------------------------------- */

static pf_status leave_out(const char *why)
{
    log_line(LOG_DETAIL, "no past events are told: %s", why);
    return PF_OK;
}

/* The saved recommender, or none where it knows too much or too little. */
static pf_status open_model(moving *g, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES], setting[LEARNED_SETTING_BYTES], words[ERROR_WORDS];
    pf_error why = {.code = PF_OK};
    pf_status s = workspace_path(g->p, BLEND_MODEL_NAME, path, err);
    if (s != PF_OK) return s;
    learned_setting(g->p->config, setting);
    if (!learned_card_fits(&g->p->data, setting, path, g->at_us))
        return leave_out("no recommender was trained on these data and on nothing later than "
                         "the decision");
    s = recommender_load(path, g->p->catalogue->n_products, &g->model, &why);
    if (s == PF_OK) return PF_OK;
    if (s == PF_NO_MEMORY) return error_pass(err, &why);
    log_line(LOG_WARNING,
             "the trained recommender cannot be used, so no past events are told; `proffer "
             "train` writes it anew (%s)",
             error_describe(&why, words, sizeof words));
    return PF_OK;
}

/* Where products are not bought twice, those of the past cannot come next. */
static void exclude_bought(moving *g)
{
    if (learned_repeats(g->p, g->past)) return;
    for (size_t i = 0; i < g->query.n; i++)
        g->excluded[g->query.product[i] + 1] = true;
}

/* The scope less what cannot be recommended; the whole catalogue where it names nothing. */
static pf_status read_scope(moving *g, pf_error *err)
{
    const promotion *of = &g->p->catalogue->promotions[g->promotion];
    const uint32_t all = g->p->catalogue->n_products, n = of->n_scope ? of->n_scope : all;
    g->scope = mem_alloc((size_t)n + 1, sizeof *g->scope);
    if (g->scope == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for %u products", n);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t number = of->n_scope ? of->scope[i] : i + 1;
        if (number != 0 && !g->excluded[number]) g->scope[g->n_scope++] = number - 1;
    }
    return PF_OK;
}

static pf_status open_past(moving *g, pf_error *err)
{
    const proffer *p = g->p;
    pf_status s = learned_excluded(p, &g->excluded, err);
    if (s == PF_OK)
        s = purchases_from_history(p->history, p->catalogue->n_products, g->excluded, g->at_us,
                                   &g->past, err);
    if (s != PF_OK) return s;
    g->query = purchases_of(g->past, g->shopper, g->at_us);
    exclude_bought(g);
    return read_scope(g, err);
}

/* --- the answer ------------------------------------------------------------------- */

/* "bought", "was shown", ... */
static const char *deed(uint8_t kind)
{
    static const char *const deeds[EVENT_TYPE_COUNT] = {
        [EVENT_EXPOSURE] = "was shown",    [EVENT_CLICK] = "clicked on",
        [EVENT_VIEW] = "looked at",        [EVENT_ADD_TO_CART] = "put into the cart",
        [EVENT_PURCHASE] = "bought",       [EVENT_RETURN] = "gave back",
        [EVENT_REDEMPTION] = "redeemed",   [EVENT_RATING] = "rated",
        [EVENT_DISMISSAL] = "dismissed",
    };
    return kind < EVENT_TYPE_COUNT && deeds[kind] ? deeds[kind] : "did something with";
}

static void write_what(const moving *g, const moved_event *e, verb_result *r)
{
    const shop_catalogue *c = g->p->catalogue;
    const bool bought = e->thing < c->n_products;
    const bool offered = !bought && e->thing - c->n_products < c->n_promotions;
    const char *id = NULL, *title = "several offers";
    buffer words;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    if (bought) {
        id = c->products[e->thing + 1].id;
        title = c->products[e->thing + 1].title;
    } else if (offered) {
        id = c->promotions[e->thing - c->n_products + 1].id;
        title = c->promotions[e->thing - c->n_products + 1].title;
    }
    buffer_printf(&words, "%s %s", deed(e->kind), id != NULL && title[0] == 0 ? id : title);
    if (e->events > 1) buffer_printf(&words, ", %zu times", e->events);
    verb_text(r, "what", words.data ? words.data : "");
    if (id != NULL) verb_text(r, bought ? "product" : "promotion", id);
    buffer_free(&words);
}

static void write_event(const moving *g, const moved_event *e, verb_result *r)
{
    json_object_begin(&r->w);
    verb_time(r, "time", e->time_us);
    write_what(g, e, r);
    verb_integer(r, "events", (int64_t)e->events);
    verb_number(r, "change", e->change);
    if (e->member != NULL) {
        verb_text(r, "through", e->member);
        verb_number(r, "through_change", e->member_change);
    }
    json_object_end(&r->w);
}

static pf_status answer(const moving *g, verb_result *r, pf_error *err)
{
    moved_event events[EVENTS];
    moved_answer a;
    pf_error why = {.code = PF_OK};
    const moved_question q = {.past = &g->query,
                              .product = g->scope,
                              .n_products = g->n_scope,
                              .excluded = g->excluded + 1,
                              .together = MOVED_THINGS,
                              .threads = workspace_pool(g->p)};
    const pf_status s = recommend_moved(g->model, &q, events, EVENTS, &a, &why);
    if (s == PF_USAGE) return leave_out(why.message);
    if (s != PF_OK) return error_pass(err, &why);
    json_key(&r->w, "moved_by");
    json_array_begin(&r->w);
    for (size_t i = 0; i < a.found; i++)
        write_event(g, &events[i], r);
    json_array_end(&r->w);
    return PF_OK;
}

pf_status explain_moved(proffer *p, uint32_t number, uint32_t offer, int64_t at_us,
                        verb_result *r, pf_error *err)
{
    moving g = {.p = p, .shopper = number, .promotion = offer, .at_us = at_us};
    if (offer == 0) return PF_OK; /* the catalogue does not have it any more */
    pf_status s = open_model(&g, err);
    if (s == PF_OK && g.model != NULL) s = open_past(&g, err);
    if (s == PF_OK && g.model != NULL) s = answer(&g, r, err);
    close_moving(&g);
    return s;
}

/* --- trips ------------------------------------------------------------------------ */

/* "a trip of 12 purchases: Whole milk; Brown bread; Honey ...", the last ones of it. */
static void write_trip_what(const proffer *p, uint32_t who, const response_trip *t,
                            verb_result *r)
{
    const shop_history *h = p->history;
    const char *name[TRIP_NAMES];
    size_t named = 0;
    buffer words;
    const size_t most = t->lines < TRIP_NAMES ? t->lines : TRIP_NAMES;
    for (uint64_t i = t->row + 1; i-- > h->first[who] && h->time_us[i] >= t->from_us &&
                                  named < most;) {
        const uint32_t number = h->type[i] == EVENT_PURCHASE ? h->product[i] : 0;
        if (number == 0) continue;
        const product *of = &p->catalogue->products[number];
        name[named++] = of->title[0] != 0 ? of->title : of->id;
    }
    buffer_init(&words, LIMIT_TEXT_BYTES);
    buffer_printf(&words, "a trip of %u purchase%s", t->lines, t->lines == 1 ? "" : "s");
    for (size_t i = 0; i < named; i++)
        buffer_printf(&words, "%s%s", i == 0 ? ": " : "; ", name[i]);
    if (named < t->lines) buffer_append_text(&words, " ...");
    verb_text(r, "what", words.data ? words.data : "");
    buffer_free(&words);
}

pf_status explain_moved_trips(const learned *l, const response_ask *ask, verb_result *r,
                              pf_error *err)
{
    response_trip trips[EVENTS];
    size_t found = 0;
    pf_error why = {.code = PF_OK};
    const pf_status s = response_moved(l->model, l->data, ask, 0, trips, EVENTS, &found, &why);
    if (s == PF_NO_MEMORY) return error_pass(err, &why);
    if (s != PF_OK) return leave_out(why.message);
    json_key(&r->w, "moved_by_trips");
    json_array_begin(&r->w);
    for (size_t i = 0; i < found; i++) {
        json_object_begin(&r->w);
        verb_time(r, "time", trips[i].last_us);
        write_trip_what(l->p, ask->shopper[0], &trips[i], r);
        verb_integer(r, "lines", trips[i].lines);
        verb_number(r, "change", trips[i].change);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
    return PF_OK;
}
