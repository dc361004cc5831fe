/* response/uplift_model.h: every learner finds effects that are known, where they are. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "measure/uplift.h"
#include "response/uplift_choice.h"
#include "response/uplift_world.h"

static uplift_model_options only(int kind)
{
    uplift_model_options o = uplift_model_options_default();
    o.consider = UPLIFT_ONLY(kind);
    return o;
}

static double *effects(const uplift_world *w, const uplift_model *m)
{
    pf_error err = {0};
    const feature_rows rows = world_rows(w);
    double *effect = malloc(w->trial.n * w->trial.arms * sizeof *effect);
    assert_non_null(effect);
    if (uplift_model_score(m, &rows, w->trial.attribute, w->trial.arms, effect, &err) != PF_OK)
        fail_msg("%s", err.message);
    return effect;
}

typedef struct likeness {
    double correlation, mean, truth;
} likeness;

/* Of column `arm` of two [n x arms]. */
static likeness compare(const double *said, const double *truth, size_t n, size_t arms, size_t arm)
{
    likeness l = {0, 0, 0};
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        l.mean += said[i * arms + arm] / (double)n;
        l.truth += truth[i * arms + arm] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        const double a = said[i * arms + arm] - l.mean, b = truth[i * arms + arm] - l.truth;
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    l.correlation = ab / sqrt(aa * bb);
    return l;
}

static likeness likeness_of(const uplift_world *w, int kind, const uplift_model_options *o)
{
    uplift_model_options with = *o;
    with.consider = UPLIFT_ONLY(kind);
    uplift_model *m = world_fit(w, &with);
    double *said = effects(w, m);
    const likeness l = compare(said, w->effect, w->trial.n, w->trial.arms, 0);
    assert_int_equal(uplift_model_kind(m), kind);
    uplift_model_free(m);
    free(said);
    return l;
}

static void assert_between(double value, double low, double high, int kind)
{
    if (!(value >= low && value <= high))
        fail_msg("%s: %g is not between %g and %g", uplift_kind_name((uplift_kind)kind), value, low,
                 high);
}

/* ---- known effects ---- */

static void every_learner_finds_whom_treatment_moves(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    const uplift_model_options o = uplift_model_options_default();
    for (int kind = 0; kind < UPLIFT_KINDS; kind++) {
        const likeness l = likeness_of(w, kind, &o);
        assert_between(l.correlation, 0.85, 1, kind);
        assert_between(l.mean, l.truth - 0.03, l.truth + 0.03, kind);
    }
    free(w);
}

static void every_learner_finds_effects_on_amounts(void **state)
{
    (void)state;
    world_plan p = plain_world;
    p.amounts = true;
    uplift_world *w = world_make(&p);
    uplift_model_options o = uplift_model_options_default();
    o.outcome = UPLIFT_AMOUNT;
    for (int kind = 0; kind < UPLIFT_KINDS; kind++) {
        const likeness l = likeness_of(w, kind, &o);
        assert_between(l.correlation, 0.75, 1, kind);
        assert_between(l.mean, l.truth - 0.8, l.truth + 0.8, kind);
    }
    free(w);
}

/* Those who buy anyway are treated three times as often: the difference of means is far off. */
static void estimated_propensities_undo_who_was_picked(void **state)
{
    (void)state;
    world_plan p = plain_world;
    p.confused = 1.2;
    uplift_world *w = world_make(&p);
    const uplift_model_options o = uplift_model_options_default();
    double mean[2] = {0, 0}, n[2] = {0, 0};
    for (size_t i = 0; i < w->trial.n; i++) {
        mean[w->arm[i]] += (double)w->y[i];
        n[w->arm[i]]++;
    }
    for (int known = 0; known < 2; known++) {
        w->trial.propensity = known ? w->propensity : NULL;
        for (int kind = 0; kind < UPLIFT_KINDS; kind++) {
            const likeness l = likeness_of(w, kind, &o);
            assert_true(mean[1] / n[1] - mean[0] / n[0] > l.truth + 0.08);
            assert_between(l.mean, l.truth - 0.04, l.truth + 0.04, kind);
        }
    }
    free(w);
}

