/*
 * From logged decisions to columns (policies_rows.h): in order of shopper and moment, each with
 * its window, those that can be compared kept, candidates numbered as actions, and what followed.
 */
#include "evaluate/policies_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- columns ---- */

void policies_columns_free(policies_columns *c)
{
    mem_free(c->action);
    mem_free(c->shopper);
    mem_free(c->reward);
    mem_free(c->propensity);
    mem_free(c->logging);
    mem_free(c->features);
    *c = (policies_columns){0};
}

pf_status policies_columns_new(policies_columns *c, size_t n, uint32_t n_actions,
                               uint32_t n_features, pf_error *err)
{
    *c = (policies_columns){.n = n,
                            .n_actions = n_actions,
                            .n_features = n_features,
                            .action = mem_alloc_zero(n, sizeof *c->action),
                            .shopper = mem_alloc_zero(n, sizeof *c->shopper),
                            .reward = mem_alloc_zero(n, sizeof *c->reward),
                            .propensity = mem_alloc_zero(n, sizeof *c->propensity),
                            .logging = mem_alloc_zero(n, n_actions * sizeof *c->logging),
                            .features = mem_alloc_zero(n, n_features * sizeof *c->features)};
    if (c->action && c->shopper && c->reward && c->propensity && c->logging && c->features)
        return PF_OK;
    policies_columns_free(c);
    return error_set(err, PF_NO_MEMORY, "no memory for %zu decisions of %u actions", n,
                     n_actions);
}

off_policy_log policies_columns_log(const policies_columns *c, const double *target)
{
    return (off_policy_log){.n = c->n,
                            .n_actions = c->n_actions,
                            .action = c->action,
                            .reward = c->reward,
                            .propensity = c->propensity,
                            .target = target,
                            .logging = c->logging,
                            .features = c->features,
                            .n_features = c->n_features,
                            .shopper = c->shopper};
}

double *policies_columns_target(const policies_columns *c, pf_error *err)
{
    double *target = mem_alloc_zero(c->n, c->n_actions * sizeof *target);
    if (target == NULL)
        (void)error_set(err, PF_NO_MEMORY, "no memory for a policy's %zu decisions", c->n);
    return target;
}

/* ---- which decisions ---- */

static int by_shopper_and_time(const void *a, const void *b)
{
    const policies_decision *x = ((const policies_row *)a)->d;
    const policies_decision *y = ((const policies_row *)b)->d;
    if (x->shopper != y->shopper) return x->shopper < y->shopper ? -1 : 1;
    return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

static pf_status check_all(const policies_log *log, pf_error *err)
{
    if (log->n == 0)
        return error_set(err, PF_DATA,
                         "the log holds no decisions; turn on decide.explore and decide, then "
                         "compare when outcomes are in");
    pf_status s = PF_OK;
    for (size_t i = 0; i < log->n && s == PF_OK; i++)
        s = policies_check_decision(&log->decision[i], i + 1, err);
    return s;
}

/* Rows of all decisions, in order, with the end of their windows. */
static pf_status order_rows_of(const policies_log *log, const policies_options *o,
                               policies_row *row, bool *cut, pf_error *err)
{
    for (size_t i = 0; i < log->n; i++)
        row[i] = (policies_row){.d = &log->decision[i]};
    qsort(row, log->n, sizeof *row, by_shopper_and_time);
    for (size_t i = 0; i < log->n; i++) {
        const policies_decision *d = row[i].d;
        const policies_decision *next = i + 1 < log->n ? row[i + 1].d : NULL;
        row[i].end_us = d->time_us + o->window_us;
        cut[i] = false;
        if (next == NULL || next->shopper != d->shopper) continue;
        if (next->time_us == d->time_us)
            return error_set(err, PF_DATA,
                             "decisions %zu and %zu are of one shopper at one moment; keep the "
                             "one that was sent",
                             (size_t)(d - log->decision) + 1,
                             (size_t)(next - log->decision) + 1);
        cut[i] = o->to_next_decision && next->time_us < row[i].end_us;
        if (cut[i]) row[i].end_us = next->time_us;
    }
    return PF_OK;
}

/* Whether held-out rows may be compared: h is known, there are some, and all have chances. */
static bool holdout_counts(const policies_row *row, size_t n, const policies_options *o)
{
    size_t held_out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!row[i].d->holdout || row[i].end_us > o->until_us) continue;
        if (!policies_has_chances(row[i].d)) return false;
        held_out++;
    }
    return held_out > 0 && o->holdout_share > 0;
}

/* Moves the rows that are compared to the front. */
static size_t keep_rows(policies_rows *r, size_t n, const bool *cut, const policies_options *o)
{
    const bool with = holdout_counts(r->row, n, o);
    policies_counts *c = &r->counts;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const policies_row one = r->row[i];
        if (one.end_us > o->until_us) {
            c->waiting++;
        } else if (one.d->holdout && !with) {
            c->held_out_unknown++;
        } else {
            c->held_out += one.d->holdout;
            c->cut += cut[i];
            r->row[kept++] = one;
        }
    }
    r->held = with ? o->holdout_share : 0;
    return kept;
}

