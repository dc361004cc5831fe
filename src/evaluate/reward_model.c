/* The reward model (reward_model.h): sums of squares of every action and fold, then one
 * coefficient after another on the sums of the other folds. */
#include "evaluate/reward_model.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Rounds through the coefficients; they settle in three or four. */
enum { ROUNDS = 4, MOST = REWARD_MODEL_FEATURES_MAX + 1 };

static size_t fold_of(const reward_rows *rows, size_t i)
{
    if (rows->shopper == NULL) return i % REWARD_MODEL_FOLDS;
    /* Neighbouring numbers may be alike (by date of joining): mixed by Fibonacci hashing. */
    const uint64_t mixed = (uint64_t)rows->shopper[i] * UINT64_C(11400714819323198485);
    return (mixed >> 33) % REWARD_MODEL_FOLDS;
}

static double times(const double *weight, size_t i)
{
    return weight != NULL ? weight[i] : 1;
}

/* Of each feature; a constant one has scale 0 and does not count. */
static void standardise(reward_model *m, const reward_rows *rows, const double *weight)
{
    const uint32_t F = rows->n_features;
    double n = 0, square[REWARD_MODEL_FEATURES_MAX] = {0};
    for (size_t i = 0; i < rows->n && F > 0; i++) {
        const double c = times(weight, i), *x = rows->x + i * F;
        if (!(c > 0)) continue;
        n += c;
        for (uint32_t f = 0; f < F; f++) {
            const double off = x[f] - m->mean[f]; /* West, CACM 22, 1979 */
            m->mean[f] += off * c / n;
            square[f] += c * off * (x[f] - m->mean[f]);
        }
    }
    for (uint32_t f = 0; f < F; f++) {
        const double spread = n > 0 ? sqrt(square[f] / n) : 0;
        m->scale[f] = spread > 1e-12 * (1 + fabs(m->mean[f])) ? 1 / spread : 0;
    }
}

/* z [1 + F]: one, then the standardised features. */
static void standard_row(const reward_model *m, const reward_rows *rows, size_t i, double *z)
{
    z[0] = 1;
    for (uint32_t f = 0; f + 1 < m->width; f++)
        z[f + 1] = (rows->x[i * rows->n_features + f] - m->mean[f]) * m->scale[f];
}

/* ---- sums ---- */

/* Of one action: products of z with z [P x P], of z with the reward [P], and of the reward with
 * itself. P = 1 + F. */
static size_t sums_of_action(uint32_t P)
{
    return (size_t)P * P + P + 1;
}

static void add_row(const double *z, double reward, double c, uint32_t P, double *sums)
{
    double *with_reward = sums + (size_t)P * P;
    for (uint32_t f = 0; f < P; f++) {
        for (uint32_t g = 0; g < P; g++)
            sums[f * P + g] += c * z[f] * z[g];
        with_reward[f] += c * z[f] * reward;
    }
    with_reward[P] += c * reward * reward;
}

/* sums [folds x K x sums_of_action], zeroed: each row is added to the folds it is not in. */
static void add_rows(const reward_model *m, const reward_rows *rows, const double *weight,
                     double *sums)
{
    const size_t one = sums_of_action(m->width), fold = one * m->n_actions;
    double z[MOST];
    for (size_t i = 0; i < rows->n; i++) {
        if (!(times(weight, i) > 0)) continue;
        standard_row(m, rows, i, z);
        add_row(z, rows->reward[i], times(weight, i), m->width,
                sums + fold_of(rows, i) * fold + rows->action[i] * one);
    }
}

/* From the sums in each fold to those outside of it; total [K x sums_of_action] is scratch. */
static void turn_inside_out(double *sums, size_t fold, double *total)
{
    for (size_t k = 0; k < REWARD_MODEL_FOLDS; k++)
        for (size_t j = 0; j < fold; j++)
            total[j] += sums[k * fold + j];
    for (size_t k = 0; k < REWARD_MODEL_FOLDS; k++)
        for (size_t j = 0; j < fold; j++)
            sums[k * fold + j] = total[j] - sums[k * fold + j];
}

/* ---- coefficients ---- */

/* One part of the fit: sums outside of a fold, and its coefficients [K x P]. */
typedef struct part {
    uint32_t K, P;
    const double *sums;
    double *beta;
} part;

static const double *sums_at(const part *p, uint32_t a)
{
    return p->sums + a * sums_of_action(p->P);
}

/* Mean square of what the lines leave. */
static double left_over(const part *p)
{
    double n = 0, square = 0;
    for (uint32_t a = 0; a < p->K; a++) {
        const double *s = sums_at(p, a), *r = s + (size_t)p->P * p->P;
        const double *b = p->beta + a * p->P;
        n += s[0];
        square += r[p->P];
        for (uint32_t f = 0; f < p->P; f++) {
            square -= 2 * b[f] * r[f];
            for (uint32_t g = 0; g < p->P; g++)
                square += b[f] * b[g] * s[f * p->P + g];
        }
    }
    return n > 0 && square > 1e-12 * n ? square / n : 1e-12;
}

/* Coefficient f of action a, given its others: information (inverse of the variance) and estimate
 * times information. */
typedef struct evidence {
    double information, sum;
} evidence;

static evidence evidence_of(const part *p, uint32_t a, uint32_t f, double variance)
{
    const double *s = sums_at(p, a), *b = p->beta + a * p->P;
    double left = s[(size_t)p->P * p->P + f];
    for (uint32_t g = 0; g < p->P; g++)
        if (g != f) left -= s[f * p->P + g] * b[g];
    return (evidence){s[f * p->P + f] / variance, left / variance};
}

