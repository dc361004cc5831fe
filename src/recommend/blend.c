/*
 * A weighted sum of other models' scores, each over its standard deviation, with weights
 * learnt on events that the models had not seen (blend_learn.h). Models that got no weight
 * are dropped. Stacking in its simplest form: Wolpert, Neural Networks 5, 1992; for
 * recommenders: Bao, Bergman, Thompson, RecSys 2009.
 */
#include "recommend/blend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/blend_learn.h"
#include "recommend/inner.h"
#include "recommend/interactions.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

typedef struct blend {
    uint32_t n_products;
    uint64_t n;
    recommender *model[BLEND_MAX_MODELS];
    bool borrowed[BLEND_MAX_MODELS];
    double weight[BLEND_MAX_MODELS], scale[BLEND_MAX_MODELS];
} blend;

static void let_go(blend *b, uint64_t i)
{
    if (!b->borrowed[i]) recommender_free(b->model[i]);
}

static void blend_free(void *state)
{
    blend *b = state;
    if (b == NULL) return;
    for (uint64_t i = 0; i < b->n; i++)
        let_go(b, i);
    mem_free(b);
}

/* ---- fitting ---- */

/* What a blend takes when nobody says: every kind but itself, the textbook's formulas on
 * ratings, which keep all pairs and rank badly, `habit`, which learns weights of its own, and
 * what the Transformer does better for the same time. */
static bool is_default(const recommender_kind *kind)
{
    const recommender_kind *const left_out[] = {&blend_kind,   &habit_kind,
                                                &user_cf_kind, &item_cf_kind,
                                                &gru4rec_kind, &bert4rec_kind,
                                                &two_embedding_kind};
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (kind == left_out[i]) return false;
    return true;
}

static const recommender_kind *wanted(const recommend_input *input, size_t i)
{
    if (input->members != NULL) return i < input->n_members ? input->members[i] : NULL;
    return recommender_kind_at(i);
}

/* What the data or this set-up do not allow: a part is absent, there are too many products,
 * or too few events to train on. */
static bool does_not_fit(const recommender_kind *kind, pf_status s)
{
    return s == PF_UNAVAILABLE || s == PF_LIMIT || (s == PF_DATA && kind->trained);
}

/* Takes one model more: a fitted one that was given, else one fitted now; a kind the data do
 * not allow is passed over unless asked for. */
static pf_status add_member(blend *b, const recommend_input *input,
                            const recommender_kind *kind, recommender *given,
                            pf_error *err)
{
    if (input->members == NULL && !is_default(kind)) return PF_OK;
    if (kind == &blend_kind)
        return error_set(err, PF_USAGE, "a blend cannot hold another blend");
    if (b->n == BLEND_MAX_MODELS)
        return error_set(err, PF_LIMIT, "a blend holds at most %d models",
                         BLEND_MAX_MODELS);
    b->borrowed[b->n] = given != NULL;
    if (given != NULL) {
        b->model[b->n++] = given;
        return PF_OK;
    }
    pf_error why = {0};
    pf_status s = recommender_fit(kind, input, &b->model[b->n], &why);
    if (s == PF_OK) {
        b->n++;
        return PF_OK;
    }
    if (input->members == NULL && does_not_fit(kind, s)) return PF_OK;
    return error_pass(err, &why);
}

static pf_status fit_members(blend *b, const recommend_input *input, pf_error *err)
{
    pf_status s = PF_OK;
    for (size_t i = 0; s == PF_OK && wanted(input, i) != NULL; i++)
        s = add_member(b, input, wanted(input, i), input->fitted ? input->fitted[i] : NULL,
                       err);
    if (s == PF_OK && b->n == 0)
        s = error_set(err, PF_USAGE, "a blend needs at least one model");
    return s;
}

/* Keeps the models with a weight. */
static void keep_weighted(blend *b, const blend_weights *w)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < b->n; i++) {
        if (!(w->weight[i] > 0)) {
            let_go(b, i);
            continue;
        }
        b->model[kept] = b->model[i];
        b->borrowed[kept] = b->borrowed[i];
        b->weight[kept] = w->weight[i];
        b->scale[kept++] = w->scale[i] > 0 ? w->scale[i] : 1;
    }
    b->n = kept;
}

