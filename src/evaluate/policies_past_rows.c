/*
 * Rows of past campaigns (policies_past.h): who could have been sent each and who was, as response
 * saw them on the day it started; and policies that send to the best of them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "evaluate/policies_past.h"

/* Shoppers whose rows are made at once: rows of all pairs stand in memory meanwhile. */
enum { AT_ONCE_PAIRS = 1000000 };

void policies_past_rows_free(policies_past_rows *r)
{
    mem_free(r->x);
    mem_free(r->shopper);
    mem_free(r->campaign);
    mem_free(r->sent);
    *r = (policies_past_rows){0};
}

/* ---- which campaigns and shoppers ---- */

typedef struct collection {
    const response_rows_maker *maker;
    const shop_history *h;
    const policies_past_options *o;
    const offer_groups *groups;
    uint32_t step; /* every so-many-th shopper takes part */
    uint32_t *who; /* [shoppers] of the campaign at hand */
    policies_past_rows *out;
} collection;

static bool takes_part(const collection *c, const offer_group *g)
{
    return g->campaign != 0 && g->n_shoppers > 0 && g->n_promotions > 0 &&
           g->starts_us >= c->o->from_us && g->starts_us < c->o->until_us &&
           g->starts_us > response_rows_first_us(c->maker);
}

/* Those with an event before the start, into who; by number, so that a step takes them evenly. */
static size_t known_before(const collection *c, int64_t at_us)
{
    size_t n = 0;
    for (uint32_t s = 1; s <= c->h->n_shoppers; s += c->step)
        if (history_before(c->h, s, at_us) > c->h->first[s]) c->who[n++] = s;
    return n;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool was_sent(const offer_group *g, uint32_t who)
{
    return bsearch(&who, g->shopper, g->n_shoppers, sizeof who, by_number) != NULL;
}

/* ---- rows ---- */

static pf_status reserve(policies_past_rows *r, size_t n, pf_error *err)
{
    const size_t F = RESPONSE_ANY_FEATURES;
    r->n_features = RESPONSE_ANY_FEATURES;
    r->x = mem_alloc(n, F * sizeof *r->x);
    r->shopper = mem_alloc(n, sizeof *r->shopper);
    r->campaign = mem_alloc(n, sizeof *r->campaign);
    r->sent = mem_alloc(n, sizeof *r->sent);
    if (r->x && r->shopper && r->campaign && r->sent) return PF_OK;
    return error_set(err, PF_NO_MEMORY, "no memory for %zu rows of the past", n);
}

static pf_status add_some(const collection *c, const offer_group *g, const uint32_t *who,
                          size_t n, pf_error *err)
{
    const response_question q = {.promotion = g->promotion, .n_promotions = g->n_promotions,
                                 .shopper = who, .n_shoppers = n, .at_us = g->starts_us};
    policies_past_rows *r = c->out;
    response_rows made;
    pf_status s = response_rows_make(c->maker, &q, c->o->plan.threads, &made, err);
    if (s != PF_OK) return s;
    memcpy(r->x + r->n * r->n_features, made.any, n * r->n_features * sizeof *r->x);
    for (size_t k = 0; k < n; k++) {
        r->shopper[r->n + k] = who[k];
        r->campaign[r->n + k] = g->campaign;
        r->sent[r->n + k] = was_sent(g, who[k]);
    }
    r->n += n;
    response_rows_free(&made);
    return PF_OK;
}

static pf_status add_campaign(const collection *c, const offer_group *g, pf_error *err)
{
    const size_t n = known_before(c, g->starts_us);
    const size_t some = 1 + AT_ONCE_PAIRS / g->n_promotions;
    pf_status s = PF_OK;
    for (size_t k = 0; k < n && s == PF_OK; k += some)
        s = add_some(c, g, c->who + k, n - k < some ? n - k : some, err);
    return s;
}

static pf_status collect(collection *c, pf_error *err)
{
    size_t campaigns = 0, rows = 0;
    for (uint32_t k = 0; k < c->groups->n; k++)
        campaigns += takes_part(c, &c->groups->group[k]);
    if (campaigns == 0)
        return error_set(err, PF_DATA,
                         "no campaign of that time was sent to anybody: there is nothing past to "
                         "compare policies on; take an earlier start, or import exposures");
    c->step = 1 + (uint32_t)(campaigns * c->h->n_shoppers / POLICIES_PAST_ROWS_MAX);
    c->who = mem_alloc(c->h->n_shoppers + (size_t)1, sizeof *c->who);
    if (c->who == NULL)
        return error_set(err, PF_NO_MEMORY, "no memory for %u shoppers", c->h->n_shoppers);
    for (uint32_t k = 0; k < c->groups->n; k++)
        if (takes_part(c, &c->groups->group[k]))
            rows += known_before(c, c->groups->group[k].starts_us);
    if (rows == 0)
        return error_set(err, PF_DATA, "nobody was known when those campaigns started");
    pf_status s = reserve(c->out, rows, err);
    for (uint32_t k = 0; k < c->groups->n && s == PF_OK; k++)
        if (takes_part(c, &c->groups->group[k]))
            s = add_campaign(c, &c->groups->group[k], err);
    return s;
}

pf_status policies_past_collect(const response_rows_maker *maker, const shop_history *h,
                                const policies_past_options *o, policies_past_rows *out,
                                pf_error *err)
{
    collection c = {.maker = maker, .h = h, .o = o, .groups = response_rows_groups(maker),
                    .out = out};
    *out = (policies_past_rows){0};
    pf_status s = collect(&c, err);
    mem_free(c.who);
    if (s != PF_OK) policies_past_rows_free(out);
    return s;
}

/* ---- the best of a campaign ---- */

/* How many of a campaign's rows are chosen; rows [n] are all of one campaign. */
static double wanted(const policies_past_rows *r, const uint32_t *rows, size_t n, double share)
{
    double sent = 0;
    for (size_t k = 0; k < n; k++)
        sent += r->sent[rows[k]] != 0;
    return isnan(share) ? sent : share * (double)n;
}

/* rows in order of score, best first. */
static void take_best(const uint32_t *rows, size_t n, const double *score, double want,
                      double *send)
{
    for (size_t k = 0; k < n;) {
        size_t same = 1;
        while (k + same < n && !(score[rows[k + same]] < score[rows[k]]))
            same++;
        const double part = fmin(fmax(want / (double)same, 0), 1);
        for (size_t j = k; j < k + same; j++)
            send[rows[j]] = part;
        want -= (double)same;
        k += same;
    }
}

typedef struct ranked {
    uint32_t campaign, row;
    double score;
} ranked;

static int by_campaign_and_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->campaign != y->campaign) return x->campaign < y->campaign ? -1 : 1;
    if (x->score > y->score) return -1;
    if (x->score < y->score) return 1;
    return (x->row > y->row) - (x->row < y->row);
}

