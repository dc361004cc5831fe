/* Whether a log can speak of a policy at all (off_policy.h), asked before any figure. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "evaluate/off_policy_rows.h"

/* How far a row of probabilities may be from one. */
#define SUM_TOLERANCE 1e-6

double off_policy_weight(const off_policy_log *log, const double *target, size_t i)
{
    return target[i * log->n_actions + log->action[i]] / log->propensity[i];
}

/* ---- one decision ---- */

/* p [K] of decision i; whose: "the policy". */
static pf_status check_probabilities(const double *p, uint32_t K, size_t i, const char *whose,
                                     pf_error *err)
{
    double sum = 0;
    for (uint32_t a = 0; a < K; a++) {
        if (!(p[a] >= 0))
            return error_set(err, PF_DATA,
                             "decision %zu: %s gives action %u the probability %g; it must be 0 "
                             "or more",
                             i + 1, whose, a, p[a]);
        sum += p[a];
    }
    if (fabs(sum - 1) <= SUM_TOLERANCE) return PF_OK;
    return error_set(err, PF_DATA,
                     "decision %zu: the probabilities of %s sum to %.6g, not to 1: name all "
                     "actions, doing nothing among them",
                     i + 1, whose, sum);
}

static pf_status check_logging(const off_policy_log *log, size_t i, pf_error *err)
{
    const double *p = log->logging + i * log->n_actions;
    pf_status s = check_probabilities(p, log->n_actions, i, "the log", err);
    if (s != PF_OK || fabs(p[log->action[i]] - log->propensity[i]) <= SUM_TOLERANCE) return s;
    return error_set(err, PF_DATA,
                     "decision %zu took action %u with the propensity %g, but the log's "
                     "probabilities give it %g; they must be those of the same moment",
                     i + 1, log->action[i], log->propensity[i], p[log->action[i]]);
}

static pf_status check_numbers(const off_policy_log *log, size_t i, pf_error *err)
{
    if (!isfinite(log->reward[i]))
        return error_set(err, PF_DATA, "decision %zu has no finite reward", i + 1);
    for (uint32_t a = 0; log->expected != NULL && a < log->n_actions; a++)
        if (!isfinite(log->expected[i * log->n_actions + a]))
            return error_set(err, PF_DATA,
                             "decision %zu: nothing finite is expected of action %u", i + 1, a);
    for (uint32_t f = 0; log->features != NULL && f < log->n_features; f++)
        if (!isfinite(log->features[i * log->n_features + f]))
            return error_set(err, PF_DATA, "decision %zu: feature %u is not finite", i + 1, f);
    return PF_OK;
}

static pf_status check_row(const off_policy_log *log, size_t i, pf_error *err)
{
    const double p = log->propensity[i];
    if (log->action[i] >= log->n_actions)
        return error_set(err, PF_DATA, "decision %zu took action %u of %u", i + 1,
                         log->action[i], log->n_actions);
    if (!(p > 0 && p <= 1))
        return error_set(err, PF_DATA,
                         "decision %zu has the propensity %g; the log must hold the probability, "
                         "above 0 and at most 1, with which its action was taken, or it cannot "
                         "speak of another policy",
                         i + 1, p);
    pf_status s = check_numbers(log, i, err);
    return s == PF_OK && log->logging != NULL ? check_logging(log, i, err) : s;
}

/* ---- support ---- */

static off_policy_support support_of(const off_policy_log *log, const double *target)
{
    const double n = (double)log->n;
    off_policy_support s = {.n = log->n};
    double sum = 0, square = 0;
    for (size_t i = 0; i < log->n; i++) {
        const double w = off_policy_weight(log, target, i);
        sum += w;
        square += w * w;
        if (w > s.largest_weight) s.largest_weight = w;
    }
    s.effective = square > 0 ? sum * sum / square : 0;
    s.mean_weight = sum / n;
    s.mean_weight_error = sqrt(fmax(square / n - s.mean_weight * s.mean_weight, 0) / n);
    s.few = s.effective < OFF_POLICY_FEW;
    /* Rounding of written propensities is no error of theirs. */
    const double off = fabs(s.mean_weight - 1);
    s.off = off > .01 && off > OFF_POLICY_OFF * s.mean_weight_error;
    return s;
}

