/*
 * Targets are listed once for all models. One model at a time is fitted, asked about every
 * shopper (one task each, written to the shopper's place), and freed.
 */
#include "evaluate/next_products.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/memory.h"
#include "recommend/from_history.h"

typedef struct worker {
    float *scores; /* [V] */
    recommend_scratch *scratch;
} worker;

typedef struct protocol {
    const next_products_task *task;
    interactions_owned *past;
    uint64_t
        *first; /* [S + 1]: targets of shopper s are target[first[s - 1]..first[s]] */
    uint32_t *target;   /* product number - 1 */
    uint32_t *times;    /* [V] purchases before the window */
    uint32_t *category; /* [V] */
    double *baseline;   /* [S] ndcg of the baseline; NaN: not measured */
    product_side side;
    worker *workers;
    size_t n_workers;
} protocol;

/* ---- the split ---- */

static pf_status check_task(const next_products_task *t, pf_error *err)
{
    if (t->catalogue->n_products == 0)
        return error_set(err, PF_DATA, "there are no products to rank");
    if (t->to_us <= t->from_us)
        return error_set(err, PF_USAGE, "the test window ends before it begins");
    if (t->n_kinds > NEXT_PRODUCTS_MODELS_MAX)
        return error_set(err, PF_USAGE, "at most %d models can be compared at once",
                         NEXT_PRODUCTS_MODELS_MAX);
    return PF_OK;
}

static void protocol_free(protocol *p)
{
    for (size_t w = 0; p->workers != NULL && w < p->n_workers; w++)
        mem_free(p->workers[w].scores);
    mem_free(p->workers);
    interactions_free(p->past);
    mem_free(p->first);
    mem_free(p->target);
    mem_free(p->times);
    mem_free(p->category);
    mem_free(p->baseline);
}

static pf_status make_room(protocol *p, pf_error *err)
{
    const next_products_task *t = p->task;
    size_t V = t->catalogue->n_products, S = t->history->n_shoppers;
    uint64_t events = t->history->n;
    p->first = mem_alloc_zero(S + 1, sizeof *p->first);
    p->target = mem_alloc(events ? (size_t)events : 1, sizeof *p->target);
    p->times = mem_alloc_zero(V, sizeof *p->times);
    p->category = mem_alloc(V, sizeof *p->category);
    p->baseline = mem_alloc(S ? S : 1, sizeof *p->baseline);
    p->n_workers = t->threads ? pool_threads(t->threads) : 1;
    p->workers = mem_alloc_zero(p->n_workers, sizeof *p->workers);
    bool ok = p->first && p->target && p->times && p->category && p->baseline;
    ok = ok && p->workers != NULL;
    for (size_t w = 0; ok && w < p->n_workers; w++)
        ok = (p->workers[w].scores = mem_alloc_aligned(V, sizeof(float))) != NULL;
    return ok ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for %zu products", V);
}

/* Adds the different products that a shopper bought in the window; mark [V] holds the last
 * shopper who was seen with a product, 2 s in the past and 2 s + 1 among the targets. */
static uint64_t list_targets(const protocol *p, uint32_t s, uint64_t to, uint64_t *mark)
{
    const next_products_task *t = p->task;
    const shop_history *h = t->history;
    recommend_query past = purchases_of(p->past, s, t->from_us);
    for (size_t i = 0; i < past.n && !t->repeats; i++)
        mark[past.product[i]] = 2 * (uint64_t)s;
    uint64_t end = history_before(h, s, t->to_us);
    for (uint64_t i = history_before(h, s, t->from_us); i < end; i++) {
        uint32_t number = h->product[i];
        if (h->type[i] != EVENT_PURCHASE || number == 0) continue;
        if (t->excluded != NULL && t->excluded[number]) continue;
        if (mark[number - 1] >= 2 * (uint64_t)s) continue;
        mark[number - 1] = 2 * (uint64_t)s + 1;
        p->target[to++] = number - 1;
    }
    return to;
}

