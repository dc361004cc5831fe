/* The profit curve (measure/uplift_money.h). Rows are sorted once; a replicate is one walk along
 * them that reads all shares off the sums so far. */
#include "measure/uplift_money.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "measure/order.h"

static const double per_shoppers = 1000;

typedef struct place {
    double y, inverse; /* 1 / the probability of the arm that the row got */
    uint32_t row;      /* among the sample's */
    bool treated, last_of_tie;
} place;

/* Some of the rows, best first. */
typedef struct sample {
    place *place;
    uint32_t *shopper; /* [n] as the sample's rows are numbered */
    size_t n;
    double margin, cost;
    const double *share; /* [shares] rising: what is asked for */
    size_t shares;
} sample;

uplift_money_options uplift_money_options_default(void)
{
    return (uplift_money_options){
        .replicates = BOOTSTRAP_REPLICATES_DEFAULT, .level = 0.95, .seed = 1};
}

/* ---- what can be measured at all ---- */

static pf_status check_row(const uplift_money_rows *r, size_t i, pf_error *err)
{
    if (!isfinite(r->score[i]))
        return error_set(err, PF_DATA, "the score of row %zu is not a finite number", i);
    if (!isfinite(r->y[i]))
        return error_set(err, PF_DATA, "the outcome of row %zu is not a finite number", i);
    if (r->propensity && !(r->propensity[i] > 0 && r->propensity[i] < 1))
        return error_set(err, PF_DATA,
                         "the propensity of row %zu is %g: it must lie between 0 and 1, or the "
                         "row cannot be compared with any other", i, r->propensity[i]);
    return PF_OK;
}

static pf_status check(const uplift_money_rows *r, pf_error *err)
{
    size_t arm[2] = {0, 0};
    bool varied = false;
    if (!(isfinite(r->margin) && r->margin >= 0 && isfinite(r->cost) && r->cost >= 0))
        return error_set(err, PF_USAGE, "a margin of %g and a cost of %g: neither may be below 0",
                         r->margin, r->cost);
    for (size_t i = 0; i < r->n; i++) {
        pf_status s = check_row(r, i, err);
        if (s != PF_OK) return s;
        arm[r->treated[i] != 0]++;
        varied |= r->y[i] != r->y[0];
    }
    if (arm[0] == 0 || arm[1] == 0)
        return error_set(err, PF_DATA,
                         "%s: without both there is nothing to compare; keep a holdout",
                         arm[1] ? "every row got the promotion" : "no row got the promotion");
    if (!varied)
        return error_set(err, PF_DATA, "all %zu outcomes are %g: no difference can be measured",
                         r->n, r->y[0]);
    return PF_OK;
}

/* ---- sorting ---- */

static void sample_free(sample *s)
{
    mem_free(s->place);
    mem_free(s->shopper);
    *s = (sample){.n = 0};
}

static void place_rows(sample *s, const uplift_money_rows *r, const uint32_t *chosen,
                       const double *score, const uint32_t *order)
{
    for (size_t i = 0; i < s->n; i++) {
        const uint32_t row = chosen[order[i]];
        const bool treated = r->treated[row] != 0;
        const double e = r->propensity ? r->propensity[row] : 0.5;
        s->place[i] =
            (place){.y = r->y[row],
                    .inverse = 1 / (treated ? e : 1 - e),
                    .row = order[i],
                    .treated = treated,
                    .last_of_tie = i + 1 == s->n || score[order[i]] != score[order[i + 1]]};
        s->shopper[i] = r->shopper[chosen[i]];
    }
}

