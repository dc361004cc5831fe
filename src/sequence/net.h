/*
 * A sequence network: parameters, the product table, packed weights; states of rows, scores of
 * products, and one training step.
 *
 *     x_i = m[thing_i] + position + kind + band + gap vectors, dropout
 *     h   = body(x)                                    (body.h)
 *     z   = h m^T + b
 *
 * The product table m [(V + P) x D] = id vectors + W side vectors, for products and promotions
 * alike, serves input and output (tied): a thing nobody took has a vector through its side.
 * `refresh` makes m and packs it with all weights for states and scores; a training step does
 * the same for itself, with dropout and in the precision of training.
 *
 *     sequence_net_new(&net, &settings, &sizes, side, NULL, err);
 *     sequence_step_new(&step, net, sequences, longest, popularity, err);
 *     for (number = 0; ...; number++)
 *         sequence_step_take(step, batch, rate, number, threads, &result);
 *     sequence_net_refresh(net, threads);
 *     sequence_net_states(net, pack, &memory, last);
 *
 * A net is used by one caller at a time for training; after refresh any number of threads may
 * ask for states and scores, each with a workspace of its own.
 */
#ifndef PROFFER_SEQUENCE_NET_H
#define PROFFER_SEQUENCE_NET_H

#include "base/pool.h"
#include "base/status.h"
#include "sequence/pack.h"
#include "sequence/settings.h"
#include "tensor/parameters.h"
#include "tensor/workspace.h"

typedef struct sequence_sizes {
    uint32_t V, P;
    bool kinds, bands, gaps; /* which vectors exist */
    size_t K;                /* side dimension, 0 = none */
} sequence_sizes;

typedef struct sequence_net sequence_net;

/* side [(V + P) x K] is borrowed; NULL when settings.side is false or K = 0. k NULL:
 * kernels_choose(NULL). The values are those of parameters_start(settings.seed). PF_USAGE for
 * settings that cannot be, PF_UNAVAILABLE for bf16 on a machine without, PF_LIMIT,
 * PF_NO_MEMORY. */
pf_status sequence_net_new(sequence_net **out, const sequence_settings *settings,
                           const sequence_sizes *sizes, const float *side,
                           const tensor_kernels *k, pf_error *err);
/* NULL is fine. */
void sequence_net_free(sequence_net *n);
parameters *sequence_net_parameters(sequence_net *n);
const sequence_settings *sequence_net_settings(const sequence_net *n);
const sequence_sizes *sequence_net_sizes(const sequence_net *n);

/* Makes the product table and packs weights from the values as they are, in fp32: to be called
 * after values changed (by a step or by hand) and before states or scores are asked for, which
 * assert it of steps. threads may be NULL. */
void sequence_net_refresh(sequence_net *n, pool *threads);

/* Makes a workspace for states of packs of at most R rows; the caller frees it. PF_LIMIT,
 * PF_NO_MEMORY. */
pf_status sequence_net_workspace(const sequence_net *n, size_t R, workspace *out, pf_error *err);
/* last [n_sequences x D]: the state of each sequence's last row, zero for a sequence without
 * rows. No dropout. Allocates nothing. */
void sequence_net_states(const sequence_net *n, const sequence_pack *pack, workspace *memory,
                         float *last);
/* scores [M x V] = states [M x D] m^T + b, products only. scratch: KERNEL_SCRATCH_BYTES. */
void sequence_net_scores(const sequence_net *n, size_t M, const float *states, float *scores,
                         void *scratch);

/* ---- training ---- */

/* Everything a step needs besides the net: moments, gradients and workspaces of workers, packed
 * operands. Planned for batches of at most batch_sequences sequences of at most `longest` rows.
 * popularity [V], events of each product, is what negatives are drawn by (sampling.h); NULL:
 * uniformly. PF_LIMIT, PF_NO_MEMORY; the net is then as it was, perhaps with moments. */
typedef struct sequence_step sequence_step;
pf_status sequence_step_new(sequence_step **out, sequence_net *n, size_t batch_sequences,
                            size_t longest, const double *popularity, pf_error *err);
/* NULL is fine. Before the net. */
void sequence_step_free(sequence_step *s);
/* Bytes that training such a net takes in all, net and moments included, to be announced before
 * they are taken. Errors as of sequence_net_new. */
pf_status sequence_step_bytes(const sequence_settings *settings, const sequence_sizes *sizes,
                              size_t batch_sequences, size_t longest, size_t *out,
                              pf_error *err);

typedef struct step_result {
    double loss;          /* summed over rows */
    uint64_t rows;        /* supervised; 0: nothing was done */
    double gradient_norm; /* before clipping; not finite: nothing was changed */
} step_result;

/* One step: batch's sequences are shared out among settings.threads workers by a fixed rule,
 * each runs groups of them forward and backward; gradients are added in worker order; Adam with
 * `rate`. The net is to be refreshed before it is asked for states. `number` counts steps from 0
 * over all epochs: with the seed it is all that dropout and sampling depend on. The same bits
 * for any number of threads. Allocates nothing. */
void sequence_step_take(sequence_step *s, const sequence_pack *batch, float rate,
                        uint64_t number, pool *threads, step_result *out);

#endif
