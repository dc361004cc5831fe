/*
 * What attention.c asks of an instruction set: one head over a group of rows. attention_body.h
 * makes the functions, attention.c prepares the groups; nobody else needs this header.
 *
 * A group is some sequences that stand one behind the other, or a single long one. Row i of it
 * sees keys first[i] <= j < last[i]; both never fall from row to row. Rows of several short
 * sequences so share one pass, and what they must not see is masked.
 */
#ifndef PROFFER_TENSOR_ATTENTION_KERNELS_H
#define PROFFER_TENSOR_ATTENTION_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct attention_dropout {
    float rate;          /* 0: none */
    uint32_t below;      /* a weight is dropped when its 32 bits are below this */
    float kept_scale;    /* 1 / (1 - rate) */
    uint64_t key;        /* of (seed, stream, head) */
    uint32_t number;     /* of the group's row 0 in the whole batch */
} attention_dropout;

typedef struct attention_head {
    size_t R, width;     /* rows; floats of a head, a multiple of the table's lanes */
    const uint32_t *first, *last; /* [R] */
    const float *q, *k, *v;       /* [R x width], `row` floats apart */
    size_t row;
    bool pointwise;
    float scale;         /* of q k */
    const float *bias;   /* bias[j - i] for -R < j - i < R, readable a vector beyond; or NULL */
    attention_dropout dropout;

    size_t out_row, log_row;
    /* forward alone */
    float *out;          /* [R x width], out_row floats apart */
    float *log_sum;      /* of row i at log_sum[i * log_row], or NULL */

    /* backward alone */
    const float *kept_out, *dout; /* out_row floats apart */
    const float *kept_log_sum;
    float *dq, *dk, *dv; /* set; drow floats apart */
    size_t drow;
    float *dbias;        /* like bias; += */

    /* scratch: panels of keys and values [capacity x width] each, tile and tile_back
     * [tile_rows x capacity] each, delta [capacity], capacity a whole number of panels */
    float *keys, *values, *tile, *tile_back, *delta;
} attention_head;

/* Rows of a tile of weights at most, a multiple of what every set keeps in registers. */
enum { ATTENTION_TILE_ROWS = 60 };

typedef struct attention_kernels {
    size_t lanes, panel;
    void (*forward)(const attention_head *h);
    void (*backward)(const attention_head *h);
} attention_kernels;

#endif
