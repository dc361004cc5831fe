/*
 * What a shopper buys again, and what he is likely to try: for shops where people come back
 * for the same things. Each candidate gets a score from what the shopper did with it (how
 * often at several half-lives, how long ago against the usual interval), what others do
 * with it (buyers lately and their trend, shoppers of like taste, how many come back for
 * it) and what he buys of its category; weights by logistic regression on the last 31 days
 * (habit_learn.h), or fixed ones while a shop is too young for that. Products that are no
 * candidates follow behind, by their buyers.
 *
 * Frequency with decay, time since the last purchase and repurchase intervals as features
 * of a learnt repeat model: Bhagat, Muralidharan, Lobzhanidze, Vishwanath, "Buy it again",
 * KDD 2018, section 3; personal frequency and like shoppers in grocery baskets: Hu, He, Gao,
 * Zhang, "Modeling personalized item frequency information for next-basket
 * recommendation", SIGIR 2020, section 4.
 */
#include "recommend/habit.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "recommend/habit_learn.h"
#include "recommend/habit_rows.h"
#include "recommend/inner.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

typedef struct habit {
    habit_shop shop;
    linear_model model;
    double repeats; /* 1 or 0: for the file */
} habit;

static void habit_free(void *state)
{
    habit *m = state;
    if (m == NULL) return;
    habit_shop_free(&m->shop);
    linear_free(&m->model);
    mem_free(m);
}

/* A shop too young to learn from is served by fixed weights, and that is said. */
static pf_status learn(habit *m, const recommend_input *input, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    pf_status s = habit_learn(input, &m->model, &why);
    if (s == PF_DATA) {
        log_line(LOG_WARNING, "habit: %s; what a shopper bought most comes first",
                 why.message);
        return habit_unlearnt(&m->model, err);
    }
    if (s != PF_OK && err != NULL) *err = why;
    return s;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    habit *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->repeats = input->repeats;
    pf_status s = learn(m, input, err);
    if (s == PF_OK) s = habit_shop_new(&m->shop, input, input->until_us, err);
    if (s != PF_OK)
        habit_free(m);
    else
        *state = m;
    return s;
}

/* Whoever ever took a product, as a share below 1: the order of what is no candidate. */
static float share_of(const habit_shop *s, uint32_t v)
{
    return s->buyers_ever[v] / (float)(s->buyers + 1);
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const habit *m = state;
    const habit_shop *s = &m->shop;
    habit_asker a;
    float x[HABIT_FEATURES], lowest = 0;
    habit_asker_over(&a, scratch->floats, s);
    habit_ask(&a, s, query, m->repeats > 0);
    for (uint32_t i = 0; i < a.n; i++) {
        habit_row(&a, s, a.candidate[i], x);
        a.rest[i] = (float)linear_score(&m->model, x);
        lowest = i == 0 ? a.rest[i] : fminf(lowest, a.rest[i]);
    }
    for (uint32_t v = 0; v < s->n_products; v++)
        scores[v] = lowest - 1 + share_of(s, v);
    for (uint32_t i = 0; i < a.n; i++)
        scores[a.candidate[i]] = a.rest[i];
}

static size_t scratch_floats(const void *state)
{
    return habit_asker_floats(&((const habit *)state)->shop);
}

/* ---- why ---- */

/* Puts one more into the list of the n largest; returns how many it holds then. */
static size_t insert(habit_part *parts, size_t found, size_t n, habit_part one)
{
    size_t at = found;
    while (at > 0 && fabs(parts[at - 1].contribution) < fabs(one.contribution))
        at--;
    if (at == n) return found;
    size_t kept = found < n ? found : n - 1;
    memmove(parts + at + 1, parts + at, (kept - at) * sizeof *parts);
    parts[at] = one;
    return kept + 1;
}

static const char *const words[HABIT_PARTS] = {
    [HABIT_BY_OWN] = "how often and how lately bought",
    [HABIT_BY_DUE] = "due by the usual interval",
    [HABIT_BY_MANY] = "what many shoppers buy",
    [HABIT_BY_PEERS] = "what shoppers of like taste buy",
    [HABIT_BY_RETURNS] = "its buyers come back for it",
    [HABIT_BY_CATEGORY] = "other purchases in its category",
};
_Static_assert((int)HABIT_PARTS == (int)HABIT_BY_SHOPPER, "all reasons but the last");

size_t habit_parts(const recommender *m, const recommend_query *query, uint32_t product,
                   habit_part *parts, size_t n, recommend_scratch *scratch)
{
    if (recommender_kind_of(m) != &habit_kind || n == 0) return 0;
    const habit *h = recommender_state(m);
    habit_asker a;
    float x[HABIT_FEATURES];
    double sum[HABIT_REASONS] = {0};
    size_t found = 0;
    habit_asker_over(&a, scratch->floats, &h->shop);
    habit_ask(&a, &h->shop, query, h->repeats > 0);
    habit_row(&a, &h->shop, product, x);
    for (size_t f = 0; f < HABIT_FEATURES; f++)
        sum[habit_reason_of[f]] += linear_contribution(&h->model, x, f);
    for (size_t r = 0; r < HABIT_PARTS; r++)
        found = insert(parts, found, n, (habit_part){words[r], sum[r]});
    return found;
}

/* ---- files ---- */

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const habit *m = state;
    pf_status s = safetensors_add(file, "repeats", TENSOR_F64, &m->repeats, 0, NULL, err);
    if (s == PF_OK) s = linear_save(&m->model, "model", file, err);
    return s == PF_OK ? habit_shop_save(&m->shop, file, err) : s;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *repeats = NULL;
    pf_status s = safetensors_find(file, "repeats", TENSOR_F64, 0, 1, &repeats, err);
    if (s != PF_OK) return s;
    habit *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->repeats = *(const double *)repeats->data;
    if (m->repeats != 0 && m->repeats != 1)
        s = error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                         "whether products may repeat is damaged; train again");
    if (s == PF_OK) s = linear_load(&m->model, "model", HABIT_FEATURES, file, err);
    if (s == PF_OK) s = habit_shop_load(&m->shop, n_products, file, err);
    if (s != PF_OK)
        habit_free(m);
    else
        *state = m;
    return s;
}

const recommender_kind habit_kind = {
    .name = "habit",
    .summary = "what shoppers buy again, and what shoppers like them buy",
    .source = "Bhagat et al. 2018, section 3; Hu et al. 2020, section 4",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .scale = RECOMMEND_ODDS,
    .free = habit_free,
    .scratch_floats = scratch_floats,
};
