/*
 * Matrix products of every table of kernels that this machine can run, against their naive
 * twins over odd shapes, and what kernels.h promises beside the numbers: nothing outside C is
 * written, a row does not depend on its neighbours, the same call gives the same bits, NaN
 * and infinity come through.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "tensor/kernels.h"
#include "tensor/naive.h"

enum { GAP = 3, GUARD = 16 };
static const float untouched = 12345.5F;

/* One product with rows of A and C longer than they need be. */
typedef struct product_case {
    const tensor_kernels *k;
    tensor_precision p;
    size_t M, N, K;
    size_t a_row, c_row;
    float *a, *b, *bias, *c;
    void *packed, *scratch;
} product_case;

static float *floats(random_stream *r, size_t n)
{
    float *x = mem_alloc_aligned(n + 1, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(random_unit(r) * 2 - 1);
    return x;
}

static unsigned char *guarded(size_t bytes)
{
    unsigned char *block = mem_alloc_aligned(bytes + GUARD, 1);
    assert_non_null(block);
    memset(block + bytes, 0xA5, GUARD);
    return block;
}

static void assert_guard(const void *block, size_t bytes)
{
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal(((const unsigned char *)block)[bytes + i], 0xA5);
}

static product_case case_new(const tensor_kernels *k, tensor_precision p, size_t M, size_t N,
                             size_t K)
{
    random_stream r = random_begin(7, M * 1000003 + N * 1009 + K);
    product_case t = {.k = k, .p = p, .M = M, .N = N, .K = K};
    t.a_row = K + GAP;
    t.c_row = N + GAP;
    t.a = floats(&r, M * t.a_row);
    t.b = floats(&r, K * N);
    t.bias = floats(&r, N);
    t.c = floats(&r, M * t.c_row);
    for (size_t m = 0; m < M; m++)
        for (size_t i = 0; i < GAP; i++) {
            t.a[m * t.a_row + K + i] = NAN; /* nobody may use what is between two rows */
            t.c[m * t.c_row + N + i] = untouched;
        }
    t.packed = guarded(k->packed_bytes(p, K, N));
    t.scratch = guarded(KERNEL_SCRATCH_BYTES);
    return t;
}

static void case_free(product_case *t)
{
    assert_guard(t->packed, t->k->packed_bytes(t->p, t->K, t->N));
    assert_guard(t->scratch, KERNEL_SCRATCH_BYTES);
    mem_free(t->a);
    mem_free(t->b);
    mem_free(t->bias);
    mem_free(t->c);
    mem_free(t->packed);
    mem_free(t->scratch);
}

static float *copy_of(const float *x, size_t n)
{
    float *copy = mem_alloc_aligned(n + 1, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, x, n * sizeof *copy);
    return copy;
}

/* Every sum may be off by a few roundings of the sum of its terms. */
static double tolerance(size_t K, double size)
{
    return (1 + size) * 6e-8 * (4 + (double)K / 16);
}

/* before: C as it was, or NULL when the product was to set it. */
static void assert_product(const product_case *t, const naive_operands *o, const float *bias,
                           const float *before)
{
    for (size_t m = 0; m < t->M; m++) {
        const float *c = t->c + m * t->c_row;
        for (size_t n = 0; n < t->N; n++) {
            double size, wanted = naive_product(o, m, n, &size);
            if (bias) wanted += (double)bias[n];
            if (before) wanted += (double)before[m * t->c_row + n];
            if (!(fabs((double)c[n] - wanted) <= tolerance(t->K, size)))
                fail_msg("%s: C[%zu][%zu] of %zu x %zu x %zu is %.9g, not %.9g", t->k->name,
                         m, n, t->M, t->N, t->K, (double)c[n], wanted);
        }
        for (size_t i = 0; i < GAP; i++)
            assert_true(c[t->N + i] == untouched);
    }
}

/* ---- C = A B ---- */

/* Packs B as it lies, or the same numbers read as the transpose of an N x K matrix. */
static naive_operands pack(product_case *t, bool transposed)
{
    const size_t k_stride = transposed ? 1 : t->N, n_stride = transposed ? t->K : 1;
    t->k->pack(t->p, t->K, t->N, t->b, k_stride, n_stride, t->packed);
    return (naive_operands){t->p, t->K, t->a, t->a_row, 1, t->b, k_stride, n_stride};
}

static void run(product_case *t, const float *bias, product_mode mode)
{
    mem_guard_enter();
    t->k->product(t->p, t->M, t->N, t->K, t->a, t->a_row, t->packed, bias, t->c, t->c_row,
                  mode, t->scratch);
    mem_guard_leave();
}

static void check_product(const tensor_kernels *k, tensor_precision p, size_t M, size_t N,
                          size_t K)
{
    product_case t = case_new(k, p, M, N, K);
    const naive_operands plain = pack(&t, false);
    run(&t, NULL, PRODUCT_SET);
    assert_product(&t, &plain, NULL, NULL);
    float *before = copy_of(t.c, M * t.c_row);
    run(&t, t.bias, PRODUCT_ADD);
    assert_product(&t, &plain, t.bias, before);
    const naive_operands transposed = pack(&t, true);
    run(&t, t.bias, PRODUCT_SET);
    assert_product(&t, &transposed, t.bias, NULL);
    memcpy(before, t.c, M * t.c_row * sizeof *before);
    run(&t, NULL, PRODUCT_ADD);
    assert_product(&t, &transposed, NULL, before);
    mem_free(before);
    case_free(&t);
}

/* Calls check for every table and every precision it has. */
static void every_table(void (*check)(const tensor_kernels *k, tensor_precision p))
{
    for (size_t i = 0; kernels_at(i); i++) {
        check(kernels_at(i), TENSOR_FP32);
        if (kernels_at(i)->bf16) check(kernels_at(i), TENSOR_BF16);
    }
}

static void walk_shapes(const tensor_kernels *k, tensor_precision p)
{
    static const size_t Ms[] = {1, 2, 3, 4, 5, 6, 7, 13};
    static const size_t Ns[] = {1, 7, 8, 9, 16, 17, 31, 33, 48, 63, 64, 65, 131};
    static const size_t Ks[] = {1, 2, 3, 17, 64, 65};
    for (size_t m = 0; m < sizeof Ms / sizeof *Ms; m++)
        for (size_t n = 0; n < sizeof Ns / sizeof *Ns; n++)
            for (size_t i = 0; i < sizeof Ks / sizeof *Ks; i++)
                check_product(k, p, Ms[m], Ns[n], Ks[i]);
}

static void product_agrees_with_its_twin_over_odd_shapes(void **state)
{
    (void)state;
    every_table(walk_shapes);
}

/* More rows than are converted at once, more terms than one pass over k takes. */
static void walk_large(const tensor_kernels *k, tensor_precision p)
{
    static const size_t Ks[] = {255, 256, 257, 511, 512, 513, 1030};
    for (size_t i = 0; i < sizeof Ks / sizeof *Ks; i++)
        check_product(k, p, 9, 70, Ks[i]);
    check_product(k, p, 300, 65, 33);
    check_product(k, p, 131, 20, 600);
}

static void product_agrees_with_its_twin_beyond_one_block(void **state)
{
    (void)state;
    every_table(walk_large);
}

static void check_no_terms(const tensor_kernels *k, tensor_precision p)
{
    product_case t = case_new(k, p, 7, 70, 0);
    pack(&t, false);
    run(&t, t.bias, PRODUCT_SET);
    for (size_t m = 0; m < t.M; m++)
        assert_memory_equal(t.c + m * t.c_row, t.bias, t.N * sizeof(float));
    run(&t, NULL, PRODUCT_SET);
    for (size_t n = 0; n < t.N; n++)
        assert_true(t.c[n] == 0);
    case_free(&t);
}

static void product_of_no_terms_is_the_bias(void **state)
{
    (void)state;
    every_table(check_no_terms);
}

/* ---- what a result may depend on ---- */

static void check_rows_alone(const tensor_kernels *k, tensor_precision p)
{
    product_case t = case_new(k, p, 141, 67, 530);
    pack(&t, false);
    run(&t, t.bias, PRODUCT_SET);
    float *together = copy_of(t.c, t.M * t.c_row);
    run(&t, t.bias, PRODUCT_SET);
    assert_memory_equal(t.c, together, t.M * t.c_row * sizeof(float));
    for (size_t m = 0; m < t.M; m++) {
        float *c = t.c + m * t.c_row;
        memset(c, 0, t.N * sizeof *c);
        k->product(p, 1, t.N, t.K, t.a + m * t.a_row, t.a_row, t.packed, t.bias, c, t.c_row,
                   PRODUCT_SET, t.scratch);
    }
    assert_memory_equal(t.c, together, t.M * t.c_row * sizeof(float));
    mem_free(together);
    case_free(&t);
}

static void product_gives_a_row_the_same_bits_alone_and_among_others(void **state)
{
    (void)state;
    every_table(check_rows_alone);
}

static void check_columns_alone(const tensor_kernels *k, tensor_precision p)
{
    product_case t = case_new(k, p, 7, 131, 70);
    float one[7], *all;
    pack(&t, false);
    run(&t, NULL, PRODUCT_SET);
    all = copy_of(t.c, t.M * t.c_row);
    for (size_t n = 0; n < t.N; n++) {
        k->pack(p, t.K, 1, t.b + n, t.N, 1, t.packed);
        k->product(p, t.M, 1, t.K, t.a, t.a_row, t.packed, NULL, one, 1, PRODUCT_SET,
                   t.scratch);
        for (size_t m = 0; m < t.M; m++)
            assert_memory_equal(&one[m], &all[m * t.c_row + n], sizeof one[m]);
    }
    mem_free(all);
    case_free(&t);
}

static void product_gives_a_column_the_same_bits_in_a_panel_of_any_width(void **state)
{
    (void)state;
    every_table(check_columns_alone);
}

/* ---- NaN, infinity ---- */

static void check_strange(const tensor_kernels *k, tensor_precision p)
{
    product_case t = case_new(k, p, 14, 67, 41);
    for (size_t i = 0; i < t.K * t.N; i++)
        t.b[i] = 0.25F + (float)(i % 5);
    t.a[3 * t.a_row + 40] = NAN;
    t.a[8 * t.a_row] = INFINITY;
    t.a[9 * t.a_row + 1] = -INFINITY;
    t.a[10 * t.a_row] = INFINITY;
    t.a[10 * t.a_row + 7] = -INFINITY;
    pack(&t, false);
    run(&t, t.bias, PRODUCT_SET);
    for (size_t m = 0; m < t.M; m++)
        for (size_t n = 0; n < t.N; n++) {
            const float c = t.c[m * t.c_row + n];
            if (m == 3 || m == 10)
                assert_true(isnan(c));
            else if (m == 8 || m == 9)
                assert_true(isinf(c) && (c > 0) == (m == 8));
            else
                assert_true(isfinite(c));
        }
    t.b[5] = NAN; /* row 0 of B, column 5 */
    pack(&t, false);
    run(&t, NULL, PRODUCT_SET);
    for (size_t n = 0; n < t.N; n++)
        assert_true(isnan(t.c[n]) == (n == 5));
    case_free(&t);
}

static void product_carries_nan_and_infinity_where_they_belong(void **state)
{
    (void)state;
    every_table(check_strange);
}

/* ---- bf16 ---- */

/* One times one value shows how it was rounded. */
static float rounded_by(const tensor_kernels *k, float x, bool as_right_operand)
{
    static unsigned char scratch[KERNEL_SCRATCH_BYTES] __attribute__((aligned(64)));
    static float packed[4096] __attribute__((aligned(64)));
    const float one = 1;
    float c;
    assert_true(k->packed_bytes(TENSOR_BF16, 1, 1) <= sizeof packed);
    k->pack(TENSOR_BF16, 1, 1, as_right_operand ? &x : &one, 1, 1, packed);
    k->product(TENSOR_BF16, 1, 1, 1, as_right_operand ? &one : &x, 1, packed, NULL, &c, 1,
               PRODUCT_SET, scratch);
    return c;
}

static void bf16_operands_are_rounded_to_nearest_ties_to_even(void **state)
{
    (void)state;
    random_stream r = random_begin(3, 3);
    for (size_t i = 0; kernels_at(i); i++) {
        const tensor_kernels *k = kernels_at(i);
        if (!k->bf16) continue;
        assert_true(rounded_by(k, 1 + 0x1p-8F, false) == 1);
        assert_true(rounded_by(k, 1 + 3 * 0x1p-8F, false) == 1 + 0x1p-6F);
        assert_true(rounded_by(k, 1 + 0x1.02p-8F, true) == 1 + 0x1p-7F);
        assert_true(isinf(rounded_by(k, 3.4e38F, true)));
        for (int n = 0; n < 2000; n++) {
            const float x = (float)(random_normal(&r) * exp(20 * random_unit(&r) - 10));
            assert_true((double)rounded_by(k, x, n % 2) == naive_rounded(TENSOR_BF16, x));
        }
    }
}

/* ---- C += A^T B ---- */

static void check_transposed(const tensor_kernels *k, tensor_precision p, size_t M, size_t N,
                             size_t K)
{
    product_case t = case_new(k, p, M, N, K);
    random_stream r = random_begin(9, K);
    const size_t a_row = M + GAP, b_row = N + GAP;
    float *a = floats(&r, K * a_row), *b = floats(&r, K * b_row);
    for (size_t i = 0; i < K; i++) {
        a[i * a_row + M] = NAN;
        b[i * b_row + N] = NAN;
    }
    float *before = copy_of(t.c, M * t.c_row);
    mem_guard_enter();
    k->product_transposed(p, M, N, K, a, a_row, b, b_row, t.c, t.c_row, t.scratch);
    mem_guard_leave();
    const naive_operands o = {p, K, a, 1, a_row, b, b_row, 1};
    assert_product(&t, &o, NULL, before);
    float *once = copy_of(t.c, M * t.c_row);
    memcpy(t.c, before, M * t.c_row * sizeof *t.c);
    k->product_transposed(p, M, N, K, a, a_row, b, b_row, t.c, t.c_row, t.scratch);
    assert_memory_equal(t.c, once, M * t.c_row * sizeof *t.c);
    mem_free(once);
    mem_free(before);
    mem_free(a);
    mem_free(b);
    case_free(&t);
}

static void walk_transposed(const tensor_kernels *k, tensor_precision p)
{
    static const size_t Ms[] = {1, 2, 5, 6, 7, 64}, Ns[] = {1, 15, 17, 64, 65, 130},
                        Ks[] = {1, 2, 3, 64, 65};
    for (size_t m = 0; m < sizeof Ms / sizeof *Ms; m++)
        for (size_t n = 0; n < sizeof Ns / sizeof *Ns; n++)
            for (size_t i = 0; i < sizeof Ks / sizeof *Ks; i++)
                check_transposed(k, p, Ms[m], Ns[n], Ks[i]);
    check_transposed(k, p, 13, 67, 515);
    check_transposed(k, p, 6, 600, 9);
    check_transposed(k, p, 1030, 17, 5);
    check_transposed(k, p, 3, 3, 1100);
    check_transposed(k, p, 4, 5, 0);
}

static void transposed_product_adds_what_its_twin_does(void **state)
{
    (void)state;
    every_table(walk_transposed);
}

/* ---- the choice of a table ---- */

static void tables_are_listed_from_the_fastest_to_the_portable_one(void **state)
{
    (void)state;
    size_t n = 0;
    while (kernels_at(n))
        n++;
    assert_true(n >= 1);
    assert_string_equal(kernels_at(n - 1)->name, "portable");
    assert_null(kernels_at(n + 5));
    for (size_t i = 1; i < n; i++)
        assert_false(kernels_at(i)->bf16);
}

static void choice_follows_the_name_or_the_environment_or_takes_the_fastest(void **state)
{
    (void)state;
    unsetenv("PROFFER_KERNELS");
    assert_ptr_equal(kernels_choose(NULL), kernels_at(0));
    for (size_t i = 0; kernels_at(i); i++) {
        assert_ptr_equal(kernels_choose(kernels_at(i)->name), kernels_at(i));
        setenv("PROFFER_KERNELS", kernels_at(i)->name, 1);
        assert_ptr_equal(kernels_choose(NULL), kernels_at(i));
    }
    setenv("PROFFER_KERNELS", "", 1);
    assert_ptr_equal(kernels_choose(NULL), kernels_at(0));
    setenv("PROFFER_KERNELS", "abacus", 1);
    assert_null(kernels_choose(NULL));
    assert_null(kernels_choose("avx"));
    unsetenv("PROFFER_KERNELS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_agrees_with_its_twin_over_odd_shapes),
        cmocka_unit_test(product_agrees_with_its_twin_beyond_one_block),
        cmocka_unit_test(product_of_no_terms_is_the_bias),
        cmocka_unit_test(product_gives_a_row_the_same_bits_alone_and_among_others),
        cmocka_unit_test(product_gives_a_column_the_same_bits_in_a_panel_of_any_width),
        cmocka_unit_test(product_carries_nan_and_infinity_where_they_belong),
        cmocka_unit_test(bf16_operands_are_rounded_to_nearest_ties_to_even),
        cmocka_unit_test(transposed_product_adds_what_its_twin_does),
        cmocka_unit_test(tables_are_listed_from_the_fastest_to_the_portable_one),
        cmocka_unit_test(choice_follows_the_name_or_the_environment_or_takes_the_fastest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
