/* Chances, expectations and what is measured with them (response/effect_measure.h). */
#include "response/effect_measure.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "response/regression.h"
#include "response/uplift_trial.h"

/* OFFERED: the features that `any` does not hold already. */
enum { FOLD_STREAM = 4, LEVELS = 2, OFFERED = EFFECT_FEATURES - EFFECT_SHOPPER_FEATURES };

/* Penalties of lines, per row: an effect is learnt from noise far larger than itself. */
static const double ridge_chance = 0.01, ridge_spend = 0.05, ridge_effect = 0.3;
/* The level of a campaign of few rows is that of all, so many rows strong. */
static const double level_rows = 20;
/* A bottom of a ratio must stand so many errors off 0. */
static const double told_apart = 3;

void effect_measure_free(effect_measure *m)
{
    mem_free(m->weight);
    mem_free(m->fold);
    *m = (effect_measure){.weight = NULL};
}

/* --- sheets: rows of a fold, laid out for lines ------------------------------------- */

typedef enum side { SIDE_BOTH, SIDE_SENT, SIDE_OTHERS } side;

typedef struct sheet {
    feature_rows rows;
    uint32_t *row; /* their numbers */
    float *x;
    double *y; /* for the caller to fill, and another as long behind */
} sheet;

static void sheet_free(sheet *s)
{
    mem_free(s->row);
    mem_free(s->x);
    mem_free(s->y);
    *s = (sheet){.x = NULL};
}

static bool is_on(const effect_rows *r, size_t i, side of)
{
    return of == SIDE_BOTH || (r->sent[i] != 0) == (of == SIDE_SENT);
}

/* extra [N x more] stands behind the features; inside: rows of the fold, else all others. */
static pf_status sheet_make(sheet *s, const effect_rows *r, const uint8_t *fold, int which,
                            bool inside, side of, const float *extra, size_t more, pf_error *err)
{
    const size_t width = OFFERED + r->wide + more;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += (fold[i] == which) == inside && is_on(r, i, of);
    *s = (sheet){.rows = {0, width, NULL}};
    s->row = mem_alloc(n + 1, sizeof *s->row);
    s->x = mem_alloc(n + 1, width * sizeof *s->x);
    s->y = mem_alloc(n + 1, 2 * sizeof *s->y);
    if (!s->row || !s->x || !s->y) {
        sheet_free(s);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    }
    for (size_t i = 0; i < r->n; i++) {
        if ((fold[i] == which) != inside || !is_on(r, i, of)) continue;
        float *x = s->x + s->rows.n * width;
        memcpy(x, r->narrow + i * EFFECT_FEATURES + EFFECT_SHOPPER_FEATURES, OFFERED * sizeof *x);
        memcpy(x + OFFERED, r->any + i * r->wide, r->wide * sizeof *x);
        memcpy(x + OFFERED + r->wide, extra + i * more, more * sizeof *x);
        s->row[s->rows.n++] = (uint32_t)i;
    }
    s->rows.x = s->x;
    return PF_OK;
}

static pf_status learn(regression *m, const sheet *s, regression_kind kind, double ridge,
                       pf_error *err)
{
    const regression_settings settings = {.base = REGRESSION_LINEAR, .ridge = ridge};
    if (s->rows.n == 0)
        return error_set(err, PF_DATA, "too few different shoppers were sent promotions, or were "
                         "not, to learn from some of them and measure on others");
    return regression_fit(m, &s->rows, s->y, kind, &settings, err);
}

/* --- folds in parallel -------------------------------------------------------------- */

typedef struct folding folding;
typedef pf_status fold_task(folding *k, int fold, pf_error *err);
struct folding {
    effect_rows *r;
    effect_measure *m;
    fold_task *task;
    double *unsent, *effect; /* [N] m and d of the head comment */
    pf_status status[EFFECT_FOLDS];
    pf_error error[EFFECT_FOLDS];
};

static void run_fold(void *context, size_t task, unsigned worker)
{
    folding *k = context;
    (void)worker;
    k->status[task] = k->task(k, (int)task, &k->error[task]);
}

static pf_status run_folds(folding *k, fold_task *task, pool *threads, pf_error *err)
{
    k->task = task;
    pool_run(threads, EFFECT_FOLDS, run_fold, k);
    for (int f = 0; f < EFFECT_FOLDS; f++)
        if (k->status[f] != PF_OK) {
            if (err != NULL) *err = k->error[f];
            return k->status[f];
        }
    return PF_OK;
}