static pf_status check_kept(const policies_counts *c, size_t kept, pf_error *err)
{
    if (kept > 0) return PF_OK;
    if (c->waiting > 0)
        return error_set(err, PF_DATA,
                         "of %zu decisions no window is over yet (%zu wait): import later events, "
                         "or compare within a shorter window",
                         c->decisions, c->waiting);
    return error_set(err, PF_DATA,
                     "all %zu decisions are of held-out shoppers, whose chances are not known: "
                     "nothing can be compared; decide for others, too",
                     c->decisions);
}

static pf_status check_shares(const policies_rows *r, size_t kept, pf_error *err)
{
    size_t shoppers = 0, held_out = 0;
    for (size_t i = 0; i < kept; i++) {
        if (i > 0 && r->row[i].d->shopper == r->row[i - 1].d->shopper) continue;
        shoppers++;
        held_out += r->row[i].d->holdout;
    }
    return r->held > 0 ? policies_check_share(held_out, shoppers, r->held, err) : PF_OK;
}

/* The chance of what row i took, over both lots. */
static double chance_taken(const policies_rows *r, size_t i)
{
    const policies_decision *d = r->row[i].d;
    if (d->taken != POLICIES_NONE) return (1 - r->held) * d->candidate[d->taken].propensity;
    return r->held + (1 - r->held) * policies_chance_of_none(d);
}

static pf_status check_explored(const policies_rows *r, size_t kept, pf_error *err)
{
    size_t without = 0, sure = 0;
    for (size_t i = 0; i < kept; i++) {
        const bool has = policies_has_chances(r->row[i].d);
        without += !has;
        sure += has && chance_taken(r, i) >= 1 - 1e-9;
    }
    if (without > 0)
        return error_set(err, PF_DATA,
                         "%zu of %zu decisions have no propensities, so nothing can be said of "
                         "policies that would have decided otherwise; turn on decide.explore and "
                         "decide again, or leave those decisions out",
                         without, kept);
    if (sure < kept) return PF_OK;
    return error_set(err, PF_DATA,
                     "all %zu decisions had the propensity 1: nothing was explored, so the log "
                     "says nothing of policies that would have decided otherwise; turn on "
                     "decide.explore and decide again",
                     kept);
}

