/*
 * Tests with a known truth for models of effects. x [N x 4] normal; a purchase has the log-odds
 * -1 + .6 x0 untreated, and treated .4 + 1.2 x1 more: x1 alone says whom to treat, x0 alone who
 * buys. Arms differ by two attributes: strength (of the effect) and a word without meaning.
 */
#ifndef PROFFER_TESTS_RESPONSE_UPLIFT_WORLD_H
#define PROFFER_TESTS_RESPONSE_UPLIFT_WORLD_H

#include <math.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/random.h"
#include "check.h"
#include "response/uplift_model.h"

enum { WORLD_ROWS = 6000, WORLD_FEATURES = 4, WORLD_ATTRIBUTES = 2, WORLD_MOST_ARMS = 6 };

typedef struct uplift_world {
    uplift_trial trial;
    float x[WORLD_ROWS * WORLD_FEATURES], y[WORLD_ROWS];
    float attribute[WORLD_MOST_ARMS * WORLD_ATTRIBUTES];
    uint32_t arm[WORLD_ROWS];
    double propensity[WORLD_ROWS];
    double effect[WORLD_ROWS * WORLD_MOST_ARMS]; /* the truth, in units of y */
} uplift_world;

typedef struct world_plan {
    size_t arms;
    double rare;     /* how much rarer the last arm is than the others; 1: as likely */
    double confused; /* log-odds of treatment for one x0 more; 0: a randomised test */
    double moved;    /* times the effect; 0: nobody is */
    bool amounts;    /* y is 0 or about 20 exp(.3 x0) */
    uint64_t seed;
} world_plan;

static const world_plan plain_world = {.arms = 1, .rare = 1, .moved = 1, .seed = 1};

static inline double world_chance(const float *x, double strength)
{
    const double moved = strength * (0.4 + 1.2 * (double)x[1]);
    return 1 / (1 + exp(1 - 0.6 * (double)x[0] - moved));
}

/* Chances of arms 0..arms. */
static inline void world_shares(const world_plan *p, const float *x, double *share)
{
    const double treated = 1 / (1 + exp(-p->confused * (double)x[0]));
    const double all = (double)p->arms - 1 + p->rare;
    share[0] = 1 - treated;
    for (size_t a = 1; a <= p->arms; a++)
        share[a] = treated * (a == p->arms ? p->rare : 1) / all;
}

static inline void world_row(uplift_world *w, const world_plan *p, size_t i, random_stream *r)
{
    float *x = w->x + i * WORLD_FEATURES;
    double share[WORLD_MOST_ARMS + 1], u = 0;
    for (size_t f = 0; f < WORLD_FEATURES; f++)
        x[f] = (float)random_normal(r);
    const double size = p->amounts ? 20 * exp(0.3 * (double)x[0]) : 1;
    world_shares(p, x, share);
    w->arm[i] = 0;
    u = random_unit(r) - share[0];
    for (uint32_t a = 1; a <= p->arms && u >= 0; a++) {
        w->arm[i] = a;
        u -= share[a];
    }
    w->propensity[i] = share[w->arm[i]];
    const double none = world_chance(x, 0);
    double chance = none;
    for (size_t a = 1; a <= p->arms; a++) {
        const double with = world_chance(x, p->moved * (double)w->attribute[2 * (a - 1)]);
        w->effect[i * p->arms + a - 1] = size * (with - none);
        if (w->arm[i] == a) chance = with;
    }
    w->y[i] = random_unit(r) < chance ? (float)size : 0;
    if (p->amounts) w->y[i] *= (float)(random_gamma(r, 5) / 5);
}

static inline uplift_world *world_make(const world_plan *p)
{
    uplift_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    random_stream r = random_begin(p->seed, 7);
    for (size_t a = 0; a < p->arms; a++) {
        w->attribute[2 * a] = p->arms == 1 ? 1 : (float)(0.5 + 0.3 * (double)a);
        w->attribute[2 * a + 1] = a % 2 ? 1 : -1;
    }
    for (size_t i = 0; i < WORLD_ROWS; i++)
        world_row(w, p, i, &r);
    w->trial = (uplift_trial){.n = WORLD_ROWS, .features = WORLD_FEATURES, .x = w->x,
                              .arm = w->arm, .y = w->y, .propensity = w->propensity,
                              .arms = p->arms};
    if (p->arms > 1) {
        w->trial.attributes = WORLD_ATTRIBUTES;
        w->trial.attribute = w->attribute;
    }
    return w;
}

static inline feature_rows world_rows(const uplift_world *w)
{
    return (feature_rows){w->trial.n, WORLD_FEATURES, w->x};
}

static inline uplift_model *world_fit(const uplift_world *w, const uplift_model_options *o)
{
    uplift_model *m = NULL;
    pf_error err = {0};
    if (uplift_model_fit(&w->trial, o, &m, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

/* What a model says of itself, for mem_free. */
static inline char *describe(const uplift_model *m)
{
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 16);
    json_begin(&w, &b);
    uplift_model_describe(m, &w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    buffer_free(&b);
    return words;
}

#endif
