/*
 * Figures and verdicts of policies on the same columns (policies_rows.h): which of them the log
 * can speak of at all, their values and differences on the same draws, and what of that is sure
 * when several are asked about at once.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "evaluate/policies_rows.h"
#include "measure/difference.h"
#include "measure/distribution.h"

size_t policies_unsupported(const policies_columns *c, const double *target)
{
    size_t rows = 0;
    for (size_t i = 0; i < c->n; i++) {
        bool lacks = false;
        for (size_t j = i * c->n_actions; j < (i + 1) * c->n_actions; j++)
            lacks = lacks || (target[j] > 0 && !(c->logging[j] > 0));
        rows += lacks;
    }
    return rows;
}

/* One policy's own trouble is told in its figure; what is wrong with the log fails all. */
static pf_status check_one(const policies_columns *c, const double *target, policies_figure *f,
                           pf_error *err)
{
    const off_policy_log log = policies_columns_log(c, target);
    const size_t without = policies_unsupported(c, target);
    pf_error why = {.code = PF_OK};
    if (without > 0) {
        f->word = POLICIES_REFUSED;
        (void)snprintf(f->why, sizeof f->why,
                       "in %zu of %zu decisions it does what the log gave no chance there, so "
                       "nothing is known of it; explore with a floor, or compare only among what "
                       "had a chance",
                       without, c->n);
        return PF_OK;
    }
    pf_status s = off_policy_check(&log, &f->value.support, &why);
    if (s == PF_OK) return s;
    if (s != PF_DATA) return error_pass(err, &why);
    f->word = POLICIES_REFUSED;
    (void)snprintf(f->why, sizeof f->why, "%s", why.message);
    return PF_OK;
}

/* ---- verdicts ---- */

static bool is_judged(const policies_figure *f)
{
    return f->word == POLICIES_NOT_KNOWN;
}

/* Two-sided, of the normal interval's own error; a policy that is the reference differs by 0. */
static double p_of(const off_policy_value *d)
{
    if (!(d->standard_error > 0)) return 1;
    return fmin(1, 2 * normal_above(fabs(d->value) / d->standard_error));
}

static pf_status adjust(policies_figure *figures, size_t n, double alpha, pf_error *err)
{
    double p[OFF_POLICY_COMPARED_MAX];
    size_t judged = 0;
    for (size_t j = 0; j < n; j++)
        if (is_judged(&figures[j])) p[judged++] = p_of(&figures[j].difference);
    if (judged == 0) return PF_OK;
    pf_status s = difference_adjust_holm(p, judged, p, err);
    judged = 0;
    for (size_t j = 0; j < n && s == PF_OK; j++) {
        policies_figure *f = &figures[j];
        if (!is_judged(f)) continue;
        f->p = p[judged++];
        if (f->p < alpha)
            f->word = f->difference.value > 0 ? POLICIES_BETTER : POLICIES_WORSE;
    }
    return s;
}

/* The word before the differences are tested. */
static void first_word(policies_figure *f, const policies_figure *reference)
{
    const off_policy_support *own = &f->value.support, *weak = &f->difference.support;
    const off_policy_support *log = &reference->value.support;
    f->word = f == reference ? POLICIES_REFERENCE : POLICIES_NOT_KNOWN;
    if (!own->few && !own->off && !weak->few && !log->off) return;
    f->word = POLICIES_NO_SUPPORT;
    const off_policy_support *worst = log->off ? log : own->few || own->off ? own : weak;
    (void)off_policy_warning(worst, f->why, sizeof f->why);
}

/* ---- all ---- */

/* The policies that can be judged, without gaps. */
typedef struct field {
    const double *target[OFF_POLICY_COMPARED_MAX];
    size_t figure[OFF_POLICY_COMPARED_MAX];
    size_t n, reference;
} field;

static pf_status pick_field(const policies_columns *c, const double *const *targets, size_t n,
                            size_t reference, policies_figure *figures, field *out,
                            pf_error *err)
{
    *out = (field){.n = 0};
    for (size_t j = 0; j < n; j++) {
        if (targets[j] == NULL) continue;
        pf_status s = check_one(c, targets[j], &figures[j], err);
        if (s != PF_OK) return s;
        if (figures[j].word == POLICIES_REFUSED) continue;
        if (j == reference) out->reference = out->n;
        out->target[out->n] = targets[j];
        out->figure[out->n++] = j;
    }
    return PF_OK;
}

pf_status policies_judge(const policies_columns *c, const double *const *targets, size_t n,
                         size_t reference, const off_policy_plan *plan,
                         policies_figure *figures, pf_error *err)
{
    off_policy_value values[OFF_POLICY_COMPARED_MAX], differences[OFF_POLICY_COMPARED_MAX];
    off_policy_support support;
    field f;
    off_policy_log log = policies_columns_log(c, targets[reference]);
    pf_status s = off_policy_check(&log, &support, err);
    if (s == PF_OK) s = pick_field(c, targets, n, reference, figures, &f, err);
    if (s == PF_OK)
        s = off_policy_compare(&log, f.target, f.n, f.reference, plan, values, differences, err);
    if (s != PF_OK) return s;
    for (size_t k = 0; k < f.n; k++) {
        figures[f.figure[k]].value = values[k];
        figures[f.figure[k]].difference = differences[k];
        figures[f.figure[k]].p = NAN;
    }
    for (size_t k = 0; k < f.n; k++)
        first_word(&figures[f.figure[k]], &figures[reference]);
    return adjust(figures, n, 1 - plan->level, err);
}
