/*
 * Both losses work on standardised rows made once; the parameters are the weights, and for
 * the logistic the intercept behind them.
 */
#include "tensor/linear.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/newton.h"

linear_options linear_options_default(void)
{
    return (linear_options){.ridge = 0.2, .clip = 3, .alpha = 0.5, .iterations = 50};
}

void linear_free(linear_model *m)
{
    mem_free(m->mean);
    *m = (linear_model){.features = 0};
}

/* One block holds the three arrays. */
static pf_status model_new(linear_model *m, size_t features, double clip, pf_error *err)
{
    *m = (linear_model){.features = features, .clip = clip};
    if (features == 0 || features > LINEAR_MAX_FEATURES)
        return error_set(err, PF_LIMIT, "%zu features; a linear model takes 1 to %d",
                         features, LINEAR_MAX_FEATURES);
    m->mean = mem_alloc_zero(3 * features, sizeof *m->mean);
    if (m->mean == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu features", features);
    m->scale = m->mean + features;
    m->weight = m->scale + features;
    return PF_OK;
}

pf_status linear_new(linear_model *m, size_t features, double clip, pf_error *err)
{
    pf_status s = model_new(m, features, clip, err);
    for (size_t f = 0; s == PF_OK && f < features; f++)
        m->scale[f] = 1;
    return s;
}

/* ---- standardising ---- */

static void find_scale(linear_model *m, const feature_rows *rows)
{
    size_t F = m->features;
    for (size_t i = 0; i < rows->n; i++)
        for (size_t f = 0; f < F; f++)
            m->mean[f] += (double)rows->x[i * F + f];
    for (size_t f = 0; f < F; f++)
        m->mean[f] /= (double)rows->n;
    for (size_t i = 0; i < rows->n; i++)
        for (size_t f = 0; f < F; f++) {
            double d = (double)rows->x[i * F + f] - m->mean[f];
            m->scale[f] += d * d;
        }
    for (size_t f = 0; f < F; f++) {
        double deviation = sqrt(m->scale[f] / (double)rows->n);
        m->scale[f] = deviation > 1e-9 ? 1 / deviation : 0;
    }
}

static double standardised(const linear_model *m, const float *x, size_t f)
{
    double z = ((double)x[f] - m->mean[f]) * m->scale[f];
    /* What is no number stays none, so that fitting tells it. */
    if (m->clip > 0 && z > m->clip) return m->clip;
    if (m->clip > 0 && z < -m->clip) return -m->clip;
    return z;
}

static double *standardise(const linear_model *m, const feature_rows *rows)
{
    double *z = mem_alloc(rows->n, m->features * sizeof *z);
    for (size_t i = 0; z != NULL && i < rows->n; i++)
        for (size_t f = 0; f < m->features; f++)
            z[i * m->features + f] = standardised(m, rows->x + i * m->features, f);
    return z;
}

/* ---- rows alone: logistic, least squares, log-linear means ---- */

typedef struct rows_context {
    const double *z; /* [N x F] */
    const uint8_t *y;     /* logistic; else NULL and */
    const double *amount; /* the outcomes as numbers */
    linear_mean kind;
    const double *weight; /* or NULL */
    size_t n, features;
    double penalty;
} rows_context;

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ln(1 + exp(s)) without overflow. */
static double softplus(double s)
{
    return s > 0 ? s + log1p(exp(-s)) : log1p(exp(s));
}

/* Adds h x x' (x extended by 1) to the lower triangle: most of the time of a fit is spent here.
 * Four at a time, so that compilers see that they may be done together. */
static void add_square(double *restrict hessian, const double *restrict x, size_t n, double h,
                       size_t width)
{
    for (size_t a = 0; a < n; a++) {
        const double scaled = h * x[a];
        double *restrict row = hessian + a * width;
        size_t b = 0;
        for (; b + 4 <= a + 1; b += 4) {
            row[b] += scaled * x[b];
            row[b + 1] += scaled * x[b + 1];
            row[b + 2] += scaled * x[b + 2];
            row[b + 3] += scaled * x[b + 3];
        }
        for (; b <= a; b++)
            row[b] += scaled * x[b];
    }
}

static double add_penalty(double penalty, const double *b, size_t n, size_t width,
                          double *gradient, double *hessian)
{
    for (size_t f = 0; gradient != NULL && f < n; f++) {
        gradient[f] += penalty * b[f];
        hessian[f * width + f] += penalty;
    }
    return 0.5 * penalty * dot(b, b, n);
}

/* Loss of a row with score s, its slope and its curvature. */
static double row_loss(const rows_context *c, size_t i, double s, double *slope, double *curve)
{
    if (c->y != NULL) {
        const double p = 1 / (1 + exp(-s));
        *slope = p - c->y[i];
        *curve = p * (1 - p);
        return softplus(s) - (c->y[i] ? s : 0);
    }
    const double y = c->amount[i], mean = c->kind == LINEAR_MEAN_LOG ? exp(s) : s;
    *slope = mean - y;
    *curve = c->kind == LINEAR_MEAN_LOG ? mean : 1;
    return c->kind == LINEAR_MEAN_LOG ? mean - y * s : 0.5 * (s - y) * (s - y);
}

static double rows_loss(void *context, const double *b, double *gradient, double *hessian)
{
    const rows_context *c = context;
    size_t F = c->features, width = F + 1;
    double loss = add_penalty(c->penalty, b, F, width, gradient, hessian);
    for (size_t i = 0; i < c->n; i++) {
        const double *x = c->z + i * F;
        double w = c->weight ? c->weight[i] : 1;
        double s = b[F] + dot(x, b, F);
        double g, h;
        loss += w * row_loss(c, i, s, &g, &h);
        if (gradient == NULL) continue;
        g *= w;
        h *= w;
        for (size_t f = 0; f < F; f++)
            gradient[f] += g * x[f];
        gradient[F] += g;
        add_square(hessian, x, F, h, width);
        for (size_t f = 0; f < F; f++)
            hessian[F * width + f] += h * x[f];
        hessian[F * width + F] += h;
    }
    return loss;
}

static double weighted_share(const uint8_t *y, const double *weight, size_t n,
                             double *total)
{
    double positive = 0;
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        *total += w;
        positive += y[i] ? w : 0;
    }
    return *total > 0 ? positive / *total : 0;
}