/* An action that the policy takes and the log could not have. */
static pf_status check_possible(const off_policy_log *log, const double *target, size_t i,
                                pf_error *err)
{
    for (size_t j = i * log->n_actions; j < (i + 1) * log->n_actions; j++)
        if (target[j] > 0 && !(log->logging[j] > 0))
            return error_set(err, PF_DATA,
                             "decision %zu: the policy takes action %zu, to which the log gave no "
                             "chance: there is no support for it; keep the policy to what was "
                             "possible, or explore that action first",
                             i + 1, j - i * log->n_actions);
    return PF_OK;
}

/* Without the log's own probabilities: an action that the policy takes and the log never did. */
static pf_status check_taken(const off_policy_log *log, const double *target, pf_error *err)
{
    const uint32_t K = log->n_actions;
    double *wanted = mem_alloc_zero(K, sizeof *wanted);
    pf_status s = PF_OK;
    if (wanted == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for %u actions", K);
    for (size_t j = 0; j < log->n * K; j++)
        wanted[j % K] += target[j];
    for (size_t i = 0; i < log->n; i++)
        wanted[log->action[i]] = 0;
    for (uint32_t a = 0; a < K && s == PF_OK; a++)
        if (wanted[a] > 0)
            s = error_set(err, PF_DATA,
                          "the log never took action %u, which the policy takes in %.3g of %zu "
                          "decisions: there is no support for it; take it out of the policy, or "
                          "explore it first",
                          a, wanted[a], log->n);
    mem_free(wanted);
    return s;
}

pf_status off_policy_check_target(const off_policy_log *log, const double *target,
                                  off_policy_support *out, pf_error *err)
{
    pf_status s = PF_OK;
    for (size_t i = 0; i < log->n && s == PF_OK; i++) {
        s = check_probabilities(target + i * log->n_actions, log->n_actions, i, "the policy",
                                err);
        if (s == PF_OK && log->logging != NULL) s = check_possible(log, target, i, err);
    }
    if (s == PF_OK && log->logging == NULL) s = check_taken(log, target, err);
    if (s != PF_OK) return s;
    *out = support_of(log, target);
    if (out->largest_weight > 0) return PF_OK;
    return error_set(err, PF_DATA,
                     "in no decision did the log take what the policy takes: there is no support "
                     "for it; explore more widely, then judge it");
}

/* ---- the log ---- */

static pf_status check_spread(const off_policy_log *log, pf_error *err)
{
    for (size_t i = 1; i < log->n; i++)
        if (log->reward[i] != log->reward[0]) return PF_OK;
    return error_set(err, PF_DATA,
                     "all %zu decisions have the reward %g: nothing tells policies apart; see "
                     "that the outcome was recorded, or wait until it differs",
                     log->n, log->reward[0]);
}

pf_status off_policy_check(const off_policy_log *log, off_policy_support *out, pf_error *err)
{
    if (log->n == 0 || log->n_actions == 0)
        return error_set(err, PF_DATA,
                         "the log holds no decisions; let a policy decide with exploration first");
    if (log->propensity == NULL)
        return error_set(err, PF_DATA,
                         "the log has no propensities: it cannot speak of another policy; decide "
                         "with exploration and keep the probability of every choice");
    pf_status s = PF_OK;
    for (size_t i = 0; i < log->n && s == PF_OK; i++)
        s = check_row(log, i, err);
    if (s == PF_OK) s = off_policy_check_target(log, log->target, out, err);
    return s == PF_OK ? check_spread(log, err) : s;
}

const char *off_policy_warning(const off_policy_support *s, char *out, size_t n)
{
    if (n == 0) return out;
    out[0] = 0;
    if (s->off)
        (void)snprintf(out, n,
                       "The weights average %.3f where they should average 1: the propensities in "
                       "the log are not the chances with which it decided. Do not use this figure.",
                       s->mean_weight);
    else if (s->few)
        (void)snprintf(out, n,
                       "Only %.0f of %zu decisions' worth of evidence speaks of this policy (below "
                       "%d): do not decide by this figure; explore more of what the policy takes.",
                       s->effective, s->n, OFF_POLICY_FEW);
    return out;
}