static pf_status check_top(const policies_past_rows *r, const double *score, double share,
                           pf_error *err)
{
    if (!isnan(share) && !(share >= 0 && share <= 1))
        return error_set(err, PF_USAGE, "a share of %g is not between 0 and 1", share);
    for (size_t i = 0; score != NULL && i < r->n; i++)
        if (isnan(score[i]))
            return error_set(err, PF_DATA, "row %zu has no score to be ranked by", i + 1);
    return PF_OK;
}

pf_status policies_past_top(const policies_past_rows *r, const double *score, double share,
                            double *send, pf_error *err)
{
    pf_status s = check_top(r, score, share, err);
    if (s != PF_OK || r->n == 0) return s;
    ranked *all = mem_alloc(r->n, sizeof *all);
    uint32_t *rows = mem_alloc(r->n, sizeof *rows);
    double *flat = score == NULL ? mem_alloc_zero(r->n, sizeof *flat) : NULL;
    const double *by = score == NULL ? flat : score;
    if (all == NULL || rows == NULL || by == NULL)
        s = error_set(err, PF_NO_MEMORY, "no memory to rank %zu rows", r->n);
    for (size_t i = 0; s == PF_OK && i < r->n; i++)
        all[i] = (ranked){r->campaign[i], (uint32_t)i, by[i]};
    if (s == PF_OK) qsort(all, r->n, sizeof *all, by_campaign_and_score);
    for (size_t i = 0; s == PF_OK && i < r->n; i++)
        rows[i] = all[i].row;
    for (size_t i = 0, n; s == PF_OK && i < r->n; i += n) {
        for (n = 1; i + n < r->n && all[i + n].campaign == all[i].campaign;)
            n++;
        take_best(rows + i, n, by, wanted(r, rows + i, n, share), send);
    }
    mem_free(all);
    mem_free(rows);
    mem_free(flat);
    return s;
}
