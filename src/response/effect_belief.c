/* The hierarchy of scales and its draws (response/effect_belief.h). */
#include "response/effect_belief.h"

#include <math.h>

#include "measure/distribution.h"

static const double pi = 3.14159265358979323846;
/* A kind of fewer rows on a side is not measured by itself. */
static const double least_of_kind = 100;
static const double least_error = 1e-9;

/* --- measuring ---------------------------------------------------------------------- */

static pf_status measure(effect_scale *s, const effect_rows *r, const double *top,
                         const double *bottom, unsigned kind, const uint8_t *use, pf_error *err)
{
    effect_ratio ratio;
    pf_status status = effect_ratio_of(&ratio, r, top, bottom, kind, use, err);
    if (status != PF_OK) return status;
    const double sent = (double)ratio.sent, others = (double)ratio.rows - sent;
    *s = (effect_scale){.raw = ratio.value, .error = ratio.error, .rows = (double)ratio.rows,
                        .sent = sent};
    const bool enough = kind == EFFECT_ALL_KINDS || (sent >= least_of_kind &&
                                                     others >= least_of_kind);
    if (!enough || !isfinite(s->raw) || !isfinite(s->error)) s->raw = s->error = NAN;
    else s->error = fmax(s->error, least_error);
    return PF_OK;
}

/* --- the hierarchy ------------------------------------------------------------------ */

static double square(double x)
{
    return x * x;
}

static double spread_between(const effect_belief *b)
{
    double w = 0, ww = 0, wb = 0, q = 0, n = 0;
    for (size_t k = 0; k < b->kinds; k++) {
        if (!isfinite(b->scale[k].raw)) continue;
        const double weight = 1 / square(b->scale[k].error);
        w += weight;
        ww += weight * weight;
        wb += weight * b->scale[k].raw;
        n++;
    }
    if (n < 2) return 0;
    for (size_t k = 0; k < b->kinds; k++)
        if (isfinite(b->scale[k].raw))
            q += square((b->scale[k].raw - wb / w) / b->scale[k].error);
    return sqrt(fmax(0, (q - (n - 1)) / (w - ww / w)));
}

/* From the kinds, each as far as it goes; from all rows together where no kind is measured. */
static void find_theta(effect_belief *b, const effect_prior *prior)
{
    double precision = isfinite(prior->deviation) ? 1 / square(prior->deviation) : 0;
    double sum = precision > 0 ? precision * prior->mean : 0;
    size_t measured = 0;
    for (size_t k = 0; k < b->kinds; k++) {
        if (!isfinite(b->scale[k].raw)) continue;
        const double weight = 1 / (square(b->scale[k].error) + square(b->between));
        precision += weight;
        sum += weight * b->scale[k].raw;
        measured++;
    }
    if (measured == 0 && isfinite(b->all.raw)) {
        precision += 1 / square(b->all.error);
        sum += b->all.raw / square(b->all.error);
    }
    b->mean = sum / precision;
    b->deviation = 1 / sqrt(precision);
}

static void find_scales(effect_belief *b)
{
    const double tau = b->between;
    for (size_t k = 0; k <= b->kinds; k++) {
        effect_scale *s = &b->scale[k];
        s->offset = 0;
        s->pull = 1;
        s->spread = tau;
        if (k == b->kinds || !(tau > 0) || !isfinite(s->raw)) continue;
        const double own = 1 / square(s->error), others = 1 / square(tau);
        s->offset = s->raw * own / (own + others);
        s->pull = others / (own + others);
        s->spread = 1 / sqrt(own + others);
    }
}

pf_status effect_belief_form(effect_belief *b, const effect_rows *r, const double *top,
                             const double *bottom, const uint8_t *use, const effect_prior *prior,
                             pf_error *err)
{
    *b = (effect_belief){.kinds = r->kinds.n};
    pf_status s = measure(&b->all, r, top, bottom, EFFECT_ALL_KINDS, use, err);
    for (size_t k = 0; s == PF_OK && k < b->kinds; k++)
        s = measure(&b->scale[k], r, top, bottom, (unsigned)k, use, err);
    if (s != PF_OK) return s;
    b->scale[b->kinds] = (effect_scale){.raw = NAN, .error = NAN};
    b->between = spread_between(b);
    if (!isfinite(b->all.raw) && !isfinite(prior->deviation))
        return error_set(err, PF_DATA, "too little was redeemed to tell what share of it is added, "
                         "and nothing is believed before: give a prior");
    find_theta(b, prior);
    find_scales(b);
    return PF_OK;
}

/* --- cut below 0 -------------------------------------------------------------------- */

typedef struct normal {
    double mean, deviation;
} normal;

static normal uncut(const effect_belief *b, size_t k)
{
    if (k > b->kinds) return (normal){b->mean, b->deviation};
    const effect_scale *s = &b->scale[k];
    return (normal){s->offset + s->pull * b->mean,
                    sqrt(square(s->spread) + square(s->pull * b->deviation))};
}

/* The value that has a share `above` of the cut distribution above it; by upper tails, which
 * lose no digits where nearly all was cut off. */
static double cut_value(normal n, double above)
{
    if (!(n.deviation > 0)) return fmax(0, n.mean);
    const double tail = above * normal_above(-n.mean / n.deviation);
    return tail > 0 ? fmax(0, n.mean - n.deviation * normal_quantile(tail)) : 0;
}

double effect_belief_quantile(const effect_belief *b, size_t k, double p)
{
    return cut_value(uncut(b, k), 1 - p);
}

/* Mean of a normal cut below 0 (Johnson, Kotz, Balakrishnan, "Continuous univariate
 * distributions" 1, 1994, section 13.10.1). */
static double cut_mean(normal n)
{
    if (!(n.deviation > 0)) return fmax(0, n.mean);
    const double from = -n.mean / n.deviation;
    if (from > 30) return n.deviation / from; /* the leading term */
    return n.mean + n.deviation * exp(-from * from / 2) / sqrt(2 * pi) / normal_above(from);
}

/* The wider a normal, the higher the mean of what is left of it above 0: of a kind that nothing is
 * known of, no more is believed than of all together. */
double effect_belief_mean(const effect_belief *b, size_t k)
{
    const double own = cut_mean(uncut(b, k));
    if (k > b->kinds || isfinite(b->scale[k].raw)) return own;
    return fmin(own, cut_mean(uncut(b, b->kinds + 1)));
}

/* All scales of a draw share theta; each is carried over to the cut distribution by its rank. */
void effect_belief_draw(const effect_belief *b, draws *d)
{
    const size_t width = b->kinds + 1;
    for (size_t i = 0; i < d->draws; i++) {
        random_stream common = draws_stream(d, i, width);
        const double theta = b->mean + b->deviation * random_normal(&common);
        for (size_t k = 0; k < width; k++) {
            random_stream own = draws_stream(d, i, k);
            const effect_scale *s = &b->scale[k];
            const normal n = uncut(b, k);
            const double x = s->offset + s->pull * theta + s->spread * random_normal(&own);
            const double mean = cut_mean(n);
            const double above = n.deviation > 0 ? normal_above((x - n.mean) / n.deviation) : 0.5;
            d->value[i * width + k] = mean > 0 ? cut_value(n, above) / mean : 1;
        }
    }
}
