#include "small_world.h"

#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "check.h"

static uint32_t step_on(random_stream *r, uint32_t v)
{
    if (random_unit(r) < .1) return random_below(r, WORLD_V);
    return (5 * v + 3) % WORLD_V;
}

static void walk(small_world *w, random_stream *r, uint32_t u, bool rich, uint64_t *n)
{
    uint32_t events = 3 + random_below(r, WORLD_LONGEST - 3), v = random_below(r, WORLD_V);
    int64_t now = 0;
    w->first[u] = *n;
    for (uint32_t i = 0; i < events; i++, (*n)++) {
        bool shown = rich && i > 0 && random_unit(r) < .2;
        if (!shown && i > 0) v = step_on(r, v);
        now += (int64_t)random_below(r, 1 << 20) * US_PER_SECOND;
        w->thing[*n] = shown ? WORLD_V + random_below(r, WORLD_P) : v;
        w->taken[*n] = !shown;
        w->kind[*n] = shown ? 2 : 1;
        w->band[*n] = shown ? 0 : (uint8_t)(1 + v % 5);
        w->time_us[*n] = now;
    }
    w->next[u] = step_on(r, v);
}

void small_world_make(small_world *w, uint64_t seed, bool rich)
{
    random_stream r = random_begin(seed, 99);
    uint64_t n = 0;
    memset(w, 0, sizeof *w);
    for (uint32_t u = 0; u < WORLD_U; u++)
        walk(w, &r, u, rich, &n);
    w->first[WORLD_U] = n;
    for (size_t i = 0; i < (WORLD_V + WORLD_P) * WORLD_K; i++)
        w->vectors[i] = (float)random_normal(&r) * .4f;
    w->events = (sequence_events){.n_shoppers = WORLD_U,
                                  .n_products = WORLD_V,
                                  .n_promotions = rich ? WORLD_P : 0,
                                  .n = n,
                                  .first = w->first,
                                  .thing = w->thing};
    if (!rich) return;
    w->events.kind = w->kind;
    w->events.band = w->band;
    w->events.time_us = w->time_us;
    w->events.taken = w->taken;
    w->side = (sequence_side){w->vectors, WORLD_K};
}

sequence_settings small_world_settings(const small_world *w, const char *pairs)
{
    pf_error err = {0};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &w->events, &w->side);
    if (sequence_settings_set(&s,
                              "width=16,blocks=1,heads=2,length=8,batch=16,threads=2,rate=.01,"
                              "dropout=.1,attention_dropout=.1,warmup_steps=5,patience=0,"
                              "average=0,seed=1,block=plain,cosine=false,decay=0",
                              &err) != PF_OK ||
        sequence_settings_set(&s, pairs, &err) != PF_OK)
        fail_msg("%s", err.message);
    const char *reason = sequence_settings_check(&s);
    if (reason != NULL) fail_msg("%s", reason);
    return s;
}

training_task small_world_task(const small_world *w)
{
    return (training_task){.events = &w->events,
                           .side = w->side.vectors != NULL ? &w->side : NULL,
                           .next = w->next,
                           .repeats = true};
}

sequence_model *small_world_train(const training_task *task, const char *pairs)
{
    /* The world is found again through its first member. */
    const small_world *w = (const small_world *)(const void *)task->events->first;
    sequence_settings s = small_world_settings(w, pairs);
    sequence_model *m = NULL;
    pf_error err = {0};
    if (sequence_train(task, &s, &m, &err) != PF_OK) fail_msg("%s", err.message);
    return m;
}

bool same_parameters(const sequence_model *a, const sequence_model *b)
{
    const parameters *p = sequence_model_parameters(a), *q = sequence_model_parameters(b);
    return parameters_floats(p) == parameters_floats(q) &&
           !memcmp(parameters_values(p), parameters_values(q),
                   parameters_floats(p) * sizeof(float));
}

void assert_same_model(const sequence_model *a, const sequence_model *b)
{
    const sequence_training *t = sequence_model_training(a), *v = sequence_model_training(b);
    assert_null(
        sequence_settings_difference(sequence_model_settings(a), sequence_model_settings(b)));
    assert_true(same_parameters(a, b));
    assert_int_equal(t->epochs, v->epochs);
    assert_int_equal(t->best_epoch, v->best_epoch);
    assert_memory_equal(&t->best_validation, &v->best_validation, sizeof(double));
    assert_int_equal(t->steps, v->steps);
    assert_int_equal(t->rows, v->rows);
    assert_string_equal(t->data_hash, v->data_hash);
}
