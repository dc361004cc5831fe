/*
 * Fitting and applying the raw learners. The ridge of the logistic grows with the rows (as
 * if each feature's weight had been seen to be zero in a fifth of them): campaigns differ
 * more than shoppers do, so more rows of the same few campaigns do not prove as much. That
 * of `which` is a fixed prior.
 */
#include "response/learners.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double any_ridge = 0.2;
static const double which_prior = 100;
/* Of a feature's spread over all rows, beside its spread within the shopper. */
static const double floor_share = 0.3;

void learners_free(learners *l)
{
    linear_free(&l->logistic);
    boosted_free(&l->trees);
    linear_free(&l->which);
    *l = (learners){.has_logistic = false};
}

/* --- rows of several groups ------------------------------------------------------- */

/* Rows with their outcomes, owned; `start` where they compete. */
typedef struct taught {
    size_t F;
    float *x;
    uint8_t *y;
    size_t *start;
    size_t n, groups;
} taught;

static void free_taught(taught *t)
{
    mem_free(t->x);
    mem_free(t->y);
    mem_free(t->start);
}

static bool take_any(const response_data *d, int64_t until_us, taught *t)
{
    size_t n = 0;
    t->F = d->width.any;
    for (size_t i = 0; i < d->n; i++)
        n += data_known(&d->group[i], until_us) ? d->group[i].n_shoppers : 0;
    t->x = mem_alloc(n + 1, t->F * sizeof *t->x);
    t->y = mem_alloc(n + 1, 1);
    if (t->x == NULL || t->y == NULL)
        return false;
    for (size_t i = 0; i < d->n; i++) {
        const data_group *g = &d->group[i];
        if (!data_known(g, until_us))
            continue;
        memcpy(t->x + t->n * t->F, g->rows.any,
               g->n_shoppers * t->F * sizeof *t->x);
        memcpy(t->y + t->n, g->answered, g->n_shoppers);
        t->n += g->n_shoppers;
    }
    return true;
}

/* One group a shopper who used something where there was a choice. */
static bool is_choice(const data_group *g, size_t i)
{
    size_t used = 0;
    for (size_t k = 0; k < g->n_promotions; k++)
        used += g->used[i * g->n_promotions + k];
    return used > 0 && used < g->n_promotions;
}

static void count_choices(const response_data *d, int64_t until_us, size_t *groups,
                          size_t *rows)
{
    *groups = *rows = 0;
    for (size_t j = 0; j < d->n; j++) {
        const data_group *g = &d->group[j];
        for (size_t i = 0; data_known(g, until_us) && i < g->n_shoppers; i++)
            if (g->answered[i] && is_choice(g, i)) {
                *groups += 1;
                *rows += g->n_promotions;
            }
    }
}

static void take_choice(const data_group *g, size_t i, taught *t)
{
    size_t P = g->n_promotions;
    which_centre(g->rows.which + i * P * t->F, P, t->F, t->x + t->n * t->F);
    memcpy(t->y + t->n, g->used + i * P, P);
    t->n += P;
    t->start[++t->groups] = t->n;
}

/* Centred rows. */
static bool take_which(const response_data *d, int64_t until_us, taught *t)
{
    size_t groups, rows;
    t->F = d->width.which;
    count_choices(d, until_us, &groups, &rows);
    t->x = mem_alloc(rows + 1, t->F * sizeof *t->x);
    t->y = mem_alloc(rows + 1, 1);
    t->start = mem_alloc_zero(groups + 1, sizeof *t->start);
    if (t->x == NULL || t->y == NULL || t->start == NULL)
        return false;
    for (size_t j = 0; j < d->n; j++) {
        const data_group *g = &d->group[j];
        for (size_t i = 0; data_known(g, until_us) && i < g->n_shoppers; i++)
            if (g->answered[i] && is_choice(g, i))
                take_choice(g, i, t);
    }
    return true;
}

/* --- fitting ---------------------------------------------------------------------- */

