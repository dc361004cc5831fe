/* Shoppers are chosen evenly over those who can be asked, and asked one a task. */
#include "recommend/validation.h"

#include <math.h>

#include "base/memory.h"
#include "base/sample.h"
#include "measure/ranking.h"
#include "recommend/interactions.h"
#include "recommend/scratch.h"

typedef struct bench {
    const recommender_kind *kind;
    const void *state;
    const recommend_input *input;
    uint32_t *shopper;  /* [n] who is asked */
    float *scores;      /* [workers x V] */
    recommend_scratch *scratch; /* [workers] */
    size_t n, workers;
    ranking *ranks;
} bench;

static void bench_free(bench *b)
{
    for (size_t w = 0; b->scratch && w < b->workers; w++)
        mem_free(b->scratch[w].floats);
    mem_free(b->scratch);
    mem_free(b->scores);
    mem_free(b->shopper);
    ranking_free(b->ranks);
}

static bool can_be_asked(const recommend_input *input, uint32_t u)
{
    return input->next[u] != RECOMMEND_NO_PRODUCT &&
           input->train->first[u + 1] > input->train->first[u];
}

bool recommend_can_validate(const recommend_input *input)
{
    for (uint32_t u = 0; input->next && u < input->train->n_users; u++)
        if (can_be_asked(input, u)) return true;
    return false;
}

static pf_status choose_shoppers(bench *b, pf_error *err)
{
    const interactions *x = b->input->train;
    uint32_t able = 0, seen = 0;
    for (uint32_t u = 0; b->input->next && u < x->n_users; u++)
        able += can_be_asked(b->input, u);
    if (able == 0)
        return error_set(err, PF_DATA, "no shopper has both a past and a next product");
    uint32_t most = able < VALIDATION_SHOPPERS ? able : VALIDATION_SHOPPERS;
    b->shopper = mem_alloc(most, sizeof *b->shopper);
    if (b->shopper == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t u = 0; u < x->n_users && b->n < most; u++) {
        if (!can_be_asked(b->input, u)) continue;
        if (sample_takes(seen++, able, most)) b->shopper[b->n++] = u;
    }
    return PF_OK;
}

static pf_status bench_new(bench *b, pf_error *err)
{
    const interactions *x = b->input->train;
    size_t floats = b->kind->scratch_floats ? b->kind->scratch_floats(b->state) : 0;
    const ranking_plan plan = {.cuts = 1,
                               .cut = {VALIDATION_CUT},
                               .products = x->n_products,
                               .shoppers = (uint32_t)b->n};
    b->workers = b->input->pool ? pool_threads(b->input->pool) : 1;
    b->scores = mem_alloc_aligned(b->workers * x->n_products, sizeof *b->scores);
    b->scratch = mem_alloc_zero(b->workers, sizeof *b->scratch);
    bool ok = b->scores && b->scratch;
    for (size_t w = 0; ok && w < b->workers; w++) {
        b->scratch[w].n = floats;
        b->scratch[w].floats = mem_alloc_aligned(floats + 1, sizeof(float));
        ok = b->scratch[w].floats != NULL;
    }
    if (!ok) return error_set(err, PF_NO_MEMORY, "out of memory for scores");
    return ranking_new(&b->ranks, &plan, err);
}

static void ask(void *context, size_t task, unsigned worker)
{
    bench *b = context;
    const interactions *x = b->input->train;
    uint32_t u = b->shopper[task];
    float *scores = b->scores + (size_t)worker * x->n_products;
    const recommend_query q = interactions_query(
        x, u, x->first[u + 1] - x->first[u],
        b->input->next_time_us ? b->input->next_time_us[u] : b->input->until_us);
    b->kind->score(b->state, &q, scores, &b->scratch[worker]);
    for (size_t i = 0; i < q.n && !b->input->repeats; i++)
        scores[q.product[i]] = -INFINITY;
    ranking_add(b->ranks, (uint32_t)task, scores, &b->input->next[u], 1);
}

pf_status recommend_validate(const recommender_kind *kind, const void *state,
                             const recommend_input *input, double *ndcg, pf_error *err)
{
    bench b = {.kind = kind, .state = state, .input = input};
    pf_status s = choose_shoppers(&b, err);
    if (s == PF_OK) s = bench_new(&b, err);
    if (s == PF_OK) {
        pool_run(input->pool, b.n, ask, &b);
        *ndcg = ranking_mean(b.ranks, 0).ndcg;
    }
    bench_free(&b);
    return s;
}
