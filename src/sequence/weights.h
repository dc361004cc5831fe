/*
 * The matrices of a network packed for products: forward for y = x W^T, backward for
 * dx = dy W (body.h). Made anew after every change of the values.
 */
#ifndef PROFFER_SEQUENCE_WEIGHTS_H
#define PROFFER_SEQUENCE_WEIGHTS_H

#include "sequence/net_inner.h"

/* Takes (or counts) their memory. The projection of side vectors has no backward: what it is
 * applied to does not learn. */
void weights_plan(const sequence_net *n, tensor_precision precision, bool both, workspace *w,
                  packed_weights *out);
/* Packs array i, if it is a matrix. */
void weights_pack(const sequence_net *n, const packed_weights *w, size_t i);
/* Packs the body's matrices number part, part + parts, ... */
void weights_pack_part(const sequence_net *n, const packed_weights *w, size_t part,
                       size_t parts);

#endif
