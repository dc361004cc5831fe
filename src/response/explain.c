/*
 * Why: what each feature adds to one score, against the training rows' mean. A linear
 * model says so itself; for trees these are the exact values of Shapley by their paths (Lundberg et
 * al., "From local explanations to global understanding", Nature Machine Intelligence 2, 2020), an
 * outlook's features among them; the average of both learners is explained by the average of both.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "response/model.h"

static int by_size(const void *a, const void *b)
{
    const response_part *x = a, *y = b;
    double p = fabs(x->contribution), q = fabs(y->contribution);
    if (p < q || q < p)
        return p < q ? 1 : -1;
    return strcmp(x->feature, y->feature);
}

/* Parts of all features, the largest first, into the caller's n. */
static void take_largest(response_part *all, size_t features, response_part *parts, size_t n,
                         size_t *found)
{
    qsort(all, features, sizeof *all, by_size);
    *found = 0;
    for (size_t f = 0; f < features && *found < n && fabs(all[f].contribution) > 0; f++)
        parts[(*found)++] = all[f];
}

static pf_status explain_any(const response_model *m, const float *row, response_part *parts,
                             size_t n, size_t *found, pf_error *err)
{
    response_part all[DATA_MOST_ANY];
    float trees[DATA_MOST_ANY + 1] = {0};
    double linear = m->v.chosen == RESPONSE_XGBOOST ? 0 : 1;
    double boosted = m->v.chosen == RESPONSE_LOGISTIC ? 0 : 1;
    if (boosted > 0) {
        pf_status s = boosted_contributions(&m->l.trees, row, trees, err);
        if (s != PF_OK)
            return s;
    }
    for (size_t f = 0; f < m->l.width.any; f++) {
        double sum = boosted * (double)trees[f];
        if (linear > 0)
            sum += linear_contribution(&m->l.logistic, row, f);
        all[f] = (response_part){data_any_name(f), sum / (linear + boosted)};
    }
    take_largest(all, m->l.width.any, parts, n, found);
    return PF_OK;
}

static pf_status explain_which(const response_model *m, const float *rows, size_t P,
                               size_t place, response_part *parts, size_t n, size_t *found,
                               pf_error *err)
{
    response_part all[DATA_MOST_WHICH];
    const size_t F = m->l.width.which;
    *found = 0;
    if (!m->l.has_which)
        return PF_OK;
    float *seen = mem_alloc(P, F * sizeof *seen);
    if (seen == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", P);
    which_centre(rows, P, F, seen);
    which_scale(seen, P, F, m->l.floor, seen);
    const float *row = seen + place * F;
    for (size_t f = 0; f < F; f++)
        all[f] = (response_part){data_which_name(f),
                                 linear_contribution(&m->l.which, row, f)};
    take_largest(all, F, parts, n, found);
    mem_free(seen);
    return PF_OK;
}

pf_status response_explain(const response_model *m, const response_data *d,
                           const response_ask *ask, bool any, size_t who, size_t what,
                           response_part *parts, size_t n, size_t *found, pf_error *err)
{
    data_rows rows;
    *found = 0;
    if (who >= ask->n_shoppers || what >= ask->n_promotions)
        return error_set(err, PF_USAGE, "there is no shopper %zu or promotion %zu in the "
                         "question", who, what);
    response_question q = {.promotion = ask->promotion,
                           .n_promotions = (uint32_t)ask->n_promotions,
                           .shopper = ask->shopper + who,
                           .n_shoppers = 1,
                           .at_us = ask->at_us};
    pf_status s = model_fits(m, d, err);
    if (s == PF_OK)
        s = data_rows_make(d, &q, &rows, err);
    if (s != PF_OK)
        return s;
    s = any ? explain_any(m, rows.any, parts, n, found, err)
            : explain_which(m, rows.which, rows.plain.n_promotions, what, parts, n, found, err);
    data_rows_free(&rows);
    return s;
}
