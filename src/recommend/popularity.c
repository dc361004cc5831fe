/*
 * Popularity: how many interactions a product had, in all time or in the last days before
 * the training data end (7 days; where they hold fewer than a thousand interactions, twice
 * as many, and so on). The baseline that every other model has to beat.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "recommend/kinds.h"

enum { RECENT_DAYS = 7, RECENT_MINIMUM = 1000 };

typedef struct popularity {
    uint32_t n_products;
    float *score; /* [V] ln(1 + count) */
} popularity;

static void popularity_free(void *state)
{
    popularity *p = state;
    if (p == NULL) return;
    mem_free(p->score);
    mem_free(p);
}

static popularity *popularity_new(uint32_t n_products)
{
    popularity *p = mem_alloc(1, sizeof *p);
    if (p == NULL) return NULL;
    *p = (popularity){n_products, mem_alloc_zero(n_products, sizeof *p->score)};
    if (p->score == NULL) {
        popularity_free(p);
        return NULL;
    }
    return p;
}

static pf_status count_since(const recommend_input *input, int64_t from_us, void **state,
                             pf_error *err)
{
    const interactions *x = input->train;
    popularity *p = popularity_new(x->n_products);
    if (p == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         x->n_products);
    for (uint64_t i = 0; i < x->n; i++)
        if (x->time_us == NULL || x->time_us[i] >= from_us) p->score[x->product[i]] += 1;
    for (uint32_t v = 0; v < x->n_products; v++)
        p->score[v] = log1pf(p->score[v]);
    *state = p;
    return PF_OK;
}

static pf_status fit_all(const recommend_input *input, void **state, pf_error *err)
{
    return count_since(input, INT64_MIN, state, err);
}

static uint64_t interactions_since(const interactions *x, int64_t from_us)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < x->n; i++)
        n += x->time_us[i] >= from_us;
    return n;
}

static pf_status fit_recent(const recommend_input *input, void **state, pf_error *err)
{
    const interactions *x = input->train;
    if (x->time_us == NULL)
        return error_set(err, PF_UNAVAILABLE, "the data carry no times");
    uint64_t enough = x->n < RECENT_MINIMUM ? x->n : RECENT_MINIMUM;
    int64_t days = RECENT_DAYS;
    while (days < 36500 &&
           interactions_since(x, input->until_us - days * US_PER_DAY) < enough)
        days *= 2;
    return count_since(input, input->until_us - days * US_PER_DAY, state, err);
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const popularity *p = state;
    (void)query;
    (void)scratch;
    memcpy(scores, p->score, p->n_products * sizeof *scores);
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const popularity *p = state;
    return safetensors_add(file, "score", TENSOR_F32, p->score, 1,
                           (const uint64_t[]){p->n_products}, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, "score", TENSOR_F32, 1, n_products, &t, err);
    if (s != PF_OK) return s;
    for (uint32_t v = 0; v < n_products; v++)
        if (!isfinite(((const float *)t->data)[v]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "the score of a product is no number; train again");
    popularity *p = popularity_new(n_products);
    if (p == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", n_products);
    memcpy(p->score, t->data, n_products * sizeof *p->score);
    *state = p;
    return PF_OK;
}

const recommender_kind popularity_kind = {
    .name = "popularity",
    .summary = "what most people take, in all time",
    .source = "counts",
    .fit = fit_all,
    .score = score,
    .save = save,
    .load = load,
    .scale = RECOMMEND_SHARES,
    .free = popularity_free,
};

const recommender_kind recent_popularity_kind = {
    .name = "recent",
    .summary = "what most people took in the last days",
    .source = "counts",
    .fit = fit_recent,
    .score = score,
    .save = save,
    .load = load,
    .scale = RECOMMEND_SHARES,
    .free = popularity_free,
};
