/*
 * evaluate --policy: what other ways to decide would have brought, read off the workspace's own
 * log of decisions (evaluate/policies.h). The result is kept for the report.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/deciding.h"
#include "engine/past_policies.h"
#include "evaluate/policies_journal.h"

enum { MOST_WINDOW_DAYS = 366 };

proffer_policies_options proffer_policies_options_default(void)
{
    return (proffer_policies_options){.seed = 1};
}

/* What one comparison works with. */
typedef struct comparing {
    proffer *p;
    const proffer_policies_options *o;
    policy policy;
    decision_log log;
    policies_decision *row; /* [log.n] */
    policies_candidate *candidate;
    size_t n, n_candidates;
    size_t skipped; /* decisions that cannot be judged, and why the first of them */
    pf_error first;
    policies_choice who[POLICIES_MAX];
    size_t n_who;
} comparing;

/* --- rows --------------------------------------------------------------------------- */

/* The chances of a row's candidates. A held-out shopper's are those before the lot was drawn, where
 * the log has them. */
static void take_chances(const logged_row *from, double *into)
{
    bool told = !from->holdout || from->explored;
    for (size_t i = 0; i < from->n_candidates; i++)
        into[i] = told ? from->candidate[i].outcome.propensity : NAN;
}

/* A further promotion of one message has no candidates of its own. */
static pf_status take_row(comparing *k, const logged_row *from, double *chance, pf_error *err)
{
    const policies_logged logged = {.shopper = from->shopper,
                                    .time_us = from->time_us,
                                    .promotion = from->promotion,
                                    .channel = from->channel,
                                    .propensity = from->holdout ? NAN : from->propensity,
                                    .holdout = from->holdout,
                                    .version = from->policy};
    pf_error why = {.code = PF_OK};
    if (from->n_candidates == 0) return PF_OK;
    take_chances(from, chance);
    pf_status s = policies_from_journal(&logged, from->candidate, from->n_candidates, chance,
                                        &k->policy, k->p->catalogue,
                                        k->candidate + k->n_candidates, &k->row[k->n], &why);
    k->n_candidates += from->n_candidates;
    k->n += s == PF_OK;
    if (s != PF_DATA) return s == PF_OK ? s : error_pass(err, &why);
    if (k->skipped++ == 0) k->first = why;
    return PF_OK;
}

