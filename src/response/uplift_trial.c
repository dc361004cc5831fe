/* Rows of a test (response/uplift_trial.h). */
#include "response/uplift_trial.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static const double clip = 3;

/* ---- what can be learnt from ---- */

static pf_status check_options(const uplift_trial *t, const uplift_model_options *o,
                               pf_error *err)
{
    const uint32_t known = (UINT32_C(1) << UPLIFT_KINDS) - 1;
    if ((o->consider & known) == 0 || (o->consider & ~known) != 0)
        return error_set(err, PF_USAGE, "no learner of effects is asked for, or one that is not");
    if (o->folds < 2 || o->folds > UPLIFT_MOST_FOLDS)
        return error_set(err, PF_USAGE, "%d folds are not between 2 and %d", o->folds,
                         UPLIFT_MOST_FOLDS);
    if (!(isfinite(o->margin) && isfinite(o->cost) && o->margin >= 0 && o->cost >= 0))
        return error_set(err, PF_USAGE, "a margin of %g and a cost of %g: neither may be below 0",
                         o->margin, o->cost);
    if (t->arms > 1 && o->metric == UPLIFT_BY_QINI)
        return error_set(err, PF_USAGE,
                         "between %zu arms there is no one order of shoppers: choose by value",
                         t->arms);
    return PF_OK;
}

static pf_status check_shape(const uplift_trial *t, pf_error *err)
{
    size_t cells = 0;
    const size_t width = 2 * t->features + 1 + t->attributes;
    if (t->arms == 0 || t->arms > UPLIFT_MOST_ARMS)
        return error_set(err, PF_LIMIT, "%zu arms; 1 to %d can be told apart", t->arms,
                         UPLIFT_MOST_ARMS);
    if (t->features == 0 || width > LINEAR_MAX_FEATURES)
        return error_set(err, PF_LIMIT,
                         "%zu features and %zu attributes of arms: twice the features and the "
                         "attributes may be %d together", t->features, t->attributes,
                         LINEAR_MAX_FEATURES - 1);
    if (t->arms > 1 && t->attributes == 0)
        return error_set(err, PF_USAGE, "%zu arms need attributes to be told apart", t->arms);
    if (!size_multiply(t->n, width * t->arms, &cells) || cells > UPLIFT_MOST_CELLS)
        return error_set(err, PF_LIMIT, "%zu rows of %zu features and %zu arms are too many",
                         t->n, t->features, t->arms);
    return PF_OK;
}

static pf_status check_row(const uplift_trial *t, size_t i, uplift_outcome outcome,
                           pf_error *err)
{
    const double y = (double)t->y[i];
    for (size_t f = 0; f < t->features; f++)
        if (!isfinite(t->x[i * t->features + f]))
            return error_set(err, PF_DATA, "feature %zu of row %zu is not a finite number", f, i);
    if (t->arm[i] > t->arms)
        return error_set(err, PF_DATA, "row %zu got arm %u of %zu", i, t->arm[i], t->arms);
    if (outcome == UPLIFT_CHANCE && y != 0 && y != 1)
        return error_set(err, PF_DATA, "the outcome of row %zu is %g: it must be 0 or 1", i, y);
    if (!isfinite(y) || y < 0)
        return error_set(err, PF_DATA, "the outcome of row %zu is %g: it must be an amount", i, y);
    if (t->propensity && !(t->propensity[i] > 0 && t->propensity[i] <= 1))
        return error_set(err, PF_DATA,
                         "the propensity of row %zu is %g: it must be above 0 and at most 1", i,
                         t->propensity[i]);
    return PF_OK;
}

