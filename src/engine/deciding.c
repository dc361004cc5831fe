/*
 * From a moment to decisions: which promotions are candidates, what response expects of
 * each with every shopper, what is known of the shoppers, and decide/'s answer.
 */
#include "engine/deciding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

/* --- candidates ------------------------------------------------------------------- */

static pf_status find_moment(deciding *d, const char *when, pf_error *err)
{
    int64_t fallback = d->p->history->last_time_us + 1;
    int64_t starts = d->p->catalogue->campaigns[d->campaign].starts_us;
    if (d->campaign != 0 && starts != TIME_ABSENT) fallback = starts;
    return workspace_time(d->p, when, fallback, &d->at_us, err);
}

static bool is_candidate(const deciding *d, const promotion *offer)
{
    return promotion_is_live(offer, d->at_us) &&
           (d->campaign == 0 || offer->campaign == d->campaign);
}

/* In order of campaign, so that each campaign's promotions stand together. */
static pf_status find_promotions(deciding *d, pf_error *err)
{
    const shop_catalogue *c = d->p->catalogue;
    char when[TIME_TEXT_BYTES];
    d->promotions = mem_alloc((size_t)c->n_promotions + 1, sizeof *d->promotions);
    if (d->promotions == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u promotions",
                         c->n_promotions);
    for (uint32_t k = 0; k <= c->n_campaigns; k++) {
        if (d->campaign != 0 && k != d->campaign) continue;
        for (uint32_t i = 1; i <= c->n_promotions; i++)
            if (c->promotions[i].campaign == k && is_candidate(d, &c->promotions[i]))
                d->promotions[d->n_promotions++] = i;
    }
    if (d->n_promotions == 0)
        return error_set(err, PF_NOT_FOUND,
                         "no promotion%s%s is live at %s; name another "
                         "moment (--at) or a campaign (--campaign)",
                         d->campaign ? " of campaign " : "",
                         d->campaign ? c->campaigns[d->campaign].id : "",
                         time_format(d->at_us, when));
    return PF_OK;
}

pf_status deciding_open(deciding *d, proffer *p, const char *which, const char *when,
                        pf_error *err)
{
    *d = (deciding){.p = p};
    pf_status s = workspace_snapshot(p, err);
    if (s == PF_OK && p->catalogue->n_promotions == 0)
        s = error_set(err, PF_NOT_FOUND,
                      "there are no promotions yet; import some first");
    if (s == PF_OK && which != NULL) s = workspace_campaign(p, which, &d->campaign, err);
    if (s == PF_OK) s = find_moment(d, when, err);
    if (s == PF_OK) s = find_promotions(d, err);
    if (s == PF_OK) s = policy_from_config(p, &d->policy, err);
    if (s == PF_OK) s = speaker_open(&d->speaker, p, err);
    if (s == PF_OK) s = learned_open(&d->learned, p, err);
    if (s != PF_OK) deciding_close(d);
    return s;
}

void deciding_close(deciding *d)
{
    decide_free(d->result);
    foreseen_close(&d->foreseen);
    speaker_close(&d->speaker);
    learned_close(&d->learned);
    mem_free(d->promotions);
    mem_free(d->scores);
    mem_free(d->profiles);
    *d = (deciding){.p = d->p};
}

/* --- scores ----------------------------------------------------------------------- */

/* The shoppers there are, as numbers. */
static pf_status list_shoppers(const deciding *d, uint32_t **out, size_t *n,
                               pf_error *err)
{
    const shop_catalogue *c = d->p->catalogue;
    *n = 0;
    *out = mem_alloc((size_t)c->n_shoppers + 1, sizeof **out);
    if (*out == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u shoppers",
                         c->n_shoppers);
    for (uint32_t i = 1; i <= c->n_shoppers; i++)
        if (c->shoppers[i].exists) (*out)[(*n)++] = i;
    if (*n == 0)
        return error_set(err, PF_NOT_FOUND,
                         "there are no shoppers yet; import some first");
    return PF_OK;
}

/* By each channel alone where they differ, else once for all. */
static pf_status take_scores(deciding *d, const response_ask *ask, const response_scores *s,
                             pf_error *err)
{
    size_t n = s->n_shoppers * s->n_promotions;
    if (!foreseen_by_channel(&d->foreseen, &d->policy)) {
        pf_status one = foreseen_score(&d->foreseen, ask, s, CHANNEL_NONE,
                                       d->scores + d->n_scores, err);
        d->n_scores += n;
        return one;
    }
    pf_status status = PF_OK;
    for (int by = 1; status == PF_OK && by < CHANNEL_COUNT; by++) {
        if (!(d->policy.channels & 1u << by)) continue;
        status = foreseen_score(&d->foreseen, ask, s, (channel)by, d->scores + d->n_scores, err);
        d->n_scores += n;
    }
    return status;
}

/* One campaign's promotions, from..to of the candidates, with all shoppers. */
static pf_status score_campaign(deciding *d, const uint32_t *shoppers, size_t n,
                                size_t from, size_t to, pf_error *err)
{
    response_scores scores = {0};
    response_ask ask = {
        .campaign = d->p->catalogue->promotions[d->promotions[from]].campaign,
        .promotion = d->promotions + from,
        .n_promotions = to - from,
        .shopper = shoppers,
        .n_shoppers = n,
        .at_us = d->at_us,
    };
    pf_status s = response_score(d->learned.model, d->learned.data, &ask, &scores, err);
    if (s == PF_OK) s = foreseen_draw(&d->foreseen, &ask, err);
    if (s == PF_OK) s = take_scores(d, &ask, &scores, err);
    response_scores_free(&scores);
    return s;
}

