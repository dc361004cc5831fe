/* Shoppers at the margin and what they would do; see allocate_margin.h. */
#include "decide/allocate_margin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decide/allocate_dual.h"

enum { SAMPLE = 20000, NEAR_LEAST = 50, NEAR_PART = 25 };
#define RIDGE 1e-7      /* added to a diagonal of ones */
#define ALONE 0.99      /* share of the unit that must be of use */
#define NONE SIZE_MAX   /* no option */
#define GAP_LEAST 1e-12 /* of the mean value: below it all are the same */

/* Caps that bind, numbered 0 .. n - 1 for the matrices. */
typedef struct marginal {
    dual d;
    const allocate_problem *p;
    uint32_t n;
    uint32_t *number;  /* [M] among those that bind; MARGIN_NONE */
    double *j;         /* [n * n], later its factor */
    double *by_arm;    /* [A * n] sum of w v over moves into the arm less those out of it */
    double *v;         /* [n] scratch */
    double *scale;     /* [n] 1 / sqrt of J's diagonal */
    double *x, *there; /* [n] scratch: d, and J d */
    double *kept;      /* [n * n] J as it was */
    size_t *near;      /* [n] */
    double reach;      /* gaps up to this are near */
    double *block;     /* owns the doubles */
} marginal;

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "out of memory for a margin");
}

/* --- moves ------------------------------------------------------------------------ */

typedef void visit_gap(marginal *g, size_t out, size_t in, double gap);

/* What a shopper would have to give up to take option o: NONE, a pick, or o itself when
 * that is a pick. */
static size_t in_the_way(const allocate_problem *p, const dual_pick *picks, uint32_t n,
                         uint32_t most, size_t o)
{
    for (uint32_t k = 0; k < n; k++)
        if (picks[k].option == o || p->group == NULL ||
            p->group[picks[k].option] == p->group[o])
            return picks[k].option;
    return n < most ? NONE : picks[n - 1].option;
}

static void visit_gaps(marginal *g, size_t s, visit_gap *visit)
{
    const allocate_problem *p = g->p;
    dual_pick picks[LIMIT_SHOPPER_PICKS];
    uint32_t most = p->picks != NULL ? p->picks[s] : 1;
    uint32_t n = dual_pick_best(&g->d, s, picks);
    if (most == 0) return;
    for (uint32_t k = 0; k < n; k++)
        if (picks[k].gain <= g->reach) visit(g, picks[k].option, NONE, picks[k].gain);
    for (size_t o = p->first[s]; o < p->first[s + 1]; o++) {
        double gain = p->value[o] > 0 ? dual_gain(&g->d, o) : -INFINITY;
        size_t out = gain > -INFINITY ? in_the_way(p, picks, n, most, o) : o;
        if (out == o) continue;
        double gap = (out != NONE ? dual_gain(&g->d, out) : 0) - gain;
        if (gap <= g->reach) visit(g, out, o, gap > 0 ? gap : 0);
    }
}

/* --- how near is near --------------------------------------------------------------- */

/* The least gap seen; in x[0] while the reach is looked for. */
static void keep_least(marginal *g, size_t out, size_t in, double gap)
{
    (void)out;
    (void)in;
    g->x[0] = fmin(g->x[0], gap);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean_value(const allocate_problem *p)
{
    double sum = 0;
    size_t n = p->first[p->n_shoppers];
    for (size_t o = 0; o < n; o++)
        sum += fabs(p->value[o]);
    return n > 0 ? sum / (double)n : 0;
}

/* The gap that the nearest 4 % of all shoppers stay below, among a sample of them. */
static pf_status find_reach(marginal *g, pf_error *err)
{
    size_t all = g->p->n_shoppers, stride = all / SAMPLE + 1, n = 0;
    double *gaps = mem_alloc(all / stride + 1, sizeof *gaps);
    if (gaps == NULL) return no_memory(err);
    g->reach = INFINITY;
    for (size_t s = 0; s < all; s += stride) {
        g->x[0] = INFINITY;
        visit_gaps(g, s, keep_least);
        if (g->x[0] < INFINITY) gaps[n++] = g->x[0];
    }
    qsort(gaps, n, sizeof *gaps, by_size);
    size_t near = n / NEAR_PART > NEAR_LEAST ? n / NEAR_PART : NEAR_LEAST;
    g->reach = n > 0 ? gaps[near < n ? near : n - 1] : 0;
    g->reach = fmax(g->reach, GAP_LEAST * mean_value(g->p));
    mem_free(gaps);
    return PF_OK;
}

/* --- the matrix --------------------------------------------------------------------- */

static void add_draw(marginal *g, size_t o, double sign)
{
    const allocate_problem *p = g->p;
    if (o == NONE) return;
    for (uint32_t i = p->arm_first[p->arm[o]]; i < p->arm_first[p->arm[o] + 1]; i++) {
        uint32_t m = p->arm_caps[i], k = g->number[m];
        if (k == MARGIN_NONE) continue;
        g->v[k] += sign * (p->caps[m].measure == CAP_COST    ? p->cost[o]
                           : p->caps[m].measure == CAP_COUNT ? 1
                                                             : p->redemptions[o]);
    }
}

/* Moves within reach have the density one by it; each is seen from one of its sides, so
 * twice as many are seen as stand on one: w = 1 / (2 reach). The factor is left out: it
 * makes d longer and made moves no different. */
static void add_move(marginal *g, size_t out, size_t in, double gap)
{
    (void)gap;
    memset(g->v, 0, g->n * sizeof *g->v);
    add_draw(g, out, -1);
    add_draw(g, in, 1);
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->v[i] == 0) continue;
        g->near[i]++;
        if (in != NONE) g->by_arm[g->p->arm[in] * (size_t)g->n + i] += g->v[i];
        if (out != NONE) g->by_arm[g->p->arm[out] * (size_t)g->n + i] -= g->v[i];
        for (uint32_t k = 0; k < g->n; k++)
            g->j[i * (size_t)g->n + k] += g->v[i] * g->v[k];
    }
}

