/*
 * EASE and ALS against naive twins in dense double arrays, and the LAPACK calls beneath them
 * against their own equations.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "recommend/fitted.h"
#include "recommend/inner.h"
#include "recommend/kinds.h"
#include "recommend/lapack.h"
#include "recommend/small_data.h"

enum { V = SMALL_PRODUCTS, U = SMALL_USERS, F = 64 };

/* x = A^-1 B for A [n x n], B [n x m], by Gauss and Jordan with pivots. */
static void solve(size_t n, size_t m, double *A, double *B)
{
    for (size_t c = 0; c < n; c++) {
        size_t p = c;
        for (size_t r = c + 1; r < n; r++)
            if (fabs(A[r * n + c]) > fabs(A[p * n + c])) p = r;
        for (size_t k = 0; k < n; k++) {
            double was = A[c * n + k];
            A[c * n + k] = A[p * n + k];
            A[p * n + k] = was;
        }
        for (size_t k = 0; k < m; k++) {
            double was = B[c * m + k];
            B[c * m + k] = B[p * m + k];
            B[p * m + k] = was;
        }
        for (size_t r = 0; r < n; r++) {
            double by = A[r * n + c] / A[c * n + c];
            if (r == c) continue;
            for (size_t k = 0; k < n; k++)
                A[r * n + k] -= by * A[c * n + k];
            for (size_t k = 0; k < m; k++)
                B[r * m + k] -= by * B[c * m + k];
        }
    }
    for (size_t r = 0; r < n; r++)
        for (size_t k = 0; k < m; k++)
            B[r * m + k] /= A[r * n + r];
}

static double times_taken(const small_data *d, uint32_t u, uint32_t v)
{
    double n = 0;
    for (uint64_t i = d->x.first[u]; i < d->x.first[u + 1]; i++)
        n += d->x.product[i] == v;
    return n;
}

static double taken(const small_data *d, uint32_t u, uint32_t v)
{
    return times_taken(d, u, v) > 0 ? 1 : 0;
}

/* ---- EASE ---- */

static void ease_twin(const small_data *d, double lambda, double B[V][V])
{
    static double G[V * V], P[V * V];
    memset(P, 0, sizeof P);
    for (uint32_t i = 0; i < V; i++) {
        P[i * V + i] = 1;
        for (uint32_t j = 0; j < V; j++) {
            G[i * V + j] = i == j ? lambda : 0;
            for (uint32_t u = 0; u < U; u++)
                G[i * V + j] += taken(d, u, i) * taken(d, u, j);
        }
    }
    solve(V, V, G, P);
    for (uint32_t i = 0; i < V; i++)
        for (uint32_t j = 0; j < V; j++)
            B[i][j] = i == j ? 0 : -P[i * V + j] / P[j * V + j];
}

static void ease_scores_as_its_closed_form(void **state)
{
    (void)state;
    small_data *d = small_data_new(11, 12);
    static double B[V][V];
    ease_twin(d, 250, B);
    recommender *m = small_fit(d, "ease");
    for (uint32_t u = 1; u < U; u++) {
        recommend_query q = small_query(d, u);
        float got[V];
        score_with(m, &q, got);
        for (uint32_t v = 0; v < V; v++) {
            double want = 0;
            for (size_t i = 0; i < q.n; i++)
                want += B[q.product[i]][v];
            assert_true(fabs(want - (double)got[v]) < 1e-5);
        }
    }
    recommender_free(m);
    small_data_free(d);
}

/* What everybody takes last, so that validation has something to prefer. */
static uint32_t *next_of(const small_data *d)
{
    uint32_t *next = malloc(U * sizeof *next);
    assert_non_null(next);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t n = d->x.first[u + 1] - d->x.first[u];
        next[u] = n > 0 ? d->x.product[d->x.first[u]] : RECOMMEND_NO_PRODUCT;
    }
    return next;
}

static void validation_chooses_among_settings_and_fits_the_chosen_one(void **state)
{
    (void)state;
    static const double lambdas[] = {50, 250, 1000};
    small_data *d = small_data_new(12, 12);
    d->input.next = next_of(d);
    d->input.repeats = true;
    recommender *m = small_fit(d, "ease");
    static double B[V][V];
    bool met = false;
    for (size_t l = 0; l < 3; l++) {
        ease_twin(d, lambdas[l], B);
        double worst = 0;
        for (uint32_t u = 1; u < U; u++) {
            recommend_query q = small_query(d, u);
            float got[V];
            score_with(m, &q, got);
            for (uint32_t v = 0; v < V; v++) {
                double want = 0;
                for (size_t i = 0; i < q.n; i++)
                    want += B[q.product[i]][v];
                worst = fmax(worst, fabs(want - (double)got[v]));
            }
        }
        met |= worst < 1e-5;
    }
    assert_true(met);
    recommender_free(m);
    free((void *)(uintptr_t)d->input.next);
    d->input.next = NULL;
    small_data_free(d);
}

