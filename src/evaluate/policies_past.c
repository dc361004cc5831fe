/* The comparison on past campaigns (policies_past.h): chances, overlap, what followed, figures. */
#include "evaluate/policies_past.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "evaluate/policies_rows.h"
#include "measure/calibration.h"
#include "response/uplift_model.h"

enum { SENT = 1, ACTIONS = 2, FEATURES = POLICIES_SHOPPER_FEATURES + 1 };

policies_past_options policies_past_options_default(void)
{
    off_policy_plan plan = off_policy_plan_default();
    plan.estimator = OFF_POLICY_DR;
    return (policies_past_options){.reward = POLICIES_NET,
                                   .margin_rate = .25,
                                   .from_us = INT64_MIN,
                                   .until_us = INT64_MIN,
                                   .overlap = .05,
                                   .seed = 1,
                                   .plan = plan};
}

/* ---- what is asked ---- */

static pf_status check_options(const policies_past_options *o, size_t n_targets, pf_error *err)
{
    const char *wrong = NULL;
    if ((unsigned)o->reward >= POLICIES_REWARDS) wrong = "there is no such reward";
    if (!(o->margin_rate >= 0 && o->margin_rate <= 1))
        wrong = "the margin rate must be between 0 and 1";
    if (!(o->contact_minor >= 0 && isfinite(o->contact_minor)))
        wrong = "the cost of a contact must be 0 or more";
    if (o->until_us == INT64_MIN)
        wrong = "until when the events are known must be set: the last event's moment and one";
    if (!(o->overlap > 0 && o->overlap < .5))
        wrong = "the overlap must be above 0 and below a half, such as 0.05";
    if (n_targets > POLICIES_MAX) wrong = "too many policies; compare fewer at once";
    return wrong == NULL ? PF_OK : error_set(err, PF_USAGE, "%s", wrong);
}

static pf_status check_row(const policies_past_rows *r, size_t i, const shop_catalogue *c,
                           pf_error *err)
{
    if (r->campaign[i] == 0 || r->campaign[i] > c->n_campaigns || r->shopper[i] == 0)
        return error_set(err, PF_DATA, "row %zu has no shopper or no campaign of the catalogue",
                         i + 1);
    if (c->campaigns[r->campaign[i]].starts_us == TIME_ABSENT)
        return error_set(err, PF_DATA,
                         "campaign '%.128s' has no start, so nothing is before or after it; give "
                         "it one or leave it out",
                         c->campaigns[r->campaign[i]].id);
    for (size_t f = 0; f < r->n_features; f++)
        if (!isfinite(r->x[i * r->n_features + f]))
            return error_set(err, PF_DATA, "row %zu: feature %zu is not a finite number", i + 1,
                             f + 1);
    return PF_OK;
}

static pf_status check_targets(const policies_past_rows *r, const policies_past_target *targets,
                               size_t n_targets, pf_error *err)
{
    for (size_t j = 0; j < n_targets; j++)
        for (size_t i = 0; i < r->n; i++)
            if (!(targets[j].send[i] >= 0 && targets[j].send[i] <= 1))
                return error_set(err, PF_DATA,
                                 "policy '%.64s' sends row %zu with the probability %g; it must "
                                 "be between 0 and 1",
                                 targets[j].name, i + 1, targets[j].send[i]);
    return PF_OK;
}

static pf_status check_rows(const policies_past_rows *r, const shop_catalogue *c, pf_error *err)
{
    size_t sent = 0;
    if (r->n == 0 || r->n_features == 0)
        return error_set(err, PF_DATA,
                         "there are no past campaigns to compare on; import who was sent what");
    for (size_t i = 0; i < r->n; i++) {
        pf_status s = check_row(r, i, c, err);
        if (s != PF_OK) return s;
        sent += r->sent[i] != 0;
    }
    if (sent > 0 && sent < r->n) return PF_OK;
    return error_set(err, PF_DATA,
                     "%s of %zu rows was sent a campaign: there is nobody to compare with; choose "
                     "campaigns that some shoppers got and others did not",
                     sent == 0 ? "none" : "every one", r->n);
}

