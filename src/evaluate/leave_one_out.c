/* Shoppers are tested one a task; whatever thread does it writes to the shopper's place. */
#include "evaluate/leave_one_out.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "recommend/blend.h"

/* ---- the split ---- */

void loo_split_free(loo_split *split)
{
    if (split == NULL) return;
    interactions_free(split->train);
    interactions_free(split->past);
    mem_free(split->validation);
    mem_free(split->test);
    mem_free(split->validation_us);
    mem_free(split->test_us);
    mem_free(split->times);
    mem_free(split);
}

static bool allocate(loo_split *s, const interactions *all)
{
    size_t users = (size_t)all->n_users + 1;
    s->validation = mem_alloc(users, sizeof *s->validation);
    s->test = mem_alloc(users, sizeof *s->test);
    s->times = mem_alloc_zero((size_t)all->n_products + 1, sizeof *s->times);
    if (all->time_us != NULL) {
        s->validation_us = mem_alloc_zero(users, sizeof *s->validation_us);
        s->test_us = mem_alloc_zero(users, sizeof *s->test_us);
        if (s->validation_us == NULL || s->test_us == NULL) return false;
    }
    return s->validation && s->test && s->times;
}

static void take_last_two(loo_split *s, const interactions *all)
{
    for (uint32_t u = 0; u < all->n_users; u++) {
        uint64_t end = all->first[u + 1], n = end - all->first[u];
        s->validation[u] = s->test[u] = RECOMMEND_NO_PRODUCT;
        s->untested += n > 0 && n < LOO_MINIMUM_EVENTS;
        if (n < LOO_MINIMUM_EVENTS) continue;
        s->tested++;
        s->validation[u] = all->product[end - 2];
        s->test[u] = all->product[end - 1];
        if (all->time_us == NULL) continue;
        s->validation_us[u] = all->time_us[end - 2];
        s->test_us[u] = all->time_us[end - 1];
    }
}

static void look_at_training(loo_split *s)
{
    const interactions *x = &s->train->view;
    int64_t last = INT64_MIN;
    for (uint64_t i = 0; i < x->n; i++) {
        s->times[x->product[i]]++;
        if (x->time_us && x->time_us[i] > last) last = x->time_us[i];
    }
    s->until_us = x->time_us && x->n > 0 ? last + 1 : 0;
}

static pf_status decide_repeats(loo_split *s, loo_repeats repeats, pf_error *err)
{
    s->repeat_share = interactions_repeat_share(&s->train->view);
    if (isnan(s->repeat_share)) return error_set(err, PF_NO_MEMORY, "out of memory");
    s->repeats =
        repeats == LOO_REPEATS_ALLOWED ||
        (repeats == LOO_REPEATS_AUTO && s->repeat_share > INTERACTIONS_REPEATS_FROM);
    return PF_OK;
}

pf_status loo_split_new(const interactions *all, loo_repeats repeats, loo_split **out,
                        pf_error *err)
{
    loo_split *s = mem_alloc_zero(1, sizeof *s);
    pf_status status = PF_OK;
    if (s == NULL || !allocate(s, all)) {
        loo_split_free(s);
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers",
                         all->n_users);
    }
    take_last_two(s, all);
    if (s->tested == 0)
        status = error_set(err, PF_DATA,
                           "no shopper has %d events, so there is nobody to test on",
                           LOO_MINIMUM_EVENTS);
    if (status == PF_OK)
        status = interactions_without_last(all, 2, LOO_MINIMUM_EVENTS, &s->train, err);
    if (status == PF_OK)
        status = interactions_without_last(all, 1, LOO_MINIMUM_EVENTS, &s->past, err);
    if (status == PF_OK) {
        look_at_training(s);
        status = decide_repeats(s, repeats, err);
    }
    if (status != PF_OK)
        loo_split_free(s);
    else
        *out = s;
    return status;
}

pf_status loo_fit(const loo_split *split, const recommender_kind *kind,
                  const recommend_input *given, recommender **out, double *train_s,
                  pf_error *err)
{
    double start = clock_wall_s();
    recommend_input input = *given;
    input.train = &split->train->view;
    input.until_us = split->until_us;
    input.repeats = split->repeats;
    input.next = split->validation;
    input.next_time_us = split->validation_us;
    pf_status s = recommender_fit(kind, &input, out, err);
    *train_s = clock_wall_s() - start;
    return s;
}

/* ---- the measure ---- */

typedef struct worker {
    float *scores; /* [V] */
    recommend_scratch *scratch;
} worker;

typedef struct run {
    const loo_split *split;
    const recommender *model;
    ranking *ranks;
    worker *workers;
    size_t n_workers;
} run;

static void run_free(run *r)
{
    for (size_t w = 0; r->workers && w < r->n_workers; w++) {
        mem_free(r->workers[w].scores);
        recommend_scratch_free(r->workers[w].scratch);
    }
    mem_free(r->workers);
    ranking_free(r->ranks);
}

