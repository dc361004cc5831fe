/* Learners of lifts (response/effect_learner.h). */
#include "response/effect_learner.h"

#include <math.h>

#include "base/memory.h"

enum { TREES = 60, ITERATIONS = 50 };

/* Per row: as in response/uplift_learner.c, whose pseudo-outcomes are no less noisy. */
static const double ridge = 0.1;

static const struct {
    const char *name;
    uplift_kind kind;
} ways[EFFECT_WAYS] = {
    [EFFECT_SHARE] = {"share", UPLIFT_KINDS},
    [EFFECT_S_LINES] = {"s-lines", UPLIFT_S_LINES},
    [EFFECT_DR_LINES] = {"dr-lines", UPLIFT_DR_LINES},
    [EFFECT_DR_MIXED] = {"dr-mixed", UPLIFT_DR_MIXED},
};

const char *effect_way_name(effect_way way)
{
    return ways[way].name;
}

uplift_kind effect_way_kind(effect_way way)
{
    return ways[way].kind;
}

/* --- rows as uplift learners read them ---------------------------------------------- */

typedef struct trial {
    uplift_trial rows; /* all */
    uplift_part part;  /* of a fold, or all others */
    float *y;
    uint32_t *arm;
} trial;

static void trial_free(trial *t)
{
    uplift_part_free(&t->part);
    mem_free(t->y);
    mem_free(t->arm);
}

static pf_status trial_make(trial *t, const effect_rows *r, const effect_measure *m, int fold,
                            bool inside, pf_error *err)
{
    *t = (trial){.y = mem_alloc(r->n, sizeof *t->y), .arm = mem_alloc(r->n, sizeof *t->arm)};
    if (t->y == NULL || t->arm == NULL) {
        trial_free(t);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    }
    for (size_t i = 0; i < r->n; i++) {
        t->y[i] = (float)r->spend[i];
        t->arm[i] = r->sent[i];
    }
    t->rows = (uplift_trial){.n = r->n, .features = EFFECT_FEATURES, .x = r->narrow, .arm = t->arm,
                             .y = t->y, .shopper = r->shopper, .arms = 1};
    pf_status s = uplift_part_take(&t->part, &t->rows, m->fold, fold, inside, err);
    if (s != PF_OK) trial_free(t);
    return s;
}

/* --- fitting ------------------------------------------------------------------------ */

static pf_status fit_s(uplift_learner *l, const effect_rows *r, const trial *t,
                       const effect_options *o, pf_error *err)
{
    uplift_model_options u = uplift_model_options_default();
    const size_t n = t->part.trial.n;
    u.outcome = UPLIFT_AMOUNT;
    u.seed = o->seed;
    double *propensity = mem_alloc(n + 1, sizeof *propensity);
    if (propensity == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        const double chance = r->chance[t->part.row[i]];
        propensity[i] = t->part.arm[i] ? chance : 1 - chance;
    }
    pf_status s = uplift_learner_fit(l, &t->part.trial, propensity, UPLIFT_S_LINES, &u, err);
    mem_free(propensity);
    return s;
}

/* What was measured of the part's rows, and how much it counts; x as of an effect. */
typedef struct sheet {
    feature_rows rows;
    float *x, *y, *weight;
    double *fine_y, *fine_weight;
    double mass;
} sheet;

static void sheet_free(sheet *s)
{
    mem_free(s->x);
    mem_free(s->y);
    mem_free(s->fine_y);
}

