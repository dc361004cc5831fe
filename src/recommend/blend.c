/*
 * A weighted sum of members' scores (blend_member.h), with weights learnt on events that the
 * members had not seen (blend_learn.h). Members that got no weight are dropped. Stacking in its
 * simplest form: Wolpert, Neural Networks 5, 1992; for recommenders: Bao, Bergman, Thompson,
 * RecSys 2009.
 */
#include "recommend/blend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "recommend/blend_learn.h"
#include "recommend/inner.h"
#include "recommend/interactions.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

/* Seeds of copies are so far apart that they never meet those of a comparison over seeds. */
enum { SEED_STEP = 1000003 };

typedef struct blend {
    uint32_t n_products;
    uint64_t n;
    blend_member member[BLEND_MAX_MEMBERS];
    double weight[BLEND_MAX_MEMBERS], scale[BLEND_MAX_MEMBERS];
    uint64_t copies[BLEND_MAX_MEMBERS]; /* of each member, for the file */
} blend;

static void blend_free(void *state)
{
    blend *b = state;
    if (b == NULL) return;
    for (uint64_t i = 0; i < b->n; i++)
        blend_member_free(&b->member[i]);
    mem_free(b);
}

/* ---- fitting ---- */

/* What a blend takes when nobody says: every kind but itself, the textbook's formulas on
 * ratings, which keep all pairs and rank badly, `habit`, which learns weights of its own, and
 * what the Transformer does better for the same time. */
static bool is_default(const recommender_kind *kind)
{
    const recommender_kind *const left_out[] = {
        &blend_kind,   &month_blend_kind, &habit_kind,     &user_cf_kind,
        &item_cf_kind, &gru4rec_kind,     &bert4rec_kind,  &two_embedding_kind};
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
 * or too few events to train on. A training that fails is none of these. */
static bool does_not_fit(const recommend_input *input, const recommender_kind *kind,
                         pf_status s)
{
    return s == PF_UNAVAILABLE || s == PF_LIMIT ||
           (s == PF_DATA && kind->trained && !interactions_teach_order(input->train));
}

/* The copies of a member behind its first, each from a seed and random values of its own. */
static pf_status add_copies(blend_member *m, const recommend_input *input, pf_error *err)
{
    recommend_input other = *input;
    recommend_training training = {0};
    const size_t copies = blend_member_kind(m)->trained ? input->copies : 1;
    if (input->training != NULL) /* nothing that belongs to one training: that is the first's */
        training = (recommend_training){.settings = input->training->settings,
                                        .hooks = input->training->hooks};
    other.training = &training;
    while (m->n < copies) {
        other.seed = input->seed + m->n * SEED_STEP;
        pf_status s =
            recommender_fit(blend_member_kind(m), &other, &m->copy[m->n], err);
        if (s != PF_OK) return s;
        m->n++;
    }
    return PF_OK;
}

/* A fitted model that was given, else one fitted now, with its copies. */
static pf_status fit_member(blend_member *m, const recommend_input *input,
                            const recommender_kind *kind, recommender *given,
                            pf_error *err)
{
    pf_status s = PF_OK;
    *m = (blend_member){.copy = {given}, .borrowed = {given != NULL}};
    if (given == NULL) s = recommender_fit(kind, input, &m->copy[0], err);
    if (s != PF_OK) return s;
    m->n = 1;
    s = add_copies(m, input, err);
    if (s != PF_OK) blend_member_free(m);
    return s;
}

/* Takes one member more; a kind the data do not allow is passed over unless asked for. */
static pf_status add_member(blend *b, const recommend_input *input,
                            const recommender_kind *kind, recommender *given,
                            pf_error *err)
{
    if (input->members == NULL && !is_default(kind)) return PF_OK;
    if (kind == &blend_kind)
        return error_set(err, PF_USAGE, "a blend cannot hold another blend");
    if (b->n == BLEND_MAX_MEMBERS)
        return error_set(err, PF_LIMIT, "a blend holds at most %d models",
                         BLEND_MAX_MEMBERS);
    pf_error why = {0};
    pf_status s = fit_member(&b->member[b->n], input, kind, given, &why);
    if (s == PF_OK) {
        b->n++;
        return PF_OK;
    }
    if (input->members != NULL || !does_not_fit(input, kind, s)) return error_pass(err, &why);
    log_line(LOG_DETAIL, "the blend does without %s: %s", kind->name, why.message);
    return PF_OK;
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

/* Keeps the members with a weight. */
static void keep_weighted(blend *b, const blend_weights *w)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < b->n; i++) {
        const blend_member member = b->member[i];
        if (!(w->weight[i] > 0)) {
            blend_member_free(&b->member[i]);
            continue;
        }
        b->weight[kept] = w->weight[i];
        b->copies[kept] = member.n;
        b->scale[kept] = w->scale[i] > 0 ? w->scale[i] : 1;
        b->member[kept++] = member;
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
                             .member = b->member,
                             .n_members = b->n,
                             .threads = input->pool};
    pf_status s = blend_learn(&task, &w, err);
    if (s == PF_OK) keep_weighted(b, &w);
    return s;
}

/* Fits the kept members again on everything; those that were trained stay: the last events are
 * what they are asked with, and another training would cost as much again. */
