/* Fitting, asking and describing a model of lifts (response/effect.h). */
#include "response/effect.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "measure/distribution.h"
#include "response/effect_inner.h"

enum { LEAST_MOST_ROWS = 1000 };

static const double level = 0.95;

static const char *const basis_names[] = {"either", "by_lot", "by_observation"};
static const char *const basis_words[] = {
    "by lot where lots were drawn often enough, else by observation",
    "who was sent what was drawn by lot: the difference to those who were sent nothing is what "
    "the promotions changed",
    "nothing was randomised: this compares shoppers who were alike before, of whom some were "
    "chosen; it is a hint, the holdout will tell",
};

const char *effect_basis_name(effect_basis basis)
{
    return basis_names[basis];
}

const char *effect_basis_words(effect_basis basis)
{
    return basis_words[basis];
}

effect_options effect_options_default(void)
{
    return (effect_options){.basis = EFFECT_EITHER, .margin = 1, .prior_mean = 0.5,
                            .prior_deviation = 0.5, .most_rows = EFFECT_MOST_ROWS, .seed = 1};
}

void effect_free(effect_model *m)
{
    if (m == NULL) return;
    uplift_learner_free(&m->learner);
    mem_free(m);
}

/* --- rows --------------------------------------------------------------------------- */

static pf_status check_options(const effect_options *o, pf_error *err)
{
    const double costs[] = {o->margin, o->contact_minor, o->unknown_discount_minor};
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
        if (!(isfinite(costs[i]) && costs[i] >= 0))
            return error_set(err, PF_USAGE, "a margin or cost of %g: neither may be below 0",
                             costs[i]);
    if (!isfinite(o->prior_mean) || !(o->prior_deviation > 0))
        return error_set(err, PF_USAGE, "a prior of %g give or take %g is none", o->prior_mean,
                         o->prior_deviation);
    if (o->most_rows < LEAST_MOST_ROWS || o->most_rows > EFFECT_MOST_ROWS)
        return error_set(err, PF_USAGE, "%zu rows to learn from: %d to %d may be asked for",
                         o->most_rows, LEAST_MOST_ROWS, EFFECT_MOST_ROWS);
    if ((unsigned)o->basis > EFFECT_BY_OBSERVATION || (o->n_log > 0 && o->log == NULL))
        return error_set(err, PF_USAGE, "an unknown basis, or a log that is not there");
    return PF_OK;
}

static bool enough(const effect_rows *r, size_t least)
{
    const size_t sent = effect_rows_sent(r);
    return sent >= least && r->n - sent >= least;
}

typedef enum source { SOURCE_LOG, SOURCE_LOTS, SOURCE_MAILED } source;

static pf_status rows_of(effect_rows *r, effect_making *k, source from, pf_error *err)
{
    pf_status s = effect_rows_new(r, k, k->o->most_rows, err);
    if (s != PF_OK) return s;
    s = from == SOURCE_LOG ? effect_rows_of_log(r, k, err)
                           : effect_rows_of_campaigns(r, k, from == SOURCE_LOTS, err);
    if (s != PF_OK) effect_rows_free(r);
    return s;
}

/* The first source that has enough; the last asked for is taken as it is. */
pf_status effect_rows_find(effect_rows *r, effect_making *k, pf_error *err)
{
    const effect_basis basis = k->o->basis;
    const source first = basis == EFFECT_BY_OBSERVATION ? SOURCE_MAILED : SOURCE_LOG;
    const source last = basis == EFFECT_BY_LOT ? SOURCE_LOTS : SOURCE_MAILED;
    for (int from = (int)first; from <= (int)last; from++) {
        pf_status s = rows_of(r, k, (source)from, err);
        if (s != PF_OK) return s;
        if (enough(r, EFFECT_FEW_ROWS) || from == (int)last) break;
        if (from == SOURCE_LOG && last == SOURCE_LOTS && enough(r, EFFECT_LEAST_ROWS)) break;
        effect_rows_free(r);
    }
    if (r->n > 0) return PF_OK;
    effect_rows_free(r);
    if (basis == EFFECT_BY_LOT)
        return error_set(err, PF_DATA, "nothing was drawn by lot: no decision of the log had a "
                         "chance of being otherwise, and no campaign's exposures carry one "
                         "propensity; decide with a holdout");
    return error_set(err, PF_DATA, "nothing was sent to some shoppers and not to others in a past "
                     "that has ended: there is no effect to learn yet");
}

/* --- learning ----------------------------------------------------------------------- */

effect_total effect_total_with(double value, double error)
{
    const double reach = error * normal_quantile(0.5 + level / 2);
    return (effect_total){value, error, value - reach, value + reach, 0, 0, 0};
}