static void where_nobody_is_moved_no_order_is_found(void **state)
{
    (void)state;
    double sum[UPLIFT_KINDS] = {0};
    enum { TRIES = 4 };
    for (int t = 0; t < TRIES; t++) {
        world_plan p = plain_world;
        p.moved = 0;
        p.seed = 50 + (uint64_t)t;
        uplift_world *w = world_make(&p), *fresh = NULL;
        p.seed += 1000;
        fresh = world_make(&p);
        uint8_t treated[WORLD_ROWS];
        static double y[WORLD_ROWS];
        for (size_t i = 0; i < WORLD_ROWS; i++) {
            treated[i] = fresh->arm[i] != 0;
            y[i] = (double)fresh->y[i];
        }
        for (int kind = 0; kind < UPLIFT_KINDS; kind++) {
            const uplift_model_options o = only(kind);
            uplift_model *m = world_fit(w, &o);
            uplift_ranking *r = NULL;
            double *said = effects(fresh, m);
            assert_int_equal(uplift_ranking_new(&r, said, treated, y, WORLD_ROWS, NULL), PF_OK);
            sum[kind] += uplift_qini_auc(r, NULL) / TRIES;
            uplift_ranking_free(r);
            uplift_model_free(m);
            free(said);
        }
        free(w);
        free(fresh);
    }
    for (int kind = 0; kind < UPLIFT_KINDS; kind++)
        assert_between(sum[kind], -0.02, 0.02, kind);
}

/* ---- several arms ---- */

static void a_rare_arm_and_one_that_never_ran_borrow_strength(void **state)
{
    (void)state;
    world_plan p = plain_world;
    p.arms = 4;
    p.rare = 0.02; /* a few dozen of 6,000 rows */
    uplift_world *w = world_make(&p);
    uplift_model_options o = uplift_model_options_default();
    o.metric = UPLIFT_BY_VALUE;
    static const int kinds[] = {UPLIFT_S_LINES, UPLIFT_DR_LINES, UPLIFT_S_TREES, UPLIFT_DR_MIXED};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        o.consider = UPLIFT_ONLY(kinds[k]);
        uplift_model *m = world_fit(w, &o);
        double *said = effects(w, m);
        const likeness l = compare(said, w->effect, w->trial.n, p.arms, 3);
        assert_between(l.correlation, 0.75, 1, kinds[k]);
        uplift_model_free(m);
        free(said);
    }
    o.consider = UPLIFT_ONLY(UPLIFT_S_LINES);
    uplift_model *m = world_fit(w, &o);
    const float never[2 * WORLD_ATTRIBUTES] = {0.5f, 1, 1.25f, -1};
    double two[2 * WORLD_ROWS], mean[2] = {0, 0};
    const feature_rows rows = world_rows(w);
    assert_int_equal(uplift_model_score(m, &rows, never, 2, two, NULL), PF_OK);
    for (size_t i = 0; i < 2 * WORLD_ROWS; i++)
        mean[i % 2] += two[i];
    assert_true(mean[1] > mean[0]);
    uplift_model_free(m);
    free(w);
}

static void between_arms_only_s_and_dr_learn_and_value_decides(void **state)
{
    (void)state;
    world_plan p = plain_world;
    pf_error err = {0};
    uplift_model *m = NULL;
    p.arms = 3;
    uplift_world *w = world_make(&p);
    uplift_model_options o = uplift_model_options_default();
    assert_int_equal(uplift_model_fit(&w->trial, &o, &m, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "choose by value"));
    o.metric = UPLIFT_BY_VALUE;
    o.margin = 10;
    o.cost = 1;
    m = world_fit(w, &o);
    assert_true(uplift_recipe_bears(uplift_model_kind(m), 3));
    uplift_model_free(m);
    o.consider = UPLIFT_ONLY(UPLIFT_T_LINES) | UPLIFT_ONLY(UPLIFT_X_TREES);
    assert_int_equal(uplift_model_fit(&w->trial, &o, &m, &err), PF_USAGE);
    w->trial.attributes = 0;
    assert_int_equal(uplift_model_fit(&w->trial, &o, &m, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "attributes"));
    assert_null(m);
    free(w);
}

