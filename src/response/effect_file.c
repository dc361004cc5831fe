/*
 * A model of lifts as a safetensors file: notes say what it is and name the kinds, F64 arrays
 * hold numbers, and a learner has scale and parts as in response/uplift_model_file.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "response/effect_inner.h"

enum { CONSTANTS = 29, SCALE_NUMBERS = 7, CHOICE_NUMBERS = 3 * EFFECT_WAYS, KEY_BYTES = 32 };

/* Of the constants: those before are checked one by one, the rest are counts. */
enum { FIRST_COUNT = 17 };

static const char *const part_names[2] = {"part0", "part1"};

/* Changes when the features do: a model made of others is refused. */
static void features_mark(char into[FINGERPRINT_TEXT_BYTES])
{
    fingerprint_state state;
    fingerprint_begin(&state);
    for (size_t f = 0; f < EFFECT_FEATURES; f++)
        fingerprint_add_text(&state, effect_feature_name(f));
    const fingerprint done = fingerprint_end(&state);
    fingerprint_format(&done, into);
}

static void kind_key(char into[KEY_BYTES], size_t k)
{
    (void)snprintf(into, KEY_BYTES, "kind%zu", k);
}

/* --- writing ------------------------------------------------------------------------ */

typedef struct packed {
    double constants[CONSTANTS], choice[CHOICE_NUMBERS];
    double worth[PROMOTION_KIND_COUNT];
    double scales[(EFFECT_MOST_KINDS + 2) * SCALE_NUMBERS]; /* the last is of all kinds */
} packed;

static void pack_scale(const effect_scale *s, double *into)
{
    const double values[SCALE_NUMBERS] = {s->raw, s->error, s->rows, s->sent, s->offset, s->pull,
                                          s->spread};
    memcpy(into, values, sizeof values);
}

static void pack(const effect_model *m, packed *p)
{
    const effect_total *t = &m->total;
    const effect_left_out *l = &m->left;
    const double values[CONSTANTS] = {
        m->basis, m->whole, m->choice.chosen, m->choice.by_folds, (double)m->kinds.n,
        (double)m->learner.parts, m->learner.scale.share, (double)m->until_us / 1e6,
        m->view.unit_minor, t->value, t->standard_error, m->belief.mean, m->belief.deviation,
        m->belief.between, m->most_spend, m->give, m->none_spent,
        (double)t->rows, (double)t->sent, (double)t->shoppers, (double)m->units,
        (double)l->alone, (double)l->open, (double)l->late, (double)l->asleep,
        (double)l->unlike, (double)l->sampled, (double)l->uneven, m->sticky};
    memcpy(p->constants, values, sizeof values);
    for (int w = 0; w < EFFECT_WAYS; w++) {
        p->choice[w] = m->choice.reached[w];
        p->choice[EFFECT_WAYS + w] = m->choice.behind[w];
        p->choice[2 * EFFECT_WAYS + w] = m->choice.error[w];
    }
    for (int k = 0; k < PROMOTION_KIND_COUNT; k++)
        p->worth[k] = m->view.worth_known[k];
    for (size_t k = 0; k <= m->kinds.n; k++)
        pack_scale(&m->belief.scale[k], p->scales + k * SCALE_NUMBERS);
    pack_scale(&m->belief.all, p->scales + (m->kinds.n + 1) * SCALE_NUMBERS);
}

static pf_status add_notes(const effect_model *m, safetensors_writer *w, pf_error *err)
{
    char mark[FINGERPRINT_TEXT_BYTES], key[KEY_BYTES];
    features_mark(mark);
    pf_status s = safetensors_note(w, "kind", "effect", err);
    if (s == PF_OK) s = safetensors_note(w, "features", mark, err);
    for (size_t k = 0; s == PF_OK && k < m->kinds.n; k++) {
        kind_key(key, k);
        s = safetensors_note(w, key, m->kinds.name[k], err);
    }
    return s;
}

/* The numbers are borrowed by the writer until commit. */
static pf_status add_all(const effect_model *m, const packed *p, safetensors_writer *w,
                         pf_error *err)
{
    const uplift_scale *k = &m->learner.scale;
    const struct {
        const char *name;
        const double *data;
        uint64_t n;
    } arrays[] = {{"constants", p->constants, CONSTANTS},
                  {"choice", p->choice, CHOICE_NUMBERS},
                  {"worth", p->worth, PROMOTION_KIND_COUNT},
                  {"scales", p->scales, (m->kinds.n + 2) * SCALE_NUMBERS},
                  {"mean", k->mean, EFFECT_FEATURES},
                  {"scale", k->scale, EFFECT_FEATURES}};
    const size_t n = m->learner.parts > 0 ? 6 : 4;
    pf_status s = add_notes(m, w, err);
    for (size_t i = 0; s == PF_OK && i < n; i++)
        s = safetensors_add(w, arrays[i].name, TENSOR_F64, arrays[i].data, 1, &arrays[i].n, err);
    for (size_t i = 0; s == PF_OK && i < m->learner.parts; i++)
        s = regression_save(&m->learner.part[i], part_names[i], w, err);
    return s;
}

