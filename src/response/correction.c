/*
 * Two passes over the links: sums of promotions, then, corrected by their kinds, of best pairs.
 * (A promotion's own factor holds the very answers that the best pairs are held against.)
 */
#include "response/correction.h"

#include <math.h>

#include "base/memory.h"
#include "response/split.h"

void correction_free(correction *c)
{
    factors_free(&c->f);
    c->w = winners_none();
}

/* --- applying --------------------------------------------------------------------- */

void correction_factors(const correction *c, const response_data *d, const uint32_t *asked,
                        size_t P, float *factor)
{
    for (size_t k = 0; k < P; k++) {
        size_t kind = factors_kind_of(&c->f, kinds_name(&d->kinds, asked[k]));
        factor[k] = (float)factors_mean(&c->f, kind, d->kinds.key[asked[k]]);
    }
}

/* Chances of one shopper by factor; any moves only where it is the same chance. */
static void multiply(const float *factor, size_t P, float *any, float *p)
{
    double sum = 0, whole = P == 1 ? 1 : (double)*any;
    for (size_t k = 0; k < P; k++) {
        p[k] = (float)fmin((double)p[k] * (double)factor[k], whole);
        sum += (double)p[k];
    }
    if (P == 1)
        *any = p[0];
    for (size_t k = 0; P > 1 && sum > 0 && sum < whole && k < P; k++)
        p[k] = (float)fmin((double)p[k] * whole / sum, whole);
}

void correction_apply(const correction *c, const float *factor, size_t P, float *any, float *p)
{
    multiply(factor, P, any, p);
    winners_apply(&c->w, p, P);
}

/* --- fitting ---------------------------------------------------------------------- */

/* What fitting needs at once. */
typedef struct fitting {
    const verdict *v;
    const chain *c;
    const response_data *d;
    size_t place[JUDGE_GROUPS], n; /* links */
    size_t most;                   /* promotions of a link */
    factors_cell *cell;            /* [cells] */
    size_t cells;
    winners_cell *won;             /* [n] */
    size_t choices;                /* links where there was a choice */
    const char **name;             /* [kinds] */
    float *p, *factor;             /* [most] */
} fitting;

static void list_links(fitting *f, int64_t until_us)
{
    size_t from, to;
    judge_range(f->d, until_us, &from, &to);
    for (size_t i = from; i < to; i++) {
        if (!f->c->link[i].scored || !data_known(&f->d->group[i], until_us))
            continue;
        size_t P = f->d->group[i].n_promotions;
        f->place[f->n++] = i;
        f->cells += P;
        f->most = P > f->most ? P : f->most;
    }
}

/* Chances of the i-th shopper of a link as split says, into f->p; returns any. */
static float split_one(const fitting *f, const chain_link *link, size_t P, size_t i)
{
    double any = verdict_any(f->v, link->logistic ? (double)link->logistic[i] : 0,
                             link->trees ? (double)link->trees[i] : 0);
    split_uses(any, link->share + i * P, P, link->uses, f->p);
    return (float)any;
}

static void sum_promotions(const fitting *f, size_t place, factors_cell *cell)
{
    const data_group *g = &f->d->group[place];
    size_t P = g->n_promotions;
    for (size_t k = 0; k < P; k++)
        cell[k] = (factors_cell){.promotion = f->d->kinds.key[g->promotion[k]],
                                 .group = g->group,
                                 .kind = f->d->kinds.of_promotion[g->promotion[k]] - 1};
    for (size_t i = 0; i < g->n_shoppers; i++) {
        (void)split_one(f, &f->c->link[place], P, i);
        for (size_t k = 0; k < P; k++) {
            cell[k].expected += (double)f->p[k];
            cell[k].answers += g->used[i * P + k];
        }
    }
}

static winners_cell sum_best(const fitting *f, size_t place)
{
    const data_group *g = &f->d->group[place];
    size_t P = g->n_promotions;
    winners_cell sum = {.foretold = 0};
    for (size_t i = 0; i < g->n_shoppers; i++) {
        size_t best = 0;
        double mean = 0;
        float any = split_one(f, &f->c->link[place], P, i);
        multiply(f->factor, P, &any, f->p);
        for (size_t k = 0; k < P; k++) {
            mean += (double)f->p[k] / (double)P;
            best = f->p[k] > f->p[best] ? k : best;
        }
        sum.foretold += (double)f->p[best];
        sum.mean += mean;
        sum.answers += g->used[i * P + best];
    }
    return sum;
}

static pf_status fit_factors(correction *out, fitting *f, pf_error *err)
{
    size_t n = 0, n_kinds = intern_count(f->d->kinds.names);
    for (size_t k = 0; k < n_kinds; k++)
        f->name[k] = intern_text(f->d->kinds.names, (uint32_t)k + 1);
    for (size_t i = 0; i < f->n; i++) {
        sum_promotions(f, f->place[i], f->cell + n);
        n += f->d->group[f->place[i]].n_promotions;
    }
    return factors_fit(&out->f, f->cell, n, f->name, n_kinds, err);
}

static pf_status fit_winners(correction *out, fitting *f, pf_error *err)
{
    for (size_t i = 0; i < f->n; i++) {
        const data_group *g = &f->d->group[f->place[i]];
        if (g->n_promotions < 2)
            continue;
        for (size_t k = 0; k < g->n_promotions; k++)
            f->factor[k] = (float)factors_kind_mean(
                &out->f, f->d->kinds.of_promotion[g->promotion[k]] - 1);
        f->won[f->choices++] = sum_best(f, f->place[i]);
    }
    pf_status s = winners_fit(&out->w, f->won, f->choices, err);
    if (!out->f.enough)
        out->w.keep = 1;
    return s;
}

pf_status correction_fit(correction *out, const verdict *v, const chain *c,
                         const response_data *d, int64_t until_us, pf_error *err)
{
    fitting f = {.v = v, .c = c, .d = d};
    pf_status s = PF_OK;
    *out = (correction){.w = winners_none()};
    list_links(&f, until_us);
    f.cell = mem_alloc(f.cells + 1, sizeof *f.cell);
    f.won = mem_alloc(f.n + 1, sizeof *f.won);
    f.name = mem_alloc((size_t)intern_count(d->kinds.names) + 1, sizeof *f.name);
    f.p = mem_alloc(2 * f.most + 1, sizeof *f.p);
    if (!f.cell || !f.won || !f.name || !f.p) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", f.cells);
    } else {
        f.factor = f.p + f.most;
        s = fit_factors(out, &f, err);
    }
    if (s == PF_OK)
        s = fit_winners(out, &f, err);
    mem_free(f.cell);
    mem_free(f.won);
    mem_free(f.name);
    mem_free(f.p);
    if (s != PF_OK)
        correction_free(out);
    return s;
}