/* ---- the choice ---- */

enum { CUTS = 4 };

/* [fold][kind] from one row a kind. */
static uplift_choice rule(const double by_kind[UPLIFT_KINDS][CUTS])
{
    double value[CUTS * UPLIFT_KINDS];
    uplift_choice c;
    for (int k = 0; k < UPLIFT_KINDS; k++)
        for (int f = 0; f < CUTS; f++)
            value[f * UPLIFT_KINDS + k] = by_kind[k][f];
    assert_int_equal(uplift_choose_by(&c, value, CUTS, NULL), PF_OK);
    return c;
}

static void the_simplest_is_chosen_unless_another_is_ahead_for_certain(void **state)
{
    (void)state;
    double v[UPLIFT_KINDS][CUTS];
    for (int k = 0; k < UPLIFT_KINDS; k++)
        for (int f = 0; f < CUTS; f++)
            v[k][f] = NAN;
    const double better[CUTS] = {.060, .070, .080, .090}, level[CUTS] = {.050, .060, .070, .080};
    const double unsure[CUTS] = {.080, .050, .090, .075};
    memcpy(v[UPLIFT_S_TREES], better, sizeof better);
    memcpy(v[UPLIFT_S_LINES], level, sizeof level);
    uplift_choice c = rule((const double(*)[CUTS])v);
    assert_int_equal(c.chosen, UPLIFT_S_TREES); /* always behind by .01: that is certain */
    assert_true(fabs(c.behind[UPLIFT_S_LINES] - .01) < 1e-12);
    assert_true(c.standard_error[UPLIFT_S_LINES] < 1e-12);
    memcpy(v[UPLIFT_T_LINES], unsure, sizeof unsure); /* behind by .00125, give or take .01 */
    c = rule((const double(*)[CUTS])v);
    assert_int_equal(c.chosen, UPLIFT_T_LINES);
    v[UPLIFT_T_LINES][2] = NAN; /* did not learn from one fold: takes no part */
    c = rule((const double(*)[CUTS])v);
    assert_int_equal(c.chosen, UPLIFT_S_TREES);
    assert_true(isnan(c.reached[UPLIFT_T_LINES]));
}

/* A mean lead over folds whose differences have deviation 1: with four folds Student's t is 2.353,
 * and the error is the root of 1 / 4 + 1 / 3. */
static void a_lead_that_folds_make_by_chance_chooses_nothing(void **state)
{
    (void)state;
    const double spread[CUTS] = {-.8660254037844386, .8660254037844386, -.8660254037844386,
                                 .8660254037844386};
    const double needed = 2.3533634348018264 * sqrt(1. / CUTS + 1. / (CUTS - 1));
    for (int ahead = 0; ahead < 2; ahead++) {
        double v[UPLIFT_KINDS][CUTS];
        for (int k = 0; k < UPLIFT_KINDS; k++)
            for (int f = 0; f < CUTS; f++)
                v[k][f] = NAN;
        for (int f = 0; f < CUTS; f++) {
            v[UPLIFT_S_LINES][f] = 10 * f;
            v[UPLIFT_S_TREES][f] = 10 * f + spread[f] + needed + (ahead ? 1e-6 : -1e-6);
        }
        const uplift_choice c = rule((const double(*)[CUTS])v);
        assert_int_equal(c.chosen, ahead ? UPLIFT_S_TREES : UPLIFT_S_LINES);
    }
}

