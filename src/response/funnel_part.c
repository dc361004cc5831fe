/* One step of the funnel: how it is learnt, chosen and judged (response/funnel.h). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "measure/classification.h"
#include "response/funnel_inner.h"

/* CHOICE_*: rows and answers below which there is no choice of a learner. */
enum { LEAST_ANSWERS = 10, CHOICE_ROWS = 500, CHOICE_ANSWERS = 50, JUDGE_ANSWERS = 20,
       ECE_BINS = 10 };

/* The penalty of a line: so much a row, and as much as so many rows together. */
static const double ridge_row = 0.002, ridge_rows = 10;
static const double clip = 1e-6;

void funnel_part_free(funnel_part *p)
{
    regression_free(&p->learner);
    *p = (funnel_part){.known = false};
}

/* --- a learner ---------------------------------------------------------------------- */

typedef struct lesson {
    const funnel_rows *r;
    funnel_step step;
    int threads;
    uint64_t seed;
} lesson;

static double rate_of(size_t answers, size_t n)
{
    return ((double)answers + 0.5) / ((double)n + 1);
}

static size_t answers_of(const lesson *l, size_t n)
{
    size_t answers = 0;
    for (size_t i = 0; i < n; i++)
        answers += l->r->pair[i].took[l->step];
    return answers;
}

static bool teaches(size_t answers, size_t n)
{
    return answers >= LEAST_ANSWERS && n - answers >= LEAST_ANSWERS;
}

static bool is_trees(funnel_way way)
{
    return way == FUNNEL_TREES || way == FUNNEL_TREES_PLATT;
}

/* On the first n rows. */
static pf_status fit(funnel_part *p, const lesson *l, size_t n, funnel_way way, pf_error *err)
{
    const feature_rows rows = {n, FUNNEL_FEATURES, l->r->x};
    regression_settings o = {.base = is_trees(way) ? REGRESSION_TREES : REGRESSION_LINEAR,
                             .ridge = ridge_row + ridge_rows / (double)(n + 1),
                             .trees = boosted_options_default()};
    o.trees.threads = l->threads;
    o.trees.seed = (uint32_t)l->seed;
    p->answers = answers_of(l, n);
    p->rate = rate_of(p->answers, n);
    p->way = teaches(p->answers, n) ? way : FUNNEL_RATE;
    if (p->way == FUNNEL_RATE) return PF_OK;
    double *y = mem_alloc(n, sizeof *y);
    if (y == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu messages", n);
    for (size_t i = 0; i < n; i++)
        y[i] = l->r->pair[i].took[l->step];
    pf_status s = regression_fit(&p->learner, &rows, y, REGRESSION_CHANCE, &o, err);
    mem_free(y);
    return s;
}

static double kept(double p)
{
    return fmin(1 - clip, fmax(clip, p));
}

static double odds_of(double p)
{
    return log(kept(p) / (1 - kept(p)));
}

pf_status funnel_part_expect(const funnel_part *p, const float *x, size_t n, double *expected,
                             pf_error *err)
{
    const feature_rows rows = {n, FUNNEL_FEATURES, x};
    if (p->way == FUNNEL_RATE) {
        for (size_t i = 0; i < n; i++)
            expected[i] = p->rate;
        return PF_OK;
    }
    pf_status s = regression_expect(&p->learner, &rows, expected, err);
    for (size_t i = 0; s == PF_OK && i < n; i++)
        expected[i] = kept(p->has_platt ? platt_apply(&p->curve, odds_of(expected[i]))
                                        : expected[i]);
    return s;
}

/* --- the choice --------------------------------------------------------------------- */

/* Rows from..to, later than those that a learner was fitted on, and what it says of them. */
typedef struct trial {
    size_t from, to;
    double *said[FUNNEL_WAYS]; /* [to - from] */
    uint8_t *y;
    double *memory;
} trial;

static void trial_free(trial *t)
{
    mem_free(t->memory);
    mem_free(t->y);
    *t = (trial){.y = NULL};
}

/* Shoppers are parted, so that a curve is judged on others than it was drawn by. */
static bool draws_curve(const funnel_pair *p)
{
    return p->shopper % 2 == 0;
}

/* Platt's curve through the odds said, by all rows, or by half of the shoppers. */
static bool find_curve(platt *curve, const trial *t, const lesson *l, const double *said, bool all,
                       double *scratch)
{
    const size_t n = t->to - t->from;
    double *weight = scratch + n, answers = 0, others = 0;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = odds_of(said[i]);
        weight[i] = all || draws_curve(&l->r->pair[t->from + i]);
        *(t->y[i] ? &answers : &others) += weight[i];
    }
    if (answers < LEAST_ANSWERS || others < LEAST_ANSWERS) return false;
    return platt_fit(curve, scratch, t->y, weight, n, NULL) == PF_OK && curve->slope > 0;
}

