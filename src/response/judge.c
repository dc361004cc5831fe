/* Comparing learners by log-loss on the chain, and calibrating pairs on it. */
#include "response/judge.h"

#include <math.h>

#include "base/memory.h"
#include "measure/classification.h"
#include "measure/statistics.h"

static const double clip = 1e-6;

learners_want judge_wants(response_learner asked, uint64_t seed)
{
    return (learners_want){.logistic = asked != RESPONSE_XGBOOST,
                           .trees = asked != RESPONSE_LOGISTIC,
                           .seed = seed};
}

double verdict_any(response_learner chosen, double logistic, double trees)
{
    switch (chosen) {
    case RESPONSE_XGBOOST: return trees;
    case RESPONSE_AVERAGE: return 0.5 * (logistic + trees);
    case RESPONSE_AUTO:
    case RESPONSE_LOGISTIC: break;
    }
    return logistic;
}

static double raw_log_odds(double any, double share, double uses_per_answer)
{
    double raw = any * -expm1(uses_per_answer * log1p(-fmin(share, 1 - clip)));
    raw = fmin(fmax(raw, clip), 1 - clip);
    return log(raw / (1 - raw));
}

double verdict_pair(const platt *pair, double any, double share, double uses_per_answer)
{
    double p = platt_apply(pair, raw_log_odds(any, share, uses_per_answer));
    return fmin(p, any);
}

/* --- choosing ------------------------------------------------------------------------------ */

/* Losses of every row of the chain, by learner. */
typedef struct losses {
    double *loss[RESPONSE_AVERAGE + 1]; /* [n] or NULL */
    size_t n;
} losses;

static double loss_of(double p, uint8_t y)
{
    p = fmin(fmax(p, clip), 1 - clip);
    return -log(y ? p : 1 - p);
}

static bool counts(const chain *c, const response_data *d, size_t i, int64_t until_us)
{
    return c->link[i].scored && data_known(&d->group[i], until_us);
}

static void add_losses(losses *a, const chain_link *link, const data_group *g)
{
    for (size_t i = 0; i < g->n_shoppers; i++, a->n++)
        for (int k = RESPONSE_LOGISTIC; k <= RESPONSE_AVERAGE; k++) {
            double logistic = link->logistic ? (double)link->logistic[i] : (double)NAN;
            double trees = link->trees ? (double)link->trees[i] : (double)NAN;
            double p = verdict_any((response_learner)k, logistic, trees);
            a->loss[k][a->n] = isnan(p) ? p : loss_of(p, g->answered[i]);
        }
}

/* The logistic, unless another is better by more than a standard error of the difference:
 * the simpler model needs no proof. */
static response_learner choose(const losses *a, const double *mean)
{
    response_learner best = RESPONSE_LOGISTIC;
    for (int k = RESPONSE_XGBOOST; k <= RESPONSE_AVERAGE; k++) {
        summary s = summary_of_difference(a->loss[k], a->loss[RESPONSE_LOGISTIC], a->n);
        if (s.mean < -s.standard_error && mean[k] < mean[best])
            best = (response_learner)k;
    }
    return best;
}

static pf_status judge_any(verdict *v, const chain *c, const response_data *d,
                           int64_t until_us, response_learner asked, pf_error *err)
{
    losses a = {.n = 0};
    double *memory = mem_alloc(v->rows + 1, (RESPONSE_AVERAGE + 1) * sizeof *memory);
    if (memory == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", v->rows);
    for (int k = 0; k <= RESPONSE_AVERAGE; k++)
        a.loss[k] = memory + (size_t)k * v->rows;
    for (size_t i = 0; i < c->n; i++)
        if (counts(c, d, i, until_us))
            add_losses(&a, &c->link[i], &d->group[i]);
    v->log_loss[RESPONSE_AUTO] = (double)NAN;
    for (int k = RESPONSE_LOGISTIC; k <= RESPONSE_AVERAGE; k++)
        v->log_loss[k] = summary_of(a.loss[k], a.n).mean;
    v->chosen = asked;
    if (asked == RESPONSE_AUTO)
        v->chosen = a.n > 1 ? choose(&a, v->log_loss) : RESPONSE_LOGISTIC;
    mem_free(memory);
    return PF_OK;
}

/* --- calibrating ------------------------------------------------------------------------------ */

static void add_pairs(const verdict *v, const chain_link *link, const data_group *g,
                      double *score, uint8_t *used, size_t *n)
{
    size_t P = g->n_promotions;
    for (size_t i = 0; i < g->n_shoppers; i++) {
        double any = verdict_any(v->chosen,
                                 link->logistic ? (double)link->logistic[i] : 0,
                                 link->trees ? (double)link->trees[i] : 0);
        for (size_t k = 0; k < P; k++, *n += 1) {
            score[*n] = raw_log_odds(any, (double)link->share[i * P + k],
                                     link->uses_per_answer);
            used[*n] = g->used[i * P + k];
        }
    }
}

static pf_status calibrate(verdict *v, const chain *c, const response_data *d,
                           int64_t until_us, size_t pairs, pf_error *err)
{
    double *score = mem_alloc(pairs, sizeof *score);
    uint8_t *used = mem_alloc(pairs, 1);
    size_t n = 0;
    pf_status s = PF_OK;
    if (score == NULL || used == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu pairs", pairs);
    for (size_t i = 0; s == PF_OK && i < c->n; i++)
        if (counts(c, d, i, until_us))
            add_pairs(v, &c->link[i], &d->group[i], score, used, &n);
    if (s == PF_OK)
        s = platt_fit(&v->pair, score, used, NULL, n, err);
    v->calibrated = s == PF_OK;
    mem_free(score);
    mem_free(used);
    return s;
}

pf_status judge(verdict *v, const chain *c, const response_data *d, int64_t until_us,
                response_learner asked, pf_error *err)
{
    size_t pairs = 0, uses = 0;
    *v = (verdict){.pair = {1, 0}};
    for (size_t i = 0; i < c->n; i++) {
        const data_group *g = &d->group[i];
        if (!counts(c, d, i, until_us))
            continue;
        v->groups++;
        v->rows += g->n_shoppers;
        v->answers += g->n_answered;
        pairs += g->n_shoppers * g->n_promotions;
        uses += g->n_used;
    }
    pf_status s = judge_any(v, c, d, until_us, asked, err);
    if (s == PF_OK && uses >= JUDGE_MIN_USES && uses < pairs)
        s = calibrate(v, c, d, until_us, pairs, err);
    return s;
}