static void without_any_candidate_the_choice_fails_in_words(void **state)
{
    (void)state;
    double v[CUTS * UPLIFT_KINDS];
    pf_error err = {0};
    uplift_choice c;
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        v[i] = NAN;
    assert_int_equal(uplift_choose_by(&c, v, CUTS, &err), PF_DATA);
    assert_non_null(strstr(err.message, "too few"));
}

/* The effect is a step within a corner that no line finds; many rows make that certain. */
static void trees_are_chosen_where_lines_fail(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    random_stream r = random_begin(9, 9);
    for (size_t i = 0; i < WORLD_ROWS; i++) {
        const float *x = w->x + i * WORLD_FEATURES;
        const double p = w->arm[i] && x[0] * x[1] > 0 ? 0.7 : 0.2;
        w->y[i] = random_unit(&r) < p;
    }
    const uplift_model_options o = uplift_model_options_default();
    uplift_model *m = world_fit(w, &o);
    assert_true(uplift_model_kind(m) == UPLIFT_S_TREES || uplift_model_kind(m) == UPLIFT_DR_MIXED);
    uplift_model_free(m);
    free(w);
}

static void few_rows_leave_no_choice_but_the_simplest(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    uplift_model_options o = uplift_model_options_default();
    w->trial.n = 700;
    uplift_model *m = world_fit(w, &o);
    char *words = describe(m);
    assert_int_equal(uplift_model_kind(m), UPLIFT_S_LINES);
    assert_non_null(strstr(words, "nothing to choose between"));
    mem_free(words);
    uplift_model_free(m);
    o.consider = UPLIFT_ONLY(UPLIFT_DR_LINES) | UPLIFT_ONLY(UPLIFT_S_TREES);
    m = world_fit(w, &o);
    assert_int_equal(uplift_model_kind(m), UPLIFT_DR_LINES);
    uplift_model_free(m);
    free(w);
}

/* ---- what must hold of any model ---- */

static void the_same_seed_gives_the_same_model(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    uplift_model_options o = only(UPLIFT_DR_MIXED);
    uplift_model *one = world_fit(w, &o);
    o.threads = 2;
    uplift_model *two = world_fit(w, &o);
    o.seed = 2;
    uplift_model *other = world_fit(w, &o);
    double *a = effects(w, one), *b = effects(w, two), *c = effects(w, other);
    assert_memory_equal(a, b, WORLD_ROWS * sizeof *a);
    assert_true(memcmp(a, c, WORLD_ROWS * sizeof *a) != 0);
    uplift_model_free(one);
    uplift_model_free(two);
    uplift_model_free(other);
    free(a);
    free(b);
    free(c);
    free(w);
}

/* Folds are of shoppers: two rows of one are never on both sides. */
static void a_shopper_is_in_one_fold(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    static uint32_t shopper[WORLD_ROWS];
    static uint8_t fold[WORLD_ROWS];
    size_t n[5] = {0};
    for (uint32_t i = 0; i < WORLD_ROWS; i++)
        shopper[i] = i / 3;
    w->trial.shopper = shopper;
    uplift_trial_folds(&w->trial, 1, 1, 5, fold);
    for (size_t i = 0; i < WORLD_ROWS; i++) {
        assert_int_equal(fold[i], fold[i - i % 3]);
        n[fold[i]]++;
    }
    for (int k = 0; k < 5; k++)
        assert_true(n[k] > 1000 && n[k] < 1400);
    uplift_part in, out;
    assert_int_equal(uplift_part_take(&in, &w->trial, fold, 2, true, NULL), PF_OK);
    assert_int_equal(uplift_part_take(&out, &w->trial, fold, 2, false, NULL), PF_OK);
    assert_int_equal(in.trial.n, n[2]);
    assert_int_equal(out.trial.n, WORLD_ROWS - n[2]);
    for (size_t i = 0; i < in.trial.n; i++) {
        assert_true(in.y[i] == w->y[in.row[i]] && in.arm[i] == w->arm[in.row[i]]);
        assert_true(in.shopper[i] == shopper[in.row[i]]);
        assert_memory_equal(in.x + i * WORLD_FEATURES, w->x + in.row[i] * WORLD_FEATURES,
                            WORLD_FEATURES * sizeof(float));
    }
    uplift_part_free(&in);
    uplift_part_free(&out);
    free(w);
}

