/* See spend.h. */
#include "response/spend.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Of a leaf, in the second derivatives of each loss: those of spend are larger. */
static const double least_of_amounts = 50, least_of_purchases = 20;

spend_options spend_options_default(void)
{
    return (spend_options){.whole = true,
                           .parts = true,
                           .depths = 2,
                           .depth = {3, 4},
                           .trees = {.rounds = 200, .eta = .05, .lambda = 1, .subsample = .7,
                                     .column_sample = .7, .seed = 1}};
}

void spend_free(spend_model *m)
{
    for (size_t d = 0; d < SPEND_MOST_DEPTHS; d++) {
        boosted_free(&m->whole[d]);
        boosted_free(&m->purchases[d]);
        boosted_free(&m->each[d]);
    }
    *m = (spend_model){.features = 0};
}

/* --- rows of those who bought ----------------------------------------------------- */

typedef struct buyers {
    size_t n;
    float *x, *each, *purchases;
} buyers;

static void buyers_free(buyers *b)
{
    mem_free(b->x);
    mem_free(b->each);
    mem_free(b->purchases);
    *b = (buyers){.n = 0};
}

/* A buyer who paid nothing has no size of a purchase and is left out. */
static void buyers_fill(buyers *b, const feature_rows *rows, const float *spend,
                        const float *purchases)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (!(spend[i] > 0)) continue;
        memcpy(b->x + n * rows->features, rows->x + i * rows->features,
               rows->features * sizeof *b->x);
        b->each[n] = spend[i] / purchases[i];
        b->purchases[n++] = purchases[i];
    }
}

static pf_status buyers_make(buyers *b, const feature_rows *rows, const float *spend,
                             const float *purchases, pf_error *err)
{
    size_t cells = 0;
    *b = (buyers){.n = 0};
    for (size_t i = 0; i < rows->n; i++) {
        if (spend[i] > 0 && !(purchases[i] > 0))
            return error_set(err, PF_DATA, "row %zu spent %g in %g purchases", i,
                             (double)spend[i], (double)purchases[i]);
        b->n += spend[i] > 0;
    }
    if (b->n == 0)
        return error_set(err, PF_DATA, "nothing to learn: nobody of %zu rows spent anything",
                         rows->n);
    if (size_multiply(b->n, rows->features, &cells)) {
        b->x = mem_alloc(cells, sizeof *b->x);
        b->each = mem_alloc(b->n, sizeof *b->each);
        b->purchases = mem_alloc(b->n, sizeof *b->purchases);
    }
    if (b->x == NULL || b->each == NULL || b->purchases == NULL) {
        buyers_free(b);
        return error_set(err, PF_NO_MEMORY, "out of memory for the rows of buyers");
    }
    buyers_fill(b, rows, spend, purchases);
    return PF_OK;
}

/* --- learning --------------------------------------------------------------------- */

static boosted_options trees_of(const spend_options *o, int d, double least)
{
    boosted_options trees = o->trees;
    trees.depth = o->depth[d];
    trees.minimum_weight = least;
    return trees;
}

static pf_status fit_whole(spend_model *m, const feature_rows *rows, const float *spend,
                           const spend_options *o, pf_error *err)
{
    pf_status s = PF_OK;
    for (int d = 0; s == PF_OK && d < o->depths; d++) {
        const boosted_options trees = trees_of(o, d, least_of_amounts);
        s = boosted_fit_amounts(&m->whole[m->wholes], rows, spend, NULL, BOOSTED_TWEEDIE, &trees,
                                err);
        m->wholes += s == PF_OK;
    }
    return s;
}

static pf_status fit_part(spend_model *m, const feature_rows *rows, const float *purchases,
                          const buyers *b, const spend_options *o, int d, pf_error *err)
{
    const feature_rows bought = {b->n, rows->features, b->x};
    boosted_options trees = trees_of(o, d, least_of_purchases);
    pf_status s = boosted_fit_amounts(&m->purchases[d], rows, purchases, NULL, BOOSTED_POISSON,
                                      &trees, err);
    trees = trees_of(o, d, least_of_amounts);
    if (s == PF_OK)
        s = boosted_fit_amounts(&m->each[d], &bought, b->each, b->purchases, BOOSTED_GAMMA,
                                &trees, err);
    m->parts += s == PF_OK;
    return s;
}

static pf_status fit_parts(spend_model *m, const feature_rows *rows, const float *spend,
                           const float *purchases, const spend_options *o, pf_error *err)
{
    buyers b;
    pf_status s = buyers_make(&b, rows, spend, purchases, err);
    for (int d = 0; s == PF_OK && d < o->depths; d++)
        s = fit_part(m, rows, purchases, &b, o, d, err);
    buyers_free(&b);
    return s;
}

static const char *fault_of(const spend_options *o, const float *purchases)
{
    if (!o->whole && !o->parts) return "no way to learn spend is wanted";
    if (o->depths < 1 || o->depths > SPEND_MOST_DEPTHS) return "1 to 4 depths may be given";
    if (o->parts && purchases == NULL) return "purchases are needed to learn spend by parts";
    return NULL;
}

pf_status spend_fit(spend_model *m, const feature_rows *rows, const float *spend,
                    const float *purchases, const spend_options *o, pf_error *err)
{
    const char *fault = fault_of(o, purchases);
    *m = (spend_model){.features = rows->features};
    if (fault != NULL)
        return error_set(err, PF_USAGE, "%s", fault);
    pf_status s = o->whole ? fit_whole(m, rows, spend, o, err) : PF_OK;
    if (s == PF_OK && o->parts)
        s = fit_parts(m, rows, spend, purchases, o, err);
    if (s != PF_OK)
        spend_free(m);
    return s;
}

/* --- use -------------------------------------------------------------------------- */

/* Adds share x what a model expects, or share x the product of two. */
static pf_status add(const boosted_model *one, const boosted_model *other, double share,
                     const feature_rows *rows, float *scratch, float *expected, pf_error *err)
{
    float *a = scratch, *b = scratch + rows->n;
    pf_status s = boosted_expect(one, rows, a, err);
    if (s == PF_OK && other != NULL)
        s = boosted_expect(other, rows, b, err);
    for (size_t i = 0; s == PF_OK && i < rows->n; i++)
        expected[i] += (float)share * a[i] * (other ? b[i] : 1);
    return s;
}

pf_status spend_expect(const spend_model *m, const feature_rows *rows, float *expected,
                       pf_error *err)
{
    const double share = 1 / (double)(m->wholes + m->parts);
    float *scratch = mem_alloc(rows->n, 2 * sizeof *scratch);
    pf_status s = PF_OK;
    if (scratch == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", rows->n);
    memset(expected, 0, rows->n * sizeof *expected);
    for (size_t d = 0; s == PF_OK && d < m->wholes; d++)
        s = add(&m->whole[d], NULL, share, rows, scratch, expected, err);
    for (size_t d = 0; s == PF_OK && d < m->parts; d++)
        s = add(&m->purchases[d], &m->each[d], share, rows, scratch, expected, err);
    mem_free(scratch);
    return s;
}
