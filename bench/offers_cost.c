/* See offers_cost.h. */
#include "bench/offers_cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "response/boosted.h"

enum { STATE = 5, TERMS = 9 };

static void stop_on(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "offers: %s\n", err->message);
    exit(1);
}

static size_t width_of(const offers_world *w)
{
    return STATE + TERMS + w->features + OFFERS_ARM_FEATURES;
}

/* One running offer, of which outcomes are counted for so many hours. Whatever else the wave
 * gives the member is unknown (NaN) for the offer it gave itself. */
static void fill_row(const offers_world *w, int wave, const offers_running *r, uint32_t arm,
                     int hours, float *x)
{
    const offers_offer *o = &w->data->offer[r->offer];
    const float head[STATE + TERMS] = {
        r->elapsed,   fminf(r->left, (float)hours), r->need,  r->seen,  r->given, o->bogo,
        o->discount,  o->difficulty,                o->reward, o->hours / 24, o->web,
        o->email,     o->mobile,                    o->social};
    memcpy(x, head, sizeof head);
    offers_world_row(w, wave, r->member, hours, x + STATE + TERMS);
    float *given = x + STATE + TERMS + w->features;
    if (!r->given) {
        offers_arm_features(w->data, arm, given);
        return;
    }
    for (size_t f = 0; f < OFFERS_ARM_FEATURES; f++)
        given[f] = NAN;
}

/* --- learning --------------------------------------------------------------------- */

typedef struct promises {
    size_t n, room, width;
    float *x;
    uint8_t *kept;
} promises;

static void add_promise(promises *p, const offers_world *w, int wave, const offers_running *r,
                        uint32_t arm, int hours)
{
    if (p->n == p->room) {
        fprintf(stderr, "offers: more running offers than there is room for\n");
        exit(1);
    }
    fill_row(w, wave, r, arm, hours, p->x + p->n * p->width);
    p->kept[p->n++] = r->done >= 0 && r->done < hours;
}

static void add_wave(promises *p, const offers_world *w, int wave, int hours)
{
    const uint8_t *arm = w->data->arm + (size_t)wave * w->n;
    for (size_t i = 0; i < w->n_running[wave]; i++) {
        const offers_running *r = &w->running[wave][i];
        add_promise(p, w, wave, r, arm[r->member], hours);
    }
    for (size_t m = 0; m < w->n; m++) {
        offers_running r;
        if (offers_running_new(w->data, wave, (uint32_t)m, arm[m], &r))
            add_promise(p, w, wave, &r, arm[m], hours);
    }
}

static boosted_options tree_options(void)
{
    return (boosted_options){.rounds = 200, .depth = 4, .threads = 1, .eta = .05,
                             .minimum_weight = 20, .lambda = 1, .subsample = .7,
                             .column_sample = .7, .seed = 1};
}

static void learn(const offers_world *w, int known, int hours, boosted_model *m)
{
    promises p = {.width = width_of(w)};
    pf_error err = {0};
    for (int k = 0; k < known; k++)
        p.room += w->n + w->n_running[k];
    p.x = offers_memory(p.room * p.width, sizeof *p.x);
    p.kept = offers_memory(p.room, sizeof *p.kept);
    for (int k = 0; k < known; k++)
        add_wave(&p, w, k, offers_horizon(k, hours));
    const feature_rows rows = {p.n, p.width, p.x};
    const boosted_options o = tree_options();
    stop_on(boosted_fit(m, &rows, p.kept, NULL, 0, &o, &err), &err);
    mem_free(p.x);
    mem_free(p.kept);
}

/* --- use -------------------------------------------------------------------------- */

/* Running offers as they would be if everybody were given the arm. */
static size_t running_under(const offers_world *w, int wave, uint32_t arm, offers_running *into)
{
    size_t n = w->n_running[wave];
    memcpy(into, w->running[wave], n * sizeof *into);
    for (size_t m = 0; m < w->n; m++)
        n += offers_running_new(w->data, wave, (uint32_t)m, arm, &into[n]);
    return n;
}

static void expect_arm(const offers_world *w, const boosted_model *m, int wave, uint32_t arm,
                       double *cost)
{
    const int hours = offers_wave_hours(wave);
    const size_t most = w->n + w->n_running[wave], width = width_of(w);
    offers_running *running = offers_memory(most, sizeof *running);
    float *x = offers_memory(most * width, sizeof *x), *p = offers_memory(most, sizeof *p);
    pf_error err = {0};
    const size_t n = running_under(w, wave, arm, running);
    for (size_t i = 0; i < n; i++)
        fill_row(w, wave, &running[i], arm, hours, x + i * width);
    if (n > 0) {
        const feature_rows rows = {n, width, x};
        stop_on(boosted_expect(m, &rows, p, &err), &err);
    }
    for (size_t i = 0; i < n; i++)
        cost[running[i].member * OFFERS_ARMS + arm] +=
            (double)p[i] * (double)w->data->offer[running[i].offer].reward;
    mem_free(running);
    mem_free(x);
    mem_free(p);
}

void offers_cost_expect(const offers_world *w, int known, int wave, double *cost)
{
    boosted_model m;
    learn(w, known, offers_wave_hours(wave), &m);
    memset(cost, 0, w->n * OFFERS_ARMS * sizeof *cost);
    for (uint32_t arm = 0; arm < OFFERS_ARMS; arm++)
        expect_arm(w, &m, wave, arm, cost);
    boosted_free(&m);
}
