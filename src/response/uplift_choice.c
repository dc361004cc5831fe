/* The choice of a learner (response/uplift_choice.h). */
#include "response/uplift_choice.h"

#include <math.h>

#include "base/memory.h"
#include "measure/distribution.h"
#include "measure/uplift.h"

enum { CHOICE_STREAM = 1 };
static const double sure = 0.95;

static bool considered(const uplift_model_options *o, const uplift_trial *t, int kind)
{
    return (o->consider & UPLIFT_ONLY(kind)) && uplift_recipe_bears((uplift_kind)kind, t->arms);
}

/* ---- what an order or a decision is worth on a fold ---- */

static pf_status qini_of(const uplift_trial *t, const double *propensity, const double *effect,
                         double *value, pf_error *err)
{
    uplift_ranking *r = NULL;
    pf_status s = PF_OK;
    const size_t n = t->n ? t->n : 1;
    uint8_t *treated = mem_alloc(n, sizeof *treated);
    double *y = mem_alloc(n, 2 * sizeof *y), *w = y ? y + n : NULL;
    if (!treated || !y) {
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
        goto done;
    }
    for (size_t i = 0; i < t->n; i++) {
        treated[i] = t->arm[i] != 0;
        y[i] = (double)t->y[i];
        w[i] = 1 / propensity[i];
    }
    s = uplift_ranking_new(&r, effect, treated, y, t->n, err);
    if (s == PF_OK) *value = uplift_qini_auc(r, w);
    uplift_ranking_free(r);
done:
    mem_free(treated);
    mem_free(y);
    return s;
}

static uint32_t best_arm(const double *effect, size_t arms, const uplift_model_options *o)
{
    uint32_t best = 0;
    double most = 0;
    for (uint32_t a = 1; a <= arms; a++) {
        const double worth = o->margin * effect[a - 1] - o->cost;
        if (worth > most) {
            most = worth;
            best = a;
        }
    }
    return best;
}

/* Rows that got what they would get now stand for all (self-normalised inverse propensities:
 * Swaminathan and Joachims, NIPS 2015). */
static double value_of(const uplift_trial *t, const double *propensity, const double *effect,
                       const uplift_model_options *o)
{
    double sum = 0, mass = 0;
    for (size_t i = 0; i < t->n; i++) {
        const uint32_t arm = best_arm(effect + i * t->arms, t->arms, o);
        if (arm != t->arm[i]) continue;
        sum += (o->margin * (double)t->y[i] - (arm ? o->cost : 0)) / propensity[i];
        mass += 1 / propensity[i];
    }
    return mass > 0 ? sum / mass : NAN;
}

/* ---- folds ---- */

/* What one candidate, learnt from `from`, is worth on `on`. NaN when it cannot learn. */
static pf_status try_kind(uplift_kind kind, const uplift_part *from, const uplift_part *on,
                          const double *p_from, const double *p_on, double *effect,
                          const uplift_model_options *o, double *value, pf_error *err)
{
    uplift_learner l;
    const uplift_trial *t = &on->trial;
    const feature_rows rows = {t->n, t->features, t->x};
    *value = NAN;
    pf_status s = uplift_learner_fit(&l, &from->trial, p_from, kind, o, err);
    if (s == PF_DATA) return PF_OK;
    if (s == PF_OK) s = uplift_learner_effect(&l, &rows, t->attribute, t->arms, effect, err);
    if (s == PF_OK && o->metric == UPLIFT_BY_QINI) s = qini_of(t, p_on, effect, value, err);
    else if (s == PF_OK)
        *value = value_of(t, p_on, effect, o);
    uplift_learner_free(&l);
    return s;
}

static void gather(const uplift_part *p, const double *whole, double *out)
{
    for (size_t i = 0; i < p->trial.n; i++)
        out[i] = whole[p->row[i]];
}

/* value [UPLIFT_KINDS] */
static pf_status try_fold(const uplift_trial *t, const uint8_t *fold, int which,
                          const double *propensity, const uplift_model_options *o, double *value,
                          pf_error *err)
{
    uplift_part from, on = {.row = NULL};
    double *p = NULL, *effect = NULL;
    pf_status s = uplift_part_take(&from, t, fold, which, false, err);
    if (s != PF_OK) return s;
    s = uplift_part_take(&on, t, fold, which, true, err);
    if (s != PF_OK) goto done;
    p = mem_alloc(t->n, sizeof *p);
    effect = mem_alloc(on.trial.n ? on.trial.n : 1, t->arms * sizeof *effect);
    if (!p || !effect) {
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
        goto done;
    }
    gather(&from, propensity, p);
    gather(&on, propensity, p + from.trial.n);
    for (int k = 0; s == PF_OK && k < UPLIFT_KINDS; k++) {
        value[k] = NAN;
        if (considered(o, t, k))
            s = try_kind((uplift_kind)k, &from, &on, p, p + from.trial.n, effect, o, &value[k],
                         err);
    }
done:
    mem_free(p);
    mem_free(effect);
    uplift_part_free(&on);
    uplift_part_free(&from);
    return s;
}

