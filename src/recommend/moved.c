/*
 * The model is asked once with the whole past and once without each part of it (moved_past.h).
 * The scores of a blend's members are kept apart, so that each can be put in place of its own in
 * the whole.
 */
#include "recommend/moved.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/blend.h"
#include "recommend/inner.h"
#include "recommend/month_blend.h"
#include "recommend/moved_past.h"
#include "tensor/kernels.h"

/* A worker's own memory. */
typedef struct moved_place {
    moved_copy copy;
    recommend_scratch *scratch;
    float *own;   /* [V] one member's scores */
    float *total; /* [V] the model's */
    float *mixed; /* [V] the model's, had one member alone not seen the part */
    float *work;  /* [V] */
} moved_place;

typedef struct moving {
    const recommender *m;
    const moved_question *q;
    const tensor_kernels *k;
    size_t V, n_members;
    uint8_t *role;      /* [V] MOVED_OTHER, ... */
    uint32_t *wanted; /* [n_wanted] different products */
    size_t n_wanted, n_others;
    float *whole; /* [n_members x V] what each adds to the scores with the whole past */
    moved_past past;
    moved_place *place; /* [workers] */
    unsigned workers;
    recommend_scale scale;
    double unit, log_chance;
    moved_event event[MOVED_MOST_EVENTS]; /* by part */
} moving;

/* ---- members ---- */

/* A model made of others is taken apart; any other is its own and only member. */
static size_t count_members(const recommender *m)
{
    if (month_blend_habit(m) != NULL) return month_blend_network(m) ? 2 : 1;
    return blend_parts(m) > 0 ? blend_parts(m) : 1;
}

static const char *member_name(const recommender *m, size_t i)
{
    if (month_blend_habit(m) != NULL)
        return recommender_kind_of(i ? month_blend_network(m) : month_blend_habit(m))->name;
    return blend_parts(m) > 0 ? blend_part_at(m, i).kind : NULL;
}

/* scores [V] = what member i adds to the scores of a past that is not empty. */
static void score_member(const recommender *m, size_t i, const recommend_query *q, float *scores,
                         recommend_scratch *scratch)
{
    if (month_blend_habit(m) != NULL && i == 0)
        recommender_score(month_blend_habit(m), q, scores, scratch);
    else if (month_blend_habit(m) != NULL)
        month_blend_network_part(m, q, scores, scratch);
    else if (blend_parts(m) > 0)
        blend_score_part(m, i, q, scores, scratch);
    else
        recommender_score(m, q, scores, scratch);
}

static void add(size_t n, const float *x, float *sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += x[i];
}

/* ---- chances ---- */

/* ln sum e^x over x [n], which is written over; about its own largest, so that a sum that no float
 * holds has a logarithm all the same. */
static double log_sum(const tensor_kernels *k, size_t n, float *x)
{
    const float largest = k->maximum(n, x);
    for (size_t i = 0; i < n; i++)
        x[i] -= largest;
    k->exponential(n, x, x);
    return (double)largest + log((double)k->sum(n, x));
}

/* ln sum 1 / (1 + e^-x): e^x is what that is where no chance is large. */
static double log_sum_of_odds(const tensor_kernels *k, size_t n, float *x)
{
    const float largest = k->maximum(n, x);
    if (largest < -15) return log_sum(k, n, x);
    k->sigmoid(n, x, x);
    return log((double)k->sum(n, x));
}

/* work [n_wanted] = what is wanted's scores, less `from`, by `each`. */
static void gather_wanted(const moving *g, const float *scores, float from, float each,
                          float *work)
{
    for (size_t i = 0; i < g->n_wanted; i++)
        work[i] = each * (scores[g->wanted[i]] - from);
}

/* ln of the chance of all that is wanted. Shares are told from the first of it, so that scores that
 * are large and lie close together keep their differences. */
static double log_chance_of(const moving *g, const float *scores, recommend_scale scale,
                            double unit, float *work)
{
    const float each = (float)(1 / unit), from = scores[g->wanted[0]];
    if (scale == RECOMMEND_ODDS) {
        gather_wanted(g, scores, 0, 1, work);
        return log_sum_of_odds(g->k, g->n_wanted, work);
    }
    if (g->n_others == 0) return 0; /* the next is one of them */
    gather_wanted(g, scores, from, each, work);
    const double wanted = log_sum(g->k, g->n_wanted, work);
    for (size_t v = 0; v < g->V; v++)
        work[v] = g->role[v] == MOVED_OUT ? -INFINITY : each * (scores[v] - from);
    return wanted - log_sum(g->k, g->V, work);
}

