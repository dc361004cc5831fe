/*
 * Sparse matrices by rows: products x products, products x shoppers. Built by adding to
 * rows in any order of columns; kept with columns ascending and equal ones summed.
 *
 *     row r is column[i], value[i] for start[r] <= i < start[r + 1]
 */
#ifndef PROFFER_RECOMMEND_SPARSE_H
#define PROFFER_RECOMMEND_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/safetensors.h"

typedef struct sparse {
    uint32_t rows, columns;
    uint64_t n;
    uint64_t *start;  /* [rows + 1] */
    uint32_t *column; /* [n] */
    float *value;     /* [n] */
} sparse;

/* Two passes over the same entries: count all, then add all in any order.
 *     sparse_counter k; sparse_count_begin(&k, rows, columns);
 *     for ... sparse_count(&k, row);
 *     sparse_fill_begin(&k);
 *     for ... sparse_add(&k, row, column, value);
 *     sparse_finish(&k, &matrix);          // sorts, sums equal places
 * Failures of memory are remembered and told by finish. */
typedef struct sparse_counter {
    sparse m;
    uint64_t *at; /* [rows] next free place */
    bool failed;
} sparse_counter;

void sparse_count_begin(sparse_counter *k, uint32_t rows, uint32_t columns);
void sparse_count(sparse_counter *k, uint32_t row);
void sparse_fill_begin(sparse_counter *k);
void sparse_add(sparse_counter *k, uint32_t row, uint32_t column, float value);
/* Consumes the counter. PF_NO_MEMORY. */
pf_status sparse_finish(sparse_counter *k, sparse *out, pf_error *err);

/* The transpose, columns ascending. */
pf_status sparse_transpose(const sparse *m, sparse *out, pf_error *err);
void sparse_free(sparse *m);

/* As three tensors named prefix.start, prefix.column, prefix.value; the data are borrowed
 * until commit. Loading checks starts, columns and that values are finite. */
pf_status sparse_save(const sparse *m, const char *prefix, safetensors_writer *file,
                      pf_error *err);
pf_status sparse_load(sparse *out, const char *prefix, uint32_t rows, uint32_t columns,
                      const safetensors *file, pf_error *err);

#endif