static pf_status learn(blend *b, const recommend_input *input, const uint32_t *next,
                       const int64_t *next_time_us, pf_error *err)
{
    blend_weights w;
    const blend_task task = {.past = input->train,
                             .next = next,
                             .next_time_us = next_time_us,
                             .until_us = input->until_us,
                             .repeats = input->repeats,
                             .model = b->model,
                             .n_models = b->n,
                             .threads = input->pool};
    pf_status s = blend_learn(&task, &w, err);
    if (s == PF_OK) keep_weighted(b, &w);
    return s;
}

/* Fits the kept models again on everything; one that was trained stays: the last events are
 * what it is asked with, and another training would cost as much again. */
static pf_status refit(blend *b, const recommend_input *input, pf_error *err)
{
    for (uint64_t i = 0; i < b->n; i++) {
        recommender *again = NULL;
        if (recommender_kind_of(b->model[i])->trained) continue;
        pf_status s =
            recommender_fit(recommender_kind_of(b->model[i]), input, &again, err);
        if (s != PF_OK) return s;
        recommender_free(b->model[i]);
        b->model[i] = again;
    }
    return PF_OK;
}

/* The last events of shoppers with two or more, and their times. */
typedef struct lesson {
    interactions_owned *past;
    uint32_t *next;
    int64_t *time_us;
    bool any;
} lesson;

