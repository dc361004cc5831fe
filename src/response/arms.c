/* Counts of arms by segments, their Beta posteriors, and draws of them. */
#include "response/arms.h"

#include <math.h>

#include "base/memory.h"

enum { LADDER = 13 }; /* 1, 2, 4 .. 4096 */

pf_status arms_new(arms *a, size_t n_arms, size_t n_segments, pf_error *err)
{
    *a = (arms){0};
    if (n_arms == 0 || n_segments == 0)
        return error_set(err, PF_USAGE, "%zu arms by %zu segments: there is nothing to count",
                         n_arms, n_segments);
    if (n_arms > ARMS_MAX_CELLS / n_segments)
        return error_set(err, PF_LIMIT, "%zu arms by %zu segments are more than %d cells",
                         n_arms, n_segments, ARMS_MAX_CELLS);
    const size_t cells = n_arms * n_segments;
    *a = (arms){.arms = n_arms,
                .segments = n_segments,
                .trials = mem_alloc_zero(cells, sizeof *a->trials),
                .answers = mem_alloc_zero(cells, sizeof *a->answers),
                .publish_every = ARMS_PUBLISH_EVERY};
    if (a->trials && a->answers) return PF_OK;
    arms_free(a);
    return error_set(err, PF_NO_MEMORY, "out of memory for %zu arms by %zu segments", n_arms,
                     n_segments);
}

void arms_free(arms *a)
{
    if (a == NULL) return;
    mem_free(a->trials);
    mem_free(a->answers);
    *a = (arms){0};
}

pf_status arms_add(arms *a, size_t arm, size_t segment, uint64_t trials, uint64_t answers,
                   pf_error *err)
{
    if (arm >= a->arms || segment >= a->segments)
        return error_set(err, PF_DATA, "there is no arm %zu in segment %zu", arm, segment);
    if (answers > trials)
        return error_set(err, PF_DATA, "arm %zu, segment %zu: more answers than trials", arm,
                         segment);
    const size_t cell = segment * a->arms + arm;
    if (trials > ARMS_MAX_TRIALS - a->trials[cell])
        return error_set(err, PF_DATA, "arm %zu, segment %zu: too many trials to count", arm,
                         segment);
    a->trials[cell] += trials;
    a->answers[cell] += answers;
    a->since = a->since + trials < a->since ? UINT64_MAX : a->since + trials;
    return PF_OK;
}

bool arms_due(const arms *a)
{
    return a->since >= a->publish_every;
}

/* --- shrinkage -------------------------------------------------------------------------- */

/* Of all cells, with half an answer and half a refusal added, so that it is neither 0 nor 1. */
static double rate_of_all(const arms *a)
{
    double trials = 1, answers = .5;
    for (size_t i = 0; i < a->arms * a->segments; i++) {
        trials += (double)a->trials[i];
        answers += (double)a->answers[i];
    }
    return answers / trials;
}

static double rate_of_arm(const arms *a, size_t arm, double strength, double all)
{
    double trials = strength, answers = strength * all;
    for (size_t s = 0; s < a->segments; s++) {
        trials += (double)a->trials[s * a->arms + arm];
        answers += (double)a->answers[s * a->arms + arm];
    }
    return answers / trials;
}

/* Rates of 0 and 1 to the last bit would leave a Beta without a shape. */
static arms_beta cell_posterior(const arms *a, size_t cell, double strength, double rate)
{
    const double answers = (double)a->answers[cell];
    const double others = (double)(a->trials[cell] - a->answers[cell]);
    return (arms_beta){fmax(answers + strength * rate, 1e-9),
                       fmax(others + strength * (1 - rate), 1e-9)};
}

/* log B(α, β); lgamma itself writes a global. */
static double log_beta(double answers, double others)
{
    int sign;
    return lgamma_r(answers, &sign) + lgamma_r(others, &sign) -
           lgamma_r(answers + others, &sign);
}

/* Log of the posterior of κ, but for what does not depend on it: the likelihood of all counts by a
 * density that falls as κ^(-3/2) (Gelman et al., equation 5.9); a rung of the ladder stands for a
 * stretch as long as κ itself. */
