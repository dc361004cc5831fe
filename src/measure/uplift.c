/* Uplift metrics (measure/uplift.h). Rows are kept in three orders: by the score, and by what
 * the best possible Qini and uplift curves would sort by. */
#include "measure/uplift.h"

#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "measure/order.h"

typedef struct place {
    double y;
    uint32_t row;
    bool treated;
    bool last_of_tie;
} place;

enum { BY_SCORE, BEST_QINI, BEST_UPLIFT, ORDERS };

struct uplift_ranking {
    size_t n;
    place *order[ORDERS];
};

/* ---- sorting ---- */

static bool is_finite_all(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* Best first, of equal ones the later first. */
static pf_status sort_places(const double *by, const uint8_t *treated, const double *y, size_t n,
                             uint32_t *rows, place *out, pf_error *err)
{
    pf_status status = order_rows(by, n, ORDER_ASCENDING, rows, err);
    for (size_t i = 0; status == PF_OK && i < n; i++) {
        const uint32_t row = rows[n - 1 - i];
        out[i] = (place){.y = y[row],
                         .row = row,
                         .treated = treated[row] != 0,
                         .last_of_tie = i + 1 == n || by[row] != by[rows[n - 2 - i]]};
    }
    return status;
}

/* The order that no score can beat: whom treatment can only have helped first, whom it can only
 * have harmed last. */
static void best_qini(const uint8_t *treated, const double *y, size_t n, double *by)
{
    for (size_t i = 0; i < n; i++)
        by[i] = treated[i] ? y[i] : -y[i];
}

static void best_uplift(const uint8_t *treated, const double *y, size_t n, double *by)
{
    size_t helped_without = 0, not_helped = 0;
    for (size_t i = 0; i < n; i++) {
        helped_without += y[i] == 1.0 && !treated[i];
        not_helped += y[i] == 0.0 && treated[i];
    }
    const bool by_outcome = helped_without > not_helped;
    for (size_t i = 0; i < n; i++)
        by[i] = 2.0 * (y[i] == (double)(treated[i] != 0)) +
                (by_outcome ? y[i] : (double)(treated[i] != 0));
}

static pf_status fill(uplift_ranking *r, const double *score, const uint8_t *treated,
                      const double *y, uint32_t *rows, double *by, pf_error *err)
{
    pf_status status = sort_places(score, treated, y, r->n, rows, r->order[BY_SCORE], err);
    best_qini(treated, y, r->n, by);
    if (status == PF_OK)
        status = sort_places(by, treated, y, r->n, rows, r->order[BEST_QINI], err);
    best_uplift(treated, y, r->n, by);
    if (status == PF_OK)
        status = sort_places(by, treated, y, r->n, rows, r->order[BEST_UPLIFT], err);
    return status;
}

static uplift_ranking *ranking_room(size_t n)
{
    uplift_ranking *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL) return NULL;
    r->n = n;
    for (int o = 0; o < ORDERS; o++) {
        r->order[o] = mem_alloc(n ? n : 1, sizeof *r->order[o]);
        if (r->order[o] == NULL) {
            uplift_ranking_free(r);
            return NULL;
        }
    }
    return r;
}

pf_status uplift_ranking_new(uplift_ranking **out, const double *score, const uint8_t *treated,
                             const double *y, size_t n, pf_error *err)
{
    *out = NULL;
    if (!is_finite_all(score, n))
        return error_set(err, PF_DATA, "a score is not a finite number");
    if (!is_finite_all(y, n))
        return error_set(err, PF_DATA, "an outcome is not a finite number");
    uplift_ranking *r = ranking_room(n);
    uint32_t *rows = mem_alloc(n ? n : 1, sizeof *rows);
    double *by = mem_alloc(n ? n : 1, sizeof *by);
    pf_status status = r && rows && by
                           ? fill(r, score, treated, y, rows, by, err)
                           : error_set(err, PF_NO_MEMORY, "no memory to rank %zu rows", n);
    mem_free(rows);
    mem_free(by);
    if (status == PF_OK)
        *out = r;
    else
        uplift_ranking_free(r);
    return status;
}

void uplift_ranking_free(uplift_ranking *r)
{
    if (r == NULL) return;
    for (int o = 0; o < ORDERS; o++)
        mem_free(r->order[o]);
    mem_free(r);
}

/* ---- curves ---- */

/* Rows and sums of outcomes so far; [1] of the treated. */
typedef struct totals {
    double rows[2], y[2];
} totals;

