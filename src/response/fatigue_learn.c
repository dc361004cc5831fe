/* Cells -> rows of a logistic model -> a hazard. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/contacts.h"
#include "response/fatigue_inner.h"

/* Rows of a fit, owned. */
typedef struct fit_rows {
    double *x;
    uint64_t *trials, *answers;
    size_t n;
} fit_rows;

static void free_rows(fit_rows *r)
{
    mem_free(r->x);
    mem_free(r->trials);
    mem_free(r->answers);
}

static pf_status make_rows(fit_rows *r, size_t n, pf_error *err)
{
    const size_t some = n > 0 ? n : 1;
    *r = (fit_rows){mem_alloc_zero(some * FEATURES, sizeof *r->x),
                    mem_alloc(some, sizeof *r->trials), mem_alloc(some, sizeof *r->answers), 0};
    if (r->x && r->trials && r->answers) return PF_OK;
    free_rows(r);
    return error_set(err, PF_NO_MEMORY, "out of memory for %zu kinds of messages", n);
}

static double *add_row(fit_rows *r, uint64_t trials, uint64_t answers, size_t by, size_t week,
                       size_t month)
{
    double *x = r->x + r->n * FEATURES;
    r->trials[r->n] = trials;
    r->answers[r->n++] = answers;
    x[FEATURE_ONE] = 1;
    x[FEATURE_WEEK] = log1p((double)week);
    x[FEATURE_MONTH] = log1p((double)month);
    if (by != CHANNEL_NONE) x[FEATURE_CHANNEL + by] = 1;
    return x;
}

static size_t count_cells(const uint64_t *trials, size_t n)
{
    size_t full = 0;
    for (size_t i = 0; i < n; i++)
        full += trials[i] > 0;
    return full;
}

/* sent: what was seen on the site is no row. */
static pf_status harm_rows(fit_rows *r, const harm_cells *cells, const uint64_t *answers,
                           bool sent, pf_error *err)
{
    const pf_status s = make_rows(r, count_cells(cells->trials, HARM_CELLS), err);
    for (size_t i = 0; s == PF_OK && i < HARM_CELLS; i++) {
        const size_t month = i % (MOST_MONTH + 1), rest = i / (MOST_MONTH + 1);
        const size_t week = rest % (MOST_WEEK + 1), by = rest / (MOST_WEEK + 1);
        if (cells->trials[i] > 0 && !(sent && !contact_is_sent((uint8_t)by)))
            (void)add_row(r, cells->trials[i], answers[i], by, week, month);
    }
    return s;
}

static pf_status answer_rows(fit_rows *r, const answer_cells *cells, pf_error *err)
{
    const pf_status s = make_rows(r, count_cells(cells->trials, ANSWER_CELLS), err);
    for (size_t i = 0; s == PF_OK && i < ANSWER_CELLS; i++) {
        const size_t month = i % (ANSWER_MOST_MONTH + 1), rest = i / (ANSWER_MOST_MONTH + 1);
        const size_t week = rest % (ANSWER_MOST_WEEK + 1), who = rest / (ANSWER_MOST_WEEK + 1);
        if (cells->trials[i] == 0) continue;
        double *x =
            add_row(r, cells->trials[i], cells->answers[i], who / USUAL_STEPS, week, month);
        x[FEATURE_USUAL] = (double)(who % USUAL_STEPS) * USUAL_STEP;
    }
    return s;
}

/* --- fits -------------------------------------------------------------------------------- */

typedef struct prior {
    double mean[FEATURES], precision[FEATURES];
} prior;

static prior prior_of(double chance, double sd, double slope)
{
    prior p = {{0}, {0}};
    for (size_t k = 0; k < FEATURES; k++)
        p.precision[k] = 4;
    p.mean[FEATURE_ONE] = log(chance / (1 - chance));
    p.precision[FEATURE_ONE] = 1 / (sd * sd);
    p.mean[FEATURE_WEEK] = p.mean[FEATURE_MONTH] = slope;
    return p;
}

static pf_status fit_mean(hazard *z, const fit_rows *r, const prior *p, pf_error *err)
{
    const posterior_rows rows = {r->n, FEATURES, r->x, r->trials, r->answers};
    const posterior_prior given = {p->mean, p->precision};
    posterior again;
    const pf_status s = posterior_fit(&again, &rows, &given, err);
    if (s == PF_OK) memcpy(z->mean, again.mean, sizeof z->mean);
    posterior_free(&again);
    return s;
}

/* A precision that holds a weight at 0 and leaves the curvature sound. */
#define HELD 1e9

/* The slope to hold at 0, or FEATURES. */
static size_t negative_slope(const hazard *z)
{
    const double week = z->mean[FEATURE_WEEK], month = z->mean[FEATURE_MONTH];
    if (week >= 0 && month >= 0) return FEATURES;
    return week < month ? FEATURE_WEEK : FEATURE_MONTH;
}

static pf_status hold_slopes(hazard *z, const fit_rows *r, prior p, pf_error *err)
{
    pf_status s = PF_OK;
    size_t held;
    while (s == PF_OK && (held = negative_slope(z)) != FEATURES) {
        p.mean[held] = 0;
        p.precision[held] = HELD;
        s = fit_mean(z, r, &p, err);
        for (size_t k = FEATURE_WEEK; k <= FEATURE_MONTH; k++)
            if (p.precision[k] >= HELD) z->mean[k] = 0;
    }
    return s;
}

static pf_status fit_hazard(hazard *z, const fit_rows *r, const prior *p, bool rising,
                            pf_error *err)
{
    const posterior_rows rows = {r->n, FEATURES, r->x, r->trials, r->answers};
    const posterior_prior given = {p->mean, p->precision};
    for (size_t i = 0; i < r->n; i++) {
        z->rows += r->trials[i];
        z->used += r->answers[i];
    }
    const pf_status s = posterior_fit(&z->spread, &rows, &given, err);
    if (s != PF_OK) return s;
    memcpy(z->mean, z->spread.mean, sizeof z->mean);
    return rising ? hold_slopes(z, r, *p, err) : PF_OK;
}

/* What was never seen is not known to be recorded: no rows, the prior alone. */
static pf_status learn_harm(hazard *z, const harm_cells *cells, const uint64_t *answers,
                            bool sent, const prior *p, pf_error *err)
{
    fit_rows r;
    pf_status s = harm_rows(&r, cells, answers, sent, err);
    if (s != PF_OK) return s;
    if (z->seen == 0) r.n = 0;
    s = fit_hazard(z, &r, p, true, err);
    free_rows(&r);
    return s;
}

pf_status fatigue_learn(fatigue *f, const harm_cells *harm, const answer_cells *answers,
                        pf_error *err)
{
    const prior lost = prior_of(FATIGUE_PRIOR_HARM, 1, .25);
    const prior dismissed = prior_of(FATIGUE_PRIOR_DISMISSAL, 1.5, .25);
    prior answered = prior_of(((double)f->sent_answered + .5) / ((double)f->sent + 1), 10, 0);
    fit_rows r;
    answered.precision[FEATURE_USUAL] = .1;
    pf_status s = learn_harm(&f->unsubscribe, harm, harm->unsubscribed, true, &lost, err);
    if (s == PF_OK)
        s = learn_harm(&f->dismissal, harm, harm->dismissed, false, &dismissed, err);
    if (s == PF_OK) s = answer_rows(&r, answers, err);
    if (s != PF_OK) return s;
    f->answer.seen = f->sent_answered;
    s = fit_hazard(&f->answer, &r, &answered, false, err);
    free_rows(&r);
    return s;
}
