/* See offers_world.h. */
#include "bench/offers_world.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

offers_world *offers_world_new(size_t state_features)
{
    offers_world *w = offers_memory(1, sizeof *w);
    w->data = offers_data_load();
    w->n = w->data->n;
    w->all_features = w->features = OFFERS_MEMBER_FEATURES + state_features;
    for (int k = 0; k < OFFERS_WAVES; k++) {
        w->x[k] = offers_memory(w->n * w->features, sizeof *w->x[k]);
        for (size_t i = 0; i < w->n * w->features; i++)
            w->x[k][i] = NAN;
        offers_features(w->data, k, w->features, w->x[k]);
        w->n_running[k] = offers_running_before(w->data, k, &w->running[k]);
    }
    return w;
}

void offers_world_free(offers_world *w)
{
    for (int k = 0; k < OFFERS_WAVES; k++) {
        mem_free(w->x[k]);
        mem_free(w->running[k]);
    }
    offers_data_free(w->data);
    mem_free(w);
}

int offers_horizon(int wave, int hours)
{
    static const int horizons[] = {168, 138, 96, 72};
    const int most = offers_wave_hours(wave) < hours ? offers_wave_hours(wave) : hours;
    for (size_t i = 0; i < sizeof horizons / sizeof *horizons; i++)
        if (horizons[i] <= most) return horizons[i];
    return most;
}

void offers_world_row(const offers_world *w, int wave, size_t member, int hours, float *into)
{
    memcpy(into, w->x[wave] + member * w->all_features, w->features * sizeof *into);
    into[OFFERS_HOURS_FEATURE] = (float)hours;
}
