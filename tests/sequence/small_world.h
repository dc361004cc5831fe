/*
 * A shop small enough to train on in a blink: 80 shoppers walk through 24 products, from v
 * mostly to (5 v + 3) mod 24, so that a model which learns the last step foresees most of what
 * comes. With `rich`, events have kinds, bands, times, promotions and side vectors as well.
 */
#ifndef PROFFER_TESTS_SEQUENCE_SMALL_WORLD_H
#define PROFFER_TESTS_SEQUENCE_SMALL_WORLD_H

#include "sequence/train.h"

enum { WORLD_U = 80, WORLD_V = 24, WORLD_P = 3, WORLD_K = 6, WORLD_LONGEST = 14 };

typedef struct small_world {
    uint64_t first[WORLD_U + 1];
    uint32_t thing[WORLD_U * WORLD_LONGEST];
    uint8_t kind[WORLD_U * WORLD_LONGEST], band[WORLD_U * WORLD_LONGEST];
    int64_t time_us[WORLD_U * WORLD_LONGEST];
    bool taken[WORLD_U * WORLD_LONGEST];
    float vectors[(WORLD_V + WORLD_P) * WORLD_K];
    uint32_t next[WORLD_U]; /* what each takes after their events */
    sequence_events events;
    sequence_side side;
} small_world;

void small_world_make(small_world *w, uint64_t seed, bool rich);
/* Settings for a world, small and quick: width 16, length 8, batch 16, 2 workers; then `pairs`
 * (sequence_settings_set). */
sequence_settings small_world_settings(const small_world *w, const char *pairs);
/* Trains or fails the test. Settings' pairs may be "". */
sequence_model *small_world_train(const training_task *task, const char *pairs);
/* A task on a world: side where it has some, `next` as validation, repeats allowed. */
training_task small_world_task(const small_world *w);

/* Fails the test unless both have the same settings and every parameter the same bits. */
void assert_same_model(const sequence_model *a, const sequence_model *b);
bool same_parameters(const sequence_model *a, const sequence_model *b);

#endif