static pf_status try_folds(uplift_choice *c, const uplift_trial *t, const double *propensity,
                           const uplift_model_options *o, pf_error *err)
{
    double value[UPLIFT_MOST_FOLDS * UPLIFT_KINDS];
    pf_status s = PF_OK;
    uint8_t *fold = mem_alloc(t->n, sizeof *fold);
    if (fold == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
    uplift_trial_folds(t, o->seed, CHOICE_STREAM, o->folds, fold);
    for (int k = 0; s == PF_OK && k < o->folds; k++)
        s = try_fold(t, fold, k, propensity, o, value + k * UPLIFT_KINDS, err);
    if (s == PF_OK) s = uplift_choose_by(c, value, o->folds, err);
    mem_free(fold);
    return s;
}

/* ---- the rule ---- */

static double mean_over(const double *value, int folds, int kind)
{
    double sum = 0;
    for (int k = 0; k < folds; k++)
        sum += value[k * UPLIFT_KINDS + kind];
    return sum / folds;
}

/* Folds share most of what they learn from, so their differences are more alike than those of
 * new rows would be (Nadeau and Bengio, section 3.2: 1 / folds + tested / learnt from). */
static double paired_error(const double *value, int folds, int a, int b, double mean)
{
    double square = 0;
    for (int k = 0; k < folds; k++) {
        const double d = value[k * UPLIFT_KINDS + a] - value[k * UPLIFT_KINDS + b] - mean;
        square += d * d;
    }
    return sqrt(square / (folds - 1) * (1. / folds + 1. / (folds - 1)));
}

pf_status uplift_choose_by(uplift_choice *c, const double *value, int folds, pf_error *err)
{
    int best = -1;
    const double enough = student_quantile(sure, folds - 1);
    c->by_folds = true;
    for (int k = 0; k < UPLIFT_KINDS; k++) {
        c->reached[k] = mean_over(value, folds, k);
        if (isfinite(c->reached[k]) && (best < 0 || c->reached[k] > c->reached[best])) best = k;
    }
    if (best < 0)
        return error_set(err, PF_DATA, "no learner of effects learnt from every fold: there are "
                                       "too few rows, or too few with an outcome");
    c->chosen = (uplift_kind)best;
    for (int k = UPLIFT_KINDS - 1; k >= 0; k--) {
        c->behind[k] = c->reached[best] - c->reached[k];
        c->standard_error[k] = paired_error(value, folds, best, k, c->behind[k]);
        if (k < best && c->behind[k] <= enough * c->standard_error[k]) c->chosen = (uplift_kind)k;
    }
    return PF_OK;
}

/* Rows and answers of the smaller side. */
static bool too_few(const uplift_trial *t)
{
    size_t rows[2] = {0, 0}, answers[2] = {0, 0};
    for (size_t i = 0; i < t->n; i++) {
        rows[t->arm[i] != 0]++;
        answers[t->arm[i] != 0] += t->y[i] > 0;
    }
    for (int side = 0; side < 2; side++)
        if (rows[side] < UPLIFT_FEW_ROWS || answers[side] < UPLIFT_FEW_ANSWERS) return true;
    return false;
}

pf_status uplift_choose(uplift_choice *c, const uplift_trial *t, const double *propensity,
                        const uplift_model_options *o, pf_error *err)
{
    int candidates = 0, simplest = -1;
    *c = (uplift_choice){.by_folds = false};
    for (int k = UPLIFT_KINDS - 1; k >= 0; k--) {
        c->reached[k] = c->behind[k] = c->standard_error[k] = NAN;
        if (!considered(o, t, k)) continue;
        candidates++;
        simplest = k;
    }
    if (simplest < 0)
        return error_set(err, PF_USAGE, "none of the learners asked for takes several arms: s and "
                                        "dr do");
    c->chosen = (uplift_kind)simplest;
    if (candidates == 1 || too_few(t)) return PF_OK;
    return try_folds(c, t, propensity, o, err);
}