static pf_status run_new(run *r, unsigned k, pool *threads, pf_error *err)
{
    const interactions *x = &r->split->past->view;
    const ranking_plan plan = {
        .cuts = 1, .cut = {k}, .products = x->n_products, .shoppers = x->n_users};
    pf_status s = ranking_new(&r->ranks, &plan, err);
    if (s != PF_OK) return s;
    r->n_workers = threads ? pool_threads(threads) : 1;
    r->workers = mem_alloc_zero(r->n_workers, sizeof *r->workers);
    if (r->workers == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (size_t w = 0; w < r->n_workers && s == PF_OK; w++) {
        r->workers[w].scores = mem_alloc_aligned(x->n_products, sizeof(float));
        s = r->workers[w].scores
                ? recommend_scratch_new(r->model, &r->workers[w].scratch, err)
                : error_set(err, PF_NO_MEMORY, "out of memory for scores");
    }
    return s;
}

static recommend_query query_at_test(const loo_split *split, uint32_t u)
{
    const interactions *x = &split->past->view;
    uint64_t from = x->first[u];
    return (recommend_query){
        .product = x->product + from,
        .time_us = x->time_us ? x->time_us + from : NULL,
        .quantity = x->quantity ? x->quantity + from : NULL,
        .rating = x->rating ? x->rating + from : NULL,
        .basket = x->basket ? x->basket + from : NULL,
        .n = (size_t)(x->first[u + 1] - from),
        .at_us = split->test_us ? split->test_us[u] : 0,
        .user = u,
    };
}

static void test_shopper(void *context, size_t task, unsigned number)
{
    run *r = context;
    worker *w = &r->workers[number];
    uint32_t u = (uint32_t)task;
    if (r->split->test[u] == RECOMMEND_NO_PRODUCT) return;
    recommend_query q = query_at_test(r->split, u);
    recommender_score(r->model, &q, w->scores, w->scratch);
    for (size_t i = 0; i < q.n && !r->split->repeats; i++)
        w->scores[q.product[i]] = -INFINITY;
    ranking_add(r->ranks, u, w->scores, &r->split->test[u], 1);
}

static void group_add(loo_group *g, const ranking_values *v)
{
    g->users++;
    g->hr += v->hit;
    g->ndcg += v->ndcg;
    g->mrr += v->mrr;
}

static void group_end(loo_group *g)
{
    double n = g->users ? (double)g->users : (double)NAN;
    g->hr /= n;
    g->ndcg /= n;
    g->mrr /= n;
}

static void fill_groups(const run *r, loo_result *out)
{
    const uint64_t *first = r->split->train->view.first;
    for (uint32_t u = 0; u < r->split->train->view.n_users; u++) {
        if (r->split->test[u] == RECOMMEND_NO_PRODUCT) continue;
        ranking_values v = ranking_of_shopper(r->ranks, u, 0);
        if (r->split->times[r->split->test[u]] == 0) group_add(&out->cold_products, &v);
        if (first[u + 1] - first[u] <= LOO_COLD_EVENTS)
            group_add(&out->cold_shoppers, &v);
    }
    group_end(&out->cold_products);
    group_end(&out->cold_shoppers);
}

pf_status loo_measure(const loo_split *split, const recommender *model, unsigned k,
                      pool *threads, loo_result *out, pf_error *err)
{
    double start = clock_wall_s();
    run r = {.split = split, .model = model};
    pf_status s = run_new(&r, k, threads, err);
    if (s == PF_OK) {
        pool_run(threads, split->past->view.n_users, test_shopper, &r);
        *out = (loo_result){
            .model = recommender_kind_of(model)->name,
            .k = k,
            .repeats = split->repeats,
            .users = split->tested,
            .untested = split->untested,
            .mean = ranking_mean(r.ranks, 0),
            .standard_error = ranking_standard_error(r.ranks, 0),
            .coverage = ranking_coverage(r.ranks, 0),
            .novelty = ranking_novelty(r.ranks, 0, split->times),
            .score_s = clock_wall_s() - start,
        };
        fill_groups(&r, out);
    }
    run_free(&r);
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

static void write_count(json_writer *w, const char *key, int64_t value)
{
    json_key(w, key);
    json_integer(w, value);
}

static void write_group(json_writer *w, const char *key, const loo_group *g, unsigned k)
{
    json_key(w, key);
    json_object_begin(w);
    write_count(w, "users", g->users);
    write_at(w, "hr", k, "", g->hr);
    write_at(w, "ndcg", k, "", g->ndcg);
    write_at(w, "mrr", k, "", g->mrr);
    json_object_end(w);
}

static void write_parts(json_writer *w, const recommender *model)
{
    size_t n = model ? blend_parts(model) : 0;
    if (n == 0) return;
    json_key(w, "weights");
    json_object_begin(w);
    for (size_t i = 0; i < n; i++) {
        blend_part part = blend_part_at(model, i);
        json_key(w, part.kind);
        json_number(w, part.weight);
    }
    json_object_end(w);
}

void loo_write_json(json_writer *w, const loo_result *r, const recommender *model)
{
    json_object_begin(w);
    json_key(w, "model");
    json_text(w, r->model);
    write_at(w, "hr", r->k, "", r->mean.hit);
    write_at(w, "hr", r->k, "_se", r->standard_error.hit);
    write_at(w, "ndcg", r->k, "", r->mean.ndcg);
    write_at(w, "ndcg", r->k, "_se", r->standard_error.ndcg);
    write_at(w, "mrr", r->k, "", r->mean.mrr);
    write_at(w, "coverage", r->k, "", r->coverage);
    write_at(w, "novelty", r->k, "", r->novelty);
    write_count(w, "users", r->users);
    write_count(w, "users_untested", r->untested);
    json_key(w, "repeats");
    json_text(w, r->repeats ? "allowed" : "masked");
    write_group(w, "cold_products", &r->cold_products, r->k);
    write_group(w, "cold_shoppers", &r->cold_shoppers, r->k);
    write_parts(w, model);
    json_key(w, "train_s");
    json_number(w, r->train_s);
    json_key(w, "score_s");
    json_number(w, r->score_s);
    json_object_end(w);
}
