/*
 * The inside of a training step: what step_plan.c lays out, step_group.c runs forward and
 * backward, and step.c leads. Tests look at gradients through it; nobody else includes it.
 *
 *     sequence_step_gradients(s, batch, number, threads, &result);  // net and blocks
 *     ... s->worker[w].gradient, or sequence_step_gradient() ...
 *     sequence_step_discard(s, threads);                            // all zero again
 */
#ifndef PROFFER_SEQUENCE_STEP_H
#define PROFFER_SEQUENCE_STEP_H

#include "sequence/net_inner.h"
#include "sequence/sampling.h"
#include "sequence/table.h"
#include "tensor/losses.h"

/* One share of a batch. How many there are is a setting, so bits do not depend on how many
 * threads run them. */
typedef struct step_worker {
    float *gradient;     /* [dense floats], zero between steps */
    float *dm;           /* [rows of the table x D], in `gradient` where id vectors are dense */
    void *loss_scratch;
    table_memory table;  /* its scratch serves all kernels */
    uint32_t *offset;    /* of the group that runs */
    uint32_t *place;     /* [group rows] rows of a group that have a target */
    uint32_t *target;    /* [group rows] their targets */
    uint32_t *of;        /* [group rows] the sequences of the group they belong to */
    workspace memory;    /* holds all above and the activations of a group */
    size_t first, end;   /* sequences of the batch */
    size_t rows;         /* of these */
    double loss;
} step_worker;

struct sequence_step {
    sequence_net *net;
    size_t sequences, rows_most, group_rows; /* of a batch; of a group */
    size_t n_workers;
    step_worker *worker;  /* [n_workers] */
    float **gradient, **dm; /* [n_workers] the same blocks as lists */
    bool own_dm;          /* dm stands beside the gradient block */

    packed_weights weights;
    product_table table;
    float *m;                 /* of the rows in use, when sampling */
    catalogue_operand products; /* whole-catalogue loss */
    sampler sampler;
    batch_rows in_use;
    negative_set negatives;
    float *negative_vectors;  /* [S x D] */
    void *forward, *backward; /* packed products or negatives */
    workspace memory;         /* holds the seven above */

    /* The step that runs. */
    sequence_pack batch; /* things and targets by rows of the table */
    uint64_t number;
    float scale; /* 1 / supervised rows */
};

/* One worker's share forward and backward: its loss and gradients. */
void step_run_share(sequence_step *s, step_worker *w);

/* The first half of a step: refreshed weights, loss, gradients (of the projection too). No
 * parameter changes. False when the loss is not finite or no row has a target. */
bool sequence_step_gradients(sequence_step *s, const sequence_pack *batch, uint64_t number,
                             pool *threads, step_result *out);
/* out [rows x columns of array i] = the gradient as the workers found it, added up. */
void sequence_step_gradient(const sequence_step *s, size_t i, float *out);
void sequence_step_discard(sequence_step *s, pool *threads);

#endif