/* ---- which rows ---- */

/* Rows whose campaign is over by until_us. */
static int64_t end_of(const campaign *c)
{
    if (c->ends_us != TIME_ABSENT) return c->ends_us;
    return c->starts_us + POLICIES_PAST_OPEN_DAYS * US_PER_DAY;
}

/* kept [n] gets the numbers of rows that are over, by campaign. */
static pf_status keep_over(const policies_past_rows *r, const shop_catalogue *c,
                           const policies_past_options *o, uint32_t *kept, size_t *n_kept,
                           policies_counts *counts, pf_error *err)
{
    *n_kept = 0;
    counts->decisions = r->n;
    for (size_t i = 0; i < r->n; i++) {
        if (end_of(&c->campaigns[r->campaign[i]]) <= o->until_us)
            kept[(*n_kept)++] = (uint32_t)i;
        else
            counts->waiting++;
    }
    if (*n_kept > 0) return PF_OK;
    return error_set(err, PF_DATA,
                     "none of the campaigns is over yet: import later events, or take earlier "
                     "campaigns");
}

/* What many features foretell of few rows is too extreme even where it is cross-fitted: chances
 * are scaled to what happened (Platt), or rows are left out for a want of overlap that there is
 * not. sent [n] is 0 or 1. */
static pf_status scale_chances(const uint8_t *sent, size_t n, double *chance, pf_error *err)
{
    const double least = 1e-4;
    platt map;
    for (size_t k = 0; k < n; k++) {
        const double p = fmin(fmax(chance[k], least), 1 - least);
        chance[k] = log(p / (1 - p));
    }
    pf_status s = platt_fit(&map, chance, sent, NULL, n, err);
    for (size_t k = 0; k < n && s == PF_OK; k++)
        chance[k] = platt_apply(&map, chance[k]);
    return s;
}

/* chance [n_kept] of being sent, by the rows that are over. */
static pf_status estimate_chances(const policies_past_rows *r, const uint32_t *kept,
                                  size_t n_kept, uint64_t seed, double *chance, pf_error *err)
{
    const size_t F = r->n_features;
    float *x = mem_alloc(n_kept, F * sizeof *x), *y = mem_alloc_zero(n_kept, sizeof *y);
    uint32_t *arm = mem_alloc(n_kept, sizeof *arm), *who = mem_alloc(n_kept, sizeof *who);
    uint8_t *sent = mem_alloc(n_kept, 1);
    pf_status s = PF_OK;
    if (!x || !y || !arm || !who || !sent)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows of the past", n_kept);
    for (size_t k = 0; s == PF_OK && k < n_kept; k++) {
        memcpy(x + k * F, r->x + kept[k] * F, F * sizeof *x);
        sent[k] = r->sent[kept[k]] != 0;
        arm[k] = sent[k];
        who[k] = r->shopper[kept[k]];
    }
    const uplift_trial trial = {.n = n_kept, .features = F, .x = x, .arm = arm, .y = y,
                                .shopper = who, .arms = 1};
    if (s == PF_OK) s = uplift_propensity_estimate(&trial, seed, chance, err);
    for (size_t k = 0; s == PF_OK && k < n_kept; k++)
        if (arm[k] == 0) chance[k] = 1 - chance[k];
    if (s == PF_OK) s = scale_chances(sent, n_kept, chance, err);
    mem_free(sent);
    mem_free(x);
    mem_free(y);
    mem_free(arm);
    mem_free(who);
    return s;
}

/* Moves those that have their like on the other side to the front, with their chances. */
static pf_status keep_overlap(const policies_past_options *o, uint32_t *kept, double *chance,
                              size_t *n_kept, policies_counts *counts, pf_error *err)
{
    size_t n = 0;
    for (size_t k = 0; k < *n_kept; k++) {
        if (!(chance[k] >= o->overlap && chance[k] <= 1 - o->overlap)) continue;
        kept[n] = kept[k];
        chance[n++] = chance[k];
    }
    counts->overlap = *n_kept - n;
    *n_kept = n;
    if (n > 0) return PF_OK;
    return error_set(err, PF_DATA,
                     "of %zu rows all were nearly sure to be sent the campaign or not to be: there "
                     "is no overlap, so nothing can be compared; decide with exploration",
                     counts->overlap);
}

