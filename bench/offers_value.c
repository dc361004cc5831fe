/* See offers_value.h. */
#include "bench/offers_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void stop_on(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "offers: %s\n", err->message);
    exit(1);
}

static void fill_row(const offers_world *w, int wave, size_t member, uint32_t arm, int hours,
                     float *x)
{
    offers_world_row(w, wave, member, hours, x);
    offers_arm_features(w->data, arm, x + w->features);
}

static void learn(const offers_world *w, const offers_trees *how, int known, int hours,
                  boosted_model *m)
{
    const size_t width = w->features + OFFERS_ARM_FEATURES, n = (size_t)known * w->n;
    float *x = offers_memory(n * width, sizeof *x), *y = offers_memory(n, sizeof *y),
          *other = offers_memory(w->n, sizeof *other);
    pf_error err = {0};
    for (int k = 0; k < known; k++) {
        const int h = offers_horizon(k, hours);
        float *mine = y + (size_t)k * w->n;
        for (size_t i = 0; i < w->n; i++)
            fill_row(w, k, i, w->data->arm[(size_t)k * w->n + i], h,
                     x + ((size_t)k * w->n + i) * width);
        offers_data_outcome(w->data, k, h, how->of_cost ? other : mine,
                            how->of_cost ? mine : other);
    }
    const feature_rows rows = {n, width, x};
    const boosted_options o = {.rounds = 200, .depth = how->depth, .threads = 1, .eta = .05,
                               .minimum_weight = 50, .lambda = 1, .subsample = .7,
                               .column_sample = .7, .seed = how->seed};
    stop_on(boosted_fit_amounts(m, &rows, y, how->kind, &o, &err), &err);
    mem_free(x);
    mem_free(y);
    mem_free(other);
}

void offers_value_expect(const offers_world *w, const offers_trees *how, int known, int wave,
                         double *value)
{
    const int hours = offers_wave_hours(wave);
    const size_t width = w->features + OFFERS_ARM_FEATURES;
    float *x = offers_memory(w->n * width, sizeof *x), *y = offers_memory(w->n, sizeof *y);
    boosted_model m;
    pf_error err = {0};
    learn(w, how, known, hours, &m);
    for (uint32_t arm = 0; arm < OFFERS_ARMS; arm++) {
        for (size_t i = 0; i < w->n; i++)
            fill_row(w, wave, i, arm, hours, x + i * width);
        const feature_rows rows = {w->n, width, x};
        stop_on(boosted_expect(&m, &rows, y, &err), &err);
        for (size_t i = 0; i < w->n; i++)
            value[i * OFFERS_ARMS + arm] = (double)y[i];
    }
    boosted_free(&m);
    mem_free(x);
    mem_free(y);
}
