/* Laplace's approximation on tensor/newton.h: the mode, the curvature there, draws. */
#include "response/posterior.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/newton.h"

enum { ITERATIONS = 100 };

static pf_status check_rows(const posterior_rows *rows, pf_error *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->answers[i] > rows->trials[i])
            return error_set(err, PF_DATA, "row %zu has more answers than trials", i);
        for (size_t f = 0; f < rows->features; f++)
            if (!isfinite(rows->x[i * rows->features + f]))
                return error_set(err, PF_DATA, "row %zu, feature %zu is not finite", i, f);
    }
    return PF_OK;
}

static pf_status check(const posterior_rows *rows, const posterior_prior *prior, pf_error *err)
{
    if (rows->features == 0 || rows->features > POSTERIOR_MAX_FEATURES)
        return error_set(err, PF_LIMIT, "a posterior has 1 to %d features, not %zu",
                         POSTERIOR_MAX_FEATURES, rows->features);
    for (size_t f = 0; f < rows->features; f++) {
        if (!(prior->precision[f] > 0) || !isfinite(prior->precision[f]))
            return error_set(err, PF_DATA,
                             "the prior of feature %zu needs a precision above 0, not %g", f,
                             prior->precision[f]);
        if (prior->mean != NULL && !isfinite(prior->mean[f]))
            return error_set(err, PF_DATA, "the prior mean of feature %zu is not finite", f);
    }
    return check_rows(rows, err);
}

/* --- minus the log of the posterior -------------------------------------------------------- */

typedef struct problem {
    const posterior_rows *rows;
    const posterior_prior *prior;
} problem;

/* log(1 + exp(s)) without overflow. */
static double softplus(double s)
{
    return s > 0 ? s + log1p(exp(-s)) : log1p(exp(s));
}

static double add_prior(const problem *q, const double *b, double *gradient, double *hessian)
{
    const size_t features = q->rows->features;
    double loss = 0;
    for (size_t f = 0; f < features; f++) {
        const double precision = q->prior->precision[f];
        const double off = b[f] - (q->prior->mean ? q->prior->mean[f] : 0);
        loss += precision * off * off / 2;
        if (gradient == NULL) continue;
        gradient[f] += precision * off;
        hessian[f * features + f] += precision;
    }
    return loss;
}

static double loss_of(void *context, const double *b, double *gradient, double *hessian)
{
    const problem *q = context;
    const posterior_rows *rows = q->rows;
    const size_t features = rows->features;
    double loss = add_prior(q, b, gradient, hessian);
    for (size_t i = 0; i < rows->n; i++) {
        const double *x = rows->x + i * features;
        const double n = (double)rows->trials[i], k = (double)rows->answers[i];
        double score = 0;
        for (size_t f = 0; f < features; f++)
            score += x[f] * b[f];
        loss += n * softplus(score) - k * score;
        if (gradient == NULL) continue;
        const double p = 1 / (1 + exp(-score));
        for (size_t f = 0; f < features; f++) {
            gradient[f] += (n * p - k) * x[f];
            for (size_t g = 0; g <= f; g++)
                hessian[f * features + g] += n * p * (1 - p) * x[f] * x[g];
        }
    }
    return loss;
}

/* --- the fit ------------------------------------------------------------------------------- */

/* `work` [F] holds the gradient, then the right-hand side of a system whose answer nobody needs:
 * the factor is what is wanted. */
static pf_status find_factor(posterior *p, problem *q, double *work, pf_error *err)
{
    const size_t features = p->features;
    memset(work, 0, features * sizeof *work);
    (void)loss_of(q, p->mean, work, p->factor);
    if (cholesky_solve(p->factor, features, work) != 0)
        return error_set(err, PF_INTERNAL, "the posterior has no curvature");
    for (size_t f = 0; f < features; f++)
        if (!isfinite(p->mean[f]) || !isfinite(p->factor[f * features + f]))
            return error_set(err, PF_INTERNAL, "the posterior is not finite");
    return PF_OK;
}

static pf_status fit(posterior *p, const posterior_rows *rows, const posterior_prior *prior,
                     double *work, pf_error *err)
{
    problem q = {rows, prior};
    if (prior->mean != NULL) memcpy(p->mean, prior->mean, p->features * sizeof *p->mean);
    pf_status s = newton_minimise(loss_of, &q, p->features, p->mean, ITERATIONS, err);
    return s == PF_OK ? find_factor(p, &q, work, err) : s;
}

pf_status posterior_fit(posterior *p, const posterior_rows *rows, const posterior_prior *prior,
                        pf_error *err)
{
    *p = (posterior){0};
    pf_status s = check(rows, prior, err);
    if (s != PF_OK) return s;
    const size_t features = rows->features;
    double *work = mem_alloc(features, sizeof *work);
    *p = (posterior){features, mem_alloc_zero(features, sizeof *p->mean),
                     mem_alloc_zero(features * features, sizeof *p->factor)};
    s = work && p->mean && p->factor
            ? fit(p, rows, prior, work, err)
            : error_set(err, PF_NO_MEMORY, "out of memory for %zu features", features);
    mem_free(work);
    if (s != PF_OK) posterior_free(p);
    return s;
}

void posterior_free(posterior *p)
{
    if (p == NULL) return;
    mem_free(p->mean);
    mem_free(p->factor);
    *p = (posterior){0};
}

/* --- what it says -------------------------------------------------------------------------- */

/* x becomes L'^-1 x. */
static void solve_upper(const posterior *p, double *x)
{
    const size_t features = p->features;
    for (size_t i = features; i-- > 0;) {
        for (size_t k = i + 1; k < features; k++)
            x[i] -= p->factor[k * features + i] * x[k];
        x[i] /= p->factor[i * features + i];
    }
}

pf_status posterior_draw(const posterior *p, draws *d, pf_error *err)
{
    if (d->width != p->features)
        return error_set(err, PF_USAGE, "draws of %zu numbers cannot hold %zu weights", d->width,
                         p->features);
    for (size_t i = 0; i < d->draws; i++) {
        double *b = d->value + i * d->width;
        for (size_t f = 0; f < p->features; f++) {
            random_stream r = draws_stream(d, i, f);
            b[f] = random_normal(&r);
        }
        solve_upper(p, b);
        for (size_t f = 0; f < p->features; f++)
            b[f] += p->mean[f];
    }
    return PF_OK;
}

/* x' H^-1 x = |L^-1 x|^2. */
double posterior_spread(const posterior *p, const double *x, double *work)
{
    const size_t features = p->features;
    double sum = 0;
    for (size_t i = 0; i < features; i++) {
        double y = x[i];
        for (size_t k = 0; k < i; k++)
            y -= p->factor[i * features + k] * work[k];
        work[i] = y / p->factor[i * features + i];
        sum += work[i] * work[i];
    }
    return sqrt(sum);
}