static void estimated_propensities_are_near_the_known(void **state)
{
    (void)state;
    for (size_t arms = 1; arms <= 3; arms += 2) {
        world_plan p = plain_world;
        p.arms = arms;
        p.confused = 1;
        uplift_world *w = world_make(&p);
        static double said[WORLD_ROWS];
        double off = 0;
        assert_int_equal(uplift_propensity_estimate(&w->trial, 1, said, NULL), PF_OK);
        for (size_t i = 0; i < WORLD_ROWS; i++) {
            assert_true(said[i] >= UPLIFT_LEAST_PROPENSITY && said[i] <= 1);
            off += fabs(said[i] - w->propensity[i]) / WORLD_ROWS;
        }
        assert_true(off < 0.03);
        free(w);
    }
}

/* ---- bad input ---- */

static void assert_refused(const uplift_trial *t, const uplift_model_options *o, pf_status code,
                           const char *word)
{
    uplift_model *m = NULL;
    pf_error err = {0};
    assert_int_equal(uplift_model_fit(t, o, &m, &err), code);
    assert_null(m);
    if (!strstr(err.message, word)) fail_msg("'%s' does not say '%s'", err.message, word);
}

static void rows_that_cannot_teach_are_told_in_words(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    uplift_trial *t = &w->trial;
    const uplift_model_options o = uplift_model_options_default();
    w->x[9] = NAN;
    assert_refused(t, &o, PF_DATA, "feature 1 of row 2");
    w->x[9] = 0;
    w->y[4] = 0.5f;
    assert_refused(t, &o, PF_DATA, "outcome of row 4");
    w->y[4] = 1;
    w->propensity[5] = 0;
    assert_refused(t, &o, PF_DATA, "propensity of row 5");
    w->propensity[5] = 0.5;
    w->arm[6] = 2;
    assert_refused(t, &o, PF_DATA, "row 6 got arm 2 of 1");
    for (size_t i = 0; i < WORLD_ROWS; i++)
        w->arm[i] = 1;
    assert_refused(t, &o, PF_DATA, "keep a holdout");
    for (size_t i = 0; i < WORLD_ROWS; i++)
        w->arm[i] = 0;
    assert_refused(t, &o, PF_DATA, "arm 1 has no rows");
    w->arm[0] = 1;
    for (size_t i = 0; i < WORLD_ROWS; i++)
        w->y[i] = 1;
    assert_refused(t, &o, PF_DATA, "all 6000 outcomes are 1");
    free(w);
}

static void wrong_options_are_told(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    uplift_model_options o = uplift_model_options_default();
    o.consider = 0;
    assert_refused(&w->trial, &o, PF_USAGE, "learner");
    o.consider = UINT32_C(1) << UPLIFT_KINDS;
    assert_refused(&w->trial, &o, PF_USAGE, "learner");
    o = uplift_model_options_default();
    o.folds = 1;
    assert_refused(&w->trial, &o, PF_USAGE, "folds");
    o.folds = 5;
    o.cost = -1;
    assert_refused(&w->trial, &o, PF_USAGE, "cost");
    o.cost = 0;
    w->trial.features = 128;
    assert_refused(&w->trial, &o, PF_LIMIT, "128 features");
    w->trial.features = WORLD_FEATURES;
    w->trial.arms = 0;
    assert_refused(&w->trial, &o, PF_LIMIT, "arms");
    free(w);
}

