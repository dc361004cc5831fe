/* Who got which arm, where the log does not say how likely that was (response/uplift_learner.h). */
#include <math.h>

#include "base/memory.h"
#include "response/uplift_learner.h"

enum { FOLDS = 5, STREAM = 3 };

static const double ridge = 0.001;

/* chance [own rows] of one arm against all others. */
static pf_status chance_of_arm(const uplift_part *others, const feature_rows *own, uint32_t arm,
                               double *chance, pf_error *err)
{
    const regression_settings settings = {.base = REGRESSION_LINEAR, .ridge = ridge};
    const feature_rows rows = {others->trial.n, own->features, others->trial.x};
    regression m = {.features = 0};
    double *got = mem_alloc(rows.n ? rows.n : 1, sizeof *got);
    if (got == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows.n);
    for (size_t i = 0; i < rows.n; i++)
        got[i] = others->trial.arm[i] == arm;
    pf_status s = regression_fit(&m, &rows, got, REGRESSION_CHANCE, &settings, err);
    if (s == PF_OK) s = regression_expect(&m, own, chance, err);
    regression_free(&m);
    mem_free(got);
    return s;
}

static pf_status estimate_fold(const uplift_trial *t, const uint8_t *fold, int which,
                               double *propensity, pf_error *err)
{
    uplift_part others, own = {.row = NULL};
    double *chance = NULL, *sum = NULL;
    pf_status s = uplift_part_take(&others, t, fold, which, false, err);
    if (s != PF_OK) return s;
    s = uplift_part_take(&own, t, fold, which, true, err);
    const size_t n = own.trial.n;
    if (s != PF_OK || n == 0) goto done;
    chance = mem_alloc(n, sizeof *chance);
    sum = mem_alloc_zero(n, sizeof *sum);
    if (!chance || !sum) s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    const feature_rows rows = {n, t->features, own.trial.x};
    for (uint32_t a = 0; s == PF_OK && a <= t->arms; a++) {
        s = chance_of_arm(&others, &rows, a, chance, err);
        for (size_t i = 0; s == PF_OK && i < n; i++) {
            sum[i] += chance[i];
            if (own.trial.arm[i] == a) propensity[own.row[i]] = chance[i];
        }
    }
    for (size_t i = 0; s == PF_OK && i < n; i++)
        propensity[own.row[i]] =
            fmax(UPLIFT_LEAST_PROPENSITY, propensity[own.row[i]] / sum[i]);
done:
    mem_free(chance);
    mem_free(sum);
    uplift_part_free(&own);
    uplift_part_free(&others);
    return s;
}

pf_status uplift_propensity_estimate(const uplift_trial *t, uint64_t seed, double *propensity,
                                     pf_error *err)
{
    pf_status s = PF_OK;
    uint8_t *fold = mem_alloc(t->n, sizeof *fold);
    if (fold == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", t->n);
    uplift_trial_folds(t, seed, STREAM, FOLDS, fold);
    for (int k = 0; s == PF_OK && k < FOLDS; k++)
        s = estimate_fold(t, fold, k, propensity, err);
    mem_free(fold);
    return s;
}