static pf_status choose_rows(policies_rows *r, const policies_log *log,
                             const policies_options *o, size_t *kept, pf_error *err)
{
    pf_status s = check_all(log, err);
    if (s != PF_OK) return s;
    bool *cut = mem_alloc(log->n, sizeof *cut);
    r->row = mem_alloc(log->n, sizeof *r->row);
    r->counts.decisions = log->n;
    if (cut == NULL || r->row == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu decisions", log->n);
    if (s == PF_OK) s = order_rows_of(log, o, r->row, cut, err);
    if (s == PF_OK) {
        *kept = keep_rows(r, log->n, cut, o);
        s = check_kept(&r->counts, *kept, err);
    }
    if (s == PF_OK) s = check_shares(r, *kept, err);
    if (s == PF_OK) s = check_explored(r, *kept, err);
    mem_free(cut);
    return s;
}

/* ---- actions ---- */

uint64_t policies_key(uint32_t number, channel by)
{
    return (uint64_t)number * CHANNEL_COUNT + (uint64_t)by;
}

uint32_t policies_key_promotion(uint64_t key)
{
    return (uint32_t)(key / CHANNEL_COUNT);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint32_t action_at(const policies_rows *r, uint32_t n_actions, uint64_t key)
{
    const uint64_t *at = bsearch(&key, r->key, n_actions, sizeof *at, by_number);
    return at == NULL ? 0 : (uint32_t)(at - r->key);
}

/* Every key once, 0 (none) first. */
static pf_status list_keys(policies_rows *r, size_t kept, size_t cells, uint32_t *n_actions,
                           pf_error *err)
{
    size_t n = 0, unique = 0;
    r->key = mem_alloc(cells + 1, sizeof *r->key);
    if (r->key == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory for %zu candidates", cells);
    r->key[n++] = 0;
    for (size_t i = 0; i < kept; i++) {
        const policies_decision *d = r->row[i].d;
        for (size_t k = 0; k < d->n_candidates; k++)
            if (policies_is_action(&d->candidate[k]))
                r->key[n++] = policies_key(d->candidate[k].promotion, d->candidate[k].channel);
    }
    qsort(r->key, n, sizeof *r->key, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || r->key[i] != r->key[unique - 1]) r->key[unique++] = r->key[i];
    *n_actions = (uint32_t)unique;
    if (unique <= LIMIT_POLICY_ACTIONS) return PF_OK;
    return error_set(err, PF_LIMIT,
                     "the log has %zu promotions by channel; at most %u can be compared: take "
                     "decisions of a shorter time",
                     unique - 1, LIMIT_POLICY_ACTIONS - 1);
}

/* action_of of all candidates; seen [K] says in which row an action stood last, from 1. */
static pf_status number_candidates(policies_rows *r, size_t kept, uint32_t n_actions,
                                   size_t *seen, pf_error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < kept; i++) {
        const policies_decision *d = r->row[i].d;
        r->row[i].first = at;
        for (size_t k = 0; k < d->n_candidates; k++, at++) {
            const policies_candidate *c = &d->candidate[k];
            r->action_of[at] = 0;
            if (!policies_is_action(c)) continue;
            const uint32_t a = action_at(r, n_actions, policies_key(c->promotion, c->channel));
            if (seen[a] == i + 1)
                return error_set(err, PF_DATA,
                                 "a decision about shopper %u names promotion %u by %s twice; "
                                 "keep one of them",
                                 d->shopper, c->promotion, channel_name(c->channel));
            seen[a] = i + 1;
            r->action_of[at] = a;
        }
    }
    return PF_OK;
}

static pf_status number_actions(policies_rows *r, size_t kept, uint32_t *n_actions,
                                pf_error *err)
{
    size_t cells = 0;
    for (size_t i = 0; i < kept; i++)
        cells += r->row[i].d->n_candidates;
    pf_status s = list_keys(r, kept, cells, n_actions, err);
    if (s != PF_OK) return s;
    size_t *seen = mem_alloc_zero(*n_actions, sizeof *seen);
    r->action_of = mem_alloc(cells + 1, sizeof *r->action_of);
    if (seen == NULL || r->action_of == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu candidates", cells);
    if (s == PF_OK) s = number_candidates(r, kept, *n_actions, seen, err);
    mem_free(seen);
    return s;
}

/* ---- what followed ---- */

static void fill_logging(policies_rows *r, size_t i)
{
    const policies_row *row = &r->row[i];
    double *p = r->columns.logging + i * r->columns.n_actions;
    p[0] = r->held + (1 - r->held) * policies_chance_of_none(row->d);
    for (size_t k = 0; k < row->d->n_candidates; k++)
        if (r->action_of[row->first + k] != 0)
            p[r->action_of[row->first + k]] = (1 - r->held) * row->d->candidate[k].propensity;
}

static void fill_row(policies_rows *r, const policies_log *log, const policies_options *o,
                     size_t i)
{
    const policies_row *row = &r->row[i];
    const policies_decision *d = row->d;
    const policies_scope everything = {.catalogue = log->catalogue};
    const policies_outcome after =
        policies_outcome_between(log->history, d->shopper, d->time_us, row->end_us, &everything);
    const bool none = d->taken == POLICIES_NONE;
    policies_columns *c = &r->columns;
    c->action[i] = none ? 0 : r->action_of[row->first + d->taken];
    c->shopper[i] = d->shopper;
    c->reward[i] = policies_reward_of(&after, o->reward, o->margin_rate,
                                      none ? 0 : d->candidate[d->taken].contact_minor);
    c->propensity[i] = fmin(chance_taken(r, i), 1);
    fill_logging(r, i);
    policies_decision_features(log->history, d, c->features + i * c->n_features);
    r->counts.unpriced += policies_outcome_unpriced(&after, o->reward);
    r->counts.shoppers += i == 0 || r->row[i - 1].d->shopper != d->shopper;
    r->observed += c->reward[i] / (double)c->n;
}

/* Different texts, by looking back; there are few. */
static uint32_t count_versions(const policies_rows *r)
{
    enum { MOST = 64 };
    const char *seen[MOST];
    uint32_t n = 0;
    for (size_t i = 0; i < r->columns.n && n < MOST; i++) {
        const char *v = r->row[i].d->version;
        uint32_t k = 0;
        while (v != NULL && k < n && strcmp(seen[k], v) != 0)
            k++;
        if (v != NULL && k == n) seen[n++] = v;
    }
    return n;
}

pf_status policies_rows_new(policies_rows *r, const policies_log *log,
                            const policies_options *o, pf_error *err)
{
    size_t kept = 0;
    uint32_t n_actions = 0;
    *r = (policies_rows){0};
    pf_status s = choose_rows(r, log, o, &kept, err);
    if (s == PF_OK) s = number_actions(r, kept, &n_actions, err);
    if (s == PF_OK && n_actions > 0 && kept > LIMIT_POLICY_CELLS / n_actions)
        s = error_set(err, PF_LIMIT,
                      "%zu decisions of %u actions are more than can be compared at once; take "
                      "decisions of a shorter time",
                      kept, n_actions);
    if (s == PF_OK)
        s = policies_columns_new(&r->columns, kept, n_actions, POLICIES_FEATURES, err);
    for (size_t i = 0; s == PF_OK && i < kept; i++)
        fill_row(r, log, o, i);
    r->counts.compared = kept;
    r->counts.actions = n_actions;
    if (s == PF_OK)
        r->counts.versions = count_versions(r);
    else
        policies_rows_free(r);
    return s;
}

void policies_rows_free(policies_rows *r)
{
    mem_free(r->row);
    mem_free(r->action_of);
    mem_free(r->key);
    policies_columns_free(&r->columns);
    *r = (policies_rows){0};
}
