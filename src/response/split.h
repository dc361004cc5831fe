/*
 * One who uses any of P promotions uses m of them, each at most once; which, the shares
 * say. The chance of each is taken as
 *
 *     q_k = c share_k / (1 + c share_k),    sum of q = m
 *
 * with c found by Newton's method: large shares saturate below 1 and the expected number
 * of uses is kept, where the simpler 1 - (1 - share)^m loses a fifth of them. This is
 * conditional Poisson sampling's first-order form (Hajek 1964; Tille, "Sampling
 * algorithms", 2006, section 5.13). Private to this room.
 */
#ifndef PROFFER_RESPONSE_SPLIT_H
#define PROFFER_RESPONSE_SPLIT_H

#include <stddef.h>

/* share [P] summing to 1, p [P] = any q_k; `uses` >= 1. The arrays may be the same. */
void split_uses(double any, const float *share, size_t P, double uses, float *p);

#endif