pf_status effect_save(const effect_model *m, const char *path, pf_error *err)
{
    packed p;
    safetensors_writer *w = NULL;
    memset(&p, 0, sizeof p);
    pack(m, &p);
    pf_status s = safetensors_begin(&w, path, err);
    if (s != PF_OK) return s;
    s = add_all(m, &p, w, err);
    if (s == PF_OK) return safetensors_commit(w, err);
    safetensors_abandon(w);
    return s;
}

/* --- reading ------------------------------------------------------------------------ */

static pf_status damaged(const safetensors *file, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the model of what promotions add is damaged or of another kind; train "
                        "again");
}

static bool whole(double x, double least, double most)
{
    return x >= least && x <= most && x == floor(x);
}

/* Scales of a lift are near 1. Beyond this a product of two of them may be no number at all. */
static bool is_scale(double x)
{
    return fabs(x) <= 1e9;
}

static bool understood(const double *c)
{
    for (int i = 0; i < CONSTANTS; i++)
        if (!isfinite(c[i]) || (i >= FIRST_COUNT && !whole(c[i], 0, 1e15))) return false;
    return whole(c[0], EFFECT_BY_LOT, EFFECT_BY_OBSERVATION) && whole(c[1], 0, 1) &&
           whole(c[2], 0, EFFECT_WAYS - 1) && whole(c[3], 0, 1) &&
           whole(c[4], 1, EFFECT_MOST_KINDS) && whole(c[5], 0, 1) &&
           (c[5] > 0) == (c[2] > EFFECT_SHARE) && c[6] >= 0 && c[6] <= 1 && fabs(c[7]) <= 9e12 &&
           c[8] > 0 && c[10] >= 0 && is_scale(c[11]) && c[12] > 0 && is_scale(c[12]) &&
           c[13] >= 0 && is_scale(c[13]) && c[14] >= 0 && c[15] >= 0 && c[16] >= 0 &&
           c[28] <= 1;
}

static void unpack(effect_model *m, const double *c)
{
    const size_t counts[] = {(size_t)c[17], (size_t)c[18], (size_t)c[19], (size_t)c[20]};
    m->basis = (effect_basis)c[0];
    m->whole = c[1] != 0;
    m->sticky = c[28] != 0;
    m->choice.chosen = (effect_way)c[2];
    m->choice.by_folds = c[3] != 0;
    m->kinds.n = m->belief.kinds = (size_t)c[4];
    m->learner.parts = (size_t)c[5];
    m->until_us = (int64_t)(c[7] * 1e6);
    m->view.unit_minor = c[8];
    m->total = effect_total_with(c[9], c[10]);
    m->total.rows = counts[0];
    m->total.sent = counts[1];
    m->total.shoppers = counts[2];
    m->belief.mean = c[11];
    m->belief.deviation = c[12];
    m->belief.between = c[13];
    m->most_spend = c[14];
    m->give = c[15];
    m->none_spent = c[16];
    m->units = counts[3];
    m->left = (effect_left_out){(size_t)c[21], (size_t)c[22], (size_t)c[23], (size_t)c[24],
                                (size_t)c[25], (size_t)c[26], (size_t)c[27]};
}

static pf_status read_array(const safetensors *file, const char *name, size_t n, double *into,
                            pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, name, TENSOR_F64, 1, n, &t, err);
    if (s == PF_OK) memcpy(into, t->data, n * sizeof *into);
    return s;
}

/* What was not measured is NaN; what lifts are made with never is. */
static bool read_scale(const double *v, effect_scale *s)
{
    *s = (effect_scale){v[0], v[1], v[2], v[3], v[4], v[5], v[6]};
    return isfinite(s->raw) == isfinite(s->error) && !(s->error < 0) && whole(s->rows, 0, 1e15) &&
           whole(s->sent, 0, s->rows) && is_scale(s->offset) && is_scale(s->pull) &&
           is_scale(s->spread) && s->spread >= 0;
}

