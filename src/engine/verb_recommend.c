/*
 * recommend: the products a shopper is likeliest to buy next. The recommender `proffer
 * train` saved answers when it was trained on these data and on nothing later than the
 * moment; otherwise the shop's habits are learnt as of that moment, which takes seconds. A
 * model asked for by name is the one that `proffer train --model` kept.
 */
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/learned.h"
#include "measure/ranking.h"
#include "recommend/habit.h"
#include "recommend/month_blend.h"

enum { WHY = 3 };

/* What one question needs. */
typedef struct asking {
    proffer *p;
    uint32_t shopper;
    int64_t at_us;
    bool *excluded;     /* [products + 1] */
    uint32_t *category; /* [products] */
    interactions_owned *past;
    bool repeats;
    recommender *model;
    recommend_scratch *scratch;
    recommend_query query;
    float *scores;        /* [products] */
    float *network;       /* [products] what a network beside habit adds; NULL without one */
    double network_usual; /* the mean of that */
} asking;

static void asking_close(asking *a)
{
    recommend_scratch_free(a->scratch);
    recommender_free(a->model);
    interactions_free(a->past);
    mem_free(a->excluded);
    mem_free(a->category);
    mem_free(a->scores);
    mem_free(a->network);
}

/* ---- the past ---- */

static pf_status asking_open(asking *a, const char *id, const char *at, pf_error *err)
{
    const proffer *p = a->p;
    pf_status s = workspace_shopper(p, id, &a->shopper, err);
    if (s == PF_OK)
        s = workspace_time(p, at, p->history->last_time_us + 1, &a->at_us, err);
    if (s == PF_OK) s = learned_excluded(p, &a->excluded, err);
    if (s == PF_OK)
        s = purchases_from_history(p->history, p->catalogue->n_products, a->excluded,
                                   a->at_us, &a->past, err);
    if (s == PF_OK && a->past->view.n == 0)
        s = error_set(err, PF_NOT_FOUND,
                      "nobody had bought anything by then; import purchases or ask for a "
                      "later moment");
    if (s != PF_OK) return s;
    a->repeats = learned_repeats(p, a->past);
    a->query = purchases_of(a->past, a->shopper, a->at_us);
    return PF_OK;
}

/* ---- the model ---- */

static pf_status fit(asking *a, pf_error *err)
{
    const shop_catalogue *c = a->p->catalogue;
    a->category = mem_alloc(c->n_products, sizeof *a->category);
    if (a->category == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         c->n_products);
    for (uint32_t i = 0; i < c->n_products; i++)
        a->category[i] = c->products[i + 1].category;
    const product_side side = {.category = a->category,
                               .n_categories = c->n_categories + 1,
                               .excluded = a->excluded + 1};
    const recommend_input input = {.train = &a->past->view,
                                   .side = &side,
                                   .until_us = a->at_us,
                                   .repeats = a->repeats,
                                   .seed = 1,
                                   .pool = workspace_pool(a->p)};
    log_line(LOG_DETAIL, "learning the shop's habits as of the moment asked about");
    return recommender_fit(recommender_find("habit"), &input, &a->model, err);
}

static pf_status load_named(asking *a, const char *name, pf_error *err)
{
    if (recommender_find(name) == NULL)
        return recommender_unknown(name, NULL, 0, err);
    return learned_named(a->p, name, false, &a->model, err);
}

static pf_status find_model(asking *a, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES], setting[LEARNED_SETTING_BYTES];
    pf_status s = workspace_path(a->p, BLEND_MODEL_NAME, path, err);
    if (s != PF_OK) return s;
    learned_setting(a->p->config, setting);
    if (learned_card_fits(&a->p->data, setting, path, a->at_us)) {
        pf_error why = {.code = PF_OK};
        s = recommender_load(path, a->p->catalogue->n_products, &a->model, &why);
        if (s == PF_OK) return PF_OK;
        learned_tell_broken(&why);
    }
    return fit(a, err);
}