static pf_status find_targets(protocol *p, next_products_result *out, pf_error *err)
{
    uint32_t S = p->task->history->n_shoppers;
    uint64_t *mark = mem_alloc_zero(p->task->catalogue->n_products, sizeof *mark);
    if (mark == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for products");
    for (uint32_t s = 1; s <= S; s++) {
        uint64_t from = p->first[s - 1], to = list_targets(p, s, from, mark);
        bool too_many = to - from > RANKING_TARGETS_MAX;
        out->untested += too_many;
        out->users += to > from && !too_many;
        p->first[s] = too_many ? from : to;
    }
    out->targets = p->first[S];
    mem_free(mark);
    if (out->users == 0)
        return error_set(err, PF_DATA,
                         "nobody bought anything in the test window, so there is nothing "
                         "to predict; choose another one");
    return PF_OK;
}

static void look_at_products(protocol *p, next_products_result *out)
{
    const next_products_task *t = p->task;
    const interactions *x = &p->past->view;
    for (uint64_t i = 0; i < x->n; i++)
        p->times[x->product[i]]++;
    for (uint32_t v = 0; v < x->n_products; v++) {
        p->category[v] = t->catalogue->products[v + 1].category;
        out->candidates += p->times[v] > 0;
    }
    p->side = (product_side){.category = p->category,
                             .n_categories = t->catalogue->n_categories + 1,
                             .excluded = t->excluded ? t->excluded + 1 : NULL,
                             .vectors = t->vectors,
                             .dimension = t->dimension,
                             .words = t->words};
}

static pf_status protocol_new(protocol *p, next_products_result *out, pf_error *err)
{
    const next_products_task *t = p->task;
    pf_status s = check_task(t, err);
    if (s == PF_OK)
        s = purchases_from_history(t->history, t->catalogue->n_products, t->excluded,
                                   t->from_us, &p->past, err);
    if (s == PF_OK && p->past->view.n == 0)
        s = error_set(err, PF_DATA,
                      "nothing was bought before the test window, so there is nothing to "
                      "learn from; choose a later one");
    if (s == PF_OK) s = make_room(p, err);
    if (s == PF_OK) s = find_targets(p, out, err);
    if (s == PF_OK) look_at_products(p, out);
    return s;
}

/* ---- one model ---- */

typedef struct run {
    const protocol *p;
    const recommender *model;
    ranking *ranks;
} run;

static void test_shopper(void *context, size_t task, unsigned number)
{
    const run *r = context;
    const protocol *p = r->p;
    worker *w = &p->workers[number];
    uint32_t s = (uint32_t)task + 1, V = p->past->view.n_products;
    uint64_t from = p->first[s - 1], n = p->first[s] - from;
    if (n == 0) return;
    recommend_query q = purchases_of(p->past, s, p->task->from_us);
    recommender_score(r->model, &q, w->scores, w->scratch);
    for (uint32_t v = 0; v < V; v++)
        if (p->times[v] == 0) w->scores[v] = -INFINITY;
    for (size_t i = 0; i < q.n && !p->task->repeats; i++)
        w->scores[q.product[i]] = -INFINITY;
    ranking_add(r->ranks, s - 1, w->scores, p->target + from, (size_t)n);
}

/* Mean and standard error over shoppers of ndcg above the baseline's. */
static void compare(const protocol *p, const ranking *ranks, next_products_model *out)
{
    double n = 0, sum = 0, squares = 0;
    for (uint32_t s = 0; s < p->task->history->n_shoppers; s++) {
        if (!ranking_has(ranks, s) || isnan(p->baseline[s])) continue;
        double d = ranking_of_shopper(ranks, s, 0).ndcg - p->baseline[s];
        n += 1;
        sum += d;
        squares += d * d;
    }
    out->gain = n > 0 ? sum / n : (double)NAN;
    double variance = n > 1 ? (squares - sum * sum / n) / (n - 1) : (double)NAN;
    out->gain_se = sqrt(fmax(variance, 0) / n);
}

static void keep_baseline(const protocol *p, const ranking *ranks)
{
    for (uint32_t s = 0; s < p->task->history->n_shoppers; s++)
        p->baseline[s] =
            ranking_has(ranks, s) ? ranking_of_shopper(ranks, s, 0).ndcg : (double)NAN;
}

static void free_scratch(protocol *p)
{
    for (size_t w = 0; w < p->n_workers; w++) {
        recommend_scratch_free(p->workers[w].scratch);
        p->workers[w].scratch = NULL;
    }
}

static pf_status measure(protocol *p, const recommender *model, next_products_model *out,
                         pf_error *err)
{
    const ranking_plan plan = {.cuts = 1,
                               .cut = {p->task->k},
                               .products = p->past->view.n_products,
                               .shoppers = p->past->view.n_users};
    double start = clock_wall_s();
    run r = {.p = p, .model = model};
    pf_status s = ranking_new(&r.ranks, &plan, err);
    if (s != PF_OK) return s;
    for (size_t w = 0; w < p->n_workers && s == PF_OK; w++)
        s = recommend_scratch_new(model, &p->workers[w].scratch, err);
    if (s == PF_OK) {
        pool_run(p->task->threads, plan.shoppers, test_shopper, &r);
        out->mean = ranking_mean(r.ranks, 0);
        out->standard_error = ranking_standard_error(r.ranks, 0);
        out->coverage = ranking_coverage(r.ranks, 0);
        out->novelty = ranking_novelty(r.ranks, 0, p->times);
        out->score_s = clock_wall_s() - start;
        if (!strcmp(out->model, NEXT_PRODUCTS_BASELINE)) keep_baseline(p, r.ranks);
        compare(p, r.ranks, out);
    }
    free_scratch(p);
    ranking_free(r.ranks);
    return s;
}

static pf_status run_kind(protocol *p, const recommender_kind *kind,
                          next_products_result *out, pf_error *err)
{
    const next_products_task *t = p->task;
    next_products_model *slot = &out->models[out->n_models];
    recommender *model = NULL;
    double start = clock_wall_s();
    const recommend_input input = {.train = &p->past->view,
                                   .side = &p->side,
                                   .until_us = t->from_us,
                                   .repeats = t->repeats,
                                   .seed = t->seed,
                                   .pool = t->threads,
                                   .training = t->training};
    pf_status s = recommender_fit(kind, &input, &model, err);
    *slot = (next_products_model){.model = kind->name};
    slot->train_s = clock_wall_s() - start;
    if (s == PF_OK) s = measure(p, model, slot, err);
    if (s == PF_OK) out->n_models++;
    recommender_free(model);
    return s;
}

/* ---- all of them ---- */

/* The baseline comes before what is compared with it: that is where it stands in these. */
static const char *const usual[] = {"repeat",   "popularity", "recent",  "item-knn",
                                    "user-knn", "words",      "meaning", "habit",
                                    "month-blend"};
enum { USUAL = sizeof usual / sizeof usual[0] };

static pf_status run_all(protocol *p, next_products_result *out, pf_error *err)
{
    const next_products_task *t = p->task;
    size_t n = t->kinds ? t->n_kinds : t->repeats && t->training ? USUAL : USUAL - 1;
    pf_status s = PF_OK;
    for (uint32_t i = 0; i < t->history->n_shoppers; i++)
        p->baseline[i] = (double)NAN;
    for (size_t i = 0; i < n && s == PF_OK; i++) {
        pf_error why = {0};
        s = run_kind(p, t->kinds ? t->kinds[i] : recommender_find(usual[i]), out, &why);
        if (s == PF_UNAVAILABLE && t->kinds == NULL)
            s = PF_OK;
        else if (s != PF_OK)
            s = error_pass(err, &why);
    }
    return s;
}

pf_status next_products_measure(const next_products_task *task, next_products_result *out,
                                pf_error *err)
{
    protocol p = {.task = task};
    *out = (next_products_result){.from_us = task->from_us,
                                  .to_us = task->to_us,
                                  .k = task->k,
                                  .repeats = task->repeats};
    pf_status s = protocol_new(&p, out, err);
    if (s == PF_OK) s = run_all(&p, out, err);
    protocol_free(&p);
    return s;
}

/* ---- JSON ---- */

/* "name@k" and its value. */
static void write_at(json_writer *w, const char *name, unsigned k, const char *tail,
                     double value)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s@%u%s", name, k, tail);
    json_key(w, key);
    json_number(w, value);
}

