/* Learners of effects (response/uplift_learner.h). */
#include "response/uplift_learner.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { CROSS_FOLDS = 5, CROSS_STREAM = 2 };

/* Penalties of lines, per row. An effect is learnt from noise far larger than itself, and
 * pseudo-outcomes are noisier still; an outcome
 * itself is learnt well with little (log-loss within the training folds of bench/run uplift). */
static const double ridge_outcome = 0.002, ridge_imputed = 0.01, ridge_pseudo = 0.1;

static const uplift_recipe recipes[UPLIFT_KINDS] = {
    [UPLIFT_S_LINES] = {"s-lines", UPLIFT_WAY_S, REGRESSION_LINEAR, REGRESSION_LINEAR},
    [UPLIFT_T_LINES] = {"t-lines", UPLIFT_WAY_T, REGRESSION_LINEAR, REGRESSION_LINEAR},
    [UPLIFT_X_LINES] = {"x-lines", UPLIFT_WAY_X, REGRESSION_LINEAR, REGRESSION_LINEAR},
    [UPLIFT_DR_LINES] = {"dr-lines", UPLIFT_WAY_DR, REGRESSION_LINEAR, REGRESSION_LINEAR},
    [UPLIFT_S_TREES] = {"s-trees", UPLIFT_WAY_S, REGRESSION_TREES, REGRESSION_TREES},
    [UPLIFT_T_TREES] = {"t-trees", UPLIFT_WAY_T, REGRESSION_TREES, REGRESSION_TREES},
    [UPLIFT_X_TREES] = {"x-trees", UPLIFT_WAY_X, REGRESSION_TREES, REGRESSION_TREES},
    [UPLIFT_DR_MIXED] = {"dr-mixed", UPLIFT_WAY_DR, REGRESSION_LINEAR, REGRESSION_TREES},
    [UPLIFT_DR_TREES] = {"dr-trees", UPLIFT_WAY_DR, REGRESSION_TREES, REGRESSION_TREES},
};

const uplift_recipe *uplift_recipe_of(uplift_kind kind)
{
    return &recipes[kind];
}

bool uplift_recipe_bears(uplift_kind kind, size_t arms)
{
    const uplift_way way = recipes[kind].way;
    return arms == 1 || way == UPLIFT_WAY_S || way == UPLIFT_WAY_DR;
}

void uplift_learner_free(uplift_learner *l)
{
    uplift_scale_free(&l->scale);
    regression_free(&l->part[0]);
    regression_free(&l->part[1]);
    *l = (uplift_learner){.parts = 0};
}

static regression_settings outcome_settings(const uplift_learner *l,
                                            const uplift_model_options *o)
{
    regression_settings s = {.base = recipes[l->kind].outcome,
                             .ridge = ridge_outcome,
                             .trees = boosted_options_default()};
    s.trees.threads = o->threads;
    s.trees.seed = (uint32_t)o->seed;
    return s;
}

/* Trees of effects are few, and their leaves wide: sqrt(n) rows at least. */
static regression_settings effect_settings(const uplift_learner *l, size_t n,
                                           const uplift_model_options *o)
{
    regression_settings s = outcome_settings(l, o);
    s.base = recipes[l->kind].effect;
    s.ridge = recipes[l->kind].way == UPLIFT_WAY_DR ? ridge_pseudo : ridge_imputed;
    s.trees.rounds = 60;
    s.trees.minimum_weight = sqrt((double)n);
    return s;
}

static regression_kind outcome_kind(const uplift_model_options *o)
{
    return o->outcome == UPLIFT_CHANCE ? REGRESSION_CHANCE : REGRESSION_AMOUNT;
}

static uplift_layout outcome_layout(uplift_kind kind)
{
    return recipes[kind].outcome == REGRESSION_TREES ? UPLIFT_LAYOUT_TREES : UPLIFT_LAYOUT_LINES;
}

uplift_layout uplift_learner_layout(uplift_kind kind)
{
    return recipes[kind].way == UPLIFT_WAY_S ? outcome_layout(kind) : UPLIFT_LAYOUT_EFFECT;
}