static double plausibility(const arms *a, double strength)
{
    const double all = rate_of_all(a);
    double sum = -.5 * log(strength);
    for (size_t arm = 0; arm < a->arms; arm++) {
        const double rate = rate_of_arm(a, arm, strength, all);
        const double prior = log_beta(strength * rate, strength * (1 - rate));
        for (size_t s = 0; s < a->segments; s++) {
            const arms_beta b = cell_posterior(a, s * a->arms + arm, strength, rate);
            sum += log_beta(b.answers, b.others) - prior;
        }
    }
    return sum;
}

/* The share of the posterior that rungs up to each one hold; returns the likeliest rung. */
static size_t ladder_shares(const arms *a, double upto[LADDER])
{
    double most = -INFINITY, sum = 0;
    size_t likeliest = 0;
    for (size_t k = 0; k < LADDER; k++) {
        upto[k] = plausibility(a, ldexp(1, (int)k));
        if (upto[k] <= most) continue;
        most = upto[k];
        likeliest = k;
    }
    for (size_t k = 0; k < LADDER; k++)
        upto[k] = sum += exp(upto[k] - most);
    for (size_t k = 0; k < LADDER; k++)
        upto[k] /= sum;
    return likeliest;
}

double arms_strength(const arms *a)
{
    double upto[LADDER];
    return ldexp(1, (int)ladder_shares(a, upto));
}

arms_beta arms_posterior(const arms *a, size_t arm, size_t segment, double strength)
{
    if (!(strength > 0)) strength = arms_strength(a);
    const double rate = rate_of_arm(a, arm, strength, rate_of_all(a));
    return cell_posterior(a, segment * a->arms + arm, strength, rate);
}

/* --- draws ------------------------------------------------------------------------------ */

/* Two gammas (Devroye, "Non-uniform random variate generation", 1986, section IX.4). Both may
 * vanish for the smallest shapes: then the mean decides, as it would in the limit. */
static double draw_rate(const arms_beta *b, random_stream *r)
{
    const double answers = random_gamma(r, b->answers), others = random_gamma(r, b->others);
    if (answers + others > 0) return answers / (answers + others);
    return random_unit(r) * (b->answers + b->others) < b->answers ? 1 : 0;
}

static void draw_rates(const arms *a, double strength, draws *d, size_t i)
{
    const double all = rate_of_all(a);
    for (size_t arm = 0; arm < a->arms; arm++) {
        const double rate = rate_of_arm(a, arm, strength, all);
        for (size_t s = 0; s < a->segments; s++) {
            const size_t cell = s * a->arms + arm;
            const arms_beta b = cell_posterior(a, cell, strength, rate);
            random_stream r = draws_stream(d, i, cell);
            d->value[i * d->width + cell] = draw_rate(&b, &r);
        }
    }
}

/* Strength 0: each draw has a rung of its own, so that doubt about κ is part of the draws. */
static double draw_strength(const draws *d, size_t i, const double upto[LADDER])
{
    random_stream r = draws_stream(d, i, d->width);
    const double u = random_unit(&r);
    size_t k = 0;
    while (k + 1 < LADDER && u >= upto[k])
        k++;
    return ldexp(1, (int)k);
}

pf_status arms_draw(arms *a, double strength, draws *d, pf_error *err)
{
    double upto[LADDER];
    if (d->width != a->arms * a->segments)
        return error_set(err, PF_USAGE, "draws of %zu numbers cannot hold %zu arms by %zu "
                         "segments", d->width, a->arms, a->segments);
    if (!(strength >= 0) || !isfinite(strength))
        return error_set(err, PF_USAGE, "the strength of shrinkage is 0 (from the counts) or "
                         "more, not %g", strength);
    if (strength == 0) (void)ladder_shares(a, upto);
    for (size_t i = 0; i < d->draws; i++)
        draw_rates(a, strength > 0 ? strength : draw_strength(d, i, upto), d, i);
    a->since = 0;
    return PF_OK;
}
