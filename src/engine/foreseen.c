/* Fitting what is foreseen from the workspace's past, and handing it to decide/. */
#include "engine/foreseen.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

enum { SEED = 1, PUBLICATION_LIFT = 1, PUBLICATION_REDEEM = 2 };
/* Numbers of one kind that are drawn; with more promotions there are fewer draws. */
enum { MOST_DRAWN = 1 << 25 };

/* --- the lift ---------------------------------------------------------------------- */

/* Decisions of Proffer's own that drew lots, as response/effect.h reads them. */
typedef struct effect_rows {
    effect_logged *row;
    effect_option *option;
    size_t n, n_options;
} effect_rows;

/* Over all lots: that of the holdout comes first, and leaves a share h without anything. */
static void take_row(effect_rows *out, const logged_row *from, double h)
{
    effect_logged *to = &out->row[out->n++];
    double none = 1;
    *to = (effect_logged){.shopper = from->shopper,
                          .promotion = from->promotion,
                          .channel = from->promotion ? from->channel : CHANNEL_NONE,
                          .time_us = from->time_us,
                          .holdout = from->holdout,
                          .candidate = out->option + out->n_options};
    for (size_t k = 0; k < from->n_candidates; k++) {
        const decide_outcome *o = &from->candidate[k].outcome;
        if (o->propensity <= 0 || o->promotion == 0) continue;
        double chance = (1 - h) * o->propensity;
        out->option[out->n_options++] = (effect_option){o->promotion, o->why.channel, chance};
        to->n_candidates++;
        none -= chance;
    }
    to->propensity_none = none > 0 ? none : 0;
}

