/* The proximal bundle method; see bundle.h for the problem solved at each step. */
#include "decide/bundle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    CUTS_LEAST = 24, /* kept at least; beyond n + this, unused ones go */
    CUTS_MOST = 160,
    INNER_STEPS = 4000, /* pairwise steps a master problem */
    LONGER_TRIES = 4    /* longer steps tried before a small promise is believed */
};
#define SERIOUS 0.1     /* share of the promise that moves the centre */
#define INNER_SHARE 0.2 /* the master is solved to this share of the promise */

/* Cuts are rows of g [m x n]; cut i at y is c[i] + g_i.y. A variable that starts at 0 and
 * along which no cut has ever fallen stays at 0: only the others, `live`, are worked on. */
typedef struct bundle {
    size_t n, m, capacity;
    size_t *live, n_live;    /* [n] numbers of the variables that may leave 0 */
    double *c, *weight, *at; /* [capacity]; at: value of the cut at the trial point */
    double *g;               /* [capacity * n] */
    double *centre, *trial, *gradient, *sum; /* [n]; sum: weighted sum of the g_i */
    double *block;                           /* owns all of the above */
    double centre_value, t;
} bundle;

bundle_options bundle_options_default(void)
{
    return (bundle_options){.maximum_calls = 400, .tolerance = 1e-9};
}