static pf_status fit_any(learners *l, const taught *t, const learners_want *want,
                         pf_error *err)
{
    feature_rows rows = {t->n, t->F, t->x};
    pf_status s = PF_OK;
    if (want->logistic) {
        linear_options o = linear_options_default();
        o.ridge = any_ridge;
        s = linear_fit_logistic(&l->logistic, &rows, t->y, NULL, &o, err);
        l->has_logistic = s == PF_OK;
    }
    if (s == PF_OK && want->trees) {
        boosted_options o = boosted_options_default();
        o.seed = (uint32_t)want->seed;
        o.threads = want->threads;
        s = boosted_fit(&l->trees, &rows, t->y, NULL, 0, &o, err);
        l->has_trees = s == PF_OK;
    }
    return s;
}

static void find_floor(learners *l, const taught *t)
{
    for (size_t f = 0; f < t->F; f++) {
        double square = 0;
        for (size_t i = 0; i < t->n; i++) {
            double x = (double)t->x[i * t->F + f];
            square += x * x;
        }
        l->floor[f] = floor_share * sqrt(square / (double)t->n);
    }
}

static void scale_all(const learners *l, taught *t)
{
    for (size_t g = 0; g < t->groups; g++) {
        float *x = t->x + t->start[g] * t->F;
        which_scale(x, t->start[g + 1] - t->start[g], t->F, l->floor, x);
    }
}

/* The prior's weight is fixed; linear_options wants it a unit of weight. */
static linear_options which_options(const taught *t)
{
    linear_options o = linear_options_default();
    double total = 0;
    for (size_t g = 0; g < t->groups; g++) {
        size_t used = 0;
        for (size_t i = t->start[g]; i < t->start[g + 1]; i++)
            used += t->y[i];
        total += pow((double)used, o.alpha);
    }
    o.clip = 0;
    o.ridge = which_prior / total;
    return o;
}

/* Clears the columns whose weight is below zero; false when there is none. */
static bool drop_negative(const linear_model *m, taught *t)
{
    bool dropped = false;
    for (size_t f = 0; f < t->F; f++) {
        if (!(m->weight[f] < 0))
            continue;
        dropped = true;
        for (size_t i = 0; i < t->n; i++)
            t->x[i * t->F + f] = 0;
    }
    return dropped;
}

static pf_status fit_which(learners *l, taught *t, pf_error *err)
{
    if (t->groups == 0)
        return PF_OK;
    feature_rows rows = {t->n, t->F, t->x};
    linear_options o = which_options(t);
    find_floor(l, t);
    scale_all(l, t);
    pf_status s = linear_fit_choice(&l->which, &rows, t->y, t->start, t->groups, &o, err);
    while (s == PF_OK && drop_negative(&l->which, t)) {
        linear_free(&l->which);
        s = linear_fit_choice(&l->which, &rows, t->y, t->start, t->groups, &o, err);
    }
    l->has_which = s == PF_OK;
    return s;
}

double learners_uses(const learners *l, size_t P)
{
    return 1 + l->uses_growth * log((double)P);
}

/* Says which of its conditions the past does not meet. */
static pf_status nothing_known(const response_data *d, pf_error *err)
{
    size_t early = 0;
    for (size_t i = 0; i < d->n; i++)
        early += !d->group[i].teaches;
    if (d->n == 0)
        return error_set(err, PF_DATA,
                         "no campaign to learn from: none was shown to shoppers after "
                         "purchases began. Import exposure events of past campaigns, and "
                         "the purchases before them");
    return error_set(err, PF_DATA,
                     "no campaign to learn from: of %zu that were shown to shoppers, %zu "
                     "began less than %d days after the first purchase and %zu had not "
                     "ended by then. Import older purchases and campaigns, or wait",
                     d->n, early, DATA_HISTORY_DAYS, d->n - early);
}