static double loss_of(double p, uint8_t y)
{
    return -log(kept(y ? p : 1 - p));
}

/* The mean loss of way b less that of a, and its error by shopper; rows of the judging half. */
static void compare(const trial *t, const lesson *l, funnel_way a, funnel_way b, double *by,
                    size_t shoppers, double *mean, double *error)
{
    double sum = 0, n = 0, squares = 0;
    memset(by, 0, (2 * (shoppers + 1)) * sizeof *by);
    for (size_t i = 0; i < t->to - t->from; i++) {
        const funnel_pair *p = &l->r->pair[t->from + i];
        if (draws_curve(p)) continue;
        const double off = loss_of(t->said[b][i], t->y[i]) - loss_of(t->said[a][i], t->y[i]);
        by[2 * p->shopper] += off;
        by[2 * p->shopper + 1]++;
        sum += off;
        n++;
    }
    *mean = n > 0 ? sum / n : 0;
    for (size_t k = 0; k <= shoppers; k++) {
        const double rest = by[2 * k] - *mean * by[2 * k + 1];
        squares += rest * rest;
    }
    *error = n > 0 ? sqrt(squares) / n : 0;
}

static double mean_loss(const trial *t, const lesson *l, const double *said)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < t->to - t->from; i++) {
        if (draws_curve(&l->r->pair[t->from + i])) continue;
        sum += loss_of(said[i], t->y[i]);
        n++;
    }
    return n > 0 ? sum / n : NAN;
}