static pf_status read_scales(effect_model *m, const safetensors *file, pf_error *err)
{
    double v[(EFFECT_MOST_KINDS + 2) * SCALE_NUMBERS], choice[CHOICE_NUMBERS];
    double worth[PROMOTION_KIND_COUNT];
    const size_t K = m->kinds.n;
    pf_status s = read_array(file, "scales", (K + 2) * SCALE_NUMBERS, v, err);
    if (s == PF_OK) s = read_array(file, "choice", CHOICE_NUMBERS, choice, err);
    if (s == PF_OK) s = read_array(file, "worth", PROMOTION_KIND_COUNT, worth, err);
    if (s != PF_OK) return s;
    for (size_t k = 0; k <= K + 1; k++)
        if (!read_scale(v + k * SCALE_NUMBERS, k > K ? &m->belief.all : &m->belief.scale[k]))
            return damaged(file, err);
    for (int w = 0; w < EFFECT_WAYS; w++) {
        m->choice.reached[w] = choice[w];
        m->choice.behind[w] = choice[EFFECT_WAYS + w];
        m->choice.error[w] = choice[2 * EFFECT_WAYS + w];
    }
    for (int k = 0; k < PROMOTION_KIND_COUNT; k++) {
        if (!whole(worth[k], 0, 1)) return damaged(file, err);
        m->view.worth_known[k] = worth[k] != 0;
    }
    for (size_t k = 0; k <= K + 1; k++)
        if (!isfinite(effect_belief_mean(&m->belief, k))) return damaged(file, err);
    return PF_OK;
}

/* Names are texts that differ, each a kind of its own. */
static pf_status read_kinds(effect_model *m, const safetensors *file, pf_error *err)
{
    effect_kinds found = {.n = 0};
    char key[KEY_BYTES];
    for (size_t k = 0; k < m->kinds.n; k++) {
        kind_key(key, k);
        const char *name = safetensors_note_of(file, key);
        if (name[0] == 0 || strlen(name) >= EFFECT_KIND_BYTES || effect_kind_add(&found, name) != k)
            return damaged(file, err);
    }
    m->kinds = found;
    return PF_OK;
}

/* One part: a sum of spends of s, or an effect of dr. */
static pf_status read_learner(effect_model *m, double share, const safetensors *file,
                              pf_error *err)
{
    uplift_learner *l = &m->learner;
    l->kind = effect_way_kind(m->choice.chosen);
    l->parts = 0; /* until it is there */
    pf_status s = uplift_scale_new(&l->scale, EFFECT_FEATURES, 0, err);
    if (s == PF_OK) s = read_array(file, "mean", EFFECT_FEATURES, l->scale.mean, err);
    if (s == PF_OK) s = read_array(file, "scale", EFFECT_FEATURES, l->scale.scale, err);
    l->scale.share = share;
    for (size_t f = 0; s == PF_OK && f < EFFECT_FEATURES; f++)
        if (!isfinite(l->scale.mean[f]) || !isfinite(l->scale.scale[f])) s = damaged(file, err);
    if (s != PF_OK) return s;
    const size_t width = uplift_layout_width(&l->scale, uplift_learner_layout(l->kind));
    s = regression_load(&l->part[0], part_names[0], width, file, err);
    if (s != PF_OK) return s;
    l->parts = 1;
    const bool right = uplift_recipe_of(l->kind)->way == UPLIFT_WAY_DR
                           ? l->part[0].kind == REGRESSION_NUMBER
                           : l->part[0].kind == REGRESSION_AMOUNT;
    return right ? PF_OK : damaged(file, err);
}

static pf_status read_all(effect_model *m, const safetensors *file, pf_error *err)
{
    double c[CONSTANTS];
    pf_status s = read_array(file, "constants", CONSTANTS, c, err);
    if (s != PF_OK) return s;
    if (!understood(c)) return damaged(file, err);
    unpack(m, c);
    effect_view_places(&m->view);
    s = read_kinds(m, file, err);
    if (s == PF_OK) s = read_scales(m, file, err);
    if (s == PF_OK && m->choice.chosen != EFFECT_SHARE) s = read_learner(m, c[6], file, err);
    return s;
}

pf_status effect_read(const safetensors *file, effect_model **out, pf_error *err)
{
    char mark[FINGERPRINT_TEXT_BYTES];
    *out = NULL;
    features_mark(mark);
    if (strcmp(safetensors_note_of(file, "kind"), "effect") != 0 ||
        strcmp(safetensors_note_of(file, "features"), mark) != 0)
        return damaged(file, err);
    effect_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "no memory for a model");
    pf_status s = read_all(m, file, err);
    if (s == PF_OK) *out = m;
    else effect_free(m);
    return s;
}

pf_status effect_load(const char *path, effect_model **out, pf_error *err)
{
    safetensors *file = NULL;
    *out = NULL;
    pf_status s = safetensors_open(&file, path, err);
    if (s == PF_OK) s = effect_read(file, out, err);
    safetensors_close(file);
    return s;
}
