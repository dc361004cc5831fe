/*
 * One part of the pairs at a time: columns of the part's pairs for calibration, and sums by shopper
 * and campaign for the bootstrap, whose rows are then few.
 */
#include "evaluate/response_pairs.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "measure/calibration.h"
#include "measure/classification.h"

/* As response_protocol.c. */
static const double clip = 1e-6;

typedef enum part_of { PART_ALL, PART_BEST, PART_BEST_SPEND, PART_KIND } part_of;

typedef struct part {
    part_of which;
    const char *kind; /* of PART_KIND */
    bool plain;
    double *p;  /* [n] */
    uint8_t *y; /* [n] */
    size_t n;
    double *sum_p, *sum_y; /* [rows] */
    uint32_t *shopper;     /* [rows] */
    size_t rows;
} part;

static void part_free(part *t)
{
    mem_free(t->p);
    mem_free(t->y);
    mem_free(t->sum_p);
    mem_free(t->sum_y);
    mem_free(t->shopper);
}

static double value_of(const part *t, const replayed *c, size_t at)
{
    double p = (double)(t->plain ? c->plain : c->p)[at];
    return t->which == PART_BEST_SPEND ? p * (double)c->spend[at] : p;
}

/* The promotions first..end of shopper s that may belong to the part. */
static void range_of(const part *t, const replayed *c, size_t s, size_t *first, size_t *end)
{
    const size_t P = c->n_promotions;
    *first = 0;
    *end = P;
    if (t->which != PART_BEST && t->which != PART_BEST_SPEND) return;
    for (size_t k = 1; k < P; k++)
        if (value_of(t, c, s * P + k) > value_of(t, c, s * P + *first)) *first = k;
    *end = P > 1 ? *first + 1 : *first;
}

/* Counts, or fills where there is room. */
static void gather_shopper(part *t, const replayed *c, size_t s)
{
    size_t first, end, before = t->n;
    double p = 0, y = 0;
    range_of(t, c, s, &first, &end);
    for (size_t k = first; k < end; k++) {
        size_t at = s * c->n_promotions + k;
        if (t->which == PART_KIND && c->kind[k] != t->kind) continue;
        if (t->p != NULL) {
            t->p[t->n] = (double)(t->plain ? c->plain : c->p)[at] * c->seen;
            t->y[t->n] = c->used[at] != 0;
            p += t->p[t->n];
            y += t->y[t->n];
        }
        t->n++;
    }
    if (t->n == before) return;
    if (t->p != NULL) {
        t->sum_p[t->rows] = p;
        t->sum_y[t->rows] = y;
        t->shopper[t->rows] = c->shopper[s];
    }
    t->rows++;
}

static void gather(part *t, const response_replay *r)
{
    t->n = t->rows = 0;
    for (size_t i = 0; i < response_replay_count(r); i++) {
        const replayed *c = response_replay_at(r, i);
        for (size_t s = 0; s < c->n_shoppers; s++)
            gather_shopper(t, c, s);
    }
}

static pf_status part_new(part *t, const response_replay *r, pf_error *err)
{
    gather(t, r);
    double *p = mem_alloc(t->n + 1, sizeof *p);
    t->y = mem_alloc(t->n + 1, 1);
    t->sum_p = mem_alloc(t->rows + 1, sizeof *t->sum_p);
    t->sum_y = mem_alloc(t->rows + 1, sizeof *t->sum_y);
    t->shopper = mem_alloc(t->rows + 1, sizeof *t->shopper);
    if (!p || !t->y || !t->sum_p || !t->sum_y || !t->shopper) {
        mem_free(p);
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu pairs", t->n);
    }
    t->p = p;
    gather(t, r);
    return PF_OK;
}

static double ratio(const void *context, const double *w)
{
    const part *t = context;
    double p = 0, y = 0;
    for (size_t i = 0; i < t->rows; i++) {
        p += t->sum_p[i] * (w ? w[i] : 1);
        y += t->sum_y[i] * (w ? w[i] : 1);
    }
    return y > 0 ? p / y : (double)NAN;
}

