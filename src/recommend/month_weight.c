/* One task a shopper: both models are asked once, every weight of the grid is tried on the
 * spot, and only the gains are kept. */
#include "recommend/month_weight.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/sample.h"
#include "measure/ranking.h"
#include "recommend/interactions.h"

/* The last place is the second model by itself. */
static const double grid[] = {0, .01, .02, .03, .05, .07, .1, .14, .2, .3, .5, .7, 1};
enum { GRID = sizeof grid / sizeof grid[0], ALONE = GRID, TRIALS = GRID + 1 };

typedef struct worker {
    float *first, *more, *sum; /* [V] each */
    uint32_t *target;          /* [V] */
    uint32_t *met;             /* [V] 1 + the task that met the product last */
    double *rank;              /* [RANKING_TARGETS_MAX] */
    recommend_scratch *of_first, *of_more;
} worker;

typedef struct month {
    const interactions *all;
    int64_t from_us;
    const recommender *first, *more;
    bool *known;       /* [V] somebody bought it before the month */
    uint32_t *shopper; /* [n] who is asked */
    double *gain;      /* [n x TRIALS] NDCG; NaN: more targets than can be ranked */
    uint32_t n;
    worker *workers;
    unsigned n_workers;
} month;

/* ---- who is asked ---- */

/* Where the month begins among a shopper's interactions. */
static uint64_t month_begin(const interactions *x, uint32_t u, int64_t from_us)
{
    return x->first[u] + interactions_query_until(x, u, from_us).n;
}

static bool can_be_asked(const interactions *x, uint32_t u, int64_t from_us)
{
    uint64_t begin = month_begin(x, u, from_us);
    return begin > x->first[u] && begin < x->first[u + 1];
}

uint32_t month_weight_shoppers(const interactions *all, int64_t from_us)
{
    uint32_t n = 0;
    for (uint32_t u = 0; all->time_us != NULL && u < all->n_users; u++)
        n += can_be_asked(all, u, from_us);
    return n;
}

static void choose_shoppers(month *m, uint32_t able)
{
    uint32_t most = able < MONTH_WEIGHT_SHOPPERS_MOST ? able : MONTH_WEIGHT_SHOPPERS_MOST;
    uint32_t seen = 0;
    for (uint32_t u = 0; u < m->all->n_users && m->n < most; u++) {
        if (!can_be_asked(m->all, u, m->from_us)) continue;
        if (sample_takes(seen++, able, most)) m->shopper[m->n++] = u;
    }
}

static void find_known(month *m)
{
    const interactions *x = m->all;
    for (uint64_t i = 0; i < x->n; i++)
        if (x->time_us[i] < m->from_us) m->known[x->product[i]] = true;
}

/* ---- memory ---- */

static void month_free(month *m)
{
    for (unsigned i = 0; m->workers != NULL && i < m->n_workers; i++) {
        worker *w = &m->workers[i];
        mem_free(w->first);
        mem_free(w->more);
        mem_free(w->sum);
        mem_free(w->target);
        mem_free(w->met);
        mem_free(w->rank);
        recommend_scratch_free(w->of_first);
        recommend_scratch_free(w->of_more);
    }
    mem_free(m->workers);
    mem_free(m->known);
    mem_free(m->shopper);
    mem_free(m->gain);
}

static pf_status worker_new(const month *m, worker *w, pf_error *err)
{
    const size_t V = m->all->n_products;
    w->first = mem_alloc_aligned(V, sizeof *w->first);
    w->more = mem_alloc_aligned(V, sizeof *w->more);
    w->sum = mem_alloc_aligned(V, sizeof *w->sum);
    w->target = mem_alloc(V, sizeof *w->target);
    w->met = mem_alloc_zero(V, sizeof *w->met);
    w->rank = mem_alloc(RANKING_TARGETS_MAX, sizeof *w->rank);
    if (!w->first || !w->more || !w->sum || !w->target || !w->met || !w->rank)
        return error_set(err, PF_NO_MEMORY, "out of memory for a month's scores");
    pf_status s = recommend_scratch_new(m->first, &w->of_first, err);
    return s == PF_OK ? recommend_scratch_new(m->more, &w->of_more, err) : s;
}

