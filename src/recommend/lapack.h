/*
 * Factorisations of dense symmetric matrices by LAPACK (as OpenBLAS carries it), for models
 * that have a closed form. One thread; each result is checked against its own equation, because
 * some builds choose kernels by a variable of the environment and are then wrong.
 */
#ifndef PROFFER_RECOMMEND_LAPACK_H
#define PROFFER_RECOMMEND_LAPACK_H

#include <stddef.h>

#include "base/status.h"

/* Eigenvalues w [n] ascending; row i of a [n x n] becomes the eigenvector of w[i]. Only the
 * lower triangle of a is read. PF_LIMIT above 2^31 - 1 rows, PF_NO_MEMORY, PF_INTERNAL when
 * LAPACK fails. */
pf_status lapack_eigen(size_t n, double *a, double *w, pf_error *err);

/* a [n x n], symmetric and positive definite, becomes its inverse (both triangles). PF_DATA
 * when it is not positive definite; otherwise as above. */
pf_status lapack_invert(size_t n, float *a, pf_error *err);

#endif
