/*
 * For shops whose shoppers come back: habit, and what a Transformer of the same shoppers' events
 * adds to it. Habit has weight 1, the Transformer the one that the last month gives it
 * (month_weight.h), which may be 0; it is then let go. Habit is fitted again on everything
 * afterwards; the Transformer is not: the last month is what it is asked with, and another
 * training would cost as much again.
 *
 * A shop with too few shoppers to tell what a network adds is served by habit alone, and none
 * is trained; so is one that is too large for a network, with a warning. A training that fails
 * (a loss that is not finite) is an error as everywhere.
 *
 * Products that nobody had bought when the Transformer was trained were never its negatives, so
 * that its scores of them mean nothing; they get its lowest of the others.
 */
#include "recommend/month_blend.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/inner.h"
#include "recommend/interactions.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

typedef struct month_blend {
    uint32_t n_products;
    recommender *habit, *network; /* network NULL: no weight */
    double weight;
    uint8_t *known; /* [V] 1: the network met it; NULL without one */
    month_weight found;
    bool from_file;
} month_blend;

static void month_blend_free(void *state)
{
    month_blend *b = state;
    if (b == NULL) return;
    recommender_free(b->habit);
    recommender_free(b->network);
    mem_free(b->known);
    mem_free(b);
}

/* ---- fitting ---- */

static pf_status list_known(month_blend *b, const interactions *past, pf_error *err)
{
    b->known = mem_alloc_zero((size_t)b->n_products + 1, sizeof *b->known);
    if (b->known == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", b->n_products);
    for (uint64_t i = 0; i < past->n; i++)
        b->known[past->product[i]] = 1;
    return PF_OK;
}

static void let_network_go(month_blend *b)
{
    recommender_free(b->network);
    mem_free(b->known);
    b->network = NULL;
    b->known = NULL;
    b->weight = 0;
}

/* The network and its weight, from habit as it was before the month. part: the same task with
 * the past alone. */
static pf_status weigh(month_blend *b, const recommend_input *input,
                       const recommend_input *part, pf_error *err)
{
    recommender *habit = NULL;
    pf_status s = recommender_fit(&transformer_kind, part, &b->network, err);
    if (s == PF_OK) s = recommender_fit(&habit_kind, part, &habit, err);
    if (s == PF_OK)
        s = month_weight_learn(input->train, part->until_us, habit, b->network, input->pool,
                               &b->found, err);
    recommender_free(habit);
    if (s != PF_OK) return s;
    b->weight = b->found.weight;
    if (b->weight > 0) return list_known(b, part->train, err);
    let_network_go(b);
    return PF_OK;
}

/* As asked for; who starts from an earlier month-blend starts from its network. */
static recommend_training training_of(const recommend_input *input)
{
    recommend_training t = {0};
    if (input->training != NULL) t = *input->training;
    if (t.warm != NULL && recommender_sequence(t.warm) == NULL)
        t.warm = month_blend_network(t.warm);
    return t;
}

static pf_status add_network(month_blend *b, const recommend_input *input, pf_error *err)
{
    interactions_owned *past = NULL;
    pf_error why = {.code = PF_OK};
    const int64_t from_us = input->until_us - MONTH_WEIGHT_DAYS * US_PER_DAY;
    if (month_weight_shoppers(input->train, from_us) < MONTH_WEIGHT_SHOPPERS_LEAST)
        return PF_OK;
    pf_status s = interactions_until(input->train, from_us, &past, err);
    if (s != PF_OK) return s;
    recommend_input part = *input;
    const recommend_training how = training_of(input);
    part.training = &how;
    part.train = &past->view;
    part.until_us = from_us;
    part.next = NULL;
    part.next_time_us = NULL;
    if (interactions_teach_order(part.train)) s = weigh(b, input, &part, &why);
    interactions_free(past);
    if (s == PF_OK) return s;
    if (s != PF_LIMIT) return error_pass(err, &why);
    log_line(LOG_WARNING, "no network beside habit: %s", why.message);
    let_network_go(b);
    return PF_OK;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    if (input->train->time_us == NULL)
        return error_set(err, PF_UNAVAILABLE,
                         "the last month cannot be told: the purchases have no times");
    if (!input->repeats)
        return error_set(err, PF_UNAVAILABLE,
                         "a month-blend is for shops whose shoppers come back for the same "
                         "products; where none is recommended again, take a blend");
    month_blend *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    b->n_products = input->train->n_products;
    pf_status s = add_network(b, input, err);
    if (s == PF_OK) s = recommender_fit(&habit_kind, input, &b->habit, err);
    if (s != PF_OK)
        month_blend_free(b);
    else
        *state = b;
    return s;
}

/* ---- scoring ---- */

/* more [V] = the network's scores by its weight. */
static void score_network(const month_blend *b, const recommend_query *query, float *more,
                          recommend_scratch *rest)
{
    float lowest = INFINITY;
    recommender_score(b->network, query, more, rest);
    for (uint32_t v = 0; v < b->n_products; v++)
        if (b->known[v]) lowest = fminf(lowest, more[v]);
    for (uint32_t v = 0; v < b->n_products; v++)
        more[v] = (float)b->weight * (b->known[v] ? more[v] : lowest);
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const month_blend *b = state;
    recommender_score(b->habit, query, scores, scratch);
    if (b->network == NULL) return;
    recommend_scratch rest = *scratch;
    float *more = recommend_scratch_take(&rest, b->n_products);
    score_network(b, query, more, &rest);
    for (uint32_t v = 0; v < b->n_products; v++)
        scores[v] += more[v];
}

static size_t scratch_floats(const void *state)
{
    const month_blend *b = state;
    const size_t habit = recommender_scratch_floats(b->habit);
    if (b->network == NULL) return habit;
    const size_t network =
        recommend_scratch_room(b->n_products) + recommender_scratch_floats(b->network);
    return habit > network ? habit : network;
}

/* ---- what it is made of ---- */

static const month_blend *of(const recommender *m)
{
    return recommender_kind_of(m) == &month_blend_kind ? recommender_state(m) : NULL;
}

const month_weight *month_blend_found(const recommender *m)
{
    const month_blend *b = of(m);
    return b != NULL && !b->from_file ? &b->found : NULL;
}

const recommender *month_blend_habit(const recommender *m)
{
    const month_blend *b = of(m);
    return b ? b->habit : NULL;
}

const recommender *month_blend_network(const recommender *m)
{
    const month_blend *b = of(m);
    return b ? b->network : NULL;
}

double month_blend_weight(const recommender *m)
{
    const month_blend *b = of(m);
    return b ? b->weight : 0;
}

void month_blend_network_part(const recommender *m, const recommend_query *query, float *more,
                              recommend_scratch *scratch)
{
    const month_blend *b = of(m);
    if (b != NULL && b->network != NULL)
        score_network(b, query, more, scratch);
    else
        memset(more, 0, recommender_n_products(m) * sizeof *more);
}

/* ---- files: each part in a scope of its own ---- */

static const char habit_scope[] = "habit", network_scope[] = "network";

static pf_status save_part(const recommender *m, const char *scope, safetensors_writer *file,
                           pf_error *err)
{
    pf_status s = safetensors_scope(file, scope, err);
    if (s == PF_OK) s = recommender_put(m, file, err);
    return s == PF_OK ? safetensors_scope(file, "", err) : s;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const month_blend *b = state;
    const uint64_t V = b->n_products;
    pf_status s = safetensors_add(file, "weight", TENSOR_F64, &b->weight, 0, NULL, err);
    if (s == PF_OK && b->network != NULL)
        s = safetensors_add(file, "known", TENSOR_U8, b->known, 1, &V, err);
    if (s == PF_OK) s = save_part(b->habit, habit_scope, file, err);
    if (s == PF_OK && b->network != NULL)
        s = save_part(b->network, network_scope, file, err);
    return s;
}

static pf_status damaged(const safetensors *file, const char *what, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0, "%s; train again", what);
}

