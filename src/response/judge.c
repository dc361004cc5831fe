/* Comparing learners by log-loss on the chain, and moving the one chosen. */
#include "response/judge.h"

#include <math.h>

#include "base/memory.h"
#include "measure/statistics.h"

static const double clip = 1e-6;

learners_want judge_wants(response_learner asked, uint64_t seed)
{
    return (learners_want){.logistic = asked != RESPONSE_XGBOOST,
                           .trees = asked != RESPONSE_LOGISTIC,
                           .seed = seed};
}

/* What the learner chosen says, not moved yet. */
static double raw_of(response_learner chosen, double logistic, double trees)
{
    switch (chosen) {
    case RESPONSE_XGBOOST: return trees;
    case RESPONSE_AVERAGE: return 0.5 * (logistic + trees);
    case RESPONSE_AUTO:
    case RESPONSE_LOGISTIC: break;
    }
    return logistic;
}

static double log_odds(double p)
{
    p = fmin(fmax(p, clip), 1 - clip);
    return log(p / (1 - p));
}

double verdict_any(const verdict *v, double logistic, double trees)
{
    double raw = raw_of(v->chosen, logistic, trees);
    return 1 / (1 + exp(-(log_odds(raw) + v->move)));
}

/* --- choosing --------------------------------------------------------------------- */

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

void judge_range(const response_data *d, int64_t until_us, size_t *from, size_t *to)
{
    size_t known = 0;
    *from = *to = 0;
    for (size_t i = d->n; i-- > 0 && known < JUDGE_GROUPS;) {
        if (!data_known(&d->group[i], until_us))
            continue;
        if (known++ == 0)
            *to = i + 1;
        *from = i;
    }
}

/* Links of one judgement, in order. */
typedef struct evidence {
    const chain *c;
    const response_data *d;
    size_t place[JUDGE_GROUPS], n;
    size_t rows, answers;
} evidence;

static evidence gather(const chain *c, const response_data *d, int64_t until_us)
{
    evidence e = {.c = c, .d = d};
    size_t from, to;
    judge_range(d, until_us, &from, &to);
    for (size_t i = from; i < to; i++) {
        const data_group *g = &d->group[i];
        if (!c->link[i].scored || !data_known(g, until_us))
            continue;
        e.place[e.n++] = i;
        e.rows += g->n_shoppers;
        e.answers += g->n_answered;
    }
    return e;
}

static void add_losses(losses *a, const chain_link *link, const data_group *g)
{
    for (size_t i = 0; i < g->n_shoppers; i++, a->n++)
        for (int k = RESPONSE_LOGISTIC; k <= RESPONSE_AVERAGE; k++) {
            double logistic = link->logistic ? (double)link->logistic[i] : (double)NAN;
            double trees = link->trees ? (double)link->trees[i] : (double)NAN;
            double p = raw_of((response_learner)k, logistic, trees);
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

static pf_status judge_any(verdict *v, const evidence *e, response_learner asked,
                           pf_error *err)
{
    losses a = {.n = 0};
    double *memory = mem_alloc(e->rows + 1, (RESPONSE_AVERAGE + 1) * sizeof *memory);
    if (memory == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", e->rows);
    for (int k = 0; k <= RESPONSE_AVERAGE; k++)
        a.loss[k] = memory + (size_t)k * e->rows;
    for (size_t i = 0; i < e->n; i++)
        add_losses(&a, &e->c->link[e->place[i]], &e->d->group[e->place[i]]);
    v->log_loss[RESPONSE_AUTO] = (double)NAN;
    for (int k = RESPONSE_LOGISTIC; k <= RESPONSE_AVERAGE; k++)
        v->log_loss[k] = summary_of(a.loss[k], a.n).mean;
    v->chosen = asked;
    if (asked == RESPONSE_AUTO)
        v->chosen = a.n > 1 ? choose(&a, v->log_loss) : RESPONSE_LOGISTIC;
    mem_free(memory);
    return PF_OK;
}

static double link_any(const verdict *v, const chain_link *link, size_t i)
{
    return verdict_any(v, link->logistic ? (double)link->logistic[i] : 0,
                       link->trees ? (double)link->trees[i] : 0);
}

/* --- calibrating ------------------------------------------------------------------ */

/* Newton's steps for the one parameter: the penalised likelihood is concave. */
static void find_move(verdict *v, const evidence *e)
{
    const double prior = 1 / (JUDGE_PRIOR * JUDGE_PRIOR);
    v->move = 0;
    for (int step = 0; step < 20; step++) {
        double slope = prior * v->move, curve = prior;
        for (size_t k = 0; k < e->n; k++) {
            const data_group *g = &e->d->group[e->place[k]];
            for (size_t i = 0; i < g->n_shoppers; i++) {
                double p = link_any(v, &e->c->link[e->place[k]], i);
                slope += p - g->answered[i];
                curve += p * (1 - p);
            }
        }
        v->move -= slope / curve;
        if (fabs(slope / curve) < 1e-9)
            break;
    }
}

pf_status judge(verdict *v, const chain *c, const response_data *d, int64_t until_us,
                response_learner asked, pf_error *err)
{
    evidence e = gather(c, d, until_us);
    *v = (verdict){.groups = e.n, .rows = e.rows, .answers = e.answers};
    pf_status s = judge_any(v, &e, asked, err);
    if (s == PF_OK)
        find_move(v, &e);
    return s;
}