static pf_status sheet_make(sheet *s, const uplift_learner *l, const trial *t,
                            const effect_measure *m, pf_error *err)
{
    const size_t n = t->part.trial.n, width = uplift_layout_width(&l->scale, UPLIFT_LAYOUT_EFFECT);
    *s = (sheet){.rows = {n, width, NULL}};
    s->x = mem_alloc(n + 1, width * sizeof *s->x);
    s->y = mem_alloc(n + 1, 2 * sizeof *s->y);
    s->fine_y = mem_alloc(n + 1, 2 * sizeof *s->fine_y);
    if (!s->x || !s->y || !s->fine_y) {
        sheet_free(s);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    }
    s->rows.x = s->x;
    s->weight = s->y + n;
    s->fine_weight = s->fine_y + n;
    for (size_t i = 0; i < n; i++) {
        const size_t row = t->part.row[i];
        uplift_layout_row(&l->scale, UPLIFT_LAYOUT_EFFECT, t->part.x + i * EFFECT_FEATURES, NULL,
                          false, s->x + i * width);
        s->fine_y[i] = m->gain[row] / m->weight[row];
        s->fine_weight[i] = m->weight[row];
        s->y[i] = (float)s->fine_y[i];
        s->weight[i] = (float)s->fine_weight[i];
        s->mass += s->fine_weight[i];
    }
    return PF_OK;
}

/* Trees of effects are few, and their leaves wide: sqrt(n) rows at least. */
static boosted_options trees_for(const sheet *s, const effect_options *o)
{
    boosted_options trees = boosted_options_default();
    const double n = (double)s->rows.n;
    trees.rounds = TREES;
    trees.threads = 1;
    trees.seed = (uint32_t)o->seed;
    trees.minimum_weight = sqrt(n) * s->mass / n;
    trees.lambda *= s->mass / n;
    return trees;
}

static pf_status fit_dr(uplift_learner *l, const trial *t, const effect_measure *m,
                        const effect_options *o, pf_error *err)
{
    const linear_options lines = {.ridge = ridge, .iterations = ITERATIONS};
    sheet s;
    if (t->part.trial.n == 0) return error_set(err, PF_DATA, "there are no rows to learn from");
    pf_status status = uplift_scale_fit(&l->scale, &t->part.trial, err);
    if (status == PF_OK) status = sheet_make(&s, l, t, m, err);
    if (status != PF_OK) return status;
    regression *into = &l->part[0];
    *into = (regression){.kind = REGRESSION_NUMBER, .features = s.rows.features};
    if (uplift_recipe_of(l->kind)->effect == REGRESSION_TREES) {
        const boosted_options trees = trees_for(&s, o);
        status = boosted_fit_amounts(&into->mean.trees, &s.rows, s.y, s.weight, BOOSTED_SQUARED,
                                     &trees, err);
        into->mean.has_trees = status == PF_OK;
    } else {
        status = linear_fit_mean(&into->mean.line, &s.rows, s.fine_y, s.fine_weight,
                                 LINEAR_MEAN_SUM, &lines, err);
        into->mean.has_line = status == PF_OK;
    }
    sheet_free(&s);
    return status;
}

pf_status effect_learner_fit(uplift_learner *l, const effect_rows *r, const effect_measure *m,
                             int without, effect_way way, const effect_options *o, pf_error *err)
{
    trial t;
    *l = (uplift_learner){.kind = effect_way_kind(way), .parts = 1};
    pf_status s = trial_make(&t, r, m, without, false, err);
    if (s != PF_OK) return s;
    s = way == EFFECT_S_LINES ? fit_s(l, r, &t, o, err) : fit_dr(l, &t, m, o, err);
    trial_free(&t);
    if (s != PF_OK) uplift_learner_free(l);
    return s;
}

pf_status effect_learner_say(const uplift_learner *l, const effect_rows *r,
                             const effect_measure *m, int fold, double *lift, pf_error *err)
{
    trial t;
    pf_status s = trial_make(&t, r, m, fold, true, err);
    if (s != PF_OK) return s;
    const size_t n = t.part.trial.n;
    const feature_rows rows = {n, EFFECT_FEATURES, t.part.x};
    double *said = mem_alloc(n + 1, sizeof *said);
    s = said ? uplift_learner_effect(l, &rows, NULL, 1, said, err)
             : error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    for (size_t i = 0; s == PF_OK && i < n; i++)
        lift[t.part.row[i]] = said[i];
    mem_free(said);
    trial_free(&t);
    return s;
}
