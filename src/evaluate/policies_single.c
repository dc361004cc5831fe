/*
 * The best promotion for everybody, chosen honestly (policies.h): shoppers fall into two halves
 * by number; the promotion that does best for one half is what the other half is judged by, so no
 * choice is judged on what chose it.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "evaluate/policies_rows.h"

/* Promotions tried at once: so many rows of probabilities are kept. */
enum { AT_ONCE = 8 };

unsigned policies_half(uint32_t who)
{
    /* Neighbouring numbers may be alike: mixed by Fibonacci hashing, whose top bit this is. The
     * reward model's folds read lower ones. */
    return (unsigned)(((uint64_t)who * UINT64_C(11400714819323198485)) >> 63);
}

/* ---- one half's rows ---- */

static void copy_row(const policies_columns *from, size_t i, policies_columns *to, size_t at)
{
    const size_t K = from->n_actions, F = from->n_features;
    to->action[at] = from->action[i];
    to->shopper[at] = from->shopper[i];
    to->reward[at] = from->reward[i];
    to->propensity[at] = from->propensity[i];
    for (size_t a = 0; a < K; a++)
        to->logging[at * K + a] = from->logging[i * K + a];
    for (size_t f = 0; f < F; f++)
        to->features[at * F + f] = from->features[i * F + f];
}

/* Numbers of actions are the whole's; freed with half_free. */
static pf_status half_new(policies_rows *half, const policies_rows *r, unsigned which,
                          pf_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < r->columns.n; i++)
        n += policies_half(r->columns.shopper[i]) == which;
    *half = (policies_rows){.action_of = r->action_of, .key = r->key, .held = r->held};
    if (n == 0)
        return error_set(err, PF_DATA,
                         "all shoppers fall into one half: there are too few of them to choose "
                         "on one half and judge on the other");
    pf_status s = policies_columns_new(&half->columns, n, r->columns.n_actions,
                                       r->columns.n_features, err);
    if (s != PF_OK) return s;
    half->row = mem_alloc(n, sizeof *half->row);
    if (half->row == NULL) {
        policies_columns_free(&half->columns);
        return error_set(err, PF_NO_MEMORY, "no memory for %zu decisions", n);
    }
    for (size_t i = 0, at = 0; i < r->columns.n; i++) {
        if (policies_half(r->columns.shopper[i]) != which) continue;
        half->row[at] = r->row[i];
        copy_row(&r->columns, i, &half->columns, at++);
    }
    return PF_OK;
}

static void half_free(policies_rows *half)
{
    mem_free(half->row);
    policies_columns_free(&half->columns);
}

/* ---- the choice ---- */

typedef struct search {
    const policies_rows *half;
    const policies_options *o;
    double *chance;
    double *target[AT_ONCE];
    uint32_t promotion[AT_ONCE];
    size_t n; /* of those waiting to be tried */
    uint32_t best;
    double most;
    pf_error why; /* what stood against the last one that could not be tried */
} search;

static pf_status search_new(search *s, const policies_rows *half, const policies_options *o,
                            pf_error *err)
{
    *s = (search){.half = half, .o = o, .most = -INFINITY};
    s->chance = mem_alloc(policies_most_candidates(half) + 1, sizeof *s->chance);
    bool all = s->chance != NULL;
    for (size_t k = 0; k < AT_ONCE; k++) {
        s->target[k] = all ? policies_columns_target(&half->columns, NULL) : NULL;
        all = all && s->target[k] != NULL;
    }
    return all ? PF_OK
               : error_set(err, PF_NO_MEMORY, "no memory to try promotions on %zu decisions",
                           half->columns.n);
}

static void search_free(search *s)
{
    mem_free(s->chance);
    for (size_t k = 0; k < AT_ONCE; k++)
        mem_free(s->target[k]);
}

/* Values of those that wait; only values are read, so two replicates do. */
static pf_status try_waiting(search *s, pf_error *err)
{
    off_policy_value values[AT_ONCE], differences[AT_ONCE];
    off_policy_plan plan = s->o->plan;
    const off_policy_log log = policies_columns_log(&s->half->columns, s->target[0]);
    plan.replicates = 2;
    if (s->n == 0) return PF_OK;
    pf_status status = off_policy_compare(&log, (const double *const *)s->target, s->n, 0, &plan,
                                          values, differences, err);
    for (size_t k = 0; k < s->n && status == PF_OK; k++) {
        if (!(values[k].value > s->most)) continue;
        s->most = values[k].value;
        s->best = s->promotion[k];
    }
    s->n = 0;
    return status;
}

/* Fills the next place; it is kept where the half can speak of the promotion. */
static pf_status add_promotion(search *s, uint32_t number, pf_error *err)
{
    const policies_columns *c = &s->half->columns;
    double *target = s->target[s->n];
    const policies_choice one = {.kind = &policies_kind_single, .promotion = number};
    off_policy_support support;
    char words[256];
    for (size_t j = 0; j < c->n * c->n_actions; j++)
        target[j] = 0;
    for (size_t i = 0; i < c->n; i++)
        policies_fill_row(s->half, s->o, &one, i, s->chance, target + i * c->n_actions);
    const off_policy_log log = policies_columns_log(c, target);
    const pf_status status = off_policy_check(&log, &support, &s->why);
    if (status == PF_DATA) return PF_OK;
    if (status != PF_OK) return error_pass(err, &s->why);
    if (support.few || support.off) {
        (void)error_set(&s->why, PF_DATA, "%s",
                        off_policy_warning(&support, words, sizeof words));
        return PF_OK;
    }
    s->promotion[s->n++] = number;
    return s->n < AT_ONCE ? PF_OK : try_waiting(s, err);
}

static pf_status best_of(const policies_rows *half, const policies_options *o, uint32_t *best,
                         pf_error *err)
{
    search s;
    pf_status status = search_new(&s, half, o, err);
    uint32_t last = 0;
    for (uint32_t a = 1; a < half->columns.n_actions && status == PF_OK; a++) {
        const uint32_t number = policies_key_promotion(half->key[a]);
        if (number != last) status = add_promotion(&s, number, err);
        last = number;
    }
    if (status == PF_OK) status = try_waiting(&s, err);
    if (status == PF_OK && s.best == 0)
        status = error_set(err, PF_DATA,
                           "half of the log speaks of no single promotion: each lacks a chance "
                           "where it could have been sent, or was sent too seldom; explore with "
                           "a floor, or compare only among what had a chance");
    *best = s.best;
    search_free(&s);
    return status;
}

pf_status policies_pick_single(const policies_rows *r, const policies_options *o,
                               uint32_t picked[2], pf_error *err)
{
    pf_status s = PF_OK;
    picked[0] = picked[1] = 0;
    for (unsigned which = 0; which < 2 && s == PF_OK; which++) {
        policies_rows half;
        s = half_new(&half, r, which, err);
        if (s != PF_OK) break;
        s = best_of(&half, o, &picked[1 - which], err);
        half_free(&half);
    }
    return s;
}