static pf_status month_new(month *m, pool *threads, pf_error *err)
{
    uint32_t able = month_weight_shoppers(m->all, m->from_us);
    m->n_workers = threads ? pool_threads(threads) : 1;
    m->known = mem_alloc_zero((size_t)m->all->n_products + 1, sizeof *m->known);
    m->shopper = mem_alloc((size_t)able + 1, sizeof *m->shopper);
    m->workers = mem_alloc_zero(m->n_workers, sizeof *m->workers);
    if (!m->known || !m->shopper || !m->workers)
        return error_set(err, PF_NO_MEMORY, "out of memory for a month's shoppers");
    choose_shoppers(m, able);
    find_known(m);
    m->gain = mem_alloc((size_t)m->n + 1, TRIALS * sizeof *m->gain);
    if (m->gain == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for a month's shoppers");
    pf_status s = PF_OK;
    for (unsigned i = 0; i < m->n_workers && s == PF_OK; i++)
        s = worker_new(m, &m->workers[i], err);
    return s;
}

/* ---- one shopper ---- */

/* The different products bought in the month. */
static size_t find_targets(const month *m, worker *w, uint32_t u, uint32_t task)
{
    const interactions *x = m->all;
    size_t n = 0;
    for (uint64_t i = month_begin(x, u, m->from_us); i < x->first[u + 1]; i++) {
        uint32_t v = x->product[i];
        if (w->met[v] == task + 1) continue;
        w->met[v] = task + 1;
        w->target[n++] = v;
    }
    return n;
}

static void add_up(const month *m, worker *w, size_t trial)
{
    const float own = trial == ALONE ? 0 : 1, weight = trial == ALONE ? 1 : (float)grid[trial];
    for (uint32_t v = 0; v < m->all->n_products; v++)
        w->sum[v] = m->known[v] ? own * w->first[v] + weight * w->more[v] : -INFINITY;
}

static void ask(void *context, size_t task, unsigned number)
{
    month *m = context;
    worker *w = &m->workers[number];
    const uint32_t u = m->shopper[task];
    const recommend_query q = interactions_query_until(m->all, u, m->from_us);
    const size_t n = find_targets(m, w, u, (uint32_t)task);
    double *gain = m->gain + task * TRIALS;
    recommender_score(m->first, &q, w->first, w->of_first);
    recommender_score(m->more, &q, w->more, w->of_more);
    for (size_t t = 0; t < TRIALS; t++) {
        gain[t] = (double)NAN;
        if (n > RANKING_TARGETS_MAX) continue;
        add_up(m, w, t);
        ranking_ranks(w->sum, m->all->n_products, w->target, n, w->rank);
        gain[t] = ranking_values_of(w->rank, n, MONTH_WEIGHT_CUT).ndcg;
    }
}

/* ---- the choice ---- */

/* Mean of a trial over shoppers, and mean and standard error of what it has above the first
 * model alone. */
typedef struct trial_mean {
    double ndcg, gain, gain_se;
    uint32_t n;
} trial_mean;

static trial_mean mean_of(const month *m, size_t trial)
{
    trial_mean r = {0};
    double sum = 0, squares = 0, own = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        const double *gain = m->gain + (size_t)i * TRIALS, d = gain[trial] - gain[0];
        if (isnan(d)) continue;
        r.n++;
        own += gain[trial];
        sum += d;
        squares += d * d;
    }
    if (r.n == 0) return r;
    r.ndcg = own / r.n;
    r.gain = sum / r.n;
    r.gain_se = r.n > 1 ? sqrt(fmax(squares / r.n - r.gain * r.gain, 0) / (r.n - 1)) : 0;
    return r;
}

static void choose(const month *m, month_weight *out)
{
    size_t best = 1;
    for (size_t g = 2; g < GRID; g++)
        if (mean_of(m, g).ndcg > mean_of(m, best).ndcg) best = g;
    const trial_mean first = mean_of(m, 0), found = mean_of(m, best);
    const bool helps = found.gain > found.gain_se;
    *out = (month_weight){.shoppers = first.n,
                         .from_us = m->from_us,
                         .weight = helps ? grid[best] : 0,
                         .first = first.ndcg,
                         .more = mean_of(m, ALONE).ndcg,
                         .together = helps ? found.ndcg : first.ndcg,
                         .gain = found.gain,
                         .gain_se = found.gain_se};
}

pf_status month_weight_learn(const interactions *all, int64_t from_us, const recommender *first,
                            const recommender *more, pool *threads, month_weight *out,
                            pf_error *err)
{
    month m = {.all = all, .from_us = from_us, .first = first, .more = more};
    *out = (month_weight){0};
    pf_status s = month_new(&m, threads, err);
    if (s == PF_OK) {
        pool_run(threads, m.n, ask, &m);
        choose(&m, out);
    }
    month_free(&m);
    return s;
}