static pf_status hold_back(lesson *l, const interactions *x, pf_error *err)
{
    *l = (lesson){.next = mem_alloc(x->n_users, sizeof *l->next),
                  .time_us = mem_alloc(x->n_users, sizeof *l->time_us)};
    if (l->next == NULL || l->time_us == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers", x->n_users);
    for (uint32_t u = 0; u < x->n_users; u++) {
        uint64_t end = x->first[u + 1];
        bool some = end - x->first[u] >= 2;
        l->any |= some;
        l->next[u] = some ? x->product[end - 1] : RECOMMEND_NO_PRODUCT;
        l->time_us[u] = some && x->time_us ? x->time_us[end - 1] : 0;
    }
    return interactions_without_last(x, 1, 2, &l->past, err);
}

static void lesson_free(lesson *l)
{
    interactions_free(l->past);
    mem_free(l->next);
    mem_free(l->time_us);
}

static pf_status fit_holding_back(blend *b, const recommend_input *input, pf_error *err)
{
    lesson l;
    recommend_input part = *input;
    pf_status s = hold_back(&l, input->train, err);
    if (s == PF_OK && !l.any)
        s = error_set(err, PF_DATA,
                      "no shopper took two products one after the other, so no weights can "
                      "be learnt");
    if (s == PF_OK) {
        part.train = &l.past->view;
        part.next = l.next;
        part.next_time_us = input->train->time_us ? l.time_us : NULL;
        s = fit_members(b, &part, err);
    }
    if (s == PF_OK)
        s = learn(b, &part, part.next, part.next_time_us, err);
    if (s == PF_OK) s = refit(b, input, err);
    lesson_free(&l);
    return s;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    pf_status s = PF_OK;
    blend *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    b->n_products = input->train->n_products;
    if (input->next == NULL) {
        s = fit_holding_back(b, input, err);
    } else {
        s = fit_members(b, input, err);
        if (s == PF_OK) s = learn(b, input, input->next, input->next_time_us, err);
    }
    if (s != PF_OK)
        blend_free(b);
    else
        *state = b;
    return s;
}

/* ---- scoring ---- */

/* Floats of one model's scores, so many that what follows is aligned as well. */
static size_t own_floats(const blend *b)
{
    return ((size_t)b->n_products + 15) / 16 * 16;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const blend *b = state;
    size_t room = own_floats(b);
    float *own = scratch->floats;
    recommend_scratch rest = {own + room, scratch->n - room};
    memset(scores, 0, b->n_products * sizeof *scores);
    for (uint64_t i = 0; i < b->n; i++) {
        float weight = (float)(b->weight[i] / b->scale[i]);
        recommender_score(b->model[i], query, own, &rest);
        for (uint32_t v = 0; v < b->n_products; v++)
            scores[v] += weight * own[v];
    }
}

static size_t scratch_floats(const void *state)
{
    const blend *b = state;
    size_t most = 0;
    for (uint64_t i = 0; i < b->n; i++) {
        size_t n = recommender_scratch_floats(b->model[i]);
        most = n > most ? n : most;
    }
    return own_floats(b) + most;
}

size_t blend_parts(const recommender *m)
{
    return recommender_kind_of(m) == &blend_kind
               ? (size_t)((const blend *)recommender_state(m))->n
               : 0;
}

blend_part blend_part_at(const recommender *m, size_t i)
{
    const blend *b = recommender_state(m);
    return (blend_part){recommender_kind_of(b->model[i])->name, b->weight[i]};
}

/* ---- files: each model in a scope of its own ---- */

enum { SCOPE_BYTES = 16 };

static const char *scope_of(uint64_t i, char into[SCOPE_BYTES])
{
    (void)snprintf(into, SCOPE_BYTES, "part%u", (unsigned)i);
    return into;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const blend *b = state;
    char scope[SCOPE_BYTES];
    pf_status s = safetensors_add(file, "weight", TENSOR_F64, b->weight, 1, &b->n, err);
    if (s == PF_OK)
        s = safetensors_add(file, "scale", TENSOR_F64, b->scale, 1, &b->n, err);
    for (uint64_t i = 0; i < b->n && s == PF_OK; i++) {
        s = safetensors_scope(file, scope_of(i, scope), err);
        if (s == PF_OK) s = recommender_put(b->model[i], file, err);
    }
    return s == PF_OK ? safetensors_scope(file, "", err) : s;
}

static pf_status read_weights(blend *b, const safetensors *file, uint64_t *n,
                              pf_error *err)
{
    const tensor_view *weight = NULL, *scale = NULL;
    pf_status s = safetensors_find(file, "weight", TENSOR_F64, 1, 0, &weight, err);
    if (s == PF_OK) s = safetensors_find(file, "scale", TENSOR_F64, 1, 0, &scale, err);
    if (s != PF_OK) return s;
    bool sound = weight->count > 0 && weight->count <= BLEND_MAX_MODELS &&
                 scale->count == weight->count;
    for (uint64_t i = 0; sound && i < weight->count; i++) {
        b->weight[i] = ((const double *)weight->data)[i];
        b->scale[i] = ((const double *)scale->data)[i];
        sound = b->weight[i] > 0 && b->weight[i] < 1e6 && b->scale[i] > 1e-12 &&
                b->scale[i] < 1e12;
    }
    if (!sound)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the weights of the blend are out of range; train again");
    *n = weight->count;
    return PF_OK;
}

static pf_status take_member(blend *b, const safetensors *file, uint64_t i, pf_error *err)
{
    char scope[SCOPE_BYTES];
    safetensors *part = NULL;
    pf_status s = safetensors_within(file, scope_of(i, scope), &part, err);
    if (s != PF_OK) return s;
    if (strcmp(safetensors_note_of(part, "kind"), blend_kind.name) == 0)
        s = error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                         "a blend cannot hold another blend; train again");
    else
        s = recommender_take(part, b->n_products, &b->model[i], err);
    if (s == PF_OK) b->n = i + 1;
    safetensors_close(part);
    return s;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    uint64_t n = 0;
    blend *b = mem_alloc_zero(1, sizeof *b);
    if (b == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    b->n_products = n_products;
    pf_status s = read_weights(b, file, &n, err);
    for (uint64_t i = 0; i < n && s == PF_OK; i++)
        s = take_member(b, file, i, err);
    if (s != PF_OK)
        blend_free(b);
    else
        *state = b;
    return s;
}

const recommender_kind blend_kind = {
    .name = "blend",
    .summary = "a weighted sum of the others, weights learnt on events they had not seen",
    .source = "Metzler and Croft 2007, section 4.2.2; Bao, Bergman, Thompson 2009",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = blend_free,
    .scratch_floats = scratch_floats,
};