/* ---- ALS ---- */

/* rows [n x F] from the other side's factors: the equation of the paper, row by row. */
static void als_half(size_t n, size_t others, double (*r)(const small_data *, size_t, size_t),
                     const small_data *d, const double *y, double alpha, double lambda,
                     double *x)
{
    static double A[F * F];
    for (size_t u = 0; u < n; u++) {
        memset(A, 0, sizeof A);
        memset(x + u * F, 0, F * sizeof *x);
        for (size_t i = 0; i < others; i++) {
            double c = 1 + alpha * r(d, u, i);
            for (size_t a = 0; a < F; a++) {
                for (size_t b = 0; b < F; b++)
                    A[a * F + b] += c * y[i * F + a] * y[i * F + b];
                if (r(d, u, i) > 0) x[u * F + a] += c * y[i * F + a];
            }
        }
        for (size_t a = 0; a < F; a++)
            A[a * F + a] += lambda;
        solve(F, 1, A, x + u * F);
    }
}

static double by_shopper(const small_data *d, size_t u, size_t v)
{
    return times_taken(d, (uint32_t)u, (uint32_t)v);
}

static double by_product(const small_data *d, size_t v, size_t u)
{
    return times_taken(d, (uint32_t)u, (uint32_t)v);
}

static void als_scores_as_its_alternating_equations(void **state)
{
    (void)state;
    small_data *d = small_data_new(13, 10);
    static double x[U * F], y[V * F];
    random_stream r = random_begin(d->input.seed, 0xa15);
    for (size_t i = 0; i < V * F; i++)
        y[i] = (double)(0.1f * (float)random_normal(&r));
    for (int round = 0; round < 12; round++) {
        als_half(U, V, by_shopper, d, y, 10, 1, x);
        als_half(V, U, by_product, d, x, 10, 1, y);
    }
    als_half(U, V, by_shopper, d, y, 10, 1, x);
    recommender *m = small_fit(d, "als");
    for (uint32_t u = 1; u < U; u++) {
        recommend_query q = small_query(d, u);
        float got[V];
        score_with(m, &q, got);
        for (uint32_t v = 0; v < V; v++) {
            double want = 0;
            for (size_t f = 0; f < F; f++)
                want += x[u * F + f] * y[v * F + f];
            assert_true(fabs(want - (double)got[v]) < 2e-3);
        }
    }
    recommender_free(m);
    small_data_free(d);
}

/* ---- LAPACK ---- */

static void eigenvectors_satisfy_their_equation(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n += 6) {
        double a[40 * 40], was[40 * 40], w[40];
        random_stream r = random_begin(n, 1);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * n + j] = a[j * n + i] = random_normal(&r);
        memcpy(was, a, sizeof a);
        assert_int_equal(lapack_eigen(n, a, w, NULL), PF_OK);
        for (size_t e = 0; e < n; e++)
            for (size_t i = 0; i < n; i++) {
                double sum = 0;
                for (size_t j = 0; j < n; j++)
                    sum += was[i * n + j] * a[e * n + j];
                assert_true(fabs(sum - w[e] * a[e * n + i]) < 1e-10 * (double)n);
            }
    }
}

static void an_inverse_times_its_matrix_is_one(void **state)
{
    (void)state;
    for (size_t n = 1; n < 60; n += 7) {
        float a[60 * 60], was[60 * 60];
        random_stream r = random_begin(n, 2);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * n + j] = a[j * n + i] =
                    (float)(random_unit(&r) + (i == j ? (double)n : 0));
        memcpy(was, a, sizeof a);
        assert_int_equal(lapack_invert(n, a, NULL), PF_OK);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t k = 0; k < n; k++)
                    sum += (double)was[i * n + k] * (double)a[k * n + j];
                assert_true(fabs(sum - (i == j)) < 1e-4);
            }
    }
}

static void a_matrix_that_has_no_inverse_is_told(void **state)
{
    (void)state;
    float a[4] = {1, 1, 1, 1};
    pf_error err = {0};
    assert_int_equal(lapack_invert(2, a, &err), PF_DATA);
    assert_non_null(strstr(err.message, "positive definite"));
    assert_int_equal(lapack_invert(0, a, NULL), PF_LIMIT);
    assert_int_equal(lapack_invert(50000, a, NULL), PF_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ease_scores_as_its_closed_form),
        cmocka_unit_test(validation_chooses_among_settings_and_fits_the_chosen_one),
        cmocka_unit_test(als_scores_as_its_alternating_equations),
        cmocka_unit_test(eigenvectors_satisfy_their_equation),
        cmocka_unit_test(an_inverse_times_its_matrix_is_one),
        cmocka_unit_test(a_matrix_that_has_no_inverse_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