static pf_status count_known(learners *l, const response_data *d, int64_t until_us,
                             pf_error *err)
{
    double more = 0, room = 0;
    for (size_t i = 0; i < d->n; i++) {
        const data_group *g = &d->group[i];
        if (!data_known(g, until_us))
            continue;
        l->groups++;
        l->rows += g->n_shoppers;
        l->answers += g->n_answered;
        more += fmax((double)g->n_used - (double)g->n_answered, 0);
        room += (double)g->n_answered * log((double)g->n_promotions);
    }
    l->uses_growth = room > 0 ? more / room : 0;
    if (l->groups == 0)
        return nothing_known(d, err);
    if (l->answers == 0 || l->answers == l->rows)
        return error_set(err, PF_DATA,
                         "nothing to learn: %s of %zu shoppers used a promotion of the %zu "
                         "campaigns that had ended by then", l->answers ? "all" : "none",
                         l->rows, l->groups);
    return PF_OK;
}

pf_status learners_fit(learners *l, const response_data *d, int64_t until_us,
                       const learners_want *want, pf_error *err)
{
    taught any = {0}, which = {0};
    *l = (learners){.width = d->width};
    pf_status s = count_known(l, d, until_us, err);
    if (s == PF_OK && (!take_any(d, until_us, &any) || !take_which(d, until_us, &which)))
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", l->rows);
    if (s == PF_OK)
        s = fit_any(l, &any, want, err);
    if (s == PF_OK)
        s = fit_which(l, &which, err);
    free_taught(&any);
    free_taught(&which);
    if (s != PF_OK)
        learners_free(l);
    return s;
}

/* --- any -------------------------------------------------------------------------- */

void learners_logistic(const learners *l, const float *any, size_t n, float *p)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (float)linear_probability(&l->logistic, any + i * l->width.any);
}

pf_status learners_trees(const learners *l, const float *any, size_t n, float *p,
                         pf_error *err)
{
    feature_rows rows = {n, l->width.any, any};
    pf_status s = n > 0 ? boosted_score(&l->trees, &rows, p, err) : PF_OK;
    for (size_t i = 0; s == PF_OK && i < n; i++)
        p[i] = (float)(1 / (1 + exp(-(double)p[i])));
    return s;
}

/* --- which ------------------------------------------------------------------------ */

void which_centre(const float *raw, size_t n, size_t F, float *out)
{
    for (size_t f = 0; f < F; f++) {
        double mean = 0;
        for (size_t k = 0; k < n; k++)
            mean += (double)raw[k * F + f];
        mean /= (double)n;
        for (size_t k = 0; k < n; k++) {
            size_t at = k * F + f;
            out[at] = (float)((double)raw[at] - mean);
        }
    }
}

void which_scale(const float *centred, size_t n, size_t F, const double *floor_of, float *out)
{
    for (size_t f = 0; f < F; f++) {
        double square = 0;
        for (size_t k = 0; k < n; k++) {
            double x = (double)centred[k * F + f];
            square += x * x;
        }
        double spread = sqrt(square / (double)n) + floor_of[f];
        for (size_t k = 0; k < n; k++) {
            size_t at = k * F + f;
            out[at] = spread > 0 ? (float)((double)centred[at] / spread) : 0;
        }
    }
}

static void softmax(float *score, size_t n)
{
    double largest = -INFINITY, sum = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, (double)score[k]);
    for (size_t k = 0; k < n; k++)
        sum += exp((double)score[k] - largest);
    for (size_t k = 0; k < n; k++)
        score[k] = (float)(exp((double)score[k] - largest) / sum);
}

void learners_which(const learners *l, const float *which, size_t n, float *scratch,
                    float *order, float *share)
{
    for (size_t k = 0; k < n; k++)
        order[k] = 0;
    if (l->has_which) {
        which_centre(which, n, l->width.which, scratch);
        which_scale(scratch, n, l->width.which, l->floor, scratch);
        for (size_t k = 0; k < n; k++)
            order[k] = (float)linear_score(&l->which, scratch + k * l->width.which);
    }
    memcpy(share, order, n * sizeof *share);
    softmax(share, n);
}