/* ---- rows laid out ---- */

/* owned: n rows of a layout and what they teach */
typedef struct sheet {
    feature_rows rows;
    float *x;
    double *y;
} sheet;

static void sheet_free(sheet *s)
{
    mem_free(s->x);
    mem_free(s->y);
    *s = (sheet){.x = NULL};
}

static pf_status sheet_new(sheet *s, size_t most, size_t width, pf_error *err)
{
    *s = (sheet){.rows = {0, width, NULL}};
    s->x = mem_alloc(most, width * sizeof *s->x);
    s->y = mem_alloc(most, sizeof *s->y);
    s->rows.x = s->x;
    if (s->x && s->y) return PF_OK;
    sheet_free(s);
    return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", most);
}

static float *sheet_next(sheet *s, double y)
{
    s->y[s->rows.n] = y;
    return s->x + s->rows.n++ * s->rows.features;
}

/* Every row under the arm it got. */
static pf_status sheet_of_outcomes(sheet *s, const uplift_learner *l, const uplift_trial *t,
                                   pf_error *err)
{
    const uplift_layout how = outcome_layout(l->kind);
    pf_status status = sheet_new(s, t->n, uplift_layout_width(&l->scale, how), err);
    for (size_t i = 0; status == PF_OK && i < t->n; i++)
        uplift_layout_row(&l->scale, how, t->x + i * t->features,
                          uplift_trial_attribute(t, t->arm[i]), t->arm[i] != 0,
                          sheet_next(s, (double)t->y[i]));
    return status;
}

/* Features alone, of the rows that were treated or were not. */
static pf_status sheet_of_arm(sheet *s, const uplift_learner *l, const uplift_trial *t,
                              bool treated, pf_error *err)
{
    pf_status status =
        sheet_new(s, t->n, uplift_layout_width(&l->scale, UPLIFT_LAYOUT_EFFECT), err);
    for (size_t i = 0; status == PF_OK && i < t->n; i++)
        if ((t->arm[i] != 0) == treated)
            uplift_layout_row(&l->scale, UPLIFT_LAYOUT_EFFECT, t->x + i * t->features, NULL, false,
                              sheet_next(s, (double)t->y[i]));
    return status;
}

/* ---- s, t, x ---- */

static pf_status fit_s(uplift_learner *l, const uplift_trial *t, const uplift_model_options *o,
                       regression *into, pf_error *err)
{
    sheet s;
    const regression_settings settings = outcome_settings(l, o);
    pf_status status = sheet_of_outcomes(&s, l, t, err);
    if (status != PF_OK) return status;
    status = regression_fit(into, &s.rows, s.y, outcome_kind(o), &settings, err);
    sheet_free(&s);
    return status;
}

static pf_status fit_t(uplift_learner *l, const uplift_trial *t, const uplift_model_options *o,
                       regression into[2], pf_error *err)
{
    pf_status status = PF_OK;
    const regression_settings settings = outcome_settings(l, o);
    for (int arm = 0; status == PF_OK && arm < 2; arm++) {
        sheet s;
        status = sheet_of_arm(&s, l, t, arm == 1, err);
        if (status != PF_OK) break;
        status = regression_fit(&into[arm], &s.rows, s.y, outcome_kind(o), &settings, err);
        sheet_free(&s);
    }
    return status;
}

/* What treatment did to those of one arm, the other arm's model standing for what was not seen. */
static pf_status impute(const uplift_learner *l, const uplift_trial *t, const regression m[2],
                        bool treated, regression *into, const uplift_model_options *o,
                        pf_error *err)
{
    sheet s;
    pf_status status = sheet_of_arm(&s, l, t, treated, err);
    if (status != PF_OK) return status;
    const regression_settings settings = effect_settings(l, s.rows.n, o);
    double *other = mem_alloc(s.rows.n ? s.rows.n : 1, sizeof *other);
    status = other ? regression_expect(&m[!treated], &s.rows, other, err)
                   : error_set(err, PF_NO_MEMORY, "no memory for %zu rows", s.rows.n);
    for (size_t i = 0; status == PF_OK && i < s.rows.n; i++)
        s.y[i] = treated ? s.y[i] - other[i] : other[i] - s.y[i];
    if (status == PF_OK)
        status = regression_fit(into, &s.rows, s.y, REGRESSION_NUMBER, &settings, err);
    mem_free(other);
    sheet_free(&s);
    return status;
}