/* Fits c, whose rows are not standardised yet, from an intercept. On failure *m is empty. */
static pf_status fit_rows(linear_model *m, const feature_rows *rows, rows_context *c,
                          double total, double intercept, const linear_options *o, pf_error *err)
{
    pf_status s = model_new(m, rows->features, o->clip, err);
    if (s != PF_OK) return s;
    double *b = mem_alloc_zero(m->features + 1, sizeof *b);
    find_scale(m, rows);
    double *z = standardise(m, rows);
    if (z == NULL || b == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", rows->n);
        goto done;
    }
    c->z = z;
    c->n = rows->n;
    c->features = m->features;
    c->penalty = o->ridge * total;
    b[m->features] = intercept;
    s = newton_minimise(rows_loss, c, m->features + 1, b, o->iterations, err);
    memcpy(m->weight, b, m->features * sizeof *b);
    m->intercept = b[m->features];
done:
    mem_free(z);
    mem_free(b);
    if (s != PF_OK) linear_free(m);
    return s;
}

pf_status linear_fit_logistic(linear_model *m, const feature_rows *rows, const uint8_t *y,
                              const double *weight, const linear_options *o,
                              pf_error *err)
{
    double total = 0;
    const double share = weighted_share(y, weight, rows->n, &total);
    *m = (linear_model){.features = 0};
    if (rows->features > 0 && rows->features <= LINEAR_MAX_FEATURES && !(share > 0 && share < 1))
        return error_set(err, PF_DATA, "nothing to learn: %s of %zu rows responded",
                         share > 0 ? "all" : "none", rows->n);
    rows_context c = {.y = y, .weight = weight};
    return fit_rows(m, rows, &c, total, log(share / (1 - share)), o, err);
}

pf_status linear_fit_mean(linear_model *m, const feature_rows *rows, const double *y,
                          const double *weight, linear_mean kind, const linear_options *o,
                          pf_error *err)
{
    double total = 0, sum = 0;
    *m = (linear_model){.features = 0};
    for (size_t i = 0; i < rows->n; i++) {
        const double w = weight ? weight[i] : 1;
        if (!isfinite(y[i]) || (kind == LINEAR_MEAN_LOG && y[i] < 0))
            return error_set(err, PF_DATA, "the outcome of row %zu is %g: it must be a number%s",
                             i, y[i], kind == LINEAR_MEAN_LOG ? " not below 0" : "");
        total += w;
        sum += w * y[i];
    }
    if (!(total > 0)) return error_set(err, PF_DATA, "nothing to learn: there are no rows");
    if (kind == LINEAR_MEAN_LOG && !(sum > 0))
        return error_set(err, PF_DATA, "nothing to learn: all %zu outcomes are 0", rows->n);
    rows_context c = {.amount = y, .kind = kind, .weight = weight};
    const double mean = sum / total;
    return fit_rows(m, rows, &c, total, kind == LINEAR_MEAN_LOG ? log(mean) : mean, o, err);
}

/* ---- choice ---- */

typedef struct choice_context {
    const double *z;
    const uint8_t *y;
    const size_t *start;
    size_t groups, features;
    const double *weight; /* [G] of each positive; 0 = passed over */
    double penalty;
    double *p;      /* [longest group] */
    double *centre; /* [F] */
} choice_context;

