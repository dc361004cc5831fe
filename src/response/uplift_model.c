/* Fitting, asking and describing a model of effects (response/uplift_model.h). */
#include "response/uplift_model.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "response/uplift_model_inner.h"

const char *uplift_kind_name(uplift_kind kind)
{
    return uplift_recipe_of(kind)->name;
}

uplift_model_options uplift_model_options_default(void)
{
    return (uplift_model_options){
        .outcome = UPLIFT_CHANCE,
        .metric = UPLIFT_BY_QINI,
        .margin = 1,
        .consider = UPLIFT_ONLY(UPLIFT_S_LINES) | UPLIFT_ONLY(UPLIFT_DR_LINES) |
                    UPLIFT_ONLY(UPLIFT_S_TREES) | UPLIFT_ONLY(UPLIFT_DR_MIXED),
        .folds = 5,
        .seed = 1,
        .threads = 1};
}

void uplift_model_free(uplift_model *m)
{
    if (m == NULL) return;
    uplift_learner_free(&m->learner);
    mem_free(m);
}

/* ---- fitting ---- */

/* The rows' own, or estimated ones; owned by the caller. */
static pf_status propensities(const uplift_trial *t, uint64_t seed, double **out, pf_error *err)
{
    *out = mem_alloc(t->n, sizeof **out);
    if (*out == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
    if (t->propensity == NULL) return uplift_propensity_estimate(t, seed, *out, err);
    memcpy(*out, t->propensity, t->n * sizeof **out);
    return PF_OK;
}

/* Weighted by inverse propensities, so that arms can be compared. */
static void summarise(uplift_model *m, const uplift_trial *t, const double *propensity)
{
    double sum[2] = {0, 0}, mass[2] = {0, 0};
    for (size_t i = 0; i < t->n; i++) {
        const int treated = t->arm[i] != 0;
        sum[treated] += (double)t->y[i] / propensity[i];
        mass[treated] += 1 / propensity[i];
        m->treated += treated;
    }
    m->rows = (double)t->n;
    for (int side = 0; side < 2; side++)
        m->mean[side] = sum[side] / mass[side];
    m->effect = m->mean[1] - m->mean[0];
}

pf_status uplift_model_fit(const uplift_trial *trial, const uplift_model_options *o,
                           uplift_model **out, pf_error *err)
{
    double *propensity = NULL;
    *out = NULL;
    pf_status s = uplift_trial_check(trial, o, err);
    if (s != PF_OK) return s;
    uplift_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "no memory for a model");
    m->outcome = o->outcome;
    m->metric = o->metric;
    m->estimated = trial->propensity == NULL;
    s = propensities(trial, o->seed, &propensity, err);
    if (s == PF_OK) s = uplift_choose(&m->choice, trial, propensity, o, err);
    if (s == PF_OK)
        s = uplift_learner_fit(&m->learner, trial, propensity, m->choice.chosen, o, err);
    if (s == PF_OK) summarise(m, trial, propensity);
    mem_free(propensity);
    if (s == PF_OK)
        *out = m;
    else
        uplift_model_free(m);
    return s;
}

/* ---- use ---- */

pf_status uplift_model_score(const uplift_model *m, const feature_rows *rows,
                             const float *attribute, size_t arms, double *effect, pf_error *err)
{
    const uplift_scale *k = &m->learner.scale;
    if (rows->features != k->features)
        return error_set(err, PF_USAGE, "the model knows %zu features, not %zu", k->features,
                         rows->features);
    if (arms == 0 || arms > UPLIFT_MOST_ARMS || (k->attributes > 0) != (attribute != NULL) ||
        (k->attributes == 0 && arms != 1))
        return error_set(err, PF_USAGE, "the model knows arms by %zu attributes; %zu arms %s them "
                                        "were asked about", k->attributes, arms,
                         attribute ? "with" : "without");
    for (size_t i = 0; i < rows->n * rows->features; i++)
        if (!isfinite(rows->x[i]))
            return error_set(err, PF_DATA, "feature %zu of row %zu is not a finite number",
                             i % rows->features, i / rows->features);
    for (size_t i = 0; i < arms * k->attributes; i++)
        if (!isfinite(attribute[i]))
            return error_set(err, PF_DATA, "attribute %zu of arm %zu is not a finite number",
                             i % k->attributes, i / k->attributes + 1);
    return uplift_learner_effect(&m->learner, rows, attribute, arms, effect, err);
}

uplift_kind uplift_model_kind(const uplift_model *m)
{
    return m->choice.chosen;
}

/* ---- words ---- */

static void describe_candidates(const uplift_choice *c, json_writer *w)
{
    json_key(w, "candidates");
    json_array_begin(w);
    for (int k = 0; k < UPLIFT_KINDS; k++) {
        if (!isfinite(c->reached[k])) continue;
        json_object_begin(w);
        json_key(w, "learner");
        json_text(w, uplift_kind_name((uplift_kind)k));
        json_key(w, "reached");
        json_number(w, c->reached[k]);
        json_key(w, "behind_best");
        json_number(w, c->behind[k]);
        json_key(w, "behind_best_se");
        json_number(w, c->standard_error[k]);
        json_object_end(w);
    }
    json_array_end(w);
}

static void describe_number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

void uplift_model_describe(const uplift_model *m, json_writer *w)
{
    json_object_begin(w);
    json_key(w, "learner");
    json_text(w, uplift_kind_name(m->choice.chosen));
    json_key(w, "chosen_by");
    json_text(w, !m->choice.by_folds            ? "nothing to choose between"
                 : m->metric == UPLIFT_BY_QINI ? "qini"
                                               : "value");
    json_key(w, "outcome");
    json_text(w, m->outcome == UPLIFT_CHANCE ? "chance" : "amount");
    json_key(w, "propensities");
    json_text(w, m->estimated ? "estimated" : "known");
    describe_number(w, "rows", m->rows);
    describe_number(w, "treated", m->treated);
    describe_number(w, "mean_untreated", m->mean[0]);
    describe_number(w, "mean_treated", m->mean[1]);
    describe_number(w, "mean_effect", m->effect);
    describe_candidates(&m->choice, w);
    json_object_end(w);
}
