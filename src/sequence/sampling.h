/*
 * For losses over a sample of the catalogue: negatives shared by a batch, and the rows of the
 * product table that a batch has to do with.
 *
 * Negatives are drawn with replacement from q. For sampled softmax q_v is proportional to
 * (events of v + 1)^0.75 (the smoothing of Mikolov et al., NIPS 2013, section 2.2; one is added
 * so that every product can be drawn); for gBCE q is uniform, as in gSASRec. Walker's alias
 * method (Vose 1991) makes a draw a table lookup. Draws are a function of (seed, step).
 */
#ifndef PROFFER_SEQUENCE_SAMPLING_H
#define PROFFER_SEQUENCE_SAMPLING_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "sequence/pack.h"
#include "tensor/workspace.h"

/* ---- the distribution of negatives ---- */

typedef struct sampler {
    uint32_t V;
    float *keep;         /* [V] share of column v that is v's own */
    uint32_t *other;     /* [V] whose the rest is */
    float *log_expected; /* [V] log(S q_v) */
} sampler;

/* Takes (or counts) its memory. */
void sampler_plan(sampler *s, uint32_t V, workspace *w);
/* popularity [V], >= 0, or NULL: uniform. draws: S. PF_NO_MEMORY. */
pf_status sampler_fill(sampler *s, const double *popularity, size_t draws, pf_error *err);

/* ---- the rows of a batch ---- */

/* Things of a batch (its inputs, targets, negatives) get numbers 0..n-1 in ascending order. */
typedef struct batch_rows {
    size_t things;             /* V + P */
    uint64_t *mark;            /* [things / 64 + 1] bits; all 0 between batches */
    uint32_t *number;          /* [things]; all 0 between batches */
    size_t n;
    uint32_t *row;             /* [n] the thing of each number */
    uint32_t *thing, *target;  /* [R] of the batch by number; NOTHING and MASK as they are */
    size_t S;
    uint32_t *negative;        /* [S] numbers, ascending */
    float *negative_log;       /* [S] log(S q_v) */
} batch_rows;

/* Takes (or counts) memory for batches of at most R rows. */
void batch_rows_plan(batch_rows *b, size_t things, size_t R, size_t S, workspace *w);
/* The most numbers there can be. */
size_t batch_rows_most(size_t things, size_t R, size_t S);
/* Draws negatives and numbers everything. */
void batch_rows_fill(batch_rows *b, const sampler *s, const sequence_pack *pack, uint64_t seed,
                     uint64_t step);

#endif