/* The rows whose `half` is the one wanted; NULL: all. */
static pf_status sample_make(sample *s, const uplift_money_rows *r, const uint8_t *half,
                             uint8_t wanted, pf_error *err)
{
    uint32_t *chosen = mem_alloc(r->n, sizeof *chosen), *order = mem_alloc(r->n, sizeof *order);
    double *score = mem_alloc(r->n, sizeof *score);
    pf_status status = PF_NO_MEMORY;
    *s = (sample){.margin = r->margin, .cost = r->cost};
    s->place = mem_alloc(r->n, sizeof *s->place);
    s->shopper = mem_alloc(r->n, sizeof *s->shopper);
    if (!chosen || !order || !score || !s->place || !s->shopper) {
        (void)error_set(err, PF_NO_MEMORY, "no memory to rank %zu rows", r->n);
        goto done;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (half && half[i] != wanted) continue;
        score[s->n] = r->score[i];
        chosen[s->n++] = (uint32_t)i;
    }
    status = order_rows(score, s->n, ORDER_DESCENDING, order, err);
    if (status == PF_OK) place_rows(s, r, chosen, score, order);
done:
    mem_free(chosen);
    mem_free(order);
    mem_free(score);
    if (status != PF_OK) sample_free(s);
    return status;
}

/* ---- profit ---- */

/* [1] of the treated; weight is that of rows, the others of inverse propensities. */
typedef struct sums {
    double weight, mass[2], y[2];
} sums;

static void add_place(sums *t, const place *p, const double *w)
{
    const double weight = w ? w[p->row] : 1;
    t->weight += weight;
    t->mass[p->treated] += weight * p->inverse;
    t->y[p->treated] += weight * p->inverse * p->y;
}

/* a + part * b */
static sums blend(const sums *a, const sums *b, double part)
{
    sums t = {.weight = a->weight + part * b->weight};
    for (int arm = 0; arm < 2; arm++) {
        t.mass[arm] = a->mass[arm] + part * b->mass[arm];
        t.y[arm] = a->y[arm] + part * b->y[arm];
    }
    return t;
}

static double profit_of(const sample *s, const sums *t, double share)
{
    if (!(t->mass[0] > 0 && t->mass[1] > 0)) return NAN;
    const double effect = t->y[1] / t->mass[1] - t->y[0] / t->mass[0];
    return per_shoppers * share * (s->margin * effect - s->cost);
}

/* Fills values [shares]. */
static void profits(const void *context, const double *w, double *values)
{
    const sample *s = context;
    sums before = {0}, tie = {0};
    double total = 0;
    size_t next = 0;
    for (size_t i = 0; i < s->n; i++)
        total += w ? w[i] : 1;
    for (size_t i = 0; i < s->n; i++) {
        add_place(&tie, &s->place[i], w);
        if (!s->place[i].last_of_tie) continue;
        const bool end = i + 1 == s->n;
        for (; next < s->shares; next++) {
            const double wanted = s->share[next] * total - before.weight;
            if (wanted > tie.weight && !end) break;
            const double part = wanted < tie.weight ? wanted / tie.weight : 1;
            const sums t = blend(&before, &tie, part);
            values[next] = profit_of(s, &t, s->share[next]);
        }
        before = blend(&before, &tie, 1);
        tie = (sums){0};
    }
    for (; next < s->shares; next++)
        values[next] = NAN;
}

static pf_status interval(const sample *s, const uplift_money_options *o, bootstrap_result *out,
                          pf_error *err)
{
    const bootstrap_plan plan = {.group = s->shopper,
                                 .n = s->n,
                                 .replicates = o->replicates,
                                 .level = o->level,
                                 .seed = o->seed,
                                 .threads = o->threads};
    pf_status status = bootstrap_intervals(&plan, profits, s, s->shares, out, err);
    if (status == PF_DATA) error_prefix(err, "too few rows for a curve of money");
    return status;
}

/* ---- picking and judging ---- */

static void halve(const uplift_money_rows *r, uint64_t seed, uint8_t *half)
{
    for (size_t i = 0; i < r->n; i++) {
        uint32_t words[4];
        random_block(seed, 0, r->shopper[i], words);
        half[i] = words[0] & 1;
    }
}

static pf_status check_half(const sample *s, pf_error *err)
{
    size_t arm[2] = {0, 0};
    for (size_t i = 0; i < s->n; i++)
        arm[s->place[i].treated]++;
    if (arm[0] == 0 || arm[1] == 0)
        return error_set(err, PF_DATA,
                         "too few shoppers to pick a share on one half and judge it on the other");
    return PF_OK;
}