static int compare_numbers(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static bool bundle_alloc(bundle *b, size_t n)
{
    size_t rows = n + CUTS_LEAST < CUTS_MOST ? n + CUTS_LEAST : CUTS_MOST, total = 0,
           rest = 0;
    *b = (bundle){.n = n, .capacity = rows};
    if (!size_multiply(rows, n, &total) || !size_multiply(n, 4, &rest) ||
        !size_add(total, rest, &total) || !size_add(total, 3 * rows, &total))
        return false;
    b->block = mem_alloc_zero(total, sizeof *b->block);
    if (b->block == NULL) return false;
    b->g = b->block;
    b->c = b->g + rows * n;
    b->weight = b->c + rows;
    b->at = b->weight + rows;
    b->centre = b->at + rows;
    b->trial = b->centre + n;
    b->gradient = b->trial + n;
    b->sum = b->gradient + n;
    b->live = mem_alloc_zero(n, sizeof *b->live);
    return b->live != NULL;
}

static void bundle_free(bundle *b)
{
    mem_free(b->block);
    mem_free(b->live);
}

/* Variables along which the newest gradient falls come alive. */
static void enliven(bundle *b)
{
    size_t old = b->n_live, at = 0;
    for (size_t k = 0; k < b->n; k++) {
        if (at < old && b->live[at] == k) {
            at++;
        } else if (b->gradient[k] < 0 || b->centre[k] > 0) {
            b->live[b->n_live++] = k;
        }
    }
    qsort(b->live, b->n_live, sizeof *b->live, compare_numbers);
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double *cut(const bundle *b, size_t i)
{
    return b->g + i * b->n;
}

/* --- the master problem ----------------------------------------------------------- */

/* A product over the live variables; elsewhere the trial point is 0. */
static double live_dot(const bundle *b, const double *g, const double *y)
{
    double sum = 0;
    for (size_t j = 0; j < b->n_live; j++)
        sum += g[b->live[j]] * y[b->live[j]];
    return sum;
}

/* From weights to the trial point: y = max(0, centre - t * sum). */
static void place_trial(bundle *b)
{
    for (size_t j = 0; j < b->n_live; j++) {
        size_t k = b->live[j];
        double y = b->centre[k] - b->t * b->sum[k];
        b->trial[k] = y > 0 ? y : 0;
    }
    for (size_t i = 0; i < b->m; i++)
        b->at[i] = b->c[i] + live_dot(b, cut(b, i), b->trial);
}

static void add_up(bundle *b)
{
    memset(b->sum, 0, b->n * sizeof *b->sum);
    for (size_t i = 0; i < b->m; i++)
        for (size_t k = 0; k < b->n && b->weight[i] > 0; k++)
            b->sum[k] += b->weight[i] * cut(b, i)[k];
}

/* Moves weight from the lowest used cut to the highest one. The dual's curvature along the
 * move is at most t |g_up - g_down|^2 (less where y is held at 0), so the step is safe. */
static void move_weight(bundle *b, size_t up, size_t down)
{
    const double *gu = cut(b, up), *gd = cut(b, down);
    double curvature = 0;
    for (size_t j = 0; j < b->n_live; j++) {
        size_t k = b->live[j];
        /* Variables that stay at zero on both sides of a small move do not bend. */
        bool held = b->trial[k] <= 0 && b->centre[k] - b->t * b->sum[k] < 0;
        curvature += held ? 0 : (gu[k] - gd[k]) * (gu[k] - gd[k]);
    }
    double step = b->weight[down], gain = b->at[up] - b->at[down];
    if (curvature > 0 && gain < b->t * curvature * step) step = gain / (b->t * curvature);
    b->weight[up] += step;
    b->weight[down] -= step;
    if (b->weight[down] < 1e-15) {
        b->weight[up] += b->weight[down];
        b->weight[down] = 0;
    }
    for (size_t j = 0; j < b->n_live; j++)
        b->sum[b->live[j]] += step * (gu[b->live[j]] - gd[b->live[j]]);
}

/* Sets trial and weights. *promised is how far the model at the trial point lies below
 * the centre's value; *open is how far the model's highest cut lies above the weighted
 * mean of all cuts, which is below the function everywhere: promised + open bounds what
 * is still to be had within reach of t. */
static void solve_master(bundle *b, double enough, double *promised, double *open)
{
    add_up(b);
    for (unsigned step = 0; step < INNER_STEPS; step++) {
        place_trial(b);
        size_t up = 0, down = b->m;
        double mean = 0;
        for (size_t i = 0; i < b->m; i++) {
            if (b->at[i] > b->at[up]) up = i;
            mean += b->weight[i] * b->at[i];
            if (b->weight[i] > 0 && (down == b->m || b->at[i] < b->at[down])) down = i;
        }
        *promised = b->centre_value - b->at[up];
        *open = b->at[up] - mean;
        if (*open <= INNER_SHARE * *promised || *open <= 0.1 * enough || up == down)
            break;
        move_weight(b, up, down);
    }
}

/* --- the cuts --------------------------------------------------------------------- */

static size_t least_weight(const bundle *b)
{
    size_t least = 0;
    for (size_t i = 1; i < b->m; i++)
        if (b->weight[i] < b->weight[least]) least = i;
    return least;
}

/* A place for a new cut. When all are in use, the least two become one: the weighted mean
 * of all takes the place of one of them, which keeps the method convergent. */
static size_t free_place(bundle *b)
{
    if (b->m < b->capacity) return b->m++;
    size_t place = least_weight(b);
    if (b->weight[place] <= 0) return place;
    double mean = 0;
    for (size_t i = 0; i < b->m; i++)
        mean += b->weight[i] * b->c[i];
    add_up(b);
    memcpy(cut(b, place), b->sum, b->n * sizeof *b->sum);
    b->c[place] = mean;
    memset(b->weight, 0, b->m * sizeof *b->weight);
    b->weight[place] = 1;
    return least_weight(b);
}

static void add_cut(bundle *b, double value, const double *at)
{
    enliven(b);
    size_t place = free_place(b);
    memcpy(cut(b, place), b->gradient, b->n * sizeof *b->gradient);
    b->c[place] = value - dot(b->gradient, at, b->n);
    b->weight[place] = b->m == 1 ? 1 : 0;
}

/* --- the method ------------------------------------------------------------------- */

/* A first step that would halve the value if the function were as steep all the way. */
static double first_step(const bundle *b, double wanted)
{
    double steep = dot(b->gradient, b->gradient, b->n);
    if (wanted > 0) return wanted;
    return steep > 0 ? 0.5 * (fabs(b->centre_value) + 1e-300) / steep : 1;
}

/* Takes the oracle's answer at the trial point: moves the centre or only adds the cut. */
static void take_answer(bundle *b, double value, double promised)
{
    double gained = b->centre_value - value;
    double error = b->centre_value - (value + dot(b->gradient, b->centre, b->n) -
                                      dot(b->gradient, b->trial, b->n));
    add_cut(b, value, b->trial);
    if (gained >= SERIOUS * promised) {
        memcpy(b->centre, b->trial, b->n * sizeof *b->centre);
        b->centre_value = value;
        if (gained >= 0.5 * promised) b->t *= 2;
    } else if (error > 2 * promised && gained < 0) {
        b->t *= 0.6;
    }
}

static void iterate(bundle *b, bundle_oracle *oracle, void *context,
                    const bundle_options *o, bundle_result *out)
{
    unsigned tries = 0;
    double open = 0;
    while (out->calls < o->maximum_calls) {
        double enough = o->tolerance * fabs(b->centre_value);
        solve_master(b, enough, &out->promised, &open);
        if (out->promised + open <= enough) {
            /* A short step promises little everywhere: only a long one that still
             * promises nothing says that the centre is the minimum. */
            if (++tries > LONGER_TRIES) break;
            b->t *= 10;
            continue;
        }
        if (out->promised <= 0.01 * open) { /* too long a step for the inner steps */
            if (tries > 0) break;
            b->t *= 0.1;
            continue;
        }
        tries = 0;
        double value = oracle(context, b->trial, b->gradient);
        out->calls++;
        take_answer(b, value, out->promised);
    }
    if (out->promised < 0) out->promised = 0;
}

pf_status bundle_minimise(bundle_oracle *oracle, void *context, size_t n, double *x,
                          const bundle_options *options, bundle_result *out,
                          pf_error *err)
{
    bundle b;
    *out = (bundle_result){.calls = 1};
    if (!bundle_alloc(&b, n)) {
        bundle_free(&b);
        return error_set(err, PF_NO_MEMORY, "out of memory for prices");
    }
    memcpy(b.centre, x, n * sizeof *x);
    b.centre_value = oracle(context, b.centre, b.gradient);
    b.t = first_step(&b, options->step);
    add_cut(&b, b.centre_value, b.centre);
    iterate(&b, oracle, context, options, out);
    memcpy(x, b.centre, n * sizeof *x);
    out->value = b.centre_value;
    bundle_free(&b);
    return PF_OK;
}