static pf_status refit(blend *b, const recommend_input *input, pf_error *err)
{
    for (uint64_t i = 0; i < b->n; i++) {
        const recommender_kind *kind = blend_member_kind(&b->member[i]);
        blend_member again;
        if (kind->trained) continue;
        pf_status s = fit_member(&again, input, kind, NULL, err);
        if (s != PF_OK) return s;
        blend_member_free(&b->member[i]);
        b->member[i] = again;
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
    if (input->copies > RECOMMEND_MAX_COPIES)
        return error_set(err, PF_USAGE, "%u copies were asked for; a blend holds at most %d",
                         input->copies, RECOMMEND_MAX_COPIES);
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

/* scores [V] = a member's by its weight. */
static void score_member(const blend *b, uint64_t i, const recommend_query *query, float *scores,
                         recommend_scratch *scratch)
{
    const float weight = (float)(b->weight[i] / b->scale[i]);
    blend_member_score(&b->member[i], query, scores, scratch);
    for (uint32_t v = 0; v < b->n_products; v++)
        scores[v] *= weight;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const blend *b = state;
    recommend_scratch rest = *scratch;
    float *own = recommend_scratch_take(&rest, b->n_products); /* one member's scores */
    memset(scores, 0, b->n_products * sizeof *scores);
    for (uint64_t i = 0; i < b->n; i++) {
        score_member(b, i, query, own, &rest);
        for (uint32_t v = 0; v < b->n_products; v++)
            scores[v] += own[v];
    }
}

static size_t scratch_floats(const void *state)
{
    const blend *b = state;
    size_t most = 0;
    for (uint64_t i = 0; i < b->n; i++) {
        size_t n = blend_member_scratch_floats(&b->member[i]);
        most = n > most ? n : most;
    }
    return recommend_scratch_room(b->n_products) + most;
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
    const blend_member *member = &b->member[i];
    return (blend_part){.kind = blend_member_kind(member)->name,
                        .weight = b->weight[i],
                        .scale = b->scale[i],
                        .copies = (size_t)member->n};
}

void blend_score_part(const recommender *m, size_t i, const recommend_query *query, float *scores,
                      recommend_scratch *scratch)
{
    score_member(recommender_state(m), i, query, scores, scratch);
}

/* ---- files: each copy of each member in a scope of its own ---- */

enum { SCOPE_BYTES = 32 };

static const char *scope_of(uint64_t member, uint64_t copy, char into[SCOPE_BYTES])
{
    (void)snprintf(into, SCOPE_BYTES, "part%u.%u", (unsigned)member, (unsigned)copy);
    return into;
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const blend *b = state;
    char scope[SCOPE_BYTES];
    pf_status s = safetensors_add(file, "weight", TENSOR_F64, b->weight, 1, &b->n, err);
    if (s == PF_OK)
        s = safetensors_add(file, "scale", TENSOR_F64, b->scale, 1, &b->n, err);
    if (s == PF_OK)
        s = safetensors_add(file, "copies", TENSOR_U64, b->copies, 1, &b->n, err);
    for (uint64_t i = 0; i < b->n && s == PF_OK; i++) {
        for (uint64_t c = 0; c < b->member[i].n && s == PF_OK; c++) {
            s = safetensors_scope(file, scope_of(i, c, scope), err);
            if (s == PF_OK) s = recommender_put(b->member[i].copy[c], file, err);
        }
    }
    return s == PF_OK ? safetensors_scope(file, "", err) : s;
}

static pf_status read_weights(blend *b, const safetensors *file, uint64_t *n,
                              pf_error *err)
{
    const tensor_view *weight = NULL, *scale = NULL, *copies = NULL;
    pf_status s = safetensors_find(file, "weight", TENSOR_F64, 1, 0, &weight, err);
    if (s == PF_OK) s = safetensors_find(file, "scale", TENSOR_F64, 1, 0, &scale, err);
    if (s == PF_OK) s = safetensors_find(file, "copies", TENSOR_U64, 1, 0, &copies, err);
    if (s != PF_OK) return s;
    bool sound = weight->count > 0 && weight->count <= BLEND_MAX_MEMBERS &&
                 scale->count == weight->count && copies->count == weight->count;
    for (uint64_t i = 0; sound && i < weight->count; i++) {
        b->weight[i] = ((const double *)weight->data)[i];
        b->scale[i] = ((const double *)scale->data)[i];
        b->copies[i] = ((const uint64_t *)copies->data)[i];
        sound = b->weight[i] > 0 && b->weight[i] < 1e6 && b->scale[i] > 1e-12 &&
                b->scale[i] < 1e12 && b->copies[i] > 0 &&
                b->copies[i] <= RECOMMEND_MAX_COPIES;
    }
    if (!sound)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the weights of the blend are out of range; train again");
    *n = weight->count;
    return PF_OK;
}

/* The next copy of a member. Whoever asks for a blend inside a blend is refused before it is
 * read, so that files cannot nest without end. */
static pf_status take_copy(blend_member *m, const safetensors *part, uint32_t n_products,
                           pf_error *err)
{
    const char *path = safetensors_path(part);
    const char *kind = safetensors_note_of(part, "kind");
    if (strcmp(kind, blend_kind.name) == 0)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "a blend cannot hold another blend; train again");
    if (m->n > 0 && strcmp(kind, blend_member_kind(m)->name) != 0)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "one member of the blend holds %s and %s; train again",
                            blend_member_kind(m)->name, recommender_find(kind) ? kind : "?");
    pf_status s = recommender_take(part, n_products, &m->copy[m->n], err);
    if (s == PF_OK) m->n++;
    return s;
}

static pf_status take_member(blend *b, const safetensors *file, uint64_t i, pf_error *err)
{
    pf_status s = PF_OK;
    b->n = i + 1;
    for (uint64_t c = 0; c < b->copies[i] && s == PF_OK; c++) {
        char scope[SCOPE_BYTES];
        safetensors *part = NULL;
        s = safetensors_within(file, scope_of(i, c, scope), &part, err);
        if (s == PF_OK) s = take_copy(&b->member[i], part, b->n_products, err);
        safetensors_close(part);
    }
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
    .watched = "transformer",
    .combines = true,
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = blend_free,
    .scratch_floats = scratch_floats,
};
