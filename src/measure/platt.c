/*
 * Platt scaling (measure/calibration.h): minimise, over slope a and shift b,
 *
 *     F(a, b) = mean of w_i (log(1 + exp(z_i)) - t_i z_i),   z_i = a s_i + b
 *
 * the cross-entropy against smoothed targets t: (N+ + 1) / (N+ + 2) for a responder and
 * 1 / (N- + 2) for the others. Newton steps, halved until F falls enough. The search sees
 * scores brought to mean 0 and deviation 1 and a mean instead of a sum, so that where it
 * ends depends neither on the scores' unit nor on the number of rows.
 */
#include "measure/calibration.h"

#include <math.h>
#include <stdbool.h>

enum { MOST_STEPS = 100 };

static const double least_step = 1e-10, ridge = 1e-12, flat = 1e-8, enough_fall = 1e-4;
/* What rounding may add to F near its minimum. */
static const double noise = 1e-12;

typedef struct platt_data {
    const double *score, *w;
    const uint8_t *y;
    size_t n;
    double total; /* of the weights */
    double target_positive, target_negative;
    double mean, deviation; /* of the scores */
} platt_data;

typedef struct newton {
    double gradient_a, gradient_b;
    double aa, ab, bb; /* second derivatives */
} newton;

static double row_weight(const platt_data *d, size_t i)
{
    return d->w ? d->w[i] : 1.0;
}

static double row_score(const platt_data *d, size_t i)
{
    return (d->score[i] - d->mean) / d->deviation;
}

static double row_target(const platt_data *d, size_t i)
{
    return d->y[i] ? d->target_positive : d->target_negative;
}

static double logistic(double z)
{
    return z >= 0.0 ? 1.0 / (1.0 + exp(-z)) : exp(z) / (1.0 + exp(z));
}

/* log(1 + exp(z)) - t z without overflow. */
static double loss_at(double z, double t)
{
    return z >= 0.0 ? (1.0 - t) * z + log1p(exp(-z)) : -t * z + log1p(exp(z));
}

static double loss_of(const platt_data *d, platt m)
{
    double sum = 0.0;
    for (size_t i = 0; i < d->n; i++) {
        double z = m.slope * row_score(d, i) + m.shift;
        sum += row_weight(d, i) * loss_at(z, row_target(d, i));
    }
    return sum / d->total;
}

static newton derivatives(const platt_data *d, platt m)
{
    newton g = {.aa = ridge, .bb = ridge};
    for (size_t i = 0; i < d->n; i++) {
        double s = row_score(d, i), w = row_weight(d, i) / d->total;
        double p = logistic(m.slope * s + m.shift);
        double first = w * (p - row_target(d, i)), second = w * p * (1.0 - p);
        g.gradient_a += first * s;
        g.gradient_b += first;
        g.aa += second * s * s;
        g.ab += second * s;
        g.bb += second;
    }
    return g;
}

/* One Newton step with its halvings; false when no step helps. */
static bool step(const platt_data *d, platt *m, double *loss)
{
    newton g = derivatives(d, *m);
    double determinant = g.aa * g.bb - g.ab * g.ab;
    double da = -(g.bb * g.gradient_a - g.ab * g.gradient_b) / determinant;
    double db = -(g.aa * g.gradient_b - g.ab * g.gradient_a) / determinant;
    double slope = g.gradient_a * da + g.gradient_b * db;
    for (double size = 1.0; size >= least_step; size /= 2.0) {
        platt next = {.slope = m->slope + size * da, .shift = m->shift + size * db};
        double now = loss_of(d, next);
        if (now < *loss + enough_fall * size * slope + noise) {
            *m = next;
            *loss = now;
            return true;
        }
    }
    return false;
}

static bool is_flat(const platt_data *d, platt m)
{
    newton g = derivatives(d, m);
    return fabs(g.gradient_a) < flat && fabs(g.gradient_b) < flat;
}

static pf_status count_rows(platt_data *d, double *positives, double *negatives,
                            pf_error *err)
{
    *positives = *negatives = 0.0;
    for (size_t i = 0; i < d->n; i++) {
        if (!isfinite(d->score[i]))
            return error_set(err, PF_DATA, "the score of row %zu is not finite", i);
        *(d->y[i] ? positives : negatives) += row_weight(d, i);
    }
    d->total = *positives + *negatives;
    if (!(d->total > 0.0))
        return error_set(err, PF_DATA, "there are no rows to calibrate with");
    d->target_positive = (*positives + 1.0) / (*positives + 2.0);
    d->target_negative = 1.0 / (*negatives + 2.0);
    return PF_OK;
}

/* Mean and deviation of the scores; 1 for a deviation of nothing. */
static pf_status find_scale(platt_data *d, pf_error *err)
{
    double squares = 0.0;
    for (size_t i = 0; i < d->n; i++)
        d->mean += row_weight(d, i) / d->total * d->score[i];
    for (size_t i = 0; i < d->n; i++) {
        double off = d->score[i] - d->mean;
        squares += row_weight(d, i) / d->total * off * off;
    }
    d->deviation = squares > 0.0 ? sqrt(squares) : 1.0;
    if (!isfinite(d->mean) || !isfinite(d->deviation))
        return error_set(err, PF_DATA, "the scores are too large to calibrate");
    return PF_OK;
}

pf_status platt_fit(platt *out, const double *score, const uint8_t *y, const double *w,
                    size_t n, pf_error *err)
{
    platt_data d = {.score = score, .y = y, .w = w, .n = n};
    double positives, negatives;
    pf_status status = count_rows(&d, &positives, &negatives, err);
    if (status == PF_OK) status = find_scale(&d, err);
    if (status != PF_OK) return status;
    platt m = {.slope = 0.0, .shift = log((positives + 1.0) / (negatives + 1.0))};
    double loss = loss_of(&d, m);
    bool moving = true;
    for (int i = 0; moving && i < MOST_STEPS && !is_flat(&d, m); i++)
        moving = step(&d, &m, &loss);
    if (!is_flat(&d, m)) return error_set(err, PF_DATA, "Platt scaling found no minimum");
    out->slope = m.slope / d.deviation;
    out->shift = m.shift - out->slope * d.mean;
    return PF_OK;
}

double platt_apply(const platt *map, double score)
{
    return logistic(map->slope * score + map->shift);
}