/* ---- what followed ---- */

/* Which products a campaign's promotions cover: all, where one covers all or none is known. */
static void mark_products(const shop_catalogue *c, uint32_t number, uint8_t *covered)
{
    bool all = true;
    memset(covered, 0, c->n_products + (size_t)1);
    for (uint32_t k = 1; k <= c->n_promotions; k++) {
        const promotion *p = &c->promotions[k];
        if (p->campaign != number) continue;
        all = p->n_scope == 0;
        for (uint32_t j = 0; j < p->n_scope; j++)
            if (p->scope[j] <= c->n_products) covered[p->scope[j]] = 1;
        if (all) break;
    }
    if (all) memset(covered, 1, c->n_products + (size_t)1);
}

/* Where things are read from. */
typedef struct sources {
    const shop_catalogue *c;
    const shop_history *h;
    const policies_past_rows *rows;
    const policies_past_options *o;
    uint8_t *covered; /* [products + 1] of the campaign at hand; NULL: the whole shop */
    uint32_t marked;
} sources;

static policies_outcome outcome_of(sources *p, size_t i)
{
    const uint32_t number = p->rows->campaign[i];
    const campaign *from = &p->c->campaigns[number];
    policies_scope scope = {.catalogue = p->c};
    if (p->covered != NULL) {
        if (p->marked != number) mark_products(p->c, number, p->covered);
        p->marked = number;
        scope.product = p->covered;
        scope.campaign = number;
    }
    return policies_outcome_between(p->h, p->rows->shopper[i], from->starts_us, end_of(from),
                                    &scope);
}