static void pick(const sample *s, uplift_money *out)
{
    double values[UPLIFT_MONEY_SHARES];
    profits(s, NULL, values);
    out->best_share = out->promised = 0;
    for (size_t k = 0; k < s->shares; k++)
        if (values[k] > out->promised) {
            out->promised = values[k];
            out->best_share = s->share[k];
        }
}

static uplift_verdict verdict_of(const uplift_money *m)
{
    if (m->best_share == 0) return UPLIFT_NO_SHARE;
    if (m->judged.low > 0) return UPLIFT_PAYS;
    return m->judged.high < 0 ? UPLIFT_LOSES : UPLIFT_UNCERTAIN;
}

static pf_status pick_and_judge(const uplift_money_rows *r, const uplift_money_options *o,
                                uplift_money *out, pf_error *err)
{
    sample picks = {0}, judges = {0};
    pf_status status = PF_OK;
    uint8_t *half = mem_alloc(r->n, sizeof *half);
    if (half == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    halve(r, o->seed, half);
    status = sample_make(&picks, r, half, 0, err);
    if (status == PF_OK) status = sample_make(&judges, r, half, 1, err);
    if (status == PF_OK) status = check_half(&picks, err);
    if (status == PF_OK) status = check_half(&judges, err);
    if (status != PF_OK) goto done;
    picks.share = out->share;
    picks.shares = UPLIFT_MONEY_SHARES;
    pick(&picks, out);
    judges.share = &out->best_share;
    judges.shares = 1;
    if (out->best_share > 0) status = interval(&judges, o, &out->judged, err);
    out->verdict = verdict_of(out);
done:
    mem_free(half);
    sample_free(&picks);
    sample_free(&judges);
    return status;
}

pf_status uplift_money_measure(const uplift_money_rows *rows, const uplift_money_options *o,
                               uplift_money *out, pf_error *err)
{
    sample all;
    *out = (uplift_money){.verdict = UPLIFT_NO_SHARE};
    for (int k = 0; k < UPLIFT_MONEY_SHARES; k++)
        out->share[k] = (double)(k + 1) / UPLIFT_MONEY_SHARES;
    pf_status status = check(rows, err);
    if (status != PF_OK) return status;
    status = sample_make(&all, rows, NULL, 0, err);
    if (status != PF_OK) return status;
    all.share = out->share;
    all.shares = UPLIFT_MONEY_SHARES;
    status = interval(&all, o, out->profit, err);
    sample_free(&all);
    return status == PF_OK ? pick_and_judge(rows, o, out, err) : status;
}

/* ---- words ---- */

const char *uplift_money_say(const uplift_money *m, double level, char *into, size_t size)
{
    const bootstrap_result *j = &m->judged;
    const double share = 100 * m->best_share, sure = 100 * level;
    switch (m->verdict) {
    case UPLIFT_PAYS:
        (void)snprintf(into, size,
                       "send to the best %.0f %%: %+.2f per 1,000 shoppers, %.0f %% interval "
                       "%.2f to %.2f", share, j->value, sure, j->low, j->high);
        break;
    case UPLIFT_UNCERTAIN:
        (void)snprintf(into, size,
                       "no share pays for certain: the best %.0f %% brought %+.2f per 1,000 "
                       "shoppers, %.0f %% interval %.2f to %.2f, which holds 0",
                       share, j->value, sure, j->low, j->high);
        break;
    case UPLIFT_LOSES:
        (void)snprintf(into, size,
                       "do not send: the share that looked best, %.0f %%, lost money on other "
                       "shoppers: %+.2f per 1,000, %.0f %% interval %.2f to %.2f",
                       share, j->value, sure, j->low, j->high);
        break;
    case UPLIFT_NO_SHARE:
        (void)snprintf(into, size, "do not send: no share of the shoppers brought more than its "
                                   "contacts cost");
        break;
    }
    return into;
}