static pf_status total_of(effect_model *m, const effect_rows *r, const effect_measure *e,
                          pf_error *err)
{
    effect_ratio ratio;
    double spent = 0, mass = 0;
    pf_status s =
        effect_ratio_of(&ratio, r, e->gain, e->weight, EFFECT_ALL_KINDS, NULL, err);
    if (s != PF_OK) return s;
    m->total = effect_total_with(ratio.value, ratio.error);
    m->total.rows = ratio.rows;
    m->total.sent = ratio.sent;
    m->total.shoppers = ratio.shoppers;
    for (size_t i = 0; i < r->n; i++) {
        if (r->sent[i]) continue;
        spent += r->chance[i] * r->spend[i];
        mass += r->chance[i];
    }
    m->none_spent = mass > 0 ? spent / mass : 0;
    if (isfinite(ratio.value) && isfinite(ratio.error)) return PF_OK;
    return error_set(err, PF_DATA, "of %zu rows too few can be compared: keep a holdout", r->n);
}

/* The scales: of `share` what is added of what is redeemed; of the others the line through the
 * origin from what they foretold of rows not seen to what was measured (Chernozhukov, Demirer,
 * Duflo, Fernández-Val, NBER 24678, 2018, theorem 3.1), believed to be 1 give or take 1. */
static pf_status form_belief(effect_model *m, const effect_rows *r, const effect_measure *e,
                             const double *lift, const effect_options *o, pf_error *err)
{
    const effect_prior share = {o->prior_mean, o->prior_deviation}, factor = {1, 1};
    if (m->choice.chosen == EFFECT_SHARE)
        return effect_belief_form(&m->belief, r, e->gain, e->use, NULL, &share, err);
    double *top = mem_alloc(r->n, 2 * sizeof *top), *bottom = top ? top + r->n : NULL;
    if (top == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    for (size_t i = 0; i < r->n; i++) {
        top[i] = e->gain[i] * lift[i];
        bottom[i] = e->weight[i] * lift[i] * lift[i];
    }
    pf_status s = effect_belief_form(&m->belief, r, top, bottom, NULL, &factor, err);
    mem_free(top);
    return s;
}

static pf_status learn(effect_model *m, effect_rows *r, const response_data *d,
                       const effect_options *o, pf_error *err)
{
    effect_measure e = {.weight = NULL};
    double *lift = NULL;
    pf_status s = effect_rows_close(r, err);
    if (s == PF_OK) s = effect_measure_make(&e, r, d->world.pool, o->seed, err);
    if (s == PF_OK) s = total_of(m, r, &e, err);
    if (s == PF_OK) {
        lift = mem_alloc(r->n, sizeof *lift);
        if (lift == NULL) s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", r->n);
    }
    if (s == PF_OK) s = effect_choose(&m->choice, r, &e, o, lift, err);
    if (s == PF_OK && m->choice.chosen != EFFECT_SHARE) 
        s = effect_learner_fit(&m->learner, r, &e, EFFECT_FOLDS, m->choice.chosen, o, err);
    if (s == PF_OK) s = form_belief(m, r, &e, lift, o, err);
    m->basis = r->by_lot ? EFFECT_BY_LOT : EFFECT_BY_OBSERVATION;
    m->whole = r->whole;
    m->sticky = r->sticky;
    m->kinds = r->kinds;
    m->left = r->left;
    m->units = r->units;
    m->most_spend = r->most_spend;
    m->give = e.give;
    mem_free(lift);
    effect_measure_free(&e);
    return s;
}

pf_status effect_fit(effect_model **out, const response_data *d, int64_t until_us,
                     const effect_options *o, pf_error *err)
{
    effect_making k = {.d = d, .o = o, .until_us = until_us};
    effect_rows r = {.n = 0};
    *out = NULL;
    pf_status s = check_options(o, err);
    if (s != PF_OK) return s;
    effect_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "no memory for a model");
    s = effect_scope_new(&k.scope, d->world.catalogue, err);
    k.view = effect_view_of(&d->world, until_us);
    if (s == PF_OK) s = effect_rows_find(&r, &k, err);
    if (s == PF_OK) s = learn(m, &r, d, o, err);
    m->view = k.view;
    m->until_us = until_us;
    effect_rows_free(&r);
    effect_scope_free(&k.scope);
    if (s == PF_OK) *out = m;
    else effect_free(m);
    return s;
}

/* --- what it says ------------------------------------------------------------------- */

effect_total effect_total_of(const effect_model *m)
{
    return m->total;
}

effect_basis effect_basis_of(const effect_model *m)
{
    return m->basis;
}

const char *effect_learner(const effect_model *m)
{
    return effect_way_name(m->choice.chosen);
}

size_t effect_scales(const effect_model *m)
{
    return m->kinds.n + 1;
}

size_t effect_scale_of(const effect_model *m, const response_data *d, uint32_t number)
{
    return effect_kind_find(&m->kinds, effect_kind_name(d->world.catalogue, number));
}

const char *effect_scale_name(const effect_model *m, size_t scale)
{
    return scale < m->kinds.n ? m->kinds.name[scale] : "";
}