/* Cholesky's factor of the scaled matrix, in the lower half of j; J itself stays in
 * kept, scaled. */
static void factor(marginal *g)
{
    size_t n = g->n;
    for (size_t i = 0; i < n; i++)
        g->scale[i] = g->j[i * n + i] > 0 ? 1 / sqrt(g->j[i * n + i]) : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            g->kept[i * n + k] = g->scale[i] * g->scale[k] * g->j[i * n + k];
    memcpy(g->j, g->kept, n * n * sizeof *g->j);
    for (size_t i = 0; i < n; i++) {
        g->j[i * n + i] = 1 + RIDGE;
        for (size_t k = 0; k <= i; k++) {
            double sum = g->j[i * n + k];
            for (size_t l = 0; l < k; l++)
                sum -= g->j[i * n + l] * g->j[k * n + l];
            g->j[i * n + k] = k < i ? sum / g->j[k * n + k] : sqrt(fmax(sum, RIDGE * RIDGE));
        }
    }
}

/* x = the scaled d for one more unit (scaled, too) of cap m; there = J d. */
static void answer_for(marginal *g, uint32_t m)
{
    size_t n = g->n;
    memset(g->x, 0, n * sizeof *g->x);
    g->x[m] = 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            g->x[i] -= g->j[i * n + k] * g->x[k];
        g->x[i] /= g->j[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            g->x[i] -= g->j[k * n + i] * g->x[k];
        g->x[i] /= g->j[i * n + i];
    }
    for (size_t i = 0; i < n; i++) {
        g->there[i] = 0;
        for (size_t k = 0; k < n; k++)
            g->there[i] += g->kept[i * n + k] * g->x[k];
    }
}

/* --- the answer --------------------------------------------------------------------- */

/* The cap that moves with m although it should not: the two bind together. */
static uint32_t most_beside(const marginal *g, uint32_t m)
{
    uint32_t most = MARGIN_NONE;
    double amount = 1e-3;
    for (uint32_t other = 0; other < g->p->n_caps; other++) {
        uint32_t k = g->number[other];
        if (k == MARGIN_NONE || other == m || !(fabs(g->there[k]) > amount)) continue;
        amount = fabs(g->there[k]);
        most = other;
    }
    return most;
}

static void fill_cap(marginal *g, uint32_t m, margin_cap *cap)
{
    uint32_t k = g->number[m];
    if (k == MARGIN_NONE) return;
    cap->near = g->near[k];
    answer_for(g, k);
    cap->alone = g->there[k] > ALONE;
    if (!cap->alone) {
        cap->beside = most_beside(g, m);
        return;
    }
    double most = 0;
    for (uint32_t a = 0; a < g->p->n_arms; a++) {
        double sum = 0;
        for (uint32_t i = 0; i < g->n; i++)
            sum += g->by_arm[a * (size_t)g->n + i] * g->scale[i] * g->x[i];
        cap->takers[a] = sum * g->scale[k];
        if (cap->takers[a] > most) {
            most = cap->takers[a];
            cap->arm = a;
        }
    }
}

