/*
 * Embedded rows: x_i = m[thing_i] + position + kind + band + gap vectors, then dropout; forward
 * and backward. A row that names nothing has no product vector, a masked one the mask's.
 */
#ifndef PROFFER_SEQUENCE_EMBED_H
#define PROFFER_SEQUENCE_EMBED_H

#include "sequence/net_inner.h"

/* x [R x D] of the call's pack, whose things are numbers of m's rows. */
void embed_forward(const body_call *c, const net_arrays *at, const float *m, float *x);
/* dx [R x D] is used up. dm and the gradient block of the call are added to. */
void embed_backward(const body_call *c, const net_arrays *at, float *dx, float *dm);

#endif