/* Less is rounding. */
#define LEAST_INFORMATION 1e-9

/* What all actions say of a coefficient if its variance over them is `spread`. */
typedef struct effect {
    double mean, information; /* of the mean */
    double fit;               /* logarithm of likelihood and prior, less a constant */
} effect;

static effect effect_of(const evidence *e, uint32_t K, double spread)
{
    double w = 0, wb = 0, wbb = 0, logs = 0;
    for (uint32_t a = 0; a < K; a++) {
        if (!(e[a].information > LEAST_INFORMATION)) continue;
        const double b = e[a].sum / e[a].information;
        const double variance = 1 / e[a].information + spread;
        w += 1 / variance;
        wb += b / variance;
        wbb += b * b / variance;
        logs += log(variance);
    }
    if (!(w > 0)) return (effect){0};
    /* -logs/2 - squares/2, and log of the standard deviation for the prior. */
    return (effect){wb / w, w, (log(spread) - logs - (wbb - wb * wb / w)) / 2};
}

/* The variance with the best fit, by golden sections of its logarithm between a hundredth of what
 * the best known action's own error is and all that estimates vary by. */
static double best_spread(const evidence *e, uint32_t K)
{
    enum { STEPS = 16 };
    double least = INFINITY, most = 0, sum = 0, n = 0;
    for (uint32_t a = 0; a < K; a++) {
        if (!(e[a].information > LEAST_INFORMATION)) continue;
        sum += e[a].sum / e[a].information;
        n++;
    }
    for (uint32_t a = 0; a < K; a++) {
        if (!(e[a].information > LEAST_INFORMATION)) continue;
        const double off = e[a].sum / e[a].information - sum / n;
        least = fmin(least, 1e-4 / e[a].information);
        most = fmax(most, off * off + 1 / e[a].information);
    }
    if (!(most > least)) return 0;
    const double golden = .6180339887498949;
    double low = log(least), high = log(most);
    double x = high - golden * (high - low), y = low + golden * (high - low);
    double at_x = effect_of(e, K, exp(x)).fit, at_y = effect_of(e, K, exp(y)).fit;
    for (int step = 0; step < STEPS; step++) {
        if (at_x > at_y) {
            high = y;
            y = x, at_y = at_x;
            x = high - golden * (high - low);
            at_x = effect_of(e, K, exp(x)).fit;
        } else {
            low = x;
            x = y, at_x = at_y;
            y = low + golden * (high - low);
            at_y = effect_of(e, K, exp(y)).fit;
        }
    }
    return exp((low + high) / 2);
}

/* e [K] is scratch. */
static void fit_coefficient(const part *p, uint32_t f, double variance, evidence *e)
{
    for (uint32_t a = 0; a < p->K; a++)
        e[a] = evidence_of(p, a, f, variance);
    const double spread = best_spread(e, p->K);
    const effect all = effect_of(e, p->K, spread);
    double mean = all.mean;
    if (f > 0 && mean != 0) mean *= fmax(0, 1 - 1 / (all.information * mean * mean));
    for (uint32_t a = 0; a < p->K; a++)
        p->beta[a * p->P + f] =
            (e[a].sum * spread + mean) / (e[a].information * spread + 1);
}

static void fit_part(const part *p, evidence *scratch)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t f = 0; f < p->P; f++)
            fit_coefficient(p, f, left_over(p), scratch);
    }
}

/* ---- the model ---- */

pf_status reward_model_fit(reward_model *m, const reward_rows *rows, const double *weight,
                           pf_error *err)
{
    *m = (reward_model){.n_actions = rows->n_actions, .width = rows->n_features + 1};
    if (rows->n_features > REWARD_MODEL_FEATURES_MAX) {
        *m = (reward_model){0};
        return error_set(err, PF_LIMIT, "%u features of a decision; the reward model takes %d",
                         rows->n_features, REWARD_MODEL_FEATURES_MAX);
    }
    const size_t K = m->n_actions, P = m->width, one = sums_of_action(m->width);
    double *sums = mem_alloc_zero(K * (REWARD_MODEL_FOLDS + 1), one * sizeof *sums);
    m->beta = mem_alloc_zero(K * REWARD_MODEL_FOLDS, P * sizeof *m->beta);
    evidence *scratch = mem_alloc(K, sizeof *scratch);
    if (sums == NULL || m->beta == NULL || scratch == NULL) {
        mem_free(sums);
        mem_free(scratch);
        reward_model_free(m);
        return error_set(err, PF_NO_MEMORY, "out of memory for rewards of %zu actions", K);
    }
    standardise(m, rows, weight);
    add_rows(m, rows, weight, sums);
    turn_inside_out(sums, K * one, sums + REWARD_MODEL_FOLDS * K * one);
    for (size_t k = 0; k < REWARD_MODEL_FOLDS; k++)
        fit_part(&(part){m->n_actions, m->width, sums + k * K * one, m->beta + k * K * P},
                 scratch);
    mem_free(scratch);
    mem_free(sums);
    return PF_OK;
}

void reward_model_expect(const reward_model *m, const reward_rows *rows, size_t i, double *q)
{
    const double *beta = m->beta + fold_of(rows, i) * m->n_actions * m->width;
    double z[MOST];
    standard_row(m, rows, i, z);
    for (uint32_t a = 0; a < m->n_actions; a++) {
        q[a] = 0;
        for (uint32_t f = 0; f < m->width; f++)
            q[a] += beta[a * m->width + f] * z[f];
    }
}

void reward_model_free(reward_model *m)
{
    mem_free(m->beta);
    *m = (reward_model){0};
}