static pf_status load_part(const safetensors *file, const char *scope,
                           const recommender_kind *kind, uint32_t n_products,
                           recommender **out, pf_error *err)
{
    safetensors *part = NULL;
    pf_status s = safetensors_within(file, scope, &part, err);
    if (s != PF_OK) return s;
    if (strcmp(safetensors_note_of(part, "kind"), kind->name) != 0)
        s = damaged(file, "a part is of another kind than it should be", err);
    else
        s = recommender_take(part, n_products, out, err);
    safetensors_close(part);
    return s;
}

static pf_status load_known(month_blend *b, const safetensors *file, pf_error *err)
{
    const tensor_view *known = NULL;
    bool some = false;
    pf_status s = safetensors_find(file, "known", TENSOR_U8, 1, b->n_products, &known, err);
    if (s != PF_OK) return s;
    const uint8_t *from = known->data;
    b->known = mem_alloc((size_t)b->n_products + 1, sizeof *b->known);
    if (b->known == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", b->n_products);
    for (uint32_t v = 0; v < b->n_products; v++) {
        if (from[v] > 1) return damaged(file, "what the network knows is out of range", err);
        b->known[v] = from[v];
        some |= from[v] == 1;
    }
    return some ? PF_OK : damaged(file, "the network knows no product", err);
}

static pf_status load_all(month_blend *b, const safetensors *file, pf_error *err)
{
    const tensor_view *weight = NULL;
    pf_status s = safetensors_find(file, "weight", TENSOR_F64, 0, 1, &weight, err);
    if (s != PF_OK) return s;
    b->weight = *(const double *)weight->data;
    if (!(b->weight >= 0 && b->weight < 1e6))
        return damaged(file, "the weight of the network is out of range", err);
    s = load_part(file, habit_scope, &habit_kind, b->n_products, &b->habit, err);
    if (s != PF_OK || !(b->weight > 0)) return s;
    s = load_known(b, file, err);
    if (s != PF_OK) return s;
    return load_part(file, network_scope, &transformer_kind, b->n_products, &b->network, err);
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    month_blend *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    b->n_products = n_products;
    b->from_file = true;
    pf_status s = load_all(b, file, err);
    if (s != PF_OK)
        month_blend_free(b);
    else
        *state = b;
    return s;
}

const recommender_kind month_blend_kind = {
    .name = "month-blend",
    .summary = "habit, and what a Transformer adds to it by the last month",
    .source = "habit and transformer; Breiman et al. 1984, section 3.4.3, for the rule",
    .trained = true,
    .watched = "transformer",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .scale = RECOMMEND_ODDS,
    .free = month_blend_free,
    .scratch_floats = scratch_floats,
};
