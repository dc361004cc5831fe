/*
 * Memory of a training step, planned once: the same code runs twice, first to count, then to
 * hand out. A step allocates nothing.
 *
 *     workspace w = workspace_counting();
 *     plan(&w, shapes);                          // takes NULLs, counts
 *     s = workspace_make(&w, err);               // one aligned block
 *     plan(&w, shapes);                          // the same takes, now real
 *
 * workspace_mark and workspace_back reuse what was taken since. Belongs to one thread.
 */
#ifndef PROFFER_TENSOR_WORKSPACE_H
#define PROFFER_TENSOR_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct workspace {
    unsigned char *base; /* NULL while counting */
    size_t used, most, bytes; /* most: the largest `used` so far */
    bool overflow;            /* a size that does not fit size_t was asked for */
} workspace;

workspace workspace_counting(void);
/* Allocates `most` bytes, zeroed; used becomes 0. PF_LIMIT after an overflow, PF_NO_MEMORY. */
pf_status workspace_make(workspace *w, pf_error *err);
/* n items of `size` bytes at a multiple of 64; NULL while counting. Taking more than was
 * planned is a programmer's error (assert). */
void *workspace_take(workspace *w, size_t n, size_t size);
size_t workspace_mark(const workspace *w);
void workspace_back(workspace *w, size_t mark);
/* Fine for one that only counted; it counts again afterwards. */
void workspace_free(workspace *w);

#endif