/* The standard deviation of the scores of all that has a chance; 1 where they are all equal, as far
 * as floats can tell. */
static double spread_of(const moving *g, const float *scores)
{
    double sum = 0, square = 0;
    const double n = (double)(g->n_wanted + g->n_others);
    for (size_t v = 0; v < g->V; v++)
        sum += g->role[v] == MOVED_OUT ? 0 : (double)scores[v];
    for (size_t v = 0; v < g->V; v++) {
        const double apart = g->role[v] == MOVED_OUT ? 0 : (double)scores[v] - sum / n;
        square += apart * apart;
    }
    const double spread = sqrt(square / n);
    return spread > 1e-6 * fabs(sum / n) && spread > 1e-12 ? spread : 1;
}

/* ---- leaving out ---- */

static void ask_whole(moving *g)
{
    moved_place *p = &g->place[0];
    memset(p->total, 0, g->V * sizeof *p->total);
    for (size_t i = 0; i < g->n_members; i++) {
        score_member(g->m, i, g->q->past, g->whole + i * g->V, p->scratch);
        add(g->V, g->whole + i * g->V, p->total);
    }
    g->unit = g->scale == RECOMMEND_ORDER ? spread_of(g, p->total) : 1;
    g->log_chance = log_chance_of(g, p->total, g->scale, g->unit, p->work);
}

/* The change if member i alone had not seen the part: its scores without it are p->own. */
static void weigh_member(const moving *g, size_t i, moved_place *p, moved_event *e)
{
    if (g->n_members == 1) return;
    memset(p->mixed, 0, g->V * sizeof *p->mixed);
    for (size_t other = 0; other < g->n_members; other++)
        add(g->V, other == i ? p->own : g->whole + other * g->V, p->mixed);
    const double without = log_chance_of(g, p->mixed, g->scale, g->unit, p->work);
    const double change = g->log_chance - without;
    if (e->member != NULL && !(fabs(change) > fabs(e->member_change))) return;
    e->member = member_name(g->m, i);
    e->member_change = change;
}

/* Nothing is left: popularity answers. */
static double change_of_all(const moving *g, moved_place *p)
{
    if (g->scale == RECOMMEND_ODDS) return 0;
    recommender_score(g->m, &p->copy.query, p->total, p->scratch);
    return g->log_chance - log_chance_of(g, p->total, RECOMMEND_SHARES, 1, p->work);
}

static double change_of_part(const moving *g, moved_place *p, moved_event *e)
{
    memset(p->total, 0, g->V * sizeof *p->total);
    for (size_t i = 0; i < g->n_members; i++) {
        score_member(g->m, i, &p->copy.query, p->own, p->scratch);
        add(g->V, p->own, p->total);
        weigh_member(g, i, p, e);
    }
    return g->log_chance - log_chance_of(g, p->total, g->scale, g->unit, p->work);
}

static void ask_without(void *context, size_t part, unsigned worker)
{
    moving *g = context;
    moved_place *p = &g->place[worker];
    const moved_part *of = &g->past.part[part];
    moved_event *e = &g->event[part];
    *e = (moved_event){
        .thing = of->thing, .kind = of->kind, .time_us = of->time_us, .events = of->rows};
    moved_copy_without(&p->copy, &g->past, (uint32_t)part);
    e->change = p->copy.query.n > 0 ? change_of_part(g, p, e) : change_of_all(g, p);
}

/* ---- the question ---- */

static pf_status mark_wanted(moving *g, pf_error *err)
{
    for (size_t i = 0; i < g->q->n_products; i++) {
        const uint32_t v = g->q->product[i];
        if (v >= g->V)
            return error_set(err, PF_USAGE, "the model knows %zu products; %u is none of them",
                             g->V, v);
        if (g->role[v] != MOVED_OTHER) continue;
        g->role[v] = MOVED_WANTED;
        g->wanted[g->n_wanted++] = v;
        g->n_others--;
    }
    if (g->n_wanted > 0) return PF_OK;
    return error_set(err, PF_USAGE, "none of the products asked about can come next");
}

