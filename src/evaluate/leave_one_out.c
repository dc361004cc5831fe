/* Shoppers are tested one a task; whatever thread does it writes to the shopper's place. */
#include "evaluate/leave_one_out.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "recommend/blend.h"
#include "sequence/model.h"

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
    return interactions_query(x, u, x->first[u + 1] - x->first[u],
                              split->test_us ? split->test_us[u] : 0);
}

static void test_shopper(void *context, size_t task, unsigned number)
{
    run *r = context;
    worker *w = &r->workers[number];
    uint32_t u = (uint32_t)task;
    if (r->split->test[u] == RECOMMEND_NO_PRODUCT || progress_cancelled()) return;
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
        if (r->split->times[r->split->test[u]] <= LOO_COLD_EVENTS)
            group_add(&out->cold_products, &v);
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
    const sequence_model *network = recommender_sequence(model);
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
            .validation = network != NULL ? sequence_model_training(network)->best_validation
                                          : (double)NAN,
            .score_s = clock_wall_s() - start,
        };
        fill_groups(&r, out);
    }
    if (s == PF_OK && progress_cancelled())
        s = error_set(err, PF_CANCELLED, "stopped while %s was measured", out->model);
    run_free(&r);
    return s;
}

/* ---- seeds ---- */

static void add_values(ranking_values *to, const ranking_values *v, double share)
{
    to->hit += share * v->hit;
    to->ndcg += share * v->ndcg;
    to->mrr += share * v->mrr;
    to->recall += share * v->recall;
    to->precision += share * v->precision;
}

/* Groups hold the same shoppers whatever the seed. */
static void add_group(loo_group *to, const loo_group *g, double share)
{
    to->users = g->users;
    to->hr += share * g->hr;
    to->ndcg += share * g->ndcg;
    to->mrr += share * g->mrr;
}

static double value_of(const loo_result *r, int metric)
{
    const double values[] = {r->mean.hit, r->mean.ndcg, r->mean.mrr, r->validation};
    return values[metric];
}

/* Standard error of the mean of one metric over n results. */
static double error_over_seeds(const loo_result *of, unsigned n, int metric)
{
    double mean = 0, squares = 0;
    if (n < 2) return (double)NAN;
    for (unsigned i = 0; i < n; i++)
        mean += value_of(&of[i], metric) / n;
    for (unsigned i = 0; i < n; i++) {
        double off = value_of(&of[i], metric) - mean;
        squares += off * off;
    }
    return sqrt(squares / (n - 1) / n);
}

void loo_mean_of_seeds(const loo_result *of, unsigned n, loo_result *out)
{
    *out = of[0];
    out->seeds = n;
    out->mean = out->standard_error = (ranking_values){0};
    out->cold_products = out->cold_shoppers = (loo_group){0};
    out->coverage = out->novelty = out->validation = out->train_s = out->score_s = 0;
    for (unsigned i = 0; i < n; i++) {
        const double share = 1.0 / n;
        add_values(&out->mean, &of[i].mean, share);
        add_values(&out->standard_error, &of[i].standard_error, share);
        add_group(&out->cold_products, &of[i].cold_products, share);
        add_group(&out->cold_shoppers, &of[i].cold_shoppers, share);
        out->coverage += share * of[i].coverage;
        out->novelty += share * of[i].novelty;
        out->validation += share * of[i].validation;
        out->train_s += share * of[i].train_s;
        out->score_s += share * of[i].score_s;
    }
    for (int metric = 0; metric < 4; metric++)
        out->seed_error[metric] = error_over_seeds(of, n, metric);
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

/* How many copies a blend holds of what it holds several of. */
static void write_copies(json_writer *w, const recommender *model)
{
    size_t n = blend_parts(model), most = 1;
    for (size_t i = 0; i < n; i++)
        most = blend_part_at(model, i).copies > most ? blend_part_at(model, i).copies : most;
    if (most == 1) return;
    json_key(w, "copies");
    json_object_begin(w);
    for (size_t i = 0; i < n; i++)
        if (blend_part_at(model, i).copies > 1)
            write_count(w, blend_part_at(model, i).kind,
                        (int64_t)blend_part_at(model, i).copies);
    json_object_end(w);
}

static void write_parts(json_writer *w, const recommender *model)
{
    size_t n = model ? blend_parts(model) : 0;
    if (n == 0) return;
    write_copies(w, model);
    for (int which = 0; which < 2; which++) {
        json_key(w, which == 0 ? "weights" : "scales");
        json_object_begin(w);
        for (size_t i = 0; i < n; i++) {
            const blend_part part = blend_part_at(model, i);
            json_key(w, part.kind);
            json_number(w, which == 0 ? part.weight : part.scale);
        }
        json_object_end(w);
    }
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
    if (r->seeds > 1) {
        write_count(w, "seeds", r->seeds);
        write_at(w, "hr", r->k, "_seeds_se", r->seed_error[0]);
        write_at(w, "ndcg", r->k, "_seeds_se", r->seed_error[1]);
        write_at(w, "mrr", r->k, "_seeds_se", r->seed_error[2]);
    }
    write_at(w, "coverage", r->k, "", r->coverage);
    write_at(w, "novelty", r->k, "", r->novelty);
    write_count(w, "users", r->users);
    write_count(w, "users_untested", r->untested);
    json_key(w, "repeats");
    json_text(w, r->repeats ? "allowed" : "masked");
    write_group(w, "cold_products", &r->cold_products, r->k);
    write_group(w, "cold_shoppers", &r->cold_shoppers, r->k);
    if (!isnan(r->validation)) write_at(w, "validation_ndcg", 10, "", r->validation);
    if (!isnan(r->validation) && r->seeds > 1)
        write_at(w, "validation_ndcg", 10, "_seeds_se", r->seed_error[3]);
    write_parts(w, model);
    json_key(w, "train_s");
    json_number(w, r->train_s);
    json_key(w, "score_s");
    json_number(w, r->score_s);
    json_object_end(w);
}
