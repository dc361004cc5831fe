/*
 * Newton's method for a smooth convex loss with few parameters (at most a few hundred):
 * solves H step = gradient by Cholesky and halves the step until the loss falls (Boyd and
 * Vandenberghe, "Convex optimization", algorithm 9.5 with backtracking 9.2).
 */
#ifndef PROFFER_TENSOR_NEWTON_H
#define PROFFER_TENSOR_NEWTON_H

#include <stddef.h>

#include "base/status.h"

/* Fills gradient [n] and the lower triangle of hessian [n x n] at b (both come zeroed) and
 * returns the loss. With gradient NULL only the loss is wanted. */
typedef double newton_loss(void *context, const double *b, double *gradient,
                           double *hessian);

/* Starts from b and leaves the minimum there. PF_INTERNAL when the Hessian is not positive
 * definite even after a small ridge, PF_NO_MEMORY. */
pf_status newton_minimise(newton_loss *loss, void *context, size_t n, double *b,
                          int iterations, pf_error *err);

/* In-place Cholesky of the lower triangle, then solve into x; 0 on success, else 1 + the
 * row whose pivot is not positive. */
size_t cholesky_solve(double *a, size_t n, double *x);

#endif