/* The network's part of the scores, by itself, to say why. */
static pf_status score_network(asking *a, pf_error *err)
{
    const uint32_t V = a->p->catalogue->n_products;
    double sum = 0;
    if (month_blend_network(a->model) == NULL || a->query.n == 0) return PF_OK;
    a->network = mem_alloc_aligned(V, sizeof *a->network);
    if (a->network == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", V);
    month_blend_network_part(a->model, &a->query, a->network, a->scratch);
    for (uint32_t v = 0; v < V; v++)
        sum += (double)a->network[v];
    a->network_usual = sum / V;
    return PF_OK;
}

static pf_status score(asking *a, pf_error *err)
{
    uint32_t V = a->p->catalogue->n_products;
    pf_status s = recommend_scratch_new(a->model, &a->scratch, err);
    if (s != PF_OK) return s;
    a->scores = mem_alloc_aligned(V, sizeof *a->scores);
    if (a->scores == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", V);
    recommender_score(a->model, &a->query, a->scores, a->scratch);
    for (uint32_t v = 0; v < V; v++)
        if (a->excluded[v + 1]) a->scores[v] = -INFINITY;
    for (size_t i = 0; i < a->query.n && !a->repeats; i++)
        a->scores[a->query.product[i]] = -INFINITY;
    return score_network(a, err);
}

/* ---- the answer ---- */

/* The largest parts of a score; returns how many. */
static size_t find_parts(const asking *a, uint32_t v, habit_part parts[WHY + 1])
{
    const recommender *habit = month_blend_habit(a->model);
    if (a->query.n == 0) return 0;
    size_t n = habit_parts(habit ? habit : a->model, &a->query, v, parts, WHY, a->scratch);
    if (a->network == NULL) return n;
    const habit_part one = {"what was done lately, read in order",
                            (double)a->network[v] - a->network_usual};
    size_t at = n;
    for (; at > 0 && fabs(parts[at - 1].contribution) < fabs(one.contribution); at--)
        parts[at] = parts[at - 1];
    parts[at] = one;
    return n < WHY ? n + 1 : WHY;
}

static void write_why(const asking *a, uint32_t v, verb_result *r)
{
    habit_part parts[WHY + 1];
    size_t n = find_parts(a, v, parts);
    json_key(&r->w, "why");
    json_array_begin(&r->w);
    for (size_t i = 0; i < n; i++) {
        json_object_begin(&r->w);
        verb_text(r, "feature", parts[i].feature);
        verb_number(r, "contribution", parts[i].contribution);
        json_object_end(&r->w);
    }
    json_array_end(&r->w);
}

static void write_product(const asking *a, uint32_t v, verb_result *r)
{
    const shop_catalogue *c = a->p->catalogue;
    const product *of = &c->products[v + 1];
    json_object_begin(&r->w);
    verb_text(r, "id", of->id);
    verb_text(r, "title", of->title);
    verb_text(r, "category", c->categories[of->category].path);
    verb_money(r, "price", of->price_minor, &c->currency);
    verb_number(r, "score", (double)a->scores[v]);
    write_why(a, v, r);
    json_object_end(&r->w);
}

static pf_status answer(const asking *a, size_t limit, char **json, pf_error *err)
{
    uint32_t best[RANKING_CUT_MAX];
    verb_result r;
    size_t n = ranking_top(a->scores, a->p->catalogue->n_products, limit, best);
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "shopper", a->p->catalogue->shoppers[a->shopper].id);
    verb_time(&r, "at", a->at_us);
    verb_text(&r, "model", recommender_kind_of(a->model)->name);
    json_key(&r.w, "products");
    json_array_begin(&r.w);
    for (size_t i = 0; i < n; i++)
        write_product(a, best[i], &r);
    json_array_end(&r.w);
    json_object_end(&r.w);
    return verb_end(&r, json, err);
}

proffer_status proffer_recommend(proffer *p, const char *id, const char *at, int limit,
                                 const char *model, char **json, proffer_error *err)
{
    asking a = {.p = p};
    *json = NULL;
    if (limit < 1 || limit > RANKING_CUT_MAX)
        return (proffer_status)error_set(inner(err), PF_USAGE,
                                         "ask for 1 to %d products, not %d",
                                         RANKING_CUT_MAX, limit);
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = asking_open(&a, id, at, inner(err));
    if (s == PF_OK)
        s = model ? load_named(&a, model, inner(err)) : find_model(&a, inner(err));
    if (s == PF_OK) s = score(&a, inner(err));
    if (s == PF_OK) s = answer(&a, (size_t)limit, json, inner(err));
    asking_close(&a);
    return (proffer_status)s;
}