static pf_status fit_x(uplift_learner *l, const uplift_trial *t, const uplift_model_options *o,
                       pf_error *err)
{
    regression m[2] = {{.features = 0}, {.features = 0}};
    pf_status status = fit_t(l, t, o, m, err);
    for (int arm = 0; status == PF_OK && arm < 2; arm++)
        status = impute(l, t, m, arm == 1, &l->part[arm], o, err);
    regression_free(&m[0]);
    regression_free(&m[1]);
    return status;
}

/* ---- dr ---- */

/* What a regression expects of n rows had all of them got one arm. */
static pf_status expect_under(const uplift_learner *l, const regression *m, uplift_layout how,
                              const feature_rows *rows, const float *attribute, bool treated,
                              double *expected, pf_error *err)
{
    sheet s;
    pf_status status = sheet_new(&s, rows->n, uplift_layout_width(&l->scale, how), err);
    if (status != PF_OK) return status;
    for (size_t i = 0; i < rows->n; i++)
        uplift_layout_row(&l->scale, how, rows->x + i * rows->features, attribute, treated,
                          sheet_next(&s, 0));
    status = regression_expect(m, &s.rows, expected, err);
    sheet_free(&s);
    return status;
}

/* expected [arms + 1][N] for the rows of one fold, from the others. */
static pf_status foretell_fold(uplift_learner *l, const uplift_trial *t, const uint8_t *fold,
                               int which, const uplift_model_options *o, double *expected,
                               pf_error *err)
{
    uplift_part others, own = {.row = NULL};
    regression m = {.features = 0};
    double *said = NULL;
    pf_status s = uplift_part_take(&others, t, fold, which, false, err);
    if (s != PF_OK) return s;
    s = uplift_part_take(&own, t, fold, which, true, err);
    if (s == PF_OK) s = fit_s(l, &others.trial, o, &m, err);
    if (s != PF_OK || own.trial.n == 0) goto done;
    said = mem_alloc(own.trial.n, sizeof *said);
    if (said == NULL) s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", own.trial.n);
    const feature_rows rows = {own.trial.n, t->features, own.trial.x};
    for (uint32_t a = 0; s == PF_OK && a <= t->arms; a++) {
        s = expect_under(l, &m, outcome_layout(l->kind), &rows, uplift_trial_attribute(t, a),
                         a > 0, said, err);
        for (size_t i = 0; s == PF_OK && i < own.trial.n; i++)
            expected[a * t->n + own.row[i]] = said[i];
    }
done:
    mem_free(said);
    regression_free(&m);
    uplift_part_free(&own);
    uplift_part_free(&others);
    return s;
}

