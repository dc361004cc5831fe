/* Off-policy estimates (off_policy.h). Every one of them is the mean of a base plus a weighted
 * sum over its own sum of weights; what differs is the weight. */
#include "evaluate/off_policy.h"

#include <math.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "evaluate/off_policy_rows.h"
#include "measure/bootstrap.h"
#include "measure/distribution.h"

const off_policy_kind off_policy_kinds[OFF_POLICY_ESTIMATORS] = {
    [OFF_POLICY_DM] = {"dm", true, false, false},
    [OFF_POLICY_IPS] = {"ips", false, false, false},
    [OFF_POLICY_SNIPS] = {"snips", false, true, false},
    [OFF_POLICY_DR] = {"dr", true, false, false},
    [OFF_POLICY_SNDR] = {"sndr", true, true, false},
    [OFF_POLICY_SWITCH] = {"switch-dr", true, false, true},
    [OFF_POLICY_DROS] = {"dros", true, false, true},
    [OFF_POLICY_CLIPPED] = {"clipped-ips", false, false, true},
};

const char *off_policy_name(off_policy_estimator e)
{
    return off_policy_kinds[e].name;
}

off_policy_plan off_policy_plan_default(void)
{
    return (off_policy_plan){.estimator = OFF_POLICY_SWITCH,
                             .parameter = NAN,
                             .rule = OFF_POLICY_BY_ERROR,
                             .level = .95,
                             .replicates = BOOTSTRAP_REPLICATES_DEFAULT,
                             .seed = 1};
}

double off_policy_shrink(off_policy_estimator kind, double w, double parameter)
{
    switch (kind) {
    case OFF_POLICY_DM: return 0;
    case OFF_POLICY_SWITCH: return w <= parameter ? w : 0;
    case OFF_POLICY_DROS: return isinf(parameter) ? w : parameter * w / (w * w + parameter);
    case OFF_POLICY_CLIPPED: return w < parameter ? w : parameter;
    default: return w;
    }
}

/* ---- rows ---- */

static void rows_free(off_policy_rows *r)
{
    mem_free(r->base);
    mem_free(r->weight);
    mem_free(r->rest);
    mem_free(r->shrunk);
}

/* What one decision brings: by the model alone, and what the model did not foresee. */
typedef struct parts {
    double base, rest;
} parts;

/* q [K] of decision i; NULL: an estimator without a model. */
static parts parts_of(const off_policy_rows *r, const double *q, size_t i)
{
    const uint32_t K = r->log->n_actions;
    const double *target = r->target + i * K;
    parts p = {.rest = r->log->reward[i]};
    if (q == NULL) return p;
    for (uint32_t a = 0; a < K; a++)
        p.base += target[a] * q[a];
    p.rest -= q[r->log->action[i]];
    return p;
}

static reward_rows rewards_of(const off_policy_log *log)
{
    return (reward_rows){.n = log->n,
                         .n_actions = log->n_actions,
                         .n_features = log->features != NULL ? log->n_features : 0,
                         .action = log->action,
                         .reward = log->reward,
                         .x = log->features,
                         .shopper = log->shopper};
}

/* Our model on the rows as often as c says, with room for what it expects of one decision. */
typedef struct learned {
    reward_rows rows;
    reward_model model;
    double *q; /* [K] */
} learned;

static void learned_free(learned *l)
{
    mem_free(l->q);
    reward_model_free(&l->model);
}

