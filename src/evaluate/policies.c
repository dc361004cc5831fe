/* The comparison (policies.h): rows, one table of probabilities a policy, figures. */
#include "evaluate/policies.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "evaluate/policies_rows.h"

policies_options policies_options_default(void)
{
    off_policy_plan plan = off_policy_plan_default();
    plan.estimator = OFF_POLICY_DR;
    return (policies_options){.reward = POLICIES_NET,
                              .margin_rate = .25,
                              .window_us = 28 * US_PER_DAY,
                              .to_next_decision = true,
                              .until_us = INT64_MIN,
                              .plan = plan};
}

void policies_result_free(policies_result *r)
{
    mem_free(r->figure);
    *r = (policies_result){0};
}

/* ---- one policy's probabilities ---- */

/* What of the log's own expectations a policy would cost, and how many it would treat. */
static void add_cost(const policies_rows *r, size_t i, const double *target, policies_figure *f)
{
    const policies_row *row = &r->row[i];
    const double n = (double)r->columns.n;
    for (size_t k = 0; k < row->d->n_candidates; k++) {
        const uint32_t a = r->action_of[row->first + k];
        if (a != 0 && target[a] > 0)
            f->cost_minor += target[a] * row->d->candidate[k].cost_minor / n;
    }
    f->treated += (1 - target[0]) / n;
}

static void fill_target(const policies_rows *r, const policies_options *o,
                        const policies_choice *c, double *chance, double *target,
                        policies_figure *f)
{
    const bool halves = c->kind->fill == NULL;
    policies_choice single = {.kind = &policies_kind_single};
    for (size_t i = 0; i < r->columns.n; i++) {
        double *row = target + i * r->columns.n_actions;
        single.promotion = f->picked[policies_half(r->columns.shopper[i])];
        policies_fill_row(r, o, halves ? &single : c, i, chance, row);
        add_cost(r, i, row, f);
    }
}

static void refuse(policies_figure *f, const pf_error *why)
{
    f->word = POLICIES_REFUSED;
    (void)snprintf(f->why, sizeof f->why, "%s", why->message);
}

/* *out stays NULL where the policy itself is what cannot be judged; its figure says why. */
static pf_status make_target(const policies_rows *r, const policies_options *o,
                             const policies_choice *c, double *chance, policies_figure *f,
                             double **out, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    (void)snprintf(f->name, sizeof f->name, "%s", c->name);
    pf_status s = policies_check_known(r, c, &why);
    if (s == PF_OK && c->kind->fill == NULL)
        s = policies_pick_single(r, o, f->picked, &why);
    if (s == PF_DATA) {
        refuse(f, &why);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    *out = policies_columns_target(&r->columns, err);
    if (*out == NULL) return PF_NO_MEMORY;
    fill_target(r, o, c, chance, *out, f);
    return PF_OK;
}

/* ---- all of them ---- */

/* Policies in the order asked for, `logged` among them or behind them. */
typedef struct line_up {
    policies_choice *choice;
    double **target;
    double *chance;
    size_t n, reference;
} line_up;

static void line_up_free(line_up *l)
{
    for (size_t j = 0; l->target != NULL && j < l->n; j++)
        mem_free(l->target[j]);
    mem_free(l->target);
    mem_free(l->choice);
    mem_free(l->chance);
}

static pf_status line_up_new(line_up *l, const policies_choice *policies, size_t n,
                             const policies_rows *r, pf_error *err)
{
    *l = (line_up){.n = n, .reference = n};
    l->choice = mem_alloc(n + 1, sizeof *l->choice);
    l->target = mem_alloc_zero(n + 1, sizeof *l->target);
    l->chance = mem_alloc(policies_most_candidates(r) + 1, sizeof *l->chance);
    if (!l->choice || !l->target || !l->chance)
        return error_set(err, PF_NO_MEMORY, "no memory for %zu policies", n);
    for (size_t j = 0; j < n; j++) {
        l->choice[j] = policies[j];
        if (policies[j].kind == &policies_kind_logged) l->reference = j;
    }
    if (l->reference < n) return PF_OK;
    l->choice[n] = (policies_choice){.name = "logged", .kind = &policies_kind_logged};
    l->n++;
    return PF_OK;
}

static pf_status check_cells(const policies_rows *r, size_t policies, pf_error *err)
{
    const size_t cells = r->columns.n * r->columns.n_actions;
    if (cells <= LIMIT_POLICY_CELLS / policies) return PF_OK;
    return error_set(err, PF_LIMIT,
                     "%zu decisions of %u actions by %zu policies are more than can be compared "
                     "at once; take decisions of a shorter time, or fewer policies",
                     r->columns.n, r->columns.n_actions, policies);
}

static pf_status compare_rows(const policies_rows *r, const policies_choice *policies, size_t n,
                              const policies_options *o, policies_result *out, pf_error *err)
{
    line_up l;
    pf_status s = line_up_new(&l, policies, n, r, err);
    if (s == PF_OK) s = check_cells(r, l.n, err);
    if (s == PF_OK) out->figure = mem_alloc_zero(n + 1, sizeof *out->figure);
    if (s == PF_OK && out->figure == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu policies", n);
    for (size_t j = 0; j < l.n && s == PF_OK; j++)
        s = make_target(r, o, &l.choice[j], l.chance, &out->figure[j], &l.target[j], err);
    if (s == PF_OK)
        s = policies_judge(&r->columns, (const double *const *)l.target, l.n, l.reference,
                           &o->plan, out->figure, err);
    line_up_free(&l);
    return s;
}

pf_status policies_compare(const policies_log *log, const policies_choice *policies, size_t n,
                           const policies_options *o, policies_result *out, pf_error *err)
{
    policies_rows r;
    const char *wrong = policies_check_options(o);
    *out = (policies_result){.options = *o, .catalogue = log->catalogue, .n_figures = n};
    if (wrong == NULL && n == 0) wrong = "no policy was named";
    if (wrong == NULL && n > POLICIES_MAX) wrong = "too many policies; compare fewer at once";
    pf_status s = wrong == NULL ? PF_OK : error_set(err, PF_USAGE, "%s", wrong);
    if (s == PF_OK) s = policies_rows_new(&r, log, o, err);
    if (s == PF_OK) {
        s = compare_rows(&r, policies, n, o, out, err);
        out->counts = r.counts;
        out->observed = r.observed;
        policies_rows_free(&r);
    }
    if (s != PF_OK) policies_result_free(out);
    return s;
}