static pf_status foretell(uplift_learner *l, const uplift_trial *t, const uplift_model_options *o,
                          double *expected, pf_error *err)
{
    pf_status s = PF_OK;
    uint8_t *fold = mem_alloc(t->n, sizeof *fold);
    if (fold == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
    uplift_trial_folds(t, o->seed, CROSS_STREAM, CROSS_FOLDS, fold);
    for (int k = 0; s == PF_OK && k < CROSS_FOLDS; k++)
        s = foretell_fold(l, t, fold, k, o, expected, err);
    mem_free(fold);
    return s;
}

static double pseudo_outcome(const uplift_trial *t, size_t i, uint32_t a, const double *expected,
                             double propensity)
{
    const double none = expected[i], with = expected[a * t->n + i], y = (double)t->y[i];
    double psi = with - none;
    if (t->arm[i] == a) psi += (y - with) / propensity;
    if (t->arm[i] == 0) psi -= (y - none) / propensity;
    return psi;
}

static pf_status fit_dr(uplift_learner *l, const uplift_trial *t, const double *propensity,
                        const uplift_model_options *o, pf_error *err)
{
    sheet s = {.x = NULL};
    const regression_settings settings = effect_settings(l, t->n, o);
    double *expected = mem_alloc((t->arms + 1) * t->n, sizeof *expected);
    pf_status status = expected ? foretell(l, t, o, expected, err)
                                : error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
    if (status == PF_OK)
        status = sheet_new(&s, t->n * t->arms,
                           uplift_layout_width(&l->scale, UPLIFT_LAYOUT_EFFECT), err);
    for (uint32_t a = 1; status == PF_OK && a <= t->arms; a++)
        for (size_t i = 0; i < t->n; i++)
            uplift_layout_row(&l->scale, UPLIFT_LAYOUT_EFFECT, t->x + i * t->features,
                              uplift_trial_attribute(t, a), true,
                              sheet_next(&s, pseudo_outcome(t, i, a, expected, propensity[i])));
    if (status == PF_OK)
        status = regression_fit(&l->part[0], &s.rows, s.y, REGRESSION_NUMBER, &settings, err);
    sheet_free(&s);
    mem_free(expected);
    return status;
}

/* ---- any of them ---- */

static pf_status check_both_sides(const uplift_trial *t, pf_error *err)
{
    size_t treated = 0;
    for (size_t i = 0; i < t->n; i++)
        treated += t->arm[i] != 0;
    if (treated > 0 && treated < t->n) return PF_OK;
    return error_set(err, PF_DATA, "of %zu rows to learn from %s were treated", t->n,
                     treated ? "all" : "none");
}

pf_status uplift_learner_fit(uplift_learner *l, const uplift_trial *t, const double *propensity,
                             uplift_kind kind, const uplift_model_options *o, pf_error *err)
{
    *l = (uplift_learner){.kind = kind, .parts = 1};
    pf_status s = check_both_sides(t, err);
    if (s == PF_OK) s = uplift_scale_fit(&l->scale, t, err);
    if (s == PF_OK) switch (recipes[kind].way) {
        case UPLIFT_WAY_S: s = fit_s(l, t, o, &l->part[0], err); break;
        case UPLIFT_WAY_T: s = fit_t(l, t, o, l->part, err); break;
        case UPLIFT_WAY_X: s = fit_x(l, t, o, err); break;
        case UPLIFT_WAY_DR: s = fit_dr(l, t, propensity, o, err); break;
        }
    if (recipes[kind].way == UPLIFT_WAY_T || recipes[kind].way == UPLIFT_WAY_X) l->parts = 2;
    if (s != PF_OK) uplift_learner_free(l);
    return s;
}

/* ---- use ---- */

/* b: what `none` says, or part[0]; a: what the other says. */
static double effect_of(const uplift_learner *l, double a, double b)
{
    const double share = l->scale.share;
    switch (recipes[l->kind].way) {
    case UPLIFT_WAY_S:
    case UPLIFT_WAY_T: return a - b;
    case UPLIFT_WAY_X: return share * b + (1 - share) * a;
    case UPLIFT_WAY_DR: break;
    }
    return a;
}

pf_status uplift_learner_effect(const uplift_learner *l, const feature_rows *rows,
                                const float *attribute, size_t arms, double *effect,
                                pf_error *err)
{
    const bool two = recipes[l->kind].way != UPLIFT_WAY_DR;
    const uplift_layout how = uplift_learner_layout(l->kind);
    pf_status s = PF_OK;
    if (rows->n == 0) return PF_OK;
    double *with = mem_alloc(2 * rows->n, sizeof *with);
    if (with == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows->n);
    double *none = with + rows->n;
    memset(none, 0, rows->n * sizeof *none);
    if (two) s = expect_under(l, &l->part[0], how, rows, NULL, false, none, err);
    for (size_t a = 0; s == PF_OK && a < arms; a++) {
        const float *its = attribute ? attribute + a * l->scale.attributes : NULL;
        s = expect_under(l, &l->part[l->parts - 1], how, rows, its, true, with, err);
        for (size_t i = 0; s == PF_OK && i < rows->n; i++)
            effect[i * arms + a] = effect_of(l, with[i], none[i]);
    }
    mem_free(with);
    return s;
}