static pf_status learned_fit(learned *l, const off_policy_log *log, const double *c,
                             pf_error *err)
{
    *l = (learned){.rows = rewards_of(log)};
    l->q = mem_alloc(log->n_actions, sizeof *l->q);
    if (l->q == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u actions", log->n_actions);
    pf_status s = reward_model_fit(&l->model, &l->rows, c, err);
    if (s != PF_OK) learned_free(l);
    return s;
}

static pf_status fill_parts(off_policy_rows *r, pf_error *err)
{
    const off_policy_log *log = r->log;
    learned l = {0};
    if (r->learned) {
        pf_status s = learned_fit(&l, log, NULL, err);
        if (s != PF_OK) return s;
    }
    for (size_t i = 0; i < log->n; i++) {
        const double *q = NULL;
        if (r->learned) {
            reward_model_expect(&l.model, &l.rows, i, l.q);
            q = l.q;
        }
        if (!r->learned && off_policy_kinds[r->kind].model)
            q = log->expected + i * log->n_actions;
        const parts p = parts_of(r, q, i);
        r->base[i] = p.base;
        r->rest[i] = p.rest;
        r->weight[i] = off_policy_weight(log, r->target, i);
    }
    if (r->learned) learned_free(&l);
    return PF_OK;
}

static pf_status rows_new(off_policy_rows *r, const off_policy_log *log, const double *target,
                          off_policy_estimator kind, pf_error *err)
{
    *r = (off_policy_rows){.log = log,
                           .target = target,
                           .kind = kind,
                           .learned = off_policy_kinds[kind].model && log->expected == NULL,
                           .base = mem_alloc(log->n, sizeof *r->base),
                           .weight = mem_alloc(log->n, sizeof *r->weight),
                           .rest = mem_alloc(log->n, sizeof *r->rest),
                           .shrunk = mem_alloc(log->n, sizeof *r->shrunk)};
    pf_status s = PF_OK;
    if (!r->base || !r->weight || !r->rest || !r->shrunk)
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", log->n);
    if (s == PF_OK) s = fill_parts(r, err);
    if (s == PF_OK) return PF_OK;
    rows_free(r);
    *r = (off_policy_rows){0};
    return s;
}

/* ---- one estimate ---- */

typedef struct sums {
    double count, base, rest, weights;
} sums;

static void add(sums *s, double times, double base, double weight, double rest)
{
    s->count += times;
    s->base += times * base;
    s->rest += times * weight * rest;
    s->weights += times * weight;
}

static double value_of_sums(const off_policy_rows *r, const sums *s)
{
    const double over = off_policy_kinds[r->kind].own_sum ? s->weights : s->count;
    if (!(s->count > 0) || !(over > 0)) return NAN;
    return s->base / s->count + s->rest / over;
}

static pf_status prepare(const off_policy_log *log, const double *target,
                         const off_policy_plan *plan, off_policy_rows *r, double *parameter,
                         pf_error *err)
{
    *parameter = NAN;
    pf_status s = rows_new(r, log, target, plan->estimator, err);
    if (s == PF_OK && off_policy_kinds[plan->estimator].chosen) {
        *parameter = plan->parameter;
        if (isnan(*parameter)) s = off_policy_choose(r, plan->rule, parameter, err);
    }
    for (size_t i = 0; s == PF_OK && i < log->n; i++)
        r->shrunk[i] = off_policy_shrink(r->kind, r->weight[i], *parameter);
    return s;
}

/* ---- the interval ---- */

static bootstrap_plan bootstrap_of(const off_policy_log *log, const off_policy_plan *plan,
                                   const uint32_t *group)
{
    bootstrap_plan b = bootstrap_plan_default(group, log->n);
    b.replicates = plan->replicates;
    b.level = plan->level;
    b.seed = plan->seed;
    b.threads = plan->threads;
    return b;
}

/* Without shoppers every decision is a group of its own. */
static pf_status groups_of(const off_policy_log *log, uint32_t **own, const uint32_t **group,
                           pf_error *err)
{
    *group = log->shopper;
    if (log->shopper != NULL) return PF_OK;
    *own = mem_alloc(log->n, sizeof **own);
    if (*own == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu decisions", log->n);
    for (size_t i = 0; i < log->n; i++)
        (*own)[i] = (uint32_t)i;
    *group = *own;
    return PF_OK;
}

static pf_status check_plan(const off_policy_plan *plan, pf_error *err)
{
    const off_policy_kind *k = &off_policy_kinds[plan->estimator];
    if (!k->chosen || isnan(plan->parameter) || plan->parameter > 0) return PF_OK;
    return error_set(err, PF_USAGE, "the parameter of %s is %g but must be above 0", k->name,
                     plan->parameter);
}

/* What a decision adds to the value is its weight / over times (rest - centre). */
typedef struct scale {
    double over, centre;
} scale;

static scale scale_of(const off_policy_rows *r)
{
    double weights = 0, rests = 0;
    if (!off_policy_kinds[r->kind].own_sum) return (scale){1, 0};
    for (size_t i = 0; i < r->log->n; i++) {
        weights += r->shrunk[i];
        rests += r->shrunk[i] * r->rest[i];
    }
    return (scale){weights / (double)r->log->n, rests / weights};
}

/* How much wider than the bootstrap's an interval must be. Where rewards are rare, the rows whose
 * weights decide the spread may all be without reward in the sample, and no replicate can know:
 * then the spread is taken as if what the model did not foresee had nothing to do with the weight.
 * others: of the policy to subtract, or NULL. */
static double widening(const off_policy_rows *r, const off_policy_rows *others, double error)
{
    const double n = (double)r->log->n;
    const scale mine = scale_of(r), theirs = others != NULL ? scale_of(others) : mine;
    double square = 0, weights = 0, rests = 0;
    for (size_t i = 0; i < r->log->n; i++) {
        const double rest = r->rest[i] - mine.centre;
        double w = r->shrunk[i] / mine.over;
        if (others != NULL) w -= others->shrunk[i] / theirs.over;
        square += w * w * rest * rest;
        weights += w * w;
        rests += rest * rest;
    }
    const double missing = fmax(weights / n * rests / n - square / n, 0) / n;
    return error > 0 ? sqrt(1 + missing / (error * error)) : 1;
}

static bool has_loss(const off_policy_log *log)
{
    for (size_t i = 0; i < log->n; i++)
        if (log->reward[i] < 0) return true;
    return false;
}

/* The normal interval of the bootstrap's error: where large weights are rare, a low value comes
 * with replicates that vary little, and their quantiles would miss the truth together. */
static void set_interval(const bootstrap_result *found, double level, double wider,
                         off_policy_value *out)
{
    const double reach = normal_quantile(.5 + level / 2) * found->standard_error * wider;
    out->value = found->value;
    out->standard_error = found->standard_error * wider;
    out->low = found->value - reach;
    out->high = found->value + reach;
}

/* ---- several policies on the same draws ---- */

typedef struct contest {
    off_policy_rows rows[OFF_POLICY_COMPARED_MAX];
    double parameter[OFF_POLICY_COMPARED_MAX];
    size_t n, base;
    atomic_bool *starved; /* a replicate found no memory */
} contest;

static void contest_free(contest *t)
{
    for (size_t j = 0; j < t->n; j++)
        rows_free(&t->rows[j]);
}

static void write_values(const contest *t, const sums *s, double *values)
{
    for (size_t j = 0; j < t->n; j++)
        values[j] = value_of_sums(&t->rows[j], &s[j]);
    for (size_t j = 0; j < t->n; j++)
        values[t->n + j] = values[j] - values[t->base];
}

/* values [2 n]: of each policy, then of each less the base's. c [rows] counts the rows; NULL: once
 * each. Our model is fitted to the same counts, once for all policies. */
static void values_of_all(const void *context, const double *c, double *values)
{
    const contest *t = context;
    const off_policy_log *log = t->rows[0].log;
    const bool anew = t->rows[0].learned && c != NULL;
    sums s[OFF_POLICY_COMPARED_MAX] = {{0}};
    learned l = {0};
    if (anew && learned_fit(&l, log, c, NULL) != PF_OK) {
        atomic_store(t->starved, true);
        write_values(t, s, values);
        return;
    }
    for (size_t i = 0; i < log->n; i++) {
        if (c != NULL && !(c[i] > 0)) continue;
        if (anew) reward_model_expect(&l.model, &l.rows, i, l.q);
        for (size_t j = 0; j < t->n; j++) {
            const off_policy_rows *r = &t->rows[j];
            const parts p = anew ? parts_of(r, l.q, i) : (parts){r->base[i], r->rest[i]};
            add(&s[j], c != NULL ? c[i] : 1, p.base, r->shrunk[i], p.rest);
        }
    }
    if (anew) learned_free(&l);
    write_values(t, s, values);
}

static pf_status contest_new(contest *t, const off_policy_log *log,
                             const double *const *targets, size_t n, size_t base,
                             const off_policy_plan *plan, atomic_bool *starved, pf_error *err)
{
    pf_status s = PF_OK;
    *t = (contest){.base = base, .starved = starved};
    for (size_t j = 0; j < n && s == PF_OK; j++) {
        s = prepare(log, targets[j], plan, &t->rows[j], &t->parameter[j], err);
        if (s == PF_OK || t->rows[j].base != NULL) t->n++;
    }
    return s;
}

static void set_value(const contest *t, size_t j, const bootstrap_result *found, double level,
                      off_policy_value *out)
{
    const off_policy_rows *r = &t->rows[j];
    set_interval(found, level, widening(r, NULL, found->standard_error), out);
    /* No policy brings less than nothing. */
    if (!has_loss(r->log)) out->low = fmax(out->low, fmin(out->value, 0));
    out->parameter = t->parameter[j];
}

static void set_difference(const contest *t, size_t j, const bootstrap_result *found,
                           double level, off_policy_value *out)
{
    const double wider = widening(&t->rows[j], &t->rows[t->base], found->standard_error);
    set_interval(found, level, wider, out);
    out->parameter = t->parameter[j];
}

/* values, differences [n], their supports filled; either may be NULL. */
static pf_status estimate(const off_policy_log *log, const double *const *targets, size_t n,
                          size_t base, const off_policy_plan *plan, off_policy_value *values,
                          off_policy_value *differences, pf_error *err)
{
    contest t;
    atomic_bool starved = false;
    uint32_t *own = NULL;
    const uint32_t *group = NULL;
    bootstrap_result found[2 * OFF_POLICY_COMPARED_MAX];
    pf_status s = contest_new(&t, log, targets, n, base, plan, &starved, err);
    if (s == PF_OK) s = groups_of(log, &own, &group, err);
    if (s == PF_OK) {
        const bootstrap_plan b = bootstrap_of(log, plan, group);
        s = bootstrap_intervals(&b, values_of_all, &t, 2 * n, found, err);
    }
    if (atomic_load(&starved))
        s = error_set(err, PF_NO_MEMORY, "out of memory for the interval's replicates");
    for (size_t j = 0; s == PF_OK && j < n; j++) {
        if (values != NULL) set_value(&t, j, &found[j], plan->level, &values[j]);
        if (differences != NULL)
            set_difference(&t, j, &found[n + j], plan->level, &differences[j]);
    }
    contest_free(&t);
    mem_free(own);
    return s;
}

pf_status off_policy_estimate(const off_policy_log *log, const off_policy_plan *plan,
                              off_policy_value *out, pf_error *err)
{
    *out = (off_policy_value){0};
    pf_status s = check_plan(plan, err);
    if (s == PF_OK) s = off_policy_check(log, &out->support, err);
    return s == PF_OK ? estimate(log, &log->target, 1, 0, plan, out, NULL, err) : s;
}

/* Of a difference the weaker support counts. */
static void weaken(off_policy_value *difference, const off_policy_support *other)
{
    if (other->effective < difference->support.effective) difference->support = *other;
}

pf_status off_policy_compare(const off_policy_log *log, const double *const *targets, size_t n,
                             size_t base, const off_policy_plan *plan,
                             off_policy_value *values, off_policy_value *differences,
                             pf_error *err)
{
    pf_status s = check_plan(plan, err);
    if (s == PF_OK && (n == 0 || n > OFF_POLICY_COMPARED_MAX || base >= n))
        s = error_set(err, PF_USAGE, "%zu policies with number %zu as the base: give 1 to %d",
                      n, base, OFF_POLICY_COMPARED_MAX);
    for (size_t j = 0; j < n && s == PF_OK; j++) {
        off_policy_log one = *log;
        one.target = targets[j];
        values[j] = differences[j] = (off_policy_value){0};
        s = off_policy_check(&one, &values[j].support, err);
        differences[j].support = values[j].support;
    }
    if (s != PF_OK) return s;
    for (size_t j = 0; j < n; j++)
        weaken(&differences[j], &values[base].support);
    return estimate(log, targets, n, base, plan, values, differences, err);
}

pf_status off_policy_difference(const off_policy_log *log, const double *other,
                                const off_policy_plan *plan, off_policy_value *out,
                                pf_error *err)
{
    const double *targets[2] = {log->target, other};
    off_policy_value values[2], differences[2];
    *out = (off_policy_value){0};
    pf_status s = off_policy_compare(log, targets, 2, 1, plan, values, differences, err);
    if (s == PF_OK) *out = differences[0];
    return s;
}