static void fill_row(sources *p, size_t i, double chance, policies_columns *c, size_t at,
                     policies_result *out)
{
    const bool sent = p->rows->sent[i] != 0;
    const policies_outcome after = outcome_of(p, i);
    double *x = c->features + at * FEATURES;
    c->action[at] = sent ? SENT : 0;
    c->shopper[at] = p->rows->shopper[i];
    c->reward[at] = policies_reward_of(&after, p->o->reward, p->o->margin_rate,
                                       sent ? p->o->contact_minor : 0);
    c->propensity[at] = sent ? chance : 1 - chance;
    c->logging[at * ACTIONS] = 1 - chance;
    c->logging[at * ACTIONS + SENT] = chance;
    policies_shopper_features(p->h, p->rows->shopper[i],
                              p->c->campaigns[p->rows->campaign[i]].starts_us, x);
    x[POLICIES_SHOPPER_FEATURES] = log(chance / (1 - chance));
    out->counts.unpriced += policies_outcome_unpriced(&after, p->o->reward);
    out->observed += c->reward[at] / (double)c->n;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static pf_status count_shoppers(const policies_columns *c, size_t *shoppers, pf_error *err)
{
    uint32_t *who = mem_alloc(c->n, sizeof *who);
    if (who == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", c->n);
    memcpy(who, c->shopper, c->n * sizeof *who);
    qsort(who, c->n, sizeof *who, by_number);
    for (size_t i = 0; i < c->n; i++)
        *shoppers += i == 0 || who[i] != who[i - 1];
    mem_free(who);
    return PF_OK;
}

static pf_status fill_columns(sources *p, const uint32_t *kept, const double *chance,
                              size_t n_kept, policies_columns *c, policies_result *out,
                              pf_error *err)
{
    pf_status s = policies_columns_new(c, n_kept, ACTIONS, FEATURES, err);
    if (s != PF_OK) return s;
    if (p->o->in_scope) {
        p->covered = mem_alloc(p->c->n_products + (size_t)1, 1);
        if (p->covered == NULL)
            return error_set(err, PF_NO_MEMORY, "no memory for %u products", p->c->n_products);
    }
    for (size_t k = 0; k < n_kept; k++)
        fill_row(p, kept[k], chance[k], c, k, out);
    mem_free(p->covered);
    p->covered = NULL;
    out->counts.compared = n_kept;
    out->counts.actions = ACTIONS;
    return count_shoppers(c, &out->counts.shoppers, err);
}

/* ---- figures ---- */

/* Policy 0 is as it was, with its estimated chances. */
static pf_status fill_targets(const sources *p, const policies_past_target *targets, size_t n,
                              const uint32_t *kept, const policies_columns *c, double **target,
                              policies_figure *figures, pf_error *err)
{
    for (size_t j = 0; j <= n; j++) {
        policies_figure *f = &figures[j];
        (void)snprintf(f->name, sizeof f->name, "%s", j == 0 ? "as it was" : targets[j - 1].name);
        target[j] = policies_columns_target(c, err);
        if (target[j] == NULL) return PF_NO_MEMORY;
        for (size_t k = 0; k < c->n; k++) {
            const double send =
                j == 0 ? c->logging[k * ACTIONS + SENT] : targets[j - 1].send[kept[k]];
            target[j][k * ACTIONS] = 1 - send;
            target[j][k * ACTIONS + SENT] = send;
            f->treated += send / (double)c->n;
        }
        f->cost_minor = f->treated * p->o->contact_minor;
    }
    return PF_OK;
}

static pf_status judge(const sources *p, const policies_past_target *targets, size_t n,
                       const uint32_t *kept, const policies_columns *c, policies_result *out,
                       pf_error *err)
{
    double **target = mem_alloc_zero(n + 1, sizeof *target);
    out->figure = mem_alloc_zero(n + 1, sizeof *out->figure);
    out->n_figures = n + 1;
    pf_status s = PF_OK;
    if (target == NULL || out->figure == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu policies", n + 1);
    if (s == PF_OK) s = fill_targets(p, targets, n, kept, c, target, out->figure, err);
    if (s == PF_OK)
        s = policies_judge(c, (const double *const *)target, n + 1, 0, &p->o->plan, out->figure,
                           err);
    for (size_t j = 0; target != NULL && j <= n; j++)
        mem_free(target[j]);
    mem_free(target);
    return s;
}

static policies_result empty_result(const shop_catalogue *c, const policies_past_options *o)
{
    return (policies_result){.basis = POLICIES_BY_OBSERVATION,
                             .in_scope = o->in_scope,
                             .options = {.reward = o->reward,
                                         .margin_rate = o->margin_rate,
                                         .until_us = o->until_us,
                                         .plan = o->plan},
                             .catalogue = c};
}

pf_status policies_past_compare(const shop_catalogue *c, const shop_history *h,
                                const policies_past_rows *rows,
                                const policies_past_target *targets, size_t n_targets,
                                const policies_past_options *o, policies_result *out,
                                pf_error *err)
{
    sources p = {.c = c, .h = h, .rows = rows, .o = o};
    policies_columns columns = {0};
    uint32_t *kept = NULL;
    double *chance = NULL;
    size_t n_kept = 0;
    *out = empty_result(c, o);
    pf_status s = check_options(o, n_targets, err);
    if (s == PF_OK) s = check_rows(rows, c, err);
    if (s == PF_OK) s = check_targets(rows, targets, n_targets, err);
    if (s != PF_OK) goto done;
    kept = mem_alloc(rows->n, sizeof *kept);
    chance = mem_alloc(rows->n, sizeof *chance);
    if (kept == NULL || chance == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows of the past", rows->n);
    if (s == PF_OK) s = keep_over(rows, c, o, kept, &n_kept, &out->counts, err);
    if (s == PF_OK) s = estimate_chances(rows, kept, n_kept, o->seed, chance, err);
    if (s == PF_OK) s = keep_overlap(o, kept, chance, &n_kept, &out->counts, err);
    if (s == PF_OK) s = fill_columns(&p, kept, chance, n_kept, &columns, out, err);
    if (s == PF_OK) s = judge(&p, targets, n_targets, kept, &columns, out, err);
done:
    policies_columns_free(&columns);
    mem_free(kept);
    mem_free(chance);
    if (s != PF_OK) policies_result_free(out);
    return s;
}
