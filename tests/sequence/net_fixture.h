/*
 * A small network with everything that a batch can hold, as tests of nets and steps want it.
 */
#ifndef PROFFER_TESTS_SEQUENCE_NET_FIXTURE_H
#define PROFFER_TESTS_SEQUENCE_NET_FIXTURE_H

#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "sequence/net.h"
#include "sequence/step.h"

enum { SMALL_SEQUENCES = 11, SMALL_LENGTH = 9, SMALL_ROWS = SMALL_SEQUENCES * SMALL_LENGTH };
enum { SMALL_V = 37, SMALL_P = 5, SMALL_K = 6 };

static const sequence_sizes small_sizes = {.V = SMALL_V, .P = SMALL_P, .K = SMALL_K};

static inline sequence_settings small_settings(void)
{
    return (sequence_settings){.architecture = SEQUENCE_TRANSFORMER,
                               .width = 12,
                               .blocks = 2,
                               .heads = 2,
                               .length = SMALL_LENGTH,
                               .feedforward = 2,
                               .positions = true,
                               .ids = true,
                               .mask_share = 0.3f,
                               .negatives = 20,
                               .calibration = 0.7f,
                               .rate = 1e-3f,
                               .beta1 = 0.9f,
                               .beta2 = 0.98f,
                               .epsilon = 1e-8f,
                               .batch = SMALL_SEQUENCES,
                               .epochs = 1,
                               .threads = 2,
                               .seed = 5};
}

typedef struct small_batch {
    uint32_t offset[SMALL_SEQUENCES + 1], thing[SMALL_ROWS], target[SMALL_ROWS];
    uint16_t position[SMALL_ROWS];
    uint8_t kind[SMALL_ROWS], band[SMALL_ROWS], gap[SMALL_ROWS];
    sequence_pack pack;
} small_batch;

static inline void small_row(small_batch *b, bool bert, random_stream *r, uint32_t row)
{
    uint32_t draw = random_below(r, 10);
    b->thing[row] = draw == 0 ? SEQUENCE_NOTHING : random_below(r, SMALL_V + SMALL_P);
    b->target[row] = draw == 1 ? SEQUENCE_NOTHING : random_below(r, SMALL_V);
    b->kind[row] = (uint8_t)random_below(r, SEQUENCE_KINDS);
    b->band[row] = (uint8_t)random_below(r, SEQUENCE_BANDS);
    b->gap[row] = (uint8_t)random_below(r, SEQUENCE_GAPS);
    if (!bert) return;
    if (draw < 4)
        b->thing[row] = SEQUENCE_MASK;
    else
        b->target[row] = SEQUENCE_NOTHING;
}

/* Sequences of all lengths, none of them too; rows with and without things and targets. */
static inline void small_batch_fill(small_batch *b, bool bert, uint64_t seed)
{
    random_stream r = random_begin(seed, 1);
    uint32_t row = 0;
    for (uint32_t s = 0; s < SMALL_SEQUENCES; s++) {
        b->offset[s] = row;
        uint32_t length = s < 3 ? s : 1 + random_below(&r, SMALL_LENGTH);
        for (uint32_t i = 0; i < length; i++, row++) {
            b->position[row] = (uint16_t)i;
            small_row(b, bert, &r, row);
        }
    }
    b->offset[SMALL_SEQUENCES] = row;
    b->pack = (sequence_pack){.n_sequences = SMALL_SEQUENCES,
                              .R = row,
                              .offset = b->offset,
                              .thing = b->thing,
                              .position = b->position,
                              .kind = b->kind,
                              .band = b->band,
                              .gap = b->gap,
                              .target = b->target};
}

static inline const float *small_side(void)
{
    static float side[(SMALL_V + SMALL_P) * SMALL_K];
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        side[i] = (float)(golden_unit(i, 77) - 0.5);
    return side;
}

/* Values far enough from their start that every layer does something. */
static inline void small_values(sequence_net *n)
{
    parameters *p = sequence_net_parameters(n);
    for (size_t a = 0; a < parameters_count(p); a++) {
        const parameter_shape *s = parameters_shape(p, a);
        float base = s->start == PARAMETER_ONE ? 1.0f : 0.0f;
        for (size_t i = 0; i < s->rows * s->columns; i++)
            parameters_at(p, a)[i] = base + 0.8f * (float)(golden_unit(i, 300 + a) - 0.5);
    }
}

typedef struct small_net {
    sequence_net *net;
    sequence_step *step;
    small_batch batch;
} small_net;

static inline void small_net_new(small_net *f, const sequence_settings *s,
                                 const sequence_sizes *sizes, const tensor_kernels *k)
{
    pf_error err = {0};
    if (sequence_net_new(&f->net, s, sizes, s->side ? small_side() : NULL, k, &err) != PF_OK ||
        sequence_step_new(&f->step, f->net, SMALL_SEQUENCES, SMALL_LENGTH, NULL, &err) != PF_OK)
        fail_msg("%s", err.message);
    small_values(f->net);
    small_batch_fill(&f->batch, s->architecture == SEQUENCE_BERT, 3);
}

static inline void small_net_free(small_net *f)
{
    sequence_step_free(f->step);
    sequence_net_free(f->net);
}

/* The number of the array of this name. */
static inline size_t small_array(const parameters *p, const char *name)
{
    for (size_t i = 0; i < parameters_count(p); i++)
        if (!strcmp(parameters_shape(p, i)->name, name)) return i;
    fail_msg("no array '%s'", name);
    return 0;
}

#endif
