/* See offers_value.h. */
#include "bench/offers_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "response/spend.h"

enum { SQUARED_TREES = 2 };

typedef struct value_model {
    offers_way way;
    boosted_model squared[SQUARED_TREES];
    spend_model spend;
} value_model;

static void stop_on(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "offers: %s\n", err->message);
    exit(1);
}

/* --- learning --------------------------------------------------------------------- */

typedef struct lessons {
    feature_rows rows;
    float *x, *spend, *cost, *purchases;
} lessons;

static void fill_row(const offers_world *w, int wave, size_t member, uint32_t arm, int hours,
                     float *x)
{
    offers_world_row(w, wave, member, hours, x);
    offers_arm_features(w->data, arm, x + w->features);
}

static void lessons_make(lessons *l, const offers_world *w, int known, int hours)
{
    const size_t width = w->features + OFFERS_ARM_FEATURES, n = (size_t)known * w->n;
    l->x = offers_memory(n * width, sizeof *l->x);
    l->spend = offers_memory(n, sizeof *l->spend);
    l->cost = offers_memory(n, sizeof *l->cost);
    l->purchases = offers_memory(n, sizeof *l->purchases);
    l->rows = (feature_rows){n, width, l->x};
    for (int k = 0; k < known; k++) {
        const size_t at = (size_t)k * w->n;
        const int h = offers_horizon(k, hours);
        for (size_t i = 0; i < w->n; i++)
            fill_row(w, k, i, w->data->arm[at + i], h, l->x + (at + i) * width);
        offers_data_outcome(w->data, k, h, l->spend + at, l->cost + at, l->purchases + at);
    }
}

static void lessons_free(lessons *l)
{
    mem_free(l->x);
    mem_free(l->spend);
    mem_free(l->cost);
    mem_free(l->purchases);
}

static void learn(value_model *m, const lessons *l)
{
    pf_error err = {0};
    spend_options o = spend_options_default();
    boosted_options trees = o.trees;
    o.trees.threads = trees.threads = 1;
    o.whole = m->way != OFFERS_PARTS;
    o.parts = m->way == OFFERS_PARTS;
    trees.depth = 4;
    trees.minimum_weight = 50;
    if (m->way != OFFERS_SQUARED) {
        const float *y = m->way == OFFERS_TOTAL_COST ? l->cost : l->spend;
        stop_on(spend_fit(&m->spend, &l->rows, y, l->purchases, &o, &err), &err);
        return;
    }
    for (uint32_t t = 0; t < SQUARED_TREES; t++) {
        trees.seed = t + 1;
        stop_on(boosted_fit_amounts(&m->squared[t], &l->rows, l->spend, NULL, BOOSTED_SQUARED,
                                    &trees, &err), &err);
    }
}

/* --- use -------------------------------------------------------------------------- */

static void expect(const value_model *m, const feature_rows *rows, uint32_t arm, float *y,
                   double *value)
{
    pf_error err = {0};
    const int parts = m->way == OFFERS_SQUARED ? SQUARED_TREES : 1;
    for (int t = 0; t < parts; t++) {
        if (m->way == OFFERS_SQUARED)
            stop_on(boosted_expect(&m->squared[t], rows, y, &err), &err);
        else
            stop_on(spend_expect(&m->spend, rows, y, &err), &err);
        for (size_t i = 0; i < rows->n; i++)
            value[i * OFFERS_ARMS + arm] += (double)y[i] / parts;
    }
}

void offers_value_expect(const offers_world *w, offers_way way, int known, int wave,
                         double *value)
{
    const int hours = offers_wave_hours(wave);
    const size_t width = w->features + OFFERS_ARM_FEATURES;
    float *x = offers_memory(w->n * width, sizeof *x), *y = offers_memory(w->n, sizeof *y);
    value_model m = {.way = way};
    lessons l;
    lessons_make(&l, w, known, hours);
    learn(&m, &l);
    lessons_free(&l);
    memset(value, 0, w->n * OFFERS_ARMS * sizeof *value);
    for (uint32_t arm = 0; arm < OFFERS_ARMS; arm++) {
        for (size_t i = 0; i < w->n; i++)
            fill_row(w, wave, i, arm, hours, x + i * width);
        const feature_rows rows = {w->n, width, x};
        expect(&m, &rows, arm, y, value);
    }
    spend_free(&m.spend);
    for (size_t t = 0; t < SQUARED_TREES; t++)
        boosted_free(&m.squared[t]);
    mem_free(x);
    mem_free(y);
}