/* --- chances ------------------------------------------------------------------------ */

/* Log-odds of the part of each campaign's rows outside the fold that were sent: extra [N]. */
static pf_status odds_of_units(const effect_rows *r, const uint8_t *fold, int which, float *extra,
                               pf_error *err)
{
    double *count = mem_alloc_zero(r->units + 1, 2 * sizeof *count);
    if (count == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu units", r->units);
    for (size_t i = 0; i < r->n; i++)
        if (fold[i] != which) count[2 * r->unit[i] + r->sent[i]]++;
    for (size_t i = 0; i < r->n; i++) {
        const double *c = count + 2 * r->unit[i];
        extra[i] = (float)log((c[1] + 0.5) / (c[0] + 0.5));
    }
    mem_free(count);
    return PF_OK;
}

static pf_status chances_of_fold(folding *k, int fold, pf_error *err)
{
    effect_rows *r = k->r;
    sheet from = {.x = NULL}, on = {.x = NULL};
    regression m = {.features = 0};
    float *extra = mem_alloc(r->n, sizeof *extra);
    pf_status s = extra ? odds_of_units(r, k->m->fold, fold, extra, err)
                        : error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    if (s == PF_OK)
        s = sheet_make(&from, r, k->m->fold, fold, false, SIDE_BOTH, extra, 1, err);
    if (s == PF_OK) s = sheet_make(&on, r, k->m->fold, fold, true, SIDE_BOTH, extra, 1, err);
    for (size_t i = 0; s == PF_OK && i < from.rows.n; i++)
        from.y[i] = r->sent[from.row[i]];
    if (s == PF_OK) s = learn(&m, &from, REGRESSION_CHANCE, ridge_chance, err);
    if (s == PF_OK) s = regression_expect(&m, &on.rows, on.y, err);
    for (size_t i = 0; s == PF_OK && i < on.rows.n; i++)
        k->r->chance[on.row[i]] = on.y[i];
    regression_free(&m);
    sheet_free(&from);
    sheet_free(&on);
    mem_free(extra);
    return s;
}

/* Rows that could hardly have been otherwise say nothing but by the model of chances. */
static pf_status keep_overlap(folding *k, pf_error *err)
{
    effect_rows *r = k->r;
    size_t to = 0;
    const size_t n = r->n;
    uint8_t *keep = mem_alloc(n, 1);
    if (keep == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        keep[i] = r->chance[i] >= EFFECT_OVERLAP && r->chance[i] <= 1 - EFFECT_OVERLAP;
        if (keep[i]) k->m->fold[to++] = k->m->fold[i];
    }
    effect_rows_keep(r, keep);
    r->left.unlike += n - r->n;
    mem_free(keep);
    const size_t sent = effect_rows_sent(r);
    if (sent >= EFFECT_LEAST_ROWS && r->n - sent >= EFFECT_LEAST_ROWS) return PF_OK;
    return error_set(err, PF_DATA, "those who were sent promotions and those who were not are too "
                     "unlike to compare (%zu and %zu of %zu have somebody like them on the other "
                     "side): keep a holdout", sent, r->n - sent, n);
}

/* --- expectations ------------------------------------------------------------------- */

typedef struct levels {
    double *spend, *before, *rows; /* [units], of unsent rows outside the fold */
    double ratio, usual;           /* spend over spend before; mean spend before */
} levels;

static pf_status levels_find(levels *l, const effect_rows *r, const uint8_t *fold, int which,
                             pf_error *err)
{
    double spend = 0, before = 0, n = 0;
    l->spend = mem_alloc_zero(r->units + 1, 3 * sizeof *l->spend);
    if (l->spend == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu units", r->units);
    l->before = l->spend + r->units;
    l->rows = l->before + r->units;
    for (size_t i = 0; i < r->n; i++) {
        if (fold[i] == which || r->sent[i]) continue;
        l->spend[r->unit[i]] += r->spend[i];
        l->before[r->unit[i]] += r->before[i];
        l->rows[r->unit[i]]++;
        spend += r->spend[i];
        before += r->before[i];
        n++;
    }
    l->ratio = before > 0 ? spend / before : 1;
    l->usual = n > 0 ? before / n : 0;
    return PF_OK;
}

/* What those not sent the campaign spent, and that times how much more the shopper spent before
 * than they did: two features of the outcome, scope and season within. */
static void levels_write(const levels *l, const effect_rows *r, float *extra)
{
    const double slack = 0.1 * l->usual + 1e-9;
    for (size_t i = 0; i < r->n; i++) {
        const uint32_t u = r->unit[i];
        const double before = (l->before[u] + level_rows * l->usual) / (l->rows[u] + level_rows);
        const double level =
            (l->spend[u] + level_rows * l->ratio * before) / (l->rows[u] + level_rows);
        extra[LEVELS * i] = (float)level;
        extra[LEVELS * i + 1] = (float)(level * (r->before[i] + slack) / (before + slack));
    }
}

/* out [N] at the rows of `on`. */
static pf_status say(const regression *m, const sheet *on, double *out, pf_error *err)
{
    pf_status s = regression_expect(m, &on->rows, on->y, err);
    for (size_t i = 0; s == PF_OK && i < on->rows.n; i++)
        out[on->row[i]] = on->y[i];
    return s;
}

/* Of those not sent it: what they spend. */
static pf_status learn_unsent(folding *k, regression *m, int fold, const float *extra,
                              pf_error *err)
{
    sheet from;
    pf_status s =
        sheet_make(&from, k->r, k->m->fold, fold, false, SIDE_OTHERS, extra, LEVELS, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < from.rows.n; i++)
        from.y[i] = k->r->spend[from.row[i]];
    s = learn(m, &from, REGRESSION_NUMBER, ridge_spend, err);
    sheet_free(&from);
    return s;
}

/* Of those sent it: what they spend beyond that, and what they redeem. */
static pf_status learn_sent(folding *k, regression *effect, regression *uses,
                            const regression *unsent, int fold, const float *extra, pf_error *err)
{
    sheet from;
    pf_status s = sheet_make(&from, k->r, k->m->fold, fold, false, SIDE_SENT, extra, LEVELS, err);
    if (s != PF_OK) return s;
    double *expected = from.y + from.rows.n + 1;
    s = regression_expect(unsent, &from.rows, expected, err);
    for (size_t i = 0; i < from.rows.n; i++)
        from.y[i] = k->r->spend[from.row[i]] - expected[i];
    if (s == PF_OK) s = learn(effect, &from, REGRESSION_NUMBER, ridge_effect, err);
    for (size_t i = 0; i < from.rows.n; i++)
        from.y[i] = k->r->redeemed[from.row[i]];
    if (s == PF_OK) s = learn(uses, &from, REGRESSION_AMOUNT, ridge_spend, err);
    sheet_free(&from);
    return s;
}

static pf_status expectations_of_fold(folding *k, int fold, pf_error *err)
{
    effect_rows *r = k->r;
    levels l = {.spend = NULL};
    sheet on = {.x = NULL};
    regression unsent = {.features = 0}, effect = unsent, uses = unsent;
    float *extra = mem_alloc(r->n, LEVELS * sizeof *extra);
    pf_status s = extra ? levels_find(&l, r, k->m->fold, fold, err)
                        : error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    if (s == PF_OK) {
        levels_write(&l, r, extra);
        s = learn_unsent(k, &unsent, fold, extra, err);
    }
    if (s == PF_OK) s = learn_sent(k, &effect, &uses, &unsent, fold, extra, err);
    if (s == PF_OK) s = sheet_make(&on, r, k->m->fold, fold, true, SIDE_BOTH, extra, LEVELS, err);
    if (s == PF_OK) s = say(&unsent, &on, k->unsent, err);
    if (s == PF_OK) s = say(&effect, &on, k->effect, err);
    if (s == PF_OK) s = say(&uses, &on, k->m->expected, err);
    regression_free(&unsent);
    regression_free(&effect);
    regression_free(&uses);
    sheet_free(&on);
    mem_free(l.spend);
    mem_free(extra);
    return s;
}

/* --- together ----------------------------------------------------------------------- */

static pf_status measure_new(effect_measure *m, size_t n, pf_error *err)
{
    *m = (effect_measure){.weight = mem_alloc_zero(n, 4 * sizeof(double)),
                          .fold = mem_alloc(n, 1)};
    if (m->weight == NULL || m->fold == NULL) {
        effect_measure_free(m);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    }
    m->gain = m->weight + n;
    m->use = m->gain + n;
    m->expected = m->use + n;
    return PF_OK;
}

static void put_together(folding *k)
{
    const effect_rows *r = k->r;
    effect_measure *m = k->m;
    double given = 0, redeemed = 0;
    for (size_t i = 0; i < r->n; i++) {
        const double e = r->chance[i], sent = r->sent[i], weight = e * (1 - e);
        const double beyond = r->spend[i] - k->unsent[i];
        m->weight[i] = weight;
        m->gain[i] = weight * k->effect[i] + sent * (1 - e) * (beyond - k->effect[i]) -
                     (1 - sent) * e * beyond;
        m->use[i] = weight * m->expected[i] + sent * (1 - e) * (r->redeemed[i] - m->expected[i]);
        given += sent * (1 - e) * r->given[i];
        redeemed += sent * (1 - e) * r->redeemed[i];
    }
    m->give = redeemed > 0 ? given / redeemed : 0;
}

pf_status effect_measure_make(effect_measure *m, effect_rows *r, pool *threads, uint64_t seed,
                              pf_error *err)
{
    const uplift_trial trial = {.n = r->n, .shopper = r->shopper};
    folding k = {.r = r, .m = m};
    pf_status s = measure_new(m, r->n, err);
    if (s != PF_OK) return s;
    uplift_trial_folds(&trial, seed, FOLD_STREAM, EFFECT_FOLDS, m->fold);
    if (!r->by_lot) {
        s = run_folds(&k, chances_of_fold, threads, err);
        if (s == PF_OK) s = keep_overlap(&k, err);
    }
    if (s == PF_OK) {
        k.unsent = mem_alloc(r->n, 2 * sizeof *k.unsent);
        if (k.unsent == NULL) s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    }
    if (s == PF_OK) {
        k.effect = k.unsent + r->n;
        s = run_folds(&k, expectations_of_fold, threads, err);
    }
    if (s == PF_OK) put_together(&k);
    mem_free(k.unsent);
    if (s != PF_OK) effect_measure_free(m);
    return s;
}

/* --- ratios ------------------------------------------------------------------------- */

static bool counts(const effect_rows *r, size_t i, unsigned kind, const uint8_t *use)
{
    return (kind == EFFECT_ALL_KINDS || r->kind[i] == kind) && (use == NULL || use[i]);
}

/* Standard error of a sum of what each shopper adds. */
static double error_of(const double *sum, const uint8_t *seen, size_t clusters, size_t n)
{
    double square = 0, total = 0;
    if (n < 2) return NAN;
    for (size_t c = 0; c < clusters; c++)
        total += sum[c];
    for (size_t c = 0; c < clusters; c++)
        if (seen[c]) square += (sum[c] - total / (double)n) * (sum[c] - total / (double)n);
    return sqrt(square * (double)n / (double)(n - 1));
}

static void sum_up(const effect_rows *r, const double *top, const double *bottom, double ratio,
                   unsigned kind, const uint8_t *use, double *sum)
{
    memset(sum, 0, r->clusters * sizeof *sum);
    for (size_t i = 0; i < r->n; i++)
        if (counts(r, i, kind, use)) sum[r->cluster[i]] += top[i] - ratio * bottom[i];
}

pf_status effect_ratio_of(effect_ratio *out, const effect_rows *r, const double *top,
                          const double *bottom, unsigned kind, const uint8_t *use, pf_error *err)
{
    double all = 0, below = 0;
    *out = (effect_ratio){.value = NAN, .error = NAN};
    double *sum = mem_alloc_zero(r->clusters + 1, sizeof *sum);
    uint8_t *seen = mem_alloc_zero(r->clusters + 1, 1);
    if (sum == NULL || seen == NULL) {
        mem_free(sum);
        mem_free(seen);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu shoppers", r->clusters);
    }
    for (size_t i = 0; i < r->n; i++) {
        if (!counts(r, i, kind, use)) continue;
        all += top[i];
        below += bottom[i];
        out->rows++;
        out->sent += r->sent[i];
        out->shoppers += !seen[r->cluster[i]];
        seen[r->cluster[i]] = 1;
    }
    sum_up(r, bottom, bottom, 0, kind, use, sum);
    if (below > told_apart * error_of(sum, seen, r->clusters, out->shoppers)) {
        sum_up(r, top, bottom, all / below, kind, use, sum);
        out->value = all / below;
        out->error = error_of(sum, seen, r->clusters, out->shoppers) / below;
    }
    mem_free(sum);
    mem_free(seen);
    return PF_OK;
}