static void add_place(totals *t, const place *p, const double *w)
{
    const double weight = w ? w[p->row] : 1.0;
    t->rows[p->treated] += weight;
    t->y[p->treated] += weight * p->y;
}

static double over(double a, double b)
{
    return b != 0.0 ? a / b : 0.0;
}

static double all_rows(const totals *t)
{
    return t->rows[0] + t->rows[1];
}

static double curve_value(uplift_curve which, const totals *t)
{
    if (which == UPLIFT_QINI) return t->y[1] - t->y[0] * over(t->rows[1], t->rows[0]);
    return (over(t->y[1], t->rows[1]) - over(t->y[0], t->rows[0])) * all_rows(t);
}

/* Area under a curve by trapezoids, and its last point. */
static double area_under(const place *p, size_t n, uplift_curve which, const double *w,
                         uplift_point *end)
{
    totals t = {0};
    double area = 0.0;
    *end = (uplift_point){0, 0};
    for (size_t i = 0; i < n; i++) {
        add_place(&t, &p[i], w);
        if (!p[i].last_of_tie) continue;
        const uplift_point now = {all_rows(&t), curve_value(which, &t)};
        area += 0.5 * (now.value + end->value) * (now.rows - end->rows);
        *end = now;
    }
    return area;
}

static bool has_both_arms(const uplift_ranking *r, const double *w)
{
    totals t = {0};
    for (size_t i = 0; i < r->n; i++)
        add_place(&t, &r->order[BY_SCORE][i], w);
    return t.rows[0] > 0.0 && t.rows[1] > 0.0;
}

/* The area above the diagonal, as a share of the best possible one. */
static double normalised(const uplift_ranking *r, uplift_curve which, const double *w)
{
    uplift_point end;
    if (!has_both_arms(r, w)) return NAN;
    const place *best = r->order[which == UPLIFT_QINI ? BEST_QINI : BEST_UPLIFT];
    const double perfect = area_under(best, r->n, which, w, &end);
    const double chance = 0.5 * end.rows * end.value;
    const double found = area_under(r->order[BY_SCORE], r->n, which, w, &end);
    return perfect > chance ? (found - chance) / (perfect - chance) : NAN;
}

double uplift_qini_auc(const uplift_ranking *r, const double *w)
{
    return normalised(r, UPLIFT_QINI, w);
}

double uplift_auc(const uplift_ranking *r, const double *w)
{
    return normalised(r, UPLIFT_CUMULATIVE, w);
}

size_t uplift_curve_points(const uplift_ranking *r, uplift_curve which, const double *w,
                           uplift_point *out, size_t most)
{
    const place *p = r->order[BY_SCORE];
    totals t = {0};
    size_t n = 1;
    if (most > 0) out[0] = (uplift_point){0, 0};
    for (size_t i = 0; i < r->n; i++) {
        add_place(&t, &p[i], w);
        if (!p[i].last_of_tie) continue;
        if (n < most) out[n] = (uplift_point){all_rows(&t), curve_value(which, &t)};
        n++;
    }
    return n;
}

/* ---- the best share ---- */

/* Adds the best `most[arm]` rows of each arm, of the best `all` together; of a row that stands for
 * several, those that still find room. */
static totals best_rows(const uplift_ranking *r, const double *w, const double most[2], double all)
{
    totals t = {0};
    for (size_t i = 0; i < r->n && all > 0.0; i++) {
        const place *p = &r->order[BY_SCORE][i];
        const double weight = fmin(w ? w[p->row] : 1.0, all);
        const double taken = fmin(weight, most[p->treated] - t.rows[p->treated]);
        t.rows[p->treated] += taken;
        t.y[p->treated] += taken * p->y;
        all -= weight;
    }
    return t;
}

double uplift_at(const uplift_ranking *r, const double *w, double share, uplift_share_of of)
{
    totals whole = {0};
    if (!(share > 0.0 && share <= 1.0)) return NAN;
    for (size_t i = 0; i < r->n; i++)
        add_place(&whole, &r->order[BY_SCORE][i], w);
    double arm[2] = {whole.rows[0], whole.rows[1]}, all = all_rows(&whole);
    if (of == UPLIFT_OVERALL)
        all = floor(all * share);
    else
        for (int a = 0; a < 2; a++)
            arm[a] = floor(arm[a] * share);
    const totals t = best_rows(r, w, arm, all);
    if (t.rows[0] == 0.0 || t.rows[1] == 0.0) return NAN;
    return t.y[1] / t.rows[1] - t.y[0] / t.rows[0];
}