static pf_status marginal_alloc(marginal *g, const allocate_result *r, pf_error *err)
{
    g->number = mem_alloc((size_t)g->p->n_caps + 1, sizeof *g->number);
    if (g->number == NULL) return no_memory(err);
    for (uint32_t m = 0; m < g->p->n_caps; m++)
        g->number[m] = r->prices[m] > 0 ? g->n++ : MARGIN_NONE;
    if (g->n > LIMIT_MARGIN_CAPS)
        return error_set(err, PF_LIMIT, "margin: %u caps bind, at most %u", g->n,
                         LIMIT_MARGIN_CAPS);
    size_t arms = (size_t)g->p->n_arms * g->n;
    g->block = mem_alloc_zero(2 * (size_t)g->n * g->n + arms + 4 * (size_t)g->n + 1,
                              sizeof *g->block);
    g->near = mem_alloc_zero((size_t)g->n + 1, sizeof *g->near);
    if (g->block == NULL || g->near == NULL) return no_memory(err);
    g->j = g->block;
    g->kept = g->j + (size_t)g->n * g->n;
    g->by_arm = g->kept + (size_t)g->n * g->n;
    g->v = g->by_arm + arms;
    g->scale = g->v + g->n;
    g->there = g->scale + g->n;
    g->x = g->there + g->n; /* n + 1 */
    return PF_OK;
}

static pf_status margin_new(const allocate_problem *p, const allocate_result *r,
                            allocate_margin *out, pf_error *err)
{
    *out = (allocate_margin){.n_caps = p->n_caps, .n_arms = p->n_arms};
    size_t cells = 0;
    bool fits = size_multiply((size_t)p->n_caps + 1, (size_t)p->n_arms + 1, &cells);
    out->caps = mem_alloc_zero((size_t)p->n_caps + 1, sizeof *out->caps);
    out->takers = fits ? mem_alloc_zero(cells, sizeof *out->takers) : NULL;
    if (out->caps == NULL || out->takers == NULL) {
        allocate_margin_free(out);
        return no_memory(err);
    }
    for (uint32_t m = 0; m < p->n_caps; m++)
        out->caps[m] = (margin_cap){.worth = r->prices[m],
                                    .beside = MARGIN_NONE,
                                    .arm = MARGIN_NONE,
                                    .takers = out->takers + (size_t)m * p->n_arms};
    return PF_OK;
}

pf_status allocate_margin_of(const allocate_problem *p, const allocate_result *r,
                             allocate_margin *out, pf_error *err)
{
    marginal g = {.p = p};
    pf_status s = margin_new(p, r, out, err);
    if (s != PF_OK) return s;
    s = dual_new(&g.d, p, NULL, err);
    if (s == PF_OK) s = marginal_alloc(&g, r, err);
    if (s == PF_OK) dual_set_prices(&g.d, r->prices);
    if (s == PF_OK && g.n > 0) s = find_reach(&g, err);
    if (s == PF_OK && g.n > 0) {
        for (size_t i = 0; i < p->n_shoppers; i++)
            visit_gaps(&g, i, add_move);
        factor(&g);
        for (uint32_t m = 0; m < p->n_caps; m++)
            fill_cap(&g, m, &out->caps[m]);
    }
    if (s != PF_OK) allocate_margin_free(out);
    dual_free(&g.d);
    mem_free(g.number);
    mem_free(g.near);
    mem_free(g.block);
    return s;
}

void allocate_margin_free(allocate_margin *out)
{
    mem_free(out->caps);
    mem_free(out->takers);
    *out = (allocate_margin){.caps = NULL};
}

/* --- for people --------------------------------------------------------------------- */

static void print_name(const char *const *names, const char *kind, uint32_t i, buffer *into)
{
    if (names != NULL)
        buffer_printf(into, "%s", names[i]);
    else
        buffer_printf(into, "%s %u", kind, i);
}

static void print_takers(const allocate_margin *margin, const margin_cap *c,
                         const char *const *arms, buffer *into)
{
    for (uint32_t a = 0; a < margin->n_arms; a++) {
        if (fabs(c->takers[a]) < 0.1 * c->takers[c->arm]) continue;
        buffer_printf(into, ", %.3g %s ", fabs(c->takers[a]),
                      c->takers[a] > 0 ? "more of" : "fewer of");
        print_name(arms, "arm", a, into);
    }
}

void allocate_margin_print(const allocate_margin *margin, const char *const *names,
                           const char *const *arms, buffer *into)
{
    for (uint32_t m = 0; m < margin->n_caps; m++) {
        const margin_cap *c = &margin->caps[m];
        if (!(c->worth > 0)) continue;
        buffer_printf(into, "one more of ");
        print_name(names, "cap", m, into);
        buffer_printf(into, ": worth %.4g%s", c->worth, c->alone ? "" : " at most");
        if (c->alone && c->arm != MARGIN_NONE) print_takers(margin, c, arms, into);
        if (!c->alone && c->beside != MARGIN_NONE) {
            buffer_printf(into, ", and only together with ");
            print_name(names, "cap", c->beside, into);
        }
        buffer_printf(into, " (%zu choices at the margin)\n", c->near);
    }
}