static void write_number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void write_count(json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_integer(w, (int64_t)value);
}

static void write_model(json_writer *w, const next_products_model *m, unsigned k)
{
    json_object_begin(w);
    json_key(w, "model");
    json_text(w, m->model);
    write_at(w, "ndcg", k, "", m->mean.ndcg);
    write_at(w, "ndcg", k, "_se", m->standard_error.ndcg);
    write_at(w, "ndcg", k, "_gain", m->gain);
    write_at(w, "ndcg", k, "_gain_se", m->gain_se);
    write_at(w, "recall", k, "", m->mean.recall);
    write_at(w, "recall", k, "_se", m->standard_error.recall);
    write_at(w, "hr", k, "", m->mean.hit);
    write_at(w, "hr", k, "_se", m->standard_error.hit);
    write_at(w, "mrr", k, "", m->mean.mrr);
    write_at(w, "mrr", k, "_se", m->standard_error.mrr);
    write_at(w, "coverage", k, "", m->coverage);
    write_at(w, "novelty", k, "", m->novelty);
    write_number(w, "train_s", m->train_s);
    write_number(w, "score_s", m->score_s);
    json_object_end(w);
}

static void write_time(json_writer *w, const char *key, int64_t time_us)
{
    char words[TIME_TEXT_BYTES];
    json_key(w, key);
    json_text(w, time_format(time_us, words));
}

void next_products_write_json(json_writer *w, const next_products_result *r)
{
    json_object_begin(w);
    write_time(w, "from", r->from_us);
    write_time(w, "to", r->to_us);
    write_count(w, "users", r->users);
    write_count(w, "untested", r->untested);
    write_count(w, "candidates", r->candidates);
    write_count(w, "targets", r->targets);
    json_key(w, "repeats");
    json_boolean(w, r->repeats);
    json_key(w, "compared_with");
    json_text(w, NEXT_PRODUCTS_BASELINE);
    json_key(w, "models");
    json_array_begin(w);
    for (size_t i = 0; i < r->n_models; i++)
        write_model(w, &r->models[i], r->k);
    json_array_end(w);
    json_object_end(w);
}