static pf_status take_rows(effect_rows *out, const decision_log *log, double holdout_share,
                           pf_error *err)
{
    size_t options = 0;
    bool held = false;
    for (size_t i = 0; i < log->n; i++) {
        options += log->row[i].n_candidates;
        held = held || log->row[i].holdout;
    }
    out->row = mem_alloc(log->n + 1, sizeof *out->row);
    out->option = mem_alloc(options + 1, sizeof *out->option);
    if (out->row == NULL || out->option == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the log of decisions");
    for (size_t i = 0; i < log->n; i++)
        if (log->row[i].n_candidates > 0)
            take_row(out, &log->row[i], held ? holdout_share : 0);
    return PF_OK;
}

effect_options foreseen_effect_options(const policy *how)
{
    effect_options o = effect_options_default();
    o.margin = how->metric == POLICY_REVENUE ? 1 : how->margin_rate;
    o.unknown_discount_minor = how->unknown_discount_minor != MONEY_ABSENT
                                   ? (double)how->unknown_discount_minor
                                   : 0;
    for (int by = 1; by < CHANNEL_COUNT; by++)
        if (how->channels & 1u << by)
            o.contact_minor = fmax(o.contact_minor, how->channel[by].contact_cost_minor);
    return o;
}

/* What a part that the data cannot support is told with. */
static pf_status pass_over(const char *what, const char *instead, pf_status s, pf_error *why,
                           pf_error *err)
{
    if (s != PF_DATA && s != PF_NOT_FOUND && s != PF_OK) return error_pass(err, why);
    if (s != PF_OK) log_line(LOG_INFO, "%s: %s; %s", what, why->message, instead);
    return PF_OK;
}

/* A log that is too large or makes no sense is told, and what promotions add is then judged without
 * it. */
static pf_status read_log(foreseen *f, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    if (strcmp(f->l->p->config->gain, "response") == 0) return PF_OK;
    pf_status s = decision_log_read(&f->log, f->l->p, f->at_us, DECISIONS_BY_LOT, &why);
    if (s == PF_LIMIT || s == PF_DATA) {
        log_line(LOG_WARNING, "the lots of earlier decisions are not used: %s", why.message);
        return PF_OK;
    }
    if (s != PF_OK) return error_pass(err, &why);
    if (decision_log_was_sent(&f->log)) return PF_OK;
    log_line(LOG_WARNING,
             "the lots of earlier decisions are not used: of %zu messages that were decided %zu "
             "are known to have been sent; import what is sent as exposures",
             f->log.sent, f->log.seen);
    decision_log_free(&f->log);
    return PF_OK;
}

static pf_status fit_effect(foreseen *f, const policy *how, pf_error *err)
{
    const config *c = f->l->p->config;
    effect_rows rows = {.n = 0};
    pf_error why = {.code = PF_OK};
    if (strcmp(c->gain, "response") == 0 || policy_counts(how->metric)) return PF_OK;
    pf_status s = take_rows(&rows, &f->log, how->holdout_share, err);
    if (s == PF_OK) {
        effect_options o = foreseen_effect_options(how);
        o.log = rows.row;
        o.n_log = f->log.lots > 0 ? rows.n : 0;
        s = effect_fit(&f->effect, f->l->data, f->at_us, &o, &why);
        if (strcmp(c->gain, "uplift") == 0 && s != PF_OK)
            s = error_pass(err, &why);
        else
            s = pass_over("what promotions add is not known",
                          "every sale of a redeemer counts as gain", s, &why, err);
    }
    mem_free(rows.row);
    mem_free(rows.option);
    return s;
}

/* --- clicks and purchases ------------------------------------------------------------ */

/* What the policy counts must have been seen, or nothing can be said of it. */
static pf_status check_step(const foreseen *f, policy_metric metric, pf_error *err)
{
    if (metric == POLICY_CLICKS && !funnel_knows(f->funnel, FUNNEL_CLICK))
        return error_set(err, PF_DATA, "decide.metric is clicks, but no click followed a message "
                         "in the data: import events of type click with their promotion or "
                         "campaign, or choose another metric");
    if (metric == POLICY_CONVERSIONS && !funnel_knows(f->funnel, FUNNEL_CONVERT))
        return error_set(err, PF_DATA, "decide.metric is conversions, but no purchase in a "
                         "promotion's scope followed a message in the data: import events of "
                         "type exposure and purchase, or choose another metric");
    return PF_OK;
}

static pf_status fit_funnel(foreseen *f, const policy *how, pf_error *err)
{
    effect_rows rows = {.n = 0};
    pf_error why = {.code = PF_OK};
    funnel_options o = funnel_options_default();
    if (how->metric != POLICY_CLICKS && how->metric != POLICY_CONVERSIONS) return PF_OK;
    pf_status s = take_rows(&rows, &f->log, how->holdout_share, err);
    if (s == PF_OK) {
        o.log = rows.row;
        o.n_log = f->log.lots > 0 ? rows.n : 0;
        o.seed = SEED;
        o.uplift = how->metric == POLICY_CONVERSIONS &&
                   strcmp(f->l->p->config->gain, "response") != 0;
        s = funnel_fit(&f->funnel, f->l->data, f->at_us, &o, &why);
        if (s == PF_DATA)
            s = error_set(err, PF_DATA, "decide.metric is %s, which cannot be foretold: %s",
                          how->metric == POLICY_CLICKS ? "clicks" : "conversions", why.message);
        else if (s != PF_OK)
            s = error_pass(err, &why);
        else
            s = check_step(f, how->metric, err);
    }
    f->step = how->metric == POLICY_CLICKS ? FUNNEL_CLICK : FUNNEL_CONVERT;
    for (int by = 1; by < CHANNEL_COUNT; by++)
        if ((how->channels & CHANNEL_SET_ALL) == 1u << by) f->only = (channel)by;
    if (s == PF_OK && f->step == FUNNEL_CONVERT &&
        strcmp(f->l->p->config->gain, "uplift") == 0 &&
        !funnel_knows_uplift(f->funnel, FUNNEL_CONVERT))
        s = error_set(err, PF_DATA, "decide.gain is uplift, but what promotions add to purchases "
                      "is not known: keep a holdout (decide.holdout), or say gain: auto");
    mem_free(rows.row);
    mem_free(rows.option);
    return s;
}

/* [S x P] of what the policy counts: what is added where that is known. */
static pf_status score_funnel(const foreseen *f, const response_ask *ask, channel by, float **out,
                              pf_error *err)
{
    const size_t n = ask->n_shoppers * ask->n_promotions;
    const funnel_ask question = {.response = *ask,
                                 .channel = by != CHANNEL_NONE ? by : f->only};
    if (f->funnel == NULL) return PF_OK;
    const double share = funnel_share_added(f->funnel, f->step);
    *out = mem_alloc(n + 1, sizeof **out);
    if (*out == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for chances");
    pf_status s = funnel_score(f->funnel, f->l->data, &question, f->step, *out, err);
    for (size_t i = 0; s == PF_OK && i < n; i++)
        (*out)[i] = (float)((double)(*out)[i] * share);
    return s;
}

/* --- channels, moments, fatigue ----------------------------------------------------- */

static pf_status fit_habits(foreseen *f, pf_error *err)
{
    const proffer *p = f->l->p;
    const habits_options o = habits_options_default();
    pf_error why = {.code = PF_OK};
    pf_status s = habits_fit(&f->habits, p->catalogue, p->history, p->zone, f->zones.of,
                             f->at_us, &o, &why);
    return pass_over("nothing is known of channels and hours", "all count alike", s, &why, err);
}

static size_t cells(const foreseen *f)
{
    return ((size_t)f->l->p->catalogue->n_shoppers + 1) * CHANNEL_COUNT;
}

static pf_status find_moments(foreseen *f, const policy *how, pf_error *err)
{
    const proffer *p = f->l->p;
    int64_t until = f->at_us + p->config->send_within_h * US_PER_HOUR;
    if (p->config->send_within_h == 0 || f->habits == NULL) return PF_OK;
    f->send_at_us = mem_alloc(cells(f), sizeof *f->send_at_us);
    if (f->send_at_us == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for moments");
    for (uint32_t i = 0; i <= p->catalogue->n_shoppers; i++) {
        const zone *own = f->zones.of[i] != NULL ? f->zones.of[i] : p->zone;
        for (int by = 0; by < CHANNEL_COUNT; by++) {
            int64_t at = TIME_ABSENT;
            if (i > 0 && (how->channels & 1u << by))
                at = habits_send_at(f->habits, i, (channel)by, f->at_us, until, how->quiet, own);
            f->send_at_us[(size_t)i * CHANNEL_COUNT + (size_t)by] = at;
        }
    }
    return PF_OK;
}

static pf_status fit_fatigue(foreseen *f, const policy *how, pf_error *err)
{
    const proffer *p = f->l->p;
    if (strcmp(p->config->fatigue, "none") == 0) return PF_OK;
    f->shopper_worth_minor = p->config->shopper_worth_minor;
    if (f->shopper_worth_minor == MONEY_ABSENT)
        f->shopper_worth_minor = fatigue_worth(p->catalogue, p->history, how->margin_rate,
                                               f->at_us);
    if (f->shopper_worth_minor == MONEY_ABSENT) return PF_OK;
    return fatigue_fit(&f->fatigue, p->catalogue, p->history, f->at_us, err);
}

static pf_status find_harm(foreseen *f, const policy *how, pf_error *err)
{
    const proffer *p = f->l->p;
    if (f->fatigue == NULL) return PF_OK;
    f->fatigue_minor = mem_alloc_zero(cells(f), sizeof *f->fatigue_minor);
    if (f->fatigue_minor == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for fatigue");
    for (uint32_t i = 1; i <= p->catalogue->n_shoppers; i++) {
        fatigue_counts n = {0, 0};
        if (i <= p->history->n_shoppers)
            n = fatigue_count(p->catalogue, p->history, i, f->at_us);
        for (int by = 1; by < CHANNEL_COUNT; by++)
            if (how->channels & 1u << by)
                f->fatigue_minor[(size_t)i * CHANNEL_COUNT + (size_t)by] =
                    (float)(fatigue_harm(f->fatigue, n.in_7_days, n.in_30_days, (channel)by) *
                            (double)f->shopper_worth_minor);
    }
    return PF_OK;
}

/* --- draws --------------------------------------------------------------------------- */

static pf_status draw_lift(foreseen *f, pf_error *err)
{
    const uint32_t n = f->l->p->catalogue->n_promotions;
    draws scale = {0};
    if (f->effect == NULL) return PF_OK;
    pf_status s = draws_new(&scale, f->n_draws, effect_scales(f->effect), SEED,
                            PUBLICATION_LIFT, err);
    if (s == PF_OK) s = effect_draws(f->effect, &scale, err);
    for (uint32_t k = 1; s == PF_OK && k <= n; k++) {
        size_t own = effect_scale_of(f->effect, f->l->data, k);
        for (uint32_t d = 0; d < f->n_draws; d++)
            f->lift_draw[(size_t)d * (n + 1) + k] = scale.value[(size_t)d * scale.width + own];
    }
    draws_free(&scale);
    return s;
}

static pf_status prepare_draws(foreseen *f, pf_error *err)
{
    const proffer *p = f->l->p;
    size_t n = (size_t)p->catalogue->n_promotions + 1;
    f->n_draws = (uint32_t)p->config->draws;
    while (f->n_draws > 1 && n * f->n_draws > MOST_DRAWN)
        f->n_draws /= 2;
    f->redeem_draw = mem_alloc(n, f->n_draws * sizeof *f->redeem_draw);
    f->lift_draw = mem_alloc(n, f->n_draws * sizeof *f->lift_draw);
    if (f->redeem_draw == NULL || f->lift_draw == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for draws");
    for (size_t i = 0; i < n * f->n_draws; i++)
        f->redeem_draw[i] = f->lift_draw[i] = 1;
    return draw_lift(f, err);
}

pf_status foreseen_draw(foreseen *f, const response_ask *ask, pf_error *err)
{
    const uint32_t n = f->l->p->catalogue->n_promotions;
    draws own = {0};
    pf_status s = response_draws(f->l->model, f->l->data, ask, f->n_draws, SEED,
                                 PUBLICATION_REDEEM, &own, err);
    for (uint32_t d = 0; s == PF_OK && d < f->n_draws; d++)
        for (size_t k = 0; k < ask->n_promotions; k++) {
            size_t at = (size_t)d * (n + 1) + ask->promotion[k];
            double factor = own.value[(size_t)d * own.width + k];
            f->redeem_draw[at] = factor;
            f->lift_draw[at] *= factor;
        }
    draws_free(&own);
    return s;
}

/* --- all ------------------------------------------------------------------------------ */

pf_status foreseen_open(foreseen *f, learned *l, int64_t at_us, const policy *how,
                        pf_error *err)
{
    *f = (foreseen){.l = l, .at_us = at_us, .shopper_worth_minor = MONEY_ABSENT};
    pf_status s = zones_open(&f->zones, l->p->catalogue, err);
    if (s == PF_OK) s = read_log(f, err);
    if (s == PF_OK) s = fit_effect(f, how, err);
    if (s == PF_OK) s = fit_funnel(f, how, err);
    if (s == PF_OK) s = fit_habits(f, err);
    if (s == PF_OK) s = find_moments(f, how, err);
    if (s == PF_OK) s = fit_fatigue(f, how, err);
    if (s == PF_OK) s = find_harm(f, how, err);
    if (s == PF_OK) s = prepare_draws(f, err);
    if (s != PF_OK) foreseen_close(f);
    return s;
}

void foreseen_close(foreseen *f)
{
    zones_close(&f->zones);
    decision_log_free(&f->log);
    effect_free(f->effect);
    funnel_free(f->funnel);
    habits_free(f->habits);
    fatigue_free(f->fatigue);
    mem_free(f->fatigue_minor);
    mem_free(f->send_at_us);
    mem_free(f->redeem_draw);
    mem_free(f->lift_draw);
    *f = (foreseen){.l = f->l, .shopper_worth_minor = MONEY_ABSENT};
}

bool foreseen_by_channel(const foreseen *f, const policy *how)
{
    channel_set open = how->channels & CHANNEL_SET_ALL;
    return f->habits != NULL && (open & (open - 1)) != 0;
}

/* The funnel knows the channel itself: habits move it no more. */
static void set_counted(const foreseen *f, double chance, decide_score *into)
{
    const double p = fmin(1, fmax(0, chance));
    if (f->step == FUNNEL_CLICK) {
        into->click_known = true;
        into->p_click = p;
    } else {
        into->convert_known = true;
        into->p_convert = p;
    }
}

pf_status foreseen_score(foreseen *f, const response_ask *ask, const response_scores *scores,
                         channel by, decide_score *into, pf_error *err)
{
    size_t n = ask->n_shoppers * ask->n_promotions;
    float *lift = NULL, *counted = NULL;
    pf_status s = score_funnel(f, ask, by, &counted, err);
    if (s == PF_OK && f->effect != NULL) {
        lift = mem_alloc(n + 1, sizeof *lift);
        effect_ask question = {.response = *ask,
                               .channel = by,
                               .p_redeem = scores->p,
                               .spend_minor = scores->spend};
        s = lift == NULL ? error_set(err, PF_NO_MEMORY, "out of memory for lifts")
                         : effect_score(f->effect, f->l->data, &question, lift, err);
    }
    for (size_t i = 0; s == PF_OK && i < ask->n_shoppers; i++) {
        double times = by != CHANNEL_NONE ? habits_factor(f->habits, ask->shopper[i], by) : 1;
        for (size_t k = 0; k < ask->n_promotions; k++) {
            size_t at = i * ask->n_promotions + k;
            into[at] =
                (decide_score){.shopper = ask->shopper[i],
                               .promotion = ask->promotion[k],
                               .channel = by,
                               .p_redeem = fmin(1, (double)scores->p[at] * times),
                               .spend_minor = (double)scores->spend[at],
                               .lift_known = lift != NULL,
                               .lift_minor = lift != NULL ? (double)lift[at] * times : 0};
            if (counted != NULL) set_counted(f, (double)counted[at], &into[at]);
        }
    }
    mem_free(counted);
    mem_free(lift);
    return s;
}

void foreseen_inputs(const foreseen *f, decide_inputs *in)
{
    in->shopper_zones = f->zones.of;
    in->fatigue_minor = f->fatigue_minor;
    in->send_at_us = f->send_at_us;
    in->n_draws = f->n_draws;
    in->redeem_draw = f->redeem_draw;
    in->lift_draw = f->lift_draw;
}

/* --- told ------------------------------------------------------------------------------ */

/* What is counted instead of money, and whether it is what promotions add. */
static void describe_counted(const foreseen *f, verb_result *r)
{
    const bool clicks = f->step == FUNNEL_CLICK;
    const effect_basis basis = funnel_uplift_basis(f->funnel, f->step);
    const bool added = clicks || basis != EFFECT_EITHER;
    verb_text(r, "gain_counts", added ? "uplift" : "response");
    if (basis != EFFECT_EITHER) verb_text(r, "gain_basis", effect_basis_name(basis));
    verb_text(r, "gain_words",
              clicks  ? "Gains count clicks at their worth. Without a message there are none."
              : added ? "Gains count the purchases that promotions add, at their worth."
                      : "Gains count every purchase after a message at its worth, also those that "
                        "would have come anyway.");
    json_key(&r->w, "funnel");
    funnel_describe(f->funnel, &r->w);
}

static const char *gain_words(const foreseen *f, const policy *how)
{
    if (how->metric == POLICY_REDEMPTIONS)
        return "Gains count redemptions, each at its worth, also those that would have come "
               "anyway.";
    if (f->effect == NULL)
        return "Gains count every sale of a redeemer, also those that would have come anyway.";
    if (effect_basis_of(f->effect) == EFFECT_BY_LOT)
        return "Gains count what promotions add, learnt from decisions in which chance chose.";
    if (strcmp(effect_learner(f->effect), "share") == 0)
        return "Gains count what promotions add, judged by shoppers who were alike before, of "
               "whom some were sent them, and by the belief that about half of what is redeemed is "
               "added. Nothing was randomised: a hint, until the holdout tells.";
    return "Gains count what promotions add, judged by shoppers who were alike before, of whom "
           "some were sent them, and by the belief that in all it is not below nothing. Nothing "
           "was randomised: a hint, until the holdout tells.";
}

static void describe_gain(const foreseen *f, const policy *how, verb_result *r)
{
    static const char *const metrics[] = {"margin", "revenue", "redemptions", "clicks",
                                          "conversions"};
    const currency *c = &f->l->p->catalogue->currency;
    verb_text(r, "gain_metric", metrics[how->metric]);
    if (f->funnel != NULL) {
        describe_counted(f, r);
        return;
    }
    verb_text(r, "gain_counts", f->effect != NULL ? "uplift" : "response");
    verb_text(r, "gain_words", gain_words(f, how));
    if (f->effect == NULL) return;
    effect_total t = effect_total_of(f->effect);
    verb_text(r, "gain_basis", effect_basis_name(effect_basis_of(f->effect)));
    verb_money(r, "gain_a_message", llround(t.value), c);
    verb_money(r, "gain_a_message_low", llround(t.low), c);
    verb_money(r, "gain_a_message_high", llround(t.high), c);
    json_key(&r->w, "effect");
    effect_describe(f->effect, &r->w);
}

void foreseen_describe(const foreseen *f, const policy *how, verb_result *r)
{
    describe_gain(f, how, r);
    if (f->habits != NULL) {
        json_key(&r->w, "habits");
        habits_describe(f->habits, &r->w);
    }
    verb_money(r, "shopper_worth", f->shopper_worth_minor, &f->l->p->catalogue->currency);
    if (f->fatigue == NULL) return;
    json_key(&r->w, "fatigue_model");
    fatigue_describe(f->fatigue, &r->w);
}

/* --- versions -------------------------------------------------------------------------- */

static void write_version(const char *name, verb_result *told, json_writer *w)
{
    char print[FINGERPRINT_TEXT_BYTES] = "";
    char *json = NULL;
    if (verb_end(told, &json, NULL) == PF_OK) {
        fingerprint f = fingerprint_of(json, strlen(json));
        fingerprint_format(&f, print);
    }
    proffer_free(json);
    json_key(w, name);
    json_text(w, print);
}

void foreseen_versions(const foreseen *f, json_writer *w)
{
    verb_result told;
    verb_begin(&told);
    response_describe(f->l->model, &told.w);
    write_version("response", &told, w);
    if (f->effect != NULL) {
        verb_begin(&told);
        effect_describe(f->effect, &told.w);
        write_version("effect", &told, w);
    }
    if (f->funnel != NULL) {
        verb_begin(&told);
        funnel_describe(f->funnel, &told.w);
        write_version("funnel", &told, w);
    }
    if (f->fatigue == NULL) return;
    verb_begin(&told);
    fatigue_describe(f->fatigue, &told.w);
    write_version("fatigue", &told, w);
}
