/*
 * A model of effects as a safetensors file: notes say what it is, F64 arrays hold scale, share and
 * the choice, and each part is a regression (response/regression.h).
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/uplift_model_inner.h"

enum { CONSTANTS = 14 };

static const char *const part_names[2] = {"part0", "part1"};

/* ---- writing ---- */

static void pack(const uplift_model *m, double c[CONSTANTS])
{
    const uplift_scale *k = &m->learner.scale;
    const double values[CONSTANTS] = {m->choice.chosen, m->choice.by_folds, m->outcome, m->metric,
                                      m->estimated, m->rows, m->treated, m->mean[0], m->mean[1],
                                      m->effect, k->share, (double)k->features,
                                      (double)k->attributes, (double)m->learner.parts};
    memcpy(c, values, sizeof values);
}

/* The numbers are borrowed by the writer until commit. */
static pf_status add_all(const uplift_model *m, const double *constants, safetensors_writer *w,
                         pf_error *err)
{
    const uplift_scale *k = &m->learner.scale;
    const uint64_t n = CONSTANTS, kinds = UPLIFT_KINDS, wide = k->features + k->attributes;
    const struct {
        const char *name;
        const double *data;
        uint64_t n;
    } arrays[] = {{"constants", constants, n},
                  {"mean", k->mean, wide},
                  {"scale", k->scale, wide},
                  {"reached", m->choice.reached, kinds},
                  {"behind", m->choice.behind, kinds},
                  {"behind_se", m->choice.standard_error, kinds}};
    pf_status s = safetensors_note(w, "kind", "uplift", err);
    for (size_t i = 0; s == PF_OK && i < sizeof arrays / sizeof arrays[0]; i++)
        s = safetensors_add(w, arrays[i].name, TENSOR_F64, arrays[i].data, 1, &arrays[i].n, err);
    for (size_t i = 0; s == PF_OK && i < m->learner.parts; i++)
        s = regression_save(&m->learner.part[i], part_names[i], w, err);
    return s;
}

pf_status uplift_model_save(const uplift_model *m, const char *path, pf_error *err)
{
    double constants[CONSTANTS];
    safetensors_writer *w = NULL;
    pack(m, constants);
    pf_status s = safetensors_begin(&w, path, err);
    if (s != PF_OK) return s;
    s = add_all(m, constants, w, err);
    if (s == PF_OK) return safetensors_commit(w, err);
    safetensors_abandon(w);
    return s;
}

/* ---- reading ---- */

static pf_status damaged(const safetensors *file, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the model of effects is damaged or of another kind; train again");
}

static bool whole(double x, double least, double most)
{
    return x >= least && x <= most && x == floor(x);
}

static bool understood(const double *c)
{
    for (int i = 0; i < CONSTANTS; i++)
        if (!isfinite(c[i])) return false;
    return whole(c[0], 0, UPLIFT_KINDS - 1) && whole(c[1], 0, 1) && whole(c[2], 0, UPLIFT_AMOUNT) &&
           whole(c[3], 0, UPLIFT_BY_VALUE) && whole(c[4], 0, 1) && whole(c[5], 0, 1e15) &&
           whole(c[6], 0, c[5]) && c[10] >= 0 && c[10] <= 1 &&
           whole(c[11], 1, LINEAR_MAX_FEATURES) && whole(c[12], 0, LINEAR_MAX_FEATURES) &&
           2 * c[11] + 1 + c[12] <= LINEAR_MAX_FEATURES && whole(c[13], 1, 2);
}

/* As many parts as the learner's way has. */
static bool unpack(uplift_model *m, const double *c)
{
    if (!understood(c)) return false;
    m->choice.chosen = m->learner.kind = (uplift_kind)c[0];
    m->choice.by_folds = c[1] != 0;
    m->outcome = (uplift_outcome)c[2];
    m->metric = (uplift_metric)c[3];
    m->estimated = c[4] != 0;
    m->rows = c[5];
    m->treated = c[6];
    m->mean[0] = c[7];
    m->mean[1] = c[8];
    m->effect = c[9];
    m->learner.parts = (size_t)c[13];
    const uplift_way way = uplift_recipe_of(m->learner.kind)->way;
    return m->learner.parts == (way == UPLIFT_WAY_T || way == UPLIFT_WAY_X ? 2 : 1);
}

static pf_status read_array(const safetensors *file, const char *name, size_t n, bool finite,
                            double *into, pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, name, TENSOR_F64, 1, n, &t, err);
    if (s != PF_OK) return s;
    memcpy(into, t->data, n * sizeof *into);
    for (size_t i = 0; finite && i < n; i++)
        if (!isfinite(into[i])) return damaged(file, err);
    return PF_OK;
}

static pf_status read_scale(uplift_scale *k, const double *c, const safetensors *file,
                            pf_error *err)
{
    pf_status s = uplift_scale_new(k, (size_t)c[11], (size_t)c[12], err);
    const size_t wide = k->features + k->attributes;
    if (s == PF_OK) s = read_array(file, "mean", wide, true, k->mean, err);
    if (s == PF_OK) s = read_array(file, "scale", wide, true, k->scale, err);
    k->share = c[10];
    return s;
}

/* Outcomes and effects are regressions of other kinds. */
static bool fits_way(const uplift_model *m, const regression *r)
{
    const uplift_way way = uplift_recipe_of(m->learner.kind)->way;
    if (way == UPLIFT_WAY_X || way == UPLIFT_WAY_DR) return r->kind == REGRESSION_NUMBER;
    return r->kind == (m->outcome == UPLIFT_CHANCE ? REGRESSION_CHANCE : REGRESSION_AMOUNT);
}

static pf_status read_parts(uplift_model *m, const safetensors *file, pf_error *err)
{
    uplift_learner *l = &m->learner;
    const size_t width = uplift_layout_width(&l->scale, uplift_learner_layout(l->kind));
    pf_status s = PF_OK;
    for (size_t i = 0; s == PF_OK && i < l->parts; i++) {
        s = regression_load(&l->part[i], part_names[i], width, file, err);
        if (s == PF_OK && !fits_way(m, &l->part[i])) s = damaged(file, err);
    }
    return s;
}

pf_status uplift_model_read(const safetensors *file, uplift_model **out, pf_error *err)
{
    double c[CONSTANTS];
    *out = NULL;
    if (strcmp(safetensors_note_of(file, "kind"), "uplift") != 0) return damaged(file, err);
    pf_status s = read_array(file, "constants", CONSTANTS, true, c, err);
    if (s != PF_OK) return s;
    uplift_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "no memory for a model");
    s = unpack(m, c) ? read_scale(&m->learner.scale, c, file, err) : damaged(file, err);
    uplift_choice *h = &m->choice;
    if (s == PF_OK) s = read_array(file, "reached", UPLIFT_KINDS, false, h->reached, err);
    if (s == PF_OK) s = read_array(file, "behind", UPLIFT_KINDS, false, h->behind, err);
    if (s == PF_OK) s = read_array(file, "behind_se", UPLIFT_KINDS, false, h->standard_error, err);
    if (s == PF_OK) s = read_parts(m, file, err);
    if (s == PF_OK)
        *out = m;
    else
        uplift_model_free(m);
    return s;
}

pf_status uplift_model_load(const char *path, uplift_model **out, pf_error *err)
{
    safetensors *file = NULL;
    *out = NULL;
    pf_status s = safetensors_open(&file, path, err);
    if (s == PF_OK) s = uplift_model_read(file, out, err);
    safetensors_close(file);
    return s;
}
