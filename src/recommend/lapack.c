/* The Fortran routines are declared here, since the package has no header for them. A row-major
 * symmetric matrix is the same as a column-major one with the triangles swapped: 'U' below reads
 * what is the lower triangle by rows. */
#include "recommend/lapack.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
             double *w, double *work, const int *lwork, int *iwork, const int *liwork,
             int *info);
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info);

static pf_status check_size(size_t n, pf_error *err)
{
    return n > 0 && n < 46341 /* n^2 fits 31 bits: LAPACK's integers */
               ? PF_OK
               : error_set(err, PF_LIMIT, "a matrix of %zu rows is too large to factorise", n);
}

static pf_status failed(const char *what, int info, pf_error *err)
{
    return error_set(err, PF_INTERNAL, "LAPACK could not %s (info %d)", what, info);
}

/* ---- eigenvectors ---- */

/* a is symmetric with only its lower triangle filled. */
static double at(const double *a, size_t n, size_t i, size_t j)
{
    return i >= j ? a[i * n + j] : a[j * n + i];
}

/* |A v - w v| for the largest eigenvalue, over |w|. */
static double residual(const double *a, size_t n, const double *v, double w)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += at(a, n, i, j) * v[j];
        worst = fmax(worst, fabs(sum - w * v[i]));
    }
    return worst / fmax(fabs(w), 1e-30);
}

pf_status lapack_eigen(size_t n, double *a, double *w, pf_error *err)
{
    pf_status s = check_size(n, err);
    if (s != PF_OK) return s;
    int N = (int)n, info = 0, iwork_n = 3 + 5 * N;
    size_t work = 1 + 6 * n + 2 * n * n;
    int work_n = work < INT_MAX ? (int)work : INT_MAX;
    double *copy = mem_alloc(n * n, sizeof *copy);
    double *memory = mem_alloc((size_t)work_n, sizeof *memory);
    int *integers = mem_alloc((size_t)iwork_n, sizeof *integers);
    if (copy == NULL || memory == NULL || integers == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu x %zu numbers", n, n);
        goto done;
    }
    memcpy(copy, a, n * n * sizeof *copy);
    dsyevd_("V", "U", &N, a, &N, w, memory, &work_n, integers, &iwork_n, &info);
    if (info != 0)
        s = failed("find eigenvalues", info, err);
    else if (!(residual(copy, n, a + (n - 1) * n, w[n - 1]) < 1e-6))
        s = error_set(err, PF_INTERNAL,
                      "LAPACK's eigenvectors are wrong; unset OPENBLAS_CORETYPE");
done:
    mem_free(copy);
    mem_free(memory);
    mem_free(integers);
    return s;
}

/* ---- inverse ---- */

static void mirror(size_t n, float *a)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            a[j * n + i] = a[i * n + j];
}

/* Row i of A times column i of its inverse, for a row that was kept. */
static bool row_agrees(size_t n, const float *row, size_t i, const float *inverse)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += (double)row[j] * (double)inverse[j * n + i];
    return fabs(sum - 1) < 1e-2;
}

pf_status lapack_invert(size_t n, float *a, pf_error *err)
{
    pf_status s = check_size(n, err);
    if (s != PF_OK) return s;
    int N = (int)n, info = 0;
    float *row = mem_alloc(n, sizeof *row);
    if (row == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for %zu numbers", n);
    memcpy(row, a + (n / 2) * n, n * sizeof *row);
    spotrf_("U", &N, a, &N, &info);
    if (info > 0)
        s = error_set(err, PF_DATA, "the matrix is not positive definite (row %d)", info);
    if (info == 0) spotri_("U", &N, a, &N, &info);
    if (info != 0 && s == PF_OK) s = failed("invert a matrix", info, err);
    if (s == PF_OK) {
        mirror(n, a);
        if (!row_agrees(n, row, n / 2, a))
            s = error_set(err, PF_INTERNAL,
                          "LAPACK's inverse is wrong; unset OPENBLAS_CORETYPE, or raise the "
                          "regularisation");
    }
    mem_free(row);
    return s;
}
