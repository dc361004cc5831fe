/*
 * The body of a sequence network: from embedded rows to states. Each architecture is one file
 * with one sequence_body; what comes before (embeddings) and after (losses, the product table)
 * is the same for all and stands in net.h.
 *
 * A body is a pair of plain functions over one worker's rows. All memory is the caller's
 * workspace, planned by running forward and backward with a counting workspace:
 *
 *     body_call c = {.settings = s, .pack = &largest, .memory = &counting, ...};
 *     body->backward(&c, body->forward(&c, NULL));     // counts; NULLs all the way
 *
 * A plan made for a pack serves every pack with at most as many rows and sequences, none longer
 * than settings.length. With gradient NULL the forward pass alone is planned and run.
 *
 * Dropout is a function of (seed, step, place in the network, row of the batch, column), so it
 * is the same however a batch is cut into packs, and backward asks for it again.
 */
#ifndef PROFFER_SEQUENCE_BODY_H
#define PROFFER_SEQUENCE_BODY_H

#include <stdbool.h>

#include "sequence/pack.h"
#include "sequence/settings.h"
#include "tensor/kernels.h"
#include "tensor/parameters.h"
#include "tensor/workspace.h"

/* Arrays of a network, in order; names are kept inside. */
enum { BODY_NAME_BYTES = 32 };
typedef struct body_shapes {
    parameter_shape shape[PARAMETERS_MAX];
    char name[PARAMETERS_MAX][BODY_NAME_BYTES];
    size_t n;
    bool matrix[PARAMETERS_MAX]; /* a weight [outputs x inputs] that products need packed */
} body_shapes;
/* Adds one array and returns its number. More than PARAMETERS_MAX arrays, or a longer name, is
 * a programmer's error (assert): sequence_settings_check bounds the blocks. The struct holds
 * pointers into itself: it is passed by address, never copied. */
size_t body_shapes_add(body_shapes *s, parameter_shape shape, bool matrix, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* Blocks of a body at most: 19 arrays a block at most leave room for the network's own. */
enum { BODY_BLOCKS_MAX = 8 };
/* Inner width of feed-forward layers, hidden width of GRU layers: feedforward * width. */
size_t body_inner_width(const sequence_settings *s);

/* Streams of dropout. Bodies use the places below BODY_PLACES; the network's own dropouts take
 * those from there to BODY_PLACES_ALL - 1. */
enum { BODY_PLACES = 32, BODY_PLACES_ALL = 64 };
uint64_t body_stream(uint64_t step, unsigned place);

/* One worker's call. Arrays are numbered as in the network's body_shapes; the body's own begin
 * at `own`. */
typedef struct body_call {
    const tensor_kernels *k;
    const sequence_settings *settings;
    const sequence_pack *pack;
    size_t own;
    const float *values;          /* block of values; array i at values + offset[i] */
    const size_t *offset;         /* [arrays] */
    void *const *forward;         /* [arrays] packed for y = x W^T (K = inputs), or NULL */
    void *const *backward;        /* [arrays] packed for dx = dy W (K = outputs), or NULL */
    float *gradient;              /* this worker's block, added to; NULL: forward alone. While
                                     memory counts, any address says that backward follows */
    bool training;                /* dropout is on */
    uint64_t seed, step;          /* dropout's key: (seed, body_stream(step, place)) */
    workspace *memory;            /* activations that backward needs stay taken */
    void *scratch;                /* KERNEL_SCRATCH_BYTES */
    tensor_precision precision;
    void *kept;                   /* forward leaves here what backward reads */
} body_call;

typedef struct sequence_body {
    const char *name;
    /* Adds its arrays. */
    void (*shapes)(const sequence_settings *s, body_shapes *out);
    /* x [R x D] embedded rows (dropout already done), used up, in place until backward is done;
     * returns states h [R x D], inside the workspace (or x itself). While memory counts, nothing
     * is read or written and NULL is returned. */
    float *(*forward)(body_call *c, float *x);
    /* dh [R x D], used up; returns dx [R x D], in the same place. */
    float *(*backward)(body_call *c, float *dh);
} sequence_body;

extern const sequence_body sequence_body_transformer; /* causal and BERT's both-ways, all blocks */
extern const sequence_body sequence_body_gru;
const sequence_body *sequence_body_of(const sequence_settings *s);

#endif
