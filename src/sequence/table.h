/*
 * The product table m = id vectors + W side vectors, forward and backward, some rows at a time
 * so that threads share them.
 *
 * In training the projected part W s has dropout of its own, element by element, drawn anew each
 * step by the number of the thing: with the id part it makes two views of a thing of which
 * neither may be relied on alone.
 */
#ifndef PROFFER_SEQUENCE_TABLE_H
#define PROFFER_SEQUENCE_TABLE_H

#include "sequence/net_inner.h"

enum { TABLE_ROWS = 256 }; /* made in one product */

/* Which rows, and how they are made. */
typedef struct product_table {
    const sequence_net *net;
    const packed_weights *weights;
    size_t n;            /* rows */
    const uint32_t *row; /* [n] the thing of each row, ascending; NULL: row i is thing i */
    float *m;            /* [n x D]; net->m may be the id vectors, then nothing is made */
    bool training;       /* dropout is on */
    uint64_t step;
} product_table;

/* Takes (or counts) the memory of one thread; scratch, of KERNEL_SCRATCH_BYTES, is the caller's. */
void table_memory_plan(const sequence_net *n, workspace *w, table_memory *out);
/* Makes rows from..to-1. The projection must have been packed. */
void table_make(const product_table *t, size_t from, size_t to, const table_memory *memory);
/* dW [D x K] += what rows from..to-1 give, for dm [n x D] the gradient of m. (The id vectors'
 * gradient is dm itself.) */
void table_backward(const product_table *t, size_t from, size_t to, const float *dm,
                    float *dprojection, const table_memory *memory);

#endif
