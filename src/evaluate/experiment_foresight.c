/*
 * Before the start (experiment.h): the spread of a shop's own past says how many shoppers an
 * experiment needs. One formula serves shares and amounts, one look and many: the difference
 * must pass what the interval takes (in standard errors) and the quantile of the power.
 */
#include <math.h>

#include "base/clock.h"
#include "evaluate/experiment.h"
#include "evaluate/experiment_rows.h"
#include "measure/distribution.h"
#include "measure/power.h"
#include "measure/sequential.h"

/* At its planned number of shoppers a sequential interval is the same number of standard errors
 * wide whatever that number is. */
static double errors_to_pass(const experiment_plan *plan, double power)
{
    const double pass = plan->looks == EXPERIMENT_ANY_TIME
                            ? sequential_reach(1, 1, 1, plan->alpha)
                            : normal_quantile(1 - plan->alpha / 2);
    return pass + normal_quantile(power);
}

static pf_status check(const experiment_plan *plan, double change, double power, pf_error *err)
{
    experiment_plan unplanned = *plan;
    unplanned.looks = EXPERIMENT_ONCE;
    const char *why = experiment_check_plan(&unplanned);
    if (why == NULL)
        why = power_check_plan(plan->share[EXPERIMENT_TREATED], 0, plan->alpha, power);
    if (why == NULL && !(fabs(change) > 0 && isfinite(change)))
        why = "name a change that is not 0: no number of shoppers shows none";
    return why == NULL ? PF_OK : error_set(err, PF_USAGE, "%s", why);
}

static pf_status fill(const experiment_plan *plan, const moments *m, double power,
                      experiment_foresight *out, pf_error *err)
{
    const double share = plan->share[EXPERIMENT_TREATED];
    if (m->n < 2)
        return error_set(err, PF_DATA,
                         "%llu shoppers have a whole window behind them: nothing can be foreseen; "
                         "wait, or shorten the window",
                         (unsigned long long)m->n);
    if (!(m->yy > 0))
        return error_set(err, PF_DATA,
                         "all shoppers did the same in the past window: nothing can be foreseen; "
                         "wait, or widen the window");
    out->shoppers = m->n;
    out->mean = m->mean_y;
    out->deviation = sqrt(moments_variance_y(m));
    out->explained = m->xx > 0 ? fmin(1, m->xy * m->xy / (m->xx * m->yy)) : 0;
    const double per = errors_to_pass(plan, power) * out->deviation *
                       sqrt((1 - out->explained) / (share * (1 - share)));
    out->least = per / sqrt((double)m->n);
    out->needed = fmax(4, ceil(per / out->change * (per / out->change)));
    return PF_OK;
}

pf_status experiment_foresee(const shop_history *h, const experiment_plan *plan,
                             const experiment_member *members, size_t n, double change,
                             double power, experiment_foresight *out, pf_error *err)
{
    experiment_sums sums = {0};
    experiment_group group = {0};
    experiment_foresight f = {.metric = plan->primary, .change = change};
    pf_status s = check(plan, change, power, err);
    if (s == PF_OK) s = experiment_check_members(members, n, err);
    if (s != PF_OK) return s;
    for (size_t i = 0; i < n; i++)
        experiment_add_member(h, plan, &members[i], &group, &sums);
    s = fill(plan, &sums.of[plan->primary], power, &f, err);
    if (s == PF_OK) *out = f;
    return s;
}