/* The simplest way that is not behind the best by more than a standard error. */
static pf_status pick(funnel_part *p, const trial *t, const lesson *l, pf_error *err)
{
    uint32_t shoppers = 0;
    funnel_way best = FUNNEL_LINE;
    for (size_t i = t->from; i < t->to; i++)
        if (l->r->pair[i].shopper > shoppers) shoppers = l->r->pair[i].shopper;
    double *by = mem_alloc((size_t)shoppers + 1, 2 * sizeof *by);
    if (by == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %u shoppers", shoppers);
    for (int way = 0; way < FUNNEL_WAYS; way++) {
        p->log_loss[way] = t->said[way] != NULL ? mean_loss(t, l, t->said[way]) : NAN;
        if (p->log_loss[way] < p->log_loss[best]) best = (funnel_way)way;
    }
    for (int way = 0; way < (int)best; way++) {
        double behind, error;
        if (t->said[way] == NULL) continue;
        compare(t, l, best, (funnel_way)way, by, shoppers, &behind, &error);
        if (behind <= error) best = (funnel_way)way;
    }
    p->way = best;
    mem_free(by);
    return PF_OK;
}

/* Straight and through a curve. */
static pf_status try_way(trial *t, const lesson *l, size_t n, funnel_way way, double *scratch,
                         double *said, pf_error *err)
{
    funnel_part own = {.known = true};
    platt curve;
    const size_t rows = t->to - t->from;
    pf_status s = fit(&own, l, n, way, err);
    if (s == PF_OK)
        s = funnel_part_expect(&own, l->r->x + t->from * FUNNEL_FEATURES, rows, said, err);
    funnel_part_free(&own);
    if (s != PF_OK) return s;
    t->said[way] = said;
    if (!find_curve(&curve, t, l, said, false, scratch)) return PF_OK;
    t->said[way + 1] = said + rows;
    for (size_t i = 0; i < rows; i++)
        said[rows + i] = platt_apply(&curve, odds_of(said[i]));
    return PF_OK;
}

/* The first row of the latest part, and how many rows were over before it. */
static size_t cut_at(const funnel_rows *r, size_t n, double part, size_t *over)
{
    size_t cut = (size_t)((double)n * (1 - part)), ended = 0;
    while (cut > 0 && cut < n && r->pair[cut - 1].day_us == r->pair[cut].day_us)
        cut--;
    const int64_t window_us = FUNNEL_WINDOW_DAYS * US_PER_DAY;
    while (cut < n && ended < cut && r->pair[ended].day_us + US_PER_DAY + window_us <=
                                         r->pair[cut].day_us)
        ended++;
    *over = ended;
    return cut;
}

/* Whether the half that judges holds enough of both. */
static bool can_judge(const lesson *l, const trial *t)
{
    size_t answers = 0, n = 0;
    for (size_t i = t->from; i < t->to; i++) {
        if (draws_curve(&l->r->pair[i])) continue;
        answers += l->r->pair[i].took[l->step];
        n++;
    }
    return answers >= JUDGE_ANSWERS && n - answers >= JUDGE_ANSWERS;
}

/* Chooses on the later fifth of the first n rows, and draws the curve there. */
static pf_status choose(funnel_part *p, const lesson *l, size_t n, pf_error *err)
{
    size_t over;
    trial t = {.from = cut_at(l->r, n, 0.2, &over), .to = n};
    const size_t rows = n - t.from, answers = answers_of(l, over);
    p->way = FUNNEL_LINE;
    for (int way = 0; way < FUNNEL_WAYS; way++)
        p->log_loss[way] = NAN;
    if (over < CHOICE_ROWS || answers < CHOICE_ANSWERS || over - answers < CHOICE_ANSWERS ||
        !can_judge(l, &t))
        return PF_OK;
    pf_status s = PF_OK;
    t.memory = mem_alloc(rows, (FUNNEL_WAYS + 2) * sizeof *t.memory);
    t.y = mem_alloc(rows, 1);
    if (t.memory == NULL || t.y == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu messages", rows);
    for (size_t i = 0; s == PF_OK && i < rows; i++)
        t.y[i] = l->r->pair[t.from + i].took[l->step];
    double *scratch = t.memory + FUNNEL_WAYS * rows;
    for (int way = FUNNEL_LINE; s == PF_OK && way < FUNNEL_WAYS; way += 2)
        s = try_way(&t, l, over, (funnel_way)way, scratch, t.memory + (size_t)way * rows, err);
    if (s == PF_OK) s = pick(p, &t, l, err);
    if (s == PF_OK && (p->way == FUNNEL_LINE_PLATT || p->way == FUNNEL_TREES_PLATT))
        p->has_platt = find_curve(&p->curve, &t, l, t.said[p->way - 1], true, scratch);
    trial_free(&t);
    return s;
}

/* --- figures ------------------------------------------------------------------------ */

static pf_status measure(funnel_figures *f, const double *said, const uint8_t *y, size_t n,
                         pf_error *err)
{
    reliability_bin bins[ECE_BINS];
    pf_status s = measure_roc_auc(said, y, NULL, n, &f->auc, err);
    if (s == PF_OK) s = reliability_of(said, y, n, ECE_BINS, bins, err);
    if (s != PF_OK) return s;
    f->log_loss = measure_log_loss(said, y, NULL, n, clip);
    f->ece = reliability_ece(bins, ECE_BINS);
    f->sum_ratio = calibration_sum_ratio(said, y, n);
    return PF_OK;
}

/* Learner and curve are those of rows that were over before the first that is judged. */
static pf_status judge_late(funnel_figures *f, const lesson *l, pf_error *err)
{
    size_t over, n = l->r->n;
    const size_t cut = cut_at(l->r, n, 0.1, &over), rows = n - cut;
    funnel_part own = {.known = true};
    *f = (funnel_figures){.rows = rows, .auc = NAN, .log_loss = NAN, .ece = NAN,
                          .sum_ratio = NAN};
    f->answers = answers_of(l, n) - answers_of(l, cut);
    if (rows == 0 || over < FUNNEL_LEAST_ROWS) return PF_OK;
    double *said = mem_alloc(rows, sizeof *said);
    uint8_t *y = mem_alloc(rows, 1);
    pf_status s = said && y ? PF_OK : error_set(err, PF_NO_MEMORY, "no memory for %zu messages",
                                                rows);
    for (size_t i = 0; s == PF_OK && i < rows; i++)
        y[i] = l->r->pair[cut + i].took[l->step];
    if (s == PF_OK) s = choose(&own, l, over, err);
    if (s == PF_OK) s = fit(&own, l, over, own.way, err);
    if (s == PF_OK)
        s = funnel_part_expect(&own, l->r->x + cut * FUNNEL_FEATURES, rows, said, err);
    if (s == PF_OK) s = measure(f, said, y, rows, err);
    funnel_part_free(&own);
    mem_free(said);
    mem_free(y);
    return s;
}

pf_status funnel_part_learn(funnel_part *p, const funnel_rows *r, funnel_step step, int threads,
                            uint64_t seed, pf_error *err)
{
    const lesson l = {r, step, threads, seed};
    *p = (funnel_part){.known = answers_of(&l, r->n) > 0};
    if (!p->known) return PF_OK;
    pf_status s = choose(p, &l, r->n, err);
    if (s == PF_OK) s = fit(p, &l, r->n, p->way, err);
    if (s == PF_OK) s = judge_late(&p->figures, &l, err);
    if (s != PF_OK) funnel_part_free(p);
    return s;
}