effect_share effect_share_of(const effect_model *m, size_t scale)
{
    const effect_belief *b = &m->belief;
    const effect_scale *s = scale > b->kinds ? &b->all : &b->scale[scale];
    return (effect_share){.raw = s->raw,
                          .raw_error = s->error,
                          .value = effect_belief_mean(b, scale),
                          .low = effect_belief_quantile(b, scale, 0.5 - level / 2),
                          .high = effect_belief_quantile(b, scale, 0.5 + level / 2),
                          .rows = (size_t)s->rows,
                          .sent = (size_t)s->sent};
}

pf_status effect_draws(const effect_model *m, draws *d, pf_error *err)
{
    if (d->width != effect_scales(m))
        return error_set(err, PF_USAGE, "draws of %zu numbers for %zu scales", d->width,
                         effect_scales(m));
    effect_belief_draw(&m->belief, d);
    return PF_OK;
}

/* --- words -------------------------------------------------------------------------- */

static void say(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void say_share(const effect_model *m, json_writer *w, size_t k)
{
    const effect_share s = effect_share_of(m, k);
    json_object_begin(w);
    if (k < m->kinds.n) {
        json_key(w, "kind");
        json_text(w, m->kinds.name[k]);
    }
    say(w, "measured", s.raw);
    say(w, "measured_se", s.raw_error);
    say(w, "believed", s.value);
    say(w, "believed_low", s.low);
    say(w, "believed_high", s.high);
    say(w, "rows", (double)s.rows);
    say(w, "sent", (double)s.sent);
    json_object_end(w);
}

static void say_shares(const effect_model *m, json_writer *w)
{
    json_key(w, m->choice.chosen == EFFECT_SHARE ? "share_added" : "factor");
    json_object_begin(w);
    json_key(w, "all");
    say_share(m, w, m->kinds.n + 1);
    json_key(w, "kinds");
    json_array_begin(w);
    for (size_t k = 0; k < m->kinds.n; k++)
        say_share(m, w, k);
    json_array_end(w);
    say(w, "between_kinds", m->belief.between);
    json_object_end(w);
}

static void say_total(const effect_model *m, json_writer *w)
{
    json_key(w, "added_a_message_minor");
    json_object_begin(w);
    say(w, "value", m->total.value);
    say(w, "se", m->total.standard_error);
    say(w, "low", m->total.low);
    say(w, "high", m->total.high);
    say(w, "spent_without_minor", m->none_spent);
    json_object_end(w);
}

static void say_left_out(const effect_left_out *l, json_writer *w)
{
    json_key(w, "left_out");
    json_object_begin(w);
    say(w, "without_alternative", (double)l->alone);
    say(w, "not_ended", (double)l->open);
    say(w, "shown_late", (double)l->late);
    say(w, "inactive", (double)l->asleep);
    say(w, "unlike_all_others", (double)l->unlike);
    say(w, "sampled_away", (double)l->sampled);
    say(w, "campaigns_with_uneven_lots", (double)l->uneven);
    json_object_end(w);
}

static void say_candidates(const effect_choice *c, json_writer *w)
{
    json_key(w, "candidates");
    json_array_begin(w);
    for (int k = 0; k < EFFECT_WAYS; k++) {
        if (!isfinite(c->reached[k])) continue;
        json_object_begin(w);
        json_key(w, "learner");
        json_text(w, effect_way_name((effect_way)k));
        say(w, "worth_a_shopper_minor", c->reached[k]);
        say(w, "behind_best", c->behind[k]);
        say(w, "behind_best_se", c->error[k]);
        json_object_end(w);
    }
    json_array_end(w);
}

void effect_describe(const effect_model *m, json_writer *w)
{
    json_object_begin(w);
    json_key(w, "basis");
    json_text(w, effect_basis_name(m->basis));
    json_key(w, "basis_words");
    json_text(w, effect_basis_words(m->basis));
    json_key(w, "learner");
    json_text(w, effect_learner(m));
    json_key(w, "chosen_by");
    json_text(w, m->choice.by_folds ? "money on inner folds" : "too few rows to choose");
    json_key(w, "lifts_are_of");
    json_text(w, m->whole ? "campaigns" : "promotions");
    json_key(w, "lots_stick_to_shoppers");
    json_boolean(w, m->sticky);
    say(w, "window_days", EFFECT_WINDOW_DAYS);
    say(w, "rows", (double)m->total.rows);
    say(w, "sent", (double)m->total.sent);
    say(w, "shoppers", (double)m->total.shoppers);
    say(w, m->whole ? "campaigns" : "promotions", (double)m->units);
    say(w, "amounts_cut_at_minor", m->most_spend);
    say(w, "given_away_of_redeemed", m->give);
    say_total(m, w);
    say_shares(m, w);
    say_left_out(&m->left, w);
    say_candidates(&m->choice, w);
    json_object_end(w);
}