/* Softmax of the group's scores into c->p; returns the log of the sum. */
static double group_softmax(const choice_context *c, size_t from, size_t to,
                            const double *b)
{
    size_t F = c->features;
    double largest = -INFINITY, sum = 0;
    for (size_t i = from; i < to; i++) {
        c->p[i - from] = dot(c->z + i * F, b, F);
        largest = fmax(largest, c->p[i - from]);
    }
    for (size_t i = from; i < to; i++)
        sum += exp(c->p[i - from] - largest);
    double log_sum = largest + log(sum);
    for (size_t i = from; i < to; i++)
        c->p[i - from] = exp(c->p[i - from] - log_sum);
    return log_sum;
}

/* Gradient and curvature of one group: positives k times the softmax's mean and covariance
 * of the features. */
static void add_group(const choice_context *c, size_t from, size_t to, double w,
                      double positives, double *gradient, double *hessian)
{
    size_t F = c->features;
    memset(c->centre, 0, F * sizeof *c->centre);
    for (size_t i = from; i < to; i++) {
        const double *x = c->z + i * F;
        double p = c->p[i - from];
        for (size_t f = 0; f < F; f++) {
            c->centre[f] += p * x[f];
            gradient[f] += w * (positives * p - c->y[i]) * x[f];
        }
        add_square(hessian, x, F, w * positives * p, F);
    }
    add_square(hessian, c->centre, F, -w * positives, F);
}

static double choice_loss(void *context, const double *b, double *gradient,
                          double *hessian)
{
    const choice_context *c = context;
    size_t F = c->features;
    double loss = add_penalty(c->penalty, b, F, F, gradient, hessian);
    for (size_t g = 0; g < c->groups; g++) {
        size_t from = c->start[g], to = c->start[g + 1];
        double positives = 0;
        if (!(c->weight[g] > 0)) continue;
        double log_sum = group_softmax(c, from, to, b);
        for (size_t i = from; i < to; i++)
            if (c->y[i]) {
                positives += 1;
                loss += c->weight[g] * (log_sum - dot(c->z + i * F, b, F));
            }
        if (gradient != NULL)
            add_group(c, from, to, c->weight[g], positives, gradient, hessian);
    }
    return loss;
}

/* Weight of each positive of a group; returns the sum over positives, and the longest
 * group. */
static double group_weights(const uint8_t *y, const size_t *start, size_t groups,
                            double alpha, double *weight, size_t *longest)
{
    double total = 0;
    *longest = 1;
    for (size_t g = 0; g < groups; g++) {
        double positives = 0;
        for (size_t i = start[g]; i < start[g + 1]; i++)
            positives += y[i] != 0;
        weight[g] = positives > 0 ? pow(positives, alpha - 1) : 0;
        total += weight[g] * positives;
        if (start[g + 1] - start[g] > *longest) *longest = start[g + 1] - start[g];
    }
    return total;
}

pf_status linear_fit_choice(linear_model *m, const feature_rows *rows, const uint8_t *y,
                            const size_t *group_start, size_t groups,
                            const linear_options *o, pf_error *err)
{
    size_t longest = 1;
    double *z = NULL, *p = NULL, *centre = NULL;
    double *weight = mem_alloc(groups + 1, sizeof *weight);
    pf_status s = model_new(m, rows->features, o->clip, err);
    if (s == PF_OK && weight == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu groups", groups);
    if (s != PF_OK) goto done;
    double total = group_weights(y, group_start, groups, o->alpha, weight, &longest);
    if (!(total > 0)) {
        s = error_set(err, PF_DATA, "nothing to learn: no positive in %zu groups",
                      groups);
        goto done;
    }
    find_scale(m, rows);
    z = standardise(m, rows);
    p = mem_alloc(longest, sizeof *p);
    centre = mem_alloc(m->features, sizeof *centre);
    if (z == NULL || p == NULL || centre == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", rows->n);
        goto done;
    }
    choice_context c = {
        z, y, group_start, groups, m->features, weight, o->ridge * total, p, centre};
    s = newton_minimise(choice_loss, &c, m->features, m->weight, o->iterations, err);
done:
    mem_free(z);
    mem_free(p);
    mem_free(centre);
    mem_free(weight);
    if (s != PF_OK) linear_free(m);
    return s;
}

/* ---- use ---- */

double linear_contribution(const linear_model *m, const float *x, size_t f)
{
    return m->weight[f] * standardised(m, x, f);
}

double linear_score(const linear_model *m, const float *x)
{
    double sum = m->intercept;
    for (size_t f = 0; f < m->features; f++)
        sum += linear_contribution(m, x, f);
    return sum;
}

double linear_probability(const linear_model *m, const float *x)
{
    return 1 / (1 + exp(-linear_score(m, x)));
}