/* Runs that drew no lots say nothing of other policies; where others did, they are left out. */
static pf_status take_rows(comparing *k, int64_t since_us, pf_error *err)
{
    size_t candidates = 0, widest = 0;
    for (size_t i = 0; i < k->log.n; i++) {
        candidates += k->log.row[i].n_candidates;
        if (k->log.row[i].n_candidates > widest) widest = k->log.row[i].n_candidates;
    }
    double *chance = mem_alloc(widest + 1, sizeof *chance);
    k->row = mem_alloc(k->log.n + 1, sizeof *k->row);
    k->candidate = mem_alloc(candidates + 1, sizeof *k->candidate);
    pf_status s = PF_OK;
    if (chance == NULL || k->row == NULL || k->candidate == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for the log of decisions");
    size_t sure = 0;
    for (size_t i = 0; s == PF_OK && i < k->log.n; i++) {
        const logged_row *from = &k->log.row[i];
        if (from->time_us < since_us) continue;
        bool without = k->log.lots > 0 && !from->explored;
        sure += without;
        if (!without) s = take_row(k, from, chance, err);
    }
    if (!decision_log_was_sent(&k->log))
        log_line(LOG_WARNING,
                 "of %zu messages that were decided %zu are known to have been sent (as "
                 "exposures): the figures hold only if the others were sent, too",
                 k->log.sent, k->log.seen);
    if (sure > 0)
        log_line(LOG_INFO, "%zu decision%s of runs that drew no lots left out", sure,
                 sure == 1 ? "" : "s");
    if (k->skipped > 0)
        log_line(LOG_WARNING, "%zu decision%s cannot be judged and are left out: %s", k->skipped,
                 k->skipped == 1 ? "" : "s", k->first.message);
    mem_free(chance);
    return s;
}

/* --- options ------------------------------------------------------------------------ */

static pf_status parse_reward(const char *word, policies_reward *out, pf_error *err)
{
    *out = word != NULL ? policies_reward_parse(word) : POLICIES_NET;
    if (*out < POLICIES_REWARDS) return PF_OK;
    return error_set(err, PF_USAGE,
                     "--reward: '%s' is none of net_margin, revenue, redemptions, clicks, buyers",
                     word);
}

static pf_status settings(const comparing *k, policies_options *out, pf_error *err)
{
    const proffer_policies_options *o = k->o;
    const config *c = k->p->config;
    if (o->window_days < 0 || o->window_days > MOST_WINDOW_DAYS)
        return error_set(err, PF_USAGE, "a window has 1 to %d days", MOST_WINDOW_DAYS);
    *out = policies_options_default();
    out->margin_rate = k->policy.margin_rate;
    out->until_us = k->p->history->last_time_us + 1;
    out->only_possible = o->only_possible != 0;
    out->holdout_share = k->policy.holdout_share;
    if (o->window_days > 0) out->window_us = o->window_days * US_PER_DAY;
    out->plan.seed = o->seed;
    out->plan.threads = workspace_pool(k->p);
    out->plan.replicates =
        o->bootstrap > 0 ? (unsigned)o->bootstrap : (unsigned)c->bootstrap_replicates;
    return parse_reward(o->reward, &out->reward, err);
}

/* --- the verb ----------------------------------------------------------------------- */

/* There are decisions, but all before the date that was asked for. */
static pf_status nothing_since(const comparing *k, pf_error *err)
{
    char last[TIME_TEXT_BYTES];
    int64_t latest = INT64_MIN;
    for (size_t i = 0; i < k->log.n; i++)
        if (k->log.row[i].time_us > latest) latest = k->log.row[i].time_us;
    return error_set(err, PF_DATA,
                     "nothing was decided since %s: the latest decisions are of %s; name an "
                     "earlier date (--since)",
                     k->o->since, time_format(latest, last));
}

static pf_status compare_log(comparing *k, const policies_options *options, policies_result *out,
                             pf_error *err)
{
    int64_t since = INT64_MIN;
    policies_log log = {.history = k->p->history, .catalogue = k->p->catalogue};
    pf_status s = workspace_time(k->p, k->o->since, INT64_MIN, &since, err);
    if (s == PF_OK) s = decision_log_read(&k->log, k->p, INT64_MAX, DECISIONS_ALL, err);
    if (s == PF_OK) s = take_rows(k, since, err);
    if (s == PF_OK && k->n == 0 && k->log.n > 0 && k->o->since != NULL)
        s = nothing_since(k, err);
    if (s != PF_OK) return s;
    log.n = k->n;
    log.decision = k->row;
    return policies_compare(&log, k->who, k->n_who, options, out, err);
}

static pf_status parse(comparing *k, pf_error *err)
{
    const char *names = k->o->policies;
    if (k->o->past) {
        if (names == NULL || strcmp(names, "all") == 0) return PF_OK;
        return error_set(err, PF_USAGE,
                         "past campaigns have their own policies; ask for --policy all");
    }
    if (names == NULL) names = "logged,nothing,random,best-single,value";
    return policies_parse(names, k->p->catalogue, k->who, POLICIES_MAX, &k->n_who, err);
}

static pf_status compare(comparing *k, char **json, pf_error *err)
{
    policies_options options;
    policies_result found;
    verb_result r;
    pf_status s = parse(k, err);
    if (s == PF_OK) s = policy_from_config(k->p, &k->policy, err);
    if (s == PF_OK) s = settings(k, &options, err);
    if (s == PF_OK)
        s = k->o->past
                ? past_policies_compare(k->p, &k->policy, &options, k->o->since, &found, err)
                : compare_log(k, &options, &found, err);
    if (s != PF_OK) return s;
    verb_begin(&r);
    s = policies_write_json(&found, &k->p->catalogue->currency, &r.w, err);
    policies_result_free(&found);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

proffer_status proffer_evaluate_policies(proffer *p, const proffer_policies_options *o,
                                         char **json, proffer_error *err)
{
    comparing k = {.p = p, .o = o};
    *json = NULL;
    workspace_use_threads(p, o->threads);
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = compare(&k, json, inner(err));
    if (s == PF_OK) s = workspace_keep_document(p, "policies", *json, inner(err));
    if (s != PF_OK) {
        proffer_free(*json);
        *json = NULL;
    }
    mem_free(k.row);
    mem_free(k.candidate);
    decision_log_free(&k.log);
    return (proffer_status)s;
}
