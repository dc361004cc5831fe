/*
 * experiment: what promotions changed, against the shoppers who were left without them; or, with
 * a change to look for, how many shoppers it would take. Who is in which group and since when is
 * read off the log of decisions, for a campaign's own holdout (which no decision names) and where
 * nothing was decided off the holdout's hash. The method is evaluate/experiment.h.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "decide/holdout.h"
#include "engine/workspace.h"
#include "evaluate/experiment.h"

enum { WINDOW_MOST_DAYS = 3650 };

proffer_experiment_options proffer_experiment_options_default(void)
{
    return (proffer_experiment_options){.metric = "buyers",
                                        .window_days = 28,
                                        .before_days = 28,
                                        .looks = "once",
                                        .power = 0.8};
}

/* What one call works with. */
typedef struct asking {
    proffer *p;
    const proffer_experiment_options *o;
    experiment_plan plan;
    int64_t starts_us; /* TIME_ABSENT: not said */
    bool by_log;
    experiment_member *members;
    size_t n;
} asking;

/* --- what was asked ------------------------------------------------------------------- */

static pf_status read_metric(asking *a, pf_error *err)
{
    static const experiment_metric metrics[] = {EXPERIMENT_BUYERS, EXPERIMENT_REVENUE};
    const char *names[2];
    const char *asked = a->o->metric != NULL ? a->o->metric : "buyers";
    for (int i = 0; i < 2; i++) {
        names[i] = experiment_metric_name(metrics[i]);
        a->plan.primary = metrics[i];
        if (strcmp(names[i], asked) == 0) return PF_OK;
    }
    const char *near = text_closest(asked, names, 2);
    return error_set(
        err, PF_USAGE,
        "'%s' is no figure to decide by%s%s%s: there are buyers (the share who "
        "bought) and revenue (what a shopper spent)",
        asked, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static pf_status read_looks(asking *a, pf_error *err)
{
    const char *asked = a->o->looks != NULL ? a->o->looks : "once";
    const bool any = strcmp(asked, "any-time") == 0;
    a->plan.looks = any ? EXPERIMENT_ANY_TIME : EXPERIMENT_ONCE;
    a->plan.planned = a->o->planned;
    if (!any && strcmp(asked, "once") != 0)
        return error_set(
            err, PF_USAGE,
            "'%s' is no way of looking: say once (at an end fixed before) or "
            "any-time",
            asked);
    if (!any && a->o->planned != 0)
        return error_set(
            err, PF_USAGE,
            "how many shoppers are planned is asked for looks at any time alone: "
            "add --looks any-time");
    if (any && a->o->change == NULL && !(a->o->planned >= 1 && isfinite(a->o->planned)))
        return error_set(
            err, PF_USAGE,
            "to look at any time, say how many shoppers were planned beforehand: "
            "--planned 20000");
    return PF_OK;
}

static pf_status read_days(asking *a, pf_error *err)
{
    if (a->o->window_days < 1 || a->o->window_days > WINDOW_MOST_DAYS)
        return error_set(
            err, PF_USAGE,
            "the window of outcomes is %d days; it must be 1 to %d, such as 28",
            a->o->window_days, WINDOW_MOST_DAYS);
    if (a->o->before_days < 0 || a->o->before_days > WINDOW_MOST_DAYS)
        return error_set(err, PF_USAGE,
                         "the time before is %d days; it must be 0 (no adjustment) to %d",
                         a->o->before_days, WINDOW_MOST_DAYS);
    a->plan.window_us = a->o->window_days * US_PER_DAY;
    a->plan.before_us = a->o->before_days * US_PER_DAY;
    return PF_OK;
}

/* A share of 0 in proffer.yaml is told by its key. */
static pf_status read_share(asking *a, pf_error *err)
{
    const config *c = a->p->config;
    const bool own = a->o->campaign != NULL;
    const double set = own ? c->campaign_holdout : c->holdout;
    const double share = a->o->share != 0 ? a->o->share : set;
    a->plan.share[EXPERIMENT_CONTROL] = share;
    a->plan.share[EXPERIMENT_TREATED] = 1 - share;
    if (a->o->share != 0 && !(share > 0 && share < 1))
        return error_set(
            err, PF_USAGE,
            "a share of %g cannot be held out; it must be above 0 and below 1, "
            "such as 0.1",
            share);
    if (share > 0) return PF_OK;
    if (a->o->change != NULL)
        return error_set(
            err, PF_USAGE,
            "decide.%s is 0; say which share you would hold out: --share 0.1",
            own ? "campaign_holdout" : "holdout");
    if (own)
        return error_set(
            err, PF_USAGE,
            "decide.campaign_holdout is 0: nobody is held out of one campaign "
            "alone, so there is nothing to compare; set it to 0.1, or leave out "
            "--campaign to measure everything by decide.holdout");
    return error_set(err, PF_USAGE,
                     "decide.holdout is 0: nobody is held out, so there is "
                     "nothing to compare; set it to 0.1");
}

/* The campaign, and from when on. */
static pf_status read_scope(asking *a, pf_error *err)
{
    pf_status s = PF_OK;
    if (a->o->campaign != NULL)
        s = workspace_campaign(a->p, a->o->campaign, &a->plan.campaign, err);
    if (s != PF_OK) return s;
    const int64_t starts_us = a->p->catalogue->campaigns[a->plan.campaign].starts_us;
    a->plan.until_us = a->p->history->last_time_us + 1;
    return workspace_time(a->p, a->o->since, starts_us, &a->starts_us, err);
}

static pf_status read_options(asking *a, pf_error *err)
{
    a->plan = experiment_plan_default();
    pf_status s = read_metric(a, err);
    if (s == PF_OK) s = read_looks(a, err);
    if (s == PF_OK) s = read_days(a, err);
    if (s == PF_OK) s = read_share(a, err);
    if (s == PF_OK) s = workspace_snapshot(a->p, err);
    if (s == PF_OK && a->p->history->n == 0)
        s = error_set(err, PF_NOT_FOUND, "there are no events yet; import some first");
    return s == PF_OK ? read_scope(a, err) : s;
}

/* --- who is in which group ------------------------------------------------------------ */

/* Lots being read off the log. */
typedef struct lots {
    experiment_logged *list;
    size_t n, capacity;
    uint32_t n_shoppers; /* of the snapshot */
    int64_t last_us;
    bool failed, newer;
} lots;

static bool take_lot(void *context, uint32_t number, int64_t time_us, bool holdout)
{
    lots *l = context;
    if (!calendar_holds(time_us)) return true; /* a damaged row, of no day at all */
    l->newer = number > l->n_shoppers;
    l->failed = !l->newer &&
                !mem_reserve((void **)&l->list, &l->capacity, l->n + 1, sizeof *l->list);
    if (l->newer || l->failed) return false;
    if (l->n == 0 || time_us > l->last_us) l->last_us = time_us;
    l->list[l->n++] = (experiment_logged){number, holdout, time_us};
    return true;
}

static pf_status read_lots(const asking *a, lots *l, pf_error *err)
{
    l->n_shoppers = a->p->catalogue->n_shoppers;
    pf_status s = store_visit_lots(a->p->store, take_lot, l, err);
    if (s == PF_OK && l->failed)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu decisions", l->n);
    if (s == PF_OK && l->newer)
        s = error_set(err, PF_BUSY, "the store changed while it was read; try again");
    return s;
}

static pf_status assign_by_log(asking *a, const lots *l, pf_error *err)
{
    char from[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
    const int64_t starts_us = a->starts_us == TIME_ABSENT ? INT64_MIN : a->starts_us;
    a->by_log = true;
    pf_status s = experiment_assign_by_log(l->list, l->n, starts_us, &a->members, &a->n,
                                           &a->plan.crossed, err);
    if (s != PF_OK || a->n > 0) return s;
    return error_set(err, PF_NOT_FOUND,
                     "nothing was decided for %s or later; the last decisions are for %s",
                     date_format(starts_us, a->p->zone, from),
                     date_format(l->last_us, a->p->zone, last));
}

/* Those held out of everything are in neither group of a campaign: no lot of it was theirs. */
static void leave_out_global(asking *a)
{
    const config *c = a->p->config;
    size_t kept = 0;
    for (size_t i = 0; i < a->n; i++) {
        const char *id = a->p->catalogue->shoppers[a->members[i].shopper].id;
        if (!holdout_has(c->holdout_salt, c->holdout, id))
            a->members[kept++] = a->members[i];
    }
    a->n = kept;
}

static pf_status check_start(const asking *a, pf_error *err)
{
    if (a->starts_us != TIME_ABSENT) return PF_OK;
    if (a->plan.campaign != 0)
        return error_set(
            err, PF_USAGE,
            "campaign '%s' has no start; say when it began: --since 2026-11-01",
            a->o->campaign);
    return error_set(err, PF_NOT_FOUND,
                     "nothing was decided yet, so no log says who was held out; run "
                     "`proffer decide` first, or say since when the holdout was kept: "
                     "--since 2026-11-01");
}

static pf_status assign_by_hash(asking *a, pf_error *err)
{
    char own[HOLDOUT_SALT_BYTES], from[TIME_TEXT_BYTES];
    const proffer *p = a->p;
    const char *salt = p->config->holdout_salt;
    pf_status s = check_start(a, err);
    if (s != PF_OK) return s;
    if (a->plan.campaign != 0) {
        holdout_campaign_salt(salt, p->catalogue->campaigns[a->plan.campaign].id, own);
        salt = own;
    }
    s = experiment_assign_by_hash(p->catalogue, p->history, salt,
                                  a->plan.share[EXPERIMENT_CONTROL], a->starts_us,
                                  &a->members, &a->n, err);
    if (s == PF_OK && a->plan.campaign != 0) leave_out_global(a);
    if (s == PF_OK && a->n == 0)
        s = error_set(
            err, PF_NOT_FOUND,
            "no shopper had an event before %s, when the groups would have begun",
            date_format(a->starts_us, p->zone, from));
    return s;
}

static pf_status assign(asking *a, pf_error *err)
{
    lots l = {0};
    pf_status s = PF_OK;
    if (a->plan.campaign == 0) s = read_lots(a, &l, err);
    if (s == PF_OK) s = l.n > 0 ? assign_by_log(a, &l, err) : assign_by_hash(a, err);
    mem_free(l.list);
    return s;
}

/* When the first and the last window end. */
static void find_ends(const asking *a, int64_t *first_us, int64_t *last_us)
{
    *first_us = INT64_MAX;
    *last_us = INT64_MIN;
    for (size_t i = 0; i < a->n; i++) {
        const int64_t end = a->members[i].since_us + a->plan.window_us;
        if (end < *first_us) *first_us = end;
        if (end > *last_us) *last_us = end;
    }
}

static pf_status check_first_end(const asking *a, pf_error *err)
{
    char first[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    int64_t first_us, last_us;
    find_ends(a, &first_us, &last_us);
    if (first_us <= a->plan.until_us) return PF_OK;
    return error_set(
        err, PF_DATA,
        "nobody's window of %d days is over: the first ends on %s, and the data "
        "reach to %s; import what came since, wait, or shorten --window",
        a->o->window_days, date_format(first_us, a->p->zone, first),
        date_format(a->plan.until_us, a->p->zone, until));
}

/* --- what is told --------------------------------------------------------------------- */

static void write_scope(const asking *a, verb_result *r)
{
    verb_text(r, "campaign", a->p->catalogue->campaigns[a->plan.campaign].id);
    verb_text(r, "currency", a->p->config->currency.code);
    verb_integer(r, "currency_digits", a->p->config->currency.exponent);
    verb_integer(r, "window_days", a->o->window_days);
    verb_integer(r, "before_days", a->o->before_days);
}

static pf_status tell_result(const asking *a, const experiment_result *found, char **json,
                             pf_error *err)
{
    int64_t first_us, last_us;
    verb_result r;
    find_ends(a, &first_us, &last_us);
    verb_begin(&r);
    json_object_begin(&r.w);
    write_scope(a, &r);
    verb_text(&r, "assigned_by", a->by_log ? "decisions" : "hash");
    verb_time(&r, "since", first_us - a->plan.window_us);
    verb_time(&r, "until", a->plan.until_us);
    verb_time(&r, "last_window_ends", last_us);
    json_key(&r.w, "experiment");
    pf_status s = experiment_write_json(found, &a->p->config->currency, &r.w, err);
    json_object_end(&r.w);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

static pf_status measure(asking *a, char **json, pf_error *err)
{
    experiment_result found;
    pf_status s = assign(a, err);
    if (s == PF_OK) s = check_first_end(a, err);
    if (s == PF_OK)
        s = experiment_measure(a->p->history, &a->plan, a->members, a->n, &found, err);
    if (s == PF_OK) s = tell_result(a, &found, json, err);
    if (s == PF_OK) s = workspace_keep_document(a->p, "experiment", *json, err);
    return s;
}

/* --- before the start ----------------------------------------------------------------- */

/* "0.005", "0.5%", or an amount in the shop's currency. */
static pf_status read_change(const asking *a, double *out, pf_error *err)
{
    const char *why = "", *words = a->o->change;
    const currency *money = &a->p->config->currency;
    int64_t minor = 0;
    if (a->plan.primary == EXPERIMENT_REVENUE) {
        if (!money_parse(words, strlen(words), money, '.', &minor, &why))
            return error_set(err, PF_USAGE,
                             "--change: '%s' is no amount in %s such as 1.50: %s", words,
                             money->code, why);
        *out = (double)minor;
        return PF_OK;
    }
    text number = text_of(words);
    const bool percent = number.n > 0 && number.data[number.n - 1] == '%';
    if (percent) number = text_trim((text){number.data, number.n - 1});
    if (!text_to_double(number, out) || fabs(*out) >= (percent ? 100 : 1))
        return error_set(
            err, PF_USAGE,
            "--change: '%s' is no share of shoppers; half a point is 0.005 or 0.5%%",
            words);
    if (percent) *out /= 100;
    return PF_OK;
}

static pf_status tell_foresight(const asking *a, const experiment_foresight *f,
                                char **json, pf_error *err)
{
    verb_result r;
    buffer sentence;
    buffer_init(&sentence, LIMIT_TEXT_BYTES);
    experiment_foresight_sentence(f, &a->plan, &a->p->config->currency, &sentence);
    if (sentence.failed) {
        buffer_free(&sentence);
        return error_set(err, PF_NO_MEMORY, "no memory for the words of a foresight");
    }
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_text(&r, "sentence", sentence.data);
    write_scope(a, &r);
    verb_text(&r, "metric", experiment_metric_name(f->metric));
    verb_text(&r, "looks", a->plan.looks == EXPERIMENT_ONCE ? "once" : "any_time");
    verb_number(&r, "share", a->plan.share[EXPERIMENT_CONTROL]);
    verb_number(&r, "alpha", a->plan.alpha);
    verb_number(&r, "power", a->o->power);
    verb_integer(&r, "shoppers", (int64_t)f->shoppers);
    verb_number(&r, "mean", f->mean);
    verb_number(&r, "deviation", f->deviation);
    verb_number(&r, "explained", f->explained);
    verb_number(&r, "least", f->least);
    verb_number(&r, "change", f->change);
    verb_number(&r, "needed", f->needed);
    json_object_end(&r.w);
    buffer_free(&sentence);
    return verb_end(&r, json, err);
}

/* The last window of the data, as if it had been the experiment's. */
static pf_status foresee(asking *a, char **json, pf_error *err)
{
    double change = 0;
    experiment_foresight f;
    const proffer *p = a->p;
    pf_status s = read_change(a, &change, err);
    if (s == PF_OK)
        s = experiment_assign_by_hash(p->catalogue, p->history, p->config->holdout_salt,
                                      a->plan.share[EXPERIMENT_CONTROL],
                                      a->plan.until_us - a->plan.window_us, &a->members,
                                      &a->n, err);
    if (s == PF_OK)
        s = experiment_foresee(p->history, &a->plan, a->members, a->n, change,
                               a->o->power, &f, err);
    return s == PF_OK ? tell_foresight(a, &f, json, err) : s;
}

proffer_status proffer_experiment(proffer *p, const proffer_experiment_options *o,
                                  char **json, proffer_error *err)
{
    asking a = {.p = p, .o = o};
    *json = NULL;
    pf_status s = read_options(&a, inner(err));
    if (s == PF_OK)
        s = o->change != NULL ? foresee(&a, json, inner(err))
                              : measure(&a, json, inner(err));
    mem_free(a.members);
    if (s != PF_OK) {
        proffer_free(*json);
        *json = NULL;
    }
    return (proffer_status)s;
}