static pf_status mark(moving *g, pf_error *err)
{
    g->role = mem_alloc_zero(g->V, sizeof *g->role);
    g->wanted = mem_alloc(g->V, sizeof *g->wanted);
    if (g->role == NULL || g->wanted == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu products", g->V);
    g->n_others = g->V;
    for (size_t v = 0; v < g->V && g->q->excluded != NULL; v++)
        if (g->q->excluded[v]) {
            g->role[v] = MOVED_OUT;
            g->n_others--;
        }
    return mark_wanted(g, err);
}

static pf_status place_new(const moving *g, moved_place *p, pf_error *err)
{
    pf_status s = moved_copy_new(&p->copy, &g->past, err);
    if (s == PF_OK) s = recommend_scratch_new(g->m, &p->scratch, err);
    if (s != PF_OK) return s;
    p->own = mem_alloc_aligned(g->V, sizeof *p->own);
    p->total = mem_alloc_aligned(g->V, sizeof *p->total);
    p->mixed = mem_alloc_aligned(g->V, sizeof *p->mixed);
    p->work = mem_alloc_aligned(g->V, sizeof *p->work);
    if (p->own && p->total && p->mixed && p->work) return PF_OK;
    return error_set(err, PF_NO_MEMORY, "out of memory for scores of %zu products", g->V);
}

static pf_status places_new(moving *g, pf_error *err)
{
    size_t cells = 0;
    pf_status s = PF_OK;
    g->workers = g->q->threads ? pool_threads(g->q->threads) : 1;
    g->place = mem_alloc_zero(g->workers, sizeof *g->place);
    if (size_multiply(g->n_members, g->V, &cells))
        g->whole = mem_alloc_aligned(cells, sizeof *g->whole);
    if (g->place == NULL || g->whole == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for scores of %zu products", g->V);
    for (unsigned i = 0; s == PF_OK && i < g->workers; i++)
        s = place_new(g, &g->place[i], err);
    return s;
}

static void close_moving(moving *g)
{
    for (unsigned i = 0; g->place != NULL && i < g->workers; i++) {
        moved_copy_free(&g->place[i].copy);
        recommend_scratch_free(g->place[i].scratch);
        mem_free(g->place[i].own);
        mem_free(g->place[i].total);
        mem_free(g->place[i].mixed);
        mem_free(g->place[i].work);
    }
    mem_free(g->place);
    mem_free(g->whole);
    mem_free(g->role);
    mem_free(g->wanted);
    moved_past_free(&g->past);
}

/* Whether part a stands in front of part b: it changes more, or as much and is newer. */
static bool is_before(const moving *g, size_t a, size_t b)
{
    const double more = fabs(g->event[a].change), less = fabs(g->event[b].change);
    if (more > less || less > more) return more > less;
    return g->past.part[a].newest > g->past.part[b].newest;
}

/* The at most n largest by insertion; returns how many. */
static size_t take_largest(const moving *g, moved_event *events, size_t n)
{
    size_t part[MOVED_MOST_EVENTS], found = 0;
    for (size_t i = 0; i < g->past.n_parts; i++) {
        if (!(fabs(g->event[i].change) > 0)) continue;
        size_t at = found++;
        for (; at > 0 && is_before(g, i, part[at - 1]); at--)
            part[at] = part[at - 1];
        part[at] = i;
    }
    found = found < n ? found : n;
    for (size_t i = 0; i < found; i++)
        events[i] = g->event[part[i]];
    return found;
}

pf_status recommend_moved(const recommender *m, const moved_question *q, moved_event *events,
                          size_t n, moved_answer *out, pf_error *err)
{
    const size_t most = q->most > 0 && q->most < MOVED_MOST_EVENTS ? q->most : MOVED_MOST_EVENTS;
    *out = (moved_answer){.tried = 0};
    if (q->past->n == 0) return PF_OK;
    moving *g = mem_alloc_zero(1, sizeof *g);
    if (g == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a question");
    *g = (moving){.m = m,
                  .q = q,
                  .k = kernels_choose(NULL),
                  .V = recommender_n_products(m),
                  .scale = recommender_kind_of(m)->scale,
                  .n_members = count_members(m)};
    pf_status s = mark(g, err);
    if (s == PF_OK) s = moved_past_new(&g->past, q->past, g->role, g->V, q->together, most, err);
    if (s == PF_OK) s = places_new(g, err);
    if (s == PF_OK) {
        ask_whole(g);
        pool_run(q->threads, g->past.n_parts, ask_without, g);
        *out = (moved_answer){.log_chance = g->log_chance,
                              .tried = g->past.n_parts,
                              .found = take_largest(g, events, n)};
    }
    close_moving(g);
    mem_free(g);
    return s;
}