static pf_status check_arms(const uplift_trial *t, pf_error *err)
{
    pf_status s = PF_OK;
    size_t *rows = mem_alloc_zero(t->arms + 1, sizeof *rows);
    if (rows == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu arms", t->arms);
    for (size_t i = 0; i < t->n; i++)
        rows[t->arm[i]]++;
    if (rows[0] == 0)
        s = error_set(err, PF_DATA, "every row was treated: without rows that were not there is "
                                    "nothing to compare; keep a holdout");
    for (size_t a = 1; s == PF_OK && a <= t->arms; a++)
        if (rows[a] == 0)
            s = error_set(err, PF_DATA, "arm %zu has no rows: leave it out of the test", a);
    mem_free(rows);
    return s;
}

pf_status uplift_trial_check(const uplift_trial *t, const uplift_model_options *o, pf_error *err)
{
    bool varied = false;
    pf_status s = check_options(t, o, err);
    if (s == PF_OK) s = check_shape(t, err);
    for (size_t i = 0; s == PF_OK && i < t->arms * t->attributes; i++)
        if (!isfinite(t->attribute[i]))
            s = error_set(err, PF_DATA, "attribute %zu of arm %zu is not a finite number",
                          i % t->attributes, i / t->attributes + 1);
    for (size_t i = 0; s == PF_OK && i < t->n; i++) {
        s = check_row(t, i, o->outcome, err);
        varied |= t->y[i] != t->y[0];
    }
    if (s == PF_OK) s = check_arms(t, err);
    if (s == PF_OK && !varied)
        s = error_set(err, PF_DATA, "all %zu outcomes are %g: there is no effect to learn", t->n,
                      (double)t->y[0]);
    return s;
}

/* ---- folds ---- */

void uplift_trial_folds(const uplift_trial *t, uint64_t seed, uint64_t stream, int folds,
                        uint8_t *fold)
{
    for (size_t i = 0; i < t->n; i++) {
        uint32_t words[4];
        random_block(seed, stream, t->shopper ? t->shopper[i] : i, words);
        fold[i] = (uint8_t)(words[0] % (uint32_t)folds);
    }
}

void uplift_part_free(uplift_part *p)
{
    mem_free(p->row);
    mem_free(p->x);
    mem_free(p->y);
    mem_free(p->arm);
    mem_free(p->shopper);
    mem_free(p->propensity);
    *p = (uplift_part){.row = NULL};
}

static bool part_room(uplift_part *p, const uplift_trial *t, size_t n)
{
    n = n ? n : 1;
    p->row = mem_alloc(n, sizeof *p->row);
    p->x = mem_alloc(n, t->features * sizeof *p->x);
    p->y = mem_alloc(n, sizeof *p->y);
    p->arm = mem_alloc(n, sizeof *p->arm);
    p->shopper = mem_alloc(n, sizeof *p->shopper);
    p->propensity = t->propensity ? mem_alloc(n, sizeof *p->propensity) : NULL;
    return p->row && p->x && p->y && p->arm && p->shopper && (p->propensity || !t->propensity);
}

static void part_add(uplift_part *p, const uplift_trial *t, size_t i)
{
    const size_t at = p->trial.n++, F = t->features;
    p->row[at] = (uint32_t)i;
    memcpy(p->x + at * F, t->x + i * F, F * sizeof *p->x);
    p->y[at] = t->y[i];
    p->arm[at] = t->arm[i];
    p->shopper[at] = t->shopper ? t->shopper[i] : (uint32_t)i;
    if (p->propensity) p->propensity[at] = t->propensity[i];
}

pf_status uplift_part_take(uplift_part *p, const uplift_trial *t, const uint8_t *fold, int which,
                           bool inside, pf_error *err)
{
    size_t n = 0;
    *p = (uplift_part){.row = NULL};
    for (size_t i = 0; i < t->n; i++)
        n += (fold[i] == which) == inside;
    if (!part_room(p, t, n)) {
        uplift_part_free(p);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    }
    p->trial = *t;
    p->trial.n = 0;
    for (size_t i = 0; i < t->n; i++)
        if ((fold[i] == which) == inside) part_add(p, t, i);
    p->trial.x = p->x;
    p->trial.y = p->y;
    p->trial.arm = p->arm;
    p->trial.shopper = p->shopper;
    p->trial.propensity = p->propensity;
    return PF_OK;
}

/* ---- scale ---- */

pf_status uplift_scale_new(uplift_scale *s, size_t features, size_t attributes, pf_error *err)
{
    const size_t n = features + attributes;
    *s = (uplift_scale){.features = features, .attributes = attributes};
    s->mean = mem_alloc_zero(2 * n, sizeof *s->mean);
    if (s->mean == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu features", n);
    s->scale = s->mean + n;
    return PF_OK;
}

void uplift_scale_free(uplift_scale *s)
{
    mem_free(s->mean);
    *s = (uplift_scale){.features = 0};
}

const float *uplift_trial_attribute(const uplift_trial *t, uint32_t arm)
{
    return arm == 0 || t->attributes == 0 ? NULL : t->attribute + (arm - 1) * t->attributes;
}

/* The raw value of column f: a feature, or an attribute of the row's arm. */
static double raw(const uplift_trial *t, size_t i, size_t f)
{
    if (f < t->features) return (double)t->x[i * t->features + f];
    return (double)uplift_trial_attribute(t, t->arm[i])[f - t->features];
}

static void scale_column(uplift_scale *s, const uplift_trial *t, size_t f)
{
    double sum = 0, square = 0, n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (f >= t->features && t->arm[i] == 0) continue;
        sum += raw(t, i, f);
        n++;
    }
    s->mean[f] = n > 0 ? sum / n : 0;
    for (size_t i = 0; i < t->n; i++) {
        if (f >= t->features && t->arm[i] == 0) continue;
        const double d = raw(t, i, f) - s->mean[f];
        square += d * d;
    }
    const double deviation = n > 0 ? sqrt(square / n) : 0;
    s->scale[f] = deviation > 1e-9 ? 1 / deviation : 0;
}

pf_status uplift_scale_fit(uplift_scale *s, const uplift_trial *t, pf_error *err)
{
    double treated = 0;
    pf_status status = uplift_scale_new(s, t->features, t->attributes, err);
    if (status != PF_OK) return status;
    for (size_t f = 0; f < t->features + t->attributes; f++)
        scale_column(s, t, f);
    for (size_t i = 0; i < t->n; i++)
        treated += t->arm[i] != 0;
    s->share = t->n > 0 ? treated / (double)t->n : 0;
    return PF_OK;
}

/* ---- layouts ---- */

size_t uplift_layout_width(const uplift_scale *s, uplift_layout how)
{
    const size_t plain = s->features + s->attributes;
    if (how == UPLIFT_LAYOUT_EFFECT) return plain;
    return how == UPLIFT_LAYOUT_TREES ? plain + 1 : plain + 1 + s->features;
}

static float scaled(const uplift_scale *s, size_t f, float x)
{
    const double z = ((double)x - s->mean[f]) * s->scale[f];
    return (float)fmin(clip, fmax(-clip, z));
}

void uplift_layout_row(const uplift_scale *s, uplift_layout how, const float *x,
                       const float *attribute, bool treated, float *out)
{
    const size_t F = s->features;
    const float moved = treated - (float)s->share;
    for (size_t f = 0; f < F; f++)
        out[f] = scaled(s, f, x[f]);
    float *next = out + F;
    if (how == UPLIFT_LAYOUT_TREES) *next++ = treated;
    if (how == UPLIFT_LAYOUT_LINES) {
        *next++ = moved;
        for (size_t f = 0; f < F; f++)
            *next++ = moved * out[f];
    }
    for (size_t g = 0; g < s->attributes; g++)
        *next++ = attribute ? scaled(s, F + g, attribute[g]) : 0;
}