static void questions_of_another_shape_are_refused(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    const uplift_model_options o = only(UPLIFT_S_LINES);
    uplift_model *m = world_fit(w, &o);
    double effect[4];
    float x[2 * WORLD_FEATURES] = {0};
    feature_rows rows = {1, WORLD_FEATURES + 1, x};
    assert_int_equal(uplift_model_score(m, &rows, NULL, 1, effect, NULL), PF_USAGE);
    rows = (feature_rows){2, WORLD_FEATURES, x};
    assert_int_equal(uplift_model_score(m, &rows, NULL, 2, effect, NULL), PF_USAGE);
    assert_int_equal(uplift_model_score(m, &rows, x, 1, effect, NULL), PF_USAGE);
    assert_int_equal(uplift_model_score(m, &rows, NULL, 1, effect, NULL), PF_OK);
    rows.n = 0;
    assert_int_equal(uplift_model_score(m, &rows, NULL, 1, effect, NULL), PF_OK);
    rows.n = 2;
    x[3] = INFINITY;
    assert_int_equal(uplift_model_score(m, &rows, NULL, 1, effect, NULL), PF_DATA);
    uplift_model_free(m);
    uplift_model_free(NULL);
    free(w);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    w->trial.n = 60;
    w->trial.propensity = NULL;
    static const int kinds[] = {UPLIFT_S_LINES, UPLIFT_T_LINES, UPLIFT_X_LINES, UPLIFT_DR_LINES};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const uplift_model_options o = only(kinds[k]);
        fault f = {0};
        while (fault_next(&f)) {
            uplift_model *m = NULL;
            pf_status s = uplift_model_fit(&w->trial, &o, &m, NULL);
            if (fault_reached(&f)) {
                assert_int_equal(s, PF_NO_MEMORY);
                assert_null(m);
            }
            uplift_model_free(m);
        }
        assert_true(f.n > 40);
    }
    free(w);
}

/* The choice allocates too; every 37th failure of very many is enough. */
static void failures_within_the_choice_are_told(void **state)
{
    (void)state;
    uplift_world *w = world_make(&plain_world);
    uplift_model_options o = uplift_model_options_default();
    o.consider = UPLIFT_ONLY(UPLIFT_S_LINES) | UPLIFT_ONLY(UPLIFT_DR_LINES);
    o.folds = 2;
    w->trial.n = 2000;
    size_t failed = 0;
    for (uint64_t n = 1;; n += 37) {
        uplift_model *m = NULL;
        mem_fail_at(n);
        const pf_status s = uplift_model_fit(&w->trial, &o, &m, NULL);
        const bool reached = mem_allocations_since() >= n;
        mem_fail_at(0);
        if (!reached) {
            assert_int_equal(s, PF_OK);
            uplift_model_free(m);
            break;
        }
        failed++;
        assert_int_equal(s, PF_NO_MEMORY);
        assert_null(m);
    }
    assert_true(failed > 3);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_learner_finds_whom_treatment_moves),
        cmocka_unit_test(every_learner_finds_effects_on_amounts),
        cmocka_unit_test(estimated_propensities_undo_who_was_picked),
        cmocka_unit_test(where_nobody_is_moved_no_order_is_found),
        cmocka_unit_test(a_rare_arm_and_one_that_never_ran_borrow_strength),
        cmocka_unit_test(between_arms_only_s_and_dr_learn_and_value_decides),
        cmocka_unit_test(the_simplest_is_chosen_unless_another_is_ahead_for_certain),
        cmocka_unit_test(a_lead_that_folds_make_by_chance_chooses_nothing),
        cmocka_unit_test(without_any_candidate_the_choice_fails_in_words),
        cmocka_unit_test(trees_are_chosen_where_lines_fail),
        cmocka_unit_test(few_rows_leave_no_choice_but_the_simplest),
        cmocka_unit_test(the_same_seed_gives_the_same_model),
        cmocka_unit_test(a_shopper_is_in_one_fold),
        cmocka_unit_test(estimated_propensities_are_near_the_known),
        cmocka_unit_test(rows_that_cannot_teach_are_told_in_words),
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(questions_of_another_shape_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(failures_within_the_choice_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