static pf_status figures_of(pair_figures *f, const part *t, const bootstrap_plan *how,
                            pf_error *err)
{
    reliability_bin bins[PAIRS_BINS];
    bootstrap_plan plan = *how;
    bootstrap_result found = {.low = (double)NAN, .high = (double)NAN};
    *f = (pair_figures){.rows = t->n, .sum_ratio = ratio(t, NULL), .low = (double)NAN,
                        .high = (double)NAN, .ece = (double)NAN, .log_loss = (double)NAN};
    for (size_t i = 0; i < t->n; i++)
        f->uses += t->y[i];
    if (t->n == 0) return PF_OK;
    pf_status s = reliability_of(t->p, t->y, t->n, PAIRS_BINS, bins, err);
    if (s != PF_OK) return s;
    f->ece = reliability_ece(bins, PAIRS_BINS);
    f->log_loss = measure_log_loss(t->p, t->y, NULL, t->n, clip);
    plan.group = t->shopper;
    plan.n = t->rows;
    s = bootstrap_interval(&plan, ratio, t, &found, err);
    if (s == PF_DATA) return PF_OK; /* nobody used any: no ratio, and no interval */
    f->low = found.low;
    f->high = found.high;
    return s;
}

static pf_status measure_part(pair_result *out, const response_replay *r, part_of which,
                              const char *kind, const bootstrap_plan *how, pf_error *err)
{
    pf_status s = PF_OK;
    for (int plain = 0; s == PF_OK && plain < 2; plain++) {
        part t = {.which = which, .kind = kind, .plain = plain};
        s = part_new(&t, r, err);
        if (s == PF_OK) s = figures_of(plain ? &out->plain : &out->own, &t, how, err);
        part_free(&t);
    }
    return s;
}

static size_t list_kinds(const response_replay *r, const char *kind[PAIRS_KINDS])
{
    size_t n = 0;
    for (size_t i = 0; i < response_replay_count(r); i++) {
        const replayed *c = response_replay_at(r, i);
        for (size_t k = 0; k < c->n_promotions && n < PAIRS_KINDS; k++) {
            size_t at = 0;
            while (at < n && kind[at] != c->kind[k])
                at++;
            if (at == n) kind[n++] = c->kind[k];
        }
    }
    return n;
}

pf_status response_pairs_measure(response_pairs *out, const response_replay *r,
                                 unsigned replicates, uint64_t seed, pool *threads,
                                 pf_error *err)
{
    const char *kind[PAIRS_KINDS];
    bootstrap_plan how = bootstrap_plan_default(NULL, 0);
    how.replicates = replicates;
    how.seed = seed;
    how.threads = threads;
    *out = (response_pairs){.n_kinds = list_kinds(r, kind)};
    pf_status s = measure_part(&out->all, r, PART_ALL, NULL, &how, err);
    if (s == PF_OK) s = measure_part(&out->best, r, PART_BEST, NULL, &how, err);
    if (s == PF_OK) s = measure_part(&out->best_spend, r, PART_BEST_SPEND, NULL, &how, err);
    for (size_t k = 0; s == PF_OK && k < out->n_kinds; k++) {
        (void)snprintf(out->kind[k].name, PAIRS_NAME_BYTES, "%s", kind[k]);
        s = measure_part(&out->kind[k].result, r, PART_KIND, kind[k], &how, err);
    }
    return s;
}

/* --- writing ---------------------------------------------------------------------- */

static void number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void members(json_writer *w, const pair_figures *f)
{
    number(w, "rows", (double)f->rows);
    number(w, "uses", f->uses);
    number(w, "sum_p_over_sum_y", f->sum_ratio);
    number(w, "sum_p_over_sum_y_low", f->low);
    number(w, "sum_p_over_sum_y_high", f->high);
    number(w, "ece", f->ece);
    number(w, "log_loss", f->log_loss);
}

static void object(json_writer *w, const char *key, const pair_figures *f)
{
    json_key(w, key);
    json_object_begin(w);
    members(w, f);
    json_object_end(w);
}

void response_pairs_write(const response_pairs *p, json_writer *w)
{
    object(w, "chosen", &p->best.own);
    object(w, "chosen_by_spend", &p->best_spend.own);
    json_key(w, "kinds");
    json_array_begin(w);
    for (size_t k = 0; k < p->n_kinds; k++) {
        json_object_begin(w);
        json_key(w, "kind");
        json_text(w, p->kind[k].name);
        members(w, &p->kind[k].result.own);
        json_object_end(w);
    }
    json_array_end(w);
    json_key(w, "before_correction");
    json_object_begin(w);
    object(w, "all", &p->all.plain);
    object(w, "chosen", &p->best.plain);
    object(w, "chosen_by_spend", &p->best_spend.plain);
    json_object_end(w);
}