static int by_shopper_promotion_channel(const void *a, const void *b)
{
    const decide_score *x = a, *y = b;
    if (x->shopper != y->shopper) return x->shopper < y->shopper ? -1 : 1;
    if (x->promotion != y->promotion) return x->promotion < y->promotion ? -1 : 1;
    return (int)x->channel - (int)y->channel;
}

/* Promotions without a campaign stand alone; the others compete within theirs. */
static size_t end_of_campaign(const deciding *d, size_t from)
{
    const promotion *offers = d->p->catalogue->promotions;
    uint32_t own = offers[d->promotions[from]].campaign;
    size_t to = from + 1;
    while (own != 0 && to < d->n_promotions && offers[d->promotions[to]].campaign == own)
        to++;
    return to;
}

static pf_status score_all(deciding *d, pf_error *err)
{
    uint32_t *shoppers = NULL;
    size_t n = 0, pairs = 0;
    pf_status s = list_shoppers(d, &shoppers, &n, err);
    if (s == PF_OK &&
        (!size_multiply(n, d->n_promotions, &pairs) || pairs > LIMIT_DECIDE_PAIRS))
        s = error_set(err, PF_LIMIT,
                      "%zu shoppers x %zu promotions are more than %u pairs; decide one "
                      "campaign at a time",
                      n, d->n_promotions, LIMIT_DECIDE_PAIRS);
    if (s == PF_OK) {
        size_t each = 0;
        for (int by = 1; by < CHANNEL_COUNT; by++)
            each += foreseen_by_channel(&d->foreseen, &d->policy) &&
                    (d->policy.channels & 1u << by) != 0;
        d->scores = mem_alloc(pairs, (each > 0 ? each : 1) * sizeof *d->scores);
        if (d->scores == NULL)
            s = error_set(err, PF_NO_MEMORY, "out of memory for %zu candidates", pairs);
    }
    for (size_t from = 0, to; s == PF_OK && from < d->n_promotions; from = to) {
        to = end_of_campaign(d, from);
        s = score_campaign(d, shoppers, n, from, to, err);
    }
    mem_free(shoppers);
    if (s == PF_OK)
        qsort(d->scores, d->n_scores, sizeof *d->scores, by_shopper_promotion_channel);
    return s;
}

/* --- profiles --------------------------------------------------------------------- */

static pf_status compute_profiles(deciding *d, pf_error *err)
{
    const shop_catalogue *c = d->p->catalogue;
    profile_scratch *scratch = NULL;
    profile_rules rules = profile_rules_default();
    rules.zone = d->p->zone;
    d->profiles = mem_alloc_zero((size_t)c->n_shoppers + 1, sizeof *d->profiles);
    if (d->profiles == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u profiles",
                         c->n_shoppers);
    pf_status s = profile_scratch_new(c, &scratch, err);
    for (uint32_t i = 1; s == PF_OK && i <= d->p->history->n_shoppers; i++)
        s = profile_compute(c, d->p->history, i, d->at_us, &rules, scratch,
                            &d->profiles[i], err);
    profile_scratch_free(scratch);
    return s;
}

static void look_up(void *context, uint32_t number, const char *name, audience_value *out)
{
    deciding *d = context;
    double value = 0;
    const char *words = NULL;
    if (!profile_value(&d->profiles[number], d->p->catalogue, name, &value, &words,
                       d->attribute, sizeof d->attribute))
        return;
    if (words != NULL)
        *out = (audience_value){.kind = AUDIENCE_TEXT, .text = words};
    else
        *out = (audience_value){.kind = AUDIENCE_NUMBER, .number = value};
}

/* --- the decision ----------------------------------------------------------------- */

/* Decisions of other moments within a week of this one. */
typedef struct nearby {
    int64_t at_us;
    size_t n;
} nearby;

static bool count_nearby(void *context, uint32_t who, int64_t time_us, bool holdout)
{
    nearby *k = context;
    (void)who;
    const int64_t away = time_us > k->at_us ? time_us - k->at_us : k->at_us - time_us;
    k->n += !holdout && calendar_holds(time_us) && away != 0 && away < 7 * US_PER_DAY;
    return true;
}

/* Each run has its budgets to itself, and only exposures count as messages; whoever decides again
 * soon should know. */
static pf_status warn_of_nearby(const deciding *d, pf_error *err)
{
    nearby k = {.at_us = d->at_us};
    pf_status s = store_visit_lots(d->p->store, count_nearby, &k, err);
    if (s == PF_OK && k.n > 0)
        log_line(LOG_WARNING,
                 "%zu decisions of runs within a week of this moment: each run has its budgets to "
                 "itself, and caps count what was imported as exposures",
                 k.n);
    return s;
}

pf_status deciding_run(deciding *d, int64_t budget_minor, pf_error *err)
{
    pf_status s = warn_of_nearby(d, err);
    if (s == PF_OK) s = learned_model(&d->learned, d->at_us, err);
    if (budget_minor != MONEY_ABSENT) d->policy.budget_minor = budget_minor;
    if (s == PF_OK) s = foreseen_open(&d->foreseen, &d->learned, d->at_us, &d->policy, err);
    if (s == PF_OK) s = score_all(d, err);
    if (s == PF_OK) s = compute_profiles(d, err);
    if (s != PF_OK) return s;
    decide_inputs in = {
        .policy = &d->policy,
        .catalogue = d->p->catalogue,
        .history = d->p->history,
        .at_us = d->at_us,
        .scores = d->scores,
        .n_scores = d->n_scores,
        .lookup = look_up,
        .lookup_context = d,
        .zone = d->p->zone,
        .frames = d->speaker.frames,
        .language = language_of(d->p->config->shop_language, LANGUAGE_EN),
        .margins = true,
        .threads = workspace_pool(d->p),
    };
    foreseen_inputs(&d->foreseen, &in);
    return decide_run(&d->result, &in, err);
}
